/* ICMP sent: errors, within the rules of RFC 1122 §3.2.2 and RFC 1812 §4.3.2
 * and Linux's two rate limits, and echo requests.
 */
#include "models/ip/ip_internal.h"

/* RFC 1812 §4.3.2.3: as much of the packet as fits without exceeding 576. */
#define ERROR_MAX_BYTES 576u
/* RFC 1812 §4.3.2.5: internetwork control. */
#define ERROR_TOS 0xc0
/* Tokens that a destination may save up, each worth icmp_ratelimit_ms. */
#define PEER_BURST 6
enum { PEERS_MOST = 8192 };

/* A token bucket kept as virtual time, one for each destination of errors. */
typedef struct IcmpPeer {
    SimTime credit, since;
} IcmpPeer;

struct IcmpLimits {
    GHashTable *peers;     /* owns: IpAddr -> IcmpPeer */
    SimTime credit, since; /* of all: in units of time, one message costs 1 s / msgs_per_sec */
};

void
icmp_limits_free(IcmpLimits *limits)
{
    if (limits == NULL)
        return;
    g_hash_table_destroy(limits->peers);
    g_free(limits);
}

static IcmpLimits *
limits_of(IpStack *ip)
{
    if (ip->icmp == NULL) {
        ip->icmp = g_new0(IcmpLimits, 1);
        ip->icmp->peers =
            g_hash_table_new_full(ip_addr_hash_func, ip_addr_equal_func, g_free, g_free);
        ip->icmp->credit = SIM_NEVER; /* full */
    }
    return ip->icmp;
}

/* Takes `cost` from a bucket that fills with time up to `most`. */
static bool
take_credit(SimTime *credit, SimTime *since, SimTime now, SimTime cost, SimTime most)
{
    *credit = *credit > most - MIN(now - *since, most) ? most : *credit + (now - *since);
    *since = now;
    if (*credit < cost)
        return false;
    *credit -= cost;
    return true;
}

static gboolean
is_full_again(gpointer addr, gpointer value, gpointer before)
{
    (void)addr;
    return ((const IcmpPeer *)value)->since < *(const SimTime *)before;
}

/* net.ipv4.icmp_ratelimit: per destination. */
static bool
peer_allows(IcmpLimits *limits, const IpParams *params, IpAddr dst, SimTime now)
{
    SimTime cost = (SimTime)params->icmp_ratelimit_ms * SIM_MS, most = PEER_BURST * cost;
    IcmpPeer *peer;

    if (cost == 0)
        return true;
    peer = g_hash_table_lookup(limits->peers, &dst);
    if (peer == NULL) {
        if (g_hash_table_size(limits->peers) >= PEERS_MOST) {
            SimTime before = now - most;

            g_hash_table_foreach_remove(limits->peers, is_full_again, &before);
        }
        peer = g_new(IcmpPeer, 1);
        *peer = (IcmpPeer){ .credit = most, .since = now };
        g_hash_table_insert(limits->peers, g_memdup2(&dst, sizeof dst), peer);
    }
    return take_credit(&peer->credit, &peer->since, now, cost, most);
}

static bool
rate_allows(Host *host, uint8_t type, uint8_t code, IpAddr dst)
{
    const IpParams *params = &host->ip->params;
    IcmpLimits *limits;
    SimTime now = sim_now(host->sim), cost;

    if (type >= 32 || !(params->icmp_ratemask & 1u << type))
        return true;
    if (type == ICMP_UNREACHABLE && code == 4) /* path MTU discovery must not starve */
        return true;
    limits = limits_of(host->ip);
    cost = SIM_SEC / (params->icmp_msgs_per_sec != 0 ? params->icmp_msgs_per_sec : 1);
    if (params->icmp_msgs_per_sec == 0 || !take_credit(&limits->credit, &limits->since, now, cost,
                                                       cost * (SimTime)params->icmp_msgs_burst)) {
        host_count(host, MIB_IcmpOutRateLimitGlobal);
        return false;
    }
    return peer_allows(limits, params, dst, now);
}

static bool
is_unicast(IpAddr addr)
{
    uint32_t v4 = ip_addr_to_v4(addr);

    if (ip_addr_is_any(addr))
        return false;
    return !ip_addr_is_v4(addr) || v4 >> 28 < 14; /* 224/4 multicast, 240/4 and broadcast */
}

