/* What the files of ip/ share: the state that IP keeps for one host. Nothing
 * outside ip/ and its tests includes this.
 *
 *   ip.c          attach, protocols, input, delivery, forwarding, loopback
 *   output.c      ip_output, identification
 *   route.c       the table, longest prefix, cache of destinations
 *   topology.c    net_compute_routes
 *   fragment.c    cutting;  reassembly.c  joining
 *   icmp.c        receiving; icmp_send.c  errors, echo, rate limits
 *   pmtu.c        learned path MTUs
 *   metrics.c     what a route says of its path
 *   flow.c        what middleboxes remember of a conversation
 *   nat.c, firewall.c, middlebox.c   hooks on a forwarding host
 */
#ifndef HALFOPEN_MODELS_IP_IP_INTERNAL_H
#define HALFOPEN_MODELS_IP_IP_INTERNAL_H

#include "models/ip/metrics.h"

typedef enum RouteKind { ROUTE_NONE, ROUTE_UNREACHABLE, ROUTE_LOCAL, ROUTE_LINK } RouteKind;

/* Who made a route; of equal prefixes the first here wins. */
typedef enum RouteOrigin { ROUTE_OWN, ROUTE_STATIC, ROUTE_CONNECTED, ROUTE_COMPUTED } RouteOrigin;

typedef struct Route {
    IpAddr prefix, gateway;
    Iface *out;               /* borrows; NULL for unreachable */
    const IpMetrics *metrics; /* borrows: of IpStack.metrics; NULL: none */
    uint32_t order;
    uint8_t bits; /* of the 128 of an IpAddr: 96 more than users say for IPv4 */
    uint8_t kind, origin;
} Route;

#define PMTU_NONE UINT32_MAX

/* What is known about one destination: the answer of the table and the path
 * MTU, in one line of the cache. */
typedef struct RouteEntry {
    SIM_LINE_ALIGNED IpAddr dst;
    IpAddr src;
    Iface *out;               /* borrows; ROUTE_LINK only */
    const IpMetrics *metrics; /* borrows; NULL: none */
    SimTime pmtu_expires;     /* SIM_NEVER without a learned MTU */
    uint32_t pmtu;            /* learned, or the route's; PMTU_NONE: neither */
    uint8_t kind;             /* RouteKind */
    bool is_set, pmtu_is_locked;
} RouteEntry; /* one cache line */

typedef struct PathMtu {
    SimTime expires;
    uint32_t mtu;
    bool is_locked;
} PathMtu;

typedef struct IpHook {
    IpForwardFn *fn;
    void *arg;
} IpHook;

/* Who takes what arrives, in the order of how much there is. */
enum { IP_SLOT_TCP, IP_SLOT_UDP, IP_SLOT_ICMP, IP_SLOTS };

typedef struct Reassembly Reassembly; /* reassembly.c */
typedef struct IcmpLimits IcmpLimits; /* icmp_send.c */
typedef struct IpIdents IpIdents;     /* output.c */

struct IpStack {
    /* What every packet touches: one cache line. The cache is a hash table with
     * linear probing, never more than half full. */
    SIM_LINE_ALIGNED Net *net; /* borrows */
    RouteEntry *cache;         /* owns */
    uint32_t cache_mask, cache_used;
    GArray *forward_hooks;                 /* owns IpHook; NULL: none */
    GArray *input_hooks;                   /* owns IpHook; NULL: none */
    const IpProtocol *protocols[IP_SLOTS]; /* borrows */

    Host *host; /* borrows */
    IpParams params;
    GPtrArray *metrics; /* owns IpMetrics of every route there ever was; NULL: none had any */
    GArray *routes;     /* owns Route: by bits descending, prefix, origin, order */
    GArray *deleted;    /* owns Route: prefixes whose computed route stays away */
    uint32_t route_order;
    bool routes_sorted;
    GHashTable *path_mtus; /* owns IpAddr -> PathMtu; NULL: none learned */

    GArray *error_hooks; /* owns IpHook; NULL: none */

    Iface loopback;
    Packet *loop_head, *loop_tail; /* owns: packets on their way to ourselves */

    Reassembly *reassembly; /* owns; NULL until the first fragment came */
    IcmpLimits *icmp;       /* owns; NULL until the first error was to be sent */
    IpIdents *idents;       /* owns; NULL until the first id was needed */
};

static inline unsigned
ip_slot_of(uint8_t proto) /* IP_SLOTS: nobody takes it */
{
    if (proto == IP_PROTO_TCP)
        return IP_SLOT_TCP;
    return proto == IP_PROTO_UDP ? IP_SLOT_UDP : proto == IP_PROTO_ICMP ? IP_SLOT_ICMP : IP_SLOTS;
}

