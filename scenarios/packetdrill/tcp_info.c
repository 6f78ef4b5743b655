/* TCP_INFO, field by field. */
#include "scenarios/packetdrill/tcp_info.h"

void
door_tcp_info(const TcpInfo *in, LinuxTcpInfo *out)
{
    *out = (LinuxTcpInfo){
        .wscales = (uint8_t)(in->snd_wscale | in->rcv_wscale << 4),
        .flags = (uint8_t)((in->delivery_rate_app_limited & 1) | in->fastopen_client_fail << 1),
    };
#define SAME(field) out->field = in->field
    SAME(state);
    SAME(ca_state);
    SAME(retransmits);
    SAME(probes);
    SAME(backoff);
    SAME(options);
    SAME(rto);
    SAME(ato);
    SAME(snd_mss);
    SAME(rcv_mss);
    SAME(unacked);
    SAME(sacked);
    SAME(lost);
    SAME(retrans);
    SAME(fackets);
    SAME(last_data_sent);
    SAME(last_ack_sent);
    SAME(last_data_recv);
    SAME(last_ack_recv);
    SAME(pmtu);
    SAME(rcv_ssthresh);
    SAME(rtt);
    SAME(rttvar);
    SAME(snd_ssthresh);
    SAME(snd_cwnd);
    SAME(advmss);
    SAME(reordering);
    SAME(rcv_rtt);
    SAME(rcv_space);
    SAME(total_retrans);
    SAME(pacing_rate);
    SAME(max_pacing_rate);
    SAME(bytes_acked);
    SAME(bytes_received);
    SAME(segs_out);
    SAME(segs_in);
    SAME(notsent_bytes);
    SAME(min_rtt);
    SAME(data_segs_in);
    SAME(data_segs_out);
    SAME(delivery_rate);
    SAME(busy_time);
    SAME(rwnd_limited);
    SAME(sndbuf_limited);
    SAME(delivered);
    SAME(delivered_ce);
    SAME(bytes_sent);
    SAME(bytes_retrans);
    SAME(dsack_dups);
    SAME(reord_seen);
    SAME(rcv_ooopack);
    SAME(snd_wnd);
    SAME(rcv_wnd);
    SAME(rehash);
    SAME(total_rto);
    SAME(total_rto_recoveries);
    SAME(total_rto_time);
#undef SAME
}
