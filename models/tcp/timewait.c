#include "models/tcp/timewait.h"

#include "models/tcp/demux.h"
#include "models/tcp/handshake.h"
#include "models/tcp/metrics.h"
#include "models/tcp/ports.h"
#include "models/tcp/timestamps.h"

G_STATIC_ASSERT(sizeof(TcpTimeWait) <= 128);

/* A SYN that reopens an entry gets an ISN beyond all that the old incarnation
 * sent (RFC 1122 §4.2.2.13): Linux adds a window and two. */
#define REOPEN_ISN_STEP 65537
#define TW_LISTS        2
#define PAWS_MSL        (60 * SIM_SEC) /* Linux: TS.Recent binds an RST no longer than this */

enum { LIST_TIME_WAIT, LIST_FIN_WAIT_2 };

typedef struct TwList {
    TcpStack *stack; /* borrows */
    TcpTimeWait *first, *last;
    SimTimer timer;
} TwList;

struct TcpTimeWaits {
    TwList lists[TW_LISTS];
    uint32_t count;
};

static void list_on_timer(void *arg);

void
tcp_time_waits_init(TcpStack *stack)
{
    stack->timewaits = g_new0(struct TcpTimeWaits, 1);
    for (unsigned i = 0; i < TW_LISTS; i++) {
        stack->timewaits->lists[i].stack = stack;
        sim_timer_init(&stack->timewaits->lists[i].timer);
    }
}

void
tcp_time_waits_free(TcpStack *stack)
{
    for (unsigned i = 0; i < TW_LISTS; i++)
        sim_timer_done(stack->sim, &stack->timewaits->lists[i].timer);
    g_free(stack->timewaits);
}

uint32_t
tcp_time_waits_count(const TcpStack *stack)
{
    return stack->timewaits->count;
}

static void
note_count(TcpStack *stack)
{
    const Probe *probe = &stack->host->probes->queue;

    if (probe_is_heard(probe)) {
        QueueRecord record = { .at = sim_now(stack->sim),
                               .host = stack->host->id,
                               .name = "time_wait",
                               .length = stack->timewaits->count };
        probe_emit(probe, &record);
    }
}

/* ---- lists, in order of deadline ------------------------------------------------- */

static void
list_remove(TcpStack *stack, TcpTimeWait *tw)
{
    TwList *list = &stack->timewaits->lists[tw->list];

    if (tw->before != NULL)
        tw->before->next = tw->next;
    else
        list->first = tw->next;
    if (tw->next != NULL)
        tw->next->before = tw->before;
    else
        list->last = tw->before;
}

/* Nearly always at the end: a tunable that shrinks is the exception. */
static void
list_insert(TcpStack *stack, TcpTimeWait *tw, SimTime timeout)
{
    TwList *list = &stack->timewaits->lists[tw->list];
    TcpTimeWait *after = list->last;

    tw->deadline = sim_now(stack->sim) + timeout;
    while (after != NULL && after->deadline > tw->deadline)
        after = after->before;
    tw->before = after;
    tw->next = after != NULL ? after->next : list->first;
    if (tw->before != NULL)
        tw->before->next = tw;
    else
        list->first = tw;
    if (tw->next != NULL)
        tw->next->before = tw;
    else
        list->last = tw;
    if (list->first == tw || !sim_timer_is_set(&list->timer))
        sim_timer_set(stack->sim, &list->timer, list->first->deadline, list_on_timer, list);
}

void
tcp_time_wait_drop(TcpStack *stack, TcpTimeWait *tw, TcpCause cause)
{
    tcp_record_transition(stack, tw->conn, &tw->entry.tuple, tw->state, TCP_CLOSED, cause);
    list_remove(stack, tw);
    tcp_demux_remove(stack, &tw->entry);
    tcp_port_drop(stack, tw->entry.tuple.lport, tw->port_flags);
    stack->timewaits->count--;
    sim_pool_put(&stack->timewait_pool, tw);
    note_count(stack);
}

static void
list_on_timer(void *arg)
{
    TwList *list = arg;
    TcpStack *stack = list->stack;

    while (list->first != NULL && list->first->deadline <= sim_now(stack->sim)) {
        bool orphan = list->first->state == TCP_FIN_WAIT_2;

        tcp_time_wait_drop(
            stack, list->first,
            orphan ? TCP_CAUSE("timer", "FIN-WAIT-2 of an orphan", "net.ipv4.tcp_fin_timeout")
                   : TCP_CAUSE("timer", "2MSL", "RFC 9293 §3.10.8"));
    }
    if (list->first != NULL)
        sim_timer_set(stack->sim, &list->timer, list->first->deadline, list_on_timer, list);
}

