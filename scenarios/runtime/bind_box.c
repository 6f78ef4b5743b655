/* Boxes between: router:nat{}, router:firewall{}, router:middlebox{}; and UDP
 * traffic that does not listen: host:udp_flow{}, host:udp_sink(). */
#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "models/app/udp_rate.h"
#include "models/ip/firewall.h"
#include "models/ip/middlebox.h"
#include "models/ip/nat.h"
#include "scenarios/runtime/bind.h"

#define NAT_META      "halfopen.nat"
#define FIREWALL_META "halfopen.firewall"
#define UDP_FLOW_META "halfopen.udp_flow"
#define UDP_SINK_META "halfopen.udp_sink"

static void
push_handle(lua_State *L, void *object, const char *meta)
{
    void **handle = lua_newuserdatauv(L, sizeof *handle, 0);

    *handle = object; /* lives as long as its host */
    luaL_setmetatable(L, meta);
}

static void *
check_handle(lua_State *L, const char *meta)
{
    return *(void **)luaL_checkudata(L, 1, meta);
}

static HostBox *
open_options(lua_State *L, const char *call, ConfTable *t)
{
    HostBox *host = host_check(L, 1);

    if (!lua_istable(L, 2))
        value_fail(L, 2, call, "a table { ... }");
    conf_open(t, L, 2, call);
    return host;
}

/* The router's own end of the link under `key`; NULL: none is given. */
static Iface *
conf_iface(ConfTable *t, const char *key, const HostBox *host)
{
    Iface *found = NULL;

    if (conf_push(t, key) != LUA_TNIL) {
        LinkBox *link = link_test(t->L, -1);

        for (unsigned end = 0; link != NULL && end < 2; end++) {
            if (link_iface(link->link, end)->host == host->host)
                found = link_iface(link->link, end);
        }
        if (found == NULL)
            conf_fail(t, key, "a link of this router");
    }
    lua_pop(t->L, 1);
    return found;
}

static void
conf_timeouts(ConfTable *t, FlowTimeouts *timeouts)
{
    timeouts->tcp_open = conf_time(t, "idle", timeouts->tcp_open);
    timeouts->tcp_opening = conf_time(t, "opening", timeouts->tcp_opening);
    timeouts->tcp_closing = conf_time(t, "closing", timeouts->tcp_closing);
    timeouts->udp = conf_time(t, "udp", timeouts->udp);
    timeouts->icmp = conf_time(t, "icmp", timeouts->icmp);
}

static void
check_router(lua_State *L, const HostBox *host, const char *call)
{
    if (!host->host->forwards)
        conf_error(L, "%s: \"%s\" is no router, nothing passes through it", call, host->host->name);
}

static uint8_t
value_proto(lua_State *L, int index, const char *what)
{
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";

    if (strcmp(text, "tcp") == 0)
        return IP_PROTO_TCP;
    if (strcmp(text, "udp") == 0)
        return IP_PROTO_UDP;
    value_fail(L, index, what, "\"tcp\" or \"udp\"");
}

/* ---- NAT --------------------------------------------------------------------- */

/* router:nat{ outside = link, idle =, udp =, first_port =, last_port =, keeps_port = } -> nat */
static int
host_nat(lua_State *L)
{
    ConfTable t;
    HostBox *host = open_options(L, "nat", &t);
    NatParams params = nat_params_default(conf_iface(&t, "outside", host));

    conf_timeouts(&t, &params.timeouts);
    params.port_low = (uint16_t)conf_int(&t, "first_port", params.port_low, 1, 65535);
    params.port_high =
        (uint16_t)conf_int(&t, "last_port", params.port_high, params.port_low, 65535);
    params.keeps_port = conf_bool(&t, "keeps_port", params.keeps_port);
    conf_close(&t);
    check_router(L, host, "nat");
    if (params.outside == NULL)
        conf_fail(&t, "outside", "the link whose address is shown to the world");
    push_handle(L, nat_attach(host->host, &params), NAT_META);
    return 1;
}

/* nat:forward("tcp", 80, server [, 8080]) */
static int
nat_l_forward(lua_State *L)
{
    Nat *nat = check_handle(L, NAT_META);
    uint8_t proto = value_proto(L, 2, "forward: protocol");
    uint16_t outside = (uint16_t)value_int(L, 3, "forward: port", 1, 65535);
    Endpoint inside = { value_addr_or_host(L, 4, "forward: to"), outside };

    if (!lua_isnoneornil(L, 5))
        inside.port = (uint16_t)value_int(L, 5, "forward: inside port", 1, 65535);
    if (!nat_forward_port(nat, proto, outside, inside))
        conf_error(L, "forward: port %d or what it leads to is in use", (int)outside);
    return 0;
}

static int
nat_l_mappings(lua_State *L)
{
    lua_pushinteger(L, nat_mappings(check_handle(L, NAT_META)));
    return 1;
}

