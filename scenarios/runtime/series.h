/* The tables of what changes over time: counters.tsv, series/tcp.tsv (cwnd,
 * ssthresh, round-trip times, windows of each connection) and
 * series/queues.tsv. Long series are thinned (thin.h), so that a flood leaves
 * files that can still be drawn. Rows of one series are in order of time; those
 * of different series need not be.
 */
#ifndef HALFOPEN_RUNTIME_SERIES_H
#define HALFOPEN_RUNTIME_SERIES_H

#include "models/trace/recorder.h"

typedef struct Series Series;

Series *series_new(const char *dir, const Recorder *recorder, uint64_t rows, GError **error);
bool series_finish(Series *series, GError **error); /* writes the rest; frees */
void series_discard(Series *series);

/* From the recorder's sink. */
void series_on_sample(Series *series, const TcpSampleRecord *sample);
void series_on_queue(Series *series, const QueueRecord *queue);
void series_on_counter(Series *series, const CounterRecord *counter);

#endif
