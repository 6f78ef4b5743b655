/* Sending (RFC 9293 §3.8.6.2.1): what may leave now, and the SYN and FIN that
 * are queued like data. Called after every segment in, timer and user call. */
#include "models/tcp/ecn.h"
#include "models/tcp/output.h"

/* What one run of the loop found out. */
typedef struct XmitRun {
    uint32_t max_segs, sent;
    bool cwnd_limited, rwnd_limited;
} XmitRun;

void
tcp_new_data_sent(TcpConn *conn)
{
    TcpTxSeg *seg = tcp_tx_at(conn, conn->tx->n_sent);
    uint32_t prior_packets = conn->sender->packets_out;

    conn->tx->n_sent++;
    conn->snd.nxt = seg->end_seq;
    conn->sender->packets_out += seg->pcount;
    if (prior_packets == 0 || tcp_timer_pending(conn) == TCP_TIMER_TLP)
        tcp_rearm_rto(conn);
    host_count_n(conn->stack->host, MIB_TcpExtTCPOrigDataSent, seg->pcount);
}

/* The entry may start within the peer's window (its first segment's worth). */
static bool
fits_window(const TcpConn *conn, const TcpTxSeg *seg, uint32_t mss)
{
    uint32_t end = seg->end_seq;

    if (tcp_tx_len(seg) > mss)
        end = seg->seq + mss;
    return !seq_after(end, tcp_wnd_end(conn));
}

/* Fills the entry at the front up to a burst with bytes of the next one. */
static void
grow_from_next(TcpConn *conn, TcpTxSeg *seg, uint32_t wanted)
{
    uint32_t index = conn->tx->n_sent;
    uint32_t moved;
    TcpTxSeg *next;

    if (index + 1 >= conn->tx->count || seg->eor)
        return;
    next = tcp_tx_at(conn, index + 1);
    moved = MIN(wanted, tcp_tx_len(next));
    if (!moved)
        return;
    seg->end_seq += moved;
    next->seq += moved;
    if (tcp_tx_len(next) == 0) {
        seg->end_seq = next->end_seq;
        seg->eor = next->eor;
        seg->flags |= next->flags;
        tcp_tx_remove(conn, index + 1);
    }
}

/* Prepares the next entry to leave as one burst. False: it has to wait. */
static bool
prepare_burst(TcpConn *conn, uint32_t mss, unsigned nagle, TcpPush push, XmitRun *run)
{
    TcpTxSeg *seg = tcp_tx_next_unsent(conn);
    uint32_t room = tcp_cwnd_room(conn), limit = mss, len;

    if (!room) {
        if (push != TCP_PUSH_PROBE)
            return false;
        room = 1; /* RFC 8985 §7.3: a probe goes whatever cwnd says */
    }
    room = MIN(room, run->max_segs);
    len = tcp_tx_len(seg);
    if (room * mss > len) {
        grow_from_next(conn, seg, room * mss - len);
        seg = tcp_tx_next_unsent(conn);
        len = tcp_tx_len(seg);
    }
    tcp_tx_set_pcount(seg, mss);
    if (!fits_window(conn, seg, mss)) {
        run->rwnd_limited = true;
        return false;
    }
    if (seg->pcount == 1) {
        bool is_last = conn->tx->n_sent + 1 == conn->tx->count;

        if (!tcp_nagle_allows(conn, seg, mss, is_last ? nagle : TCP_NAGLE_PUSH))
            return false;
    } else if (push == TCP_PUSH_ALL &&
               tcp_burst_should_wait(conn, seg, run->max_segs, &run->cwnd_limited,
                                     &run->rwnd_limited)) {
        return false;
    }
    if (seg->pcount > 1 && !conn->snd.urgent)
        limit = tcp_burst_limit(conn, seg, mss, room, nagle);
    if (len > limit)
        tcp_tx_cut(conn, conn->tx->n_sent, limit, mss);
    return true;
}

bool
tcp_write_xmit(TcpConn *conn, uint32_t mss, unsigned nagle, TcpPush push)
{
    XmitRun run = { .max_segs = 0 };

    if (push == TCP_PUSH_ALL && conn->path.probing) {
        int probed = tcp_mtu_probe(conn);

        if (probed == 0)
            return false;
        run.sent = probed > 0;
    }
    run.max_segs = tcp_burst_segs(conn, mss);
    while (tcp_tx_next_unsent(conn) && !tcp_pacing_waits(conn)) {
        TcpTxSeg *seg;

        if (!prepare_burst(conn, mss, nagle, push, &run))
            break;
        if (conn->below.bytes &&
            tcp_small_queue_is_full(conn, tcp_tx_at(conn, conn->tx->n_sent), false))
            break;
        if (tcp_transmit_seg(conn, conn->tx->n_sent, NULL, "RFC 9293 §3.8"))
            break; /* it did not leave the host: it is still to be sent */
        seg = tcp_tx_at(conn, conn->tx->n_sent);
        if (tcp_tx_len(seg) < (uint32_t)seg->pcount * mss)
            conn->snd.small_end = seg->end_seq; /* Minshall: nagle.c */
        run.sent += seg->pcount;
        tcp_new_data_sent(conn);
        if (push != TCP_PUSH_ALL)
            break;
    }
    if (run.rwnd_limited)
        tcp_chrono_start(conn, TCP_CHRONO_RWND);
    else
        tcp_chrono_stop(conn, TCP_CHRONO_RWND);
    run.cwnd_limited |= tcp_packets_in_flight(conn) >= conn->sender->w.cwnd;
    if (run.sent || run.cwnd_limited)
        tcp_cwnd_validate(conn, run.cwnd_limited);
    if (!run.sent)
        return conn->sender->packets_out == 0 && tcp_tx_next_unsent(conn);
    if (tcp_in_cwnd_reduction(conn))
        conn->sender->prr_out += run.sent;
    if (push != TCP_PUSH_PROBE)
        tcp_tlp_schedule(conn, false);
    return false;
}

