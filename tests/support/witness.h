/* Hears what a host's TCP says of its reasons: verdicts, transitions, and, from
 * who hands it packets, why they were sent. */
#ifndef HALFOPEN_TESTS_SUPPORT_WITNESS_H
#define HALFOPEN_TESTS_SUPPORT_WITNESS_H

#include "models/sock/sock.h"

typedef struct Witness {
    NetProbes *probes;        /* borrows */
    GPtrArray *lines, *rules; /* own texts: "drop|what|rule", and the rules alone */
    GString *nameless;        /* owns: what named no rule */
    unsigned drops, replies, transitions;
} Witness;

Witness *witness_new(Host *host); /* hears from now on */
void witness_free(Witness *witness);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Witness, witness_free)

void witness_note(Witness *witness, const char *kind, const char *what, const char *rule);
bool witness_has_rule(const Witness *witness, const char *rule);
/* kind: "reply", "drop", "retransmit", "note" or "transition". */
void witness_expect(const Witness *witness, const char *kind, const char *what, const char *rule);
/* Whose a rule is, and which: an RFC's section, a sysctl, a socket option. */
bool witness_is_rule(const char *rule);

#endif
