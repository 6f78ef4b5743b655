/* A SYN at a listener, and what becomes of a cookie's ACK: RFC 9293
 * §3.10.7.2 with the queues in its way. */
#include <string.h>

#include "models/tcp/fastopen.h"
#include "models/tcp/demux.h"
#include "models/tcp/ecn.h"
#include "models/tcp/handshake.h"
#include "models/tcp/isn.h"
#include "models/tcp/listen.h"
#include "models/tcp/metrics.h"

#define DEFAULT_MSS 536
/* Linux believes a cookie only while the queue overflowed lately. */
#define COOKIE_OVERFLOW_S 120

static void
take_options(TcpStack *stack, TcpRequest *request, const TcpHeader *h, bool without)
{
    const TcpParams *p = stack->params;
    uint8_t has = without ? h->options & TCPOPT_HAS_MSS : h->options;

    uint16_t mss = (has & TCPOPT_HAS_MSS) != 0 && h->mss != 0 ? h->mss : DEFAULT_MSS;

    if (request->listener->conn->snd.user_mss != 0)
        mss = MIN(mss, request->listener->conn->snd.user_mss);
    request->entry.spare = mss;
    request->ts_ok = p->timestamps != 0 && (has & TCPOPT_HAS_TS) != 0;
    request->ts_recent = request->ts_ok ? h->tsval : 0;
    request->sack_ok = p->sack != 0 && (has & TCPOPT_HAS_SACK_OK) != 0;
    request->wscale_ok = p->window_scaling != 0 && (has & TCPOPT_HAS_WSCALE) != 0;
    request->snd_wscale = request->wscale_ok ? MIN(h->wscale, 14) : 0;
}

static void
set_window(TcpStack *stack, TcpRequest *request)
{
    TcpConn *conn = request->listener->conn;
    uint32_t mss = tcp_mss_for(stack, request->entry.tuple.remote, conn->snd.user_mss),
             clamp = conn->rcv.clamp;
    uint8_t wscale = 0;

    mss -= request->ts_ok ? 12 : 0;
    request->wnd =
        (uint16_t)tcp_initial_window(conn, request->entry.tuple.remote, tcp_receive_space(conn),
                                     mss, request->wscale_ok, &wscale, &clamp);
    request->rcv_wscale = wscale & 15;
}

static void
request_init(TcpListener *listener, TcpRequest *request, const TcpSegment *seg,
             bool without_options)
{
    TcpStack *stack = listener->conn->stack;
    const Packet *packet = seg->packet;

    memset(request, 0, sizeof *request);
    request->listener = listener;
    request->entry.kind = TCP_ENTRY_REQUEST;
    request->entry.tuple =
        (TcpTuple){ packet->ip.dst, packet->ip.src, seg->h->dport, seg->h->sport };
    request->irs = seg->seq;
    sim_timer_init(&request->timer);
    take_options(stack, request, seg->h, without_options);
    request->ecn_ok = tcp_ecn_accepts(stack, listener->conn->cc, request->entry.tuple.remote,
                                      seg->flags, seg->ecn);
    request->ts_offset = tcp_ts_offset_new(stack, &request->entry.tuple);
    request->ts_first = tcp_ts_clock(stack) + request->ts_offset;
    set_window(stack, request);
}

static void
request_enqueue(TcpListener *listener, TcpRequest *request)
{
    request->next = listener->first;
    if (listener->first != NULL)
        listener->first->before = request;
    listener->first = request;
    listener->n_requests++;
    listener->n_young++;
    tcp_demux_insert(listener->conn->stack, &request->entry);
    tcp_listener_note(listener);
}

/* With cookies off, the last quarter of tcp_max_syn_backlog is kept for peers
 * that are known to exist. */
static bool
is_reserved(const TcpListener *listener, const TcpSegment *seg)
{
    const TcpParams *p = listener->conn->stack->params;

    return p->syncookies == 0 && !p->cf_unlimited_queue &&
           (int64_t)p->max_syn_backlog - listener->n_requests <
               (int64_t)(p->max_syn_backlog >> 2) &&
           !tcp_metrics_is_proven(listener->conn->stack, seg->packet->ip.src);
}

