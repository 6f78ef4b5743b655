#include "tests/bench/bench.h"

#include "models/app/app.h"
#include "models/link/link.h"
#include "models/sock/stack.h"
#include "sim/batch.h"

#define SEGMENT 1448

typedef struct World {
    Sim *sim;
    Net *net;
    StackParams params;
} World;

static World
world_new(void)
{
    World w;

    w.sim = sim_new(1);
    w.net = net_new(w.sim);
    stack_params_init(&w.params, TCP_PROFILE_LINUX);
    return w;
}

static void
world_free(World *w)
{
    net_free(w->net);
    sim_free(w->sim);
}

static void
world_set(World *w, const char *name, const char *value)
{
    g_autofree char *error = NULL;

    if (!stack_params_set(&w->params, name, value, &error))
        g_error("%s", error);
}

static Host *
world_host(World *w, const char *prefix, unsigned index, bool forwards)
{
    g_autofree char *name = g_strdup_printf("%s%u", prefix, index);
    StackParams params = w->params;

    params.forwards = forwards;
    return stack_new(w->net, name, &params);
}

/* Two interfaces of a /30 of their own, and the link between them. */
static Link *
world_join(World *w, Host *a, Host *b, uint32_t net, const LinkParams *params)
{
    const LinkParams both[2] = { *params, *params };
    g_autofree char *name = g_strdup_printf("%s-%s", a->name, b->name);
    g_autofree char *at_a = g_strdup_printf("eth%u", a->ifaces->len);
    g_autofree char *at_b = g_strdup_printf("eth%u", b->ifaces->len);
    uint32_t base = 0x0a000000u + net * 4;

    return link_new(w->net, name, host_add_iface(a, at_a, ip_addr_v4(base + 1), 30, params->mtu),
                    host_add_iface(b, at_b, ip_addr_v4(base + 2), 30, params->mtu), both);
}

static LinkParams
link_of(uint64_t rate, SimTime delay, uint32_t queue)
{
    LinkParams params = link_params_default();

    params.rate = rate;
    params.delay = delay;
    params.queue.limit_packets = queue;
    return params;
}

static IpAddr
addr_of(const Host *host)
{
    const Iface *iface = g_ptr_array_index(host->ifaces, 0);

    return iface->addr;
}

/* ---- bulk flows through a dumbbell: the same as ns3_bulk.cc ----------------- */

static BenchResult
dumbbell(uint64_t flows, const LinkParams *middle, SimTime length)
{
    World w = world_new();
    LinkParams access = link_of(10000000000u, 10 * SIM_US, 10000);
    Host *left, *right;
    g_autofree AppServer **sinks = g_new(AppServer *, flows);
    BenchResult result = { 0 };

    world_set(&w, "net.ipv4.tcp_congestion_control", "reno");
    left = world_host(&w, "left", 0, true);
    right = world_host(&w, "right", 0, true);
    world_join(&w, left, right, 0, middle);
    for (unsigned i = 0; i < flows; i++) {
        Host *from = world_host(&w, "from", i, false), *to = world_host(&w, "to", i, false);
        AppServerParams server = { .port = 5000, .backlog = 16 };
        int error;

        world_join(&w, from, left, 1 + 2 * i, &access);
        world_join(&w, to, right, 2 + 2 * i, &access);
        sinks[i] = app_server_new(to, &server, &error);
        app_bulk_new(from, (Endpoint){ addr_of(to), 5000 }, 0, i * SIM_MS, NULL);
    }
    sim_run(w.sim, length);
    for (unsigned i = 0; i < flows; i++)
        result.checksum += (double)app_server_counts(sinks[i]).bytes_read;
    result.segments = (uint64_t)(result.checksum / SEGMENT);
    result.connections = flows;
    result.events = sim_events_run(w.sim);
    result.sim_seconds = (double)length / (double)SIM_SEC;
    world_free(&w);
    return result;
}

static BenchResult
bulk(uint64_t flows, double loss, double reorder, uint64_t ms)
{
    LinkParams middle = link_of(1000000000u, 5 * SIM_MS, 1000);

    if (loss > 0)
        middle.loss = (LossParams){ .kind = LOSS_RANDOM, .p = loss };
    middle.reorder = reorder;
    middle.reorder_by = reorder > 0 ? 2 * SIM_MS : 0;
    return dumbbell(flows, &middle, (SimTime)ms * SIM_MS);
}

