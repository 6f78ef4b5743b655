/* wire:drop{}, delay, duplicate, reorder, corrupt, hold, release, copy, watch,
 * script: rules on a link. */
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "scenarios/runtime/fate.h"
#include "scenarios/runtime/suggest.h"

/* ---- triggers: after = "server.FIN", "client.TIME-WAIT", "1s", { from =, match =, nth = } -- */

static bool
find_state(const char *name, TcpState *state)
{
    for (TcpState s = TCP_CLOSED; s < TCP_N_STATES; s++)
        if (g_ascii_strcasecmp(name, tcp_state_name(s)) == 0 ||
            g_ascii_strcasecmp(name, tcp_state_sysname(s)) == 0) {
            *state = s;
            return true;
        }
    return false;
}

static const char trigger_expected[] =
    "a time (\"1s\"), a packet (\"server.FIN\"), a state (\"server.ESTABLISHED\") "
    "or { from =, match =, nth = }";

static void
read_event_word(ConfTable *table, const char *key, World *world, const char *text, Trigger *trigger)
{
    const char *dot = strrchr(text, '.');
    TcpState state;

    if (dot == NULL)
        conf_fail(table, key, trigger_expected);

    const char *name = lua_pushlstring(table->L, text, (size_t)(dot - text));

    trigger->host = host_box_named(world, name);
    if (trigger->host == NULL)
        conf_error(table->L, "%s.%s: found \"%s\", but no host is called \"%s\"", table->path, key,
                   text, name);
    trigger->nth = 1;
    if (find_state(dot + 1, &state)) {
        trigger->kind = TRIGGER_STATE;
        trigger->state = (uint8_t)state;
    } else if (match_read_word(dot + 1, &trigger->match)) {
        trigger->kind = TRIGGER_PACKET;
    } else {
        conf_fail(table, key, trigger_expected);
    }
}

static bool
looks_like_time(const char *text)
{
    return g_ascii_isdigit(text[0]);
}

