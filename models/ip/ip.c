/* IP on one host: what happens to a packet that arrives (RFC 1122 §3.2.1,
 * RFC 1812 §5.2): for us, to be passed on, or neither.
 */
#include <errno.h>

#include "models/ip/ip_internal.h"

/* How long a packet to ourselves takes. Not zero, so that a program that
 * talks to itself cannot stop the clock. */
#define LOOPBACK_DELAY (10 * SIM_US)

void
ip_refuse(Host *host, const Iface *iface, Packet *packet, const char *reason)
{
    host_record_packet(host, iface, PACKET_EVENT_REFUSED, packet, reason);
    packet_free(host->packets, packet);
}

void
ip_drop(Host *host, const Iface *iface, Packet *packet, const char *reason)
{
    host_record_packet(host, iface, PACKET_EVENT_DROPPED, packet, reason);
    packet_free(host->packets, packet);
}

bool
ip_run_hooks(GArray *hooks, Host *host, Packet *packet, Iface *in, Iface *out)
{
    for (guint i = 0; hooks != NULL && i < hooks->len; i++) {
        const IpHook *hook = &g_array_index(hooks, IpHook, i);

        if (hook->fn(hook->arg, host, packet, in, out))
            return true;
    }
    return false;
}

/* A datagram, or a piece of one, for this host. */
void
ip_deliver(Host *host, Packet *packet, const Iface *in)
{
    const IpProtocol *protocol;

    if (ip_is_fragment(packet)) {
        packet = ip_reassemble(host, packet, in, IP_DEFRAG_LOCAL);
        if (packet == NULL)
            return;
    }
    protocol = ip_protocol(host->ip, packet->ip.proto);
    if (protocol == NULL) { /* RFC 1122 §3.2.2.1 */
        host_count(host, MIB_IpInUnknownProtos);
        icmp_send_error(host, packet, ICMP_UNREACHABLE, 2, 0);
        ip_refuse(host, in, packet, "no such protocol here");
        return;
    }
    host_count(host, MIB_IpInDelivers);
    protocol->input(host, packet);
}

/* RFC 1812 §5.2: a router passes on what is for somebody else. */
static void
ip_forward(Host *host, Packet *packet, Iface *in, const RouteEntry *route)
{
    Iface *out = route->out;

    if (route->kind != ROUTE_LINK || !out->is_up) { /* RFC 1812 §5.2.7.1 */
        host_count(host, MIB_IpExtInNoRoutes);
        icmp_send_error(host, packet, ICMP_UNREACHABLE, route->kind == ROUTE_UNREACHABLE ? 1 : 0,
                        0);
        ip_drop(host, in, packet, "no route");
        return;
    }
    if (packet->ip.ttl <= 1) { /* RFC 1812 §5.3.1 */
        host_count(host, MIB_IpInHdrErrors);
        icmp_send_error(host, packet, ICMP_TIME_EXCEEDED, 0, 0);
        ip_drop(host, in, packet, "TTL exceeded");
        return;
    }
    if (packet->ip.total_len > out->mtu && packet->ip.df) { /* RFC 1191 §4 */
        host_count(host, MIB_IpFragFails);
        icmp_send_error(host, packet, ICMP_UNREACHABLE, 4, out->mtu);
        ip_drop(host, in, packet, "too big for the next link, DF set");
        return;
    }
    packet->ip.ttl--;
    if (__builtin_expect(host->ip->forward_hooks != NULL, 0) &&
        ip_run_hooks(host->ip->forward_hooks, host, packet, in, out))
        return;
    if (packet->ip.total_len > out->mtu) {
        host_count(host, MIB_IpForwDatagrams);
        ip_fragment(host, out, packet, out->mtu);
        return;
    }
    ip_count_packet(host, MIB_IpForwDatagrams, MIB_IpOutTransmits, MIB_IpExtOutOctets,
                    packet->ip.total_len);
    iface_send(out, packet);
}

/* Not the address of the interface it came in by. */
static void
ip_input_elsewhere(Host *host, Packet *packet, Iface *in)
{
    IpStack *ip = host->ip;
    const RouteEntry *route = ip_route(ip, packet->ip.dst);

    if (route->kind == ROUTE_LOCAL) {
        if (ip_addr_is_loopback(packet->ip.dst) &&
            in != &ip->loopback) { /* RFC 1122 §3.2.1.3 (g) */
            host_count(host, MIB_IpInAddrErrors);
            ip_refuse(host, in, packet, "loopback address from outside");
            return;
        }
        ip_deliver(host, packet, in);
    } else if (host->forwards) {
        ip_forward(host, packet, in, route);
    } else { /* RFC 1122 §3.2.1.3: silently */
        host_count(host, MIB_IpInAddrErrors);
        ip_refuse(host, in, packet, "not this host's address");
    }
}

/* A packet that was counted, and stays what it is: hooks, then who it is for. */
void
ip_input_counted(Iface *in, Packet *packet)
{
    Host *host = in->host;
    IpStack *ip = host->ip;

    if (__builtin_expect(ip->input_hooks != NULL, 0) && in != &ip->loopback &&
        ip_run_hooks(ip->input_hooks, host, packet, in, NULL))
        return;
    if (__builtin_expect(ip_addr_equal(packet->ip.src, in->addr), 0) && in != &ip->loopback) {
        /* RFC 1812 §5.3.7: no other host has our address */
        host_count(host, MIB_IpExtInNoRoutes);
        ip_refuse(host, in, packet, "martian source: our own address");
        return;
    }
    if (__builtin_expect(ip_addr_equal(packet->ip.dst, in->addr), 1))
        ip_deliver(host, packet, in);
    else
        ip_input_elsewhere(host, packet, in);
}

