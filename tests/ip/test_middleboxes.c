/* NAT, the forgetful firewall, and boxes that rewrite what passes. */
#include <errno.h>

#include "models/ip/firewall.h"
#include "models/ip/middlebox.h"
#include "models/ip/nat.h"
#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/ip/middleboxes/" #claim, claim)

static Host *
box_of(const NetBench *b)
{
    return b->routers->pdata[0];
}

static Nat *
nat_between(NetBench *b, uint16_t ports)
{
    NatParams params = nat_params_default(box_of(b)->ifaces->pdata[1]); /* towards b: 10.0.1.1 */

    if (ports != 0)
        params.port_high = (uint16_t)(params.port_low + ports - 1);
    return nat_attach(box_of(b), &params);
}

static UdpSock *
bound(Host *host, uint16_t port)
{
    UdpSock *sock = udp_open(host);

    g_assert_cmpint(udp_bind(sock, (Endpoint){ ip_addr_v4(0), port }), ==, 0);
    return sock;
}

static void
nat_shows_its_own_address_and_finds_the_way_back(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    Nat *nat = nat_between(b, 0);
    UdpSock *in = net_bench_receiver(b->b), *out = bound(b->a, 3000);
    Endpoint to = { b->b_addr, 2000 }, from;

    udp_send(out, NULL, 10, &to);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(in, NULL, &from), ==, 10);
    g_assert_true(
        endpoint_equal(from, net_bench_endpoint("10.0.1.1", 3000))); /* the port is kept */
    udp_send(in, NULL, 20, &from);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(out, NULL, &from), ==, 20);
    g_assert_true(endpoint_equal(from, to));
    g_assert_cmpuint(nat_mappings(nat), ==, 1);
    udp_close(in);
    udp_close(out);
}

/* RFC 4787 REQ-1: the same outside port towards everybody. */
static void
nat_mapping_does_not_depend_on_the_peer(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    Nat *nat = nat_between(b, 0);
    UdpSock *one = bound(b->b, 2000), *two = bound(b->b, 2001),
            *out = bound(b->a, 100); /* below port_low */
    Endpoint from_one, from_two;

    udp_send(out, NULL, 10, &(Endpoint){ b->b_addr, 2000 });
    udp_send(out, NULL, 10, &(Endpoint){ b->b_addr, 2001 });
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(one, NULL, &from_one), ==, 10);
    g_assert_cmpint(udp_recv(two, NULL, &from_two), ==, 10);
    g_assert_true(endpoint_equal(from_one, from_two));
    g_assert_cmpuint(from_one.port, >=, 1024);
    g_assert_cmpuint(nat_mappings(nat), ==, 1);
    udp_close(one);
    udp_close(two);
    udp_close(out);
}

static void
nat_without_a_free_port_drops(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    nat_between(b, 2);
    for (uint16_t port = 3000; port < 3003; port++) {
        UdpSock *out = bound(b->a, port);

        udp_send(out, NULL, 10, &(Endpoint){ b->b_addr, 2000 });
        net_bench_run(b, 1 * SIM_SEC);
        udp_close(out);
    }
    g_assert_cmpuint(net_bench_count_reason(b, "NAT: no outside port is free"), ==, 1);
}

/* RFC 4787 REQ-5: five minutes. */
static void
nat_forgets_a_silent_mapping(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *in = net_bench_receiver(b->b), *out = bound(b->a, 3000);
    Endpoint from;

    nat_between(b, 0);
    udp_send(out, NULL, 10, &(Endpoint){ b->b_addr, 2000 });
    net_bench_run(b, 299 * SIM_SEC);
    g_assert_cmpint(udp_recv(in, NULL, &from), ==, 10);
    udp_send(in, NULL, 20, &from);
    net_bench_run(b, 301 * SIM_SEC);
    g_assert_cmpint(udp_recv(out, NULL, NULL), ==, 20);
    udp_send(in, NULL, 30, &from);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(out, NULL, NULL), ==, -EAGAIN);
    udp_close(in);
    udp_close(out);
}

/* RFC 5508 REQ-4, for the errors that the box itself sends: whoever sent too
 * much to the outside port finds its own packet quoted. */
static void
nat_quotes_what_it_translated_as_it_came(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *in = net_bench_receiver(b->b), *out = bound(b->a, 3000);
    Endpoint from;

    nat_between(b, 0);
    net_bench_set_mtu(b, 0, 600);
    udp_send(out, NULL, 10, &(Endpoint){ b->b_addr, 2000 });
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(in, NULL, &from), ==, 10);
    udp_set_mtu_discover(in, PMTUDISC_DO);
    g_assert_cmpint(udp_send(in, NULL, 1000, &from), ==, 1000);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(ip_path_mtu(b->b, from.addr), ==, 600);
    udp_close(in);
    udp_close(out);
}

