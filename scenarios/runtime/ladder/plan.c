/* What the ladder shows, in order: which hosts have a line, which packets are
 * one arrow and which leave and arrive on rows of their own, and beside which
 * packet a transition stands.
 */
#include "scenarios/runtime/ladder/internal.h"

#include <errno.h>
#include <string.h>

#include "models/link/link.h"
#include "models/tcp/tcp.h"
#include "scenarios/runtime/errno_name.h"

enum {
    GUTTER_LEFT = 26,  /* time and the states of the first host */
    GUTTER_RIGHT = 16, /* the states of the last one */
};

/* ---- Lanes ----------------------------------------------------------------------- */

int
plan_lane(const Plan *plan, uint32_t host)
{
    for (unsigned i = 0; i < plan->n_lanes; i++)
        if (plan->lanes[i].host == host)
            return (int)i;
    return -1;
}

static void
hosts_that_take_part(const Recorder *recorder, bool *takes_part, size_t n_hosts)
{
    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_PACKETS); i++) {
        const TracePacket *p = recorder_packet(recorder, i);

        if (p->from <= n_hosts)
            takes_part[p->from] = true;
        if (p->to <= n_hosts)
            takes_part[p->to] = true;
    }
    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_TRANSITIONS); i++)
        takes_part[recorder_transition(recorder, i)->host] = true;
    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_CALLS); i++)
        if (call_has_failed(recorder_call(recorder, i)))
            takes_part[recorder_call(recorder, i)->host] = true;
}

/* Neighbours beside each other: along the links from the first host on. */
static bool
lanes_add(Plan *plan, const Net *net, const bool *takes_part, uint32_t host)
{
    if (!takes_part[host] || plan_lane(plan, host) >= 0)
        return true;
    if (plan->n_lanes == LADDER_LANES)
        return false;
    plan->lanes[plan->n_lanes++].host = host;
    for (unsigned i = 0; i < net->links->len; i++) {
        const Link *link = net->links->pdata[i];
        uint32_t a = link_iface(link, 0)->host->id, b = link_iface(link, 1)->host->id;

        if ((a == host && !lanes_add(plan, net, takes_part, b)) ||
            (b == host && !lanes_add(plan, net, takes_part, a)))
            return false;
    }
    return true;
}

static bool
plan_lanes(Plan *plan, unsigned width)
{
    const Net *net = recorder_net(plan->recorder);
    size_t n = net->hosts->len;
    bool *takes_part = g_new0(bool, n + 1);
    bool fits = true;

    hosts_that_take_part(plan->recorder, takes_part, n);
    for (unsigned routers = 0; routers < 2; routers++)
        for (uint32_t id = 1; id <= n && fits; id++)
            if (((const Host *)net->hosts->pdata[id - 1])->forwards == (bool)routers)
                fits = lanes_add(plan, net, takes_part, id);
    g_free(takes_part);
    for (unsigned i = 0; i < plan->n_lanes; i++)
        plan->lanes[i].x = plan->n_lanes == 1
                               ? GUTTER_LEFT
                               : GUTTER_LEFT + (int)(i * (width - GUTTER_LEFT - GUTTER_RIGHT) /
                                                     (plan->n_lanes - 1));
    return fits;
}

/* ---- Flows ------------------------------------------------------------------------- */

int
plan_flow(const Plan *plan, Endpoint src, Endpoint dst)
{
    for (unsigned i = 0; i < plan->n_flows; i++)
        if ((endpoint_equal(plan->flows[i].a, src) && endpoint_equal(plan->flows[i].b, dst)) ||
            (endpoint_equal(plan->flows[i].a, dst) && endpoint_equal(plan->flows[i].b, src)))
            return (int)i;
    return -1;
}

static void
plan_flows(Plan *plan)
{
    for (size_t i = 0; i < recorder_count(plan->recorder, TRACE_KIND_PACKETS); i++) {
        const TracePacket *p = recorder_packet(plan->recorder, i);

        if (p->proto != IP_PROTO_TCP || p->src.port == 0 || plan->n_flows == LADDER_FLOWS ||
            plan_flow(plan, p->src, p->dst) >= 0)
            continue;
        plan->flows[plan->n_flows].a = p->src;
        plan->flows[plan->n_flows++].b = p->dst;
    }
}

/* ---- Calls -------------------------------------------------------------------------- */

bool
call_has_failed(const CallRecord *call)
{
    return call->returned && call->result < 0;
}

/* In the scenario's words: a call that waited as long as it was told to did not
 * meet an error. */
const char *
call_error_name(const CallRecord *call)
{
    return call->result == -EAGAIN ? "TIMEOUT" : errno_name((int)-call->result);
}

uint64_t
plan_count_failed_calls(const Recorder *recorder)
{
    uint64_t n = 0;

    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_CALLS); i++)
        n += call_has_failed(recorder_call(recorder, i));
    return n;
}

/* ---- Items -------------------------------------------------------------------------- */

