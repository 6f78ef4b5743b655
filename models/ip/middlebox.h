/* The boxes that RFC 3234 complains about, on a forwarding host: one that
 * strips TCP options, clamps the MSS, drops ICMP or fragments, clears ECN.
 */
#ifndef HALFOPEN_MODELS_IP_MIDDLEBOX_H
#define HALFOPEN_MODELS_IP_MIDDLEBOX_H

#include "models/ip/ip.h"

typedef struct MiddleboxParams { /* all zero: does nothing */
    uint8_t strips_options; /* TCPOPT_HAS_*: taken out of what passes; with SACK_OK SACK blocks go
                               too */
    bool strips_syn_only;   /* only out of SYN and SYN-ACK */
    uint16_t clamps_mss;    /* MSS options above are lowered to this; 0: no */
    bool clamps_mss_to_mtu; /* ... to the MTUs of both interfaces less 40 */
    bool drops_icmp_errors; /* those that pass; halfopen.icmp_errors = 0 stops the host's own */
    bool drops_echo;
    bool drops_fragments;
    bool clears_df;  /* so that routers behind fragment */
    bool clears_ecn; /* bleaches the ECN field */
} MiddleboxParams;

void middlebox_attach(Host *host,
                      const MiddleboxParams *params); /* may be called again: a second box behind */

#endif
