/* Segments for an entry in TIME-WAIT, or in FIN-WAIT-2 without a user: as Linux
 * judges them, and as RFC 9293 §3.10.7.4 does with RFC 1337, RFC 6191 and
 * RFC 7323. */
#include "models/tcp/demux.h"
#include "models/tcp/handshake.h"
#include "models/tcp/timestamps.h"
#include "models/tcp/timewait.h"

#define PAWS_MSL (60 * SIM_SEC) /* Linux: TS.Recent binds an RST no longer than this */

static void
tw_send_ack(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg, const char *rule)
{
    Packet *packet = packet_new_tcp(stack->host->packets);
    TcpHeader *h = &packet->tcp;

    packet->conn = tw->conn;
    packet->why = rule;
    packet->ip.src = tw->entry.tuple.local;
    packet->ip.dst = tw->entry.tuple.remote;
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.df = true;
    packet->payload = (Payload){ 0 };
    h->sport = tw->entry.tuple.lport;
    h->dport = tw->entry.tuple.rport;
    h->flags = TCP_ACK;
    h->seq = tw->snd_nxt;
    h->ack = tw->rcv_nxt;
    h->wnd = tw->wnd;
    h->urg = 0;
    if (tw->ts_ok) {
        h->options |= TCPOPT_HAS_TS;
        h->tsval = tcp_ts_clock(stack) + tw->ts_offset;
        h->tsecr = tw->ts_recent;
    }
    packet_finish_lengths(packet);
    tcp_verdict(stack, tw->conn, VERDICT_REPLY, seg->packet->id, "ACK", rule);
    host_count(stack->host, MIB_TcpOutSegs);
    ip_output(stack->host, packet);
}

static void
tw_note_drop(TcpStack *stack, const TcpTimeWait *tw, const TcpSegment *seg, const char *what,
             const char *rule)
{
    tcp_verdict(stack, tw->conn, VERDICT_DROP, seg->packet->id, what, rule);
}

static bool
tw_reply_is_limited(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg)
{
    uint32_t now_ms = (uint32_t)(sim_now(stack->sim) / SIM_MS) + 1;

    if (tcp_segment_has_text(seg))
        return false;
    if (tw->last_reply_ms != 0 &&
        now_ms - tw->last_reply_ms < stack->params->invalid_ratelimit_ms) {
        host_count(stack->host, tw->state == TCP_FIN_WAIT_2 ? MIB_TcpExtTCPACKSkippedFinWait2
                                                            : MIB_TcpExtTCPACKSkippedTimeWait);
        tw_note_drop(stack, tw, seg, "its answer is rate limited",
                     "net.ipv4.tcp_invalid_ratelimit");
        return true;
    }
    tw->last_reply_ms = now_ms;
    return false;
}

static void
tw_ack_or_silence(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg, const char *rule)
{
    if (!tw_reply_is_limited(stack, tw, seg))
        tw_send_ack(stack, tw, seg, rule);
}

static bool
tw_has_old_timestamp(const TcpStack *stack, const TcpTimeWait *tw, const TcpSegment *seg)
{
    SimTime recent_at = (SimTime)tw->ts_recent_ms * SIM_MS, now = sim_now(stack->sim);

    if (!tw->ts_ok || (seg->h->options & TCPOPT_HAS_TS) == 0 ||
        tcp_ts_is_fresh(tw->ts_recent, recent_at, seg->tsval, 0, now))
        return false;
    /* A peer that crashed may have lost its clock: its RST counts again once
     * nothing of the old connection can be on the way. */
    return (seg->flags & TCP_RST) == 0 || now - recent_at < PAWS_MSL;
}

static bool
tw_is_old_timestamp(const TcpStack *stack, const TcpTimeWait *tw, const TcpSegment *seg)
{
    return !stack->params->cf_no_paws && tw_has_old_timestamp(stack, tw, seg);
}

