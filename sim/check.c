/* What a failed check prints. The clock is known here for this message only:
 * one pointer a thread, set while a simulation runs in it. */
#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/time.h"

static _Thread_local const SimTime *running_clock;

const int64_t *
sim_check_use_clock(const int64_t *clock)
{
    const int64_t *outer = running_clock;

    running_clock = clock;
    return outer;
}

void
sim_check_failed(const char *file, int line, const char *func, const char *what)
{
    char text[SIM_TIME_TEXT];
    const char *when = running_clock != NULL ? sim_time_seconds(*running_clock, text) : "no run";

    fflush(stdout);
    fprintf(stderr, "halfopen: a bug: check failed at %s:%d in %s (virtual time %s): %s\n", file,
            line, func, when, what);
    abort();
}
