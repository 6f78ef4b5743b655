/* host(), router(), and what a host is told: spawn, sysctl, address, routes. */
#include <lauxlib.h>
#include <string.h>

#include "models/ip/metrics.h"
#include "models/node/sendqueue.h"
#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/suggest.h"

#define DEFAULT_MTU 1500

HostBox *
host_test(lua_State *L, int index)
{
    HostBox **handle = luaL_testudata(L, index, HOST_META);

    return handle == NULL ? NULL : *handle;
}

HostBox *
host_check(lua_State *L, int index)
{
    HostBox *box = host_test(L, index);

    if (box == NULL)
        value_fail(L, index, "host",
                   "a host: call its methods with a colon, as in server:listen(80)");
    return box;
}

void
host_box_free(HostBox *box)
{
    if (box->tap != NULL)
        tap_free(box->tap);
    g_array_unref(box->addrs);
    g_free(box);
}

HostBox *
host_box_of(World *world, const Host *host)
{
    return host == NULL
               ? NULL
               : world->hosts->pdata[host->id - 1]; /* ids count from 1 in order of creation */
}

HostBox *
host_box_named(World *world, const char *name)
{
    for (unsigned i = 0; i < world->hosts->len; i++) {
        HostBox *box = world->hosts->pdata[i];

        if (strcmp(box->host->name, name) == 0)
            return box;
    }
    return NULL;
}

void
host_push(lua_State *L, HostBox *box)
{
    if (box->object != 0) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, box->object);
        return;
    }

    HostBox **handle = lua_newuserdatauv(L, sizeof *handle, 0);

    *handle = box;
    luaL_setmetatable(L, HOST_META);
    lua_pushvalue(L, -1);
    box->object = luaL_ref(L, LUA_REGISTRYINDEX);
}

IpAddr
value_addr_or_host(lua_State *L, int index, const char *what)
{
    HostBox *box = host_test(L, index);

    if (box == NULL && lua_type(L, index) == LUA_TSTRING)
        return value_addr(L, index, what);
    if (box == NULL)
        value_fail(L, index, what, "a host or an address such as \"10.0.0.1\"");
    if (box->host->ifaces->len == 0 && box->addrs->len == 0)
        conf_error(L, "%s: the host \"%s\" has no address yet", what, box->host->name);
    return box->addrs->len > 0 ? g_array_index(box->addrs, IpAddr, 0)
                               : ((Iface *)box->host->ifaces->pdata[0])->addr;
}

HostBox *
conf_host(ConfTable *table, const char *key, World *world)
{
    HostBox *box = NULL;

    if (conf_push(table, key) == LUA_TSTRING)
        box = host_box_named(world, lua_tostring(table->L, -1));
    else
        box = host_test(table->L, -1);
    if (box == NULL && !lua_isnil(table->L, -1))
        conf_fail(table, key, "a host or its name");
    lua_pop(table->L, 1);
    return box;
}

/* ---- making ------------------------------------------------------------------------ */

/* sysctl = { ["net.ipv4.tcp_syncookies"] = 0, tcp_rmem = "4096 131072 6291456" } */
static void
read_sysctls(lua_State *L, int index, StackParams *params)
{
    if (lua_isnil(L, index))
        return;
    if (!lua_istable(L, index))
        value_fail(L, index, "host.sysctl", "a table { name = value }");
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING)
            value_fail(L, -2, "host.sysctl", "names such as \"net.ipv4.tcp_syncookies\"");
        sysctl_set(L, NULL, params, lua_tostring(L, -2), -1);
        lua_pop(L, 1);
    }
}

/* An address or a list of them. */
static GArray *
read_addrs(lua_State *L, int index, const char *what)
{
    unsigned n = lua_istable(L, index) ? (unsigned)lua_rawlen(L, index)
                 : lua_isnil(L, index) ? 0
                                       : 1;
    IpAddr *addrs = lua_newuserdatauv(L, (n + 1) * sizeof *addrs, 0);

    for (unsigned i = 0; i < n; i++) {
        if (lua_istable(L, index))
            lua_rawgeti(L, index, i + 1);
        else
            lua_pushvalue(L, index);
        addrs[i] = value_addr(L, -1, what);
        lua_pop(L, 1);
    }

    GArray *array = g_array_new(FALSE, FALSE, sizeof *addrs);

    g_array_append_vals(array, addrs, n);
    lua_pop(L, 1);
    return array;
}

