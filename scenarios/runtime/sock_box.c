/* Sockets as Lua objects: what connections, listeners and UDP sockets share. */
#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/suggest.h"

static void
on_sock_event(void *arg, Socket *sock)
{
    SockBox *box = arg;

    (void)sock;
    process_wake_all(&box->waiters);
}

static void
remember_ends(SockBox *box)
{
    TcpConn *conn = sock_tcp(box->sock);

    if (conn != NULL)
        box->conn = tcp_conn_id(conn);
    box->local = sock_local(box->sock);
    box->remote = sock_remote(box->sock);
}

SockBox *
sock_box_new(lua_State *L, World *world, Socket *sock, const char *meta)
{
    SockBox **handle = lua_newuserdatauv(L, sizeof *handle, 0);
    SockBox *box = g_new0(SockBox, 1);

    *handle = box;
    box->world = world;
    box->sock = sock;
    box->host = sock_host(sock);
    box->timeout = SIM_NEVER;
    box->next = world->socks;
    if (box->next != NULL)
        box->next->before = box;
    world->socks = box;
    remember_ends(box);
    sock_on_event(sock, on_sock_event, box);
    luaL_setmetatable(L, meta);
    return box;
}

static void
box_free(SockBox *box)
{
    if (box->before != NULL)
        box->before->next = box->next;
    else
        box->world->socks = box->next;
    if (box->next != NULL)
        box->next->before = box->before;
    g_free(box);
}

/* The socket itself is gone (sock_close() and the like freed it). */
void
sock_box_closed(SockBox *box)
{
    box->sock = NULL;
    process_wake_all(&box->waiters);
    if (box->is_collected)
        box_free(box);
}

void
sock_boxes_free(World *world)
{
    while (world->socks != NULL) {
        SockBox *box = world->socks;

        if (box->sock != NULL)
            sock_forget(box->sock);
        box_free(box);
    }
}

/* Collecting the object closes nothing: when would depend on memory. */
static int
box_gc(lua_State *L)
{
    SockBox *box = *(SockBox **)lua_touserdata(L, 1);

    box->is_collected = true;
    if (box->sock == NULL)
        box_free(box);
    return 0;
}

SockBox *
sock_check_any(lua_State *L, int index, const char *meta)
{
    SockBox **handle = luaL_testudata(L, index, meta);

    if (handle == NULL)
        value_fail(L, index, strchr(meta, '.') + 1,
                   "the object itself: call its methods with a colon, as in conn:recv()");
    if ((*handle)->sock != NULL)
        remember_ends(*handle);
    return *handle;
}

SockBox *
sock_check(lua_State *L, int index, const char *meta)
{
    SockBox *box = sock_check_any(L, index, meta);

    if (box->sock == NULL)
        conf_error(L, "the %s is closed already",
                   strcmp(meta, CONN_META) == 0 ? "connection" : "socket");
    if (box->world != lab_world(lab_of(L)))
        conf_error(L, "the socket belongs to the world \"%s\", which is over", box->world->name);
    return box;
}

SockBox *
conn_test(lua_State *L, int index)
{
    SockBox **handle = luaL_testudata(L, index, CONN_META);

    return handle == NULL ? NULL : *handle;
}

void
sock_set_deadline(Process *process, const SockBox *box, SimTime timeout)
{
    SimTime bound = timeout != SIM_NEVER ? timeout : box->timeout;
    SimTime now = sim_now(process->world->sim);

    process->deadline = bound > SIM_NEVER - now ? SIM_NEVER : now + bound;
    process_begin_record(process, box->host, box->conn);
}

/* ---- options ------------------------------------------------------------------- */

int
sock_option_by_name(lua_State *L, const char *name, const char *call)
{
    int option = tcp_option_find(name);

    if (option < 0)
        conf_error(L,
                   "%s: found \"%s\", expected the name of a socket option such as \"TCP_NODELAY\" "
                   "or \"SO_LINGER\"",
                   call, name);
    return option;
}

static int64_t
option_value(lua_State *L, int index, const char *what)
{
    if (lua_isboolean(L, index))
        return lua_toboolean(L, index);
    return value_int(L, index, what, INT32_MIN, INT64_MAX);
}

/* Options whose value is a string of bytes. */
static bool
is_of_bytes(const char *name)
{
    int option = tcp_option_find(name);

    return option >= 0 && tcp_option_is_bytes((TcpOption)option);
}

static int
set_bytes(lua_State *L, Socket *sock, const char *name, int index, const char *what)
{
    size_t len = 0;
    const char *bytes = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : NULL;

    if (bytes == NULL)
        value_fail(L, index, what, "a string of bytes");
    if (sock_tcp(sock) == NULL)
        return -ENOPROTOOPT;
    return tcp_set_option_bytes(sock_tcp(sock), (TcpOption)tcp_option_find(name), bytes, len);
}

static int
push_bytes(lua_State *L, Socket *sock, const char *name)
{
    char bytes[256];
    size_t len = sizeof bytes;
    int result =
        sock_tcp(sock) == NULL
            ? -ENOPROTOOPT
            : tcp_get_option_bytes(sock_tcp(sock), (TcpOption)tcp_option_find(name), bytes, &len);

    if (result < 0)
        return push_failure(L, result);
    lua_pushlstring(L, bytes, len);
    return 1;
}

