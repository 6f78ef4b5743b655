#include "tests/support/wirebench.h"

static WireBench *
wire_bench_of(const Iface *iface)
{
    return (WireBench *)iface->host->ip; /* these hosts have no IP: the place is free */
}

static void
wire_bench_input(Iface *iface, Packet *packet)
{
    WireBench *bench = wire_bench_of(iface);

    if (bench->n_arrived == bench->room) {
        bench->room = MAX(64, bench->room * 2);
        bench->arrived = g_renew(WireArrival, bench->arrived, bench->room);
    }
    bench->arrived[bench->n_arrived++] = (WireArrival){
        .at = sim_now(bench->sim),
        .id = packet->id,
        .copy_of = packet->copy_of,
        .ip = packet->ip,
        .flags = packet->flags,
    };
    packet_free(&bench->net->packets, packet);
}

static void
wire_bench_on_packet(void *arg, const void *data)
{
    WireBench *bench = arg;
    const PacketRecord *record = data;

    bench->events[record->event]++;
    if (record->event == PACKET_EVENT_DROPPED) {
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(bench->dropped, record->reason));
        g_hash_table_insert(bench->dropped, g_strdup(record->reason), GUINT_TO_POINTER(count + 1));
    }
}

static void
wire_bench_on_queue(void *arg, const void *data)
{
    WireBench *bench = arg;
    const QueueRecord *record = data;

    bench->max_queue = MAX(bench->max_queue, record->length);
    bench->max_sojourn = MAX(bench->max_sojourn, record->sojourn_ns);
}

static Iface *
wire_bench_host(WireBench *bench, const char *name, uint32_t addr)
{
    Host *host = host_new(bench->net, name);

    host->input = wire_bench_input;
    host->ip = (IpStack *)bench;
    return host_add_iface(host, "eth0", ip_addr_v4(addr), 24, 65535);
}

WireBench *
wire_bench_new_seeded(const LinkParams params[2], uint64_t seed)
{
    WireBench *bench = g_new0(WireBench, 1);

    bench->sim = sim_new(seed);
    bench->net = net_new(bench->sim);
    bench->a = wire_bench_host(bench, "a", 0x0a000001);
    bench->b = wire_bench_host(bench, "b", 0x0a000002);
    bench->link = link_new(bench->net, "wire", bench->a, bench->b, params);
    bench->dropped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    probe_subscribe(&bench->net->probes.packet, wire_bench_on_packet, bench);
    probe_subscribe(&bench->net->probes.queue, wire_bench_on_queue, bench);
    return bench;
}

WireBench *
wire_bench_new_asymmetric(const LinkParams params[2])
{
    return wire_bench_new_seeded(params, 1);
}

WireBench *
wire_bench_new(const LinkParams *both)
{
    const LinkParams params[2] = { *both, *both };

    return wire_bench_new_seeded(params, 1);
}

void
wire_bench_free(WireBench *bench)
{
    net_free(bench->net);
    sim_free(bench->sim);
    g_hash_table_unref(bench->dropped);
    g_free(bench->arrived);
    g_free(bench);
}

Packet *
wire_bench_packet(WireBench *bench, uint32_t ip_bytes)
{
    Packet *packet = packet_new(&bench->net->packets);

    packet->ip.src = bench->a->addr;
    packet->ip.dst = bench->b->addr;
    packet->ip.proto = IP_PROTO_UDP;
    packet->udp = (UdpHeader){ .sport = 1000, .dport = 2000 };
    packet->payload = (Payload){ .stream = stream_new_id(bench->net->streams),
                                 .len = ip_bytes - IPV4_HEADER_BYTES - UDP_HEADER_BYTES };
    packet_finish_lengths(packet);
    return packet;
}

uint64_t
wire_bench_send(WireBench *bench, uint32_t ip_bytes)
{
    Packet *packet = wire_bench_packet(bench, ip_bytes);
    uint64_t id = packet->id;

    iface_send(bench->a, packet);
    return id;
}

uint64_t
wire_bench_send_back(WireBench *bench, uint32_t ip_bytes)
{
    Packet *packet = wire_bench_packet(bench, ip_bytes);
    uint64_t id = packet->id;

    iface_send(bench->b, packet);
    return id;
}

void
wire_bench_run(WireBench *bench)
{
    sim_run(bench->sim, SIM_NEVER);
}

void
wire_bench_stream(WireBench *bench, uint32_t count, uint32_t ip_bytes, SimTime gap)
{
    SimTime start = sim_now(bench->sim);

    for (uint32_t i = 0; i < count; i++) {
        sim_run(bench->sim, start + i * gap);
        wire_bench_send(bench, ip_bytes);
    }
    wire_bench_run(bench);
}

void
wire_bench_expect_order(const WireBench *bench, const char *ids)
{
    g_autoptr(GString) seen = g_string_new(NULL);

    for (uint32_t i = 0; i < bench->n_arrived; i++)
        g_string_append_printf(seen, "%s%" G_GUINT64_FORMAT, i > 0 ? " " : "",
                               bench->arrived[i].id);
    g_assert_cmpstr(seen->str, ==, ids);
}

void
wire_bench_expect_dropped(const WireBench *bench, const char *reason, uint32_t count)
{
    g_assert_cmpuint(GPOINTER_TO_UINT(g_hash_table_lookup(bench->dropped, reason)), ==, count);
}
