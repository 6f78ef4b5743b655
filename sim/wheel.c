/* The far part of the event queue: a hierarchical timing wheel.
 *
 * Write the tick of an event and the wheel's own tick in base 64. The highest
 * digit in which they differ is the event's level, its digit there the slot.
 * That stays true while the wheel turns, until it enters the slot; then the
 * slot is poured out, and what it held finds finer slots, or the heap. So an
 * event moves at most once a level, and an empty stretch of time, however long,
 * costs one look at each bit map.
 */
#include "sim/queue.h"

static unsigned
wheel_level_of(const Queue *queue, uint64_t tick)
{
    return (unsigned)(63 - __builtin_clzll(tick ^ queue->tick)) / WHEEL_SLOT_BITS;
}

static unsigned
wheel_digit(uint64_t tick, unsigned level)
{
    return (unsigned)(tick >> (level * WHEEL_SLOT_BITS)) & (WHEEL_SLOTS - 1);
}

/* Start of a slot: the wheel's digits above its level, its number, zeros. */
static uint64_t
wheel_slot_tick(const Queue *queue, unsigned level, unsigned slot)
{
    unsigned shift = level * WHEEL_SLOT_BITS;
    uint64_t above = queue->tick >> (shift + WHEEL_SLOT_BITS) << WHEEL_SLOT_BITS;

    return (above | slot) << shift;
}

uint32_t
parked_new(Queue *queue)
{
    uint32_t id = queue->free;

    if (id != 0) {
        queue->free = queue->parked[id].next;
        return id;
    }
    if (queue->parked_length == queue->parked_room) {
        sim_check(queue->parked_room < PARKED_IN_HEAP / 2);
        queue->parked_room *= 2;
        queue->parked = g_renew(Parked, queue->parked, queue->parked_room);
    }
    return queue->parked_length++;
}

void
parked_free(Queue *queue, uint32_t id)
{
    queue->parked[id].next = queue->free;
    queue->free = id;
}

void
wheel_add(Queue *queue, uint32_t id)
{
    Parked *parked = &queue->parked[id];
    uint64_t tick = queue_tick_of(parked->when);
    sim_check(tick > queue->tick);
    unsigned level = wheel_level_of(queue, tick);
    unsigned slot = wheel_digit(tick, level);
    uint32_t *head = &queue->slots[level][slot];

    parked->prev = 0;
    parked->next = *head;
    if (*head != 0)
        queue->parked[*head].prev = id;
    *head = id;
    queue->used[level] |= UINT64_C(1) << slot;
}

void
wheel_remove(Queue *queue, uint32_t id)
{
    Parked *parked = &queue->parked[id];

    if (parked->next != 0)
        queue->parked[parked->next].prev = parked->prev;
    if (parked->prev != 0) {
        queue->parked[parked->prev].next = parked->next;
        return;
    }
    uint64_t tick = queue_tick_of(parked->when);
    unsigned level = wheel_level_of(queue, tick);
    unsigned slot = wheel_digit(tick, level);
    queue->slots[level][slot] = parked->next;
    if (parked->next == 0)
        queue->used[level] &= ~(UINT64_C(1) << slot);
}

void
queue_park(Queue *queue, uint32_t id, SimTime when)
{
    Parked *parked = &queue->parked[id];

    parked->when = when;
    if (queue_tick_of(when) != queue->tick) {
        wheel_add(queue, id);
        return;
    }
    parked->prev = PARKED_IN_HEAP;
    heap_push(queue, queue_key(when, parked->order), NULL, GUINT_TO_POINTER(id));
}

/* One event of a slot that is being poured out: a timer may have been stopped
 * or pushed back since, a plain event needs its id no longer once near. */
static void
wheel_pour_one(Queue *queue, uint32_t id)
{
    Parked *parked = &queue->parked[id];
    SimTimer *timer = parked->timer;

    if (timer != NULL) {
        if (sim_timer_is_set(timer)) {
            queue_park(queue, id, timer->deadline);
        } else {
            timer->event = 0;
            parked_free(queue, id);
        }
    } else if (queue_tick_of(parked->when) != queue->tick) {
        wheel_add(queue, id);
    } else {
        heap_push(queue, queue_key(parked->when, parked->order), parked->fn, parked->arg);
        parked_free(queue, id);
    }
}

static bool
wheel_next_slot(const Queue *queue, unsigned *level, unsigned *slot)
{
    for (*level = 0; *level < WHEEL_LEVELS; (*level)++) {
        if (queue->used[*level] != 0) {
            *slot = (unsigned)__builtin_ctzll(queue->used[*level]);
            return true;
        }
    }
    return false;
}

bool
wheel_pour(Queue *queue, SimTime until)
{
    unsigned level, slot;

    if (!wheel_next_slot(queue, &level, &slot))
        return false;
    uint64_t tick = wheel_slot_tick(queue, level, slot);
    if (tick > queue_tick_of(until))
        return false;

    uint32_t id = queue->slots[level][slot];
    queue->slots[level][slot] = 0;
    queue->used[level] &= ~(UINT64_C(1) << slot);
    queue->tick = tick;
    while (id != 0) {
        uint32_t next = queue->parked[id].next;
        wheel_pour_one(queue, id);
        id = next;
    }
    return true;
}

SimTime
wheel_lower_bound(const Queue *queue)
{
    unsigned level, slot;

    if (!wheel_next_slot(queue, &level, &slot))
        return SIM_NEVER;
    return (SimTime)(wheel_slot_tick(queue, level, slot) << WHEEL_TICK_BITS);
}
