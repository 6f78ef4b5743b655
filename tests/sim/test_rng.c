/* Random streams: published sequences, bounds, independence of names. */
#include "sim/rng.h"

#include <glib.h>
#include <math.h>

static void
xoshiro_gives_its_published_sequence(void)
{
    SimRng rng = { { 1, 2, 3, 4 } };
    const uint64_t expected[] = { 11520, 0, 1509978240, UINT64_C(1215971899390074240) };

    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpuint(sim_rng_u64(&rng), ==, expected[i]);
}

/* The vectors of the SipHash paper's reference: key 00 01 .. 0f, message 00 01 .. */
static void
siphash_gives_its_published_values(void)
{
    const uint64_t key[2] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
    uint8_t message[15];

    for (uint8_t i = 0; i < sizeof message; i++)
        message[i] = i;
    g_assert_cmphex(sim_siphash(key, message, 0), ==, UINT64_C(0x726fdb47dd0e0e31));
    g_assert_cmphex(sim_siphash(key, message, 1), ==, UINT64_C(0x74f839c593dc67fd));
    g_assert_cmphex(sim_siphash(key, message, 8), ==, UINT64_C(0x93f5f5799a932462));
    g_assert_cmphex(sim_siphash(key, message, 15), ==, UINT64_C(0xa129ca6149be45e5));
}

static void
a_stream_depends_on_seed_and_name_alone(void)
{
    SimRng a, b, other_name, other_seed;

    sim_rng_init(&a, 7, "link wire loss");
    sim_rng_init(&b, 7, "link wire loss");
    sim_rng_init(&other_name, 7, "link wire losr");
    sim_rng_init(&other_seed, 8, "link wire loss");
    for (unsigned i = 0; i < 100; i++) {
        uint64_t value = sim_rng_u64(&a);
        g_assert_cmpuint(value, ==, sim_rng_u64(&b));
        g_assert_cmpuint(value, !=, sim_rng_u64(&other_name));
        g_assert_cmpuint(value, !=, sim_rng_u64(&other_seed));
    }
}

static void
below_is_uniform_and_stays_below(void)
{
    SimRng rng;
    unsigned counts[6] = { 0 };

    sim_rng_init(&rng, 1, "dice");
    for (unsigned i = 0; i < 60000; i++)
        counts[sim_rng_below(&rng, 6)]++;
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmpuint(counts[i], >, 9600);
        g_assert_cmpuint(counts[i], <, 10400);
    }
    g_assert_cmpuint(sim_rng_below(&rng, 1), ==, 0);
    for (unsigned i = 0; i < 100; i++)
        g_assert_cmpuint(sim_rng_below(&rng, (UINT64_C(1) << 63) + 1), <=, UINT64_C(1) << 63);
}

static void
chance_of_zero_draws_nothing(void)
{
    SimRng rng, untouched;
    unsigned hits = 0;

    sim_rng_init(&rng, 1, "coin");
    untouched = rng;
    g_assert_false(sim_rng_chance(&rng, 0));
    g_assert_cmpmem(&rng, sizeof rng, &untouched, sizeof untouched);
    g_assert_true(sim_rng_chance(&rng, 1));
    for (unsigned i = 0; i < 100000; i++)
        hits += sim_rng_chance(&rng, 0.01);
    g_assert_cmpuint(hits, >, 900);
    g_assert_cmpuint(hits, <, 1100);
}

static void
distributions_have_the_moments_asked_for(void)
{
    SimRng rng;
    const unsigned n = 200000;
    double exponential = 0, normal = 0, normal_squares = 0, pareto = 0, unit = 0;

    sim_rng_init(&rng, 1, "moments");
    for (unsigned i = 0; i < n; i++) {
        exponential += sim_rng_exponential(&rng, 3);
        double x = sim_rng_normal(&rng, 10, 2);
        normal += x;
        normal_squares += (x - 10) * (x - 10);
        x = sim_rng_pareto(&rng, 2, 3);
        g_assert_cmpfloat(x, >=, 2);
        pareto += x;
        x = sim_rng_unit(&rng);
        g_assert_true(x >= 0 && x < 1);
        unit += x;
    }
    g_assert_cmpfloat_with_epsilon(exponential / n, 3, 0.05);
    g_assert_cmpfloat_with_epsilon(normal / n, 10, 0.05);
    g_assert_cmpfloat_with_epsilon(sqrt(normal_squares / n), 2, 0.05);
    g_assert_cmpfloat_with_epsilon(pareto / n, 3, 0.05);
    g_assert_cmpfloat_with_epsilon(unit / n, 0.5, 0.005);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/rng/" #claim, claim)
    ADD(xoshiro_gives_its_published_sequence);
    ADD(siphash_gives_its_published_values);
    ADD(a_stream_depends_on_seed_and_name_alone);
    ADD(below_is_uniform_and_stays_below);
    ADD(chance_of_zero_draws_nothing);
    ADD(distributions_have_the_moments_asked_for);
#undef ADD
    return g_test_run();
}
