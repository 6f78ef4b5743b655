#include "models/tcp/rcvwindow.h"

#include "models/ip/metrics.h"
#include "models/tcp/backlog.h"
#include "models/tcp/delack.h"

/* Linux's SOCK_MIN_RCVBUF: room for one small segment with its overhead. */
#define RCVBUF_LEAST 2304u
#define WSCALE_MAX   14

static inline uint32_t
win_of_space(const TcpConn *conn, uint32_t space)
{
    return (uint32_t)((uint64_t)space * conn->rcv.space_ratio >> 8);
}

static uint32_t
win_of_buffer(const TcpConn *conn, uint32_t space)
{
    if (!conn->stack->params->buffer_overhead)
        return space;
    return win_of_space(conn, space);
}

static uint32_t
full_space(const TcpConn *conn)
{
    return win_of_buffer(conn, conn->rcv.buf);
}

uint32_t
tcp_receive_space(const TcpConn *conn)
{
    uint32_t used = conn->rcv.truesize;

    if (__builtin_expect(conn->is_busy, 0))
        used += conn->backlog->truesize;
    if (used >= conn->rcv.buf)
        return 0;
    return win_of_buffer(conn, conn->rcv.buf - used);
}

static inline uint32_t
align_up(uint32_t bytes, unsigned scale)
{
    uint32_t unit = UINT32_C(1) << scale;

    return (bytes + unit - 1) & ~(unit - 1);
}

/* ---- The first window -------------------------------------------------------- */

/* RFC 7323 §2.3: one scale for the whole connection, so it is chosen for the
 * largest buffer that tuning may reach. */
static uint8_t
scale_for(uint32_t space)
{
    unsigned log2 = space ? 31u - (unsigned)__builtin_clz(space) : 0;

    return (uint8_t)CLAMP((int)log2 - 15, 0, WSCALE_MAX);
}

uint32_t
tcp_initial_window(const TcpConn *conn, IpAddr peer, uint32_t space, uint32_t mss, bool wants_scale,
                   uint8_t *wscale, uint32_t *clamp)
{
    const TcpParams *params = conn->stack->params;
    const IpMetrics *route = ip_metrics(conn->stack->host, peer);
    uint32_t wnd, most_first;

    if (*clamp == 0)
        *clamp = route->window ? route->window : params->window_clamp;
    if (conn->opt.rcvbuf_locked && (*clamp == 0 || *clamp > space))
        *clamp = space; /* it will not grow */
    if (*clamp == 0)
        *clamp = UINT32_C(65535) << WSCALE_MAX;
    space = MIN(space, *clamp);
    most_first = MIN(space, 65535u);
    if (space > mss && mss)
        space -= space % mss;
    wnd = MIN(space, 65535u);
    if (params->syn_window)
        wnd = MIN(params->syn_window, most_first); /* no more than there is room for */
    if (route->initrwnd)
        wnd = (uint32_t)MIN(wnd, (uint64_t)route->initrwnd * mss);
    *wscale = 0;
    if (wants_scale) {
        uint32_t most = MAX(space, MAX(params->rmem_max, params->core_rmem_max));

        *wscale = scale_for(MIN(most, *clamp));
    }
    *clamp = (uint32_t)MIN(UINT64_C(65535) << *wscale, (uint64_t)*clamp);
    return wnd;
}

/* What RFC 9293 §3.7.1 assumes of a peer until its segments show more. */
static uint16_t
first_mss_estimate(const TcpConn *conn)
{
    uint32_t mss = MIN(MIN((uint32_t)conn->rcv.adv_mss, conn->snd.mss), conn->rcv.wnd / 2);

    return (uint16_t)MAX(MIN(mss, 536u), 88u);
}

