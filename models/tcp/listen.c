#include "models/tcp/listen.h"

#include <string.h>

#include "models/tcp/demux.h"
#include "models/tcp/fastopen.h"
#include "models/tcp/handshake.h"
#include "models/tcp/ports.h"

G_STATIC_ASSERT(sizeof(TcpRequest) <= 128);

static void request_on_timer(void *arg);

/* ---- the queues ------------------------------------------------------------------ */

void
tcp_listener_note(TcpListener *listener)
{
    TcpConn *conn = listener->conn;
    const Probe *probe = &conn->stack->host->probes->queue;

    if (probe_is_heard(probe)) {
        QueueRecord record = {
            .at = tcp_now(conn),
            .host = conn->stack->host->id,
            .port = conn->entry.tuple.lport,
            .name = "syn_queue",
            .length = listener->n_requests,
        };

        probe_emit(probe, &record);
        record.name = "accept_queue";
        record.length = listener->n_accept;
        probe_emit(probe, &record);
    }
}

void
tcp_listen_drop(TcpListener *listener, const TcpSegment *seg, const char *what, const char *rule)
{
    TcpStack *stack = listener->conn->stack;

    host_count(stack->host, MIB_TcpExtListenDrops);
    tcp_verdict(stack, 0, VERDICT_DROP, seg->packet->id, what, rule);
    host_record_packet(stack->host, NULL, PACKET_EVENT_REFUSED, seg->packet, what);
}

void
tcp_request_keep_data(TcpRequest *request, Payload payload)
{
    TcpListener *listener = request->listener;

    if (listener->syn_data == NULL)
        listener->syn_data = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_hash_table_insert(listener->syn_data, request, g_memdup2(&payload, sizeof payload));
    request->has_data = true;
}

Payload
tcp_request_take_data(TcpRequest *request)
{
    GHashTable *all = request->listener->syn_data;
    Payload payload = { 0 };

    if (request->has_data) {
        payload = *(Payload *)g_hash_table_lookup(all, request);
        g_hash_table_remove(all, request);
        request->has_data = false;
    }
    return payload;
}

/* Without the header of a link, of which there is none here (TCP_SAVE_SYN 2). */
void
tcp_request_keep_syn(TcpRequest *request, const Packet *packet)
{
    TcpListener *listener = request->listener;
    g_autofree uint8_t *bytes = g_malloc(UINT16_MAX);
    uint32_t len = packet_render(listener->conn->stack->host->packets, packet, bytes, UINT16_MAX);

    if (listener->syns == NULL)
        listener->syns = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_bytes_unref);
    g_hash_table_insert(listener->syns, request, g_bytes_new(bytes, len - packet->payload.len));
    request->has_syn = true;
}

GBytes *
tcp_request_take_syn(TcpRequest *request)
{
    gpointer bytes = NULL;

    if (request->has_syn)
        g_hash_table_steal_extended(request->listener->syns, request, NULL, &bytes);
    request->has_syn = false;
    return bytes;
}

void
tcp_request_forget(TcpRequest *request)
{
    TcpListener *listener = request->listener;
    TcpStack *stack = listener->conn->stack;

    if (request->is_cookie) { /* it never stood in the queue */
        sim_pool_put(&stack->shared->requests, request);
        return;
    }
    tcp_request_take_data(request);
    g_bytes_unref(tcp_request_take_syn(request));
    sim_timer_done(stack->sim, &request->timer);
    tcp_demux_remove(stack, &request->entry);
    if (request->before != NULL)
        request->before->next = request->next;
    else
        listener->first = request->next;
    if (request->next != NULL)
        request->next->before = request->before;
    listener->n_requests--;
    listener->n_young -= request->timeouts == 0;
    sim_pool_put(&stack->shared->requests, request);
    tcp_listener_note(listener);
}

void
tcp_request_drop(TcpRequest *request, TcpCause cause)
{
    TcpStack *stack = request->listener->conn->stack;

    tcp_record_transition(stack, request->conn, &request->entry.tuple, TCP_SYN_RECEIVED, TCP_CLOSED,
                          cause);
    tcp_request_forget(request);
}

void
tcp_listener_free(TcpConn *conn)
{
    TcpListener *listener = conn->listener;

    if (listener == NULL)
        return;
    while (listener->first != NULL)
        tcp_request_forget(listener->first);
    tcp_fastopen_listener_gone(listener);
    conn->listener = NULL;
    g_clear_pointer(&listener->syn_data, g_hash_table_unref);
    g_clear_pointer(&listener->syns, g_hash_table_unref);
    g_free(listener);
}

