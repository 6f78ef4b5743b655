/* The one timer behind RTO, tail loss probe, reordering and persist. */
#include "models/tcp/backlog.h"
#include "models/tcp/output.h"

/* Linux's timer wheel since 4.8: eight levels of 64 slots, each eight times as
 * coarse as the one before. A timer is put off to the next slot of the level
 * that its span needs: late by up to a slot, never early. */
#define WHEEL_LEVELS     8
#define WHEEL_SLOTS      64
#define WHEEL_LEVEL_BITS 3

SimTime
tcp_timer_deadline(const TcpStack *stack, SimTime span)
{
    SimTime now = sim_now(stack->sim), up = stack->params->kernel_uptime_us * SIM_US;
    SimTime tick, ticks, expires;
    unsigned level = 0;

    if (stack->params->kernel_hz == 0)
        return now + span;
    tick = SIM_SEC / stack->params->kernel_hz;
    ticks = (span + tick - 1) / tick;
    expires = (now + up) / tick + ticks;
    while (level < WHEEL_LEVELS - 1 && ticks >= (SimTime)(WHEEL_SLOTS - 1)
                                                    << (WHEEL_LEVEL_BITS * level))
        level++;
    expires = (expires >> (WHEEL_LEVEL_BITS * level)) + 1;
    return (expires << (WHEEL_LEVEL_BITS * level)) * tick - up;
}

void
tcp_rtx_timer(TcpConn *conn)
{
    TcpTimer which = tcp_timer_pending(conn);

    tcp_enter(conn);
    conn->rtx.spare = TCP_TIMER_NONE;
    switch (which) {
    case TCP_TIMER_NONE:
        break;
    case TCP_TIMER_RTO:
        tcp_rto_timer(conn);
        break;
    case TCP_TIMER_TLP:
        conn->rtx.spare = TCP_TIMER_TLP; /* a new segment sent as probe re-arms the RTO */
        tcp_tlp_send(conn);
        break;
    case TCP_TIMER_REORDER:
        conn->rtx.spare = TCP_TIMER_REORDER;
        tcp_rack_reorder_timer(conn);
        break;
    case TCP_TIMER_PERSIST:
        tcp_persist_timer(conn);
        break;
    }
    if (!conn->has_ended)
        tcp_sample(conn);
    tcp_leave(conn);
}

static void
rtx_timer(void *arg)
{
    TcpConn *conn = arg;

    if (!tcp_backlog_defers(conn, TCP_WAITING_RTX))
        tcp_rtx_timer(conn);
}

void
tcp_timer_set(TcpConn *conn, TcpTimer which, SimTime after)
{
    Sim *sim = conn->stack->sim;

    after = MAX(MIN(after, tcp_rto_max(conn)), 1);
    conn->rtx.spare = which;
    sim_timer_set(sim, &conn->rtx, tcp_timer_deadline(conn->stack, after), rtx_timer, conn);
}

void
tcp_timer_clear(TcpConn *conn)
{
    conn->rtx.spare = TCP_TIMER_NONE;
    sim_timer_stop(conn->stack->sim, &conn->rtx);
}

SimTime
tcp_rto_left(const TcpConn *conn)
{
    const TcpTxSeg *head = tcp_tx_first_sent(conn);

    return head ? head->sent_at + conn->rtt.rto - tcp_now(conn) : conn->rtt.rto;
}

void
tcp_rearm_rto(TcpConn *conn)
{
    TcpTimer pending = tcp_timer_pending(conn);
    SimTime rto = conn->rtt.rto;

    if (conn->sender->packets_out == 0) {
        tcp_timer_clear(conn);
        return;
    }
    if (pending == TCP_TIMER_REORDER || pending == TCP_TIMER_TLP)
        rto = MAX(tcp_rto_left(conn), SIM_US);
    tcp_timer_set(conn, TCP_TIMER_RTO, rto);
}

void
tcp_set_xmit_timer(TcpConn *conn)
{
    if (!tcp_tlp_schedule(conn, true))
        tcp_rearm_rto(conn);
}
