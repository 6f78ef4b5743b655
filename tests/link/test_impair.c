/* Loss, jitter, reordering, duplication, corruption: what each does to one
 * stream of packets. Their statistics are judged in tests/soak/. */
#include "tests/support/wirebench.h"

static LinkParams
plain_params(void)
{
    return link_params_default();
}

static void
certain_loss_delivers_nothing(void)
{
    LinkParams params = plain_params();
    params.loss = (LossParams){ .kind = LOSS_RANDOM, .p = 1 };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 50, 100, SIM_MS);
    g_assert_cmpuint(bench->n_arrived, ==, 0);
    wire_bench_expect_dropped(bench, "loss", 50);
}

static void
the_same_seed_loses_the_same_packets(void)
{
    LinkParams params[2] = { plain_params(), plain_params() };
    params[0].loss = (LossParams){ .kind = LOSS_RANDOM, .p = 0.3 };
    g_autoptr(WireBench) one = wire_bench_new_seeded(params, 5);
    g_autoptr(WireBench) two = wire_bench_new_seeded(params, 5);
    g_autoptr(WireBench) other = wire_bench_new_seeded(params, 6);
    bool differs;

    wire_bench_stream(one, 200, 100, SIM_MS);
    wire_bench_stream(two, 200, 100, SIM_MS);
    wire_bench_stream(other, 200, 100, SIM_MS);
    g_assert_cmpuint(one->n_arrived, ==, two->n_arrived);
    differs = one->n_arrived != other->n_arrived;
    for (uint32_t i = 0; i < one->n_arrived; i++) {
        g_assert_cmpuint(one->arrived[i].id, ==, two->arrived[i].id);
        differs = differs || one->arrived[i].id != other->arrived[i].id;
    }
    g_assert_true(differs);
}

/* Named streams: jitter on top must not move the losses. */
static void
another_impairment_does_not_change_the_luck_of_loss(void)
{
    LinkParams params[2] = { plain_params(), plain_params() };
    params[0].loss = (LossParams){ .kind = LOSS_RANDOM, .p = 0.3 };
    g_autoptr(WireBench) without = wire_bench_new_seeded(params, 5);
    params[0].jitter =
        (JitterParams){ .kind = JITTER_UNIFORM, .amount = SIM_MS, .keeps_order = true };
    g_autoptr(WireBench) with = wire_bench_new_seeded(params, 5);

    wire_bench_stream(without, 200, 100, SIM_MS);
    wire_bench_stream(with, 200, 100, SIM_MS);
    g_assert_cmpuint(without->n_arrived, ==, with->n_arrived);
    for (uint32_t i = 0; i < with->n_arrived; i++)
        g_assert_cmpuint(without->arrived[i].id, ==, with->arrived[i].id);
}

static void
a_list_loses_exactly_its_packets(void)
{
    static const uint32_t list[] = { 2, 3, 6 };
    LinkParams params = plain_params();
    params.loss = (LossParams){ .kind = LOSS_LIST, .list = list, .n_list = 3 };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 7, 100, SIM_MS);
    wire_bench_expect_order(bench, "1 4 5 7");
}

static void
another_change_does_not_begin_a_list_anew(void)
{
    static const uint32_t list[] = { 2, 4 };
    LinkParams params = plain_params();
    params.loss = (LossParams){ .kind = LOSS_LIST, .list = list, .n_list = 2 };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 3, 100, SIM_MS);
    params.delay = SIM_MS;
    link_change(bench->link, 0, &params);
    wire_bench_stream(bench, 2, 100, SIM_MS);
    wire_bench_expect_order(bench, "1 3 5");
}

static void
a_new_list_counts_from_its_beginning(void)
{
    static const uint32_t list[] = { 2 }, later[] = { 1 };
    LinkParams params = plain_params();
    params.loss = (LossParams){ .kind = LOSS_LIST, .list = list, .n_list = 1 };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 3, 100, SIM_MS);
    params.loss.list = later;
    link_change(bench->link, 0, &params);
    wire_bench_stream(bench, 2, 100, SIM_MS);
    wire_bench_expect_order(bench, "1 3 5");
}

