#include "tests/support/net_bench.h"

static void
keep_event(void *arg, const void *record)
{
    NetBench *bench = arg;
    const PacketRecord *rec = record;
    NetBenchEvent event = { .at = rec->at,
                            .event = rec->event,
                            .link = rec->link,
                            .direction = rec->direction,
                            .reason = rec->reason,
                            .packet = *rec->packet };

    if (rec->host != 0)
        event.host = bench->net->hosts->pdata[rec->host - 1];
    event.packet.fragment_of = NULL;
    event.packet.raw = NULL;
    event.packet.next = NULL;
    g_array_append_val(bench->events, event);
}

NetBench *
net_bench_new(void)
{
    NetBench *bench = g_new0(NetBench, 1);

    bench->sim = sim_new(1);
    bench->net = net_new(bench->sim);
    bench->routers = g_ptr_array_new();
    bench->links = g_ptr_array_new();
    bench->events = g_array_new(FALSE, FALSE, sizeof(NetBenchEvent));
    probe_subscribe(&bench->net->probes.packet, keep_event, bench);
    return bench;
}

void
net_bench_free(NetBench *bench)
{
    net_free(bench->net);
    sim_free(bench->sim);
    g_ptr_array_free(bench->routers, TRUE);
    g_ptr_array_free(bench->links, TRUE);
    g_array_free(bench->events, TRUE);
    g_free(bench);
}

IpParams
net_bench_ip_params(void)
{
    IpParams params = {
#define IP_PARAM(field, type, sysctl, linux_value, rfc_value, min, max, unit, doc)                 \
    .field = linux_value,
#include "models/ip/params.def"
#undef IP_PARAM
    };
    return params;
}

Host *
net_bench_host(NetBench *bench, const char *name, bool forwards)
{
    Host *host = host_new(bench->net, name);
    IpParams params = net_bench_ip_params();

    host->forwards = forwards;
    ip_attach(host, &params);
    udp_attach(host);
    return host;
}

static Iface *
add_iface(Host *host, const char *prefix)
{
    g_autofree char *name = g_strdup_printf("eth%u", host->ifaces->len);
    IpAddr addr;
    unsigned bits;

    g_assert_true(ip_prefix_parse(prefix, &addr, &bits));
    return host_add_iface(host, name, addr, bits, 1500);
}

Link *
net_bench_link(NetBench *bench, Host *a, const char *a_addr, Host *b, const char *b_addr)
{
    LinkParams params[2] = { link_params_default(), link_params_default() };
    g_autofree char *name = g_strdup_printf("%s-%s", a->name, b->name);
    Link *link = link_new(bench->net, name, add_iface(a, a_addr), add_iface(b, b_addr), params);

    g_ptr_array_add(bench->links, link);
    return link;
}

NetBench *
net_bench_chain(unsigned n_routers)
{
    NetBench *bench = net_bench_new();
    Host *last;

    bench->a = last = net_bench_host(bench, "a", false);
    bench->b = net_bench_host(bench, "b", false);
    for (unsigned i = 0; i <= n_routers; i++) {
        g_autofree char *name = g_strdup_printf("r%u", i + 1);
        g_autofree char *left = g_strdup_printf("10.0.%u.1/24", i);
        g_autofree char *right = g_strdup_printf("10.0.%u.2/24", i);
        Host *next = i < n_routers ? net_bench_host(bench, name, true) : bench->b;

        net_bench_link(bench, last, left, next, right);
        if (i < n_routers)
            g_ptr_array_add(bench->routers, next);
        last = next;
    }
    bench->a_addr = ip_addr_v4(0x0a000001);
    bench->b_addr = ip_addr_v4(0x0a000002 + (n_routers << 8));
    return bench;
}

NetBench *
net_bench_pair(void)
{
    return net_bench_chain(0);
}

void
net_bench_set_mtu(NetBench *bench, unsigned link, uint32_t mtu)
{
    Link *changed = bench->links->pdata[link];

    for (unsigned end = 0; end < 2; end++) {
        LinkParams params = *link_params(changed, end);

        params.mtu = mtu;
        link_change(changed, end, &params);
        link_iface(changed, end)->mtu = mtu;
    }
}

void
net_bench_lose(NetBench *bench, unsigned link, unsigned direction, const uint32_t *nth, unsigned n)
{
    Link *changed = bench->links->pdata[link];
    LinkParams params = *link_params(changed, direction);

    params.loss = (LossParams){ .kind = LOSS_LIST, .list = nth, .n_list = n };
    link_change(changed, direction, &params);
}

void
net_bench_run(NetBench *bench, SimTime time)
{
    sim_run(bench->sim, sim_now(bench->sim) + time);
}

Packet *
net_bench_datagram(NetBench *bench, IpAddr dst, uint32_t len)
{
    Packet *packet = packet_new(&bench->net->packets);

    packet->ip.dst = dst;
    packet->ip.proto = IP_PROTO_UDP;
    packet->ip.ttl = 0;
    packet->udp = (UdpHeader){ .sport = 1000, .dport = 2000 };
    packet->payload = (Payload){ .stream = stream_new_id(bench->net->streams), .len = len };
    packet_finish_lengths(packet);
    return packet;
}

UdpSock *
net_bench_receiver(Host *host)
{
    UdpSock *sock = udp_open(host);

    g_assert_cmpint(udp_bind(sock, (Endpoint){ ip_addr_v4(0), 2000 }), ==, 0);
    return sock;
}

IpAddr
net_bench_addr(const char *text)
{
    IpAddr addr;

    g_assert_true(ip_addr_parse(text, &addr));
    return addr;
}

Endpoint
net_bench_endpoint(const char *addr, uint16_t port)
{
    return (Endpoint){ net_bench_addr(addr), port };
}

const NetBenchEvent *
net_bench_nth(const NetBench *bench, const Host *host, PacketEvent event, uint8_t proto,
              unsigned nth)
{
    for (guint i = 0; i < bench->events->len; i++) {
        const NetBenchEvent *kept = &g_array_index(bench->events, NetBenchEvent, i);

        if (kept->event == event && (host == NULL || kept->host == host) &&
            (proto == 0 || kept->packet.ip.proto == proto) && --nth == 0)
            return kept;
    }
    return NULL;
}

unsigned
net_bench_count(const NetBench *bench, const Host *host, PacketEvent event, uint8_t proto)
{
    unsigned count = 0;

    while (net_bench_nth(bench, host, event, proto, count + 1) != NULL)
        count++;
    return count;
}

unsigned
net_bench_count_reason(const NetBench *bench, const char *reason)
{
    unsigned count = 0;

    for (guint i = 0; i < bench->events->len; i++)
        count += g_strcmp0(g_array_index(bench->events, NetBenchEvent, i).reason, reason) == 0;
    return count;
}
