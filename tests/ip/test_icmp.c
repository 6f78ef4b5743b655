/* ICMP: echo, what errors are sent about and how often, what they mean. */
#include <errno.h>

#include "models/ip/ip_internal.h"
#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/ip/icmp/" #claim, claim)

/* How many errors arrived at a. */
static unsigned
errors_at_a(const NetBench *b)
{
    return net_bench_count(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP);
}

/* RFC 1122 §3.2.2.6: same id, sequence number and data. */
static void
echo_is_answered_with_its_own_data(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    icmp_send_echo(b->a, b->b_addr, 7, 3, 56);
    net_bench_run(b, 1 * SIM_SEC);
    const NetBenchEvent *request = net_bench_nth(b, b->a, PACKET_EVENT_SENT, IP_PROTO_ICMP, 1);
    const NetBenchEvent *reply = net_bench_nth(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP, 1);
    g_assert_nonnull(reply);
    g_assert_cmpuint(reply->packet.icmp.type, ==, ICMP_ECHO_REPLY);
    g_assert_cmpuint(reply->packet.icmp.id, ==, 7);
    g_assert_cmpuint(reply->packet.icmp.seq, ==, 3);
    g_assert_cmpuint(reply->packet.payload.len, ==, 56);
    g_assert_cmpuint(reply->packet.payload.stream, ==, request->packet.payload.stream);
    g_assert_cmpuint(b->b->mib[MIB_IcmpInEchos], ==, 1);
    g_assert_cmpuint(b->a->mib[MIB_IcmpInEchoReps], ==, 1);
}

static void
large_echo_goes_and_returns_in_fragments(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    icmp_send_echo(b->a, b->b_addr, 7, 3, 4000);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count(b, b->a, PACKET_EVENT_SENT, IP_PROTO_ICMP), ==, 3);
    g_assert_cmpuint(
        net_bench_nth(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP, 1)->packet.payload.len, ==,
        4000);
}

/* RFC 1812 §4.3.2.3: as much of the packet as fits into 576 bytes; fact 74. */
static void
error_quotes_548_bytes_with_tos_c0(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    ip_output(b->a, net_bench_datagram(b, b->b_addr, 1400));
    net_bench_run(b, 1 * SIM_SEC);
    const NetBenchEvent *error = net_bench_nth(b, b->b, PACKET_EVENT_SENT, IP_PROTO_ICMP, 1);
    g_assert_nonnull(error);
    g_assert_cmpuint(error->packet.ip.total_len, ==, 576);
    g_assert_cmpuint(error->packet.ip.tos, ==, 0xc0);
    g_assert_false(error->packet.ip.df);
    g_assert_cmpuint(error->packet.icmp.quoted_len, ==, 548);
    g_assert_cmpuint(error->packet.icmp.quoted_ip.total_len, ==, 1428);
    g_assert_cmpuint(error->packet.icmp.quoted_dport, ==, 2000);
}

static void
short_packet_is_quoted_whole(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    ip_output(b->a, net_bench_datagram(b, b->b_addr, 10));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(
        net_bench_nth(b, b->b, PACKET_EVENT_SENT, IP_PROTO_ICMP, 1)->packet.ip.total_len, ==,
        28 + 38);
}

/* RFC 1122 §3.2.2: never about an ICMP error. */
static void
no_error_about_an_error(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    Packet *packet = packet_new(&b->net->packets);

    packet->ip.dst = net_bench_addr("192.0.2.1"); /* the router knows no such */
    packet->ip.proto = IP_PROTO_ICMP;
    packet->icmp = (IcmpHeader){ .type = ICMP_UNREACHABLE, .code = 1, .quoted_len = 28 };
    packet->icmp.quoted_ip =
        (IpHeader){ .src = b->a_addr, .dst = b->b_addr, .proto = IP_PROTO_UDP, .total_len = 28 };
    packet_finish_lengths(packet);
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(errors_at_a(b), ==, 0);
    icmp_send_echo(b->a, net_bench_addr("192.0.2.1"), 1, 1, 8); /* a query is no error */
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(errors_at_a(b), ==, 1);
}

/* RFC 1122 §3.2.2: only about the first fragment. */
static void
one_error_about_a_datagram_in_fragments(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    ip_output(b->a, net_bench_datagram(b, net_bench_addr("192.0.2.1"), 4000));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count_reason(b, "no route"), ==, 3);
    g_assert_cmpuint(errors_at_a(b), ==, 1);
}

static void
no_error_to_or_about_addresses_that_are_no_single_host(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    Packet *packet = net_bench_datagram(b, b->b_addr, 10);

    packet->ip.src = net_bench_addr("224.0.0.1");
    ip_output(b->a, packet);
    packet = net_bench_datagram(b, b->b_addr, 10);
    packet->ip.src = net_bench_addr("255.255.255.255");
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(b->b->mib[MIB_UdpNoPorts], ==, 2);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutMsgs], ==, 0);
}