static void
refuse_used_addrs(lua_State *L, World *world, int index, const char *what)
{
    GArray *addrs = read_addrs(L, index, what);
    const char *owner = NULL;
    char text[IP_ADDR_TEXT] = "";

    for (unsigned h = 0; h < world->hosts->len; h++) {
        HostBox *box = world->hosts->pdata[h];

        for (unsigned i = 0; i < addrs->len; i++)
            for (unsigned k = 0; k < box->addrs->len; k++)
                if (ip_addr_equal(g_array_index(addrs, IpAddr, i),
                                  g_array_index(box->addrs, IpAddr, k))) {
                    owner = box->host->name;
                    ip_addr_format(g_array_index(addrs, IpAddr, i), text);
                }
    }
    g_array_unref(addrs);
    if (owner != NULL)
        conf_error(L, "%s: the address %s is used twice: \"%s\" has it", what, text, owner);
}

static void
check_not_running(lua_State *L, const World *world, const char *what)
{
    if (world->is_running)
        conf_error(L, "%s: the topology is built before run(), not while the world runs", what);
}

static int
new_host(lua_State *L, const char *what, bool is_router)
{
    World *world = lab_world(lab_of(L));
    static const char *const profiles[] = { "linux", "rfc" };

    check_not_running(L, world, what);
    if (lua_type(L, 1) != LUA_TSTRING)
        value_fail(L, 1, what, "a name");

    const char *name = lua_tostring(L, 1);
    int options = lua_istable(L, 2) && lua_rawlen(L, 2) == 0 ? 2 : 3;
    StackParams params;
    ConfTable t;

    lua_settop(L, 3);
    if (options == 2) {
        lua_pushnil(L);
        lua_insert(L, 2);
    }
    refuse_used_addrs(L, world, 2, what);
    conf_open(&t, L, 3, what);

    int profile = conf_choice(&t, "profile", world->profile == TCP_PROFILE_RFC, profiles, 2);

    stack_params_init(&params, profile == 1 ? TCP_PROFILE_RFC : TCP_PROFILE_LINUX);
    params.forwards = is_router;
    params.packets_per_s = (uint64_t)conf_int(&t, "packets_per_s", 0, 0, INT64_MAX);

    bool is_raw = conf_bool(&t, "raw", false);
    uint32_t mtu = (uint32_t)conf_int(&t, "mtu", DEFAULT_MTU, 68, 65535);

    conf_push(&t, "sysctl");
    conf_close(&t);
    read_sysctls(L, lua_gettop(L), &params);
    world_claim_name(L, world, name, what);

    HostBox *box = g_new0(HostBox, 1);

    box->world = world;
    box->is_router = is_router;
    box->addrs = read_addrs(L, 2, what);
    box->mtu = mtu;
    box->host = stack_new(world->net, name, &params);
    g_ptr_array_add(world->hosts, box);
    /* The first interface exists from the beginning, so that a host without a
     * link can talk to itself. */
    if (box->addrs->len > 0)
        host_add_iface(box->host, "eth0", g_array_index(box->addrs, IpAddr, 0), 32, mtu);
    if (is_raw)
        box->tap = tap_new(box);
    host_push(L, box);
    return 1;
}

static int
l_host(lua_State *L)
{
    return new_host(L, "host", false);
}

static int
l_router(lua_State *L)
{
    return new_host(L, "router", true);
}

/* ---- sysctls -------------------------------------------------------------------------- */

/* On a live host, or on params when host is NULL. Raises. */
void
sysctl_set(lua_State *L, Host *host, StackParams *params, const char *name, int index)
{
    char *error = NULL;
    const char *value;

    if (lua_isboolean(L, index)) {
        value = lua_toboolean(L, index) ? "1" : "0";
        lua_pushnil(L);
    } else {
        lua_pushvalue(L, index);
        if (lua_isnumber(L, -1) && !lua_isinteger(L, -1) && lua_type(L, -1) == LUA_TNUMBER) {
            int is_int;
            lua_Integer whole = lua_tointegerx(L, -1, &is_int);

            if (is_int) { /* 60.0, as of a parameter that is a time */
                lua_pop(L, 1);
                lua_pushinteger(L, whole);
            }
        }
        value = lua_tostring(L, -1);
        if (value == NULL)
            value_fail(L, index, name, "a number or a text");
    }
    if (host != NULL ? stack_set(host, name, value, &error)
                     : stack_params_set(params, name, value, &error)) {
        lua_pop(L, 1);
        return;
    }

    char *probe = NULL;
    bool is_known =
        params != NULL ? stack_params_get(params, name, &probe) : stack_get(host, name, &probe);
    char *hint = is_known ? g_strdup("") : suggest_sysctl(name);
    const char *kept = lua_pushfstring(L, "sysctl %s%s", error, hint);

    g_free(probe);
    g_free(hint);
    g_free(error);
    conf_error(L, "%s", kept);
}

