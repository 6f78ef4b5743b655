/* RTT and RTO (RFC 6298). Linux keeps the deviation's maximum over a window
 * and lets the least RTO (200 ms) bound the variance term alone, so that an
 * RTO is never less than srtt + 200 ms; profile rfc follows the RFC's text. */
#include "models/tcp/output.h"

SimTime
tcp_rto_min(const TcpConn *conn)
{
    uint32_t us = conn->opt.rto_min_us ? conn->opt.rto_min_us : conn->stack->params->rto_min_us;

    return us * SIM_US;
}

SimTime
tcp_rto_max(const TcpConn *conn)
{
    uint32_t ms = conn->opt.rto_max_ms ? conn->opt.rto_max_ms : conn->stack->params->rto_max_ms;

    return ms * SIM_MS;
}

SimTime
tcp_round_to_tick(const TcpConn *conn, SimTime span)
{
    uint32_t hz = conn->stack->params->kernel_hz;
    SimTime tick;

    if (hz == 0)
        return span;
    tick = SIM_SEC / hz;
    return (span + tick - 1) / tick * tick;
}

void
tcp_rto_set_initial(TcpConn *conn)
{
    conn->rtt.rto = tcp_round_to_tick(conn, conn->stack->params->initial_rto_ms * SIM_MS);
    conn->rtt.mdev = conn->rtt.rto / 4;
}

SimTime
tcp_rto_computed(const TcpConn *conn)
{
    SimTime rto = conn->rtt.srtt + conn->rtt.rttvar;

    if (conn->stack->params->rto_min_is_floor)
        rto = MAX(rto, tcp_rto_min(conn)); /* RFC 6298 §2.4 */
    return tcp_round_to_tick(conn, MIN(rto, tcp_rto_max(conn)));
}

void
tcp_rto_update(TcpConn *conn)
{
    conn->rtt.rto = tcp_rto_computed(conn);
}

/* RFC 6298 §2.2 and §2.3 as written: rttvar holds 4 * RTTVAR. */
static void
estimate_rfc(TcpConn *conn, SimTime rtt)
{
    if (conn->rtt.srtt == 0) {
        conn->rtt.srtt = rtt;
        conn->rtt.mdev = rtt / 2;
    } else {
        conn->rtt.mdev += (ABS(conn->rtt.srtt - rtt) - conn->rtt.mdev) / 4;
        conn->rtt.srtt += (rtt - conn->rtt.srtt) / 8;
    }
    conn->rtt.rttvar = 4 * conn->rtt.mdev;
}

/* mdev4 below is four times the mean deviation, as Linux keeps it. */
static void
estimate_linux(TcpConn *conn, SimTime rtt)
{
    SimTime least = tcp_rto_min(conn), mdev4, error;

    if (conn->rtt.srtt == 0) {
        conn->rtt.srtt = rtt;
        mdev4 = 2 * rtt; /* so that RTO = 3 * RTT at first */
        conn->rtt.rttvar = conn->rtt.mdev_max = MAX(mdev4, least);
        conn->rtt.seq = conn->snd.nxt;
        conn->rtt.mdev = mdev4 / 4;
        return;
    }
    error = rtt - conn->rtt.srtt;
    conn->rtt.srtt += error / 8;
    mdev4 = 4 * conn->rtt.mdev;
    if (error < 0) {
        /* A sudden drop of the RTT must not look like variance: a growing
         * deviation counts an eighth there (Eifel's concern). */
        error = -error - conn->rtt.mdev;
        if (error > 0)
            error /= 8;
    } else {
        error -= conn->rtt.mdev;
    }
    mdev4 += error;
    conn->rtt.mdev = mdev4 / 4;
    if (mdev4 > conn->rtt.mdev_max) {
        conn->rtt.mdev_max = mdev4;
        conn->rtt.rttvar = MAX(conn->rtt.rttvar, mdev4);
    }
    if (seq_after(conn->snd.una, conn->rtt.seq)) { /* a window has passed */
        if (conn->rtt.mdev_max < conn->rtt.rttvar)
            conn->rtt.rttvar -= (conn->rtt.rttvar - conn->rtt.mdev_max) / 4;
        conn->rtt.seq = conn->snd.nxt;
        conn->rtt.mdev_max = least;
    }
}

void
tcp_rtt_sample(TcpConn *conn, SimTime rtt_ns)
{
    tcp_rtt_min_update(conn, rtt_ns, false);
    tcp_rtt_estimate(conn, rtt_ns);
}

void
tcp_rtt_estimate(TcpConn *conn, SimTime rtt_ns)
{
    rtt_ns = MAX(rtt_ns, 1);
    if (conn->stack->params->rto_min_is_floor)
        estimate_rfc(conn, rtt_ns);
    else
        estimate_linux(conn, rtt_ns);
    tcp_rto_update(conn);
    conn->rtt.backoff = 0; /* RFC 6298 §5: a sample ends the back-off */
}

SimTime
tcp_rtt_min(const TcpConn *conn)
{
    return conn->rtt.min.rtt;
}

/* Kathleen Nichols' windowed minimum: best, second and third best of
 * successive parts of the window. */
void
tcp_rtt_min_update(TcpConn *conn, SimTime rtt, bool maybe_delayed)
{
    TcpMinRtt *best = &conn->rtt.min;
    TcpMinRtt *second = &conn->sender->later_min[0], *third = &conn->sender->later_min[1];
    SimTime window = conn->stack->params->min_rtt_wlen_s * SIM_SEC, age;
    TcpMinRtt now = { .at = tcp_now(conn), .rtt = MAX(rtt, 1) };

    if (maybe_delayed && best->rtt && now.rtt > best->rtt)
        return;
    if (best->rtt == 0 || now.rtt <= best->rtt || now.at - third->at > window) {
        *best = *second = *third = now;
        return;
    }
    if (now.rtt <= second->rtt)
        *second = *third = now;
    else if (now.rtt <= third->rtt)
        *third = now;
    age = now.at - best->at;
    if (age > window) {
        *best = *second;
        *second = *third;
        *third = now;
    } else if (second->at == best->at && age > window / 4) {
        *second = *third = now;
    } else if (third->at == second->at && age > window / 2) {
        *third = now;
    }
}
