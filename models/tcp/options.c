/* What SYNs negotiate: MSS (RFC 9293 §3.7.1), window scale and timestamps
 * (RFC 7323 §2.2, §3.2), SACK (RFC 2018 §2). */
#include "models/tcp/fastopen.h"

#define DEFAULT_MSS 536 /* RFC 9293 §3.7.1: a peer that sends no MSS option */
#define MAX_WSCALE  14  /* RFC 7323 §2.3 */

void
tcp_fill_syn_options(TcpConn *conn, TcpHeader *h, bool is_synack)
{
    const TcpParams *p = conn->stack->params;

    h->options |= TCPOPT_HAS_MSS;
    h->mss = tcp_advertised_mss(conn);
    if (is_synack ? conn->ts.ok : p->timestamps != 0) {
        h->options |= TCPOPT_HAS_TS;
        h->tsval = tcp_ts_clock(conn->stack) + conn->ts.offset;
        h->tsecr = is_synack ? conn->ts.recent : 0;
    }
    if (is_synack ? conn->wscale_ok : p->window_scaling != 0) {
        h->options |= TCPOPT_HAS_WSCALE;
        h->wscale = conn->rcv.wscale;
    }
    if (is_synack ? conn->sack_ok : p->sack != 0)
        h->options |= TCPOPT_HAS_SACK_OK;
    if (conn->fastopen != NULL && (!is_synack || conn->fastopen->is_child)) {
        tcp_fastopen_put_cookie(h, &conn->fastopen->cookie);
        conn->fastopen->cookie.len = -1; /* not in a repeated SYN: RFC 7413 §4.1.3 */
    }
}

void
tcp_take_syn_options(TcpConn *conn, const TcpHeader *h)
{
    const TcpParams *p = conn->stack->params;
    uint16_t mss = h->options & TCPOPT_HAS_MSS ? h->mss : DEFAULT_MSS;

    if (conn->snd.user_mss != 0)
        mss = MIN(mss, conn->snd.user_mss);
    conn->snd.mss_clamp = mss;
    conn->ts.ok = p->timestamps != 0 && (h->options & TCPOPT_HAS_TS) != 0;
    if (conn->ts.ok) {
        conn->ts.recent = h->tsval;
        conn->ts.recent_at = tcp_now(conn);
    }
    conn->sack_ok = p->sack != 0 && (h->options & TCPOPT_HAS_SACK_OK) != 0;
    conn->wscale_ok = p->window_scaling != 0 && (h->options & TCPOPT_HAS_WSCALE) != 0;
    if (conn->wscale_ok) {
        conn->snd.wscale = MIN(h->wscale, MAX_WSCALE);
    } else {
        conn->snd.wscale = 0;
        conn->rcv.wscale = 0;
        conn->rcv.clamp = MIN(conn->rcv.clamp, 65535u);
    }
}
