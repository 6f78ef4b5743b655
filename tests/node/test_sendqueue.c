/* The queue between a host's IP and its own interface. */
#include "models/node/sendqueue.h"

#include "tests/support/wirebench.h"

#define FULL "the host's own send queue is full"

/* A card of 1 Mbit/s: 125 bytes take a millisecond. */
static WireBench *
queue_bench(uint32_t limit)
{
    LinkParams params = link_params_default();
    params.delay = 0;
    WireBench *bench = wire_bench_new(&params);

    iface_set_send_queue(bench->a, &(SendQueueParams){ .rate = 1000000, .limit_packets = limit });
    return bench;
}

static int
offer(WireBench *bench, uint16_t flags)
{
    Packet *packet = wire_bench_packet(bench, 125);

    packet->flags |= flags;
    return iface_send(bench->a, packet);
}

static void
the_card_takes_a_packet_when_the_one_before_has_gone(void)
{
    g_autoptr(WireBench) bench = queue_bench(10);

    for (int i = 0; i < 3; i++)
        g_assert_cmpint(offer(bench, 0), ==, 0);
    g_assert_cmpuint(iface_send_queue_length(bench->a), ==, 2);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2 3");
    g_assert_cmpint(bench->arrived[0].at, ==, 0);
    g_assert_cmpint(bench->arrived[1].at, ==, SIM_MS);
    g_assert_cmpint(bench->arrived[2].at, ==, 2 * SIM_MS);
}

static void
without_a_rate_the_card_is_as_fast_as_the_link(void)
{
    LinkParams params = link_params_default();
    params.delay = 0;
    params.rate = 1000000;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    iface_set_send_queue(bench->a, &(SendQueueParams){ .limit_packets = 10 });
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(offer(bench, 0), ==, 0);
    g_assert_cmpuint(iface_send_queue_length(bench->a), ==, 2);
    g_assert_cmpuint(link_queue_packets(bench->link, 0), ==, 0); /* nothing waits there */
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[2].at, ==, 3 * SIM_MS);
}

static void
what_has_no_room_is_refused_and_the_sender_told(void)
{
    g_autoptr(WireBench) bench = queue_bench(1);

    g_assert_cmpint(offer(bench, 0), ==, 0); /* with the card */
    g_assert_cmpint(offer(bench, 0), ==, 0); /* waits */
    g_assert_cmpint(offer(bench, 0), ==, IFACE_REFUSED);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 2);
    wire_bench_expect_dropped(bench, FULL, 1);
}

static void
a_limit_of_zero_refuses_all(void)
{
    g_autoptr(WireBench) bench = queue_bench(0);

    g_assert_cmpint(offer(bench, 0), ==, IFACE_REFUSED);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 0);
}

static void
a_burst_is_one_entry_taken_whole_or_refused_whole(void)
{
    g_autoptr(WireBench) bench = queue_bench(1);

    g_assert_cmpint(offer(bench, 0), ==, 0); /* with the card */
    g_assert_cmpint(offer(bench, 0), ==, 0);
    g_assert_cmpint(offer(bench, PACKET_BURST_REST), ==, 0);
    g_assert_cmpint(offer(bench, PACKET_BURST_REST), ==, 0);
    g_assert_cmpuint(iface_send_queue_length(bench->a), ==, 1);
    g_assert_cmpint(offer(bench, 0), ==, IFACE_REFUSED);
    g_assert_cmpint(offer(bench, PACKET_BURST_REST), ==, IFACE_REFUSED);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 4);
}

static void
count_queued(Host *host, const SentPacket *packet, bool is_new)
{
    int *queued = (int *)host->tcp;

    g_assert_cmpuint(packet->payload_len, ==, 125 - 28);
    *queued += is_new ? 1 : -1;
}

static void
the_transport_hears_what_comes_into_it_and_what_leaves(void)
{
    g_autoptr(WireBench) bench = queue_bench(10);
    int queued = 0;

    bench->a->host->tcp = (TcpStack *)&queued; /* a host without TCP */
    bench->a->host->on_send_queue = count_queued;
    for (int i = 0; i < 3; i++)
        offer(bench, 0);
    g_assert_cmpint(queued, ==, 3);
    sim_run(bench->sim, SIM_MS);
    g_assert_cmpint(queued, ==, 2);
    wire_bench_run(bench);
    g_assert_cmpint(queued, ==, 0);
}

static void
taking_it_away_loses_what_waits_and_tells_of_it(void)
{
    g_autoptr(WireBench) bench = queue_bench(10);
    int queued = 0;

    bench->a->host->tcp = (TcpStack *)&queued;
    bench->a->host->on_send_queue = count_queued;
    for (int i = 0; i < 3; i++)
        offer(bench, 0);
    iface_set_send_queue(bench->a, NULL);
    g_assert_cmpint(queued, ==, 0);
    g_assert_cmpint(offer(bench, 0), ==, 0); /* straight to the link */
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 4");
    wire_bench_expect_dropped(bench, "the host's send queue was taken away", 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/node/sendqueue/" #claim, claim)
    ADD(the_card_takes_a_packet_when_the_one_before_has_gone);
    ADD(without_a_rate_the_card_is_as_fast_as_the_link);
    ADD(what_has_no_room_is_refused_and_the_sender_told);
    ADD(a_limit_of_zero_refuses_all);
    ADD(a_burst_is_one_entry_taken_whole_or_refused_whole);
    ADD(the_transport_hears_what_comes_into_it_and_what_leaves);
    ADD(taking_it_away_loses_what_waits_and_tells_of_it);
#undef ADD
    return g_test_run();
}
