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
        .heap = g_new(HeapEntry, HEAP_FIRST_ROOM),
        .heap_room = HEAP_FIRST_ROOM,
        .parked = g_new(Parked, PARKED_FIRST_ROOM),
        .parked_room = PARKED_FIRST_ROOM,
        .parked_length = 1,
    };
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
    uint64_t order = queue->next_order++;

    if ((uint64_t)when >> WHEEL_TICK_BITS <= queue->tick) {
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
queue_timer_is_due(Queue *queue, uint32_t id, QueueKey key)
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
    if (key != queue_key(timer->deadline, parked->order)) {
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
            if (!wheel_pour(queue, until))
                return false;
            continue;
        }
        if (queue_key_time(top->key) > until)
            return false;

        HeapEntry entry = *top;
        heap_drop_top(queue);
        event->when = queue_key_time(entry.key);
        if (entry.fn != NULL) {
            event->fn = entry.fn;
            event->arg = entry.arg;
            return true;
        }
        uint32_t id = GPOINTER_TO_UINT(entry.arg);
        if (queue_timer_is_due(queue, id, entry.key)) {
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
    return MIN(heap_lower_bound(queue), wheel_lower_bound(queue));
}