/* host:sysctl(name) -> text or number; host:sysctl(name, value) */
static int
host_sysctl(lua_State *L)
{
    HostBox *box = host_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    char *value = NULL;

    if (!lua_isnoneornil(L, 3)) {
        sysctl_set(L, box->host, NULL, name, 3);
        return 0;
    }
    if (!stack_get(box->host, name, &value)) {
        char *hint = suggest_sysctl(name);
        const char *kept = lua_pushstring(L, hint);

        g_free(hint);
        conf_error(L, "no sysctl or tunable is called \"%s\"%s", name, kept);
    }
    lua_pushstring(L, value);
    g_free(value);
    if (lua_stringtonumber(L, lua_tostring(L, -1)) == 0)
        return 1;
    return 1;
}

/* ---- other methods ---------------------------------------------------------------------- */

/* host:spawn([name,] fn, ...) */
static int
host_spawn(lua_State *L)
{
    HostBox *box = host_check(L, 1);
    bool is_named = lua_type(L, 2) == LUA_TSTRING;
    int fn = is_named ? 3 : 2;
    char name[80];

    if (!lua_isfunction(L, fn))
        value_fail(L, fn, "spawn", "a function");
    if (box->world != lab_world(lab_of(L)))
        conf_error(L, "spawn: the host belongs to the world \"%s\", which is over",
                   box->world->name);
    box->n_spawned++;
    if (is_named)
        g_snprintf(name, sizeof name, "%s: %s", box->host->name, lua_tostring(L, 2));
    else
        g_snprintf(name, sizeof name, "%s: process %u", box->host->name, box->n_spawned);
    process_spawn(L, box->world, lua_gettop(L) - fn, name);
    return 0;
}

static int
host_name(lua_State *L)
{
    lua_pushstring(L, host_check(L, 1)->host->name);
    return 1;
}

/* host:address([n]) -> text of its nth address */
static int
host_address(lua_State *L)
{
    HostBox *box = host_check(L, 1);
    unsigned n = (unsigned)value_int(L, lua_isnoneornil(L, 2) ? (lua_pushinteger(L, 1), -1) : 2,
                                     "address", 1, 1000);

    if (n > box->host->ifaces->len)
        lua_pushnil(L);
    else
        push_addr(L, ((Iface *)box->host->ifaces->pdata[n - 1])->addr);
    return 1;
}

/* { mtu = 1400, initcwnd = 20, ["mtu lock"] = 1400 }: names and values of ip-route(8). */
static bool
conf_metrics(ConfTable *t, IpMetrics *metrics)
{
    static const char *const names[] = { "mtu",      "mtu lock", "advmss",     "window",
                                         "initcwnd", "initrwnd", "cwnd",       "cwnd lock",
                                         "hoplimit", "quickack", "reordering", "features" };
    SimTime rto_min = conf_time(t, "rto_min", 0);
    bool has_any = rto_min != 0;

    if (rto_min % SIM_MS != 0 || rto_min < 0 || rto_min > 120 * SIM_SEC)
        conf_fail(t, "rto_min", "whole milliseconds up to two minutes, such as \"50ms\"");
    metrics->rto_min_ms = (uint32_t)(rto_min / SIM_MS);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *expected;
        int type = conf_push(t, names[i]);

        if (type == LUA_TBOOLEAN) {
            bool is_true = lua_toboolean(t->L, -1);
            lua_pop(t->L, 1);
            lua_pushstring(t->L, is_true ? "1" : "0");
        }
        const char *value = lua_isnil(t->L, -1) ? NULL : lua_tostring(t->L, -1);
        if (type != LUA_TNIL &&
            (value == NULL || !ip_metrics_set(metrics, names[i], value, &expected)))
            conf_fail(t, names[i], value == NULL ? "a number or a text" : expected);
        has_any |= type != LUA_TNIL;
        lua_pop(t->L, 1);
    }
    return has_any;
}

