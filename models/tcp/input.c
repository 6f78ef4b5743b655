/* Segments for a connection in SYN-RECEIVED or later: the ordered checks of
 * RFC 9293 §3.10.7.4 with the additions of RFC 5961 and RFC 7323, as a table
 * of steps; and a short cut for what nearly all segments are, the next data
 * or the next acknowledgment. */
#include "models/tcp/delack.h"
#include "models/tcp/ecn.h"
#include "models/tcp/fastopen.h"
#include "models/tcp/rcvwindow.h"
#include "models/tcp/text.h"
#include "models/tcp/timestamps.h"

static void
note_counterfactual(TcpConn *conn, const TcpSegment *seg, const char *what, const char *tunable)
{
    tcp_verdict(conn->stack, conn->id, VERDICT_NOTE, seg->packet->id, what, tunable);
}

/* ---- Steps ---------------------------------------------------------------------- */

static TcpVerdict
check_flags(TcpConn *conn, TcpSegment *seg)
{
    (void)conn;
    return seg->flags & (TCP_ACK | TCP_RST | TCP_SYN) ? TCP_PASS : TCP_DROP;
}

/* An RST one below RCV.NXT may follow a FIN that its sender forgot. DIFFERS:
 * Linux; to RFC 5961 §3.2 it is outside the window. */
static bool
resets_after_fin(const TcpConn *conn, const TcpSegment *seg)
{
    return seg->seq == conn->rcv.nxt - 1 && conn->stack->params->rst_tolerance &&
           (conn->state == TCP_CLOSE_WAIT || conn->state == TCP_LAST_ACK ||
            conn->state == TCP_CLOSING);
}

/* Simultaneous open: the peer's SYN-ACK repeats the SYN that brought us here. */
static bool
is_crossed_syn_ack(const TcpConn *conn, const TcpSegment *seg)
{
    const uint16_t both = TCP_SYN | TCP_ACK;

    return conn->state == TCP_SYN_RECEIVED && (seg->flags & both) == both &&
           seg->seq + 1 == seg->end_seq && seg->seq + 1 == conn->rcv.nxt &&
           seg->ack == conn->snd.nxt;
}

/* RFC 9293 §3.10.7.4 #1, its four cases; through a closed window only what is
 * at its edge comes, so that ACKs and RSTs are heard. */
static bool
is_acceptable(const TcpConn *conn, const TcpSegment *seg)
{
    uint32_t nxt = conn->rcv.nxt, wnd = tcp_window_now(conn);

    if (seg->seq == nxt || is_crossed_syn_ack(conn, seg))
        return true;
    return seg->seq - nxt < wnd || (seg->seq != seg->end_seq && seg->end_seq - 1 - nxt < wnd);
}

/* DIFFERS: Linux, whose left edge is what it last acknowledged. */
static bool
is_in_window(const TcpConn *conn, const TcpSegment *seg)
{
    uint32_t limit = conn->rcv.nxt + tcp_window_now(conn);

    if (conn->stack->params->strict_sequence)
        return is_acceptable(conn, seg);
    if (seq_before(seg->end_seq, conn->rcv.wup))
        return false;
    if (!seq_after(seg->end_seq, limit))
        return true;
    if (!seq_after(seg->end_seq - !!(seg->flags & TCP_FIN), limit))
        return true; /* the FIN alone is outside */
    /* More than the window: good while nothing waits for the user. */
    return !seq_after(seg->seq, limit) && !conn->rx;
}

static TcpVerdict
check_sequence(TcpConn *conn, TcpSegment *seg)
{
    const TcpParams *params = conn->stack->params;

    if (is_in_window(conn, seg))
        return TCP_PASS;
    if (seg->flags & TCP_RST) {
        if (resets_after_fin(conn, seg) || params->cf_no_rst_check)
            return TCP_PASS;
        return TCP_DROP;
    }
    if ((seg->flags & TCP_SYN) && params->rfc5961)
        return TCP_PASS; /* the SYN check answers it with a challenge */
    if (params->cf_no_window_check && seg->payload.len) {
        seg->end_seq += conn->rcv.nxt - seg->seq;
        seg->seq = conn->rcv.nxt;
        note_counterfactual(conn, seg, "data outside the window accepted",
                            "counterfactual.no_window_check");
        return TCP_PASS;
    }
    if (seq_after(seg->end_seq, conn->rcv.nxt))
        host_count(conn->stack->host, MIB_TcpExtBeyondWindow);
    return TCP_DROP_ACK;
}

/* Its sender may have missed nothing of what we hold out of order. DIFFERS:
 * Linux alone. */
