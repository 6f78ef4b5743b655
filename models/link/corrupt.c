/* Corruption on the way: the packet becomes bytes, one of them changes, and the
 * bytes become what a receiver would read. */
#include "models/link/link_internal.h"

#include "models/wire/wire.h"

static void
swap_words(uint8_t *bytes, uint32_t len, uint32_t one, uint32_t other)
{
    if (one + 2 > len || other + 2 > len)
        return; /* this datagram has no such words */
    for (unsigned i = 0; i < 2; i++) {
        uint8_t kept = bytes[one + i];

        bytes[one + i] = bytes[other + i];
        bytes[other + i] = kept;
    }
}

static void
corrupt_bytes(LinkEnd *end, uint8_t *bytes, uint32_t len, const Fate *how)
{
    int32_t at = how->corrupt_at;
    uint8_t xor = how->corrupt_xor;

    if (how->corrupt_swap > 0) {
        swap_words(bytes, len, (uint32_t)MAX(at, 0), (uint32_t)how->corrupt_swap);
        return;
    }
    if (at < 0)
        at = (int32_t)sim_rng_below(&impair_dice(end)->corrupt, len);
    at = MIN(at, (int32_t)len - 1);
    if (xor == 0)
        xor = (uint8_t)(1u << sim_rng_below(&impair_dice(end)->corrupt, 8));
    bytes[at] ^= xor;
}

/* It is still the packet that was sent: same number, same maker. */
static void
corrupt_keep_identity(Packet *corrupted, const Packet *packet)
{
    corrupted->id = packet->id;
    corrupted->copy_of = packet->copy_of;
    corrupted->why = packet->why;
    corrupted->conn = packet->conn;
    corrupted->due = packet->due;
    corrupted->flags |= packet->flags & (PACKET_FORGED | PACKET_DUPLICATE | PACKET_RETRANSMIT);
}

Packet *
corrupt_packet(LinkEnd *end, Packet *packet, const Fate *how)
{
    uint32_t len = packet->ip.total_len;
    uint8_t *bytes = g_malloc0(len);
    const char *error;

    packet_render(end->traits->packets, packet, bytes, len);
    corrupt_bytes(end, bytes, len, how);
    if (how->fix_checksum)
        wire_fix_checksums(bytes, len);

    Packet *corrupted = packet_parse(end->traits->packets, bytes, len, &error);
    g_free(bytes);
    if (corrupted == NULL) { /* version or length are broken: the next network layer drops it */
        packet->ip.bad_checksum = true;
        return packet;
    }
    corrupt_keep_identity(corrupted, packet);
    packet_free(end->traits->packets, packet);
    return corrupted;
}
