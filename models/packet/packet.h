/* A packet in flight: decoded headers and a reference to its payload, from a
 * pool, never a byte buffer. packet_render() and packet_parse() go to and from
 * real bytes (models/wire/), for captures, byte-level faults and packetdrill.
 *
 * One owner at a time: whoever is handed a Packet* frees it or hands it on.
 */
#ifndef HALFOPEN_MODELS_PACKET_PACKET_H
#define HALFOPEN_MODELS_PACKET_PACKET_H

#include "models/packet/stream.h"
#include "models/wire/headers.h"
#include "sim/pool.h"
#include "sim/time.h"

typedef struct Packet Packet;

/* What fragments of one datagram share: the whole packet they were cut from. */
typedef struct Datagram {
    uint32_t refs;
    Packet *whole; /* owns */
} Datagram;

/* Bytes on the wire after the IP header, when they can't be expressed as
 * decoded headers: injected nonsense, corrupted segments, parsed fragments. */
typedef struct RawBytes {
    uint32_t refs;
    uint32_t len;
    uint8_t bytes[];
} RawBytes;

enum {
    PACKET_BAD_CHECKSUM = 0x01, /* a fault broke it and the receiver's checksum will tell */
    PACKET_FORGED = 0x02,       /* injected by a scenario, not sent by a stack */
    PACKET_DUPLICATE = 0x04,    /* a copy that the network made */
    PACKET_FRAGMENT = 0x08,     /* ip payload is bytes [frag_offset, +len) of fragment_of or raw */
    PACKET_RETRANSMIT = 0x10,   /* the sender sent (some of) these bytes before */
    PACKET_GSO_TAIL = 0x20,     /* last segment of one burst that the sender handed down at once */
    PACKET_BURST_REST = 0x40,   /* not the first segment of a burst handed down at once */
    PACKET_REASSEMBLED = 0x80,  /* it came in pieces, which occupy `memory` bytes */
};

struct Packet {
    /* What links and routers touch: one cache line, and of the next tx_at. */
    SIM_LINE_ALIGNED Packet *next; /* in whichever list holds it */
    SimTime due;                   /* for the link that holds it: when it leaves the far end */
    IpHeader ip;

    /* What its maker and its receiver touch: two lines, up to the timestamps. */
    SIM_LINE_ALIGNED RawBytes *raw; /* owns a reference; set: what follows the IP header */
    Payload payload;
    SimTime tx_at; /* for the link that holds it: when its first bit leaves */
    uint64_t id;   /* serial number in the run; a copy has its own */
    /* Owns a reference. What a fragment was cut from (PACKET_FRAGMENT), or what
     * an ICMP error quotes; else NULL. */
    Datagram *fragment_of;
    uint64_t copy_of; /* id of the packet this is a copy or a fragment of; 0: an original */
    uint32_t conn;    /* id of the connection that sent it; 0: none */
    uint16_t flags;   /* PACKET_* */
    const char *why;  /* the rule that made it, for the why-log; static text, may be NULL */
    union {
        TcpHeader tcp;
        UdpHeader udp;
        IcmpHeader icmp;
    };
    uint32_t memory; /* with PACKET_REASSEMBLED; else unset */
};

_Static_assert(sizeof(TcpHeader) >= sizeof(IcmpHeader) && sizeof(TcpHeader) >= sizeof(UdpHeader),
               "copying packet->tcp copies any transport header");

typedef struct PacketPool {
    SimPool pool;
    uint64_t last_id;
    StreamTable *streams; /* borrows */
} PacketPool;

void packet_pool_init(PacketPool *pool, SimArena *arena, StreamTable *streams);

/* A packet with id, flags and every pointer set, IP ttl 64 and the rest zero
 * but for the transport union and payload, which are left to the caller
 * (packet_new_tcp clears the TCP header's options too). */
Packet *packet_new(PacketPool *pool);
Packet *packet_new_tcp(PacketPool *pool);
Packet *packet_copy(PacketPool *pool,
                    const Packet *packet); /* a duplicate, with an id of its own */
void packet_free(PacketPool *pool, Packet *packet);

/* One reference each, for the caller. A datagram owns `whole`, which is freed
 * with the last packet that refers to it. An ICMP error may keep a copy of the
 * packet it quotes as fragment_of, so that the quote is rendered byte by byte;
 * without it the quote has the IP header, ports and sequence number alone. */
Datagram *datagram_new(Packet *whole);
RawBytes *raw_bytes_new(const uint8_t *bytes, uint32_t len);
void raw_bytes_unref(RawBytes *raw);

/* Sets ip.total_len (and tcp.option_bytes, udp.len) from headers and payload. */
void packet_finish_lengths(Packet *packet);

/* The whole IP datagram as on a real wire, checksums right (or wrong by one
 * bit for PACKET_BAD_CHECKSUM). Returns its length; writes at most `size`. */
uint32_t packet_render(const PacketPool *pool, const Packet *packet, uint8_t *bytes, uint32_t size);

/* The reverse. Payload bytes get a stream of their own. NULL, with *error
 * (static text) saying what is wrong and where, for bytes that are no IPv4
 * datagram; a transport header that does not parse is kept in raw. A wrong
 * checksum sets PACKET_BAD_CHECKSUM. */
Packet *packet_parse(PacketPool *pool, const uint8_t *bytes, uint32_t len, const char **error);

/* "SYN seq 0 win 64240 <mss 1460>" for people, as tcpdump would; sequence
 * numbers are shown minus `seq_base` and `ack_base`. */
char *packet_describe(const Packet *packet, uint32_t seq_base, uint32_t ack_base);

static inline uint32_t
packet_ip_payload_len(const Packet *packet)
{
    return packet->ip.total_len - IPV4_HEADER_BYTES;
}

/* What a segment takes in sequence space: data, SYN and FIN. */
static inline uint32_t
packet_tcp_seq_len(const Packet *packet)
{
    return packet->payload.len + !!(packet->tcp.flags & TCP_SYN) + !!(packet->tcp.flags & TCP_FIN);
}

#endif
