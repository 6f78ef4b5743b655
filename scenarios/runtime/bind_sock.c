/* Connections and listeners. Calls block in virtual time; what fails returns
 * nil and the name of the error, as Lua's own libraries do. */
#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/bind.h"

#define RECV_DEFAULT 65536

static int
timed_out(lua_State *L)
{
    return process_push_failure(L, "TIMEOUT");
}

/* { timeout = ..., peek = true, ... } at `index`: its timeout and flags. */
static SimTime
read_call_options(lua_State *L, int index, const char *call, unsigned *flags)
{
    ConfTable t;

    conf_open(&t, L, index, call);

    SimTime timeout = conf_time(&t, "timeout", SIM_NEVER);

    *flags = (conf_bool(&t, "peek", false) ? TCP_MSG_PEEK : 0) |
             (conf_bool(&t, "urgent", false) ? TCP_MSG_OOB : 0) |
             (conf_bool(&t, "more", false) ? TCP_MSG_MORE : 0) |
             (conf_bool(&t, "rest", false) ? TCP_MSG_WAITED | TCP_MSG_REST : 0);
    conf_close(&t);
    return timeout;
}

/* ---- send ------------------------------------------------------------------------ */

/* Sends what is left of `len` bytes, as far as there is room; bytes NULL: a pattern. 0,
 * -EAGAIN (wait), or another negative errno; process->progress says how much has gone. */
static int
send_from_progress(Process *process, Socket *sock, const char *bytes, size_t len, unsigned flags)
{
    size_t done = (size_t)process->progress;
    int64_t sent;

    if (done >= len)
        return 0;
    if (process->found_no_room)
        flags |= TCP_MSG_WAITED | (done > 0 ? TCP_MSG_REST : 0);
    sent = sock_send(sock, bytes == NULL ? NULL : bytes + done, len - done, flags);
    if (sent < 0 && sent != -EAGAIN)
        return (int)sent;
    process->progress += MAX(sent, 0);
    process->found_no_room = (size_t)process->progress < len;
    return process->found_no_room ? -EAGAIN : 0;
}

/* conn:send(text or number of bytes [, options]) -> bytes sent; nil, error, bytes sent before it */
static int
try_send(lua_State *L, Process *process)
{
    SockBox *box = sock_check(L, 1, CONN_META);
    unsigned flags;
    SimTime timeout = read_call_options(L, 3, "send", &flags);
    size_t len;
    const char *bytes = NULL;

    if (lua_type(L, 2) == LUA_TNUMBER)
        len = (size_t)value_size(L, 2, "send");
    else if (lua_type(L, 2) == LUA_TSTRING)
        bytes = lua_tolstring(L, 2, &len);
    else
        value_fail(L, 2, "send", "a text, or a number of bytes");
    if (process->host == NULL)
        sock_set_deadline(process, box, timeout);

    int result = send_from_progress(process, box->sock, bytes, len, flags);

    if (result == -EAGAIN && !process->is_timed_out)
        return process_wait_for(process, &box->waiters);
    if (result < 0) {
        process->result = result;
        if (result == -EAGAIN)
            timed_out(L);
        else
            push_failure(L, result);
        lua_pushinteger(L, process->progress);
        return 3;
    }
    process->result = process->progress;
    lua_pushinteger(L, process->progress);
    return 1;
}

/* ---- recv ------------------------------------------------------------------------ */

