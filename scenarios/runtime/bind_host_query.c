/* What a host shows: sockets as ss lists them, counters as nstat. */
#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/ss_info.h"
#include "scenarios/runtime/suggest.h"

/* ---- sockets ------------------------------------------------------------------------ */

typedef struct RowList {
    lua_State *L;
    lua_Integer n;
} RowList;

static void
set_int(lua_State *L, const char *key, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void
set_endpoint(lua_State *L, const char *address, const char *port, Endpoint endpoint)
{
    push_addr(L, endpoint.addr);
    lua_setfield(L, -2, address);
    set_int(L, port, endpoint.port);
}

static void
add_row(void *arg, const TcpSocketRow *row)
{
    RowList *list = arg;
    lua_State *L = list->L;

    lua_createtable(L, 0, 12);
    lua_pushstring(L, tcp_state_name(row->state));
    lua_setfield(L, -2, "state");
    set_endpoint(L, "local_address", "local_port", row->local);
    set_endpoint(L, "remote_address", "remote_port", row->remote);
    set_int(L, "recv_q", row->recv_q);
    set_int(L, "send_q", row->send_q);
    set_int(L, "conn", row->conn);
    set_int(L, "retransmits", row->retransmits);
    lua_pushstring(L, row->timer == NULL ? "" : row->timer);
    lua_setfield(L, -2, "timer");
    push_time(L, row->timer_left);
    lua_setfield(L, -2, "timer_left");
    lua_rawseti(L, -2, ++list->n);
}

/* host:sockets() -> list of rows */
static int
host_sockets(lua_State *L)
{
    HostBox *box = host_check(L, 1);
    RowList list = { L, 0 };

    lua_newtable(L);
    tcp_list(box->host, add_row, &list);
    return 1;
}

static void
add_line(void *arg, const TcpSocketRow *row)
{
    GString *text = arg;
    char local[ENDPOINT_TEXT], remote[ENDPOINT_TEXT], left[SIM_TIME_TEXT];
    const char *state = row->state == TCP_SYN_RECEIVED  ? "SYN-RECV"
                        : row->state == TCP_ESTABLISHED ? "ESTAB"
                                                        : tcp_state_name(row->state);

    g_string_append_printf(text, "%-11s %6u %6u %21s %21s", state, row->recv_q, row->send_q,
                           endpoint_format(row->local, local),
                           row->state == TCP_LISTEN ? "0.0.0.0:*"
                                                    : endpoint_format(row->remote, remote));
    if (row->timer != NULL && row->timer[0] != '\0') {
        SimTime rounded = row->timer_left / SIM_MS * SIM_MS;

        g_string_append_printf(text, " timer:(%s,%s,%u)", row->timer,
                               sim_time_format(rounded, left), row->retransmits);
    }
    g_string_append_c(text, '\n');
    if (row->socket != NULL && row->state != TCP_LISTEN)
        ss_append_info(text, row->socket);
}

/* host:ss() -> text as `ss -tanoi` prints it */
static int
host_ss(lua_State *L)
{
    HostBox *box = host_check(L, 1);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%-11s %6s %6s %21s %21s\n", "State", "Recv-Q", "Send-Q",
                           "Local Address:Port", "Peer Address:Port");
    tcp_list(box->host, add_line, text);
    lua_pushstring(L, text->str);
    g_string_free(text, TRUE);
    return 1;
}

/* host:memory() -> bytes that its TCP takes of this program */
static int
host_memory(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tcp_memory(host_check(L, 1)->host));
    return 1;
}

/* ---- counters ------------------------------------------------------------------------- */

static int
find_counter(lua_State *L, const char *name)
{
    int counter = mib_find(name);

    if (counter >= 0)
        return counter;

    const char *words[2 * MIB_COUNT];
    size_t n = 0;

    for (int c = 0; c < MIB_COUNT; c++) {
        static const char *const groups[] = {
            "TcpExt", "IpExt", "Tcp", "Ip", "Icmp", "Udp", "Host"
        };
        const char *full = mib_name((MibCounter)c);

        words[n++] = full;
        for (size_t g = 0; g < G_N_ELEMENTS(groups); g++)
            if (g_str_has_prefix(full, groups[g])) {
                words[n++] = full + strlen(groups[g]);
                break;
            }
    }

    char *hint = suggest_text(name, words, n);
    const char *kept = lua_pushstring(L, hint);

    g_free(hint);
    conf_error(L, "no counter is called \"%s\"%s", name, kept);
}

/* host:counter(name) -> its value now */
static int
host_counter(lua_State *L)
{
    HostBox *box = host_check(L, 1);

    lua_pushinteger(L, (lua_Integer)box->host->mib[find_counter(L, luaL_checkstring(L, 2))]);
    return 1;
}

/* __index of the table of counters: 0 for a name that exists, else an error. */
static int
counters_index(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;

    int counter = find_counter(L, lua_tostring(L, 2));

    lua_pushstring(L, mib_name((MibCounter)counter)); /* without its group, as with it */
    if (lua_rawget(L, 1) == LUA_TNIL)
        lua_pushinteger(L, 0);
    return 1;
}

/* host:counters() -> { TcpExtListenDrops = 3, ... }: those that are not 0; any other name reads 0.
 */
static int
host_counters(lua_State *L)
{
    HostBox *box = host_check(L, 1);

    lua_newtable(L);
    for (int c = 0; c < MIB_COUNT; c++)
        if (box->host->mib[c] != 0)
            set_int(L, mib_name((MibCounter)c), (int64_t)box->host->mib[c]);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, counters_index);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 1;
}

void
bind_host_query(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "sockets", host_sockets },   { "ss", host_ss },
        { "memory", host_memory },     { "counter", host_counter },
        { "counters", host_counters }, { NULL, NULL },
    };

    bind_host_methods(L, methods);
}
