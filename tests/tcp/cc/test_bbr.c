/* BBR version 1, by itself: the path is a rate and a round trip, told to it one
 * round at a time. Unless a test says otherwise the path has 100 segments a round
 * trip of 100 ms. */
#include "models/tcp/cc/bbr.h"
#include "tests/tcp/cc/window.h"

#define RTT (100 * SIM_MS)

/* One round trip, told in one ACK. */
typedef struct Round {
    uint32_t delivered; /* segments */
    SimTime rtt;        /* 0: RTT */
    uint32_t in_flight; /* before and after the ACK */
    uint32_t lost;
    bool is_app_limited, is_ack_delayed;
} Round;

static Bbr *
bbr_of(Lab *lab)
{
    return (Bbr *)lab->w.private;
}

static void
bbr_round(Lab *lab, Round round)
{
    CcWindow *w = &lab->w;
    SimTime rtt = round.rtt ? round.rtt : RTT;
    CcRateSample sample = {
        .prior_delivered = w->delivered,
        .delivered = round.delivered,
        .acked_sacked = round.delivered,
        .interval_ns = rtt,
        .rtt_ns = rtt,
        .losses = round.lost,
        .prior_in_flight = round.in_flight,
        .is_app_limited = round.is_app_limited,
        .is_ack_delayed = round.is_ack_delayed,
    };

    w->now += rtt;
    w->delivered += round.delivered;
    w->lost += round.lost;
    w->delivered_at_ns = (uint64_t)w->now;
    w->in_flight = round.in_flight;
    lab->cc->main(w, &sample);
}

static void
bbr_rounds(Lab *lab, unsigned n, Round round)
{
    for (unsigned i = 0; i < n; i++)
        bbr_round(lab, round);
}

/* An ACK a millisecond, each of one segment, as the path delivers them. */
static void
bbr_acks_one_by_one(Lab *lab, unsigned n)
{
    bbr_of(lab)->epoch_acked = 0; /* what was ahead of the rate before */
    bbr_of(lab)->epoch_us = bbr_us(&lab->w);
    for (unsigned i = 0; i < n; i++) {
        CcRateSample sample = { .delivered = 100,
                                .acked_sacked = 1,
                                .interval_ns = RTT,
                                .rtt_ns = RTT,
                                .prior_delivered = lab->w.delivered - 99 };

        lab->w.now += SIM_MS;
        lab->w.delivered++;
        lab->w.delivered_at_ns = (uint64_t)lab->w.now;
        lab->w.in_flight = 130;
        lab->cc->main(&lab->w, &sample);
    }
}

/* The pipe was found full, and drained. */
static Lab *
in_probe_bw(void)
{
    Lab *lab = lab_new("bbr");

    bbr_rounds(lab, 4, (Round){ .delivered = 100, .in_flight = 200 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_DRAIN);
    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 50 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_PROBE_BW);
    return lab;
}

/* Bytes a second, a hundredth less than `segs` in a round trip times a gain. */
static void
assert_paced_at(Lab *lab, double segs, double gain)
{
    double expected = segs * lab->w.mss / ((double)RTT / SIM_SEC) * gain * 0.99;

    g_assert_cmpfloat_with_epsilon((double)lab->w.pacing_rate, expected, 0.01 * expected);
}

/* ---- STARTUP ------------------------------------------------------------------- */

static void
the_first_rate_is_the_window_over_the_round_trip_times_2_over_ln_2(void)
{
    g_autoptr(Lab) lab = lab_new("bbr");

    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_STARTUP);
    assert_paced_at(lab, 10, 2.885);
    g_assert_cmpuint(lab->w.ssthresh, ==, CC_INFINITE_SSTHRESH);
}

static void
startup_doubles_the_window_each_round(void)
{
    g_autoptr(Lab) lab = lab_new("bbr");

    bbr_round(lab, (Round){ .delivered = 10, .in_flight = 20 });
    g_assert_cmpuint(lab->w.cwnd, ==, 20);
    bbr_round(lab, (Round){ .delivered = 20, .in_flight = 40 });
    g_assert_cmpuint(lab->w.cwnd, ==, 40);
    assert_paced_at(lab, 20, 2.885);
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_STARTUP);
}