/* ---- a connection becomes an entry ------------------------------------------------- */

static SimTime
timewait_length(const TcpStack *stack)
{
    return (SimTime)stack->params.timewait_ms * SIM_MS;
}

static void
entry_fill(TcpTimeWait *tw, TcpConn *conn, TcpState substate)
{
    *tw = (TcpTimeWait){
        .entry = { .kind = TCP_ENTRY_TIMEWAIT, .tuple = conn->entry.tuple },
        .conn = conn->id,
        .snd_nxt = conn->snd.nxt,
        .rcv_nxt = conn->rcv.nxt,
        .ts_recent = conn->ts.recent,
        .ts_offset = conn->ts.offset,
        .ts_recent_ms = (uint32_t)(conn->ts.recent_at / SIM_MS),
        .wnd = (uint16_t)MIN(tcp_window_now(conn) >> conn->rcv.wscale, 65535u),
        .rcv_wscale = conn->rcv.wscale,
        .state = (uint8_t)substate,
        .list = substate == TCP_TIME_WAIT ? LIST_TIME_WAIT : LIST_FIN_WAIT_2,
        .ts_ok = conn->ts.ok,
        .port_flags = tcp_port_flags(conn),
        .began_ms = (uint32_t)(tcp_now(conn) / SIM_MS),
    };
}

void
tcp_time_wait(TcpConn *conn, TcpState substate, SimTime timeout, TcpCause cause)
{
    TcpStack *stack = conn->stack;
    const TcpParams *p = &stack->params;
    TcpTimeWait *tw;

    tcp_metrics_note(conn);
    tcp_metrics_note_timestamp(conn);
    if (p->cf_no_time_wait && substate == TCP_TIME_WAIT) {
        cause.counterfactual = "counterfactual.no_time_wait";
        tcp_conn_end(conn, cause);
        return;
    }
    if (stack->timewaits->count >= p->max_tw_buckets) {
        host_count(stack->host, MIB_TcpExtTCPTimeWaitOverflow);
        cause.rule = "net.ipv4.tcp_max_tw_buckets";
        tcp_conn_end(conn, cause);
        return;
    }
    if (conn->state != substate)
        tcp_set_state(conn, substate, cause);
    if (substate == TCP_FIN_WAIT_2)
        tcp_verdict(stack, conn->id, VERDICT_NOTE, cause.packet,
                    "FIN-WAIT-2 goes on without a socket", cause.rule);
    tw = sim_pool_get(&stack->timewait_pool);
    entry_fill(tw, conn, substate);
    tcp_port_hold(stack, tw->entry.tuple.lport, tw->entry.tuple.local, tw->port_flags);
    conn->state = TCP_CLOSED; /* the entry carries the state on: no transition */
    tcp_conn_end(conn, cause);
    tcp_demux_insert(stack, &tw->entry);
    stack->timewaits->count++;
    host_count(stack->host, timeout <= 4 * SIM_SEC ? MIB_TcpExtTWKilled : MIB_TcpExtTW);
    list_insert(stack, tw, timeout);
    note_count(stack);
}

/* ---- segments for an entry ------------------------------------------------------------ */

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
tw_restart(TcpStack *stack, TcpTimeWait *tw)
{
    list_remove(stack, tw);
    tw->state = TCP_TIME_WAIT;
    tw->list = LIST_TIME_WAIT;
    list_insert(stack, tw, timewait_length(stack));
}

static bool
tw_reply_is_limited(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg)
{
    uint32_t now_ms = (uint32_t)(sim_now(stack->sim) / SIM_MS) + 1;

    if (tcp_segment_has_text(seg))
        return false;
    if (tw->last_reply_ms != 0 && now_ms - tw->last_reply_ms < stack->params.invalid_ratelimit_ms) {
        host_count(stack->host, tw->state == TCP_FIN_WAIT_2 ? MIB_TcpExtTCPACKSkippedFinWait2
                                                            : MIB_TcpExtTCPACKSkippedTimeWait);
        return true;
    }
    tw->last_reply_ms = now_ms;
    return false;
}

