/* TCP_INFO: the fields of linux/tcp.h's struct tcp_info, with its units. */
#ifndef HALFOPEN_MODELS_TCP_INFO_H
#define HALFOPEN_MODELS_TCP_INFO_H

#include <stdint.h>

struct TcpInfo {
    uint8_t state; /* Linux's numbering: 1 ESTABLISHED ... 12 NEW_SYN_RECV */
    uint8_t ca_state, retransmits, probes, backoff, options;
    uint8_t snd_wscale, rcv_wscale;
    uint8_t delivery_rate_app_limited, fastopen_client_fail;
    uint32_t rto, ato;                                                     /* us */
    uint32_t snd_mss, rcv_mss;                                             /* bytes */
    uint32_t unacked, sacked, lost, retrans, fackets;                      /* segments */
    uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv; /* ms ago */
    uint32_t pmtu, rcv_ssthresh;
    uint32_t rtt, rttvar; /* us */
    uint32_t snd_ssthresh, snd_cwnd, advmss, reordering;
    uint32_t rcv_rtt, rcv_space, total_retrans;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
    uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
    uint32_t delivered, delivered_ce;
    uint64_t bytes_sent, bytes_retrans;
    uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
    uint16_t total_rto, total_rto_recoveries;
    uint32_t total_rto_time;
};

#endif