static bool
has_timestamp(const TcpSegment *seg)
{
    return (seg->h->options & TCPOPT_HAS_TS) != 0;
}

/* RFC 9293 §3.6.1, RFC 6191 §2: a SYN that can't be an old duplicate opens a
 * new incarnation. The rule by which it may; NULL: it may not. */
static const char *
tw_reopen_rule(const TcpStack *stack, const TcpTimeWait *tw, const TcpSegment *seg)
{
    /* Higher than the last number seen, that of the FIN. DIFFERS: Linux wants one more. */
    bool is_higher = seq_after(seg->seq, tw->rcv_nxt) ||
                     (seg->seq == tw->rcv_nxt && stack->params->timewait_by_rfc);
    int32_t newer = (int32_t)(seg->tsval - tw->ts_recent);

    if ((seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN)
        return NULL;
    if (stack->params->cf_no_paws || !has_timestamp(seg))
        return is_higher ? "RFC 9293 §3.6.1" : NULL;
    if (!tw->ts_ok) /* its clock says nothing of the old one. DIFFERS: Linux asks for the number */
        return stack->params->timewait_by_rfc || is_higher ? "RFC 6191 §2" : NULL;
    if (tw_is_old_timestamp(stack, tw, seg))
        return NULL;
    return newer > 0 || is_higher ? "RFC 6191 §2" : NULL;
}

static void
tw_reopen(TcpStack *stack, TcpTimeWait *tw, TcpSegment *seg, const char *rule)
{
    TcpConn *listener = tcp_demux_listener(stack, &tw->entry.tuple);
    uint32_t isn;

    if (listener == NULL) { /* nobody would take it: as any other stale segment */
        tw_ack_or_silence(stack, tw, seg, "RFC 9293 §3.10.7.4 #4: TIME-WAIT");
        return;
    }
    isn = tcp_time_wait_next_isn(tw);
    tcp_time_wait_drop(
        stack, tw,
        TCP_CAUSE("segment", "SYN of a new incarnation", rule, .packet = seg->packet->id,
                  .counterfactual =
                      tw_has_old_timestamp(stack, tw, seg) ? "counterfactual.no_paws" : NULL));
    tcp_listen_syn(listener, seg, isn);
}

static void
tw_take_timestamp(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg)
{
    if (!tw->ts_ok || (seg->h->options & TCPOPT_HAS_TS) == 0)
        return;
    tw->ts_recent = seg->tsval;
    tw->ts_recent_ms = (uint32_t)(sim_now(stack->sim) / SIM_MS);
}

static bool
tw_is_in_window(const TcpStack *stack, const TcpTimeWait *tw, const TcpSegment *seg)
{
    uint32_t nxt = tw->rcv_nxt, end = nxt + ((uint32_t)tw->wnd << tw->rcv_wscale);

    if (stack->params->cf_no_window_check ||
        (stack->params->cf_no_rst_check && (seg->flags & TCP_RST) != 0))
        return true;
    return seg->seq == nxt || (seq_after(seg->end_seq, nxt) && seq_before(seg->seq, end)) ||
           (seg->seq == end && seg->seq == seg->end_seq);
}

static void
end_fin_wait_2(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg, const char *what,
               const char *rule)
{
    if ((seg->flags & TCP_RST) == 0)
        tcp_reply_reset(stack, seg, rule);
    tcp_time_wait_drop(stack, tw, TCP_CAUSE("segment", what, rule, .packet = seg->packet->id));
}

static void
fin_for_fin_wait_2(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg)
{
    TcpCause cause =
        TCP_CAUSE("segment", "FIN", "RFC 9293 §3.10.7.4 #8", .packet = seg->packet->id);

    tw->rcv_nxt = seg->end_seq;
    tw_take_timestamp(stack, tw, seg);
    tw->began_ms = (uint32_t)(sim_now(stack->sim) / SIM_MS);
    if (stack->params->cf_no_time_wait) {
        cause.counterfactual = "counterfactual.no_time_wait";
        tw_send_ack(stack, tw, seg, cause.rule);
        tcp_time_wait_drop(stack, tw, cause);
        return;
    }
    tcp_record_transition(stack, tw->conn, &tw->entry.tuple, TCP_FIN_WAIT_2, TCP_TIME_WAIT, cause);
    tcp_time_wait_restart(stack, tw);
    tw_send_ack(stack, tw, seg, cause.rule);
}

/* An orphan that waits for the peer's FIN. DIFFERS: Linux judges it by less
 * than a connection: any RST in the window ends it, one outside is answered,
 * and ACK numbers are not looked at. */
static void
input_fin_wait_2(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg, bool old_ts)
{
    bool has_text = seq_after(seg->end_seq, tw->rcv_nxt) && seg->end_seq != seg->seq;

    if (old_ts || !tw_is_in_window(stack, tw, seg))
        tw_ack_or_silence(stack, tw, seg, old_ts ? "RFC 7323 §5.3 R1" : "RFC 9293 §3.10.7.4 #1");
    else if ((seg->flags & TCP_RST) != 0)
        end_fin_wait_2(stack, tw, seg, "RST", "RFC 9293 §3.10.7.4 #2");
    else if ((seg->flags & TCP_SYN) != 0 && !seq_before(seg->seq, tw->rcv_nxt))
        end_fin_wait_2(stack, tw, seg, "SYN", "Linux: SYN in the window of an orphan");
    else if ((seg->flags & TCP_ACK) == 0)
        tw_note_drop(stack, tw, seg, "no ACK", "RFC 9293 §3.10.7.4 #5");
    else if (has_text && ((seg->flags & TCP_FIN) == 0 || seg->end_seq != tw->rcv_nxt + 1))
        end_fin_wait_2(stack, tw, seg, "data after close", "RFC 1122 §4.2.2.13: data after close");
    else if (has_text)
        fin_for_fin_wait_2(stack, tw, seg);
}

/* RFC 1337: an old segment may make us answer, the answer may bring an RST,
 * and that RST is exact. */
static void
tw_reset(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg)
{
    const char *counterfactual = seg->seq != tw->rcv_nxt ? "counterfactual.no_rst_check" : NULL;

    if (stack->params->rfc1337)
        tw_note_drop(stack, tw, seg, "RST in TIME-WAIT", "RFC 1337 §3");
    else
        tcp_time_wait_drop(stack, tw,
                           TCP_CAUSE("segment", "RST", "RFC 1337 §1: assassination",
                                     .packet = seg->packet->id, .counterfactual = counterfactual));
}

/* DIFFERS: Linux, to which any sign of the peer is one that it has not closed. */
static void
input_as_linux(TcpStack *stack, TcpTimeWait *tw, TcpSegment *seg, bool old_ts)
{
    bool is_rst = (seg->flags & TCP_RST) != 0;
    bool is_expected = seg->seq == tw->rcv_nxt || (is_rst && stack->params->cf_no_rst_check);
    const char *rule = old_ts ? "RFC 7323 §5.3 R1" : "RFC 9293 §3.10.7.4 #1: TIME-WAIT", *reopen;

    if (!old_ts && is_expected && is_rst) {
        tw_reset(stack, tw, seg);
        return;
    }
    if (!old_ts && is_expected && seg->seq == seg->end_seq) { /* a bare ACK */
        tcp_time_wait_restart(stack, tw);
        tw_take_timestamp(stack, tw, seg);
        return;
    }
    reopen = tw_reopen_rule(stack, tw, seg);
    if (reopen != NULL) {
        tw_reopen(stack, tw, seg, reopen);
        return;
    }
    if (old_ts)
        host_count(stack->host, MIB_TcpExtPAWSTimewait);
    if (is_rst) {
        tw_note_drop(stack, tw, seg, "RST in TIME-WAIT",
                     old_ts ? "Linux: PAWS holds for an RST too"
                            : "Linux: RST off RCV.NXT in TIME-WAIT");
        return;
    }
    /* A SYN without ACK may be a new one whose number is below: it must not
     * keep the entry alive. */
    if (old_ts || (seg->flags & TCP_ACK) != 0)
        tcp_time_wait_restart(stack, tw);
    tw_ack_or_silence(stack, tw, seg, rule);
}

/* A SYN that RFC 6191 judges: it opens anew, or, where its timestamp was what
 * decided, is dropped without a word. */
static void
syn_by_rfc(TcpStack *stack, TcpTimeWait *tw, TcpSegment *seg, bool old_ts)
{
    const char *reopen = tw_reopen_rule(stack, tw, seg);

    if (old_ts)
        host_count(stack->host, MIB_TcpExtPAWSTimewait);
    if (reopen != NULL)
        tw_reopen(stack, tw, seg, reopen);
    else if (has_timestamp(seg))
        tw_note_drop(stack, tw, seg, "SYN that may be an old duplicate", "RFC 6191 §2");
    else
        tw_ack_or_silence(stack, tw, seg, "RFC 9293 §3.10.7.4 #1: TIME-WAIT");
}

/* RFC 9293 §3.10.7.4, what it says of TIME-WAIT: only the peer's FIN, come
 * again, has anything to do here. */
static void
input_by_rfc(TcpStack *stack, TcpTimeWait *tw, TcpSegment *seg, bool old_ts)
{
    bool is_fin = (seg->flags & TCP_FIN) != 0;
    bool is_in_window = tw_is_in_window(stack, tw, seg);

    if ((seg->flags & TCP_RST) != 0) {
        if (stack->params->rfc1337 || seg->seq == tw->rcv_nxt || stack->params->cf_no_rst_check)
            tw_reset(stack, tw, seg);
        else
            tw_note_drop(stack, tw, seg, "RST off RCV.NXT in TIME-WAIT", "RFC 5961 §3.2");
    } else if ((seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        syn_by_rfc(stack, tw, seg, old_ts);
    } else if (tw->ts_ok && !has_timestamp(seg) && !stack->params->paws_tolerance) {
        tw_note_drop(stack, tw, seg, "no timestamp, though they were agreed", "RFC 7323 §3.2");
    } else if (old_ts) {
        host_count(stack->host, MIB_TcpExtPAWSTimewait);
        tw_ack_or_silence(stack, tw, seg, "RFC 7323 §5.3 R1");
    } else if (is_fin && (is_in_window || seg->end_seq == tw->rcv_nxt)) {
        tw_take_timestamp(stack, tw, seg);
        tcp_time_wait_restart(stack, tw);
        tw_ack_or_silence(stack, tw, seg, "RFC 9293 §3.10.7.4 #8: TIME-WAIT");
    } else if (!is_in_window) {
        tw_ack_or_silence(stack, tw, seg, "RFC 9293 §3.10.7.4 #1: TIME-WAIT");
    } else if ((seg->flags & TCP_SYN) != 0) {
        tw_ack_or_silence(stack, tw, seg, "RFC 5961 §4.2");
    } else if ((seg->flags & TCP_ACK) == 0) {
        tw_note_drop(stack, tw, seg, "no ACK", "RFC 9293 §3.10.7.4 #5");
    } else if (seg->payload.len > 0) {
        tw_note_drop(stack, tw, seg, "data past the FIN", "RFC 9293 §3.10.7.4 #7");
    }
}

void
tcp_input_time_wait(TcpTimeWait *tw, TcpSegment *seg)
{
    TcpStack *stack = seg->stack;
    bool old_ts = tw_is_old_timestamp(stack, tw, seg);

    if (tw->state == TCP_FIN_WAIT_2)
        input_fin_wait_2(stack, tw, seg, old_ts);
    else if (stack->params->timewait_by_rfc)
        input_by_rfc(stack, tw, seg, old_ts);
    else
        input_as_linux(stack, tw, seg, old_ts);
}