int
tcp_listen(TcpConn *conn, int backlog)
{
    TcpStack *stack = conn->stack;
    uint32_t bound = MIN((uint32_t)backlog, stack->params->somaxconn);
    int error;

    if (conn->state == TCP_LISTEN) {
        conn->listener->backlog = bound;
        return 0;
    }
    if (conn->state != TCP_CLOSED || conn->has_ended)
        return -EINVAL;
    if (!conn->holds_port) {
        error = tcp_port_bind(conn, (Endpoint){ conn->entry.tuple.local, 0 });
        if (error != 0)
            return error;
    }
    error = tcp_port_check_listen(conn);
    if (error != 0)
        return error;
    conn->listener = g_new0(TcpListener, 1);
    conn->listener->conn = conn;
    conn->listener->backlog = bound;
    g_ptr_array_add(stack->listeners, conn);
    tcp_set_state(conn, TCP_LISTEN, TCP_CAUSE("call", "listen()", "RFC 9293 §3.10.1"));
    return 0;
}

TcpConn *
tcp_accept(TcpConn *conn, int *error)
{
    TcpListener *listener = conn->listener;
    TcpConn *child;

    if (listener == NULL) {
        *error = -EINVAL;
        return NULL;
    }
    child = listener->accept_first;
    if (child == NULL) {
        *error = -EAGAIN;
        return NULL;
    }
    listener->accept_first = child->accept_next;
    if (listener->accept_first == NULL)
        listener->accept_last = NULL;
    child->accept_next = NULL;
    child->parent = NULL;
    listener->n_accept--;
    tcp_listener_note(listener);
    return child;
}

void
tcp_accept_enqueue(TcpListener *listener, TcpConn *child)
{
    child->parent = listener;
    if (listener->accept_last != NULL)
        listener->accept_last->accept_next = child;
    else
        listener->accept_first = child;
    listener->accept_last = child;
    listener->n_accept++;
    if (child->stack->params->cf_unlimited_queue && listener->n_accept > listener->backlog + 1)
        tcp_verdict(child->stack, child->id, VERDICT_NOTE, 0, "beyond the accept queue's bound",
                    "counterfactual.unlimited_queue");
    tcp_listener_note(listener);
}

/* ---- SYN-ACKs --------------------------------------------------------------------- */

static Packet *
request_packet(TcpStack *stack, const TcpRequest *request, uint16_t flags, const char *rule)
{
    Packet *packet = packet_new_tcp(stack->host->packets);
    const TcpConn *listener = request->listener->conn;
    TcpHeader *h = &packet->tcp;

    packet->conn = request->conn;
    packet->why = rule;
    packet->ip.src = request->entry.tuple.local;
    packet->ip.dst = request->entry.tuple.remote;
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.df =
        true; /* whatever the listener's IP_MTU_DISCOVER (recording s14_tcp_dontdf_ok) */
    packet->ip.tos = listener->opt.tos;
    if (listener->opt.ttl != 0)
        packet->ip.ttl = listener->opt.ttl;
    packet->payload = (Payload){ 0 };
    h->sport = request->entry.tuple.lport;
    h->dport = request->entry.tuple.rport;
    h->flags = flags;
    h->urg = 0;
    h->seq = request->iss + ((flags & TCP_SYN) == 0);
    h->ack = request->irs + 1;
    h->wnd = request->wnd;
    if (request->ts_ok) {
        h->options |= TCPOPT_HAS_TS;
        h->tsval = tcp_ts_clock(stack) + request->ts_offset;
        h->tsecr = request->ts_recent;
    }
    return packet;
}

static void
request_transmit(TcpStack *stack, Packet *packet)
{
    packet_finish_lengths(packet);
    host_count(stack->host, MIB_TcpOutSegs);
    ip_output(stack->host, packet);
}

void
tcp_request_send_synack(TcpStack *stack, TcpRequest *request, const char *rule)
{
    tcp_request_send_synack_with(stack, request, NULL, rule);
}

