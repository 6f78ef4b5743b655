/* The IPv4 header (RFC 791 §3.1). */
#include "models/wire/wire.h"

enum { IPV4_DF = 0x4000, IPV4_MF = 0x2000, IPV4_OFFSET_MASK = 0x1fff };

void
ipv4_render(const IpHeader *ip, uint8_t bytes[IPV4_HEADER_BYTES])
{
    bytes[0] = 4 << 4 | IPV4_HEADER_BYTES / 4;
    bytes[1] = ip->tos;
    wire_put16(bytes + 2, ip->total_len);
    wire_put16(bytes + 4, ip->id);
    wire_put16(bytes + 6, (ip->df ? IPV4_DF : 0u) | (ip->mf ? IPV4_MF : 0u) | ip->frag_offset / 8);
    bytes[8] = ip->ttl;
    bytes[9] = ip->proto;
    wire_put16(bytes + 10, 0);
    wire_put32(bytes + 12, ip_addr_to_v4(ip->src));
    wire_put32(bytes + 16, ip_addr_to_v4(ip->dst));
    wire_put16(bytes + 10, wire_checksum(bytes, IPV4_HEADER_BYTES, 0));
}

uint32_t
ipv4_parse(IpHeader *ip, const uint8_t *bytes, uint32_t len, bool *checksum_is_wrong,
           const char **error)
{
    if (len < IPV4_HEADER_BYTES) {
        *error = "shorter than an IPv4 header";
        return 0;
    }
    uint32_t header = (bytes[0] & 15u) * 4, total = wire_get16(bytes + 2);
    if (bytes[0] >> 4 != 4 || header < IPV4_HEADER_BYTES) {
        *error = "byte 0: not version 4 with a header of 20 bytes or more";
        return 0;
    }
    if (total < header || total > len) {
        *error = "bytes 2-3: total length does not fit";
        return 0;
    }
    uint32_t fragment = wire_get16(bytes + 6);
    *ip = (IpHeader){
        .src = ip_addr_v4(wire_get32(bytes + 12)),
        .dst = ip_addr_v4(wire_get32(bytes + 16)),
        .id = wire_get16(bytes + 4),
        .frag_offset = (uint16_t)((fragment & IPV4_OFFSET_MASK) * 8),
        .total_len = (uint16_t)(total - header + IPV4_HEADER_BYTES),
        .proto = bytes[9],
        .ttl = bytes[8],
        .tos = bytes[1],
        .df = (fragment & IPV4_DF) != 0,
        .mf = (fragment & IPV4_MF) != 0,
    };
    *checksum_is_wrong = wire_checksum(bytes, header, 0) != 0;
    return header;
}
