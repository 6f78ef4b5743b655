/* DCTCP (RFC 8257): alpha and the reduction. */
#include "tests/tcp/cc/window.h"

/* One window of `segs` segments, `marked` of them with ECE. */
static void
window_of(Lab *lab, uint32_t segs, uint32_t marked)
{
    for (uint32_t i = 0; i < segs; i++) {
        lab->w.snd_una += 1000;
        lab->w.snd_nxt = lab->w.snd_una + segs * 1000;
        lab->cc->in_ack_event(&lab->w, i < marked, 1000, lab->w.snd_una);
    }
}

static void
the_first_mark_halves(void)
{
    g_autoptr(Lab) lab = lab_new("dctcp");

    lab->w.cwnd = 100;
    lab_lose(lab);
    g_assert_cmpuint(lab->w.cwnd, ==, 50); /* alpha begins at 1 */
}

/* alpha = (1 - 1/16) alpha + share / 16 */
static void
without_marks_alpha_fades(void)
{
    g_autoptr(Lab) lab = lab_new("dctcp");

    for (unsigned i = 0; i < 100; i++)
        window_of(lab, 20, 0);
    lab->w.cwnd = 100;
    lab_lose(lab);
    g_assert_cmpuint(lab->w.cwnd, >=, 99);
}

static void
a_quarter_marked_reduces_by_an_eighth(void)
{
    g_autoptr(Lab) lab = lab_new("dctcp");

    for (unsigned i = 0; i < 200; i++)
        window_of(lab, 20, 5);
    lab->w.cwnd = 1000;
    lab_lose(lab);
    g_assert_cmpuint(lab->w.cwnd, >=, 865);
    g_assert_cmpuint(lab->w.cwnd, <=, 885);
}

static void
a_loss_still_halves(void)
{
    g_autoptr(Lab) lab = lab_new("dctcp");

    for (unsigned i = 0; i < 100; i++)
        window_of(lab, 20, 0);
    lab->w.cwnd = 100;
    lab->cc->on_event(&lab->w, CC_EVENT_LOSS);
    g_assert_cmpuint(lab->w.ssthresh, ==, 50);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/cc/dctcp/" #name, name)
    ADD(the_first_mark_halves);
    ADD(without_marks_alpha_fades);
    ADD(a_quarter_marked_reduces_by_an_eighth);
    ADD(a_loss_still_halves);
#undef ADD
    return g_test_run();
}
