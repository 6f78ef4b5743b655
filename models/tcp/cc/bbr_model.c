/* BBR's model of the path. */
#include <glib.h>

#include "models/tcp/cc/bbr.h"

enum {
    LT_LEAST_ROUNDS = 4,
    LT_LOSS_RATIO = 50, /* of 256: a fifth of the segments lost */
    LT_CLOSE = BBR_UNIT / 8,
    LT_CLOSE_BYTES_PER_S = 500,
    LT_ROUNDS_IN_USE = 48,
    EXTRA_ROUNDS = 5,
    EPOCH_MOST = 1 << 20, /* segments */
};

uint64_t
bbr_bytes_per_s(const CcWindow *w, uint32_t bw, uint32_t gain)
{
    unsigned __int128 rate = (unsigned __int128)bw * w->mss * gain >> 8;

    return (uint64_t)(rate * (SIM_SEC / SIM_US / 100 * 99) >> BBR_BW_BITS);
}

/* The maximum of the last BBR_BW_ROUNDS rounds, from three candidates (Nichols'
 * windowed filter, as for TCP's minimum RTT). */
static void
filter_add(Bbr *b, uint32_t bw)
{
    const uint32_t window = BBR_BW_ROUNDS, round = b->rounds;

    if (bw >= b->best[0].bw || round - b->best[2].round > window) {
        for (unsigned i = 0; i < 3; i++) {
            b->best[i].bw = bw;
            b->best[i].round = round;
        }
        return;
    }
    for (unsigned i = 1; i < 3; i++) {
        if (bw >= b->best[i].bw) {
            for (unsigned j = i; j < 3; j++) {
                b->best[j].bw = bw;
                b->best[j].round = round;
            }
            break;
        }
    }
    uint32_t age = round - b->best[0].round;
    if (age > window) { /* the best is too old, perhaps the next one too: the others move up */
        unsigned too_old = round - b->best[1].round > window ? 2 : 1;

        for (unsigned i = 0; i < 3; i++) {
            if (i + too_old < 3) {
                b->best[i] = b->best[i + too_old];
            } else {
                b->best[i].bw = bw;
                b->best[i].round = round;
            }
        }
    } else if (b->best[1].round == b->best[0].round && age > window / 4) {
        b->best[1].bw = b->best[2].bw = bw;
        b->best[1].round = b->best[2].round = round;
    } else if (b->best[2].round == b->best[1].round && age > window / 2) {
        b->best[2].bw = bw;
        b->best[2].round = round;
    }
}

static bool
sample_is_valid(const CcRateSample *sample)
{
    return sample->interval_ns > 0;
}

static uint32_t
bw_of(uint64_t segments, uint64_t us)
{
    return (uint32_t)MIN(segments * BBR_BW_UNIT / MAX(us, 1), UINT32_MAX);
}

void
bbr_model_bw(Bbr *b, CcWindow *w, const CcRateSample *sample)
{
    b->round_start = false;
    if (!sample_is_valid(sample))
        return;
    if ((int32_t)(sample->prior_delivered - b->round_end) >= 0) {
        b->round_end = w->delivered;
        b->rounds++;
        b->round_start = true;
        b->conserves = false;
    }
    bbr_model_lt(b, w, sample);
    uint32_t bw = bw_of(sample->delivered, (uint64_t)(sample->interval_ns / SIM_US));
    /* What the application held back says nothing of the path, unless it is more. */
    if (!sample->is_app_limited || bw >= bbr_max_bw(b))
        filter_add(b, bw);
}

/* ---- a policer: a rate that losses enforce over long intervals ---------------- */

static void
lt_begin_interval(Bbr *b, const CcWindow *w)
{
    b->lt_ms = (uint32_t)(w->delivered_at_ns / (uint64_t)SIM_MS);
    b->lt_delivered = w->delivered;
    b->lt_lost = w->lost;
    b->lt_rounds = 0;
}

