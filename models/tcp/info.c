/* What `ss -ti` shows of a connection, and the samples that recorders draw. */
#include "models/tcp/fastopen.h"
#include "models/tcp/info.h"

#include <string.h>

#include "models/tcp/ecn.h"
#include "models/tcp/output.h"

/* Linux's numbers of the states. */
static uint8_t
state_number(TcpState state)
{
    static const uint8_t numbers[TCP_N_STATES] = {
        [TCP_CLOSED] = 7,      [TCP_LISTEN] = 10,    [TCP_SYN_SENT] = 2,   [TCP_SYN_RECEIVED] = 3,
        [TCP_ESTABLISHED] = 1, [TCP_FIN_WAIT_1] = 4, [TCP_FIN_WAIT_2] = 5, [TCP_CLOSE_WAIT] = 8,
        [TCP_CLOSING] = 11,    [TCP_LAST_ACK] = 9,   [TCP_TIME_WAIT] = 6,
    };

    return numbers[state];
}

enum { /* tcpi_options */
       OPTION_TIMESTAMPS = 1,
       OPTION_SACK = 2,
       OPTION_WSCALE = 4,
       OPTION_ECN = 8,
       OPTION_ECN_SEEN = 16,
       OPTION_SYN_DATA = 32,
};

static uint8_t
options_of(const TcpConn *conn)
{
    uint8_t options = 0;

    if (conn->ts.ok)
        options |= OPTION_TIMESTAMPS;
    if (conn->sack_ok)
        options |= OPTION_SACK;
    if (conn->wscale_ok)
        options |= OPTION_WSCALE;
    if (conn->ecn.flags & TCP_ECN_OK)
        options |= OPTION_ECN;
    if (conn->ecn.flags & TCP_ECN_SEEN)
        options |= OPTION_ECN_SEEN;
    if (conn->fastopen != NULL && conn->fastopen->syn_data_acked)
        options |= OPTION_SYN_DATA;
    return options;
}

static inline uint32_t
us(SimTime span)
{
    return (uint32_t)(span / SIM_US);
}

static inline uint32_t
ms_since(const TcpConn *conn, SimTime at)
{
    return (uint32_t)((tcp_now(conn) - at) / SIM_MS);
}

static void
fill_counts(const TcpConn *conn, TcpInfo *info)
{
    info->unacked = conn->sender->packets_out;
    info->sacked = conn->sender->sacked_out;
    info->lost = conn->sender->lost_out;
    info->retrans = conn->sender->retrans_out;
    info->total_retrans = conn->sender->total_retrans;
    info->bytes_acked = conn->bytes_acked;
    info->bytes_received = conn->bytes_received;
    info->bytes_sent = conn->bytes_sent;
    info->bytes_retrans = conn->bytes_retrans;
    info->segs_out = conn->segs_out;
    info->segs_in = conn->segs_in;
    info->data_segs_in = conn->data_segs_in;
    info->data_segs_out = conn->data_segs_out;
    info->notsent_bytes = (uint32_t)tcp_unsent_bytes(conn);
    info->delivered = conn->delivered;
    info->delivered_ce = conn->sender->delivered_ce;
    info->dsack_dups = conn->sender->dsack_dups;
    info->reord_seen = conn->sender->reord_seen;
    info->rcv_ooopack = conn->rcv.ooo_packets;
    info->busy_time = tcp_chrono_us(conn, TCP_CHRONO_BUSY);
    info->rwnd_limited = tcp_chrono_us(conn, TCP_CHRONO_RWND);
    info->sndbuf_limited = tcp_chrono_us(conn, TCP_CHRONO_SNDBUF);
    info->total_rto = conn->sender->total_rto;
    info->total_rto_recoveries = conn->sender->rto_recoveries;
    info->total_rto_time = conn->sender->total_rto_ms;
    if (conn->sender->rto_began)
        info->total_rto_time += ms_since(conn, conn->sender->rto_began);
}