static void
three_rounds_without_a_quarter_more_end_startup(void)
{
    g_autoptr(Lab) lab = lab_new("bbr");

    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 200 });
    bbr_round(lab, (Round){ .delivered = 124, .in_flight = 200 }); /* not yet a quarter more */
    bbr_round(lab, (Round){ .delivered = 126, .in_flight = 200 }); /* a quarter: counts anew */
    bbr_rounds(lab, 2, (Round){ .delivered = 126, .in_flight = 300 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_STARTUP);
    bbr_round(lab, (Round){ .delivered = 126, .in_flight = 300 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_DRAIN);
}

static void
rounds_that_the_application_limited_do_not_end_startup(void)
{
    g_autoptr(Lab) lab = lab_new("bbr");

    bbr_rounds(lab, 10, (Round){ .delivered = 10, .in_flight = 10, .is_app_limited = true });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_STARTUP);
}

/* ---- DRAIN --------------------------------------------------------------------- */

static void
drain_sends_slower_until_what_is_in_flight_fits_the_path(void)
{
    g_autoptr(Lab) lab = lab_new("bbr");

    bbr_rounds(lab, 4, (Round){ .delivered = 100, .in_flight = 289 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_DRAIN);
    assert_paced_at(lab, 100, 1 / 2.885);
    /* Three bursts of two segments come on top of the bandwidth-delay product. */
    g_assert_cmpuint(lab->w.ssthresh, ==, 106);
    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 120 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_DRAIN);
    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 100 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_PROBE_BW);
}

/* What leaves only later is not in the network yet (the earliest departure time). */
static void
a_burst_that_has_to_wait_finds_the_path_emptier(void)
{
    g_autoptr(Lab) lab = lab_new("bbr");

    bbr_rounds(lab, 4, (Round){ .delivered = 100, .in_flight = 289 });
    lab->w.departs_at = lab->w.now + 2 * RTT; /* a round trip after the next ACK */
    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 190 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_PROBE_BW);
}

/* ---- PROBE_BW ------------------------------------------------------------------ */

static void
the_window_is_two_bandwidth_delay_products_and_three_bursts(void)
{
    g_autoptr(Lab) lab = in_probe_bw();

    bbr_acks_one_by_one(lab, 3000); /* or ACKs in heaps come on top */
    /* 200, bursts of two, what a single ACK is more than expected, and even numbers. */
    g_assert_cmpuint(lab->w.cwnd, >=, 206);
    g_assert_cmpuint(lab->w.cwnd, <=, 210);
}

static void
probing_never_begins_with_draining(void)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        g_autoptr(Lab) lab = lab_new("bbr");

        sim_rng_init(&lab->rng, seed, "phase");
        bbr_probe_bw_begin(bbr_of(lab), &lab->w);
        g_assert_cmpuint(bbr_of(lab)->phase, !=, 1);
        g_assert_cmpuint(bbr_of(lab)->phase, <, BBR_CYCLE);
    }
}

static void
the_gains_are_five_quarters_three_quarters_and_six_times_one(void)
{
    g_autoptr(Lab) lab = in_probe_bw();
    static const double gains[BBR_CYCLE] = { 1.25, 0.75, 1, 1, 1, 1, 1, 1 };

    for (unsigned i = 0; i < 3 * BBR_CYCLE; i++) {
        unsigned phase = (bbr_of(lab)->phase + 1) % BBR_CYCLE;

        /* A little longer than the least RTT, and as much in flight as the gain wants. */
        bbr_round(lab, (Round){ .delivered = 101, .in_flight = 140, .rtt = RTT + SIM_MS });
        g_assert_cmpuint(bbr_of(lab)->phase, ==, phase);
        assert_paced_at(lab, 100, gains[phase]);
    }
}

static void
probing_lasts_until_as_much_is_in_flight_or_something_is_lost(void)
{
    g_autoptr(Lab) lab = in_probe_bw();

    bbr_of(lab)->phase = 0;
    bbr_of(lab)->pacing_gain = BBR_UNIT * 5 / 4;
    bbr_rounds(lab, 3, (Round){ .delivered = 101, .in_flight = 110, .rtt = RTT + SIM_MS });
    g_assert_cmpuint(bbr_of(lab)->phase, ==, 0);
    bbr_round(lab, (Round){ .delivered = 101, .in_flight = 110, .rtt = RTT + SIM_MS, .lost = 1 });
    g_assert_cmpuint(bbr_of(lab)->phase, ==, 1);
}

