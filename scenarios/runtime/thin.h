/* Keeps a series of values over time to a readable number of rows. The first
 * rows pass as they come; then values are gathered over intervals that grow
 * with the run, of each of which the largest and the last value pass, so that
 * neither a peak nor the end is lost. A million changes leave some thousand
 * rows, and short runs leave all.
 */
#ifndef HALFOPEN_RUNTIME_THIN_H
#define HALFOPEN_RUNTIME_THIN_H

#include "sim/time.h"

enum { THIN_VALUES = 3 };

typedef struct ThinRow {
    SimTime at;
    uint64_t v[THIN_VALUES]; /* v[0] is the one whose peak counts */
} ThinRow;

typedef void ThinFn(void *arg, const ThinRow *row);

typedef struct Thin {
    SimTime until; /* end of the interval being gathered; 0: none is */
    ThinRow last;  /* gathered, not yet passed */
    bool has_last;
    bool has_peak;      /* `peak`, gathered before `last`, is at least as large */
    uint32_t free_rows; /* pass as they come; 0: 2000 */
    uint32_t rows;      /* that passed */
    ThinRow peak;
} Thin;

/* Zero-filled is ready. thin_add() passes 0 to 3 rows to fn. */
void thin_add(Thin *thin, const ThinRow *row, ThinFn *fn, void *arg);
void thin_finish(Thin *thin, ThinFn *fn, void *arg); /* passes what is gathered */

/* As if rows had been added that only rise, each before `until`, of which this is
 * the last. */
static inline void
thin_rose(Thin *thin, SimTime at, uint64_t value)
{
    thin->last.at = at;
    thin->last.v[0] = value;
}

#endif
