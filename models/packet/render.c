/* A packet as the bytes of a real wire. */
#include "models/packet/packet.h"

#include <glib.h>
#include <string.h>

#include "models/wire/wire.h"

enum { RENDER_MAX = 65535 + 128 }; /* with room for options that grew */

static uint32_t render_datagram(const PacketPool *pool, const Packet *packet, uint8_t *bytes);

/* Everything after the IP header, for a packet that is kept as headers; its
 * length. The checksum field is still zero. */
static uint32_t
render_transport(const PacketPool *pool, const Packet *packet, uint8_t *to)
{
    uint32_t header = 0;

    switch (packet->ip.proto) {
    case IP_PROTO_TCP:
        header = tcp_render(&packet->tcp, to);
        break;
    case IP_PROTO_UDP:
        udp_render(&packet->udp, to);
        header = UDP_HEADER_BYTES;
        break;
    case IP_PROTO_ICMP:
        icmp_render(&packet->icmp, to);
        header = ICMP_HEADER_BYTES;
        if (packet->icmp.quoted_len > 0) {
            icmp_render_quote(&packet->icmp, to + header);
            header += packet->icmp.quoted_len;
        }
        break;
    default:
        break;
    }
    stream_read(pool->streams, packet->payload, to + header);
    return header + packet->payload.len;
}

/* An ICMP error that kept the packet it complains of quotes it byte by byte. */
static void
render_quote(const PacketPool *pool, const Packet *packet, uint8_t *to)
{
    const IcmpHeader *icmp = &packet->icmp;
    uint8_t *quoted = g_malloc0(RENDER_MAX);
    uint32_t len = render_datagram(pool, packet->fragment_of->whole, quoted);

    /* Whatever changed on its way to the reporter (TTL) is in quoted_ip. */
    ipv4_render(&icmp->quoted_ip, quoted);
    memcpy(to, quoted, MIN(len, icmp->quoted_len));
    g_free(quoted);
}

static void
render_checksum(const Packet *packet, uint8_t *transport, uint32_t len)
{
    uint32_t offset = wire_checksum_offset(packet->ip.proto), sum = 0;

    if (offset == 0 || (packet->ip.proto == IP_PROTO_UDP && packet->udp.no_checksum))
        return;
    if (packet->ip.proto != IP_PROTO_ICMP)
        sum = wire_pseudo_sum(&packet->ip, len);
    uint16_t checksum = wire_checksum(transport, len, sum);
    if (checksum == 0 && packet->ip.proto == IP_PROTO_UDP)
        checksum = 0xffff; /* RFC 768: zero means none */
    if (packet->flags & PACKET_BAD_CHECKSUM)
        checksum ^= 0x0100;
    wire_put16(transport + offset, checksum);
}

/* Bytes [frag_offset, +len) of the datagram that it was cut from. */
static uint32_t
render_fragment(const PacketPool *pool, const Packet *packet, uint8_t *to)
{
    uint8_t *whole = g_malloc0(RENDER_MAX);
    uint32_t len = packet_ip_payload_len(packet);
    uint32_t whole_len = render_datagram(pool, packet->fragment_of->whole, whole);
    uint32_t from = IPV4_HEADER_BYTES + packet->ip.frag_offset;

    memset(to, 0, len);
    if (from < whole_len)
        memcpy(to, whole + from, MIN(len, whole_len - from));
    g_free(whole);
    return len;
}

static uint32_t
render_datagram(const PacketPool *pool, const Packet *packet, uint8_t *bytes)
{
    uint8_t *transport = bytes + IPV4_HEADER_BYTES;
    IpHeader ip = packet->ip;
    uint32_t len;

    if (packet->raw != NULL) {
        len = packet->raw->len;
        memcpy(transport, packet->raw->bytes, len);
    } else if (packet->flags & PACKET_FRAGMENT) {
        len = render_fragment(pool, packet, transport);
    } else {
        len = render_transport(pool, packet, transport);
        if (packet->ip.proto == IP_PROTO_ICMP && packet->fragment_of != NULL)
            render_quote(pool, packet, transport + ICMP_HEADER_BYTES);
        render_checksum(packet, transport, len);
        ip.total_len = (uint16_t)(IPV4_HEADER_BYTES + len);
    }
    ipv4_render(&ip, bytes);
    if (packet->ip.bad_checksum)
        bytes[10] ^= 1;
    return IPV4_HEADER_BYTES + len;
}

/* No packet renders to more than this many bytes. */
static uint32_t
render_bound(const Packet *packet)
{
    if (packet->raw != NULL)
        return IPV4_HEADER_BYTES + packet->raw->len;
    return MAX(packet->ip.total_len,
               IPV4_HEADER_BYTES + TCP_HEADER_BYTES + TCP_OPTIONS_MAX + packet->payload.len +
                   (packet->ip.proto == IP_PROTO_ICMP ? packet->icmp.quoted_len : 0u));
}

uint32_t
packet_render(const PacketPool *pool, const Packet *packet, uint8_t *bytes, uint32_t size)
{
    uint32_t bound = render_bound(packet);

    if (bound <= size)
        return render_datagram(pool, packet, bytes);

    uint8_t *whole = g_malloc(bound);
    uint32_t len = render_datagram(pool, packet, whole);
    memcpy(bytes, whole, MIN(len, size));
    g_free(whole);
    return len;
}
