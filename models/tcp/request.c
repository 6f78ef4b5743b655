/* A segment for a half-open request: SYN-RECEIVED (RFC 9293 §3.10.7.4), as
 * Linux judges it before there is a connection. */
#include <string.h>

#include "models/tcp/delack.h"
#include "models/tcp/demux.h"
#include "models/tcp/handshake.h"
#include "models/tcp/text.h"

static bool
reply_is_limited(TcpStack *stack, TcpRequest *request, const TcpSegment *seg)
{
    uint32_t now_ms = (uint32_t)(sim_now(stack->sim) / SIM_MS) + 1, last_ms = request->timer.spare;

    if (tcp_segment_has_text(seg))
        return false;
    if (last_ms != 0 && now_ms - last_ms < stack->params->invalid_ratelimit_ms) {
        host_count(stack->host, MIB_TcpExtTCPACKSkippedSynRecv);
        tcp_verdict(stack, request->conn, VERDICT_DROP, seg->packet->id, "answer is rate limited",
                    "net.ipv4.tcp_invalid_ratelimit");
        return true;
    }
    request->timer.spare = now_ms;
    return false;
}

static void
note_drop(TcpStack *stack, const TcpRequest *request, const TcpSegment *seg, const char *what,
          const char *rule)
{
    tcp_verdict(stack, request->conn, VERDICT_DROP, seg->packet->id, what, rule);
}

static void
ack_or_silence(TcpStack *stack, TcpRequest *request, const TcpSegment *seg, const char *rule)
{
    if (!reply_is_limited(stack, request, seg))
        tcp_request_reply(stack, request, seg, rule);
}

static bool
has_timestamp(const TcpRequest *request, const TcpSegment *seg)
{
    return request->ts_ok && (seg->h->options & TCPOPT_HAS_TS) != 0;
}

/* Counterfactual: what is wrong with a segment is seen, told, and passed over. */
static bool
is_overlooked(TcpStack *stack, const TcpRequest *request, const TcpSegment *seg, bool is_on,
              const char *what, const char *name)
{
    if (is_on)
        tcp_verdict(stack, request->conn, VERDICT_NOTE, seg->packet->id, what, name);
    return is_on;
}

/* RFC 7323 §5.3 R1, and an echo of what was never sent. NULL: fine. DIFFERS:
 * Linux refuses an RST too. */
static const char *
wrong_timestamp(TcpStack *stack, const TcpRequest *request, const TcpSegment *seg,
                MibCounter *counter)
{
    bool is_rst = (seg->flags & TCP_RST) != 0;

    if (!has_timestamp(request, seg) || (is_rst && !stack->params->synrcvd_as_request))
        return NULL;
    *counter = MIB_TcpExtPAWSEstab;
    if ((int32_t)(seg->tsval - request->ts_recent) < 0)
        return is_rst ? "Linux: PAWS holds for an RST too" : "RFC 7323 §5.3 R1";
    *counter = MIB_TcpExtTSEcrRejected;
    if (seg->tsecr != 0 &&
        !seq_between(seg->tsecr, request->ts_first, tcp_ts_clock(stack) + request->ts_offset))
        return "RFC 7323 §3.2: impossible echo";
    return NULL;
}

static const char *
timestamp_objection(TcpStack *stack, const TcpRequest *request, const TcpSegment *seg,
                    MibCounter *counter)
{
    const char *objection = wrong_timestamp(stack, request, seg, counter);

    if (objection != NULL && is_overlooked(stack, request, seg, stack->params->cf_no_paws,
                                           "old timestamp accepted", "counterfactual.no_paws"))
        return NULL;
    return objection;
}

/* RFC 7323 §3.2: a segment without what was agreed. DIFFERS: Linux takes it. */
static bool
lacks_timestamp(const TcpStack *stack, const TcpRequest *request, const TcpSegment *seg)
{
    return request->ts_ok && (seg->h->options & TCPOPT_HAS_TS) == 0 &&
           !stack->params->paws_tolerance && (seg->flags & (TCP_RST | TCP_SYN)) == 0;
}

