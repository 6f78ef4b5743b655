/* Keeps a series of values over time to a readable number of rows. The first
 * rows pass as they come; then values are gathered over intervals that grow
 * with the run, of each of which the largest and the last value pass, so that
 * neither a peak nor the end is lost. A million changes leave some thousand
 * rows, and short runs leave all.
 */
#ifndef HALFOPEN_RUNTIME_THIN_H
#define HALFOPEN_RUNTIME_THIN_H

#include "sim/time.h"

enum { THIN_VALUES = 4 };

typedef struct ThinRow {
    SimTime at;
    uint64_t v[THIN_VALUES]; /* v[0] is the one whose peak counts */
} ThinRow;

typedef void ThinFn(void *arg, const ThinRow *row);

typedef struct Thin {
    uint32_t free_rows; /* pass as they come; 0: 2000 */
    uint32_t rows;      /* that passed */
    bool has_peak, has_last;
    SimTime interval, until;
    ThinRow peak, last; /* gathered, not yet passed */
} Thin;

/* Zero-filled is ready. Passes 0 to 2 rows to fn. */
void thin_add(Thin *thin, const ThinRow *row, ThinFn *fn, void *arg);
void thin_finish(Thin *thin, ThinFn *fn, void *arg); /* passes what is gathered */

#endif