/* conn:recv([max] [, options]) -> bytes, "" at the end; nil, error */
static int
try_recv(lua_State *L, Process *process)
{
    SockBox *box = sock_check(L, 1, CONN_META);
    int options = lua_istable(L, 2) ? 2 : 3;
    size_t max =
        options == 2 || lua_isnoneornil(L, 2) ? RECV_DEFAULT : (size_t)value_size(L, 2, "recv");
    unsigned flags;
    SimTime timeout = read_call_options(L, options, "recv", &flags);
    luaL_Buffer buffer;

    if (process->host == NULL)
        sock_set_deadline(process, box, timeout);

    if (!tcp_is_locked(sock_tcp(box->sock))) /* else its backlog comes on top */
        max = MIN(max, MAX(tcp_queued_bytes(sock_tcp(box->sock)), 1)); /* no more than is there */

    char *bytes = luaL_buffinitsize(L, &buffer, max);
    int64_t got = sock_recv(box->sock, bytes, max, flags, NULL);

    process->result = got;
    if (got >= 0) {
        luaL_pushresultsize(&buffer, (size_t)got);
        return 1;
    }
    luaL_pushresultsize(&buffer, 0);
    if (got != -EAGAIN)
        return push_failure(L, (int)got);
    if (process->is_timed_out)
        return timed_out(L);
    lua_pop(L, 1); /* the buffer's empty text */
    return process_wait_for(process, &box->waiters);
}

/* Reads and throws away until `bytes` came or the end: how many came. */
static int
drain(lua_State *L, Process *process, SockBox *box, int64_t bytes)
{
    for (;;) {
        int64_t left = bytes - process->progress;
        int64_t got =
            left == 0 ? 0 : sock_recv(box->sock, NULL, (size_t)MIN(left, INT32_MAX), 0, NULL);

        process->result = process->progress;
        if (got == 0) {
            lua_pushinteger(L, process->progress);
            return 1;
        }
        if (got == -EAGAIN && !process->is_timed_out)
            return process_wait_for(process, &box->waiters);
        if (got < 0) {
            process->result = got;
            if (got == -EAGAIN)
                timed_out(L);
            else
                push_failure(L, (int)got);
            lua_pushinteger(L, process->progress);
            return 3;
        }
        process->progress += got;
    }
}

/* conn:recv_eof([options]) -> bytes that came before it; nil, error, bytes */
static int
try_recv_eof(lua_State *L, Process *process)
{
    SockBox *box = sock_check(L, 1, CONN_META);
    unsigned flags;
    SimTime timeout = read_call_options(L, 2, "recv_eof", &flags);

    if (process->host == NULL)
        sock_set_deadline(process, box, timeout);
    return drain(L, process, box, INT64_MAX);
}

/* conn:skip(bytes [, options]) -> bytes skipped, fewer at the end; nil, error, bytes */
static int
try_skip(lua_State *L, Process *process)
{
    SockBox *box = sock_check(L, 1, CONN_META);
    uint64_t bytes = value_size(L, 2, "skip");
    unsigned flags;
    SimTime timeout = read_call_options(L, 3, "skip", &flags);

    if (process->host == NULL)
        sock_set_deadline(process, box, timeout);
    return drain(L, process, box, (int64_t)MIN(bytes, (uint64_t)INT64_MAX));
}

/* conn:recv_parts([max]) -> { { bytes, stream, offset }, ... }: which
 * incarnation sent each run of bytes. Does not block. */
static int
conn_recv_parts(lua_State *L)
{
    SockBox *box = sock_check(L, 1, CONN_META);
    size_t max = lua_isnoneornil(L, 2) ? RECV_DEFAULT : (size_t)value_size(L, 2, "recv_parts");
    char *bytes = lua_newuserdatauv(L, max, 0);
    GArray *parts = g_array_new(FALSE, FALSE, sizeof(Payload));
    int64_t got = sock_recv(box->sock, bytes, max, 0, parts);
    unsigned n = got > 0 ? parts->len : 0;
    Payload *kept = lua_newuserdatauv(L, (n + 1) * sizeof *kept, 0);

    memcpy(kept, parts->data, n * sizeof *kept);
    g_array_free(parts, TRUE);
    if (got < 0)
        return push_failure(L, (int)got);
    lua_createtable(L, (int)n, 0);
    for (unsigned i = 0; i < n; i++) {
        lua_createtable(L, 0, 3);
        lua_pushlstring(L, bytes, kept[i].len);
        lua_setfield(L, -2, "bytes");
        lua_pushinteger(L, kept[i].stream);
        lua_setfield(L, -2, "stream");
        lua_pushinteger(L, (lua_Integer)kept[i].offset);
        lua_setfield(L, -2, "offset");
        lua_rawseti(L, -2, i + 1);
        bytes += kept[i].len;
    }
    return 1;
}

