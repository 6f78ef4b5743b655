/* Reno: RFC 5681's slow start, congestion avoidance and halving. */
#include <glib.h>

#include "models/tcp/cc/algorithms.h"

static void
reno_init(CcWindow *w)
{
    (void)w;
}

static uint32_t
reno_ssthresh(CcWindow *w)
{
    return MAX(w->cwnd / 2, 2); /* RFC 5681 §3.1 (4), with cwnd for FlightSize */
}

void
cc_reno_on_ack(CcWindow *w, const CcAck *ack)
{
    uint32_t acked = ack->acked_segs;

    if (!w->is_cwnd_limited)
        return; /* an unused window proves nothing: RFC 7661 */
    if (cc_in_slow_start(w)) {
        acked = cc_slow_start(w, acked);
        if (acked == 0)
            return;
    }
    cc_avoidance(w, w->cwnd, acked);
}

uint32_t
cc_reno_undo_cwnd(CcWindow *w)
{
    return MAX(w->cwnd, w->prior_cwnd);
}

const CcOps cc_reno = {
    .name = "reno",
    .begins_with_data = true,
    .init = reno_init,
    .ssthresh = reno_ssthresh,
    .on_ack = cc_reno_on_ack,
    .undo_cwnd = cc_reno_undo_cwnd,
};