void
bbr_model_lt_reset(Bbr *b, const CcWindow *w)
{
    b->lt_bw = 0;
    b->lt_use_bw = false;
    b->lt_is_sampling = false;
    lt_begin_interval(b, w);
}

/* Two intervals in a row with about the same rate: that is the policer's. */
static void
lt_end_interval(Bbr *b, const CcWindow *w, uint32_t bw)
{
    if (b->lt_bw != 0) {
        uint32_t apart = bw > b->lt_bw ? bw - b->lt_bw : b->lt_bw - bw;
        if ((uint64_t)apart * BBR_UNIT <= (uint64_t)LT_CLOSE * b->lt_bw ||
            bbr_bytes_per_s(w, apart, BBR_UNIT) <= LT_CLOSE_BYTES_PER_S) {
            b->lt_bw = (uint32_t)(((uint64_t)bw + b->lt_bw) / 2);
            b->lt_use_bw = true;
            b->pacing_gain = BBR_UNIT;
            b->lt_rounds = 0;
            return;
        }
    }
    b->lt_bw = bw;
    lt_begin_interval(b, w);
}

/* An interval is 4 to 16 rounds, begins and ends with a loss, and lost much. */
static void
lt_sample(Bbr *b, CcWindow *w, const CcRateSample *sample)
{
    if (b->round_start)
        b->lt_rounds++;
    if (b->lt_rounds < LT_LEAST_ROUNDS)
        return;
    if (b->lt_rounds > 4 * LT_LEAST_ROUNDS) {
        bbr_model_lt_reset(b, w);
        return;
    }
    if (sample->losses == 0)
        return;
    uint64_t lost = w->lost - b->lt_lost, delivered = w->delivered - b->lt_delivered;
    if (delivered == 0 || lost * BBR_UNIT < LT_LOSS_RATIO * delivered)
        return;
    uint32_t ms = (uint32_t)(w->delivered_at_ns / (uint64_t)SIM_MS) - b->lt_ms;
    if (ms == 0)
        return;
    lt_end_interval(b, w, bw_of(delivered, ms * UINT64_C(1000)));
}

void
bbr_model_lt(Bbr *b, CcWindow *w, const CcRateSample *sample)
{
    if (b->lt_use_bw) { /* after a while, see whether it is still there */
        if (b->mode == BBR_PROBE_BW && b->round_start && ++b->lt_rounds >= LT_ROUNDS_IN_USE) {
            bbr_model_lt_reset(b, w);
            bbr_probe_bw_begin(b, w);
        }
        return;
    }
    if (!b->lt_is_sampling) {
        if (sample->losses == 0)
            return;
        lt_begin_interval(b, w);
        b->lt_is_sampling = true;
    }
    if (sample->is_app_limited) {
        bbr_model_lt_reset(b, w);
        return;
    }
    lt_sample(b, w, sample);
}

/* ---- aggregation: ACKs that come in heaps need more in flight ------------------ */

void
bbr_model_aggregation(Bbr *b, const CcWindow *w, const CcRateSample *sample)
{
    uint32_t now_us = (uint32_t)(w->delivered_at_ns / (uint64_t)SIM_US);

    if (sample->acked_sacked == 0 || !sample_is_valid(sample))
        return;
    if (b->round_start && ++b->extra_rounds >= EXTRA_ROUNDS) {
        b->extra_rounds = 0;
        b->extra_index ^= 1;
        b->extra_acked[b->extra_index] = 0;
    }
    uint32_t expected = (uint32_t)((uint64_t)bbr_bw(b) * (now_us - b->epoch_us) / BBR_BW_UNIT);
    if (b->epoch_acked <= expected || b->epoch_acked + sample->acked_sacked >= EPOCH_MOST) {
        b->epoch_acked = 0;
        b->epoch_us = now_us;
        expected = 0;
    }
    b->epoch_acked += sample->acked_sacked;
    uint32_t extra = MIN(b->epoch_acked - expected, w->cwnd);
    b->extra_acked[b->extra_index] = MAX(b->extra_acked[b->extra_index], extra);
}