/* ---- the end ----------------------------------------------------------------------- */

static bool
fin_is_acked(const SockBox *box)
{
    switch (tcp_state(sock_tcp(box->sock))) {
    case TCP_FIN_WAIT_1:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
        return false;
    default:
        return true;
    }
}

/* conn:close() -> true. Waits only with SO_LINGER. */
static int
try_close(lua_State *L, Process *process)
{
    SockBox *box = sock_check(L, 1, CONN_META);

    if (process->host != NULL) {
        if (!process->is_timed_out && !fin_is_acked(box))
            return process_wait_for(process, &box->waiters);
        sock_release(box->sock);
    } else {
        int64_t linger = 0;

        sock_get_option(box->sock, TCP_OPT_LINGER, &linger);
        sock_set_deadline(process, box, linger > 0 ? linger * SIM_SEC : SIM_NEVER);
        if (sock_close(box->sock) == -EWOULDBLOCK)
            return process_wait_for(process, &box->waiters);
    }
    sock_box_closed(box);
    lua_pushboolean(L, true);
    return 1;
}

static int
conn_abort(lua_State *L)
{
    SockBox *box = sock_check(L, 1, CONN_META);

    sock_abort(box->sock);
    sock_box_closed(box);
    return 0;
}

static int
conn_shutdown(lua_State *L)
{
    static const char *const hows[] = { "read", "write", "both", NULL };
    SockBox *box = sock_check(L, 1, CONN_META);
    int how = luaL_checkoption(L, 2, "write", hows);
    int result = sock_shutdown(box->sock, how);

    lua_pushboolean(L, true);
    return result < 0 ? push_failure(L, result) : 1;
}

#define BLOCKING(function, name, attempt)                                                          \
    static int function(lua_State *L)                                                              \
    {                                                                                              \
        static const ProcessCall call = { name, attempt };                                         \
                                                                                                   \
        return process_call(L, &call);                                                             \
    }

BLOCKING(conn_send, "send", try_send)
BLOCKING(conn_recv, "recv", try_recv)
BLOCKING(conn_recv_eof, "recv_eof", try_recv_eof)
BLOCKING(conn_skip, "skip", try_skip)
BLOCKING(conn_close, "close", try_close)

/* ---- looking --------------------------------------------------------------------------- */

static int
conn_state(lua_State *L)
{
    SockBox *box = sock_check_any(L, 1, CONN_META);
    const TraceConn *trace = recorder_find_conn(box->world->recorder, box->conn);
    TcpState state = trace != NULL       ? (TcpState)trace->state
                     : box->sock != NULL ? tcp_state(sock_tcp(box->sock))
                                         : TCP_CLOSED;

    lua_pushstring(L, tcp_state_name(state));
    return 1;
}

static int
conn_id(lua_State *L)
{
    lua_pushinteger(L, sock_check_any(L, 1, CONN_META)->conn);
    return 1;
}

static int
conn_unread(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tcp_unread_bytes(sock_tcp(sock_check(L, 1, CONN_META)->sock)));
    return 1;
}

static int
conn_unsent(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tcp_unsent_bytes(sock_tcp(sock_check(L, 1, CONN_META)->sock)));
    return 1;
}

static int
conn_unacked(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tcp_unacked_bytes(sock_tcp(sock_check(L, 1, CONN_META)->sock)));
    return 1;
}

/* ---- listeners ---------------------------------------------------------------------------- */

/* listener:accept([options]) -> connection; nil, error */
static int
try_accept(lua_State *L, Process *process)
{
    SockBox *box = sock_check(L, 1, LISTENER_META);
    unsigned flags;
    SimTime timeout = read_call_options(L, 2, "accept", &flags);
    int error = 0;

    if (process->host == NULL)
        sock_set_deadline(process, box, timeout);

    Socket *sock = sock_accept(box->sock, &error);

    if (sock != NULL) {
        SockBox *conn = sock_box_new(L, box->world, sock, CONN_META);

        process->conn = conn->conn;
        return 1;
    }
    if (error == -EAGAIN && !process->is_timed_out)
        return process_wait_for(process, &box->waiters);
    process->result = error;
    return error == -EAGAIN ? timed_out(L) : push_failure(L, error);
}

