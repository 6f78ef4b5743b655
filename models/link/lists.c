/* Lists and heaps of packets: Packet.next and arrays, nothing of links. */
#include "models/link/link_internal.h"

void
packet_list_append(PacketList *list, Packet *packet)
{
    packet->next = NULL;
    if (list->head == NULL)
        list->head = packet;
    else
        list->tail->next = packet;
    list->tail = packet;
    list->count++;
    list->bytes += packet->ip.total_len;
}

Packet *
packet_list_take(PacketList *list)
{
    Packet *packet = list->head;

    if (packet != NULL) {
        list->head = packet->next;
        packet->next = NULL;
        list->count--;
        list->bytes -= packet->ip.total_len;
    }
    return packet;
}

static inline bool
heap_item_before(const HeapItem *a, const HeapItem *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

void
packet_heap_add(PacketHeap *heap, Packet *packet, SimTime due, bool is_injected)
{
    HeapItem item = {
        .due = due,
        .order = ++heap->last_order,
        .packet = packet,
        .is_injected = is_injected,
    };

    packet->next = NULL;
    if (heap->count == heap->room) {
        heap->room = MAX(16, heap->room * 2);
        heap->items = g_renew(HeapItem, heap->items, heap->room);
    }
    uint32_t at = heap->count++;
    while (at > 0 && heap_item_before(&item, &heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = item;
}

HeapItem
packet_heap_take(PacketHeap *heap)
{
    HeapItem *items = heap->items;
    HeapItem first = items[0], last = items[--heap->count];
    uint32_t at = 0, child;

    while ((child = 2 * at + 1) < heap->count) {
        if (child + 1 < heap->count && heap_item_before(&items[child + 1], &items[child]))
            child++;
        if (!heap_item_before(&items[child], &last))
            break;
        items[at] = items[child];
        at = child;
    }
    items[at] = last;
    return first;
}
