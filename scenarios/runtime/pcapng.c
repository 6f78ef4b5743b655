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

/* ---- Packets: of these there are many ------------------------------------------------- */

static inline char *
put_word(char *to, uint32_t word)
{
    word = GUINT32_TO_LE(word);
    memcpy(to, &word, sizeof word);
    return to + sizeof word;
}

/* Zeros up to the next whole word after `len` bytes. */
static inline char *
pad(char *to, uint32_t len)
{
    memset(to, 0, 3);
    return to + (padded(len) - len);
}

static uint32_t
packet_block_size(const PcapngPacket *packet)
{
    return 32 + padded(packet->captured) + option_size(4) + option_size(8) +
           (packet->comment_len > 0 ? option_size(packet->comment_len) : 0) + 4;
}

uint8_t *
pcapng_begin_packet(OutFile *out, const PcapngPacket *packet)
{
    uint64_t at = (uint64_t)packet->at;
    char *to = out_room(out);

    to = put_word(to, BLOCK_PACKET);
    to = put_word(to, packet_block_size(packet));
    to = put_word(to, 0); /* the only interface */
    to = put_word(to, (uint32_t)(at >> 32));
    to = put_word(to, (uint32_t)at);
    to = put_word(to, packet->captured);
    to = put_word(to, packet->original);
    out_wrote(out, to);
    return (uint8_t *)to;
}

void
pcapng_end_packet(OutFile *out, const PcapngPacket *packet)
{
    char *to = out->buffer + out->used + packet->captured;

    to = pad(to, packet->captured);
    to = put_word(to, OPT_EPB_FLAGS | 4 << 16);
    to = put_word(to, packet->is_outbound ? EPB_OUTBOUND : EPB_INBOUND);
    to = put_word(to, OPT_EPB_PACKETID | 8 << 16);
    to = put_word(to, (uint32_t)packet->id);
    to = put_word(to, (uint32_t)(packet->id >> 32));
    if (packet->comment_len > 0) {
        to = put_word(to, OPT_COMMENT | packet->comment_len << 16);
        memcpy(to, packet->comment, packet->comment_len);
        to = pad(to + packet->comment_len, packet->comment_len);
    }
    to = put_word(to, OPT_END);
    out_wrote(out, put_word(to, packet_block_size(packet)));
}
