/* The routing table of a host: connected, static, unreachable and computed
 * routes, longest prefix first (RFC 1812 §5.2.4.3), behind a small cache of
 * destinations that the output path reads.
 */
#include <errno.h>
#include <string.h>

#include "models/ip/ip_internal.h"

enum { CACHE_FIRST = 8, CACHE_MOST = 8192, SCAN_MOST = 16 };

guint
ip_addr_hash_func(gconstpointer addr)
{
    return ip_addr_hash(*(const IpAddr *)addr);
}

gboolean
ip_addr_equal_func(gconstpointer a, gconstpointer b)
{
    return ip_addr_equal(*(const IpAddr *)a, *(const IpAddr *)b);
}

/* Users count an IPv4 prefix's bits within its 32. */
static unsigned
bits_of_128(IpAddr prefix, unsigned bits)
{
    if (ip_addr_is_v4(prefix) || ip_addr_is_any(prefix))
        return 96 + MIN(bits, 32u);
    return MIN(bits, 128u);
}

static IpAddr
mask_addr(IpAddr addr, unsigned bits)
{
    if (bits < 64)
        return (IpAddr){ bits == 0 ? 0 : addr.hi & (UINT64_MAX << (64 - bits)), 0 };
    if (bits < 128)
        addr.lo &= bits == 64 ? 0 : UINT64_MAX << (128 - bits);
    return addr;
}

static int
compare_addrs(IpAddr a, IpAddr b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo < b.lo ? -1 : a.lo > b.lo;
}

