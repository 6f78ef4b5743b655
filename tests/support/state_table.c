#include "tests/support/state_table.h"

#include <string.h>

/* ---- Names that the .def files use ----------------------------------------------------- */

#define AT(situation) (1u << (situation))
#define CLOSED        AT(AT_CLOSED)
#define LISTEN        AT(AT_LISTEN)
#define SYN_SENT      AT(AT_SYN_SENT)
#define SYN_RCVD      AT(AT_SYN_RECEIVED)
#define SYN_BOTH      AT(AT_SYN_RECEIVED_BOTH)
#define ESTAB         AT(AT_ESTABLISHED)
#define FIN_1         AT(AT_FIN_WAIT_1)
#define FIN_2         AT(AT_FIN_WAIT_2)
#define CLOSE_WT      AT(AT_CLOSE_WAIT)
#define CLOSING       AT(AT_CLOSING)
#define LAST_ACK      AT(AT_LAST_ACK)
#define TIME_WT       AT(AT_TIME_WAIT)
#define ORPHAN_1      AT(AT_FIN_WAIT_1_CLOSED)
#define ORPHAN_2      AT(AT_FIN_WAIT_2_CLOSED)
/* The peer's FIN has not come, or has; both without TIME-WAIT. */
#define OPEN (ESTAB | FIN_1 | FIN_2)
#define SHUT (CLOSE_WT | CLOSING | LAST_ACK)

#define SPOKEN(reply, next, user, counters, rule)                                                  \
    {                                                                                              \
        reply, next, user, counters, rule, false                                                   \
    }
#define SILENT(next, user, counters, rule)                                                         \
    {                                                                                              \
        "", next, user, counters, rule, true                                                       \
    }

#define BOTH(...)  SPOKEN(__VA_ARGS__), SPOKEN(__VA_ARGS__)
#define LINUX(...) SPOKEN(__VA_ARGS__)
#define RFC(...)   SPOKEN(__VA_ARGS__)
/* Nothing to answer and nothing wrong: no record names a rule. */
#define TAKEN(...)       SILENT(__VA_ARGS__), SILENT(__VA_ARGS__)
#define LINUX_TAKEN(...) SILENT(__VA_ARGS__)
#define RFC_TAKEN(...)   SILENT(__VA_ARGS__)

/* ---- The table, read three times: numbers, segments, cells ------------------------------- */

enum {
#define SEGMENT(name, words, text) SEGMENT_##name,
#define CELL(name, where, ...)
#include "tests/tcp/states/all.def"
#undef SEGMENT
#undef CELL
};

const StateSegment state_segments[] = {
#define SEGMENT(name, words, text) { words, text },
#define CELL(name, where, ...)
#include "tests/tcp/states/all.def"
#undef SEGMENT
#undef CELL
};
const size_t state_n_segments = sizeof state_segments / sizeof *state_segments;

const StateCell state_cells[] = {
#define SEGMENT(name, words, text)
#define CELL(name, where, ...) { SEGMENT_##name, where, { __VA_ARGS__ } },
#include "tests/tcp/states/all.def"
#undef SEGMENT
#undef CELL
};
const size_t state_n_cells = sizeof state_cells / sizeof *state_cells;

const StateSituation state_situations[N_SITUATIONS] = {
    [AT_CLOSED] = { "CLOSED", "No socket has the port.", 0, 0, 0 },
    [AT_LISTEN] = { "LISTEN", "A listener, and nobody has come yet.", 0, 0, 0 },
    [AT_SYN_SENT] = { "SYN-SENT", "connect() sent a SYN, number 0.", 0, 1, 0 },
    [AT_SYN_RECEIVED] = { "SYN-RECEIVED", "A listener answered a SYN with its SYN-ACK.", 0, 1, 1 },
    [AT_SYN_RECEIVED_BOTH] = { "SYN-RECEIVED",
                               "After a simultaneous open: connect() sent a SYN, and met one.", 0,
                               1, 1 },
    [AT_ESTABLISHED] = { "ESTABLISHED", "connect() succeeded; no data has gone either way.", 1, 1,
                         1 },
    [AT_FIN_WAIT_1] = { "FIN-WAIT-1",
                        "shutdown(SHUT_WR): our FIN, number 1, is not acknowledged. The user still "
                        "reads.",
                        1, 2, 1 },
    [AT_FIN_WAIT_2] = { "FIN-WAIT-2",
                        "Our FIN is acknowledged, the peer's has not come. The user still reads.",
                        2, 2, 1 },
    [AT_CLOSE_WAIT] = { "CLOSE-WAIT",
                        "The peer's FIN, number 1, has come; the user has not closed.", 1, 1, 2 },
    [AT_CLOSING] = { "CLOSING", "Both FINs crossed; ours is not acknowledged.", 1, 2, 2 },
    [AT_LAST_ACK] = { "LAST-ACK", "The peer's FIN came first, ours went, and waits for its ACK.", 1,
                      2, 2 },
    [AT_TIME_WAIT] = { "TIME-WAIT", "Both FINs are acknowledged; a listener still has the port.", 2,
                       2, 2 },
    [AT_FIN_WAIT_1_CLOSED] = { "FIN-WAIT-1", "After close(): nobody is left to read.", 1, 2, 1 },
    [AT_FIN_WAIT_2_CLOSED] = { "FIN-WAIT-2", "After close(): nobody is left to read.", 2, 2, 1 },
};

/* ---- Questions ------------------------------------------------------------------------- */

const StateOutcome *
state_outcome(Situation situation, unsigned segment, int profile)
{
    for (size_t i = 0; i < state_n_cells; i++) {
        const StateCell *cell = &state_cells[i];

        if (cell->segment == segment && cell->where & AT(situation))
            return &cell->by[profile];
    }
    return NULL;
}

bool
state_profiles_differ(const StateOutcome *linux_outcome, const StateOutcome *rfc_outcome)
{
    return strcmp(linux_outcome->reply, rfc_outcome->reply) != 0 ||
           linux_outcome->next != rfc_outcome->next ||
           strcmp(linux_outcome->user, rfc_outcome->user) != 0;
}

const char *
state_next_name(NextState next, Situation situation)
{
    switch (next) {
    case STAYS:
    case STAYS_ANEW:
        return state_situations[situation].state;
    case TO_CLOSED:
        return "CLOSED";
    case TO_LISTEN:
        return "LISTEN";
    case TO_SYN_RECEIVED:
        return "SYN-RECEIVED";
    case TO_ESTABLISHED:
        return "ESTABLISHED";
    case TO_FIN_WAIT_2:
        return "FIN-WAIT-2";
    case TO_CLOSE_WAIT:
        return "CLOSE-WAIT";
    case TO_CLOSING:
        return "CLOSING";
    case TO_TIME_WAIT:
        return "TIME-WAIT";
    }
    return "";
}
