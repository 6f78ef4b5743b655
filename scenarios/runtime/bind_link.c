/* link(): joins two hosts; changing, cutting and looking at it. */
#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/fate.h"

#define UNNUMBERED_FIRST                                                                           \
    0x64400000u /* 100.64.0.0/10: addresses of interfaces that nobody named                        \
                 */

LinkBox *
link_test(lua_State *L, int index)
{
    LinkBox **handle = luaL_testudata(L, index, LINK_META);

    return handle == NULL ? NULL : *handle;
}

LinkBox *
link_check(lua_State *L, int index)
{
    LinkBox *box = link_test(L, index);

    if (box == NULL)
        value_fail(L, index, "link",
                   "a link: call its methods with a colon, as in wire:drop{ ... }");
    return box;
}

void
link_push(lua_State *L, LinkBox *box)
{
    if (box->object != 0) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, box->object);
        return;
    }

    LinkBox **handle = lua_newuserdatauv(L, sizeof *handle, 0);

    *handle = box;
    luaL_setmetatable(L, LINK_META);
    lua_pushvalue(L, -1);
    box->object = luaL_ref(L, LUA_REGISTRYINDEX);
}

void
link_box_free(LinkBox *box)
{
    fates_free(box->fates);
    g_free(box);
}

unsigned
link_direction_from(lua_State *L, const LinkBox *box, const HostBox *from, const char *what)
{
    if (from != box->ends[0] && from != box->ends[1])
        conf_error(L, "%s: the host \"%s\" is at neither end of the link \"%s\"", what,
                   from->host->name, link_name(box->link));
    return from == box->ends[1];
}

/* The interface of this host at its next link. */
static Iface *
next_iface(HostBox *box, IpAddr given, unsigned link_index, unsigned end, uint32_t mtu)
{
    unsigned n = box->n_links++;
    char name[24];
    IpAddr addr = given;
    Iface *iface;

    if (n == 0 && box->host->ifaces->len > 0 && ip_addr_is_any(given)) {
        iface = box->host->ifaces->pdata[0];
        iface->mtu = MIN(box->mtu, mtu);
        return iface;
    }
    if (ip_addr_is_any(addr) && n < box->addrs->len)
        addr = g_array_index(box->addrs, IpAddr, n);
    if (ip_addr_is_any(addr))
        addr = ip_addr_v4(UNNUMBERED_FIRST + link_index * 4 + end + 1);
    g_snprintf(name, sizeof name, "eth%u", box->host->ifaces->len);
    return host_add_iface(box->host, name, addr, 32, MIN(box->mtu, mtu));
}

/* "client-server", and "client-server-2" for a second one. */
static const char *
default_name(lua_State *L, World *world, const HostBox *a, const HostBox *b)
{
    const char *name = lua_pushfstring(L, "%s-%s", a->host->name, b->host->name);

    for (int n = 2; g_hash_table_contains(world->names, name); n++)
        name = lua_pushfstring(L, "%s-%s-%d", a->host->name, b->host->name, n);
    return name;
}