static void
fill_times(const TcpConn *conn, TcpInfo *info)
{
    info->rto = us(conn->rtt.rto);
    info->ato = us(conn->ack.ato);
    info->rtt = us(conn->rtt.srtt);
    info->rttvar = us(conn->rtt.mdev);
    info->min_rtt = us(tcp_rtt_min(conn));
    if (!info->min_rtt)
        info->min_rtt = UINT32_MAX;
    info->rcv_rtt = us(conn->drs.rtt8 / 8);
    info->last_data_sent = ms_since(conn, conn->last_send_at);
    info->last_data_recv = ms_since(conn, conn->last_data_recv_at);
    info->last_ack_recv = ms_since(conn, conn->last_ack_recv_at);
}

static void
fill_rates(const TcpConn *conn, TcpInfo *info)
{
    info->pacing_rate = tcp_pacing_rate(conn);
    info->max_pacing_rate = conn->opt.max_pacing_rate ? conn->opt.max_pacing_rate : UINT64_MAX;
    info->delivery_rate_app_limited = conn->sender->rate_app_limited;
    if (conn->sender->rate_delivered && conn->sender->rate_interval > 0)
        info->delivery_rate = (uint64_t)((double)conn->sender->rate_delivered * conn->snd.mss *
                                         (double)SIM_SEC / (double)conn->sender->rate_interval);
}

void
tcp_get_info(const TcpConn *conn, TcpInfo *info)
{
    memset(info, 0, sizeof *info);
    info->state = state_number(conn->state);
    fill_rates(conn, info);
    info->reordering = conn->sender->reordering;
    info->snd_cwnd = conn->sender->w.cwnd;
    if (conn->state == TCP_LISTEN)
        return;
    info->ca_state = conn->sender->w.ca_state;
    info->retransmits = conn->sender->retransmits;
    info->probes = conn->probes_out;
    info->backoff = conn->rtt.backoff;
    info->options = options_of(conn);
    info->fastopen_client_fail = conn->fastopen != NULL ? conn->fastopen->fail : 0;
    if (conn->wscale_ok) {
        info->snd_wscale = conn->snd.wscale;
        info->rcv_wscale = conn->rcv.wscale;
    }
    info->snd_mss = conn->snd.mss;
    info->rcv_mss = conn->rcv.mss;
    info->pmtu = conn->path.mtu;
    info->rcv_ssthresh = conn->rcv.ssthresh;
    info->snd_ssthresh = conn->sender->w.ssthresh;
    info->advmss = conn->rcv.adv_mss;
    info->rcv_space = conn->drs.space;
    info->snd_wnd = conn->snd.wnd;
    info->rcv_wnd = conn->rcv.wnd;
    fill_counts(conn, info);
    fill_times(conn, info);
}

static void
emit_sample(TcpConn *conn)
{
    const TcpStack *stack = conn->stack;
    uint64_t pacing =
        conn->sender->w.pacing_rate || stack->params->pacing ? tcp_pacing_rate(conn) : 0;
    TcpSampleRecord record = {
        .at = sim_now(stack->sim),
        .host = stack->host->id,
        .conn = conn->id,
        .cwnd_segs = conn->sender->w.cwnd,
        .ssthresh_segs = conn->sender->w.ssthresh,
        .in_flight_segs = tcp_packets_in_flight(conn),
        .mss = conn->snd.mss,
        .snd_wnd = conn->snd.wnd,
        .rcv_wnd = conn->rcv.wnd,
        .snd_una = conn->snd.una - conn->snd.iss,
        .snd_nxt = conn->snd.nxt - conn->snd.iss,
        .rcv_nxt = conn->rcv.nxt - conn->rcv.irs,
        .srtt_ns = conn->rtt.srtt,
        .rto_ns = conn->rtt.rto,
        .pacing_rate = pacing,
        .ca_state = conn->sender->w.ca_state,
    };

    probe_emit(&stack->host->probes->sample, &record);
}

void
tcp_sample(TcpConn *conn)
{
    if (probe_is_heard(&conn->stack->host->probes->sample))
        emit_sample(conn);
}
