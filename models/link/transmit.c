/* The transmitter of a plain FIFO queue, computed at arrival, and the way from
 * any transmitter into the pipe. */
#include "models/link/link_internal.h"

/* What a division leaves over is carried to the next packet, so that a busy
 * link carries its rate exactly. */
SimTime
transmit_time(LinkEnd *end, uint32_t ip_bytes)
{
    LinkTraits *traits = end->traits;
    TransmitMemo *memo = &traits->memos[ip_bytes / 64 % LINK_MEMOS];

    if (traits->rate == 0)
        return 0;
    if (G_UNLIKELY(ip_bytes != memo->ip_bytes)) {
        uint64_t bits_ns = (uint64_t)(ip_bytes + traits->overhead) * 8 * (uint64_t)SIM_SEC;

        *memo = (TransmitMemo){ .ip_bytes = ip_bytes,
                                .ns = (SimTime)(bits_ns / traits->rate),
                                .rest = bits_ns % traits->rate };
    }
    end->rest += memo->rest;
    if (end->rest < traits->rate)
        return memo->ns;
    end->rest -= traits->rate;
    return memo->ns + 1;
}

SimTime
link_end_transmit_time(const LinkEnd *end, uint32_t ip_bytes)
{
    uint64_t bits_ns = (uint64_t)(ip_bytes + end->traits->overhead) * 8 * (uint64_t)SIM_SEC;

    if (end->traits->rate == 0 || end->params.n_trace > 0)
        return 0;
    return (SimTime)((bits_ns + end->traits->rate - 1) / end->traits->rate);
}

/* Forgets those whose first bit has left. */
static inline void
wait_ring_advance(WaitRing *ring, SimTime now)
{
    while (ring->count > 0 && ring->entries[ring->first].tx_at <= now) {
        ring->bytes -= ring->entries[ring->first].bytes;
        ring->first = (ring->first + 1) & (ring->room - 1);
        ring->count--;
    }
}

static SIM_COLD void
wait_ring_grow(WaitRing *ring)
{
    uint32_t room = MAX(16, ring->room * 2);
    WaitEntry *entries = g_new(WaitEntry, room);

    for (uint32_t i = 0; i < ring->count; i++)
        entries[i] = ring->entries[(ring->first + i) & (ring->room - 1)];
    g_free(ring->entries);
    ring->entries = entries;
    ring->room = room;
    ring->first = 0;
}

static inline void
wait_ring_add(WaitRing *ring, SimTime tx_at, uint32_t bytes)
{
    if (G_UNLIKELY(ring->count == ring->room))
        wait_ring_grow(ring);
    ring->entries[(ring->first + ring->count++) & (ring->room - 1)] =
        (WaitEntry){ .tx_at = tx_at, .bytes = bytes };
    ring->bytes += bytes;
}

void
link_end_queue(const LinkEnd *end, uint32_t *packets, uint64_t *bytes)
{
    /* What the clock has taken out of the ring is out of it for every reader. */
    WaitRing *ring = (WaitRing *)&end->waiting;

    if (end->server != NULL) {
        server_queue(end, packets, bytes);
        return;
    }
    wait_ring_advance(ring, link_now(end));
    *packets = ring->count;
    *bytes = ring->bytes;
}

void
transmit_fifo(LinkEnd *end, Packet *packet, SimTime now)
{
    WaitRing *ring = &end->waiting;
    uint32_t bytes = packet->ip.total_len;
    SimTime tx_at = now;

    if (end->busy_until > now) {
        wait_ring_advance(ring, now);
        if (G_UNLIKELY(ring->count >= end->traits->limit_packets ||
                       ring->bytes + bytes > end->traits->limit_bytes)) {
            link_drop(end, packet, "queue full");
            return;
        }
        tx_at = end->busy_until;
        wait_ring_add(ring, tx_at, bytes);
        link_note(end, PACKET_EVENT_QUEUED, packet, NULL, tx_at - now);
        if (probe_is_heard(&end->traits->probes->queue))
            link_record_queue(end, tx_at - now);
    } else {
        end->rest = 0;
    }
    packet->tx_at = tx_at;
    if (end->traits->rate != 0)
        end->busy_until = tx_at + transmit_time(end, bytes);
    else
        end->busy_until = tx_at;
    if (G_LIKELY(end->is_plain))
        pipe_add(end, packet, end->busy_until + end->traits->delay);
    else
        transmit_done(end, packet, end->busy_until);
}

void
transmit_done(LinkEnd *end, Packet *packet, SimTime sent)
{
    const LinkParams *params = &end->params;
    SimTime held_back = packet->due; /* by a fate */
    SimTime due = sent + end->traits->delay + held_back;

    packet->due = 0;
    if (params->reorder > 0 && sim_rng_chance(&impair_dice(end)->reorder, params->reorder)) {
        SimTime by = params->reorder_by > 0 ? params->reorder_by : -end->traits->delay;
        link_note(end, PACKET_EVENT_DELAYED, packet, "reorder", by);
        pipe_add_unordered(end, packet, due + by);
        return;
    }
    if (params->jitter.kind != JITTER_NONE) {
        SimTime by = impair_jitter(end);
        by = MAX(by, -end->traits->delay); /* nothing arrives before it has left */
        link_note(end, PACKET_EVENT_DELAYED, packet, "jitter", by);
        due += by;
        if (params->jitter.keeps_order && held_back == 0) {
            due = end->last_due = MAX(due, end->last_due);
        } else {
            pipe_add_unordered(end, packet, due);
            return;
        }
    }
    if (held_back > 0)
        pipe_add_unordered(end, packet, due);
    else
        pipe_add(end, packet, due);
}