static void
read_trigger(ConfTable *table, const char *key, World *world, Trigger *trigger)
{
    lua_State *L = table->L;
    ConfTable t;

    *trigger = (Trigger){ 0 };
    switch (conf_push(table, key)) {
    case LUA_TNIL:
        break;
    case LUA_TNUMBER:
        trigger->kind = TRIGGER_TIME;
        trigger->time = conf_time(table, key, 0);
        break;
    case LUA_TSTRING:
        if (looks_like_time(lua_tostring(L, -1))) {
            trigger->kind = TRIGGER_TIME;
            trigger->time = conf_time(table, key, 0);
        } else {
            read_event_word(table, key, world, lua_tostring(L, -1), trigger);
        }
        break;
    case LUA_TTABLE:
        conf_sub(table, key, &t);
        trigger->kind = TRIGGER_PACKET;
        trigger->host = conf_host(&t, "from", world);
        trigger->nth = (uint64_t)conf_int(&t, "nth", 1, 1, INT64_MAX);
        match_read(&t, "match", &trigger->match);
        conf_close(&t);
        break;
    default:
        conf_fail(table, key, trigger_expected);
    }
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* nth = 3 or nth = { 3, 5 } (the third to the fifth) */
static void
read_nth(ConfTable *table, Rule *rule)
{
    lua_State *L = table->L;

    rule->nth_first = 1;
    rule->nth_last = UINT64_MAX;
    if (conf_type(table, "nth") == LUA_TTABLE) {
        conf_push(table, "nth");
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        rule->nth_first = (uint64_t)value_int(L, -2, "nth: first", 1, INT64_MAX);
        rule->nth_last = lua_tonumber(L, -1) == HUGE_VAL
                             ? UINT64_MAX
                             : (uint64_t)value_int(L, -1, "nth: last", 1, INT64_MAX);
        lua_pop(L, 3);
        if (rule->nth_first > rule->nth_last)
            conf_fail(table, "nth", "a number, or { first, last }");
    } else if (conf_has(table, "nth")) {
        rule->nth_first = rule->nth_last = (uint64_t)conf_int(table, "nth", 1, 1, INT64_MAX);
    }
}

/* What every rule has. The caller closes the table. */
static void
read_rule(ConfTable *table, LinkBox *box, Rule *rule)
{
    lua_State *L = table->L;

    *rule = (Rule){ .link = box, .direction = -1 };

    HostBox *from = conf_host(table, "from", box->world);
    HostBox *to = conf_host(table, "to", box->world);
    const char *path = lua_pushfstring(L, "%s.from", table->path);

    if (from != NULL)
        rule->direction = (int)link_direction_from(L, box, from, path);
    if (to != NULL) {
        int by_to = !(int)link_direction_from(L, box, to, path);

        if (from != NULL && by_to != rule->direction)
            conf_error(L, "%s: from and to are the same end of the link", table->path);
        rule->direction = by_to;
    }
    read_nth(table, rule);
    rule->limit = (uint64_t)conf_int(table, "count", INT64_MAX, 1, INT64_MAX);
    rule->probability = conf_probability(table, "probability", 1);
    read_trigger(table, "after", box->world, &rule->after);
    read_trigger(table, "before", box->world, &rule->before);
    match_read(table, "match", &rule->match);
}

static int
add_rule(lua_State *L, const Rule *rule)
{
    Rule *kept = g_memdup2(rule, sizeof *rule);
    LinkBox *box = rule->link;
    g_autofree char *name =
        g_strdup_printf("rule %u of link %s", fates_count(box->fates) + 1, link_name(box->link));

    sim_rng_named(box->world->sim, &kept->rng, name);
    fates_add(box->fates, kept);
    rule_push(L, kept);
    return 1;
}

/* The details that a kind of fate has, from the same table. */
static void
read_fate(ConfTable *table, FateKind kind, Fate *fate)
{
    static const char *const reasons[] = {
        [FATE_PASS] = "",
        [FATE_DROP] = "scripted drop",
        [FATE_DELAY] = "scripted delay",
        [FATE_DUPLICATE] = "scripted duplicate",
        [FATE_REORDER] = "scripted reordering",
        [FATE_CORRUPT] = "scripted corruption",
        [FATE_HOLD] = "scripted hold",
    };

    *fate =
        (Fate){ .kind = kind, .reason = reasons[kind], .copies = 1, .past = 1, .corrupt_at = -1 };
    if (kind == FATE_DELAY) {
        fate->by = conf_span(table, "by", SIM_NEVER);
        if (fate->by == SIM_NEVER)
            conf_fail(table, "by", "a time such as \"300ms\"");
    } else if (kind == FATE_DUPLICATE) {
        fate->by = conf_span(table, "by", 0);
        fate->copies = (uint32_t)conf_int(table, "copies", 1, 1, 1000);
    } else if (kind == FATE_REORDER) {
        fate->past = (uint32_t)conf_int(table, "past", 1, 1, 100000);
    } else if (kind == FATE_CORRUPT) {
        fate->corrupt_at = (int32_t)conf_int(table, "byte", -1, -1, 65535);
        fate->corrupt_xor = (uint8_t)conf_int(table, "xor", 0, 0, 255);
        fate->corrupt_swap = (int32_t)conf_int(table, "swap", 0, 0, 65533);
        if (fate->corrupt_swap % 2 != 0 || (fate->corrupt_swap > 0 && fate->corrupt_at % 2 != 0))
            conf_fail(table, "swap", "even offsets of two 16-bit words, in `byte` and here");
        fate->fix_checksum = conf_bool(table, "fix_checksum", false);
    }
}

static int
fate_rule(lua_State *L, const char *call, FateKind kind)
{
    LinkBox *box = link_check(L, 1);
    ConfTable t;
    Rule rule;
    Fate fate;

    conf_open(&t, L, 2, call);
    read_rule(&t, box, &rule);
    read_fate(&t, kind, &fate);
    conf_close(&t);
    rule.action = RULE_FATE;
    rule.fate = fate;
    return add_rule(L, &rule);
}

#define FATE_METHOD(function, call, kind)                                                          \
    static int function(lua_State *L)                                                              \
    {                                                                                              \
        return fate_rule(L, call, kind);                                                           \
    }

FATE_METHOD(link_drop, "drop", FATE_DROP)
FATE_METHOD(link_delay, "delay", FATE_DELAY)
FATE_METHOD(link_duplicate, "duplicate", FATE_DUPLICATE)
FATE_METHOD(link_reorder, "reorder", FATE_REORDER)
FATE_METHOD(link_corrupt, "corrupt", FATE_CORRUPT)
FATE_METHOD(link_hold, "hold", FATE_HOLD)

static int
rule_with_function(lua_State *L, const char *call, RuleAction action)
{
    LinkBox *box = link_check(L, 1);
    int fn = lua_isfunction(L, 2) ? 2 : 3; /* the table may be left out */
    ConfTable t;
    Rule rule;

    if (!lua_isfunction(L, fn))
        value_fail(L, fn, call, "a function(packet)");
    lua_pushvalue(L, fn);
    rule.fn = 0;
    if (fn == 2)
        lua_newtable(L);
    else
        lua_pushvalue(L, 2);

    int function_at = lua_gettop(L) - 1;

    conf_open(&t, L, -1, call);
    read_rule(&t, box, &rule);
    conf_close(&t);
    rule.action = action;
    lua_pushvalue(L, function_at);
    rule.fn = luaL_ref(L, LUA_REGISTRYINDEX);
    return add_rule(L, &rule);
}

/* wire:script([{ ... },] function(packet) return "drop" end) */
static int
link_script(lua_State *L)
{
    return rule_with_function(L, "script", RULE_SCRIPT);
}

/* wire:watch([{ ... },] function(packet) ... end): a process for each such packet. */
static int
link_watch(lua_State *L)
{
    return rule_with_function(L, "watch", RULE_CALL);
}

/* wire:copy{ ... }: keeps a copy of the last such packet, for rule:inject(). */
static int
link_copy(lua_State *L)
{
    LinkBox *box = link_check(L, 1);
    ConfTable t;
    Rule rule;

    conf_open(&t, L, 2, "copy");
    read_rule(&t, box, &rule);
    conf_close(&t);
    rule.action = RULE_COPY;
    return add_rule(L, &rule);
}

/* wire:release([from] [, after]): lets go what hold stopped -> how many. */
static int
link_let_go(lua_State *L)
{
    LinkBox *box = link_check(L, 1);
    HostBox *from = host_test(L, 2);
    SimTime after = value_opt_time(L, from == NULL ? 2 : 3, "release: after", 0);
    unsigned n = 0;

    for (unsigned direction = 0; direction < 2; direction++)
        if (from == NULL || link_direction_from(L, box, from, "release") == direction)
            n += link_release(box->link, direction, after);
    lua_pushinteger(L, n);
    return 1;
}

static int
link_held_count(lua_State *L)
{
    LinkBox *box = link_check(L, 1);

    lua_pushinteger(L, link_held(box->link, 0) + link_held(box->link, 1));
    return 1;
}

/* ---- a script's answer
 * ---------------------------------------------------------------------------- */

/* fate_from_answer(fn, packet, lightuserdata Fate): calls fn and reads what it returns. */
int
fate_from_answer(lua_State *L)
{
    static const char *const names[] = { "pass",    "drop",    "delay", "duplicate",
                                         "reorder", "corrupt", "hold" };
    static const FateKind kinds[] = { FATE_PASS,    FATE_DROP,    FATE_DELAY, FATE_DUPLICATE,
                                      FATE_REORDER, FATE_CORRUPT, FATE_HOLD };
    Fate *fate = lua_touserdata(L, 3);
    ConfTable t;

    lua_settop(L, 2);
    lua_call(L, 1, 1);
    if (lua_isnil(L, 1))
        return 0;
    if (lua_istable(L, 1)) {
        lua_rawgeti(L, 1,
                    1); /* { "delay", by = "5ms" }: the name leaves its place to the other keys */
        lua_pushnil(L);
        lua_rawseti(L, 1, 1);
    } else {
        lua_newtable(L);
        lua_insert(L, 1);
    }

    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0) {
            conf_open(&t, L, 1, "script");
            read_fate(&t, kinds[i], fate);
            conf_close(&t);
            return 0;
        }
    value_fail(L, 2, "script: the function's answer",
               "nothing, \"drop\", \"hold\", or { \"delay\", by = \"5ms\" }");
}

