/* The ordered checks of RFC 9293 §3.10.7.4 in synchronized states. */
#include "tests/tcp/receiver.h"

#define ACK1 SEG(.flags = TCP_ACK, .seq = 1, .ack = 1)

static void
rst_at_rcv_nxt_resets(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 1));
    tcp_bench_expect_silence(b);
    tcp_bench_expect_state(b, TCP_CLOSED);
    g_assert_cmpint(sock_recv(b->sock, NULL, 10, 0, NULL), ==, -ECONNRESET);
    g_assert_cmpint(sock_recv(b->sock, NULL, 10, 0, NULL), ==, 0);
}

static void
rst_elsewhere_in_the_window_gets_a_challenge(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 2));
    tcp_bench_expect(b, ACK1);
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPChallengeACK), ==, 1);
}

static void
rst_outside_the_window_is_ignored(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 0));
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 1u << 30));
    tcp_bench_expect_silence(b);
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
}

static void
rst_one_below_rcv_nxt_resets_after_a_fin(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_CLOSE_WAIT);

    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 1));
    tcp_bench_expect_silence(b);
    tcp_bench_expect_state(b, TCP_CLOSED);
}

static void
rst_behind_sacked_data_resets(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    receiver_data(b, 101, 100);
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 201));
    tcp_bench_expect_state(b, TCP_CLOSED);
}

static void
without_rst_check_any_rst_resets(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "counterfactual.no_rst_check", "1");
    receiver_establish(b, 0);
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 1u << 30));
    tcp_bench_expect_state(b, TCP_CLOSED);
}

static void
any_syn_gets_a_challenge(void)
{
    const uint32_t seqs[] = { 0, 1, 1000, 1u << 30 };

    for (size_t i = 0; i < G_N_ELEMENTS(seqs); i++) {
        g_autoptr(TcpBench) b = receiver_new(0);

        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = seqs[i]));
        tcp_bench_expect(b, ACK1);
        tcp_bench_expect_silence(b);
        g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPSYNChallenge), ==, 1);
    }
}

/* Recording s05_challenge_ratelimit: of 12 SYNs 100 ms apart, the 1st, 6th
 * and 11th are answered. */
static void
challenges_are_500_ms_apart(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);
    unsigned answered = 0;

    tcp_bench_run(b, SIM_SEC);
    for (unsigned i = 1; i <= 12; i++) {
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 0));
        if (!g_queue_is_empty(b->sent)) {
            g_assert_cmpuint(i % 5, ==, 1);
            answered++;
        }
        tcp_bench_skip(b);
        tcp_bench_run(b, 100 * SIM_MS);
    }
    g_assert_cmpuint(answered, ==, 3);
}

static void
ack_of_unsent_data_gets_a_challenge(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect(b, ACK1);
}

static void
segment_without_flags_is_dropped(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_bench_deliver(b, SEG(.flags = 0, .seq = 1, .len = 10));
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN, .seq = 1));
    tcp_bench_expect_silence(b);
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
}

static void
old_ack_is_answered_at_most_every_500_ms(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    receiver_data(b, 1, 100);
    tcp_bench_skip(b);
    tcp_bench_run(b, SIM_SEC);
    tcp_bench_skip(b);
    tcp_bench_deliver(b, ACK1);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 101));
    tcp_bench_deliver(b, ACK1);
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPACKSkippedSeq), ==, 1);
}

static void
data_beyond_the_window_gets_a_duplicate_ack(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1u << 20, .ack = 1, .len = 10));
    tcp_bench_expect(b, ACK1);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtBeyondWindow), ==, 1);
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 0);
}

static void
without_window_check_foreign_data_enters_the_stream(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "counterfactual.no_window_check", "1");
    receiver_establish(b, 0);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1u << 20, .ack = 1, .len = 10));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 11));
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 10);
}

static void
fin_in_order_closes_the_other_half(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1, .len = 10));
    tcp_bench_expect_state(b, TCP_CLOSE_WAIT);
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 10);
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 0);
}

static void
data_past_the_fin_is_dropped(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_CLOSE_WAIT);

    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 1, .len = 10));
    g_assert_cmpuint(receiver_conn(b)->rcv.nxt - receiver_conn(b)->rcv.irs, ==, 2);
    tcp_bench_expect_state(b, TCP_CLOSE_WAIT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/input/rst_at_rcv_nxt_resets", rst_at_rcv_nxt_resets);
    g_test_add_func("/tcp/input/rst_elsewhere_in_the_window_gets_a_challenge",
                    rst_elsewhere_in_the_window_gets_a_challenge);
    g_test_add_func("/tcp/input/rst_outside_the_window_is_ignored",
                    rst_outside_the_window_is_ignored);
    g_test_add_func("/tcp/input/rst_one_below_rcv_nxt_resets_after_a_fin",
                    rst_one_below_rcv_nxt_resets_after_a_fin);
    g_test_add_func("/tcp/input/rst_behind_sacked_data_resets", rst_behind_sacked_data_resets);
    g_test_add_func("/tcp/input/without_rst_check_any_rst_resets",
                    without_rst_check_any_rst_resets);
    g_test_add_func("/tcp/input/any_syn_gets_a_challenge", any_syn_gets_a_challenge);
    g_test_add_func("/tcp/input/challenges_are_500_ms_apart", challenges_are_500_ms_apart);
    g_test_add_func("/tcp/input/ack_of_unsent_data_gets_a_challenge",
                    ack_of_unsent_data_gets_a_challenge);
    g_test_add_func("/tcp/input/segment_without_flags_is_dropped",
                    segment_without_flags_is_dropped);
    g_test_add_func("/tcp/input/old_ack_is_answered_at_most_every_500_ms",
                    old_ack_is_answered_at_most_every_500_ms);
    g_test_add_func("/tcp/input/data_beyond_the_window_gets_a_duplicate_ack",
                    data_beyond_the_window_gets_a_duplicate_ack);
    g_test_add_func("/tcp/input/without_window_check_foreign_data_enters_the_stream",
                    without_window_check_foreign_data_enters_the_stream);
    g_test_add_func("/tcp/input/fin_in_order_closes_the_other_half",
                    fin_in_order_closes_the_other_half);
    g_test_add_func("/tcp/input/data_past_the_fin_is_dropped", data_past_the_fin_is_dropped);
    return g_test_run();
}
