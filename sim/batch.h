/* Many independent simulations over all cores. Each job makes its own Sim from
 * its index, and writes its result where its index says, so that the results do
 * not depend on how many threads there were or who ran what.
 */
#ifndef HALFOPEN_SIM_BATCH_H
#define HALFOPEN_SIM_BATCH_H

/* Runs one job. Jobs run at the same time: they may read what `arg` points to,
 * and write only what belongs to their index. */
typedef void SimBatchFn(void *arg, unsigned index);

/* Runs fn(arg, 0) ... fn(arg, jobs - 1) and returns when all have returned.
 * threads: how many at once, 0 for one a core. */
void sim_batch_run(unsigned jobs, unsigned threads, SimBatchFn *fn, void *arg);

#endif
