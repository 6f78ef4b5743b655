/* SYN queue and accept queue: how much they hold, and what becomes of what they
 * don't. Numbers are those of a recorded kernel (Linux 6.18). */
#include "tests/tcp/listening.h"

#include <errno.h>

static void
syn_queue_holds_backlog_plus_one(void)
{
    static const struct {
        int backlog;
        unsigned held;
    } cases[] = { { 0, 1 }, { 1, 2 }, { 4, 5 }, { 128, 129 } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = listening(cases[i].backlog, "0");

        flood(b, 200);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].held);
        g_assert_cmpuint(count(b, MIB_TcpExtTCPReqQFullDrop), ==, 200 - cases[i].held);
        g_assert_cmpuint(count(b, MIB_TcpExtListenDrops), ==, 200 - cases[i].held);
    }
}

static void
somaxconn_bounds_the_backlog(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_syncookies", "0");
    tcp_bench_set(b, "net.core.somaxconn", "8");
    tcp_bench_listen(b, 1000);
    flood(b, 50);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 9);
}

static void
last_quarter_of_max_syn_backlog_is_for_proven_peers(void)
{
    static const struct {
        const char *most;
        unsigned held;
    } cases[] = { { "16", 13 }, { "64", 49 }, { "512", 385 } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

        tcp_bench_set(b, "net.ipv4.tcp_syncookies", "0");
        tcp_bench_set(b, "net.ipv4.tcp_max_syn_backlog", cases[i].most);
        tcp_bench_listen(b, 1000);
        flood(b, 600);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].held);
        g_assert_cmpuint(count(b, MIB_TcpExtTCPReqQFullDrop), ==, 0);
        g_assert_cmpuint(count(b, MIB_TcpExtListenDrops), ==, 600 - cases[i].held);
    }
}

static void
proven_peer_has_the_last_quarter(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    int error;

    tcp_bench_set(b, "net.ipv4.tcp_syncookies", "0");
    tcp_bench_set(b, "net.ipv4.tcp_max_syn_backlog", "16");
    tcp_bench_listen(b, 1000);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_run(b, 10 * SIM_MS);
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_close(b->sock), ==, 0);
    b->sock = NULL;
    tcp_bench_run(b, 0);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    flood(b, 100);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 100);
}

static void
rfc_keeps_data_that_came_with_a_syn(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_RFC);
    int error;

    tcp_bench_listen(b, 4);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .len = 10));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 11, .ack = 1));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 10);
    tcp_bench_await(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 11));
}

static void
linux_acknowledges_the_syn_alone(void)
{
    g_autoptr(TcpBench) b = listening(4, "1");
    int error;

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .len = 10));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, -EAGAIN);
}

static void
max_syn_backlog_does_not_bind_with_cookies(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_max_syn_backlog", "16");
    tcp_bench_listen(b, 128);
    flood(b, 200);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 129);
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesSent), ==, 200 - 129);
}

static void
counterfactual_unlimited_queue_holds_all(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "counterfactual.unlimited_queue", "1");
    tcp_bench_set(b, "net.ipv4.tcp_syncookies", "0");
    tcp_bench_listen(b, 4);
    flood(b, 3000);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 3000);
}

/* ---- how long entries live --------------------------------------------------- */

static void
syn_ack_is_repeated_at_1_3_7_15_31_s_and_given_up_at_63(void)
{
    static const SimTime at[] = { 1, 2, 4, 8, 16 };
    g_autoptr(TcpBench) b = listening(8, "0");

    flood(b, 1);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    for (size_t i = 0; i < G_N_ELEMENTS(at); i++)
        g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1)), ==,
                        at[i] * SIM_SEC);
    tcp_bench_run(b, 32 * SIM_SEC - 1);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 1);
    tcp_bench_run(b, 1);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
    tcp_bench_expect_silence(b); /* no RST */
    g_assert_cmpuint(count(b, MIB_TcpExtTCPTimeouts), ==, 6);
}

static void
synack_retries_bounds_the_repeats(void)
{
    g_autoptr(TcpBench) b = listening(8, "0");

    tcp_bench_set(b, "net.ipv4.tcp_synack_retries", "2");
    flood(b, 1);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    for (unsigned i = 0; i < 2; i++)
        g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1)), ==,
                        SIM_SEC << i);
    tcp_bench_run(b, 4 * SIM_SEC);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
    tcp_bench_expect_silence(b);
}

static void
old_entries_of_a_crowded_queue_go_at_their_third_timeout(void)
{
    static const struct {
        int backlog;
        unsigned held, left;
    } cases[] = { { 128, 129, 64 }, { 4, 5, 4 }, { 1, 2, 2 } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = listening(cases[i].backlog, "0");

        flood(b, 200);
        tcp_bench_run(b, 6900 * SIM_MS);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].held);
        tcp_bench_run(b, 200 * SIM_MS);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].left);
        tcp_bench_run(b, 54 * SIM_SEC);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].left);
        tcp_bench_run(b, 3 * SIM_SEC);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
    }
}

/* ---- the accept queue --------------------------------------------------------------- */

