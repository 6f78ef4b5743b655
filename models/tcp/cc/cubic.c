/* CUBIC (RFC 9438), as Linux computes it: integers, times in units of 1/1024 s,
 * the window as a cubic function of the time since the last reduction, and
 * never less than Reno would have.
 *
 *   W(t) = C (t - K)^3 + W_max,   K = cbrt(W_max (1 - beta) / C)
 *
 * DIFFERS: RFC 9438 §4.3 lets the Reno estimate grow by alpha per window; Linux
 * computes the same with a fixed scale. */
#include <glib.h>

#include "models/tcp/cc/algorithms.h"
#include "models/tcp/cc/hystart.h"

enum {
    CUBIC_BETA = 717, /* of 1024: 0.7, RFC 9438 §4.6 */
    CUBIC_ONE = 1024,
    CUBIC_C = 410,        /* C = 0.4 times 1024 */
    CUBIC_TIME_BITS = 10, /* times in 1/1024 s */
    /* Segments acknowledged for each that Reno would add, times 8 per segment of
     * cwnd: 8 (1 + beta) / 3 (1 - beta). */
    CUBIC_RENO_SCALE = 8 * (CUBIC_ONE + CUBIC_BETA) / 3 / (CUBIC_ONE - CUBIC_BETA),
    CUBIC_LEAST_EVERY = 2, /* at most one segment for two acknowledged */
};

typedef struct Cubic {
    uint32_t every;        /* acknowledged segments for one more in the window */
    uint32_t last_max;     /* W_max */
    uint32_t last_cwnd;    /* for which `every` was computed ... */
    uint32_t last_ms;      /* ... and when */
    uint32_t origin;       /* window at the plateau */
    uint32_t k;            /* 1/1024 s from the epoch's begin to the plateau */
    uint32_t epoch_ms;     /* begin of the epoch */
    uint32_t delay_min_us; /* 0: none known */
    uint32_t acked;        /* segments, for the Reno estimate */
    uint32_t reno_cwnd;    /* what Reno would have */
    bool has_epoch;
    Hystart hystart;
} Cubic;

static uint32_t
cubic_ms(const CcWindow *w)
{
    return (uint32_t)(w->now / SIM_MS);
}

static void
cubic_reset(CcWindow *w)
{
    Cubic *c = CC_PRIVATE(Cubic, w);

    *c = (Cubic){ 0 };
    hystart_begin_round(&c->hystart, w);
}

/* The integer cube root: bit by bit from above. */
static uint32_t
cubic_root(uint64_t value)
{
    uint64_t root = 0;

    for (int bit = 20; bit >= 0; bit--) {
        uint64_t candidate = root | UINT64_C(1) << bit;
        if (candidate * candidate * candidate <= value)
            root = candidate;
    }
    return (uint32_t)root;
}

static void
cubic_begin_epoch(Cubic *c, const CcWindow *w, uint32_t acked)
{
    c->has_epoch = true;
    c->epoch_ms = cubic_ms(w);
    c->acked = acked;
    c->reno_cwnd = w->cwnd;
    if (c->last_max <= w->cwnd) {
        c->k = 0;
        c->origin = w->cwnd;
    } else {
        uint64_t gap = c->last_max - w->cwnd;
        c->k = cubic_root((UINT64_C(1) << (CUBIC_TIME_BITS * 3 + 10)) / CUBIC_C * gap);
        c->origin = c->last_max;
    }
}

/* W(t + RTT): where the curve will be when this window is acknowledged. */
static uint32_t
cubic_target(const Cubic *c, uint32_t now_ms)
{
    uint64_t ms = (uint64_t)(now_ms - c->epoch_ms) + (c->delay_min_us + 999) / 1000;
    uint64_t t = (ms << CUBIC_TIME_BITS) / 1000;
    uint64_t offset = t < c->k ? c->k - t : t - c->k;
    uint32_t delta = (uint32_t)((CUBIC_C * offset * offset * offset) >> (CUBIC_TIME_BITS * 3 + 10));

    return t < c->k ? c->origin - delta : c->origin + delta;
}

