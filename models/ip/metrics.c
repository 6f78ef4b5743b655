#include "models/ip/metrics.h"

#include <string.h>

#include "models/ip/ip_internal.h"

static const IpMetrics no_metrics;

const IpMetrics *
ip_metrics(Host *host, IpAddr dst)
{
    if (G_LIKELY(host->ip->metrics == NULL)) /* no route has any */
        return &no_metrics;
    const RouteEntry *entry = ip_route(host->ip, dst);

    return entry->metrics != NULL ? entry->metrics : &no_metrics;
}

enum { RTO_MIN_MOST_MS = 120000 };

static const struct {
    const char *name;
    size_t at; /* within IpMetrics */
    uint32_t least, most;
    const char *expected;
} numbers[] = {
    { "mtu", offsetof(IpMetrics, mtu), 68, 65535, "bytes, 68 to 65535" },
    { "mtu lock", offsetof(IpMetrics, mtu), 68, 65535, "bytes, 68 to 65535" },
    { "advmss", offsetof(IpMetrics, advmss), 1, 65495, "bytes, 1 to 65495" },
    { "window", offsetof(IpMetrics, window), 1, UINT32_MAX, "bytes" },
    { "initcwnd", offsetof(IpMetrics, initcwnd), 1, 65535, "segments, 1 to 65535" },
    { "initrwnd", offsetof(IpMetrics, initrwnd), 1, 65535, "segments, 1 to 65535" },
    { "cwnd", offsetof(IpMetrics, cwnd), 1, UINT32_MAX, "segments" },
    { "cwnd lock", offsetof(IpMetrics, cwnd), 1, UINT32_MAX, "segments" },
    { "reordering", offsetof(IpMetrics, reordering), 1, 300, "segments, 1 to 300" },
    { "hoplimit", offsetof(IpMetrics, hoplimit), 1, 255, "hops, 1 to 255" },
    { "quickack", offsetof(IpMetrics, quickack), 0, 1, "0 or 1" },
};

static bool
set_rto_min(IpMetrics *metrics, const char *value)
{
    char *end;
    uint64_t ms = g_ascii_strtoull(value, &end, 10);

    if (end == value || *value == '-')
        return false;
    if (strcmp(end, "s") == 0 || strcmp(end, "sec") == 0)
        ms *= 1000;
    else if (*end != '\0' && strcmp(end, "ms") != 0 && strcmp(end, "msec") != 0)
        return false;
    if (ms < 1 || ms > RTO_MIN_MOST_MS)
        return false;
    metrics->rto_min_ms = (uint32_t)ms;
    return true;
}

static bool
set_number(IpMetrics *metrics, size_t i, const char *value)
{
    void *field = (char *)metrics + numbers[i].at;
    char *end;
    uint64_t number = g_ascii_strtoull(value, &end, 10);

    if (end == value || *end != '\0' || *value == '-' || number < numbers[i].least ||
        number > numbers[i].most)
        return false;
    if (numbers[i].at == offsetof(IpMetrics, quickack))
        *(bool *)field = number != 0;
    else
        *(uint32_t *)field = (uint32_t)number;
    return true;
}

bool
ip_metrics_set(IpMetrics *metrics, const char *name, const char *value, const char **expected)
{
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (strcmp(numbers[i].name, name) != 0)
            continue;
        *expected = numbers[i].expected;
        metrics->mtu_locked |= strcmp(name, "mtu lock") == 0;
        return set_number(metrics, i, value);
    }
    if (strcmp(name, "rto_min") == 0) {
        *expected = "a time such as \"50ms\", 1 ms to 120 s";
        return set_rto_min(metrics, value);
    }
    if (strcmp(name, "features") == 0) {
        *expected = "\"ecn\"";
        metrics->ecn = strcmp(value, "ecn") == 0;
        return metrics->ecn;
    }
    *expected = "mtu, mtu lock, advmss, window, initcwnd, initrwnd, cwnd, rto_min, reordering, "
                "hoplimit, quickack or features";
    return false;
}
