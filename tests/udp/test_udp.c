/* UDP sockets: ports, delivery, errors, IP_MTU_DISCOVER. */
#include <errno.h>

#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/udp/" #claim, claim)

/* A socket at a, connected to port 2000 of b. */
static UdpSock *
connected(NetBench *b)
{
    UdpSock *sock = udp_open(b->a);

    g_assert_cmpint(udp_connect(sock, (Endpoint){ b->b_addr, 2000 }), ==, 0);
    return sock;
}

static void
bytes_arrive_as_they_were_sent(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *in = net_bench_receiver(b->b), *out = connected(b);
    Payload payload;
    Endpoint from;
    char text[6] = "";

    g_assert_cmpint(udp_send(out, "hello", 5, NULL), ==, 5);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(in, &payload, &from), ==, 5);
    stream_read(b->net->streams, payload, text);
    g_assert_cmpstr(text, ==, "hello");
    g_assert_true(endpoint_equal(from, udp_local(out)));
    g_assert_cmpint(udp_recv(in, &payload, &from), ==, -EAGAIN);
    g_assert_cmpuint(b->a->mib[MIB_UdpOutDatagrams], ==, 1);
    g_assert_cmpuint(b->b->mib[MIB_UdpInDatagrams], ==, 1);
    udp_close(in);
    udp_close(out);
}

static void
empty_datagram_is_a_datagram(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *in = net_bench_receiver(b->b), *out = connected(b);

    g_assert_cmpint(udp_send(out, NULL, 0, NULL), ==, 0);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(in, NULL, NULL), ==, 0);
    g_assert_cmpint(udp_recv(in, NULL, NULL), ==, -EAGAIN);
    udp_close(in);
    udp_close(out);
}

static void
reply_finds_the_asker(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *in = net_bench_receiver(b->b), *out = udp_open(b->a);
    Endpoint to = { b->b_addr, 2000 }, from;

    g_assert_cmpint(udp_send(out, NULL, 10, &to), ==, 10);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(in, NULL, &from), ==, 10);
    g_assert_cmpint(udp_send(in, NULL, 20, &from), ==, 20);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(out, NULL, &from), ==, 20);
    g_assert_true(endpoint_equal(from, to));
    udp_close(in);
    udp_close(out);
}

static void
no_address_is_edestaddrreq(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = udp_open(b->a);

    g_assert_cmpint(udp_send(sock, NULL, 10, NULL), ==, -EDESTADDRREQ);
    udp_close(sock);
}

static void
port_in_use_is_eaddrinuse(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *one = net_bench_receiver(b->a), *two = udp_open(b->a);

    g_assert_cmpint(udp_bind(two, (Endpoint){ b->a_addr, 2000 }), ==, -EADDRINUSE);
    g_assert_cmpint(udp_bind(two, (Endpoint){ b->a_addr, 2001 }), ==, 0);
    udp_close(one);
    one = net_bench_receiver(b->a); /* the port is free again */
    udp_close(one);
    udp_close(two);
}

static UdpSock *
reusing(Host *host, Endpoint local, int expected)
{
    UdpSock *sock = udp_open(host);

    udp_set_reuse_addr(sock, true);
    g_assert_cmpint(udp_bind(sock, local), ==, expected);
    return sock;
}

static void
reuseaddr_shares_a_port_if_all_want_to(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *alone = net_bench_receiver(b->a);
    UdpSock *refused = reusing(b->a, (Endpoint){ IP_ADDR_ANY, 2000 }, -EADDRINUSE);
    UdpSock *one = reusing(b->a, (Endpoint){ IP_ADDR_ANY, 2001 }, 0);
    UdpSock *two = reusing(b->a, (Endpoint){ IP_ADDR_ANY, 2001 }, 0);

    udp_close(alone);
    udp_close(refused);
    udp_close(one);
    udp_close(two);
}

