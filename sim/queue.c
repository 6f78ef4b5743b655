/* The event queue: heap and wheel together. */
#include "sim/queue.h"

enum {
    HEAP_FIRST_ROOM = 64,
    PARKED_FIRST_ROOM = 64,
};

void
queue_init(Queue *queue)
{
    *queue = (Queue){
        .parked = g_new(Parked, PARKED_FIRST_ROOM),
        .parked_room = PARKED_FIRST_ROOM,
        .parked_length = 1,
    };
    heap_grow(queue, HEAP_FIRST_ROOM);
}

void
queue_done(Queue *queue)
{
    g_free(queue->heap);
    g_free(queue->parked);
}

void
queue_add(Queue *queue, SimTime when, SimEventFn *fn, void *arg)
{
    uint64_t order = queue_new_order(queue);

    if (queue_tick_of(when) == queue->tick) {
        heap_push(queue, queue_key(when, order), fn, arg);
        return;
    }
    uint32_t id = parked_new(queue);
    queue->parked[id] = (Parked){ .when = when, .order = order, .fn = fn, .arg = arg };
    wheel_add(queue, id);
}

/* The heap's top was a timer's event: true if the timer is due, false if it was
 * let go, stopped or pushed back, which is settled here. */
static bool
queue_timer_is_due(Queue *queue, uint32_t id, SimTime when, QueueKey key)
{
    Parked *parked = &queue->parked[id];
    SimTimer *timer = parked->timer;

    if (timer == NULL) {
        parked_free(queue, id);
        return false;
    }
    if (!sim_timer_is_set(timer)) {
        timer->event = 0;
        parked_free(queue, id);
        return false;
    }
    if (timer->deadline != when || key != queue_key(when, parked->order)) {
        queue_park(queue, id, timer->deadline);
        return false;
    }
    timer->deadline = SIM_NEVER;
    timer->event = 0;
    return true;
}

bool
queue_take(Queue *queue, SimTime until, QueueEvent *event)
{
    for (;;) {
        const HeapEntry *top = heap_top(queue);
        if (top == NULL) {
            if (wheel_pour(queue, until))
                continue;
            if (until == SIM_NEVER) /* empty: stopped timers may have turned the wheel too far */
                queue->tick = queue->taken_tick;
            return false;
        }
        SimTime when = queue_key_time(queue, top->key);
        if (when > until)
            return false;

        HeapEntry entry = *top;
        heap_drop_top(queue);
        event->when = when;
        queue->taken_tick = queue->tick;
        if (entry.fn != NULL) {
            event->fn = entry.fn;
            event->arg = entry.arg;
            return true;
        }
        uint32_t id = GPOINTER_TO_UINT(entry.arg);
        if (queue_timer_is_due(queue, id, when, entry.key)) {
            event->fn = queue->parked[id].fn;
            event->arg = queue->parked[id].arg;
            parked_free(queue, id);
            return true;
        }
    }
}

SimTime
queue_lower_bound(const Queue *queue)
{
    QueueKey least = heap_least(queue);

    return least != UINT64_MAX ? queue_key_time(queue, least) : wheel_lower_bound(queue);
}
