/* spawn(), at(), after(), every(): processes that begin by themselves. */
#include <lauxlib.h>

#include "scenarios/runtime/bind.h"

#define TIMER_META "halfopen.timer"

/* Freed by its last event, which finds the world still there; what is left at
 * the world's end belongs to the Lua state. */
typedef struct Timer {
    World *world;     /* borrows */
    int fn;           /* registry reference */
    int self;         /* registry reference that keeps this userdata; LUA_NOREF when over */
    SimTime interval; /* 0: once */
    int64_t left;     /* occurrences; < 0: no end */
    uint64_t count;
} Timer;

static void
timer_end(Timer *timer)
{
    lua_State *L = timer->world->lab->L;

    luaL_unref(L, LUA_REGISTRYINDEX, timer->fn);
    luaL_unref(L, LUA_REGISTRYINDEX, timer->self);
    timer->fn = LUA_NOREF;
    timer->self = LUA_NOREF;
}

static void
on_timer(void *arg)
{
    Timer *timer = arg;
    World *world = timer->world;
    lua_State *L = world->lab->callback;

    if (timer->left == 0) { /* cancelled: its last event comes for the body */
        timer_end(timer);
        return;
    }
    if (timer->left > 0)
        timer->left--;
    lua_rawgeti(L, LUA_REGISTRYINDEX, timer->fn);
    lua_pushinteger(L, (lua_Integer)++timer->count);
    process_spawn(L, world, 1,
                  timer->interval > 0 ? "a function of every()" : "a function of at() or after()");
    if (timer->left == 0)
        timer_end(timer);
    else
        sim_at(world->sim, sim_now(world->sim) + timer->interval, on_timer, timer);
}

static int
timer_new(lua_State *L, SimTime first, SimTime interval, int64_t count, const char *call)
{
    World *world = lab_world(lab_of(L));

    if (!lua_isfunction(L, 2))
        value_fail(L, 2, call, "a function");

    Timer *timer = lua_newuserdatauv(L, sizeof *timer, 0);

    *timer = (Timer){ .world = world, .interval = interval, .left = count };
    luaL_setmetatable(L, TIMER_META);
    lua_pushvalue(L, -1);
    timer->self = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, 2);
    timer->fn = luaL_ref(L, LUA_REGISTRYINDEX);
    if (first != SIM_NEVER)
        sim_at(world->sim, first, on_timer, timer);
    return 1;
}

static int
l_at(lua_State *L)
{
    SimTime when = value_time(L, 1, "at");

    if (when < sim_now(lab_world(lab_of(L))->sim))
        value_fail(L, 1, "at", "a time that has not yet passed");
    return timer_new(L, when, 0, 1, "at");
}

static int
l_after(lua_State *L)
{
    SimTime by = value_time(L, 1, "after");
    SimTime now = sim_now(lab_world(lab_of(L))->sim);

    return timer_new(L, by > SIM_NEVER - now ? SIM_NEVER : now + by, 0, 1, "after");
}

/* every(interval, fn [, count]): first after one interval. */
static int
l_every(lua_State *L)
{
    SimTime interval = value_time(L, 1, "every");
    SimTime now = sim_now(lab_world(lab_of(L))->sim);
    int64_t count = lua_isnoneornil(L, 3) ? -1 : value_int(L, 3, "every: count", 1, INT64_MAX);

    if (interval <= 0 || interval > SIM_NEVER - now)
        value_fail(L, 1, "every", "an interval longer than 0");
    return timer_new(L, now + interval, interval, count, "every");
}

static int
timer_cancel(lua_State *L)
{
    Timer *timer = luaL_checkudata(L, 1, TIMER_META);

    timer->left = 0;
    return 0;
}

/* spawn(fn, ...): a process that belongs to no host. */
static int
l_spawn(lua_State *L)
{
    World *world = lab_world(lab_of(L));
    char name[40];

    if (!lua_isfunction(L, 1))
        value_fail(L, 1, "spawn", "a function");
    g_snprintf(name, sizeof name, "process %u", ++world->n_spawned);
    process_spawn(L, world, lua_gettop(L) - 1, name);
    return 0;
}

void
bind_timer(lua_State *L)
{
    static const luaL_Reg globals[] = {
        { "at", l_at },       { "after", l_after }, { "every", l_every },
        { "spawn", l_spawn }, { NULL, NULL },
    };
    static const luaL_Reg methods[] = { { "cancel", timer_cancel }, { NULL, NULL } };

    lua_pushglobaltable(L);
    luaL_setfuncs(L, globals, 0);
    lua_pop(L, 1);
    luaL_newmetatable(L, TIMER_META);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
