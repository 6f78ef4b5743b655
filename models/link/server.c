/* The transmitter as an event of its own, for queues that decide when a packet
 * leaves (CoDel, RFC 8289 §4.3; token bucket) and for rates that come from a
 * trace. There is at most one event: at the end of the transmission in
 * progress, and only if something waits for it. */
#include "models/link/qdisc.h"

/* Mahimahi: an opportunity carries one full packet of this many bytes, or
 * parts of several. */
enum { TRACE_OPPORTUNITY_BYTES = 1504 };

static void server_event(void *arg);

LinkServer *
server_new(LinkEnd *end)
{
    LinkServer *server = g_new0(LinkServer, 1);

    sim_check(end->params.n_trace == 0 || end->params.trace[end->params.n_trace - 1] > 0);
    server->qdisc = qdisc_new(end);
    server->event_at = SIM_NEVER;
    server->trace_origin = link_now(end);
    return server;
}

void
server_free(LinkEnd *end, LinkServer *server)
{
    if (server->in_service != NULL)
        packet_free(end->traits->packets, server->in_service);
    qdisc_free(server->qdisc);
    g_free(server);
}

static void
server_expect(LinkEnd *end, SimTime when)
{
    LinkServer *server = end->server;

    if (when < server->event_at) {
        server->event_at = when;
        sim_at(end->traits->sim, when, server_event, end);
    }
}

static Packet *
server_dequeue(LinkEnd *end, SimTime now, SimTime *again)
{
    Qdisc *qdisc = end->server->qdisc;
    Packet *packet = qdisc->ops->dequeue(qdisc, now, again);

    if (packet != NULL) {
        SimTime sojourn = now - packet->tx_at;
        packet->tx_at = now;
        if (probe_is_heard(&end->traits->probes->queue))
            link_record_queue(end, sojourn);
    }
    return packet;
}

static void
server_run_rate(LinkEnd *end, SimTime now)
{
    SimTime again = SIM_NEVER;
    Packet *packet;

    while (end->busy_until <= now) {
        packet = server_dequeue(end, now, &again);
        if (packet == NULL) {
            if (again != SIM_NEVER)
                server_expect(end, again);
            return;
        }
        end->busy_until = now + transmit_time(end, packet->ip.total_len);
        transmit_done(end, packet, end->busy_until);
    }
    if (end->server->qdisc->packets > 0)
        server_expect(end, end->busy_until);
}

/* The first opportunity not yet used that does not lie in the past. The trace
 * repeats; its last time stamp is its length. */
static SimTime
trace_next_opportunity(LinkEnd *end, SimTime now)
{
    LinkServer *server = end->server;
    const SimTime *trace = end->params.trace;
    uint32_t n = end->params.n_trace;
    SimTime period = trace[n - 1], since = now - server->trace_origin;
    uint64_t cycle = (uint64_t)(since / period);
    uint32_t low = 0, high = n;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (trace[middle] >= since % period)
            high = middle;
        else
            low = middle + 1;
    }
    server->trace_next = MAX(server->trace_next, cycle * n + low);
    return server->trace_origin + (SimTime)(server->trace_next / n) * period +
           trace[server->trace_next % n];
}

static void
server_run_trace(LinkEnd *end, SimTime now)
{
    LinkServer *server = end->server;
    uint32_t budget = TRACE_OPPORTUNITY_BYTES;
    SimTime again;

    server->trace_next++;
    while (budget > 0) {
        if (server->in_service == NULL) {
            server->in_service = server_dequeue(end, now, &again);
            if (server->in_service == NULL)
                break; /* what is left of the opportunity is lost */
            server->bytes_left = server->in_service->ip.total_len + end->traits->overhead;
        }
        uint32_t part = MIN(budget, server->bytes_left);
        budget -= part;
        server->bytes_left -= part;
        if (server->bytes_left == 0) {
            Packet *packet = server->in_service;
            server->in_service = NULL;
            transmit_done(end, packet, now);
        }
    }
    if (server->in_service != NULL || server->qdisc->packets > 0)
        server_expect(end, trace_next_opportunity(end, now));
}

/* May be one that an earlier event has made superfluous. */
static void
server_event(void *arg)
{
    LinkEnd *end = arg;
    SimTime now = link_now(end);

    if (end->server == NULL || end->server->event_at != now)
        return;
    end->server->event_at = SIM_NEVER;
    if (end->params.n_trace > 0)
        server_run_trace(end, now);
    else
        server_run_rate(end, now);
}

void
server_send(LinkEnd *end, Packet *packet, SimTime now)
{
    Qdisc *qdisc = end->server->qdisc;

    packet->tx_at = now;
    if (end->busy_until > now || qdisc->packets > 0 || end->params.n_trace > 0)
        link_note(end, PACKET_EVENT_QUEUED, packet, NULL, 0);
    qdisc->ops->enqueue(qdisc, packet, now);
    if (probe_is_heard(&end->traits->probes->queue))
        link_record_queue(end, -1); /* what it will wait is known as it leaves */
    if (qdisc->packets == 0 && end->server->in_service == NULL)
        return;
    if (end->params.n_trace > 0)
        server_expect(end, trace_next_opportunity(end, now));
    else if (end->busy_until > now)
        server_expect(end, end->busy_until);
    else
        server_run_rate(end, now);
}

Packet *
server_take(LinkEnd *end)
{
    LinkServer *server = end->server;
    Packet *packet = server->in_service;

    server->in_service = NULL;
    return packet != NULL ? packet : server->qdisc->ops->take(server->qdisc);
}

void
server_queue(const LinkEnd *end, uint32_t *packets, uint64_t *bytes)
{
    *packets = end->server->qdisc->packets;
    *bytes = end->server->qdisc->bytes;
}