static void
a_list_in_one_direction_leaves_the_other_alone(void)
{
    static const uint32_t list[] = { 1 };
    LinkParams params[2] = { plain_params(), plain_params() };
    params[0].loss = (LossParams){ .kind = LOSS_LIST, .list = list, .n_list = 1 };
    g_autoptr(WireBench) bench = wire_bench_new_asymmetric(params);

    wire_bench_send(bench, 100);
    wire_bench_send_back(bench, 100);
    wire_bench_run(bench);
    wire_bench_expect_order(bench, "2");
}

static void
a_burst_takes_packets_in_a_row(void)
{
    LinkParams params = plain_params();
    params.loss = (LossParams){ .kind = LOSS_BURST, .p = 0.05, .burst = 4 };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 2000, 100, SIM_MS);
    g_assert_cmpuint(bench->n_arrived, <, 2000);
    for (uint32_t i = 1; i < bench->n_arrived; i++) {
        uint64_t missing = bench->arrived[i].id - bench->arrived[i - 1].id - 1;
        g_assert_cmpuint(missing % 4, ==, 0);
    }
}

static void
gilbert_elliott_that_never_turns_bad_loses_nothing(void)
{
    LinkParams params = plain_params();
    params.loss = (LossParams){ .kind = LOSS_GILBERT_ELLIOTT, .p = 0, .r = 0.5, .one_minus_h = 1 };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 500, 100, SIM_MS);
    g_assert_cmpuint(bench->n_arrived, ==, 500);
}

static void
longer_packets_meet_more_bit_errors(void)
{
    LinkParams params = plain_params();
    params.loss = (LossParams){ .kind = LOSS_BIT_ERROR, .p = 1e-4 };
    g_autoptr(WireBench) small = wire_bench_new(&params);
    g_autoptr(WireBench) large = wire_bench_new(&params);

    wire_bench_stream(small, 1000, 40, SIM_MS);
    wire_bench_stream(large, 1000, 1500, SIM_MS);
    g_assert_cmpuint(small->n_arrived, >, 930); /* expected 968 */
    g_assert_cmpuint(large->n_arrived, <, 400); /* expected 301 */
}

static bool
arrived_in_order(const WireBench *bench)
{
    for (uint32_t i = 1; i < bench->n_arrived; i++) {
        if (bench->arrived[i].id < bench->arrived[i - 1].id)
            return false;
    }
    return true;
}

static void
jitter_reorders_unless_told_to_keep_order(void)
{
    LinkParams params = plain_params();
    params.jitter = (JitterParams){ .kind = JITTER_UNIFORM, .amount = 5 * SIM_MS };
    g_autoptr(WireBench) wild = wire_bench_new(&params);
    params.jitter.keeps_order = true;
    g_autoptr(WireBench) tame = wire_bench_new(&params);

    wire_bench_stream(wild, 200, 100, SIM_MS);
    wire_bench_stream(tame, 200, 100, SIM_MS);
    g_assert_cmpuint(wild->n_arrived, ==, 200);
    g_assert_cmpuint(tame->n_arrived, ==, 200);
    g_assert_false(arrived_in_order(wild));
    g_assert_true(arrived_in_order(tame));
}

static void
jitter_never_arrives_before_it_was_sent(void)
{
    LinkParams params = plain_params();
    params.delay = SIM_MS;
    params.jitter = (JitterParams){ .kind = JITTER_NORMAL, .amount = 20 * SIM_MS };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 500, 100, 0);
    g_assert_cmpuint(bench->n_arrived, ==, 500);
    g_assert_cmpint(bench->arrived[0].at, >=, 0);
}

