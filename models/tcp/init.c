/* A connection's data path: birth, inheritance, the moment of ESTABLISHED,
 * and its end. */
#include "models/ip/metrics.h"
#include "models/tcp/delack.h"
#include "models/tcp/ecn.h"
#include "models/tcp/output.h"
#include "models/tcp/rcvwindow.h"
#include "models/tcp/reassembly.h"
#include "models/tcp/rxqueue.h"
#include "models/tcp/timers.h"

/* What payload takes of a buffer until segments have shown it: half. */
#define FIRST_SPACE_RATIO 128

void
tcp_data_init(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;

    sim_timer_init(&conn->rtx);
    sim_timer_init(&conn->delack);
    sim_timer_init(&conn->keep);
    conn->cc = cc_find(params->congestion_control);
    sim_check(conn->cc != NULL);
    conn->sender = conn->stack->resting;
    conn->snd.mss = 524; /* RFC 9293 §3.7.1's 536, less timestamps, until the peer says more */
    conn->snd.buf = params->wmem_default;
    conn->rcv.buf = params->rmem_default;
    conn->rcv.space_ratio = FIRST_SPACE_RATIO;
    conn->rcv.mss = 536;
    conn->opt.linger_s = -1;
    conn->opt.rcvlowat = 1;
    conn->opt.mtu_discover =
        ip_params(conn->stack->host)->no_pmtu_disc != 0 ? PMTUDISC_DONT : PMTUDISC_WANT;
    tcp_rto_set_initial(conn);
}

void
tcp_data_inherit(TcpConn *child, const TcpConn *listener)
{
    child->opt = listener->opt;
    child->opt.has_port = false;
    child->cc = listener->cc;
    child->snd.buf = listener->snd.buf;
    child->snd.user_mss = listener->snd.user_mss;
    child->rcv.buf = listener->rcv.buf;
    child->ack.pingpong = listener->ack.pingpong;
}

/* What the route to the peer says of the path (ip-route(8)). */
static void
take_route_metrics(TcpConn *conn)
{
    const IpMetrics *route = ip_metrics(conn->stack->host, conn->entry.tuple.remote);

    conn->opt.route_quickack = route->quickack;
    if (route->rto_min_ms)
        conn->opt.rto_min_us = route->rto_min_ms * 1000;
    if (route->reordering)
        conn->sender->reordering = route->reordering;
    if (route->cwnd)
        conn->sender->w.cwnd_clamp = route->cwnd;
}

void
tcp_data_established(TcpConn *conn)
{
    if (!conn->rcv.adv_mss)
        conn->rcv.adv_mss = tcp_advertised_mss(conn);
    if (conn->ts.ok)
        conn->rcv.adv_mss -= 12; /* from here on: data that fits beside timestamps */
    tcp_sender_own(conn);
    take_route_metrics(conn);
    tcp_send_init(conn);
    conn->sender->prior_ssthresh = 0;
    if (!tcp_sender_rest(conn))
        tcp_cc_begin(conn, tcp_now(conn));
    tcp_window_established(conn);
}

void
tcp_data_done(TcpConn *conn)
{
    Sim *sim = conn->stack->sim;

    tcp_send_done(conn);
    tcp_reassembly_clear(conn);
    sim_timer_done(sim, &conn->delack);
    sim_timer_init(&conn->delack);
    conn->ack.pending = 0;
}

void
tcp_data_free(TcpConn *conn)
{
    tcp_rx_clear(conn);
    tcp_sender_free(conn);
}

void
tcp_data_reset(TcpConn *conn)
{
    uint32_t sndbuf = conn->snd.buf, rcvbuf = conn->rcv.buf, clamp = conn->rcv.clamp;
    uint16_t user_mss = conn->snd.user_mss;
    const CcOps *cc = conn->cc;
    struct TcpConn fresh = { .stack = conn->stack, .opt = conn->opt };

    tcp_data_free(conn);
    tcp_data_init(&fresh);
    conn->snd = fresh.snd;
    conn->rcv = fresh.rcv;
    conn->drs = fresh.drs;
    conn->ts = fresh.ts;
    conn->rtt = fresh.rtt;
    conn->sender = fresh.sender;
    conn->delivered = 0;
    conn->probes_out = 0;
    conn->rate_has_begun = false;
    conn->sack_ok = false;
    conn->last_data_recv_at = conn->last_ack_recv_at = conn->last_send_at = 0;
    conn->ack = fresh.ack;
    conn->ecn = fresh.ecn;
    conn->path = fresh.path;
    conn->cc = cc;
    conn->snd.buf = sndbuf;
    conn->snd.user_mss = user_mss;
    conn->rcv.buf = rcvbuf;
    conn->rcv.clamp = conn->opt.rcvbuf_locked ? 0 : clamp;
    conn->bytes_acked = conn->bytes_received = conn->bytes_sent = conn->bytes_retrans = 0;
    conn->segs_in = conn->segs_out = conn->data_segs_in = conn->data_segs_out = 0;
}