static void
accept_queue_holds_backlog_plus_one_and_then_drops_syns(void)
{
    for (int backlog = 0; backlog < 3; backlog++) {
        g_autoptr(TcpBench) b = listening(backlog, "1");

        for (unsigned i = 0; i < 6; i++)
            complete(b, FLOOD_PORT + i);
        g_assert_cmpuint(in_state(b, TCP_ESTABLISHED), ==, (unsigned)backlog + 1);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
        g_assert_cmpuint(count(b, MIB_TcpExtListenOverflows), >=, 5 - (unsigned)backlog);
        tcp_bench_skip(b);
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
        tcp_bench_expect_silence(b); /* not even with tcp_abort_on_overflow */
    }
}

/* Two handshakes are under way when the single place goes. */
static TcpBench *
late_third_ack(const char *abort_on_overflow)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_abort_on_overflow", abort_on_overflow);
    tcp_bench_listen(b, 1);
    complete(b, FLOOD_PORT);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .peer_port = FLOOD_PORT + 1));
    uint32_t iss = b->iss;
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    uint32_t late_iss = b->iss;
    b->iss = iss;
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .peer_port = FLOOD_PORT + 1));
    b->iss = late_iss;
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    return b;
}

static void
third_ack_is_ignored_while_the_accept_queue_is_full(void)
{
    g_autoptr(TcpBench) b = late_third_ack("0");
    int error;

    tcp_bench_expect_silence(b);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 1);
    g_assert_cmpuint(count(b, MIB_TcpExtListenOverflows), ==, 1);
    g_assert_cmpuint(count(b, MIB_TcpExtListenDrops), ==, 1);
    /* The SYN-ACK is repeated; its answer finds the place that accept() made. */
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1)), ==, SIM_SEC);
    Socket *first = sock_accept(b->listener, &error);
    g_assert_nonnull(b->sock = first);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    g_assert_cmpuint(in_state(b, TCP_ESTABLISHED), ==, 3);
}

static void
abort_on_overflow_resets_the_third_ack(void)
{
    g_autoptr(TcpBench) b = late_third_ack("1");

    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 1));
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
    g_assert_cmpuint(count(b, MIB_TcpExtEmbryonicRsts), ==, 1);
}

static void
closing_the_listener_resets_what_waits_and_forgets_what_is_half_open(void)
{
    g_autoptr(TcpBench) b = listening(8, "1");

    flood(b, 1);
    complete(b, 2000);
    tcp_bench_skip(b);
    g_assert_cmpint(sock_close(b->listener), ==, 0);
    b->listener = NULL;
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_RST | TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_run(b, 100 * SIM_SEC);
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
}

static void
defer_accept_waits_for_data(void)
{
    g_autoptr(TcpBench) b = listening(8, "1");
    int error = 0;

    g_assert_cmpint(sock_set_option(b->listener, TCP_OPT_DEFER_ACCEPT, 3), ==, 0);
    complete(b, 2000);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 1);
    g_assert_null(sock_accept(b->listener, &error));
    g_assert_cmpint(error, ==, -EAGAIN);
    g_assert_cmpuint(count(b, MIB_TcpExtTCPDeferAcceptDrop), ==, 1);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 1, .len = 10));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 10);
}

static void
defer_accept_asks_again_at_its_end(void)
{
    g_autoptr(TcpBench) b = listening(8, "1");
    int error;

    g_assert_cmpint(sock_set_option(b->listener, TCP_OPT_DEFER_ACCEPT, 3), ==, 0);
    complete(b, 2000);
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1)), ==, 3 * SIM_SEC);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
}

static void
counterfactual_two_way_handshake_believes_a_syn(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    int error;

    tcp_bench_set(b, "counterfactual.two_way_handshake", "1");
    tcp_bench_listen(b, 4);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_send(b->sock, "x", 1, 0), ==, 1);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 1, .len = 1));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/listen/" #name, name)
    CLAIM(syn_queue_holds_backlog_plus_one);
    CLAIM(somaxconn_bounds_the_backlog);
    CLAIM(last_quarter_of_max_syn_backlog_is_for_proven_peers);
    CLAIM(proven_peer_has_the_last_quarter);
    CLAIM(rfc_keeps_data_that_came_with_a_syn);
    CLAIM(linux_acknowledges_the_syn_alone);
    CLAIM(max_syn_backlog_does_not_bind_with_cookies);
    CLAIM(counterfactual_unlimited_queue_holds_all);
    CLAIM(syn_ack_is_repeated_at_1_3_7_15_31_s_and_given_up_at_63);
    CLAIM(synack_retries_bounds_the_repeats);
    CLAIM(old_entries_of_a_crowded_queue_go_at_their_third_timeout);
    CLAIM(accept_queue_holds_backlog_plus_one_and_then_drops_syns);
    CLAIM(third_ack_is_ignored_while_the_accept_queue_is_full);
    CLAIM(abort_on_overflow_resets_the_third_ack);
    CLAIM(closing_the_listener_resets_what_waits_and_forgets_what_is_half_open);
    CLAIM(defer_accept_waits_for_data);
    CLAIM(defer_accept_asks_again_at_its_end);
    CLAIM(counterfactual_two_way_handshake_believes_a_syn);
    return g_test_run();
}
