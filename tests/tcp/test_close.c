/* Closing: close(), shutdown(), SO_LINGER, orphans, and what a peer's late
 * segments meet. */
#include "tests/support/tcp_bench.h"

#include <errno.h>

#define FIN_ACK (TCP_FIN | TCP_ACK)
#define RST_ACK (TCP_RST | TCP_ACK)
#define PUSH    (TCP_ACK | TCP_PSH)

static void
close_now(TcpBench *b)
{
    g_assert_cmpint(sock_close(b->sock), ==, 0);
    b->sock = NULL;
    tcp_bench_run(b, 0);
}

static void
fin_wait_1_crossing_fin_goes_to_closing_and_time_wait(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_FIN_WAIT_1);

    tcp_bench_deliver(b, SEG(.flags = FIN_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    tcp_bench_expect_state(b, TCP_CLOSING);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    tcp_bench_expect_state(b, TCP_TIME_WAIT);
}

static void
fin_with_the_ack_of_ours_closes_in_three_segments(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_FIN_WAIT_1);

    tcp_bench_deliver(b, SEG(.flags = FIN_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    tcp_bench_expect_state(b, TCP_TIME_WAIT);
}

static void
fin_before_its_hole_is_filled_leaves_fin_wait_2(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_FIN_WAIT_1);

    tcp_bench_deliver(b, SEG(.flags = FIN_ACK, .seq = 101, .ack = 2));
    tcp_bench_expect_state(b, TCP_FIN_WAIT_2);
    tcp_bench_run(b, 60 * SIM_SEC);
    tcp_bench_expect_state(b, TCP_CLOSED);
}

static void
linger_zero_resets(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    sock_set_option(b->sock, TCP_OPT_LINGER, 0);
    close_now(b);
    tcp_bench_expect(b, SEG(.flags = RST_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_state(b, TCP_CLOSED);
    g_assert_cmpuint(b->host->mib[MIB_TcpEstabResets], ==, 1);
}

static void
close_with_unread_data_resets(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    tcp_bench_deliver(b, SEG(.flags = PUSH, .seq = 1, .ack = 1, .len = 10));
    tcp_bench_skip(b);
    close_now(b);
    tcp_bench_expect(b, SEG(.flags = RST_ACK, .seq = 1, .ack = 11));
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPAbortOnClose], ==, 1);
}

static void
close_in_syn_sent_says_nothing(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);

    close_now(b);
    tcp_bench_run(b, 10 * SIM_SEC);
    tcp_bench_expect_silence(b);
    tcp_bench_expect_state(b, TCP_CLOSED);
    g_assert_cmpuint(b->host->mib[MIB_TcpAttemptFails], ==, 0);
}

static void
abort_resets_only_where_a_peer_still_waits(void)
{
    static const struct {
        TcpState state;
        uint32_t seq, ack;
        bool resets;
    } cases[] = {
        { TCP_SYN_SENT, 0, 0, false },
        { TCP_ESTABLISHED, 1, 1, true },
        { TCP_CLOSE_WAIT, 1, 2, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, cases[i].state);

        tcp_bench_run(b, SIM_SEC / 2); /* a delayed ACK goes */
        tcp_bench_skip(b);
        sock_abort(b->sock);
        b->sock = NULL;
        tcp_bench_run(b, 0);
        if (cases[i].resets)
            tcp_bench_expect(b, SEG(.flags = RST_ACK, .seq = cases[i].seq, .ack = cases[i].ack));
        tcp_bench_expect_silence(b);
    }
}

static void
data_at_a_closed_socket_gets_rst(void)
{
    static const TcpState states[] = { TCP_FIN_WAIT_1, TCP_FIN_WAIT_2 };

    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, states[i]);

        tcp_bench_deliver(b, SEG(.flags = PUSH, .seq = 1, .ack = 1, .len = 10));
        tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 1));
        tcp_bench_expect_state(b, TCP_CLOSED);
    }
}

static void
data_after_shutdown_of_both_ways_gets_rst(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    g_assert_cmpint(sock_shutdown(b->sock, TCP_SHUT_RDWR), ==, 0);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = FIN_ACK, .seq = 1, .ack = 1));
    tcp_bench_deliver(b, SEG(.flags = PUSH, .seq = 1, .ack = 2, .len = 10));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 2));
    g_assert_cmpint(sock_take_error(b->sock), ==, ECONNRESET);
}

static void
data_after_half_close_is_read(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    g_assert_cmpint(sock_shutdown(b->sock, TCP_SHUT_WR), ==, 0);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = FIN_ACK, .seq = 1, .ack = 1));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect_state(b, TCP_FIN_WAIT_2);
    g_assert_cmpint(sock_send(b->sock, "x", 1, 0), ==, -EPIPE);
    tcp_bench_deliver(b, SEG(.flags = PUSH, .seq = 1, .ack = 2, .len = 10));
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 10);
    tcp_bench_run(b, 3600 * SIM_SEC); /* with a user there is no timer */
    tcp_bench_expect_state(b, TCP_FIN_WAIT_2);
    tcp_bench_deliver(b, SEG(.flags = FIN_ACK, .seq = 11, .ack = 2));
    tcp_bench_expect_state(b, TCP_TIME_WAIT);
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 0);
}