static void
plan_add(Plan *plan, ItemKind kind, SimTime at, size_t index, uint32_t number)
{
    Item item = { .at = at,
                  .kind = kind,
                  .index = index,
                  .number = number,
                  .order = plan->items->len,
                  .first_state = -1,
                  .last_state = -1,
                  .next_state = -1 };

    g_array_append_val(plan->items, item);
}

static bool
is_control(const TracePacket *p)
{
    return p->proto == IP_PROTO_TCP && (p->flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

/* Two packets that cross on the wire matter when one of them opens or ends a
 * connection; data and the ACKs that come towards it cross all the time. */
static bool
crosses_something(const Recorder *recorder, size_t index)
{
    const TracePacket *p = recorder_packet(recorder, index);
    size_t n = recorder_count(recorder, TRACE_KIND_PACKETS);

    for (size_t i = index + 1; i < n; i++) {
        const TracePacket *q = recorder_packet(recorder, i);

        if (q->sent_at >= p->ended_at)
            break;
        if (q->from == p->to && q->to == p->from && (is_control(p) || is_control(q)))
            return true;
    }
    return false;
}

static bool
needs_two_rows(const Recorder *recorder, size_t index)
{
    const TracePacket *p = recorder_packet(recorder, index);

    if (!(p->what & TRACE_ARRIVED) || p->from == p->to)
        return false;
    if (p->what & (TRACE_DELAYED | TRACE_OVERTAKEN)) {
        size_t n = recorder_count(recorder, TRACE_KIND_PACKETS);

        return index + 1 < n && recorder_packet(recorder, index + 1)->sent_at < p->ended_at;
    }
    return crosses_something(recorder, index);
}

static gint
compare_items(gconstpointer x, gconstpointer y)
{
    const Item *a = x, *b = y;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static bool
transition_goes_with(const TcpStateRecord *t, const TracePacket *p, const Item *item)
{
    bool leaves_here = item->kind != ITEM_ARRIVAL;
    bool arrives_here = item->kind != ITEM_DEPARTURE && (p->what & TRACE_ARRIVED);

    if (arrives_here && t->host == p->to && t->packet != 0)
        return t->packet == p->id;
    if (arrives_here && t->host == p->to && t->at == p->ended_at &&
        strcmp(t->cause, "segment") == 0)
        return true;
    return leaves_here && t->host == p->from && t->at == p->sent_at && t->packet == 0 &&
           strcmp(t->cause, "segment") != 0;
}

/* Puts a transition beside the packet that made it or that it sent; when only
 * `control` will do, beside one that opens or ends a connection. */
static bool
plan_attach(Plan *plan, unsigned state_at, bool control)
{
    Item *state = &g_array_index(plan->items, Item, state_at);
    const TcpStateRecord *t = recorder_transition(plan->recorder, state->index);

    for (unsigned i = 0; i < plan->items->len; i++) {
        Item *item = &g_array_index(plan->items, Item, i);
        const TracePacket *p;

        if (item->kind == ITEM_STATE || item->kind == ITEM_CALL)
            continue;
        p = recorder_packet(plan->recorder, item->index);
        if (!transition_goes_with(t, p, item) || (control && !is_control(p)))
            continue;
        if (item->last_state >= 0)
            g_array_index(plan->items, Item, item->last_state).next_state = (int)state_at;
        else
            item->first_state = (int)state_at;
        item->last_state = (int)state_at;
        state->is_attached = true;
        return true;
    }
    return false;
}

bool
plan_make(Plan *plan, const Recorder *recorder, unsigned width)
{
    uint32_t number = 0;

    memset(plan, 0, sizeof *plan);
    plan->recorder = recorder;
    plan->items = g_array_new(FALSE, FALSE, sizeof(Item));
    if (!plan_lanes(plan, width))
        return false;
    plan_flows(plan);
    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_TRANSITIONS); i++)
        plan_add(plan, ITEM_STATE, recorder_transition(recorder, i)->at, i, 0);
    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_PACKETS); i++) {
        const TracePacket *p = recorder_packet(recorder, i);

        if (needs_two_rows(recorder, i)) {
            plan_add(plan, ITEM_DEPARTURE, p->sent_at, i, ++number);
            plan_add(plan, ITEM_ARRIVAL, p->ended_at, i, number);
        } else {
            plan_add(plan, ITEM_ARROW, p->sent_at, i, 0);
        }
    }
    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_CALLS); i++)
        if (call_has_failed(recorder_call(recorder, i)))
            plan_add(plan, ITEM_CALL, recorder_call(recorder, i)->at, i, 0);
    g_array_sort(plan->items, compare_items);
    for (unsigned i = 0; i < plan->items->len; i++)
        if (g_array_index(plan->items, Item, i).kind == ITEM_STATE && !plan_attach(plan, i, true))
            plan_attach(plan, i, false);
    return true;
}

void
plan_done(Plan *plan)
{
    g_array_free(plan->items, TRUE);
}
