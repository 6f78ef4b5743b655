#include "models/ip/nat.h"

#include "models/ip/ip_internal.h"

/* One inside endpoint (or echo id) and its outside port. */
typedef struct NatMapping {
    FlowKey inside;  /* from: the endpoint inside; to: nobody */
    FlowKey outside; /* to: the port outside; from: nobody */
    FlowTrack track;
} NatMapping;

struct Nat {
    Host *host; /* borrows */
    NatParams params;
    GHashTable *by_inside;  /* owns NatMapping */
    GHashTable *by_outside; /* borrows */
    SimRng rng;
};

NatParams
nat_params_default(Iface *outside)
{
    return (NatParams){ .outside = outside,
                        .timeouts = flow_timeouts_default(),
                        .port_low = 1024,
                        .port_high = 65535,
                        .keeps_port = true };
}

static FlowKey
inside_key(uint8_t proto, Endpoint inside)
{
    return (FlowKey){ .from = inside, .proto = proto };
}

static FlowKey
outside_key(uint8_t proto, uint16_t port)
{
    return (FlowKey){ .to.port = port, .proto = proto };
}

static void
forget(Nat *nat, NatMapping *mapping)
{
    g_hash_table_remove(nat->by_outside, &mapping->outside);
    g_hash_table_remove(nat->by_inside, &mapping->inside); /* frees it */
}

/* The mapping if it is still alive. */
static NatMapping *
find(Nat *nat, GHashTable *table, FlowKey key)
{
    NatMapping *mapping = g_hash_table_lookup(table, &key);

    if (mapping != NULL && mapping->track.expires <= sim_now(nat->host->sim)) {
        forget(nat, mapping);
        return NULL;
    }
    return mapping;
}

static NatMapping *
add(Nat *nat, uint8_t proto, Endpoint inside, uint16_t port)
{
    NatMapping *mapping = g_new0(NatMapping, 1);

    mapping->inside = inside_key(proto, inside);
    mapping->outside = outside_key(proto, port);
    mapping->track.expires = SIM_NEVER;
    g_hash_table_insert(nat->by_inside, &mapping->inside, mapping);
    g_hash_table_insert(nat->by_outside, &mapping->outside, mapping);
    return mapping;
}

/* A free outside port: the sender's own, else from a random start. 0: none. */
static uint16_t
choose_port(Nat *nat, uint8_t proto, uint16_t wanted)
{
    uint32_t low = nat->params.port_low, count = nat->params.port_high - low + 1u;
    uint32_t start;

    if (nat->params.keeps_port && wanted >= low && wanted <= nat->params.port_high &&
        find(nat, nat->by_outside, outside_key(proto, wanted)) == NULL)
        return wanted;
    start = (uint32_t)sim_rng_below(&nat->rng, count);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t port = (uint16_t)(low + (start + i) % count);

        if (find(nat, nat->by_outside, outside_key(proto, port)) == NULL)
            return port;
    }
    return 0;
}

static void
set_port(Packet *packet, bool source, uint16_t port)
{
    switch (packet->ip.proto) {
    case IP_PROTO_TCP:
        *(source ? &packet->tcp.sport : &packet->tcp.dport) = port;
        break;
    case IP_PROTO_UDP:
        *(source ? &packet->udp.sport : &packet->udp.dport) = port;
        break;
    default:
        packet->icmp.id = port;
        break;
    }
}

/* A copy of what an ICMP error quotes, so that the quote is translated with
 * it (RFC 5508 REQ-4) and the original of the quote stays as it was. */
static void
translate_quote(Nat *nat, Packet *packet, bool source, Endpoint as)
{
    IcmpHeader *icmp = &packet->icmp;

    *(source ? &icmp->quoted_ip.src : &icmp->quoted_ip.dst) = as.addr;
    *(source ? &icmp->quoted_sport : &icmp->quoted_dport) = as.port;
    if (packet->fragment_of != NULL) {
        Packet *quoted = packet_copy(nat->host->packets, packet->fragment_of->whole);
        Packet *old = packet_new(nat->host->packets);

        old->fragment_of = packet->fragment_of; /* gives the reference back as it is freed */
        packet_free(nat->host->packets, old);
        *(source ? &quoted->ip.src : &quoted->ip.dst) = as.addr;
        if (!(quoted->flags & PACKET_FRAGMENT) && quoted->raw == NULL)
            set_port(quoted, source, as.port);
        packet->fragment_of = datagram_new(quoted);
    }
}

/* An ICMP error of the inside, or our own, about a packet that the outside sent. */
static void
translate_error_out(Nat *nat, Packet *packet, const FlowKey *quoted)
{
    NatMapping *mapping = find(nat, nat->by_inside, inside_key(quoted->proto, quoted->to));

    if (mapping == NULL)
        return;
    packet->ip.src = nat->params.outside->addr;
    translate_quote(nat, packet, false,
                    (Endpoint){ nat->params.outside->addr, mapping->outside.to.port });
    host_record_packet(nat->host, nat->params.outside, PACKET_EVENT_REWRITTEN, packet, "NAT");
}

