#include "scenarios/runtime/process.h"

#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/sandbox.h"

#define MAX_TURNS_AT_ONE_TIME 2000000 /* resumes while the clock stands still */

static void process_resume(Process *process);

/* ---- waiting ----------------------------------------------------------------- */

static void
list_add(WaitList *list, Process *process)
{
    process->wait_next = NULL;
    if (list->last != NULL)
        list->last->wait_next = process;
    else
        list->first = process;
    list->last = process;
    process->list = list;
}

static void
list_remove(Process *process)
{
    WaitList *list = process->list;
    Process *before = NULL;

    if (list == NULL)
        return;
    for (Process *p = list->first; p != process; p = p->wait_next)
        before = p;
    if (before != NULL)
        before->wait_next = process->wait_next;
    else
        list->first = process->wait_next;
    if (list->last == process)
        list->last = before;
    process->list = NULL;
}

/* What it waited for may have come: it tries again. */
static void
wake(Process *process)
{
    list_remove(process);
    sim_timer_stop(process->world->sim, &process->timer);
    process->is_waiting = false;
    if (process->is_main)
        sim_stop(process->world->sim); /* goes on in wait_in_main() */
    else
        process_resume(process);
}

static void
on_deadline(void *arg)
{
    Process *process = arg;

    if (!process->is_waiting)
        return;
    process->is_timed_out = true;
    wake(process);
}

int
process_wait_for(Process *process, WaitList *list)
{
    process->is_waiting = true;
    if (list != NULL)
        list_add(list, process);
    if (process->deadline != SIM_NEVER)
        sim_timer_set(process->world->sim, &process->timer, process->deadline, on_deadline,
                      process);
    return PROCESS_WAIT;
}

void
process_wake_all(WaitList *list)
{
    Process *last = list->last;

    /* Only those who wait now: a woken process may come back to the list. */
    while (list->first != NULL) {
        Process *process = list->first;

        wake(process);
        if (process == last)
            return;
    }
}

/* ---- calls ------------------------------------------------------------------- */

void
process_begin_record(Process *process, Host *host, uint32_t conn)
{
    process->host = host;
    process->conn = conn;
}

static void
record_call(Process *process, bool returned)
{
    if (process->host == NULL || !probe_is_heard(&process->host->probes->call))
        return;

    CallRecord record = {
        .at = sim_now(process->world->sim),
        .host = process->host->id,
        .conn = process->conn,
        .call = process->call->name,
        .returned = returned,
        .result = process->result,
        .began_at = process->began,
    };

    probe_emit(&process->host->probes->call, &record);
}

int
process_push_failure(lua_State *L, const char *error)
{
    World *world = lab_of(L)->world;
    Process *process = NULL;
    lua_Debug frame;

    if (world != NULL && world->running != NULL && world->running->L == L)
        process = world->running;
    else if (world != NULL && world->main->L == L)
        process = world->main;
    if (process != NULL && lua_getstack(L, 0, &frame) && lua_getinfo(L, "n", &frame)) {
        g_strlcpy(process->failed_call, frame.name == NULL ? "call" : frame.name,
                  sizeof process->failed_call);
        process->failed_with = error;
    }
    lua_pushnil(L);
    lua_pushstring(L, error);
    return 2;
}

const Process *
process_find(const World *world, const lua_State *L)
{
    if (world->main->L == L)
        return world->main;
    for (const Process *process = world->processes; process != NULL; process = process->next)
        if (process->L == L)
            return process;
    return NULL;
}

Process *
process_of(lua_State *L, const char *call)
{
    Lab *lab = lab_of(L);
    World *world = lab_world(lab);

    if (world->running != NULL && world->running->L == L)
        return world->running;
    if (L == lab->L && !world->is_running)
        return world->main;
    conf_error(L,
               "%s: cannot block here (in a fate, a matcher or a coroutine of the scenario's own): "
               "use spawn()",
               call);
}

/* The main script has nowhere to yield to: the simulation runs meanwhile. */
static void
wait_in_main(lua_State *L, Process *process)
{
    World *world = process->world;

    world->is_running = true;
    for (unsigned i = 1; process->is_waiting && world->lab->error == NULL; i++) {
        if (i % WORLD_LOOK_EVERY == 0 && !world_may_go_on(world))
            break;
        if (sim_now(world->sim) >= world->lab->options.until || !sim_step(world->sim))
            break;
    }
    world->is_running = false;
    world->has_run = true;
    if (world->lab->error != NULL) {
        lua_pushstring(L, world->lab->error);
        lua_error(L);
    }
    if (process->is_waiting) {
        const char *name = process->call->name;

        list_remove(process);
        process->is_waiting = false;
        conf_error(L, "%s%s: would wait for ever: nothing can happen any more", world_prefix(world),
                   name);
    }
}

