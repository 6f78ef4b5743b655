/* TCP options: MSS (RFC 9293 §3.7.1), window scale and timestamps (RFC 7323),
 * SACK (RFC 2018), Fast Open (RFC 7413 §4.1.1 and its experimental form). The
 * order and the padding are those that Linux sends. */
#include "models/wire/wire.h"

#include <string.h>

#include "sim/check.h"

enum {
    KIND_END = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,
    KIND_WSCALE = 3,
    KIND_SACK_OK = 4,
    KIND_SACK = 5,
    KIND_TS = 8,
    KIND_FASTOPEN = 34,
    KIND_EXPERIMENT = 254,
    KIND_UNASSIGNED = 33, /* stands for bytes that could not be read */
};

enum { FASTOPEN_MAGIC = 0xf989 };

uint8_t
tcp_options_bytes(const TcpHeader *tcp)
{
    unsigned bytes = 0;

    if (tcp->options & TCPOPT_HAS_MSS)
        bytes += 4;
    if (tcp->options & TCPOPT_HAS_TS)
        bytes += 12; /* with SACK-permitted or two NOPs before it */
    else if (tcp->options & TCPOPT_HAS_SACK_OK)
        bytes += 4;
    if (tcp->options & TCPOPT_HAS_WSCALE)
        bytes += 4;
    if (tcp->options & TCPOPT_HAS_FASTOPEN)
        bytes += (2u + tcp->fastopen_len + 3) & ~3u;
    if (tcp->options & TCPOPT_HAS_FASTOPEN_EXP)
        bytes += (4u + tcp->fastopen_len + 3) & ~3u;
    if (tcp->n_sacks > 0)
        bytes += 4 + 8u * tcp->n_sacks;
    return (uint8_t)bytes;
}

static uint8_t *
render_timestamps(const TcpHeader *tcp, uint8_t *to)
{
    bool with_sack_ok = (tcp->options & TCPOPT_HAS_SACK_OK) != 0;

    to[0] = with_sack_ok ? KIND_SACK_OK : KIND_NOP;
    to[1] = with_sack_ok ? 2 : KIND_NOP;
    to[2] = KIND_TS;
    to[3] = 10;
    wire_put32(to + 4, tcp->tsval);
    wire_put32(to + 8, tcp->tsecr);
    return to + 12;
}

static uint8_t *
render_fastopen(const TcpHeader *tcp, uint8_t *to, bool is_experiment)
{
    uint8_t len = (uint8_t)((is_experiment ? 4 : 2) + tcp->fastopen_len);

    *to++ = is_experiment ? KIND_EXPERIMENT : KIND_FASTOPEN;
    *to++ = len;
    if (is_experiment) {
        wire_put16(to, FASTOPEN_MAGIC);
        to += 2;
    }
    memcpy(to, tcp->fastopen_cookie, tcp->fastopen_len);
    to += tcp->fastopen_len;
    for (; len % 4 != 0; len++)
        *to++ = KIND_NOP;
    return to;
}

static uint8_t *
render_sacks(const TcpHeader *tcp, uint8_t *to)
{
    to[0] = to[1] = KIND_NOP;
    to[2] = KIND_SACK;
    to[3] = (uint8_t)(2 + 8 * tcp->n_sacks);
    to += 4;
    for (unsigned i = 0; i < tcp->n_sacks; i++, to += 8) {
        wire_put32(to, tcp->sacks[i].start);
        wire_put32(to + 4, tcp->sacks[i].end);
    }
    return to;
}

uint32_t
tcp_options_render(const TcpHeader *tcp, uint8_t bytes[TCP_OPTIONS_MAX])
{
    uint32_t len = tcp_options_bytes(tcp);
    uint8_t *to = bytes;

    sim_check(len <= TCP_OPTIONS_MAX && tcp->n_sacks <= TCP_MAX_SACK_BLOCKS);
    if (tcp->options & TCPOPT_HAS_MSS) {
        to[0] = KIND_MSS;
        to[1] = 4;
        wire_put16(to + 2, tcp->mss);
        to += 4;
    }
    if (tcp->options & TCPOPT_HAS_TS) {
        to = render_timestamps(tcp, to);
    } else if (tcp->options & TCPOPT_HAS_SACK_OK) {
        memcpy(to, (uint8_t[]){ KIND_NOP, KIND_NOP, KIND_SACK_OK, 2 }, 4);
        to += 4;
    }
    if (tcp->options & TCPOPT_HAS_WSCALE) {
        memcpy(to, (uint8_t[]){ KIND_NOP, KIND_WSCALE, 3, tcp->wscale }, 4);
        to += 4;
    }
    if (tcp->options & TCPOPT_HAS_FASTOPEN)
        to = render_fastopen(tcp, to, false);
    if (tcp->options & TCPOPT_HAS_FASTOPEN_EXP)
        to = render_fastopen(tcp, to, true);
    if (tcp->n_sacks > 0)
        to = render_sacks(tcp, to);
    /* A parsed header may have had more: what we don't know becomes padding,
     * what could not be read stays unreadable. */
    if (tcp->option_bytes > len && tcp->option_bytes <= TCP_OPTIONS_MAX) {
        memset(to, KIND_END, tcp->option_bytes - len);
        if (tcp->options & TCPOPT_MALFORMED)
            to[0] = KIND_UNASSIGNED; /* of length 0 */
        len = tcp->option_bytes & ~3u;
    }
    return len;
}

