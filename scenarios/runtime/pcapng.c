#include "scenarios/runtime/pcapng.h"

#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    LINKTYPE_RAW = 101,

    OPT_END = 0,
    OPT_COMMENT = 1,
    OPT_SHB_USERAPPL = 4,
    OPT_IF_NAME = 2,
    OPT_IF_DESCRIPTION = 3,
    OPT_IF_TSRESOL = 9,
    OPT_EPB_FLAGS = 2,
    OPT_EPB_PACKETID = 5,

    TSRESOL_NS = 9,
    EPB_INBOUND = 1,
    EPB_OUTBOUND = 2,
};

static uint32_t
padded(uint32_t len)
{
    return (len + 3) & ~3u;
}

static void
put16(OutFile *out, uint16_t value)
{
    uint8_t bytes[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

    out_bytes(out, bytes, sizeof bytes);
}

static void
put32(OutFile *out, uint32_t value)
{
    uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                         (uint8_t)(value >> 24) };

    out_bytes(out, bytes, sizeof bytes);
}

static void
put_words(OutFile *out, const uint32_t *words, size_t n)
{
    uint32_t bytes[8];

    g_assert(n <= G_N_ELEMENTS(bytes));
    for (size_t i = 0; i < n; i++)
        bytes[i] = GUINT32_TO_LE(words[i]);
    out_bytes(out, bytes, n * sizeof *bytes);
}

static void
put64(OutFile *out, uint64_t value)
{
    put32(out, (uint32_t)value);
    put32(out, (uint32_t)(value >> 32));
}

static void
put_padding(OutFile *out, uint32_t len)
{
    for (; len & 3; len++)
        out_char(out, '\0');
}

static uint32_t
option_size(uint32_t len)
{
    return 4 + padded(len);
}

static void
put_option(OutFile *out, uint16_t code, const void *value, uint32_t len)
{
    put16(out, code);
    put16(out, (uint16_t)len);
    out_bytes(out, value, len);
    put_padding(out, len);
}

static void
put_end_of_options(OutFile *out)
{
    put16(out, OPT_END);
    put16(out, 0);
}

static void
put_section(OutFile *out)
{
    static const char application[] = "halfopen";
    uint32_t size = 28 + option_size(sizeof application - 1) + 4;

    put32(out, BLOCK_SECTION);
    put32(out, size);
    put32(out, BYTE_ORDER_MAGIC);
    put16(out, 1); /* version 1.0 */
    put16(out, 0);
    put64(out, UINT64_MAX); /* length of the section: not told */
    put_option(out, OPT_SHB_USERAPPL, application, sizeof application - 1);
    put_end_of_options(out);
    put32(out, size);
}

void
pcapng_write_header(OutFile *out, const char *host, const char *iface, uint32_t snaplen)
{
    const uint8_t resolution = TSRESOL_NS;
    uint32_t host_len = (uint32_t)strlen(host), iface_len = (uint32_t)strlen(iface);
    uint32_t size = 20 + option_size(iface_len) + option_size(host_len) + option_size(1) + 4;

    put_section(out);
    put32(out, BLOCK_INTERFACE);
    put32(out, size);
    put16(out, LINKTYPE_RAW);
    put16(out, 0);
    put32(out, snaplen);
    put_option(out, OPT_IF_NAME, iface, iface_len);
    put_option(out, OPT_IF_DESCRIPTION, host, host_len);
    put_option(out, OPT_IF_TSRESOL, &resolution, 1);
    put_end_of_options(out);
    put32(out, size);
}

void
pcapng_write_packet(OutFile *out, const PcapngPacket *packet)
{
    uint32_t comment_len = packet->comment ? (uint32_t)strlen(packet->comment) : 0;
    uint32_t size = 32 + padded(packet->captured) + option_size(4) + option_size(8) +
                    (comment_len ? option_size(comment_len) : 0) + 4;
    uint64_t at = (uint64_t)packet->at;

    const uint32_t interface = 0;
    const uint32_t head[] = { BLOCK_PACKET,         size,         interface,
                              (uint32_t)(at >> 32), (uint32_t)at, packet->captured,
                              packet->original };
    const uint32_t options[] = { OPT_EPB_FLAGS | 4 << 16,
                                 packet->is_outbound ? EPB_OUTBOUND : EPB_INBOUND,
                                 OPT_EPB_PACKETID | 8 << 16, (uint32_t)packet->id,
                                 (uint32_t)(packet->id >> 32) };

    put_words(out, head, G_N_ELEMENTS(head));
    out_bytes(out, packet->bytes, packet->captured);
    put_padding(out, packet->captured);
    put_words(out, options, G_N_ELEMENTS(options));
    if (comment_len)
        put_option(out, OPT_COMMENT, packet->comment, comment_len);
    put_end_of_options(out);
    put32(out, size);
}