static void
shutdown_for_reading_says_nothing_and_data_can_still_be_read(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    g_assert_cmpint(sock_shutdown(b->sock, TCP_SHUT_RD), ==, 0);
    tcp_bench_run(b, 0);
    tcp_bench_expect_silence(b);
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 0);
    tcp_bench_deliver(b, SEG(.flags = PUSH, .seq = 1, .ack = 1, .len = 10));
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 10);
}

static void
shutdown_in_syn_received_waits_for_the_handshake(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_skip(b);
    g_assert_cmpint(sock_shutdown(b->sock, TCP_SHUT_WR), ==, 0);
    tcp_bench_run(b, 0);
    tcp_bench_expect_silence(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect(b, SEG(.flags = FIN_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_state(b, TCP_FIN_WAIT_1);
}

static void
lingering_close_waits_for_the_ack_of_the_fin(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    sock_set_option(b->sock, TCP_OPT_LINGER, 2);
    g_assert_cmpint(sock_close(b->sock), ==, -EWOULDBLOCK);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = FIN_ACK, .seq = 1, .ack = 1));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect_state(b, TCP_FIN_WAIT_2);
    sock_release(b->sock);
    b->sock = NULL;
    tcp_bench_run(b, 60 * SIM_SEC);
    tcp_bench_expect_state(b, TCP_CLOSED);
}

static void
negative_linger2_ends_fin_wait_2_at_once(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    sock_set_option(b->sock, TCP_OPT_LINGER2, -1);
    close_now(b);
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 2));
    tcp_bench_expect_state(b, TCP_CLOSED);
}

static void
linger2_bounds_fin_wait_2(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    sock_set_option(b->sock, TCP_OPT_LINGER2, 7);
    close_now(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_run(b, 7 * SIM_SEC - 1);
    tcp_bench_expect_state(b, TCP_FIN_WAIT_2);
    tcp_bench_run(b, 1);
    tcp_bench_expect_state(b, TCP_CLOSED);
}

/* Recorded: Linux 6.18 keeps the socket for 40 s, then an entry for 40 s. */
static void
linger2_of_100_s_waits_for_40_and_40(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    sock_set_option(b->sock, TCP_OPT_LINGER2, 100);
    close_now(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_run(b, 80 * SIM_SEC - 1);
    tcp_bench_expect_state(b, TCP_FIN_WAIT_2);
    tcp_bench_run(b, 1);
    tcp_bench_expect_state(b, TCP_CLOSED);
}

static void
more_orphans_than_allowed_are_reset(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_max_orphans", "0");
    tcp_bench_enter(b, TCP_ESTABLISHED);
    close_now(b);
    tcp_bench_expect(b, SEG(.flags = FIN_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect(b, SEG(.flags = RST_ACK, .seq = 2, .ack = 1));
    tcp_bench_expect_state(b, TCP_CLOSED);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPAbortOnMemory], ==, 1);
}

static void
orphan_in_last_ack_gives_up_after_eight_timeouts(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_LAST_ACK);
    unsigned fins = 0;

    while (tcp_bench_state(b) == TCP_LAST_ACK && sim_step(b->sim))
        continue;
    for (Packet *p; (p = g_queue_pop_head(b->sent)) != NULL; packet_free(&b->net->packets, p)) {
        g_assert_cmphex(p->tcp.flags, ==, FIN_ACK);
        fins++;
    }
    g_assert_cmpuint(fins, >=, 8);
    tcp_bench_expect_state(b, TCP_CLOSED); /* and no RST */
}

static void
disconnect_makes_a_socket_new(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);
    TcpConn *conn = sock_tcp(b->sock);
    Endpoint peer = { ip_addr_v4(0x0a000002), 2000 };

    g_assert_cmpint(tcp_disconnect(conn), ==, 0);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = RST_ACK, .seq = 1, .ack = 1));
    tcp_take_error(conn);
    g_assert_cmpint(tcp_connect(conn, peer), ==, -EINPROGRESS);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/close/" #name, name)
    CLAIM(fin_wait_1_crossing_fin_goes_to_closing_and_time_wait);
    CLAIM(fin_with_the_ack_of_ours_closes_in_three_segments);
    CLAIM(fin_before_its_hole_is_filled_leaves_fin_wait_2);
    CLAIM(linger_zero_resets);
    CLAIM(close_with_unread_data_resets);
    CLAIM(close_in_syn_sent_says_nothing);
    CLAIM(abort_resets_only_where_a_peer_still_waits);
    CLAIM(data_at_a_closed_socket_gets_rst);
    CLAIM(data_after_shutdown_of_both_ways_gets_rst);
    CLAIM(data_after_half_close_is_read);
    CLAIM(shutdown_for_reading_says_nothing_and_data_can_still_be_read);
    CLAIM(shutdown_in_syn_received_waits_for_the_handshake);
    CLAIM(lingering_close_waits_for_the_ack_of_the_fin);
    CLAIM(negative_linger2_ends_fin_wait_2_at_once);
    CLAIM(linger2_bounds_fin_wait_2);
    CLAIM(linger2_of_100_s_waits_for_40_and_40);
    CLAIM(more_orphans_than_allowed_are_reset);
    CLAIM(orphan_in_last_ack_gives_up_after_eight_timeouts);
    CLAIM(disconnect_makes_a_socket_new);
    return g_test_run();
}
