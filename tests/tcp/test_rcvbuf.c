/* The receive buffer: its first windows, its tuning to the reader's rate, and what
 * setsockopt and the sysctls bound. */
#include "models/tcp/rcvwindow.h"
#include "models/tcp/reassembly.h"
#include "tests/tcp/receiver.h"

#define TS_AND_SCALE (TCPOPT_HAS_TS | TCPOPT_HAS_WSCALE)

/* A reader that keeps up with `rounds` round trips of 10 ms, `segs` segments in each,
 * twice as many each time if the sender is in slow start. */
static void
read_rounds(TcpBench *b, uint32_t *seq, unsigned rounds, unsigned segs, bool doubles)
{
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < segs; i++, *seq += 1448) {
            tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = *seq, .ack = 1, .len = 1448,
                                     .options = TCPOPT_HAS_TS,
                                     .tsval = 2000 + (uint32_t)(sim_now(b->sim) / SIM_MS),
                                     .tsecr = tcp_ts_clock(receiver_conn(b)->stack) +
                                              receiver_conn(b)->ts.offset - 10));
            while (sock_recv(b->sock, NULL, 1 << 20, 0, NULL) > 0)
                continue;
            tcp_bench_run(b, 10 * SIM_MS / segs);
            tcp_bench_skip(b);
        }
        if (doubles)
            segs *= 2;
    }
}

static TcpBench *
reader(const char *name, const char *value)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);

    if (name)
        tcp_bench_set(b, name, value);
    receiver_establish(b, TS_AND_SCALE);
    return b;
}

static void
a_steady_reader_gets_what_it_needs_once(void)
{
    g_autoptr(TcpBench) b = reader(NULL, NULL);
    uint32_t seq = 1, buf;

    read_rounds(b, &seq, 10, 40, false); /* 58 kB a round trip */
    g_assert_cmpuint(tcp_window_now(receiver_conn(b)), >=, 2 * 57920);
    buf = receiver_conn(b)->rcv.buf;
    read_rounds(b, &seq, 30, 40, false);
    g_assert_cmpuint(receiver_conn(b)->rcv.buf, ==, buf);
}

static void
a_rate_that_doubles_finds_its_window_before_it_needs_it(void)
{
    g_autoptr(TcpBench) b = reader(NULL, NULL);
    uint32_t seq = 1;

    read_rounds(b, &seq, 6, 10, true); /* up to 320 segments a round trip, 463 kB */
    g_assert_cmpuint(tcp_window_now(receiver_conn(b)), >=, 2 * 463360);
}

static void
rmem_max_bounds_the_tuning(void)
{
    g_autoptr(TcpBench) b = reader("net.ipv4.tcp_rmem", "4096 131072 300000");
    uint32_t seq = 1;

    read_rounds(b, &seq, 5, 10, true);
    g_assert_cmpuint(receiver_conn(b)->rcv.buf, ==, 300000);
}

static void
moderate_rcvbuf_0_leaves_it_alone(void)
{
    g_autoptr(TcpBench) b = reader("net.ipv4.tcp_moderate_rcvbuf", "0");
    uint32_t seq = 1;

    read_rounds(b, &seq, 4, 10, true);
    g_assert_cmpuint(receiver_conn(b)->rcv.buf, ==, 131072);
}

/* socket(7): doubled, and never tuned again. */
static void
so_rcvbuf_ends_the_tuning(void)
{
    g_autoptr(TcpBench) b = reader(NULL, NULL);
    uint32_t seq = 1;

    g_assert_cmpint(sock_set_option(b->sock, TCP_OPT_RCVBUF, 100000), ==, 0);
    g_assert_cmpuint(receiver_conn(b)->rcv.buf, ==, 200000);
    read_rounds(b, &seq, 4, 10, true);
    g_assert_cmpuint(receiver_conn(b)->rcv.buf, ==, 200000);
}