/* ---- the rule as an object
 * -------------------------------------------------------------------------- */

void
rule_push(lua_State *L, Rule *rule)
{
    Rule **handle = lua_newuserdatauv(L, sizeof *handle, 0);

    *handle = rule;
    luaL_setmetatable(L, RULE_META);
}

static Rule *
rule_check(lua_State *L)
{
    return *(Rule **)luaL_checkudata(L, 1, RULE_META);
}

/* rule:count() -> how many packets it acted on, how many it matched */
static int
rule_count(lua_State *L)
{
    Rule *rule = rule_check(L);

    lua_pushinteger(L, (lua_Integer)rule->acted);
    lua_pushinteger(L, (lua_Integer)rule->seen);
    return 2;
}

static int
rule_cancel(lua_State *L)
{
    rule_check(L)->is_cancelled = true;
    return 0;
}

/* rule:inject([after]): a copy:'s packet goes the same way once more. */
static int
rule_inject(lua_State *L)
{
    Rule *rule = rule_check(L);
    SimTime after = value_opt_time(L, 2, "inject: after", 0);

    if (rule->action != RULE_COPY)
        conf_error(L, "inject: is for the rules that copy{} made");
    if (rule->copy == NULL)
        conf_error(L, "inject: no packet was copied yet");

    Packet *packet = packet_copy(&rule->link->world->net->packets, rule->copy);

    packet->flags |= PACKET_DUPLICATE;
    link_inject(rule->link->link, rule->copy_direction, packet, after);
    return 0;
}

/* rule:packet() -> the copied packet as a table, or nil */
static int
rule_packet(lua_State *L)
{
    Rule *rule = rule_check(L);

    if (rule->copy == NULL)
        lua_pushnil(L);
    else
        packet_push(L, rule->link->world, rule->link, rule->copy_direction, rule->copy);
    return 1;
}

void
bind_fate(lua_State *L)
{
    static const luaL_Reg link_methods[] = {
        { "drop", link_drop },       { "delay", link_delay },     { "duplicate", link_duplicate },
        { "reorder", link_reorder }, { "corrupt", link_corrupt }, { "hold", link_hold },
        { "release", link_let_go },  { "held", link_held_count }, { "script", link_script },
        { "watch", link_watch },     { "copy", link_copy },       { NULL, NULL },
    };
    static const luaL_Reg rule_methods[] = {
        { "count", rule_count },
        { "cancel", rule_cancel },
        { "inject", rule_inject },
        { "packet", rule_packet },
        { NULL, NULL },
    };

    bind_link_methods(L, link_methods);
    luaL_newmetatable(L, RULE_META);
    luaL_newlib(L, rule_methods);
    bind_strict_index(L);
    lua_pop(L, 1);
}
