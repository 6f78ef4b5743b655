#include "models/wire/addr.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

bool
ip_addr_is_loopback(IpAddr addr)
{
    if (ip_addr_is_v4(addr))
        return ip_addr_to_v4(addr) >> 24 == 127; /* RFC 1122 §3.2.1.3 (g) */
    return addr.hi == 0 && addr.lo == 1;         /* RFC 4291 §2.5.3 */
}

static IpAddr
ip_addr_from_network(const uint8_t bytes[16])
{
    uint64_t words[2];

    memcpy(words, bytes, sizeof words);
    return (IpAddr){ GUINT64_FROM_BE(words[0]), GUINT64_FROM_BE(words[1]) };
}

bool
ip_addr_parse(const char *text, IpAddr *addr)
{
    uint8_t bytes[16];
    uint32_t v4;

    if (inet_pton(AF_INET, text, &v4) == 1) {
        *addr = ip_addr_v4(g_ntohl(v4));
        return true;
    }
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        *addr = ip_addr_from_network(bytes);
        return true;
    }
    return false;
}

bool
ip_prefix_parse(const char *text, IpAddr *addr, unsigned *prefix_bits)
{
    char address[IP_ADDR_TEXT];
    const char *slash = strchr(text, '/');
    size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);

    if (length >= sizeof address)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    if (!ip_addr_parse(address, addr))
        return false;

    unsigned widest = ip_addr_is_v4(*addr) ? 32 : 128;
    *prefix_bits = widest;
    if (slash == NULL)
        return true;

    unsigned bits = 0;
    size_t digits = strspn(slash + 1, "0123456789");
    if (digits == 0 || digits > 3 || slash[1 + digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        bits = bits * 10 + (unsigned)(slash[1 + i] - '0');
    if (bits > widest)
        return false;
    *prefix_bits = bits;
    return true;
}

/* The top `bits` of a word; a shift by 64 is undefined in C. */
static uint64_t
top_bits(uint64_t word, unsigned bits)
{
    return bits == 0 ? 0 : word >> (64 - bits);
}

bool
ip_addr_in_prefix(IpAddr addr, IpAddr prefix, unsigned prefix_bits)
{
    if (ip_addr_is_v4(prefix)) {
        if (!ip_addr_is_v4(addr))
            return false;
        prefix_bits += 96;
    }
    if (prefix_bits <= 64)
        return top_bits(addr.hi, prefix_bits) == top_bits(prefix.hi, prefix_bits);
    return addr.hi == prefix.hi &&
           top_bits(addr.lo, prefix_bits - 64) == top_bits(prefix.lo, prefix_bits - 64);
}

unsigned
ip_addr_to_bytes(IpAddr addr, uint8_t bytes[IP_ADDR_BYTES])
{
    unsigned n = ip_addr_is_v4(addr) ? 4 : IP_ADDR_BYTES;

    for (unsigned i = 0; i < n; i++) {
        uint64_t half = n - i > 8 ? addr.hi : addr.lo;

        bytes[i] = (uint8_t)(half >> (8 * ((n - 1 - i) % 8)));
    }
    return n;
}

IpAddr
ip_addr_later_in_prefix(IpAddr addr, unsigned prefix_bits, uint64_t nth)
{
    unsigned all = ip_addr_is_v4(addr) ? 32 : 128;
    unsigned bits = prefix_bits < all ? all - prefix_bits : 0;
    uint64_t mask = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

    addr.lo = (addr.lo & ~mask) | ((addr.lo + nth) & mask);
    return addr;
}

const char *
ip_addr_format(IpAddr addr, char text[IP_ADDR_TEXT])
{
    if (ip_addr_is_v4(addr)) {
        uint32_t v4 = g_htonl(ip_addr_to_v4(addr));
        inet_ntop(AF_INET, &v4, text, IP_ADDR_TEXT);
        return text;
    }
    if (ip_addr_is_any(addr))
        return g_strlcpy(text, "0.0.0.0", IP_ADDR_TEXT), text;

    uint64_t words[2] = { GUINT64_TO_BE(addr.hi), GUINT64_TO_BE(addr.lo) };
    inet_ntop(AF_INET6, words, text, IP_ADDR_TEXT);
    return text;
}

const char *
endpoint_format(Endpoint endpoint, char text[ENDPOINT_TEXT])
{
    char addr[IP_ADDR_TEXT];

    ip_addr_format(endpoint.addr, addr);
    g_snprintf(text, ENDPOINT_TEXT, strchr(addr, ':') != NULL ? "[%s]:%u" : "%s:%u", addr,
               endpoint.port);
    return text;
}
