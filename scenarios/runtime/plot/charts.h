/* Inside the charts: what those of charts.c and series.c share. */
#ifndef HALFOPEN_RUNTIME_PLOT_CHARTS_H
#define HALFOPEN_RUNTIME_PLOT_CHARTS_H

#include "scenarios/runtime/plot/internal.h"

enum { CHART_WIDTH = 1200 };

typedef struct Charts {
    const RunFiles *run; /* borrows */
    const char *data;    /* borrows: the folder of the data files */
} Charts;

/* A line of a data file: seconds and values, NaN for none. */
void chart_append_row(GString *out, SimTime at, const double *values, unsigned n);
/* A file under charts->data. */
bool chart_write(const Charts *charts, const char *name, const char *text, GError **error);
/* The run's title, and what to say of `n_all` curves when only some are drawn. */
void chart_append_head(const Charts *charts, GString *out, unsigned n_drawn, unsigned n_all);
void chart_add_job(GArray *jobs, const char *template, const char *picture, double height);

/* series.c: queues, sojourn, counters. */
bool series_charts(const Charts *charts, GArray *jobs, GError **error);

#endif
