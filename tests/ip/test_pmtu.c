/* The path MTU cache. */
#include <errno.h>

#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/ip/pmtu/" #claim, claim)

static void
unknown_path_has_the_mtu_of_its_interface(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    net_bench_set_mtu(b, 1, 1000); /* nobody told a */
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1500);
    net_bench_set_mtu(b, 0, 1400);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1400);
    g_assert_cmpuint(ip_iface_mtu(b->a, b->b_addr), ==, 1400);
}

/* Fact 69: "mtu 1000 expires 599sec". */
static void
learned_mtu_lasts_600_s(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    ip_pmtu_update(b->a, b->b_addr, 1000);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1000);
    g_assert_cmpuint(ip_iface_mtu(b->a, b->b_addr), ==, 1500);
    net_bench_run(b, 599 * SIM_SEC);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1000);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1500);
}

static void
it_is_of_one_destination(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    ip_pmtu_update(b->a, b->b_addr, 1000);
    g_assert_cmpuint(ip_path_mtu(b->a, net_bench_addr("10.0.1.1")), ==, 1500);
}

/* RFC 1191 §3: a report never raises it. */
static void
report_never_raises_it(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    ip_pmtu_update(b->a, b->b_addr, 1000);
    ip_pmtu_update(b->a, b->b_addr, 1200);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 1000);
    ip_pmtu_update(b->a, b->b_addr, 800);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 800);
    ip_pmtu_update(b->a, b->b_addr, 9000);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 800);
}

/* Fact 70: "mtu lock 552". */
static void
less_than_min_pmtu_locks_it_at_552(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    g_assert_false(ip_pmtu_is_locked(b->a, b->b_addr));
    ip_pmtu_update(b->a, b->b_addr, 300);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 552);
    g_assert_true(ip_pmtu_is_locked(b->a, b->b_addr));
    ip_pmtu_update(b->a, b->b_addr, 552);
    g_assert_true(ip_pmtu_is_locked(b->a, b->b_addr));
    net_bench_run(b, 600 * SIM_SEC);
    g_assert_false(ip_pmtu_is_locked(b->a, b->b_addr));
}

static void
report_of_exactly_min_pmtu_does_not_lock(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    ip_pmtu_update(b->a, b->b_addr, 552);
    g_assert_cmpuint(ip_path_mtu(b->a, b->b_addr), ==, 552);
    g_assert_false(ip_pmtu_is_locked(b->a, b->b_addr));
}

static Packet *
with_df(Packet *packet)
{
    packet->ip.df = true;
    return packet;
}

static void
df_beyond_the_learned_mtu_is_emsgsize(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    ip_pmtu_update(b->a, b->b_addr, 1000);
    g_assert_cmpint(ip_output(b->a, with_df(net_bench_datagram(b, b->b_addr, 972))), ==, 0);
    g_assert_cmpint(ip_output(b->a, with_df(net_bench_datagram(b, b->b_addr, 973))), ==, -EMSGSIZE);
    g_assert_cmpint(ip_output_probe(b->a, with_df(net_bench_datagram(b, b->b_addr, 973))), ==, 0);
    g_assert_cmpint(ip_output_probe(b->a, with_df(net_bench_datagram(b, b->b_addr, 1473))), ==,
                    -EMSGSIZE);
}

static void
without_df_the_sender_cuts_to_the_learned_mtu(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    ip_pmtu_update(b->a, b->b_addr, 1000);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 1400));
    g_assert_cmpuint(net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 1)->packet.ip.total_len, ==, 996);
    g_assert_cmpuint(net_bench_nth(b, b->a, PACKET_EVENT_SENT, 0, 2)->packet.ip.total_len, ==, 452);
}

/* RFC 1191 §4: the router tells the MTU of its next link. */
static void
router_tells_the_mtu_of_the_next_link(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    net_bench_set_mtu(b, 1, 1000);
    ip_output(b->a, with_df(net_bench_datagram(b, b->b_addr, 1400)));
    net_bench_run(b, 1 * SIM_SEC);
    const NetBenchEvent *error = net_bench_nth(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP, 1);
    g_assert_nonnull(error);
    g_assert_cmpuint(error->packet.icmp.type, ==, ICMP_UNREACHABLE);
    g_assert_cmpuint(error->packet.icmp.code, ==, 4);
    g_assert_cmpuint(error->packet.icmp.mtu, ==, 1000);
    g_assert_cmpuint(((Host *)b->routers->pdata[0])->mib[MIB_IpFragFails], ==, 1);
    g_assert_cmpuint(net_bench_count_reason(b, "too big for the next link, DF set"), ==, 1);
}

static void
black_hole_tells_nothing(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);

    net_bench_set_mtu(b, 1, 1000);
    ip_params(b->routers->pdata[0])->icmp_errors = 0;
    ip_output(b->a, with_df(net_bench_datagram(b, b->b_addr, 1400)));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(net_bench_count(b, b->a, PACKET_EVENT_CONSUMED, IP_PROTO_ICMP), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(unknown_path_has_the_mtu_of_its_interface);
    ADD(learned_mtu_lasts_600_s);
    ADD(it_is_of_one_destination);
    ADD(report_never_raises_it);
    ADD(less_than_min_pmtu_locks_it_at_552);
    ADD(report_of_exactly_min_pmtu_does_not_lock);
    ADD(df_beyond_the_learned_mtu_is_emsgsize);
    ADD(without_df_the_sender_cuts_to_the_learned_mtu);
    ADD(router_tells_the_mtu_of_the_next_link);
    ADD(black_hole_tells_nothing);
    return g_test_run();
}
