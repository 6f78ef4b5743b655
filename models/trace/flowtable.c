/* Initial sequence numbers by four-tuple, so that logs and pictures can show
 * relative numbers as people read them. Bounded: see TraceFlowTable.
 */
#include "models/trace/recorder_internal.h"

#include <string.h>

#include "models/tcp/seq.h"

enum {
    FLOWS_AT_FIRST = 256,
    FLOWS_AT_MOST = 1 << 17,
    FLOWS_PROBED = 8, /* slots looked at for one four-tuple in a table at its largest */
};

void
trace_flows_init(TraceFlowTable *table)
{
    memset(table, 0, sizeof *table);
}

void
trace_flows_done(TraceFlowTable *table)
{
    g_free(table->flows);
    memset(table, 0, sizeof *table);
}

static bool
endpoint_is_less(const Endpoint *x, const Endpoint *y)
{
    if (x->addr.hi != y->addr.hi)
        return x->addr.hi < y->addr.hi;
    if (x->addr.lo != y->addr.lo)
        return x->addr.lo < y->addr.lo;
    return x->port < y->port;
}

static uint32_t
flow_hash(const Endpoint *a, const Endpoint *b)
{
    uint64_t h = a->addr.lo * UINT64_C(0x9e3779b97f4a7c15) ^ a->addr.hi;

    h ^= (b->addr.lo ^ b->addr.hi) * UINT64_C(0xc2b2ae3d27d4eb4f);
    h ^= ((uint64_t)a->port << 16 | b->port) * UINT64_C(0x165667b19e3779f9);
    return (uint32_t)(h ^ h >> 32);
}

static bool
flow_is(const TraceFlow *flow, const Endpoint *a, const Endpoint *b)
{
    return flow->is_used && flow->a.port == a->port && flow->b.port == b->port &&
           ip_addr_equal(flow->a.addr, a->addr) && ip_addr_equal(flow->b.addr, b->addr);
}

static void
flows_grow(TraceFlowTable *table)
{
    TraceFlow *old = table->flows;
    uint32_t old_size = table->size;

    table->size = old_size ? old_size * 2 : FLOWS_AT_FIRST;
    table->flows = g_new0(TraceFlow, table->size);
    for (uint32_t i = 0; i < old_size; i++) {
        uint32_t at;

        if (!old[i].is_used)
            continue;
        at = flow_hash(&old[i].a, &old[i].b);
        while (table->flows[at & (table->size - 1)].is_used)
            at++;
        table->flows[at & (table->size - 1)] = old[i];
    }
    g_free(old);
}

/* The flow of (a, b), made if it is new. In a table that may not grow any more
 * the least worthy of a few slots gives way. */
static TraceFlow *
flows_get(TraceFlowTable *table, const Endpoint *a, const Endpoint *b)
{
    uint32_t hash = flow_hash(a, b);
    TraceFlow *victim = NULL;

    if (table->used * 2 >= table->size && table->size < FLOWS_AT_MOST)
        flows_grow(table);
    for (uint32_t i = 0; i < table->size; i++) {
        TraceFlow *flow = &table->flows[(hash + i) & (table->size - 1)];

        if (!flow->is_used) {
            table->used++;
            victim = flow;
            break;
        }
        if (flow_is(flow, a, b))
            return flow;
        if (table->size == FLOWS_AT_MOST) {
            if (victim == NULL || (victim->is_proven && !flow->is_proven))
                victim = flow;
            if (i + 1 == FLOWS_PROBED)
                break;
        }
    }
    sim_check(victim != NULL); /* the table is never full while it may grow */
    memset(victim, 0, sizeof *victim);
    victim->a = *a;
    victim->b = *b;
    victim->is_used = true;
    return victim;
}

/* With an ISN that is always the same, only the connection tells a new
 * incarnation from a SYN sent again. */
