/* What the recorder remembers, as Lua tables: packets, connections with their
 * transitions, verdicts, peaks of queues. lib/prelude.lua makes the calls that
 * scenarios see of these. */
#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/match.h"
#include "scenarios/runtime/suggest.h"

static void
set_int(lua_State *L, const char *key, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void
set_text(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void
set_bool(lua_State *L, const char *key, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

static void
set_time(lua_State *L, const char *key, SimTime value)
{
    push_time(L, value);
    lua_setfield(L, -2, key);
}

/* ---- packets ------------------------------------------------------------------------- */

static void
push_tcp_entry(lua_State *L, const TracePacket *entry)
{
    char text[FLAGS_TEXT];

    set_text(L, "flags", tcp_flags_text(entry->flags, text));
    set_int(L, "seq", entry->rel_seq);
    set_int(L, "ack", entry->rel_ack);
    set_int(L, "raw_seq", entry->seq);
    set_int(L, "raw_ack", entry->ack);
    set_int(L, "win", entry->wnd);
    if (entry->options & TCPOPT_HAS_MSS)
        set_int(L, "mss", entry->mss);
    if (entry->options & TCPOPT_HAS_WSCALE)
        set_int(L, "wscale", entry->wscale);
    set_bool(L, "sack_ok", entry->options & TCPOPT_HAS_SACK_OK);
    if (entry->options & TCPOPT_HAS_TS) {
        set_int(L, "tsval", entry->tsval);
        set_int(L, "tsecr", entry->tsecr);
    }
    if (entry->n_sacks == 0)
        return;
    lua_createtable(L, entry->n_sacks, 0);
    for (unsigned i = 0; i < entry->n_sacks; i++) {
        lua_createtable(L, 2, 0);
        lua_pushinteger(L, entry->sacks[i].start);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, entry->sacks[i].end);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "sacks");
}

static void
push_entry(lua_State *L, const World *world, const TracePacket *entry)
{
    const Recorder *recorder = world->recorder;

    lua_createtable(L, 0, 40);
    set_time(L, "at", entry->sent_at);
    if (entry->what & TRACE_ARRIVED)
        set_time(L, "arrived_at", entry->ended_at);
    set_text(L, "fate", trace_packet_fate(entry));
    if (entry->reason != NULL)
        set_text(L, "reason", entry->reason);
    if (entry->why != NULL)
        set_text(L, "why", entry->why);
    set_text(L, "from", recorder_host_name(recorder, entry->from));
    set_text(L, "to", recorder_host_name(recorder, entry->to));
    push_addr(L, entry->src.addr);
    lua_setfield(L, -2, "src");
    push_addr(L, entry->dst.addr);
    lua_setfield(L, -2, "dst");
    set_int(L, "sport", entry->src.port);
    set_int(L, "dport", entry->dst.port);
    set_int(L, "id", (int64_t)entry->id);
    set_int(L, "conn", entry->conn);
    set_int(L, "stream", entry->stream);
    set_int(L, "len", entry->len);
    set_int(L, "ip_id", entry->ip_id);
    set_int(L, "ip_len", entry->ip_len);
    set_int(L, "ttl", entry->ttl);
    set_int(L, "tos", entry->tos);
    set_int(L, "ecn", entry->tos & ECN_MASK);
    set_bool(L, "df", entry->df);
    set_bool(L, "mf", entry->mf);
    set_int(L, "frag_offset", entry->frag_offset);
    set_bool(L, "is_retransmission", entry->what & TRACE_RETRANSMIT);
    set_bool(L, "is_forged", entry->what & TRACE_INJECTED);
    set_bool(L, "is_copy", entry->what & TRACE_COPY);
    set_bool(L, "is_marked", entry->what & TRACE_MARKED);
    set_bool(L, "is_corrupted", entry->what & TRACE_CORRUPTED);
    if (entry->proto == IP_PROTO_TCP) {
        set_text(L, "proto", "tcp");
        push_tcp_entry(L, entry);
    } else if (entry->proto == IP_PROTO_UDP) {
        set_text(L, "proto", "udp");
    } else if (entry->proto == IP_PROTO_ICMP) {
        set_text(L, "proto", "icmp");
        set_int(L, "icmp_type", entry->flags >> 8);
        set_int(L, "icmp_code", entry->flags & 0xff);
        set_int(L, "mtu", entry->mss);
    }
}

typedef struct Query {
    World *world;
    const LinkBox *link; /* NULL: any */
    const HostBox *host; /* at either end; NULL: any */
    const HostBox *from, *to;
    Match match;
    SimTime after, before;
    const char *fate;
} Query;

static bool
query_matches(const Query *q, const TracePacket *entry)
{
    if (q->link != NULL && entry->link != link_id(q->link->link))
        return false;
    if (q->host != NULL && entry->from != q->host->host->id && entry->to != q->host->host->id)
        return false;
    if ((q->from != NULL && entry->from != q->from->host->id) ||
        (q->to != NULL && entry->to != q->to->host->id))
        return false;
    if (entry->sent_at < q->after || entry->sent_at > q->before)
        return false;
    if (q->fate != NULL && strcmp(q->fate, trace_packet_fate(entry)) != 0)
        return false;
    return match_trace(&q->match, entry);
}

static World *
some_world(lua_State *L)
{
    Lab *lab = lab_of(L);

    if (lab->world == NULL && lab->worlds->len > 0)
        return lab->worlds->pdata[lab->worlds->len - 1];
    return lab_world(lab);
}

/* core.packets(link or nil, host or nil, query) -> list of packets as sent */
static int
core_packets(lua_State *L)
{
    static const char *const fates[] = { "arrived", "lost", "refused", "held", "in flight" };
    Query q = { .link = link_test(L, 1), .host = host_test(L, 2) };
    ConfTable t;

    q.world = q.link != NULL ? q.link->world : q.host != NULL ? q.host->world : some_world(L);
    conf_open(&t, L, 3, "packets");
    q.from = conf_host(&t, "from", q.world);
    q.to = conf_host(&t, "to", q.world);
    q.after = conf_time(&t, "after", 0);
    q.before = conf_time(&t, "before", SIM_NEVER);

    int fate = conf_choice(&t, "fate", -1, fates, G_N_ELEMENTS(fates));

    q.fate = fate < 0 ? NULL : fates[fate];
    match_read(&t, "match", &q.match);
    conf_close(&t);
    if (q.match.filter != NULL)
        conf_error(
            L,
            "packets.match: pcap filters are for rules; a query takes words, fields or a function");
    if (!recorder_is_complete(q.world->recorder, TRACE_KIND_PACKETS))
        conf_error(L,
                   "packets: the run had more packets than are kept; ask host:counters() instead");
    lua_newtable(L);

    lua_Integer n = 0;
    size_t count = recorder_count(q.world->recorder, TRACE_KIND_PACKETS);

    for (size_t i = 0; i < count; i++) {
        const TracePacket *entry = recorder_packet(q.world->recorder, i);

        if (!query_matches(&q, entry))
            continue;
        push_entry(L, q.world, entry);
        if (q.match.fn != 0) {
            lua_rawgeti(L, LUA_REGISTRYINDEX, q.match.fn);
            lua_pushvalue(L, -2);
            lua_call(L, 1, 1);

            bool is_match = lua_toboolean(L, -1);

            lua_pop(L, 1);
            if (!is_match) {
                lua_pop(L, 1);
                continue;
            }
        }
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* ---- connections ------------------------------------------------------------------------ */

static void
push_conn(lua_State *L, const World *world, const TraceConn *conn)
{
    lua_createtable(L, 0, 10);
    set_int(L, "id", conn->conn);
    set_text(L, "host", recorder_host_name(world->recorder, conn->host));
    set_time(L, "born_at", conn->born_at);
    push_addr(L, conn->local.addr);
    lua_setfield(L, -2, "local_address");
    set_int(L, "local_port", conn->local.port);
    push_addr(L, conn->remote.addr);
    lua_setfield(L, -2, "remote_address");
    set_int(L, "remote_port", conn->remote.port);
    set_bool(L, "is_passive", conn->is_passive);
    set_text(L, "state", tcp_state_name((TcpState)conn->state));
    lua_newtable(L);
    lua_setfield(L, -2, "history");
}

static void
push_transition(lua_State *L, const TcpStateRecord *record)
{
    lua_createtable(L, 0, 7);
    set_time(L, "at", record->at);
    set_text(L, "from", tcp_state_name((TcpState)record->from));
    set_text(L, "to", tcp_state_name((TcpState)record->to));
    set_text(L, "cause", record->cause);
    set_text(L, "what", record->what);
    set_text(L, "rule", record->rule);
    if (record->counterfactual != NULL)
        set_text(L, "counterfactual", record->counterfactual);
}

/* Appends each transition to the history of its connection; the map from ids
 * to connections is on top of the stack. */
static void
add_histories(lua_State *L, const World *world)
{
    size_t count = recorder_count(world->recorder, TRACE_KIND_TRANSITIONS);

    for (size_t i = 0; i < count; i++) {
        const TcpStateRecord *record = recorder_transition(world->recorder, i);

        if (lua_rawgeti(L, -1, record->conn) == LUA_TTABLE) {
            lua_getfield(L, -1, "history");
            push_transition(L, record);
            lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
}

/* core.connections(host or nil [, id]) -> list, oldest first */
static int
core_connections(lua_State *L)
{
    const HostBox *host = host_test(L, 1);
    const SockBox *only = conn_test(L, 2);
    const World *world = host != NULL ? host->world : only != NULL ? only->world : some_world(L);
    size_t count = recorder_count(world->recorder, TRACE_KIND_CONNS);
    lua_Integer n = 0;

    lua_newtable(L); /* the list */
    lua_newtable(L); /* by id */
    for (size_t i = 0; i < count; i++) {
        const TraceConn *conn = recorder_conn(world->recorder, i);

        if ((host != NULL && conn->host != host->host->id) ||
            (only != NULL && conn->conn != only->conn))
            continue;
        push_conn(L, world, conn);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, conn->conn);
        lua_rawseti(L, -3, ++n);
    }
    add_histories(L, world);
    lua_pop(L, 1);
    return 1;
}

/* ---- verdicts and queues ------------------------------------------------------------------ */

/* core.verdicts(host) -> list of { at, kind, what, rule, conn } */
static int
core_verdicts(lua_State *L)
{
    static const char *const kinds[] = { "reply", "drop", "retransmit", "note" };
    const HostBox *host = host_check(L, 1);
    const Recorder *recorder = host->world->recorder;
    size_t count = recorder_count(recorder, TRACE_KIND_VERDICTS);
    lua_Integer n = 0;

    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        const VerdictRecord *verdict = recorder_verdict(recorder, i);

        if (verdict->host != host->host->id)
            continue;
        lua_createtable(L, 0, 5);
        set_time(L, "at", verdict->at);
        set_text(L, "kind", kinds[verdict->kind]);
        set_text(L, "what", verdict->what);
        set_text(L, "rule", verdict->rule);
        set_int(L, "conn", verdict->conn);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* core.peak(host, queue [, port]): the most entries that it ever held. */
static int
core_peak(lua_State *L)
{
    static const char *const names[] = { "syn_queue", "accept_queue", "time_wait", "backlog",
                                         "fragments", "send_queue",   NULL };
    const HostBox *host = host_check(L, 1);
    const char *name = NULL;

    for (unsigned i = 0; names[i] != NULL && name == NULL; i++)
        if (lua_type(L, 2) == LUA_TSTRING && strcmp(names[i], lua_tostring(L, 2)) == 0)
            name = names[i];
    if (name == NULL)
        value_fail(L, 2, "peak: queue",
                   "\"syn_queue\", \"accept_queue\", \"time_wait\", \"backlog\", "
                   "\"fragments\" or \"send_queue\"");
    uint16_t port = (uint16_t)luaL_optinteger(L, 3, 0);

    lua_pushinteger(L, recorder_queue_peak(host->world->recorder, name, host->host->id, port));
    return 1;
}

/* ---- expectations ---------------------------------------------------------------------------- */

/* core.where() -> "file:line", the text of that line: of the scenario's own frame. */
static int
core_where(lua_State *L)
{
    Lab *lab = lab_of(L);
    lua_Debug frame;

    for (int level = 0; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (frame.currentline <= 0 || frame.source[0] != '@')
            continue;
        lua_pushfstring(L, "%s:%d", frame.short_src, frame.currentline);

        bool is_ours = strcmp(frame.source + 1, lab->file) == 0;
        const char *line = is_ours ? lab->source : "";

        for (int n = 1; n < frame.currentline && line != NULL; n++) {
            line = strchr(line, '\n');
            line = line == NULL ? NULL : line + 1;
        }
        lua_pushlstring(L, line == NULL ? "" : line, line == NULL ? 0 : strcspn(line, "\n"));
        return 2;
    }
    lua_pushliteral(L, "");
    lua_pushliteral(L, "");
    return 2;
}

/* core.record(is_met, where, claim, found) */
static int
core_record(lua_State *L)
{
    Lab *lab = lab_of(L);
    const char *where = luaL_checkstring(L, 2);
    const char *claim = luaL_checkstring(L, 3);
    const char *found = luaL_optstring(L, 4, "");
    Expectation *expectation = g_new0(Expectation, 1);

    expectation->is_met = lua_toboolean(L, 1);
    expectation->where = g_strdup(where);
    expectation->claim = g_strdup(claim);
    expectation->found = g_strdup(found);
    expectation->world = g_strdup(lab->world == NULL ? "" : lab->world->name);
    expectation->at = lab->world == NULL ? 0 : sim_now(lab->world->sim);
    g_ptr_array_add(lab->expectations, expectation);
    return 0;
}

/* core.fail(text): an error told at the scenario's own line. */
static int
core_fail(lua_State *L)
{
    conf_error(L, "%s", luaL_checkstring(L, 1));
}

/* core.suggest(found, words) -> '; did you mean "..."?', or nothing when no word is near. */
static int
core_suggest(lua_State *L)
{
    const char *found = luaL_checkstring(L, 1);
    const char *words[64];
    size_t n = 0;

    luaL_checktype(L, 2, LUA_TTABLE);
    while (n < G_N_ELEMENTS(words) && lua_rawgeti(L, 2, (lua_Integer)n + 1) == LUA_TSTRING) {
        words[n++] = lua_tostring(L, -1); /* lives in the list */
        lua_pop(L, 1);
    }

    char *hint = suggest_text(found, words, n);

    lua_pushstring(L, hint);
    g_free(hint);
    return 1;
}

/* core.at_end(fn): called when the scenario has come to its end. */
static int
core_at_end(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lab_of(L)->at_end = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

void
bind_trace(lua_State *L, int core)
{
    static const luaL_Reg functions[] = {
        { "packets", core_packets },   { "connections", core_connections },
        { "verdicts", core_verdicts }, { "peak", core_peak },
        { "where", core_where },       { "record", core_record },
        { "fail", core_fail },         { "suggest", core_suggest },
        { "at_end", core_at_end },     { NULL, NULL },
    };

    lua_pushvalue(L, core);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
