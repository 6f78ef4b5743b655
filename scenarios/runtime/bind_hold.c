/* Connections: calls that take their time, and whether one would wait. */
#include <poll.h>

#include "scenarios/runtime/bind.h"

static Socket *
socket_of(lua_State *L)
{
    return sock_check(L, 1, CONN_META)->sock;
}

/* conn:lock(), conn:unlock(): between them a call holds the socket. */
int
conn_lock(lua_State *L)
{
    tcp_lock(sock_tcp(socket_of(L)));
    return 0;
}

int
conn_unlock(lua_State *L)
{
    tcp_unlock(sock_tcp(socket_of(L)));
    return 0;
}

/* conn:catch_up(): it begins to process what came meanwhile. */
int
conn_catch_up(lua_State *L)
{
    tcp_catch_up(sock_tcp(socket_of(L)));
    return 0;
}

/* conn:writable() -> whether a send() that waited would go on (poll(2): POLLOUT) */
int
conn_writable(lua_State *L)
{
    lua_pushboolean(L, sock_poll(socket_of(L)) & POLLOUT);
    return 1;
}