static void
nat_forwards_a_port_for_ever(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    Nat *nat = nat_between(b, 0);
    UdpSock *server = bound(b->a, 53), *client = bound(b->b, 4000);
    Endpoint from;

    g_assert_true(nat_forward_port(nat, IP_PROTO_UDP, 5300, (Endpoint){ b->a_addr, 53 }));
    g_assert_false(nat_forward_port(nat, IP_PROTO_UDP, 5300, (Endpoint){ b->a_addr, 54 }));
    nat_forget_all(nat);
    net_bench_run(b, 10000 * SIM_SEC);
    udp_send(client, NULL, 10, &(Endpoint){ net_bench_addr("10.0.1.1"), 5300 });
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(server, NULL, &from), ==, 10);
    udp_send(server, NULL, 20, &from);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(client, NULL, &from), ==, 20);
    g_assert_true(endpoint_equal(from, net_bench_endpoint("10.0.1.1", 5300)));
    udp_close(server);
    udp_close(client);
}

/* RFC 5508 REQ-3: the error reaches the socket that caused it. */
static void
nat_translates_what_errors_quote(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *out = bound(b->a, 100);

    nat_between(b, 0);
    g_assert_cmpint(udp_connect(out, (Endpoint){ b->b_addr, 2000 }), ==, 0);
    udp_send(out, NULL, 10, NULL);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_take_error(out), ==, ECONNREFUSED);
    udp_close(out);
}

static void
nat_translates_echo(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    nat_between(b, 0);
    icmp_send_echo(b->a, b->b_addr, 7, 1, 10);
    net_bench_run(b, 1 * SIM_SEC);
    const NetBenchEvent *reply = net_bench_nth(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP, 1);
    g_assert_nonnull(reply);
    g_assert_cmpuint(reply->packet.icmp.id, ==, 7);
}

static void
nat_joins_fragments_first(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *in = net_bench_receiver(b->b), *out = bound(b->a, 100);
    Endpoint from;

    nat_between(b, 0);
    udp_send(out, NULL, 4000, &(Endpoint){ b->b_addr, 2000 });
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(in, NULL, &from), ==, 4000);
    g_assert_true(ip_addr_equal(from.addr, net_bench_addr("10.0.1.1")));
    udp_send(in, NULL, 5000, &from);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(out, NULL, NULL), ==, 5000);
    udp_close(in);
    udp_close(out);
}

static Firewall *
firewall_between(NetBench *b, bool rejects)
{
    FirewallParams params = firewall_params_default();

    params.inside = box_of(b)->ifaces->pdata[0];
    params.rejects = rejects;
    return firewall_attach(box_of(b), &params);
}

/* A bare segment between port 1000 of one host and 80 of the other. */
static void
send_tcp(NetBench *b, bool from_a, uint16_t flags)
{
    Packet *packet = packet_new_tcp(&b->net->packets);

    packet->ip.dst = from_a ? b->b_addr : b->a_addr;
    packet->tcp.sport = from_a ? 1000 : 80;
    packet->tcp.dport = from_a ? 80 : 1000;
    packet->tcp.flags = flags;
    packet->tcp.seq = 100;
    packet->tcp.ack = 200;
    packet_finish_lengths(packet);
    ip_output(from_a ? b->a : b->b, packet);
    net_bench_run(b, 1 * SIM_SEC);
}

static unsigned
refused(const NetBench *b)
{
    return net_bench_count_reason(b, "firewall knows no such connection");
}

static void
firewall_lets_the_inside_open_only(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    Firewall *firewall = firewall_between(b, false);

    send_tcp(b, false, TCP_SYN);
    g_assert_cmpuint(refused(b), ==, 1);
    send_tcp(b, true, TCP_SYN);
    send_tcp(b, false, TCP_SYN | TCP_ACK);
    send_tcp(b, true, TCP_ACK);
    g_assert_cmpuint(refused(b), ==, 1);
    g_assert_cmpuint(firewall_flows(firewall), ==, 1);
}

static void
firewall_lets_the_outside_open_to_allowed_ports(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    firewall_allow_port(firewall_between(b, false), IP_PROTO_TCP, 1000);
    send_tcp(b, false, TCP_SYN);
    g_assert_cmpuint(refused(b), ==, 0);
}

/* Why keepalive exists: a connection that was silent for 300 s is gone. */
static void
firewall_forgets_an_idle_connection(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    firewall_between(b, false);
    send_tcp(b, true, TCP_SYN);
    send_tcp(b, false, TCP_SYN | TCP_ACK);
    send_tcp(b, true, TCP_ACK);
    net_bench_run(b, 290 * SIM_SEC);
    send_tcp(b, true, TCP_ACK | TCP_PSH);
    g_assert_cmpuint(refused(b), ==, 0);
    net_bench_run(b, 300 * SIM_SEC);
    send_tcp(b, true, TCP_ACK | TCP_PSH);
    send_tcp(b, false, TCP_ACK | TCP_PSH);
    g_assert_cmpuint(refused(b), ==, 2);
}

static void
firewall_that_rejects_answers_with_rst(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    firewall_between(b, true);
    send_tcp(b, true, TCP_ACK);
    const NetBenchEvent *rst = net_bench_nth(b, box_of(b), PACKET_EVENT_SENT, IP_PROTO_TCP, 1);
    g_assert_nonnull(rst);
    g_assert_cmpuint(rst->packet.tcp.flags, ==, TCP_RST);
    g_assert_cmpuint(rst->packet.tcp.seq, ==, 200);
    g_assert_true(ip_addr_equal(rst->packet.ip.src, b->b_addr));
}

