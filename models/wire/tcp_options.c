#include "models/wire/headers.h"

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
