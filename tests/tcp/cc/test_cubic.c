/* CUBIC (RFC 9438) and HyStart, against numbers computed by hand. */
#include <math.h>

#include "tests/tcp/cc/window.h"

/* C (t - K)^3 + W_max with K = cbrt(W_max (1 - beta) / C): RFC 9438 §4.2. */
static double
curve(double t, double w_max, double cwnd)
{
    double k = cbrt((w_max - cwnd) / 0.4);

    return 0.4 * pow(t - k, 3) + w_max;
}

static void
a_loss_leaves_seven_tenths(void)
{
    g_autoptr(Lab) lab = lab_new("cubic");

    lab->w.cwnd = 1000;
    lab_lose(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 700); /* 1000 * 717 / 1024 */
    lab->w.cwnd = 2;
    lab_lose(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 2);
}

/* After a loss at 1000 the window follows the curve: concave up to the old
 * maximum at K = 9.1 s, convex behind it. */
static void
the_window_follows_the_curve(void)
{
    g_autoptr(Lab) lab = lab_new("cubic");
    SimTime began;

    lab->w.cwnd = 1000;
    lab_lose(lab);
    began = lab->w.now;
    while (lab->w.now - began < 14 * SIM_SEC) {
        double t, wanted;

        lab_round(lab);
        t = (double)(lab->w.now - began) / (double)SIM_SEC;
        wanted = curve(t, 1000, 700);
        g_assert_cmpfloat(fabs((double)lab->w.cwnd - wanted), <, 0.03 * wanted);
    }
    g_assert_cmpuint(lab->w.cwnd, >, 1000);
}

/* With a small window and RTT CUBIC must not be slower than Reno's fair
 * equivalent: 3 (1 - beta) / (1 + beta) = 0.53 segments a round. */
static void
it_keeps_up_with_reno_where_reno_is_faster(void)
{
    g_autoptr(Lab) lab = lab_new("cubic");

    lab->w.min_rtt = lab->w.srtt = 5 * SIM_MS;
    lab->w.cwnd = 20;
    lab_lose(lab); /* 14 */
    for (unsigned i = 0; i < 40; i++)
        lab_round(lab); /* 0.2 s */
    g_assert_cmpuint(lab->w.cwnd, >=, 14 + 17);
    g_assert_cmpuint(lab->w.cwnd, <=, 14 + 26);
}

/* RFC 9438 §4.7: a loss below the last maximum gives room to newcomers. */
static void
fast_convergence_lowers_the_plateau(void)
{
    g_autoptr(Lab) lab = lab_new("cubic");
    uint32_t at_8_s;

    lab->w.cwnd = 1000;
    lab_lose(lab);
    lab->w.cwnd = 800;
    lab_lose(lab); /* W_max = 800 * 0.85 = 680, not 800 */
    g_assert_cmpuint(lab->w.cwnd, ==, 560);
    for (unsigned i = 0; i < 67; i++) /* K = cbrt(120 / 0.4) = 6.7 s */
        lab_round(lab);
    at_8_s = lab->w.cwnd;
    g_assert_cmpuint(at_8_s, >=, 670);
    g_assert_cmpuint(at_8_s, <=, 700);
}

static void
slow_start_is_that_of_reno(void)
{
    g_autoptr(Lab) lab = lab_new("cubic");

    lab_round(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 20);
}

/* ---- HyStart --------------------------------------------------------------------- */

/* ACKs less than 2 ms apart for half the path's delay: the pipe is full. */
static void
a_long_train_of_acks_ends_slow_start(void)
{
    g_autoptr(Lab) lab = lab_new("cubic");

    lab->w.cwnd = 100;
    for (unsigned i = 0; i < 80 && lab->w.ssthresh == CC_INFINITE_SSTHRESH; i++) {
        CcAck ack = { .acked_segs = 1, .rtt_ns = 100 * SIM_MS };

        lab->cc->on_rtt(&lab->w, &ack);
        lab->w.now += SIM_MS;
    }
    g_assert_cmpuint(lab->w.ssthresh, ==, 100);
    g_assert_cmpuint(lab->w.hystart_exit, ==, CC_HYSTART_TRAIN);
}

