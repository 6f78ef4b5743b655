/* The send queue by itself: a ring that is cut, searched and emptied. */
#include "models/tcp/txqueue.h"

/* As much of a TCP as a queue needs. */
typedef struct Bench {
    TcpConn conn;
    TcpSender sender;
    TcpStack stack;
    TcpShared shared;
    SimArena arena;
} Bench;

static TcpConn *
conn_with(unsigned n, uint32_t len, uint32_t mss)
{
    Bench *bench = g_aligned_alloc0(1, sizeof *bench, SIM_LINE);
    TcpConn *conn = &bench->conn;

    sim_arena_init(&bench->arena);
    sim_pool_init(&bench->shared.tx_queues, &bench->arena, sizeof(TcpTxQueue));
    bench->stack.shared = &bench->shared;
    conn->stack = &bench->stack;
    conn->sender = &bench->sender;
    conn->sack_ok = true;
    for (unsigned i = 0; i < n; i++) {
        TcpTxSeg *seg = tcp_tx_push(conn, 1 + i * len);

        seg->end_seq += len;
        tcp_tx_set_pcount(seg, mss);
        conn->sender->packets_out += seg->pcount;
        conn->tx->n_sent++;
    }
    return conn;
}

static void
conn_drop(TcpConn *conn)
{
    Bench *bench = (Bench *)conn;

    tcp_tx_free(conn);
    g_assert_cmpuint(bench->shared.tx_queues.live, ==, 0);
    sim_arena_done(&bench->arena);
    g_aligned_free(bench);
}

static void
an_empty_queue_takes_no_memory(void)
{
    TcpConn *conn = conn_with(1, 100, 1000);

    g_assert_nonnull(conn->tx);
    tcp_tx_pop(conn);
    g_assert_null(conn->tx);
    g_assert_null(tcp_tx_first_sent(conn));
    g_assert_cmpuint(tcp_tx_count(conn), ==, 0);
    conn_drop(conn);
}

static void
every_sequence_number_is_found_in_its_entry(void)
{
    TcpConn *conn = conn_with(100, 1000, 1000);

    for (unsigned i = 0; i < 40; i++) /* the ring has turned */
        tcp_tx_pop(conn);
    for (unsigned i = 0; i < 40; i++)
        tcp_tx_push(conn, 100001 + i * 1000)->end_seq += 1000;
    for (uint32_t seq = 40001; seq < 140001; seq += 250)
        g_assert_cmpuint(tcp_tx_find(conn, seq), ==, (seq - 40001) / 1000);
    g_assert_cmpuint(tcp_tx_find(conn, 1), ==, 0);
    g_assert_cmpuint(tcp_tx_find(conn, 140001), ==, tcp_tx_count(conn));
    conn_drop(conn);
}

static void
a_cut_keeps_bytes_and_counts(void)
{
    TcpConn *conn = conn_with(3, 5000, 1000);
    TcpTxSeg *seg = tcp_tx_at(conn, 1);

    seg->flags = TCP_PSH;
    seg->tags = TX_LOST;
    conn->sender->lost_out = 5;
    tcp_tx_cut(conn, 1, 2000, 1000);
    g_assert_cmpuint(tcp_tx_count(conn), ==, 4);
    g_assert_cmpuint(tcp_tx_n_sent(conn), ==, 4);
    g_assert_cmpuint(tcp_tx_at(conn, 1)->end_seq, ==, 7001);
    g_assert_cmpuint(tcp_tx_at(conn, 2)->seq, ==, 7001);
    g_assert_cmpuint(tcp_tx_at(conn, 2)->end_seq, ==, 10001);
    g_assert_cmpuint(tcp_tx_at(conn, 3)->seq, ==, 10001);
    g_assert_cmphex(tcp_tx_at(conn, 1)->flags, ==, 0);
    g_assert_cmphex(tcp_tx_at(conn, 2)->flags, ==, TCP_PSH);
    g_assert_cmpuint(conn->sender->packets_out, ==, 15);
    g_assert_cmpuint(conn->sender->lost_out, ==, 5);
    conn_drop(conn);
}

static void
a_cut_with_a_smaller_mss_counts_more_segments(void)
{
    TcpConn *conn = conn_with(1, 2896, 1448);

    g_assert_cmpuint(conn->sender->packets_out, ==, 2);
    tcp_tx_cut(conn, 0, 1896, 948);
    g_assert_cmpuint(tcp_tx_at(conn, 0)->pcount, ==, 2);
    g_assert_cmpuint(tcp_tx_at(conn, 1)->pcount, ==, 2);
    g_assert_cmpuint(conn->sender->packets_out, ==, 4);
    conn_drop(conn);
}

static void
cuts_and_removals_at_any_place_keep_the_order(void)
{
    TcpConn *conn = conn_with(40, 100, 10);
    SimRng rng;

    sim_rng_init(&rng, 1, "cuts");
    for (unsigned i = 0; i < 300; i++) {
        uint32_t at = (uint32_t)sim_rng_below(&rng, tcp_tx_count(conn));
        uint32_t len = tcp_tx_len(tcp_tx_at(conn, at));

        if (len >= 2)
            tcp_tx_cut(conn, at, (uint32_t)(1 + sim_rng_below(&rng, len - 1)), 10);
    }
    g_assert_cmpuint(tcp_tx_count(conn), >, 200);
    for (uint32_t i = 1, end = 1; i < tcp_tx_count(conn); i++) {
        g_assert_cmpuint(tcp_tx_at(conn, i - 1)->seq, ==, end);
        end = tcp_tx_at(conn, i - 1)->end_seq;
        g_assert_cmpuint(tcp_tx_at(conn, i)->seq, ==, end);
    }
    while (tcp_tx_count(conn) > 1) {
        uint32_t at = (uint32_t)sim_rng_below(&rng, tcp_tx_count(conn));

        tcp_tx_remove(conn, at);
        for (uint32_t i = 1; i < tcp_tx_count(conn); i++)
            g_assert_true(!seq_before(tcp_tx_at(conn, i)->seq, tcp_tx_at(conn, i - 1)->end_seq));
    }
    conn_drop(conn);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/txqueue/an_empty_queue_takes_no_memory", an_empty_queue_takes_no_memory);
    g_test_add_func("/txqueue/every_sequence_number_is_found_in_its_entry",
                    every_sequence_number_is_found_in_its_entry);
    g_test_add_func("/txqueue/a_cut_keeps_bytes_and_counts", a_cut_keeps_bytes_and_counts);
    g_test_add_func("/txqueue/a_cut_with_a_smaller_mss_counts_more_segments",
                    a_cut_with_a_smaller_mss_counts_more_segments);
    g_test_add_func("/txqueue/cuts_and_removals_at_any_place_keep_the_order",
                    cuts_and_removals_at_any_place_keep_the_order);
    return g_test_run();
}