static void
firewall_lets_errors_about_what_passed_through(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *out = bound(b->a, 3000);

    firewall_between(b, false);
    udp_connect(out, (Endpoint){ b->b_addr, 2000 });
    udp_send(out, NULL, 10, NULL);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_take_error(out), ==, ECONNREFUSED);
    udp_close(out);
}

static void
firewall_with_a_full_table_refuses_new_ones(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    FirewallParams params = firewall_params_default();

    params.max_flows = 1;
    firewall_attach(box_of(b), &params);
    send_tcp(b, true, TCP_SYN);
    icmp_send_echo(b->a, b->b_addr, 1, 1, 8);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count_reason(b, "firewall: table full"), ==, 1);
    net_bench_run(b, 120 * SIM_SEC); /* the half-open one has gone */
    icmp_send_echo(b->a, b->b_addr, 1, 2, 8);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count_reason(b, "firewall: table full"), ==, 1);
}

static const Packet *
syn_through(NetBench *b, const MiddleboxParams *params)
{
    Packet *packet = packet_new_tcp(&b->net->packets);

    middlebox_attach(box_of(b), params);
    packet->ip.dst = b->b_addr;
    packet->ip.df = true;
    packet->ip.tos = ECN_ECT0;
    packet->tcp.flags = TCP_SYN;
    packet->tcp.options = TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK | TCPOPT_HAS_TS | TCPOPT_HAS_WSCALE;
    packet->tcp.mss = 1460;
    packet_finish_lengths(packet);
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    return &net_bench_nth(b, box_of(b), PACKET_EVENT_SENT, IP_PROTO_TCP, 1)->packet;
}

static void
middlebox_strips_options(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    MiddleboxParams params = { .strips_options = TCPOPT_HAS_TS | TCPOPT_HAS_WSCALE };
    const Packet *syn = syn_through(b, &params);

    g_assert_cmpuint(syn->tcp.options, ==, TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK);
    g_assert_cmpuint(syn->ip.total_len, ==, 48);
    g_assert_cmpuint(net_bench_count_reason(b, "middlebox strips TCP options"), ==, 1);
}

static void
middlebox_clamps_the_mss(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    MiddleboxParams params = { .clamps_mss_to_mtu = true };

    net_bench_set_mtu(b, 1, 1400);
    g_assert_cmpuint(syn_through(b, &params)->tcp.mss, ==, 1360);
}

static void
middlebox_never_raises_the_mss(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    MiddleboxParams params = { .clamps_mss = 8000 };

    g_assert_cmpuint(syn_through(b, &params)->tcp.mss, ==, 1460);
}

static void
middlebox_clears_df_and_ecn(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    MiddleboxParams params = { .clears_df = true, .clears_ecn = true };
    const Packet *syn = syn_through(b, &params);

    g_assert_false(syn->ip.df);
    g_assert_cmpuint(syn->ip.tos, ==, 0);
}

static void
middlebox_drops_icmp_errors_but_not_echo(void)
{
    g_autoptr(NetBench) b = net_bench_chain(2);
    MiddleboxParams params = { .drops_icmp_errors = true };

    middlebox_attach(box_of(b), &params);
    net_bench_set_mtu(b, 2, 1000);
    Packet *packet = net_bench_datagram(b, b->b_addr, 1400);
    packet->ip.df = true;
    ip_output(b->a, packet);
    icmp_send_echo(b->a, b->b_addr, 1, 1, 8);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count_reason(b, "middlebox drops ICMP errors"), ==, 1);
    g_assert_cmpuint(net_bench_count(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP), ==, 1);
}

static void
middlebox_drops_fragments(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    MiddleboxParams params = { .drops_fragments = true };

    middlebox_attach(box_of(b), &params);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 4000));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count_reason(b, "middlebox drops fragments"), ==, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(nat_shows_its_own_address_and_finds_the_way_back);
    ADD(nat_mapping_does_not_depend_on_the_peer);
    ADD(nat_without_a_free_port_drops);
    ADD(nat_forgets_a_silent_mapping);
    ADD(nat_quotes_what_it_translated_as_it_came);
    ADD(nat_forwards_a_port_for_ever);
    ADD(nat_translates_what_errors_quote);
    ADD(nat_translates_echo);
    ADD(nat_joins_fragments_first);
    ADD(firewall_lets_the_inside_open_only);
    ADD(firewall_lets_the_outside_open_to_allowed_ports);
    ADD(firewall_forgets_an_idle_connection);
    ADD(firewall_that_rejects_answers_with_rst);
    ADD(firewall_lets_errors_about_what_passed_through);
    ADD(firewall_with_a_full_table_refuses_new_ones);
    ADD(middlebox_strips_options);
    ADD(middlebox_clamps_the_mss);
    ADD(middlebox_never_raises_the_mss);
    ADD(middlebox_clears_df_and_ecn);
    ADD(middlebox_drops_icmp_errors_but_not_echo);
    ADD(middlebox_drops_fragments);
    return g_test_run();
}
