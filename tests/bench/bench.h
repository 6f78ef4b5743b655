/* The workloads of `make bench`. Each runs in a process of its own, so that
 * its CPU time and peak memory are its own. */
#ifndef HALFOPEN_TESTS_BENCH_H
#define HALFOPEN_TESTS_BENCH_H

#include <stdint.h>

typedef struct BenchResult {
    uint64_t
        segments;    /* data segments delivered to an application; 0: not what this one measures */
    uint64_t events; /* run by the kernel */
    uint64_t connections; /* opened, held or answered */
    uint64_t packets;     /* handed to the workload's first link by its attacker */
    uint64_t runs;        /* whole simulations */
    double sim_seconds;
    double checksum; /* of what was delivered: two builds that agree here did the same work */
} BenchResult;

typedef struct BenchWorkload {
    const char *name;
    const char *what;
    BenchResult (*run)(uint64_t size);
    uint64_t size;  /* full */
    uint64_t small; /* for counting instructions */
} BenchWorkload;

extern const BenchWorkload bench_workloads[];
extern const unsigned bench_n_workloads;

#endif
