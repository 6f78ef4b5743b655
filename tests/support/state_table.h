/* What each of TCP's states makes of each kind of segment, as a table that was
 * written from the RFCs and, for Linux, from recordings and the kernel's known
 * behaviour, not from what halfopen does: tests/tcp/test_states.c holds
 * halfopen to it, and docs/generate prints it as docs/state-by-segment.md.
 *
 * The table itself is tests/tcp/states/, one file a family of segments:
 *   SEGMENT(name, words, text)       a kind of segment
 *   CELL(name, situations, BOTH(...))           both profiles agree
 *   CELL(name, situations, LINUX(...), RFC(...))   they differ
 * An outcome is (reply, state afterwards, what the user sees, counters, rule).
 *
 * Segments and replies are words: flags, then seq=, ack=, len=, ts=. Numbers
 * are named, as they were before the segment came: of what arrives, seq counts
 * from RCV.NXT ("NXT") or the peer's ISN ("IRS"), ack from SND.UNA, SND.NXT or
 * our ISN; of a reply, seq from SND.NXT or ours, ack from RCV.NXT ("NXT"), and
 * SEG.ACK, SEG.END are those of what came. "ack=OK" is one that acknowledges
 * nothing new, and in SYN-RECEIVED our SYN. Several replies are separated by
 * "; ", and one that is not sent at once begins with "later". "" is silence.
 */
#ifndef HALFOPEN_TESTS_SUPPORT_STATE_TABLE_H
#define HALFOPEN_TESTS_SUPPORT_STATE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A state, and how it was reached where that matters. */
typedef enum Situation {
    AT_CLOSED,
    AT_LISTEN,
    AT_SYN_SENT,
    AT_SYN_RECEIVED,      /* by a SYN at a listener */
    AT_SYN_RECEIVED_BOTH, /* by a simultaneous open */
    AT_ESTABLISHED,
    AT_FIN_WAIT_1, /* by shutdown(): the user still reads */
    AT_FIN_WAIT_2,
    AT_CLOSE_WAIT,
    AT_CLOSING,
    AT_LAST_ACK,
    AT_TIME_WAIT,
    AT_FIN_WAIT_1_CLOSED, /* by close(): no user is left */
    AT_FIN_WAIT_2_CLOSED,
    N_SITUATIONS
} Situation;

/* What may follow: a state by name, or as it was. */
typedef enum NextState {
    STAYS,
    STAYS_ANEW, /* TIME-WAIT, and 2 MSL begin once more */
    TO_CLOSED,
    TO_LISTEN,
    TO_SYN_RECEIVED,
    TO_ESTABLISHED,
    TO_FIN_WAIT_2,
    TO_CLOSE_WAIT,
    TO_CLOSING,
    TO_TIME_WAIT,
} NextState;

typedef struct StateOutcome {
    const char *reply;
    NextState next;
    const char *user;     /* "ECONNRESET", "100 bytes", "EOF", "connected", "accepted" */
    const char *counters; /* those that say something, as nstat names them without a group */
    const char *rule;
    bool is_taken; /* processed without a word: no record names the rule */
} StateOutcome;

enum { STATE_LINUX, STATE_RFC };

typedef struct StateSegment {
    const char *words, *text;
} StateSegment;

typedef struct StateCell {
    unsigned segment;
    uint32_t where; /* bits: 1 << Situation */
    StateOutcome by[2];
} StateCell;

typedef struct StateSituation {
    const char *state;                  /* the RFC's name */
    const char *how;                    /* how it was reached, and what its numbers are */
    uint32_t snd_una, snd_nxt, rcv_nxt; /* relative to the ISNs */
} StateSituation;

extern const StateSegment state_segments[];
extern const size_t state_n_segments;
extern const StateCell state_cells[];
extern const size_t state_n_cells;
extern const StateSituation state_situations[N_SITUATIONS];

/* NULL: this segment has no meaning of its own there. */
const StateOutcome *state_outcome(Situation situation, unsigned segment, int profile);
bool state_profiles_differ(const StateOutcome *linux_outcome, const StateOutcome *rfc_outcome);
const char *state_next_name(NextState next, Situation situation);

#endif
