/* The ladder diagram of a run for a terminal: time runs down, hosts are
 * columns, segments are arrows, the states of both ends stand beside them.
 * Reads a finished Recorder, writes nothing but text.
 */
#ifndef HALFOPEN_RUNTIME_LADDER_H
#define HALFOPEN_RUNTIME_LADDER_H

#include "models/trace/recorder.h"

typedef struct LadderOptions {
    unsigned width;       /* columns, 60 to 100 */
    unsigned max_packets; /* more crossings than this: a summary instead (0: no limit) */
    bool utf8;            /* else ASCII alone */
    bool color;           /* ANSI colours */
    bool why;             /* the rule under each arrow and transition */
} LadderOptions;

/* For this terminal: width from its size (at most 100), colour when `fd` is
 * one and NO_COLOR is not set, utf8 by the locale. */
LadderOptions ladder_options_for(int fd);

/* The ladder, or past max_packets the summary. g_free. */
char *ladder_draw(const Recorder *recorder, const LadderOptions *options);

/* The summary alone: totals, connections by final state, peaks of queues,
 * counters that tell a story. g_free. */
char *ladder_summary(const Recorder *recorder, const LadderOptions *options);

#endif
