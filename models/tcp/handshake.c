/* Opening: connect(), SYN-SENT (RFC 9293 §3.10.7.3), simultaneous open, and
 * the end of every handshake. */
#include "models/tcp/fastopen.h"
#include "models/tcp/handshake.h"

#include "models/tcp/delack.h"
#include "models/tcp/demux.h"
#include "models/tcp/ecn.h"
#include "models/tcp/isn.h"
#include "models/tcp/output.h"
#include "models/tcp/ports.h"
#include "models/tcp/text.h"

#define RESEND_SYN_NS                                                                              \
    (8 * SIM_MS) /* two jiffies of 4 ms: what Linux waits before it sends the SYN again */

/* ---- a request becomes a connection ------------------------------------------------- */

TcpConn *
tcp_request_promote(TcpRequest *request, const TcpSegment *seg)
{
    TcpListener *listener = request->listener;
    TcpStack *stack = listener->conn->stack;
    TcpConn *child = tcp_conn_new(stack);

    tcp_data_inherit(child, listener->conn);
    child->id = request->conn;
    child->entry.tuple = request->entry.tuple;
    child->has_user = true;
    child->rcv.irs = request->irs;
    child->rcv.nxt = child->rcv.copied_seq = child->rcv.wup = request->irs + 1;
    child->rcv.wscale = request->rcv_wscale;
    child->rcv.wnd = request->wnd;
    child->rcv.ssthresh = request->wnd;
    child->wscale_ok = request->wscale_ok;
    child->snd.iss = request->iss;
    child->snd.una = request->iss;
    child->snd.nxt = child->snd.write_seq = child->snd.up = child->snd.small_end =
        child->snd.pushed_seq = request->iss + 1;
    child->snd.wscale = request->snd_wscale;
    child->snd.mss_clamp = tcp_request_mss(request);
    child->snd.wnd = child->snd.max_wnd = (uint32_t)seg->h->wnd << request->snd_wscale;
    child->snd.wl1 = request->irs;
    tcp_sender_own(child);
    child->sack_ok = request->sack_ok;
    child->ts.ok = request->ts_ok;
    child->ts.recent = request->ts_recent;
    child->ts.recent_at = sim_now(stack->sim);
    child->ts.offset = request->ts_offset;
    child->sender->total_retrans = request->retransmits;
    /* When the SYN-ACK left, for the RTT sample (RFC 6298 §3: not if twice). */
    if (request->retransmits == 0 && request->timeouts == 0 && sim_timer_is_set(&request->timer))
        child->sender->first_tx_at = MAX(request->timer.deadline - request->late_us * SIM_US -
                                             stack->params->initial_rto_ms * SIM_MS,
                                         1);
    if (request->ecn_ok)
        child->ecn.flags |= TCP_ECN_OK;
    child->saved_syn = tcp_request_take_syn(request);
    tcp_request_forget(request);
    child->state = TCP_SYN_RECEIVED; /* the request's: no transition */
    tcp_demux_insert(stack, &child->entry);
    child->opt.reuse_addr = listener->conn->opt.reuse_addr;
    child->opt.reuse_port = listener->conn->opt.reuse_port;
    tcp_port_hold_child(child);
    tcp_accept_enqueue(listener, child);
    host_count(stack->host, MIB_TcpPassiveOpens);
    return child;
}

void
tcp_handshake_done(TcpConn *conn, const TcpSegment *seg)
{
    conn->snd.wl1 = seg->seq;
    tcp_set_state(conn, TCP_ESTABLISHED,
                  TCP_CAUSE("segment", "ACK", "RFC 9293 §3.10.7.4 #5", .packet = seg->packet->id));
    tcp_keepalive_start(conn);
    if (conn->shutdown_waits) { /* shutdown() came before the handshake's end */
        conn->shutdown_waits = false;
        tcp_fin_from(conn, "shutdown()");
    }
    if (tcp_fastopen_is_child(conn)) { /* RFC 7413: it has been at work since its SYN */
        tcp_fastopen_child_done(conn);
        tcp_wake(conn, TCP_EVENT_WRITABLE);
        return;
    }
    tcp_data_established(conn);
    if (conn->parent != NULL)
        tcp_wake(conn->parent->conn, TCP_EVENT_READABLE);
    else
        tcp_wake(conn, TCP_EVENT_CONNECTED | TCP_EVENT_WRITABLE);
}

/* ---- connect() ------------------------------------------------------------------------ */

static int
choose_tuple(TcpConn *conn, Endpoint remote)
{
    Host *host = conn->stack->host;
    const TcpTuple before = conn->entry.tuple;
    int error = ip_route_check(host, remote.addr);

    if (error != 0)
        return error;
    conn->entry.tuple.remote = remote.addr;
    conn->entry.tuple.rport = remote.port;
    if (ip_addr_is_any(conn->entry.tuple.local))
        error = ip_source_for(host, remote.addr, &conn->entry.tuple.local);
    if (error == 0)
        error = conn->holds_port ? tcp_port_check_connect(conn) : tcp_port_for_connect(conn);
    if (error != 0)
        conn->entry.tuple = before;
    return error;
}