static int
nat_l_forget(lua_State *L)
{
    nat_forget_all(check_handle(L, NAT_META));
    return 0;
}

/* ---- firewall ------------------------------------------------------------------ */

/* router:firewall{ inside = link, idle = "5min", max_flows =, rejects =, picks_up = } -> firewall
 */
static int
host_firewall(lua_State *L)
{
    ConfTable t;
    HostBox *host = open_options(L, "firewall", &t);
    FirewallParams params = firewall_params_default();

    params.inside = conf_iface(&t, "inside", host);
    conf_timeouts(&t, &params.timeouts);
    params.max_flows = (uint32_t)conf_int(&t, "max_flows", params.max_flows, 0, UINT32_MAX);
    params.rejects = conf_bool(&t, "rejects", params.rejects);
    params.picks_up = conf_bool(&t, "picks_up", params.picks_up);
    conf_close(&t);
    check_router(L, host, "firewall");
    push_handle(L, firewall_attach(host->host, &params), FIREWALL_META);
    return 1;
}

/* firewall:allow("tcp", 80): the outside may open to it */
static int
firewall_l_allow(lua_State *L)
{
    Firewall *firewall = check_handle(L, FIREWALL_META);
    uint8_t proto = value_proto(L, 2, "allow: protocol");

    firewall_allow_port(firewall, proto, (uint16_t)value_int(L, 3, "allow: port", 1, 65535));
    return 0;
}

static int
firewall_l_flows(lua_State *L)
{
    lua_pushinteger(L, firewall_flows(check_handle(L, FIREWALL_META)));
    return 1;
}

static int
firewall_l_forget(lua_State *L)
{
    firewall_forget_all(check_handle(L, FIREWALL_META));
    return 0;
}

/* ---- middlebox ------------------------------------------------------------------- */

/* strip = { "timestamps", "sack" } */
static uint8_t
conf_options(ConfTable *t, const char *key)
{
    static const struct {
        const char *name;
        uint8_t option;
    } names[] = {
        { "mss", TCPOPT_HAS_MSS },
        { "window_scale", TCPOPT_HAS_WSCALE },
        { "sack", TCPOPT_HAS_SACK_OK },
        { "timestamps", TCPOPT_HAS_TS },
        { "fastopen", TCPOPT_HAS_FASTOPEN | TCPOPT_HAS_FASTOPEN_EXP },
        { "accecn", TCPOPT_HAS_ACCECN },
    };
    static const char expected[] =
        "a list of \"mss\", \"window_scale\", \"sack\", \"timestamps\", \"fastopen\", \"accecn\"";
    uint8_t options = 0;
    int type = conf_push(t, key);

    if (type != LUA_TNIL && type != LUA_TTABLE)
        conf_fail(t, key, expected);
    for (lua_Integer i = 1; type == LUA_TTABLE && lua_rawgeti(t->L, -1, i) != LUA_TNIL; i++) {
        const char *name = lua_type(t->L, -1) == LUA_TSTRING ? lua_tostring(t->L, -1) : "";
        size_t n = 0;

        while (n < G_N_ELEMENTS(names) && strcmp(name, names[n].name) != 0)
            n++;
        if (n == G_N_ELEMENTS(names))
            conf_fail(t, key, expected);
        options |= names[n].option;
        lua_pop(t->L, 1);
    }
    lua_pop(t->L, type == LUA_TTABLE ? 2 : 1); /* the nil that ended the list, and the list */
    return options;
}

/* router:middlebox{ strip = { "timestamps" }, syn_only =, clamp_mss = 1400 or "mtu", drop_icmp =,
 * drop_echo =, drop_fragments =, clear_df =, clear_ecn = } */
static int
host_middlebox(lua_State *L)
{
    ConfTable t;
    HostBox *host = open_options(L, "middlebox", &t);
    const char *clamp =
        conf_type(&t, "clamp_mss") == LUA_TSTRING ? conf_text(&t, "clamp_mss", NULL) : NULL;
    MiddleboxParams params = {
        .strips_options = conf_options(&t, "strip"),
        .strips_syn_only = conf_bool(&t, "syn_only", false),
        .drops_icmp_errors = conf_bool(&t, "drop_icmp", false),
        .drops_echo = conf_bool(&t, "drop_echo", false),
        .drops_fragments = conf_bool(&t, "drop_fragments", false),
        .clears_df = conf_bool(&t, "clear_df", false),
        .clears_ecn = conf_bool(&t, "clear_ecn", false),
    };

    if (clamp != NULL && strcmp(clamp, "mtu") == 0)
        params.clamps_mss_to_mtu = true;
    else
        params.clamps_mss = (uint16_t)conf_int(&t, "clamp_mss", 0, 0, 65535);
    conf_close(&t);
    check_router(L, host, "middlebox");
    middlebox_attach(host->host, &params);
    return 0;
}