static bool
is_at_right_edge_of_sacks(const TcpConn *conn, const TcpSegment *seg)
{
    uint32_t right;

    if (!conn->ack.n_sacks || !conn->stack->params->rst_tolerance)
        return false;
    right = conn->ack.sacks[0].end;
    for (unsigned i = 1; i < conn->ack.n_sacks; i++)
        if (seq_after(conn->ack.sacks[i].end, right))
            right = conn->ack.sacks[i].end;
    return seg->seq == right;
}

static TcpVerdict
check_rst(TcpConn *conn, TcpSegment *seg)
{
    const TcpParams *params = conn->stack->params;
    const char *counterfactual = NULL, *rule = "RFC 9293 §3.10.7.4 #2";

    if (!(seg->flags & TCP_RST))
        return TCP_PASS;
    if (seg->seq != conn->rcv.nxt) {
        if (resets_after_fin(conn, seg)) {
            rule = "Linux: RST at the FIN";
        } else if (is_at_right_edge_of_sacks(conn, seg)) {
            rule = "Linux: RST at the right edge of SACK";
        } else if (params->cf_no_rst_check) {
            counterfactual = "counterfactual.no_rst_check";
        } else {
            tcp_fastopen_note_stray_rst(conn);
            if (params->rfc5961)
                return TCP_CHALLENGE;
        }
    }
    tcp_reset_received(conn, seg, rule, counterfactual);
    return TCP_GONE;
}

static TcpVerdict
check_syn(TcpConn *conn, TcpSegment *seg)
{
    const char *rule = "RFC 9293 §3.10.7.4 #4: without RFC 5961";

    if (!(seg->flags & TCP_SYN) || is_crossed_syn_ack(conn, seg))
        return TCP_PASS;
    if (conn->stack->params->rfc5961) {
        host_count(conn->stack->host, MIB_TcpExtTCPSYNChallenge);
        return TCP_CHALLENGE;
    }
    tcp_reply_reset(conn->stack, seg, rule);
    tcp_conn_fail(conn, ECONNRESET,
                  TCP_CAUSE("segment", "SYN in the window", rule, .packet = seg->packet->id));
    return TCP_GONE;
}

static TcpVerdict
ack_in_syn_received(TcpConn *conn, TcpSegment *seg)
{
    /* RFC 9293 §3.10.7.4 #5: SND.UNA < SEG.ACK =< SND.NXT, else a reset. */
    if (!seq_after(seg->ack, conn->snd.una) || seq_after(seg->ack, conn->snd.nxt) ||
        tcp_ack(conn, seg, false) != TCP_PASS)
        return tcp_refuse(seg, TCP_RESET, "ACK of another SYN than ours",
                          "RFC 9293 §3.10.7.4 #5: SYN-RECEIVED");
    tcp_handshake_done(conn, seg);
    return conn->has_ended ? TCP_GONE : TCP_PASS;
}

/* The last byte to be acknowledged is the FIN. */
static TcpVerdict
after_ack_of_fin(TcpConn *conn, TcpSegment *seg)
{
    if (!conn->snd.has_fin || conn->snd.una != conn->snd.fin_seq + 1)
        return TCP_PASS;
    switch ((TcpState)conn->state) {
    case TCP_FIN_WAIT_1:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
        return tcp_fin_acked(conn, seg);
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
    case TCP_TIME_WAIT:
    case TCP_N_STATES:
        break;
    }
    return TCP_PASS;
}

static TcpVerdict
check_ack(TcpConn *conn, TcpSegment *seg)
{
    bool is_old = seq_before(seg->ack, conn->snd.una);
    TcpVerdict verdict;

    if (!(seg->flags & TCP_ACK))
        return tcp_refuse(seg, TCP_DROP, "no ACK", "RFC 9293 §3.10.7.4 #5");
    if (conn->state == TCP_SYN_RECEIVED) {
        verdict = ack_in_syn_received(conn, seg);
        if (verdict == TCP_PASS)
            tcp_ts_update_recent(conn, seg);
        if (verdict != TCP_PASS || conn->state == TCP_SYN_RECEIVED)
            return verdict;
    } else {
        verdict = tcp_ack(conn, seg, false);
        if (verdict != TCP_PASS)
            return verdict;
        if (!is_old)
            tcp_ts_update_recent(conn, seg);
    }
    tcp_window_note_rtt_ts(conn, seg);
    return after_ack_of_fin(conn, seg);
}

static const struct {
    const char *section, *what; /* what a segment is that does not pass */
    TcpVerdict (*step)(TcpConn *conn, TcpSegment *seg);
} steps[] = {
    { "RFC 9293 §3.10.7.4 #5", "neither ACK, RST nor SYN", check_flags },
    { "RFC 7323 §5.3 R1", "timestamp older than TS.Recent (PAWS)", tcp_check_paws },
    { "RFC 9293 §3.10.7.4 #1", "sequence number not acceptable", check_sequence },
    { "RFC 5961 §3.2", "RST not at RCV.NXT", check_rst },
    { "RFC 5961 §4.2", "SYN in a synchronized state", check_syn },
    { "RFC 5961 §5.2", "acknowledgment of data never sent, or too old", check_ack },
    { "RFC 9293 §3.10.7.4 #6", "urgent data", tcp_take_urgent },
    { "RFC 9293 §3.10.7.4 #7", "text", tcp_take_text }, /* and #8, the FIN behind it */
};

