/* The fields of a Sim; internal to sim/. */
#ifndef HALFOPEN_SIM_SIM_INTERNAL_H
#define HALFOPEN_SIM_SIM_INTERNAL_H

#include "sim/queue.h"

struct Sim {
    SimTime now;
    bool stopping;
    uint64_t events_run;
    uint64_t seed;
    Queue queue;
};

#endif
