/* Native applications for traffic that Lua would be too slow for:
 * host:serve{}, host:bulk{}, host:crowd{}, host:flood{}. */
#include <lauxlib.h>

#include "models/app/app.h"
#include "models/tcp/cc.h"
#include "scenarios/runtime/bind.h"

#define SERVER_META "halfopen.server"
#define BULK_META   "halfopen.bulk"
#define CROWD_META  "halfopen.crowd"
#define FLOOD_META  "halfopen.flood"

static void
push_app(lua_State *L, void *app, const char *meta)
{
    void **handle = lua_newuserdatauv(L, sizeof *handle, 0);

    *handle = app; /* lives as long as its host */
    luaL_setmetatable(L, meta);
}

static void
set_int(lua_State *L, const char *key, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, key);
}

static void
set_time(lua_State *L, const char *key, SimTime value)
{
    push_time(L, value);
    lua_setfield(L, -2, key);
}

static ConfTable
open_options(lua_State *L, const char *call, HostBox **host)
{
    ConfTable t;

    *host = host_check(L, 1);
    if (!lua_istable(L, 2))
        value_fail(L, 2, call, "a table { ... }");
    conf_open(&t, L, 2, call);
    return t;
}

static Endpoint
conf_target(ConfTable *t, bool has_port)
{
    Endpoint to = { IP_ADDR_ANY, 0 };

    conf_push(t, "to");
    if (lua_isnil(t->L, -1))
        conf_fail(t, "to", "a host or an address");
    to.addr = value_addr_or_host(t->L, -1, "to");
    lua_pop(t->L, 1);
    to.port = (uint16_t)conf_int(t, "port", has_port ? -1 : 1, 1, 65535);
    if (has_port && !conf_has(t, "port"))
        conf_fail(t, "port", "a port from 1 to 65535");
    return to;
}

/* ---- servers --------------------------------------------------------------------- */

/* host:serve{ port = 80, backlog =, request =, response =, ... } -> server; nil, error */
static int
host_serve(lua_State *L)
{
    HostBox *host;
    ConfTable t = open_options(L, "serve", &host);
    int error = 0;
    AppServerParams params = {
        .port = (uint16_t)conf_int(&t, "port", 80, 1, 65535),
        .n_ports = (uint16_t)conf_int(&t, "ports", 1, 1, 65535),
        .backlog = (int)conf_int(&t, "backlog", 128, INT32_MIN, INT32_MAX),
        .request_bytes = (uint32_t)conf_size(&t, "request", 0),
        .response_bytes = conf_size(&t, "response", 0),
        .closes_first = conf_bool(&t, "closes_first", false),
        .never_reads = conf_bool(&t, "never_reads", false),
        .never_accepts = conf_bool(&t, "never_accepts", false),
        .accepts_per_s = conf_number(&t, "accepts_per_s", 0, 0, 1e9),
        .workers = (uint32_t)conf_int(&t, "workers", 0, 0, INT32_MAX),
        .timeout = conf_time(&t, "timeout", 0),
    };

    conf_close(&t);

    AppServer *server = app_server_new(host->host, &params, &error);

    if (server == NULL)
        return push_failure(L, error);
    push_app(L, server, SERVER_META);
    return 1;
}

static int
server_counts(lua_State *L)
{
    AppServerCounts counts = app_server_counts(*(AppServer **)luaL_checkudata(L, 1, SERVER_META));

    lua_createtable(L, 0, 8);
    set_int(L, "accepted", counts.accepted);
    set_int(L, "requests", counts.requests);
    set_int(L, "bytes_read", counts.bytes_read);
    set_int(L, "bytes_sent", counts.bytes_sent);
    set_int(L, "closed", counts.closed);
    set_int(L, "errors", counts.errors);
    set_int(L, "timed_out", counts.timed_out);
    set_int(L, "most_open", counts.most_open);
    return 1;
}

/* ---- bulk ------------------------------------------------------------------------- */

/* The name of an algorithm; NULL: the host's own. */
static const char *
conf_congestion(ConfTable *t)
{
    const char *name = conf_text(t, "congestion", NULL);

    if (name != NULL && cc_find(name) == NULL)
        conf_fail(t, "congestion", lua_pushfstring(t->L, "one of: %s", cc_names()));
    return name;
}

