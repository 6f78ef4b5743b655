/* Metrics of routes, by the names of ip-route(8), and what TCP makes of them. */
#include "models/ip/metrics.h"

#include "models/tcp/timers.h"
#include "tests/support/net_bench.h"
#include "tests/support/tcp_bench.h"

static IpMetrics
metrics_of(const char *name, const char *value)
{
    IpMetrics metrics = { 0 };
    const char *expected;

    if (!ip_metrics_set(&metrics, name, value, &expected))
        g_error("%s = %s: expected %s", name, value, expected);
    return metrics;
}

static void
expect_refused(const char *name, const char *value, const char *expected)
{
    IpMetrics metrics = { 0 };
    const char *said = NULL;

    g_assert_false(ip_metrics_set(&metrics, name, value, &said));
    g_assert_true(g_str_has_prefix(said, expected));
}

static void
names_and_values_are_those_of_ip_route(void)
{
    g_assert_cmpuint(metrics_of("initcwnd", "20").initcwnd, ==, 20);
    g_assert_cmpuint(metrics_of("rto_min", "5ms").rto_min_ms, ==, 5);
    g_assert_cmpuint(metrics_of("rto_min", "1s").rto_min_ms, ==, 1000);
    g_assert_cmpuint(metrics_of("rto_min", "40").rto_min_ms, ==, 40);
    g_assert_true(metrics_of("mtu lock", "640").mtu_locked);
    g_assert_false(metrics_of("mtu", "640").mtu_locked);
    g_assert_true(metrics_of("features", "ecn").ecn);
    g_assert_true(metrics_of("quickack", "1").quickack);
    g_assert_false(metrics_of("quickack", "0").quickack);
}

static void
a_wrong_name_or_value_says_what_was_expected(void)
{
    expect_refused("mtu", "67", "bytes, 68 to 65535");
    expect_refused("mtu", "-1", "bytes, 68 to 65535");
    expect_refused("initcwnd", "ten", "segments, 1 to 65535");
    expect_refused("rto_min", "5min", "a time such as");
    expect_refused("rto_min", "0", "a time such as");
    expect_refused("quickack", "2", "0 or 1");
    expect_refused("features", "sack", "\"ecn\"");
    expect_refused("initcwn", "10", "mtu, mtu lock, advmss");
}

static void
route_to(NetBench *b, const IpMetrics *metrics)
{
    ip_add_route_with(b->a, net_bench_addr("10.0.1.0"), 24, net_bench_addr("10.0.0.2"), NULL,
                      metrics);
}

static void
the_mtu_of_a_route_bounds_its_path(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    route_to(b, &(IpMetrics){ .mtu = 1400 });
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1400);
    g_assert_cmpuint(ip_iface_mtu(b->a, b->b_addr), ==, 1500);
    ip_pmtu_update(b->a, b->b_addr, 1000); /* it may still be learned to be smaller */
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1000);
    net_bench_run(b, 601 * SIM_SEC);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1400);
    route_to(b, &(IpMetrics){ .mtu = 9000 }); /* no more than the interface takes */
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1500);
}

static void
a_locked_mtu_is_not_learned_otherwise(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    route_to(b, &(IpMetrics){ .mtu = 1400, .mtu_locked = true });
    g_assert_true(ip_pmtu_is_locked(b->a, b->b_addr));
    ip_pmtu_update(b->a, b->b_addr, 1000);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1400);
}

static void
hoplimit_is_the_ttl_of_what_is_sent(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    route_to(b, &(IpMetrics){ .hoplimit = 9 });
    g_assert_cmpint(ip_output(b->a, net_bench_datagram(b, b->b_addr, 10)), ==, 0);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_nth(b, b->b, PACKET_EVENT_DELIVERED, IP_PROTO_UDP, 1)->packet.ip.ttl,
                     ==, 8);
}

static void
a_later_route_to_the_prefix_replaces_them(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    route_to(b, &(IpMetrics){ .initcwnd = 20 });
    g_assert_cmpuint(ip_metrics(b->a, b->b_addr)->initcwnd, ==, 20);
    route_to(b, NULL);
    g_assert_cmpuint(ip_metrics(b->a, b->b_addr)->initcwnd, ==, 0);
    g_assert_cmpuint(ip_metrics(b->a, b->a_addr)->initcwnd, ==, 0);
}

/* ---- TCP -------------------------------------------------------------------------- */

static TcpBench *
bench_with(const IpMetrics *metrics)
{
    TcpBench *bench = tcp_bench_new(TCP_PROFILE_LINUX);

    ip_add_route_with(bench->host, ip_addr_v4(0x0a000002), 32, IP_ADDR_ANY, bench->iface, metrics);
    return bench;
}

static Packet *
first_sent(TcpBench *bench)
{
    return g_queue_peek_head(bench->sent);
}

