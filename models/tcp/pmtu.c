/* Segment size: from the route's MTU, the peer's MSS option, TCP_MAXSEG, and
 * what path MTU discovery (RFC 1191) learns. */
#include "models/ip/metrics.h"
#include "models/tcp/ack.h"

#define TIMESTAMP_BYTES  12
#define DEFAULT_MSS      536 /* RFC 9293 §3.7.1: the peer sent no MSS option */
#define LEAST_ADVERTISED 256 /* Linux: net.ipv4.route.min_adv_mss */

static uint32_t
header_bytes(IpAddr peer)
{
    return ip_header_bytes(peer) + TCP_HEADER_BYTES;
}

uint16_t
tcp_mss_for(TcpStack *stack, IpAddr peer, uint16_t user_mss)
{
    uint32_t mss = stack->params->advertise_mss, headers = header_bytes(peer);

    if (mss == 0)
        mss = ip_metrics(stack->host, peer)->advmss;
    if (mss == 0) {
        /* The path's, once it is known to be smaller (recording
         * s14_pmtud_1000: the second SYN announces 960). */
        uint32_t mtu = ip_path_mtu(stack->host, peer);

        mss = MAX(mtu > headers ? mtu - headers : 0, LEAST_ADVERTISED);
    }
    if (user_mss && user_mss < mss)
        mss = user_mss;
    return (uint16_t)MIN(mss, UINT16_MAX - headers);
}

uint16_t
tcp_advertised_mss(const TcpConn *conn)
{
    return tcp_mss_for(conn->stack, conn->entry.tuple.remote, conn->snd.user_mss);
}

static uint32_t
option_bytes(const TcpConn *conn)
{
    return conn->ts.ok ? TIMESTAMP_BYTES : 0;
}

uint32_t
tcp_mtu_to_mss(const TcpConn *conn, uint32_t mtu)
{
    uint32_t headers = header_bytes(conn->entry.tuple.remote);
    uint32_t mss = mtu > headers ? mtu - headers : 0;

    mss = MIN(mss, conn->snd.mss_clamp ? conn->snd.mss_clamp : DEFAULT_MSS);
    mss = MAX(mss, conn->stack->params->min_snd_mss);
    return mss - option_bytes(conn);
}

uint32_t
tcp_mss_to_mtu(const TcpConn *conn, uint32_t mss)
{
    return mss + option_bytes(conn) + header_bytes(conn->entry.tuple.remote);
}

uint32_t
tcp_bound_to_half_window(const TcpConn *conn, uint32_t bytes)
{
    uint32_t max = conn->snd.max_wnd, cut = max > DEFAULT_MSS ? max / 2 : max;

    if (cut && bytes > cut)
        return MAX(cut, 68 - TCP_HEADER_BYTES - option_bytes(conn));
    return bytes;
}

void
tcp_sync_mss(TcpConn *conn, uint32_t path_mtu)
{
    uint32_t mss;

    if (path_mtu == 0)
        path_mtu = ip_path_mtu(conn->stack->host, conn->entry.tuple.remote);
    if (path_mtu != conn->path.mtu)
        conn->path.is_locked = ip_pmtu_is_locked(conn->stack->host, conn->entry.tuple.remote);
    if (conn->path.search_high > path_mtu)
        conn->path.search_high = (uint16_t)path_mtu;
    mss = tcp_bound_to_half_window(conn, tcp_mtu_to_mss(conn, path_mtu));
    conn->path.mtu = (uint16_t)path_mtu;
    if (conn->path.probing)
        mss = MIN(mss, tcp_mtu_to_mss(conn, conn->path.search_low));
    conn->snd.mss = (uint16_t)mss;
}

/* A route was changed. As on Linux the socket notices it as it next sends
 * something: the burst that it is about to send still has the old size. */
static bool
route_was_seen(TcpConn *conn)
{
    if (conn->path.mtu == 0 || (conn->path.is_stale && conn->path.stale_at != conn->segs_out)) {
        conn->path.is_stale = false;
        return true;
    }
    if (!conn->path.is_stale)
        conn->path.stale_at = conn->segs_out;
    conn->path.is_stale = true;
    return false;
}

uint32_t
tcp_current_mss(TcpConn *conn)
{
    uint32_t mtu = ip_path_mtu(conn->stack->host, conn->entry.tuple.remote);
    uint32_t blocks;

    if (mtu != conn->path.mtu && route_was_seen(conn))
        tcp_sync_mss(conn, mtu);
    blocks = conn->ack.n_sacks + (conn->ack.dsack.start != conn->ack.dsack.end);
    if (__builtin_expect(blocks == 0, 1))
        return conn->snd.mss;
    blocks = MIN(blocks, (uint32_t)TCP_MAX_SACK_BLOCKS - conn->ts.ok);
    return conn->snd.mss - (4 + 8 * blocks);
}

void
tcp_path_mtu_reduced(TcpConn *conn, uint32_t mtu)
{
    uint32_t known = ip_path_mtu(conn->stack->host, conn->entry.tuple.remote);

    if (mtu < known && conn->opt.mtu_discover == PMTUDISC_DO)
        conn->soft_error = EMSGSIZE;
    if (conn->opt.mtu_discover == PMTUDISC_DONT || conn->opt.mtu_discover == PMTUDISC_PROBE ||
        conn->path.mtu <= known)
        return;
    tcp_sync_mss(conn, known);
    tcp_retransmit_simple(conn); /* what was larger has been dropped */
    tcp_sample(conn);
}
