/* What result() stored, as JSON text with its keys in order. */
#ifndef HALFOPEN_RUNTIME_RESULTS_H
#define HALFOPEN_RUNTIME_RESULTS_H

#include "scenarios/runtime/lab.h"

char *results_to_json(Lab *lab); /* g_free; NULL: nothing was stored */

#endif
