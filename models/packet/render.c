/* A packet as the bytes of a real wire. */
#include "models/packet/image.h"

#include <glib.h>
#include <string.h>

#include "models/wire/wire.h"

enum { RENDER_MAX = 65535 + 128 }; /* with room for options that grew */

static uint32_t render_datagram(const PacketPool *pool, const Packet *packet, uint8_t *bytes);

/* The transport header of a packet that is kept as headers, its checksum field
 * still zero; the header's length. */
static uint32_t
render_transport_header(const Packet *packet, uint8_t *to)
{
    switch (packet->ip.proto) {
    case IP_PROTO_TCP:
        return tcp_render(&packet->tcp, to);
    case IP_PROTO_UDP:
        udp_render(&packet->udp, to);
        return UDP_HEADER_BYTES;
    case IP_PROTO_ICMP:
        icmp_render(&packet->icmp, to);
        if (packet->icmp.quoted_len > 0)
            icmp_render_quote(&packet->icmp, to + ICMP_HEADER_BYTES);
        return ICMP_HEADER_BYTES + packet->icmp.quoted_len;
    default:
        return 0;
    }
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

static PacketChecksum
checksum_of(const Packet *packet, uint32_t transport_len)
{
    bool is_udp = packet->ip.proto == IP_PROTO_UDP;

    if (is_udp && packet->udp.no_checksum)
        return (PacketChecksum){ 0 };
    return (PacketChecksum){
        .offset = (uint8_t)wire_checksum_offset(packet->ip.proto),
        .pseudo_sum =
            packet->ip.proto == IP_PROTO_ICMP ? 0 : wire_pseudo_sum(&packet->ip, transport_len),
        .is_udp = is_udp,
        .is_wrong = (packet->flags & PACKET_BAD_CHECKSUM) != 0,
    };
}

/* `rest_sum` is of what follows the `len` bytes, an even number if anything does. */
static void
render_checksum(const PacketChecksum *checksum, uint8_t *transport, uint32_t len, uint32_t rest_sum)
{
    uint16_t value;

    if (checksum->offset == 0)
        return;
    value = wire_checksum(transport, len, checksum->pseudo_sum + rest_sum);
    if (value == 0 && checksum->is_udp)
        value = 0xffff; /* RFC 768: zero means none */
    if (checksum->is_wrong)
        value ^= 0x0100;
    wire_put16(transport + checksum->offset, value);
}

static void
render_ip(const Packet *packet, uint32_t total_len, uint8_t *bytes)
{
    IpHeader ip = packet->ip;

    ip.total_len = (uint16_t)total_len;
    ipv4_render(&ip, bytes);
    if (ip.bad_checksum)
        bytes[10] ^= 1;
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

/* Everything after the IP header, of a packet that is kept as headers. */
static uint32_t
render_transport(const PacketPool *pool, const Packet *packet, uint8_t *to)
{
    uint32_t header = render_transport_header(packet, to);
    uint32_t len = header + packet->payload.len;
    PacketChecksum checksum = checksum_of(packet, len);

    if (packet->ip.proto == IP_PROTO_ICMP && packet->fragment_of != NULL)
        render_quote(pool, packet, to + ICMP_HEADER_BYTES);
    stream_read(pool->streams, packet->payload, to + header);
    render_checksum(&checksum, to, len, 0);
    return len;
}

static uint32_t
render_datagram(const PacketPool *pool, const Packet *packet, uint8_t *bytes)
{
    uint8_t *transport = bytes + IPV4_HEADER_BYTES;
    uint32_t len, total_len = packet->ip.total_len;

    if (packet->raw != NULL) {
        len = packet->raw->len;
        memcpy(transport, packet->raw->bytes, len);
    } else if (packet->flags & PACKET_FRAGMENT) {
        len = render_fragment(pool, packet, transport);
    } else {
        len = render_transport(pool, packet, transport);
        total_len = IPV4_HEADER_BYTES + len;
    }
    render_ip(packet, total_len, bytes);
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

/* ---- Images ------------------------------------------------------------------- */

/* Whether two headers and a reference to the payload are the whole of it. */
static bool
is_headers_and_payload(const Packet *packet)
{
    if (packet->raw != NULL || (packet->flags & PACKET_FRAGMENT) != 0)
        return false;
    return packet->ip.proto != IP_PROTO_ICMP || packet->icmp.quoted_len == 0;
}

void
packet_image_take(PacketImage *image, const PacketPool *pool, const Packet *packet)
{
    uint32_t transport;

    image->payload = (Payload){ 0 };
    image->whole = NULL;
    if (!is_headers_and_payload(packet)) {
        uint32_t bound = render_bound(packet);

        image->whole = g_malloc(bound);
        image->len = render_datagram(pool, packet, image->whole);
        return;
    }
    transport = render_transport_header(packet, image->headers + IPV4_HEADER_BYTES);
    image->payload = packet->payload;
    image->headers_len = (uint8_t)(IPV4_HEADER_BYTES + transport);
    image->len = image->headers_len + packet->payload.len;
    image->checksum = checksum_of(packet, image->len - IPV4_HEADER_BYTES);
    render_ip(packet, image->len, image->headers);
}

/* Reads the payload and puts the checksum into the headers: once, however often
 * the image is rendered. */
static void
image_finish_headers(PacketImage *image, const StreamTable *streams, uint8_t *payload)
{
    uint16_t sum = stream_read_summed(streams, image->payload, payload);

    render_checksum(&image->checksum, image->headers + IPV4_HEADER_BYTES,
                    image->headers_len - IPV4_HEADER_BYTES, sum);
    image->checksum.offset = 0;
}

void
packet_image_render(PacketImage *image, const StreamTable *streams, uint8_t *bytes, uint32_t len)
{
    uint8_t scratch[RENDER_MAX];
    uint32_t headers = MIN(len, image->headers_len);
    Payload payload = image->payload;

    if (image->whole != NULL) {
        memcpy(bytes, image->whole, len);
        return;
    }
    payload.len = len - headers;
    if (image->checksum.offset != 0 && len == image->len) {
        image_finish_headers(image, streams, bytes + headers);
    } else {
        if (image->checksum.offset != 0)
            image_finish_headers(image, streams, scratch);
        stream_read(streams, payload, bytes + headers);
    }
    memcpy(bytes, image->headers, headers);
}

void
packet_image_done(PacketImage *image)
{
    g_free(image->whole);
}
