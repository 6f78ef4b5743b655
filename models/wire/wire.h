/* Headers to bytes and back, one protocol a file; packet_render() and
 * packet_parse() (models/packet/) put them together. Renderers write a
 * checksum field of zero where the checksum covers what follows the header.
 */
#ifndef HALFOPEN_MODELS_WIRE_WIRE_H
#define HALFOPEN_MODELS_WIRE_WIRE_H

#include "models/wire/headers.h"

enum { TCP_OPTIONS_MAX = 40 };

static inline uint16_t
wire_get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t
wire_get32(const uint8_t *bytes)
{
    return (uint32_t)wire_get16(bytes) << 16 | wire_get16(bytes + 2);
}

static inline void
wire_put16(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void
wire_put32(uint8_t *bytes, uint32_t value)
{
    wire_put16(bytes, value >> 16);
    wire_put16(bytes + 2, value);
}

/* checksum.c: the Internet checksum (RFC 1071). `wire_checksum` is what the
 * field holds; over data that includes a right field it is zero. `wire_sum` is
 * the sum before it is inverted, to be added as `sum` of another call for what
 * stands an even number of bytes after it. */
uint16_t wire_sum(const uint8_t *bytes, uint32_t len);
uint16_t wire_checksum(const uint8_t *bytes, uint32_t len, uint32_t sum);
/* The pseudo-header's part of TCP's and UDP's sum (RFC 9293 §3.1). */
uint32_t wire_pseudo_sum(const IpHeader *ip, uint32_t transport_len);
/* Makes all checksums of an IPv4 datagram right again, where there is one. */
void wire_fix_checksums(uint8_t *datagram, uint32_t len);
/* Where the transport's checksum lies within a transport header; 0: it has none. */
uint32_t wire_checksum_offset(uint8_t proto);

/* ipv4.c. Parse: the length of the header (20 to 60), or 0 and *error. Options
 * are passed over. */
void ipv4_render(const IpHeader *ip, uint8_t bytes[IPV4_HEADER_BYTES]);
uint32_t ipv4_parse(IpHeader *ip, const uint8_t *bytes, uint32_t len, bool *checksum_is_wrong,
                    const char **error);

/* tcp.c, tcp_options.c. Render: the length of the header. Parse: the same, or
 * 0 for bytes that are no TCP header. Malformed options set TCPOPT_MALFORMED. */
uint32_t tcp_render(const TcpHeader *tcp, uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX]);
uint32_t tcp_parse(TcpHeader *tcp, const uint8_t *bytes, uint32_t len);
uint32_t tcp_options_render(const TcpHeader *tcp, uint8_t bytes[TCP_OPTIONS_MAX]);
void tcp_options_parse(TcpHeader *tcp, const uint8_t *bytes, uint32_t len);

/* udp.c */
void udp_render(const UdpHeader *udp, uint8_t bytes[UDP_HEADER_BYTES]);
bool udp_parse(UdpHeader *udp, const uint8_t *bytes, uint32_t len);

/* icmp.c. The first eight bytes; the quote of an error has its own calls. */
bool icmp_is_error(uint8_t type);
void icmp_render(const IcmpHeader *icmp, uint8_t bytes[ICMP_HEADER_BYTES]);
void icmp_render_quote(const IcmpHeader *icmp, uint8_t *bytes); /* quoted_len of them */
bool icmp_parse(IcmpHeader *icmp, const uint8_t *bytes, uint32_t len);

#endif