BLOCKING(listener_accept, "accept", try_accept)

static int
listener_close(lua_State *L)
{
    SockBox *box = sock_check(L, 1, LISTENER_META);

    sock_close(box->sock);
    sock_box_closed(box);
    return 0;
}

/* listener:backlog(n): listen() again. */
static int
listener_backlog(lua_State *L)
{
    SockBox *box = sock_check(L, 1, LISTENER_META);
    int result = sock_listen(box->sock, (int)value_int(L, 2, "backlog", INT32_MIN, INT32_MAX));

    lua_pushboolean(L, true);
    return result < 0 ? push_failure(L, result) : 1;
}

/* host:listen(port or 0 (any) [, { backlog =, address =, options = }]) -> listener; nil, error */
static int
host_listen(lua_State *L)
{
    HostBox *host = host_check(L, 1);
    Endpoint local = { IP_ADDR_ANY, (uint16_t)value_int(L, 2, "listen: port", 0, 65535) };
    ConfTable t;

    conf_open(&t, L, 3, "listen");

    int backlog = (int)conf_int(&t, "backlog", 128, INT32_MIN, INT32_MAX);

    local.addr = conf_addr(&t, "address", IP_ADDR_ANY);

    bool reuseaddr = conf_bool(&t, "reuseaddr", true); /* as every server program asks for */

    conf_push(&t, "options");
    conf_close(&t);

    Socket *sock = sock_open(host->host, SOCK_TYPE_STREAM);
    SockBox *box = sock_box_new(L, host->world, sock, LISTENER_META);
    int result = 0;

    sock_set_option(sock, TCP_OPT_REUSEADDR, reuseaddr);
    if (sock_apply_options(L, sock, -2, "listen.options", &result)) {
        result = sock_bind(sock, local);
        if (result >= 0)
            result = sock_listen(sock, backlog);
    }
    if (result >= 0) {
        box->local = sock_local(sock);
        return 1;
    }
    sock_close(sock);
    sock_box_closed(box);
    return push_failure(L, result);
}

/* ---- connect --------------------------------------------------------------------------------- */

typedef struct ConnectPlan {
    Endpoint local, remote;
    SimTime timeout;
    bool reuseaddr;
} ConnectPlan;

/* Reads all arguments; leaves the table of options and the data (or nils) on the stack. */
static ConnectPlan
read_connect(lua_State *L)
{
    ConnectPlan plan = { .remote.addr = value_addr_or_host(L, 2, "connect: to") };
    ConfTable t;

    plan.remote.port = (uint16_t)value_int(L, 3, "connect: port", 1, 65535);
    conf_open(&t, L, 4, "connect");
    plan.local.addr = conf_addr(&t, "address", IP_ADDR_ANY);
    plan.local.port = (uint16_t)conf_int(&t, "port", 0, 0, 65535);
    plan.timeout = conf_time(&t, "timeout", SIM_NEVER);
    plan.reuseaddr = conf_bool(&t, "reuseaddr", false);
    conf_push(&t, "options");
    if (conf_push(&t, "data") != LUA_TNIL && lua_type(L, -1) != LUA_TSTRING)
        conf_fail(&t, "data", "a text to send with the SYN (Fast Open)");
    conf_close(&t);
    return plan;
}

