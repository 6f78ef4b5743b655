/* The window that is offered: first value, growth, silly window avoidance. */
#include "models/tcp/rcvwindow.h"
#include "tests/tcp/receiver.h"

#define TS_AND_SCALE (TCPOPT_HAS_TS | TCPOPT_HAS_WSCALE)

/* Fact 3. */
static void
first_windows_are_those_of_linux(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_connect(b);
    g_assert_cmpuint(receiver_sent(b)->wnd, ==, 64240);
    g_assert_cmpuint(receiver_sent(b)->wscale, ==, 10);
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .options = TCPOPT_HAS_WSCALE));
    g_assert_cmpuint(receiver_sent(b)->wnd, ==, 63);
}

static void
syn_ack_window_is_a_multiple_of_the_data_that_fits(void)
{
    g_autoptr(TcpBench) plain = tcp_bench_new(TCP_PROFILE_LINUX);
    g_autoptr(TcpBench) stamped = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_listen(plain, 1);
    tcp_bench_deliver(plain, SEG(.flags = TCP_SYN));
    g_assert_cmpuint(receiver_sent(plain)->wnd, ==, 64240); /* 44 * 1460 */
    tcp_bench_listen(stamped, 1);
    tcp_bench_deliver(stamped, SEG(.flags = TCP_SYN, .options = TCPOPT_HAS_TS, .tsval = 1));
    g_assert_cmpuint(receiver_sent(stamped)->wnd, ==, 65160); /* 45 * 1448 */
}

/* A socket with SO_RCVBUF, connected to a peer without options. */
static TcpBench *
with_rcvbuf(int64_t bytes)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);
    Endpoint local = { .addr = ip_addr_v4(0x0a000001), .port = 1000 };
    Endpoint peer = { .addr = ip_addr_v4(0x0a000002), .port = 2000 };

    b->sock = sock_open(b->host, SOCK_TYPE_STREAM);
    sock_set_option(b->sock, TCP_OPT_RCVBUF, bytes);
    sock_bind(b->sock, local);
    sock_connect(b->sock, peer);
    tcp_bench_run(b, 0);
    return b;
}

static void
so_rcvbuf_is_doubled_and_halved_by_overhead(void)
{
    g_autoptr(TcpBench) b = with_rcvbuf(8192);
    int64_t value;

    sock_get_option(b->sock, TCP_OPT_RCVBUF, &value);
    g_assert_cmpint(value, ==, 16384);
    g_assert_cmpuint(receiver_sent(b)->wnd, ==, 7300); /* 5 * 1460 */
    g_assert_cmpuint(receiver_sent(b)->wscale, ==, 0);
}

/* Fact 87 and recording s15_zero_window_answered, without timestamps. */
static void
a_full_buffer_closes_the_window_and_a_segment_opens_it(void)
{
    g_autoptr(TcpBench) b = with_rcvbuf(8192);
    uint32_t seq = 1;

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_skip(b);
    for (unsigned i = 0; i < 7; i++, seq += 1460)
        receiver_data(b, seq, 1460);
    tcp_bench_run(b, 50 * SIM_MS);
    tcp_bench_skip(b);
    /* a probe is told that it is shut */
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = seq - 1, .ack = 1));
    g_assert_cmpuint(receiver_sent(b)->wnd, ==, 0);
    tcp_bench_skip(b);
    /* less than a segment is no news (silly window avoidance) */
    g_assert_cmpint(sock_recv(b->sock, NULL, 1000, 0, NULL), ==, 1000);
    tcp_bench_expect_silence(b);
    g_assert_cmpint(sock_recv(b->sock, NULL, 1000, 0, NULL), ==, 1000);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = seq, .wnd = 1460));
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPFromZeroWindowAdv), ==, 1);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPToZeroWindowAdv), ==, 1);
}