/* NULL: the host does not know it. */
static inline const IpProtocol *
ip_protocol(const IpStack *ip, uint8_t proto)
{
    unsigned slot = ip_slot_of(proto);

    return slot < IP_SLOTS ? ip->protocols[slot] : NULL;
}

/* route.c */
void ip_route_init(IpStack *ip);
void ip_route_done(IpStack *ip);
SIM_COLD RouteEntry *ip_route_resolve(IpStack *ip, IpAddr dst); /* the slow half of ip_route */
void ip_route_flush(IpStack *ip); /* forgets the cache, not the table */
void ip_route_drop_origin(IpStack *ip, RouteOrigin origin);
void ip_route_add(IpStack *ip, Route route); /* bits of 128; order is set here */

static inline uint32_t
ip_addr_hash(IpAddr addr)
{
    return (uint32_t)(((addr.lo ^ addr.hi) * UINT64_C(0x9e3779b97f4a7c15)) >> 40);
}

/* Where a destination is in the cache, or would be. */
static inline RouteEntry *
ip_route_slot(IpStack *ip, IpAddr dst)
{
    uint32_t at = ip_addr_hash(dst);
    RouteEntry *entry = &ip->cache[at & ip->cache_mask];

    while (__builtin_expect(entry->is_set && !ip_addr_equal(entry->dst, dst), 0))
        entry = &ip->cache[++at & ip->cache_mask];
    return entry;
}

/* The entry of a destination, from the cache. Valid until the next call. */
static inline RouteEntry *
ip_route(IpStack *ip, IpAddr dst)
{
    if (__builtin_expect(ip->net->routes_known, 1)) {
        RouteEntry *entry = ip_route_slot(ip, dst);

        if (__builtin_expect(entry->is_set, 1))
            return entry;
    }
    return ip_route_resolve(ip, dst);
}

/* pmtu.c */
const PathMtu *ip_pmtu_find(IpStack *ip, IpAddr dst); /* NULL: none, or expired */
uint32_t ip_route_mtu(IpStack *ip,
                      RouteEntry **entry); /* of a ROUTE_LINK entry; may re-resolve it */

/* output.c */
void ip_transmit(Host *host, Iface *out,
                 Packet *packet); /* last step: counts, gives it to the interface */
void ip_idents_free(IpIdents *idents);

/* ip.c */
void ip_loop(IpStack *ip, Packet *packet);        /* to ourselves, shortly */
void ip_input_counted(Iface *in, Packet *packet); /* again, after a middlebox joined fragments */
void ip_deliver(Host *host, Packet *packet, const Iface *in);
/* The packet ends here: a record with the reason, and it is freed. */
SIM_COLD void ip_refuse(Host *host, const Iface *iface, Packet *packet, const char *reason);
SIM_COLD void ip_drop(Host *host, const Iface *iface, Packet *packet, const char *reason);
bool ip_run_hooks(GArray *hooks, Host *host, Packet *packet, Iface *in,
                  Iface *out); /* true: consumed */

/* Counts a packet in two counters and its bytes in a third: one look at the
 * probe for all, as every packet of every hop passes here. */
static inline void
ip_count_packet(Host *host, MibCounter one, MibCounter other, MibCounter bytes, uint32_t n_bytes)
{
    host->mib[one]++;
    host->mib[other]++;
    host->mib[bytes] += n_bytes;
    if (probe_is_heard(&host->probes->counter)) {
        host_count_heard(host, one);
        host_count_heard(host, other);
        host_count_heard(host, bytes);
    }
}

/* fragment.c: cuts to fit mtu and transmits each piece; consumes the packet */
void ip_fragment(Host *host, Iface *out, Packet *packet, uint32_t mtu);

static inline bool
ip_is_fragment(const Packet *packet)
{
    return packet->ip.mf || packet->ip.frag_offset != 0;
}

/* reassembly.c. Takes a fragment; NULL, or the whole datagram when this was
 * the last one missing. `user` keeps a middlebox's queues apart from the
 * host's own (IP_DEFRAG_*). */
enum { IP_DEFRAG_LOCAL = 0, IP_DEFRAG_MIDDLEBOX = 1 };
Packet *ip_reassemble(Host *host, Packet *fragment, const Iface *in, uint8_t user);
/* Whole datagrams only for the hooks that follow. Once is enough. */
void ip_defrag_on_input(Host *host);
void ip_reassembly_free(Reassembly *reassembly);

/* icmp.c, icmp_send.c */
extern const IpProtocol ip_icmp_protocol;
void icmp_limits_free(IcmpLimits *limits);
bool icmp_is_error_type(uint8_t type);

guint ip_addr_hash_func(gconstpointer addr);
gboolean ip_addr_equal_func(gconstpointer a, gconstpointer b);

#endif
