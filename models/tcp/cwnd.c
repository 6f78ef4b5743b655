/* The congestion window's use: how much room it leaves, whether sending is
 * limited by it (only then may it grow: RFC 7661's concern, Linux's answer),
 * and its decay when it is not used (RFC 5681 §4.1, RFC 2861). */
#include <string.h>

#include "models/ip/metrics.h"
#include "models/tcp/output.h"

void
tcp_cc_refresh(TcpConn *conn)
{
    CcWindow *w = &conn->sender->w;

    w->now = tcp_now(conn);
    w->snd_una = conn->snd.una;
    w->snd_nxt = conn->snd.nxt;
    w->mss = conn->snd.mss;
    w->srtt = conn->rtt.srtt;
    w->min_rtt = tcp_rtt_min(conn);
    w->delivered = conn->delivered;
    w->in_flight = tcp_packets_in_flight(conn);
    w->app_limited = conn->sender->app_limited != 0;
    w->is_cwnd_limited = tcp_cwnd_is_limited(conn);
    w->last_send_at = conn->last_send_at;
    w->departs_at = conn->sender->paced_until;
}

void
tcp_cc_forget(CcWindow *w)
{
    w->now = w->srtt = w->min_rtt = w->last_send_at = w->departs_at = 0;
    w->snd_una = w->snd_nxt = w->mss = w->in_flight = w->delivered = 0;
    w->app_limited = w->is_cwnd_limited = false;
    w->delivered_at_ns = 0;
    w->rng = NULL;
    w->params = NULL;
    memset(w->private, 0, sizeof w->private);
}

void
tcp_cc_set_rng(const TcpConn *conn, CcWindow *w)
{
    w->rng = conn->cc->draws ? tcp_luck(conn->stack, TCP_LUCK_CONGESTION) : NULL;
}

void
tcp_cc_begin(TcpConn *conn, SimTime at)
{
    CcWindow *w = &conn->sender->w;

    memset(w->private, 0, sizeof w->private);
    w->mss = conn->snd.mss;
    w->now = at;
    w->snd_una = conn->snd.una;
    w->snd_nxt = conn->snd.nxt;
    w->srtt = conn->rtt.srtt;
    w->min_rtt = tcp_rtt_min(conn);
    w->delivered = conn->delivered;
    if (conn->cc->init)
        conn->cc->init(w);
}

void
tcp_cc_event(TcpConn *conn, CcEvent event)
{
    if (conn->cc && conn->cc->on_event) {
        tcp_sender_own(conn);
        tcp_cc_refresh(conn);
        conn->cc->on_event(&conn->sender->w, event);
    }
}

uint32_t
tcp_cc_ssthresh(TcpConn *conn)
{
    tcp_cc_refresh(conn);
    return conn->cc->ssthresh(&conn->sender->w);
}

uint32_t
tcp_initial_cwnd(const TcpConn *conn)
{
    uint32_t route = ip_metrics(conn->stack->host, conn->entry.tuple.remote)->initcwnd;

    return MIN(route ? route : conn->stack->params->initial_cwnd, conn->sender->w.cwnd_clamp);
}

uint32_t
tcp_cwnd_room(const TcpConn *conn)
{
    uint32_t in_flight = tcp_packets_in_flight(conn), cwnd = conn->sender->w.cwnd;

    /* Limited transmit (RFC 3042) is what the count in flight does by itself; without
     * it, what the first duplicates tell of makes no room. */
    if (__builtin_expect(conn->sender->w.ca_state == TCP_CA_DISORDER, 0) &&
        !conn->stack->params->limited_transmit)
        in_flight += conn->sender->sacked_out;
    /* The SYN-ACK of a Fast Open child takes no room of its data's. */
    if (__builtin_expect(conn->state == TCP_SYN_RECEIVED, 0) && in_flight > 0)
        in_flight--;
    if (in_flight >= cwnd)
        return 0;
    /* At least two bursts a window, so that ACKs keep coming. */
    return MIN(MAX(cwnd / 2, 1u), cwnd - in_flight);
}

