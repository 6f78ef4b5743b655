#include "models/tcp/timewait.h"

#include "models/tcp/demux.h"
#include "models/tcp/metrics.h"
#include "models/tcp/ports.h"

G_STATIC_ASSERT(sizeof(TcpTimeWait) <= 128);

#define TW_LISTS      2
#define SHORTEST_WAIT (60 * SIM_SEC) /* Linux's; a shorter one is a counterfactual */

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

static SimTime
timewait_length(const TcpStack *stack)
{
    return (SimTime)stack->params->timewait_ms * SIM_MS;
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
    sim_pool_put(&stack->shared->time_waits, tw);
    note_count(stack);
}

static void
list_on_timer(void *arg)
{
    TwList *list = arg;
    TcpStack *stack = list->stack;

    while (list->first != NULL && list->first->deadline <= sim_now(stack->sim)) {
        bool orphan = list->first->state == TCP_FIN_WAIT_2;
        const char *is_short = timewait_length(stack) < SHORTEST_WAIT ? "timewait" : NULL;

        tcp_time_wait_drop(
            stack, list->first,
            orphan ? TCP_CAUSE("timer", "FIN-WAIT-2 of an orphan", "net.ipv4.tcp_fin_timeout")
                   : TCP_CAUSE("timer", "2MSL", "RFC 9293 §3.10.8", .counterfactual = is_short));
    }
    if (list->first != NULL)
        sim_timer_set(stack->sim, &list->timer, list->first->deadline, list_on_timer, list);
}

/* ---- a connection becomes an entry ------------------------------------------------- */

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
    const TcpParams *p = stack->params;
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
    tw = sim_pool_get(&stack->shared->time_waits);
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

void
tcp_time_wait_restart(TcpStack *stack, TcpTimeWait *tw)
{
    list_remove(stack, tw);
    tw->state = TCP_TIME_WAIT;
    tw->list = LIST_TIME_WAIT;
    list_insert(stack, tw, timewait_length(stack));
}

bool
tcp_time_wait_recycle(TcpTimeWait *tw, TcpConn *conn)
{
    TcpStack *stack = conn->stack;
    const TcpParams *p = stack->params;
    SimTime age = sim_now(stack->sim) - (SimTime)tw->began_ms * SIM_MS;
    bool loopback =
        ip_addr_is_loopback(tw->entry.tuple.remote) || ip_addr_is_loopback(tw->entry.tuple.local);
    bool allowed = p->tw_reuse == 1 || (p->tw_reuse == 2 && loopback);

    if (!tw->ts_ok || p->timestamps == 0)
        return false;
    /* A port that the user bound could only be had with SO_REUSEADDR on both:
     * that is consent enough, for an orphan in FIN-WAIT-2 too. */
    if (!conn->holds_port &&
        (!allowed || tw->state != TCP_TIME_WAIT || age <= (SimTime)p->tw_reuse_delay_ms * SIM_MS))
        return false;
    conn->snd.write_seq = tcp_time_wait_next_isn(tw);
    conn->ts.recent = tw->ts_recent;
    conn->ts.recent_at = (SimTime)tw->ts_recent_ms * SIM_MS;
    host_count(stack->host, MIB_TcpExtTWRecycled);
    tcp_time_wait_drop(stack, tw, TCP_CAUSE("call", "connect()", "net.ipv4.tcp_tw_reuse"));
    return true;
}