static void
of_sharers_the_last_one_bound_hears(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    Endpoint port = { IP_ADDR_ANY, 2000 };
    UdpSock *out = connected(b), *first = reusing(b->b, port, 0), *last = reusing(b->b, port, 0);

    udp_send(out, NULL, 10, NULL);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(first, NULL, NULL), ==, -EAGAIN);
    g_assert_cmpint(udp_recv(last, NULL, NULL), ==, 10);
    udp_close(last); /* the other is there still */
    udp_send(out, NULL, 20, NULL);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(first, NULL, NULL), ==, 20);
    udp_close(first);
    udp_close(out);
}

static void
foreign_address_is_eaddrnotavail(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = udp_open(b->a);

    g_assert_cmpint(udp_bind(sock, (Endpoint){ b->b_addr, 2000 }), ==, -EADDRNOTAVAIL);
    udp_close(sock);
}

static void
ephemeral_ports_run_out(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *socks[3];

    udp_set_port_range(b->a, 5000, 5001);
    for (unsigned i = 0; i < 3; i++) {
        socks[i] = udp_open(b->a);
        int result = udp_bind(socks[i], (Endpoint){ ip_addr_v4(0), 0 });
        g_assert_cmpint(result, ==, i < 2 ? 0 : -EADDRNOTAVAIL);
    }
    g_assert_cmpuint(udp_local(socks[0]).port ^ udp_local(socks[1]).port, ==, 5000 ^ 5001);
    for (unsigned i = 0; i < 3; i++)
        udp_close(socks[i]);
}

static void
connected_socket_hears_its_peer_alone(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = connected(b), *peer = net_bench_receiver(b->b), *other = udp_open(b->b);
    Endpoint to = udp_local(sock);

    g_assert_cmpint(udp_send(other, NULL, 10, &to), ==, 10);
    g_assert_cmpint(udp_send(peer, NULL, 20, &to), ==, 20);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, 20);
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, -EAGAIN);
    g_assert_cmpuint(b->a->mib[MIB_UdpNoPorts], ==, 1);
    udp_close(sock);
    udp_close(peer);
    udp_close(other);
}

/* The more particular socket gets it. */
static void
connected_socket_goes_before_a_bound_one(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *any = udp_open(b->b), *one = udp_open(b->b), *out = udp_open(b->a);
    Endpoint to = { b->b_addr, 2000 };

    g_assert_cmpint(udp_bind(out, (Endpoint){ b->a_addr, 3000 }), ==, 0);
    g_assert_cmpint(udp_bind(one, to), ==, 0);
    g_assert_cmpint(udp_connect(one, (Endpoint){ b->a_addr, 3000 }), ==, 0);
    g_assert_cmpint(udp_bind(any, (Endpoint){ ip_addr_v4(0), 2000 }), ==, -EADDRINUSE);
    g_assert_cmpint(udp_send(out, NULL, 10, &to), ==, 10);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(one, NULL, NULL), ==, 10);
    udp_close(any);
    udp_close(one);
    udp_close(out);
}

/* RFC 1122 §4.1.3.3: told once, at the next call. */
static void
port_unreachable_is_econnrefused_once(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = connected(b);

    g_assert_cmpint(udp_send(sock, NULL, 10, NULL), ==, 10);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_true(udp_is_readable(sock));
    g_assert_cmpint(udp_send(sock, NULL, 10, NULL), ==, -ECONNREFUSED);
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, -EAGAIN);
    g_assert_cmpint(udp_send(sock, NULL, 10, NULL), ==, 10);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, -ECONNREFUSED);
    udp_send(sock, NULL, 10, NULL);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_take_error(sock), ==, ECONNREFUSED);
    g_assert_cmpint(udp_take_error(sock), ==, 0);
    udp_close(sock);
}

static void
unconnected_socket_never_learns_of_it(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = udp_open(b->a);
    Endpoint to = { b->b_addr, 2000 };

    g_assert_cmpint(udp_send(sock, NULL, 10, &to), ==, 10);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(b->a->mib[MIB_IcmpInDestUnreachs], ==, 1);
    g_assert_cmpint(udp_send(sock, NULL, 10, &to), ==, 10);
    udp_close(sock);
}

