/* What becomes of a packet that arrives: for us, passed on, or refused. */
#include <errno.h>

#include "tests/support/net_bench.h"

static void
a_datagram_crosses_three_routers(void)
{
    g_autoptr(NetBench) b = net_bench_chain(3);
    UdpSock *sock = net_bench_receiver(b->b);
    Endpoint from;

    g_assert_cmpint(ip_output(b->a, net_bench_datagram(b, b->b_addr, 100)), ==, 0);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, NULL, &from), ==, 100);
    g_assert_true(ip_addr_equal(from.addr, b->a_addr));
    udp_close(sock);
}

static void
each_router_takes_one_from_the_ttl(void)
{
    g_autoptr(NetBench) b = net_bench_chain(3);
    UdpSock *sock = net_bench_receiver(b->b);

    ip_output(b->a, net_bench_datagram(b, b->b_addr, 100));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 1)->packet.ip.ttl, ==, 64);
    g_assert_cmpuint(net_bench_nth(b, b->b, PACKET_EVENT_CONSUMED, 0, 1)->packet.ip.ttl, ==, 61);
    udp_close(sock);
}

static void
default_ttl_is_the_sysctl(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    ip_params(b->a)->default_ttl = 17;
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 100));
    g_assert_cmpuint(net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 1)->packet.ip.ttl, ==, 17);
}

/* RFC 1812 §5.3.1: the router where it would reach zero says so. */
static void
ttl_that_ends_at_a_router_returns_time_exceeded(void)
{
    g_autoptr(NetBench) b = net_bench_chain(3);
    Packet *packet = net_bench_datagram(b, b->b_addr, 100);

    packet->ip.ttl = 2;
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    const NetBenchEvent *error = net_bench_nth(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP, 1);
    g_assert_nonnull(error);
    g_assert_cmpuint(error->packet.icmp.type, ==, ICMP_TIME_EXCEEDED);
    g_assert_cmpuint(error->packet.icmp.code, ==, 0);
    g_assert_true(ip_addr_equal(error->packet.ip.src, net_bench_addr("10.0.1.2")));
    g_assert_cmpuint(net_bench_count_reason(b, "TTL exceeded"), ==, 1);
    g_assert_cmpuint(((Host *)b->routers->pdata[1])->mib[MIB_IpInHdrErrors], ==, 1);
}

static void
ttl_one_reaches_the_neighbour(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);
    Packet *packet = net_bench_datagram(b, b->b_addr, 100);

    packet->ip.ttl = 1;
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, 100);
    udp_close(sock);
}

static void
router_without_a_route_returns_net_unreachable(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    ip_output(b->a, net_bench_datagram(b, net_bench_addr("192.0.2.1"), 100));
    net_bench_run(b, 1 * SIM_SEC);
    const NetBenchEvent *error = net_bench_nth(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP, 1);
    g_assert_nonnull(error);
    g_assert_cmpuint(error->packet.icmp.type, ==, ICMP_UNREACHABLE);
    g_assert_cmpuint(error->packet.icmp.code, ==, 0);
}

static void
router_with_an_unreachable_route_returns_host_unreachable(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    ip_add_unreachable(b->routers->pdata[0], net_bench_addr("192.0.2.0"), 24);
    ip_output(b->a, net_bench_datagram(b, net_bench_addr("192.0.2.1"), 100));
    net_bench_run(b, 1 * SIM_SEC);
    const NetBenchEvent *error = net_bench_nth(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP, 1);
    g_assert_nonnull(error);
    g_assert_cmpuint(error->packet.icmp.code, ==, 1);
}

static void
host_that_does_not_forward_drops_silently(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    ip_output(b->a, net_bench_datagram(b, net_bench_addr("192.0.2.1"), 100));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count_reason(b, "not this host's address"), ==, 1);
    g_assert_cmpuint(b->b->mib[MIB_IpInAddrErrors], ==, 1);
    g_assert_cmpuint(net_bench_count(b, b->b, PACKET_EVENT_SENT, 0), ==, 0);
}

static void
unknown_protocol_returns_protocol_unreachable(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    Packet *packet = net_bench_datagram(b, b->b_addr, 100);

    packet->ip.proto = 47;
    packet->ip.total_len = 120;
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    const NetBenchEvent *error = net_bench_nth(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP, 1);
    g_assert_nonnull(error);
    g_assert_cmpuint(error->packet.icmp.code, ==, 2);
    g_assert_cmpuint(b->b->mib[MIB_IpInUnknownProtos], ==, 1);
}

/* RFC 1812 §5.3.7. */
static void
packet_that_claims_our_address_is_refused(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    Packet *packet = net_bench_datagram(b, b->b_addr, 100);

    packet->ip.src = b->b_addr;
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count_reason(b, "martian source: our own address"), ==, 1);
}

static void
bad_ip_checksum_is_dropped_by_the_next_hop(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    Packet *packet = net_bench_datagram(b, b->b_addr, 100);

    packet->ip.bad_checksum = true;
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count_reason(b, "bad IP header checksum"), ==, 1);
    g_assert_cmpuint(((Host *)b->routers->pdata[0])->mib[MIB_IpForwDatagrams], ==, 0);
}