/* Everything that a SYN says, before it is sent. */
static void
init_syn(TcpConn *conn)
{
    TcpStack *stack = conn->stack;
    uint32_t clamp = conn->rcv.clamp;
    uint32_t isn = conn->snd.write_seq; /* set when a TIME-WAIT entry was recycled */
    uint32_t options = conn->ts.recent_at != 0 ? 12 : 0; /* then agreed already */

    if (isn == 0)
        isn = tcp_isn_new(stack, &conn->entry.tuple);
    conn->snd.iss = isn;
    conn->snd.una = conn->snd.nxt = conn->snd.write_seq = conn->snd.up = conn->snd.small_end =
        conn->snd.pushed_seq = isn;
    conn->ts.offset = tcp_ts_offset_new(stack, &conn->entry.tuple);
    tcp_sync_mss(conn, ip_path_mtu(stack->host, conn->entry.tuple.remote));
    conn->rcv.adv_mss = tcp_advertised_mss(conn);
    conn->rcv.wnd = tcp_initial_window(
        conn, conn->entry.tuple.remote, tcp_receive_space(conn), conn->rcv.adv_mss - options,
        stack->params->window_scaling != 0, &conn->rcv.wscale, &clamp);
    conn->rcv.clamp = clamp;
    conn->rcv.ssthresh = conn->rcv.wnd;
    tcp_rto_set_initial(conn);
}

int
tcp_connect(TcpConn *conn, Endpoint remote)
{
    int error;

    switch ((TcpState)conn->state) {
    case TCP_CLOSED:
        break;
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
        return -EALREADY;
    default:
        if (conn->is_connecting) { /* the first call after the handshake is told so */
            conn->is_connecting = false;
            return 0;
        }
        return -EISCONN;
    }
    if (conn->was_established)
        return -EISCONN;   /* Linux: even after it ended */
    if (conn->has_ended) { /* an earlier attempt failed: told once, then anew */
        error = conn->error != 0 ? -conn->error : -ECONNABORTED;
        tcp_disconnect(conn);
        conn->error = 0;
        return error;
    }
    if (tcp_fastopen_defers(conn, remote, &error))
        return error;
    error = choose_tuple(conn, remote);
    if (error != 0)
        return error;
    tcp_enter(conn);
    tcp_demux_insert(conn->stack, &conn->entry);
    tcp_record_conn(conn->stack, conn->id, &conn->entry.tuple, false);
    init_syn(conn);
    tcp_set_state(conn, TCP_SYN_SENT,
                  TCP_CAUSE("call", "connect()", "RFC 9293 §3.10.1",
                            .counterfactual = tcp_isn_counterfactual(conn->stack)));
    host_count(conn->stack->host, MIB_TcpActiveOpens);
    conn->is_connecting = true;
    tcp_fastopen_queue_syn(conn);
    tcp_leave(conn);
    return -EINPROGRESS;
}

/* ---- SYN-SENT --------------------------------------------------------------------------- */

static bool
acks_our_syn(const TcpConn *conn, const TcpSegment *seg)
{
    return seq_after(seg->ack, conn->snd.una) && !seq_after(seg->ack, conn->snd.nxt);
}

static bool
echo_is_possible(TcpConn *conn, const TcpSegment *seg)
{
    uint32_t tsecr = seg->tsecr - conn->ts.offset;

    if ((seg->flags & TCP_RST) != 0 || (seg->h->options & TCPOPT_HAS_TS) == 0 || seg->tsecr == 0)
        return true;
    /* RFC 7323 §3.2: an echo of what was never sent proves an old segment. */
    if ((int32_t)(tsecr - conn->sender->retrans_stamp) < 0 ||
        (int32_t)(tsecr - tcp_ts_clock(conn->stack)) > 0) {
        host_count(conn->stack->host, MIB_TcpExtPAWSActive);
        return false;
    }
    return true;
}

/* RFC 9293 §3.10.7.3 #1. The segment, if it is no RST, is answered with one.
 * Linux takes the peer to have an old connection that this frees, and tries
 * again at once, but only the first time. */
static bool
refuses_ack(TcpConn *conn, const TcpSegment *seg)
{
    const char *rule = "RFC 9293 §3.10.7.3 #1";

    if (!acks_our_syn(conn, seg)) {
        if (conn->stack->params->synsent_rst_resend_syn && conn->sender->retransmits == 0)
            tcp_resend_syn(conn, RESEND_SYN_NS);
    } else if (!echo_is_possible(conn, seg)) {
        rule = "RFC 7323 §3.2: impossible echo";
    } else {
        return false;
    }
    if ((seg->flags & TCP_RST) != 0)
        tcp_verdict(conn->stack, conn->id, VERDICT_DROP, seg->packet->id,
                    "RST without our SYN's number", rule);
    else
        tcp_reply_reset(conn->stack, seg, rule);
    return true;
}

