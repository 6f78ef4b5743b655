/* The UDP sender that never slows down, and its sink. */
#include "models/app/udp_rate.h"
#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/app/udp_rate/" #claim, claim)

static AppUdpSenderParams
params_to(IpAddr addr)
{
    return (AppUdpSenderParams){
        .to = { addr, 5000 }, .rate = 8000000, .datagram_bytes = 972, .stop = 1 * SIM_SEC
    };
}

/* 1000-byte packets at 8 Mbit/s: one a millisecond. */
static void
even_spacing_sends_exactly_its_rate(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppUdpSenderParams params = params_to(b->b_addr);
    int error;
    AppUdpSink *sink = app_udp_sink_new(b->b, 5000, &error);
    AppUdpSender *sender = app_udp_sender_new(b->a, &params);

    net_bench_run(b, 2 * SIM_SEC);
    AppUdpSinkCounts counts = app_udp_sink_counts(sink);
    g_assert_cmpuint(app_udp_sender_sent(sender), ==, 1000);
    g_assert_cmpuint(counts.datagrams, ==, 1000);
    g_assert_cmpuint(counts.bytes, ==, 972000);
    g_assert_cmpuint(counts.late, ==, 0);
    g_assert_cmpint(counts.first_at, ==, 10 * SIM_MS);
    g_assert_cmpint(counts.last_at, ==, 1009 * SIM_MS);
}

/* Half of it does not fit: half of it is lost, and it goes on. */
static void
it_does_not_slow_down_for_a_full_queue(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppUdpSenderParams params = params_to(b->b_addr);
    LinkParams narrow = *link_params(b->links->pdata[0], 0);
    int error;
    AppUdpSink *sink = app_udp_sink_new(b->b, 5000, &error);
    AppUdpSender *sender = app_udp_sender_new(b->a, &params);

    narrow.rate = 4000000;
    narrow.queue.limit_packets = 10;
    link_change(b->links->pdata[0], 0, &narrow);
    net_bench_run(b, 2 * SIM_SEC);
    g_assert_cmpuint(app_udp_sender_sent(sender), ==, 1000);
    g_assert_cmpuint(app_udp_sink_counts(sink).datagrams, >=, 505);
    g_assert_cmpuint(app_udp_sink_counts(sink).datagrams, <=, 515);
}

static void
poisson_spacing_keeps_the_mean(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppUdpSenderParams params = params_to(b->b_addr);
    AppUdpSender *sender;

    params.is_poisson = true;
    params.stop = 20 * SIM_SEC;
    sender = app_udp_sender_new(b->a, &params);
    net_bench_run(b, 21 * SIM_SEC);
    g_assert_cmpuint(app_udp_sender_sent(sender), >,
                     20000 - 5 * 141); /* five standard deviations */
    g_assert_cmpuint(app_udp_sender_sent(sender), <, 20000 + 5 * 141);
}

static void
it_stops_after_its_count(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    AppUdpSenderParams params = params_to(b->b_addr);
    AppUdpSender *sender;

    params.count = 7;
    params.stop = SIM_NEVER;
    sender = app_udp_sender_new(b->a, &params);
    net_bench_run(b, 2 * SIM_SEC);
    g_assert_cmpuint(app_udp_sender_sent(sender), ==, 7);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(even_spacing_sends_exactly_its_rate);
    ADD(it_does_not_slow_down_for_a_full_queue);
    ADD(poisson_spacing_keeps_the_mean);
    ADD(it_stops_after_its_count);
    return g_test_run();
}
