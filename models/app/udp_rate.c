#include "models/app/udp_rate.h"

#include "models/app/luck.h"

struct AppUdpSender {
    Host *host; /* borrows */
    UdpSock *sock;
    AppUdpSenderParams params;
    SimTimer timer;
    SimRng rng;
    SimTime origin; /* of the present run of even spacing */
    uint64_t slots; /* sent or failed since the origin */
    uint64_t sent, errors;
};

struct AppUdpSink {
    Host *host; /* borrows */
    UdpSock *sock;
    AppUdpSinkCounts counts;
    uint32_t stream; /* whose last datagram this is: */
    uint64_t offset;
};

static uint64_t
bits_of_datagram(const AppUdpSenderParams *params)
{
    return 8 *
           ((uint64_t)params->datagram_bytes + UDP_HEADER_BYTES + ip_header_bytes(params->to.addr));
}

/* Even spacing is counted from the origin, so that no rounding adds up. */
static SimTime
next_time(AppUdpSender *sender)
{
    double gap_ns = (double)bits_of_datagram(&sender->params) * 1e9 / (double)sender->params.rate;

    if (sender->params.is_poisson)
        return sim_now(sender->host->sim) + (SimTime)sim_rng_exponential(&sender->rng, gap_ns);
    return sender->origin + (SimTime)((double)sender->slots * gap_ns);
}

static void
send_one(void *arg)
{
    AppUdpSender *sender = arg;
    const AppUdpSenderParams *params = &sender->params;
    Sim *sim = sender->host->sim;

    if (sim_now(sim) >= params->stop)
        return;
    if (udp_send(sender->sock, NULL, params->datagram_bytes, &params->to) < 0)
        sender->errors++;
    else
        sender->sent++;
    sender->slots++;
    if (params->count == 0 || sender->slots < params->count)
        sim_timer_set(sim, &sender->timer, next_time(sender), send_one, sender);
}

static void
sender_free(gpointer data)
{
    AppUdpSender *sender = data;

    sim_timer_done(sender->host->sim, &sender->timer);
    udp_close(sender->sock);
    g_free(sender);
}

AppUdpSender *
app_udp_sender_new(Host *host, const AppUdpSenderParams *params)
{
    AppUdpSender *sender = g_new0(AppUdpSender, 1);

    sim_check(params->rate > 0 && params->datagram_bytes > 0);
    sender->host = host;
    sender->params = *params;
    sender->sock = udp_open(host);
    udp_set_mtu_discover(sender->sock, params->discover);
    app_luck_init(host, &sender->rng, "udp sender");
    sim_timer_init(&sender->timer);
    sender->origin = MAX(params->start, sim_now(host->sim));
    sim_timer_set(host->sim, &sender->timer, sender->origin, send_one, sender);
    host_on_free(host, sender_free, sender);
    return sender;
}

uint64_t
app_udp_sender_sent(const AppUdpSender *sender)
{
    return sender->sent;
}

uint64_t
app_udp_sender_errors(const AppUdpSender *sender)
{
    return sender->errors;
}

static void
take_all(void *arg)
{
    AppUdpSink *sink = arg;
    SimTime now = sim_now(sink->host->sim);
    Payload payload = { 0 };

    while (udp_recv(sink->sock, &payload, NULL) >= 0) {
        if (sink->counts.datagrams++ == 0)
            sink->counts.first_at = now;
        sink->counts.bytes += payload.len;
        sink->counts.last_at = now;
        if (payload.stream == sink->stream && payload.offset < sink->offset) {
            sink->counts.late++;
        } else {
            sink->stream = payload.stream;
            sink->offset = payload.offset;
        }
    }
}

static void
sink_free(gpointer data)
{
    AppUdpSink *sink = data;

    udp_close(sink->sock);
    g_free(sink);
}

AppUdpSink *
app_udp_sink_new(Host *host, uint16_t port, int *error)
{
    UdpSock *sock = udp_open(host);

    *error = udp_bind(sock, (Endpoint){ IP_ADDR_ANY, port });
    if (*error != 0) {
        udp_close(sock);
        return NULL;
    }
    AppUdpSink *sink = g_new0(AppUdpSink, 1);
    sink->host = host;
    sink->sock = sock;
    sink->counts.first_at = sink->counts.last_at = SIM_NEVER;
    udp_on_event(sock, take_all, sink);
    host_on_free(host, sink_free, sink);
    return sink;
}

AppUdpSinkCounts
app_udp_sink_counts(const AppUdpSink *sink)
{
    return sink->counts;
}
