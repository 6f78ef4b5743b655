/* Tail loss probe (RFC 8985 §7): when ACKs stop short of the RTO, one segment
 * is sent to make the receiver speak, so that RACK can find the loss. */
#include "models/tcp/ack.h"

bool
tcp_tlp_schedule(TcpConn *conn, bool is_advancing)
{
    const TcpParams *params = conn->stack->params;
    SimTime timeout, left;

    if ((params->early_retrans != 3 && params->early_retrans != 4) ||
        conn->sender->packets_out == 0 || !conn->sack_ok ||
        (conn->sender->w.ca_state != TCP_CA_OPEN && conn->sender->w.ca_state != TCP_CA_CWR))
        return false;
    if (conn->rtt.srtt) {
        timeout = conn->rtt.srtt * params->tail_probe_rtt_mult;
        /* A lone segment's ACK may be delayed (RFC 8985 §7.2: WCDelAckT; as
         * Linux takes it, the least RTO). */
        timeout += conn->sender->packets_out == 1 ? tcp_rto_min(conn) : TCP_TIMEOUT_MIN;
    } else {
        timeout = params->initial_rto_ms * SIM_MS;
    }
    left = is_advancing ? conn->rtt.rto : tcp_rto_left(conn);
    if (left > 0)
        timeout = MIN(timeout, left);
    tcp_timer_set(conn, TCP_TIMER_TLP, timeout);
    return true;
}

/* Repeats the last segment. False: it could not be sent. */
static bool
probe_with_last(TcpConn *conn, uint32_t mss)
{
    uint32_t last = conn->tx->n_sent - 1;
    TcpTxSeg *seg = tcp_tx_at(conn, last);

    if (seg->pcount > 1 && tcp_tx_len(seg) > (seg->pcount - 1) * mss) {
        tcp_tx_cut(conn, last, (seg->pcount - 1) * mss, mss);
        last++;
    }
    return tcp_retransmit_entry(conn, last, 1, "tail loss probe", "RFC 8985 §7.3") == 0;
}

void
tcp_tlp_send(TcpConn *conn)
{
    uint32_t mss = tcp_current_mss(conn), before = conn->sender->packets_out;
    TcpTxSeg *unsent = tcp_tx_next_unsent(conn);
    bool was_sent = false;

    if (tcp_tx_n_sent(conn) == 0) {
        conn->rtx.spare = TCP_TIMER_NONE;
        return;
    }
    if (conn->sender->tlp_high_seq == 0) { /* at most one at a time */
        conn->sender->tlp_retrans = false;
        if (unsent && !seq_after(unsent->seq + MIN(tcp_tx_len(unsent), mss), tcp_wnd_end(conn))) {
            tcp_write_xmit(conn, mss, TCP_NAGLE_OFF, TCP_PUSH_PROBE);
            was_sent = conn->sender->packets_out > before;
        } else {
            was_sent = conn->sender->tlp_retrans = probe_with_last(conn, mss);
        }
    }
    if (was_sent) {
        conn->sender->tlp_high_seq = conn->snd.nxt;
        host_count(conn->stack->host, MIB_TcpExtTCPLossProbes);
        conn->rtx.spare = TCP_TIMER_NONE; /* the RTO starts anew, whole */
    }
    tcp_rearm_rto(conn);
}

void
tcp_tlp_ack(TcpConn *conn, AckState *ack)
{
    if (seq_before(ack->seq, conn->sender->tlp_high_seq))
        return;
    if (!conn->sender->tlp_retrans) {
        conn->sender->tlp_high_seq = 0; /* the probe was new data */
    } else if (ack->flags & ACK_TLP_DSACK) {
        conn->sender->tlp_high_seq = 0; /* both copies arrived: nothing was lost */
    } else if (seq_after(ack->seq, conn->sender->tlp_high_seq)) {
        /* One arrived where two were sent: the probe repaired a loss, which
         * deserves the reduction (RFC 8985 §7.4.2). */
        tcp_cwnd_reduction_start(conn);
        tcp_set_ca_state(conn, TCP_CA_CWR);
        tcp_cwnd_reduction_end(conn);
        tcp_try_keep_open(conn);
        host_count(conn->stack->host, MIB_TcpExtTCPLossProbeRecovery);
    } else if (!(ack->flags & (ACK_UNA_ADVANCED | ACK_NOT_DUP | ACK_DATA_SACKED))) {
        conn->sender->tlp_high_seq = 0; /* a plain duplicate: both copies arrived */
    }
}
