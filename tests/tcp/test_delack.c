/* When data is acknowledged: recordings s15_delack_*. */
#include "tests/tcp/receiver.h"

static SimTime
acked_after(TcpBench *b, uint32_t ack)
{
    return tcp_bench_await(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = ack));
}

/* Fact 88: the first 16 segments at once, then after 40 ms. */
static void
the_first_16_segments_are_acknowledged_at_once(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    for (uint32_t i = 0; i < 30; i++) {
        SimTime wanted = i < 16 ? 0 : 40 * SIM_MS;

        receiver_data(b, 1 + 10 * i, 10);
        g_assert_cmpint(acked_after(b, 11 + 10 * i), ==, wanted);
        tcp_bench_run(b, 100 * SIM_MS - wanted);
    }
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtDelayedACKs), ==, 14);
}

static void
rfc_profile_delays_200_ms_and_acknowledges_every_second_segment(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_RFC, TCP_ESTABLISHED);

    receiver_data(b, 1, 1460);
    tcp_bench_expect_silence(b);
    g_assert_cmpint(acked_after(b, 1461), ==, 200 * SIM_MS);
    receiver_data(b, 1461, 1460);
    tcp_bench_expect_silence(b);
    receiver_data(b, 2921, 1460);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 4381));
}

/* Fact 88: a reader who drains the queue after PSH causes an ACK at once. */
static void
draining_the_queue_after_psh_acknowledges(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    receiver_conn(b)->ack.ato = 40 * SIM_MS; /* past the quick ACKs */
    receiver_data(b, 1, 10);
    tcp_bench_expect_silence(b);
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 10);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 11));
}

/* Fact 89: after its first reply a server lets the next one carry the ACK. */
static void
a_reply_makes_the_connection_interactive(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    receiver_data(b, 1, 10);
    tcp_bench_skip(b);
    sock_recv(b->sock, NULL, 100, 0, NULL);
    g_assert_cmpint(sock_send(b->sock, "reply", 5, 0), ==, 5);
    tcp_bench_run(b, 0);
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 11, .ack = 6, .len = 10));
    sock_recv(b->sock, NULL, 100, 0, NULL);
    tcp_bench_expect_silence(b);
    /* No reply comes: a delayed ACK, and ping-pong mode is left. */
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_ACK, .seq = 6, .ack = 21)), ==,
                    40 * SIM_MS);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 21, .ack = 6, .len = 10));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 6, .ack = 31));
}

static void
filling_the_last_hole_acknowledges_at_once(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    receiver_conn(b)->ack.pingpong = 1;
    receiver_data(b, 101, 100);
    tcp_bench_skip(b);
    receiver_data(b, 1, 100);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 201));
}

static void
retransmitted_data_brings_quick_acks_back(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    receiver_data(b, 1, 10);
    tcp_bench_skip(b);
    receiver_conn(b)->ack.quick = 0;
    receiver_conn(b)->ack.pingpong = 1;
    receiver_data(b, 1, 10);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 11));
    receiver_data(b, 11, 10);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 21));
}

static void
tcp_quickack_0_delays(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    sock_set_option(b->sock, TCP_OPT_QUICKACK, 0);
    receiver_data(b, 1, 10);
    g_assert_cmpint(acked_after(b, 11), ==, 40 * SIM_MS);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/delack/" #name, name)
    ADD(the_first_16_segments_are_acknowledged_at_once);
    ADD(rfc_profile_delays_200_ms_and_acknowledges_every_second_segment);
    ADD(draining_the_queue_after_psh_acknowledges);
    ADD(a_reply_makes_the_connection_interactive);
    ADD(filling_the_last_hole_acknowledges_at_once);
    ADD(retransmitted_data_brings_quick_acks_back);
    ADD(tcp_quickack_0_delays);
#undef ADD
    return g_test_run();
}
