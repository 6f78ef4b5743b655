/* send(): bytes into the queue, as far as SO_SNDBUF allows. Its accounting is
 * Linux's: each buffer costs its bytes and an overhead, a buffer is filled up
 * to a burst's size, and only a new one asks for room. So a socket may take
 * more than SO_SNDBUF says: what is left of a buffer whose head was sent in the
 * midst of the call is filled up again, as long as the congestion window lasts
 * (Linux 6.18 was seen with 297 kB queued where SO_SNDBUF was 10 kB). */
#include "models/tcp/fastopen.h"
#include "models/tcp/output.h"

uint32_t
tcp_tx_truesize(const TcpConn *conn)
{
    return conn->snd.write_seq - conn->snd.una + tcp_tx_count(conn) * TX_SEG_OVERHEAD;
}

/* TCP_NOTSENT_LOWAT: not too much unsent; twice strict for waking. */
static bool
below_lowat(const TcpConn *conn, unsigned shift)
{
    uint64_t unsent = conn->snd.write_seq - conn->snd.nxt;
    uint32_t lowat =
        conn->opt.notsent_lowat ? conn->opt.notsent_lowat : conn->stack->params->notsent_lowat;

    return unsent << shift < lowat;
}

bool
tcp_tx_is_writable(const TcpConn *conn)
{
    uint32_t queued = tcp_tx_truesize(conn);

    return conn->snd.buf >= queued && conn->snd.buf - queued >= queued / 2 && below_lowat(conn, 1);
}

void
tcp_sndbuf_expand(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;
    uint32_t mss = MAX(conn->snd.mss_clamp, conn->snd.mss);
    /* The worst case: every segment a buffer of its own, in a power of two of
     * memory with room for headers; twice a window of them, or as the algorithm wants. */
    uint64_t each = 256 + ((uint64_t)1 << (32 - __builtin_clz(mss + 576 - 1)));
    uint32_t segs = MAX(MAX(10u, conn->sender->w.cwnd), conn->sender->reordering + 1);
    uint32_t windows = conn->cc && conn->cc->sndbuf_windows ? conn->cc->sndbuf_windows : 2;
    uint64_t wanted = windows * each * segs;

    if (conn->snd.buf < wanted)
        conn->snd.buf = (uint32_t)MIN(wanted, params->wmem_max);
}

void
tcp_check_space(TcpConn *conn)
{
    if (!conn->opt.sndbuf_locked && tcp_packets_in_flight(conn) < conn->sender->w.cwnd) {
        tcp_sndbuf_expand(conn);
        tcp_sender_own(conn)->cwnd_stamp = tcp_now(conn);
    }
    if (!tcp_tx_is_writable(conn))
        return;
    conn->snd.no_space = false;
    tcp_chrono_stop(conn, TCP_CHRONO_SNDBUF);
    tcp_wake(conn, TCP_EVENT_WRITABLE);
}

static bool
has_room(const TcpConn *conn)
{
    return tcp_tx_truesize(conn) < conn->snd.buf && below_lowat(conn, 0);
}

static void
mark_push(TcpConn *conn, TcpTxSeg *seg)
{
    seg->flags |= TCP_PSH;
    conn->snd.pushed_seq = conn->snd.write_seq;
}

/* Half the largest window was written since the last PSH (RFC 1122 §4.2.2.2
 * lets us; it keeps the receiver going). */
static bool
push_is_due(const TcpConn *conn)
{
    return seq_after(conn->snd.write_seq, conn->snd.pushed_seq + conn->snd.max_wnd / 2);
}

/* The unsent entry that still takes bytes, or a new one. NULL: no room. */
static TcpTxSeg *
entry_to_fill(TcpConn *conn, uint32_t goal)
{
    TcpTxSeg *seg = tcp_tx_last_unsent(conn);

    if (seg && tcp_tx_len(seg) < goal && !seg->eor && !(seg->flags & TCP_FIN))
        return seg;
    if (!has_room(conn))
        return NULL;
    tcp_cwnd_check_idle(conn);
    seg = tcp_tx_push(conn, conn->snd.write_seq);
    conn->opt.nodelay &= (uint8_t)~TCP_NAGLE_PUSH;
    tcp_chrono_start(conn, TCP_CHRONO_BUSY);
    return seg;
}

uint64_t
tcp_tx_append(TcpConn *conn, const void *bytes, uint64_t len, unsigned flags)
{
    StreamTable *streams = conn->stack->host->net->streams;
    uint32_t mss = tcp_current_mss(conn), goal = tcp_size_goal(conn, mss);
    uint64_t taken = 0;

    if (conn->snd.stream == 0)
        conn->snd.stream = stream_new_id(streams);
    while (taken < len) {
        TcpTxSeg *seg = entry_to_fill(conn, goal);
        uint32_t part;

        if (!seg)
            break;
        part = (uint32_t)MIN(len - taken, goal - tcp_tx_len(seg));
        if (bytes)
            stream_write(streams, conn->snd.stream, conn->snd.written, (const char *)bytes + taken,
                         part);
        if (taken == 0 && !(flags & TCP_MSG_REST))
            seg->flags &= (uint8_t)~TCP_PSH;
        seg->end_seq += part;
        conn->snd.write_seq += part;
        conn->snd.written += part;
        taken += part;
        if (taken == len) {
            seg->eor = (flags & (TCP_MSG_EOR | TCP_MSG_FULL)) != 0;
            break;
        }
        if (tcp_tx_len(seg) < goal || (flags & TCP_MSG_OOB))
            continue;
        if (conn->state == TCP_CLOSED || conn->state == TCP_SYN_SENT)
            continue;
        if (push_is_due(conn)) {
            mark_push(conn, seg);
            tcp_push_pending(conn, mss, TCP_NAGLE_PUSH);
        } else if (seg == tcp_tx_next_unsent(conn)) {
            tcp_write_xmit(conn, mss, TCP_NAGLE_PUSH, TCP_PUSH_ONE);
        }
    }
    return taken;
}

