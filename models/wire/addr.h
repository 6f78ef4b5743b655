/* An IP address of either family, and an endpoint. IPv4 is kept as the
 * IPv4-mapped IPv6 address ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), so nothing
 * above ip/ asks which family it is.
 */
#ifndef HALFOPEN_MODELS_WIRE_ADDR_H
#define HALFOPEN_MODELS_WIRE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct IpAddr {
    uint64_t hi, lo;
} IpAddr;

typedef struct Endpoint {
    IpAddr addr;
    uint16_t port;
} Endpoint;

#define IP_ADDR_ANY       ((IpAddr){ 0, 0 })
#define IP_ADDR_LOOPBACK  ip_addr_v4(0x7f000001) /* no address given: this host */
#define IP_ADDR_BYTES     16
#define IP_ADDR_V4_PREFIX UINT64_C(0x0000ffff00000000)
#define IP_ADDR_TEXT      48
#define ENDPOINT_TEXT     56

static inline IpAddr
ip_addr_v4(uint32_t host_order)
{
    return (IpAddr){ 0, IP_ADDR_V4_PREFIX | host_order };
}

static inline bool
ip_addr_is_v4(IpAddr addr)
{
    return addr.hi == 0 && (addr.lo >> 32) == 0xffff;
}

static inline uint32_t
ip_addr_to_v4(IpAddr addr)
{
    return (uint32_t)addr.lo;
}

static inline bool
ip_addr_equal(IpAddr a, IpAddr b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

static inline bool
ip_addr_is_any(IpAddr addr) /* the unspecified address of either family */
{
    return addr.hi == 0 && (addr.lo == 0 || addr.lo == IP_ADDR_V4_PREFIX);
}

static inline bool
endpoint_equal(Endpoint a, Endpoint b)
{
    return a.port == b.port && ip_addr_equal(a.addr, b.addr);
}

bool ip_addr_is_loopback(IpAddr addr);
bool ip_addr_parse(const char *text, IpAddr *addr); /* "10.0.0.1", "2001:db8::1" */
/* "10.0.0.0/24"; all bits where no length is given. */
bool ip_prefix_parse(const char *text, IpAddr *addr, unsigned *prefix_bits);
/* Bits count within the IPv4 part for an IPv4 prefix. */
bool ip_addr_in_prefix(IpAddr addr, IpAddr prefix, unsigned prefix_bits);
/* The address as a header carries it, in network order: 4 or 16 bytes. */
unsigned ip_addr_to_bytes(IpAddr addr, uint8_t bytes[IP_ADDR_BYTES]);
/* The address that comes `nth` after this one, around and around in its prefix
 * (of an IPv6 address at most the last 64 bits count up). */
IpAddr ip_addr_later_in_prefix(IpAddr addr, unsigned prefix_bits, uint64_t nth);
const char *ip_addr_format(IpAddr addr, char text[IP_ADDR_TEXT]);
const char *endpoint_format(Endpoint endpoint, char text[ENDPOINT_TEXT]); /* "10.0.0.1:80" */

#endif
