/* Closing (RFC 9293 §3.6, §3.10.4, §3.10.5): the user's calls, our FIN, the
 * peer's FIN, and orphans: connections whose user has gone. */
#include "models/tcp/listen.h"
#include "models/tcp/ports.h"
#include "models/tcp/rxqueue.h"
#include "models/tcp/timewait.h"

#define SHUT_RD_BIT 1
#define SHUT_WR_BIT 2

/* ---- our FIN ------------------------------------------------------------------------ */

/* Moves to the state that follows from sending a FIN; true if one is due. */
static bool
close_state(TcpConn *conn, const char *call)
{
    switch ((TcpState)conn->state) {
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
        tcp_set_state(conn, TCP_FIN_WAIT_1, TCP_CAUSE("call", call, "RFC 9293 §3.10.4"));
        return true;
    case TCP_CLOSE_WAIT:
        tcp_set_state(conn, TCP_LAST_ACK, TCP_CAUSE("call", call, "RFC 9293 §3.10.4"));
        return true;
    default:
        return false;
    }
}

void
tcp_fin_from(TcpConn *conn, const char *call)
{
    if (close_state(conn, call))
        tcp_queue_fin(conn);
}

int
tcp_shutdown(TcpConn *conn, int how)
{
    uint8_t bits = how == TCP_SHUT_RD   ? SHUT_RD_BIT
                   : how == TCP_SHUT_WR ? SHUT_WR_BIT
                                        : SHUT_RD_BIT | SHUT_WR_BIT;

    if (conn->state == TCP_LISTEN) {
        if ((bits & SHUT_RD_BIT) == 0)
            return 0;
        return tcp_disconnect(conn);
    }
    if (conn->state == TCP_SYN_SENT)
        return tcp_disconnect(conn);
    if (conn->state == TCP_CLOSED)
        return -ENOTCONN;
    tcp_enter(conn);
    if ((bits & SHUT_WR_BIT) != 0 && (conn->shut & SHUT_WR_BIT) == 0) {
        conn->shut |= SHUT_WR_BIT;
        if (conn->state == TCP_SYN_RECEIVED) /* RFC 9293 §3.10.4: queued until ESTABLISHED */
            conn->shutdown_waits = true;
        else
            tcp_fin_from(conn, "shutdown()");
    }
    conn->shut |= bits;
    tcp_wake(conn, TCP_EVENT_READABLE | TCP_EVENT_WRITABLE);
    tcp_leave(conn);
    return 0;
}

/* ---- the peer's FIN, and the ACK of ours ---------------------------------------------- */

static SimTime
timewait_length(const TcpConn *conn)
{
    return (SimTime)conn->stack->params->timewait_ms * SIM_MS;
}

TcpVerdict
tcp_fin_received(TcpConn *conn, const TcpSegment *seg)
{
    const TcpCause cause =
        TCP_CAUSE("segment", "FIN", "RFC 9293 §3.10.7.4 #8", .packet = seg->packet->id);

    conn->shut |= SHUT_RD_BIT;
    switch ((TcpState)conn->state) {
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
        tcp_set_state(conn, TCP_CLOSE_WAIT, cause);
        break;
    case TCP_FIN_WAIT_1:
        tcp_send_ack(conn, "RFC 9293 §3.10.7.4 #8");
        tcp_set_state(conn, TCP_CLOSING, cause);
        break;
    case TCP_FIN_WAIT_2:
        tcp_send_ack(conn, "RFC 9293 §3.10.7.4 #8");
        tcp_wake(conn, TCP_EVENT_READABLE);
        tcp_time_wait(conn, TCP_TIME_WAIT, timewait_length(conn), cause);
        return TCP_GONE;
    default:
        break; /* a repeated FIN: CLOSE-WAIT, CLOSING, LAST-ACK stay */
    }
    tcp_wake(conn, TCP_EVENT_READABLE);
    return TCP_PASS;
}

/* How long an orphan waits in FIN-WAIT-2; 0: for ever, negative: not at all. */
static SimTime
fin_timeout(const TcpConn *conn)
{
    SimTime timeout = (SimTime)conn->stack->params->fin_timeout_s * SIM_SEC;
    SimTime rto = conn->rtt.rto * 7 / 2;

    if (conn->opt.linger2_s < 0)
        return -1;
    if (conn->opt.linger2_s > 0)
        timeout = (SimTime)conn->opt.linger2_s * SIM_SEC;
    return timeout > 0 ? MAX(timeout, rto) : 0;
}

/* An entry that waits for the FIN waits no longer than a TIME-WAIT entry of Linux lasts. */
#define ENTRY_LASTS (60 * SIM_SEC)

/* FIN-WAIT-2 without a user: an entry that waits for the FIN, or nothing. True:
 * the connection has ended. DIFFERS: what is to wait for longer than an entry
 * lasts stays a connection for the time above that, and becomes an entry for as
 * long again (Linux 6.18: 100 s were 40 and 40). */
