/* Finding an algorithm, and the two ways of growing that they share. */
#include "models/tcp/cc.h"

#include <glib.h>
#include <string.h>

#include "models/tcp/cc/algorithms.h"

static const CcOps *const algorithms[] = { &cc_cubic, &cc_reno, &cc_dctcp, &cc_bbr, &cc_fixed };

const CcOps *
cc_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++) {
        if (strcmp(algorithms[i]->name, name) == 0)
            return algorithms[i];
    }
    return NULL;
}

const char *
cc_names(void)
{
    return "cubic reno dctcp bbr fixed";
}

/* RFC 5681 §3.1: one segment more for each acknowledged. DIFFERS: RFC 3465's
 * bound of two segments an ACK is not observed, as Linux does not. */
uint32_t
cc_slow_start(CcWindow *w, uint32_t acked_segs)
{
    uint32_t cwnd = MIN(w->cwnd + acked_segs, w->ssthresh);
    uint32_t left = acked_segs - (cwnd - w->cwnd);

    w->cwnd = MIN(cwnd, w->cwnd_clamp);
    return left;
}

/* One segment more for every `every` acknowledged. */
void
cc_avoidance(CcWindow *w, uint32_t every, uint32_t acked_segs)
{
    if (w->cwnd_cnt >= every) { /* credit that a higher bar had kept back */
        w->cwnd_cnt = 0;
        w->cwnd++;
    }
    w->cwnd_cnt += acked_segs;
    if (w->cwnd_cnt >= every) {
        uint32_t steps = w->cwnd_cnt / every;
        w->cwnd_cnt -= steps * every;
        w->cwnd += steps;
    }
    w->cwnd = MIN(w->cwnd, w->cwnd_clamp);
}