static Iface *
numbered_iface(lua_State *L, HostBox *box, int64_t number, const char *what)
{
    if (number >= (int64_t)box->host->ifaces->len)
        conf_error(L, "%s: \"%s\" has only %u interfaces", what, box->host->name,
                   box->host->ifaces->len);
    return box->host->ifaces->pdata[number];
}

/* host:route("10.9.0.0/16", { via = "10.0.0.254", initcwnd = 20 } or { unreachable = true } or
 * { delete = true })
 */
static int
host_route(lua_State *L)
{
    HostBox *box = host_check(L, 1);
    IpAddr prefix, via;
    unsigned bits;
    ConfTable t;

    if (lua_type(L, 2) != LUA_TSTRING || !ip_prefix_parse(lua_tostring(L, 2), &prefix, &bits))
        value_fail(L, 2, "route", "a prefix such as \"10.9.0.0/16\"");
    conf_open(&t, L, 3, "route");
    via = conf_addr(&t, "via", IP_ADDR_ANY);

    bool is_unreachable = conf_bool(&t, "unreachable", false);
    bool is_deleted = conf_bool(&t, "delete", false);
    int64_t iface = conf_int(&t, "iface", -1, 0, 1000);
    IpMetrics metrics = { 0 };
    bool has_metrics = conf_metrics(&t, &metrics);

    conf_close(&t);
    if (is_deleted) {
        ip_del_route(box->host, prefix, bits);
        return 0;
    }
    if (is_unreachable) {
        ip_add_unreachable(box->host, prefix, bits);
        return 0;
    }
    Iface *out = iface < 0 ? NULL : numbered_iface(L, box, iface, "route.iface");

    ip_add_route_with(box->host, prefix, bits, via, out, has_metrics ? &metrics : NULL);
    return 0;
}

/* host:send_queue{ packets = 100, rate = "10Mbit", iface = 0 }: between IP and
 * interface; host:send_queue(nil) takes it away. */
static int
host_send_queue(lua_State *L)
{
    HostBox *box = host_check(L, 1);
    ConfTable t;

    if (lua_isnoneornil(L, 2)) {
        for (unsigned i = 0; i < box->host->ifaces->len; i++)
            iface_set_send_queue(box->host->ifaces->pdata[i], NULL);
        return 0;
    }
    conf_open(&t, L, 2, "send_queue");
    SendQueueParams params = {
        .rate = conf_rate(&t, "rate", 0),
        .limit_packets = (uint32_t)conf_int(&t, "packets", 1000, 0, UINT32_MAX),
    };
    int64_t iface = conf_int(&t, "iface", 0, 0, 1000);

    conf_close(&t);
    iface_set_send_queue(numbered_iface(L, box, iface, "send_queue.iface"), &params);
    return 0;
}

/* host:ping(to [, bytes]): an ICMP echo request. */
static int
host_ping(lua_State *L)
{
    HostBox *box = host_check(L, 1);
    IpAddr to = value_addr_or_host(L, 2, "ping");
    uint32_t len = lua_isnoneornil(L, 3) ? 56 : (uint32_t)value_int(L, 3, "ping: bytes", 0, 65507);

    icmp_send_echo(box->host, to, (uint16_t)box->host->id, (uint16_t)++box->n_pings, len);
    return 0;
}

/* host:reboot(): forgets every connection, silently. */
static int
host_reboot(lua_State *L)
{
    tcp_reboot(host_check(L, 1)->host);
    return 0;
}

static int
host_tostring(lua_State *L)
{
    lua_pushfstring(L, "host %s", host_check(L, 1)->host->name);
    return 1;
}

static int
host_eq(lua_State *L)
{
    lua_pushboolean(L, host_test(L, 1) == host_test(L, 2));
    return 1;
}

void
bind_host(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "spawn", host_spawn },     { "sysctl", host_sysctl },         { "name", host_name },
        { "address", host_address }, { "route", host_route },           { "ping", host_ping },
        { "reboot", host_reboot },   { "send_queue", host_send_queue }, { NULL, NULL },
    };

    lua_pushcfunction(L, l_host);
    lua_setglobal(L, "host");
    lua_pushcfunction(L, l_router);
    lua_setglobal(L, "router");
    luaL_newmetatable(L, HOST_META);
    lua_pushcfunction(L, host_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, host_eq);
    lua_setfield(L, -2, "__eq");
    luaL_newlib(L, methods);
    bind_strict_index(L);
    lua_pop(L, 1);
}
