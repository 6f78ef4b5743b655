/* Always-on checks for bugs in halfopen itself: never for what a network or a
 * user may do. A failed check prints the virtual time, the place and the
 * condition, and aborts.
 */
#ifndef HALFOPEN_SIM_CHECK_H
#define HALFOPEN_SIM_CHECK_H

#include <stdint.h>

#define sim_check(condition)                                                                       \
    ((__builtin_expect(!!(condition), 1))                                                          \
         ? (void)0                                                                                 \
         : sim_check_failed(__FILE__, __LINE__, __func__, #condition))

/* Before a function that is seldom called: it, and what leads to it, is kept out
 * of the way of the code that runs for every packet. */
#define SIM_COLD __attribute__((cold, noinline))

_Noreturn void sim_check_failed(const char *file, int line, const char *func, const char *what);

/* Names the clock (ns, borrowed; or NULL) that this thread's failed checks
 * print; returns the one before. Called by sim_run. */
const int64_t *sim_check_use_clock(const int64_t *clock);

#endif
