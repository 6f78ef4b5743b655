/* What a batch found, for people and as a table for programs: a line for each
 * run in the order of the list, whoever finished first.
 */
#ifndef HALFOPEN_RUNTIME_BATCH_REPORT_H
#define HALFOPEN_RUNTIME_BATCH_REPORT_H

#include "scenarios/runtime/batch_list.h"

typedef struct BatchRow {
    bool is_played; /* to its end, or to its error; else the batch was stopped before */
    char *error;    /* owns: why the scenario could not be played to its end; NULL: it could */
    unsigned n_expectations, n_failed;
    char *not_met;      /* owns: the first that failed; NULL: none */
    SimTime end;        /* of the world that lived longest */
    GPtrArray *numbers; /* owns ResultNumber (results.h); NULL: it did not end */
} BatchRow;

typedef struct BatchReport {
    const BatchList *list; /* borrows, and so all below */
    const BatchRow *rows;  /* one a run */
    const char *file;
    const char *until, *memory; /* as they were given; NULL: not */
} BatchReport;

void batch_row_take(BatchRow *row, Lab *lab); /* what the run found */
void batch_row_done(BatchRow *row);

/* The lines of the runs, for a terminal; then the numbers and what failed (g_free). */
char *batch_report_runs(const BatchReport *report);
char *batch_report_summary(const BatchReport *report);
/* The same as tab-separated values: seconds, numbers that lose nothing (g_free). */
char *batch_report_tsv(const BatchReport *report);
/* The command line that plays this run alone (g_free). */
char *batch_report_command(const BatchReport *report, unsigned run);

/* How many runs are so; *first is the first of them. */
unsigned batch_report_failed(const BatchReport *report, unsigned *first); /* expectations not met */
unsigned batch_report_broken(const BatchReport *report, unsigned *first); /* with an error */
unsigned batch_report_played(const BatchReport *report);

#endif
