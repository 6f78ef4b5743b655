/* The kernel's loop: take the next event, move the clock, run it. */
#include "sim/sim_internal.h"

Sim *
sim_new(uint64_t seed)
{
    Sim *sim = g_new(Sim, 1);

    sim->now = 0;
    sim->stopping = false;
    sim->events_run = 0;
    sim->seed = seed;
    queue_init(&sim->queue);
    return sim;
}

void
sim_free(Sim *sim)
{
    queue_done(&sim->queue);
    g_free(sim);
}

SimTime
sim_now(const Sim *sim)
{
    return sim->now;
}

uint64_t
sim_seed(const Sim *sim)
{
    return sim->seed;
}

uint64_t
sim_events_run(const Sim *sim)
{
    return sim->events_run;
}

void
sim_rng_named(const Sim *sim, SimRng *rng, const char *name)
{
    sim_rng_init(rng, sim->seed, name);
}

void
sim_at(Sim *sim, SimTime when, SimEventFn *fn, void *arg)
{
    sim_check(when >= sim->now && when != SIM_NEVER);
    sim_check(fn != NULL);
    queue_add(&sim->queue, when, fn, arg);
}

static inline bool
sim_step_until(Sim *sim, SimTime until)
{
    QueueEvent event;

    if (!queue_take(&sim->queue, until, &event))
        return false;
    sim->now = event.when;
    sim->events_run++;
    event.fn(event.arg);
    return true;
}

void
sim_run(Sim *sim, SimTime until)
{
    const SimTime *outer = sim_check_use_clock(&sim->now);

    sim->stopping = false;
    while (!sim->stopping && sim_step_until(sim, until))
        continue;
    if (!sim->stopping && until != SIM_NEVER)
        sim->now = MAX(sim->now, until);
    sim_check_use_clock(outer);
}

bool
sim_step(Sim *sim)
{
    const SimTime *outer = sim_check_use_clock(&sim->now);
    bool ran = sim_step_until(sim, SIM_NEVER);

    sim_check_use_clock(outer);
    return ran;
}

SimTime
sim_next_event(const Sim *sim)
{
    return MAX(sim->now, queue_lower_bound(&sim->queue));
}

void
sim_stop(Sim *sim)
{
    sim->stopping = true;
}
