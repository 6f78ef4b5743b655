/* The retransmission timeout: back-off, and when to give up. RFC 1122
 * §4.2.3.5's R1 and R2 are tcp_retries1 and tcp_retries2; Linux turns them
 * into the time that so many backed-off retransmissions would take, so that a
 * larger RTO does not make a connection live longer. */
#include "models/tcp/ack.h"
#include "models/tcp/fastopen.h"

static unsigned
log2_floor(uint64_t x)
{
    return x ? 63u - (unsigned)__builtin_clzll(x) : 0;
}

/* Linux counts from 200 ms, however small tcp_rto_min_us is. */
#define LEAST_BASE (200 * SIM_MS)

/* How long `retries` retransmissions take from a first RTO of `base`. */
static SimTime
model_timeout(const TcpConn *conn, unsigned retries, SimTime base)
{
    SimTime most = tcp_rto_max(conn);
    unsigned doublings = log2_floor((uint64_t)(most / base));

    if (retries <= doublings)
        return (((SimTime)2 << retries) - 1) * base;
    return (((SimTime)2 << doublings) - 1) * base + (SimTime)(retries - doublings) * most;
}

static bool
is_opening(const TcpConn *conn)
{
    return conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED;
}

/* `timeout`, or if 0 as much as `retries` take, has passed since the first
 * retransmission. */
static bool
has_timed_out(const TcpConn *conn, unsigned retries, SimTime timeout)
{
    const TcpParams *params = conn->stack->params;

    if (!conn->sender->retransmits)
        return false;
    if (timeout == 0)
        timeout = model_timeout(conn, retries,
                                is_opening(conn) ? params->initial_rto_ms * SIM_MS
                                                 : MAX(params->rto_min_us * SIM_US, LEAST_BASE));
    return tcp_now(conn) - conn->sender->retrans_at >= timeout;
}

unsigned
tcp_orphan_retries(const TcpConn *conn, bool is_alive)
{
    unsigned retries = conn->stack->params->orphan_retries;

    if (conn->soft_error && !is_alive)
        retries = 0; /* ICMP said that something is wrong */
    return retries == 0 && is_alive ? 8 : retries;
}

void
tcp_fail_timeout(TcpConn *conn, const char *what, const char *rule)
{
    host_count(conn->stack->host, MIB_TcpExtTCPAbortOnTimeout);
    tcp_conn_fail(conn, conn->soft_error ? conn->soft_error : ETIMEDOUT,
                  TCP_CAUSE("timer", what, rule));
}

/* Gives the connection up, if it is time. True: it has ended. */
static bool
gives_up(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;
    SimTime user_timeout = conn->opt.user_timeout_ms * SIM_MS;
    unsigned retries = params->retries2;
    const char *rule = "net.ipv4.tcp_retries2";
    bool expired = false;

    if (is_opening(conn)) {
        unsigned most = retries = conn->opt.syn_count ? conn->opt.syn_count : params->syn_retries;

        if (conn->state == TCP_SYN_SENT)
            most += params->syn_linear_timeouts;
        expired = conn->sender->retransmits >= most;
        rule = "net.ipv4.tcp_syn_retries";
    } else {
        if (has_timed_out(conn, params->retries1, 0))
            tcp_mtu_black_hole(conn);
        if (tcp_is_orphan(conn)) {
            bool is_alive = conn->rtt.rto < tcp_rto_max(conn);

            retries = tcp_orphan_retries(conn, is_alive);
            rule = "net.ipv4.tcp_orphan_retries";
            if (tcp_orphan_out_of_resources(conn))
                return true;
        }
    }
    if (user_timeout)
        rule = "TCP_USER_TIMEOUT";
    expired = expired || has_timed_out(conn, retries, user_timeout);
    tcp_fastopen_note_timeout(conn, expired);
    if (!expired)
        return false;
    tcp_fail_timeout(conn, "retransmission timeout", rule);
    return true;
}

static void
count_failure(TcpConn *conn)
{
    Host *host = conn->stack->host;
    bool sack = conn->sack_ok;

    if (conn->sender->retransmits)
        return;
    if (conn->sender->w.ca_state == TCP_CA_RECOVERY)
        host_count(host, sack ? MIB_TcpExtTCPSackRecoveryFail : MIB_TcpExtTCPRenoRecoveryFail);
    else if (conn->sender->w.ca_state == TCP_CA_LOSS)
        host_count(host, MIB_TcpExtTCPLossFailures);
    else if (conn->sender->w.ca_state == TCP_CA_DISORDER || conn->sender->sacked_out)
        host_count(host, sack ? MIB_TcpExtTCPSackFailures : MIB_TcpExtTCPRenoFailures);
}

static void
note_rto(TcpConn *conn)
{
    if (!conn->sender->retransmits) {
        conn->sender->rto_recoveries++;
        conn->sender->rto_began = MAX(tcp_now(conn), 1);
    }
    if (conn->sender->retransmits < UINT8_MAX)
        conn->sender->retransmits++;
    conn->sender->total_rto++;
}

