/* An attacker: packets as fast as asked, from whatever source it likes, with
 * no TCP behind them. */
#include "models/app/app.h"

#include "models/app/luck.h"

struct AppFlood {
    Host *host; /* borrows */
    AppFloodParams params;
    SimRng rng;
    uint64_t sent;
};

/* A source in the spoofed prefix: the host part counts up, so that sources
 * repeat as late as possible. */
static IpAddr
flood_source(const AppFlood *flood)
{
    const AppFloodParams *p = &flood->params;
    const Iface *iface = g_ptr_array_index(flood->host->ifaces, 0);

    if (ip_addr_is_any(p->spoof))
        return iface->addr;
    return ip_addr_later_in_prefix(p->spoof, p->spoof_bits, 1 + flood->sent);
}

static void
flood_fill_syn(AppFlood *flood, TcpHeader *tcp)
{
    tcp->flags = TCP_SYN;
    tcp->seq = sim_rng_u32(&flood->rng);
    tcp->options = TCPOPT_HAS_MSS;
    tcp->mss = 1460;
    if (flood->params.timestamps) {
        tcp->options |= TCPOPT_HAS_SACK_OK | TCPOPT_HAS_TS | TCPOPT_HAS_WSCALE;
        tcp->wscale = 7;
        tcp->tsval = (uint32_t)(sim_now(flood->host->sim) / SIM_MS);
        tcp->tsecr = 0;
    }
}

static void
flood_fill(AppFlood *flood, TcpHeader *tcp, uint16_t flags)
{
    tcp->flags = flags;
    tcp->seq = sim_rng_u32(&flood->rng);
    if ((flags & TCP_ACK) != 0)
        tcp->ack = sim_rng_u32(&flood->rng);
}

static void
flood_fill_flags(AppFlood *flood, TcpHeader *tcp)
{
    const AppFloodParams *p = &flood->params;

    switch (p->kind) {
    case APP_FLOOD_SYN:
    case APP_FLOOD_SYN_SCAN:
        flood_fill_syn(flood, tcp);
        break;
    case APP_FLOOD_FIN_SCAN:
        flood_fill(flood, tcp, TCP_FIN);
        break;
    case APP_FLOOD_NULL_SCAN:
        flood_fill(flood, tcp, 0);
        break;
    case APP_FLOOD_XMAS_SCAN:
        flood_fill(flood, tcp, TCP_FIN | TCP_PSH | TCP_URG);
        break;
    case APP_FLOOD_ACK:
    case APP_FLOOD_ACK_SCAN:
        flood_fill(flood, tcp, TCP_ACK);
        break;
    case APP_FLOOD_RST:
        tcp->flags = TCP_RST;
        tcp->seq = p->first_seq + (uint32_t)flood->sent * p->step;
        break;
    }
}

static Packet *
flood_packet(AppFlood *flood)
{
    static const char *const why[] = {
        [APP_FLOOD_SYN] = "SYN flood",
        [APP_FLOOD_ACK] = "ACK flood",
        [APP_FLOOD_RST] = "RST injection",
        [APP_FLOOD_SYN_SCAN] = "SYN scan",
        [APP_FLOOD_FIN_SCAN] = "FIN scan",
        [APP_FLOOD_NULL_SCAN] = "NULL scan",
        [APP_FLOOD_XMAS_SCAN] = "Christmas scan",
        [APP_FLOOD_ACK_SCAN] = "ACK scan",
    };
    const AppFloodParams *p = &flood->params;
    Packet *packet = packet_new_tcp(flood->host->packets);
    TcpHeader *tcp = &packet->tcp;

    packet->why = why[p->kind];
    packet->flags |= PACKET_FORGED;
    packet->ip.src = flood_source(flood);
    packet->ip.dst = p->to.addr;
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.df = true;
    tcp->sport = p->sport != 0 ? p->sport : (uint16_t)(1024 + sim_rng_below(&flood->rng, 64512));
    tcp->dport = (uint16_t)(p->to.port + flood->sent % MAX(p->n_ports, 1u));
    tcp->ack = 0;
    tcp->wnd = 64240;
    tcp->urg = 0;
    flood_fill_flags(flood, tcp);
    packet->payload = (Payload){ 0 };
    packet_finish_lengths(packet);
    return packet;
}

static SimTime
flood_next(AppFlood *flood)
{
    const AppFloodParams *p = &flood->params;
    double gap = (double)SIM_SEC / p->rate;

    switch (p->pattern) {
    case APP_FLOOD_POISSON:
        return sim_now(flood->host->sim) + (SimTime)sim_rng_exponential(&flood->rng, gap);
    case APP_FLOOD_EVEN:
    case APP_FLOOD_BURSTS:
        break;
    }
    return p->start + (SimTime)((double)flood->sent * gap);
}

static void
flood_go(void *arg)
{
    AppFlood *flood = arg;
    const AppFloodParams *p = &flood->params;
    Iface *iface = g_ptr_array_index(flood->host->ifaces, 0);
    uint32_t burst = p->pattern == APP_FLOOD_BURSTS ? MAX(p->burst, 1u) : 1;
    SimTime next;

    for (uint32_t i = 0; i < burst && (p->count == 0 || flood->sent < p->count); i++) {
        Packet *packet = flood_packet(flood);

        flood->sent++;
        iface_send(iface, packet);
    }
    if (p->count != 0 && flood->sent >= p->count)
        return;
    next = flood_next(flood);
    if (next < p->stop)
        sim_at(flood->host->sim, MAX(next, sim_now(flood->host->sim)), flood_go, flood);
}

AppFlood *
app_flood_new(Host *host, const AppFloodParams *params)
{
    AppFlood *flood = g_new0(AppFlood, 1);

    flood->host = host;
    flood->params = *params;
    app_luck_init(host, &flood->rng, "flood");
    host_on_free(host, g_free, flood);
    if (params->start < params->stop)
        sim_at(host->sim, params->start, flood_go, flood);
    return flood;
}

uint64_t
app_flood_sent(const AppFlood *flood)
{
    return flood->sent;
}
