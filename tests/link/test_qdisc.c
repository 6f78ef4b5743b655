/* The queues that decide when a packet leaves, and the rate that is a trace. */
#include "tests/support/wirebench.h"

enum { MBIT = 1000 * 1000 };

static LinkParams
queue_params(QdiscKind kind)
{
    LinkParams params = link_params_default();

    params.rate = 10 * MBIT; /* 1250 bytes a millisecond */
    params.delay = 0;
    params.queue.kind = kind;
    params.queue.tbf_rate = 1 * MBIT;
    params.queue.tbf_burst = 3000;
    params.queue.red_min = 10000;
    params.queue.red_max = 30000;
    return params;
}

static void
every_queue_delivers_all_when_there_is_room(void)
{
    static const QdiscKind kinds[] = { QDISC_FIFO, QDISC_RED, QDISC_CODEL, QDISC_FQ_CODEL,
                                       QDISC_TBF };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        LinkParams params = queue_params(kinds[i]);
        g_autoptr(WireBench) bench = wire_bench_new(&params);

        for (int n = 0; n < 4; n++)
            wire_bench_send(bench, 1250);
        g_assert_cmpuint(link_queue_packets(bench->link, 0) + (kinds[i] == QDISC_TBF ? 1 : 0), >=,
                         3);
        wire_bench_run(bench);
        wire_bench_expect_order(bench, "1 2 3 4");
        g_assert_cmpuint(link_queue_packets(bench->link, 0), ==, 0);
        g_assert_cmpuint(link_queue_bytes(bench->link, 0), ==, 0);
        if (kinds[i] != QDISC_TBF)
            g_assert_cmpint(bench->arrived[3].at, ==, 4 * SIM_MS);
        g_assert_cmpuint(bench->net->packets.pool.live, ==, 0);
    }
}

static void
a_queue_is_emptied_when_the_link_goes_down(void)
{
    static const QdiscKind kinds[] = { QDISC_RED, QDISC_CODEL, QDISC_FQ_CODEL, QDISC_TBF };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        LinkParams params = queue_params(kinds[i]);
        g_autoptr(WireBench) bench = wire_bench_new(&params);

        for (int n = 0; n < 8; n++)
            wire_bench_send(bench, 1250);
        sim_run(bench->sim, SIM_US);
        link_set_up(bench->link, false);
        g_assert_cmpuint(bench->net->packets.pool.live, ==, 0);
        sim_run(bench->sim, SIM_SEC);
        link_set_up(bench->link, true);
        uint32_t before = bench->n_arrived;
        wire_bench_send(bench, 1250);
        wire_bench_run(bench);
        g_assert_cmpuint(bench->n_arrived, ==, before + 1);
    }
}

static void
a_changed_queue_keeps_what_waits(void)
{
    LinkParams params = queue_params(QDISC_CODEL);
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 5; n++)
        wire_bench_send(bench, 1250);
    params.queue.kind = QDISC_FIFO;
    link_change(bench->link, 0, &params);
    wire_bench_send(bench, 1250);
    params.queue.kind = QDISC_TBF;
    link_change(bench->link, 0, &params);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2 3 4 5 6");
}

static void
token_bucket_lets_a_burst_pass_and_then_its_rate(void)
{
    LinkParams params = queue_params(QDISC_TBF);
    params.rate = 0;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 5; n++)
        wire_bench_send(bench, 1000);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[2].at, ==, 0); /* 3000 bytes at once */
    g_assert_cmpint(bench->arrived[3].at, ==, 8 * SIM_MS);
    g_assert_cmpint(bench->arrived[4].at, ==, 16 * SIM_MS);
}

static void
token_bucket_keeps_no_more_than_its_burst(void)
{
    LinkParams params = queue_params(QDISC_TBF);
    params.rate = 0;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    sim_run(bench->sim, 100 * SIM_SEC);
    for (int n = 0; n < 4; n++)
        wire_bench_send(bench, 1000);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[3].at, ==, 100 * SIM_SEC + 8 * SIM_MS);
}

static void
policer_drops_what_finds_no_token(void)
{
    LinkParams params = queue_params(QDISC_TBF);
    params.queue.tbf_polices = true;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 5; n++) /* a burst of 3000 bytes has room for three */
        wire_bench_send(bench, 1000);
    sim_run(bench->sim, 8 * SIM_MS); /* the tokens of one more */
    wire_bench_send(bench, 1000);
    wire_bench_send(bench, 1000);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2 3 6");
    wire_bench_expect_dropped(bench, "policed: no tokens", 3);
    g_assert_cmpint(bench->arrived[2].at, ==, 2400 * SIM_US); /* at the link's rate */
}