static BenchResult
bulk_1(uint64_t ms)
{
    return bulk(1, 0, 0, ms);
}

static BenchResult
bulk_10(uint64_t ms)
{
    return bulk(10, 0, 0, ms);
}

static BenchResult
bulk_100(uint64_t ms)
{
    return bulk(100, 0, 0, ms);
}

static BenchResult
bulk_1000(uint64_t ms)
{
    return bulk(1000, 0, 0, ms);
}

static BenchResult
bulk_loss(uint64_t ms)
{
    return bulk(10, 0.01, 0, ms);
}

static BenchResult
bulk_reorder(uint64_t ms)
{
    return bulk(10, 0, 0.01, ms);
}

/* One flow over a chain of `hops` links. */
static BenchResult
chain(uint64_t ms)
{
    enum { HOPS = 10 };
    World w = world_new();
    LinkParams params = link_of(1000000000u, SIM_MS / 2, 1000);
    AppServerParams server = { .port = 5000, .backlog = 16 };
    Host *hosts[HOPS + 1];
    AppServer *sink;
    BenchResult result = { .connections = 1 };
    int error;

    for (unsigned i = 0; i <= HOPS; i++) {
        hosts[i] = world_host(&w, "hop", i, i > 0 && i < HOPS);
        if (i > 0)
            world_join(&w, hosts[i - 1], hosts[i], i, &params);
    }
    sink = app_server_new(hosts[HOPS], &server, &error);
    app_bulk_new(hosts[0], (Endpoint){ addr_of(hosts[HOPS]), 5000 }, 0, 0, NULL);
    sim_run(w.sim, (SimTime)ms * SIM_MS);
    result.checksum = (double)app_server_counts(sink).bytes_read;
    result.segments = (uint64_t)(result.checksum / SEGMENT);
    result.events = sim_events_run(w.sim);
    result.sim_seconds = (double)ms / 1000;
    world_free(&w);
    return result;
}

/* ---- many connections: the same as ns3_conns.cc ----------------------------- */

/* The server listens on as many ports as keep a client from running out of
 * its own while TIME-WAIT holds them for a minute. */
static BenchResult
connections(uint64_t count, AppCrowdParams crowd_params, SimTime after)
{
    World w = world_new();
    LinkParams params = link_of(1000000000u, 5 * SIM_MS, 100000);
    Host *client = world_host(&w, "client", 0, false), *server = world_host(&w, "server", 0, false);
    AppServerParams server_params = { .port = 80, .n_ports = 256, .backlog = 4096 };
    AppServer *sink;
    AppCrowd *crowd;
    BenchResult result = { 0 };
    SimTime length;
    int error;

    world_join(&w, client, server, 1, &params);
    sink = app_server_new(server, &server_params, &error);
    crowd_params.to = (Endpoint){ addr_of(server), 80 };
    crowd_params.n_ports = server_params.n_ports;
    crowd_params.count = count;
    crowd_params.stop = SIM_NEVER;
    crowd = app_crowd_new(client, &crowd_params);
    length = (SimTime)((double)count / crowd_params.rate * (double)SIM_SEC) + after;
    sim_run(w.sim, length);
    result.connections = app_crowd_counts(crowd).connected;
    result.checksum =
        (double)app_server_counts(sink).bytes_read + (double)app_server_counts(sink).accepted;
    result.events = sim_events_run(w.sim);
    result.sim_seconds = (double)length / (double)SIM_SEC;
    world_free(&w);
    return result;
}

static BenchResult
short_connections(uint64_t count)
{
    return connections(count, (AppCrowdParams){ .rate = 10000, .request_bytes = 1000 },
                       5 * SIM_SEC);
}

static BenchResult
idle_connections(uint64_t count)
{
    return connections(count, (AppCrowdParams){ .rate = 100000, .stays_idle = true }, SIM_SEC);
}

/* ---- a flood that cookies answer -------------------------------------------- */

