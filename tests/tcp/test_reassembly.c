/* Out of order data: delivery, SACK blocks (RFC 2018), D-SACK (RFC 2883). */
#include "tests/tcp/receiver.h"

#define ACK_UP_TO(n) SEG(.flags = TCP_ACK, .seq = 1, .ack = (n))

static void
a_hole_is_acknowledged_at_once_with_its_far_side_sacked(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    receiver_data(b, 101, 100);
    receiver_expect_sack(b, 0, 101, 201);
    tcp_bench_expect(b, ACK_UP_TO(1));
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 0);
    receiver_data(b, 1, 100);
    g_assert_cmpuint(receiver_sent(b)->n_sacks, ==, 0);
    tcp_bench_expect(b, ACK_UP_TO(201));
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 200);
    g_assert_null(receiver_conn(b)->ooo);
}

static void
newest_block_comes_first(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    receiver_data(b, 101, 100);
    receiver_data(b, 301, 100);
    tcp_bench_skip(b);
    receiver_data(b, 201, 50); /* grows the older block */
    receiver_expect_sack(b, 0, 101, 251);
    receiver_expect_sack(b, 1, 301, 401);
    tcp_bench_skip(b);
}

static void
blocks_that_touch_become_one(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    receiver_data(b, 101, 100);
    receiver_data(b, 301, 100);
    tcp_bench_skip(b);
    receiver_data(b, 201, 100);
    receiver_expect_sack(b, 0, 101, 401);
    g_assert_cmpuint(receiver_sent(b)->n_sacks, ==, 1);
}

static void
old_data_is_reported_as_d_sack(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    receiver_data(b, 1, 200);
    tcp_bench_skip(b);
    receiver_data(b, 1, 100);
    receiver_expect_sack(b, 0, 1, 101);
    tcp_bench_expect(b, ACK_UP_TO(201));
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPDSACKOldSent), ==, 1);
}

static void
partly_old_data_is_reported_and_the_rest_taken(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    receiver_data(b, 1, 100);
    tcp_bench_skip(b);
    receiver_data(b, 51, 100);
    receiver_expect_sack(b, 0, 51, 101);
    tcp_bench_expect(b, ACK_UP_TO(151));
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 150);
}

static void
repeated_out_of_order_data_is_reported_as_d_sack(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    receiver_data(b, 101, 100);
    tcp_bench_skip(b);
    receiver_data(b, 121, 50);
    receiver_expect_sack(b, 0, 121, 171);
    receiver_expect_sack(b, 1, 101, 201);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPDSACKOfoSent), ==, 1);
}

static void
without_tcp_dsack_nothing_is_reported(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_dsack", "0");
    receiver_establish(b, TCPOPT_HAS_SACK_OK);
    receiver_data(b, 1, 200);
    tcp_bench_skip(b);
    receiver_data(b, 1, 100);
    g_assert_cmpuint(receiver_sent(b)->n_sacks, ==, 0);
}

static void
overlaps_of_all_kinds_deliver_each_byte_once(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    receiver_data(b, 101, 100); /* [101, 201) */
    receiver_data(b, 301, 100); /* [301, 401) */
    receiver_data(b, 151, 200); /* overlaps both */
    receiver_data(b, 91, 400);  /* covers all */
    receiver_data(b, 1, 95);    /* fills the hole, and a bit more */
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 490);
    g_assert_cmpint(sock_recv(b->sock, NULL, 1000, 0, NULL), ==, 490);
    g_assert_null(receiver_conn(b)->ooo);
    g_assert_cmpuint(receiver_conn(b)->rcv.truesize, ==, 0);
}

static void
fin_waits_for_the_hole_before_it(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 101, .ack = 1, .len = 10));
    receiver_expect_sack(b, 0, 101, 112);
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    receiver_data(b, 1, 100);
    tcp_bench_expect_state(b, TCP_CLOSE_WAIT);
    g_assert_cmpint(sock_recv(b->sock, NULL, 1000, 0, NULL), ==, 110);
    g_assert_cmpint(sock_recv(b->sock, NULL, 1000, 0, NULL), ==, 0);
}

