/* What a route says about the path behind it, beside the way: the metrics of
 * ip-route(8), by their names there. A transport reads them when a connection
 * opens; the MTU also while it lives.
 */
#ifndef HALFOPEN_MODELS_IP_METRICS_H
#define HALFOPEN_MODELS_IP_METRICS_H

#include "models/ip/ip.h"

/* 0: the route says nothing of it. */
typedef struct IpMetrics {
    uint32_t mtu;                /* bytes of an IP packet; never more than the interface's */
    bool mtu_locked;             /* "mtu lock": whatever ICMP says, and DF is clear */
    uint32_t advmss;             /* what our SYN announces */
    uint32_t window;             /* bytes: most that is ever offered */
    uint32_t initcwnd, initrwnd; /* segments */
    uint32_t cwnd;               /* segments: most that are ever in flight ("cwnd lock") */
    uint32_t rto_min_ms;
    uint32_t reordering; /* first duplicate-ACK threshold */
    uint32_t hoplimit;   /* TTL */
    bool quickack;       /* no ACK is delayed */
    bool ecn;            /* "features ecn": ask for it, and grant it */
} IpMetrics;

/* Of the route to dst; all 0 where it has none. Valid as long as the host. */
const IpMetrics *ip_metrics(Host *host, IpAddr dst);

/* The whole of a static route. Replaces one to the same prefix. */
void ip_add_route_with(Host *host, IpAddr prefix, unsigned prefix_bits, IpAddr gateway, Iface *out,
                       const IpMetrics *metrics);

/* Sets the metric of a name of ip-route(8), as there: "mtu", "mtu lock" (bytes),
 * "rto_min" (ms, or with a unit: "5ms", "1s"), "features" ("ecn"), ... False: no
 * such metric, or no such value; *expected then says what was expected. */
bool ip_metrics_set(IpMetrics *metrics, const char *name, const char *value, const char **expected);

#endif