/* One counter for each value of the ECN field, in that order. */
G_STATIC_ASSERT(MIB_IpExtInNoECTPkts + ECN_ECT1 == MIB_IpExtInECT1Pkts);
G_STATIC_ASSERT(MIB_IpExtInNoECTPkts + ECN_ECT0 == MIB_IpExtInECT0Pkts);
G_STATIC_ASSERT(MIB_IpExtInNoECTPkts + ECN_CE == MIB_IpExtInCEPkts);

/* Host.input: from a link, or from ourselves. */
static void
ip_input(Iface *in, Packet *packet)
{
    Host *host = in->host;

    ip_count_packet(host, MIB_IpInReceives, MIB_IpExtInNoECTPkts + (packet->ip.tos & ECN_MASK),
                    MIB_IpExtInOctets, packet->ip.total_len);
    if (__builtin_expect(packet->ip.bad_checksum, 0)) { /* RFC 1122 §3.2.1.2 */
        host_count(host, MIB_IpExtInCsumErrors);
        host_count(host, MIB_IpInHdrErrors);
        ip_refuse(host, in, packet, "bad IP header checksum");
        return;
    }
    ip_input_counted(in, packet);
}

static void
ip_loop_run(void *arg)
{
    IpStack *ip = arg;
    Packet *packet = ip->loop_head;

    ip->loop_head = packet->next;
    if (ip->loop_head == NULL)
        ip->loop_tail = NULL;
    else
        sim_at(ip->host->sim, ip->loop_head->due, ip_loop_run, ip);
    packet->next = NULL;
    host_record_packet(ip->host, &ip->loopback, PACKET_EVENT_DELIVERED, packet, NULL);
    ip_input(&ip->loopback, packet);
}

void
ip_loop(IpStack *ip, Packet *packet)
{
    packet->next = NULL;
    packet->due = sim_now(ip->host->sim) + LOOPBACK_DELAY;
    if (ip->loop_tail != NULL) {
        ip->loop_tail->next = packet;
        ip->loop_tail = packet;
        return;
    }
    ip->loop_head = ip->loop_tail = packet;
    sim_at(ip->host->sim, packet->due, ip_loop_run, ip);
}

static void
ip_free(gpointer data)
{
    IpStack *ip = data;

    while (ip->loop_head != NULL) {
        Packet *packet = ip->loop_head;

        ip->loop_head = packet->next;
        packet_free(ip->host->packets, packet);
    }
    ip_reassembly_free(ip->reassembly);
    icmp_limits_free(ip->icmp);
    ip_idents_free(ip->idents);
    if (ip->path_mtus != NULL)
        g_hash_table_destroy(ip->path_mtus);
    if (ip->forward_hooks != NULL)
        g_array_free(ip->forward_hooks, TRUE);
    if (ip->input_hooks != NULL)
        g_array_free(ip->input_hooks, TRUE);
    if (ip->error_hooks != NULL)
        g_array_free(ip->error_hooks, TRUE);
    ip_route_done(ip);
    g_free(ip->loopback.name);
    ip->host->ip = NULL;
}

IpStack *
ip_attach(Host *host, const IpParams *params)
{
    IpStack *ip = sim_arena_take0(&host->net->arena, sizeof *ip);

    sim_check(host->ip == NULL);
    ip->host = host;
    ip->net = host->net;
    ip->params = *params;
    ip->loopback = (Iface){ .host = host,
                            .name = g_strdup("lo"),
                            .addr = ip_addr_v4(0x7f000001),
                            .prefix_bits = 8,
                            .index = HOST_LOOPBACK,
                            .mtu = 65535,
                            .is_up = true };
    ip_route_init(ip);
    host->ip = ip;
    host->input = ip_input;
    host->net->routes_known = false;
    ip_register(host, IP_PROTO_ICMP, &ip_icmp_protocol);
    host_on_free(host, ip_free, ip);
    return ip;
}

IpParams *
ip_params(Host *host)
{
    return &host->ip->params;
}

void
ip_register(Host *host, uint8_t proto, const IpProtocol *protocol)
{
    unsigned slot = ip_slot_of(proto);

    sim_check(slot < IP_SLOTS);
    host->ip->protocols[slot] = protocol;
}

static void
add_hook(GArray **hooks, IpForwardFn *fn, void *arg)
{
    IpHook hook = { fn, arg };

    if (*hooks == NULL)
        *hooks = g_array_new(FALSE, FALSE, sizeof(IpHook));
    g_array_append_val(*hooks, hook);
}

void
ip_add_forward_hook(Host *host, IpForwardFn *fn, void *arg)
{
    add_hook(&host->ip->forward_hooks, fn, arg);
}

void
ip_add_input_hook(Host *host, IpForwardFn *fn, void *arg)
{
    add_hook(&host->ip->input_hooks, fn, arg);
}

void
ip_add_error_hook(Host *host, IpForwardFn *fn, void *arg)
{
    add_hook(&host->ip->error_hooks, fn, arg);
}