static void
core_rmem_max_bounds_so_rcvbuf(void)
{
    g_autoptr(TcpBench) b = reader(NULL, NULL);

    g_assert_cmpint(sock_set_option(b->sock, TCP_OPT_RCVBUF, 10000000), ==, 0);
    g_assert_cmpuint(receiver_conn(b)->rcv.buf, ==, 2 * 212992);
    g_assert_cmpint(sock_set_option(b->sock, TCP_OPT_RCVBUF, 1), ==, 0);
    g_assert_cmpuint(receiver_conn(b)->rcv.buf, ==, 2304); /* SOCK_MIN_RCVBUF */
}

static void
a_reader_that_rests_leaves_the_buffer_as_it_is(void)
{
    g_autoptr(TcpBench) b = reader(NULL, NULL);

    for (uint32_t seq = 1; seq < 50000; seq += 1448)
        receiver_data(b, seq, 1448);
    g_assert_cmpuint(receiver_conn(b)->rcv.buf, ==, 131072);
}

/* The receiver's RTT: from echoes of full segments, the smallest at once. */
static void
timestamps_measure_the_receivers_round_trip(void)
{
    g_autoptr(TcpBench) b = reader(NULL, NULL);
    uint32_t seq = 1;

    read_rounds(b, &seq, 3, 4, false);
    g_assert_cmpint(receiver_conn(b)->drs.rtt8 / 8, ==, 10 * SIM_MS);
}

/* ---- the first window -------------------------------------------------------------------- */

/* However large `initial_window` is: what is announced can be taken (RFC 9293 §3.8.6). */
static void
the_first_window_is_no_larger_than_the_buffer(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_RFC);
    const Packet *syn;

    tcp_bench_set(b, "net.ipv4.tcp_rmem", "4096 8192 8192");
    tcp_bench_connect(b);
    syn = g_queue_peek_head(b->sent);
    g_assert_cmpuint(syn->tcp.wnd, ==, 8192);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    for (uint32_t seq = 1; seq + 1024 <= 8193; seq += 1024)
        receiver_data(b, seq, 1024);
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 8192);
}

static void
the_scale_is_chosen_for_the_largest_buffer(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    const Packet *syn;

    tcp_bench_set(b, "net.ipv4.tcp_rmem", "4096 131072 6291456");
    tcp_bench_connect(b);
    syn = g_queue_peek_head(b->sent);
    g_assert_cmpuint(syn->tcp.wscale, ==, 7); /* 6 MiB in units of 128 bytes fit 16 bits */
}

/* ---- pressure ------------------------------------------------------------------------------- */

static void
under_pressure_what_is_out_of_order_goes_first(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    uint32_t seq = 1;

    tcp_bench_set(b, "net.ipv4.tcp_rmem", "4096 20000 20000");
    receiver_establish(b, 0);
    receiver_data(b, 6001, 1000);
    receiver_data(b, 8001, 1000);
    g_assert_nonnull(receiver_conn(b)->ooo);
    for (unsigned i = 0; i < 60 && seq < 6001; i++, seq += 100)
        receiver_data(b, seq, 100); /* small ones: much overhead each */
    g_assert_cmpuint(receiver_conn(b)->rcv.truesize, <=, 20000 + 2304);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtPruneCalled) +
                         receiver_count(b, MIB_TcpExtTCPRcvCoalesce),
                     >, 0);
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), >=, 3000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/rcvbuf/" #name, name)
    ADD(a_steady_reader_gets_what_it_needs_once);
    ADD(a_rate_that_doubles_finds_its_window_before_it_needs_it);
    ADD(rmem_max_bounds_the_tuning);
    ADD(moderate_rcvbuf_0_leaves_it_alone);
    ADD(so_rcvbuf_ends_the_tuning);
    ADD(core_rmem_max_bounds_so_rcvbuf);
    ADD(a_reader_that_rests_leaves_the_buffer_as_it_is);
    ADD(timestamps_measure_the_receivers_round_trip);
    ADD(the_first_window_is_no_larger_than_the_buffer);
    ADD(the_scale_is_chosen_for_the_largest_buffer);
    ADD(under_pressure_what_is_out_of_order_goes_first);
    return g_test_run();
}
