/* The state machine of loss recovery, with Linux's states:
 *   Open      all is well
 *   Disorder  duplicates or SACKs came: limited transmit (RFC 3042), no more
 *   CWR       the window shrinks for another reason than loss (ECN, a probe)
 *   Recovery  fast retransmit and fast recovery (RFC 5681, 6582, 6675, 8985)
 *   Loss      after an RTO, or SACK reneging
 * A state ends when high_seq, SND.NXT at its beginning, is acknowledged.
 *
 * Limited transmit needs no code of its own: SACKed segments and counted
 * duplicates are no longer in flight, so cwnd lets new ones go. */
#include "models/tcp/ack.h"
#include "models/tcp/ecn.h"

void
tcp_set_ca_state(TcpConn *conn, TcpCaState state)
{
    if (conn->cc->on_state) {
        tcp_cc_refresh(conn);
        conn->cc->on_state(&conn->sender->w, state);
    }
    conn->sender->w.ca_state = (uint8_t)state;
}

void
tcp_cwnd_reduction_start(TcpConn *conn)
{
    conn->sender->high_seq = conn->snd.nxt;
    conn->sender->tlp_high_seq = 0;
    conn->sender->w.cwnd_cnt = 0;
    conn->sender->w.prior_cwnd = conn->sender->w.cwnd;
    conn->sender->prr_delivered = conn->sender->prr_out = 0;
    conn->sender->w.ssthresh = tcp_cc_ssthresh(conn);
    tcp_ecn_queue_cwr(conn);
}

void
tcp_cwnd_reduction_end(TcpConn *conn)
{
    if (conn->cc->main)
        return;
    if (conn->sender->w.ssthresh < CC_INFINITE_SSTHRESH &&
        (conn->sender->w.ca_state == TCP_CA_CWR || conn->sender->undo_marker)) {
        conn->sender->w.cwnd = conn->sender->w.ssthresh;
        conn->sender->cwnd_stamp = tcp_now(conn);
    }
    tcp_cc_event(conn, CC_EVENT_COMPLETE_CWR);
}

void
tcp_enter_cwr(TcpConn *conn)
{
    tcp_sender_own(conn)->prior_ssthresh = 0;
    if (conn->sender->w.ca_state >= TCP_CA_CWR)
        return;
    conn->sender->undo_marker = 0;
    tcp_cwnd_reduction_start(conn);
    tcp_set_ca_state(conn, TCP_CA_CWR);
}

void
tcp_try_keep_open(TcpConn *conn)
{
    TcpCaState state = TCP_CA_OPEN;

    if (conn->sender->sacked_out || conn->sender->lost_out || tcp_any_retransmitted(conn))
        state = TCP_CA_DISORDER;
    if (conn->sender->w.ca_state != state) {
        tcp_set_ca_state(conn, state);
        conn->sender->high_seq = conn->snd.nxt;
    }
}

static void
try_to_open(TcpConn *conn, const AckState *ack)
{
    tcp_retrans_stamp_clean(conn);
    if (ack->flags & ACK_ECE)
        tcp_enter_cwr(conn);
    if (conn->sender->w.ca_state != TCP_CA_CWR)
        tcp_try_keep_open(conn);
}

void
tcp_enter_recovery(TcpConn *conn, bool is_ece)
{
    tcp_retrans_stamp_clean(conn);
    host_count(conn->stack->host,
               conn->sack_ok ? MIB_TcpExtTCPSackRecovery : MIB_TcpExtTCPRenoRecovery);
    conn->sender->prior_ssthresh = 0;
    tcp_undo_init(conn);
    if (!tcp_in_cwnd_reduction(conn)) {
        if (!is_ece)
            conn->sender->prior_ssthresh = tcp_current_ssthresh(conn);
        tcp_cwnd_reduction_start(conn);
    }
    tcp_set_ca_state(conn, TCP_CA_RECOVERY);
}

