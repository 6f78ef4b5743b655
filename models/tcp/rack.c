/* RACK (RFC 8985): a segment is lost when one that was sent later has been
 * delivered, and a reordering window has passed besides. The window is zero
 * until reordering has been seen, then a quarter of the least RTT and more
 * when D-SACKs show that it was too short. */
#include "models/tcp/ack.h"
#include "models/tcp/fastopen.h"

/* tcp_recovery bits */
enum { RACK_ON = 1, RACK_STATIC_WINDOW = 2, RACK_NO_DUPTHRESH = 4 };

bool
tcp_rack_is_on(const TcpConn *conn)
{
    return conn->stack->params->recovery & RACK_ON;
}

void
tcp_rack_advance(TcpConn *conn, const TcpTxSeg *seg)
{
    SimTime rtt = tcp_now(conn) - seg->sent_at;
    TcpSender *sender = conn->sender;

    /* A Fast Open child's SYN-ACK is its request's, on Linux: no news of data. */
    if (__builtin_expect(seg->flags & TCP_SYN, 0) && tcp_fastopen_is_child(conn))
        return;
    /* Too fast for the retransmission: it was the original that arrived. */
    if ((seg->tags & TX_REPEATED) && rtt < tcp_rtt_min(conn))
        return;
    sender->rack.advanced = true;
    conn->rtt.newest = rtt;
    if (tcp_sent_after(seg, sender->rack.at, sender->rack.serial, sender->rack.end_seq)) {
        sender->rack.at = seg->sent_at;
        sender->rack.serial = seg->serial;
        sender->rack.end_seq = seg->end_seq;
    }
}

/* The newest segment known to be delivered was sent after this one. */
static bool
rack_is_after(const TcpSender *sender, const TcpTxSeg *seg)
{
    if (seg->sent_at != sender->rack.at)
        return sender->rack.at > seg->sent_at;
    if (seg->serial != sender->rack.serial)
        return seq_after(sender->rack.serial, seg->serial);
    return seq_after(sender->rack.end_seq, seg->end_seq);
}

static SimTime
reordering_window(const TcpConn *conn)
{
    if (!conn->sender->reord_seen) {
        if (conn->sender->w.ca_state >= TCP_CA_RECOVERY)
            return 0;
        if (conn->sender->sacked_out >= conn->sender->reordering &&
            !(conn->stack->params->recovery & RACK_NO_DUPTHRESH))
            return 0; /* the classic threshold of duplicates */
    }
    return MIN(tcp_rtt_min(conn) / 4 * conn->sender->rack.reo_wnd_steps, conn->rtt.srtt);
}

SimTime
tcp_rack_time_left(const TcpConn *conn, const TcpTxSeg *seg, SimTime window)
{
    return conn->rtt.newest + window - (tcp_now(conn) - seg->sent_at);
}

/* Marks what is lost; returns how long to wait for what may be (0: nothing). */
static SimTime
detect_losses(TcpConn *conn)
{
    SimTime window = reordering_window(conn), wait = 0;
    const TcpSender *sender = conn->sender;

    for (uint32_t i = 0; i < tcp_tx_n_sent(conn); i++) {
        TcpTxSeg *seg = tcp_tx_at(conn, i);
        SimTime left;

        if (seg->tags & TX_SACKED || (seg->tags & (TX_LOST | TX_RETRANS)) == TX_LOST)
            continue;
        if (!rack_is_after(sender, seg)) {
            /* First transmissions are in order of time: no use to look on,
             * but for what was retransmitted. */
            if (!(seg->tags & TX_REPEATED) && !seq_before(seg->seq, sender->rtx_high))
                break;
            continue;
        }
        left = tcp_rack_time_left(conn, seg, window);
        if (left <= 0)
            tcp_mark_lost(conn, seg);
        else
            wait = MAX(wait, left);
    }
    return wait;
}

bool
tcp_rack_mark_lost(TcpConn *conn)
{
    SimTime wait;

    if (!conn->sender->rack.advanced)
        return false;
    conn->sender->rack.advanced = false;
    wait = detect_losses(conn);
    if (wait)
        tcp_timer_set(conn, TCP_TIMER_REORDER, MIN(wait + TCP_TIMEOUT_MIN, conn->rtt.rto));
    return wait > 0;
}

void
tcp_rack_reorder_timer(TcpConn *conn)
{
    uint32_t in_flight = tcp_packets_in_flight(conn), lost = conn->sender->w.lost;

    detect_losses(conn);
    if (in_flight != tcp_packets_in_flight(conn)) {
        if (conn->sender->w.ca_state != TCP_CA_RECOVERY) {
            tcp_enter_recovery(conn, false);
            if (!conn->cc->main)
                tcp_prr_update(conn, 1, conn->sender->w.lost - lost, 0);
        }
        tcp_retransmit_queue(conn);
    }
    if (tcp_timer_pending(conn) != TCP_TIMER_RTO)
        tcp_rearm_rto(conn);
}

/* RFC 8985 §6.2 step 4: the window grows by a step a round with D-SACKs, and
 * shrinks back after sixteen recoveries without. */
void
tcp_rack_update_window(TcpConn *conn, const CcRateSample *sample)
{
    if ((conn->stack->params->recovery & RACK_STATIC_WINDOW) || !sample->prior_delivered)
        return;
    if ((int32_t)(sample->prior_delivered - conn->sender->rack.last_delivered) < 0)
        conn->sender->rack.dsack_seen = false;
    if (conn->sender->rack.dsack_seen) {
        conn->sender->rack.reo_wnd_steps = (uint8_t)MIN(0xff, conn->sender->rack.reo_wnd_steps + 1);
        conn->sender->rack.dsack_seen = false;
        conn->sender->rack.last_delivered = conn->delivered;
        conn->sender->rack.reo_wnd_persist = TCP_RACK_PERSIST;
    } else if (!conn->sender->rack.reo_wnd_persist) {
        conn->sender->rack.reo_wnd_steps = 1;
    }
}
