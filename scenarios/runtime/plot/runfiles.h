/* A run's folder read back: what the pictures are drawn from. */
#ifndef HALFOPEN_RUNTIME_PLOT_RUNFILES_H
#define HALFOPEN_RUNTIME_PLOT_RUNFILES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/time.h"

/* A row of packets.tsv. Texts belong to the RunFiles. */
typedef struct RunPacket {
    SimTime sent, ended; /* ended -1: neither arrived nor lost */
    int from, to;        /* hosts; -1: none */
    const char *src, *dst, *proto, *flags, *options, *fate, *story, *marks;
    uint64_t id;
    uint32_t seq, ack, len, win, conn;
} RunPacket;

/* A row of states.tsv. */
typedef struct RunState {
    SimTime at;
    int host;
    uint32_t conn;
    uint64_t packet; /* that caused it; 0: none */
    const char *local, *remote, *from, *to, *what;
} RunState;

/* A row of calls.tsv that tells of a failure. */
typedef struct RunCall {
    SimTime at, took;
    int host;
    uint32_t conn;
    const char *call, *error;
} RunCall;

/* A row of a table of values over time. */
typedef struct RunValue {
    SimTime at;
    double value;
} RunValue;

typedef struct RunSeries {
    char *name;     /* owns: for the legend */
    GArray *values; /* owns RunValue */
    double first, last, most;
    unsigned group, n_joined; /* the reader's own */
} RunSeries;

typedef struct RunFiles {
    char *dir;                               /* owns */
    char *title, *scenario, *profile, *said; /* own; may be NULL */
    uint64_t seed;
    SimTime ended_at;
    uint64_t lost, retransmitted, n_packets; /* of the run, not of the rows */
    GPtrArray *hosts;                        /* owns char *: names, in the run's order */
    GArray *is_router;                       /* bool, of each host */
    GArray *packets;                         /* RunPacket */
    GArray *states;                          /* RunState */
    GArray *failed;                          /* RunCall: those that failed */
    GStringChunk *texts;                     /* owns */
} RunFiles;

/* NULL and error when dir is not a whole run's folder. */
RunFiles *run_files_load(const char *dir, GError **error);
void run_files_free(RunFiles *run);

/* Calls fn for each row of a table with its cells, in the order of the columns
 * asked for. False and error: no such file or no such column. */
typedef void RunRowFn(void *arg, char **cells);
bool run_files_read_table(const char *dir, const char *file, const char *const *columns,
                          RunRowFn *fn, void *arg, GError **error);

SimTime run_parse_time(const char *seconds); /* "-": -1 */

RunSeries *run_series_new(const char *name);
void run_series_free(void *series); /* NULL: nothing */
void run_series_add(RunSeries *series, SimTime at, double value);

#endif
