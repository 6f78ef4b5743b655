/* Any mix of impairments, queues, fates and changes, at random times: every
 * packet ends exactly once, delivered or dropped, and nothing is left behind. */
#include "tests/support/wirebench.h"

typedef struct Chaos {
    WireBench *bench; /* owns */
    GRand *rand;      /* owns */
    LinkParams params[2];
    uint64_t entered; /* packets given to the link, copies made by fates and dice not counted */
} Chaos;

static double
chaos_chance(Chaos *chaos, double most)
{
    return g_rand_int_range(chaos->rand, 0, 2) ? 0 : g_rand_double_range(chaos->rand, 0, most);
}

static LinkParams
chaos_params(Chaos *chaos)
{
    static const SimTime trace[] = { SIM_MS, 2 * SIM_MS, 2 * SIM_MS, 9 * SIM_MS };
    static const uint32_t list[] = { 1, 2, 10, 11, 12 };
    static const double table[] = { -1, 0, 3 };
    static const uint64_t rates[] = { 0, 1000 * 1000, 77777777, 1000 * 1000 * 1000 };
    GRand *rand = chaos->rand;
    LinkParams params = link_params_default();

    params.rate = rates[g_rand_int_range(rand, 0, 4)];
    params.delay = g_rand_int_range(rand, 0, 3) * SIM_MS;
    params.mtu = g_rand_int_range(rand, 0, 4) == 0 ? 600 : 1500;
    params.queue.kind = (QdiscKind)g_rand_int_range(rand, 0, 5);
    params.queue.limit_packets = (uint32_t)g_rand_int_range(rand, 0, 30);
    params.queue.limit_bytes = g_rand_int_range(rand, 0, 3) == 0 ? 20000 : 0;
    params.queue.ecn = g_rand_boolean(rand);
    params.queue.red_min = 2000;
    params.queue.red_max = 9000;
    params.queue.flows = 4;
    params.queue.tbf_rate = 5 * 1000 * 1000;
    params.queue.tbf_burst = 3000;
    params.queue.codel_target = SIM_MS;
    params.queue.codel_interval = 5 * SIM_MS;
    params.loss = (LossParams){ .kind = (LossKind)g_rand_int_range(rand, 0, 6),
                                .p = 0.05,
                                .r = 0.3,
                                .one_minus_h = 0.9,
                                .burst = 3,
                                .list = list,
                                .n_list = G_N_ELEMENTS(list) };
    params.jitter = (JitterParams){ .kind = (JitterKind)g_rand_int_range(rand, 0, 5),
                                    .amount = g_rand_int_range(rand, 0, 4) * SIM_MS,
                                    .keeps_order = g_rand_boolean(rand),
                                    .table = table,
                                    .n_table = G_N_ELEMENTS(table) };
    params.duplicate = chaos_chance(chaos, 0.2);
    params.corrupt = chaos_chance(chaos, 0.2);
    params.reorder = chaos_chance(chaos, 0.2);
    params.reorder_by = g_rand_boolean(rand) ? SIM_MS : 0;
    if (g_rand_int_range(rand, 0, 5) == 0) {
        params.trace = trace;
        params.n_trace = G_N_ELEMENTS(trace);
    }
    return params;
}

static Fate
chaos_fate(void *arg, Link *link, unsigned direction, const Packet *packet)
{
    Chaos *chaos = arg;
    GRand *rand = chaos->rand;

    (void)link, (void)direction, (void)packet;
    if (g_rand_int_range(rand, 0, 3) > 0)
        return (Fate){ .kind = FATE_PASS };
    return (Fate){ .kind = (FateKind)g_rand_int_range(rand, 0, FATE_HOLD + 1),
                   .by = g_rand_int_range(rand, 0, 3) * SIM_MS,
                   .copies = (uint32_t)g_rand_int_range(rand, 0, 3),
                   .past = (uint32_t)g_rand_int_range(rand, 0, 4),
                   .corrupt_at = g_rand_int_range(rand, -1, 2000),
                   .corrupt_xor = (uint8_t)g_rand_int_range(rand, 0, 256),
                   .fix_checksum = g_rand_boolean(rand) };
}

