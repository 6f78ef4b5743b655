#include "scenarios/runtime/bind.h"

#include <lauxlib.h>

#include "scenarios/runtime/sandbox.h"
#include "scenarios/runtime/suggest.h"

/* obj.NAME for a NAME that its methods (upvalue 1) do not have. */
static int
unknown_method(lua_State *L)
{
    const char *words[128];
    size_t n = 0;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";

    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    lua_pushnil(L);
    while (n < G_N_ELEMENTS(words) && lua_next(L, lua_upvalueindex(1)) != 0) {
        lua_pop(L, 1);
        words[n++] = lua_tostring(L, -1);
    }

    char *hint = suggest_text(name, words, n);
    const char *kept = lua_pushstring(L, hint);

    g_free(hint);
    luaL_getmetafield(L, 1, "__name"); /* "halfopen.host" */

    const char *type = strchr(lua_tostring(L, -1), '.');

    conf_error(L, "a %s has no method \"%s\"%s", type != NULL ? type + 1 : lua_tostring(L, -1),
               name, kept);
}

void
bind_strict_index(lua_State *L)
{
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "methods");
    lua_pushcclosure(L, unknown_method, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "halfopen");
    lua_setfield(L, -2, "__metatable");
}

static void
add_methods(lua_State *L, const char *meta, const luaL_Reg *methods)
{
    luaL_getmetatable(L, meta);
    lua_getfield(L, -1, "methods");
    luaL_setfuncs(L, methods, 0);
    lua_pop(L, 2);
}

void
bind_host_methods(lua_State *L, const luaL_Reg *methods)
{
    add_methods(L, HOST_META, methods);
}

void
bind_link_methods(lua_State *L, const luaL_Reg *methods)
{
    add_methods(L, LINK_META, methods);
}

/* lib/prelude.lua adds what is easier said in Lua: expect() and the queries.
 * It gets a table of what scenarios do not see. */
static void
run_prelude(lua_State *L)
{
    static const char *const metas[] = { HOST_META, LINK_META, CONN_META, LISTENER_META, UDP_META };

    sandbox_load_module(L, "prelude");
    lua_newtable(L);
    lua_newtable(L);
    for (size_t i = 0; i < G_N_ELEMENTS(metas); i++) {
        luaL_getmetatable(L, metas[i]);
        lua_getfield(L, -1, "methods");
        lua_setfield(L, -3, metas[i]);
        lua_pop(L, 1);
    }
    lua_setfield(L, -2, "methods");
    bind_trace(L, lua_gettop(L));
    lua_call(L, 1, 0);
}

void
bind_all(lua_State *L)
{
    bind_scenario(L);
    bind_timer(L);
    bind_host(L);
    bind_host_query(L);
    bind_link(L);
    bind_fate(L);
    bind_sock(L);
    bind_udp(L);
    bind_packet(L);
    bind_raw(L);
    bind_app(L);
    bind_box(L);
    run_prelude(L);
}