/* Whether to answer with a cookie; false and *drop: neither. */
static bool
wants_cookie(TcpListener *listener, const TcpSegment *seg, bool *drop)
{
    TcpStack *stack = listener->conn->stack;
    const TcpParams *p = stack->params;
    bool cookies = p->syncookies != 0 && !p->cf_no_cookies;

    *drop = false;
    if (!(cookies && p->syncookies == 2) && !tcp_syn_queue_is_full(listener))
        return false;
    if (cookies) {
        host_count(stack->host, MIB_TcpExtTCPReqQFullDoCookies);
        return true;
    }
    host_count(stack->host, MIB_TcpExtTCPReqQFullDrop);
    tcp_listen_drop(listener, seg, "SYN queue full",
                    p->cf_no_cookies ? "counterfactual.no_cookies" : "net.ipv4.tcp_syncookies = 0");
    *drop = true;
    return false;
}

static void
answer_with_cookie(TcpListener *listener, const TcpSegment *seg)
{
    TcpStack *stack = listener->conn->stack;
    TcpRequest request;

    request_init(listener, &request, seg,
                 (seg->h->options & TCPOPT_HAS_TS) == 0 || stack->params->timestamps == 0);
    request.is_cookie = true;
    request.iss = tcp_cookie_make(stack, seg, &request.entry.spare);
    if (!request.ts_ok)
        request.ecn_ok = false;
    listener->last_overflow_at = sim_now(stack->sim);
    listener->has_overflowed = true;
    host_count(stack->host, MIB_TcpExtSyncookiesSent);
    tcp_verdict(stack, 0, VERDICT_REPLY, seg->packet->id, "SYN cookie", "net.ipv4.tcp_syncookies");
    tcp_request_send_synack(stack, &request, "net.ipv4.tcp_syncookies");
}

/* What the record says of a request that real TCP would not have, or not so. */
static const char *
request_counterfactual(const TcpListener *listener)
{
    const TcpStack *stack = listener->conn->stack;

    if (stack->params->cf_unlimited_queue && listener->n_requests > listener->backlog + 1)
        return "counterfactual.unlimited_queue";
    return tcp_isn_counterfactual(stack);
}

/* Counterfactual: whoever says SYN is believed, and no third segment is
 * waited for. */
static void
establish_in_two_ways(TcpListener *listener, TcpRequest *request, const TcpSegment *seg)
{
    TcpConn *child = tcp_request_promote(request, seg);

    tcp_enter(child);
    child->segs_in = 1;
    child->snd.una = child->snd.nxt;
    child->snd.wnd = child->snd.max_wnd = seg->h->wnd; /* never scaled in a SYN */
    tcp_set_state(child, TCP_ESTABLISHED,
                  TCP_CAUSE("segment", "SYN", "RFC 9293 §3.5 has three segments",
                            .packet = seg->packet->id,
                            .counterfactual = "counterfactual.two_way_handshake"));
    tcp_data_established(child);
    tcp_wake(listener->conn, TCP_EVENT_READABLE);
    tcp_leave(child);
}

void
tcp_listen_syn(TcpConn *conn, const TcpSegment *seg, uint32_t isn)
{
    TcpListener *listener = conn->listener;
    TcpStack *stack = conn->stack;
    TcpRequest *request;
    TcpFastOpenCookie reply;
    bool drop, cookie = isn == 0 && wants_cookie(listener, seg, &drop);

    if (isn == 0 && drop)
        return;
    if (tcp_accept_queue_is_full(listener)) {
        host_count(stack->host, MIB_TcpExtListenOverflows);
        tcp_listen_drop(listener, seg, "accept queue full", "listen() backlog, net.core.somaxconn");
        return;
    }
    if (cookie) {
        answer_with_cookie(listener, seg);
        return;
    }
    if (isn == 0 && is_reserved(listener, seg)) {
        tcp_listen_drop(listener, seg, "rest of the SYN queue is kept for proven peers",
                        "net.ipv4.tcp_max_syn_backlog");
        return;
    }
    if (isn == 0 && tcp_metrics_is_older(stack, seg)) {
        host_count(stack->host, MIB_TcpExtPAWSPassive);
        tcp_listen_drop(listener, seg, "timestamp older than the last of this address",
                        "counterfactual.paws_by_address");
        return;
    }
    request = sim_pool_get(&stack->shared->requests);
    request_init(listener, request, seg, false);
    request->conn = ++stack->host->net->last_conn_id;
    request->iss = isn != 0 ? isn : tcp_isn_new(stack, &request->entry.tuple);
    request_enqueue(listener, request);
    if (listener->conn->opt.save_syn)
        tcp_request_keep_syn(request, seg->packet);
    if (seg->payload.len > 0 && stack->params->accept_syn_data)
        tcp_request_keep_data(request, seg->payload);
    tcp_record_conn(stack, request->conn, &request->entry.tuple, true);
    tcp_record_transition(stack, request->conn, &request->entry.tuple, TCP_LISTEN, TCP_SYN_RECEIVED,
                          TCP_CAUSE("segment", "SYN", "RFC 9293 §3.10.7.2 #3",
                                    .packet = seg->packet->id,
                                    .counterfactual = request_counterfactual(listener)));
    if (tcp_fastopen_listen(listener, request, seg, &reply))
        return;
    tcp_request_send_synack_with(stack, request, &reply, "RFC 9293 §3.10.7.2 #3");
    if (stack->params->cf_two_way_handshake)
        establish_in_two_ways(listener, request, seg);
    else
        tcp_request_arm(request);
}

