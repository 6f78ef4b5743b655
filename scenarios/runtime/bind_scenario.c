/* scenario{}, params, run(), now(), sleep(), spawn(), say(), log(), world(),
 * result(), and the units. */
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/sandbox.h"
#include "scenarios/runtime/suggest.h"

/* ---- scenario{} and its parameters ------------------------------------------- */

static int
l_scenario(lua_State *L)
{
    Lab *lab = lab_of(L);
    ConfTable t;

    if (lab->is_declared)
        conf_error(L, "scenario: is called twice");
    if (lab->worlds->len > 0)
        conf_error(L, "scenario: must come before the first host and link");
    if (!lua_istable(L, 1))
        value_fail(L, 1, "scenario", "a table { title = ..., params = { ... } }");
    conf_open(&t, L, 1, "scenario");

    static const char *const profiles[] = { "linux", "rfc" };
    const char *title = conf_text(&t, "title", NULL);
    const char *about = conf_text(&t, "about", NULL);
    int profile = conf_choice(&t, "profile", -1, profiles, G_N_ELEMENTS(profiles));
    bool has_params = conf_type(&t, "params") != LUA_TNIL;

    if (has_params && conf_type(&t, "params") != LUA_TTABLE)
        conf_fail(&t, "params", "a table { name = default, ... }");
    conf_close(&t);
    if (profile >= 0 && !lab->options.profile_given)
        lab->options.profile = profile == 1 ? TCP_PROFILE_RFC : TCP_PROFILE_LINUX;
    lab->title = g_strdup(title);
    lab->about = g_strdup(about);
    if (has_params) {
        lua_getfield(L, 1, "params");
        params_read(L, -1, lab->params);
    }
    lab->is_declared = true;
    if (lab->describes_only)
        return luaL_error(L, "described");
    lab_set_params(L, lab);
    return 0;
}

/* params.NAME */
static int
params_index(lua_State *L)
{
    Lab *lab = lab_of(L);
    const GPtrArray *params = lab->world != NULL ? lab->world->params : lab->params;
    const char *name = luaL_checkstring(L, 2);
    Param *param = param_find(params, name);

    if (param == NULL) {
        char *hint = params_hint(params, name);
        const char *kept = lua_pushstring(L, hint);

        g_free(hint);
        conf_error(L, "params.%s: the scenario has no such parameter%s", name, kept);
    }
    param_push(L, param);
    return 1;
}

static int
params_newindex(lua_State *L)
{
    conf_error(L, "params.%s: parameters are set by --set or world(), not by the scenario's code",
               luaL_checkstring(L, 2));
}

/* ---- time ---------------------------------------------------------------------- */

static int
l_run(lua_State *L)
{
    SimTime by = value_opt_time(L, 1, "run", SIM_NEVER);
    World *world = lab_world(lab_of(L));

    if (L != lab_of(L)->L)
        conf_error(L, "run: only the main script runs the world; a process waits with sleep()");

    SimTime now = sim_now(world->sim);

    world_run(L, world, by > SIM_NEVER - now ? SIM_NEVER : now + by);
    push_time(L, sim_now(world->sim));
    return 1;
}

static int
l_run_until(lua_State *L)
{
    SimTime until = value_time(L, 1, "run_until");
    World *world = lab_world(lab_of(L));

    if (L != lab_of(L)->L)
        conf_error(L,
                   "run_until: only the main script runs the world; a process waits with sleep()");
    if (until < sim_now(world->sim))
        value_fail(L, 1, "run_until", "a time that has not yet passed");
    world_run(L, world, until);
    return 0;
}

static int
l_now(lua_State *L)
{
    push_time(L, sim_now(lab_world(lab_of(L))->sim));
    return 1;
}

static int
l_sleep(lua_State *L)
{
    value_time(L, 1, "sleep");
    return process_call(L, &process_sleep_call);
}

/* ---- words for people ------------------------------------------------------------ */

