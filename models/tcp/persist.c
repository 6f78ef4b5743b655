/* The persist timer (RFC 9293 §3.8.6.1): data waits, nothing is outstanding,
 * and the window (or TCP_CORK) keeps it back. A probe makes the peer tell its
 * window; once in a while corked data goes as one. */
#include "models/tcp/output.h"

/* Linux: never faster than every 200 ms. */
static SimTime
probe_base(const TcpConn *conn)
{
    return MAX(conn->rtt.rto, 200 * SIM_MS);
}

static SimTime
probe_interval(const TcpConn *conn)
{
    return MIN(probe_base(conn) << MIN(conn->rtt.backoff, 20), tcp_rto_max(conn));
}

static SimTime
clamp_to_user_timeout(const TcpConn *conn, SimTime interval)
{
    SimTime timeout = conn->opt.user_timeout_ms * SIM_MS, left;

    if (!timeout || !conn->sender->probes_at)
        return interval;
    left = MAX(timeout - (tcp_now(conn) - conn->sender->probes_at), TCP_TIMEOUT_MIN);
    return MIN(interval, left);
}

void
tcp_persist_check(TcpConn *conn)
{
    if (conn->sender->packets_out == 0 && tcp_timer_pending(conn) == TCP_TIMER_NONE)
        tcp_timer_set(conn, TCP_TIMER_PERSIST, probe_base(conn));
}

int
tcp_write_wakeup(TcpConn *conn, const char *what, const char *rule)
{
    TcpTxSeg *seg = tcp_tx_next_unsent(conn);
    uint32_t mss, room;

    if (conn->state == TCP_CLOSED)
        return -1;
    if (!seg || !seq_before(seg->seq, tcp_wnd_end(conn))) {
        if (conn->snd.urgent)
            tcp_transmit_ack(conn, conn->snd.una, what, rule);
        return tcp_transmit_ack(conn, conn->snd.una - 1, what, rule);
    }
    /* The window is open a little: it was silly window avoidance, or a cork,
     * that kept the data back. */
    mss = tcp_current_mss(conn);
    room = tcp_wnd_end(conn) - seg->seq;
    if (seq_before(conn->snd.pushed_seq, seg->end_seq))
        conn->snd.pushed_seq = seg->end_seq;
    if (room < seg->end_seq - seg->seq || tcp_tx_len(seg) > mss) {
        room = MIN(room, mss);
        if (tcp_tx_len(seg) > room)
            tcp_tx_cut(conn, conn->tx->n_sent, room, mss);
    }
    seg = tcp_tx_next_unsent(conn);
    tcp_tx_set_pcount(seg, mss);
    seg->flags |= TCP_PSH;
    int result = tcp_transmit_seg(conn, conn->tx->n_sent, NULL, rule);

    if (result == 0)
        tcp_new_data_sent(conn);
    return result;
}

static void
send_probe(TcpConn *conn)
{
    int result = tcp_write_wakeup(conn, "window probe", "RFC 9293 §3.8.6.1");
    SimTime interval = TCP_LOCAL_RETRY;

    host_count(conn->stack->host, MIB_TcpExtTCPWinProbe);
    if (conn->sender->packets_out || !tcp_tx_next_unsent(conn)) {
        conn->probes_out = 0;
        conn->rtt.backoff = 0;
        conn->sender->probes_at = 0;
        return;
    }
    conn->probes_out++;
    if (result <= 0) { /* else the host's own queue refused it: no news of the peer */
        if (conn->rtt.backoff < conn->stack->params->retries2)
            conn->rtt.backoff++;
        interval = probe_interval(conn);
    }
    tcp_timer_set(conn, TCP_TIMER_PERSIST, clamp_to_user_timeout(conn, interval));
}

void
tcp_persist_timer(TcpConn *conn)
{
    SimTime now = tcp_now(conn), user_timeout = conn->opt.user_timeout_ms * SIM_MS;
    unsigned most = conn->stack->params->retries2;

    if (conn->sender->packets_out || !tcp_tx_next_unsent(conn)) {
        conn->probes_out = 0;
        conn->sender->probes_at = 0;
        return;
    }
    /* RFC 1122 §4.2.2.17: as long as probes are answered, the connection
     * stays; unless its user set a limit or has gone. */
    if (!conn->sender->probes_at) {
        conn->sender->probes_at = MAX(now, 1);
    } else if (user_timeout && now - conn->sender->probes_at >= user_timeout) {
        tcp_fail_timeout(conn, "window probes", "TCP_USER_TIMEOUT");
        return;
    }
    if (tcp_is_orphan(conn)) {
        bool is_alive = !conn->stack->params->orphan_probe_limit ||
                        conn->rtt.rto << MIN(conn->rtt.backoff, 20) < tcp_rto_max(conn);

        most = tcp_orphan_retries(conn, is_alive);
        if (!is_alive && conn->rtt.backoff >= most) {
            tcp_fail_timeout(conn, "window probes", "net.ipv4.tcp_orphan_retries");
            return;
        }
        if (tcp_orphan_out_of_resources(conn))
            return;
    }
    if (conn->probes_out >= most)
        tcp_fail_timeout(conn, "window probes", "net.ipv4.tcp_retries2");
    else
        send_probe(conn);
}

void
tcp_persist_ack(TcpConn *conn)
{
    TcpTxSeg *seg = tcp_tx_next_unsent(conn);

    if (!seg)
        return;
    if (!seq_after(seg->end_seq, tcp_wnd_end(conn))) {
        conn->rtt.backoff = 0; /* it opened: the data goes with the next output */
        conn->sender->probes_at = 0;
        tcp_timer_clear(conn);
    } else {
        tcp_timer_set(conn, TCP_TIMER_PERSIST, clamp_to_user_timeout(conn, probe_interval(conn)));
    }
}