/* An ACK that matches no connection may carry a cookie of ours. */
static bool
take_cookie(TcpConn *conn, TcpSegment *seg)
{
    TcpStack *stack = conn->stack;
    TcpListener *listener = conn->listener;
    TcpRequest *request;
    uint16_t mss;

    if (stack->params->syncookies == 0 || (seg->flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK)
        return false;
    if (!conn->listener->has_overflowed ||
        sim_now(stack->sim) - conn->listener->last_overflow_at > COOKIE_OVERFLOW_S * SIM_SEC)
        return false;
    mss = tcp_cookie_check(stack, seg);
    if (mss == 0) {
        host_count(stack->host, MIB_TcpExtSyncookiesFailed);
        tcp_verdict(stack, 0, VERDICT_NOTE, seg->packet->id, "no cookie of ours",
                    "net.ipv4.tcp_syncookies");
        return false;
    }
    host_count(stack->host, MIB_TcpExtSyncookiesRecv);
    if (tcp_accept_queue_is_full(listener)) {
        host_count(stack->host, MIB_TcpExtListenOverflows);
        tcp_listen_drop(listener, seg, "accept queue full", "listen() backlog, net.core.somaxconn");
        return true;
    }
    request = sim_pool_get(&stack->shared->requests);
    request_init(listener, request, seg, true);
    request->conn = ++stack->host->net->last_conn_id;
    request->irs = seg->seq - 1;
    request->iss = seg->ack - 1;
    request->entry.spare = mss;
    if (!tcp_cookie_ts_decode(stack, seg, request)) {
        sim_pool_put(&stack->shared->requests, request);
        return false;
    }
    set_window(stack, request);
    request->is_cookie = true;
    tcp_record_conn(stack, request->conn, &request->entry.tuple, true);
    tcp_record_transition(
        stack, request->conn, &request->entry.tuple, TCP_LISTEN, TCP_SYN_RECEIVED,
        TCP_CAUSE("segment", "cookie ACK", "net.ipv4.tcp_syncookies", .packet = seg->packet->id));
    tcp_request_establish(request, seg);
    return true;
}

void
tcp_input_listen(TcpConn *conn, TcpSegment *seg)
{
    TcpStack *stack = conn->stack;

    if ((seg->flags & TCP_RST) != 0) {
        tcp_verdict(stack, 0, VERDICT_DROP, seg->packet->id, "RST at LISTEN",
                    "RFC 9293 §3.10.7.2 #1");
        return;
    }
    if ((seg->flags & TCP_ACK) != 0) {
        if (!take_cookie(conn, seg))
            tcp_reply_reset(stack, seg, "RFC 9293 §3.10.7.2 #2");
        return;
    }
    if ((seg->flags & TCP_SYN) == 0) {
        tcp_verdict(stack, 0, VERDICT_DROP, seg->packet->id, "no SYN at LISTEN",
                    "RFC 9293 §3.10.7.2 #4");
        return;
    }
    /* DIFFERS: Linux takes it for a scan. By the RFC the FIN is for later: it is
     * not acknowledged, so it comes again. */
    if ((seg->flags & TCP_FIN) != 0 && !stack->params->accept_syn_data) {
        tcp_verdict(stack, 0, VERDICT_DROP, seg->packet->id, "SYN with FIN at LISTEN",
                    "Linux: SYN and FIN together");
        return;
    }
    tcp_listen_syn(conn, seg, 0);
}
