/* RFC 7323: TS.Recent and PAWS. The peer's SYN-ACK had TSval 1000. */
#include "tests/tcp/receiver.h"

static void
stamped_data(TcpBench *b, uint32_t seq, uint32_t len, uint32_t tsval)
{
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = seq, .ack = 1, .len = len,
                             .options = TCPOPT_HAS_TS, .tsval = tsval, .tsecr = 0));
}

static void
old_timestamp_is_refused_with_an_ack(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_TS);

    stamped_data(b, 1, 10, 900);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 0);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtPAWSEstab), ==, 1);
}

static void
newer_timestamp_is_echoed(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_TS);

    stamped_data(b, 1, 10, 1234);
    g_assert_cmpuint(receiver_sent(b)->tsecr, ==, 1234);
}

static void
out_of_order_timestamp_is_not_echoed(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_TS | TCPOPT_HAS_SACK_OK);

    stamped_data(b, 101, 10, 1234); /* right of Last.ACK.sent: RFC 7323 §4.3 */
    g_assert_cmpuint(receiver_sent(b)->tsecr, ==, 1000);
}

static void
timestamps_wrap(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_TS);

    stamped_data(b, 1, 10, 1000u + 0x7fffffff);
    stamped_data(b, 11, 10, 500); /* further round the clock */
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 20);
}

/* RFC 7323 §5.5 */
static void
after_24_days_any_timestamp_is_fresh(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_TS);

    tcp_bench_run(b, INT64_C(25) * 24 * 3600 * SIM_SEC);
    stamped_data(b, 1, 10, 900);
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 10);
}

static void
rst_is_not_subject_to_paws(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_TS);

    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 1, .options = TCPOPT_HAS_TS, .tsval = 1));
    tcp_bench_expect_state(b, TCP_CLOSED);
}

static void
old_pure_ack_is_dropped_silently(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_TS);

    stamped_data(b, 1, 10, 2000);
    tcp_bench_skip(b);
    stamped_data(b, 1, 0, 1500);
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtPAWSOldAck), ==, 1);
}

static void
without_paws_old_data_is_taken(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "counterfactual.no_paws", "1");
    receiver_establish(b, TCPOPT_HAS_TS);
    stamped_data(b, 1, 10, 900);
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 10);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/timestamps/" #name, name)
    ADD(old_timestamp_is_refused_with_an_ack);
    ADD(newer_timestamp_is_echoed);
    ADD(out_of_order_timestamp_is_not_echoed);
    ADD(timestamps_wrap);
    ADD(after_24_days_any_timestamp_is_fresh);
    ADD(rst_is_not_subject_to_paws);
    ADD(old_pure_ack_is_dropped_silently);
    ADD(without_paws_old_data_is_taken);
#undef ADD
    return g_test_run();
}