/* Soft errors (net and host unreachable, TTL) are not told: Linux without IP_RECVERR. */
static void
soft_errors_are_not_told(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *sock = udp_open(b->a);

    ip_add_unreachable(b->routers->pdata[0], net_bench_addr("192.0.2.0"), 24);
    g_assert_cmpint(udp_connect(sock, net_bench_endpoint("192.0.2.1", 9)), ==, 0);
    g_assert_cmpint(udp_send(sock, NULL, 10, NULL), ==, 10);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(b->a->mib[MIB_IcmpInDestUnreachs], ==, 1);
    g_assert_cmpint(udp_take_error(sock), ==, 0);
    udp_close(sock);
}

/* Fact 75. */
static void
want_learns_the_path_mtu_then_fragments(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *in = net_bench_receiver(b->b), *sock = connected(b);

    net_bench_set_mtu(b, 1, 1000);
    g_assert_cmpint(udp_send(sock, NULL, 1400, NULL), ==, 1400);
    g_assert_true(net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 1)->packet.ip.df);
    net_bench_run(b, 100 * SIM_MS);
    g_assert_cmpint(udp_send(sock, NULL, 1400, NULL), ==, -EMSGSIZE);
    net_bench_run(b, 100 * SIM_MS);
    g_assert_cmpint(udp_send(sock, NULL, 1400, NULL), ==, 1400);
    net_bench_run(b, 100 * SIM_MS);
    g_assert_cmpint(udp_recv(in, NULL, NULL), ==, 1400);
    g_assert_cmpint(udp_recv(in, NULL, NULL), ==, -EAGAIN);
    const Packet *first = &net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 1)->packet;
    const Packet *piece = &net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 2)->packet;
    g_assert_cmpuint(piece->ip.total_len, ==, 996);
    g_assert_false(piece->ip.df);
    g_assert_cmpuint(piece->ip.id, ==, (uint16_t)(first->ip.id + 1));
    g_assert_cmpuint(b->a->mib[MIB_IpOutRequests], ==, 2);
    g_assert_cmpuint(b->a->mib[MIB_IpOutDiscards], ==, 1);
    g_assert_cmpuint(b->a->mib[MIB_UdpOutDatagrams], ==, 2);
    g_assert_cmpuint(b->a->mib[MIB_IpExtOutOctets], ==, 2876);
    udp_close(in);
    udp_close(sock);
}

static void
do_is_emsgsize_at_once(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *sock = connected(b);

    ip_pmtu_update(b->a, b->b_addr, 1000);
    udp_set_mtu_discover(sock, PMTUDISC_DO);
    g_assert_cmpint(udp_send(sock, NULL, 1400, NULL), ==, -EMSGSIZE);
    g_assert_cmpint(udp_send(sock, NULL, 972, NULL), ==, 972);
    g_assert_cmpuint(net_bench_count(b, b->a, PACKET_EVENT_SENT, 0), ==, 1);
    udp_close(sock);
}

static void
probe_ignores_what_was_learned(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *sock = connected(b);

    ip_pmtu_update(b->a, b->b_addr, 1000);
    udp_set_mtu_discover(sock, PMTUDISC_PROBE);
    g_assert_cmpint(udp_send(sock, NULL, 1400, NULL), ==, 1400);
    g_assert_true(net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 1)->packet.ip.df);
    g_assert_cmpint(udp_send(sock, NULL, 1473, NULL), ==, -EMSGSIZE);
    udp_close(sock);
}

static void
dont_lets_routers_fragment(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *in = net_bench_receiver(b->b), *sock = connected(b);

    net_bench_set_mtu(b, 1, 576);
    udp_set_mtu_discover(sock, PMTUDISC_DONT);
    g_assert_cmpint(udp_send(sock, NULL, 1400, NULL), ==, 1400);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_false(net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 1)->packet.ip.df);
    g_assert_cmpint(udp_recv(in, NULL, NULL), ==, 1400);
    udp_close(in);
    udp_close(sock);
}

static void
largest_datagram_is_65507_bytes(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *in = net_bench_receiver(b->b), *sock = connected(b);

    g_assert_cmpint(udp_send(sock, NULL, 65508, NULL), ==, -EMSGSIZE);
    g_assert_cmpint(udp_send(sock, NULL, 65507, NULL), ==, 65507);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(in, NULL, NULL), ==, 65507);
    g_assert_cmpuint(b->a->mib[MIB_IpFragCreates], ==, 45);
    udp_close(in);
    udp_close(sock);
}