void
tcp_enter_loss(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;
    bool is_new = conn->sender->w.ca_state < TCP_CA_RECOVERY;

    tcp_mark_all_lost(conn);
    /* Once a window: RFC 5681 §3.1 */
    if (conn->sender->w.ca_state <= TCP_CA_DISORDER ||
        !seq_after(conn->sender->high_seq, conn->snd.una) ||
        (conn->sender->w.ca_state == TCP_CA_LOSS && !conn->sender->retransmits)) {
        conn->sender->prior_ssthresh = tcp_current_ssthresh(conn);
        conn->sender->w.prior_cwnd = conn->sender->w.cwnd;
        conn->sender->w.ssthresh = tcp_cc_ssthresh(conn);
        tcp_cc_event(conn, CC_EVENT_LOSS);
        tcp_undo_init(conn);
    }
    conn->sender->w.cwnd = tcp_packets_in_flight(conn) + 1;
    conn->sender->w.cwnd_cnt = 0;
    conn->sender->cwnd_stamp = tcp_now(conn);
    /* A timeout after that many duplicates: reordering was overestimated. */
    if (conn->sender->w.ca_state <= TCP_CA_DISORDER &&
        conn->sender->sacked_out >= params->reordering)
        conn->sender->reordering = MIN(conn->sender->reordering, params->reordering);
    tcp_set_ca_state(conn, TCP_CA_LOSS);
    conn->sender->high_seq = conn->snd.nxt;
    conn->sender->tlp_high_seq = 0;
    tcp_ecn_queue_cwr(conn);
    conn->sender->frto =
        params->frto && (is_new || conn->sender->retransmits) && !conn->path.probe_size;
}

/* RFC 2018 §8: the receiver threw away what it had SACKed. Wait a little for
 * it to come to its senses, then start over. */
static bool
check_reneging(TcpConn *conn, AckState *ack)
{
    if (!(ack->flags & ACK_RENEGING) || !(ack->flags & ACK_UNA_ADVANCED))
        return false;
    tcp_timer_set(conn, TCP_TIMER_RTO, MAX(conn->rtt.srtt / 2, 10 * SIM_MS));
    ack->flags &= ~(uint32_t)ACK_SET_TIMER;
    return true;
}

static void
identify_losses(TcpConn *conn, AckState *ack)
{
    uint32_t retrans = conn->sender->retrans_out;

    if (tcp_tx_n_sent(conn) == 0)
        return;
    if (!conn->sack_ok) {
        tcp_reno_mark_lost(conn, ack->flags & ACK_UNA_ADVANCED);
    } else if (!tcp_rack_is_on(conn)) {
        tcp_scoreboard_rfc6675(conn);
    } else {
        if (tcp_rack_mark_lost(conn))
            ack->flags &= ~(uint32_t)ACK_SET_TIMER;
        if (retrans > conn->sender->retrans_out)
            ack->flags |= ACK_LOST_RETRANS;
    }
}

/* high_seq is acknowledged: the state ends. True: nothing more to do. */
static bool
end_state(TcpConn *conn, AckState *ack)
{
    if (conn->sender->w.ca_state == TCP_CA_CWR) {
        /* Something above it, so that CWR has reached the receiver. */
        if (conn->snd.una != conn->sender->high_seq) {
            tcp_cwnd_reduction_end(conn);
            tcp_set_ca_state(conn, TCP_CA_OPEN);
        }
    } else if (conn->sender->w.ca_state == TCP_CA_RECOVERY) {
        if (!conn->sack_ok)
            tcp_reno_reset(conn);
        if (tcp_undo_recovery(conn, ack))
            return true;
        tcp_cwnd_reduction_end(conn);
    }
    return false;
}

