#include "scenarios/runtime/lab.h"

#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/process.h"
#include "scenarios/runtime/sandbox.h"
#include "scenarios/runtime/suggest.h"

/* Raised by scenario{} when only the description was asked for. */
static const char described[] = "described";

static void
expectation_free(void *arg)
{
    Expectation *expectation = arg;

    g_free(expectation->where);
    g_free(expectation->claim);
    g_free(expectation->found);
    g_free(expectation->world);
    g_free(expectation);
}

static void
saying_free(void *arg)
{
    Saying *saying = arg;

    g_free(saying->text);
    g_free(saying->world);
    g_free(saying);
}

Lab *
lab_new(const LabOptions *options)
{
    Lab *lab = g_new0(Lab, 1);

    lab->options = *options;
    if (lab->options.memory_limit == 0)
        lab->options.memory_limit = SANDBOX_MEMORY_LIMIT;
    if (lab->options.turn_limit == 0)
        lab->options.turn_limit = SANDBOX_TURN_LIMIT;
    lab->params = g_ptr_array_new_with_free_func((GDestroyNotify)param_free);
    lab->worlds = g_ptr_array_new_with_free_func((GDestroyNotify)world_free);
    lab->sayings = g_ptr_array_new_with_free_func(saying_free);
    lab->expectations = g_ptr_array_new_with_free_func(expectation_free);
    return lab;
}

void
lab_free(Lab *lab)
{
    /* Lua first: its handles look at the worlds as they are collected. */
    if (lab->L != NULL)
        sandbox_free(lab->L);
    g_ptr_array_unref(lab->worlds);
    g_ptr_array_unref(lab->params);
    g_ptr_array_unref(lab->sayings);
    g_ptr_array_unref(lab->expectations);
    g_free(lab->file);
    g_free(lab->source);
    g_free(lab->title);
    g_free(lab->about);
    g_free(lab->error);
    g_free(lab);
}

const char *
lab_error(const Lab *lab)
{
    return lab->error;
}

unsigned
lab_failures(const Lab *lab)
{
    unsigned n = 0;

    for (unsigned i = 0; i < lab->expectations->len; i++)
        n += !((Expectation *)lab->expectations->pdata[i])->is_met;
    return n;
}

/* ---- errors ------------------------------------------------------------------ */

/* A nil that Lua stumbles over is most often the result of a call that failed.
 * NULL: nothing of the kind. */
static char *
nil_hint(const World *world, const lua_State *L, const char *text)
{
    const Process *process = world == NULL ? NULL : process_find(world, L);

    if (process == NULL || process->failed_with == NULL || strstr(text, " a nil value") == NULL)
        return NULL;
    return g_strdup_printf("%s; the last %s() failed: %s", text, process->failed_call,
                           process->failed_with);
}

/* The bounds of the sandbox speak for themselves. */
static char *
error_text(Lab *lab, lua_State *L)
{
    const char *text = sandbox_error_text(L, -1);

    if (lab->out_of_memory && strstr(text, "not enough memory") != NULL)
        return g_strdup_printf(
            "%s: the scenario needs more memory than the %zu MiB that it may use", lab->file,
            lab->options.memory_limit >> 20);
    return g_strdup(text);
}

void
lab_fail(Lab *lab, lua_State *L, const char *who)
{
    if (lab->error != NULL)
        return;

    g_autofree char *text = error_text(lab, L);
    char at[SIM_TIME_TEXT];
    char *rest = strchr(text, '\n');
    World *world = lab->world;

    if (rest != NULL)
        *rest++ = '\0';

    g_autofree char *hinted = nil_hint(world, L, text);
    const char *first = hinted != NULL ? hinted : text;

    if (world != NULL && world->is_running && who != NULL)
        lab->error = g_strdup_printf("%s [%s%s, at %s]%s%s", first, world_prefix(world), who,
                                     sim_time_format(sim_now(world->sim), at),
                                     rest == NULL ? "" : "\n", rest == NULL ? "" : rest);
    else
        lab->error =
            g_strdup_printf("%s%s%s", first, rest == NULL ? "" : "\n", rest == NULL ? "" : rest);
    if (world != NULL)
        sim_stop(world->sim);
}

bool
lab_is_interrupted(Lab *lab)
{
    const char *name = lab->options.interrupted_by != NULL ? lab->options.interrupted_by() : NULL;
    char at[SIM_TIME_TEXT];

    if (name == NULL)
        return false;
    if (lab->error != NULL)
        return true;
    if (lab->world == NULL)
        lab->error = g_strdup_printf("%s: stopped; nothing was written", name);
    else
        lab->error =
            g_strdup_printf("%s: stopped at virtual time %s; nothing was written", name,
                            sim_time_format(sim_now(lab->world->sim) / SIM_US * SIM_US, at));
    if (lab->world != NULL)
        sim_stop(lab->world->sim);
    return true;
}

