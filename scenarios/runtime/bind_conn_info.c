#include <lauxlib.h>

#include "models/tcp/info.h"
#include "scenarios/runtime/bind.h"

/* conn:info() -> the fields of struct tcp_info; times become seconds. */
int
bind_conn_info(lua_State *L)
{
    SockBox *box = sock_check(L, 1, CONN_META);
    TcpInfo info = { 0 };

    tcp_get_info(sock_tcp(box->sock), &info);
    lua_createtable(L, 0, 64);
#define PLAIN(field) (lua_pushinteger(L, (lua_Integer)info.field), lua_setfield(L, -2, #field))
#define MICRO(field) (lua_pushnumber(L, (double)info.field / 1e6), lua_setfield(L, -2, #field))
#define MILLI(field) (lua_pushnumber(L, (double)info.field / 1e3), lua_setfield(L, -2, #field))
    PLAIN(ca_state), PLAIN(retransmits), PLAIN(probes), PLAIN(backoff), PLAIN(options);
    PLAIN(snd_wscale), PLAIN(rcv_wscale), PLAIN(snd_mss), PLAIN(rcv_mss);
    PLAIN(unacked), PLAIN(sacked), PLAIN(lost), PLAIN(retrans), PLAIN(pmtu), PLAIN(rcv_ssthresh);
    PLAIN(snd_ssthresh), PLAIN(snd_cwnd), PLAIN(advmss), PLAIN(reordering), PLAIN(rcv_space);
    PLAIN(total_retrans), PLAIN(pacing_rate), PLAIN(max_pacing_rate), PLAIN(bytes_acked);
    PLAIN(bytes_received), PLAIN(segs_out), PLAIN(segs_in), PLAIN(notsent_bytes);
    PLAIN(data_segs_in), PLAIN(data_segs_out), PLAIN(delivery_rate), PLAIN(delivered);
    PLAIN(delivered_ce), PLAIN(bytes_sent), PLAIN(bytes_retrans), PLAIN(dsack_dups);
    PLAIN(reord_seen), PLAIN(rcv_ooopack), PLAIN(snd_wnd), PLAIN(rcv_wnd), PLAIN(rehash);
    PLAIN(total_rto), PLAIN(total_rto_recoveries), PLAIN(delivery_rate_app_limited);
    PLAIN(fastopen_client_fail);
    MICRO(rto), MICRO(ato), MICRO(rtt), MICRO(rttvar), MICRO(min_rtt), MICRO(rcv_rtt);
    MICRO(busy_time), MICRO(rwnd_limited), MICRO(sndbuf_limited);
    MILLI(last_data_sent), MILLI(last_ack_sent), MILLI(last_data_recv), MILLI(last_ack_recv);
    MILLI(total_rto_time);
#undef PLAIN
#undef MICRO
#undef MILLI
    lua_pushstring(L, tcp_state_name(tcp_state(sock_tcp(box->sock))));
    lua_setfield(L, -2, "state");
    return 1;
}
