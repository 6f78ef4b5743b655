/* From a transport to an interface: route, source, identification, and the
 * decision between one packet, fragments and EMSGSIZE.
 */
#include <errno.h>

#include "models/ip/ip_internal.h"

/* RFC 6864 wants an id unique for (source, destination, protocol) only where
 * fragments may come of it. As Linux does, such ids are drawn from counters
 * shared by hash, which jump by a random amount that grows with idle time, so
 * that counting them tells an outsider little. */
enum { IDENT_BUCKETS = 256 };

struct IpIdents {
    SimRng rng;
    uint64_t key[2];
    struct {
        SimTime at;
        uint16_t id;
        bool is_set;
    } buckets[IDENT_BUCKETS];
};

static IpIdents *
idents_new(const Host *host)
{
    IpIdents *idents = g_new0(IpIdents, 1);
    g_autofree char *name = g_strdup_printf("host %s ip id", host->name);

    sim_rng_named(host->sim, &idents->rng, name);
    idents->key[0] = sim_rng_u64(&idents->rng);
    idents->key[1] = sim_rng_u64(&idents->rng);
    return idents;
}

void
ip_idents_free(IpIdents *idents)
{
    g_free(idents);
}

static uint16_t
choose_id(IpStack *ip, const IpHeader *header)
{
    struct {
        IpAddr src, dst;
        uint64_t proto;
    } about = { header->src, header->dst, header->proto };
    SimTime now = sim_now(ip->host->sim);

    if (ip->idents == NULL)
        ip->idents = idents_new(ip->host);
    IpIdents *idents = ip->idents;
    uint32_t i = sim_siphash(idents->key, &about, sizeof about) % IDENT_BUCKETS;

    if (!idents->buckets[i].is_set) {
        idents->buckets[i].is_set = true;
        idents->buckets[i].id = (uint16_t)sim_rng_u32(&idents->rng);
    } else {
        uint64_t idle_ms = (uint64_t)((now - idents->buckets[i].at) / SIM_MS);

        if (idle_ms > 1)
            idents->buckets[i].id += (uint16_t)sim_rng_below(&idents->rng, idle_ms);
    }
    idents->buckets[i].at = now;
    do {
        idents->buckets[i].id++;
    } while (idents->buckets[i].id == 0); /* 0 means "not chosen" to ip_output */
    return idents->buckets[i].id;
}

void
ip_transmit(Host *host, Iface *out, Packet *packet)
{
    host_count(host, MIB_IpOutTransmits);
    host_count_n(host, MIB_IpExtOutOctets, packet->ip.total_len);
    iface_send(out, packet);
}

static int
output_nowhere(Host *host, Packet *packet, int error)
{
    host_count(host, MIB_IpOutNoRoutes);
    ip_drop(host, NULL, packet, error == -ENETUNREACH ? "no route" : "unreachable route");
    return error;
}

static int
output_to_self(Host *host, Packet *packet, const RouteEntry *entry)
{
    if (ip_addr_is_any(packet->ip.src))
        packet->ip.src = entry->src;
    if (packet->ip.id == 0 && !packet->ip.df)
        packet->ip.id = choose_id(host->ip, &packet->ip);
    ip_count_packet(host, MIB_IpOutRequests, MIB_IpOutTransmits, MIB_IpExtOutOctets,
                    packet->ip.total_len);
    host_record_packet(host, &host->ip->loopback, PACKET_EVENT_SENT, packet, NULL);
    ip_loop(host->ip, packet);
    return 0;
}

static int
output_too_big(Host *host, Packet *packet, Iface *out, uint32_t mtu)
{
    host_count(host, MIB_IpOutRequests);
    if (packet->ip.df) {
        host_count(host, MIB_IpFragFails);
        ip_drop(host, out, packet, "too big for the path, DF set");
        return -EMSGSIZE;
    }
    ip_fragment(host, out, packet, mtu);
    return 0;
}

static int
output(Host *host, Packet *packet, bool is_probe)
{
    IpStack *ip = host->ip;
    RouteEntry *entry = ip_route(ip, packet->ip.dst);

    if (packet->ip.ttl == 0)
        packet->ip.ttl = (uint8_t)(entry->metrics != NULL && entry->metrics->hoplimit != 0
                                       ? entry->metrics->hoplimit
                                       : ip->params.default_ttl);
    if (__builtin_expect(entry->kind != ROUTE_LINK, 0)) {
        if (entry->kind == ROUTE_LOCAL)
            return output_to_self(host, packet, entry);
        return output_nowhere(host, packet,
                              entry->kind == ROUTE_NONE ? -ENETUNREACH : -EHOSTUNREACH);
    }
    Iface *out = entry->out;
    if (__builtin_expect(!out->is_up, 0))
        return output_nowhere(host, packet, -ENETUNREACH);
    if (ip_addr_is_any(packet->ip.src))
        packet->ip.src = entry->src;
    if (packet->ip.id == 0 && !packet->ip.df)
        packet->ip.id = choose_id(ip, &packet->ip);
    if (__builtin_expect(packet->ip.total_len > MIN(out->mtu, entry->pmtu), 0)) {
        uint32_t mtu = is_probe ? out->mtu : ip_route_mtu(ip, &entry);

        if (packet->ip.total_len > mtu)
            return output_too_big(host, packet, out, mtu);
    }
    ip_count_packet(host, MIB_IpOutRequests, MIB_IpOutTransmits, MIB_IpExtOutOctets,
                    packet->ip.total_len);
    return iface_send(out, packet);
}

int
ip_output(Host *host, Packet *packet)
{
    return output(host, packet, false);
}

int
ip_output_probe(Host *host, Packet *packet)
{
    return output(host, packet, true);
}
