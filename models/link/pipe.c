/* Packets between the last bit sent and the far interface. */
#include "models/link/link_internal.h"

static void pipe_arrive(void *arg);

static inline void
pipe_expect(LinkEnd *end, SimTime due)
{
    if (due < end->pipe.event_at) {
        end->pipe.event_at = due;
        sim_at(end->sim, due, pipe_arrive, end);
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
    packet_heap_add(&end->pipe.heap, packet, due, false);
    pipe_expect(end, due);
}

static Packet *
pipe_list_take(Pipe *pipe)
{
    Packet *packet = pipe->head;

    pipe->head = packet->next;
    packet->next = NULL;
    return packet;
}

/* Of two that are due together the one that was sent first arrives first. */
static inline bool
pipe_heap_is_first(const Pipe *pipe)
{
    if (G_LIKELY(pipe->heap.count == 0))
        return false;
    if (pipe->head == NULL)
        return true;
    const HeapItem *top = &pipe->heap.items[0];
    return top->due != pipe->head->due ? top->due < pipe->head->due
                                       : top->packet->tx_at <= pipe->head->tx_at;
}

static inline SimTime
pipe_first_due(const Pipe *pipe)
{
    if (pipe_heap_is_first(pipe))
        return pipe->heap.items[0].due;
    return pipe->head != NULL ? pipe->head->due : SIM_NEVER;
}

static inline Packet *
pipe_take_first(Pipe *pipe)
{
    if (pipe_heap_is_first(pipe))
        return packet_heap_take(&pipe->heap).packet;
    return pipe_list_take(pipe);
}

/* What is due now reaches the far interface. The event may be one that an
 * earlier packet has made superfluous; then there is nothing to do. */
static void
pipe_arrive(void *arg)
{
    LinkEnd *end = arg;
    Pipe *pipe = &end->pipe;
    SimTime now = sim_now(end->sim);

    if (now != pipe->event_at)
        return;
    while (pipe_first_due(pipe) <= now) {
        Packet *packet = pipe_take_first(pipe);

        link_note(end, PACKET_EVENT_DELIVERED, packet, NULL, 0);
        host_receive(end->to, packet);
    }
    pipe->event_at = SIM_NEVER;
    SimTime next = pipe_first_due(pipe);
    if (next != SIM_NEVER)
        pipe_expect(end, next);
    if (probe_is_heard(&end->probes->queue))
        link_record_queue_change(end); /* a FIFO has no event of its own that could tell */
}

Packet *
pipe_take_any(Pipe *pipe)
{
    return pipe_first_due(pipe) != SIM_NEVER ? pipe_take_first(pipe) : NULL;
}