static void
send_every_100ms(NetBench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ip_output(b->a, net_bench_datagram(b, b->b_addr, 10));
        net_bench_run(b, 100 * SIM_MS);
    }
}

/* net.ipv4.icmp_ratelimit: six saved up, then one a second. */
static void
six_errors_at_once_then_one_a_second(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    for (unsigned i = 0; i < 20; i++)
        ip_output(b->a, net_bench_datagram(b, b->b_addr, 10));
    net_bench_run(b, 900 * SIM_MS);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutDestUnreachs], ==, 6);
    send_every_100ms(b, 30);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutDestUnreachs], ==, 9);
}

static void
rate_limit_of_zero_is_none(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    ip_params(b->b)->icmp_ratelimit_ms = 0;
    for (unsigned i = 0; i < 20; i++)
        ip_output(b->a, net_bench_datagram(b, b->b_addr, 10));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutDestUnreachs], ==, 20);
}

static void
types_out_of_the_mask_are_not_limited(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    ip_params(b->b)->icmp_ratemask = 0;
    for (unsigned i = 0; i < 20; i++)
        ip_output(b->a, net_bench_datagram(b, b->b_addr, 10));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutDestUnreachs], ==, 20);
}

static void
global_limit_counts_all_destinations(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    ip_params(b->b)->icmp_msgs_per_sec = 10;
    ip_params(b->b)->icmp_msgs_burst = 10;
    for (unsigned i = 0; i < 50; i++) {
        Packet *packet = net_bench_datagram(b, b->b_addr, 10);

        packet->ip.src = ip_addr_v4(0xc0000200 + i);
        ip_output(b->a, packet);
    }
    net_bench_run(b, 50 * SIM_MS);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutDestUnreachs], ==, 10);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutRateLimitGlobal], ==, 40);
}

/* Path MTU discovery would starve otherwise. */
static void
fragmentation_needed_is_never_limited(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    net_bench_set_mtu(b, 1, 1000);
    for (unsigned i = 0; i < 20; i++) {
        Packet *packet = net_bench_datagram(b, b->b_addr, 1400);

        packet->ip.df = true;
        ip_output(b->a, packet);
    }
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(errors_at_a(b), ==, 20);
    g_assert_cmpuint(
        net_bench_nth(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP, 1)->packet.icmp.mtu, ==, 1000);
}

static void
silent_host_sends_no_errors(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    ip_params(b->b)->icmp_errors = 0;
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 10));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutMsgs], ==, 0);
}

static void
broken_icmp_is_counted_and_dropped(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    Packet *packet = packet_new(&b->net->packets);

    packet->flags |= PACKET_BAD_CHECKSUM;
    packet->ip.dst = b->b_addr;
    packet->ip.proto = IP_PROTO_ICMP;
    packet->icmp = (IcmpHeader){ .type = ICMP_ECHO };
    packet_finish_lengths(packet);
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(b->b->mib[MIB_IcmpInCsumErrors], ==, 1);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutEchoReps], ==, 0);
}

/* Fact 96, and RFC 1122 §4.2.3.9 for what is hard. */
static void
each_code_has_its_errno(void)
{
    static const struct {
        uint8_t type, code;
        int error;
        bool is_hard;
    } expected[] = {
        { 3, 0, ENETUNREACH, false },
        { 3, 1, EHOSTUNREACH, false },
        { 3, 2, ENOPROTOOPT, true },
        { 3, 3, ECONNREFUSED, true },
        { 3, 4, EMSGSIZE, false },
        { 3, 13, EHOSTUNREACH, true },
        { 11, 0, EHOSTUNREACH, false },
        { 12, 0, EPROTO, true },
        { 4, 0, 0, false },
        { 3, 16, 0, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        IcmpError error = { .type = expected[i].type, .code = expected[i].code };
        bool is_hard;

        g_assert_cmpint(icmp_error_errno(&error, &is_hard), ==, expected[i].error);
        g_assert_true(is_hard == expected[i].is_hard);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(echo_is_answered_with_its_own_data);
    ADD(large_echo_goes_and_returns_in_fragments);
    ADD(error_quotes_548_bytes_with_tos_c0);
    ADD(short_packet_is_quoted_whole);
    ADD(no_error_about_an_error);
    ADD(one_error_about_a_datagram_in_fragments);
    ADD(no_error_to_or_about_addresses_that_are_no_single_host);
    ADD(six_errors_at_once_then_one_a_second);
    ADD(rate_limit_of_zero_is_none);
    ADD(types_out_of_the_mask_are_not_limited);
    ADD(global_limit_counts_all_destinations);
    ADD(fragmentation_needed_is_never_limited);
    ADD(silent_host_sends_no_errors);
    ADD(broken_icmp_is_counted_and_dropped);
    ADD(each_code_has_its_errno);
    return g_test_run();
}