/* An overload of a tenth. A FIFO fills up; CoDel brings the delay back to its target. */
static void
codel_bounds_a_standing_queue(void)
{
    LinkParams params = queue_params(QDISC_FIFO);
    g_autoptr(WireBench) fifo = wire_bench_new(&params);
    params.queue.kind = QDISC_CODEL;
    g_autoptr(WireBench) codel = wire_bench_new(&params);

    wire_bench_stream(fifo, 8000, 1250, 900 * SIM_US);
    wire_bench_stream(codel, 8000, 1250, 900 * SIM_US);
    g_assert_cmpint(fifo->max_sojourn, >, 700 * SIM_MS);
    g_assert_cmpint(codel->max_sojourn, <, 200 * SIM_MS);
    g_assert_cmpuint(codel->n_arrived, <, 8000);
    g_assert_cmpuint(codel->n_arrived, >, 6500);
}

static void
codel_leaves_a_short_burst_alone(void)
{
    LinkParams params = queue_params(QDISC_CODEL);
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 80; n++) /* 80 ms of queue: shorter than an interval */
        wire_bench_send(bench, 1250);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 80);
}

static uint64_t
send_ect(WireBench *bench)
{
    Packet *packet = wire_bench_packet(bench, 1250);
    uint64_t id = packet->id;

    packet->ip.tos |= ECN_ECT0;
    iface_send(bench->a, packet);
    return id;
}

static void
stream_ect(WireBench *bench, uint32_t count, SimTime gap)
{
    for (uint32_t i = 0; i < count; i++) {
        sim_run(bench->sim, i * gap);
        send_ect(bench);
    }
    wire_bench_run(bench);
}

static void
ecn_marks_instead_of_dropping(void)
{
    static const QdiscKind kinds[] = { QDISC_RED, QDISC_CODEL, QDISC_FQ_CODEL };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        LinkParams params = queue_params(kinds[i]);
        params.queue.ecn = true;
        params.queue.limit_packets = 0;
        g_autoptr(WireBench) bench = wire_bench_new(&params);

        stream_ect(bench, 2000, 900 * SIM_US);
        uint64_t marked = 0;
        for (uint32_t n = 0; n < bench->n_arrived; n++)
            marked += (bench->arrived[n].ip.tos & ECN_MASK) == ECN_CE;
        g_assert_cmpuint(bench->n_arrived, ==, 2000);
        g_assert_cmpuint(marked, >, 0);
        g_assert_cmpuint(marked, ==, bench->events[PACKET_EVENT_MARKED]);
    }
}

static void
ecn_does_not_mark_what_is_not_capable(void)
{
    LinkParams params = queue_params(QDISC_CODEL);
    params.queue.ecn = true;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 2000, 1250, 900 * SIM_US);
    g_assert_cmpuint(bench->events[PACKET_EVENT_MARKED], ==, 0);
    g_assert_cmpuint(bench->events[PACKET_EVENT_DROPPED], >, 0);
}

static void
red_drops_before_the_queue_is_full(void)
{
    LinkParams params = queue_params(QDISC_RED);
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 5000, 1250, 800 * SIM_US);
    wire_bench_expect_dropped(bench, "queue full", 0);
    g_assert_cmpuint(bench->events[PACKET_EVENT_DROPPED], >, 100);
    g_assert_cmpuint(bench->max_queue, <, 100);
}

/* With a weight of one the average is the queue itself, as a packet finds it:
 * 24 packets of 1250 bytes make the maximum of 30,000. */
static LinkParams
red_by_the_queue_itself(double probability)
{
    LinkParams params = queue_params(QDISC_RED);

    params.queue.red_weight = 1;
    params.queue.red_probability = probability;
    return params;
}

static void
red_below_its_minimum_drops_nothing(void)
{
    LinkParams params = red_by_the_queue_itself(1);
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 9; n++) /* one is sent, the last finds seven: 8750 bytes */
        wire_bench_send(bench, 1250);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 9);
}

static void
red_above_its_maximum_drops_everything(void)
{
    LinkParams params = red_by_the_queue_itself(0);
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 40; n++)
        wire_bench_send(bench, 1250);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 25);
    wire_bench_expect_dropped(bench, "RED above maximum", 15);
}

/* Floyd and Jacobson 1993: at a chance of p the gap between two drops is
 * uniform from 1 to 1/p, so that one of every 1/p is dropped at the latest. */