static void
draining_ends_as_soon_as_the_queue_is_gone(void)
{
    g_autoptr(Lab) lab = in_probe_bw();

    bbr_of(lab)->phase = 1;
    bbr_of(lab)->pacing_gain = BBR_UNIT * 3 / 4;
    bbr_of(lab)->cycle_us = bbr_us(&lab->w) + (uint32_t)(RTT / SIM_US); /* has just begun */
    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 120 });
    g_assert_cmpuint(bbr_of(lab)->phase, ==, 1);
    bbr_of(lab)->cycle_us = bbr_us(&lab->w) + (uint32_t)(RTT / SIM_US);
    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 100 });
    g_assert_cmpuint(bbr_of(lab)->phase, ==, 2);
}

/* ---- the bandwidth filter -------------------------------------------------------- */

static void
the_bandwidth_is_the_best_of_ten_rounds(void)
{
    g_autoptr(Lab) lab = in_probe_bw();
    uint32_t best = bbr_max_bw(bbr_of(lab));

    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 100 });
    bbr_rounds(lab, BBR_BW_ROUNDS, (Round){ .delivered = 50, .in_flight = 50 });
    g_assert_cmpuint(bbr_max_bw(bbr_of(lab)), ==, best);
    bbr_round(lab, (Round){ .delivered = 50, .in_flight = 50 });
    g_assert_cmpuint(bbr_max_bw(bbr_of(lab)), <=, best / 2);
}

/* Both of the better candidates may be too old at once. */
static void
two_old_candidates_go_together(void)
{
    g_autoptr(Lab) lab = lab_new("bbr");
    Bbr *b = bbr_of(lab);

    b->rounds = 100;
    b->best[0].round = 88, b->best[0].bw = 9000;
    b->best[1].round = 89, b->best[1].bw = 8000;
    b->best[2].round = 95, b->best[2].bw = 200;
    b->round_end = UINT32_MAX / 2;                             /* stay in this round */
    bbr_round(lab, (Round){ .delivered = 1, .in_flight = 1 }); /* 167 */
    g_assert_cmpuint(bbr_max_bw(b), ==, 200);
}

static void
what_the_application_held_back_counts_only_if_it_is_more(void)
{
    g_autoptr(Lab) lab = in_probe_bw();
    uint32_t before = bbr_max_bw(bbr_of(lab));

    bbr_rounds(lab, 30, (Round){ .delivered = 5, .in_flight = 5, .is_app_limited = true });
    g_assert_cmpuint(bbr_max_bw(bbr_of(lab)), ==, before);
    bbr_round(lab, (Round){ .delivered = 200, .in_flight = 200, .is_app_limited = true });
    g_assert_cmpuint(bbr_max_bw(bbr_of(lab)), >=, 2 * before - 1);
}

/* ---- PROBE_RTT ----------------------------------------------------------------- */

static void
ten_seconds_without_a_lower_rtt_begin_probe_rtt(void)
{
    g_autoptr(Lab) lab = in_probe_bw();

    bbr_rounds(lab, 94, (Round){ .delivered = 101, .in_flight = 100, .rtt = RTT + SIM_MS });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_PROBE_BW);
    g_assert_cmpint(lab->w.now, <, 11 * SIM_SEC); /* it was learnt at one second */
    bbr_rounds(lab, 1, (Round){ .delivered = 101, .in_flight = 100, .rtt = RTT + SIM_MS });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_PROBE_RTT);
    g_assert_cmpuint(lab->w.cwnd, ==, BBR_LEAST_CWND);
    g_assert_true(lab->w.marks_app_limited);
}

static Lab *
in_probe_rtt(uint32_t *cwnd)
{
    Lab *lab = in_probe_bw();

    do {
        *cwnd = lab->w.cwnd;
        bbr_round(lab, (Round){ .delivered = 101, .in_flight = 100, .rtt = RTT + SIM_MS });
    } while (bbr_of(lab)->mode != BBR_PROBE_RTT);
    return lab;
}

