#include "models/tcp/ecn.h"

#include "models/ip/metrics.h"
#include "models/tcp/delack.h"

uint16_t
tcp_ecn_syn_flags(TcpConn *conn)
{
    uint32_t mode = conn->stack->params->ecn;
    bool asks = mode == 1 || mode == 3 || mode == 4 ||
                ip_metrics(conn->stack->host, conn->entry.tuple.remote)->ecn;

    conn->ecn.flags = 0;
    if (!asks && !(conn->cc && conn->cc->needs_ecn))
        return 0;
    conn->ecn.flags = TCP_ECN_OK;
    return TCP_ECE | TCP_CWR;
}

bool
tcp_ecn_syn_falls_back(const TcpConn *conn)
{
    return tcp_ecn_is_on(conn) && conn->stack->params->ecn_fallback;
}

bool
tcp_ecn_accepts(const TcpStack *stack, const CcOps *cc, IpAddr peer, uint16_t syn_flags,
                uint8_t ip_ecn)
{
    bool needs = cc && cc->needs_ecn;

    if ((syn_flags & (TCP_ECE | TCP_CWR)) != (TCP_ECE | TCP_CWR))
        return false;
    /* RFC 3168 §6.1.1: a SYN must not be ECT: one that is may come through a
     * box that rewrites the field. An algorithm that needs ECN sends such. */
    if ((ip_ecn & ECN_MASK) != ECN_NOT_ECT && !needs)
        return false;
    return needs || stack->params->ecn != 0 || ip_metrics(stack->host, peer)->ecn;
}

void
tcp_ecn_take_syn_ack(TcpConn *conn, uint16_t flags)
{
    if ((flags & (TCP_ECE | TCP_CWR)) != TCP_ECE)
        conn->ecn.flags = 0;
}

void
tcp_ecn_take_syn(TcpConn *conn, uint16_t flags)
{
    if ((flags & (TCP_ECE | TCP_CWR)) != (TCP_ECE | TCP_CWR))
        conn->ecn.flags = 0;
}

/* RFC 3168 §6.1.2 and §6.1.5: only data sent for the first time is ECT. Where
 * the algorithm needs ECN every segment is (RFC 8257 §3). */
uint8_t
tcp_ecn_on_transmit(TcpConn *conn, bool has_data, bool is_new_data, uint16_t *flags)
{
    uint8_t field = ECN_NOT_ECT;

    if (!tcp_ecn_is_on(conn))
        return field;
    if (has_data && is_new_data) {
        field = ECN_ECT0;
        if (conn->ecn.flags & TCP_ECN_QUEUE_CWR) {
            conn->ecn.flags &= (uint8_t)~TCP_ECN_QUEUE_CWR;
            *flags |= TCP_CWR;
        }
    } else if (conn->cc && conn->cc->needs_ecn) {
        field = ECN_ECT0;
    }
    if (conn->ecn.flags & TCP_ECN_DEMAND_CWR)
        *flags |= TCP_ECE;
    return field;
}

void
tcp_ecn_queue_cwr(TcpConn *conn)
{
    if (tcp_ecn_is_on(conn))
        conn->ecn.flags |= TCP_ECN_QUEUE_CWR;
}

void
tcp_ecn_withdraw_cwr(TcpConn *conn)
{
    conn->ecn.flags &= (uint8_t)~TCP_ECN_QUEUE_CWR;
}

/* RFC 8257 §3.2: a change of CE ends the run that one delayed ACK may cover:
 * what came before is acknowledged with the old echo, then the echo changes. */
static void
echo_exactly(TcpConn *conn, bool is_ce)
{
    if (conn->ecn.ece_demand != is_ce) {
        if (conn->ack.pending & TCP_ACK_TIMER) {
            uint32_t nxt = conn->rcv.nxt;

            conn->rcv.nxt = conn->ecn.cwr_seq; /* as it was before this segment */
            tcp_send_ack(conn, "RFC 8257 §3.2: CE changed");
            conn->rcv.nxt = nxt;
            tcp_ack_schedule(conn);
        }
        conn->ack.pending |= TCP_ACK_NOW;
    }
    conn->ecn.cwr_seq = conn->rcv.nxt;
    conn->ecn.ece_demand = is_ce;
    if (is_ce)
        conn->ecn.flags |= TCP_ECN_DEMAND_CWR;
    else
        conn->ecn.flags &= (uint8_t)~TCP_ECN_DEMAND_CWR;
}

/* RFC 3168 §6.1.3. */
void
tcp_ecn_on_data(TcpConn *conn, const TcpSegment *seg)
{
    uint8_t field = seg->ecn & ECN_MASK;

    if (!tcp_ecn_is_on(conn))
        return;
    if (field == ECN_NOT_ECT) {
        /* After ECT this is likely a retransmission: the sender waits. */
        if (conn->ecn.flags & TCP_ECN_SEEN)
            tcp_quickack_enter(conn, 2);
        return;
    }
    if (conn->cc && conn->cc->needs_ecn) {
        echo_exactly(conn, field == ECN_CE);
    }
    if (field == ECN_CE && !(conn->ecn.flags & TCP_ECN_DEMAND_CWR)) {
        tcp_quickack_enter(conn, 2); /* its window may be small */
        conn->ecn.flags |= TCP_ECN_DEMAND_CWR;
    }
    conn->ecn.flags |= TCP_ECN_SEEN;
}

void
tcp_ecn_take_cwr(TcpConn *conn, const TcpSegment *seg)
{
    if (!(seg->flags & TCP_CWR))
        return;
    conn->ecn.flags &= (uint8_t)~TCP_ECN_DEMAND_CWR;
    if (seg->seq != seg->end_seq)
        conn->ack.pending |= TCP_ACK_NOW;
}
