/* The tables of a run's folder (*.tsv): one header line with the names of the
 * columns, then rows; times in seconds with nine decimals; "-" where there is
 * nothing. docs/manual/run-folder.md describes every column.
 */
#ifndef HALFOPEN_RUNTIME_TABLES_H
#define HALFOPEN_RUNTIME_TABLES_H

#include "models/trace/recorder.h"

typedef struct Tables Tables;

/* Makes packets.tsv, states.tsv, why.tsv and calls.tsv in dir. Borrows
 * recorder. At most `packets` rows of packets and `rows` of each other; what
 * follows is counted. Changes over time are in series.h. */
Tables *tables_new(const char *dir, const Recorder *recorder, uint64_t packets, uint64_t rows,
                   GError **error);
bool tables_finish(Tables *tables, GError **error); /* writes the rest; frees */
void tables_discard(Tables *tables);
uint64_t tables_left_out(const Tables *tables); /* rows that were past the limits */

/* From the recorder's sink. */
void tables_on_packet(Tables *tables, const TracePacket *entry);
void tables_on_transition(Tables *tables, const TcpStateRecord *transition);
void tables_on_verdict(Tables *tables, const VerdictRecord *verdict);
void tables_on_call(Tables *tables, const CallRecord *call);

#endif