void
tcp_window_established(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;
    uint32_t most = full_space(conn), adv_mss = conn->rcv.adv_mss;

    if (conn->rcv.clamp == 0)
        conn->rcv.clamp = UINT32_C(65535) << conn->rcv.wscale;
    conn->drs.space_at = tcp_now(conn);
    conn->drs.space_seq = conn->rcv.nxt;
    if (params->buffer_overhead) {
        if (conn->rcv.clamp >= most) {
            conn->rcv.clamp = most;
            if (params->app_win && most > 4 * adv_mss)
                conn->rcv.clamp =
                    MAX(most - (params->app_win < 32 ? most >> params->app_win : 0), 4 * adv_mss);
        }
        /* Keep one segment in reserve. */
        if (params->app_win && conn->rcv.clamp > 2 * adv_mss && conn->rcv.clamp + adv_mss > most)
            conn->rcv.clamp = MAX(2 * adv_mss, most - adv_mss);
    } else {
        conn->rcv.clamp = MIN(conn->rcv.clamp, most);
        conn->rcv.ssthresh = conn->rcv.clamp;
    }
    conn->rcv.ssthresh = MIN(conn->rcv.ssthresh, conn->rcv.clamp);
    conn->drs.space = MIN(MIN(conn->rcv.ssthresh, conn->rcv.wnd), 10 * adv_mss);
    conn->rcv.mss = first_mss_estimate(conn);
}

/* ---- The window of a segment --------------------------------------------------- */

uint32_t
tcp_window_now(const TcpConn *conn)
{
    int32_t wnd = (int32_t)(conn->rcv.wup + conn->rcv.wnd - conn->rcv.nxt);

    return wnd < 0 ? 0 : (uint32_t)wnd;
}

/* Silly window avoidance (RFC 9293 §3.8.6.2.2): nothing rather than a window
 * below a segment or a sixteenth of the buffer; without scaling in steps of
 * a segment. */
uint32_t
tcp_window_would_be(TcpConn *conn)
{
    uint32_t mss = conn->rcv.mss, space = tcp_receive_space(conn), allowed = full_space(conn);
    uint32_t full = MIN(conn->rcv.clamp, allowed);

    if (__builtin_expect(mss > full, 0)) {
        mss = full;
        if (!mss)
            return 0;
    }
    if (space < full / 2) {
        conn->ack.quick = 0;
        space &= ~((UINT32_C(1) << conn->rcv.wscale) - 1);
        if (space < allowed >> 4 || space < mss)
            return 0;
    }
    space = MIN(space, conn->rcv.ssthresh);
    if (conn->rcv.wscale)
        return align_up(space, conn->rcv.wscale);
    if (!conn->stack->params->buffer_overhead)
        return space;
    /* DIFFERS: Linux offers nothing for ever where a buffer that was small once
     * left the threshold below a segment. */
    mss = MIN(mss, MAX(conn->rcv.ssthresh, 1u));
    if ((int64_t)conn->rcv.wnd <= (int64_t)space - mss || conn->rcv.wnd > space)
        return space - space % mss;
    if (mss == full && space > conn->rcv.wnd + full / 2)
        return space;
    return conn->rcv.wnd;
}

uint16_t
tcp_window_select(TcpConn *conn)
{
    uint32_t old = conn->rcv.wnd, now, next, field;

    if (__builtin_expect(conn->ack.pending & TCP_ACK_NO_MEMORY, 0)) {
        conn->rcv.wnd = 0;
        conn->rcv.wup = conn->rcv.nxt;
        conn->ts.last_ack_sent = conn->rcv.nxt;
        if (old)
            host_count(conn->stack->host, MIB_TcpExtTCPToZeroWindowAdv);
        return 0;
    }
    now = tcp_window_now(conn);
    next = tcp_window_would_be(conn);
    if (next < now && !(conn->stack->params->shrink_window && conn->rcv.wscale)) {
        if (next == 0)
            host_count(conn->stack->host, MIB_TcpExtTCPWantZeroWindowAdv);
        next = align_up(now, conn->rcv.wscale); /* RFC 9293 §3.8.6: never shrink it */
    }
    conn->rcv.wnd = next;
    conn->rcv.wup = conn->rcv.nxt;
    conn->ts.last_ack_sent = conn->rcv.nxt;
    field = MIN(next, UINT32_C(65535) << conn->rcv.wscale) >> conn->rcv.wscale;
    if (__builtin_expect(field == 0, 0)) {
        if (old)
            host_count(conn->stack->host, MIB_TcpExtTCPToZeroWindowAdv);
    } else if (old == 0) {
        host_count(conn->stack->host, MIB_TcpExtTCPFromZeroWindowAdv);
    }
    return (uint16_t)field;
}

/* ---- Growth with what arrives ---------------------------------------------------- */