void
tcp_request_send_synack_with(TcpStack *stack, TcpRequest *request, const TcpFastOpenCookie *cookie,
                             const char *rule)
{
    Packet *packet = request_packet(stack, request, TCP_SYN | TCP_ACK, rule);
    TcpHeader *h = &packet->tcp;

    h->options |= TCPOPT_HAS_MSS;
    h->mss = tcp_mss_for(stack, request->entry.tuple.remote, request->listener->conn->snd.user_mss);
    if (request->wscale_ok) {
        h->options |= TCPOPT_HAS_WSCALE;
        h->wscale = request->rcv_wscale;
    }
    if (request->sack_ok)
        h->options |= TCPOPT_HAS_SACK_OK;
    if (cookie != NULL)
        tcp_fastopen_put_cookie(h, cookie);
    if (request->ecn_ok)
        h->flags |= TCP_ECE;
    if (request->is_cookie && request->ts_ok)
        h->tsval = tcp_cookie_ts(request, h->tsval);
    if (stack->params->cf_four_way_handshake) { /* the ACK and the SYN, each by itself */
        request_transmit(
            stack, request_packet(stack, request, TCP_ACK, "counterfactual.four_way_handshake"));
        h->flags &= (uint16_t)~TCP_ACK;
        h->ack = 0;
        packet->why = "counterfactual.four_way_handshake";
    }
    request_transmit(stack, packet);
}

void
tcp_request_reply(TcpStack *stack, TcpRequest *request, const TcpSegment *seg, const char *rule)
{
    Packet *packet = request_packet(stack, request, TCP_ACK, rule);

    packet->tcp.wnd = (uint16_t)(request->wnd >> request->rcv_wscale);
    tcp_verdict(stack, request->conn, VERDICT_REPLY, seg->packet->id, "ACK", rule);
    request_transmit(stack, packet);
}

/* Linux ages the queue when it is more than half full: entries that were
 * retransmitted twice give way to young ones. */
static unsigned
most_timeouts(const TcpListener *listener)
{
    unsigned most = listener->conn->opt.syn_count != 0
                        ? listener->conn->opt.syn_count
                        : listener->conn->stack->params->synack_retries;
    uint32_t young = listener->n_young << 1;

    if (listener->n_requests << 1 <= MAX(8u, listener->backlog))
        return most;
    while (most > 2 && listener->n_requests >= young) {
        most--;
        young <<= 1;
    }
    return most;
}

static SimTime
request_timeout(const TcpRequest *request)
{
    const TcpParams *p = request->listener->conn->stack->params;
    SimTime timeout = (SimTime)p->initial_rto_ms * SIM_MS << MIN(request->timeouts, 20);

    return MIN(timeout, (SimTime)p->rto_max_ms * SIM_MS);
}

void
tcp_request_arm(TcpRequest *request)
{
    TcpStack *stack = request->listener->conn->stack;

    SimTime timeout = request_timeout(request), due = tcp_timer_deadline(stack, timeout);
    SimTime late = due - (sim_now(stack->sim) + timeout);

    request->late_us = (uint16_t)MIN(late / SIM_US, UINT16_MAX);
    sim_timer_set(stack->sim, &request->timer, due, request_on_timer, request);
}

static void
request_resend(TcpStack *stack, TcpRequest *request, const char *rule)
{
    host_count(stack->host, MIB_TcpRetransSegs);
    host_count(stack->host, MIB_TcpExtTCPSynRetrans);
    request->retransmits++;
    tcp_verdict(stack, request->conn, VERDICT_RETRANSMIT, 0, "SYN-ACK", rule);
    tcp_request_send_synack(stack, request, rule);
}

static void
request_on_timer(void *arg)
{
    TcpRequest *request = arg;
    TcpListener *listener = request->listener;
    TcpStack *stack = listener->conn->stack;
    unsigned most = most_timeouts(listener);
    uint32_t defer = listener->conn->opt.defer_accept_s;
    /* TCP_DEFER_ACCEPT: a bare ACK has come and the data that should follow may
     * still; as its time ends the peer is asked once more. */
    bool waits = defer > 0 && request->acked;

    host_count(stack->host, MIB_TcpExtTCPTimeouts);
    if (request->timeouts >= most && !(waits && request->timeouts < defer)) {
        tcp_request_drop(
            request, TCP_CAUSE("timer", "SYN-ACK retries used up", "net.ipv4.tcp_synack_retries"));
        return;
    }
    if (!waits || request->timeouts + 1u >= defer)
        request_resend(stack, request, "RFC 9293 §3.8.1");
    if (request->timeouts++ == 0)
        listener->n_young--;
    tcp_request_arm(request);
}

void
tcp_request_resend_synack(TcpRequest *request)
{
    request_resend(request->listener->conn->stack, request,
                   "Linux: a repeated SYN gets the SYN-ACK again");
    tcp_request_arm(request);
}
