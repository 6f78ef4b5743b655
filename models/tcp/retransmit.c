/* Sending again: one entry, all that is marked lost, and the retransmission
 * timeout with its back-off and its ends (RFC 6298 §5, RFC 1122 §4.2.3.5). */
#include "models/tcp/ack.h"
#include "models/tcp/ecn.h"

/* Makes one segment of small ones that follow each other, while they fit
 * `space` bytes (tcp_retrans_collapse). */
static void
collapse_following(TcpConn *conn, uint32_t index, uint32_t space)
{
    TcpTxSeg *seg = tcp_tx_at(conn, index);

    if (!conn->stack->params->retrans_collapse || seg->flags & TCP_SYN || seg->pcount > 1)
        return;
    while (index + 1 < conn->tx->n_sent) {
        TcpTxSeg *next = tcp_tx_at(conn, index + 1);

        if (next->pcount > 1 || next->tags & TX_SACKED || seg->eor ||
            tcp_tx_len(seg) + tcp_tx_len(next) > space ||
            seq_after(next->end_seq, tcp_wnd_end(conn)))
            return;
        conn->sender->packets_out -= next->pcount;
        if (next->tags & TX_RETRANS)
            conn->sender->retrans_out -= next->pcount;
        if (next->tags & TX_LOST)
            conn->sender->lost_out -= next->pcount;
        if (!conn->sack_ok && conn->sender->sacked_out)
            conn->sender->sacked_out--;
        seg->end_seq = next->end_seq;
        seg->flags |= next->flags;
        seg->tags |= next->tags & TX_EVER_RETRANS;
        seg->eor = next->eor;
        tcp_tx_remove(conn, index + 1);
        seg = tcp_tx_at(conn, index);
    }
}

/* Counts an entry anew with today's MSS. */
static void
recount(TcpConn *conn, TcpTxSeg *seg, uint32_t mss)
{
    uint32_t before = seg->pcount, fewer;

    tcp_tx_set_pcount(seg, mss);
    fewer = before - seg->pcount; /* modulo 2^32: may be more */
    conn->sender->packets_out -= fewer;
    if (seg->tags & TX_SACKED)
        conn->sender->sacked_out -= fewer;
    if (seg->tags & TX_RETRANS)
        conn->sender->retrans_out -= fewer;
    if (seg->tags & TX_LOST)
        conn->sender->lost_out -= fewer;
}

int
tcp_retransmit_entry(TcpConn *conn, uint32_t index, uint32_t segs, const char *what,
                     const char *rule)
{
    TcpTxSeg *seg = tcp_tx_at(conn, index);
    uint32_t mss = tcp_current_mss(conn), len, window;
    Host *host = conn->stack->host;

    conn->path.probe_size = 0; /* inconclusive */
    if (conn->below.bytes && tcp_is_still_below(conn, seg)) {
        host_count(host, MIB_TcpExtTCPSpuriousRtxHostQueues);
        return -EBUSY;
    }
    if (seq_before(seg->seq, conn->snd.una))
        tcp_tx_trim_head(conn, conn->snd.una);
    if (seq_before(seg->seq, tcp_wnd_end(conn))) {
        window = tcp_wnd_end(conn) - seg->seq;
    } else {
        /* A shrunken window: one segment serves as its probe (RFC 1122 §4.2.2.16). */
        if (seg->seq != conn->snd.una)
            return -EAGAIN;
        window = mss;
    }
    len = mss * segs;
    if (len > window)
        len = window >= mss ? window / mss * mss : window;
    if (tcp_tx_len(seg) > len) {
        tcp_tx_cut(conn, index, len, mss);
    } else {
        recount(conn, seg, mss);
        if (tcp_tx_len(seg) < MIN(window, mss))
            collapse_following(conn, index, MIN(window, mss));
    }
    seg = tcp_tx_at(conn, index);
    host_count_n(host, MIB_TcpRetransSegs, seg->pcount);
    if (seg->flags & TCP_SYN) {
        host_count(host, MIB_TcpExtTCPSynRetrans);
        if ((seg->flags & (TCP_ECE | TCP_CWR)) && tcp_ecn_syn_falls_back(conn))
            seg->flags &= (uint8_t) ~(TCP_ECE | TCP_CWR); /* RFC 3168 §6.1.1.1 */
    }
    conn->sender->total_retrans += seg->pcount;
    conn->bytes_retrans += tcp_tx_len(seg);
    int result = tcp_transmit_seg(conn, index, what, rule);

    if (result != 0)
        host_count_n(host, MIB_TcpExtTCPRetransFail, seg->pcount);
    /* Whether it left or not, its time of sending is no longer what an ACK measures. */
    seg->tags |= TX_EVER_RETRANS;
    if (seq_after(seg->end_seq, conn->sender->rtx_high))
        conn->sender->rtx_high = seg->end_seq;
    return result;
}