uint32_t
tcp_truesize_of(const TcpConn *conn, uint32_t header_bytes, uint32_t payload)
{
    uint32_t bytes;

    if (!conn->stack->params->buffer_overhead)
        return payload;
    /* A packet buffer of Linux: 64 bytes of headroom, the packet, 320 bytes
     * that describe it, in an allocation of 576 or a power of two, and 256
     * bytes for the buffer's head. */
    bytes = ((header_bytes + payload + 64 + 63) & ~63u) + 320;
    if (bytes <= 576)
        return 576 + 256;
    return (UINT32_C(1) << (32 - __builtin_clz(bytes - 1))) + 256;
}

static uint32_t
clamp_to(TcpConn *conn, uint32_t clamp)
{
    uint32_t old = conn->rcv.clamp;

    clamp = MAX(clamp, RCVBUF_LEAST / 2);
    conn->rcv.clamp = clamp;
    if (clamp < old)
        conn->rcv.ssthresh = MIN(conn->rcv.ssthresh, clamp);
    else if (clamp > old)
        conn->rcv.ssthresh = MAX(MIN(conn->rcv.wnd, clamp), conn->rcv.ssthresh);
    return clamp;
}

/* The peer's segments show their size, and with it how much of the buffer
 * payload can fill. */
static void
learn_full_segment(TcpConn *conn, uint32_t len, uint32_t truesize)
{
    if (len == conn->rcv.mss)
        return;
    if (conn->stack->params->buffer_overhead) {
        uint32_t ratio = CLAMP((len << 8) / MAX(truesize, 1u), 1u, 255u);

        if (ratio != conn->rcv.space_ratio) {
            conn->rcv.space_ratio = (uint8_t)ratio;
            clamp_to(conn, full_space(conn));
            conn->drs.space = MIN(conn->drs.space, conn->rcv.clamp);
        }
    }
    conn->rcv.mss = (uint16_t)MIN(len, (uint32_t)conn->rcv.adv_mss);
}

void
tcp_window_note_segment(TcpConn *conn, uint32_t len, uint32_t truesize, uint16_t flags)
{
    uint16_t last = conn->rcv.last_seg_size;

    conn->rcv.last_seg_size = 0;
    if (len >= conn->rcv.mss) {
        learn_full_segment(conn, len, truesize);
        if (flags & TCP_PSH) /* perhaps the end of a write: the sender may wait */
            conn->ack.pending |= TCP_ACK_PUSHED;
        return;
    }
    /* Two equal segments, not the end of anything, show a smaller MSS. */
    if (len >= 536 || (len >= 88 && !(flags & (TCP_FIN | TCP_URG | TCP_SYN | TCP_PSH)))) {
        conn->rcv.last_seg_size = (uint16_t)MIN(len, UINT16_MAX);
        if (len == last) {
            conn->rcv.mss = (uint16_t)len;
            return;
        }
    }
    if (conn->ack.pending & TCP_ACK_PUSHED)
        conn->ack.pending |= TCP_ACK_PUSHED2;
    conn->ack.pending |= TCP_ACK_PUSHED;
}

/* With segments this wasteful, how far may the window grow? Smaller and
 * smaller shares of the largest buffer are tried. */
static uint32_t
growth_of_wasteful(const TcpConn *conn, uint32_t len, uint32_t truesize)
{
    uint32_t size = win_of_buffer(conn, truesize) / 2;
    uint32_t window = win_of_buffer(conn, conn->stack->params->rmem_max) / 2;

    while (conn->rcv.ssthresh <= window) {
        if (size <= len)
            return 2u * conn->rcv.mss;
        size /= 2;
        window /= 2;
    }
    return 0;
}

void
tcp_window_grow(TcpConn *conn, uint32_t len, uint32_t truesize)
{
    int64_t room = (int64_t)MIN(conn->rcv.clamp, tcp_receive_space(conn)) - conn->rcv.ssthresh;
    uint32_t more;

    if (room <= 0)
        return;
    if (win_of_buffer(conn, truesize) <= len)
        more = 2u * conn->rcv.adv_mss;
    else
        more = growth_of_wasteful(conn, len, truesize);
    if (!more)
        return;
    more = MAX(more, 2 * len);
    conn->rcv.ssthresh += (uint32_t)MIN(room, (int64_t)more);
    if (conn->stack->params->quickack)
        conn->ack.quick |= 1; /* tell the sender of the larger window at once */
}
