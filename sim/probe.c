/* The subscribers of a probe: a list in the order they came. */
#include "sim/probe.h"

#include <glib.h>

struct ProbeSubscriber {
    ProbeFn *fn;
    void *arg;             /* borrows */
    ProbeSubscriber *next; /* owns */
};

void
probe_emit(const Probe *probe, const void *record)
{
    const ProbeSubscriber *next;

    for (const ProbeSubscriber *s = probe->first; s != NULL; s = next) {
        next = s->next; /* a subscriber may unsubscribe itself */
        s->fn(s->arg, record);
    }
}

void
probe_subscribe(Probe *probe, ProbeFn *fn, void *arg)
{
    ProbeSubscriber **end = &probe->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = g_new(ProbeSubscriber, 1);
    **end = (ProbeSubscriber){ .fn = fn, .arg = arg };
}

void
probe_unsubscribe(Probe *probe, ProbeFn *fn, void *arg)
{
    for (ProbeSubscriber **at = &probe->first; *at != NULL; at = &(*at)->next) {
        ProbeSubscriber *found = *at;
        if (found->fn == fn && found->arg == arg) {
            *at = found->next;
            g_free(found);
            return;
        }
    }
}

void
probe_done(Probe *probe)
{
    while (probe->first != NULL) {
        ProbeSubscriber *first = probe->first;
        probe->first = first->next;
        g_free(first);
    }
}
