#include "models/node/sendqueue.h"

#include "models/link/link.h"

typedef struct SendEntry {
    Packet *packet; /* owns; NULL: it is with the card */
    SentPacket note;
} SendEntry;

struct SendQueue {
    Iface *iface; /* borrows */
    SendQueueParams params;
    uint32_t first, count, room; /* ring; room is a power of two */
    SendEntry *ring;             /* owns; the first is with the card while is_busy */
    uint32_t waiting;            /* bursts that wait: what the limit bounds */
    bool is_busy;                /* the card has the first: */
    SimTimer card;               /* when it has done with it */
    bool refused_burst;          /* the burst that came last */
};

static void send_queue_next(SendQueue *queue);

static void
send_queue_record(const SendQueue *queue, SimTime sojourn)
{
    const Host *host = queue->iface->host;

    if (probe_is_heard(&host->probes->queue)) {
        QueueRecord record = {
            .at = sim_now(host->sim),
            .host = host->id,
            .name = "send_queue",
            .length = queue->waiting,
            .sojourn_ns = sojourn,
        };
        probe_emit(&host->probes->queue, &record);
    }
}

static void
send_queue_tell(const SendQueue *queue, const SentPacket *note, bool is_new)
{
    Host *host = queue->iface->host;

    if (host->on_send_queue != NULL)
        host->on_send_queue(host, note, is_new);
}

static SendEntry
send_queue_take(SendQueue *queue)
{
    SendEntry entry = queue->ring[queue->first];

    queue->first = (queue->first + 1) & (queue->room - 1);
    queue->count--;
    return entry;
}

/* The card has done with the first. */
static void
send_queue_sent(void *arg)
{
    SendQueue *queue = arg;

    queue->is_busy = false;
    SendEntry entry = send_queue_take(queue);
    send_queue_next(queue);
    send_queue_tell(queue, &entry.note, false);
}

/* Gives the next packet to the card and from there, as its first bit leaves, to
 * the link. */
static void
send_queue_next(SendQueue *queue)
{
    Sim *sim = queue->iface->host->sim;
    SimTime now = sim_now(sim), span = 0;

    if (queue->count == 0 || queue->is_busy)
        return;
    SendEntry *entry = &queue->ring[queue->first];
    Packet *packet = entry->packet;
    uint32_t bytes = packet->ip.total_len;

    entry->packet = NULL;
    queue->is_busy = true;
    queue->waiting -= !entry->note.is_burst_rest;
    if (now > entry->note.since)
        send_queue_record(queue, now - entry->note.since);
    if (queue->params.rate != 0)
        span =
            (SimTime)((bytes * UINT64_C(8000000000) + queue->params.rate - 1) / queue->params.rate);
    else if (queue->iface->link != NULL)
        span = link_end_transmit_time(queue->iface->link, bytes);
    sim_timer_set(sim, &queue->card, now + span, send_queue_sent, queue);
    iface_put(queue->iface, packet);
}

static void
send_queue_grow(SendQueue *queue)
{
    uint32_t room = MAX(16, queue->room * 2);
    SendEntry *ring = g_new(SendEntry, room);

    for (uint32_t i = 0; i < queue->count; i++)
        ring[i] = queue->ring[(queue->first + i) & (queue->room - 1)];
    g_free(queue->ring);
    queue->ring = ring;
    queue->room = room;
    queue->first = 0;
}

static bool
send_queue_refuses(SendQueue *queue, const Packet *packet)
{
    if (!(packet->flags & PACKET_BURST_REST))
        queue->refused_burst = queue->waiting >= queue->params.limit_packets;
    return queue->refused_burst;
}

int
send_queue_offer(SendQueue *queue, Packet *packet)
{
    Host *host = queue->iface->host;
    bool is_rest = packet->flags & PACKET_BURST_REST;

    if (send_queue_refuses(queue, packet)) {
        host_record_packet(host, queue->iface, PACKET_EVENT_DROPPED, packet,
                           "the host's own send queue is full");
        packet_free(host->packets, packet);
        return IFACE_REFUSED;
    }
    if (queue->count == queue->room)
        send_queue_grow(queue);
    SendEntry *entry = &queue->ring[(queue->first + queue->count++) & (queue->room - 1)];
    *entry = (SendEntry){
        .packet = packet,
        .note = { .src = packet->ip.src,
                  .dst = packet->ip.dst,
                  .sport = packet->tcp.sport,
                  .dport = packet->tcp.dport,
                  .proto = packet->ip.proto,
                  .conn = packet->conn,
                  .payload_len = packet->payload.len,
                  .since = sim_now(host->sim),
                  .is_burst_rest = is_rest },
    };
    queue->waiting += !is_rest;
    send_queue_tell(queue, &entry->note, true);
    send_queue_next(queue);
    if (queue->waiting > 0)
        send_queue_record(queue, 0);
    return 0;
}

void
send_queue_free(SendQueue *queue)
{
    if (queue == NULL)
        return;
    while (queue->count > 0) {
        SendEntry entry = send_queue_take(queue);

        if (entry.packet != NULL)
            packet_free(queue->iface->host->packets, entry.packet);
    }
    sim_timer_done(queue->iface->host->sim, &queue->card);
    g_free(queue->ring);
    g_free(queue);
}

/* As `tc qdisc del`: what waits is lost, what the card has goes on its way. */
static void
send_queue_purge(SendQueue *queue)
{
    Host *host = queue->iface->host;

    queue->waiting = 0;
    while (queue->count > 0) {
        SendEntry entry = send_queue_take(queue);

        if (entry.packet != NULL) {
            host_record_packet(host, queue->iface, PACKET_EVENT_DROPPED, entry.packet,
                               "the host's send queue was taken away");
            packet_free(host->packets, entry.packet);
        }
        send_queue_tell(queue, &entry.note, false);
    }
}

void
iface_set_send_queue(Iface *iface, const SendQueueParams *params)
{
    SendQueue *queue = iface->send_queue;

    if (params == NULL) {
        iface->send_queue = NULL; /* first: whoever is told may send */
        if (queue != NULL)
            send_queue_purge(queue);
        send_queue_free(queue);
        return;
    }
    if (queue == NULL) {
        queue = iface->send_queue = g_new0(SendQueue, 1);
        queue->iface = iface;
        sim_timer_init(&queue->card);
    }
    queue->params = *params;
}

bool
iface_get_send_queue(const Iface *iface, SendQueueParams *params)
{
    if (iface->send_queue == NULL)
        return false;
    *params = iface->send_queue->params;
    return true;
}

uint32_t
iface_send_queue_length(const Iface *iface)
{
    return iface->send_queue != NULL ? iface->send_queue->waiting : 0;
}