/* link(a, b [, { rate =, delay =, ..., up = { ... }, down = { ... } }]): up is from a to b. */
static int
l_link(lua_State *L)
{
    HostBox *a = host_test(L, 1), *b = host_test(L, 2);
    World *world = lab_world(lab_of(L));
    LinkParams both = link_params_default();
    LinkParams params[2];
    ConfTable t, way;

    lua_settop(L, 3);
    if (a == NULL)
        value_fail(L, 1, "link: first end", "a host");
    if (b == NULL)
        value_fail(L, 2, "link: second end", "a host");
    if (a == b)
        conf_error(L, "link: both ends are the host \"%s\"", a->host->name);
    if (a->world != world || b->world != world)
        conf_error(L, "link: the hosts belong to another world");
    if (world->is_running)
        conf_error(L, "link: the topology is built before run(), not while the world runs");
    conf_open(&t, L, 3, "link");

    const char *name = conf_text(&t, "name", NULL);
    IpAddr addr_a = conf_addr(&t, "address_a", IP_ADDR_ANY);
    IpAddr addr_b = conf_addr(&t, "address_b", IP_ADDR_ANY);

    link_conf_read(&t, &both);
    params[0] = params[1] = both;
    conf_sub(&t, "up", &way);
    link_conf_read(&way, &params[0]);
    conf_close(&way);
    conf_sub(&t, "down", &way);
    link_conf_read(&way, &params[1]);
    conf_close(&way);
    conf_close(&t);
    if (name == NULL)
        name = default_name(L, world, a, b);
    world_claim_name(L, world, name, "link.name");

    unsigned index = world->links->len;
    uint32_t mtu = MIN(params[0].mtu, params[1].mtu);
    Iface *end_a = next_iface(a, addr_a, index, 0, mtu);
    Iface *end_b = next_iface(b, addr_b, index, 1, mtu);
    LinkBox *box = g_new0(LinkBox, 1);

    box->world = world;
    box->ends[0] = a;
    box->ends[1] = b;
    box->link = link_new(world->net, name, end_a, end_b, params);
    box->fates = fates_new(box);
    g_ptr_array_add(world->links, box);
    link_push(L, box);
    return 1;
}

/* ---- changing ---------------------------------------------------------------------------- */

static void
set_mtu(LinkBox *box, uint32_t mtu)
{
    for (unsigned end = 0; end < 2; end++) {
        Iface *iface = link_iface(box->link, end);

        iface->mtu = MIN(box->ends[end]->mtu, mtu);
    }
}

/* wire:change{ rate = ..., from = host }: from now on; packets on the way keep their time. */
static int
link_change_params(lua_State *L)
{
    LinkBox *box = link_check(L, 1);
    LinkParams params[2] = { *link_params(box->link, 0), *link_params(box->link, 1) };
    ConfTable t;

    conf_open(&t, L, 2, "change");

    HostBox *from = conf_host(&t, "from", box->world);

    link_conf_read(&t, &params[0]);
    link_conf_read(&t, &params[1]);
    conf_close(&t);

    int only = from == NULL ? -1 : (int)link_direction_from(L, box, from, "change.from");

    for (int direction = 0; direction < 2; direction++)
        if (only < 0 || only == direction)
            link_change(box->link, (unsigned)direction, &params[direction]);
    set_mtu(box, MIN(link_params(box->link, 0)->mtu, link_params(box->link, 1)->mtu));
    return 0;
}

static int
link_cut(lua_State *L)
{
    link_set_up(link_check(L, 1)->link, false);
    return 0;
}

static int
link_mend(lua_State *L)
{
    link_set_up(link_check(L, 1)->link, true);
    return 0;
}

/* ---- looking -------------------------------------------------------------------------------- */

static int
link_get_name(lua_State *L)
{
    lua_pushstring(L, link_name(link_check(L, 1)->link));
    return 1;
}

/* wire:queue(from) -> packets, bytes that wait now */
static int
link_queue(lua_State *L)
{
    LinkBox *box = link_check(L, 1);
    HostBox *from = host_test(L, 2);

    if (from == NULL)
        value_fail(L, 2, "queue", "the host that sends into it");

    unsigned direction = link_direction_from(L, box, from, "queue");

    lua_pushinteger(L, link_queue_packets(box->link, direction));
    lua_pushinteger(L, (lua_Integer)link_queue_bytes(box->link, direction));
    return 2;
}

static int
link_tostring(lua_State *L)
{
    lua_pushfstring(L, "link %s", link_name(link_check(L, 1)->link));
    return 1;
}

void
bind_link(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "change", link_change_params }, { "cut", link_cut },     { "mend", link_mend },
        { "name", link_get_name },        { "queue", link_queue }, { NULL, NULL },
    };

    lua_pushcfunction(L, l_link);
    lua_setglobal(L, "link");
    luaL_newmetatable(L, LINK_META);
    lua_pushcfunction(L, link_tostring);
    lua_setfield(L, -2, "__tostring");
    luaL_newlib(L, methods);
    bind_strict_index(L);
    lua_pop(L, 1);
}
