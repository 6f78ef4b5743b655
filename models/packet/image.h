/* A packet as it looked at one moment, to be rendered later: captures keep
 * packets until their fate is known. Of most packets that is two headers and a
 * reference to the payload, whose bytes never change (models/packet/stream.h), so
 * that a megabyte on its way costs no megabyte here.
 */
#ifndef HALFOPEN_MODELS_PACKET_IMAGE_H
#define HALFOPEN_MODELS_PACKET_IMAGE_H

#include "models/packet/packet.h"
#include "models/wire/wire.h"

/* The transport's checksum, but for the sum of the bytes that it covers. */
typedef struct PacketChecksum {
    uint32_t pseudo_sum;
    uint8_t offset; /* within the transport header; 0: there is none, or it is written */
    bool is_udp;
    bool is_wrong; /* a fault broke it */
} PacketChecksum;

enum { PACKET_IMAGE_ROOM = IPV4_HEADER_BYTES + TCP_HEADER_BYTES + TCP_OPTIONS_MAX };

typedef struct PacketImage {
    uint32_t len;   /* of the whole datagram */
    uint8_t *whole; /* owns: the datagram, of a packet that is more than headers and payload */
    /* Without `whole`: */
    Payload payload;
    PacketChecksum checksum;
    uint8_t headers_len;
    uint8_t headers[PACKET_IMAGE_ROOM];
} PacketImage;

void packet_image_take(PacketImage *image, const PacketPool *pool, const Packet *packet);
/* The first `len` bytes, at most image->len, of what packet_render() wrote when
 * the image was taken. The streams must be those of the pool that it was taken with. */
void packet_image_render(PacketImage *image, const StreamTable *streams, uint8_t *bytes,
                         uint32_t len);
void packet_image_done(PacketImage *image);

#endif
