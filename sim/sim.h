/* The kernel: a clock, a queue of events, timers, a seed. It knows no network.
 *
 * Events are ordered by (time, order of scheduling): ties are first in, first
 * out, always. One Sim is used by one thread; any number of Sims live side by
 * side, for there is no mutable global anywhere.
 *
 * Near events wait in a small heap, far ones in a hierarchical wheel whose
 * slots pour into the heap when their time comes near, so that setting a
 * timer costs O(1) however many a million connections have set.
 */
#ifndef HALFOPEN_SIM_SIM_H
#define HALFOPEN_SIM_SIM_H

#include "sim/check.h"
#include "sim/rng.h"
#include "sim/time.h"

typedef struct Sim Sim;
typedef void SimEventFn(void *arg);

Sim *sim_new(uint64_t seed);
void sim_free(Sim *sim); /* pending events are forgotten, not run */

SimTime sim_now(const Sim *sim);
uint64_t sim_seed(const Sim *sim);
uint64_t sim_events_run(const Sim *sim);
void sim_rng_named(const Sim *sim, SimRng *rng, const char *name); /* a stream of this run */

/* Runs fn(arg) once at `when` (not before now). Cannot be cancelled: what may
 * be cancelled is a SimTimer. */
void sim_at(Sim *sim, SimTime when, SimEventFn *fn, void *arg);

/* Runs events up to and including `until`; the clock then stands at `until`,
 * or at the last event if the queue ran dry and `until` is SIM_NEVER. */
void sim_run(Sim *sim, SimTime until);
bool sim_step(Sim *sim);                /* runs one event; false when none is left */
SimTime sim_next_event(const Sim *sim); /* SIM_NEVER when none is left; a lower bound otherwise */
void sim_stop(Sim *sim);                /* sim_run returns after the current event */

/* A timer is 16 bytes in the struct it times. Pushing it back only writes the
 * new deadline: its old event re-arms itself when it comes up. */
typedef struct SimTimer {
    SimTime deadline; /* SIM_NEVER when off */
    uint32_t event;   /* the queue's event that will look at it; 0 when none */
    uint32_t spare;   /* free for the owner: says what the timer is for */
} SimTimer;

void sim_timer_init(SimTimer *timer);
void sim_timer_set(Sim *sim, SimTimer *timer, SimTime deadline, SimEventFn *fn, void *arg);
void sim_timer_stop(Sim *sim,
                    SimTimer *timer); /* off; may be set again, with the same fn and arg */
void sim_timer_done(Sim *sim, SimTimer *timer); /* off, and its memory may go */

static inline bool
sim_timer_is_set(const SimTimer *timer)
{
    return timer->deadline != SIM_NEVER;
}

#endif