static void
probe_rtt_lasts_200_ms_and_a_round_from_the_least_window_on(void)
{
    uint32_t cwnd;
    g_autoptr(Lab) lab = in_probe_rtt(&cwnd);

    bbr_rounds(lab, 5, (Round){ .delivered = 10, .in_flight = 50 }); /* not yet down to four */
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_PROBE_RTT);
    bbr_round(lab, (Round){ .delivered = 10, .in_flight = 4 }); /* now the clock runs */
    bbr_rounds(lab, 2, (Round){ .delivered = 4, .in_flight = 4 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_PROBE_RTT);
    bbr_round(lab, (Round){ .delivered = 4, .in_flight = 4 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_PROBE_BW);
    g_assert_cmpuint(lab->w.cwnd, >=, cwnd); /* as before */
}

static void
an_ack_that_was_delayed_is_no_new_minimum(void)
{
    uint32_t cwnd;
    g_autoptr(Lab) lab = in_probe_rtt(&cwnd);
    Bbr *b = bbr_of(lab);

    b->min_rtt_us = 50000;
    b->min_rtt_ms = bbr_ms(&lab->w) - 11000;
    bbr_round(lab, (Round){ .delivered = 4, .in_flight = 4, .is_ack_delayed = true });
    g_assert_cmpuint(b->min_rtt_us, ==, 50000);
    bbr_round(lab, (Round){ .delivered = 4, .in_flight = 4 });
    g_assert_cmpuint(b->min_rtt_us, ==, 100000);
}

static void
sending_after_silence_needs_no_probe_rtt(void)
{
    g_autoptr(Lab) lab = in_probe_bw();

    lab->w.app_limited = true;
    lab->w.now += 20 * SIM_SEC;
    lab->cc->on_event(&lab->w, CC_EVENT_TX_START);
    assert_paced_at(lab, 100, 1); /* no probing yet */
    bbr_round(lab, (Round){ .delivered = 10, .in_flight = 10 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_PROBE_BW);
}

/* ---- losses -------------------------------------------------------------------- */

static void
recovery_conserves_packets_for_a_round_and_then_restores_the_window(void)
{
    g_autoptr(Lab) lab = in_probe_bw();
    uint32_t before = lab->w.cwnd;

    lab->cc->ssthresh(&lab->w); /* as tcp_enter_recovery() does: notes the window */
    lab->w.ca_state = TCP_CA_RECOVERY;
    lab->w.in_flight = 60;
    lab->w.delivered += 10;
    lab->w.lost += 30;
    CcRateSample middle = { .delivered = 10,
                            .acked_sacked = 10,
                            .losses = 30,
                            .interval_ns = RTT,
                            .rtt_ns = RTT,
                            .prior_delivered = bbr_of(lab)->round_end - 50 };
    lab->cc->main(&lab->w, &middle);
    g_assert_cmpuint(lab->w.cwnd, ==, 70); /* what is in flight, and what was delivered */
    lab->w.ca_state = TCP_CA_OPEN;
    bbr_round(lab, (Round){ .delivered = 60, .in_flight = 100 });
    g_assert_cmpuint(lab->w.cwnd, >=, before);
}

static void
single_losses_do_not_lower_the_rate(void)
{
    g_autoptr(Lab) lab = in_probe_bw();
    uint32_t bw = bbr_max_bw(bbr_of(lab));

    bbr_rounds(lab, 40, (Round){ .delivered = 100, .in_flight = 140, .lost = 2 });
    g_assert_cmpuint(bbr_bw(bbr_of(lab)), ==, bw);
    g_assert_false(bbr_of(lab)->lt_use_bw);
}

/* A policer lets 50 a round through and drops the rest: two long samples agree. */
static void
a_fifth_lost_twice_at_the_same_rate_is_a_policer(void)
{
    g_autoptr(Lab) lab = in_probe_bw();
    Bbr *b = bbr_of(lab);

    /* An interval is four rounds; the first begins with the first loss. */
    bbr_rounds(lab, 7, (Round){ .delivered = 50, .in_flight = 100, .lost = 20 });
    g_assert_false(b->lt_use_bw);
    bbr_round(lab, (Round){ .delivered = 50, .in_flight = 100, .lost = 20 });
    g_assert_true(b->lt_use_bw);
    g_assert_cmpuint(b->pacing_gain, ==, BBR_UNIT);
    assert_paced_at(lab, 50, 1);
    /* For 48 rounds; then it sees whether the policer is still there. */
    bbr_rounds(lab, 47, (Round){ .delivered = 50, .in_flight = 100 });
    g_assert_true(b->lt_use_bw);
    bbr_round(lab, (Round){ .delivered = 50, .in_flight = 100 });
    g_assert_false(b->lt_use_bw);
}

static void
losses_below_a_fifth_are_no_policer(void)
{
    g_autoptr(Lab) lab = in_probe_bw();

    bbr_rounds(lab, 40, (Round){ .delivered = 50, .in_flight = 100, .lost = 9 });
    g_assert_false(bbr_of(lab)->lt_use_bw);
}

static void
a_timeout_measures_the_full_pipe_anew(void)
{
    g_autoptr(Lab) lab = lab_new("bbr");

    bbr_rounds(lab, 3, (Round){ .delivered = 100, .in_flight = 200 }); /* two without growth */
    lab->cc->on_state(&lab->w, TCP_CA_LOSS);
    lab->w.ca_state = TCP_CA_LOSS;
    g_assert_cmpuint(bbr_of(lab)->full_bw, ==, 0);
    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 100 });
    g_assert_cmpint(bbr_of(lab)->mode, ==, BBR_STARTUP);
}

