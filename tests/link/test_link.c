/* A link as its users see it: when packets arrive, in which order, how many. */
#include "tests/support/wirebench.h"

static void
a_packet_takes_transmission_and_propagation(void)
{
    LinkParams params = link_params_default();
    params.rate = 10 * 1000 * 1000;
    params.delay = 5 * SIM_MS;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_send(bench, 1250); /* 10,000 bits: 1 ms */
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 1);
    g_assert_cmpint(bench->arrived[0].at, ==, 6 * SIM_MS);
}

/* Both directions are made alike, and share what says so. */
static void
a_change_of_one_direction_leaves_its_like_alone(void)
{
    LinkParams params = link_params_default();
    params.rate = 10 * 1000 * 1000;
    params.delay = 5 * SIM_MS;
    g_autoptr(WireBench) bench = wire_bench_new(&params);
    LinkParams slower = params;

    slower.rate /= 2;
    link_change(bench->link, 1, &slower);
    slower.delay = 50 * SIM_MS;
    link_change(bench->link, 1, &slower);
    wire_bench_send(bench, 1250);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[0].at, ==, 6 * SIM_MS);

    link_change(bench->link, 0, &slower);
    wire_bench_send(bench, 1250);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[1].at - bench->arrived[0].at, ==, 52 * SIM_MS);
}

static void
packets_wait_for_those_before_them(void)
{
    LinkParams params = link_params_default();
    params.rate = 10 * 1000 * 1000;
    params.delay = 0;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int i = 0; i < 3; i++)
        wire_bench_send(bench, 1250);
    g_assert_cmpuint(link_queue_packets(bench->link, 0), ==, 2);
    g_assert_cmpuint(link_queue_bytes(bench->link, 0), ==, 2500);
    sim_run(bench->sim, SIM_MS);
    g_assert_cmpuint(link_queue_packets(bench->link, 0), ==, 1);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2 3");
    g_assert_cmpint(bench->arrived[2].at, ==, 3 * SIM_MS);
}

static void
a_full_queue_drops_the_newcomer(void)
{
    LinkParams params = link_params_default();
    params.rate = 10 * 1000 * 1000;
    params.queue.limit_packets = 2;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int i = 0; i < 5; i++)
        wire_bench_send(bench, 1250);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2 3"); /* one in transmission, two in the queue */
    wire_bench_expect_dropped(bench, "queue full", 2);
}

static void
a_limit_in_bytes_counts_bytes(void)
{
    LinkParams params = link_params_default();
    params.rate = 10 * 1000 * 1000;
    params.queue.limit_packets = 0;
    params.queue.limit_bytes = 1000;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_send(bench, 1250);
    wire_bench_send(bench, 600);
    wire_bench_send(bench, 600); /* too much */
    wire_bench_send(bench, 400);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2 4");
}

static void
a_fifo_direction_keeps_one_event(void)
{
    LinkParams params = link_params_default();
    params.rate = 10 * 1000 * 1000;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int i = 0; i < 100; i++)
        wire_bench_send(bench, 1250);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 100);
    g_assert_cmpuint(sim_events_run(bench->sim), ==, 100);
}

static void
what_is_larger_than_the_mtu_is_dropped(void)
{
    LinkParams params = link_params_default();
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_send(bench, 1501);
    wire_bench_send(bench, 1500);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "2");
    wire_bench_expect_dropped(bench, "larger than MTU", 1);
}

static void
directions_have_parameters_of_their_own(void)
{
    LinkParams params[2] = { link_params_default(), link_params_default() };
    params[1].delay = 30 * SIM_MS;
    g_autoptr(WireBench) bench = wire_bench_new_asymmetric(params);

    wire_bench_send(bench, 100);
    wire_bench_send_back(bench, 100);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2");
    g_assert_cmpint(bench->arrived[0].at, ==, 10 * SIM_MS);
    g_assert_cmpint(bench->arrived[1].at, ==, 30 * SIM_MS);
}

static void
overhead_takes_time_but_no_mtu(void)
{
    LinkParams params = link_params_default();
    params.rate = 10 * 1000 * 1000;
    params.delay = 0;
    params.overhead = 38;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_send(bench, 1500);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[0].at, ==, 1538 * 800);
}

static void
a_link_that_goes_down_loses_what_is_on_it(void)
{
    LinkParams params = link_params_default();
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_send(bench, 100);
    sim_run(bench->sim, SIM_MS);
    link_set_up(bench->link, false);
    wire_bench_send(bench, 100);
    sim_run(bench->sim, 2 * SIM_MS);
    link_set_up(bench->link, true);
    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "3");
    g_assert_cmpint(bench->arrived[0].at, ==, 12 * SIM_MS);
    wire_bench_expect_dropped(bench, "link down", 2);
}

static void
a_changed_delay_leaves_packets_on_the_way_alone(void)
{
    LinkParams params = link_params_default();
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_send(bench, 100);
    params.delay = 2 * SIM_MS;
    link_change(bench->link, 0, &params);
    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "2 1");
    g_assert_cmpint(bench->arrived[0].at, ==, 2 * SIM_MS);
    g_assert_cmpint(bench->arrived[1].at, ==, 10 * SIM_MS);
}

static void
a_changed_mtu_reaches_the_interface(void)
{
    LinkParams params = link_params_default();
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    params.mtu = 576;
    link_change(bench->link, 0, &params);
    g_assert_cmpuint(link_iface(bench->link, 0)->mtu, ==, 576);
    g_assert_cmpuint(link_iface(bench->link, 1)->mtu, ==, 1500);
}

static void
a_changed_rate_holds_for_later_packets(void)
{
    LinkParams params = link_params_default();
    params.rate = 10 * 1000 * 1000;
    params.delay = 0;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_send(bench, 1250); /* until 1 ms */
    params.rate = 1000 * 1000;
    link_change(bench->link, 0, &params);
    wire_bench_send(bench, 1250); /* 10 ms more */
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[1].at, ==, 11 * SIM_MS);
}

static void
every_packet_ends_in_one_record(void)
{
    LinkParams params = link_params_default();
    params.rate = 1000 * 1000;
    params.queue.limit_packets = 3;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int i = 0; i < 10; i++)
        wire_bench_send(bench, 500);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->events[PACKET_EVENT_SENT], ==, 10);
    g_assert_cmpuint(bench->events[PACKET_EVENT_DELIVERED], ==, 4);
    g_assert_cmpuint(bench->events[PACKET_EVENT_DROPPED], ==, 6);
    g_assert_cmpuint(bench->events[PACKET_EVENT_QUEUED], ==, 3);
    g_assert_cmpuint(bench->net->packets.pool.live, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/link/" #claim, claim)
    ADD(a_packet_takes_transmission_and_propagation);
    ADD(a_change_of_one_direction_leaves_its_like_alone);
    ADD(packets_wait_for_those_before_them);
    ADD(a_full_queue_drops_the_newcomer);
    ADD(a_limit_in_bytes_counts_bytes);
    ADD(a_fifo_direction_keeps_one_event);
    ADD(what_is_larger_than_the_mtu_is_dropped);
    ADD(directions_have_parameters_of_their_own);
    ADD(overhead_takes_time_but_no_mtu);
    ADD(a_link_that_goes_down_loses_what_is_on_it);
    ADD(a_changed_delay_leaves_packets_on_the_way_alone);
    ADD(a_changed_mtu_reaches_the_interface);
    ADD(a_changed_rate_holds_for_later_packets);
    ADD(every_packet_ends_in_one_record);
    return g_test_run();
}
