/* What the bindings know of each other. A Lua object (host, link, connection)
 * is a userdata that points to a box; the boxes belong to their world and live
 * as long as it does, so that no order of garbage collection matters.
 */
#ifndef HALFOPEN_RUNTIME_BIND_H
#define HALFOPEN_RUNTIME_BIND_H

#include <lauxlib.h>

#include "models/link/link.h"
#include "scenarios/runtime/errno_name.h"
#include "scenarios/runtime/lab.h"
#include "scenarios/runtime/process.h"

/* Registers every global name and metatable, and runs lib/prelude.lua. */
void bind_all(lua_State *L);
void bind_scenario(lua_State *L); /* each adds its globals and metatables */
void bind_timer(lua_State *L);
void bind_host(lua_State *L);
void bind_host_query(lua_State *L); /* methods: adds to the host's metatable */
void bind_sock(lua_State *L);
int bind_conn_info(lua_State *L); /* conn:info() */
void bind_udp(lua_State *L);
void bind_link(lua_State *L);
void bind_fate(lua_State *L);
void bind_packet(lua_State *L);
void bind_raw(lua_State *L);
void bind_app(lua_State *L);
void bind_box(lua_State *L);
void bind_trace(lua_State *L, int core); /* queries of the recorder, for the prelude */

/* The table of methods on top becomes the __index of the metatable below it;
 * asking for a method that is none raises and suggests. Pops the methods. */
void bind_strict_index(lua_State *L);
void bind_host_methods(lua_State *L, const luaL_Reg *methods); /* adds to the host's */
void bind_link_methods(lua_State *L, const luaL_Reg *methods);
void sock_new_metatable(lua_State *L, const char *meta, const luaL_Reg *methods);

/* ---- hosts ------------------------------------------------------------------- */

#define HOST_META "halfopen.host"

typedef struct Tap Tap; /* bind_raw.c */

typedef struct HostBox {
    World *world;  /* borrows */
    int object;    /* registry reference of its one Lua object */
    Host *host;    /* borrows: the net owns it */
    GArray *addrs; /* owns: IpAddr given by the scenario, one an interface */
    unsigned n_links;
    unsigned n_spawned, n_pings;
    uint32_t mtu; /* of its interfaces, unless the link's is smaller */
    bool is_router;
    Tap *tap; /* owns: a script plays this host itself; NULL: a whole stack */
} HostBox;

HostBox *host_check(lua_State *L, int index); /* raises */
HostBox *host_test(lua_State *L, int index);  /* NULL: something else */
HostBox *host_box_of(World *world, const Host *host);
HostBox *host_box_named(World *world, const char *name); /* NULL: none */
void host_push(lua_State *L, HostBox *box);
void host_box_free(HostBox *box);
/* An address: text, or a host's first. Raises. */
IpAddr value_addr_or_host(lua_State *L, int index, const char *what);
/* host or its name, under a key or on the stack; NULL for none. Raises for what is neither. */
HostBox *conf_host(ConfTable *table, const char *key, World *world);
/* Sets one sysctl from the Lua value at `index`, on a live host or in params. Raises. */
void sysctl_set(lua_State *L, Host *host, StackParams *params, const char *name, int index);
void tap_free(Tap *tap);
Tap *tap_new(HostBox *box);

/* ---- sockets ------------------------------------------------------------------ */

#define CONN_META     "halfopen.conn"
#define LISTENER_META "halfopen.listener"
#define UDP_META      "halfopen.udp"

typedef struct SockBox SockBox;

struct SockBox {
    SockBox *next, *before; /* all of the world */
    World *world;           /* borrows */
    Socket *sock;           /* owns; NULL: closed */
    WaitList waiters;
    SimTime timeout;        /* of every blocking call; SIM_NEVER: none */
    uint32_t conn;          /* id, for queries after close */
    Endpoint local, remote; /* as last seen open */
    Host *host;             /* borrows */
    bool is_collected;      /* no Lua object points here any more */
};

SockBox *sock_box_new(lua_State *L, World *world, Socket *sock,
                      const char *meta);                        /* pushes the object */
SockBox *sock_check(lua_State *L, int index, const char *meta); /* open; raises */
int conn_lock(lua_State *L); /* methods of connections: bind_hold.c */
int conn_unlock(lua_State *L);
int conn_catch_up(lua_State *L);
int conn_writable(lua_State *L);
SockBox *sock_check_any(lua_State *L, int index, const char *meta); /* closed too */
void sock_box_closed(SockBox *box);
void sock_boxes_free(World *world);
SockBox *conn_test(lua_State *L, int index); /* NULL: no connection */

/* nil and the name of the error: what a failed socket call returns. */
int push_failure(lua_State *L, int negative_errno);
/* { TCP_NODELAY = true, ... } on a socket; false with *failed set to the negative errno. Raises
 * for names that are none. */
bool sock_apply_options(lua_State *L, Socket *sock, int index, const char *path, int *failed);
int sock_option_by_name(lua_State *L, const char *name, const char *call);
/* At the first attempt of a call: its deadline, from the option table or the socket. */
void sock_set_deadline(Process *process, const SockBox *box, SimTime timeout);

/* ---- links, fates -------------------------------------------------------------- */

#define LINK_META "halfopen.link"
#define RULE_META "halfopen.rule"

typedef struct Fates Fates; /* fate.h */

typedef struct LinkBox {
    World *world;     /* borrows */
    int object;       /* registry reference of its one Lua object */
    Link *link;       /* borrows: the net owns it */
    HostBox *ends[2]; /* borrows */
    Fates *fates;     /* owns */
} LinkBox;

LinkBox *link_check(lua_State *L, int index);
LinkBox *link_test(lua_State *L, int index);
void link_box_free(LinkBox *box);
void link_push(lua_State *L, LinkBox *box);
/* Reads { rate = ..., delay = ..., ... } over what params holds. */
void link_conf_read(ConfTable *table, LinkParams *params);
/* The direction in which a packet from this host goes; raises if it is at neither end. */
unsigned link_direction_from(lua_State *L, const LinkBox *box, const HostBox *from,
                             const char *what);

/* ---- packets as Lua tables ------------------------------------------------------- */

/* A live packet as a table of header fields (docs/manual/lua.md lists them). */
void packet_push(lua_State *L, World *world, const LinkBox *link, unsigned direction,
                 const Packet *packet);
/* A forged packet from a table of fields. Raises. `link` (may be NULL) knows
 * the numbers that seq and ack are relative to. The caller owns the packet. */
Packet *packet_from_table(ConfTable *table, World *world, const LinkBox *link, IpAddr src,
                          IpAddr dst);
/* "SYN+ACK", "none". */
#define FLAGS_TEXT 48
const char *tcp_flags_text(unsigned flags, char text[FLAGS_TEXT]);
/* The link at this interface of a host; NULL: none. */
LinkBox *link_box_at(World *world, const Iface *iface);

#endif
