/* One acknowledgment (RFC 9293 §3.10.7.4 fifth check, in Linux's order):
 * window, SACK, queue and RTT, tail loss probe, recovery, timer, rate sample,
 * congestion control, retransmission. */
#include "models/tcp/ack.h"
#include "models/tcp/ecn.h"
#include "models/tcp/timestamps.h"

/* RFC 9293 §3.10.7.4: SND.WND, SND.WL1, SND.WL2. */
static void
take_window(TcpConn *conn, AckState *ack)
{
    uint32_t wnd = ack->seg->wnd, seq = ack->seg->seq;

    if (!(seq_after(ack->seq, conn->snd.una) || seq_after(seq, conn->snd.wl1) ||
          (seq == conn->snd.wl1 && (wnd > conn->snd.wnd || wnd == 0))))
        return;
    ack->flags |= ACK_WIN_UPDATE;
    conn->snd.wl1 = seq;
    if (conn->snd.wnd == wnd)
        return;
    conn->snd.wnd = wnd;
    if (tcp_tx_next_unsent(conn))
        tcp_cwnd_check_idle(conn);
    if (wnd > conn->snd.max_wnd) {
        conn->snd.max_wnd = wnd;
        tcp_sync_mss(conn, conn->path.mtu);
    }
}

/* Linux's header prediction: the next in order, an ordinary header, the same
 * window as before. Only the counters tell such ACKs apart. */
static void
count_kind(TcpConn *conn, const AckState *ack, uint32_t prior_wnd)
{
    const TcpSegment *seg = ack->seg;
    Host *host = conn->stack->host;

    if ((ack->flags & ACK_UNA_ADVANCED) && seg->seq == conn->rcv.nxt && !conn->ooo &&
        !seg->h->n_sacks && prior_wnd == conn->snd.wnd &&
        (seg->flags & ~(uint32_t)TCP_PSH) == TCP_ACK)
        host_count(host, MIB_TcpExtTCPHPAcks);
    else if (!(ack->flags & ACK_DATA))
        host_count(host, MIB_TcpExtTCPPureAcks);
}

/* Counts what this ACK acknowledges of the first entry: all of it, or, of a
 * burst, whole segments of it. 0: nothing. */
static uint32_t
acked_of(TcpConn *conn, TcpTxSeg *seg, bool *is_whole)
{
    uint32_t before = seg->pcount;

    *is_whole = !seq_after(seg->end_seq, conn->snd.una);
    if (*is_whole)
        return before;
    if (before == 1 || !seq_after(conn->snd.una, seg->seq))
        return 0;
    tcp_tx_trim_head(conn, conn->snd.una);
    return before - seg->pcount;
}

/* What tags say about an acknowledged entry. */
static void
settle_acked(TcpConn *conn, AckState *ack, TcpTxSeg *seg, uint32_t segs, uint32_t start_seq,
             SimTime *first_at, SimTime *last_at)
{
    if (__builtin_expect(seg->tags & TX_REPEATED, 0)) {
        if (seg->tags & TX_RETRANS)
            conn->sender->retrans_out -= segs;
        ack->flags |= ACK_RETRANS_ACKED;
    } else if (!(seg->tags & TX_SACKED)) {
        *last_at = seg->sent_at;
        if (*first_at < 0)
            *first_at = *last_at;
        if (seq_before(start_seq, ack->reord))
            ack->reord = start_seq;
        if (!seq_after(seg->end_seq, conn->sender->high_seq))
            ack->flags |= ACK_ORIG_SACKED;
    }
    if (seg->tags & TX_SACKED) {
        conn->sender->sacked_out -= segs;
    } else if (conn->sack_ok) {
        tcp_count_delivered(conn, segs);
        if (!tcp_repeat_was_needless(conn, ack->seg, seg))
            tcp_rack_advance(conn, seg);
    }
    if (seg->tags & TX_LOST)
        conn->sender->lost_out -= segs;
    conn->sender->packets_out -= segs;
    tcp_rate_delivered(conn, seg, &ack->rate);
    if (seg->flags & TCP_SYN) {
        ack->flags |= ACK_SYN_ACKED;
        conn->sender->retrans_at = 0;
    } else {
        ack->flags |= ACK_DATA_ACKED;
    }
}

/* RFC 6298 §3 (Karn): a sample from segments sent once; else from the
 * timestamp echo (RFC 7323 §4.1), when new data is acknowledged. */
