/* TCP_INFO as Linux hands it out: the layout of struct tcp_info in linux/tcp.h
 * of 6.18, declared here because an older header has a shorter one. */
#ifndef HALFOPEN_SCENARIOS_PACKETDRILL_TCP_INFO_H
#define HALFOPEN_SCENARIOS_PACKETDRILL_TCP_INFO_H

#include "models/sock/sock.h"
#include "models/tcp/info.h"

typedef struct LinuxTcpInfo {
    uint8_t state, ca_state, retransmits, probes, backoff, options;
    uint8_t wscales; /* the peer's in the low four bits, ours in the high */
    uint8_t flags;   /* bit 0 delivery_rate_app_limited, bits 1 and 2 fastopen_client_fail */
    uint32_t rto, ato, snd_mss, rcv_mss;
    uint32_t unacked, sacked, lost, retrans, fackets;
    uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
    uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
    uint32_t rcv_rtt, rcv_space, total_retrans;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
    uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
    uint32_t delivered, delivered_ce;
    uint64_t bytes_sent, bytes_retrans;
    uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
    uint16_t total_rto, total_rto_recoveries;
    uint32_t total_rto_time;
    uint32_t received_ce; /* AccECN: not counted here */
    uint32_t delivered_e1_bytes, delivered_e0_bytes, delivered_ce_bytes;
    uint32_t received_e1_bytes, received_e0_bytes, received_ce_bytes;
    uint32_t ecn_modes; /* bit fields; and more of tcpi_options */
} LinuxTcpInfo;

void door_tcp_info(const TcpInfo *info, LinuxTcpInfo *linux_info);

#endif