/* Pushes the text: alone, or formatted with the further arguments. */
static const char *
format_args(lua_State *L, const char *what)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        value_fail(L, 1, what, "a text");
    if (lua_gettop(L) == 1)
        return lua_tostring(L, 1);

    int n = lua_gettop(L);

    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_insert(L, 1);
    lua_pop(L, 1);
    if (lua_pcall(L, n, 1, 0) != LUA_OK)
        conf_error(L, "%s: %s", what, lua_tostring(L, -1));
    return lua_tostring(L, -1);
}

static int
note(lua_State *L, const char *what, bool is_log)
{
    Lab *lab = lab_of(L);
    const char *text = format_args(L, what);
    Saying *saying = g_new0(Saying, 1);

    saying->at = lab->world == NULL ? 0 : sim_now(lab->world->sim);
    saying->text = g_strchomp(g_strdup(text)); /* a table's last column may be padded */
    saying->world = g_strdup(lab->world == NULL ? "" : lab->world->name);
    saying->is_log = is_log;
    g_ptr_array_add(lab->sayings, saying);
    return 0;
}

static int
l_say(lua_State *L)
{
    return note(L, "say", false);
}

static int
l_log(lua_State *L)
{
    return note(L, "log", true);
}

static bool
is_plain(lua_State *L, int index)
{
    int type = lua_type(L, index);

    return type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING ||
           type == LUA_TTABLE;
}

/* result(name, value): for summary.json. */
static int
l_result(lua_State *L)
{
    Lab *lab = lab_of(L);

    if (lua_type(L, 1) != LUA_TSTRING)
        value_fail(L, 1, "result", "a name");
    if (!is_plain(L, 2))
        value_fail(L, 2, "result", "a number, a text, true, false or a table of these");
    lua_rawgeti(L, LUA_REGISTRYINDEX, lab->results);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, lua_tostring(L, 1));
    return 0;
}

/* ---- worlds ------------------------------------------------------------------------ */

static World *
begin_world(lua_State *L, Lab *lab, const char *name)
{
    for (unsigned i = 0; i < lab->worlds->len; i++)
        if (strcmp(((World *)lab->worlds->pdata[i])->name, name) == 0)
            conf_error(L, "world: the name \"%s\" is used twice", name);

    World *world = world_new(lab, name);

    lab->world = world;
    return world;
}

static void
override_params(lua_State *L, World *world, int index)
{
    static const char *const profiles[] = { "linux", "rfc" };

    if (!lua_istable(L, index))
        value_fail(L, index, "world", "a table of parameters { name = value }");
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING)
            value_fail(L, -2, "world", "names of parameters");

        const char *name = lua_tostring(L, -2);
        const char *path = lua_pushfstring(L, "world.%s", name);
        Param *param = param_find(world->params, name);

        if (param == NULL && strcmp(name, "profile") == 0) {
            const char *found = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

            if (strcmp(found, profiles[0]) != 0 && strcmp(found, profiles[1]) != 0)
                value_fail(L, -2, path, "\"linux\" or \"rfc\"");
            world->profile = strcmp(found, "rfc") == 0 ? TCP_PROFILE_RFC : TCP_PROFILE_LINUX;
        } else if (param == NULL) {
            char *hint = params_hint(world->params, name);
            const char *kept = lua_pushstring(L, hint);

            g_free(hint);
            conf_error(L, "world: the scenario has no parameter \"%s\"%s", name, kept);
        } else {
            param_set_value(L, param, lua_absindex(L, -2), path);
        }
        lua_pop(L, 2);
    }
}

/* world(name [, overrides], fn): builds and runs a simulation of its own in
 * fn(world) and returns what fn returns. */