/* host:bulk{ to = server, port = 80, bytes = "10MB", start =, congestion = } */
static int
host_bulk(lua_State *L)
{
    HostBox *host;
    ConfTable t = open_options(L, "bulk", &host);
    Endpoint to = conf_target(&t, true);
    uint64_t bytes = conf_size(&t, "bytes", 0);
    SimTime start = conf_time(&t, "start", sim_now(host->world->sim));
    const char *congestion = conf_congestion(&t);

    conf_close(&t);
    push_app(L, app_bulk_new(host->host, to, bytes, start, congestion), BULK_META);
    return 1;
}

static int
bulk_sent(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)app_bulk_sent(*(AppBulk **)luaL_checkudata(L, 1, BULK_META)));
    return 1;
}

/* bulk:error() -> the name of what ended it, or nil */
static int
bulk_error(lua_State *L)
{
    int error = app_bulk_error(*(AppBulk **)luaL_checkudata(L, 1, BULK_META));

    if (error == 0)
        lua_pushnil(L);
    else
        lua_pushstring(L, errno_name(error));
    return 1;
}

/* ---- crowds -------------------------------------------------------------------------- */

/* arrivals = { "1s", "1.2s", ... }: in Lua memory until the call returns. */
static void
read_arrivals(ConfTable *t, AppCrowdParams *params)
{
    lua_State *L = t->L;

    if (conf_push(t, "arrivals") == LUA_TNIL)
        return;
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) == 0)
        conf_fail(t, "arrivals", "a list of times, ascending");
    params->n_arrivals = (uint32_t)lua_rawlen(L, -1);

    SimTime *arrivals = lua_newuserdatauv(L, params->n_arrivals * sizeof *arrivals, 0);

    for (uint32_t i = 0; i < params->n_arrivals; i++) {
        lua_rawgeti(L, -2, i + 1);
        arrivals[i] = value_time(L, -1, "crowd.arrivals");
        if (i > 0 && arrivals[i] < arrivals[i - 1])
            conf_fail(t, "arrivals", "a list of times, ascending");
        lua_pop(L, 1);
    }
    params->arrivals = arrivals;
}

/* host:crowd{ to =, port =, rate =, request =, response =, ... } */
static int
host_crowd(lua_State *L)
{
    HostBox *host;
    ConfTable t = open_options(L, "crowd", &host);
    AppCrowdParams params = {
        .to = conf_target(&t, true),
        .n_ports = (uint16_t)conf_int(&t, "ports", 1, 1, 65535),
        .rate = conf_number(&t, "rate", 0, 0, 1e9),
        .is_poisson = conf_bool(&t, "poisson", true),
        .count = (uint64_t)conf_int(&t, "count", 0, 0, INT64_MAX),
        .start = conf_time(&t, "start", sim_now(host->world->sim)),
        .stop = conf_time(&t, "stop", SIM_NEVER),
        .request_bytes = (uint32_t)conf_size(&t, "request", 0),
        .response_bytes = conf_size(&t, "response", 0),
        .requests = (uint32_t)conf_int(&t, "requests", 1, 1, INT32_MAX),
        .think = conf_time(&t, "think", 0),
        .patience = conf_time(&t, "patience", 0),
        .stays_idle = conf_bool(&t, "stays_idle", false),
        .never_reads = conf_bool(&t, "never_reads", false),
        .trickle_bytes = (uint32_t)conf_size(&t, "trickle", 0),
        .trickle_every = conf_time(&t, "trickle_every", 0),
        .aborts = conf_bool(&t, "aborts", false),
    };

    read_arrivals(&t, &params);
    conf_close(&t);
    if (params.rate <= 0 && params.n_arrivals == 0)
        conf_fail(&t, "rate", "connections a second, more than 0 (or arrivals = { ... })");
    push_app(L, app_crowd_new(host->host, &params), CROWD_META);
    return 1;
}

static AppCrowd *
crowd_check(lua_State *L)
{
    return *(AppCrowd **)luaL_checkudata(L, 1, CROWD_META);
}

static int
crowd_counts(lua_State *L)
{
    AppCrowdCounts counts = app_crowd_counts(crowd_check(L));

    lua_createtable(L, 0, 16);
    set_int(L, "started", counts.started);
    set_int(L, "connected", counts.connected);
    set_int(L, "served", counts.served);
    set_int(L, "requests_done", counts.requests_done);
    set_int(L, "failed", counts.failed);
    set_int(L, "open", counts.open);
    set_int(L, "most_open", counts.most_open);
    set_int(L, "refused", counts.refused);
    set_int(L, "reset", counts.reset);
    set_int(L, "timed_out", counts.timed_out);
    set_int(L, "no_port", counts.no_port);
    set_int(L, "impatient", counts.impatient);
    set_time(L, "connect_total", counts.connect_total);
    set_time(L, "served_total", counts.served_total);
    set_time(L, "served_max", counts.served_max);
    return 1;
}