static BenchResult
syn_flood(uint64_t count)
{
    World w = world_new();
    LinkParams params = link_of(0, SIM_MS, 0);
    AppServerParams server_params = { .port = 80, .backlog = 128 };
    AppFloodParams flood_params = {
        .kind = APP_FLOOD_SYN,
        .rate = 1e6,
        .count = count,
        .stop = SIM_NEVER,
        .timestamps = true,
        .spoof_bits = 8,
    };
    Host *attacker, *server;
    AppFlood *flood;
    BenchResult result = { 0 };
    int error;

    world_set(&w, "net.ipv4.tcp_syncookies", "2");
    attacker = world_host(&w, "attacker", 0, false);
    server = world_host(&w, "server", 0, false);
    world_join(&w, attacker, server, 1, &params);
    app_server_new(server, &server_params, &error);
    flood_params.to = (Endpoint){ addr_of(server), 80 };
    flood_params.spoof = ip_addr_v4(0x64000000u);
    ip_add_route(server, ip_addr_v4(0), 0, addr_of(attacker), g_ptr_array_index(server->ifaces, 0));
    flood = app_flood_new(attacker, &flood_params);
    sim_run(w.sim, (SimTime)((double)count / flood_params.rate * (double)SIM_SEC) + SIM_SEC);
    result.packets = app_flood_sent(flood);
    result.checksum = (double)server->mib[MIB_TcpExtSyncookiesSent];
    result.events = sim_events_run(w.sim);
    result.sim_seconds = (double)sim_now(w.sim) / (double)SIM_SEC;
    world_free(&w);
    return result;
}

/* ---- many small simulations ------------------------------------------------- */

static uint64_t
handshake_once(void)
{
    World w = world_new();
    LinkParams params = link_of(10000000u, 10 * SIM_MS, 1000);
    Host *client = world_host(&w, "client", 0, false), *server = world_host(&w, "server", 0, false);
    AppServerParams server_params = { .port = 80, .backlog = 16 };
    uint64_t events;
    int error;

    world_join(&w, client, server, 1, &params);
    app_server_new(server, &server_params, &error);
    app_bulk_new(client, (Endpoint){ addr_of(server), 80 }, 100, 0, NULL);
    sim_run(w.sim, 2 * SIM_SEC);
    events = sim_events_run(w.sim);
    world_free(&w);
    return events;
}

static void
handshake_job(void *arg, unsigned index)
{
    uint64_t *events = arg;

    events[index] = handshake_once();
}

static BenchResult
handshakes(uint64_t count, unsigned threads)
{
    g_autofree uint64_t *events = g_new0(uint64_t, count);
    BenchResult result = { .runs = count, .connections = count };

    sim_batch_run((unsigned)count, threads, handshake_job, events);
    for (uint64_t i = 0; i < count; i++)
        result.events += events[i];
    result.checksum = (double)result.events;
    return result;
}

static BenchResult
handshakes_serial(uint64_t count)
{
    return handshakes(count, 1);
}

static BenchResult
handshakes_batch(uint64_t count)
{
    return handshakes(count, 0);
}

const BenchWorkload bench_workloads[] = {
    { "bulk-1", "one bulk flow, dumbbell 1 Gbit/s, RTT 10 ms, 10 s", bulk_1, 10000, 200 },
    { "bulk-10", "10 flows", bulk_10, 10000, 200 },
    { "bulk-100", "100 flows", bulk_100, 10000, 300 },
    { "bulk-1000", "1,000 flows", bulk_1000, 10000, 1200 },
    { "bulk-10-loss", "10 flows, 1 % of the packets lost", bulk_loss, 10000, 500 },
    { "bulk-10-reorder", "10 flows, 1 % of the packets late", bulk_reorder, 10000, 500 },
    { "chain-10", "one flow over 10 links", chain, 10000, 200 },
    { "short-10k", "10,000 connections of 1 KB at 10,000 a second", short_connections, 10000,
      2000 },
    { "short-100k", "100,000 of the same", short_connections, 100000, 2000 },
    { "short-1M", "1,000,000 of the same", short_connections, 1000000, 5000 },
    { "idle-10k", "10,000 established connections that rest", idle_connections, 10000, 2000 },
    { "idle-100k", "100,000 of the same", idle_connections, 100000, 2000 },
    { "idle-1M", "1,000,000 of the same", idle_connections, 1000000, 5000 },
    { "syn-flood-10M", "10,000,000 SYNs answered by cookies", syn_flood, 10000000, 20000 },
    { "handshakes-100k", "100,000 simulations of a handshake in one thread", handshakes_serial,
      100000, 200 },
    { "batch-100k", "the same over all cores", handshakes_batch, 100000, 200 },
};

const unsigned bench_n_workloads = G_N_ELEMENTS(bench_workloads);
