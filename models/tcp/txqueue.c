#include "models/tcp/txqueue.h"

#include <string.h>

#include "models/tcp/output.h"

static SIM_COLD void
tx_grow(TcpTxQueue *q)
{
    uint32_t capacity = q->mask + 1;
    TcpTxSeg *segs = g_new(TcpTxSeg, capacity * 2);

    for (uint32_t i = 0; i < q->count; i++)
        segs[i] = q->segs[(q->head + i) & q->mask];
    if (q->segs != q->own)
        g_free(q->segs);
    q->segs = segs;
    q->head = 0;
    q->mask = capacity * 2 - 1;
}

TcpTxSeg *
tcp_tx_push(TcpConn *conn, uint32_t seq)
{
    TcpTxQueue *q = conn->tx;
    TcpTxSeg *seg;

    if (!q) {
        tcp_sender_own(conn);
        q = conn->tx = sim_pool_get(&conn->stack->shared->tx_queues);
        q->segs = q->own;
        q->head = q->count = q->n_sent = 0;
        q->mask = TX_INLINE_SEGS - 1;
    }
    if (q->count > q->mask)
        tx_grow(q);
    seg = &q->segs[(q->head + q->count++) & q->mask];
    memset(seg, 0, sizeof *seg);
    seg->seq = seg->end_seq = seq;
    return seg;
}

void
tcp_tx_free(TcpConn *conn)
{
    if (!conn->tx)
        return;
    if (conn->tx->segs != conn->tx->own)
        g_free(conn->tx->segs);
    sim_pool_put(&conn->stack->shared->tx_queues, conn->tx);
    conn->tx = NULL;
}

void
tcp_tx_pop(TcpConn *conn)
{
    TcpTxQueue *q = conn->tx;

    if (q->count == 1) {
        tcp_tx_free(conn);
        return;
    }
    if (q->n_sent)
        q->n_sent--;
    q->head = (q->head + 1) & q->mask;
    q->count--;
}

/* Opens a gap at `index` by moving whichever side is shorter. */
static void
tx_open_gap(TcpTxQueue *q, uint32_t index)
{
    if (q->count > q->mask)
        tx_grow(q);
    if (index < q->count / 2) {
        q->head = (q->head - 1) & q->mask;
        for (uint32_t i = 0; i < index; i++)
            q->segs[(q->head + i) & q->mask] = q->segs[(q->head + i + 1) & q->mask];
    } else {
        for (uint32_t i = q->count; i > index; i--)
            q->segs[(q->head + i) & q->mask] = q->segs[(q->head + i - 1) & q->mask];
    }
    q->count++;
}

void
tcp_tx_remove(TcpConn *conn, uint32_t index)
{
    TcpTxQueue *q = conn->tx;

    if (index == 0) {
        tcp_tx_pop(conn);
        return;
    }
    if (index < q->n_sent)
        q->n_sent--;
    if (index < q->count / 2) {
        for (uint32_t i = index; i > 0; i--)
            q->segs[(q->head + i) & q->mask] = q->segs[(q->head + i - 1) & q->mask];
        q->head = (q->head + 1) & q->mask;
    } else {
        for (uint32_t i = index; i + 1 < q->count; i++)
            q->segs[(q->head + i) & q->mask] = q->segs[(q->head + i + 1) & q->mask];
    }
    q->count--;
}

uint32_t
tcp_tx_find(const TcpConn *conn, uint32_t seq)
{
    uint32_t low = 0, high = tcp_tx_count(conn);

    while (low < high) {
        uint32_t mid = (low + high) / 2;

        if (seq_after(tcp_tx_at(conn, mid)->end_seq, seq))
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

void
tcp_tx_set_pcount(TcpTxSeg *seg, uint32_t mss)
{
    uint32_t len = tcp_tx_len(seg);

    seg->mss = (uint16_t)mss;
    seg->pcount = len <= mss ? 1 : (uint16_t)((len + mss - 1) / mss);
}

/* `by` fewer segments are out than were counted for this entry. */
static void
tx_adjust_counts(TcpConn *conn, const TcpTxSeg *seg, int by)
{
    conn->sender->packets_out -= (uint32_t)by;
    if (seg->tags & TX_SACKED)
        conn->sender->sacked_out -= (uint32_t)by;
    if (seg->tags & TX_RETRANS)
        conn->sender->retrans_out -= (uint32_t)by;
    if (seg->tags & TX_LOST)
        conn->sender->lost_out -= (uint32_t)by;
    /* Without SACK the count of duplicates is in segments of the old size. */
    if (!conn->sack_ok && by > 0)
        conn->sender->sacked_out -= MIN(conn->sender->sacked_out, (uint32_t)by);
}

void
tcp_tx_cut(TcpConn *conn, uint32_t index, uint32_t len, uint32_t mss)
{
    TcpTxQueue *q = conn->tx;
    TcpTxSeg *first, *second;
    int before;
    bool is_sent = index < q->n_sent;

    tx_open_gap(q, index + 1);
    first = tcp_tx_at(conn, index);
    second = tcp_tx_at(conn, index + 1);
    *second = *first;
    second->seq = first->end_seq = first->seq + !!(first->flags & TCP_SYN) + len;
    second->flags &= (uint8_t)~TCP_SYN;
    first->flags &= (uint8_t) ~(TCP_PSH | TCP_FIN);
    first->eor = false;

    before = first->pcount;
    tcp_tx_set_pcount(first, mss);
    tcp_tx_set_pcount(second, mss);
    if (is_sent) {
        q->n_sent++;
        tx_adjust_counts(conn, first, before - first->pcount - second->pcount);
    }
}

void
tcp_tx_trim_head(TcpConn *conn, uint32_t seq)
{
    TcpTxSeg *seg = tcp_tx_at(conn, 0);

    seg->flags &= (uint8_t)~TCP_SYN;
    seg->seq = seq;
    if (seg->pcount > 1)
        tcp_tx_set_pcount(seg, seg->mss);
}
