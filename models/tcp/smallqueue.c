/* What a connection may have in a send queue of its own host (TCP small queues,
 * tcp_limit_output_bytes), and small writes that wait there for company
 * (tcp_autocorking). Linux counts the memory of what it handed down and the card
 * has not freed yet; so does this file, for hosts that have such a queue at all
 * (models/node/sendqueue.h). No RFC asks for either.
 */
#include "models/tcp/ack.h"
#include "models/tcp/demux.h"

#define NO_LIMIT UINT32_MAX /* of tcp_limit_output_bytes: small queues are off */

/* Linux's sk_pacing_shift: about a millisecond of the pacing rate. */
#define PACING_SHIFT 10

static uint32_t
entry_bytes(const TcpTxSeg *seg)
{
    return tcp_tx_len(seg) + TX_SEG_OVERHEAD;
}

bool
tcp_small_queue_is_full(TcpConn *conn, const TcpTxSeg *seg, bool is_retransmit)
{
    const TcpParams *params = conn->stack->params;
    uint64_t limit = MAX(2ull * entry_bytes(seg), tcp_pacing_rate(conn) >> PACING_SHIFT);

    if (params->limit_output_bytes == NO_LIMIT)
        return false;
    if (!params->pacing && !conn->opt.max_pacing_rate && !conn->cc->main)
        limit = MIN(limit, params->limit_output_bytes);
    if (is_retransmit)
        limit *= 2;
    /* One that waits alone is let go, however little the limit. */
    if (conn->below.bytes <= limit || tcp_tx_n_sent(conn) <= 1)
        return false;
    conn->below.is_throttled = true;
    return true;
}

bool
tcp_autocork(TcpConn *conn, const TcpTxSeg *seg, uint32_t goal)
{
    if (!conn->stack->params->autocorking || tcp_tx_len(seg) >= goal || seg->eor ||
        tcp_tx_n_sent(conn) == 0 || conn->below.bytes <= entry_bytes(seg))
        return false;
    if (!conn->below.is_throttled)
        host_count(conn->stack->host, MIB_TcpExtTCPAutoCorking);
    conn->below.is_throttled = true;
    return true;
}

bool
tcp_is_still_below(const TcpConn *conn, const TcpTxSeg *seg)
{
    return conn->below.bytes > 0 && seg->sent_at > conn->below.left_at;
}

/* Some of it has left the host: what waited for that may follow. */
static void
drained(TcpConn *conn)
{
    conn->below.is_throttled = false;
    switch ((TcpState)conn->state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_CLOSING:
    case TCP_CLOSE_WAIT:
    case TCP_LAST_ACK:
        break;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
    case TCP_FIN_WAIT_2:
    case TCP_TIME_WAIT:
    case TCP_N_STATES:
        return;
    }
    tcp_enter(conn);
    if (conn->sender->lost_out > conn->sender->retrans_out &&
        tcp_packets_in_flight(conn) < conn->sender->w.cwnd)
        tcp_retransmit_queue(conn);
    tcp_write_xmit(conn, tcp_current_mss(conn), tcp_nagle_mode(conn), TCP_PUSH_ALL);
    tcp_sample(conn);
    tcp_leave(conn);
}

void
tcp_on_send_queue(Host *host, const SentPacket *packet, bool is_new)
{
    TcpTuple tuple = {
        .local = packet->src, .remote = packet->dst, .lport = packet->sport, .rport = packet->dport
    };
    TcpEntry *entry;
    TcpConn *conn;
    uint32_t bytes;

    /* ACKs weigh nothing (Linux counts two bytes), and no queue of its own. */
    if (packet->proto != IP_PROTO_TCP || packet->payload_len == 0)
        return;
    entry = tcp_demux_find(host->tcp, &tuple);
    if (entry == NULL || entry->kind != TCP_ENTRY_CONN)
        return;
    conn = (TcpConn *)entry;
    if (conn->id != packet->conn)
        return;
    bytes = packet->payload_len + (packet->is_burst_rest ? 0 : TX_SEG_OVERHEAD);
    if (is_new) {
        conn->below.bytes += bytes;
        return;
    }
    conn->below.bytes -= MIN(bytes, conn->below.bytes);
    conn->below.left_at = packet->since;
    if (conn->below.is_throttled)
        drained(conn);
}
