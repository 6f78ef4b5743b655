/* Packets between the last bit sent and the far interface. */
#include "models/link/link_internal.h"

static void pipe_arrive(void *arg);

static inline void
pipe_expect(LinkEnd *end, SimTime due)
{
    if (due < end->pipe.event_at) {
        end->pipe.event_at = due;
        sim_at(end->traits->sim, due, pipe_arrive, end);
    }
}

void
pipe_add(LinkEnd *end, Packet *packet, SimTime due)
{
    Pipe *pipe = &end->pipe;

    if (G_LIKELY(pipe->head == NULL)) {
        pipe->head = packet;
    } else if (G_LIKELY(due >= pipe->tail->due)) {
        pipe->tail->next = packet;
    } else { /* the delay has become shorter: it overtakes */
        pipe_add_unordered(end, packet, due);
        return;
    }
    packet->due = due;
    packet->next = NULL;
    pipe->tail = packet;
    pipe_expect(end, due);
}

void
pipe_add_unordered(LinkEnd *end, Packet *packet, SimTime due)
{
    packet->due = due;
    packet_heap_add(&end->unordered, packet, due, false);
    end->is_ordered = false;
    pipe_expect(end, due);
}

/* Of two that are due together the one that was sent first arrives first. */
static inline bool
pipe_unordered_is_first(const LinkEnd *end)
{
    const Packet *head = end->pipe.head;

    if (G_LIKELY(end->is_ordered))
        return false;
    if (head == NULL)
        return true;
    const HeapItem *top = &end->unordered.items[0];
    return top->due != head->due ? top->due < head->due : top->packet->tx_at <= head->tx_at;
}

static inline SimTime
pipe_first_due(const LinkEnd *end)
{
    if (pipe_unordered_is_first(end))
        return end->unordered.items[0].due;
    return end->pipe.head != NULL ? end->pipe.head->due : SIM_NEVER;
}

static inline Packet *
pipe_take_first(LinkEnd *end)
{
    if (pipe_unordered_is_first(end)) {
        Packet *packet = packet_heap_take(&end->unordered).packet;
        end->is_ordered = end->unordered.count == 0;
        return packet;
    }
    Packet *packet = end->pipe.head;
    end->pipe.head = packet->next;
    packet->next = NULL;
    return packet;
}

/* What is due now reaches the far interface. The event may be one that an
 * earlier packet has made superfluous; then there is nothing to do. */
static void
pipe_arrive(void *arg)
{
    LinkEnd *end = arg;
    Pipe *pipe = &end->pipe;
    SimTime now = link_now(end);

    if (now != pipe->event_at)
        return;
    while (pipe_first_due(end) <= now) {
        Packet *packet = pipe_take_first(end);

        link_note(end, PACKET_EVENT_DELIVERED, packet, NULL, 0);
        host_receive(end->to, packet);
    }
    pipe->event_at = SIM_NEVER;
    SimTime next = pipe_first_due(end);
    if (next != SIM_NEVER)
        pipe_expect(end, next);
    if (probe_is_heard(&end->traits->probes->queue))
        link_record_queue_change(end); /* a FIFO has no event of its own that could tell */
}

Packet *
pipe_take_any(LinkEnd *end)
{
    return pipe_first_due(end) != SIM_NEVER ? pipe_take_first(end) : NULL;
}
