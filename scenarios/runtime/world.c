#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/process.h"

World *
world_new(Lab *lab, const char *name)
{
    World *world = g_new0(World, 1);

    world->lab = lab;
    world->name = g_strdup(name);
    world->prefix = name[0] == '\0' ? g_strdup("") : g_strdup_printf("%s: ", name);
    world->profile = lab->options.profile;
    world->sim = sim_new(lab->options.seed);
    world->net = net_new(world->sim);
    world->recorder = recorder_new(world->net, &lab->options.recorder);
    world->params = g_ptr_array_new_with_free_func((GDestroyNotify)param_free);
    for (unsigned i = 0; i < lab->params->len; i++)
        g_ptr_array_add(world->params, param_copy(lab->params->pdata[i]));
    world->hosts = g_ptr_array_new_with_free_func((GDestroyNotify)host_box_free);
    world->links = g_ptr_array_new_with_free_func((GDestroyNotify)link_box_free);
    world->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    world->main = g_new0(Process, 1);
    world->main->world = world;
    world->main->L = lab->L;
    world->main->is_main = true;
    world->main->name = g_strdup("the main script");
    sim_timer_init(&world->main->timer);
    g_ptr_array_add(lab->worlds, world);
    return world;
}

void
world_free(World *world)
{
    sock_boxes_free(world);
    recorder_free(world->recorder);
    g_ptr_array_unref(world->links);
    g_ptr_array_unref(world->hosts);
    net_free(world->net);
    sim_free(world->sim);
    for (Process *process = world->processes, *next; process != NULL; process = next) {
        next = process->next;
        process_free(process);
    }
    process_free(world->main);
    g_ptr_array_unref(world->params);
    g_hash_table_unref(world->names);
    g_free(world->name);
    g_free(world->prefix);
    g_free(world);
}

World *
lab_world(Lab *lab)
{
    if (lab->world == NULL) {
        lab->world = world_new(lab, "");

        char *error = NULL;

        if (lab->options.on_world != NULL &&
            !lab->options.on_world(lab->options.arg, lab->world, &error)) {
            lua_pushstring(lab->L, error);
            g_free(error);
            lua_error(lab->L);
        }
    }
    return lab->world;
}

const char *
world_prefix(const World *world)
{
    return world->prefix;
}

void
world_claim_name(lua_State *L, World *world, const char *name, const char *what)
{
    if (name[0] == '\0' || strcspn(name, " \t\n/\\\"'") != strlen(name))
        conf_error(L, "%s: found the name \"%s\", expected one without spaces, slashes and quotes",
                   what, name);
    if (g_hash_table_contains(world->names, name))
        conf_error(L, "%s: the name \"%s\" is used twice", what, name);
    g_hash_table_add(world->names, g_strdup(name));
}

bool
world_may_go_on(World *world)
{
    Lab *lab = world->lab;

    if (lab->options.on_progress != NULL)
        lab->options.on_progress(lab->options.arg, world);
    return !lab_is_interrupted(lab) && lab->error == NULL;
}

/* Until the queue is empty: event by event, so that the clock stands at the
 * last one. */
static void
run_dry(World *world)
{
    Lab *lab = world->lab;

    do {
        for (unsigned i = 0; i < WORLD_LOOK_EVERY; i++)
            if (lab->error != NULL || !sim_step(world->sim))
                return;
    } while (world_may_go_on(world));
}

#define SLICE_WALL_US 50000 /* between two looks at the progress bar and at Ctrl-C */

static void
run_until(World *world, SimTime until)
{
    SimTime slice = SIM_MS;

    do {
        SimTime now = sim_now(world->sim);
        gint64 began = g_get_monotonic_time(); /* paces the bar alone, never the simulation */

        sim_run(world->sim, slice > until - now ? until : now + slice);
        if (g_get_monotonic_time() - began < SLICE_WALL_US)
            slice = MIN(slice * 2, SIM_SEC * 3600);
        else
            slice = MAX(slice / 2, SIM_US);
    } while (world_may_go_on(world) && sim_now(world->sim) < until);
}

void
world_run(lua_State *L, World *world, SimTime until)
{
    Lab *lab = world->lab;

    if (world->is_running || world->running != NULL)
        conf_error(L, "run: the world runs already: a process waits with sleep()");
    until = MIN(until, lab->options.until);
    world->is_running = true;
    world->has_run = true;
    if (until == SIM_NEVER)
        run_dry(world);
    else
        run_until(world, until);
    world->is_running = false;
    if (lab->error != NULL) {
        lua_pushstring(L, lab->error);
        lua_error(L);
    }
}
