/* Corruption on the way. */
#include "models/link/link_internal.h"

Packet *
corrupt_packet(LinkEnd *end, Packet *packet, int32_t at, uint8_t xor, bool fix_checksum)
{
    (void)end, (void)at, (void)xor;
    if (!fix_checksum)
        packet->flags |= PACKET_BAD_CHECKSUM;
    return packet;
}
