#include "models/tcp/metrics.h"

/* As many as Linux's table holds by default, about; then it starts anew. */
#define MOST_PEERS 16384

struct TcpMetrics {
    GHashTable *proven; /* owns IpAddr; looked up, never iterated */
};

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

void
tcp_metrics_note(TcpConn *conn)
{
    TcpStack *stack = conn->stack;
    IpAddr peer = conn->entry.tuple.remote;

    if (stack->params.no_metrics_save || conn->rtt.srtt == 0 || tcp_metrics_is_proven(stack, peer))
        return;
    if (stack->metrics == NULL) {
        stack->metrics = g_new0(struct TcpMetrics, 1);
        stack->metrics->proven = g_hash_table_new_full(peer_hash, peer_equal, g_free, NULL);
    }
    if (g_hash_table_size(stack->metrics->proven) >= MOST_PEERS)
        g_hash_table_remove_all(stack->metrics->proven);
    g_hash_table_add(stack->metrics->proven, g_memdup2(&peer, sizeof peer));
}

bool
tcp_metrics_is_proven(const TcpStack *stack, IpAddr peer)
{
    return stack->metrics != NULL && g_hash_table_contains(stack->metrics->proven, &peer);
}

void
tcp_metrics_forget(TcpStack *stack)
{
    if (stack->metrics == NULL)
        return;
    g_hash_table_unref(stack->metrics->proven);
    g_clear_pointer(&stack->metrics, g_free);
}
