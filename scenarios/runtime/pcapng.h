/* pcapng, the little of it that a capture needs (draft-ietf-opsawg-pcapng):
 * one section, one interface of LINKTYPE_RAW with a name and nanosecond times,
 * enhanced packet blocks with a comment. Little-endian on every machine, so
 * that the same run gives the same bytes.
 */
#ifndef HALFOPEN_RUNTIME_PCAPNG_H
#define HALFOPEN_RUNTIME_PCAPNG_H

#include "scenarios/runtime/outfile.h"

typedef struct PcapngPacket {
    SimTime at;
    uint64_t id;          /* epb_packetid: the same in every capture of a run */
    const uint8_t *bytes; /* borrows */
    uint32_t captured;    /* of bytes */
    uint32_t original;    /* length on the wire */
    bool is_outbound;
    const char *comment; /* UTF-8; NULL: none */
} PcapngPacket;

void pcapng_write_header(OutFile *out, const char *host, const char *iface, uint32_t snaplen);
void pcapng_write_packet(OutFile *out, const PcapngPacket *packet);

#endif