/* What a call to send() leaves is sent, as Nagle and MSG_MORE allow. */
static void
push(TcpConn *conn, unsigned flags, unsigned nagle)
{
    TcpTxSeg *seg = tcp_tx_last_unsent(conn);

    if (!seg)
        return;
    if (!(flags & TCP_MSG_MORE) || push_is_due(conn))
        mark_push(conn, seg);
    if (flags & TCP_MSG_FULL)
        return; /* the call's last piece sends all */
    if (flags & TCP_MSG_OOB) {
        conn->snd.up = conn->snd.write_seq;
        conn->snd.urgent = true;
    }
    if (conn->below.bytes && tcp_autocork(conn, seg, tcp_size_goal(conn, tcp_current_mss(conn))))
        return;
    if (flags & TCP_MSG_MORE)
        nagle = TCP_NAGLE_CORK;
    tcp_push_pending(conn, tcp_current_mss(conn), nagle);
}

/* Why nothing can be sent now: 0, or a negative errno. */
static int
send_error(TcpConn *conn)
{
    if (conn->error) {
        int error = conn->error;

        conn->error = 0;
        return -error;
    }
    if (conn->shut & 2)
        return -EPIPE;
    switch ((TcpState)conn->state) {
    case TCP_ESTABLISHED:
    case TCP_CLOSE_WAIT:
        return 0;
    case TCP_SYN_RECEIVED:
        return conn->fastopen ? 0 : -EAGAIN; /* RFC 7413: a server may speak before the third ACK */
    case TCP_SYN_SENT:
        return -EAGAIN;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
    case TCP_N_STATES:
        break;
    }
    return -EPIPE;
}

int64_t
tcp_send(TcpConn *conn, const void *bytes, size_t len, unsigned flags)
{
    int error;
    uint64_t taken;

    if (tcp_fastopen_is_waiting(conn)) /* connect() waited for these bytes */
        return tcp_sendto_fastopen(conn, conn->fastopen->remote, bytes, len, flags);
    error = send_error(conn);
    if (error) {
        if (error == -EAGAIN)
            conn->snd.no_space = true;
        return error;
    }
    if (len == 0)
        return 0;
    /* Who waited waited for room: the last buffer's rest is not enough to go on. */
    if ((flags & TCP_MSG_WAITED) && !has_room(conn)) {
        conn->snd.no_space = true;
        return -EAGAIN;
    }
    tcp_enter(conn);
    tcp_sender_own(conn);
    if (!(flags & TCP_MSG_WAITED))
        tcp_rate_check_app_limited(conn);
    taken = tcp_tx_append(conn, bytes, len, flags);
    if (taken < len) {
        conn->snd.no_space = true;
        if (taken)
            push(conn, flags & ~(unsigned)TCP_MSG_MORE, TCP_NAGLE_PUSH);
    } else {
        push(conn, flags, tcp_nagle_mode(conn));
    }
    tcp_sample(conn);
    tcp_leave(conn);
    return taken ? (int64_t)taken : -EAGAIN;
}

size_t
tcp_unsent_bytes(const TcpConn *conn)
{
    return conn->snd.write_seq - conn->snd.nxt;
}

size_t
tcp_unacked_bytes(const TcpConn *conn)
{
    return conn->snd.write_seq - conn->snd.una;
}

/* A handshake without a sample leaves a cautious RTO (RFC 6298 §5.7); one
 * that lost more than one SYN a window of one segment (RFC 5681 §3.1 would
 * have it after the first). */
void
tcp_send_init(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;

    if (conn->parent == NULL)
        tcp_mtu_probing_init(conn);
    tcp_sync_mss(conn, 0);
    /* Where the search begins does not bound the first segments of an accepted
     * connection, nor does the path's MTU bound the search (Linux, both ends). */
    tcp_mtu_probing_init(conn);
    if (conn->rtt.srtt == 0) {
        conn->rtt.rto = params->syn_lost_rto_ms * SIM_MS;
        conn->rtt.rttvar = conn->rtt.mdev_max = conn->rtt.rto;
        conn->rtt.mdev = conn->rtt.rto / 4;
    }
    conn->sender->w.ssthresh = CC_INFINITE_SSTHRESH;
    conn->sender->w.cwnd = tcp_initial_cwnd(conn);
    if (conn->sender->total_retrans > 1 && conn->sender->undo_marker)
        conn->sender->w.cwnd = 1;
    conn->sender->cwnd_stamp = conn->last_send_at = tcp_now(conn);
    if (conn->sender->reordering == 0)
        conn->sender->reordering = params->reordering;
    conn->sender->rtx_hint = conn->sender->rtx_high = conn->snd.una;
    conn->snd.up = conn->snd.small_end = conn->snd.una;
    conn->snd.pushed_seq = conn->snd.write_seq;
    conn->sender->pace_cwnd = conn->sender->w.cwnd;
    conn->rtt.paced = conn->rtt.srtt;
    conn->sender->chrono = TCP_CHRONO_NONE;
    if (!conn->opt.sndbuf_locked)
        tcp_sndbuf_expand(conn);
}

void
tcp_send_done(TcpConn *conn)
{
    tcp_timer_clear(conn);
    /* The connection's memory may go next: no event may look at its timers. */
    sim_timer_done(conn->stack->sim, &conn->rtx);
    if (!conn->sender->is_shared)
        sim_timer_done(conn->stack->sim, &conn->sender->pacing);
    tcp_tx_free(conn);
}