SimTime
tcp_clamp_rto_to_user_timeout(const TcpConn *conn)
{
    SimTime timeout = conn->opt.user_timeout_ms * SIM_MS, left;

    if (!timeout)
        return conn->rtt.rto;
    left = timeout - (tcp_now(conn) - conn->sender->retrans_at);
    return left <= 0 ? 1 : MIN(conn->rtt.rto, left);
}

static void
back_off(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;
    /* Too little is out for fast retransmit, and not because it has just begun. */
    bool is_thin = (conn->opt.thin_linear || params->thin_linear_timeouts) &&
                   conn->sender->packets_out < 4 && conn->sender->w.ssthresh < CC_INFINITE_SSTHRESH;

    if (conn->state == TCP_ESTABLISHED && is_thin && conn->sender->retransmits <= 6) {
        conn->rtt.backoff = 0;
        conn->rtt.rto = MAX(MIN(tcp_rto_computed(conn), tcp_rto_max(conn)), tcp_rto_min(conn));
    } else if (conn->state != TCP_SYN_SENT ||
               conn->sender->total_rto > params->syn_linear_timeouts) {
        conn->rtt.backoff++;
        conn->rtt.rto = MIN(conn->rtt.rto * 2, tcp_rto_max(conn)); /* RFC 6298 §5.5 */
    }
    tcp_timer_set(conn, TCP_TIMER_RTO, tcp_clamp_rto_to_user_timeout(conn));
}

/* The peer shrank its window to nothing over data in flight: retransmissions
 * are window probes, and the connection lives as long as they are answered;
 * but no longer than TCP_USER_TIMEOUT without progress. */
static void
rto_with_zero_window(TcpConn *conn)
{
    SimTime user_timeout = conn->opt.user_timeout_ms * SIM_MS;
    SimTime quiet = tcp_now(conn) - conn->last_ack_recv_at;
    SimTime stuck = conn->sender->retrans_at ? tcp_now(conn) - conn->sender->retrans_at : 0;
    SimTime limit = 2 * tcp_rto_max(conn);

    if (user_timeout && stuck > user_timeout) {
        tcp_fail_timeout(conn, "window probes", "TCP_USER_TIMEOUT");
        return;
    }
    if (quiet > limit && stuck > limit) {
        tcp_fail_timeout(conn, "window probes", "RFC 9293 §3.8.6.1");
        return;
    }
    tcp_enter_loss(conn);
    tcp_retransmit_lost(conn, 0, 1, "zero window retransmission", "RFC 1122 §4.2.2.16");
    back_off(conn);
}

void
tcp_rto_timer(TcpConn *conn)
{
    bool is_syn;

    if (conn->sender->packets_out == 0 || tcp_tx_n_sent(conn) == 0)
        return;
    if (conn->snd.wnd == 0 && !tcp_is_orphan(conn) && !is_opening(conn)) {
        rto_with_zero_window(conn);
        return;
    }
    host_count(conn->stack->host, MIB_TcpExtTCPTimeouts);
    if (gives_up(conn))
        return;
    count_failure(conn);
    tcp_enter_loss(conn);
    note_rto(conn);
    is_syn = tcp_tx_at(conn, 0)->flags & TCP_SYN;
    if (tcp_retransmit_lost(conn, 0, 1, is_syn ? "SYN retransmission" : "RTO retransmission",
                            is_syn ? "net.ipv4.tcp_syn_retries" : "RFC 6298 §5.4") > 0)
        tcp_timer_set(conn, TCP_TIMER_RTO, TCP_LOCAL_RETRY); /* refused on this host */
    else
        back_off(conn);
}

void
tcp_resend_syn(TcpConn *conn, SimTime after)
{
    if (conn->sender->retransmits == 0)
        tcp_timer_set(conn, TCP_TIMER_RTO, after);
}

void
tcp_icmp_unreachable_undo_backoff(TcpConn *conn, uint32_t quoted_seq)
{
    const TcpTxSeg *head = tcp_tx_first_sent(conn);
    SimTime left;

    /* RFC 6069 §4: it quotes the retransmission, so the path is broken, not
     * congested. */
    if (!head || quoted_seq != conn->snd.una || !conn->sender->retransmits || !conn->rtt.backoff)
        return;
    conn->rtt.backoff--;
    conn->rtt.rto =
        conn->rtt.srtt ? tcp_rto_computed(conn) : conn->stack->params->initial_rto_ms * SIM_MS;
    conn->rtt.rto = MIN(conn->rtt.rto << MIN(conn->rtt.backoff, 20), tcp_rto_max(conn));
    left = conn->rtt.rto - (tcp_now(conn) - head->sent_at);
    tcp_timer_set(conn, TCP_TIMER_RTO, MAX(left, 1));
}