static void
undo_keeps_the_window_and_forgets_that_the_pipe_was_full(void)
{
    g_autoptr(Lab) lab = in_probe_bw();
    uint32_t cwnd = lab->w.cwnd;

    g_assert_cmpuint(lab->cc->undo_cwnd(&lab->w), ==, cwnd);
    g_assert_cmpuint(bbr_of(lab)->full_bw, ==, 0);
}

/* ---- aggregation, ss ------------------------------------------------------------- */

/* A link that hands over its ACKs in heaps: more must be in flight meanwhile. */
static void
heaps_of_acks_widen_the_window(void)
{
    g_autoptr(Lab) lab = in_probe_bw();
    uint32_t plain;

    bbr_acks_one_by_one(lab, 3000);
    plain = lab->w.cwnd;
    for (int i = 0; i < 8; i++) {
        CcRateSample heap = { .delivered = 100,
                              .acked_sacked = 60,
                              .interval_ns = RTT,
                              .rtt_ns = RTT,
                              .prior_delivered = lab->w.delivered - 40 };

        lab->w.now += 10 * SIM_MS; /* when ten would have been due */
        lab->w.delivered += 60;
        lab->w.delivered_at_ns = (uint64_t)lab->w.now;
        lab->cc->main(&lab->w, &heap);
    }
    g_assert_cmpuint(lab->w.cwnd, >, plain + 40);
}

static void
the_model_starts_where_the_connection_is(void)
{
    Lab *lab = lab_new("reno");
    char text[128];

    lab->w.delivered = 5000; /* TCP_CONGESTION in the middle of a connection */
    lab->w.mss = 1448;
    lab->cc = cc_find("bbr");
    lab->cc->init(&lab->w);
    g_assert_cmpuint(bbr_of(lab)->round_end, ==, 5000);
    bbr_round(lab, (Round){ .delivered = 100, .in_flight = 100 });
    g_assert_cmpstr(lab->cc->describe(&lab->w, text), ==,
                    "bbr:(bw:11583850bps,mrtt:100,pacing_gain:2.88672,cwnd_gain:2.88672)");
    lab_free(lab);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/cc/bbr/" #name, name)
    ADD(the_first_rate_is_the_window_over_the_round_trip_times_2_over_ln_2);
    ADD(startup_doubles_the_window_each_round);
    ADD(three_rounds_without_a_quarter_more_end_startup);
    ADD(rounds_that_the_application_limited_do_not_end_startup);
    ADD(drain_sends_slower_until_what_is_in_flight_fits_the_path);
    ADD(a_burst_that_has_to_wait_finds_the_path_emptier);
    ADD(the_window_is_two_bandwidth_delay_products_and_three_bursts);
    ADD(probing_never_begins_with_draining);
    ADD(the_gains_are_five_quarters_three_quarters_and_six_times_one);
    ADD(probing_lasts_until_as_much_is_in_flight_or_something_is_lost);
    ADD(draining_ends_as_soon_as_the_queue_is_gone);
    ADD(the_bandwidth_is_the_best_of_ten_rounds);
    ADD(two_old_candidates_go_together);
    ADD(what_the_application_held_back_counts_only_if_it_is_more);
    ADD(ten_seconds_without_a_lower_rtt_begin_probe_rtt);
    ADD(probe_rtt_lasts_200_ms_and_a_round_from_the_least_window_on);
    ADD(an_ack_that_was_delayed_is_no_new_minimum);
    ADD(sending_after_silence_needs_no_probe_rtt);
    ADD(recovery_conserves_packets_for_a_round_and_then_restores_the_window);
    ADD(single_losses_do_not_lower_the_rate);
    ADD(a_fifth_lost_twice_at_the_same_rate_is_a_policer);
    ADD(losses_below_a_fifth_are_no_policer);
    ADD(a_timeout_measures_the_full_pipe_anew);
    ADD(undo_keeps_the_window_and_forgets_that_the_pipe_was_full);
    ADD(heaps_of_acks_widen_the_window);
    ADD(the_model_starts_where_the_connection_is);
    return g_test_run();
}
