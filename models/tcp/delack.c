#include "models/tcp/delack.h"

#include "models/tcp/backlog.h"
#include "models/tcp/rcvwindow.h"
#include "models/tcp/reassembly.h"
#include "models/tcp/timers.h"

static SimTime
ato_min(const TcpConn *conn)
{
    return conn->stack->params->delack_min_ms * SIM_MS;
}

/* Below the peer's least RTO, or a delayed ACK would look like a loss. */
SimTime
tcp_delack_longest(const TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;
    SimTime tick = params->kernel_hz ? SIM_SEC / params->kernel_hz : 4 * SIM_MS;

    return MIN(conn->opt.delack_max_us ? conn->opt.delack_max_us * SIM_US
                                       : params->delack_max_ms * SIM_MS,
               MAX(tcp_rto_min(conn) - tick, tick));
}

/* ---- Quick ACKs and ping-pong mode ------------------------------------------- */

void
tcp_quickack_raise(TcpConn *conn, unsigned max)
{
    uint32_t budget = conn->rcv.wnd / (2u * MAX(conn->rcv.mss, 1u));

    if (!conn->stack->params->quickack)
        return;
    budget = MIN(budget ? budget : 2u, max);
    if (budget > conn->ack.quick)
        conn->ack.quick = (uint8_t)budget;
}

void
tcp_quickack_enter(TcpConn *conn, unsigned max)
{
    tcp_quickack_raise(conn, max);
    conn->ack.pingpong = 0;
    conn->ack.ato = ato_min(conn);
}

bool
tcp_quickack_is_on(const TcpConn *conn)
{
    return (conn->ack.quick && !tcp_pingpong_is_on(conn)) || conn->opt.route_quickack;
}

void
tcp_pingpong_enter(TcpConn *conn)
{
    conn->ack.pingpong = (uint8_t)conn->stack->params->pingpong_thresh;
}

void
tcp_quickack_option(TcpConn *conn, int64_t value)
{
    if (!(value & 1)) {
        tcp_pingpong_enter(conn);
        conn->opt.quick_ack_off = true;
        if (!value)
            return;
    }
    conn->opt.quick_ack_off = false;
    conn->ack.pingpong = 0;
    if ((conn->state == TCP_ESTABLISHED || conn->state == TCP_CLOSE_WAIT) &&
        tcp_ack_is_scheduled(conn)) {
        conn->ack.pending |= TCP_ACK_PUSHED;
        tcp_ack_after_read(conn, 1);
        if (!(value & 1))
            tcp_pingpong_enter(conn);
    }
}

/* ---- What left ---------------------------------------------------------------- */

void
tcp_ack_sent(TcpConn *conn)
{
    if (__builtin_expect(conn->ooo != NULL, 0))
        tcp_reassembly_ack_left(conn);
    if (conn->ack.quick) {
        if (!tcp_ack_is_scheduled(conn)) {
            /* no ACK was owed: the budget stays */
        } else if (--conn->ack.quick == 0) {
            conn->ack.ato = ato_min(conn);
        }
    }
    if (conn->ack.pending) {
        if (conn->ack.pending & TCP_ACK_TIMER)
            sim_timer_stop(conn->stack->sim, &conn->delack);
        conn->ack.pending = 0;
    }
}

void
tcp_data_sent(TcpConn *conn)
{
    SimTime now = tcp_now(conn), since = now - conn->last_data_recv_at;

    conn->last_send_at = now;
    if (since < conn->ack.ato && conn->ack.pingpong < 255)
        conn->ack.pingpong++;
}

/* ---- What came ---------------------------------------------------------------- */

void
tcp_ack_note_data(TcpConn *conn)
{
    SimTime now = tcp_now(conn), gap = now - conn->last_data_recv_at, min = ato_min(conn);

    if (!conn->ack.ato) { /* the first data of the connection */
        tcp_quickack_raise(conn, TCP_MAX_QUICKACKS);
        conn->ack.ato = min;
    } else if (gap <= min / 2) {
        conn->ack.ato = conn->ack.ato / 2 + min / 2;
    } else if (gap < conn->ack.ato) {
        conn->ack.ato = MIN(conn->ack.ato / 2 + gap, conn->rtt.rto);
    } else if (gap > conn->rtt.rto) {
        /* After such a pause the sender should be in slow start: hurry. */
        tcp_quickack_raise(conn, TCP_MAX_QUICKACKS);
    }
    conn->last_data_recv_at = now;
}

/* ---- The timer ---------------------------------------------------------------- */

void
tcp_delack_timer(TcpConn *conn)
{
    if (!(conn->ack.pending & TCP_ACK_TIMER))
        return;
    tcp_enter(conn);
    conn->ack.pending &= (uint8_t)~TCP_ACK_TIMER;
    if (tcp_ack_is_scheduled(conn)) {
        if (tcp_pingpong_is_on(conn)) { /* no reply came to carry it */
            conn->ack.pingpong = 0;
            conn->ack.ato = ato_min(conn);
        } else {
            conn->ack.ato = MIN(conn->ack.ato * 2, tcp_delack_longest(conn));
        }
        tcp_send_ack(conn, "RFC 9293 §3.8.6.3: delayed ACK timer");
        host_count(conn->stack->host, MIB_TcpExtDelayedACKs);
    }
    tcp_leave(conn);
}