int
tcp_retransmit_lost(TcpConn *conn, uint32_t index, uint32_t segs, const char *what,
                    const char *rule)
{
    TcpTxSeg *seg;

    int result = tcp_retransmit_entry(conn, index, segs, what, rule);

    if (result == -EAGAIN || result == -EBUSY)
        return result;
    seg = tcp_tx_at(conn, index);
    if (result == 0) {
        seg->tags |= TX_RETRANS;
        conn->sender->retrans_out += seg->pcount;
    }
    if (!conn->sender->retrans_at) {
        conn->sender->retrans_at = MAX(tcp_now(conn), 1);
        conn->sender->retrans_stamp = tcp_ts_clock(conn->stack);
    }
    conn->sender->undo_retrans = MAX(conn->sender->undo_retrans, 0) + seg->pcount;
    return result;
}

typedef struct RexmitReason {
    const char *what, *rule; /* static texts */
} RexmitReason;

/* Why what is marked lost goes again now. */
static RexmitReason
reason_now(const TcpConn *conn)
{
    if (conn->sender->w.ca_state == TCP_CA_LOSS)
        return (RexmitReason){ "slow start retransmission", "RFC 5681 §3.1" };
    if (!conn->sack_ok)
        return (RexmitReason){ "fast retransmission", "RFC 6582 §3.2" };
    return (RexmitReason){ "fast retransmission",
                           tcp_rack_is_on(conn) ? "RFC 8985 §6" : "RFC 6675 §5" };
}

static void
retransmit_queue(TcpConn *conn, RexmitReason reason)
{
    bool is_loss = conn->sender->w.ca_state == TCP_CA_LOSS, rearm = false;
    uint32_t max_segs, i;

    if (conn->sender->packets_out == 0)
        return;
    max_segs = tcp_burst_segs(conn, conn->snd.mss);
    i = seq_after(conn->sender->rtx_hint, conn->snd.una) ? tcp_tx_find(conn, conn->sender->rtx_hint)
                                                         : 0;
    for (; i < conn->tx->n_sent; i++) {
        TcpTxSeg *seg = tcp_tx_at(conn, i);
        uint32_t in_flight = tcp_packets_in_flight(conn), segs;

        if (conn->sender->retrans_out >= conn->sender->lost_out ||
            in_flight >= conn->sender->w.cwnd || tcp_pacing_waits(conn))
            break;
        conn->sender->rtx_hint = seg->seq;
        if (!(seg->tags & TX_LOST) || seg->tags & (TX_SACKED | TX_RETRANS))
            continue;
        segs = MIN(conn->sender->w.cwnd - in_flight, max_segs);
        if (conn->below.bytes && tcp_small_queue_is_full(conn, seg, true))
            return;
        if (tcp_retransmit_lost(conn, i, segs, reason.what, reason.rule))
            return;
        seg = tcp_tx_at(conn, i);
        host_count_n(conn->stack->host,
                     is_loss ? MIB_TcpExtTCPSlowStartRetrans : MIB_TcpExtTCPFastRetrans,
                     seg->pcount);
        if (tcp_in_cwnd_reduction(conn))
            conn->sender->prr_out += seg->pcount;
        rearm |= i == 0 && tcp_timer_pending(conn) != TCP_TIMER_REORDER;
    }
    if (rearm)
        tcp_timer_set(conn, TCP_TIMER_RTO, conn->rtt.rto);
}

void
tcp_retransmit_queue(TcpConn *conn)
{
    retransmit_queue(conn, reason_now(conn));
}

/* Sends what is marked lost, for a loss that says nothing about congestion. */
static void
retransmit_without_blame(TcpConn *conn, RexmitReason reason)
{
    if (conn->sender->w.ca_state != TCP_CA_LOSS) {
        conn->sender->high_seq = conn->snd.nxt;
        conn->sender->w.ssthresh = tcp_current_ssthresh(conn);
        conn->sender->prior_ssthresh = 0;
        conn->sender->undo_marker = 0;
        tcp_set_ca_state(conn, TCP_CA_LOSS);
    }
    retransmit_queue(conn, reason);
}

void
tcp_retransmit_simple(TcpConn *conn)
{
    uint32_t mss = tcp_current_mss(conn);
    /* A SYN with data was one packet, but is two entries: it is both or none. */
    bool is_syn_data = conn->state == TCP_SYN_SENT && tcp_tx_n_sent(conn) > 1;

    for (uint32_t i = 0; i < tcp_tx_n_sent(conn); i++) {
        TcpTxSeg *seg = tcp_tx_at(conn, i);

        if (is_syn_data || MIN(tcp_tx_len(seg), (uint32_t)seg->mss) > mss)
            tcp_mark_lost(conn, seg);
    }
    if (!conn->sender->lost_out)
        return;
    if (!conn->sack_ok)
        tcp_reno_limit(conn);
    retransmit_without_blame(conn,
                             (RexmitReason){ "too large for the path, cut anew", "RFC 1191 §6.4" });
}

void
tcp_syn_data_refused(TcpConn *conn)
{
    for (uint32_t i = 0; i < tcp_tx_n_sent(conn); i++)
        tcp_mark_lost(conn, tcp_tx_at(conn, i));
    if (conn->sender->lost_out)
        retransmit_without_blame(
            conn, (RexmitReason){ "data that the SYN-ACK left out", "RFC 7413 §4.2.2" });
}
