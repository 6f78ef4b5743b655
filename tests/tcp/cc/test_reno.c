/* RFC 5681, counted in segments. */
#include "tests/tcp/cc/window.h"

static void
slow_start_doubles_each_round(void)
{
    g_autoptr(Lab) lab = lab_new("reno");

    lab_round(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 20);
    lab_round(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 40);
}

static void
avoidance_adds_one_segment_each_round(void)
{
    g_autoptr(Lab) lab = lab_new("reno");

    lab->w.ssthresh = 10;
    for (uint32_t cwnd = 10; cwnd < 50; cwnd++) {
        g_assert_cmpuint(lab->w.cwnd, ==, cwnd);
        lab_round(lab);
    }
}

/* What slow start leaves of an ACK counts for avoidance. */
static void
one_ack_may_cross_the_threshold(void)
{
    g_autoptr(Lab) lab = lab_new("reno");

    lab->w.ssthresh = 12;
    lab_ack(lab, 10, -1);
    g_assert_cmpuint(lab->w.cwnd, ==, 12);
    g_assert_cmpuint(lab->w.cwnd_cnt, ==, 8);
}

static void
a_loss_halves_but_leaves_two(void)
{
    g_autoptr(Lab) lab = lab_new("reno");

    lab_lose(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 5);
    lab->w.cwnd = 3;
    lab_lose(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 2);
}

static void
an_unused_window_does_not_grow(void)
{
    g_autoptr(Lab) lab = lab_new("reno");

    lab->w.is_cwnd_limited = false;
    lab_round(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 10);
}

static void
undo_restores_the_window(void)
{
    g_autoptr(Lab) lab = lab_new("reno");

    lab_lose(lab);
    g_assert_cmpuint(lab->cc->undo_cwnd(&lab->w), ==, 10);
}

static void
the_clamp_holds(void)
{
    g_autoptr(Lab) lab = lab_new("reno");

    lab->w.cwnd_clamp = 15;
    lab_round(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 15);
}

static void
fixed_never_moves(void)
{
    g_autoptr(Lab) lab = lab_new("fixed");

    lab->params.fixed_cwnd = 7;
    lab->cc->init(&lab->w);
    lab_round(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 7);
    lab_lose(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 7);
}

static void
names_find_algorithms(void)
{
    g_auto(GStrv) names = g_strsplit(cc_names(), " ", 0);

    for (size_t i = 0; names[i]; i++)
        g_assert_cmpstr(cc_find(names[i])->name, ==, names[i]);
    g_assert_null(cc_find("vegas"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/cc/reno/" #name, name)
    ADD(slow_start_doubles_each_round);
    ADD(avoidance_adds_one_segment_each_round);
    ADD(one_ack_may_cross_the_threshold);
    ADD(a_loss_halves_but_leaves_two);
    ADD(an_unused_window_does_not_grow);
    ADD(undo_restores_the_window);
    ADD(the_clamp_holds);
    ADD(fixed_never_moves);
    ADD(names_find_algorithms);
#undef ADD
    return g_test_run();
}
