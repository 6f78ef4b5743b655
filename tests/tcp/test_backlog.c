/* A call that takes its time holds the socket: what waits meanwhile, and how it
 * is made up for. Recordings s15_no_tlp_rto, s15_two_lost_nosack. */
#include "models/tcp/rcvwindow.h"
#include "tests/tcp/receiver.h"

#define MSS 1460u

static void
deliver_segments(TcpBench *b, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++)
        receiver_data(b, 1 + i * MSS, MSS);
}

static void
segments_that_arrive_while_a_call_holds_the_socket_wait(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);
    TcpConn *conn = receiver_conn(b);

    tcp_lock(conn);
    deliver_segments(b, 0, 3);
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(conn->rcv.nxt - conn->rcv.irs, ==, 1);
    tcp_unlock(conn);
    g_assert_cmpuint(conn->rcv.nxt - conn->rcv.irs, ==, 1 + 3 * MSS);
}

static void
the_backlog_is_acknowledged_once(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_lock(receiver_conn(b));
    deliver_segments(b, 0, 3);
    tcp_unlock(receiver_conn(b));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1 + 3 * MSS));
    tcp_bench_expect_silence(b);
}

static void
without_backlog_ack_defer_each_segment_is_acknowledged(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    TcpParams params = *tcp_params(b->host);

    params.backlog_ack_defer = 0;
    tcp_set_params(b->host, &params);
    tcp_lock(receiver_conn(b));
    deliver_segments(b, 0, 3);
    tcp_unlock(receiver_conn(b));
    for (uint32_t i = 1; i <= 3; i++)
        tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1 + i * MSS));
}

/* A segment that arrives while the backlog is being processed joins it. */
static void
what_arrives_while_the_backlog_is_processed_shares_its_ack(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_lock(receiver_conn(b));
    deliver_segments(b, 0, 1);
    tcp_catch_up(receiver_conn(b));
    tcp_bench_expect_silence(b);
    deliver_segments(b, 1, 1);
    tcp_unlock(receiver_conn(b));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1 + 2 * MSS));
    tcp_bench_expect_silence(b);
}

static void
a_read_that_holds_the_socket_takes_the_backlog_too(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    deliver_segments(b, 0, 1);
    tcp_bench_skip(b);
    tcp_lock(receiver_conn(b));
    g_assert_cmpint(sock_recv(b->sock, NULL, 65536, 0, NULL), ==, MSS);
    deliver_segments(b, 1, 2);
    g_assert_cmpint(sock_recv(b->sock, NULL, 65536, 0, NULL), ==, 2 * MSS);
    tcp_unlock(receiver_conn(b));
}

static void
the_backlog_counts_against_the_receive_buffer(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);
    TcpConn *conn = receiver_conn(b);
    uint32_t before = tcp_receive_space(conn);

    tcp_lock(conn);
    deliver_segments(b, 0, 2);
    g_assert_cmpuint(tcp_receive_space(conn), <, before - 2 * MSS / 2);
    tcp_unlock(conn);
}

static void
a_delayed_ack_waits_until_the_socket_is_let_go(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);
    TcpConn *conn = receiver_conn(b);

    conn->ack.ato = 40 * SIM_MS; /* past the quick ACKs */
    receiver_data(b, 1, 10);
    tcp_lock(conn);
    tcp_bench_run(b, 100 * SIM_MS);
    tcp_bench_expect_silence(b);
    tcp_unlock(conn);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 11));
}

static void
an_end_of_the_connection_in_the_backlog_frees_what_follows_it(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    tcp_lock(receiver_conn(b));
    tcp_bench_deliver(b, SEG(.flags = TCP_RST | TCP_ACK, .seq = 1, .ack = 1));
    deliver_segments(b, 0, 1);
    tcp_unlock(receiver_conn(b));
    tcp_bench_expect_state(b, TCP_CLOSED);
    tcp_bench_expect_silence(b);
}

#define TEST(name) g_test_add_func("/tcp/backlog/" #name, name)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST(segments_that_arrive_while_a_call_holds_the_socket_wait);
    TEST(the_backlog_is_acknowledged_once);
    TEST(without_backlog_ack_defer_each_segment_is_acknowledged);
    TEST(what_arrives_while_the_backlog_is_processed_shares_its_ack);
    TEST(a_read_that_holds_the_socket_takes_the_backlog_too);
    TEST(the_backlog_counts_against_the_receive_buffer);
    TEST(a_delayed_ack_waits_until_the_socket_is_let_go);
    TEST(an_end_of_the_connection_in_the_backlog_frees_what_follows_it);
    return g_test_run();
}