static void
next_round(Lab *lab)
{
    lab->w.snd_una = lab->w.snd_nxt + 1;
    lab->w.snd_nxt += 1000000;
}

static void
a_delay_grown_by_an_eighth_ends_slow_start(void)
{
    g_autoptr(Lab) lab = lab_new("cubic");

    lab->w.cwnd = 100;
    lab_ack(lab, 1, 100 * SIM_MS);
    lab->w.now += 100 * SIM_MS;
    next_round(lab);
    for (unsigned i = 0; i < 9; i++) {
        CcAck ack = { .acked_segs = 1, .rtt_ns = 112 * SIM_MS };

        g_assert_cmpuint(lab->w.ssthresh, ==, CC_INFINITE_SSTHRESH);
        lab->w.now += 3 * SIM_MS; /* no train */
        lab->cc->on_rtt(&lab->w, &ack);
    }
    g_assert_cmpuint(lab->w.ssthresh, ==, CC_INFINITE_SSTHRESH); /* 112 is within 12.5 */
    next_round(lab);
    for (unsigned i = 0; i < 9; i++) {
        CcAck ack = { .acked_segs = 1, .rtt_ns = 114 * SIM_MS };

        lab->w.now += 3 * SIM_MS;
        lab->cc->on_rtt(&lab->w, &ack);
    }
    g_assert_cmpuint(lab->w.ssthresh, ==, lab->w.cwnd);
    g_assert_cmpuint(lab->w.hystart_exit, ==, CC_HYSTART_DELAY);
}

static void
below_16_segments_slow_start_goes_on(void)
{
    g_autoptr(Lab) lab = lab_new("cubic");

    lab->w.cwnd = 15;
    for (unsigned i = 0; i < 100; i++) {
        CcAck ack = { .acked_segs = 1, .rtt_ns = (100 + (SimTime)i) * SIM_MS };

        lab->cc->on_rtt(&lab->w, &ack);
        lab->w.now += SIM_MS;
    }
    g_assert_cmpuint(lab->w.ssthresh, ==, CC_INFINITE_SSTHRESH);
}

/* Each of the two signs can be turned off. */
static void
the_tunable_chooses_the_signs(void)
{
    for (unsigned bits = 0; bits <= 3; bits++) {
        g_autoptr(Lab) lab = lab_new("cubic");

        lab->params.hystart = bits;
        lab->w.cwnd = 100;
        lab_ack(lab, 1, 100 * SIM_MS);
        for (unsigned i = 0; i < 80; i++) { /* a long train whose delay grows as well */
            CcAck ack = { .acked_segs = 1, .rtt_ns = 150 * SIM_MS };

            if (i == 20)
                next_round(lab);
            lab->cc->on_rtt(&lab->w, &ack);
            lab->w.now += SIM_MS;
        }
        g_assert_cmpint(lab->w.ssthresh == CC_INFINITE_SSTHRESH, ==, bits == 0);
        g_assert_cmpint(lab->w.hystart_exit == CC_HYSTART_TRAIN, ==, bits == 1);
        g_assert_cmpint(lab->w.hystart_exit == CC_HYSTART_DELAY, ==, bits >= 2);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/cc/cubic/" #name, name)
    ADD(a_loss_leaves_seven_tenths);
    ADD(the_window_follows_the_curve);
    ADD(it_keeps_up_with_reno_where_reno_is_faster);
    ADD(fast_convergence_lowers_the_plateau);
    ADD(slow_start_is_that_of_reno);
    ADD(a_long_train_of_acks_ends_slow_start);
    ADD(a_delay_grown_by_an_eighth_ends_slow_start);
    ADD(below_16_segments_slow_start_goes_on);
    ADD(the_tunable_chooses_the_signs);
#undef ADD
    return g_test_run();
}