static bool
take_rtt(TcpConn *conn, AckState *ack, SimTime seq_rtt, SimTime sack_rtt, SimTime cc_rtt)
{
    const TcpSegment *seg = ack->seg;

    if (seq_rtt < 0)
        seq_rtt = sack_rtt;
    if (seq_rtt < 0 && seg->has_ts && seg->tsecr && (ack->flags & ACK_ACKED))
        seq_rtt = cc_rtt = tcp_ts_rtt(conn, seg);
    ack->rate.rtt_ns = cc_rtt;
    if (seq_rtt < 0)
        return false;
    tcp_rtt_min_update(conn, cc_rtt, ack->flags & ACK_MAYBE_DELAYED);
    tcp_rtt_estimate(conn, seq_rtt);
    return true;
}

static void
count_hystart(TcpConn *conn)
{
    Host *host = conn->stack->host;
    bool is_train = conn->sender->w.hystart_exit == CC_HYSTART_TRAIN;

    host_count(host, is_train ? MIB_TcpExtTCPHystartTrainDetect : MIB_TcpExtTCPHystartDelayDetect);
    host_count_n(host, is_train ? MIB_TcpExtTCPHystartTrainCwnd : MIB_TcpExtTCPHystartDelayCwnd,
                 conn->sender->w.cwnd);
    conn->sender->w.hystart_exit = CC_HYSTART_NONE;
}

/* RTT samples of what was just taken off the queue, and what follows. */
static void
after_clean(TcpConn *conn, AckState *ack, uint32_t segs, bool is_whole, bool had_sacks,
            SimTime first_at, SimTime last_at)
{
    SimTime now = tcp_now(conn), seq_rtt = -1, cc_rtt = -1, sack_rtt = -1;
    TcpTxSeg *head = tcp_tx_first_sent(conn);
    bool has_rtt;

    if (first_at >= 0 && !(ack->flags & ACK_RETRANS_ACKED)) {
        seq_rtt = now - first_at;
        cc_rtt = now - last_at;
        /* A lone short segment whose ACK may have been delayed. */
        if (segs == 1 && is_whole && !had_sacks && conn->snd.una - ack->prior_una < conn->snd.mss &&
            ack->rate.prior_delivered + 1 == conn->delivered &&
            !(ack->flags & (ACK_CA_ALERT | ACK_SYN_ACKED)))
            ack->flags |= ACK_MAYBE_DELAYED;
    }
    if (ack->first_sacked_at >= 0) {
        sack_rtt = now - ack->first_sacked_at;
        cc_rtt = now - ack->last_sacked_at;
    }
    has_rtt = take_rtt(conn, ack, seq_rtt, sack_rtt, cc_rtt);
    if (ack->flags & ACK_ACKED) {
        ack->flags |= ACK_SET_TIMER;
        if (conn->path.probe_size && !seq_after(conn->path.probe_seq_end, conn->snd.una))
            tcp_mtu_probe_succeeded(conn);
        if (!conn->sack_ok) {
            tcp_reno_acked(conn, segs);
            if (ack->flags & ACK_RETRANS_ACKED)
                ack->flags &= ~(uint32_t)ACK_ORIG_SACKED;
        } else if (seq_before(ack->reord, ack->prior_fack)) {
            tcp_check_reordering(conn, ack->reord, false); /* a hole filled by the original */
        }
    } else if (head && has_rtt && sack_rtt >= 0 && sack_rtt > now - head->sent_at) {
        /* Don't put the RTO off for ever by SACKs of what was sent later. */
        ack->flags |= ACK_SET_TIMER;
    }
    if (conn->cc->on_rtt && (segs || ack->sack_delivered)) {
        CcAck sample = { .acked_segs = segs, .rtt_ns = cc_rtt };

        tcp_cc_refresh(conn);
        conn->cc->on_rtt(&conn->sender->w, &sample);
        if (conn->sender->w.hystart_exit)
            count_hystart(conn);
    }
}

