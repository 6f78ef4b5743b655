/* xoshiro256** 1.0 (Blackman and Vigna, 2018), seeded by SplitMix64 as its
 * authors advise, and the distributions that links and crowds draw from. */
#include "sim/rng.h"

#include <math.h>

#include "sim/check.h"

static inline uint64_t
rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t
splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void
sim_rng_init(SimRng *rng, uint64_t seed, const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    uint64_t state = splitmix64(&seed) ^ hash;
    for (int i = 0; i < 4; i++)
        rng->s[i] = splitmix64(&state);
}

uint64_t
sim_rng_u64(SimRng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint32_t
sim_rng_u32(SimRng *rng)
{
    return (uint32_t)(sim_rng_u64(rng) >> 32);
}

/* Lemire's multiplication; the rare low products that would favour some
 * results are drawn again. */
uint64_t
sim_rng_below(SimRng *rng, uint64_t bound)
{
    sim_check(bound > 0);
    unsigned __int128 product = (unsigned __int128)sim_rng_u64(rng) * bound;
    if ((uint64_t)product < bound) {
        uint64_t floor = -bound % bound;
        while ((uint64_t)product < floor)
            product = (unsigned __int128)sim_rng_u64(rng) * bound;
    }
    return (uint64_t)(product >> 64);
}

double
sim_rng_unit(SimRng *rng)
{
    return (double)(sim_rng_u64(rng) >> 11) * 0x1.0p-53;
}

bool
sim_rng_chance(SimRng *rng, double probability)
{
    return probability > 0 && sim_rng_unit(rng) < probability;
}

double
sim_rng_exponential(SimRng *rng, double mean)
{
    return -mean * log1p(-sim_rng_unit(rng));
}

/* Box and Muller; the second value is not kept, so that a stream's state is
 * its four words. */
double
sim_rng_normal(SimRng *rng, double mean, double stddev)
{
    double radius = sqrt(-2 * log1p(-sim_rng_unit(rng)));
    double angle = 2 * M_PI * sim_rng_unit(rng);

    return mean + stddev * radius * cos(angle);
}

double
sim_rng_pareto(SimRng *rng, double minimum, double shape)
{
    return minimum / pow(1 - sim_rng_unit(rng), 1 / shape);
}