bool
sock_apply_options(lua_State *L, Socket *sock, int index, const char *path, int *failed)
{
    if (lua_isnoneornil(L, index))
        return true;
    if (!lua_istable(L, index))
        value_fail(L, index, path, "a table such as { TCP_NODELAY = true }");
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING)
            value_fail(L, -2, path, "names of socket options");

        const char *name = lua_tostring(L, -2);
        const char *what = lua_pushfstring(L, "%s.%s", path, name);
        int result;

        if (strcmp(name, "TCP_CONGESTION") == 0)
            result = sock_tcp(sock) == NULL
                         ? -ENOPROTOOPT
                         : tcp_set_congestion(sock_tcp(sock), luaL_checkstring(L, -2));
        else if (is_of_bytes(name))
            result = set_bytes(L, sock, name, -2, what);
        else
            result = sock_set_option(sock, (TcpOption)sock_option_by_name(L, name, path),
                                     option_value(L, -2, what));
        lua_pop(L, 2);
        if (result < 0) {
            lua_pop(L, 1);
            *failed = result;
            return false;
        }
    }
    return true;
}

/* sock:option(name) or sock:option(name, value) */
static int
box_option(lua_State *L)
{
    SockBox *box = sock_check(L, 1, lua_tostring(L, lua_upvalueindex(1)));
    const char *name = luaL_checkstring(L, 2);
    TcpConn *conn = sock_tcp(box->sock);

    if (strcmp(name, "TCP_CONGESTION") == 0 && conn != NULL) {
        if (lua_isnoneornil(L, 3)) {
            lua_pushstring(L, tcp_get_congestion(conn));
            return 1;
        }

        int result = tcp_set_congestion(conn, luaL_checkstring(L, 3));

        lua_pushboolean(L, true);
        return result < 0 ? push_failure(L, result) : 1;
    }

    TcpOption option = (TcpOption)sock_option_by_name(L, name, "option");
    int64_t value = 0;
    int result;

    if (tcp_option_is_bytes(option)) {
        if (lua_isnoneornil(L, 3))
            return push_bytes(L, box->sock, name);
        result = set_bytes(L, box->sock, name, 3, name);
        lua_pushboolean(L, true);
        return result < 0 ? push_failure(L, result) : 1;
    }

    if (lua_isnoneornil(L, 3)) {
        result = sock_get_option(box->sock, option, &value);
        lua_pushinteger(L, value);
    } else {
        result = sock_set_option(box->sock, option, option_value(L, 3, name));
        lua_pushboolean(L, true);
    }
    return result < 0 ? push_failure(L, result) : 1;
}

/* sock:timeout("3s"): for all later calls that block; "never" takes it off. */
static int
box_timeout(lua_State *L)
{
    SockBox *box = sock_check(L, 1, lua_tostring(L, lua_upvalueindex(1)));

    box->timeout = value_time(L, 2, "timeout");
    return 0;
}

/* What SO_ERROR says, once: a name, or nil. */
static int
box_error(lua_State *L)
{
    SockBox *box = sock_check(L, 1, lua_tostring(L, lua_upvalueindex(1)));
    int error = sock_take_error(box->sock);

    if (error == 0)
        lua_pushnil(L);
    else
        lua_pushstring(L, errno_name(error));
    return 1;
}

static int
push_endpoint(lua_State *L, Endpoint endpoint)
{
    push_addr(L, endpoint.addr);
    lua_pushinteger(L, endpoint.port);
    return 2;
}

/* address, port */
static int
box_local(lua_State *L)
{
    return push_endpoint(L, sock_check_any(L, 1, lua_tostring(L, lua_upvalueindex(1)))->local);
}

static int
box_remote(lua_State *L)
{
    return push_endpoint(L, sock_check_any(L, 1, lua_tostring(L, lua_upvalueindex(1)))->remote);
}

static int
box_port(lua_State *L)
{
    lua_pushinteger(L, sock_check_any(L, 1, lua_tostring(L, lua_upvalueindex(1)))->local.port);
    return 1;
}

static int
box_is_open(lua_State *L)
{
    lua_pushboolean(L, sock_check_any(L, 1, lua_tostring(L, lua_upvalueindex(1)))->sock != NULL);
    return 1;
}

static int
box_tostring(lua_State *L)
{
    const char *meta = lua_tostring(L, lua_upvalueindex(1));
    SockBox *box = sock_check_any(L, 1, meta);
    char local[ENDPOINT_TEXT], remote[ENDPOINT_TEXT];

    lua_pushfstring(L, "%s %s:%s-%s", strchr(meta, '.') + 1, box->host->name,
                    endpoint_format(box->local, local), endpoint_format(box->remote, remote));
    return 1;
}

void
sock_new_metatable(lua_State *L, const char *meta, const luaL_Reg *methods)
{
    static const luaL_Reg common[] = {
        { "option", box_option },         { "timeout", box_timeout },
        { "error", box_error },           { "local_address", box_local },
        { "remote_address", box_remote }, { "port", box_port },
        { "is_open", box_is_open },       { NULL, NULL },
    };

    luaL_newmetatable(L, meta);
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushstring(L, meta);
    lua_pushcclosure(L, box_tostring, 1);
    lua_setfield(L, -2, "__tostring");
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_pushstring(L, meta);
    luaL_setfuncs(L, common, 1);
    bind_strict_index(L);
    lua_pop(L, 1);
}
