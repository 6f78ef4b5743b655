#include "scenarios/runtime/fate.h"

#include <string.h>

#define MAX_FLOWS                                                                                  \
    100000 /* four-tuples whose ISN a link remembers: a flood must not fill memory                 \
            */

typedef struct FlowKey {
    Endpoint src, dst;
} FlowKey;

typedef struct Flow {
    FlowKey key;
    uint32_t isn;
    uint32_t next; /* past the highest byte that its sender sent */
} Flow;

struct Fates {
    LinkBox *box;       /* borrows */
    Rule *first, *last; /* owns */
    unsigned n_rules;
    GHashTable *flows; /* owns Flow by its key; only ever looked up */
    bool hears_states;
};

/* ---- initial sequence numbers ------------------------------------------------------ */

static guint
flow_hash(gconstpointer key)
{
    const FlowKey *flow = key;
    uint64_t h = flow->src.addr.lo * UINT64_C(0x9e3779b97f4a7c15) ^ flow->dst.addr.lo;

    h = (h ^ ((uint64_t)flow->src.port << 16 | flow->dst.port)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (guint)(h >> 32);
}

static gboolean
flow_equal(gconstpointer a, gconstpointer b)
{
    const FlowKey *x = a, *y = b;

    return endpoint_equal(x->src, y->src) && endpoint_equal(x->dst, y->dst);
}

static bool
is_plain_tcp(const Packet *packet)
{
    return packet->ip.proto == IP_PROTO_TCP && packet->raw == NULL &&
           !(packet->flags & PACKET_FRAGMENT);
}

/* What the stacks send is learnt, what the scenario forges is not: that would
 * change what the numbers of a connection are counted from. */
static void
learn_flow(Fates *fates, const Packet *packet)
{
    if (!is_plain_tcp(packet) || (packet->flags & (PACKET_FORGED | PACKET_DUPLICATE)))
        return;

    FlowKey key = { { packet->ip.src, packet->tcp.sport }, { packet->ip.dst, packet->tcp.dport } };
    Flow *flow = g_hash_table_lookup(fates->flows, &key);
    uint32_t end = packet->tcp.seq + packet_tcp_seq_len(packet);

    if (packet->tcp.flags & TCP_SYN) {
        if (flow == NULL) {
            if (g_hash_table_size(fates->flows) >= MAX_FLOWS)
                return;
            flow = g_new(Flow, 1);
            flow->key = key;
            g_hash_table_add(fates->flows, flow);
        }
        flow->isn = packet->tcp.seq;
        flow->next = end;
    } else if (flow != NULL && (int32_t)(end - flow->next) > 0) {
        flow->next = end;
    }
}

bool
fates_next(const LinkBox *box, Endpoint src, Endpoint dst, uint32_t *next)
{
    FlowKey key = { src, dst };
    Flow *flow = g_hash_table_lookup(box->fates->flows, &key);

    if (flow != NULL)
        *next = flow->next;
    return flow != NULL;
}

bool
fates_isn(const LinkBox *box, Endpoint src, Endpoint dst, uint32_t *isn)
{
    FlowKey key = { src, dst };
    Flow *flow = g_hash_table_lookup(box->fates->flows, &key);

    if (flow != NULL)
        *isn = flow->isn;
    return flow != NULL;
}

uint32_t
packet_relative_seq(const LinkBox *box, const Packet *packet)
{
    uint32_t isn = 0;

    fates_isn(box, (Endpoint){ packet->ip.src, packet->tcp.sport },
              (Endpoint){ packet->ip.dst, packet->tcp.dport }, &isn);
    return packet->tcp.seq - isn;
}

uint32_t
packet_relative_ack(const LinkBox *box, const Packet *packet)
{
    uint32_t isn = 0;

    if (!(packet->tcp.flags & TCP_ACK))
        return 0;
    fates_isn(box, (Endpoint){ packet->ip.dst, packet->tcp.dport },
              (Endpoint){ packet->ip.src, packet->tcp.sport }, &isn);
    return packet->tcp.ack - isn;
}

/* ---- triggers ------------------------------------------------------------------------ */

static bool
is_pulled(const Trigger *trigger, SimTime now)
{
    if (trigger->kind == TRIGGER_TIME)
        return now >= trigger->time;
    return trigger->is_pulled;
}

static void
look_at_packet(Trigger *trigger, Fates *fates, unsigned direction, const Packet *packet)
{
    if (trigger->kind != TRIGGER_PACKET || trigger->is_pulled)
        return;
    if (trigger->host != NULL && trigger->host != fates->box->ends[direction])
        return;
    if (match_packet(&trigger->match, fates->box->world, fates->box, direction, packet) &&
        ++trigger->seen == trigger->nth)
        trigger->is_pulled = true;
}

static void
look_at_state(Trigger *trigger, const TcpStateRecord *record)
{
    if (trigger->kind == TRIGGER_STATE && record->to == trigger->state &&
        (trigger->host == NULL || trigger->host->host->id == record->host))
        trigger->is_pulled = true;
}

static void
on_state(void *arg, const void *record)
{
    Fates *fates = arg;

    for (Rule *rule = fates->first; rule != NULL; rule = rule->next) {
        look_at_state(&rule->after, record);
        look_at_state(&rule->before, record);
    }
}

/* ---- rules ------------------------------------------------------------------------------ */

static bool
rule_applies(Rule *rule, unsigned direction, const Packet *packet, SimTime now)
{
    World *world = rule->link->world;

    if (rule->is_cancelled || (rule->direction >= 0 && (unsigned)rule->direction != direction))
        return false;
    if (rule->after.kind != TRIGGER_NONE && !is_pulled(&rule->after, now))
        return false;
    if (rule->before.kind != TRIGGER_NONE && is_pulled(&rule->before, now))
        return false;
    if (!match_packet(&rule->match, world, rule->link, direction, packet))
        return false;
    rule->seen++;
    if (rule->seen < rule->nth_first || rule->seen > rule->nth_last || rule->acted >= rule->limit)
        return false;
    return rule->probability >= 1 || sim_rng_chance(&rule->rng, rule->probability);
}

/* A script's answer: nothing, the name of a fate, or a table with its details. */
static Fate
ask_script(Rule *rule, unsigned direction, const Packet *packet)
{
    World *world = rule->link->world;
    lua_State *L = world->lab->callback;
    Fate fate = { .kind = FATE_PASS };

    lua_pushcfunction(L, fate_from_answer);
    lua_rawgeti(L, LUA_REGISTRYINDEX, rule->fn);
    packet_push(L, world, rule->link, direction, packet);
    lua_pushlightuserdata(L, &fate);
    lab_callback(world->lab, 3, 0, "a fate function");
    return fate;
}

static void
keep_copy(Rule *rule, unsigned direction, const Packet *packet)
{
    PacketPool *pool = &rule->link->world->net->packets;

    if (rule->copy != NULL)
        packet_free(pool, rule->copy);
    rule->copy = packet_copy(pool, packet);
    rule->copy_direction = direction;
}

static void
call_watcher(Rule *rule, unsigned direction, const Packet *packet)
{
    World *world = rule->link->world;
    lua_State *L = world->lab->callback;

    lua_rawgeti(L, LUA_REGISTRYINDEX, rule->fn);
    packet_push(L, world, rule->link, direction, packet);
    process_spawn(L, world, 1, "a function of watch()");
}

/* Every rule sees the packet, so that each counts by itself; the first that
 * decides wins. */
static Fate
decide(void *arg, Link *link, unsigned direction, const Packet *packet)
{
    Fates *fates = arg;
    Fate decided = { .kind = FATE_PASS };
    SimTime now = sim_now(fates->box->world->sim);

    (void)link;
    learn_flow(fates, packet);
    for (Rule *rule = fates->first; rule != NULL; rule = rule->next) {
        if (!rule_applies(rule, direction, packet, now))
            continue;
        if (rule->action == RULE_COPY) {
            rule->acted++;
            keep_copy(rule, direction, packet);
        } else if (rule->action == RULE_CALL) {
            rule->acted++;
            call_watcher(rule, direction, packet);
        } else if (decided.kind == FATE_PASS) {
            decided =
                rule->action == RULE_SCRIPT ? ask_script(rule, direction, packet) : rule->fate;
            rule->acted += decided.kind != FATE_PASS;
        }
    }
    for (Rule *rule = fates->first; rule != NULL; rule = rule->next) {
        look_at_packet(&rule->after, fates, direction, packet);
        look_at_packet(&rule->before, fates, direction, packet);
    }
    return decided;
}

/* ---- life ----------------------------------------------------------------------------------- */

Fates *
fates_new(LinkBox *box)
{
    Fates *fates = g_new0(Fates, 1);

    fates->box = box;
    fates->flows = g_hash_table_new_full(flow_hash, flow_equal, g_free, NULL);
    link_set_fate(box->link, decide, fates);
    return fates;
}

void
fates_free(Fates *fates)
{
    Lab *lab = fates->box->world->lab;

    for (Rule *rule = fates->first, *next; rule != NULL; rule = next) {
        next = rule->next;
        match_done(&rule->match, lab);
        match_done(&rule->after.match, lab);
        match_done(&rule->before.match, lab);
        if (rule->copy != NULL)
            packet_free(&fates->box->world->net->packets, rule->copy);
        g_free(rule);
    }
    g_hash_table_unref(fates->flows);
    g_free(fates);
}

unsigned
fates_count(const Fates *fates)
{
    return fates->n_rules;
}

void
fates_add(Fates *fates, Rule *rule)
{
    bool needs_states = rule->after.kind == TRIGGER_STATE || rule->before.kind == TRIGGER_STATE;

    if (fates->last != NULL)
        fates->last->next = rule;
    else
        fates->first = rule;
    fates->last = rule;
    fates->n_rules++;
    if (needs_states && !fates->hears_states) {
        probe_subscribe(&fates->box->world->net->probes.tcp_state, on_state, fates);
        fates->hears_states = true;
    }
}