static void
red_spreads_its_drops(void)
{
    LinkParams params = red_by_the_queue_itself(0.1);
    params.queue.red_min = 0;
    params.queue.red_max = 2500; /* two wait: a chance of a tenth; one: a twentieth */
    g_autoptr(WireBench) bench = wire_bench_new(&params);
    uint64_t last = 0, longest = 0;

    wire_bench_stream(bench, 5000, 1250, 950 * SIM_US);
    for (uint32_t i = 0; i < bench->n_arrived; i++) {
        if (i > 0 && bench->arrived[i].id != bench->arrived[i - 1].id + 1) {
            longest = MAX(longest, bench->arrived[i].id - last);
            last = bench->arrived[i].id;
        }
    }
    g_assert_cmpuint(bench->events[PACKET_EVENT_DROPPED], >, 200);
    g_assert_cmpuint(longest, <=, 41); /* two gaps of the lower chance at most */
}

static void
red_average_decays_while_nothing_waits(void)
{
    LinkParams params = queue_params(QDISC_RED);
    params.queue.red_weight = 0.1;
    params.queue.red_min = 2000;
    params.queue.red_max = 4000;
    params.queue.red_probability = 1;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 8; n++) /* the average rises to 3200 */
        wire_bench_send(bench, 1250);
    uint64_t dropped = bench->events[PACKET_EVENT_DROPPED];
    for (int n = 0; n < 4; n++)
        wire_bench_send(bench, 1250);
    g_assert_cmpuint(bench->events[PACKET_EVENT_DROPPED], >, dropped); /* it remembers */
    sim_run(bench->sim, SIM_SEC);
    dropped = bench->events[PACKET_EVENT_DROPPED];
    for (int n = 0; n < 3; n++)
        wire_bench_send(bench, 1250);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->events[PACKET_EVENT_DROPPED], ==, dropped); /* and forgets */
}

/* RFC 8289 §4.3: the first drop after an interval above the target, the next
 * after another, then after interval / sqrt(2), sqrt(3), ... */
static void
codel_drops_come_faster_with_the_root_of_their_number(void)
{
    static const SimTime gaps[] = { 100000, 70711, 57735, 50000, 44721 }; /* us */
    LinkParams params = queue_params(QDISC_CODEL);
    SimTime last = 0;
    unsigned n = 0;

    params.queue.limit_packets = 0;
    g_autoptr(WireBench) bench = wire_bench_new(&params);
    wire_bench_stream(bench, 3000, 1250, 500 * SIM_US); /* twice the rate: it never gets better */
    for (uint32_t i = 1; i < bench->n_arrived && n <= G_N_ELEMENTS(gaps); i++) {
        if (bench->arrived[i].id == bench->arrived[i - 1].id + 1)
            continue;
        /* It left instead of one that was dropped as it began to be sent. */
        SimTime at = bench->arrived[i].at - SIM_MS;
        if (n == 0)
            g_assert_cmpint(at, >=, 100 * SIM_MS);
        else
            g_assert_cmpint(ABS(at - last - gaps[n - 1] * SIM_US), <=, 1100 * SIM_US);
        last = at;
        n++;
    }
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(gaps) + 1);
}

static void
send_flow(WireBench *bench, uint16_t port, uint32_t bytes)
{
    Packet *packet = wire_bench_packet(bench, bytes);

    packet->udp.sport = port;
    iface_send(bench->a, packet);
}

/* Behind a hundred packets of one flow, another flow's first leaves next. */
static void
fq_codel_lets_a_new_flow_go_first(void)
{
    LinkParams params = queue_params(QDISC_FQ_CODEL);
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 100; n++)
        send_flow(bench, 1000, 1250);
    sim_run(bench->sim, 5 * SIM_MS + 1);
    send_flow(bench, 1001, 100); /* packet 101 */
    wire_bench_run(bench);
    g_assert_cmpuint(bench->arrived[6].id, ==, 101);
}

static void
fq_codel_shares_by_bytes(void)
{
    LinkParams params = queue_params(QDISC_FQ_CODEL);
    params.queue.codel_target = SIM_SEC; /* only the scheduler is looked at */
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 100; n++) {
        send_flow(bench, 1000, 1500);
        send_flow(bench, 1001, 500);
        send_flow(bench, 1001, 500);
        send_flow(bench, 1001, 500);
    }
    sim_run(bench->sim, 60 * SIM_MS); /* 75,000 bytes have left */
    uint64_t large = 0, small = 0;
    for (uint32_t i = 0; i < bench->n_arrived; i++) {
        if (bench->arrived[i].ip.total_len == 1500)
            large += 1500;
        else
            small += 500;
    }
    g_assert_cmpuint(large, >, 33000);
    g_assert_cmpuint(small, >, 33000);
}

