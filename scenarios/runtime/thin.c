#include "scenarios/runtime/thin.h"

enum {
    THIN_FREE = 2000,
    THIN_PER_DOUBLING = 200, /* intervals while the run's time doubles */
};

static void
thin_pass(Thin *thin, const ThinRow *row, ThinFn *fn, void *arg)
{
    thin->rows++;
    fn(arg, row);
}

void
thin_finish(Thin *thin, ThinFn *fn, void *arg)
{
    if (!thin->has_last)
        return;
    if (thin->has_peak && thin->peak.at < thin->last.at && thin->peak.v[0] > thin->last.v[0])
        thin_pass(thin, &thin->peak, fn, arg);
    thin_pass(thin, &thin->last, fn, arg);
    thin->until = 0;
    thin->has_last = thin->has_peak = false;
}

static void
thin_gather(Thin *thin, const ThinRow *row)
{
    if (row->v[0] > (thin->has_peak ? thin->peak.v[0] : thin->last.v[0])) {
        thin->has_peak = false;
    } else if (!thin->has_peak) {
        thin->peak = thin->last;
        thin->has_peak = true;
    }
    thin->last = *row;
}

void
thin_add(Thin *thin, const ThinRow *row, ThinFn *fn, void *arg)
{
    if (row->at < thin->until) {
        thin_gather(thin, row);
        return;
    }
    thin_finish(thin, fn, arg);
    if (thin->rows < (thin->free_rows ? thin->free_rows : THIN_FREE)) {
        thin_pass(thin, row, fn, arg);
        return;
    }
    thin->until = row->at + row->at / THIN_PER_DOUBLING;
    thin->last = *row;
    thin->has_last = true;
}
