/* The receive buffer's size: set by the user, or tuned to the rate at which
 * the user takes bytes ("dynamic right-sizing"): the window should be twice
 * what the user takes in a round trip, so that the sender's slow start is
 * never held back. */
#include "models/tcp/rcvwindow.h"

#include "models/tcp/reassembly.h"
#include "models/tcp/timestamps.h"

#define RCVBUF_LEAST 2304u

/* ---- The receiver's view of the round trip --------------------------------------- */

static void
take_rtt(TcpConn *conn, SimTime sample, bool from_window)
{
    SimTime old8 = conn->drs.rtt8;

    if (old8 == 0 || sample * 8 < old8) {
        conn->drs.rtt8 = sample * 8;
        return;
    }
    /* A window may take longer than a round trip: only its minimum says
     * something. A sample with bytes unread may include the user's delay. */
    if (from_window || conn->rcv.nxt != conn->rcv.copied_seq)
        return;
    conn->drs.rtt8 = old8 - old8 / 8 + sample;
}

void
tcp_window_note_rtt_window(TcpConn *conn)
{
    SimTime now = tcp_now(conn);

    if (conn->drs.rtt_at) {
        if (seq_before(conn->rcv.nxt, conn->drs.rtt_seq))
            return;
        take_rtt(conn, MAX(now - conn->drs.rtt_at, SIM_US), true);
    }
    conn->drs.rtt_seq = conn->rcv.nxt + conn->rcv.wnd;
    conn->drs.rtt_at = now;
}

void
tcp_window_note_rtt_ts(TcpConn *conn, const TcpSegment *seg)
{
    SimTime rtt;

    if (!seg->has_ts || seg->tsecr == conn->drs.last_tsecr)
        return;
    conn->drs.last_tsecr = seg->tsecr;
    if (seg->end_seq - seg->seq < conn->rcv.mss)
        return;
    rtt = tcp_ts_rtt(conn, seg);
    if (rtt > 0)
        take_rtt(conn, rtt, false);
}

/* ---- Tuning -------------------------------------------------------------------- */

static void
grow_buffer(TcpConn *conn, uint32_t space)
{
    const TcpParams *params = conn->stack->params;
    uint64_t window = 2 * (uint64_t)space, buf;
    uint32_t old = MAX(conn->drs.space, 1u);

    conn->drs.space = space;
    if (!params->moderate_rcvbuf || conn->opt.rcvbuf_locked)
        return;
    window += window * (space - old) / old * 2; /* in slow start the rate doubles */
    if (conn->ooo)
        window += tcp_reassembly_end(conn->ooo) - conn->rcv.nxt;
    buf = window;
    if (params->buffer_overhead)
        buf = (window << 8) / MAX(conn->rcv.space_ratio, 1);
    buf = MIN(buf, (uint64_t)params->rmem_max);
    if (buf <= conn->rcv.buf)
        return;
    conn->rcv.buf = (uint32_t)buf;
    conn->rcv.clamp = (uint32_t)buf;
    if (params->buffer_overhead)
        conn->rcv.clamp = (uint32_t)(buf * conn->rcv.space_ratio >> 8);
}

void
tcp_window_note_read(TcpConn *conn)
{
    /* As on Linux the clock of the last segment, not of the call. */
    SimTime now = MAX(conn->last_data_recv_at, conn->last_ack_recv_at);
    uint32_t copied;

    now = MAX(now, conn->last_send_at);
    if (conn->drs.rtt8 == 0 || now - conn->drs.space_at < conn->drs.rtt8 / 8)
        return;
    copied = conn->rcv.copied_seq - conn->drs.space_seq;
    copied -= MIN(copied, conn->rcv.nxt - conn->rcv.copied_seq);
    if (copied > conn->drs.space)
        grow_buffer(conn, copied);
    conn->drs.space_seq = conn->rcv.copied_seq;
    conn->drs.space_at = now;
}

void
tcp_window_note_reorder(TcpConn *conn)
{
    if (conn->has_user && conn->drs.space)
        grow_buffer(conn, conn->drs.space);
}

void
tcp_window_under_pressure(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;

    conn->ack.quick = 0;
    if (conn->rcv.buf < params->rmem_max && !conn->opt.rcvbuf_locked)
        conn->rcv.buf = MIN(conn->rcv.truesize, params->rmem_max);
    if (conn->rcv.truesize > conn->rcv.buf)
        conn->rcv.ssthresh = MIN(conn->rcv.clamp, 2u * conn->rcv.adv_mss);
}

/* ---- Options --------------------------------------------------------------------- */

void
tcp_rcvbuf_option(TcpConn *conn, int64_t value, int64_t most)
{
    uint32_t bytes = (uint32_t)CLAMP(value, 0, MIN(most, INT32_MAX / 2));

    conn->opt.rcvbuf_locked = true;
    conn->rcv.buf = MAX(2 * bytes, RCVBUF_LEAST); /* doubled: room for the overhead (socket(7)) */
}

int
tcp_window_clamp_option(TcpConn *conn, int64_t value)
{
    uint32_t old = conn->rcv.clamp, clamp;

    if (value < 0 || value > UINT32_MAX)
        return -EINVAL;
    if (value == 0) {
        if (conn->state != TCP_CLOSED)
            return -EINVAL;
        conn->rcv.clamp = 0;
        return 0;
    }
    clamp = MAX((uint32_t)value, RCVBUF_LEAST / 2);
    conn->rcv.clamp = clamp;
    if (clamp < old)
        conn->rcv.ssthresh = MIN(conn->rcv.ssthresh, clamp);
    else if (clamp > old)
        conn->rcv.ssthresh = MAX(MIN(conn->rcv.wnd, clamp), conn->rcv.ssthresh);
    return 0;
}
