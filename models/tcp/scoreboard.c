/* The tags of the segments that are out, and the counts that follow from
 * them: packets_out, sacked_out, lost_out, retrans_out. In flight is
 * packets_out - sacked_out - lost_out + retrans_out (RFC 6675's pipe). */
#include "models/tcp/ack.h"

uint32_t
tcp_highest_sack(const TcpConn *conn)
{
    return conn->sender->sacked_out ? conn->sender->highest_sack : conn->snd.una;
}

void
tcp_mark_lost(TcpConn *conn, TcpTxSeg *seg)
{
    if (seg->tags & TX_SACKED)
        return;
    if ((seg->tags & (TX_LOST | TX_RETRANS)) == TX_LOST)
        return;
    if (seg->tags & TX_RETRANS) {
        /* The retransmission was lost as well. DIFFERS: Linux forgets that of one
         * whose original was found not to be lost after all (undo.c), and counts
         * the next retransmission twice. */
        seg->tags &= (uint8_t)~TX_RETRANS;
        conn->sender->retrans_out -= seg->pcount;
        host_count_n(conn->stack->host, MIB_TcpExtTCPLostRetransmit, seg->pcount);
    }
    if (!(seg->tags & TX_LOST)) {
        seg->tags |= TX_LOST;
        conn->sender->lost_out += seg->pcount;
    }
    conn->sender->w.lost += seg->pcount;
    if (seq_before(seg->seq, conn->sender->rtx_hint))
        conn->sender->rtx_hint = seg->seq;
}

bool
tcp_repeat_was_needless(const TcpConn *conn, const TcpSegment *in, const TcpTxSeg *seg)
{
    SimTime tick;
    uint32_t sent_ts;

    if (!(seg->tags & TX_REPEATED) || !in->has_ts || !in->tsecr)
        return false;
    tick = SIM_SEC / conn->stack->params->ts_clock_hz;
    sent_ts = tcp_ts_clock(conn->stack) - (uint32_t)(tcp_now(conn) / tick - seg->sent_at / tick);
    return seq_before(in->tsecr - conn->ts.offset, sent_ts);
}

void
tcp_check_reordering(TcpConn *conn, uint32_t low_seq, bool by_timestamp)
{
    uint32_t high = tcp_highest_sack(conn), mss = conn->snd.mss, metric;

    if (!seq_before(low_seq, high))
        return;
    metric = high - low_seq;
    if (metric > conn->sender->reordering * mss && mss)
        conn->sender->reordering =
            MIN((metric + mss - 1) / mss, conn->stack->params->max_reordering);
    conn->sender->reord_seen++;
    host_count(conn->stack->host, by_timestamp ? MIB_TcpExtTCPTSReorder : MIB_TcpExtTCPSACKReorder);
}

bool
tcp_any_retransmitted(const TcpConn *conn)
{
    const TcpTxSeg *head = tcp_tx_first_sent(conn);

    return conn->sender->retrans_out || (head && (head->tags & TX_EVER_RETRANS));
}

void
tcp_retrans_stamp_clean(TcpConn *conn)
{
    if (!tcp_any_retransmitted(conn))
        conn->sender->retrans_at = 0;
}

void
tcp_mark_all_lost(TcpConn *conn)
{
    TcpTxSeg *head = tcp_tx_first_sent(conn);
    bool is_reneging = head && (head->tags & TX_SACKED);

    if (is_reneging) {
        /* RFC 2018 §8: after a timeout, don't believe SACKs any more. */
        host_count(conn->stack->host, MIB_TcpExtTCPSACKReneging);
        conn->sender->sacked_out = 0;
        conn->sender->sack_reneg = true;
    } else if (!conn->sack_ok) {
        tcp_reno_reset(conn);
    }
    for (uint32_t i = 0; i < tcp_tx_n_sent(conn); i++) {
        TcpTxSeg *seg = tcp_tx_at(conn, i);

        if (is_reneging)
            seg->tags &= (uint8_t)~TX_SACKED;
        else if (i > 0 && tcp_rack_is_on(conn) && tcp_rack_time_left(conn, seg, 0) > 0)
            continue; /* sent a moment ago: RACK will see */
        tcp_mark_lost(conn, seg);
    }
    conn->sender->rtx_hint = conn->snd.una;
}

/* RFC 6675 §4: lost is what has DupThresh segments SACKed above it. */
void
tcp_scoreboard_rfc6675(TcpConn *conn)
{
    uint32_t above = conn->sender->sacked_out;

    for (uint32_t i = 0; i < tcp_tx_n_sent(conn) && above >= conn->sender->reordering; i++) {
        TcpTxSeg *seg = tcp_tx_at(conn, i);

        if (seg->tags & TX_SACKED)
            above -= seg->pcount;
        else if (!(seg->tags & TX_LOST))
            tcp_mark_lost(conn, seg);
    }
}
