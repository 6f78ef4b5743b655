/* The near part of the event queue: a 4-ary heap.
 *
 * Four children share two cache lines, and the tree is half as deep as a binary
 * one. An event mostly schedules one successor, so taking the root leaves a
 * hole, which the next push fills on its way down: one walk in place of two.
 */
#include "sim/queue.h"

/* The least of four neighbours. What is past the end of the heap has a key that
 * loses against all, so that there is no branch to predict. */
static inline uint32_t
heap_least_child(const HeapEntry *heap, uint32_t first)
{
    uint32_t left = first + (heap[first + 1].key < heap[first].key);
    uint32_t right = first + 2 + (heap[first + 3].key < heap[first + 2].key);

    return heap[right].key < heap[left].key ? right : left;
}

static void
heap_sift_down(Queue *queue, uint32_t at, HeapEntry entry)
{
    HeapEntry *heap = queue->heap;
    uint32_t length = queue->heap_length;

    for (uint32_t first = 4 * at + 1; first < length; first = 4 * at + 1) {
        uint32_t least = heap_least_child(heap, first);
        if (entry.key <= heap[least].key)
            break;
        heap[at] = heap[least];
        at = least;
    }
    heap[at] = entry;
}

static void
heap_sift_up(Queue *queue, uint32_t at, HeapEntry entry)
{
    HeapEntry *heap = queue->heap;

    while (at > 0) {
        uint32_t parent = (at - 1) / 4;
        if (heap[parent].key <= entry.key)
            break;
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = entry;
}

void
heap_grow(Queue *queue, uint32_t room)
{
    queue->heap = g_renew(HeapEntry, queue->heap, room);
    for (uint32_t i = queue->heap_room; i < room; i++)
        queue->heap[i] = (HeapEntry){ .key = UINT64_MAX };
    queue->heap_room = room;
}

void
heap_push(Queue *queue, QueueKey key, SimEventFn *fn, void *arg)
{
    HeapEntry entry = { .key = key, .fn = fn, .arg = arg };

    if (queue->heap_hole) {
        queue->heap_hole = false;
        heap_sift_down(queue, 0, entry);
        return;
    }
    if (queue->heap_length + HEAP_CHILDREN > queue->heap_room)
        heap_grow(queue, 2 * queue->heap_room);
    heap_sift_up(queue, queue->heap_length++, entry);
}

const HeapEntry *
heap_top(Queue *queue)
{
    if (queue->heap_hole) {
        queue->heap_hole = false;
        HeapEntry last = queue->heap[--queue->heap_length];
        queue->heap[queue->heap_length].key = UINT64_MAX;
        if (queue->heap_length > 0)
            heap_sift_down(queue, 0, last);
    }
    return queue->heap_length > 0 ? &queue->heap[0] : NULL;
}

void
heap_drop_top(Queue *queue)
{
    queue->heap_hole = true;
}

QueueKey
heap_least(const Queue *queue)
{
    const HeapEntry *heap = queue->heap;
    uint32_t length = queue->heap_length;

    if (!queue->heap_hole)
        return length > 0 ? heap[0].key : UINT64_MAX;
    return length > 1 ? heap[heap_least_child(heap, 1)].key : UINT64_MAX;
}
