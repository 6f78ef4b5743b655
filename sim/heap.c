/* The near part of the event queue: a 4-ary heap.
 *
 * Four children share two cache lines, and the tree is half as deep as a binary
 * one. An event mostly schedules one successor, so taking the root leaves a
 * hole, which the next push fills on its way down: one walk in place of two.
 */
#include "sim/queue.h"

static void
heap_sift_down(Queue *queue, uint32_t at, HeapEntry entry)
{
    HeapEntry *heap = queue->heap;
    uint32_t length = queue->heap_length;

    for (;;) {
        uint32_t first = 4 * at + 1;
        if (first >= length)
            break;
        uint32_t least = first;
        uint32_t end = MIN(first + 4, length);
        for (uint32_t child = first + 1; child < end; child++)
            least = heap[child].key < heap[least].key ? child : least;
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
heap_push(Queue *queue, QueueKey key, SimEventFn *fn, void *arg)
{
    HeapEntry entry = { .key = key, .fn = fn, .arg = arg };

    if (queue->heap_hole) {
        queue->heap_hole = false;
        heap_sift_down(queue, 0, entry);
        return;
    }
    if (queue->heap_length == queue->heap_room) {
        queue->heap_room *= 2;
        queue->heap = g_renew(HeapEntry, queue->heap, queue->heap_room);
    }
    heap_sift_up(queue, queue->heap_length++, entry);
}

const HeapEntry *
heap_top(Queue *queue)
{
    if (queue->heap_hole) {
        queue->heap_hole = false;
        queue->heap_length--;
        if (queue->heap_length > 0)
            heap_sift_down(queue, 0, queue->heap[queue->heap_length]);
    }
    return queue->heap_length > 0 ? &queue->heap[0] : NULL;
}

void
heap_drop_top(Queue *queue)
{
    queue->heap_hole = true;
}

SimTime
heap_lower_bound(const Queue *queue)
{
    const HeapEntry *heap = queue->heap;

    if (!queue->heap_hole)
        return queue->heap_length > 0 ? queue_key_time(heap[0].key) : SIM_NEVER;
    SimTime least = SIM_NEVER;
    for (uint32_t child = 1; child < MIN(5, queue->heap_length); child++)
        least = MIN(least, queue_key_time(heap[child].key));
    return least;
}
