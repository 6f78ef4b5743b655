/* A probe hands typed records to whoever subscribed. Nobody subscribed: one
 * predicted branch. Subscribers run in the order they subscribed, must not
 * change what they watch, and see a record only during the call.
 */
#ifndef HALFOPEN_SIM_PROBE_H
#define HALFOPEN_SIM_PROBE_H

#include <stdbool.h>
#include <stddef.h>

typedef void ProbeFn(void *arg, const void *record);
typedef struct ProbeSubscriber ProbeSubscriber;

typedef struct Probe {
    ProbeSubscriber *first; /* owns */
} Probe;

static inline bool
probe_is_heard(const Probe *probe)
{
    return __builtin_expect(probe->first != NULL, 0);
}

void probe_emit(const Probe *probe, const void *record);
void probe_subscribe(Probe *probe, ProbeFn *fn, void *arg);
void probe_unsubscribe(Probe *probe, ProbeFn *fn, void *arg);
void probe_done(Probe *probe); /* forgets all subscribers */

#endif