static void
cubic_follow_curve(Cubic *c, const CcWindow *w, uint32_t acked)
{
    c->last_cwnd = w->cwnd;
    c->last_ms = cubic_ms(w);
    if (!c->has_epoch)
        cubic_begin_epoch(c, w, acked);
    uint32_t target = cubic_target(c, c->last_ms);
    c->every = target > w->cwnd ? w->cwnd / (target - w->cwnd) : 100 * w->cwnd;
    if (c->last_max == 0 && c->every > 20)
        c->every = 20; /* no loss yet: at least 5 % a round trip */
}

static void
cubic_keep_up_with_reno(Cubic *c, uint32_t cwnd)
{
    uint32_t step = cwnd * CUBIC_RENO_SCALE >> 3;

    while (c->acked > step) {
        c->acked -= step;
        c->reno_cwnd++;
    }
    if (c->reno_cwnd > cwnd)
        c->every = MIN(c->every, cwnd / (c->reno_cwnd - cwnd));
}

static void
cubic_update(Cubic *c, const CcWindow *w, uint32_t acked)
{
    uint32_t now_ms = cubic_ms(w);

    c->acked += acked;
    if (c->last_cwnd == w->cwnd && now_ms - c->last_ms <= 1000 / 32)
        return; /* computed a moment ago */
    if (!c->has_epoch || now_ms != c->last_ms)
        cubic_follow_curve(c, w, acked);
    cubic_keep_up_with_reno(c, w->cwnd);
    c->every = MAX(c->every, CUBIC_LEAST_EVERY);
}

static void
cubic_on_ack(CcWindow *w, const CcAck *ack)
{
    Cubic *c = CC_PRIVATE(Cubic, w);
    uint32_t acked = ack->acked_segs;

    if (!w->is_cwnd_limited)
        return;
    if (cc_in_slow_start(w)) {
        acked = cc_slow_start(w, acked);
        if (acked == 0)
            return;
    }
    cubic_update(c, w, acked);
    cc_avoidance(w, c->every, acked);
}

static uint32_t
cubic_ssthresh(CcWindow *w)
{
    Cubic *c = CC_PRIVATE(Cubic, w);

    c->has_epoch = false;
    /* Fast convergence: leave room for newcomers, RFC 9438 §4.7. */
    if (w->cwnd < c->last_max)
        c->last_max = w->cwnd * (CUBIC_ONE + CUBIC_BETA) / (2 * CUBIC_ONE);
    else
        c->last_max = w->cwnd;
    return MAX(w->cwnd * CUBIC_BETA / CUBIC_ONE, 2);
}

static void
cubic_on_state(CcWindow *w, TcpCaState next)
{
    if (next == TCP_CA_LOSS)
        cubic_reset(w);
}

/* Sending begins again after silence: the curve waited meanwhile (§5.8). */
static void
cubic_on_event(CcWindow *w, CcEvent event)
{
    Cubic *c = CC_PRIVATE(Cubic, w);
    uint32_t now_ms = cubic_ms(w);
    int32_t idle_ms = (int32_t)(now_ms - (uint32_t)(w->last_send_at / SIM_MS));

    if (event != CC_EVENT_TX_START || !c->has_epoch || idle_ms <= 0)
        return;
    c->epoch_ms += (uint32_t)idle_ms;
    if ((int32_t)(c->epoch_ms - now_ms) > 0)
        c->epoch_ms = now_ms;
}

static void
cubic_on_rtt(CcWindow *w, const CcAck *ack)
{
    Cubic *c = CC_PRIVATE(Cubic, w);

    if (ack->rtt_ns < 0)
        return;
    if (c->has_epoch && cubic_ms(w) - c->epoch_ms < 1000)
        return; /* right after a reduction the queue still drains */
    uint32_t rtt_us = MAX((uint32_t)(ack->rtt_ns / SIM_US), 1);
    if (c->delay_min_us == 0 || rtt_us < c->delay_min_us)
        c->delay_min_us = rtt_us;
    if (!c->hystart.has_found && cc_in_slow_start(w))
        hystart_update(&c->hystart, w, rtt_us, c->delay_min_us);
}

const CcOps cc_cubic = {
    .name = "cubic",
    .begins_with_data = true,
    .init = cubic_reset,
    .ssthresh = cubic_ssthresh,
    .on_ack = cubic_on_ack,
    .on_rtt = cubic_on_rtt,
    .on_state = cubic_on_state,
    .on_event = cubic_on_event,
    .undo_cwnd = cc_reno_undo_cwnd,
};
