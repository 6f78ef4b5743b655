/* The routing table and the routes computed from the topology. */
#include <errno.h>

#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/ip/route/" #claim, claim)

static const Iface *
iface_of(Host *host, unsigned i)
{
    return host->ifaces->pdata[i];
}

/* a has two links, to b (10.0.0.2) and to c (10.9.0.2). */
static NetBench *
two_links(Host **c)
{
    NetBench *b = net_bench_pair();

    *c = net_bench_host(b, "c", false);
    net_bench_link(b, b->a, "10.9.0.1/24", *c, "10.9.0.2/24");
    return b;
}

static void
connected_networks_need_no_route(void)
{
    Host *c;
    g_autoptr(NetBench) b = two_links(&c);
    IpAddr src;

    g_assert_cmpint(ip_source_for(b->a, net_bench_addr("10.9.0.77"), &src), ==, 0);
    g_assert_true(ip_addr_equal(src, net_bench_addr("10.9.0.1")));
}

static void
longest_prefix_wins(void)
{
    Host *c;
    g_autoptr(NetBench) b = two_links(&c);
    IpAddr src, to_b = iface_of(b->a, 0)->addr, to_c = iface_of(b->a, 1)->addr;

    ip_add_route(b->a, net_bench_addr("192.0.2.0"), 24, b->b_addr, NULL);
    ip_add_route(b->a, net_bench_addr("192.0.2.128"), 25, net_bench_addr("10.9.0.2"), NULL);
    g_assert_cmpint(ip_source_for(b->a, net_bench_addr("192.0.2.1"), &src), ==, 0);
    g_assert_true(ip_addr_equal(src, to_b));
    g_assert_cmpint(ip_source_for(b->a, net_bench_addr("192.0.2.200"), &src), ==, 0);
    g_assert_true(ip_addr_equal(src, to_c));
}

static void
later_static_route_replaces_the_earlier(void)
{
    Host *c;
    g_autoptr(NetBench) b = two_links(&c);
    IpAddr src, dst = net_bench_addr("192.0.2.1");

    ip_add_route(b->a, dst, 32, b->b_addr, NULL);
    g_assert_cmpint(ip_source_for(b->a, dst, &src), ==, 0);
    ip_add_route(b->a, dst, 32, net_bench_addr("10.9.0.2"), NULL);
    g_assert_cmpint(ip_source_for(b->a, dst, &src), ==, 0);
    g_assert_true(ip_addr_equal(src, iface_of(b->a, 1)->addr));
}

/* Fact 98. */
static void
no_route_is_enetunreach(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    IpAddr dst = net_bench_addr("192.0.2.1");

    g_assert_cmpint(ip_route_check(b->a, dst), ==, 0);
    ip_del_route(b->a, IP_ADDR_ANY, 0);
    g_assert_cmpint(ip_route_check(b->a, dst), ==, -ENETUNREACH);
    g_assert_cmpint(ip_output(b->a, net_bench_datagram(b, dst, 10)), ==, -ENETUNREACH);
    g_assert_cmpuint(b->a->mib[MIB_IpOutNoRoutes], ==, 1);
    g_assert_cmpint(ip_route_check(b->a, b->b_addr), ==, 0);
}

static void
unreachable_route_is_ehostunreach(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    IpAddr dst = net_bench_addr("192.0.2.1");

    ip_add_unreachable(b->a, net_bench_addr("192.0.2.0"), 24);
    g_assert_cmpint(ip_route_check(b->a, dst), ==, -EHOSTUNREACH);
    g_assert_cmpint(ip_output(b->a, net_bench_datagram(b, dst, 10)), ==, -EHOSTUNREACH);
}

static void
interface_that_is_down_has_no_routes(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    g_assert_cmpint(ip_route_check(b->a, b->b_addr), ==, 0);
    ((Iface *)b->a->ifaces->pdata[0])->is_up = false;
    g_assert_cmpint(ip_route_check(b->a, b->b_addr), ==, -ENETUNREACH);
}

