/* A slice of the long random tests of TCP, for every `make test`: some worlds,
 * each twice, on two threads (tests/support/soak.h), and some mutated packets
 * (tests/support/fuzz.h). */
#include "sim/batch.h"
#include "tests/support/fuzz.h"
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

static void
mutated_packets_break_no_host_in_any_state(void)
{
    for (uint64_t seed = 1; seed <= 220; seed++) { /* each state ten times in each profile */
        g_autofree char *wrong = fuzz_host(seed, 100);

        if (wrong != NULL)
            g_test_message("seed %u: %s; again: soak_fuzz --seed %u", (unsigned)seed, wrong,
                           (unsigned)seed);
        g_assert_null(wrong);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/soak/slice/random_worlds_keep_every_promise_and_repeat_themselves",
                    random_worlds_keep_every_promise_and_repeat_themselves);
    g_test_add_func("/soak/slice/mutated_packets_break_no_host_in_any_state",
                    mutated_packets_break_no_host_in_any_state);
    return g_test_run();
}
