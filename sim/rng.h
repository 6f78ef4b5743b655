/* Random numbers in named streams. A stream's sequence depends on the run's
 * seed and its own name alone ("link wire client>server loss"), so adding a
 * host does not change another's luck. xoshiro256**, seeded by SplitMix64 of
 * the seed and a hash of the name. No global state.
 */
#ifndef HALFOPEN_SIM_RNG_H
#define HALFOPEN_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct SimRng {
    uint64_t s[4];
} SimRng;

void sim_rng_init(SimRng *rng, uint64_t seed, const char *name);
uint64_t sim_rng_u64(SimRng *rng);
uint32_t sim_rng_u32(SimRng *rng);
uint64_t sim_rng_below(SimRng *rng, uint64_t bound);  /* uniform in [0, bound), bound > 0 */
double sim_rng_unit(SimRng *rng);                     /* uniform in [0, 1) */
bool sim_rng_chance(SimRng *rng, double probability); /* draws nothing for p <= 0 */
double sim_rng_exponential(SimRng *rng, double mean);
double sim_rng_normal(SimRng *rng, double mean, double stddev);
double sim_rng_pareto(SimRng *rng, double minimum, double shape);

/* SipHash-2-4 of a message under a 128-bit key: ISNs, cookies, port choice. */
uint64_t sim_siphash(const uint64_t key[2], const void *message, uint32_t length);

#endif
