/* A window that never changes: what the network does when nobody yields. For
 * teaching; the tunable fixed_cwnd says how large. */
#include <glib.h>

#include "models/tcp/cc/algorithms.h"
#include "models/tcp/tcp.h"

static void
fixed_hold(CcWindow *w)
{
    w->cwnd = MIN(w->params->fixed_cwnd, w->cwnd_clamp);
}

static uint32_t
fixed_ssthresh(CcWindow *w)
{
    return MIN(w->params->fixed_cwnd, w->cwnd_clamp);
}

static void
fixed_on_ack(CcWindow *w, const CcAck *ack)
{
    (void)ack;
    fixed_hold(w);
}

static void
fixed_main(CcWindow *w, const CcRateSample *sample)
{
    (void)sample;
    fixed_hold(w);
}

const CcOps cc_fixed = {
    .name = "fixed",
    .init = fixed_hold,
    .ssthresh = fixed_ssthresh,
    .on_ack = fixed_on_ack,
    .undo_cwnd = fixed_ssthresh,
    .main = fixed_main,
};
