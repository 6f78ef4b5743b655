/* Inside the picture of states: the rows (states.c) and the counts of
 * hosts that have too many for rows (crowd.c).
 */
#ifndef HALFOPEN_RUNTIME_PLOT_STATES_H
#define HALFOPEN_RUNTIME_PLOT_STATES_H

#include "scenarios/runtime/plot/internal.h"

#define STATES_WIDTH 980.0 /* pixels of the time axis */
#define LEFT_LEAST   210.0 /* for names */

enum { CROWD = 60 }; /* of one host: more endpoints than this are counted, not listed */

typedef struct Row {
    int host;
    uint32_t conn;
    unsigned order; /* of birth */
    const char *local, *remote;
    GArray *states; /* owns: indices in run->states */
} Row;

typedef struct Chart {
    const RunFiles *run;
    Sheet *sheet;
    Scale scale;
    GArray *rows; /* Row, by host */
    unsigned *n_of_host;
    double left;       /* where the time axis begins */
    double row_height; /* pixels */
    SimTime end;
} Chart;

/* How many of a host's endpoints, the `n` rows from `first` on, are in which
 * state over time. Returns where the chart ends. */
double crowd_draw(Chart *chart, unsigned first, unsigned n, double y);

#endif
