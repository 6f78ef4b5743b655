/* When a short segment waits: Nagle's algorithm (RFC 896, RFC 9293 §3.7.4),
 * in Minshall's variant as Linux has it: a short segment waits only while an
 * earlier short one is unacknowledged. TCP_CORK holds them back whatever is
 * out. A waiting segment leaves at the latest with the window probe timer. */
#include "models/tcp/output.h"

unsigned
tcp_nagle_mode(const TcpConn *conn)
{
    unsigned off = conn->stack->params->nagle == 0 ? TCP_NAGLE_OFF : 0;

    return off | conn->opt.nodelay | (conn->opt.cork ? TCP_NAGLE_CORK : 0);
}

bool
tcp_nagle_holds(const TcpConn *conn, bool is_partial, unsigned nagle)
{
    if (!is_partial)
        return false;
    if (nagle & TCP_NAGLE_CORK)
        return true;
    if (nagle || !conn->sender->packets_out)
        return false;
    if (conn->stack->params->nagle == 2)
        return true; /* anything outstanding holds a short segment */
    return seq_after(conn->snd.small_end, conn->snd.una) &&
           !seq_after(conn->snd.small_end, conn->snd.nxt);
}

bool
tcp_nagle_allows(const TcpConn *conn, const TcpTxSeg *seg, uint32_t mss, unsigned nagle)
{
    if (nagle & TCP_NAGLE_PUSH)
        return true;
    if (conn->snd.urgent || seg->flags & TCP_FIN)
        return true;
    return !tcp_nagle_holds(conn, tcp_tx_len(seg) < mss, nagle);
}

void
tcp_set_nodelay(TcpConn *conn, bool on)
{
    if (!on) {
        conn->opt.nodelay = 0;
        return;
    }
    /* PUSH lets even corked data go, once: it is over with the next entry. */
    conn->opt.nodelay = TCP_NAGLE_OFF | TCP_NAGLE_PUSH;
    tcp_output(conn);
}

void
tcp_set_cork(TcpConn *conn, bool on)
{
    conn->opt.cork = on;
    if (on)
        return;
    if (conn->opt.nodelay & TCP_NAGLE_OFF)
        conn->opt.nodelay |= TCP_NAGLE_PUSH;
    tcp_output(conn);
}
