/* Scripted fates of chosen packets, and packets that a script puts on a link. */
#include <string.h>

#include "tests/support/wirebench.h"

/* Packet `id` in direction 0 gets the fate; all others pass. */
typedef struct Script {
    uint64_t id;
    Fate fate;
    unsigned asked;
} Script;

static Fate
script_decide(void *arg, Link *link, unsigned direction, const Packet *packet)
{
    Script *script = arg;

    (void)link;
    script->asked++;
    if (direction == 0 && packet->id == script->id)
        return script->fate;
    return (Fate){ .kind = FATE_PASS };
}

static WireBench *
fate_bench(Script *script)
{
    LinkParams params = link_params_default();
    WireBench *bench = wire_bench_new(&params);

    link_set_fate(bench->link, script_decide, script);
    return bench;
}

static void
a_dropped_packet_says_why(void)
{
    Script script = { .id = 2, .fate = { .kind = FATE_DROP, .reason = "the final ACK, once" } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_stream(bench, 3, 100, SIM_MS);
    wire_bench_expect_order(bench, "1 3");
    wire_bench_expect_dropped(bench, "the final ACK, once", 1);
    g_assert_cmpuint(script.asked, ==, 3);
}

static void
a_delayed_packet_lets_later_ones_pass(void)
{
    Script script = { .id = 2, .fate = { .kind = FATE_DELAY, .by = 100 * SIM_MS } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_stream(bench, 4, 100, SIM_MS);
    wire_bench_expect_order(bench, "1 3 4 2");
    g_assert_cmpint(bench->arrived[3].at, ==, 111 * SIM_MS);
    g_assert_cmpuint(bench->events[PACKET_EVENT_DELAYED], ==, 1);
}

static void
duplicates_come_at_their_gap(void)
{
    Script script = { .id = 1, .fate = { .kind = FATE_DUPLICATE, .copies = 2, .by = 5 * SIM_MS } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 3);
    g_assert_cmpint(bench->arrived[1].at, ==, 15 * SIM_MS);
    g_assert_cmpint(bench->arrived[2].at, ==, 20 * SIM_MS);
    g_assert_cmpuint(bench->arrived[2].copy_of, ==, 1);
    g_assert_cmpuint(script.asked, ==, 1); /* copies are not asked about */
}

static void
a_reordered_packet_lets_so_many_pass(void)
{
    Script script = { .id = 1, .fate = { .kind = FATE_REORDER, .past = 3 } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_stream(bench, 5, 100, SIM_MS);
    wire_bench_expect_order(bench, "2 3 4 1 5");
}

static void
a_reordered_packet_that_nobody_passes_goes_after_its_time(void)
{
    Script script = { .id = 1, .fate = { .kind = FATE_REORDER, .past = 3, .by = 30 * SIM_MS } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_stream(bench, 2, 100, SIM_MS);
    wire_bench_expect_order(bench, "2 1");
    g_assert_cmpint(bench->arrived[1].at, ==, 40 * SIM_MS);
}

static void
a_corrupted_byte_is_caught(void)
{
    Script script = { .id = 1,
                      .fate = { .kind = FATE_CORRUPT, .corrupt_at = 40, .corrupt_xor = 0x20 } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1");
    g_assert_cmphex(bench->arrived[0].flags, ==, PACKET_BAD_CHECKSUM);
}

static void
a_corrupted_ip_header_is_told_apart(void)
{
    Script script = { .id = 1,
                      .fate = { .kind = FATE_CORRUPT, .corrupt_at = 15, .corrupt_xor = 1 } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    g_assert_true(bench->arrived[0].ip.bad_checksum);
    g_assert_cmphex(ip_addr_to_v4(bench->arrived[0].ip.src), ==, 0x0a000000);
}

static void
a_mended_checksum_hides_the_corruption(void)
{
    Script script = { .id = 1,
                      .fate = { .kind = FATE_CORRUPT,
                                .corrupt_at = 40,
                                .corrupt_xor = 0x20,
                                .fix_checksum = true } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    g_assert_cmphex(bench->arrived[0].flags, ==, 0);
}

/* The ones' complement sum does not depend on the order of the words. */
static void
swapped_words_pass_the_checksum(void)
{
    Script script = { .id = 1,
                      .fate = { .kind = FATE_CORRUPT, .corrupt_at = 40, .corrupt_swap = 50 } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1");
    g_assert_cmphex(bench->arrived[0].flags, ==, 0);
    g_assert_cmpuint(bench->events[PACKET_EVENT_CORRUPTED], ==, 1);
}

static void
words_beyond_the_packet_are_not_swapped(void)
{
    Script script = { .id = 1,
                      .fate = { .kind = FATE_CORRUPT, .corrupt_at = 40, .corrupt_swap = 100 } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    g_assert_cmphex(bench->arrived[0].flags, ==, 0);
}

static void
a_held_packet_waits_for_its_release(void)
{
    Script script = { .id = 1, .fate = { .kind = FATE_HOLD } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_stream(bench, 2, 100, SIM_MS);
    wire_bench_expect_order(bench, "2");
    g_assert_cmpuint(link_held(bench->link, 0), ==, 1);
    sim_run(bench->sim, SIM_SEC);
    g_assert_cmpuint(link_release(bench->link, 0, 5 * SIM_MS), ==, 1);
    g_assert_cmpuint(link_held(bench->link, 0), ==, 0);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "2 1");
    g_assert_cmpint(bench->arrived[1].at, ==, SIM_SEC + 15 * SIM_MS);
    g_assert_cmpuint(bench->events[PACKET_EVENT_HELD], ==, 1);
    g_assert_cmpuint(bench->events[PACKET_EVENT_INJECTED], ==, 1);
}

static void
held_packets_end_with_the_run(void)
{
    Script script = { .id = 1, .fate = { .kind = FATE_HOLD } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_send(bench, 100);
    link_inject(bench->link, 0, wire_bench_packet(bench, 100), SIM_SEC); /* never comes */
}

static void
an_injected_packet_takes_the_way_of_all_others(void)
{
    Script script = { .id = 99 };
    g_autoptr(WireBench) bench = fate_bench(&script);

    link_inject(bench->link, 0, wire_bench_packet(bench, 100), 0);
    link_inject(bench->link, 1, wire_bench_packet(bench, 100), 3 * SIM_MS);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1 2");
    g_assert_cmpint(bench->arrived[0].at, ==, 10 * SIM_MS);
    g_assert_cmpint(bench->arrived[1].at, ==, 13 * SIM_MS);
    g_assert_cmpuint(script.asked, ==, 0);
    g_assert_cmpuint(bench->events[PACKET_EVENT_INJECTED], ==, 2);
}

static void
a_delivered_packet_skips_the_link(void)
{
    LinkParams params = link_params_default();
    params.loss = (LossParams){ .kind = LOSS_RANDOM, .p = 1 };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    link_deliver(bench->link, 0, wire_bench_packet(bench, 100), SIM_MS);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "1");
    g_assert_cmpint(bench->arrived[0].at, ==, SIM_MS);
}

/* Two that are due at once arrive in the order in which they were sent. */
static void
ties_arrive_first_in_first_out(void)
{
    Script script = { .id = 1, .fate = { .kind = FATE_DELAY, .by = 2 * SIM_MS } };
    g_autoptr(WireBench) bench = fate_bench(&script);

    wire_bench_stream(bench, 4, 100, SIM_MS); /* 1 is late by two gaps: it is due with 3 */
    wire_bench_expect_order(bench, "2 1 3 4");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/link/fate/" #claim, claim)
    ADD(a_dropped_packet_says_why);
    ADD(a_delayed_packet_lets_later_ones_pass);
    ADD(duplicates_come_at_their_gap);
    ADD(a_reordered_packet_lets_so_many_pass);
    ADD(a_reordered_packet_that_nobody_passes_goes_after_its_time);
    ADD(a_corrupted_byte_is_caught);
    ADD(a_corrupted_ip_header_is_told_apart);
    ADD(a_mended_checksum_hides_the_corruption);
    ADD(swapped_words_pass_the_checksum);
    ADD(words_beyond_the_packet_are_not_swapped);
    ADD(a_held_packet_waits_for_its_release);
    ADD(held_packets_end_with_the_run);
    ADD(an_injected_packet_takes_the_way_of_all_others);
    ADD(a_delivered_packet_skips_the_link);
    ADD(ties_arrive_first_in_first_out);
    return g_test_run();
}