void
tcp_push_pending(TcpConn *conn, uint32_t mss, unsigned nagle)
{
    if (conn->state == TCP_CLOSED)
        return;
    if (tcp_write_xmit(conn, mss, nagle, TCP_PUSH_ALL))
        tcp_persist_check(conn);
}

void
tcp_output(TcpConn *conn)
{
    if (tcp_tx_next_unsent(conn))
        tcp_push_pending(conn, tcp_current_mss(conn), tcp_nagle_mode(conn));
    if (conn->snd.no_space)
        tcp_check_space(conn);
}

/* The SYN as the first entry of the queue, not yet sent. */
static void
push_syn(TcpConn *conn, uint16_t flags)
{
    TcpTxSeg *seg;

    conn->snd.una = conn->snd.nxt = conn->snd.iss;
    conn->snd.write_seq = conn->snd.iss + 1;
    conn->snd.up = conn->snd.small_end = conn->snd.iss;
    conn->snd.pushed_seq = conn->snd.iss;
    seg = tcp_tx_push(conn, conn->snd.iss);
    conn->sender->rtx_hint = conn->sender->rtx_high = conn->snd.iss;
    seg->end_seq = conn->snd.iss + 1;
    seg->flags = TCP_SYN | (flags & TCP_ACK);
    if (!(flags & TCP_ACK))
        seg->flags |= tcp_ecn_syn_flags(conn);
    seg->pcount = 1;
    if (conn->rtt.rto == 0)
        tcp_rto_set_initial(conn);
    conn->sender->retrans_stamp = tcp_ts_clock(conn->stack);
    conn->sender->retrans_at = MAX(tcp_now(conn), 1);
}

static void
syn_was_sent(TcpConn *conn)
{
    conn->tx->n_sent = conn->tx->count;
    conn->snd.nxt = conn->snd.write_seq;
    conn->sender->packets_out = conn->tx->count;
    tcp_timer_set(conn, TCP_TIMER_RTO, conn->rtt.rto);
}

void
tcp_queue_syn(TcpConn *conn, uint16_t flags)
{
    TcpTxSeg *seg = tcp_tx_first_sent(conn);

    if (seg && (seg->flags & TCP_SYN)) { /* simultaneous open: the same SYN, now with ACK */
        seg->flags = TCP_SYN | (flags & TCP_ACK);
        tcp_transmit_seg(conn, 0, NULL, "RFC 9293 §3.10.7.3");
        return;
    }
    push_syn(conn, flags);
    tcp_transmit_seg(conn, 0, NULL, "RFC 9293 §3.5");
    syn_was_sent(conn);
}

uint32_t
tcp_queue_syn_data(TcpConn *conn, const void *bytes, uint32_t len)
{
    StreamTable *streams = conn->stack->host->net->streams;
    TcpTxSeg *seg;

    push_syn(conn, TCP_SYN);
    conn->snd.stream = stream_new_id(streams);
    if (bytes)
        stream_write(streams, conn->snd.stream, 0, bytes, len);
    seg = tcp_tx_push(conn, conn->snd.write_seq);
    seg->flags = TCP_PSH;
    seg->end_seq += len;
    conn->snd.write_seq += len;
    conn->snd.written = len;
    tcp_tx_set_pcount(seg, MAX(conn->snd.mss, len));
    tcp_tx_at(conn, 0)->sent_at = seg->sent_at = tcp_now(conn);
    seg->serial = ++conn->sender->tx_serial;
    tcp_rate_sent(conn, seg);
    tcp_chrono_start(conn, TCP_CHRONO_BUSY);
    tcp_transmit_syn(conn, tcp_tx_at(conn, 0), len, NULL, "RFC 7413 §4.2.1");
    conn->data_segs_out++;
    conn->bytes_sent += len;
    host_count(conn->stack->host, MIB_TcpExtTCPOrigDataSent);
    syn_was_sent(conn);
    return len;
}

void
tcp_queue_fin(TcpConn *conn)
{
    TcpTxSeg *seg = tcp_tx_last_unsent(conn);

    if (!seg) {
        seg = tcp_tx_push(conn, conn->snd.write_seq);
        tcp_cwnd_check_idle(conn);
    }
    seg->flags |= TCP_FIN;
    seg->end_seq++;
    conn->snd.fin_seq = conn->snd.write_seq++;
    conn->snd.has_fin = true;
    tcp_push_pending(conn, tcp_current_mss(conn), TCP_NAGLE_OFF);
}
