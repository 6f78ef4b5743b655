/* UDP traffic that does not listen: a sender of constant rate, which never
 * slows down whatever is lost, and a sink that counts what arrives. Beside a
 * TCP they show what congestion control is for.
 */
#ifndef HALFOPEN_MODELS_APP_UDP_RATE_H
#define HALFOPEN_MODELS_APP_UDP_RATE_H

#include "models/udp/udp.h"

typedef struct AppUdpSender AppUdpSender;
typedef struct AppUdpSink AppUdpSink;

typedef struct AppUdpSenderParams {
    Endpoint to;
    uint64_t rate;           /* bit/s of IP packets, > 0 */
    uint32_t datagram_bytes; /* of data, 1 to 65507 */
    SimTime start, stop;     /* stop SIM_NEVER: for ever */
    uint64_t count;          /* datagrams in all; 0: until stop */
    bool is_poisson;         /* else evenly spaced */
    PmtuDiscover discover;
} AppUdpSenderParams;

typedef struct AppUdpSinkCounts {
    uint64_t datagrams, bytes;
    uint64_t late;             /* came after a datagram of the same sender that was sent later */
    SimTime first_at, last_at; /* SIM_NEVER: none came */
} AppUdpSinkCounts;

AppUdpSender *app_udp_sender_new(Host *host,
                                 const AppUdpSenderParams *params); /* freed with the host */
uint64_t app_udp_sender_sent(const AppUdpSender *sender);           /* datagrams handed to IP */
uint64_t
app_udp_sender_errors(const AppUdpSender *sender); /* sends that failed; it goes on regardless */

/* NULL with *error (negative errno) when the port can't be had. */
AppUdpSink *app_udp_sink_new(Host *host, uint16_t port, int *error);
AppUdpSinkCounts app_udp_sink_counts(const AppUdpSink *sink);

#endif
