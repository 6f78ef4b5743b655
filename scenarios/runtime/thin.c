#include "scenarios/runtime/thin.h"

enum {
    THIN_FREE = 2000,
    THIN_PER_DOUBLING = 200, /* intervals while the run's time doubles */
};

void
thin_finish(Thin *thin, ThinFn *fn, void *arg)
{
    bool peak_first = thin->has_peak && thin->has_last && thin->peak.at < thin->last.at &&
                      thin->peak.v[0] > thin->last.v[0];

    if (peak_first) {
        fn(arg, &thin->peak);
        thin->rows++;
    }
    if (thin->has_last) {
        fn(arg, &thin->last);
        thin->rows++;
    }
    thin->has_peak = thin->has_last = false;
}

void
thin_add(Thin *thin, const ThinRow *row, ThinFn *fn, void *arg)
{
    if (thin->rows < (thin->free_rows ? thin->free_rows : THIN_FREE)) {
        thin->rows++;
        fn(arg, row);
        return;
    }
    if (thin->has_last && row->at >= thin->until)
        thin_finish(thin, fn, arg);
    if (!thin->has_last) {
        thin->interval = row->at / THIN_PER_DOUBLING;
        thin->until = row->at + thin->interval;
    }
    if (!thin->has_peak || row->v[0] > thin->peak.v[0]) {
        thin->peak = *row;
        thin->has_peak = true;
    }
    thin->last = *row;
    thin->has_last = true;
}
