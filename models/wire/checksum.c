#include "models/wire/wire.h"

#include <glib.h>
#include <string.h>

/* Adds 32-bit words in the machine's own order into 64 bits, two chains at a
 * time; the sum of 16-bit words in network order comes out by folding and
 * swapping at the end, since one's complement addition does not care about byte
 * order (RFC 1071 §2 (B)). */
static uint64_t
checksum_add(const uint8_t *bytes, uint32_t len)
{
    uint64_t sum = 0, other = 0, words[2];

    for (; len >= 16; len -= 16, bytes += 16) {
        memcpy(words, bytes, 16);
        sum += (words[0] & UINT32_MAX) + (words[0] >> 32);
        other += (words[1] & UINT32_MAX) + (words[1] >> 32);
    }
    if (len > 0) { /* RFC 1071 §1: what is missing is zero */
        words[0] = words[1] = 0;
        memcpy(words, bytes, len);
        sum += (words[0] & UINT32_MAX) + (words[0] >> 32);
        other += (words[1] & UINT32_MAX) + (words[1] >> 32);
    }
    return sum + other;
}

static uint32_t
checksum_fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

uint16_t
wire_sum(const uint8_t *bytes, uint32_t len)
{
    uint16_t folded = (uint16_t)checksum_fold(checksum_add(bytes, len));

    return GUINT16_FROM_BE(folded);
}

uint16_t
wire_checksum(const uint8_t *bytes, uint32_t len, uint32_t sum)
{
    return (uint16_t)~checksum_fold((uint64_t)wire_sum(bytes, len) + sum);
}

uint32_t
wire_pseudo_sum(const IpHeader *ip, uint32_t transport_len)
{
    uint32_t src = ip_addr_to_v4(ip->src), dst = ip_addr_to_v4(ip->dst);

    return (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) + ip->proto + transport_len;
}

uint32_t
wire_checksum_offset(uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_TCP:
        return 16;
    case IP_PROTO_UDP:
        return 6;
    case IP_PROTO_ICMP:
        return 2;
    default:
        return 0;
    }
}

void
wire_fix_checksums(uint8_t *datagram, uint32_t len)
{
    IpHeader ip;
    bool is_wrong;
    const char *error;

    uint32_t header = ipv4_parse(&ip, datagram, len, &is_wrong, &error);
    if (header == 0)
        return;
    wire_put16(datagram + 10, 0);
    wire_put16(datagram + 10, wire_checksum(datagram, header, 0));

    uint8_t *transport = datagram + header;
    uint32_t transport_len = ip.total_len - IPV4_HEADER_BYTES;
    uint32_t offset = wire_checksum_offset(ip.proto);
    if (offset == 0 || transport_len < offset + 2 || ip.mf || ip.frag_offset > 0)
        return;
    if (ip.proto == IP_PROTO_UDP && wire_get16(transport + offset) == 0)
        return; /* RFC 768: the sender made none */
    wire_put16(transport + offset, 0);
    uint32_t sum = ip.proto == IP_PROTO_ICMP ? 0 : wire_pseudo_sum(&ip, transport_len);
    uint16_t checksum = wire_checksum(transport, transport_len, sum);
    if (checksum == 0 && ip.proto == IP_PROTO_UDP)
        checksum = 0xffff;
    wire_put16(transport + offset, checksum);
}
