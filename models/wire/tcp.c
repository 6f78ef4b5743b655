/* The TCP header (RFC 9293 §3.1); its options are in tcp_options.c. */
#include "models/wire/wire.h"

uint32_t
tcp_render(const TcpHeader *tcp, uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX])
{
    uint32_t header = TCP_HEADER_BYTES + tcp_options_render(tcp, bytes + TCP_HEADER_BYTES);

    wire_put16(bytes, tcp->sport);
    wire_put16(bytes + 2, tcp->dport);
    wire_put32(bytes + 4, tcp->seq);
    wire_put32(bytes + 8, tcp->ack);
    bytes[12] = (uint8_t)(header / 4 << 4 | (tcp->flags >> 8 & 1));
    bytes[13] = (uint8_t)tcp->flags;
    wire_put16(bytes + 14, tcp->wnd);
    wire_put16(bytes + 16, 0);
    wire_put16(bytes + 18, tcp->urg);
    return header;
}

uint32_t
tcp_parse(TcpHeader *tcp, const uint8_t *bytes, uint32_t len)
{
    if (len < TCP_HEADER_BYTES)
        return 0;
    uint32_t header = (bytes[12] >> 4) * 4u;
    if (header < TCP_HEADER_BYTES || header > len)
        return 0;
    *tcp = (TcpHeader){
        .sport = wire_get16(bytes),
        .dport = wire_get16(bytes + 2),
        .seq = wire_get32(bytes + 4),
        .ack = wire_get32(bytes + 8),
        .flags = (uint16_t)((bytes[12] & 1) << 8 | bytes[13]),
        .wnd = wire_get16(bytes + 14),
        .urg = wire_get16(bytes + 18),
        .option_bytes = (uint8_t)(header - TCP_HEADER_BYTES),
    };
    tcp_options_parse(tcp, bytes + TCP_HEADER_BYTES, header - TCP_HEADER_BYTES);
    return header;
}