/* RFC 9293 §3.10.7.4 #1 over the window that the SYN-ACK offered. */
static bool
is_in_window(TcpStack *stack, const TcpRequest *request, const TcpSegment *seg)
{
    uint32_t nxt = request->irs + 1, end = nxt + request->wnd;

    if (seg->seq == seg->end_seq && seg->seq == end)
        return true;
    if ((seq_at_or_before(nxt, seg->seq) && seq_before(seg->seq, end)) ||
        (seq_after(seg->end_seq, nxt) && seq_before(seg->seq, end)))
        return true;
    return is_overlooked(stack, request, seg, stack->params->cf_no_window_check,
                         "segment outside the window accepted", "counterfactual.no_window_check") ||
           ((seg->flags & TCP_RST) != 0 && stack->params->cf_no_rst_check);
}

static void
reset_or_relisten(TcpStack *stack, TcpRequest *request, TcpSegment *seg)
{
    host_count(stack->host, MIB_TcpExtEmbryonicRsts);
    host_count(stack->host, MIB_TcpAttemptFails);
    if ((seg->flags & TCP_RST) != 0) {
        tcp_request_drop(request, TCP_CAUSE("segment", "RST", "RFC 9293 §3.10.7.4 #2",
                                            .packet = seg->packet->id));
        return;
    }
    if (stack->params->synrcvd_syn_to_listen) {
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

/* Counterfactual four-way handshake: our SYN went by itself, so the peer may
 * believe in a simultaneous open, and answer with SYN and ACK. */
static void
take_four_way_syn_ack(TcpStack *stack, TcpRequest *request, TcpSegment *seg)
{
    if (stack->params->cf_four_way_handshake && seg->seq == request->irs &&
        (seg->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
        seg->flags &= ~TCP_SYN;
        seg->seq++;
    }
}

/* RFC 9293 §3.10.7.4 #1, with RFC 7323's addition. */
static bool
is_acceptable(TcpStack *stack, TcpRequest *request, const TcpSegment *seg)
{
    MibCounter counter;
    const char *objection = timestamp_objection(stack, request, seg, &counter);
    const char *rule = objection != NULL ? objection : "RFC 9293 §3.10.7.4 #1";

    if (lacks_timestamp(stack, request, seg)) {
        note_drop(stack, request, seg, "no timestamp, though they were agreed", "RFC 7323 §3.2");
        return false;
    }
    if (objection == NULL && is_in_window(stack, request, seg)) {
        if (has_timestamp(request, seg) && !seq_after(seg->seq, request->irs + 1))
            request->ts_recent = seg->tsval;
        return true;
    }
    if ((seg->flags & TCP_RST) == 0)
        ack_or_silence(stack, request, seg, rule);
    else
        note_drop(stack, request, seg, "RST that is not acceptable", rule);
    if (objection != NULL)
        host_count(stack->host, counter);
    return false;
}

/* RFC 9293 §3.10.7.4 #5. True: answered with RST, and the request stays. */
static bool
refuses_ack(TcpStack *stack, const TcpRequest *request, const TcpSegment *seg)
{
    if ((seg->flags & TCP_ACK) == 0 || (seg->flags & TCP_RST) != 0 || seg->ack == request->iss + 1)
        return false;
    tcp_reply_reset(stack, seg, "RFC 9293 §3.10.7.4 #5: SYN-RECEIVED");
    return true;
}

/* RFC 5961 §3.2 */
static bool
challenges_rst(TcpStack *stack, TcpRequest *request, const TcpSegment *seg)
{
    if ((seg->flags & TCP_RST) == 0 || seg->seq == request->irs + 1 || !stack->params->rfc5961)
        return false;
    if (is_overlooked(stack, request, seg, stack->params->cf_no_rst_check,
                      "RST with any sequence number accepted", "counterfactual.no_rst_check"))
        return false;
    if (!reply_is_limited(stack, request, seg)) {
        host_count(stack->host, MIB_TcpExtTCPChallengeACK);
        tcp_request_reply(stack, request, seg, "RFC 5961 §3.2");
    }
    return true;
}

/* What Linux does before the ordered checks. */
static bool
takes_as_request(TcpStack *stack, TcpRequest *request, const TcpSegment *seg)
{
    MibCounter counter;

    if (!stack->params->synrcvd_as_request)
        return false;
    if (is_repeated_syn(request, seg) &&
        timestamp_objection(stack, request, seg, &counter) == NULL) {
        if (!reply_is_limited(stack, request, seg))
            tcp_request_resend_synack(request);
        return true;
    }
    return refuses_ack(stack, request, seg);
}

void
tcp_input_request(TcpRequest *request, TcpSegment *seg)
{
    TcpStack *stack = request->listener->conn->stack;

    if (takes_as_request(stack, request, seg))
        return;
    take_four_way_syn_ack(stack, request, seg);
    if (!is_acceptable(stack, request, seg))
        return;
    if (seg->seq == request->irs && (seg->flags & TCP_SYN) != 0) { /* a SYN that carries more */
        seg->flags &= ~TCP_SYN;
        seg->seq++; /* the rest of it */
    }
    if (challenges_rst(stack, request, seg))
        return;
    if ((seg->flags & (TCP_RST | TCP_SYN)) != 0) {
        reset_or_relisten(stack, request, seg);
        return;
    }
    if ((seg->flags & TCP_ACK) == 0) {
        note_drop(stack, request, seg, "no ACK", "RFC 9293 §3.10.7.4 #5");
        return;
    }
    if (!refuses_ack(stack, request, seg))
        tcp_request_complete(request, seg);
}

void
tcp_request_complete(TcpRequest *request, TcpSegment *seg)
{
    TcpListener *listener = request->listener;
    TcpStack *stack = listener->conn->stack;
    uint32_t defer = listener->conn->opt.defer_accept_s;

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
        if (!stack->params->abort_on_overflow) {
            request->acked = true;
            return;
        }
        host_count(stack->host, MIB_TcpExtEmbryonicRsts);
        tcp_reply_reset(stack, seg, "net.ipv4.tcp_abort_on_overflow");
        tcp_request_drop(request, TCP_CAUSE("segment", "ACK", "net.ipv4.tcp_abort_on_overflow",
                                            .packet = seg->packet->id));
        return;
    }
    tcp_request_establish(request, seg);
}

/* RFC 9293 §3.10.7.2: what came with the SYN is processed now. */
static void
take_early_data(TcpConn *child, const TcpSegment *seg, Payload early)
{
    TcpSegment text = *seg;

    text.seq = child->rcv.irs + 1;
    text.end_seq = text.seq + early.len;
    text.flags = TCP_ACK;
    text.payload = early;
    if (child->has_ended || child->state == TCP_SYN_RECEIVED ||
        !seq_after(text.end_seq, child->rcv.nxt))
        return;
    if (tcp_take_text(child, &text) == TCP_PASS)
        tcp_ack_check(child, true);
}

void
tcp_request_establish(TcpRequest *request, TcpSegment *seg)
{
    Payload early = tcp_request_take_data(request);
    TcpConn *child = tcp_request_promote(request, seg);

    tcp_enter(child);
    child->segs_in++;
    seg->wnd = (uint32_t)seg->h->wnd << child->snd.wscale;
    seg->has_ts = child->ts.ok && (seg->h->options & TCPOPT_HAS_TS) != 0;
    tcp_input_synchronized(child, seg);
    if (early.len > 0)
        take_early_data(child, seg, early);
    tcp_leave(child);
}
