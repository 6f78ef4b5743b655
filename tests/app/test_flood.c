/* Attackers: what they send, when, from where, to which port. */
#include "models/app/app.h"
#include "models/link/link.h"
#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/app/flood/" #claim, claim)

static AppFloodParams
params_to(const NetBench *b)
{
    return (AppFloodParams){ .to = { b->b_addr, 80 }, .rate = 1000, .stop = SIM_NEVER, .count = 8 };
}

/* The nth packet, from 1, that the attacker sent. */
static const NetBenchEvent *
sent(const NetBench *b, unsigned nth)
{
    return net_bench_nth(b, b->a, PACKET_EVENT_SENT, IP_PROTO_TCP, nth);
}

static unsigned
play(NetBench *b, const AppFloodParams *params, SimTime time)
{
    AppFlood *flood = app_flood_new(b->a, params);

    net_bench_run(b, time);
    g_assert_cmpuint(net_bench_count(b, b->a, PACKET_EVENT_SENT, IP_PROTO_TCP), ==,
                     app_flood_sent(flood));
    return (unsigned)app_flood_sent(flood);
}

static void
each_kind_has_its_flags(void)
{
    static const struct {
        AppFloodKind kind;
        uint16_t flags;
    } cases[] = {
        { APP_FLOOD_SYN, TCP_SYN },      { APP_FLOOD_ACK, TCP_ACK },
        { APP_FLOOD_RST, TCP_RST },      { APP_FLOOD_SYN_SCAN, TCP_SYN },
        { APP_FLOOD_FIN_SCAN, TCP_FIN }, { APP_FLOOD_NULL_SCAN, 0 },
        { APP_FLOOD_ACK_SCAN, TCP_ACK }, { APP_FLOOD_XMAS_SCAN, TCP_FIN | TCP_PSH | TCP_URG },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NetBench) b = net_bench_pair();
        AppFloodParams params = params_to(b);

        params.kind = cases[i].kind;
        params.count = 1;
        g_assert_cmpuint(play(b, &params, SIM_SEC), ==, 1);
        g_assert_cmphex(sent(b, 1)->packet.tcp.flags, ==, cases[i].flags);
        g_assert_true((sent(b, 1)->packet.flags & PACKET_FORGED) != 0);
    }
}

static void
an_even_flood_has_exactly_its_rate(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppFloodParams params = params_to(b);

    params.count = 0;
    params.start = 1 * SIM_SEC;
    params.stop = 3 * SIM_SEC;
    g_assert_cmpuint(play(b, &params, 5 * SIM_SEC), ==, 2000);
    g_assert_cmpint(sent(b, 1)->at, ==, 1 * SIM_SEC);
    g_assert_cmpint(sent(b, 2000)->at, ==, 2999 * SIM_MS);
}

static void
a_poisson_flood_keeps_the_mean(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppFloodParams params = params_to(b);
    unsigned n;

    params.pattern = APP_FLOOD_POISSON;
    params.count = 0;
    params.stop = 10 * SIM_SEC;
    n = play(b, &params, 11 * SIM_SEC);
    g_assert_cmpuint(n, >, 10000 - 5 * 100); /* five standard deviations */
    g_assert_cmpuint(n, <, 10000 + 5 * 100);
}

/* Bursts of four, still a thousand a second. */
static void
bursts_come_at_once_and_keep_the_rate(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppFloodParams params = params_to(b);

    params.pattern = APP_FLOOD_BURSTS;
    params.burst = 4;
    g_assert_cmpuint(play(b, &params, SIM_SEC), ==, 8);
    g_assert_cmpint(sent(b, 4)->at, ==, 0);
    g_assert_cmpint(sent(b, 5)->at, ==, 4 * SIM_MS);
    g_assert_cmpint(sent(b, 8)->at, ==, 4 * SIM_MS);
}

static void
spoofed_sources_count_up_within_their_prefix(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppFloodParams params = params_to(b);
    static const uint32_t last_bytes[] = { 1, 2, 3, 0, 1, 2, 3, 0 };

    g_assert_true(ip_prefix_parse("10.77.0.0/30", &params.spoof, &params.spoof_bits));
    play(b, &params, SIM_SEC);
    for (unsigned i = 0; i < G_N_ELEMENTS(last_bytes); i++)
        g_assert_true(
            ip_addr_equal(sent(b, i + 1)->packet.ip.src, ip_addr_v4(0x0a4d0000 + last_bytes[i])));
}

static void
without_spoofing_it_is_the_hosts_own_address(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppFloodParams params = params_to(b);

    play(b, &params, SIM_SEC);
    g_assert_true(ip_addr_equal(sent(b, 1)->packet.ip.src, b->a_addr));
}

static void
a_scan_tries_each_port_in_turn(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppFloodParams params = params_to(b);
    static const uint16_t ports[] = { 80, 81, 82, 80, 81, 82, 80, 81 };

    params.kind = APP_FLOOD_FIN_SCAN;
    params.n_ports = 3;
    play(b, &params, SIM_SEC);
    for (unsigned i = 0; i < G_N_ELEMENTS(ports); i++)
        g_assert_cmpuint(sent(b, i + 1)->packet.tcp.dport, ==, ports[i]);
}

/* Blind resets walk through the sequence numbers, around their end. */
static void
rsts_are_a_step_apart(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppFloodParams params = params_to(b);

    params.kind = APP_FLOOD_RST;
    params.sport = 4000;
    params.first_seq = UINT32_MAX - 1000;
    params.step = 65536;
    play(b, &params, SIM_SEC);
    for (uint32_t i = 0; i < 8; i++) {
        g_assert_cmpuint(sent(b, i + 1)->packet.tcp.seq, ==, UINT32_MAX - 1000 + i * 65536);
        g_assert_cmpuint(sent(b, i + 1)->packet.tcp.sport, ==, 4000);
    }
}

/* Not the same ports and numbers at the same time. */
static void
two_floods_of_one_host_have_a_luck_each(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppFloodParams params = params_to(b);
    const Packet *first, *second;

    params.count = 1;
    app_flood_new(b->a, &params);
    app_flood_new(b->a, &params);
    net_bench_run(b, SIM_SEC);
    first = &sent(b, 1)->packet;
    second = &sent(b, 2)->packet;
    g_assert_cmpuint(first->tcp.sport, !=, second->tcp.sport);
    g_assert_cmpuint(first->tcp.seq, !=, second->tcp.seq);
}

/* A run's figures must not change because a host got one more module. */
static void
what_else_a_host_has_changes_no_luck(void)
{
    uint16_t ports[2];

    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(NetBench) b = net_bench_pair();
        AppFloodParams params = params_to(b);

        if (i == 1)
            host_on_free(b->a, g_free, g_malloc(1));
        play(b, &params, SIM_SEC);
        ports[i] = sent(b, 1)->packet.tcp.sport;
    }
    g_assert_cmpuint(ports[0], ==, ports[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(each_kind_has_its_flags);
    ADD(an_even_flood_has_exactly_its_rate);
    ADD(a_poisson_flood_keeps_the_mean);
    ADD(bursts_come_at_once_and_keep_the_rate);
    ADD(spoofed_sources_count_up_within_their_prefix);
    ADD(without_spoofing_it_is_the_hosts_own_address);
    ADD(a_scan_tries_each_port_in_turn);
    ADD(rsts_are_a_step_apart);
    ADD(two_floods_of_one_host_have_a_luck_each);
    ADD(what_else_a_host_has_changes_no_luck);
    return g_test_run();
}