static int
l_world(lua_State *L)
{
    Lab *lab = lab_of(L);
    const char *name = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;
    bool has_overrides = lua_gettop(L) >= 3;
    int fn = has_overrides ? 3 : 2;
    World *outer = lab->world;

    if (name == NULL || name[0] == '\0')
        value_fail(L, 1, "world", "a name");
    if (!lua_isfunction(L, fn))
        value_fail(L, fn, "world", "a function that builds and runs it");
    if (L != lab->L || (outer != NULL && (outer->is_running || outer->name[0] != '\0')))
        conf_error(L, "world: is for the main script, outside of other worlds");

    World *world = begin_world(L, lab, name);

    if (has_overrides)
        override_params(L, world, 2);

    char *error = NULL;

    if (lab->options.on_world != NULL && !lab->options.on_world(lab->options.arg, world, &error)) {
        lua_pushstring(L, error);
        g_free(error);
        return lua_error(L);
    }
    lua_settop(L, fn);
    lua_pushstring(L, name);
    lua_call(L, 1, LUA_MULTRET);
    if (!world->has_run)
        world_run(L, world, SIM_NEVER);
    lab->world = outer;
    return lua_gettop(L) - (fn - 1);
}

/* ---- units --------------------------------------------------------------------------- */

static int
l_time(lua_State *L)
{
    push_time(L, value_time(L, 1, "time"));
    return 1;
}

static int
l_rate(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)value_rate(L, 1, "rate"));
    return 1;
}

static int
l_size(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)value_size(L, 1, "size"));
    return 1;
}

/* Rounded to the microsecond: for reading, not for comparing. */
static int
l_time_text(lua_State *L)
{
    double seconds = luaL_checknumber(L, 1);
    char text[SIM_TIME_TEXT];

    if (isinf(seconds)) {
        lua_pushliteral(L, "never");
        return 1;
    }

    SimTime time = (SimTime)llround(seconds * 1e6) * SIM_US;

    if (time < 0)
        lua_pushfstring(L, "-%s", sim_time_format(-time, text));
    else
        lua_pushstring(L, sim_time_format(time, text));
    return 1;
}

/* A random number of the run: the same for the same seed. */
static int
l_random(lua_State *L)
{
    SimRng *rng = lua_touserdata(L, lua_upvalueindex(1));

    switch (lua_gettop(L)) {
    case 0:
        lua_pushnumber(L, sim_rng_unit(rng));
        return 1;
    case 1:
        lua_pushinteger(L, 1);
        lua_insert(L, 1);
        break;
    default:
        break;
    }

    int64_t low = value_int(L, 1, "math.random", INT64_MIN, INT64_MAX);
    int64_t high = value_int(L, 2, "math.random", low, INT64_MAX);
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;

    lua_pushinteger(L, (lua_Integer)((uint64_t)low +
                                     (span == 0 ? sim_rng_u64(rng) : sim_rng_below(rng, span))));
    return 1;
}

static void
bind_random(lua_State *L)
{
    SimRng *rng;

    lua_getglobal(L, "math");
    rng = lua_newuserdatauv(L, sizeof *rng, 0);
    sim_rng_init(rng, lab_of(L)->options.seed, "scenario");
    lua_pushcclosure(L, l_random, 1);
    lua_setfield(L, -2, "random");
    lua_pop(L, 1);
}

void
bind_scenario(lua_State *L)
{
    static const luaL_Reg globals[] = {
        { "scenario", l_scenario },
        { "run", l_run },
        { "run_until", l_run_until },
        { "now", l_now },
        { "sleep", l_sleep },
        { "say", l_say },
        { "log", l_log },
        { "time", l_time },
        { "rate", l_rate },
        { "size", l_size },
        { "world", l_world },
        { "result", l_result },
        { "time_text", l_time_text },
        { NULL, NULL },
    };
    static const luaL_Reg params_meta[] = {
        { "__index", params_index },
        { "__newindex", params_newindex },
        { NULL, NULL },
    };

    lua_pushglobaltable(L);
    luaL_setfuncs(L, globals, 0);
    lua_newtable(L);
    luaL_newlib(L, params_meta);
    lua_pushliteral(L, "params");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "params");
    lua_pop(L, 1);
    bind_random(L);
}