/* RFC 1122 §3.2.2: packets that no error may be sent about. */
static bool
may_complain_about(const Packet *about)
{
    if (about->ip.frag_offset != 0)
        return false; /* not the first fragment */
    if (!is_unicast(about->ip.src) || !is_unicast(about->ip.dst))
        return false;
    if (about->ip.proto != IP_PROTO_ICMP)
        return true;
    return about->raw == NULL && !icmp_is_error_type(about->icmp.type);
}

/* The eight bytes that all transports quote, as far as they are decoded. */
static void
quote_transport(IcmpHeader *icmp, const Packet *about)
{
    const Packet *whole = about->flags & PACKET_FRAGMENT && about->fragment_of != NULL
                              ? about->fragment_of->whole
                              : about;

    if (whole->raw != NULL) {
        const uint8_t *bytes = whole->raw->bytes;

        if (whole->raw->len < 8)
            return;
        icmp->quoted_sport = (uint16_t)(bytes[0] << 8 | bytes[1]);
        icmp->quoted_dport = (uint16_t)(bytes[2] << 8 | bytes[3]);
        icmp->quoted_seq = (uint32_t)bytes[4] << 24 | (uint32_t)bytes[5] << 16 |
                           (uint32_t)bytes[6] << 8 | bytes[7];
        return;
    }
    switch (about->ip.proto) {
    case IP_PROTO_TCP:
        icmp->quoted_sport = whole->tcp.sport;
        icmp->quoted_dport = whole->tcp.dport;
        icmp->quoted_seq = whole->tcp.seq;
        break;
    case IP_PROTO_UDP:
        icmp->quoted_sport = whole->udp.sport;
        icmp->quoted_dport = whole->udp.dport;
        break;
    default:
        break;
    }
}

void
icmp_send_error(Host *host, const Packet *about, uint8_t type, uint8_t code, uint32_t mtu)
{
    Packet *packet;
    RouteEntry *route;

    if (host->ip->params.icmp_errors == 0 || !may_complain_about(about))
        return;
    if (!rate_allows(host, type, code, about->ip.src))
        return;
    packet = packet_new(host->packets);
    packet->why = "RFC 1122 §3.2.2 ICMP error";
    packet->ip.dst = about->ip.src;
    packet->ip.proto = IP_PROTO_ICMP;
    packet->ip.ttl = 0;
    packet->ip.tos = ERROR_TOS;
    /* RFC 1812 §4.3.2.4: from the address that was addressed, if it is ours;
     * else (Linux) from that of the interface towards the sender. */
    route = ip_route(host->ip, about->ip.dst);
    packet->ip.src = route->kind == ROUTE_LOCAL ? about->ip.dst : IP_ADDR_ANY;
    packet->icmp = (IcmpHeader){
        .type = type, .code = code, .mtu = (uint16_t)MIN(mtu, 65535u), .quoted_ip = about->ip
    };
    uint32_t room = ERROR_MAX_BYTES - IPV4_HEADER_BYTES - ICMP_HEADER_BYTES;
    packet->icmp.quoted_len = (uint16_t)MIN(about->ip.total_len, room);
    quote_transport(&packet->icmp, about);
    packet->fragment_of =
        datagram_new(packet_copy(host->packets, about)); /* its bytes, for the wire */
    packet->payload = (Payload){ 0 };
    packet_finish_lengths(packet);
    host_count(host, MIB_IcmpOutMsgs);
    if (type == ICMP_UNREACHABLE)
        host_count(host, MIB_IcmpOutDestUnreachs);
    else if (type == ICMP_TIME_EXCEEDED)
        host_count(host, MIB_IcmpOutTimeExcds);
    route = ip_route(host->ip, packet->ip.dst);
    if (host->ip->error_hooks != NULL && route->kind == ROUTE_LINK &&
        ip_run_hooks(host->ip->error_hooks, host, packet, NULL, route->out))
        return;
    ip_output(host, packet);
}

void
icmp_send_echo(Host *host, IpAddr dst, uint16_t id, uint16_t seq, uint32_t len)
{
    Packet *packet = packet_new(host->packets);

    packet->ip.dst = dst;
    packet->ip.proto = IP_PROTO_ICMP;
    packet->ip.ttl = 0;
    packet->icmp = (IcmpHeader){ .type = ICMP_ECHO, .id = id, .seq = seq };
    packet->payload = (Payload){ .len = len };
    if (len > 0)
        packet->payload.stream = stream_new_id(host->packets->streams);
    packet_finish_lengths(packet);
    host_count(host, MIB_IcmpOutMsgs);
    host_count(host, MIB_IcmpOutEchos);
    ip_output(host, packet);
}