static void
delack_timer(void *arg)
{
    TcpConn *conn = arg;

    if (!tcp_backlog_defers(conn, TCP_WAITING_DELACK))
        tcp_delack_timer(conn);
}

static SimTime
delay_now(const TcpConn *conn)
{
    SimTime ato = conn->ack.ato, min = ato_min(conn);

    if (ato > min) {
        bool is_patient = tcp_pingpong_is_on(conn) || (conn->ack.pending & TCP_ACK_PUSHED);
        SimTime most = is_patient ? conn->stack->params->delack_max_ms * SIM_MS : 500 * SIM_MS;

        if (conn->rtt.srtt)
            most = MIN(most, MAX(conn->rtt.srtt, min));
        ato = MIN(ato, most);
    }
    return MIN(ato, MAX(tcp_delack_longest(conn), min < SIM_MS ? SIM_MS : 0));
}

static void
send_later(TcpConn *conn)
{
    SimTime delay = delay_now(conn), now = tcp_now(conn);
    SimTime deadline = tcp_timer_deadline(conn->stack, delay);

    if (conn->ack.pending & TCP_ACK_TIMER) {
        if (conn->delack.deadline <= now + delay / 4) { /* about to fire */
            tcp_send_ack(conn, "RFC 9293 §3.8.6.3: delayed ACK nearly due");
            return;
        }
        deadline = MIN(deadline, conn->delack.deadline);
    }
    conn->ack.pending |= TCP_ACK_SCHED | TCP_ACK_TIMER;
    if (conn->delack.deadline != deadline)
        sim_timer_set(conn->stack->sim, &conn->delack, deadline, delack_timer, conn);
}

/* ---- The decision --------------------------------------------------------------- */

/* NULL: the ACK may wait. Else the rule by which it may not. */
void
tcp_ack_hold(TcpConn *conn)
{
    tcp_ack_schedule(conn);
    tcp_quickack_enter(conn, TCP_MAX_QUICKACKS);
    conn->ack.pending |= TCP_ACK_TIMER;
    sim_timer_set(conn->stack->sim, &conn->delack, tcp_now(conn) + tcp_delack_longest(conn),
                  delack_timer, conn);
}

static const char *
why_now(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;

    if (conn->rcv.nxt - conn->rcv.wup > conn->rcv.mss &&
        (!params->quickack || conn->rcv.nxt - conn->rcv.copied_seq < MAX(conn->opt.rcvlowat, 1u) ||
         tcp_window_would_be(conn) >= conn->rcv.wnd))
        return "RFC 5681 §4.2: every second full segment";
    if (tcp_quickack_is_on(conn))
        return "Linux: quick ACK";
    if (conn->ack.pending & TCP_ACK_NOW)
        return "RFC 5681 §4.2: at once";
    return NULL;
}

void
tcp_ack_check(TcpConn *conn, bool may_be_out_of_order)
{
    const char *rule;

    if (!tcp_ack_is_scheduled(conn))
        return;
    rule = why_now(conn);
    if (rule && tcp_backlog_defers_ack(conn))
        return;
    if (rule)
        tcp_send_ack(conn, rule);
    else if (!may_be_out_of_order || !conn->ooo)
        send_later(conn);
    else
        tcp_reassembly_ack(conn);
}

void
tcp_ack_flush_compressed(TcpConn *conn)
{
    if (conn->ooo)
        tcp_reassembly_flush_ack(conn);
}

void
tcp_ack_after_read(TcpConn *conn, size_t copied)
{
    uint8_t pending = conn->ack.pending;

    if (tcp_ack_is_scheduled(conn)) {
        if (conn->rcv.nxt - conn->rcv.wup > conn->rcv.mss) {
            tcp_send_ack(conn, "RFC 5681 §4.2: every second full segment");
            return;
        }
        /* The user has taken all there was of a write that has ended. */
        if (copied && conn->stack->params->quickack && !conn->rcv.truesize &&
            ((pending & TCP_ACK_PUSHED2) ||
             ((pending & TCP_ACK_PUSHED) && !tcp_pingpong_is_on(conn)))) {
            tcp_send_ack(conn, "Linux: queue drained after PSH");
            return;
        }
    }
    /* RFC 9293 §3.8.6.2.2: tell of a window that has opened by much. */
    if (copied && !(conn->shut & 1)) {
        uint32_t wnd = tcp_window_now(conn);

        if (2 * wnd <= conn->rcv.clamp) {
            uint32_t next = tcp_window_would_be(conn);

            if (next && next >= 2 * wnd)
                tcp_send_ack(conn, "RFC 9293 §3.8.6.2.2: window update");
        }
    }
}
