/* The UDP header (RFC 768). */
#include "models/wire/wire.h"

void
udp_render(const UdpHeader *udp, uint8_t bytes[UDP_HEADER_BYTES])
{
    wire_put16(bytes, udp->sport);
    wire_put16(bytes + 2, udp->dport);
    wire_put16(bytes + 4, udp->len);
    wire_put16(bytes + 6, 0);
}

bool
udp_parse(UdpHeader *udp, const uint8_t *bytes, uint32_t len)
{
    if (len < UDP_HEADER_BYTES)
        return false;
    *udp = (UdpHeader){
        .sport = wire_get16(bytes),
        .dport = wire_get16(bytes + 2),
        .len = wire_get16(bytes + 4),
        .no_checksum = wire_get16(bytes + 6) == 0,
    };
    return udp->len >= UDP_HEADER_BYTES && udp->len <= len;
}