static bool
orphan_fin_wait_2(TcpConn *conn)
{
    SimTime timeout = fin_timeout(conn);

    if (timeout < 0) {
        tcp_send_reset(conn, "TCP_LINGER2");
        host_count(conn->stack->host, MIB_TcpExtTCPAbortOnLinger);
        tcp_conn_end(conn, TCP_CAUSE("call", "close()", "TCP_LINGER2"));
        return true;
    }
    if (timeout == 0)
        return false;
    if (timeout > ENTRY_LASTS) {
        tcp_orphan_timer_set(conn, timeout - ENTRY_LASTS);
        return false;
    }
    tcp_time_wait(conn, TCP_FIN_WAIT_2, timeout,
                  TCP_CAUSE("timer", "orphan", "net.ipv4.tcp_fin_timeout"));
    return true;
}

void
tcp_orphan_timer(TcpConn *conn)
{
    SimTime left = fin_timeout(conn) - ENTRY_LASTS;
    const TcpCause cause = TCP_CAUSE("timer", "orphan", "net.ipv4.tcp_fin_timeout");

    if (left > 0) {
        tcp_time_wait(conn, TCP_FIN_WAIT_2, left, cause);
        return;
    }
    tcp_send_reset(conn, "net.ipv4.tcp_fin_timeout");
    tcp_conn_end(conn, cause);
}

TcpVerdict
tcp_fin_acked(TcpConn *conn, const TcpSegment *seg)
{
    const TcpCause cause =
        TCP_CAUSE("segment", "ACK of FIN", "RFC 9293 §3.10.7.4 #5", .packet = seg->packet->id);

    switch ((TcpState)conn->state) {
    case TCP_FIN_WAIT_1:
        conn->shut |= SHUT_WR_BIT;
        tcp_set_state(conn, TCP_FIN_WAIT_2, cause);
        tcp_wake(conn, TCP_EVENT_CLOSED);
        if (conn->has_user)
            return TCP_PASS;
        if (conn->opt.linger2_s < 0) {
            host_count(conn->stack->host, MIB_TcpExtTCPAbortOnData);
            tcp_reply_reset(conn->stack, seg, "TCP_LINGER2");
            tcp_conn_end(
                conn, TCP_CAUSE("segment", "ACK of FIN", "TCP_LINGER2", .packet = seg->packet->id));
            return TCP_GONE;
        }
        if (tcp_data_after_close(conn, seg))
            return TCP_GONE;
        /* The FIN rides on this very segment: the step for FIN comes next. */
        if ((seg->flags & TCP_FIN) != 0 && !seq_after(seg->seq, conn->rcv.nxt))
            return TCP_PASS;
        return orphan_fin_wait_2(conn) ? TCP_GONE : TCP_PASS;
    case TCP_CLOSING:
        tcp_time_wait(conn, TCP_TIME_WAIT, timewait_length(conn), cause);
        return TCP_GONE;
    case TCP_LAST_ACK:
        tcp_conn_end(conn, cause);
        return TCP_GONE;
    default:
        return TCP_PASS;
    }
}

bool
tcp_data_after_close(TcpConn *conn, const TcpSegment *seg)
{
    uint32_t fin = (seg->flags & TCP_FIN) != 0;
    bool is_half_open = conn->state == TCP_FIN_WAIT_1 || conn->state == TCP_FIN_WAIT_2;

    /* A user that shut both ways will read no more, like one that is gone. */
    if (conn->has_user && !((conn->shut & SHUT_RD_BIT) != 0 && is_half_open))
        return false;
    if (seg->payload.len == 0 || !seq_after(seg->end_seq - fin, conn->rcv.nxt))
        return false;
    host_count(conn->stack->host, MIB_TcpExtTCPAbortOnData);
    tcp_reply_reset(conn->stack, seg, "RFC 1122 §4.2.2.13: data after close");
    tcp_conn_fail(
        conn, ECONNRESET,
        TCP_CAUSE("segment", "data after close", "RFC 1122 §4.2.2.13", .packet = seg->packet->id));
    return true;
}

/* RFC 9293 §3.10.5: ABORT resets the peer while it may still wait for
 * something; one that only waits for an ACK of its FIN needs none, unless our
 * own FIN has not left yet. */
static bool
needs_reset(const TcpConn *conn)
{
    switch ((TcpState)conn->state) {
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
        return true;
    case TCP_CLOSING:
    case TCP_LAST_ACK:
        return conn->snd.nxt != conn->snd.write_seq;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_TIME_WAIT:
    case TCP_N_STATES:
        break;
    }
    return false;
}

/* ---- close() ----------------------------------------------------------------------------- */

static void
close_listener(TcpConn *conn, const char *call)
{
    TcpConn *child;
    int error;

    while ((child = tcp_accept(conn, &error)) != NULL)
        tcp_abort(child);
    g_ptr_array_remove(conn->stack->listeners, conn);
    tcp_listener_free(conn);
    tcp_conn_end(conn, TCP_CAUSE("call", call, "RFC 9293 §3.10.4"));
}

