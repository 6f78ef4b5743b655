/* Keepalive (RFC 9293 §3.8.4, RFC 1122 §4.2.3.6): after long silence a segment
 * that the peer must answer. Four outcomes: an answer, and silence may last as
 * long again; RST, the peer has rebooted; nothing, probe after probe, and the
 * connection is dead; ICMP, which is only a hint (RFC 1122 §4.2.3.9).
 *
 * The timer runs all the time and is not touched by traffic: when it comes up it
 * looks how long ago the peer was heard, and waits for the rest. It also ends the
 * wait of an orphan in FIN-WAIT-2 (close.c), as Linux's does.
 */
#include "models/tcp/output.h"

static void keepalive_timer(void *arg);

static SimTime
keepalive_idle(const TcpConn *conn)
{
    uint32_t seconds = conn->opt.keep_idle_s;

    return (seconds != 0 ? seconds : conn->stack->params->keepalive_time_s) * SIM_SEC;
}

static SimTime
keepalive_interval(const TcpConn *conn)
{
    uint32_t seconds = conn->opt.keep_intvl_s;

    return (seconds != 0 ? seconds : conn->stack->params->keepalive_intvl_s) * SIM_SEC;
}

static unsigned
keepalive_probes(const TcpConn *conn)
{
    return conn->opt.keep_count != 0 ? conn->opt.keep_count : conn->stack->params->keepalive_probes;
}

/* How long ago the peer was last heard. */
static SimTime
keepalive_silence(const TcpConn *conn)
{
    return tcp_now(conn) - MAX(conn->last_data_recv_at, conn->last_ack_recv_at);
}

static void
keepalive_arm(TcpConn *conn, SimTime after)
{
    SimTime when = tcp_now(conn) + tcp_round_to_tick(conn, MAX(after, 0));

    sim_timer_set(conn->stack->sim, &conn->keep, when, keepalive_timer, conn);
}

void
tcp_keepalive_start(TcpConn *conn)
{
    if (conn->opt.keepalive)
        keepalive_arm(conn, keepalive_idle(conn));
}

void
tcp_keepalive_option(TcpConn *conn, bool on)
{
    bool was_on = conn->opt.keepalive;

    conn->opt.keepalive = on;
    if (conn->state == TCP_CLOSED || conn->state == TCP_LISTEN || conn->has_ended)
        return;
    if (on && !was_on)
        keepalive_arm(conn, keepalive_idle(conn));
    else if (!on && was_on)
        sim_timer_stop(conn->stack->sim, &conn->keep);
}

void
tcp_keepalive_idle_option(TcpConn *conn)
{
    if (conn->opt.keepalive && conn->state != TCP_CLOSED && conn->state != TCP_LISTEN)
        keepalive_arm(conn, keepalive_idle(conn) - keepalive_silence(conn));
}

/* TCP_USER_TIMEOUT takes the place of the count of probes. */
static bool
keepalive_is_dead(const TcpConn *conn, SimTime silence)
{
    SimTime user_timeout = conn->opt.user_timeout_ms * SIM_MS;

    if (user_timeout != 0)
        return silence >= user_timeout && conn->probes_out > 0;
    return conn->probes_out >= keepalive_probes(conn);
}

static void
keepalive_give_up(TcpConn *conn)
{
    const char *rule =
        conn->opt.user_timeout_ms != 0 ? "TCP_USER_TIMEOUT" : "net.ipv4.tcp_keepalive_probes";

    if (conn->stack->params->keepalive_rst)
        tcp_send_reset(conn, rule);
    tcp_fail_timeout(conn, "keepalive probes", rule);
}

static void
keepalive_look(TcpConn *conn)
{
    SimTime idle = keepalive_idle(conn), silence = keepalive_silence(conn);

    /* Data on the way has a timer of its own, which asks the same question. */
    if (conn->sender->packets_out > 0 || tcp_tx_next_unsent(conn) != NULL) {
        keepalive_arm(conn, idle);
        return;
    }
    if (silence < idle) {
        keepalive_arm(conn, idle - silence);
        return;
    }
    if (keepalive_is_dead(conn, silence)) {
        keepalive_give_up(conn);
        return;
    }
    host_count(conn->stack->host, MIB_TcpExtTCPKeepAlive);
    if (tcp_write_wakeup(conn, "keepalive probe", "RFC 9293 §3.8.4") >
        0) { /* refused on this host: no probe yet */
        keepalive_arm(conn, TCP_LOCAL_RETRY);
        return;
    }
    conn->probes_out++;
    keepalive_arm(conn, keepalive_interval(conn));
}

void
tcp_orphan_timer_set(TcpConn *conn, SimTime after)
{
    keepalive_arm(conn, after);
}

static void
keepalive_timer(void *arg)
{
    TcpConn *conn = arg;

    if (tcp_is_locked(conn)) { /* a call is at work: look again soon */
        keepalive_arm(conn, SIM_SEC / 20);
        return;
    }
    tcp_enter(conn);
    if (conn->is_orphan && conn->state == TCP_FIN_WAIT_2)
        tcp_orphan_timer(conn);
    else if (conn->opt.keepalive && conn->state != TCP_CLOSED && conn->state != TCP_SYN_SENT)
        keepalive_look(conn);
    tcp_leave(conn);
}
