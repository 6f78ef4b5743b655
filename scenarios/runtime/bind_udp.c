/* UDP sockets. */
#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/bind.h"

#define DATAGRAM_MAX 65507

static int
timed_out(lua_State *L)
{
    return process_push_failure(L, "TIMEOUT");
}

/* host:udp([port] [, { address =, reuseaddr =, checksum = }]) -> socket; nil, error */
static int
host_udp(lua_State *L)
{
    HostBox *host = host_check(L, 1);
    Endpoint local = { IP_ADDR_ANY, 0 };
    ConfTable t;

    lua_settop(L, 3);
    if (!lua_isnil(L, 2))
        local.port = (uint16_t)value_int(L, 2, "udp: port", 0, 65535);
    conf_open(&t, L, 3, "udp");
    local.addr = conf_addr(&t, "address", IP_ADDR_ANY);

    bool reuses_addr = conf_bool(&t, "reuseaddr", false);
    bool has_checksum = conf_bool(&t, "checksum", true);

    conf_close(&t);

    Socket *sock = sock_open(host->host, SOCK_TYPE_DGRAM);

    udp_set_reuse_addr(sock_udp(sock), reuses_addr);
    udp_set_no_checksum(sock_udp(sock), !has_checksum);
    SockBox *box = sock_box_new(L, host->world, sock, UDP_META);
    int result = sock_bind(sock, local);

    if (result >= 0)
        return 1;
    sock_close(sock);
    sock_box_closed(box);
    return push_failure(L, result);
}

/* udp:connect(to, port) */
static int
udp_l_connect(lua_State *L)
{
    SockBox *box = sock_check(L, 1, UDP_META);
    Endpoint remote = { value_addr_or_host(L, 2, "connect: to"),
                        (uint16_t)value_int(L, 3, "connect: port", 1, 65535) };
    int result = sock_connect(box->sock, remote);

    lua_pushboolean(L, true);
    return result < 0 ? push_failure(L, result) : 1;
}

/* udp:send(text or bytes [, to, port]) -> bytes; nil, error */
static int
udp_l_send(lua_State *L)
{
    SockBox *box = sock_check(L, 1, UDP_META);
    const char *bytes = NULL;
    size_t len;
    Endpoint to;
    bool has_to = !lua_isnoneornil(L, 3);

    if (lua_type(L, 2) == LUA_TNUMBER)
        len = (size_t)value_int(L, 2, "send", 0, DATAGRAM_MAX);
    else if (lua_type(L, 2) == LUA_TSTRING)
        bytes = lua_tolstring(L, 2, &len);
    else
        value_fail(L, 2, "send", "a text, or a number of bytes");
    if (has_to) {
        to.addr = value_addr_or_host(L, 3, "send: to");
        to.port = (uint16_t)value_int(L, 4, "send: port", 1, 65535);
    }

    int64_t sent = sock_sendto(box->sock, bytes, len, 0, has_to ? &to : NULL);

    if (sent < 0)
        return push_failure(L, (int)sent);
    lua_pushinteger(L, sent);
    return 1;
}

/* udp:recv([{ timeout = }]) -> datagram, address, port; nil, error */
static int
try_udp_recv(lua_State *L, Process *process)
{
    SockBox *box = sock_check(L, 1, UDP_META);
    ConfTable t;
    Endpoint from = { IP_ADDR_ANY, 0 };
    luaL_Buffer buffer;

    conf_open(&t, L, 2, "recv");

    SimTime timeout = conf_time(&t, "timeout", SIM_NEVER);

    conf_close(&t);
    if (process->host == NULL)
        sock_set_deadline(process, box, timeout);
    lua_settop(L, 2);

    char *bytes = luaL_buffinitsize(L, &buffer, DATAGRAM_MAX);
    int64_t got = sock_recvfrom(box->sock, bytes, DATAGRAM_MAX, 0, &from);

    process->result = got;
    luaL_pushresultsize(&buffer, got > 0 ? (size_t)got : 0);
    if (got >= 0) {
        push_addr(L, from.addr);
        lua_pushinteger(L, from.port);
        return 3;
    }
    if (got != -EAGAIN)
        return push_failure(L, (int)got);
    if (process->is_timed_out)
        return timed_out(L);
    lua_settop(L, 2);
    return process_wait_for(process, &box->waiters);
}

static int
udp_l_recv(lua_State *L)
{
    static const ProcessCall call = { "recv", try_udp_recv };

    return process_call(L, &call);
}

static int
udp_l_close(lua_State *L)
{
    SockBox *box = sock_check(L, 1, UDP_META);

    sock_close(box->sock);
    sock_box_closed(box);
    return 0;
}

void
bind_udp(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "connect", udp_l_connect }, { "send", udp_l_send }, { "recv", udp_l_recv },
        { "close", udp_l_close },     { NULL, NULL },
    };
    static const luaL_Reg host_methods[] = { { "udp", host_udp }, { NULL, NULL } };

    sock_new_metatable(L, UDP_META, methods);
    bind_host_methods(L, host_methods);
}