bool
lab_callback(Lab *lab, int nargs, int nresults, const char *who)
{
    lua_State *L = lab->callback;

    sandbox_new_turn(lab);
    if (lua_pcall(L, nargs, nresults, 0) == LUA_OK)
        return true;
    lab_fail(lab, L, who);
    lua_pop(L, 1);
    return false;
}

/* ---- running a file ------------------------------------------------------------ */

static int
open_bindings(lua_State *L)
{
    Lab *lab = lab_of(L);

    lab->callback = lua_newthread(L);
    luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    lab->results = luaL_ref(L, LUA_REGISTRYINDEX);
    bind_all(L);
    return 0;
}

/* Every world that was built and never run lives to its end. */
static void
run_idle_worlds(lua_State *L, Lab *lab)
{
    if (lab->world != NULL && !lab->world->has_run)
        world_run(L, lab->world, SIM_NEVER);
}

void
lab_set_params(lua_State *L, Lab *lab)
{
    for (char **set = lab->options.set; set != NULL && *set != NULL; set++) {
        char *error = params_set(lab->params, lab->file, *set);

        if (error != NULL) {
            lua_pushstring(L, error);
            g_free(error);
            lua_error(L);
        }
    }
}

static int
run_chunk(lua_State *L)
{
    Lab *lab = lab_of(L);
    g_autofree char *chunk = g_strdup_printf("@%s", lab->file);
    int status;

    if (!shelf_load_chunk(lab->options.shelf, L, chunk, &status)) {
        status = luaL_loadbufferx(L, lab->source, strlen(lab->source), chunk, "t");
        if (status == LUA_OK)
            shelf_put_chunk(lab->options.shelf, L, chunk);
    }
    g_free(g_steal_pointer(&chunk));
    if (status != LUA_OK)
        lua_error(L);
    lua_call(L, 0, 0);
    if (!lab->is_declared)
        lab_set_params(L, lab); /* which it does not have: that must be told */
    run_idle_worlds(L, lab);
    lua_rawgeti(L, LUA_REGISTRYINDEX, lab->at_end);
    lua_call(L, 0, 0);
    return 0;
}

static bool
call_protected(Lab *lab, lua_CFunction fn)
{
    lua_State *L = lab->L;

    lua_settop(L, 0);
    lua_pushcfunction(L, sandbox_traceback);
    lua_pushcfunction(L, fn);
    if (lua_pcall(L, 0, 0, 1) == LUA_OK)
        return true;
    if (lab->error == NULL)
        lab_fail(lab, L, NULL);
    return false;
}

static bool
read_file(Lab *lab, const char *file)
{
    g_autofree char *shelved = g_strdup_printf("text of %s", file);
    g_autoptr(GBytes) text = shelf_get(lab->options.shelf, shelved);
    g_autoptr(GError) error = NULL;
    gsize len = 0;

    lab->file = g_strdup(file);
    if (text != NULL) {
        lab->source = g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
        return true;
    }
    if (!g_file_get_contents(file, &lab->source, &len, &error)) {
        g_autofree char *hint =
            g_file_test(file, G_FILE_TEST_EXISTS) ? g_strdup("") : suggest_scenario(file);

        lab->error = g_strdup_printf("cannot read the scenario: %s%s", error->message, hint);
        return false;
    }
    if (strlen(lab->source) != len || lab->source[0] == '\033') {
        lab->error = g_strdup_printf("%s: is no text: a scenario is a Lua source file", file);
        return false;
    }
    shelf_put(lab->options.shelf, shelved, lab->source, len);
    return true;
}

bool
lab_run_file(Lab *lab, const char *file)
{
    if (!read_file(lab, file))
        return false;
    if (sandbox_new(lab) == NULL) {
        lab->error = g_strdup_printf("--memory: found %" G_GUINT64_FORMAT
                                     " bytes, expected more than Lua itself takes, some 100 KiB",
                                     lab->options.memory_limit);
        return false;
    }
    return call_protected(lab, open_bindings) && call_protected(lab, run_chunk);
}

bool
lab_describe_file(Lab *lab, const char *file)
{
    lab->describes_only = true;
    if (lab_run_file(lab, file))
        return true; /* a scenario without scenario{} */
    if (lab->error != NULL && strstr(lab->error, described) != NULL && lab->is_declared) {
        g_clear_pointer(&lab->error, g_free);
        return true;
    }
    return false;
}
