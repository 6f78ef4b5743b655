/* pcapng, the little of it that a capture needs (draft-ietf-opsawg-pcapng):
 * one section, one interface of LINKTYPE_RAW with a name and nanosecond times,
 * enhanced packet blocks with a comment. Little-endian on every machine, so
 * that the same run gives the same bytes.
 */
#ifndef HALFOPEN_RUNTIME_PCAPNG_H
#define HALFOPEN_RUNTIME_PCAPNG_H

#include "scenarios/runtime/outfile.h"

#define PCAPNG_COMMENT_MOST 1024

typedef struct PcapngPacket {
    SimTime at;
    uint64_t id;       /* epb_packetid: the same in every capture of a run */
    uint32_t captured; /* bytes; at most 65535 */
    uint32_t original; /* length on the wire */
    bool is_outbound;
    const char *comment;  /* UTF-8, without a final '\0' */
    uint32_t comment_len; /* bytes; at most PCAPNG_COMMENT_MOST; 0: none */
} PcapngPacket;

void pcapng_write_header(OutFile *out, const char *host, const char *iface, uint32_t snaplen);

/* A packet is begun, `captured` bytes of it are written at the place returned,
 * and it is ended, with nothing else written to `out` between. */
uint8_t *pcapng_begin_packet(OutFile *out, const PcapngPacket *packet);
void pcapng_end_packet(OutFile *out, const PcapngPacket *packet);

#endif