static bool
tw_is_old_timestamp(const TcpStack *stack, const TcpTimeWait *tw, const TcpSegment *seg)
{
    SimTime recent_at = (SimTime)tw->ts_recent_ms * SIM_MS, now = sim_now(stack->sim);

    if (!tw->ts_ok || (seg->h->options & TCPOPT_HAS_TS) == 0 || stack->params.cf_no_paws ||
        tcp_ts_is_fresh(tw->ts_recent, recent_at, seg->tsval, 0, now))
        return false;
    /* A peer that crashed may have lost its clock: its RST counts again once
     * nothing of the old connection can be on the way. */
    return (seg->flags & TCP_RST) == 0 || now - recent_at < PAWS_MSL;
}

/* RFC 9293 §3.10.7.4 #4, RFC 1122 §4.2.2.13, RFC 6191: a SYN that can't be an
 * old duplicate opens a new incarnation. */
static bool
tw_may_reopen(const TcpStack *stack, const TcpTimeWait *tw, const TcpSegment *seg)
{
    bool has_ts = tw->ts_ok && (seg->h->options & TCPOPT_HAS_TS) != 0;

    if ((seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN ||
        tw_is_old_timestamp(stack, tw, seg))
        return false;
    return seq_after(seg->seq, tw->rcv_nxt) ||
           (has_ts && (int32_t)(tw->ts_recent - seg->tsval) < 0);
}

static void
tw_reopen(TcpStack *stack, TcpTimeWait *tw, TcpSegment *seg)
{
    TcpConn *listener = tcp_demux_listener(stack, &tw->entry.tuple);
    uint32_t isn = tw->snd_nxt + REOPEN_ISN_STEP;

    if (listener == NULL) { /* nobody would take it: as any other stale segment */
        if (!tw_reply_is_limited(stack, tw, seg))
            tw_send_ack(stack, tw, seg, "RFC 9293 §3.10.7.4 #4: TIME-WAIT");
        return;
    }
    tcp_time_wait_drop(
        stack, tw,
        TCP_CAUSE("segment", "SYN of a new incarnation", "RFC 6191 §2", .packet = seg->packet->id));
    tcp_listen_syn(listener, seg, isn != 0 ? isn : 1);
}

static void
tw_take_timestamp(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg)
{
    if (!tw->ts_ok || (seg->h->options & TCPOPT_HAS_TS) == 0)
        return;
    tw->ts_recent = seg->tsval;
    tw->ts_recent_ms = (uint32_t)(sim_now(stack->sim) / SIM_MS);
}

/* An orphan that waits for the peer's FIN. */
static void
input_fin_wait_2(TcpStack *stack, TcpTimeWait *tw, TcpSegment *seg, bool old_ts)
{
    bool acceptable =
        (stack->params.cf_no_rst_check && (seg->flags & TCP_RST) != 0) ||
        stack->params.cf_no_window_check ||
        (seq_before(seg->seq, tw->rcv_nxt + ((uint32_t)tw->wnd << tw->rcv_wscale) + 1) &&
         seq_at_or_after(seg->end_seq, tw->rcv_nxt));

    if (old_ts || !acceptable) {
        if ((seg->flags & TCP_RST) == 0 && !tw_reply_is_limited(stack, tw, seg))
            tw_send_ack(stack, tw, seg, "RFC 9293 §3.10.7.4 #1");
        return;
    }
    if ((seg->flags & TCP_RST) != 0) {
        tcp_time_wait_drop(
            stack, tw,
            TCP_CAUSE("segment", "RST", "RFC 9293 §3.10.7.4 #2", .packet = seg->packet->id));
        return;
    }
    if ((seg->flags & TCP_SYN) != 0 && !seq_before(seg->seq, tw->rcv_nxt)) {
        tcp_reply_reset(stack, seg, "RFC 9293 §3.10.7.4 #4");
        tcp_time_wait_drop(
            stack, tw,
            TCP_CAUSE("segment", "SYN", "RFC 9293 §3.10.7.4 #4", .packet = seg->packet->id));
        return;
    }
    if ((seg->flags & TCP_ACK) == 0 || !seq_after(seg->end_seq, tw->rcv_nxt) ||
        seg->end_seq == seg->seq)
        return; /* no news */
    if ((seg->flags & TCP_FIN) == 0 || seg->end_seq != tw->rcv_nxt + 1) {
        tcp_reply_reset(stack, seg, "RFC 1122 §4.2.2.13: data after close");
        tcp_time_wait_drop(stack, tw,
                           TCP_CAUSE("segment", "data after close", "RFC 1122 §4.2.2.13",
                                     .packet = seg->packet->id));
        return;
    }
    tw->rcv_nxt = seg->end_seq;
    tw_take_timestamp(stack, tw, seg);
    if (stack->params.cf_no_time_wait) {
        tw_send_ack(stack, tw, seg, "RFC 9293 §3.10.7.4 #8");
        tcp_time_wait_drop(stack, tw,
                           TCP_CAUSE("segment", "FIN", "RFC 9293 §3.10.7.4 #8",
                                     .packet = seg->packet->id,
                                     .counterfactual = "counterfactual.no_time_wait"));
        return;
    }
    tcp_record_transition(
        stack, tw->conn, &tw->entry.tuple, TCP_FIN_WAIT_2, TCP_TIME_WAIT,
        TCP_CAUSE("segment", "FIN", "RFC 9293 §3.10.7.4 #8", .packet = seg->packet->id));
    tw_restart(stack, tw);
    tw_send_ack(stack, tw, seg, "RFC 9293 §3.10.7.4 #8");
}

/* RFC 1337: an old segment may make us answer, the answer may bring an RST,
 * and that RST is exact. */
static void
tw_reset(TcpStack *stack, TcpTimeWait *tw, const TcpSegment *seg)
{
    if (stack->params.rfc1337)
        tcp_verdict(stack, tw->conn, VERDICT_DROP, seg->packet->id, "RST in TIME-WAIT",
                    "RFC 1337 §3");
    else
        tcp_time_wait_drop(
            stack, tw,
            TCP_CAUSE("segment", "RST", "RFC 1337 §1: assassination", .packet = seg->packet->id));
}

void
tcp_input_time_wait(TcpTimeWait *tw, TcpSegment *seg)
{
    TcpStack *stack = seg->stack;
    bool old_ts = tw_is_old_timestamp(stack, tw, seg);
    bool is_rst = (seg->flags & TCP_RST) != 0;
    bool is_expected = seg->seq == tw->rcv_nxt || (is_rst && stack->params.cf_no_rst_check);

    if (tw->state == TCP_FIN_WAIT_2) {
        input_fin_wait_2(stack, tw, seg, old_ts);
        return;
    }
    if (!old_ts && is_expected && is_rst) {
        tw_reset(stack, tw, seg);
        return;
    }
    if (!old_ts && is_expected && seg->seq == seg->end_seq) { /* a bare ACK */
        tw_restart(stack, tw);
        tw_take_timestamp(stack, tw, seg);
        return;
    }
    if (tw_may_reopen(stack, tw, seg)) {
        tw_reopen(stack, tw, seg);
        return;
    }
    if (old_ts)
        host_count(stack->host, MIB_TcpExtPAWSTimewait);
    if (is_rst) {
        tcp_verdict(stack, tw->conn, VERDICT_DROP, seg->packet->id, "RST off RCV.NXT in TIME-WAIT",
                    "RFC 5961 §3.2");
        return;
    }
    /* A SYN without ACK may be a new one whose number is below: it must not
     * keep the entry alive. */
    if (old_ts || (seg->flags & TCP_ACK) != 0)
        tw_restart(stack, tw);
    if (!tw_reply_is_limited(stack, tw, seg))
        tw_send_ack(stack, tw, seg, "RFC 9293 §3.10.7.4 #1: TIME-WAIT");
}

bool
tcp_time_wait_recycle(TcpTimeWait *tw, TcpConn *conn)
{
    TcpStack *stack = conn->stack;
    const TcpParams *p = &stack->params;
    SimTime age = sim_now(stack->sim) - (SimTime)tw->began_ms * SIM_MS;
    bool loopback =
        ip_addr_is_loopback(tw->entry.tuple.remote) || ip_addr_is_loopback(tw->entry.tuple.local);
    bool allowed = p->tw_reuse == 1 || (p->tw_reuse == 2 && loopback);

    if (tw->state != TCP_TIME_WAIT || !tw->ts_ok || p->timestamps == 0)
        return false;
    /* A port that the user bound could only be had with SO_REUSEADDR on both:
     * that is consent enough. */
    if (!conn->holds_port && (!allowed || age <= (SimTime)p->tw_reuse_delay_ms * SIM_MS))
        return false;
    conn->snd.write_seq = tw->snd_nxt + REOPEN_ISN_STEP;
    if (conn->snd.write_seq == 0)
        conn->snd.write_seq = 1;
    conn->ts.recent = tw->ts_recent;
    conn->ts.recent_at = (SimTime)tw->ts_recent_ms * SIM_MS;
    host_count(stack->host, MIB_TcpExtTWRecycled);
    tcp_time_wait_drop(stack, tw, TCP_CAUSE("call", "connect()", "net.ipv4.tcp_tw_reuse"));
    return true;
}