static void
clean_queue(TcpConn *conn, AckState *ack)
{
    SimTime first_at = -1, last_at = -1;
    uint32_t segs = 0;
    bool had_sacks = conn->sender->sacked_out > 0, is_whole = true;
    TcpTxSeg *seg;

    ack->reord = conn->snd.nxt;
    while ((seg = tcp_tx_first_sent(conn))) {
        uint32_t start_seq = seg->seq;
        uint32_t acked = acked_of(conn, seg, &is_whole);

        if (!acked)
            break;
        settle_acked(conn, ack, seg, acked, start_seq, &first_at, &last_at);
        segs += acked;
        if (!is_whole)
            break;
        tcp_tx_pop(conn);
    }
    if (!seg)
        tcp_chrono_stop(conn, TCP_CHRONO_BUSY);
    else if (seg->tags & TX_SACKED)
        ack->flags |= ACK_RENEGING;
    if (conn->snd.urgent && !seq_after(conn->snd.up, conn->snd.una))
        conn->snd.urgent = false;
    after_clean(conn, ack, segs, is_whole, had_sacks, first_at, last_at);
}

/* Nothing is wrong with this ACK: forward progress in Open or after. */
static bool
is_dubious(const TcpConn *conn, const AckState *ack)
{
    return !(ack->flags & ACK_NOT_DUP) || (ack->flags & ACK_CA_ALERT) ||
           conn->sender->w.ca_state != TCP_CA_OPEN;
}

static inline void
note_pacing(TcpConn *conn)
{
    conn->sender->pace_cwnd = MAX(conn->sender->w.cwnd, conn->sender->packets_out);
    conn->rtt.paced = conn->rtt.srtt;
}

static void
congestion_control(TcpConn *conn, AckState *ack, uint32_t delivered)
{
    const TcpParams *params = conn->stack->params;
    uint32_t needed;

    if (conn->cc->main) {
        tcp_cc_refresh(conn);
        conn->cc->main(&conn->sender->w, &ack->rate);
        if (__builtin_expect(conn->sender->w.marks_app_limited, 0))
            tcp_rate_mark_app_limited(conn);
        note_pacing(conn); /* for those that set no rate of their own */
        return;
    }
    /* With much reordering any delivery opens the window, else only in-order
     * delivery (RFC 5681). */
    needed = conn->sender->reordering > params->reordering ? ACK_FORWARD : ACK_DATA_ACKED;
    if (tcp_in_cwnd_reduction(conn)) {
        tcp_prr_update(conn, delivered, ack->rate.losses, ack->flags);
    } else if (ack->flags & needed) {
        CcAck sample = { .acked_segs = delivered, .rtt_ns = ack->rate.rtt_ns };

        tcp_cc_refresh(conn);
        conn->cc->on_ack(&conn->sender->w, &sample);
        conn->sender->cwnd_stamp = tcp_now(conn);
    }
    note_pacing(conn);
}

static void
count_delivered(TcpConn *conn, uint32_t delivered, bool is_ece)
{
    if (!delivered)
        return;
    host_count_n(conn->stack->host, MIB_TcpExtTCPDelivered, delivered);
    if (is_ece) {
        conn->sender->delivered_ce += delivered;
        host_count_n(conn->stack->host, MIB_TcpExtTCPDeliveredCE, delivered);
    }
}

/* Acknowledgment of something outstanding, or a duplicate. */
static void
ack_outstanding(TcpConn *conn, AckState *ack, uint32_t delivered_before, uint32_t lost_before)
{
    uint32_t delivered;

    clean_queue(conn, ack);
    tcp_rack_update_window(conn, &ack->rate);
    if (conn->sender->tlp_high_seq)
        tcp_tlp_ack(conn, ack);
    if (is_dubious(conn, ack)) {
        if (!(ack->flags & (ACK_UNA_ADVANCED | ACK_NOT_DUP | ACK_DSACKING)))
            ack->dup_acks = 1;
        tcp_recovery_ack(conn, ack);
    }
    if (ack->flags & ACK_SET_TIMER)
        tcp_set_xmit_timer(conn);
    delivered = conn->delivered - delivered_before;
    count_delivered(conn, delivered, ack->flags & ACK_ECE);
    ack->rate.is_ack_delayed = ack->flags & ACK_MAYBE_DELAYED;
    tcp_rate_finish(conn, delivered, conn->sender->w.lost - lost_before, &ack->rate);
    congestion_control(conn, ack, delivered);
    tcp_recovery_send(conn, ack->rexmit);
}

