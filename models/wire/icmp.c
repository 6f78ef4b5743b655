/* ICMP (RFC 792): echo, and errors with what they quote. */
#include "models/wire/wire.h"

#include <glib.h>
#include <string.h>

enum { ICMP_FRAG_NEEDED = 4, ICMP_SOURCE_QUENCH = 4, ICMP_REDIRECT = 5 };

bool
icmp_is_error(uint8_t type)
{
    return type == ICMP_UNREACHABLE || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
}

void
icmp_render(const IcmpHeader *icmp, uint8_t bytes[ICMP_HEADER_BYTES])
{
    memset(bytes, 0, ICMP_HEADER_BYTES);
    bytes[0] = icmp->type;
    bytes[1] = icmp->code;
    if (!icmp_is_error(icmp->type)) {
        wire_put16(bytes + 4, icmp->id);
        wire_put16(bytes + 6, icmp->seq);
    } else if (icmp->type == ICMP_UNREACHABLE && icmp->code == ICMP_FRAG_NEEDED) {
        wire_put16(bytes + 6, icmp->mtu); /* RFC 1191 §4 */
    }
}

/* What the decoded header knows of the offending packet; the rest is zero. */
void
icmp_render_quote(const IcmpHeader *icmp, uint8_t *bytes)
{
    uint8_t known[IPV4_HEADER_BYTES + 8] = { 0 };

    ipv4_render(&icmp->quoted_ip, known);
    wire_put16(known + IPV4_HEADER_BYTES, icmp->quoted_sport);
    wire_put16(known + IPV4_HEADER_BYTES + 2, icmp->quoted_dport);
    if (icmp->quoted_ip.proto == IP_PROTO_TCP)
        wire_put32(known + IPV4_HEADER_BYTES + 4, icmp->quoted_seq);
    memset(bytes, 0, icmp->quoted_len);
    memcpy(bytes, known, MIN(sizeof known, icmp->quoted_len));
}

/* The quote may be cut anywhere after the IP header and eight bytes; its total
 * length speaks of the packet as it was. */
static bool
icmp_parse_quote(IcmpHeader *icmp, const uint8_t *bytes, uint32_t len)
{
    if (len < IPV4_HEADER_BYTES || bytes[0] >> 4 != 4)
        return false;
    uint32_t header = (bytes[0] & 15u) * 4;
    if (header < IPV4_HEADER_BYTES || len < header + 8)
        return false;

    uint8_t whole[IPV4_HEADER_BYTES];
    bool is_wrong;
    const char *error;
    memcpy(whole, bytes, sizeof whole);
    whole[0] = 0x45; /* options, if any, are passed over */
    if (ipv4_parse(&icmp->quoted_ip, whole, UINT16_MAX, &is_wrong, &error) == 0)
        return false;
    icmp->quoted_sport = wire_get16(bytes + header);
    icmp->quoted_dport = wire_get16(bytes + header + 2);
    icmp->quoted_seq = wire_get32(bytes + header + 4);
    icmp->quoted_len = (uint16_t)len;
    return true;
}

bool
icmp_parse(IcmpHeader *icmp, const uint8_t *bytes, uint32_t len)
{
    if (len < ICMP_HEADER_BYTES)
        return false;
    *icmp = (IcmpHeader){ .type = bytes[0], .code = bytes[1] };
    if (icmp_is_error(icmp->type)) {
        if (icmp->type == ICMP_UNREACHABLE && icmp->code == ICMP_FRAG_NEEDED)
            icmp->mtu = wire_get16(bytes + 6);
        return icmp_parse_quote(icmp, bytes + ICMP_HEADER_BYTES, len - ICMP_HEADER_BYTES);
    }
    icmp->id = wire_get16(bytes + 4);
    icmp->seq = wire_get16(bytes + 6);
    return true;
}