/* A square with a diagonal: r1-r2-r4, r1-r3-r4 and then r1-r4. */
static void
shortest_path_is_taken_and_ties_go_to_the_older_link(void)
{
    g_autoptr(NetBench) b = net_bench_new();
    Host *r[5], *a = net_bench_host(b, "a", false), *z = net_bench_host(b, "z", false);
    IpAddr to_z = net_bench_addr("10.9.0.2"), src;

    for (unsigned i = 1; i <= 4; i++) {
        g_autofree char *name = g_strdup_printf("r%u", i);
        r[i] = net_bench_host(b, name, true);
    }
    net_bench_link(b, a, "10.8.0.1/24", r[1], "10.8.0.2/24");
    net_bench_link(b, r[1], "10.0.12.1/24", r[2], "10.0.12.2/24");
    net_bench_link(b, r[1], "10.0.13.1/24", r[3], "10.0.13.2/24");
    net_bench_link(b, r[2], "10.0.24.1/24", r[4], "10.0.24.2/24");
    net_bench_link(b, r[3], "10.0.34.1/24", r[4], "10.0.34.2/24");
    net_bench_link(b, r[4], "10.9.0.1/24", z, "10.9.0.2/24");
    g_assert_cmpint(ip_source_for(r[1], to_z, &src), ==, 0);
    g_assert_true(ip_addr_equal(src, net_bench_addr("10.0.12.1")));
    /* a link made later is taken into account */
    net_bench_link(b, r[1], "10.0.14.1/24", r[4], "10.0.14.2/24");
    g_assert_cmpint(ip_source_for(r[1], to_z, &src), ==, 0);
    g_assert_true(ip_addr_equal(src, net_bench_addr("10.0.14.1")));
}

static void
paths_never_lead_through_hosts_that_do_not_forward(void)
{
    g_autoptr(NetBench) b = net_bench_new();
    Host *r = net_bench_host(b, "r", true), *mid = net_bench_host(b, "mid", false),
         *z = net_bench_host(b, "z", false);
    Host *other = net_bench_host(b, "other", false);

    net_bench_link(b, r, "10.0.0.1/24", mid, "10.0.0.2/24");
    net_bench_link(b, mid, "10.0.1.1/24", z, "10.0.1.2/24");
    net_bench_link(b, r, "10.0.2.1/24", other, "10.0.2.2/24");
    g_assert_cmpint(ip_route_check(r, net_bench_addr("10.0.1.2")), ==, -ENETUNREACH);
    g_assert_cmpint(ip_route_check(r, net_bench_addr("10.0.1.1")), ==,
                    0); /* an address of mid itself */
}

/* Both ends of a line of routers may stand in the same network number. */
static void
same_network_on_both_sides_of_a_router_works(void)
{
    g_autoptr(NetBench) b = net_bench_new();
    Host *a = net_bench_host(b, "a", false), *r = net_bench_host(b, "r", true),
         *z = net_bench_host(b, "z", false);
    UdpSock *sock = net_bench_receiver(z);

    net_bench_link(b, a, "10.0.0.1/24", r, "10.0.0.253/24");
    net_bench_link(b, r, "10.0.0.254/24", z, "10.0.0.2/24");
    ip_output(a, net_bench_datagram(b, net_bench_addr("10.0.0.2"), 50));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, 50);
    udp_close(sock);
}

/* More destinations than the cache holds at first. */
static void
a_thousand_neighbours_are_all_reached(void)
{
    g_autoptr(NetBench) b = net_bench_new();
    Host *r = net_bench_host(b, "r", true);

    for (unsigned i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("h%u", i);
        g_autofree char *left = g_strdup_printf("10.%u.%u.1/24", 1 + i / 250, i % 250);
        g_autofree char *right = g_strdup_printf("10.%u.%u.2/24", 1 + i / 250, i % 250);

        net_bench_link(b, r, left, net_bench_host(b, name, false), right);
    }
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 1000; i++) {
            IpAddr dst = ip_addr_v4(0x0a000002 + ((1 + i / 250) << 16) + (i % 250 << 8)), src;

            g_assert_cmpint(ip_source_for(r, dst, &src), ==, 0);
            g_assert_cmpuint(src.lo, ==, dst.lo - 1);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(connected_networks_need_no_route);
    ADD(longest_prefix_wins);
    ADD(later_static_route_replaces_the_earlier);
    ADD(no_route_is_enetunreach);
    ADD(unreachable_route_is_ehostunreach);
    ADD(interface_that_is_down_has_no_routes);
    ADD(shortest_path_is_taken_and_ties_go_to_the_older_link);
    ADD(paths_never_lead_through_hosts_that_do_not_forward);
    ADD(same_network_on_both_sides_of_a_router_works);
    ADD(a_thousand_neighbours_are_all_reached);
    return g_test_run();
}