static void
a_syn_announces_what_the_route_says(void)
{
    g_autoptr(TcpBench) b =
        bench_with(&(IpMetrics){ .advmss = 600, .initrwnd = 4, .window = 20000 });

    tcp_bench_connect(b);
    g_assert_cmpuint(first_sent(b)->tcp.mss, ==, 600);
    g_assert_cmpuint(first_sent(b)->tcp.wnd, ==, 4 * 600);
    g_assert_cmpuint(first_sent(b)->tcp.wscale, ==, 0); /* 20000 needs none */
}

static void
a_syn_ack_announces_it_too(void)
{
    g_autoptr(TcpBench) b = bench_with(&(IpMetrics){ .advmss = 600, .initrwnd = 4 });

    tcp_bench_listen(b, 10);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    g_assert_cmpuint(first_sent(b)->tcp.mss, ==, 600);
    g_assert_cmpuint(first_sent(b)->tcp.wnd, ==, 4 * 600);
}

static void
mtu_without_advmss_bounds_the_announced_mss(void)
{
    g_autoptr(TcpBench) b = bench_with(&(IpMetrics){ .mtu = 1000 });

    tcp_bench_connect(b);
    g_assert_cmpuint(first_sent(b)->tcp.mss, ==, 960);
}

static void
a_locked_mtu_clears_df(void)
{
    g_autoptr(TcpBench) b = bench_with(&(IpMetrics){ .mtu = 1000, .mtu_locked = true });

    tcp_bench_connect(b);
    g_assert_false(first_sent(b)->ip.df);
}

static void
a_connection_begins_as_the_route_says(void)
{
    g_autoptr(TcpBench) b = bench_with(&(IpMetrics){
        .initcwnd = 4, .rto_min_ms = 50, .reordering = 10, .cwnd = 7, .quickack = true });

    tcp_bench_enter(b, TCP_ESTABLISHED);
    TcpConn *conn = sock_tcp(b->sock);
    g_assert_cmpuint(conn->sender->w.cwnd, ==, 4);
    g_assert_cmpuint(conn->sender->w.cwnd_clamp, ==, 7);
    g_assert_cmpuint(conn->sender->reordering, ==, 10);
    g_assert_cmpint(tcp_rto_min(conn), ==, 50 * SIM_MS);
}

static void
with_quickack_no_ack_is_delayed(void)
{
    for (int quickack = 0; quickack < 2; quickack++) {
        g_autoptr(TcpBench) b = bench_with(&(IpMetrics){ .quickack = quickack != 0 });

        tcp_bench_enter(b, TCP_ESTABLISHED);
        tcp_set_option(sock_tcp(b->sock), TCP_OPT_QUICKACK, 0); /* pingpong: ACKs are delayed */
        tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .len = 10));
        if (quickack)
            tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 11));
        else
            tcp_bench_expect_silence(b);
    }
}

static void
with_features_ecn_a_syn_asks_for_it(void)
{
    for (int ecn = 0; ecn < 2; ecn++) {
        g_autoptr(TcpBench) b = bench_with(&(IpMetrics){ .ecn = ecn != 0 });

        tcp_bench_connect(b); /* tcp_ecn is 2: grant, don't ask */
        g_assert_cmpuint(first_sent(b)->tcp.flags & TCP_ECE, ==, ecn ? TCP_ECE : 0);
    }
}

/* As on Linux, whose socket looks its route up anew when it next sends. */
static void
a_new_mtu_counts_from_the_second_burst_on(void)
{
    g_autoptr(TcpBench) b = bench_with(&(IpMetrics){ .mtu = 1000, .mtu_locked = true });

    tcp_bench_enter(b, TCP_ESTABLISHED);
    TcpConn *conn = sock_tcp(b->sock);
    uint32_t small = conn->snd.mss;
    g_assert_cmpuint(small, ==, 960);
    ip_add_route_with(b->host, ip_addr_v4(0x0a000002), 32, IP_ADDR_ANY, b->iface,
                      &(IpMetrics){ .mtu = 1200 });
    g_assert_cmpuint(tcp_current_mss(conn), ==, small);
    g_assert_cmpuint(tcp_current_mss(conn), ==, small);
    tcp_send(conn, NULL, 100, 0);
    tcp_bench_run(b, 0);
    g_assert_cmpuint(tcp_current_mss(conn), ==, 1160);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/ip/metrics/" #claim, claim)
    ADD(names_and_values_are_those_of_ip_route);
    ADD(a_wrong_name_or_value_says_what_was_expected);
    ADD(the_mtu_of_a_route_bounds_its_path);
    ADD(a_locked_mtu_is_not_learned_otherwise);
    ADD(hoplimit_is_the_ttl_of_what_is_sent);
    ADD(a_later_route_to_the_prefix_replaces_them);
    ADD(a_syn_announces_what_the_route_says);
    ADD(a_syn_ack_announces_it_too);
    ADD(mtu_without_advmss_bounds_the_announced_mss);
    ADD(a_locked_mtu_clears_df);
    ADD(a_connection_begins_as_the_route_says);
    ADD(with_quickack_no_ack_is_delayed);
    ADD(with_features_ecn_a_syn_asks_for_it);
    ADD(a_new_mtu_counts_from_the_second_burst_on);
#undef ADD
    return g_test_run();
}
