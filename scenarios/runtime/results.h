/* What result() stored, as JSON text with its keys in order. */
#ifndef HALFOPEN_RUNTIME_RESULTS_H
#define HALFOPEN_RUNTIME_RESULTS_H

#include "scenarios/runtime/lab.h"

char *results_to_json(Lab *lab); /* g_free; NULL: nothing was stored */

/* One number of them, by the way to it: result("cubic", { mbit = { 3, 4 } }) is cubic.mbit.1 and
 * cubic.mbit.2. */
typedef struct ResultNumber {
    char *name; /* owns */
    bool is_integer;
    gint64 integer; /* if it is one */
    double number;  /* in any case */
} ResultNumber;

GPtrArray *results_numbers(Lab *lab); /* owns ResultNumber, in the order of the keys; none: empty */

#endif
