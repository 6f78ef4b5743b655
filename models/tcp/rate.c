/* Delivery rate samples (draft-cheng-iccrg-delivery-rate-estimation): how much
 * was delivered between the send of a segment and its acknowledgment. */
#include "models/tcp/ack.h"

void
tcp_rate_sent(TcpConn *conn, TcpTxSeg *seg)
{
    /* A new burst begins: the sampling period too. */
    if (conn->sender->packets_out == 0) {
        conn->sender->first_tx_at = seg->sent_at;
        conn->sender->w.delivered_at_ns = (uint64_t)seg->sent_at;
    }
    seg->first_tx_at = conn->sender->first_tx_at;
    seg->delivered_at = (SimTime)conn->sender->w.delivered_at_ns;
    seg->delivered = conn->delivered;
    seg->app_limited = conn->sender->app_limited != 0;
}

void
tcp_rate_delivered(TcpConn *conn, TcpTxSeg *seg, CcRateSample *sample)
{
    if (!seg->delivered_at)
        return;
    if (!sample->prior_delivered_at_ns ||
        tcp_sent_after(seg, conn->sender->first_tx_at, sample->last_serial, seg->seq)) {
        sample->prior_delivered = seg->delivered;
        sample->prior_delivered_at_ns = (uint64_t)seg->delivered_at;
        sample->is_app_limited = seg->app_limited;
        sample->is_retrans = seg->tags & TX_REPEATED;
        sample->last_serial = seg->serial;
        conn->sender->first_tx_at = seg->sent_at;
        sample->interval_ns = seg->sent_at - seg->first_tx_at; /* of the send phase */
    }
    if (seg->tags & TX_SACKED)
        seg->delivered_at = 0; /* not again when it is acknowledged for good */
}

void
tcp_rate_finish(TcpConn *conn, uint32_t delivered, uint32_t lost, CcRateSample *sample)
{
    SimTime now = tcp_now(conn), ack_phase;

    if (conn->sender->app_limited && (int32_t)(conn->delivered - conn->sender->app_limited) > 0)
        conn->sender->app_limited = 0;
    if (delivered)
        conn->sender->w.delivered_at_ns = (uint64_t)now;
    sample->acked_sacked = delivered;
    sample->losses = lost;
    if (!sample->prior_delivered_at_ns || conn->sender->sack_reneg) {
        sample->delivered = 0;
        sample->interval_ns = -1;
        return;
    }
    sample->delivered = conn->delivered - sample->prior_delivered;
    ack_phase = now - (SimTime)sample->prior_delivered_at_ns;
    sample->interval_ns = MAX(sample->interval_ns, ack_phase);
    /* Shorter than any RTT: ACKs were bunched, it proves nothing. */
    if (sample->interval_ns < tcp_rtt_min(conn)) {
        sample->interval_ns = -1;
        return;
    }
    if (!sample->is_app_limited ||
        (double)sample->delivered * (double)conn->sender->rate_interval >=
            (double)conn->sender->rate_delivered * (double)sample->interval_ns) {
        conn->sender->rate_delivered = sample->delivered;
        conn->sender->rate_interval = sample->interval_ns;
        conn->sender->rate_app_limited = sample->is_app_limited;
    }
}

void
tcp_rate_mark_app_limited(TcpConn *conn)
{
    conn->sender->app_limited = MAX(conn->delivered + tcp_packets_in_flight(conn), 1u);
    conn->sender->w.marks_app_limited = false;
}

void
tcp_rate_check_app_limited(TcpConn *conn)
{
    if (conn->snd.write_seq - conn->snd.nxt < conn->snd.mss &&
        tcp_packets_in_flight(conn) < conn->sender->w.cwnd &&
        conn->sender->lost_out <= conn->sender->retrans_out)
        tcp_rate_mark_app_limited(conn);
}