bool
tcp_orphan_out_of_resources(TcpConn *conn)
{
    if (conn->stack->n_orphans <= conn->stack->params->max_orphans)
        return false;
    tcp_send_reset(conn, "net.ipv4.tcp_max_orphans");
    host_count(conn->stack->host, MIB_TcpExtTCPAbortOnMemory);
    tcp_conn_end(conn, TCP_CAUSE("call", "close()", "net.ipv4.tcp_max_orphans"));
    return true;
}

/* The user is gone; TCP goes on alone if it has something left to do. */
static void
become_orphan(TcpConn *conn)
{
    conn->has_user = false;
    conn->on_event = NULL;
    if (conn->has_ended)
        return;
    conn->is_orphan = true;
    conn->stack->n_orphans++;
    if (conn->state == TCP_FIN_WAIT_2 && orphan_fin_wait_2(conn))
        return;
    tcp_orphan_out_of_resources(conn);
}

static void
close_connection(TcpConn *conn)
{
    const TcpParams *p = conn->stack->params;

    conn->shut = SHUT_RD_BIT | SHUT_WR_BIT;
    if (conn->state == TCP_SYN_SENT) {
        tcp_conn_end(conn, TCP_CAUSE("call", "close()", "RFC 9293 §3.10.4"));
    } else if (tcp_rx_has_data(conn) && p->abort_on_unread) {
        host_count(conn->stack->host, MIB_TcpExtTCPAbortOnClose);
        tcp_send_reset(conn, "RFC 2525 §2.17: unread data");
        tcp_conn_end(conn, TCP_CAUSE("call", "close() with unread data", "RFC 2525 §2.17"));
    } else if (conn->opt.linger_s == 0) {
        host_count(conn->stack->host, MIB_TcpExtTCPAbortOnData);
        if (needs_reset(conn))
            tcp_send_reset(conn, "SO_LINGER {1, 0}");
        tcp_conn_end(conn, TCP_CAUSE("call", "close() with SO_LINGER 0", "RFC 9293 §3.10.5"));
    } else {
        tcp_fin_from(conn, "close()");
    }
}

int
tcp_close(TcpConn *conn)
{
    bool waits;

    tcp_enter(conn);
    if (conn->state == TCP_LISTEN)
        close_listener(conn, "close()");
    else if (conn->state == TCP_CLOSED)
        tcp_conn_end(conn, TCP_CAUSE("call", "close()", "RFC 9293 §3.10.4"));
    else
        close_connection(conn);
    waits = conn->opt.linger_s > 0 && !conn->has_ended &&
            (conn->state == TCP_FIN_WAIT_1 || conn->state == TCP_CLOSING ||
             conn->state == TCP_LAST_ACK);
    if (!waits)
        become_orphan(conn);
    tcp_leave(conn);
    return waits ? -EWOULDBLOCK : 0;
}

void
tcp_release(TcpConn *conn)
{
    tcp_enter(conn);
    become_orphan(conn);
    tcp_leave(conn);
}

void
tcp_abort(TcpConn *conn)
{
    tcp_enter(conn);
    if (conn->state == TCP_LISTEN) {
        close_listener(conn, "close()");
    } else {
        if (needs_reset(conn))
            tcp_send_reset(conn, "RFC 9293 §3.10.5");
        tcp_conn_end(conn, TCP_CAUSE("call", "abort()", "RFC 9293 §3.10.5"));
    }
    become_orphan(conn);
    tcp_leave(conn);
}

/* connect(AF_UNSPEC): the socket is as new, with a new identity, but keeps
 * its options. */
int
tcp_disconnect(TcpConn *conn)
{
    const TcpCause cause = TCP_CAUSE("call", "disconnect()", "RFC 9293 §3.10.5");
    int error = 0;

    tcp_enter(conn);
    if (conn->state == TCP_LISTEN) {
        close_listener(conn, "disconnect()");
    } else {
        bool was_open = conn->state != TCP_CLOSED;

        if (needs_reset(conn))
            tcp_send_reset(conn, "RFC 9293 §3.10.5");
        tcp_conn_end(conn, cause);
        error = was_open ? ECONNRESET : 0;
    }
    tcp_data_reset(conn);
    conn->has_ended = false;
    conn->was_established = conn->shutdown_waits = false;
    conn->shut = 0;
    conn->error = error;
    conn->soft_error = 0;
    conn->id = ++conn->stack->host->net->last_conn_id;
    conn->entry.tuple.remote = IP_ADDR_ANY;
    conn->entry.tuple.rport = 0;
    if (!conn->opt.has_local)
        conn->entry.tuple.local = IP_ADDR_ANY;
    if (!conn->opt.has_port)
        conn->entry.tuple.lport = 0;
    tcp_leave(conn);
    return 0;
}
