/* Hosts, interfaces, counters, and the queue of a host that is too slow. */
#include "models/node/node.h"

#include "tests/support/wirebench.h"

static void
counters_are_found_by_either_name(void)
{
    int overflows = mib_find("TcpExtListenOverflows");

    g_assert_cmpint(overflows, ==, MIB_TcpExtListenOverflows);
    g_assert_cmpint(mib_find("ListenOverflows"), ==, overflows);
    g_assert_cmpint(mib_find("NoSuchCounter"), ==, -1);
    g_assert_cmpstr(mib_name((MibCounter)overflows), ==, "TcpExtListenOverflows");
    for (int i = 0; i < MIB_COUNT; i++)
        g_assert_cmpint(mib_find(mib_name((MibCounter)i)), ==, i);
}

static void
on_counter(void *arg, const void *data)
{
    const CounterRecord *record = data;

    if (record->counter == MIB_IpInReceives)
        *(uint64_t *)arg = record->value;
}

static void
counting_tells_the_probe_the_new_value(void)
{
    LinkParams params = link_params_default();
    g_autoptr(WireBench) bench = wire_bench_new(&params);
    uint64_t seen = 0;

    probe_subscribe(&bench->net->probes.counter, on_counter, &seen);
    host_count(bench->a->host, MIB_IpInReceives);
    host_count_n(bench->a->host, MIB_IpInReceives, 4);
    g_assert_cmpuint(seen, ==, 5);
}

static void
a_watched_counter_tells_no_rise_before_its_time_and_keeps_the_last(void)
{
    LinkParams params = link_params_default();
    g_autoptr(WireBench) bench = wire_bench_new(&params);
    Host *host = bench->a->host;
    CounterWatch *watch = host_watch(host, MIB_IpInReceives);
    uint64_t seen = 0;

    probe_subscribe(&bench->net->probes.counter, on_counter, &seen);
    watch->until = SIM_MS;
    host_count(host, MIB_IpInReceives);
    sim_run(bench->sim, SIM_US);
    host_count_n(host, MIB_IpInReceives, 4);
    g_assert_cmpuint(seen, ==, 0);
    g_assert_cmpuint(watch->value, ==, 5);
    g_assert_cmpint(watch->at, ==, SIM_US);
    sim_run(bench->sim, SIM_MS);
    host_count(host, MIB_IpInReceives);
    g_assert_cmpuint(seen, ==, 6);
    watch->until = SIM_NEVER;
    host_unwatch(host);
    host_count(host, MIB_IpInReceives);
    g_assert_cmpuint(seen, ==, 7);
}

static void
hosts_are_found_by_name_and_interfaces_by_address(void)
{
    LinkParams params = link_params_default();
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    g_assert_true(net_find_host(bench->net, "b") == bench->b->host);
    g_assert_null(net_find_host(bench->net, "c"));
    g_assert_true(host_iface_with_addr(bench->a->host, ip_addr_v4(0x0a000001)) == bench->a);
    g_assert_null(host_iface_with_addr(bench->a->host, ip_addr_v4(0x0a000002)));
    g_assert_cmpuint(bench->b->host->id, ==, 2);
}

static void
an_interface_that_is_down_drops_both_ways(void)
{
    LinkParams params = link_params_default();
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    bench->a->is_up = false;
    wire_bench_send(bench, 100);
    wire_bench_send_back(bench, 100);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 0);
    wire_bench_expect_dropped(bench, "interface down", 2);
}

static void
an_interface_without_a_link_drops(void)
{
    LinkParams params = link_params_default();
    g_autoptr(WireBench) bench = wire_bench_new(&params);
    Iface *loose = host_add_iface(bench->a->host, "eth1", ip_addr_v4(0x0a010001), 24, 1500);

    iface_send(loose, wire_bench_packet(bench, 100));
    wire_bench_expect_dropped(bench, "no link", 1);
}

static WireBench *
slow_bench(uint64_t packets_per_s, uint32_t max_backlog)
{
    LinkParams params = link_params_default();
    params.delay = 0;
    WireBench *bench = wire_bench_new(&params);

    host_set_processing_rate(bench->b->host, packets_per_s, max_backlog);
    return bench;
}

static void
a_slow_host_takes_its_time_for_each_packet(void)
{
    g_autoptr(WireBench) bench = slow_bench(1000, 100);

    for (int i = 0; i < 3; i++)
        wire_bench_send(bench, 100);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2 3");
    g_assert_cmpint(bench->arrived[0].at, ==, SIM_MS);
    g_assert_cmpint(bench->arrived[2].at, ==, 3 * SIM_MS);
    g_assert_cmpuint(bench->b->host->mib[MIB_HostBacklogProcessed], ==, 3);
}

/* net.core.netdev_max_backlog: one is worked on, so many wait, the rest is lost. */
/* Linux takes a packet while qlen <= netdev_max_backlog: with a bound of 4 there are 5. */
static void
a_full_backlog_drops(void)
{
    g_autoptr(WireBench) bench = slow_bench(1000, 4);

    for (int i = 0; i < 10; i++)
        wire_bench_send(bench, 100);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2 3 4 5");
    wire_bench_expect_dropped(bench, "backlog full", 5);
    g_assert_cmpuint(bench->b->host->mib[MIB_HostBacklogDrops], ==, 5);
    g_assert_cmpuint(bench->max_queue, ==, 5);
}

static void
a_host_that_becomes_fast_does_all_that_waits(void)
{
    g_autoptr(WireBench) bench = slow_bench(1000, 100);

    for (int i = 0; i < 5; i++)
        wire_bench_send(bench, 100);
    sim_run(bench->sim, SIM_MS);
    host_set_processing_rate(bench->b->host, 0, 0);
    g_assert_cmpuint(bench->n_arrived, ==, 5);
    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2 3 4 5 6");
}

static void
a_rate_that_does_not_divide_a_second_is_kept_exactly(void)
{
    g_autoptr(WireBench) bench = slow_bench(3, 100);

    for (int i = 0; i < 9; i++)
        wire_bench_send(bench, 100);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[8].at, ==, 3 * SIM_SEC);
}

static void
append_x(void *data)
{
    GString **order = data;

    g_string_append(*order, "x");
}

static void
append_y(void *data)
{
    g_string_append(*(GString **)data, "y");
}

static void
modules_are_freed_last_to_first(void)
{
    LinkParams params = link_params_default();
    g_autoptr(GString) order = g_string_new(NULL);
    WireBench *bench = wire_bench_new(&params);

    host_on_free(bench->a->host, append_x, &order);
    host_on_free(bench->a->host, append_y, &order);
    wire_bench_free(bench);
    g_assert_cmpstr(order->str, ==, "yx");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/node/" #claim, claim)
    ADD(counters_are_found_by_either_name);
    ADD(counting_tells_the_probe_the_new_value);
    ADD(a_watched_counter_tells_no_rise_before_its_time_and_keeps_the_last);
    ADD(hosts_are_found_by_name_and_interfaces_by_address);
    ADD(an_interface_that_is_down_drops_both_ways);
    ADD(an_interface_without_a_link_drops);
    ADD(a_slow_host_takes_its_time_for_each_packet);
    ADD(a_full_backlog_drops);
    ADD(a_host_that_becomes_fast_does_all_that_waits);
    ADD(a_rate_that_does_not_divide_a_second_is_kept_exactly);
    ADD(modules_are_freed_last_to_first);
    return g_test_run();
}
