/* The path MTU cache (RFC 1191 §6): what an ICMP "fragmentation needed" told
 * about a destination, believed for mtu_expires_s and never below min_pmtu.
 */
#include "models/ip/ip_internal.h"

enum { PMTU_MOST = 10240 }; /* destinations remembered; beyond, the expired are forgotten */

static gboolean
has_expired(gpointer dst, gpointer value, gpointer now)
{
    (void)dst;
    return ((const PathMtu *)value)->expires <= *(const SimTime *)now;
}

const PathMtu *
ip_pmtu_find(IpStack *ip, IpAddr dst)
{
    const PathMtu *found = ip->path_mtus != NULL ? g_hash_table_lookup(ip->path_mtus, &dst) : NULL;

    if (found != NULL && found->expires <= sim_now(ip->host->sim)) {
        g_hash_table_remove(ip->path_mtus, &dst);
        found = NULL;
    }
    return found;
}

uint32_t
ip_route_mtu(IpStack *ip, RouteEntry **entry)
{
    if ((*entry)->pmtu != PMTU_NONE && (*entry)->pmtu_expires <= sim_now(ip->host->sim))
        *entry = ip_route_resolve(ip, (*entry)->dst);
    return MIN((*entry)->out->mtu, (*entry)->pmtu);
}

/* RFC 1191 §3 with Linux's floor: a smaller claim than min_pmtu is taken as
 * min_pmtu, and DF is given up, so that routers fragment below it. */
void
ip_pmtu_update(Host *host, IpAddr dst, uint32_t mtu)
{
    IpStack *ip = host->ip;
    RouteEntry *entry = ip_route(ip, dst);

    if (entry->kind != ROUTE_LINK)
        return;
    uint32_t old = ip_route_mtu(ip, &entry);
    if (entry->pmtu_is_locked || mtu > old)
        return;
    SimTime now = sim_now(host->sim);
    PathMtu learned = { .mtu = mtu, .expires = now + (SimTime)ip->params.mtu_expires_s * SIM_SEC };
    if (mtu < ip->params.min_pmtu) {
        learned.is_locked = true;
        learned.mtu = MIN(old, ip->params.min_pmtu);
    }
    if (ip->path_mtus == NULL)
        ip->path_mtus =
            g_hash_table_new_full(ip_addr_hash_func, ip_addr_equal_func, g_free, g_free);
    if (g_hash_table_size(ip->path_mtus) >= PMTU_MOST)
        g_hash_table_foreach_remove(ip->path_mtus, has_expired, &now);
    if (g_hash_table_size(ip->path_mtus) >=
        PMTU_MOST) { /* a flood of forged reports: none is worth keeping */
        g_hash_table_remove_all(ip->path_mtus);
        ip_route_flush(ip);
    }
    g_hash_table_replace(ip->path_mtus, g_memdup2(&dst, sizeof dst),
                         g_memdup2(&learned, sizeof learned));
    ip_route_resolve(ip, dst);
}

uint32_t
ip_path_mtu(Host *host, IpAddr dst)
{
    RouteEntry *entry = ip_route(host->ip, dst);

    if (entry->kind == ROUTE_LINK)
        return ip_route_mtu(host->ip, &entry);
    return entry->kind == ROUTE_LOCAL ? host->ip->loopback.mtu : 1500;
}

bool
ip_pmtu_is_locked(Host *host, IpAddr dst)
{
    RouteEntry *entry = ip_route(host->ip, dst);

    if (entry->kind != ROUTE_LINK)
        return false;
    ip_route_mtu(host->ip, &entry);
    return entry->pmtu_is_locked;
}