static void
parse_sacks(TcpHeader *tcp, const uint8_t *data, uint32_t len)
{
    if (len % 8 != 0 || len == 0)
        return;
    tcp->n_sacks = 0;
    for (uint32_t at = 0; at < len && tcp->n_sacks < TCP_MAX_SACK_BLOCKS; at += 8)
        tcp->sacks[tcp->n_sacks++] =
            (SackBlock){ wire_get32(data + at), wire_get32(data + at + 4) };
}

static void
parse_fastopen(TcpHeader *tcp, const uint8_t *cookie, uint32_t len, uint8_t which)
{
    if (len > TCP_FASTOPEN_COOKIE_MAX)
        return;
    tcp->options |= which;
    tcp->fastopen_len = (uint8_t)len;
    memcpy(tcp->fastopen_cookie, cookie, len);
}

/* One option of kind and length; a known kind of a wrong length is passed over. */
static void
parse_option(TcpHeader *tcp, uint8_t kind, const uint8_t *data, uint32_t len)
{
    if (kind == KIND_MSS && len == 2) {
        tcp->options |= TCPOPT_HAS_MSS;
        tcp->mss = wire_get16(data);
    } else if (kind == KIND_WSCALE && len == 1) {
        tcp->options |= TCPOPT_HAS_WSCALE;
        tcp->wscale = data[0];
    } else if (kind == KIND_SACK_OK && len == 0) {
        tcp->options |= TCPOPT_HAS_SACK_OK;
    } else if (kind == KIND_TS && len == 8) {
        tcp->options |= TCPOPT_HAS_TS;
        tcp->tsval = wire_get32(data);
        tcp->tsecr = wire_get32(data + 4);
    } else if (kind == KIND_SACK) {
        parse_sacks(tcp, data, len);
    } else if (kind == KIND_FASTOPEN) {
        parse_fastopen(tcp, data, len, TCPOPT_HAS_FASTOPEN);
    } else if (kind == KIND_EXPERIMENT && len >= 2 && wire_get16(data) == FASTOPEN_MAGIC) {
        parse_fastopen(tcp, data + 2, len - 2, TCPOPT_HAS_FASTOPEN_EXP);
    }
}

/* A header may hold more without padding than fits with it: then the last
 * blocks and the cookie are as if they had not come. */
static void
parse_fit(TcpHeader *tcp)
{
    while (tcp->n_sacks > 0 && tcp_options_bytes(tcp) > TCP_OPTIONS_MAX)
        tcp->n_sacks--;
    if (tcp_options_bytes(tcp) > TCP_OPTIONS_MAX)
        tcp->options &= (uint8_t) ~(TCPOPT_HAS_FASTOPEN | TCPOPT_HAS_FASTOPEN_EXP);
}

static bool
parse_all(TcpHeader *tcp, const uint8_t *bytes, uint32_t len)
{
    uint32_t at = 0;

    while (at < len && bytes[at] != KIND_END) {
        if (bytes[at] == KIND_NOP) {
            at++;
            continue;
        }
        /* RFC 9293 §3.2: a length below 2, or beyond the header, ends it. */
        if (at + 1 >= len || bytes[at + 1] < 2 || bytes[at + 1] > len - at)
            return false;
        parse_option(tcp, bytes[at], bytes + at + 2, bytes[at + 1] - 2u);
        at += bytes[at + 1];
    }
    return true;
}

void
tcp_options_parse(TcpHeader *tcp, const uint8_t *bytes, uint32_t len)
{
    if (!parse_all(tcp, bytes, len))
        tcp->options |= TCPOPT_MALFORMED;
    parse_fit(tcp);
}
