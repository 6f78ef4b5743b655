/* The event queue of a Sim; internal to sim/.
 *
 * Two structures share the work. Events whose tick (2^20 ns, about a
 * millisecond) has come wait in a 4-ary heap ordered by (time, order of
 * scheduling). Later ones hang in a hierarchical timing wheel of 64 slots a
 * level (Varghese and Lauck, 1987, scheme 7): setting, moving and cancelling
 * are O(1) there, and a slot pours into the heap, or into finer slots, when its
 * time comes. A bit map a level finds the next slot that holds anything.
 *
 * What fires is either a plain event (fn, arg) or a parked one: an entry with
 * an id, which a SimTimer names and may move or let go. Everything in the wheel
 * is parked; in the heap only timers are.
 */
#ifndef HALFOPEN_SIM_QUEUE_H
#define HALFOPEN_SIM_QUEUE_H

#include "sim/sim.h"

enum {
    HEAP_CHILDREN = 4,
    WHEEL_TICK_BITS = 20, /* 2^20 ns: above the gap between packets, below most timers */
    WHEEL_SLOT_BITS = 6,  /* 64 slots: one word of bit map a level */
    WHEEL_SLOTS = 1 << WHEEL_SLOT_BITS,
    WHEEL_LEVELS = 8, /* 20 + 8 * 6 bits: more than SimTime has */
};

/* All events of the heap are of one tick, so that (time within the tick, order
 * of scheduling) fits one word: comparing two events is one instruction. */
typedef uint64_t QueueKey;

enum {
    QUEUE_ORDER_BITS = 64 - WHEEL_TICK_BITS, /* 17 million million events a simulation */
};

typedef struct HeapEntry {
    QueueKey key;
    SimEventFn *fn; /* NULL: a parked event, arg is its id */
    void *arg;
} HeapEntry;

/* An event with an id: in the wheel, or a timer's event in the heap. */
typedef struct Parked {
    SimTime when;        /* where it stands in the queue */
    uint64_t order;      /* where it should stand among its equals */
    SimEventFn *fn;      /* NULL: nobody waits for it any more */
    void *arg;           /* borrows */
    SimTimer *timer;     /* borrows; NULL for a plain event */
    uint32_t next, prev; /* in its slot's list, 0 ends it; prev is PARKED_IN_HEAP in the heap */
} Parked;

#define PARKED_IN_HEAP UINT32_MAX

typedef struct Queue {
    HeapEntry *heap; /* owns */
    uint32_t heap_length, heap_room;
    bool heap_hole; /* the root was taken and not yet filled: the next push may take it */
    uint32_t free;  /* list of free parked ids through next */
    uint32_t parked_length, parked_room;
    Parked *parked;              /* owns; index 0 is nobody */
    uint64_t next_order;         /* 2^64 events: never wraps */
    uint64_t tick;               /* the heap holds ticks up to this one, the wheel later ones */
    uint64_t taken_tick;         /* of the event taken last */
    uint64_t used[WHEEL_LEVELS]; /* bit i: slot i holds something */
    uint32_t slots[WHEEL_LEVELS][WHEEL_SLOTS];
} Queue;

void queue_init(Queue *queue);
void queue_done(Queue *queue);

/* Runs fn(arg) at `when` (not before the last event taken), after all that was scheduled for `when`
 * before. */
void queue_add(Queue *queue, SimTime when, SimEventFn *fn, void *arg);

/* The next event up to and including `until`, taken out of the queue; false
 * when there is none. A timer that was pushed back is put where it belongs. */
typedef struct QueueEvent {
    SimTime when;
    SimEventFn *fn;
    void *arg;
} QueueEvent;
bool queue_take(Queue *queue, SimTime until, QueueEvent *event);

SimTime queue_lower_bound(const Queue *queue); /* no event is earlier; SIM_NEVER when empty */

static inline uint64_t
queue_tick_of(SimTime when)
{
    return (uint64_t)when >> WHEEL_TICK_BITS;
}

static inline QueueKey
queue_key(SimTime when, uint64_t order)
{
    return (uint64_t)when << QUEUE_ORDER_BITS | order;
}

/* The time of an event in the heap. */
static inline SimTime
queue_key_time(const Queue *queue, QueueKey key)
{
    return (SimTime)(queue->tick << WHEEL_TICK_BITS | key >> QUEUE_ORDER_BITS);
}

static inline uint64_t
queue_new_order(Queue *queue)
{
    sim_check(queue->next_order >> QUEUE_ORDER_BITS == 0);
    return queue->next_order++;
}

/* heap.c */
SIM_COLD void heap_grow(Queue *queue, uint32_t room);
void heap_push(Queue *queue, QueueKey key, SimEventFn *fn, void *arg);
const HeapEntry *heap_top(Queue *queue); /* NULL when empty */
void heap_drop_top(Queue *queue);        /* only after heap_top returned an entry */
QueueKey heap_least(const Queue *queue); /* UINT64_MAX when empty */

/* wheel.c */
uint32_t parked_new(Queue *queue);
void parked_free(Queue *queue, uint32_t id);
void wheel_add(Queue *queue, uint32_t id); /* by parked->when, whose tick is yet to come */
void wheel_remove(Queue *queue, uint32_t id);
bool wheel_pour(Queue *queue, SimTime until); /* false: nothing in the wheel up to `until` */
SimTime wheel_lower_bound(const Queue *queue);

/* Puts a parked event where its time says: heap or wheel. */
void queue_park(Queue *queue, uint32_t id, SimTime when);

#endif