/* net.ipv4.tcp_comp_sack_nr: after three duplicate ACKs, some in one. */
static void
acks_of_a_long_hole_are_compressed(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    receiver_establish(b, TCPOPT_HAS_SACK_OK);
    receiver_conn(b)->drs.rtt8 = 8 * 100 * SIM_MS;
    receiver_conn(b)->rtt.srtt = 100 * SIM_MS;
    receiver_conn(b)->ack.pingpong = 1; /* no quick ACKs */
    for (unsigned i = 0; i < 10; i++)
        receiver_data(b, 1001 + 100 * i, 100);
    g_assert_cmpuint(g_queue_get_length(b->sent), ==, 3);
    tcp_bench_skip(b);
    tcp_bench_run(b, 999 * SIM_US);
    tcp_bench_expect_silence(b);
    tcp_bench_run(b, SIM_US); /* at most 1 ms */
    receiver_expect_sack(b, 0, 1001, 2001);
    tcp_bench_expect(b, ACK_UP_TO(1));
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPAckCompressed), ==, 6);
}

/* Any order of any cut of a stream, with repetitions, is the stream. */
static void
random_orders_deliver_the_stream(void)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        g_autoptr(TcpBench) b = receiver_new(seed & 1 ? TCPOPT_HAS_SACK_OK : 0);
        SimRng rng;

        sim_rng_init(&rng, seed, "cuts");
        for (unsigned i = 0; i < 400 && tcp_unread_bytes(receiver_conn(b)) < 2000; i++) {
            uint32_t start = (uint32_t)sim_rng_below(&rng, 2000);
            uint32_t len = 1 + (uint32_t)sim_rng_below(&rng, MIN(2000 - start, 300u));

            receiver_data(b, 1 + start, len);
            tcp_bench_skip(b);
        }
        for (uint32_t at = 0; at < 2000; at += 500)
            receiver_data(b, 1 + at, 500);
        g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 2000);
        g_assert_null(receiver_conn(b)->ooo);
        g_assert_cmpint(sock_recv(b->sock, NULL, 4000, 0, NULL), ==, 2000);
        g_assert_cmpuint(receiver_conn(b)->rcv.truesize, ==, 0);
    }
}

/* tcp_shrink_window, and a buffer that what lies behind the hole fills. */
static void
what_fills_the_hole_is_taken_through_a_closed_window(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);
    TcpConn *conn = receiver_conn(b);

    receiver_data(b, 101, 100);
    receiver_data(b, 201, 100);
    conn->rcv.buf = conn->rcv.truesize;
    conn->rcv.wnd = 0;
    conn->rcv.wup = conn->rcv.nxt;
    tcp_bench_skip(b);
    receiver_data(b, 1, 100);
    g_assert_cmpuint(tcp_unread_bytes(conn), ==, 300);
    g_assert_null(conn->ooo);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/reassembly/" #name, name)
    ADD(a_hole_is_acknowledged_at_once_with_its_far_side_sacked);
    ADD(what_fills_the_hole_is_taken_through_a_closed_window);
    ADD(newest_block_comes_first);
    ADD(blocks_that_touch_become_one);
    ADD(old_data_is_reported_as_d_sack);
    ADD(partly_old_data_is_reported_and_the_rest_taken);
    ADD(repeated_out_of_order_data_is_reported_as_d_sack);
    ADD(without_tcp_dsack_nothing_is_reported);
    ADD(overlaps_of_all_kinds_deliver_each_byte_once);
    ADD(fin_waits_for_the_hole_before_it);
    ADD(acks_of_a_long_hole_are_compressed);
    ADD(random_orders_deliver_the_stream);
#undef ADD
    return g_test_run();
}
