/* RST in both directions (RFC 9293 §3.5.2, §3.10.7.1) and challenge ACKs
 * (RFC 5961), with the limits on answers to what may be an attack. */
#include "models/tcp/tcp_internal.h"

void
tcp_reply_reset(TcpStack *stack, const TcpSegment *seg, const char *rule)
{
    const Packet *cause = seg->packet;
    Packet *packet;
    TcpHeader *h;

    if ((seg->flags & TCP_RST) != 0)
        return;
    packet = packet_new_tcp(stack->host->packets);
    h = &packet->tcp;
    packet->why = rule;
    packet->ip.src = cause->ip.dst;
    packet->ip.dst = cause->ip.src;
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.df = true;
    packet->payload = (Payload){ 0 };
    h->sport = seg->h->dport;
    h->dport = seg->h->sport;
    h->wnd = 0;
    h->urg = 0;
    if ((seg->flags & TCP_ACK) != 0) {
        h->flags = TCP_RST;
        h->seq = seg->ack;
        h->ack = 0;
    } else {
        h->flags = TCP_RST | TCP_ACK;
        h->seq = 0;
        h->ack = seg->end_seq;
    }
    packet_finish_lengths(packet);
    tcp_verdict(stack, 0, VERDICT_REPLY, cause->id, "RST", rule);
    host_count(stack->host, MIB_TcpOutSegs);
    host_count(stack->host, MIB_TcpOutRsts);
    ip_output(stack->host, packet);
}

void
tcp_input_closed(TcpStack *stack, TcpSegment *seg)
{
    const char *rule = "RFC 9293 §3.10.7.1";

    host_record_packet(stack->host, NULL, PACKET_EVENT_REFUSED, seg->packet, "no socket");
    if ((seg->flags & TCP_RST) != 0)
        tcp_verdict(stack, 0, VERDICT_DROP, seg->packet->id, "RST for no socket", rule);
    else
        tcp_reply_reset(stack, seg, rule);
}

void
tcp_send_reset(TcpConn *conn, const char *rule)
{
    Packet *packet = packet_new_tcp(conn->stack->host->packets);

    host_count(conn->stack->host, MIB_TcpOutRsts);
    packet->payload = (Payload){ 0 };
    tcp_transmit(conn, packet, tcp_acceptable_seq(conn), TCP_RST | TCP_ACK, rule);
}

/* What an RST means for the user depends on how far the connection was. */
static int
errno_of_linux(TcpState state)
{
    switch (state) {
    case TCP_SYN_SENT:
        return ECONNREFUSED;
    case TCP_CLOSE_WAIT:
        return EPIPE;
    case TCP_CLOSED:
        return 0;
    default:
        return ECONNRESET;
    }
}

/* RFC 9293 §3.10.7.4 #2: "refused" to who opens, "reset" while a FIN is
 * missing; when both were sent it only ends the connection. */
static int
errno_of_rfc(TcpState state)
{
    switch (state) {
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
        return ECONNREFUSED;
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
        return ECONNRESET;
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_N_STATES:
        break;
    }
    return 0;
}

int
tcp_reset_errno(const TcpConn *conn)
{
    return conn->stack->params->reset_errors ? errno_of_linux(conn->state)
                                             : errno_of_rfc(conn->state);
}

void
tcp_reset_received(TcpConn *conn, const TcpSegment *seg, const char *rule,
                   const char *counterfactual)
{
    tcp_conn_fail(conn, tcp_reset_errno(conn),
                  TCP_CAUSE("segment", "RST", rule, .packet = seg->packet->id,
                            .counterfactual = counterfactual));
}

static bool
reply_is_limited(TcpConn *conn, MibCounter skipped)
{
    TcpStack *stack = conn->stack;
    SimTime now = sim_now(stack->sim),
            least = (SimTime)stack->params->invalid_ratelimit_ms * SIM_MS;

    if (conn->ack.has_oow_ack && now - conn->ack.last_oow_ack_at < least) {
        host_count(stack->host, skipped);
        return true;
    }
    conn->ack.has_oow_ack = true;
    conn->ack.last_oow_ack_at = now;
    return false;
}

bool
tcp_reply_is_limited(TcpConn *conn, const TcpSegment *seg, MibCounter skipped)
{
    return !tcp_segment_has_text(seg) && reply_is_limited(conn, skipped);
}

/* How many in this window. Counting another's challenge ACKs would tell an
 * attacker off the path whether he hit a window (CVE-2016-5696). */
static uint32_t
challenges_now(TcpStack *stack)
{
    uint32_t limit = stack->params->challenge_ack_limit, half = (limit + 1) / 2;

    if (!stack->params->challenge_ack_random || limit == 0)
        return limit;
    return half + (uint32_t)sim_rng_below(tcp_luck(stack, TCP_LUCK_CHALLENGE), limit);
}

/* RFC 5961 §7: so many in a time for the whole host. */
static bool
challenge_is_spent(TcpStack *stack)
{
    SimTime length = (SimTime)stack->params->challenge_ack_window_s * SIM_SEC;
    SimTime window = sim_now(stack->sim) / length + 1;

    if (stack->params->challenge_ack_limit == INT32_MAX)
        return false;
    if (stack->challenge_window != window) {
        stack->challenge_window = window;
        stack->challenges_left = challenges_now(stack);
    }
    if (stack->challenges_left == 0)
        return true;
    stack->challenges_left--;
    return false;
}

void
tcp_challenge_ack(TcpConn *conn, const TcpSegment *seg, const char *rule)
{
    const char *limit = NULL;

    if (reply_is_limited(conn, MIB_TcpExtTCPACKSkippedChallenge))
        limit = "net.ipv4.tcp_invalid_ratelimit";
    else if (challenge_is_spent(conn->stack))
        limit = "net.ipv4.tcp_challenge_ack_limit";
    if (limit != NULL) {
        tcp_verdict(conn->stack, conn->id, VERDICT_DROP, seg->packet->id,
                    "challenge ACK is rate limited", limit);
        return;
    }
    host_count(conn->stack->host, MIB_TcpExtTCPChallengeACK);
    tcp_verdict(conn->stack, conn->id, VERDICT_REPLY, seg->packet->id, "challenge ACK", rule);
    tcp_send_ack(conn, rule);
}
