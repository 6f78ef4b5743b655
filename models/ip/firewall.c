#include "models/ip/firewall.h"

#include "models/ip/ip_internal.h"

typedef struct Flow {
    FlowKey key; /* as the opener's packets show it */
    FlowTrack track;
} Flow;

struct Firewall {
    Host *host; /* borrows */
    FirewallParams params;
    GHashTable *flows; /* owns Flow, by its key */
    GArray *allowed;   /* owns FlowKey: proto and to.port */
};

FirewallParams
firewall_params_default(void)
{
    FirewallParams params = { .timeouts = flow_timeouts_default(), .max_flows = 65536 };

    params.timeouts.tcp_opening = 120 * SIM_SEC;
    params.timeouts.tcp_open = 300 * SIM_SEC;
    params.timeouts.tcp_closing = 120 * SIM_SEC;
    params.timeouts.udp = 30 * SIM_SEC;
    return params;
}

static gboolean
is_forgotten(gpointer key, gpointer value, gpointer now)
{
    (void)key;
    return ((const Flow *)value)->track.expires <= *(const SimTime *)now;
}

static Flow *
find_flow(Firewall *firewall, const FlowKey *key, SimTime now)
{
    Flow *flow = g_hash_table_lookup(firewall->flows, key);

    if (flow != NULL && flow->track.expires <= now) {
        g_hash_table_remove(firewall->flows, key);
        return NULL;
    }
    return flow;
}

static bool
may_open(const Firewall *firewall, const Packet *packet, const FlowKey *key, const Iface *in)
{
    if (packet->ip.proto == IP_PROTO_TCP &&
        (packet->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN &&
        (!firewall->params.picks_up || packet->tcp.flags & (TCP_RST | TCP_SYN)))
        return false;
    if (packet->ip.proto == IP_PROTO_ICMP && packet->icmp.type != ICMP_ECHO)
        return false;
    if (firewall->params.inside == NULL || firewall->params.inside == in)
        return true;
    for (guint i = 0; i < firewall->allowed->len; i++) {
        const FlowKey *allowed = &g_array_index(firewall->allowed, FlowKey, i);

        if (allowed->proto == key->proto && allowed->to.port == key->to.port)
            return true;
    }
    return false;
}

static Flow *
add_flow(Firewall *firewall, const FlowKey *key, SimTime now)
{
    Flow *flow;

    if (firewall->params.max_flows != 0 &&
        g_hash_table_size(firewall->flows) >= firewall->params.max_flows) {
        g_hash_table_foreach_remove(firewall->flows, is_forgotten, &now);
        if (g_hash_table_size(firewall->flows) >= firewall->params.max_flows)
            return NULL;
    }
    flow = g_new0(Flow, 1);
    flow->key = *key;
    g_hash_table_insert(firewall->flows, &flow->key, flow);
    return flow;
}

/* A RST as the addressed host would send it (RFC 9293 §3.10.7.1). */
static void
reject_tcp(Host *host, const Packet *packet)
{
    Packet *rst;

    if (packet->tcp.flags & TCP_RST)
        return;
    rst = packet_new_tcp(host->packets);
    rst->why = "firewall rejects";
    rst->ip.src = packet->ip.dst;
    rst->ip.dst = packet->ip.src;
    rst->ip.ttl = 0;
    rst->ip.df = true;
    rst->tcp.sport = packet->tcp.dport;
    rst->tcp.dport = packet->tcp.sport;
    rst->tcp.flags = TCP_RST;
    if (packet->tcp.flags & TCP_ACK) {
        rst->tcp.seq = packet->tcp.ack;
    } else {
        rst->tcp.flags |= TCP_ACK;
        rst->tcp.ack = packet->tcp.seq + packet_tcp_seq_len(packet);
    }
    packet_finish_lengths(rst);
    ip_output(host, rst);
}

static bool
refuse(Firewall *firewall, Packet *packet, const Iface *in, const char *reason)
{
    if (firewall->params.rejects) {
        if (packet->ip.proto == IP_PROTO_TCP && packet->raw == NULL)
            reject_tcp(firewall->host, packet);
        else
            icmp_send_error(firewall->host, packet, ICMP_UNREACHABLE, 13, 0);
    }
    ip_drop(firewall->host, in, packet, reason);
    return true;
}

static bool
judge(void *arg, Host *host, Packet *packet, Iface *in, Iface *out)
{
    Firewall *firewall = arg;
    SimTime now = sim_now(host->sim);
    FlowKey key, reversed;
    bool is_reply = false;
    Flow *flow;

    (void)out;
    if (flow_key_quoted(packet, &key)) { /* an error about what passed belongs to it */
        reversed = flow_key_reversed(key);
        if (find_flow(firewall, &key, now) != NULL || find_flow(firewall, &reversed, now) != NULL)
            return false;
        ip_drop(host, in, packet, "firewall: error about nothing that passed");
        return true;
    }
    if (!flow_key_of(packet, &key))
        return refuse(firewall, packet, in, "firewall: not TCP, UDP or echo");
    reversed = flow_key_reversed(key);
    flow = find_flow(firewall, &key, now);
    if (flow == NULL) {
        flow = find_flow(firewall, &reversed, now);
        is_reply = flow != NULL;
    }
    if (flow == NULL) {
        if (!may_open(firewall, packet, &key, in))
            return refuse(firewall, packet, in, "firewall knows no such connection");
        flow = add_flow(firewall, &key, now);
        if (flow == NULL)
            return refuse(firewall, packet, in, "firewall: table full");
    }
    flow_track_packet(&flow->track, packet, is_reply, now, &firewall->params.timeouts);
    return false;
}

static void
firewall_free(gpointer data)
{
    Firewall *firewall = data;

    g_hash_table_destroy(firewall->flows);
    g_array_free(firewall->allowed, TRUE);
    g_free(firewall);
}

Firewall *
firewall_attach(Host *host, const FirewallParams *params)
{
    Firewall *firewall = g_new0(Firewall, 1);

    firewall->host = host;
    firewall->params = *params;
    firewall->flows = g_hash_table_new_full(flow_key_hash, flow_key_equal, NULL, g_free);
    firewall->allowed = g_array_new(FALSE, FALSE, sizeof(FlowKey));
    ip_defrag_on_input(host);
    ip_add_forward_hook(host, judge, firewall);
    host_on_free(host, firewall_free, firewall);
    return firewall;
}

void
firewall_allow_port(Firewall *firewall, uint8_t proto, uint16_t port)
{
    FlowKey allowed = { .to.port = port, .proto = proto };

    g_array_append_val(firewall->allowed, allowed);
}

uint32_t
firewall_flows(const Firewall *firewall)
{
    return g_hash_table_size(firewall->flows);
}

void
firewall_forget_all(Firewall *firewall)
{
    g_hash_table_remove_all(firewall->flows);
}