static int
compare_routes(gconstpointer left, gconstpointer right)
{
    const Route *a = left, *b = right;

    if (a->bits != b->bits)
        return a->bits > b->bits ? -1 : 1;
    int by_prefix = compare_addrs(a->prefix, b->prefix);
    if (by_prefix != 0)
        return by_prefix;
    if (a->origin != b->origin)
        return a->origin < b->origin ? -1 : 1;
    if (a->origin == ROUTE_STATIC) /* a later one replaces an earlier one */
        return a->order > b->order ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void
ip_route_init(IpStack *ip)
{
    ip->cache = sim_arena_take0(&ip->net->arena, CACHE_FIRST * sizeof *ip->cache);
    ip->cache_mask = CACHE_FIRST - 1;
    ip->routes = g_array_sized_new(FALSE, FALSE, sizeof(Route), 4);
    ip->deleted = g_array_new(FALSE, FALSE, sizeof(Route));
}

void
ip_route_done(IpStack *ip)
{
    g_array_free(ip->routes, TRUE);
    if (ip->metrics != NULL)
        g_ptr_array_unref(ip->metrics);
    g_array_free(ip->deleted, TRUE);
}

void
ip_route_flush(IpStack *ip)
{
    memset(ip->cache, 0, (ip->cache_mask + 1) * sizeof *ip->cache);
    ip->cache_used = 0;
}

void
ip_route_drop_origin(IpStack *ip, RouteOrigin origin)
{
    guint kept = 0;

    for (guint i = 0; i < ip->routes->len; i++) {
        Route route = g_array_index(ip->routes, Route, i);

        if (route.origin != origin)
            g_array_index(ip->routes, Route, kept++) = route;
    }
    g_array_set_size(ip->routes, kept);
    ip_route_flush(ip);
}

void
ip_route_add(IpStack *ip, Route route)
{
    route.prefix = mask_addr(route.prefix, route.bits);
    if (route.origin == ROUTE_COMPUTED) {
        for (guint i = 0; i < ip->deleted->len; i++) {
            const Route *gone = &g_array_index(ip->deleted, Route, i);

            if (gone->bits == route.bits && ip_addr_equal(gone->prefix, route.prefix))
                return;
        }
    }
    route.order = ++ip->route_order;
    g_array_append_val(ip->routes, route);
    ip->routes_sorted = false;
    if (route.origin == ROUTE_STATIC)
        ip_route_flush(ip);
}

static IpAddr
as_prefix(IpAddr prefix) /* 0.0.0.0 may come as the address of no family */
{
    return ip_addr_is_any(prefix) ? ip_addr_v4(0) : prefix;
}

static const IpMetrics *
keep_metrics(IpStack *ip, const IpMetrics *metrics)
{
    if (metrics == NULL)
        return NULL;
    if (ip->metrics == NULL)
        ip->metrics = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(ip->metrics, g_memdup2(metrics, sizeof *metrics));
    return g_ptr_array_index(ip->metrics, ip->metrics->len - 1);
}

void
ip_add_route(Host *host, IpAddr prefix, unsigned prefix_bits, IpAddr gateway, Iface *out)
{
    ip_add_route_with(host, prefix, prefix_bits, gateway, out, NULL);
}

void
ip_add_route_with(Host *host, IpAddr prefix, unsigned prefix_bits, IpAddr gateway, Iface *out,
                  const IpMetrics *metrics)
{
    if (out == NULL) {
        RouteEntry *entry = ip_route(host->ip, gateway);

        out = entry->kind == ROUTE_LINK ? entry->out : NULL;
    }
    prefix = as_prefix(prefix);
    ip_route_add(host->ip, (Route){ .prefix = prefix,
                                    .gateway = gateway,
                                    .out = out,
                                    .metrics = keep_metrics(host->ip, metrics),
                                    .bits = bits_of_128(prefix, prefix_bits),
                                    .kind = out != NULL ? ROUTE_LINK : ROUTE_NONE,
                                    .origin = ROUTE_STATIC });
}

void
ip_add_unreachable(Host *host, IpAddr prefix, unsigned prefix_bits)
{
    prefix = as_prefix(prefix);
    ip_route_add(host->ip, (Route){ .prefix = prefix,
                                    .bits = bits_of_128(prefix, prefix_bits),
                                    .kind = ROUTE_UNREACHABLE,
                                    .origin = ROUTE_STATIC });
}

void
ip_del_route(Host *host, IpAddr prefix, unsigned prefix_bits)
{
    IpStack *ip = host->ip;
    IpAddr base = as_prefix(prefix);
    Route gone = { .bits = bits_of_128(base, prefix_bits) };
    guint kept = 0;

    gone.prefix = mask_addr(base, gone.bits);
    for (guint i = 0; i < ip->routes->len; i++) {
        Route route = g_array_index(ip->routes, Route, i);

        if (route.origin == ROUTE_OWN || route.bits != gone.bits ||
            !ip_addr_equal(route.prefix, gone.prefix))
            g_array_index(ip->routes, Route, kept++) = route;
    }
    g_array_set_size(ip->routes, kept);
    g_array_append_val(ip->deleted, gone);
    ip_route_flush(ip);
}

/* The first route of [from, to) whose prefix is `prefix`; all have its bits. */
static const Route *
find_prefix(const GArray *routes, guint from, guint to, IpAddr prefix)
{
    while (from < to) {
        guint middle = from + (to - from) / 2;

        if (compare_addrs(g_array_index(routes, Route, middle).prefix, prefix) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    if (from < routes->len && ip_addr_equal(g_array_index(routes, Route, from).prefix, prefix))
        return &g_array_index(routes, Route, from);
    return NULL;
}

static inline bool
is_usable(const Route *route)
{
    return route->out == NULL || route->out->is_up;
}

/* A host has a handful of routes: the first that matches. */
static const Route *
scan_routes(const GArray *routes, IpAddr dst)
{
    for (guint i = 0; i < routes->len; i++) {
        const Route *route = &g_array_index(routes, Route, i);

        if (ip_addr_equal(mask_addr(dst, route->bits), route->prefix) && is_usable(route))
            return route;
    }
    return NULL;
}

/* RFC 1812 §5.2.4.3: the longest prefix that matches. */
static const Route *
longest_prefix(IpStack *ip, IpAddr dst)
{
    const GArray *routes = ip->routes;

    if (!ip->routes_sorted) {
        g_array_sort(ip->routes, compare_routes);
        ip->routes_sorted = true;
    }
    if (routes->len <= SCAN_MOST)
        return scan_routes(routes, dst);
    for (guint from = 0; from < routes->len;) {
        unsigned bits = g_array_index(routes, Route, from).bits;
        guint low = from, high = routes->len; /* where this length ends */

        while (low < high) {
            guint middle = low + (high - low) / 2;

            if (g_array_index(routes, Route, middle).bits == bits)
                low = middle + 1;
            else
                high = middle;
        }
        IpAddr prefix = mask_addr(dst, bits);
        const Route *route = find_prefix(routes, from, low, prefix);
        const Route *end = &g_array_index(routes, Route, low);
        for (; route != NULL && route < end && ip_addr_equal(route->prefix, prefix); route++) {
            if (is_usable(route))
                return route;
        }
        from = low;
    }
    return NULL;
}

/* Room for one more; the smaller cache stays with the arena. A flood from many
 * addresses finds a bound. */
static void
grow_cache(IpStack *ip)
{
    RouteEntry *old = ip->cache;
    uint32_t slots = ip->cache_mask + 1;

    if (slots == CACHE_MOST) {
        ip_route_flush(ip);
        return;
    }
    ip->cache = sim_arena_take0(&ip->net->arena, 2 * slots * sizeof *ip->cache);
    ip->cache_mask = 2 * slots - 1;
    for (uint32_t i = 0; i < slots; i++) {
        if (old[i].is_set)
            *ip_route_slot(ip, old[i].dst) = old[i];
    }
}

RouteEntry *
ip_route_resolve(IpStack *ip, IpAddr dst)
{
    Host *host = ip->host;
    RouteEntry found = { .dst = dst, .is_set = true, .pmtu = PMTU_NONE, .pmtu_expires = SIM_NEVER };

    if (!host->net->routes_known)
        net_compute_routes(host->net);
    const Route *route = longest_prefix(ip, dst);

    found.kind = route != NULL ? route->kind : ROUTE_NONE;
    if (ip_addr_is_loopback(dst))
        found.kind = ROUTE_LOCAL;
    if (found.kind == ROUTE_LOCAL) {
        found.out = &ip->loopback;
        found.src = dst;
    } else if (found.kind == ROUTE_LINK) {
        const PathMtu *pmtu = ip_pmtu_find(ip, dst);

        found.out = route->out;
        found.src = route->out->addr;
        found.metrics = route->metrics;
        if (pmtu != NULL) {
            found.pmtu = pmtu->mtu;
            found.pmtu_expires = pmtu->expires;
            found.pmtu_is_locked = pmtu->is_locked;
        }
        if (route->metrics != NULL && route->metrics->mtu != 0) {
            found.pmtu = MIN(found.pmtu, route->metrics->mtu);
            found.pmtu_is_locked |= route->metrics->mtu_locked;
        }
    }

    RouteEntry *entry = ip_route_slot(ip, dst);
    if (!entry->is_set) {
        if (2 * (ip->cache_used + 1) > ip->cache_mask) {
            grow_cache(ip);
            entry = ip_route_slot(ip, dst);
        }
        ip->cache_used++;
    }
    *entry = found;
    return entry;
}

static int
errno_of(const RouteEntry *entry)
{
    switch ((RouteKind)entry->kind) {
    case ROUTE_NONE:
        return -ENETUNREACH;
    case ROUTE_UNREACHABLE:
        return -EHOSTUNREACH;
    case ROUTE_LOCAL:
        return 0;
    case ROUTE_LINK:
        return entry->out->is_up ? 0 : -ENETUNREACH;
    }
    return -ENETUNREACH;
}

int
ip_route_check(Host *host, IpAddr dst)
{
    return errno_of(ip_route(host->ip, dst));
}

int
ip_source_for(Host *host, IpAddr dst, IpAddr *src)
{
    const RouteEntry *entry = ip_route(host->ip, dst);
    int error = errno_of(entry);

    if (error == 0)
        *src = entry->src;
    return error;
}

uint32_t
ip_iface_mtu(Host *host, IpAddr dst)
{
    const RouteEntry *entry = ip_route(host->ip, dst);

    return entry->out != NULL ? entry->out->mtu : 1500;
}
