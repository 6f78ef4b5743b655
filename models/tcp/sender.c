#include "models/tcp/sender.h"

#include <string.h>

#include "models/tcp/output.h"

void
tcp_sender_init_shared(TcpSender *sender, const TcpParams *params)
{
    memset(sender, 0, sizeof *sender);
    sender->is_shared = true;
    sender->reordering = params->reordering;
    sender->app_limited = UINT32_MAX;
    sender->pace_cwnd = params->initial_cwnd;
    sender->rack.reo_wnd_steps = 1;
    sender->w.cwnd = params->initial_cwnd;
    sender->w.ssthresh = CC_INFINITE_SSTHRESH;
    sender->w.cwnd_clamp = UINT32_MAX;
    sim_timer_init(&sender->pacing);
}

static bool
is_past_handshake(const TcpConn *conn)
{
    switch ((TcpState)conn->state) {
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
        return false;
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
    case TCP_N_STATES:
        break;
    }
    return true;
}

/* What the connection itself tells, for since it was established nothing was
 * sent. So one that rests need not keep it. */
static void
fill_from_conn(TcpSender *sender, const TcpConn *conn)
{
    sender->rtx_hint = sender->rtx_high = conn->snd.una;
    sender->cwnd_stamp = conn->last_send_at;
    sender->app_limited = conn->rate_has_begun ? 0 : UINT32_MAX;
    sender->later_min[0] = sender->later_min[1] = conn->rtt.min;
    sender->w.params = conn->stack->params;
    tcp_cc_set_rng(conn, &sender->w);
}

TcpSender *
tcp_sender_take(TcpConn *conn)
{
    TcpSender *sender = sim_pool_get(&conn->stack->shared->senders);

    sim_check(conn->sender->is_shared);
    memcpy(sender, conn->sender, sizeof *sender);
    sender->is_shared = false;
    fill_from_conn(sender, conn);
    conn->sender = sender;
    if (is_past_handshake(conn))
        tcp_cc_begin(conn, conn->last_send_at);
    return sender;
}

static bool
same_min(TcpMinRtt a, TcpMinRtt b)
{
    return a.at == b.at && a.rtt == b.rtt;
}

/* Nothing that fill_from_conn() would not bring back. */
static bool
is_told_by_conn(const TcpSender *sender, const TcpConn *conn)
{
    return sender->rtx_hint == conn->snd.una && sender->rtx_high == conn->snd.una &&
           sender->cwnd_stamp == conn->last_send_at &&
           (sender->app_limited == 0 || sender->app_limited == UINT32_MAX) &&
           same_min(sender->later_min[0], conn->rtt.min) &&
           same_min(sender->later_min[1], conn->rtt.min);
}

/* What is of no use once the SYN is acknowledged: times and serial numbers that
 * only order transmissions (what comes was sent later in any case), what rate.c
 * begins anew with the first data, the echo that proved the SYN-ACK. Then what the connection
 * tells. */
static void
forget_handshake(TcpSender *sender)
{
    sender->tx_serial = sender->rack.serial = sender->rack.end_seq = 0;
    sender->rack.at = 0;
    sender->rack.advanced = false;
    sender->first_tx_at = sender->chrono_at = 0;
    sender->retrans_stamp = 0;
    tcp_cc_forget(&sender->w);

    sender->rtx_hint = sender->rtx_high = 0;
    sender->cwnd_stamp = 0;
    sender->app_limited = UINT32_MAX;
    sender->later_min[0] = sender->later_min[1] = (TcpMinRtt){ 0 };
}

static void
give_back(TcpConn *conn)
{
    TcpStack *stack = conn->stack;

    sim_pool_put(&stack->shared->senders, conn->sender);
    conn->sender = stack->resting;
}

bool
tcp_sender_rest(TcpConn *conn)
{
    TcpSender *sender = conn->sender;

    if (conn->state != TCP_ESTABLISHED || conn->tx != NULL || !conn->cc->begins_with_data ||
        sender->retrans_at != 0 || sender->chrono != TCP_CHRONO_NONE ||
        !is_told_by_conn(sender, conn))
        return false;
    conn->rate_has_begun = sender->app_limited == 0;
    forget_handshake(sender);
    sender->is_shared = true;
    if (memcmp(sender, conn->stack->resting, sizeof *sender) == 0) {
        give_back(conn);
        return true;
    }
    sender->is_shared = false;
    fill_from_conn(sender, conn);
    return false;
}

void
tcp_sender_free(TcpConn *conn)
{
    if (conn->sender->is_shared)
        return;
    sim_timer_done(conn->stack->sim, &conn->sender->pacing);
    give_back(conn);
}