/* Puts the object at index 5: later attempts find it there. */
static int
connect_begin(lua_State *L, Process *process, HostBox *host)
{
    lua_settop(L, 4);

    ConnectPlan plan = read_connect(L); /* options at 5, data at 6 */
    Socket *sock = sock_open(host->host, SOCK_TYPE_STREAM);
    SockBox *box = sock_box_new(L, host->world, sock, CONN_META);
    int result = 0;
    bool has_data = lua_type(L, 6) == LUA_TSTRING;

    sock_set_deadline(process, box, plan.timeout);
    if (plan.reuseaddr)
        sock_set_option(sock, TCP_OPT_REUSEADDR, 1);

    bool is_set = sock_apply_options(L, sock, 5, "connect.options", &result);

    lua_replace(L, 5); /* from here on the connection stands at 5, the data at 6 */
    if (!is_set)
        return result;
    if (plan.local.port != 0 || !ip_addr_is_any(plan.local.addr))
        result = sock_bind(sock, plan.local);
    if (result >= 0 && has_data) {
        size_t len;
        const char *data = lua_tolstring(L, 6, &len);
        int64_t sent = sock_sendto(sock, data, len, TCP_MSG_FASTOPEN, &plan.remote);

        result = sent == -EINPROGRESS ? 0 : (int)MIN(sent, 0);
        process->progress = MAX(sent, 0);
    } else if (result >= 0) {
        result = sock_connect(sock, plan.remote);
    }
    process->conn = sock_tcp(sock) == NULL ? 0 : tcp_conn_id(sock_tcp(sock));
    return result == -EINPROGRESS ? 0 : result;
}

static int
connect_failed(lua_State *L, Process *process, SockBox *box, int result)
{
    process->result = result;
    sock_close(box->sock);
    sock_box_closed(box);
    return result == -EAGAIN ? timed_out(L) : push_failure(L, result);
}

/* host:connect(to, port [, options]) -> connection; nil, error */
static int
try_connect(lua_State *L, Process *process)
{
    HostBox *host = host_check(L, 1);

    if (process->host == NULL) {
        int result = connect_begin(L, process, host);

        if (result < 0)
            return connect_failed(L, process, sock_check(L, 5, CONN_META), result);
    }

    SockBox *box = sock_check(L, 5, CONN_META);
    TcpState state = tcp_state(sock_tcp(box->sock));
    size_t len = 0;
    const char *data = lua_type(L, 6) == LUA_TSTRING ? lua_tolstring(L, 6, &len) : NULL;
    bool all_is_taken = len > 0 && (size_t)process->progress >= len;

    /* Fast Open: the call returns when the data is taken. */
    if ((state == TCP_SYN_SENT || state == TCP_SYN_RECEIVED) && !all_is_taken) {
        if (process->is_timed_out)
            return connect_failed(L, process, box, -EAGAIN);
        return process_wait_for(process, &box->waiters);
    }

    int error = sock_take_error(box->sock);

    if (error != 0)
        return connect_failed(L, process, box, -error);
    error = send_from_progress(process, box->sock, data, len, 0); /* what did not go with the SYN */
    if (error == -EAGAIN && !process->is_timed_out)
        return process_wait_for(process, &box->waiters);
    if (error < 0)
        return connect_failed(L, process, box, error);
    lua_settop(L, 5);
    return 1;
}

BLOCKING(host_connect, "connect", try_connect)

void
bind_sock(lua_State *L)
{
    static const luaL_Reg conn_methods[] = {
        { "send", conn_send },
        { "recv", conn_recv },
        { "recv_eof", conn_recv_eof },
        { "skip", conn_skip },
        { "writable", conn_writable },
        { "lock", conn_lock },
        { "catch_up", conn_catch_up },
        { "unlock", conn_unlock },
        { "recv_parts", conn_recv_parts },
        { "close", conn_close },
        { "shutdown", conn_shutdown },
        { "abort", conn_abort },
        { "state", conn_state },
        { "info", bind_conn_info },
        { "id", conn_id },
        { "unread", conn_unread },
        { "unsent", conn_unsent },
        { "unacked", conn_unacked },
        { NULL, NULL },
    };
    static const luaL_Reg listener_methods[] = {
        { "accept", listener_accept },
        { "close", listener_close },
        { "backlog", listener_backlog },
        { NULL, NULL },
    };
    static const luaL_Reg host_methods[] = {
        { "listen", host_listen },
        { "connect", host_connect },
        { NULL, NULL },
    };

    sock_new_metatable(L, CONN_META, conn_methods);
    sock_new_metatable(L, LISTENER_META, listener_methods);
    bind_host_methods(L, host_methods);
}
