#include "models/tcp/tcp_internal.h"

static const char *const rfc_names[TCP_N_STATES] = {
    [TCP_CLOSED] = "CLOSED",           [TCP_LISTEN] = "LISTEN",
    [TCP_SYN_SENT] = "SYN-SENT",       [TCP_SYN_RECEIVED] = "SYN-RECEIVED",
    [TCP_ESTABLISHED] = "ESTABLISHED", [TCP_FIN_WAIT_1] = "FIN-WAIT-1",
    [TCP_FIN_WAIT_2] = "FIN-WAIT-2",   [TCP_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCP_CLOSING] = "CLOSING",         [TCP_LAST_ACK] = "LAST-ACK",
    [TCP_TIME_WAIT] = "TIME-WAIT",
};

static const char *const sys_names[TCP_N_STATES] = {
    [TCP_CLOSED] = "CLOSED",           [TCP_LISTEN] = "LISTEN",
    [TCP_SYN_SENT] = "SYN_SENT",       [TCP_SYN_RECEIVED] = "SYN_RECEIVED",
    [TCP_ESTABLISHED] = "ESTABLISHED", [TCP_FIN_WAIT_1] = "FIN_WAIT_1",
    [TCP_FIN_WAIT_2] = "FIN_WAIT_2",   [TCP_CLOSE_WAIT] = "CLOSE_WAIT",
    [TCP_CLOSING] = "CLOSING",         [TCP_LAST_ACK] = "LAST_ACK",
    [TCP_TIME_WAIT] = "TIME_WAIT",
};

const char *
tcp_state_name(TcpState state)
{
    return rfc_names[state];
}

const char *
tcp_state_sysname(TcpState state)
{
    return sys_names[state];
}

/* RFC 9293 §3.3.2, figure 5, with what its text adds: any state may end in
 * CLOSED (RST, ABORT, timeouts), and what Linux does in one step. Bits are
 * the states that may follow. */
#define TO(state) (1u << (state))

static const uint16_t legal[TCP_N_STATES] = {
    [TCP_CLOSED] = TO(TCP_LISTEN) | TO(TCP_SYN_SENT) | TO(TCP_SYN_RECEIVED) | TO(TCP_ESTABLISHED),
    [TCP_LISTEN] = TO(TCP_SYN_RECEIVED) | TO(TCP_SYN_SENT) | TO(TCP_ESTABLISHED),
    [TCP_SYN_SENT] = TO(TCP_ESTABLISHED) | TO(TCP_SYN_RECEIVED),
    [TCP_SYN_RECEIVED] =
        TO(TCP_ESTABLISHED) | TO(TCP_FIN_WAIT_1) | TO(TCP_CLOSE_WAIT) | TO(TCP_LISTEN),
    [TCP_ESTABLISHED] = TO(TCP_FIN_WAIT_1) | TO(TCP_CLOSE_WAIT),
    [TCP_FIN_WAIT_1] = TO(TCP_FIN_WAIT_2) | TO(TCP_CLOSING) | TO(TCP_TIME_WAIT),
    [TCP_FIN_WAIT_2] = TO(TCP_TIME_WAIT),
    [TCP_CLOSE_WAIT] = TO(TCP_LAST_ACK),
    [TCP_CLOSING] = TO(TCP_TIME_WAIT),
    [TCP_LAST_ACK] = 0,
    [TCP_TIME_WAIT] = TO(TCP_SYN_RECEIVED),
};

bool
tcp_transition_is_legal(TcpState from, TcpState to)
{
    return to == TCP_CLOSED ? from != TCP_CLOSED : (legal[from] & TO(to)) != 0;
}

void
tcp_record_transition(TcpStack *stack, uint32_t conn, const TcpTuple *tuple, TcpState from,
                      TcpState to, TcpCause cause)
{
    NetProbes *probes = stack->host->probes;

    sim_check(tcp_transition_is_legal(from, to));
    if (probe_is_heard(&probes->tcp_state)) {
        TcpStateRecord record = {
            .at = sim_now(stack->sim),
            .host = stack->host->id,
            .conn = conn,
            .local = { tuple->local, tuple->lport },
            .remote = { tuple->remote, tuple->rport },
            .from = from,
            .to = to,
            .cause = cause.cause,
            .what = cause.what,
            .rule = cause.rule,
            .packet = cause.packet,
            .counterfactual = cause.counterfactual,
        };
        probe_emit(&probes->tcp_state, &record);
    }
}

void
tcp_record_conn(TcpStack *stack, uint32_t conn, const TcpTuple *tuple, bool is_passive)
{
    const Probe *probe = &stack->host->probes->conn;

    if (probe_is_heard(probe)) {
        ConnRecord record = {
            .at = sim_now(stack->sim),
            .host = stack->host->id,
            .conn = conn,
            .local = { tuple->local, tuple->lport },
            .remote = { tuple->remote, tuple->rport },
            .is_passive = is_passive,
        };
        probe_emit(probe, &record);
    }
}

void
tcp_set_state(TcpConn *conn, TcpState to, TcpCause cause)
{
    TcpState from = conn->state;

    tcp_record_transition(conn->stack, conn->id, &conn->entry.tuple, from, to, cause);
    conn->state = to;
    if (to == TCP_ESTABLISHED)
        conn->was_established = true;
}
