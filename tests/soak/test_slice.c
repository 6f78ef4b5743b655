/* A slice of the long random test of TCP, for every `make test`: some worlds,
 * each twice, on two threads. What a world is: tests/support/soak.h. */
#include "sim/batch.h"
#include "tests/support/soak.h"

enum { SEEDS = 300 };

typedef struct Slice {
    char *failures[SEEDS]; /* owns, by seed; NULL: all is well */
    bool repeats[SEEDS];
} Slice;

static void
run_world(void *arg, unsigned index)
{
    Slice *slice = arg;
    SoakResult once = soak_run(index + 1, NULL), again = soak_run(index + 1, NULL);

    slice->failures[index] = g_strdup(once.failure);
    slice->repeats[index] = once.hash == again.hash && once.events == again.events;
    soak_result_done(&once);
    soak_result_done(&again);
}

static void
random_worlds_keep_every_promise_and_repeat_themselves(void)
{
    g_autofree Slice *slice = g_new0(Slice, 1);

    sim_batch_run(SEEDS, 2, run_world, slice);
    for (unsigned i = 0; i < SEEDS; i++) {
        if (slice->failures[i] != NULL)
            g_test_message("seed %u: %s; again: soak_tcp --seed %u --verbose", i + 1,
                           slice->failures[i], i + 1);
        g_assert_null(slice->failures[i]);
        g_assert_true(slice->repeats[i]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/soak/slice/random_worlds_keep_every_promise_and_repeat_themselves",
                    random_worlds_keep_every_promise_and_repeat_themselves);
    return g_test_run();
}
