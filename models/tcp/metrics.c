#include "models/tcp/metrics.h"

/* As many as Linux's table holds by default, about; then it starts anew. */
#define MOST_PEERS 16384

/* tcp_tw_recycle knew a timestamp for a minute, and forgave one tick. */
#define STAMP_AGE    (60 * SIM_SEC)
#define STAMP_WINDOW 1

struct TcpMetrics {
    GHashTable *proven; /* owns IpAddr; looked up, never iterated */
    GHashTable *stamps; /* IpAddr -> Stamp, owns both; NULL: not asked for */
};

typedef struct Stamp {
    uint32_t tsval;
    SimTime at;
} Stamp;

static guint
peer_hash(gconstpointer key)
{
    const IpAddr *addr = key;
    uint64_t mixed = (addr->lo ^ addr->hi) * UINT64_C(0x9e3779b97f4a7c15);

    return (guint)(mixed >> 32);
}

static gboolean
peer_equal(gconstpointer a, gconstpointer b)
{
    return ip_addr_equal(*(const IpAddr *)a, *(const IpAddr *)b);
}

static struct TcpMetrics *
metrics_get(TcpStack *stack)
{
    if (stack->metrics == NULL) {
        stack->metrics = g_new0(struct TcpMetrics, 1);
        stack->metrics->proven = g_hash_table_new_full(peer_hash, peer_equal, g_free, NULL);
    }
    return stack->metrics;
}

void
tcp_metrics_note(TcpConn *conn)
{
    TcpStack *stack = conn->stack;
    IpAddr peer = conn->entry.tuple.remote;

    if (stack->params->no_metrics_save || conn->rtt.srtt == 0 || tcp_metrics_is_proven(stack, peer))
        return;
    if (g_hash_table_size(metrics_get(stack)->proven) >= MOST_PEERS)
        g_hash_table_remove_all(stack->metrics->proven);
    g_hash_table_add(stack->metrics->proven, g_memdup2(&peer, sizeof peer));
}

bool
tcp_metrics_is_proven(const TcpStack *stack, IpAddr peer)
{
    return stack->metrics != NULL && g_hash_table_contains(stack->metrics->proven, &peer);
}

void
tcp_metrics_note_timestamp(TcpConn *conn)
{
    TcpStack *stack = conn->stack;
    IpAddr peer = conn->entry.tuple.remote;
    Stamp stamp = { .tsval = conn->ts.recent, .at = tcp_now(conn) };

    if (!stack->params->cf_paws_by_address || !conn->ts.ok)
        return;
    if (metrics_get(stack)->stamps == NULL)
        stack->metrics->stamps = g_hash_table_new_full(peer_hash, peer_equal, g_free, g_free);
    if (g_hash_table_size(stack->metrics->stamps) >= MOST_PEERS)
        g_hash_table_remove_all(stack->metrics->stamps);
    g_hash_table_replace(stack->metrics->stamps, g_memdup2(&peer, sizeof peer),
                         g_memdup2(&stamp, sizeof stamp));
}

bool
tcp_metrics_is_older(const TcpStack *stack, const TcpSegment *syn)
{
    const Stamp *stamp;

    if (!stack->params->cf_paws_by_address || stack->metrics == NULL ||
        stack->metrics->stamps == NULL)
        return false;
    stamp = g_hash_table_lookup(stack->metrics->stamps, &syn->packet->ip.src);
    return stamp != NULL && sim_now(stack->sim) - stamp->at < STAMP_AGE &&
           (syn->h->options & TCPOPT_HAS_TS) != 0 &&
           (int32_t)(stamp->tsval - syn->tsval) > STAMP_WINDOW;
}

void
tcp_metrics_forget(TcpStack *stack)
{
    if (stack->metrics == NULL)
        return;
    g_hash_table_unref(stack->metrics->proven);
    g_clear_pointer(&stack->metrics->stamps, g_hash_table_unref);
    g_clear_pointer(&stack->metrics, g_free);
}
