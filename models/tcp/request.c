/* A segment for a half-open request: SYN-RECEIVED (RFC 9293 §3.10.7.4), as
 * Linux judges it before there is a connection. */
#include <string.h>

#include "models/tcp/demux.h"
#include "models/tcp/handshake.h"
#include "models/tcp/ports.h"

static bool
reply_is_limited(TcpStack *stack, TcpRequest *request)
{
    uint32_t now_ms = (uint32_t)(sim_now(stack->sim) / SIM_MS) + 1;

    if (request->last_reply_ms != 0 &&
        now_ms - request->last_reply_ms < stack->params.invalid_ratelimit_ms) {
        host_count(stack->host, MIB_TcpExtTCPACKSkippedSynRecv);
        return true;
    }
    request->last_reply_ms = now_ms;
    return false;
}

static void
ack_or_silence(TcpStack *stack, TcpRequest *request, const TcpSegment *seg, const char *rule)
{
    if (!reply_is_limited(stack, request))
        tcp_request_reply(stack, request, seg, rule);
}

static bool
is_old_timestamp(const TcpRequest *request, const TcpSegment *seg)
{
    return request->ts_ok && (seg->h->options & TCPOPT_HAS_TS) != 0 &&
           (int32_t)(seg->tsval - request->ts_recent) < 0;
}

/* RFC 9293 §3.10.7.4 #1 over the window that the SYN-ACK offered. */
static bool
is_in_window(const TcpRequest *request, const TcpSegment *seg)
{
    uint32_t nxt = request->irs + 1, end = nxt + request->wnd;

    if (seg->seq == seg->end_seq && seg->seq == end)
        return true;
    return (seq_at_or_before(nxt, seg->seq) && seq_before(seg->seq, end)) ||
           (seq_after(seg->end_seq, nxt) && seq_before(seg->seq, end));
}

static void
reset_or_relisten(TcpStack *stack, TcpRequest *request, TcpSegment *seg)
{
    host_count(stack->host, MIB_TcpExtEmbryonicRsts);
    if ((seg->flags & TCP_RST) != 0) {
        tcp_request_drop(request, TCP_CAUSE("segment", "RST", "RFC 9293 §3.10.7.4 #2",
                                            .packet = seg->packet->id));
        return;
    }
    if (stack->params.synrcvd_syn_to_listen) {
        tcp_request_drop(request, TCP_CAUSE("segment", "SYN in the window", "RFC 9293 §3.10.7.4 #4",
                                            .packet = seg->packet->id));
        return;
    }
    tcp_reply_reset(stack, seg, "Linux: SYN in the window of SYN-RECEIVED");
    tcp_request_drop(request, TCP_CAUSE("segment", "SYN in the window",
                                        "Linux: SYN in the window of SYN-RECEIVED",
                                        .packet = seg->packet->id));
}

static bool
is_repeated_syn(const TcpRequest *request, const TcpSegment *seg)
{
    return seg->seq == request->irs && (seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN;
}

void
tcp_input_request(TcpRequest *request, TcpSegment *seg)
{
    TcpStack *stack = request->listener->conn->stack;
    bool old_ts = is_old_timestamp(request, seg);

    if (is_repeated_syn(request, seg) && !old_ts) {
        if (!reply_is_limited(stack, request))
            tcp_request_resend_synack(request);
        return;
    }
    if ((seg->flags & TCP_ACK) != 0 && (seg->flags & TCP_RST) == 0 &&
        seg->ack != request->iss + 1) {
        tcp_reply_reset(stack, seg, "RFC 9293 §3.10.7.4 #5: SYN-RECEIVED");
        return;
    }
    if (old_ts || !is_in_window(request, seg)) {
        if ((seg->flags & TCP_RST) == 0) {
            if (old_ts)
                host_count(stack->host, MIB_TcpExtPAWSEstab);
            ack_or_silence(stack, request, seg,
                           old_ts ? "RFC 7323 §5.3 R1" : "RFC 9293 §3.10.7.4 #1");
        }
        return;
    }
    if (seg->seq == request->irs) /* a SYN-ACK, or a SYN that carries more */
        seg->flags &= ~TCP_SYN;
    if ((seg->flags & TCP_RST) != 0 && seg->seq != request->irs + 1) {
        ack_or_silence(stack, request, seg, "RFC 5961 §3.2");
        return;
    }
    if ((seg->flags & (TCP_RST | TCP_SYN)) != 0) {
        reset_or_relisten(stack, request, seg);
        return;
    }
    if ((seg->flags & TCP_ACK) == 0) {
        tcp_verdict(stack, request->conn, VERDICT_DROP, seg->packet->id, "no ACK",
                    "RFC 9293 §3.10.7.4 #5");
        return;
    }
    tcp_request_complete(request, seg);
}

void
tcp_request_complete(TcpRequest *request, TcpSegment *seg)
{
    TcpListener *listener = request->listener;
    TcpStack *stack = listener->conn->stack;
    uint32_t defer = listener->conn->opt.defer_accept_s;
    TcpConn *child;

    if (defer > 0 && request->timeouts < defer && seg->end_seq == request->irs + 1) {
        request->acked = true;
        host_count(stack->host, MIB_TcpExtTCPDeferAcceptDrop);
        tcp_verdict(stack, request->conn, VERDICT_DROP, seg->packet->id, "ACK without data",
                    "TCP_DEFER_ACCEPT");
        return;
    }
    if (tcp_accept_queue_is_full(listener)) {
        host_count(stack->host, MIB_TcpExtListenOverflows);
        tcp_listen_drop(listener, seg, "accept queue full", "listen() backlog, net.core.somaxconn");
        if (!stack->params.abort_on_overflow) {
            request->acked = true;
            return;
        }
        host_count(stack->host, MIB_TcpExtEmbryonicRsts);
        tcp_reply_reset(stack, seg, "net.ipv4.tcp_abort_on_overflow");
        tcp_request_drop(request, TCP_CAUSE("segment", "ACK", "net.ipv4.tcp_abort_on_overflow",
                                            .packet = seg->packet->id));
        return;
    }
    child = tcp_request_promote(request, seg);
    tcp_enter(child);
    child->segs_in++;
    seg->wnd = (uint32_t)seg->h->wnd << child->snd.wscale;
    seg->has_ts = child->ts.ok && (seg->h->options & TCPOPT_HAS_TS) != 0;
    tcp_input_synchronized(child, seg);
    tcp_leave(child);
}