/* ---- UDP traffic ------------------------------------------------------------------- */

/* host:udp_flow{ to =, port =, rate = "5Mbit", bytes = 1400, start =, stop =, count =, poisson = }
 */
static int
host_udp_flow(lua_State *L)
{
    static const char *const modes[] = { "dont", "want", "do",
                                         "probe" }; /* in the order of PmtuDiscover */
    ConfTable t;
    HostBox *host = open_options(L, "udp_flow", &t);
    AppUdpSenderParams params = {
        .rate = conf_rate(&t, "rate", 0),
        .datagram_bytes = (uint32_t)conf_int(&t, "bytes", 1400, 1, 65507),
        .start = conf_time(&t, "start", sim_now(host->world->sim)),
        .stop = conf_time(&t, "stop", SIM_NEVER),
        .count = (uint64_t)conf_int(&t, "count", 0, 0, INT64_MAX),
        .is_poisson = conf_bool(&t, "poisson", false),
        .discover = (PmtuDiscover)conf_choice(&t, "mtu_discover", PMTUDISC_WANT, modes,
                                              G_N_ELEMENTS(modes)),
        .to.port = (uint16_t)conf_int(&t, "port", 0, 1, 65535),
    };

    if (conf_push(&t, "to") == LUA_TNIL)
        conf_fail(&t, "to", "a host or an address");
    params.to.addr = value_addr_or_host(L, -1, "udp_flow.to");
    lua_pop(L, 1);
    conf_close(&t);
    if (params.to.port == 0)
        conf_fail(&t, "port", "a port from 1 to 65535");
    if (params.rate == 0)
        conf_fail(&t, "rate", "bits a second, such as \"5Mbit\"");
    push_handle(L, app_udp_sender_new(host->host, &params), UDP_FLOW_META);
    return 1;
}

static int
udp_flow_sent(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)app_udp_sender_sent(check_handle(L, UDP_FLOW_META)));
    return 1;
}

static int
udp_flow_errors(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)app_udp_sender_errors(check_handle(L, UDP_FLOW_META)));
    return 1;
}

/* host:udp_sink(port) -> sink; nil, error */
static int
host_udp_sink(lua_State *L)
{
    HostBox *host = host_check(L, 1);
    uint16_t port = (uint16_t)value_int(L, 2, "udp_sink: port", 1, 65535);
    int error;
    AppUdpSink *sink = app_udp_sink_new(host->host, port, &error);

    if (sink == NULL)
        return push_failure(L, error);
    push_handle(L, sink, UDP_SINK_META);
    return 1;
}

/* sink:counts() -> { datagrams =, bytes =, late =, first_at =, last_at = } */
static int
udp_sink_counts(lua_State *L)
{
    AppUdpSinkCounts counts = app_udp_sink_counts(check_handle(L, UDP_SINK_META));

    lua_createtable(L, 0, 5);
    lua_pushinteger(L, (lua_Integer)counts.datagrams);
    lua_setfield(L, -2, "datagrams");
    lua_pushinteger(L, (lua_Integer)counts.bytes);
    lua_setfield(L, -2, "bytes");
    lua_pushinteger(L, (lua_Integer)counts.late);
    lua_setfield(L, -2, "late");
    if (counts.datagrams > 0) {
        push_time(L, counts.first_at);
        lua_setfield(L, -2, "first_at");
        push_time(L, counts.last_at);
        lua_setfield(L, -2, "last_at");
    }
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
bind_box(lua_State *L)
{
    static const luaL_Reg host_methods[] = {
        { "nat", host_nat },
        { "firewall", host_firewall },
        { "middlebox", host_middlebox },
        { "udp_flow", host_udp_flow },
        { "udp_sink", host_udp_sink },
        { NULL, NULL },
    };
    static const luaL_Reg nat_methods[] = {
        { "forward", nat_l_forward },
        { "mappings", nat_l_mappings },
        { "forget", nat_l_forget },
        { NULL, NULL },
    };
    static const luaL_Reg firewall_methods[] = {
        { "allow", firewall_l_allow },
        { "flows", firewall_l_flows },
        { "forget", firewall_l_forget },
        { NULL, NULL },
    };
    static const luaL_Reg flow_methods[] = { { "sent", udp_flow_sent },
                                             { "errors", udp_flow_errors },
                                             { NULL, NULL } };
    static const luaL_Reg sink_methods[] = { { "counts", udp_sink_counts }, { NULL, NULL } };

    bind_host_methods(L, host_methods);
    new_metatable(L, NAT_META, nat_methods);
    new_metatable(L, FIREWALL_META, firewall_methods);
    new_metatable(L, UDP_FLOW_META, flow_methods);
    new_metatable(L, UDP_SINK_META, sink_methods);
}
