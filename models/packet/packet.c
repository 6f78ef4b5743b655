#include "models/packet/packet.h"

#include <glib.h>
#include <string.h>

#include "sim/check.h"

void
packet_pool_init(PacketPool *pool, SimArena *arena, StreamTable *streams)
{
    sim_pool_init(&pool->pool, arena, sizeof(Packet));
    pool->last_id = 0;
    pool->streams = streams;
}

Packet *
packet_new(PacketPool *pool)
{
    Packet *packet = sim_pool_get(&pool->pool);

    packet->next = NULL;
    packet->due = 0;
    packet->tx_at = 0;
    packet->id = ++pool->last_id;
    packet->copy_of = 0;
    packet->why = NULL;
    packet->conn = 0;
    packet->flags = 0;
    packet->ip = (IpHeader){ .ttl = 64 };
    packet->payload = (Payload){ 0 };
    packet->fragment_of = NULL;
    packet->raw = NULL;
    return packet;
}

Packet *
packet_new_tcp(PacketPool *pool)
{
    Packet *packet = packet_new(pool);

    /* What lies behind says by its counts whether it means anything. */
    memset(&packet->tcp, 0, offsetof(TcpHeader, sacks));
    packet->ip.proto = IP_PROTO_TCP;
    return packet;
}

Packet *
packet_copy(PacketPool *pool, const Packet *packet)
{
    Packet *copy = sim_pool_get(&pool->pool);

    *copy = *packet;
    copy->next = NULL;
    copy->id = ++pool->last_id;
    copy->copy_of = packet->id;
    if (copy->fragment_of != NULL)
        copy->fragment_of->refs++;
    if (copy->raw != NULL)
        copy->raw->refs++;
    return copy;
}

static void
packet_release_shared(PacketPool *pool, Packet *packet)
{
    Datagram *datagram = packet->fragment_of;

    if (datagram != NULL && --datagram->refs == 0) {
        packet_free(pool, datagram->whole);
        g_free(datagram);
    }
    if (packet->raw != NULL)
        raw_bytes_unref(packet->raw);
}

void
packet_free(PacketPool *pool, Packet *packet)
{
    /* Nothing else shares anything: a whole TCP segment ends without a look
     * at its last cache line. */
    if (G_UNLIKELY(packet->raw != NULL || (packet->flags & PACKET_FRAGMENT) != 0 ||
                   packet->ip.proto != IP_PROTO_TCP))
        packet_release_shared(pool, packet);
    sim_pool_put(&pool->pool, packet);
}

Datagram *
datagram_new(Packet *whole)
{
    Datagram *datagram = g_new(Datagram, 1);

    *datagram = (Datagram){ .refs = 1, .whole = whole };
    return datagram;
}

RawBytes *
raw_bytes_new(const uint8_t *bytes, uint32_t len)
{
    RawBytes *raw = g_malloc(sizeof *raw + len);

    raw->refs = 1;
    raw->len = len;
    if (len > 0)
        memcpy(raw->bytes, bytes, len);
    return raw;
}

void
raw_bytes_unref(RawBytes *raw)
{
    sim_check(raw->refs > 0);
    if (--raw->refs == 0)
        g_free(raw);
}

void
packet_finish_lengths(Packet *packet)
{
    uint32_t len = IPV4_HEADER_BYTES;

    if (packet->flags & PACKET_FRAGMENT)
        return; /* its length is how it was cut */
    if (packet->raw != NULL) {
        len += packet->raw->len;
    } else if (packet->ip.proto == IP_PROTO_TCP) {
        packet->tcp.option_bytes = tcp_options_bytes(&packet->tcp);
        len += TCP_HEADER_BYTES + packet->tcp.option_bytes + packet->payload.len;
    } else if (packet->ip.proto == IP_PROTO_UDP) {
        packet->udp.len = (uint16_t)(UDP_HEADER_BYTES + packet->payload.len);
        len += UDP_HEADER_BYTES + packet->payload.len;
    } else if (packet->ip.proto == IP_PROTO_ICMP) {
        len += ICMP_HEADER_BYTES + packet->icmp.quoted_len + packet->payload.len;
    } else {
        len += packet->payload.len;
    }
    sim_check(len <= UINT16_MAX);
    packet->ip.total_len = (uint16_t)len;
}