/* True: retransmit. */
static bool
ack_in_recovery(TcpConn *conn, AckState *ack)
{
    if (!(ack->flags & ACK_UNA_ADVANCED)) {
        if (!conn->sack_ok)
            tcp_reno_add_dups(conn, ack->dup_acks);
    } else {
        bool holds;

        tcp_undo_partial(conn, ack, &holds);
        if (holds)
            return false;
    }
    if (tcp_undo_dsack(conn))
        try_to_open(conn, ack);
    identify_losses(conn, ack);
    if (conn->sender->w.ca_state != TCP_CA_RECOVERY) {
        if (!conn->sender->lost_out)
            return false;
        tcp_enter_recovery(conn, ack->flags & ACK_ECE);
    }
    return true;
}

/* Open, Disorder, CWR: is it time to recover? True: retransmit. */
static bool
ack_before_recovery(TcpConn *conn, AckState *ack)
{
    if (!conn->sack_ok) {
        if (ack->flags & ACK_UNA_ADVANCED)
            tcp_reno_reset(conn);
        tcp_reno_add_dups(conn, ack->dup_acks);
    }
    if (conn->sender->w.ca_state <= TCP_CA_DISORDER)
        tcp_undo_dsack(conn);
    identify_losses(conn, ack);
    if (!conn->sender->lost_out) {
        try_to_open(conn, ack);
        return false;
    }
    /* The loss of a path MTU probe says nothing about congestion. */
    if (conn->sender->w.ca_state < TCP_CA_CWR && conn->path.probe_size &&
        conn->snd.una == conn->path.probe_seq_start) {
        tcp_mtu_probe_failed(conn);
        conn->sender->w.cwnd++;
        tcp_retransmit_simple(conn);
        return false;
    }
    tcp_enter_recovery(conn, ack->flags & ACK_ECE);
    return true;
}

static void
note_rto_recovered(TcpConn *conn)
{
    if (!conn->sender->rto_began)
        return;
    conn->sender->total_rto_ms += (uint32_t)((tcp_now(conn) - conn->sender->rto_began) / SIM_MS);
    conn->sender->rto_began = 0;
}

void
tcp_recovery_ack(TcpConn *conn, AckState *ack)
{
    bool retransmits = false;

    if (conn->sender->packets_out == 0)
        conn->sender->sacked_out = 0;
    if (ack->flags & ACK_ECE)
        conn->sender->prior_ssthresh = 0; /* no undo: the reduction is deserved */
    if (check_reneging(conn, ack))
        return;
    sim_check(conn->sender->sacked_out + conn->sender->lost_out <= conn->sender->packets_out);
    sim_check(conn->sender->retrans_out <= conn->sender->packets_out);
    if (conn->sender->w.ca_state == TCP_CA_OPEN)
        conn->sender->retrans_at = 0;
    else if (!seq_before(conn->snd.una, conn->sender->high_seq) && end_state(conn, ack))
        return;

    switch ((TcpCaState)conn->sender->w.ca_state) {
    case TCP_CA_RECOVERY:
        retransmits = ack_in_recovery(conn, ack);
        break;
    case TCP_CA_LOSS:
        tcp_loss_ack(conn, ack);
        if (conn->sender->w.ca_state != TCP_CA_LOSS)
            note_rto_recovered(conn);
        identify_losses(conn, ack);
        if (conn->sender->w.ca_state != TCP_CA_OPEN && !(ack->flags & ACK_LOST_RETRANS))
            return;
        retransmits = ack_before_recovery(conn, ack);
        break;
    case TCP_CA_OPEN:
    case TCP_CA_DISORDER:
    case TCP_CA_CWR:
        retransmits = ack_before_recovery(conn, ack);
        break;
    }
    if (retransmits)
        ack->rexmit = REXMIT_LOST;
}

void
tcp_recovery_send(TcpConn *conn, Rexmit rexmit)
{
    if (rexmit == REXMIT_NONE || conn->state == TCP_SYN_SENT)
        return;
    if (rexmit == REXMIT_NEW) {
        tcp_push_pending(conn, tcp_current_mss(conn), TCP_NAGLE_OFF);
        if (seq_after(conn->snd.nxt, conn->sender->high_seq))
            return;
        conn->sender->frto = false;
    }
    tcp_retransmit_queue(conn);
}
