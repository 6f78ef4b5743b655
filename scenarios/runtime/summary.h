/* summary.json: what a run was and what came out of it. */
#ifndef HALFOPEN_RUNTIME_SUMMARY_H
#define HALFOPEN_RUNTIME_SUMMARY_H

#include "scenarios/runtime/folder.h"

#define SUMMARY_FILE "summary.json"
#define SUMMARY_FORMAT                                                                             \
    "halfopen run 1" /* the value of "format": changes when the files' meaning does */

/* The whole text, ending with a newline. left_out: rows that the files do not
 * hold. g_free. */
char *summary_to_json(const Summary *summary, const Recorder *recorder, uint64_t left_out);

#endif