/* Tries until the call has its results; yields between attempts. */
static int
go_on(lua_State *L, int status, lua_KContext context)
{
    Process *process = (Process *)context;
    const ProcessCall *call = process->call;

    (void)status;
    for (;;) {
        int n = call->attempt(L, process);

        if (n != PROCESS_WAIT) {
            record_call(process, true);
            return n;
        }
        if (!process->is_main)
            return lua_yieldk(L, 0, context, go_on);
        wait_in_main(L, process);
    }
}

int
process_call(lua_State *L, const ProcessCall *call)
{
    Process *process = process_of(L, call->name);

    process->call = call;
    process->began = sim_now(process->world->sim);
    process->deadline = SIM_NEVER;
    process->is_timed_out = false;
    process->progress = 0;
    process->found_no_room = false;
    process->result = 0;
    process->host = NULL;
    if (call != &process_sleep_call)
        process->failed_with = NULL;
    return go_on(L, LUA_OK, (lua_KContext)process);
}

static int
try_sleep(lua_State *L, Process *process)
{
    if (process->is_timed_out)
        return 0;

    SimTime by = value_time(L, 1, "sleep");
    SimTime now = process->began;

    process->deadline = by > SIM_NEVER - now ? SIM_NEVER : now + by;
    return process_wait_for(process, NULL);
}

const ProcessCall process_sleep_call = { "sleep", try_sleep };

/* ---- life -------------------------------------------------------------------- */

static void
process_unlink(Process *process)
{
    if (process->before != NULL)
        process->before->next = process->next;
    else
        process->world->processes = process->next;
    if (process->next != NULL)
        process->next->before = process->before;
}

static void
process_end(Process *process)
{
    World *world = process->world;

    process->is_done = true;
    process_wake_all(&process->joiners);
    luaL_unref(world->lab->L, LUA_REGISTRYINDEX, process->anchor);
    process_unlink(process);
    sim_timer_done(world->sim, &process->timer);
    process_free(process);
}

void
process_free(Process *process)
{
    g_free(process->name);
    g_free(process);
}

/* Scenario code that runs for ever at one instant would never let time pass. */
static bool
time_stands_still(World *world)
{
    if (world->turn_time != sim_now(world->sim)) {
        world->turn_time = sim_now(world->sim);
        world->turns = 0;
    }
    return ++world->turns > MAX_TURNS_AT_ONE_TIME;
}

static void
process_resume(Process *process)
{
    World *world = process->world;
    Lab *lab = world->lab;
    Process *outer = world->running;
    int n_results = 0;
    int n_args = process->call == NULL ? lua_gettop(process->L) - 1 : 0;

    if (lab->error != NULL)
        return;
    sandbox_new_turn(lab);
    world->running = process;

    int status = lua_resume(process->L, lab->L, n_args, &n_results);

    world->running = outer;
    if (status == LUA_YIELD && process->is_waiting && !time_stands_still(world))
        return;
    if (status == LUA_YIELD) {
        lua_pushstring(process->L,
                       process->is_waiting
                           ? "runs for ever without letting time pass"
                           : "coroutine.yield() outside of a coroutine of the scenario's own");
        status = LUA_ERRRUN;
    }
    if (status != LUA_OK) {
        sandbox_push_traceback(process->L); /* of the coroutine, whose stack still stands */
        lab_fail(lab, process->L, process->name);
        return;
    }
    process_end(process);
}

static void
start(void *arg)
{
    process_resume(arg);
}

Process *
process_spawn(lua_State *from, World *world, int nargs, const char *name)
{
    lua_State *L = lua_newthread(from);
    int anchor = luaL_ref(from, LUA_REGISTRYINDEX);
    Process *process = g_new0(Process, 1);

    lua_xmove(from, L, nargs + 1);
    process->world = world;
    process->L = L;
    process->anchor = anchor;
    process->name = g_strdup(name);
    process->next = world->processes;
    if (process->next != NULL)
        process->next->before = process;
    world->processes = process;
    sim_timer_init(&process->timer);
    sim_at(world->sim, sim_now(world->sim), start, process);
    return process;
}

void
processes_describe(const World *world, GString *text)
{
    for (const Process *process = world->processes; process != NULL; process = process->next)
        if (process->is_waiting)
            g_string_append_printf(text, "%s%s in %s()", text->len > 0 ? ", " : "", process->name,
                                   process->call->name);
}