bool
tcp_cwnd_is_limited(const TcpConn *conn)
{
    if (conn->sender->cwnd_limited)
        return true;
    /* In slow start the window may grow to twice what was really used. */
    return conn->sender->w.cwnd < conn->sender->w.ssthresh &&
           conn->sender->w.cwnd < 2 * conn->sender->max_packets_out;
}

uint32_t
tcp_current_ssthresh(const TcpConn *conn)
{
    if (tcp_in_cwnd_reduction(conn))
        return conn->sender->w.ssthresh;
    return MAX(conn->sender->w.ssthresh, (conn->sender->w.cwnd >> 1) + (conn->sender->w.cwnd >> 2));
}

/* The window was not used for an RTO: meet the use half way (RFC 2861). */
static void
cwnd_decay_unused(TcpConn *conn)
{
    uint32_t used = MAX(conn->sender->cwnd_used, tcp_initial_cwnd(conn));

    if (conn->sender->w.ca_state == TCP_CA_OPEN && !conn->snd.no_space) {
        if (used < conn->sender->w.cwnd) {
            conn->sender->w.ssthresh = tcp_current_ssthresh(conn);
            conn->sender->w.cwnd = (conn->sender->w.cwnd + used) / 2;
        }
        conn->sender->cwnd_used = 0;
    }
    conn->sender->cwnd_stamp = tcp_now(conn);
}

void
tcp_cwnd_validate(TcpConn *conn, bool is_limited)
{
    SimTime now = tcp_now(conn);

    /* The strongest sign of the last round counts. */
    if (!seq_before(conn->snd.una, conn->sender->cwnd_usage_seq) || is_limited ||
        (!conn->sender->cwnd_limited &&
         conn->sender->packets_out > conn->sender->max_packets_out)) {
        conn->sender->cwnd_limited = is_limited;
        conn->sender->max_packets_out = conn->sender->packets_out;
        conn->sender->cwnd_usage_seq = conn->snd.nxt;
    }
    if (tcp_cwnd_is_limited(conn)) {
        conn->sender->cwnd_used = 0;
        conn->sender->cwnd_stamp = now;
        return;
    }
    conn->sender->cwnd_used = MAX(conn->sender->cwnd_used, conn->sender->packets_out);
    if (conn->stack->params->slow_start_after_idle && !conn->cc->main &&
        now - conn->sender->cwnd_stamp >= conn->rtt.rto)
        cwnd_decay_unused(conn);
    if (conn->snd.no_space && !tcp_tx_next_unsent(conn) &&
        (conn->state == TCP_ESTABLISHED || conn->state == TCP_CLOSE_WAIT))
        tcp_chrono_start(conn, TCP_CHRONO_SNDBUF);
}

void
tcp_cwnd_check_idle(TcpConn *conn)
{
    SimTime idle = tcp_now(conn) - conn->last_send_at, rto = conn->rtt.rto;
    uint32_t cwnd = conn->sender->w.cwnd, restart;

    if (!conn->stack->params->slow_start_after_idle || conn->sender->packets_out || !conn->cc ||
        conn->cc->main || idle <= rto)
        return;
    restart = MIN(tcp_initial_cwnd(conn), cwnd);
    tcp_cc_event(conn, CC_EVENT_CWND_RESTART);
    conn->sender->w.ssthresh = tcp_current_ssthresh(conn);
    for (idle -= rto; idle > 0 && cwnd > restart; idle -= rto)
        cwnd >>= 1;
    conn->sender->w.cwnd = MAX(cwnd, restart);
    conn->sender->cwnd_stamp = tcp_now(conn);
    conn->sender->cwnd_used = 0;
    host_count(conn->stack->host, MIB_TcpExtTCPSlowStartAfterIdle);
    tcp_sample(conn);
}
