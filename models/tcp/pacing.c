/* Pacing: bursts leave no faster than a rate. The rate is the algorithm's own
 * (BBR) or a multiple of cwnd / srtt; Linux applies the latter only where a
 * queueing discipline (fq) or SO_MAX_PACING_RATE asks for it, but sizes its
 * bursts by it always (gso.c). */
#include "models/tcp/backlog.h"
#include "models/tcp/ack.h"

static bool
pacing_is_on(const TcpConn *conn)
{
    return conn->sender->w.pacing_rate || conn->opt.max_pacing_rate || conn->stack->params->pacing;
}

/* tcp_pacing_ss_ratio or tcp_pacing_ca_ratio percent of a window an RTT, as
 * they were when the last ACK had been processed. */
static uint64_t
default_rate(const TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;
    uint64_t cwnd = conn->sender->pace_cwnd, ratio;

    if (conn->rtt.paced <= 0 || cwnd == 0)
        return UINT64_MAX;
    ratio = cwnd < conn->sender->w.ssthresh / 2 ? params->pacing_ss_ratio : params->pacing_ca_ratio;
    return conn->snd.mss * cwnd * ratio * (SIM_SEC / 100) / (uint64_t)conn->rtt.paced;
}

uint64_t
tcp_pacing_rate(const TcpConn *conn)
{
    uint64_t rate = conn->sender->w.pacing_rate ? conn->sender->w.pacing_rate : default_rate(conn);

    return conn->opt.max_pacing_rate ? MIN(rate, conn->opt.max_pacing_rate) : rate;
}

void
tcp_pacing_timer(void *arg)
{
    TcpConn *conn = arg;

    if (tcp_backlog_defers(conn, TCP_WAITING_SEND))
        return;
    tcp_enter(conn);
    if (conn->sender->lost_out > conn->sender->retrans_out &&
        conn->sender->w.ca_state >= TCP_CA_RECOVERY)
        tcp_retransmit_queue(conn);
    tcp_output(conn);
    tcp_leave(conn);
}

bool
tcp_pacing_waits(TcpConn *conn)
{
    if (__builtin_expect(conn->sender->paced_until == 0, 1))
        return false;
    if (!pacing_is_on(conn) || conn->sender->paced_until <= tcp_now(conn))
        return false;
    if (!sim_timer_is_set(&conn->sender->pacing))
        sim_timer_set(conn->stack->sim, &conn->sender->pacing, conn->sender->paced_until,
                      tcp_pacing_timer, conn);
    return true;
}

SimTime
tcp_pacing_departure(TcpConn *conn, uint32_t bytes)
{
    SimTime now = tcp_now(conn), credit, cost;
    uint64_t rate;

    if (__builtin_expect(!pacing_is_on(conn), 1))
        return now;
    credit = MAX(now - conn->sender->paced_until, 0);
    conn->sender->paced_until = MAX(conn->sender->paced_until, now);
    now = conn->sender->paced_until;
    rate = tcp_pacing_rate(conn);
    /* The first ten segments of a connection are not paced, as fq does it. */
    if (rate == UINT64_MAX || rate == 0 || conn->data_segs_out < 10)
        return now;
    cost = (SimTime)((unsigned __int128)bytes * SIM_SEC / rate);
    conn->sender->paced_until += cost - MIN(cost / 2, credit);
    return now;
}