/* An ACK below SND.UNA: its SACK blocks may still be news. */
static TcpVerdict
ack_old(TcpConn *conn, AckState *ack, uint32_t delivered_before)
{
    uint32_t max_wnd = (uint32_t)MIN((uint64_t)conn->snd.max_wnd, conn->bytes_acked);

    /* RFC 5961 §5.2: too old to be anything but blind injection. Before it any
     * old number was good enough. */
    if (seq_before(ack->seq, conn->snd.una - max_wnd) && conn->stack->params->rfc5961)
        return TCP_CHALLENGE;
    if (ack->seg->h->n_sacks) {
        tcp_sack_tag(conn, ack);
        tcp_recovery_ack(conn, ack);
        count_delivered(conn, conn->delivered - delivered_before, false);
        tcp_recovery_send(conn, ack->rexmit);
    }
    return TCP_PASS;
}

/* The SYN-ACK was the request's, not of our queue: its sample is taken here.
 * first_tx_at: when it was sent, 0 when it was sent more than once. */
static void
syn_ack_acked(TcpConn *conn, AckState *ack)
{
    SimTime rtt = conn->sender->first_tx_at ? tcp_now(conn) - conn->sender->first_tx_at : -1;

    ack->flags |= ACK_SYN_ACKED;
    take_rtt(conn, ack, rtt, -1, rtt);
    conn->delivered++;
}

static void
note_ack_event(TcpConn *conn, AckState *ack)
{
    if (__builtin_expect(conn->cc->in_ack_event != NULL, 0)) {
        tcp_cc_refresh(conn);
        conn->cc->in_ack_event(&conn->sender->w, ack->flags & ACK_ECE,
                               conn->snd.una - ack->prior_una, ack->seq);
    }
}

TcpVerdict
tcp_ack(TcpConn *conn, TcpSegment *seg, bool is_syn_ack)
{
    uint32_t delivered = conn->delivered, lost = conn->sender->w.lost, prior_wnd;
    AckState ack = { .seg = seg,
                     .seq = seg->ack,
                     .prior_una = conn->snd.una,
                     .prior_packets = conn->sender->packets_out,
                     .first_sacked_at = -1,
                     .last_sacked_at = -1,
                     .rate = { .rtt_ns = -1 } };

    if (seq_before(ack.seq, conn->snd.una))
        return ack_old(conn, &ack, delivered);
    if (seq_after(ack.seq, conn->snd.nxt)) /* of data that we have not sent */
        return conn->stack->params->rfc5961
                   ? TCP_CHALLENGE
                   : tcp_refuse(seg, TCP_DROP_ACK, "acknowledgment of data never sent",
                                "RFC 9293 §3.10.7.4 #5");
    if (seq_after(ack.seq, conn->snd.una)) {
        ack.flags |= ACK_UNA_ADVANCED;
        conn->sender->retransmits = 0;
    }
    ack.prior_fack = conn->sack_ok ? tcp_highest_sack(conn) : conn->snd.una;
    ack.rate.prior_in_flight = tcp_packets_in_flight(conn);

    if (seg->payload.len || (seg->flags & (TCP_SYN | TCP_FIN)))
        ack.flags |= ACK_DATA;
    prior_wnd = conn->snd.wnd;
    take_window(conn, &ack);
    count_kind(conn, &ack, prior_wnd);
    conn->bytes_acked += ack.seq - conn->snd.una;
    conn->snd.una = ack.seq;
    if (__builtin_expect(seg->h->n_sacks && conn->sack_ok && !is_syn_ack, 0))
        tcp_sack_tag(conn, &ack);
    if (tcp_ecn_is_echo(conn, seg->flags))
        ack.flags |= ACK_ECE;
    note_ack_event(conn, &ack);

    conn->soft_error = 0; /* something works */
    conn->probes_out = 0;
    conn->last_ack_recv_at = tcp_now(conn);
    if (ack.prior_packets == 0) {
        if (conn->state == TCP_SYN_RECEIVED && (ack.flags & ACK_UNA_ADVANCED))
            syn_ack_acked(conn, &ack);
        if (ack.flags & ACK_DSACKING) {
            tcp_recovery_ack(conn, &ack);
            count_delivered(conn, conn->delivered - delivered, false);
        }
        tcp_persist_ack(conn);
        if (conn->sender->tlp_high_seq)
            tcp_tlp_ack(conn, &ack);
    } else {
        ack_outstanding(conn, &ack, delivered, lost);
    }
    tcp_sample(conn);
    return TCP_PASS;
}