/* Forward hook: what leaves by the outside interface. */
static bool
translate_out(void *arg, Host *host, Packet *packet, Iface *in, Iface *out)
{
    Nat *nat = arg;
    FlowKey key;
    NatMapping *mapping;

    if (out != nat->params.outside || in == out)
        return false;
    if (flow_key_quoted(packet, &key)) {
        translate_error_out(nat, packet, &key);
        return false;
    }
    if (!flow_key_of(packet, &key)) {
        ip_drop(host, in, packet, "NAT: no ports to translate");
        return true;
    }
    mapping = find(nat, nat->by_inside, inside_key(key.proto, key.from));
    if (mapping == NULL) {
        uint16_t port = choose_port(nat, key.proto, key.from.port);

        if (port == 0) {
            ip_drop(host, in, packet, "NAT: no outside port is free");
            return true;
        }
        mapping = add(nat, key.proto, key.from, port);
        mapping->track.expires = 0;
    }
    if (mapping->track.expires != SIM_NEVER)
        flow_track_packet(&mapping->track, packet, false, sim_now(host->sim),
                          &nat->params.timeouts);
    packet->ip.src = nat->params.outside->addr;
    set_port(packet, true, mapping->outside.to.port);
    host_record_packet(host, out, PACKET_EVENT_REWRITTEN, packet, "NAT");
    return false;
}

/* Error hook: our own complaint about what the outside sent quotes it as it
 * was, before we translated it. */
static bool
translate_own_error(void *arg, Host *host, Packet *packet, Iface *in, Iface *out)
{
    Nat *nat = arg;
    FlowKey key;

    (void)host;
    (void)in;
    if (out == nat->params.outside && flow_key_quoted(packet, &key))
        translate_error_out(nat, packet, &key);
    return false;
}

static void
translate_error_in(Nat *nat, Packet *packet, const FlowKey *quoted)
{
    NatMapping *mapping = find(nat, nat->by_outside, outside_key(quoted->proto, quoted->from.port));

    if (mapping == NULL || !ip_addr_equal(quoted->from.addr, nat->params.outside->addr))
        return;
    packet->ip.dst = mapping->inside.from.addr;
    translate_quote(nat, packet, true, mapping->inside.from);
    host_record_packet(nat->host, nat->params.outside, PACKET_EVENT_REWRITTEN, packet, "NAT");
}

/* Input hook: what comes to the outside address, before it is taken for ours. */
static bool
translate_in(void *arg, Host *host, Packet *packet, Iface *in, Iface *out)
{
    Nat *nat = arg;
    FlowKey key;
    NatMapping *mapping;

    (void)out;
    if (in != nat->params.outside || !ip_addr_equal(packet->ip.dst, in->addr))
        return false;
    if (flow_key_quoted(packet, &key)) {
        translate_error_in(nat, packet, &key);
        return false;
    }
    if (!flow_key_of(packet, &key) ||
        (key.proto == IP_PROTO_ICMP && packet->icmp.type != ICMP_ECHO_REPLY))
        return false;
    mapping = find(nat, nat->by_outside, outside_key(key.proto, key.to.port));
    if (mapping == NULL)
        return false;
    if (mapping->track.expires != SIM_NEVER)
        flow_track_packet(&mapping->track, packet, true, sim_now(host->sim), &nat->params.timeouts);
    packet->ip.dst = mapping->inside.from.addr;
    set_port(packet, false, mapping->inside.from.port);
    host_record_packet(host, in, PACKET_EVENT_REWRITTEN, packet, "NAT");
    return false;
}

static void
nat_free(gpointer data)
{
    Nat *nat = data;

    g_hash_table_destroy(nat->by_outside);
    g_hash_table_destroy(nat->by_inside);
    g_free(nat);
}

Nat *
nat_attach(Host *host, const NatParams *params)
{
    Nat *nat = g_new0(Nat, 1);
    g_autofree char *name = g_strdup_printf("host %s nat", host->name);

    sim_check(params->outside != NULL && params->port_low > 0 &&
              params->port_low <= params->port_high);
    nat->host = host;
    nat->params = *params;
    nat->by_inside = g_hash_table_new_full(flow_key_hash, flow_key_equal, NULL, g_free);
    nat->by_outside = g_hash_table_new(flow_key_hash, flow_key_equal);
    sim_rng_named(host->sim, &nat->rng, name);
    ip_defrag_on_input(host);
    ip_add_input_hook(host, translate_in, nat);
    ip_add_forward_hook(host, translate_out, nat);
    ip_add_error_hook(host, translate_own_error, nat);
    host_on_free(host, nat_free, nat);
    return nat;
}

bool
nat_forward_port(Nat *nat, uint8_t proto, uint16_t outside_port, Endpoint inside)
{
    if (find(nat, nat->by_outside, outside_key(proto, outside_port)) != NULL ||
        find(nat, nat->by_inside, inside_key(proto, inside)) != NULL)
        return false;
    add(nat, proto, inside, outside_port);
    return true;
}

uint32_t
nat_mappings(const Nat *nat)
{
    return g_hash_table_size(nat->by_inside);
}

static gboolean
is_learned(gpointer key, gpointer value, gpointer unused)
{
    (void)key;
    (void)unused;
    return ((const NatMapping *)value)->track.expires != SIM_NEVER;
}

void
nat_forget_all(Nat *nat)
{
    g_hash_table_foreach_remove(nat->by_outside, is_learned, NULL);
    g_hash_table_foreach_remove(nat->by_inside, is_learned, NULL);
}