static void
broken_checksum_is_dropped_unless_none_was_sent(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *in = net_bench_receiver(b->b);

    for (unsigned none = 0; none < 2; none++) {
        Packet *packet = net_bench_datagram(b, b->b_addr, 10 + none);

        packet->flags |= PACKET_BAD_CHECKSUM;
        packet->udp.no_checksum = none;
        ip_output(b->a, packet);
    }
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(in, NULL, NULL), ==, 11);
    g_assert_cmpint(udp_recv(in, NULL, NULL), ==, -EAGAIN);
    g_assert_cmpuint(b->b->mib[MIB_UdpInCsumErrors], ==, 1);
    g_assert_cmpuint(b->b->mib[MIB_UdpInErrors], ==, 1);
    udp_close(in);
}

static void
full_receive_buffer_drops(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *in = net_bench_receiver(b->b), *out = connected(b);
    unsigned received = 0;

    udp_set_rcvbuf(in, 10000);
    for (unsigned i = 0; i < 10; i++)
        g_assert_cmpint(udp_send(out, NULL, 1400, NULL), ==, 1400);
    net_bench_run(b, 1 * SIM_SEC);
    while (udp_recv(in, NULL, NULL) > 0)
        received++;
    g_assert_cmpuint(received, ==, 5); /* each counts 2304 */
    g_assert_cmpuint(b->b->mib[MIB_UdpRcvbufErrors], ==, 5);
    udp_close(in);
    udp_close(out);
}

static void
no_route_is_told_by_connect_and_send(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = udp_open(b->a);
    Endpoint to = net_bench_endpoint("192.0.2.1", 9);

    ip_add_unreachable(b->a, to.addr, 32);
    g_assert_cmpint(udp_connect(sock, to), ==, -EHOSTUNREACH);
    g_assert_cmpint(udp_send(sock, NULL, 1, &to), ==, -EHOSTUNREACH);
    ip_del_route(b->a, to.addr, 32);
    ip_del_route(b->a, IP_ADDR_ANY, 0);
    g_assert_cmpint(udp_send(sock, NULL, 1, &to), ==, -ENETUNREACH);
    udp_close(sock);
}

static void
count_event(void *arg)
{
    ++*(unsigned *)arg;
}

static void
event_is_told_for_a_datagram_and_for_an_error(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *in = net_bench_receiver(b->b), *out = connected(b);
    unsigned events = 0, errors = 0;

    udp_on_event(in, count_event, &events);
    udp_on_event(out, count_event, &errors);
    udp_send(out, NULL, 1, NULL);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(events, ==, 1);
    udp_close(in);
    udp_send(out, NULL, 1, NULL);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(errors, ==, 1);
    udp_close(out);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(bytes_arrive_as_they_were_sent);
    ADD(empty_datagram_is_a_datagram);
    ADD(reply_finds_the_asker);
    ADD(no_address_is_edestaddrreq);
    ADD(port_in_use_is_eaddrinuse);
    ADD(reuseaddr_shares_a_port_if_all_want_to);
    ADD(of_sharers_the_last_one_bound_hears);
    ADD(foreign_address_is_eaddrnotavail);
    ADD(ephemeral_ports_run_out);
    ADD(connected_socket_hears_its_peer_alone);
    ADD(connected_socket_goes_before_a_bound_one);
    ADD(port_unreachable_is_econnrefused_once);
    ADD(unconnected_socket_never_learns_of_it);
    ADD(soft_errors_are_not_told);
    ADD(want_learns_the_path_mtu_then_fragments);
    ADD(do_is_emsgsize_at_once);
    ADD(probe_ignores_what_was_learned);
    ADD(dont_lets_routers_fragment);
    ADD(largest_datagram_is_65507_bytes);
    ADD(broken_checksum_is_dropped_unless_none_was_sent);
    ADD(full_receive_buffer_drops);
    ADD(no_route_is_told_by_connect_and_send);
    ADD(event_is_told_for_a_datagram_and_for_an_error);
    return g_test_run();
}
