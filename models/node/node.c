#include "models/node/node.h"

#include "models/link/link.h"
#include "models/node/backlog.h"
#include "models/node/sendqueue.h"

Net *
net_new(Sim *sim)
{
    Net *net = g_new0(Net, 1);

    net->sim = sim;
    sim_arena_init(&net->arena);
    net->streams = stream_table_new();
    packet_pool_init(&net->packets, &net->arena, net->streams);
    net->hosts = g_ptr_array_new();
    net->links = g_ptr_array_new();
    return net;
}

typedef struct OnFree {
    GDestroyNotify fn;
    void *data;
} OnFree;

static void
iface_free(void *data)
{
    Iface *iface = data;

    send_queue_free(iface->send_queue);
    g_free(iface->name);
}

static void
host_free(Host *host)
{
    for (guint i = host->on_free->len; i-- > 0;) {
        OnFree *entry = g_ptr_array_index(host->on_free, i);
        entry->fn(entry->data);
    }
    g_ptr_array_unref(host->on_free);
    backlog_free(host->backlog, host);
    g_ptr_array_unref(host->ifaces);
    g_free(host->watch);
    g_free(host->name);
}

void
net_free(Net *net)
{
    if (net == NULL)
        return;
    for (guint i = net->links->len; i-- > 0;)
        link_free(g_ptr_array_index(net->links, i));
    for (guint i = net->hosts->len; i-- > 0;)
        host_free(g_ptr_array_index(net->hosts, i));
    g_ptr_array_unref(net->links);
    g_clear_pointer(&net->traits, g_hash_table_unref);
    g_ptr_array_unref(net->hosts);

    Probe *probes[] = {
        &net->probes.packet, &net->probes.conn,  &net->probes.tcp_state, &net->probes.verdict,
        &net->probes.sample, &net->probes.queue, &net->probes.counter,   &net->probes.call,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(probes); i++)
        probe_done(probes[i]);
    stream_table_free(net->streams);
    sim_arena_done(&net->arena);
    g_free(net);
}

Host *
net_find_host(const Net *net, const char *name)
{
    for (guint i = 0; i < net->hosts->len; i++) {
        Host *host = g_ptr_array_index(net->hosts, i);
        if (g_str_equal(host->name, name))
            return host;
    }
    return NULL;
}

Host *
host_new(Net *net, const char *name)
{
    Host *host = sim_arena_take0(&net->arena, sizeof *host);

    host->net = net;
    host->sim = net->sim;
    host->packets = &net->packets;
    host->probes = &net->probes;
    host->name = g_strdup(name);
    host->ifaces = g_ptr_array_new_with_free_func(iface_free);
    host->on_free = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(net->hosts, host);
    host->id = net->hosts->len;
    net->routes_known = false;
    return host;
}

void
host_on_free(Host *host, GDestroyNotify fn, void *data)
{
    OnFree *entry = g_new(OnFree, 1);

    *entry = (OnFree){ .fn = fn, .data = data };
    g_ptr_array_add(host->on_free, entry);
}

Iface *
host_add_iface(Host *host, const char *name, IpAddr addr, unsigned prefix_bits, uint32_t mtu)
{
    Iface *iface = sim_arena_take0(&host->net->arena, sizeof *iface);

    iface->host = host;
    iface->name = g_strdup(name);
    iface->addr = addr;
    iface->prefix_bits = (uint8_t)prefix_bits;
    iface->index = host->ifaces->len;
    iface->mtu = mtu;
    iface->is_up = true;
    g_ptr_array_add(host->ifaces, iface);
    host->net->routes_known = false;
    return iface;
}

Iface *
host_iface_with_addr(const Host *host, IpAddr addr)
{
    for (guint i = 0; i < host->ifaces->len; i++) {
        Iface *iface = g_ptr_array_index(host->ifaces, i);
        if (ip_addr_equal(iface->addr, addr))
            return iface;
    }
    return NULL;
}

static SIM_COLD void
iface_drop(Iface *iface, Packet *packet, const char *reason)
{
    host_record_packet(iface->host, iface, PACKET_EVENT_DROPPED, packet, reason);
    packet_free(iface->host->packets, packet);
}

void
host_receive(Iface *iface, Packet *packet)
{
    Host *host = iface->host;

    if (G_UNLIKELY(!iface->is_up || host->input == NULL))
        iface_drop(iface, packet, iface->is_up ? "no network layer" : "interface down");
    else if (G_UNLIKELY(host->backlog != NULL))
        backlog_receive(host->backlog, iface, packet);
    else
        host->input(iface, packet);
}

void
iface_put(Iface *iface, Packet *packet)
{
    if (G_UNLIKELY(!iface->is_up || iface->link == NULL)) {
        iface_drop(iface, packet, iface->is_up ? "no link" : "interface down");
        return;
    }
    host_record_packet(iface->host, iface, PACKET_EVENT_SENT, packet, NULL);
    link_send(iface->link, packet);
}

int
iface_send(Iface *iface, Packet *packet)
{
    if (G_UNLIKELY(iface->send_queue != NULL))
        return send_queue_offer(iface->send_queue, packet);
    iface_put(iface, packet);
    return 0;
}

CounterWatch *
host_watch(Host *host, MibCounter counter)
{
    if (host->watch == NULL)
        host->watch = g_new0(CounterWatch, MIB_COUNT);
    return &host->watch[counter];
}

void
host_unwatch(Host *host)
{
    g_clear_pointer(&host->watch, g_free);
}

void
host_count_slow(Host *host, MibCounter counter)
{
    CounterRecord record = {
        .at = sim_now(host->sim),
        .host = host->id,
        .counter = (uint16_t)counter,
        .value = host->mib[counter],
    };
    probe_emit(&host->probes->counter, &record);
}

void
host_record_packet_slow(Host *host, const Iface *iface, PacketEvent event, const Packet *packet,
                        const char *reason)
{
    PacketRecord record = {
        .at = sim_now(host->sim),
        .event = event,
        .packet = packet,
        .host = host->id,
        .iface = iface != NULL ? iface->index : 0,
        .reason = reason,
    };
    if (event == PACKET_EVENT_SENT && iface != NULL && iface->link != NULL)
        link_end_place(iface->link, &record.link, &record.direction);
    probe_emit(&host->probes->packet, &record);
}