/* SYN without ACK: both ends opened at once (RFC 9293 §3.5, figure 8). */
static void
simultaneous_open(TcpConn *conn, TcpSegment *seg)
{
    tcp_ecn_take_syn(conn, seg->flags);
    tcp_take_syn_options(conn, seg->h);
    conn->rcv.irs = seg->seq;
    conn->rcv.nxt = conn->rcv.copied_seq = conn->rcv.wup = seg->seq + 1;
    conn->snd.wnd = conn->snd.max_wnd = seg->h->wnd;
    conn->snd.wl1 = seg->seq;
    tcp_sync_mss(conn, conn->path.mtu);
    tcp_set_state(conn, TCP_SYN_RECEIVED,
                  TCP_CAUSE("segment", "SYN", "RFC 9293 §3.10.7.3 #4", .packet = seg->packet->id));
    tcp_queue_syn(conn, TCP_SYN | TCP_ACK);
}

/* §3.10.7.3 #4: what else the SYN-ACK carries is processed from the sixth step
 * on. DIFFERS: Linux acknowledges the SYN alone, and the peer sends it again. */
static void
take_rest_of_syn_ack(TcpConn *conn, const TcpSegment *seg)
{
    TcpSegment rest = *seg;

    rest.flags &= (uint16_t)~TCP_SYN;
    rest.seq++;
    if (conn->stack->params->accept_syn_data && rest.seq != rest.end_seq)
        tcp_take_text(conn, &rest);
}

static void
syn_ack_received(TcpConn *conn, TcpSegment *seg)
{
    bool has_ack = (seg->flags & TCP_ACK) != 0;

    tcp_ecn_take_syn_ack(conn, seg->flags);
    tcp_take_syn_options(conn, seg->h);
    seg->has_ts = conn->ts.ok;
    seg->wnd = seg->h->wnd; /* never scaled in a SYN: RFC 7323 §2.2 */
    conn->snd.wl1 = seg->seq;
    if (has_ack)
        tcp_ack(conn, seg, true);
    conn->rcv.irs = seg->seq;
    conn->rcv.nxt = conn->rcv.copied_seq = conn->rcv.wup = seg->seq + 1;
    conn->last_data_recv_at = tcp_now(conn);
    conn->snd.wnd = conn->snd.max_wnd = seg->wnd;
    tcp_sync_mss(conn, conn->path.mtu);
    tcp_set_state(
        conn, TCP_ESTABLISHED,
        TCP_CAUSE("segment", has_ack ? "SYN-ACK" : "SYN", "RFC 9293 §3.10.7.3 #4",
                  .packet = seg->packet->id,
                  .counterfactual = has_ack ? NULL : "counterfactual.four_way_handshake"));
    tcp_data_established(conn);
    tcp_keepalive_start(conn);
    tcp_wake(conn, TCP_EVENT_CONNECTED | TCP_EVENT_WRITABLE);
    if (tcp_fastopen_syn_ack(conn, seg))
        return;
    take_rest_of_syn_ack(conn, seg);
    if (conn->writer_waits || conn->opt.defer_accept_s > 0 || tcp_pingpong_is_on(conn))
        tcp_ack_hold(conn);
    else
        tcp_send_ack(conn, "RFC 9293 §3.10.7.3 #4");
}

/* RFC 9293 §3.10.7.3 #4: "if SND.UNA > ISS", for a peer that sends ACK and SYN
 * apart. */
static bool
syn_was_acked(const TcpConn *conn)
{
    return conn->stack->params->cf_four_way_handshake && seq_after(conn->snd.una, conn->snd.iss);
}

void
tcp_input_syn_sent(TcpConn *conn, TcpSegment *seg)
{
    bool has_ack = (seg->flags & TCP_ACK) != 0;

    if (has_ack && refuses_ack(conn, seg))
        return;
    if ((seg->flags & TCP_RST) != 0) {
        if (has_ack)
            tcp_reset_received(conn, seg, "RFC 9293 §3.10.7.3 #2", NULL);
        else
            tcp_verdict(conn->stack, conn->id, VERDICT_DROP, seg->packet->id, "RST without ACK",
                        "RFC 9293 §3.10.7.3 #2");
        return;
    }
    if ((seg->flags & TCP_SYN) == 0) {
        if (has_ack && conn->stack->params->cf_four_way_handshake && seg->payload.len == 0)
            tcp_ack(conn, seg, true); /* the first half of the peer's answer */
        else
            tcp_verdict(conn->stack, conn->id, VERDICT_DROP, seg->packet->id, "no SYN",
                        "RFC 9293 §3.10.7.3 #5");
        return;
    }
    if (has_ack || syn_was_acked(conn))
        syn_ack_received(conn, seg);
    else
        simultaneous_open(conn, seg);
}
