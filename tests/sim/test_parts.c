/* Pools, probes and batches. */
#include "sim/batch.h"
#include "sim/pool.h"
#include "sim/probe.h"
#include "sim/sim.h"

#include <glib.h>
#include <string.h>

static void
a_pool_hands_out_distinct_aligned_objects_and_takes_them_back(void)
{
    SimArena arena;
    SimPool pool;
    void *objects[5000];
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    sim_arena_init(&arena);
    sim_pool_init(&pool, &arena, 41);
    for (unsigned i = 0; i < G_N_ELEMENTS(objects); i++) {
        objects[i] = sim_pool_get(&pool);
        g_assert_true(g_hash_table_add(seen, objects[i]));
        g_assert_cmpuint((uintptr_t)objects[i] % 8, ==, 0);
        memset(objects[i], 0xff, 41);
    }
    g_assert_cmpuint(pool.live, ==, G_N_ELEMENTS(objects));
    for (unsigned i = 0; i < G_N_ELEMENTS(objects); i++)
        sim_pool_put(&pool, objects[i]);
    g_assert_cmpuint(pool.live, ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(objects); i++)
        g_assert_false(g_hash_table_add(seen, sim_pool_get(&pool)));
    sim_arena_done(&arena);
}

static void
pooled_objects_of_a_line_or_more_start_at_one(void)
{
    SimArena arena;
    SimPool pool;

    sim_arena_init(&arena);
    sim_pool_init(&pool, &arena, SIM_LINE + 1);
    for (unsigned i = 0; i < 100; i++)
        g_assert_cmpuint((uintptr_t)sim_pool_get(&pool) % SIM_LINE, ==, 0);
    sim_arena_done(&arena);
}

static void
an_arena_gives_what_is_asked_for_whatever_its_size(void)
{
    static const size_t sizes[] = { 1, 64, 300000, 5, 3 << 20, 1 << 20, 70 << 20, 8 };
    SimArena arena;
    unsigned char *taken[G_N_ELEMENTS(sizes)];

    sim_arena_init(&arena);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        taken[i] = sim_arena_take0(&arena, sizes[i]);
        g_assert_cmpuint((uintptr_t)taken[i] % SIM_LINE, ==, 0);
        g_assert_cmpuint(taken[i][0] + taken[i][sizes[i] - 1], ==, 0);
        memset(taken[i], (int)i + 1, sizes[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) { /* nobody wrote over it */
        g_assert_cmpuint(taken[i][0], ==, i + 1);
        g_assert_cmpuint(taken[i][sizes[i] - 1], ==, i + 1);
    }
    sim_arena_done(&arena);
    g_assert_nonnull(sim_arena_take(&arena, 1)); /* begins anew */
    sim_arena_done(&arena);
}

typedef struct Listener {
    Probe *probe;
    GString *heard;
    char name;
    bool leaves;
} Listener;

static void
listener_hear(void *arg, const void *record)
{
    Listener *listener = arg;

    g_string_append_printf(listener->heard, "%c%s ", listener->name, (const char *)record);
    if (listener->leaves)
        probe_unsubscribe(listener->probe, listener_hear, listener);
}

static void
a_probe_tells_its_subscribers_in_their_order(void)
{
    Probe probe = { 0 };
    GString *heard = g_string_new(NULL);
    Listener a = { &probe, heard, 'a', false };
    Listener b = { &probe, heard, 'b', true };
    Listener c = { &probe, heard, 'c', false };

    g_assert_false(probe_is_heard(&probe));
    probe_emit(&probe, "0");
    probe_subscribe(&probe, listener_hear, &a);
    probe_subscribe(&probe, listener_hear, &b);
    probe_subscribe(&probe, listener_hear, &c);
    g_assert_true(probe_is_heard(&probe));
    probe_emit(&probe, "1");
    probe_emit(&probe, "2");
    g_assert_cmpstr(heard->str, ==, "a1 b1 c1 a2 c2 ");
    probe_done(&probe);
    g_assert_false(probe_is_heard(&probe));
    g_string_free(heard, TRUE);
}

typedef struct Walk {
    Sim *sim;
    SimRng rng;
    SimTimer timer;
    unsigned steps;
    uint64_t sum;
} Walk;

static void
walk_step(void *arg)
{
    Walk *walk = arg;

    walk->sum = walk->sum * 31 + (uint64_t)sim_now(walk->sim);
    if (walk->steps-- > 0) {
        SimTime next = sim_now(walk->sim) + (SimTime)sim_rng_below(&walk->rng, SIM_SEC);
        sim_timer_set(walk->sim, &walk->timer, next, walk_step, walk);
    }
}

static void
walk_run(void *arg, unsigned index)
{
    Walk walk = { .sim = sim_new(index), .steps = 200 };

    sim_rng_named(walk.sim, &walk.rng, "walk");
    sim_timer_init(&walk.timer);
    sim_at(walk.sim, 0, walk_step, &walk);
    sim_run(walk.sim, SIM_NEVER);
    ((uint64_t *)arg)[index] = walk.sum;
    sim_free(walk.sim);
}

static void
results_of_a_batch_do_not_depend_on_the_number_of_threads(void)
{
    enum { JOBS = 500 };
    uint64_t one[JOBS] = { 0 };
    const unsigned threads[] = { 0, 2, 7, 1000 };

    sim_batch_run(JOBS, 1, walk_run, one);
    g_assert_cmpuint(one[0], !=, one[1]);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        uint64_t many[JOBS] = { 0 };

        sim_batch_run(JOBS, threads[i], walk_run, many);
        g_assert_cmpmem(many, sizeof many, one, sizeof one);
    }
    sim_batch_run(0, 4, walk_run, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pool/a_pool_hands_out_distinct_aligned_objects_and_takes_them_back",
                    a_pool_hands_out_distinct_aligned_objects_and_takes_them_back);
    g_test_add_func("/pool/pooled_objects_of_a_line_or_more_start_at_one",
                    pooled_objects_of_a_line_or_more_start_at_one);
    g_test_add_func("/arena/an_arena_gives_what_is_asked_for_whatever_its_size",
                    an_arena_gives_what_is_asked_for_whatever_its_size);
    g_test_add_func("/probe/a_probe_tells_its_subscribers_in_their_order",
                    a_probe_tells_its_subscribers_in_their_order);
    g_test_add_func("/batch/results_of_a_batch_do_not_depend_on_the_number_of_threads",
                    results_of_a_batch_do_not_depend_on_the_number_of_threads);
    return g_test_run();
}
