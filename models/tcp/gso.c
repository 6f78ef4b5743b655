/* How much leaves in one burst. Linux hands a burst down as one buffer and
 * lets the layer below cut it; its size follows the pacing rate (about a
 * millisecond's worth), and a short one waits a little for the next ACK when
 * that will make it longer. */
#include "models/tcp/output.h"

/* Largest burst: 64 KiB less the headers that Linux keeps room for. */
#define GSO_MAX_BYTES 65279u
/* Linux's sk_pacing_shift: a burst is this fraction (2^-10) of a second's rate. */
#define PACING_SHIFT 10

uint32_t
tcp_burst_segs(const TcpConn *conn, uint32_t mss)
{
    const TcpParams *params = conn->stack->params;
    uint64_t rate, bytes;
    uint64_t rtt_steps;
    SimTime rtt_min;

    if (!params->gso)
        return 1;
    rate = tcp_pacing_rate(conn);
    bytes = rate >> PACING_SHIFT;
    rtt_min = tcp_rtt_min(conn);
    rtt_steps =
        params->tso_rtt_log && rtt_min ? (uint64_t)(rtt_min / SIM_US) >> params->tso_rtt_log : 64;
    if (rtt_steps < 32)
        bytes += GSO_MAX_BYTES >> rtt_steps;
    bytes = MIN(bytes, GSO_MAX_BYTES);
    return MAX((uint32_t)bytes / mss, params->min_tso_segs);
}

uint32_t
tcp_size_goal(const TcpConn *conn, uint32_t mss)
{
    uint32_t goal;

    if (!conn->stack->params->gso)
        return mss;
    goal = tcp_bound_to_half_window(conn, GSO_MAX_BYTES);
    return MAX(goal / mss * mss, mss);
}

/* The next ACK is so far off that it does not pay to wait for it: more than
 * half an RTT or a millisecond. */
static bool
next_ack_is_far(const TcpConn *conn)
{
    const TcpTxSeg *head = tcp_tx_first_sent(conn);
    SimTime expected, patience;

    if (!head)
        return true;
    expected = head->sent_at + conn->rtt.srtt;
    patience = MIN(conn->rtt.srtt / 2, SIM_MS);
    return expected - tcp_now(conn) > patience;
}

bool
tcp_burst_should_wait(const TcpConn *conn, const TcpTxSeg *seg, uint32_t max_segs,
                      bool *is_cwnd_limited, bool *is_rwnd_limited)
{
    uint32_t mss = conn->snd.mss, divisor = conn->stack->params->tso_win_divisor;
    uint32_t send_win, cong_win, limit, len = tcp_tx_len(seg);
    bool is_last = conn->tx->n_sent + 1 == conn->tx->count;

    if (conn->sender->w.ca_state >= TCP_CA_RECOVERY)
        return false;
    if (tcp_now(conn) - conn->last_send_at > SIM_MS)
        return false; /* the last send is long ago: no burst to join */
    send_win = tcp_wnd_end(conn) - seg->seq;
    cong_win = (conn->sender->w.cwnd - tcp_packets_in_flight(conn)) * mss;
    limit = MIN(send_win, cong_win);
    if (limit >= max_segs * mss || (!is_last && limit >= len))
        return false;
    if (divisor) {
        if (limit >= MIN(conn->snd.wnd, conn->sender->w.cwnd * mss) / divisor)
            return false;
    } else if (limit > 3 * mss) {
        return false;
    }
    if (next_ack_is_far(conn))
        return false;
    if (cong_win < send_win) {
        if (cong_win <= len) {
            *is_cwnd_limited = true;
            return true;
        }
    } else if (send_win <= len) {
        *is_rwnd_limited = true;
        return true;
    }
    return !(seg->flags & TCP_FIN || seg->eor);
}

uint32_t
tcp_burst_limit(const TcpConn *conn, const TcpTxSeg *seg, uint32_t mss, uint32_t max_segs,
                unsigned nagle)
{
    uint32_t window = tcp_wnd_end(conn) - seg->seq;
    uint32_t most = mss * max_segs, needed, partial;
    bool is_last = conn->tx->n_sent + 1 == conn->tx->count;

    if (most <= window && !is_last)
        return most;
    needed = MIN(tcp_tx_len(seg), window);
    if (most <= needed)
        return most;
    partial = needed % mss;
    return tcp_nagle_holds(conn, partial != 0, nagle) ? needed - partial : needed;
}
