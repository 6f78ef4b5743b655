/* Timers: deadlines that are mostly pushed back or stopped, seldom reached.
 *
 * A timer keeps its event in the queue while its deadline moves away: the event
 * finds the new deadline when it comes up and takes its place there. The place
 * among events of the same time is that of the last sim_timer_set, as if it had
 * been scheduled then. Only a deadline that comes nearer moves the event; an
 * event that already waits in the heap cannot be moved and is let go.
 */
#include "sim/sim_internal.h"

void
sim_timer_init(SimTimer *timer)
{
    *timer = (SimTimer){ .deadline = SIM_NEVER };
}

static void
timer_park(Queue *queue, SimTimer *timer, SimTime deadline, SimEventFn *fn, void *arg)
{
    uint32_t id = parked_new(queue);

    queue->parked[id] = (Parked){
        .order = queue_new_order(queue),
        .fn = fn,
        .arg = arg,
        .timer = timer,
    };
    timer->event = id;
    queue_park(queue, id, deadline);
}

void
sim_timer_set(Sim *sim, SimTimer *timer, SimTime deadline, SimEventFn *fn, void *arg)
{
    Queue *queue = &sim->queue;

    sim_check(deadline >= sim->now && deadline != SIM_NEVER);
    sim_check(fn != NULL);
    timer->deadline = deadline;
    if (timer->event == 0) {
        timer_park(queue, timer, deadline, fn, arg);
        return;
    }

    Parked *parked = &queue->parked[timer->event];
    if (deadline >= parked->when) {
        parked->order = queue_new_order(queue);
        parked->fn = fn;
        parked->arg = arg;
    } else if (parked->prev == PARKED_IN_HEAP) {
        parked->timer = NULL;
        timer_park(queue, timer, deadline, fn, arg);
    } else {
        wheel_remove(queue, timer->event);
        parked->order = queue_new_order(queue);
        parked->fn = fn;
        parked->arg = arg;
        queue_park(queue, timer->event, deadline);
    }
}

void
sim_timer_stop(Sim *sim, SimTimer *timer)
{
    (void)sim;
    timer->deadline = SIM_NEVER;
}

void
sim_timer_done(Sim *sim, SimTimer *timer)
{
    Queue *queue = &sim->queue;
    uint32_t id = timer->event;

    timer->deadline = SIM_NEVER;
    if (id == 0)
        return;
    timer->event = 0;
    if (queue->parked[id].prev == PARKED_IN_HEAP) {
        queue->parked[id].timer = NULL;
    } else {
        wheel_remove(queue, id);
        parked_free(queue, id);
    }
}
