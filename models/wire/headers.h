/* Decoded headers, as they ride in a Packet on the hot path. models/wire/
 * renders them to bytes exactly as on a real wire and parses them back.
 * Numbers are in host order.
 */
#ifndef HALFOPEN_MODELS_WIRE_HEADERS_H
#define HALFOPEN_MODELS_WIRE_HEADERS_H

#include "models/wire/addr.h"

enum { IP_PROTO_ICMP = 1, IP_PROTO_TCP = 6, IP_PROTO_UDP = 17 };

/* The ECN field: the low two bits of tos (RFC 3168 §5). */
enum { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_MASK = 3 };

#define IPV4_HEADER_BYTES 20
#define IPV6_HEADER_BYTES 40

typedef struct IpHeader {
    IpAddr src, dst;
    uint16_t id;
    uint16_t frag_offset; /* in bytes, a multiple of 8 */
    uint16_t total_len;   /* header and payload, bytes */
    uint8_t proto, ttl, tos;
    bool df, mf;
    bool bad_checksum; /* a fault broke the header: the next network layer drops the packet */
} IpHeader;

/* Of the header that packets to this address have. */
static inline uint32_t
ip_header_bytes(IpAddr addr)
{
    return __builtin_expect(ip_addr_is_v4(addr), 1) ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
}

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
    TCP_AE = 0x100, /* AccECN */
};

/* Which options a header carries. */
enum {
    TCPOPT_HAS_MSS = 0x01,
    TCPOPT_HAS_WSCALE = 0x02,
    TCPOPT_HAS_SACK_OK = 0x04,
    TCPOPT_HAS_TS = 0x08,
    TCPOPT_HAS_FASTOPEN = 0x10,     /* RFC 7413 kind 34; fastopen_len may be 0: a cookie request */
    TCPOPT_HAS_FASTOPEN_EXP = 0x20, /* the same as experimental option 254, magic 0xF989 */
    TCPOPT_HAS_ACCECN = 0x40,
    TCPOPT_MALFORMED = 0x80, /* parsed bytes did not add up; what came before it counts */
};

#define TCP_HEADER_BYTES        20
#define TCP_MAX_SACK_BLOCKS     4
#define TCP_FASTOPEN_COOKIE_MAX 16

typedef struct SackBlock {
    uint32_t start, end; /* [start, end) */
} SackBlock;

typedef struct TcpHeader {
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint16_t flags;
    uint16_t wnd; /* as on the wire: unscaled */
    uint16_t urg;
    uint8_t options;      /* TCPOPT_HAS_* */
    uint8_t option_bytes; /* as rendered, padded to 4 */
    uint16_t mss;
    uint8_t wscale;
    uint8_t n_sacks;      /* blocks in sacks; the first may be a D-SACK (RFC 2883) */
    uint8_t fastopen_len; /* of fastopen_cookie */
    uint32_t tsval, tsecr;
    SackBlock sacks[TCP_MAX_SACK_BLOCKS];
    uint8_t fastopen_cookie[TCP_FASTOPEN_COOKIE_MAX];
} TcpHeader;

#define UDP_HEADER_BYTES 8

typedef struct UdpHeader {
    uint16_t sport, dport;
    uint16_t len;     /* header and data, bytes */
    bool no_checksum; /* RFC 768: an all-zero checksum field */
} UdpHeader;

enum {
    ICMP_ECHO_REPLY = 0,
    /* codes: 0 net, 1 host, 2 protocol, 3 port, 4 frag needed, 13 prohibited */
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11, /* codes: 0 TTL, 1 reassembly */
    ICMP_PARAMETER = 12,
};

#define ICMP_HEADER_BYTES 8

/* An ICMP error quotes the packet that caused it (RFC 792, RFC 1812 §4.3.2.3). */
typedef struct IcmpHeader {
    uint8_t type, code;
    uint16_t id, seq;    /* echo */
    uint16_t mtu;        /* type 3 code 4: of the next hop (RFC 1191) */
    uint16_t quoted_len; /* bytes of the offending packet that are quoted; 0 for echo */
    IpHeader quoted_ip;
    uint16_t quoted_sport, quoted_dport;
    uint32_t quoted_seq; /* TCP */
} IcmpHeader;

/* The bytes that the TCP options of `tcp` take, in the order and with the
 * padding that Linux sends: MSS, SACK-permitted+timestamps or NOP NOP
 * timestamps, NOP+window scale, Fast Open, SACK blocks last. */
uint8_t tcp_options_bytes(const TcpHeader *tcp);

#endif
