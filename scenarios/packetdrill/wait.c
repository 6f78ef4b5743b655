/* Time, and the blocking call that waits in another thread meanwhile. */
#include "scenarios/packetdrill/door.h"

void
door_interrupt(Door *door)
{
    door->is_interrupted = true;
    sim_stop(door->sim);
}

/* The blocking call's thread runs until it waits again or has returned; the
 * clock stands still for it. */
static void
door_hand_over(Door *door)
{
    while (door->is_woken)
        g_cond_wait(&door->settled, &door->lock);
}

void
door_run(Door *door, SimTime until)
{
    for (;;) {
        door->is_interrupted = false;
        sim_run(door->sim, until);
        door_zerocopy_collect(door);
        door_hand_over(door);
        if (!door->is_interrupted)
            return;
        if (door->wants_packet && !g_queue_is_empty(&door->sent))
            return;
        if (door->wants_event)
            return;
    }
}

void
door_file_on_event(void *arg, Socket *sock)
{
    DoorFile *file = arg;
    Door *door = file->door;

    (void)sock;
    door_watches_note(door, file);
    if (door->is_waiting && !door->is_woken) {
        door->is_woken = true;
        g_cond_signal(&door->wake);
        door_interrupt(door);
    }
    if (door->wants_event)
        door_interrupt(door);
}

static void
door_time_out(void *arg)
{
    Door *door = arg;

    door->timed_out = true;
    if (door->is_waiting && !door->is_woken) {
        door->is_woken = true;
        g_cond_signal(&door->wake);
    }
    door_interrupt(door);
}

/* The driving thread itself would block: nobody else moves time, so it does. */
static bool
door_wait_driving(Door *door, SimTime deadline)
{
    SimTime until = deadline != SIM_NEVER ? deadline : sim_now(door->sim) + 3600 * SIM_SEC;

    door->wants_event = true;
    door_run(door, until);
    door->wants_event = false;
    return door->is_interrupted && !door->timed_out;
}

bool
door_wait(Door *door, SimTime deadline)
{
    if (deadline <= sim_now(door->sim))
        return false;
    door->timed_out = false;
    if (g_thread_self() == door->driver)
        return door_wait_driving(door, deadline);

    sim_check(!door->is_waiting); /* packetdrill has one thread for such calls */
    if (deadline != SIM_NEVER)
        sim_timer_set(door->sim, &door->timeout, deadline, door_time_out, door);
    door->is_waiting = true;
    if (door->is_woken) {
        door->is_woken = false;
        g_cond_signal(&door->settled);
    }
    while (!door->is_woken)
        g_cond_wait(&door->wake, &door->lock);
    door->is_waiting = false;
    sim_timer_stop(door->sim, &door->timeout);
    return !door->timed_out;
}

SimTime
door_deadline(const Door *door, SimTime timeout)
{
    return timeout != 0 ? sim_now(door->sim) + timeout : SIM_NEVER;
}