static void
fq_codel_over_its_limit_drops_from_the_fattest_flow(void)
{
    LinkParams params = queue_params(QDISC_FQ_CODEL);
    params.queue.limit_packets = 50;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    send_flow(bench, 1001, 100);
    for (int n = 0; n < 5; n++)
        send_flow(bench, 1001, 100);
    for (int n = 0; n < 100; n++)
        send_flow(bench, 1000, 1250);
    g_assert_cmpuint(link_queue_packets(bench->link, 0), <=, 50);
    wire_bench_run(bench);
    uint32_t thin = 0;
    for (uint32_t i = 0; i < bench->n_arrived; i++)
        thin += bench->arrived[i].ip.total_len == 100;
    g_assert_cmpuint(thin, ==, 6);
}

/* Two opportunities a period of 10 ms. */
static const SimTime trace[] = { 4 * SIM_MS, 10 * SIM_MS };

static LinkParams
trace_params(void)
{
    LinkParams params = link_params_default();

    params.delay = 0;
    params.trace = trace;
    params.n_trace = G_N_ELEMENTS(trace);
    return params;
}

static void
a_trace_delivers_at_its_opportunities_and_repeats(void)
{
    LinkParams params = trace_params();
    g_autoptr(WireBench) bench = wire_bench_new(&params);
    static const SimTime expected[] = { 4, 10, 14, 20, 24 };

    for (int n = 0; n < 5; n++)
        wire_bench_send(bench, 1500);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 5);
    for (int n = 0; n < 5; n++)
        g_assert_cmpint(bench->arrived[n].at, ==, expected[n] * SIM_MS);
}

static void
small_packets_share_an_opportunity(void)
{
    LinkParams params = trace_params();
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    for (int n = 0; n < 5; n++)
        wire_bench_send(bench, 500);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[2].at, ==, 4 * SIM_MS); /* 1504 bytes hold three of them */
    g_assert_cmpint(bench->arrived[3].at, ==, 10 * SIM_MS);
}

static void
an_opportunity_that_nobody_uses_is_lost(void)
{
    LinkParams params = trace_params();
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    sim_run(bench->sim, 1005 * SIM_MS);
    for (int n = 0; n < 3; n++)
        wire_bench_send(bench, 1500);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[0].at, ==, 1010 * SIM_MS);
    g_assert_cmpint(bench->arrived[1].at, ==, 1014 * SIM_MS);
    g_assert_cmpint(bench->arrived[2].at, ==, 1020 * SIM_MS);
}

static void
a_changed_delay_does_not_begin_a_trace_anew(void)
{
    LinkParams params = trace_params();
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    sim_run(bench->sim, 7 * SIM_MS);
    params.delay = SIM_MS;
    link_change(bench->link, 0, &params);
    wire_bench_send(bench, 1500);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[0].at, ==, 11 * SIM_MS);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/link/qdisc/" #claim, claim)
    ADD(every_queue_delivers_all_when_there_is_room);
    ADD(a_queue_is_emptied_when_the_link_goes_down);
    ADD(a_changed_queue_keeps_what_waits);
    ADD(token_bucket_lets_a_burst_pass_and_then_its_rate);
    ADD(token_bucket_keeps_no_more_than_its_burst);
    ADD(policer_drops_what_finds_no_token);
    ADD(codel_bounds_a_standing_queue);
    ADD(codel_leaves_a_short_burst_alone);
    ADD(ecn_marks_instead_of_dropping);
    ADD(ecn_does_not_mark_what_is_not_capable);
    ADD(red_drops_before_the_queue_is_full);
    ADD(red_below_its_minimum_drops_nothing);
    ADD(red_above_its_maximum_drops_everything);
    ADD(red_spreads_its_drops);
    ADD(red_average_decays_while_nothing_waits);
    ADD(codel_drops_come_faster_with_the_root_of_their_number);
    ADD(fq_codel_lets_a_new_flow_go_first);
    ADD(fq_codel_shares_by_bytes);
    ADD(fq_codel_over_its_limit_drops_from_the_fattest_flow);
    ADD(a_trace_delivers_at_its_opportunities_and_repeats);
    ADD(small_packets_share_an_opportunity);
    ADD(an_opportunity_that_nobody_uses_is_lost);
    ADD(a_changed_delay_does_not_begin_a_trace_anew);
    return g_test_run();
}
