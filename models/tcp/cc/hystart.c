#include "models/tcp/cc/hystart.h"

#include <glib.h>

#include "models/tcp/seq.h"
#include "models/tcp/tcp.h"

enum {
    HYSTART_LOW_WINDOW = 16, /* segments: below it, too little is known */
    HYSTART_SAMPLES = 8,     /* RTT samples of a round before they count */
    HYSTART_DELAY_MIN_US = 4000,
    HYSTART_DELAY_MAX_US = 16000,
    HYSTART_BURST_BYTES = 4 * 65536,
    HYSTART_BY_TRAIN = 1, /* bits of the tunable */
    HYSTART_BY_DELAY = 2,
};
#define HYSTART_ACK_GAP (2 * SIM_MS) /* ACKs closer than this form a train */

void
hystart_begin_round(Hystart *h, const CcWindow *w)
{
    h->round_at = h->last_ack_at = w->now;
    h->end_seq = w->snd_nxt;
    h->least_us = UINT32_MAX;
    h->samples = 0;
}

/* What bursts of the sender add to a train: at most a millisecond. */
static SimTime
hystart_burst_time(const CcWindow *w)
{
    uint64_t rate = w->pacing_rate;

    if (rate == 0 && w->srtt > 0)
        rate = (uint64_t)w->cwnd * w->mss * 2 * (uint64_t)SIM_SEC / (uint64_t)w->srtt;
    if (rate == 0)
        return 0;
    return MIN((SimTime)(HYSTART_BURST_BYTES * (uint64_t)SIM_SEC / rate), SIM_MS);
}

static bool
hystart_train_is_long(Hystart *h, const CcWindow *w, uint32_t delay_min_us)
{
    if (w->now - h->last_ack_at > HYSTART_ACK_GAP)
        return false;
    h->last_ack_at = w->now;
    SimTime threshold = delay_min_us * SIM_US + hystart_burst_time(w);
    /* Pacing alone spreads a window over half the RTT in slow start. */
    bool is_paced = w->pacing_rate != 0 || w->params->pacing;
    return w->now - h->round_at > (is_paced ? threshold : threshold / 2);
}

static bool
hystart_delay_grew(Hystart *h, uint32_t rtt_us, uint32_t delay_min_us)
{
    uint32_t margin = CLAMP(delay_min_us / 8, HYSTART_DELAY_MIN_US, HYSTART_DELAY_MAX_US);

    h->least_us = MIN(h->least_us, rtt_us);
    if (h->samples < HYSTART_SAMPLES) {
        h->samples++;
        return false;
    }
    return h->least_us > delay_min_us + margin;
}

void
hystart_update(Hystart *h, CcWindow *w, uint32_t rtt_us, uint32_t delay_min_us)
{
    if (seq_after(w->snd_una, h->end_seq))
        hystart_begin_round(h, w);
    if (w->cwnd < HYSTART_LOW_WINDOW)
        return;
    uint32_t detect = w->params->hystart;
    bool train = (detect & HYSTART_BY_TRAIN) && hystart_train_is_long(h, w, delay_min_us);
    bool delay =
        !train && (detect & HYSTART_BY_DELAY) && hystart_delay_grew(h, rtt_us, delay_min_us);
    if (!train && !delay)
        return;
    h->has_found = true;
    w->ssthresh = w->cwnd;
    w->hystart_exit = train ? CC_HYSTART_TRAIN : CC_HYSTART_DELAY;
}
