/* Fragmentation (RFC 791 §3.2, RFC 1812 §4.2.2.7), at the sender and in
 * routers. A piece carries no bytes: it refers to the whole packet and says
 * which of its bytes it stands for. A piece of forged bytes keeps its bytes.
 */
#include <stddef.h>
#include <string.h>

#include "models/ip/ip_internal.h"

/* The packet as the thing that pieces share; NULL for one of raw bytes. */
static Datagram *
datagram_of(Packet *packet)
{
    if (packet->flags & PACKET_FRAGMENT) { /* a router cuts a piece again */
        packet->fragment_of->refs++;
        return packet->fragment_of;
    }
    return datagram_new(packet);
}

static RawBytes *
raw_part(const RawBytes *raw, uint32_t skip, uint32_t len)
{
    RawBytes *part = g_malloc0(sizeof *part + len);

    part->refs = 1;
    part->len = len;
    if (skip < raw->len)
        memcpy(part->bytes, raw->bytes + skip, MIN(len, raw->len - skip));
    return part;
}

/* One piece: bytes [skip, skip+len) of the IP payload of `whole`. */
static Packet *
cut_piece(Host *host, const Packet *whole, Datagram *datagram, uint32_t skip, uint32_t len,
          bool is_last)
{
    Packet *piece = packet_new(host->packets);

    piece->flags = (whole->flags & ~PACKET_DUPLICATE) | PACKET_FRAGMENT;
    piece->copy_of = whole->id;
    piece->conn = whole->conn;
    piece->why = whole->why;
    piece->ip = whole->ip;
    piece->ip.frag_offset += (uint16_t)skip;
    piece->ip.total_len = (uint16_t)(IPV4_HEADER_BYTES + len);
    piece->ip.mf = !is_last || whole->ip.mf;
    piece->payload = (Payload){ 0 };
    /* the whole union: what the datagram is about, for those who watch */
    piece->tcp = whole->tcp; /* or whichever header it is: no other is larger */
    if (datagram != NULL) {
        datagram->refs++;
        piece->fragment_of = datagram;
    } else {
        piece->raw = raw_part(whole->raw, skip, len);
    }
    return piece;
}

void
ip_fragment(Host *host, Iface *out, Packet *packet, uint32_t mtu)
{
    if (mtu < IPV4_HEADER_BYTES + 8) {
        host_count(host, MIB_IpFragFails);
        ip_drop(host, out, packet, "link too narrow for any fragment");
        return;
    }
    uint32_t total = packet_ip_payload_len(packet);
    uint32_t room = (mtu - IPV4_HEADER_BYTES) & ~7u; /* offsets count in eights */
    Datagram *datagram = packet->raw == NULL ? datagram_of(packet) : NULL;
    bool owns_packet = datagram != NULL && datagram->whole == packet;

    for (uint32_t skip = 0; skip < total; skip += room) {
        uint32_t len = MIN(room, total - skip);
        Packet *piece = cut_piece(host, packet, datagram, skip, len, skip + len == total);

        host_count(host, MIB_IpFragCreates);
        ip_transmit(host, out, piece);
    }
    host_count(host, MIB_IpFragOKs);
    if (datagram != NULL) { /* our own reference; the pieces may all be gone already */
        if (--datagram->refs == 0) {
            packet_free(host->packets, datagram->whole);
            g_free(datagram);
        }
    }
    if (!owns_packet)
        packet_free(host->packets, packet);
}