static void
a_table_gives_its_quantiles(void)
{
    static const double table[] = { -1, 0, 2 };
    LinkParams params = plain_params();
    params.jitter = (JitterParams){
        .kind = JITTER_TABLE, .amount = SIM_MS, .table = table, .n_table = 3, .keeps_order = false
    };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 1000, 100, 0);
    uint32_t below = 0;
    for (uint32_t i = 0; i < bench->n_arrived; i++) {
        SimTime by = bench->arrived[i].at - params.delay;
        g_assert_cmpint(by, >=, -SIM_MS);
        g_assert_cmpint(by, <=, 2 * SIM_MS);
        below += by < 0;
    }
    g_assert_cmpuint(below, >, 440); /* the median is 0 */
    g_assert_cmpuint(below, <, 560);
}

static void
a_reordered_packet_overtakes_those_in_flight(void)
{
    LinkParams params = plain_params();
    params.reorder = 0.1;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 300, 100, SIM_MS);
    uint32_t early = 0;
    for (uint32_t i = 0; i < bench->n_arrived; i++) {
        SimTime took = bench->arrived[i].at - (SimTime)(bench->arrived[i].id - 1) * SIM_MS;
        g_assert_true(took == 0 || took == params.delay);
        early += took == 0;
    }
    g_assert_cmpuint(early, >, 10);
    g_assert_cmpuint(early, <, 60);
    g_assert_cmpuint(bench->events[PACKET_EVENT_DELAYED], ==, early);
}

static void
reorder_by_makes_it_late_instead(void)
{
    LinkParams params = plain_params();
    params.reorder = 1;
    params.reorder_by = 3 * SIM_MS;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    g_assert_cmpint(bench->arrived[0].at, ==, 13 * SIM_MS);
}

static void
a_duplicate_follows_its_original(void)
{
    LinkParams params = plain_params();
    params.duplicate = 1;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_send(bench, 100);
    wire_bench_run(bench);
    g_assert_cmpuint(bench->n_arrived, ==, 2);
    g_assert_cmpuint(bench->arrived[1].copy_of, ==, bench->arrived[0].id);
    g_assert_cmphex(bench->arrived[1].flags, ==, PACKET_DUPLICATE);
}

static void
a_corrupted_packet_is_caught_by_a_checksum(void)
{
    LinkParams params = plain_params();
    params.corrupt = 1;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 300, 100, SIM_MS);
    g_assert_cmpuint(bench->n_arrived, ==, 300);
    for (uint32_t i = 0; i < bench->n_arrived; i++)
        g_assert_true(bench->arrived[i].ip.bad_checksum ||
                      (bench->arrived[i].flags & PACKET_BAD_CHECKSUM) != 0);
}

static void
probability_zero_draws_nothing(void)
{
    LinkParams params = plain_params();
    params.loss = (LossParams){ .kind = LOSS_RANDOM, .p = 0 };
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 100, 100, SIM_MS);
    g_assert_cmpuint(bench->n_arrived, ==, 100);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/link/impair/" #claim, claim)
    ADD(certain_loss_delivers_nothing);
    ADD(the_same_seed_loses_the_same_packets);
    ADD(another_impairment_does_not_change_the_luck_of_loss);
    ADD(a_list_loses_exactly_its_packets);
    ADD(another_change_does_not_begin_a_list_anew);
    ADD(a_new_list_counts_from_its_beginning);
    ADD(a_list_in_one_direction_leaves_the_other_alone);
    ADD(a_burst_takes_packets_in_a_row);
    ADD(gilbert_elliott_that_never_turns_bad_loses_nothing);
    ADD(longer_packets_meet_more_bit_errors);
    ADD(jitter_reorders_unless_told_to_keep_order);
    ADD(jitter_never_arrives_before_it_was_sent);
    ADD(a_table_gives_its_quantiles);
    ADD(a_reordered_packet_overtakes_those_in_flight);
    ADD(reorder_by_makes_it_late_instead);
    ADD(a_duplicate_follows_its_original);
    ADD(a_corrupted_packet_is_caught_by_a_checksum);
    ADD(probability_zero_draws_nothing);
    return g_test_run();
}