/* crowd:latency(0.99) -> seconds */
static int
crowd_latency(lua_State *L)
{
    double q = luaL_checknumber(L, 2);

    if (!(q >= 0 && q <= 1))
        value_fail(L, 2, "latency", "a quantile from 0 to 1");
    push_time(L, app_crowd_latency(crowd_check(L), q));
    return 1;
}

/* ---- floods ------------------------------------------------------------------------------ */

/* host:flood{ kind = "syn", to =, port =, rate =, spoof = "10.77.0.0/16", ... } */
static int
host_flood(lua_State *L)
{
    static const char *const kinds[] = { "syn",      "ack",       "rst",       "syn-scan",
                                         "fin-scan", "null-scan", "xmas-scan", "ack-scan" };
    static const char *const patterns[] = { "even", "poisson", "bursts" };
    HostBox *host;
    ConfTable t = open_options(L, "flood", &host);
    AppFloodParams params = {
        .kind = (AppFloodKind)conf_choice(&t, "kind", APP_FLOOD_SYN, kinds, G_N_ELEMENTS(kinds)),
        .pattern = (AppFloodPattern)conf_choice(&t, "pattern", APP_FLOOD_EVEN, patterns,
                                                G_N_ELEMENTS(patterns)),
        .burst = (uint32_t)conf_int(&t, "burst", 1, 1, INT32_MAX),
        .to = conf_target(&t, true),
        .n_ports = (uint16_t)conf_int(&t, "ports", 1, 1, 65535),
        .rate = conf_number(&t, "rate", 0, 0, 1e9),
        .count = (uint64_t)conf_int(&t, "count", 0, 0, INT64_MAX),
        .start = conf_time(&t, "start", sim_now(host->world->sim)),
        .stop = conf_time(&t, "stop", SIM_NEVER),
        .sport = (uint16_t)conf_int(&t, "sport", 0, 0, 65535),
        .timestamps = conf_bool(&t, "timestamps", true),
        .first_seq = (uint32_t)conf_int(&t, "first_seq", 0, 0, UINT32_MAX),
        .step = (uint32_t)conf_int(&t, "step", 1, 0, UINT32_MAX),
    };
    const char *spoof = conf_text(&t, "spoof", NULL);

    if (spoof != NULL && !ip_prefix_parse(spoof, &params.spoof, &params.spoof_bits))
        conf_fail(&t, "spoof", "a prefix such as \"10.77.0.0/16\"");
    conf_close(&t);
    if (params.rate <= 0)
        conf_fail(&t, "rate", "packets a second, more than 0");
    push_app(L, app_flood_new(host->host, &params), FLOOD_META);
    return 1;
}

static int
flood_sent(lua_State *L)
{
    lua_pushinteger(L,
                    (lua_Integer)app_flood_sent(*(AppFlood **)luaL_checkudata(L, 1, FLOOD_META)));
    return 1;
}

static void
new_metatable(lua_State *L, const char *meta, const luaL_Reg *methods)
{
    luaL_newmetatable(L, meta);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    bind_strict_index(L);
    lua_pop(L, 1);
}

void
bind_app(lua_State *L)
{
    static const luaL_Reg host_methods[] = {
        { "serve", host_serve }, { "bulk", host_bulk }, { "crowd", host_crowd },
        { "flood", host_flood }, { NULL, NULL },
    };
    static const luaL_Reg server_methods[] = { { "counts", server_counts }, { NULL, NULL } };
    static const luaL_Reg bulk_methods[] = { { "sent", bulk_sent },
                                             { "error", bulk_error },
                                             { NULL, NULL } };
    static const luaL_Reg crowd_methods[] = { { "counts", crowd_counts },
                                              { "latency", crowd_latency },
                                              { NULL, NULL } };
    static const luaL_Reg flood_methods[] = { { "sent", flood_sent }, { NULL, NULL } };

    bind_host_methods(L, host_methods);
    new_metatable(L, SERVER_META, server_methods);
    new_metatable(L, BULK_META, bulk_methods);
    new_metatable(L, CROWD_META, crowd_methods);
    new_metatable(L, FLOOD_META, flood_methods);
}
