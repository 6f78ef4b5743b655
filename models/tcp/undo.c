/* Taking a congestion response back when it proves to have been uncalled for:
 * by timestamps (Eifel, RFC 3522 and RFC 4015), or because every
 * retransmission was reported as a duplicate (RFC 2883, RFC 3708). */
#include "models/tcp/ack.h"
#include "models/tcp/ecn.h"

void
tcp_undo_init(TcpConn *conn)
{
    conn->sender->undo_marker = conn->snd.una;
    conn->sender->undo_retrans = (int32_t)conn->sender->retrans_out;
    if (conn->sender->tlp_high_seq && conn->sender->tlp_retrans)
        conn->sender->undo_retrans++;
    if (conn->sender->undo_retrans == 0)
        conn->sender->undo_retrans = -1;
}

/* What was just acknowledged was sent before the first retransmission. */
static bool
was_only_late(const TcpConn *conn, const AckState *ack)
{
    const TcpSegment *seg = ack->seg;

    if (conn->sender->retrans_at)
        return seg->has_ts && seg->tsecr &&
               seq_before(seg->tsecr - conn->ts.offset, conn->sender->retrans_stamp);
    /* Nothing was retransmitted yet, then; but see where the stamp is cleared. */
    if (!conn->sack_ok && !seq_before(conn->snd.una, conn->sender->high_seq))
        return false;
    return conn->state != TCP_SYN_SENT;
}

static bool
may_undo(const TcpConn *conn, const AckState *ack)
{
    return conn->stack->params->early_undo && conn->sender->undo_marker &&
           (conn->sender->undo_retrans == 0 || was_only_late(conn, ack));
}

static void
undo_reduction(TcpConn *conn, bool unmark_loss)
{
    if (unmark_loss) {
        for (uint32_t i = 0; i < tcp_tx_n_sent(conn); i++)
            tcp_tx_at(conn, i)->tags &= (uint8_t)~TX_LOST;
        conn->sender->lost_out = 0;
        conn->sender->rtx_hint = conn->snd.una;
    }
    if (conn->sender->prior_ssthresh) {
        tcp_cc_refresh(conn);
        conn->sender->w.cwnd = conn->cc->undo_cwnd(&conn->sender->w);
        if (conn->sender->prior_ssthresh > conn->sender->w.ssthresh) {
            conn->sender->w.ssthresh = conn->sender->prior_ssthresh;
            tcp_ecn_withdraw_cwr(conn);
        }
    }
    conn->sender->cwnd_stamp = tcp_now(conn);
    conn->sender->undo_marker = 0;
    conn->sender->rack.advanced = true; /* look at the losses anew */
}

/* RFC 6582 §3.2: without SACK the state holds until something above high_seq
 * is acknowledged, or late duplicates would start another recovery. */
static bool
must_stay(TcpConn *conn)
{
    if (conn->snd.una != conn->sender->high_seq || conn->sack_ok)
        return false;
    tcp_retrans_stamp_clean(conn);
    return true;
}

bool
tcp_undo_recovery(TcpConn *conn, const AckState *ack)
{
    if (may_undo(conn, ack)) {
        bool was_loss = conn->sender->w.ca_state == TCP_CA_LOSS;

        undo_reduction(conn, false);
        host_count(conn->stack->host, was_loss ? MIB_TcpExtTCPLossUndo : MIB_TcpExtTCPFullUndo);
    } else if (conn->sender->rack.reo_wnd_persist) {
        conn->sender->rack.reo_wnd_persist--;
    }
    if (must_stay(conn))
        return true;
    tcp_set_ca_state(conn, TCP_CA_OPEN);
    conn->sender->sack_reneg = false;
    return false;
}

void
tcp_undo_partial(TcpConn *conn, AckState *ack, bool *holds)
{
    *holds = false;
    if (!conn->sender->undo_marker || !conn->stack->params->early_undo || !was_only_late(conn, ack))
        return;
    /* The hole was filled by the delayed original, not by a retransmission. */
    tcp_check_reordering(conn, ack->prior_una, true);
    if (conn->sender->retrans_out) {
        *holds = true; /* send new data, but mark nothing more */
        return;
    }
    tcp_retrans_stamp_clean(conn);
    undo_reduction(conn, true);
    host_count(conn->stack->host, MIB_TcpExtTCPPartialUndo);
    tcp_try_keep_open(conn);
}

bool
tcp_undo_dsack(TcpConn *conn)
{
    if (!conn->stack->params->early_undo || !conn->sender->undo_marker ||
        conn->sender->undo_retrans)
        return false;
    conn->sender->rack.reo_wnd_persist =
        (uint8_t)MIN(TCP_RACK_PERSIST, conn->sender->rack.reo_wnd_persist + 1);
    undo_reduction(conn, false);
    host_count(conn->stack->host, MIB_TcpExtTCPDSACKUndo);
    return true;
}

bool
tcp_undo_loss(TcpConn *conn, const AckState *ack, bool is_frto)
{
    if (!is_frto && !may_undo(conn, ack))
        return false;
    undo_reduction(conn, true);
    host_count(conn->stack->host, MIB_TcpExtTCPLossUndo);
    if (is_frto)
        host_count(conn->stack->host, MIB_TcpExtTCPSpuriousRTOs);
    conn->sender->retransmits = 0;
    if (must_stay(conn))
        return true;
    if (is_frto || conn->sack_ok) {
        tcp_set_ca_state(conn, TCP_CA_OPEN);
        conn->sender->sack_reneg = false;
    }
    return true;
}