/* ---- What becomes of a segment that did not pass ---------------------------------- */

static void
drop_and_ack(TcpConn *conn, TcpSegment *seg, const char *rule, MibCounter skipped)
{
    if (tcp_reply_is_limited(conn, seg, skipped))
        tcp_verdict(conn->stack, conn->id, VERDICT_DROP, seg->packet->id,
                    "its answer is rate limited", "net.ipv4.tcp_invalid_ratelimit");
    else
        tcp_send_dup_ack(conn, seg, rule);
}

static void
act_on(TcpConn *conn, TcpSegment *seg, TcpVerdict verdict, size_t step)
{
    const char *what = seg->what ? seg->what : steps[step].what;
    const char *rule = seg->rule ? seg->rule : steps[step].section;

    if (verdict == TCP_DONE || verdict == TCP_GONE || verdict == TCP_PASS)
        return;
    tcp_verdict(conn->stack, conn->id, VERDICT_DROP, seg->packet->id, what, rule);
    if (verdict == TCP_DROP_ACK)
        drop_and_ack(conn, seg, rule,
                     steps[step].step == tcp_check_paws ? MIB_TcpExtTCPACKSkippedPAWS
                                                        : MIB_TcpExtTCPACKSkippedSeq);
    else if (verdict == TCP_CHALLENGE)
        tcp_challenge_ack(conn, seg, rule);
    else if (verdict == TCP_RESET)
        tcp_reply_reset(conn->stack, seg, rule);
}

/* ---- The short cut ------------------------------------------------------------------ */

/* In ESTABLISHED, in order, nothing special: no step could object. */
static inline bool
is_plain(const TcpConn *conn, const TcpSegment *seg)
{
    const uint16_t special = TCP_SYN | TCP_FIN | TCP_RST | TCP_URG | TCP_ECE | TCP_CWR | TCP_ACK;

    return conn->state == TCP_ESTABLISHED && (seg->flags & special) == TCP_ACK &&
           seg->seq == conn->rcv.nxt && !conn->ooo && !conn->rcv.urgent &&
           seq_between(seg->ack, conn->snd.una, conn->snd.nxt) &&
           (!conn->ts.ok || (seg->has_ts && (int32_t)(seg->tsval - conn->ts.recent) >= 0));
}

static inline void
keep_recent(TcpConn *conn, const TcpSegment *seg)
{
    if (seg->has_ts && conn->rcv.nxt == conn->rcv.wup) {
        conn->ts.recent = seg->tsval;
        conn->ts.recent_at = tcp_now(conn);
    }
}

static inline bool
take_plain(TcpConn *conn, TcpSegment *seg)
{
    uint32_t len = seg->payload.len;
    bool has_news = seg->ack != conn->snd.una || seg->wnd != conn->snd.wnd || seg->h->n_sacks;

    if (len == 0) {
        keep_recent(conn, seg);
        tcp_ack(conn, seg, false);
        tcp_output(conn);
        /* A sender that learnt of a larger window still owes nothing. */
        return true;
    }
    if (len > tcp_window_now(conn) || !tcp_rx_has_room(conn))
        return false;
    keep_recent(conn, seg);
    conn->ack.dsack.end = conn->ack.dsack.start;
    if (seg->has_ts && seg->tsecr != conn->drs.last_tsecr)
        tcp_window_note_rtt_ts(conn, seg);
    host_count(conn->stack->host, MIB_TcpExtTCPHPHits);
    if (has_news)
        tcp_ack(conn, seg, false);
    tcp_take_in_order(conn, seg);
    if (has_news)
        tcp_output(conn);
    tcp_ack_check(conn, false);
    if (conn->rcv.nxt - conn->rcv.copied_seq >= MIN(conn->opt.rcvlowat, conn->rcv.buf / 2))
        tcp_wake(conn, TCP_EVENT_READABLE);
    return true;
}

void
tcp_input_synchronized(TcpConn *conn, TcpSegment *seg)
{
    if (seg->payload.len)
        conn->data_segs_in++;
    if (is_plain(conn, seg) && take_plain(conn, seg))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        TcpVerdict verdict = steps[i].step(conn, seg);

        if (__builtin_expect(verdict != TCP_PASS, 0)) {
            act_on(conn, seg, verdict, i);
            return;
        }
    }
    if (conn->has_ended)
        return;
    tcp_output(conn);
    tcp_ack_check(conn, true);
}
