/* Static routes computed from the topology: fewest hops, ties by the order in
 * which the links were made, only hosts that forward are passed through.
 *
 * A host with one link gets what a person would give it: a default route out
 * of that link. Routers and hosts with several links get a route to the
 * address of every interface, and to the networks that routers stand in.
 */
#include "models/ip/ip_internal.h"
#include "models/link/link.h"

/* Who is joined to whom, in the order of the links. */
typedef struct Graph {
    guint n_hosts;
    guint *first; /* owns: of host id's edges; one more at the end */
    Iface **out;  /* owns: our end of an edge */
    Iface **peer; /* owns: its far end */
} Graph;

static void
graph_init(Graph *graph, const Net *net)
{
    guint n_links = net->links->len, n_hosts = net->hosts->len;
    guint *fill = g_new0(guint, n_hosts + 2);

    graph->n_hosts = n_hosts;
    graph->first = g_new0(guint, n_hosts + 2);
    graph->out = g_new(Iface *, 2 * n_links);
    graph->peer = g_new(Iface *, 2 * n_links);
    for (guint i = 0; i < n_links; i++) {
        for (unsigned end = 0; end < 2; end++)
            graph->first[link_iface(net->links->pdata[i], end)->host->id + 1]++;
    }
    for (guint id = 1; id < n_hosts + 2; id++) {
        graph->first[id] += graph->first[id - 1];
        fill[id] = graph->first[id];
    }
    for (guint i = 0; i < n_links; i++) {
        for (unsigned end = 0; end < 2; end++) {
            Iface *out = link_iface(net->links->pdata[i], end);
            guint edge = fill[out->host->id]++;

            graph->out[edge] = out;
            graph->peer[edge] = link_iface(net->links->pdata[i], !end);
        }
    }
    g_free(fill);
}

static void
graph_done(Graph *graph)
{
    g_free(graph->first);
    g_free(graph->out);
    g_free(graph->peer);
}

static guint
graph_degree(const Graph *graph, const Host *host)
{
    return graph->first[host->id + 1] - graph->first[host->id];
}

static void
add_computed(Host *host, IpAddr prefix, unsigned bits, IpAddr gateway, Iface *out)
{
    ip_route_add(host->ip, (Route){ .prefix = prefix,
                                    .gateway = gateway,
                                    .out = out,
                                    .bits = ip_addr_is_v4(prefix) ? 96 + bits : bits,
                                    .kind = ROUTE_LINK,
                                    .origin = ROUTE_COMPUTED });
}

static void
add_routes_to_host(Host *from, const Host *to, IpAddr gateway, Iface *out)
{
    for (guint i = 0; i < to->ifaces->len; i++) {
        const Iface *iface = to->ifaces->pdata[i];
        unsigned most = ip_addr_is_v4(iface->addr) ? 32 : 128;

        add_computed(from, iface->addr, most, gateway, out);
        if (to->forwards && iface->prefix_bits < most)
            add_computed(from, iface->addr, iface->prefix_bits, gateway, out);
    }
}

/* Breadth first from one host: the first hop towards every other. `hop` is
 * scratch by host id: the edge by which it is reached. */
static void
compute_from(const Graph *graph, Host *root, guint *hop, guint *queue)
{
    guint head = 0, tail = 0;
    const guint unseen = G_MAXUINT;

    for (guint id = 0; id <= graph->n_hosts; id++)
        hop[id] = unseen;
    hop[root->id] = 0;
    for (guint edge = graph->first[root->id]; edge < graph->first[root->id + 1]; edge++) {
        const Iface *peer = graph->peer[edge];

        if (!graph->out[edge]->is_up)
            continue;
        add_computed(root, peer->addr, ip_addr_is_v4(peer->addr) ? 32 : 128, peer->addr,
                     graph->out[edge]);
        if (hop[peer->host->id] != unseen)
            continue;
        hop[peer->host->id] = edge;
        queue[tail++] = edge;
    }
    while (head < tail) {
        Host *host = graph->peer[queue[head++]]->host;
        guint by = hop[host->id];

        add_routes_to_host(root, host, graph->peer[by]->addr, graph->out[by]);
        if (!host->forwards)
            continue;
        for (guint edge = graph->first[host->id]; edge < graph->first[host->id + 1]; edge++) {
            Host *next = graph->peer[edge]->host;

            if (hop[next->id] != unseen || !graph->out[edge]->is_up)
                continue;
            hop[next->id] = by;
            queue[tail++] = edge;
        }
    }
}

static void
add_connected(Host *host)
{
    for (guint i = 0; i < host->ifaces->len; i++) {
        Iface *iface = host->ifaces->pdata[i];
        unsigned bits = ip_addr_is_v4(iface->addr) ? 96 + iface->prefix_bits : iface->prefix_bits;

        if (ip_addr_is_any(iface->addr))
            continue;
        ip_route_add(host->ip, (Route){ .prefix = iface->addr,
                                        .bits = 128,
                                        .kind = ROUTE_LOCAL,
                                        .origin = ROUTE_OWN });

        ip_route_add(host->ip, (Route){ .prefix = iface->addr,
                                        .out = iface,
                                        .bits = bits,
                                        .kind = ROUTE_LINK,
                                        .origin = ROUTE_CONNECTED });
    }
}

void
net_compute_routes(Net *net)
{
    Graph graph;
    guint *hop = g_new(guint, net->hosts->len + 1);
    guint *queue = g_new(guint, net->hosts->len + 1);

    net->routes_known = true;
    graph_init(&graph, net);
    for (guint i = 0; i < net->hosts->len; i++) {
        Host *host = net->hosts->pdata[i];

        if (host->ip == NULL)
            continue;
        ip_route_drop_origin(host->ip, ROUTE_OWN);
        ip_route_drop_origin(host->ip, ROUTE_CONNECTED);
        ip_route_drop_origin(host->ip, ROUTE_COMPUTED);
        add_connected(host);
        if (graph_degree(&graph, host) == 1) {
            guint edge = graph.first[host->id];

            add_computed(host, ip_addr_v4(0), 0, graph.peer[edge]->addr, graph.out[edge]);
        } else {
            compute_from(&graph, host, hop, queue);
        }
    }
    graph_done(&graph);
    g_free(queue);
    g_free(hop);
}
