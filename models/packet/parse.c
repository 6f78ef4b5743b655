/* Bytes of a real wire as a packet. */
#include "models/packet/packet.h"

#include <glib.h>

#include "models/wire/wire.h"

static void
parse_payload(PacketPool *pool, Packet *packet, const uint8_t *bytes, uint32_t len)
{
    if (len == 0)
        return;
    packet->payload = (Payload){ .stream = stream_new_id(pool->streams), .len = len };
    stream_write(pool->streams, packet->payload.stream, 0, bytes, len);
}

/* The quoted packet, with what the quote has of it as raw bytes. */
static void
parse_quoted(PacketPool *pool, Packet *packet, const uint8_t *quote)
{
    const IcmpHeader *icmp = &packet->icmp;
    Packet *quoted = packet_new(pool);
    uint32_t header = (quote[0] & 15u) * 4;

    quoted->ip = icmp->quoted_ip;
    quoted->raw = raw_bytes_new(quote + header, icmp->quoted_len - header);
    packet->fragment_of = datagram_new(quoted);
}

/* False: the transport header does not parse. */
static bool
parse_transport(PacketPool *pool, Packet *packet, const uint8_t *bytes, uint32_t len)
{
    uint32_t header;

    switch (packet->ip.proto) {
    case IP_PROTO_TCP:
        header = tcp_parse(&packet->tcp, bytes, len);
        if (header == 0)
            return false;
        parse_payload(pool, packet, bytes + header, len - header);
        return true;
    case IP_PROTO_UDP:
        if (!udp_parse(&packet->udp, bytes, len))
            return false;
        parse_payload(pool, packet, bytes + UDP_HEADER_BYTES, packet->udp.len - UDP_HEADER_BYTES);
        return true;
    case IP_PROTO_ICMP:
        if (!icmp_parse(&packet->icmp, bytes, len))
            return false;
        if (packet->icmp.quoted_len > 0)
            parse_quoted(pool, packet, bytes + ICMP_HEADER_BYTES);
        else
            parse_payload(pool, packet, bytes + ICMP_HEADER_BYTES, len - ICMP_HEADER_BYTES);
        return true;
    default:
        return false;
    }
}

static bool
parse_checksum_is_wrong(const IpHeader *ip, const uint8_t *bytes, uint32_t len)
{
    uint32_t offset = wire_checksum_offset(ip->proto);

    if (offset == 0 || len < offset + 2)
        return false;
    if (ip->proto == IP_PROTO_UDP && wire_get16(bytes + offset) == 0)
        return false;
    return wire_checksum(bytes, len, ip->proto == IP_PROTO_ICMP ? 0 : wire_pseudo_sum(ip, len)) !=
           0;
}

Packet *
packet_parse(PacketPool *pool, const uint8_t *bytes, uint32_t len, const char **error)
{
    IpHeader ip;
    bool ip_is_wrong;
    uint32_t header = ipv4_parse(&ip, bytes, len, &ip_is_wrong, error);

    if (header == 0)
        return NULL;

    Packet *packet = packet_new(pool);
    uint32_t payload = ip.total_len - IPV4_HEADER_BYTES;
    packet->ip = ip;
    packet->ip.bad_checksum = ip_is_wrong;
    if (ip.mf || ip.frag_offset > 0) {
        packet->flags |= PACKET_FRAGMENT;
        packet->raw = raw_bytes_new(bytes + header, payload);
        return packet;
    }
    if (parse_checksum_is_wrong(&ip, bytes + header, payload))
        packet->flags |= PACKET_BAD_CHECKSUM;
    if (!parse_transport(pool, packet, bytes + header, payload))
        packet->raw = raw_bytes_new(bytes + header, payload);
    return packet;
}