static void
chaos_send(Chaos *chaos)
{
    WireBench *bench = chaos->bench;
    Packet *packet = wire_bench_packet(bench, (uint32_t)g_rand_int_range(chaos->rand, 28, 1501));
    unsigned direction = (unsigned)g_rand_int_range(chaos->rand, 0, 2);
    SimTime after = g_rand_int_range(chaos->rand, 0, 3) * SIM_MS;

    packet->ip.tos = (uint8_t)g_rand_int_range(chaos->rand, 0, 4);
    packet->udp.sport = (uint16_t)g_rand_int_range(chaos->rand, 0, 6);
    chaos->entered++;
    switch (g_rand_int_range(chaos->rand, 0, 12)) {
    case 0:
        link_inject(bench->link, direction, packet, after);
        break;
    case 1:
        link_deliver(bench->link, direction, packet, after);
        break;
    default:
        iface_send(direction == 0 ? bench->a : bench->b, packet);
        break;
    }
}

static void
chaos_act(Chaos *chaos)
{
    Link *link = chaos->bench->link;
    unsigned direction = (unsigned)g_rand_int_range(chaos->rand, 0, 2);

    switch (g_rand_int_range(chaos->rand, 0, 60)) {
    case 0:
        link_set_up(link, g_rand_boolean(chaos->rand));
        break;
    case 1:
    case 2:
        chaos->params[direction] = chaos_params(chaos);
        link_change(link, direction, &chaos->params[direction]);
        break;
    case 3:
        link_set_fate(link, g_rand_boolean(chaos->rand) ? chaos_fate : NULL, chaos);
        break;
    case 4:
        link_release(link, direction, g_rand_int_range(chaos->rand, 0, 2) * SIM_MS);
        break;
    default:
        chaos_send(chaos);
        break;
    }
}

static void
chaos_run(uint32_t seed)
{
    Chaos chaos = { .rand = g_rand_new_with_seed(seed) };

    chaos.params[0] = chaos_params(&chaos);
    chaos.params[1] = chaos_params(&chaos);
    chaos.bench = wire_bench_new_seeded(chaos.params, seed);
    for (int i = 0; i < 400; i++) {
        SimTime pause = g_rand_int_range(chaos.rand, 0, 4) * 250 * SIM_US;
        chaos_act(&chaos);
        sim_run(chaos.bench->sim, sim_now(chaos.bench->sim) + pause);
    }

    /* Now the weather clears: what waits for others to pass gets them. */
    LinkParams fair = link_params_default();
    link_set_fate(chaos.bench->link, NULL, NULL);
    link_set_up(chaos.bench->link, true);
    for (unsigned direction = 0; direction < 2; direction++) {
        link_change(chaos.bench->link, direction, &fair);
        link_release(chaos.bench->link, direction, 0);
    }
    wire_bench_run(chaos.bench);
    for (int i = 0; i < 8; i++) {
        wire_bench_send(chaos.bench, 100);
        wire_bench_send_back(chaos.bench, 100);
        chaos.entered += 2;
    }
    wire_bench_run(chaos.bench);

    const uint64_t *events = chaos.bench->events;
    g_assert_cmpuint(chaos.entered + events[PACKET_EVENT_DUPLICATED], ==,
                     events[PACKET_EVENT_DELIVERED] + events[PACKET_EVENT_DROPPED]);
    g_assert_cmpuint(events[PACKET_EVENT_DELIVERED], ==, chaos.bench->n_arrived);
    for (unsigned direction = 0; direction < 2; direction++) {
        g_assert_cmpuint(link_queue_packets(chaos.bench->link, direction), ==, 0);
        g_assert_cmpuint(link_queue_bytes(chaos.bench->link, direction), ==, 0);
    }
    g_assert_cmpuint(chaos.bench->net->packets.pool.live, ==, 0);
    wire_bench_free(chaos.bench);
    g_rand_free(chaos.rand);
}

static void
every_packet_ends_once_in_any_weather(void)
{
    for (uint32_t seed = 1; seed <= 300; seed++)
        chaos_run(seed);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/random/every_packet_ends_once_in_any_weather",
                    every_packet_ends_once_in_any_weather);
    return g_test_run();
}