static void
packet_to_ourselves_never_sees_a_link(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->a);
    Endpoint from;

    ip_output(b->a, net_bench_datagram(b, b->a_addr, 30));
    ip_output(b->a, net_bench_datagram(b, net_bench_addr("127.0.0.1"), 31));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, NULL, &from), ==, 30);
    g_assert_true(ip_addr_equal(from.addr, b->a_addr));
    g_assert_cmpint(udp_recv(sock, NULL, &from), ==, 31);
    g_assert_true(ip_addr_equal(from.addr, net_bench_addr("127.0.0.1")));
    /* What watches sees them leave and arrive, on no link. */
    g_assert_cmpuint(net_bench_count(b, b->a, PACKET_EVENT_SENT, 0), ==, 2);
    g_assert_cmpuint(net_bench_count(b, b->a, PACKET_EVENT_DELIVERED, 0), ==, 2);
    for (guint i = 0; i < b->events->len; i++)
        g_assert_cmpuint(g_array_index(b->events, NetBenchEvent, i).link, ==, 0);
    udp_close(sock);
}

/* RFC 1122 §3.2.1.3 (g). */
static void
loopback_address_from_outside_is_refused(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    Packet *packet = net_bench_datagram(b, net_bench_addr("127.0.0.1"), 30);

    packet->ip.src = b->a_addr;
    packet->ip.ttl = 64;
    link_deliver(b->links->pdata[0], 0, packet, 0);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count_reason(b, "loopback address from outside"), ==, 1);
}

/* As Linux: 0 with DF on an unconnected socket, else never 0. */
static void
ids_are_chosen_where_fragments_may_come_of_it(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    Packet *with_df = net_bench_datagram(b, b->b_addr, 30);

    with_df->ip.df = true;
    ip_output(b->a, with_df);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 30));
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 30));
    uint16_t first = net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 2)->packet.ip.id;
    g_assert_cmpuint(net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 1)->packet.ip.id, ==, 0);
    g_assert_cmpuint(first, !=, 0);
    g_assert_cmpuint(net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 3)->packet.ip.id, ==, first + 1);
}

static void
each_value_of_the_ecn_field_has_its_counter(void)
{
    static const MibCounter counters[] = { MIB_IpExtInNoECTPkts, MIB_IpExtInECT1Pkts,
                                           MIB_IpExtInECT0Pkts, MIB_IpExtInCEPkts };
    g_autoptr(NetBench) b = net_bench_pair();

    for (uint8_t ecn = 0; ecn < 4; ecn++) {
        Packet *packet = net_bench_datagram(b, b->b_addr, 30);

        packet->ip.tos = ecn;
        ip_output(b->a, packet);
        net_bench_run(b, 1 * SIM_SEC);
        for (uint8_t i = 0; i < 4; i++)
            g_assert_cmpuint(b->b->mib[counters[i]], ==, i <= ecn);
        g_assert_cmpuint(b->b->mib[MIB_IpInHdrErrors], ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/forwarding/a_datagram_crosses_three_routers",
                    a_datagram_crosses_three_routers);
    g_test_add_func("/ip/forwarding/each_router_takes_one_from_the_ttl",
                    each_router_takes_one_from_the_ttl);
    g_test_add_func("/ip/forwarding/default_ttl_is_the_sysctl", default_ttl_is_the_sysctl);
    g_test_add_func("/ip/forwarding/ttl_that_ends_at_a_router_returns_time_exceeded",
                    ttl_that_ends_at_a_router_returns_time_exceeded);
    g_test_add_func("/ip/forwarding/ttl_one_reaches_the_neighbour", ttl_one_reaches_the_neighbour);
    g_test_add_func("/ip/forwarding/router_without_a_route_returns_net_unreachable",
                    router_without_a_route_returns_net_unreachable);
    g_test_add_func("/ip/forwarding/router_with_an_unreachable_route_returns_host_unreachable",
                    router_with_an_unreachable_route_returns_host_unreachable);
    g_test_add_func("/ip/forwarding/host_that_does_not_forward_drops_silently",
                    host_that_does_not_forward_drops_silently);
    g_test_add_func("/ip/forwarding/unknown_protocol_returns_protocol_unreachable",
                    unknown_protocol_returns_protocol_unreachable);
    g_test_add_func("/ip/forwarding/packet_that_claims_our_address_is_refused",
                    packet_that_claims_our_address_is_refused);
    g_test_add_func("/ip/forwarding/bad_ip_checksum_is_dropped_by_the_next_hop",
                    bad_ip_checksum_is_dropped_by_the_next_hop);
    g_test_add_func("/ip/forwarding/packet_to_ourselves_never_sees_a_link",
                    packet_to_ourselves_never_sees_a_link);
    g_test_add_func("/ip/forwarding/loopback_address_from_outside_is_refused",
                    loopback_address_from_outside_is_refused);
    g_test_add_func("/ip/forwarding/ids_are_chosen_where_fragments_may_come_of_it",
                    ids_are_chosen_where_fragments_may_come_of_it);
    g_test_add_func("/ip/forwarding/each_value_of_the_ecn_field_has_its_counter",
                    each_value_of_the_ecn_field_has_its_counter);
    return g_test_run();
}