static bool
is_another_life(const TraceFlow *flow, unsigned dir, const TracePacket *entry)
{
    return entry->conn != 0 && flow->conn[dir] != 0 && entry->conn != flow->conn[dir] &&
           !(entry->what & (TRACE_INJECTED | TRACE_COPY));
}

/* A SYN starts a numbering. One that a scenario forged must not move the
 * numbering of a connection that is there. */
static void
flow_learn_syn(TraceFlow *flow, unsigned dir, const TracePacket *entry)
{
    if (flow->has_isn[dir] && flow->isn[dir] == entry->seq && !is_another_life(flow, dir, entry))
        return;
    if (flow->has_isn[dir] && (entry->what & (TRACE_INJECTED | TRACE_COPY))) {
        flow->other[dir] = entry->seq;
        flow->has_other[dir] = true;
        return;
    }
    if (flow->has_isn[dir]) {
        flow->other[dir] = flow->isn[dir];
        flow->has_other[dir] = true;
    }
    flow->isn[dir] = entry->seq;
    flow->conn[dir] = entry->conn;
    flow->has_isn[dir] = true;
    flow->has_end[dir] = false;
    if (!(entry->flags & TCP_ACK)) {
        /* a new incarnation: the other side numbers anew too, unless it is
         * opening at the same moment */
        if (flow->is_proven)
            flow->has_isn[!dir] = flow->has_end[!dir] = false;
        flow->is_proven = false;
    }
}

static bool
flow_learn_end(TraceFlow *flow, unsigned dir, const TracePacket *entry)
{
    uint32_t length = entry->len + !!(entry->flags & TCP_SYN) + !!(entry->flags & TCP_FIN);
    bool repeats = false;

    if (length == 0 || (entry->flags & TCP_RST) || (entry->what & (TRACE_INJECTED | TRACE_COPY)))
        return false;
    if (flow->has_end[dir] && seq_before(entry->seq, flow->end[dir]))
        repeats = true;
    if (!flow->has_end[dir] || seq_after(entry->seq + length, flow->end[dir])) {
        flow->end[dir] = entry->seq + length;
        flow->has_end[dir] = true;
    }
    return repeats;
}

enum { STRAY_WITHIN = 1 << 20 };

/* What a number of direction `dir` is relative to. A number that is far from
 * the connection's and near to another SYN's belongs to that one. */
static uint32_t
flow_base(const TraceFlow *flow, unsigned dir, uint32_t number, TracePacket *entry)
{
    uint32_t isn = flow->has_isn[dir] ? flow->isn[dir] : 0;
    bool is_near = flow->has_isn[dir] && number - isn < 1u << 30;

    if (is_near || !flow->has_other[dir] || number - flow->other[dir] > STRAY_WITHIN)
        return isn;
    entry->what |= TRACE_STRAY;
    return flow->other[dir];
}

bool
trace_flows_see(TraceFlowTable *table, TracePacket *entry)
{
    bool forward = endpoint_is_less(&entry->src, &entry->dst);
    unsigned dir = forward ? 0 : 1;
    TraceFlow *flow =
        flows_get(table, forward ? &entry->src : &entry->dst, forward ? &entry->dst : &entry->src);
    uint32_t ack_base;

    if (entry->flags & TCP_SYN)
        flow_learn_syn(flow, dir, entry);
    else if (flow->has_isn[0] && flow->has_isn[1] && !(entry->flags & TCP_RST))
        flow->is_proven = true;

    entry->rel_seq = entry->seq - flow_base(flow, dir, entry->seq, entry);
    ack_base = entry->flags & TCP_ACK ? flow_base(flow, !dir, entry->ack, entry) : 0;
    entry->rel_ack = entry->flags & TCP_ACK ? entry->ack - ack_base : 0;
    for (unsigned i = 0; i < entry->n_sacks; i++) {
        entry->sacks[i].start -= ack_base;
        entry->sacks[i].end -= ack_base;
    }
    return flow_learn_end(flow, dir, entry);
}