static void
data_into_a_closed_window_is_refused(void)
{
    g_autoptr(TcpBench) b = with_rcvbuf(8192);
    uint32_t seq = 1;

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    for (unsigned i = 0; i < 7; i++, seq += 1460)
        receiver_data(b, seq, 1460);
    tcp_bench_run(b, 50 * SIM_MS);
    tcp_bench_skip(b);
    receiver_data(b, seq, 1);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = seq));
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, seq - 1);
}

static void
the_right_edge_never_moves_left(void)
{
    g_autoptr(TcpBench) b = with_rcvbuf(20000);
    uint32_t edge = 0, seq = 1;

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_skip(b);
    for (unsigned i = 0; i < 200; i++) {
        uint32_t len = 1 + i * 37 % 700, now;

        if (len > tcp_window_now(receiver_conn(b)))
            sock_recv(b->sock, NULL, 3000, 0, NULL);
        if (len > tcp_window_now(receiver_conn(b)))
            continue;
        receiver_data(b, seq, len);
        seq += len;
        now = receiver_conn(b)->rcv.wup + receiver_conn(b)->rcv.wnd;
        if (edge)
            g_assert_false(seq_before(now, edge));
        edge = now;
    }
}

static void
the_window_follows_a_reader_who_keeps_up(void)
{
    g_autoptr(TcpBench) b = receiver_new(TS_AND_SCALE);
    uint32_t seq = 1, before = receiver_conn(b)->rcv.buf;

    for (unsigned i = 0; i < 400; i++, seq += 1448) {
        tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = seq, .ack = 1, .len = 1448,
                                 .options = TCPOPT_HAS_TS, .tsval = 1001 + i,
                                 .tsecr = tcp_ts_clock(receiver_conn(b)->stack) +
                                          receiver_conn(b)->ts.offset - 10));
        sock_recv(b->sock, NULL, 4000, 0, NULL);
        tcp_bench_run(b, 100 * SIM_US);
        tcp_bench_skip(b);
    }
    g_assert_cmpuint(receiver_conn(b)->rcv.buf, >, 2 * before);
    g_assert_cmpuint(receiver_conn(b)->rcv.wnd, >, 200000);
}

static void
window_clamp_bounds_the_window(void)
{
    /* DIFFERS: Linux forgets the clamp when it learns the peer's segment size. */
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_RFC, TCP_ESTABLISHED);

    g_assert_cmpint(sock_set_option(b->sock, TCP_OPT_WINDOW_CLAMP, 4000), ==, 0);
    g_assert_cmpint(sock_set_option(b->sock, TCP_OPT_WINDOW_CLAMP, 0), ==, -EINVAL);
    for (uint32_t seq = 1; seq < 70000; seq += 1460) {
        receiver_data(b, seq, 1460);
        sock_recv(b->sock, NULL, 4000, 0, NULL);
    }
    g_assert_cmpuint(receiver_conn(b)->rcv.wnd, <=, 4000);
}

/* A buffer that was too small for a segment has grown since. */
static void
threshold_below_a_segment_still_opens_the_window(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    TcpConn *conn;

    tcp_bench_set(b, "net.ipv4.tcp_window_scaling", "0");
    receiver_establish(b, 0);
    conn = receiver_conn(b);
    conn->rcv.mss = 1448;
    conn->rcv.ssthresh = 1152;
    conn->rcv.wnd = 0;
    g_assert_cmpuint(tcp_window_would_be(conn), ==, 1152);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/rcvwindow/" #name, name)
    ADD(first_windows_are_those_of_linux);
    ADD(threshold_below_a_segment_still_opens_the_window);
    ADD(syn_ack_window_is_a_multiple_of_the_data_that_fits);
    ADD(so_rcvbuf_is_doubled_and_halved_by_overhead);
    ADD(a_full_buffer_closes_the_window_and_a_segment_opens_it);
    ADD(data_into_a_closed_window_is_refused);
    ADD(the_right_edge_never_moves_left);
    ADD(the_window_follows_a_reader_who_keeps_up);
    ADD(window_clamp_bounds_the_window);
#undef ADD
    return g_test_run();
}
