/* The runs of `halfopen batch`: every seed with every combination of values.
 * A run is known by its index. Seeds change fastest, then the values of the
 * last axis, so that the runs of one combination follow each other.
 */
#ifndef HALFOPEN_RUNTIME_BATCH_LIST_H
#define HALFOPEN_RUNTIME_BATCH_LIST_H

#include "scenarios/runtime/lab.h"

#define BATCH_MOST_RUNS 1000000

/* What may vary beside the seed: the profile, or a parameter. */
typedef struct BatchAxis {
    char *name;        /* owns: "profile" for the profile, else the parameter's */
    GPtrArray *values; /* owns text, as the user wrote it */
    bool is_profile;
} BatchAxis;

typedef struct BatchList {
    GArray *seeds;   /* owns uint64_t */
    GPtrArray *axes; /* owns BatchAxis: the profile if given, the parameters in the order given */
    unsigned n_combinations, n_runs;
} BatchList;

/* Reads "1-100,200", { "loss=1%,2%", ... } (values between commas, a comma in a value as "\,") and
 * "linux,rfc"; set and profiles may be NULL. NULL, or what is wrong (g_free). */
char *batch_list_read(BatchList *list, const char *seeds, char **set, const char *profiles);
/* Every value against the parameters of the scenario, before anything runs. NULL, or what is
 * wrong (g_free). Leaves the last value of each in `params`. */
char *batch_list_check(const BatchList *list, const GPtrArray *params, const char *file);
void batch_list_done(BatchList *list);

uint64_t batch_list_seed(const BatchList *list, unsigned run);
unsigned batch_list_combination(const BatchList *list, unsigned run);
const char *batch_list_value(const BatchList *list, unsigned combination, unsigned axis);
/* "NAME=VALUE" for each parameter (g_strfreev). */
char **batch_list_set(const BatchList *list, unsigned run);
const char *batch_list_profile(const BatchList *list, unsigned run); /* NULL: the scenario's own */
/* "seed 7, loss 10%": what sets this run apart (g_free). */
char *batch_list_name(const BatchList *list, unsigned run);

#endif
