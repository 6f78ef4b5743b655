/* BBR's modes, and what they make of the model: the pacing rate is the bandwidth
 * times a gain, the window the bandwidth-delay product times another. */
#include <glib.h>

#include "models/tcp/cc/bbr.h"

enum {
    BBR_HIGH_GAIN = BBR_UNIT * 2885 / 1000 + 1, /* 2 / ln 2: doubles the rate each round */
    BBR_DRAIN_GAIN = BBR_UNIT * 1000 / 2885,
    BBR_CWND_GAIN = BBR_UNIT * 2,
    BBR_FULL_BW_GROWTH = BBR_UNIT * 5 / 4,
    BBR_FULL_BW_ROUNDS = 3,
    BBR_MIN_RTT_MS = 10000, /* window of the RTT filter */
    BBR_PROBE_RTT_MS = 200,
    BBR_EXTRA_MOST_US = 100000,
    BBR_FIRST_CWND = 10,
    BBR_BURST_MOST = 127,
    BBR_SLOW_BYTES_PER_S = 1200000 / 8, /* below: bursts of one segment */
};

static const uint16_t cycle_gains[BBR_CYCLE] = {
    BBR_UNIT * 5 / 4, /* probe for more */
    BBR_UNIT * 3 / 4, /* drain what that queued */
    BBR_UNIT,         BBR_UNIT, BBR_UNIT, BBR_UNIT, BBR_UNIT, BBR_UNIT,
};

/* ---- rate and window ---------------------------------------------------------- */

static void
set_first_rate(Bbr *b, CcWindow *w)
{
    uint64_t rtt_us = 1000;

    if (w->srtt > 0) {
        rtt_us = (uint64_t)MAX(w->srtt / SIM_US, 1);
        b->has_seen_rtt = true;
    }
    uint32_t bw = (uint32_t)MIN(w->cwnd * BBR_BW_UNIT / rtt_us, UINT32_MAX);
    w->pacing_rate = MAX(bbr_bytes_per_s(w, bw, BBR_HIGH_GAIN), 1);
}

static void
set_rate(Bbr *b, CcWindow *w, uint32_t bw, uint32_t gain)
{
    uint64_t rate = bbr_bytes_per_s(w, bw, gain);

    if (!b->has_seen_rtt && w->srtt > 0)
        set_first_rate(b, w);
    if (b->full_bw_reached || rate > w->pacing_rate)
        w->pacing_rate = MAX(rate, 1);
}

static uint32_t
burst_segs(const CcWindow *w)
{
    uint64_t bytes = MIN(w->pacing_rate >> 10, 65536);
    uint64_t least = w->pacing_rate < BBR_SLOW_BYTES_PER_S ? 1 : 2;

    return (uint32_t)MIN(MAX(bytes / MAX(w->mss, 1), least), BBR_BURST_MOST);
}

static uint32_t
bdp(const Bbr *b, uint32_t bw, uint32_t gain)
{
    if (b->min_rtt_us == UINT32_MAX)
        return BBR_FIRST_CWND;
    unsigned __int128 product = (unsigned __int128)bw * b->min_rtt_us * gain >> 8;
    return (uint32_t)((product + BBR_BW_UNIT - 1) / BBR_BW_UNIT);
}

/* Room for bursts in sender and receiver. */
static uint32_t
with_bursts(const Bbr *b, const CcWindow *w, uint32_t cwnd)
{
    cwnd += 3 * burst_segs(w);
    cwnd = (cwnd + 1) & ~UINT32_C(1);
    return b->mode == BBR_PROBE_BW && b->phase == 0 ? cwnd + 2 : cwnd;
}

static uint32_t
inflight_for(const Bbr *b, const CcWindow *w, uint32_t bw, uint32_t gain)
{
    return with_bursts(b, w, bdp(b, bw, gain));
}

/* What will be in flight when the next burst may leave: that is then already
 * scheduled, and the network goes on delivering until then. */
static uint32_t
in_net(const Bbr *b, const CcWindow *w, uint32_t in_flight)
{
    uint64_t wait_us = (uint64_t)(MAX(w->departs_at - w->now, 0) / SIM_US);
    uint64_t delivered = (uint64_t)bbr_bw(b) * wait_us / BBR_BW_UNIT;

    if (b->pacing_gain > BBR_UNIT)
        in_flight += burst_segs(w);
    return delivered >= in_flight ? 0 : in_flight - (uint32_t)delivered;
}

static uint32_t
aggregation_room(const Bbr *b)
{
    if (!b->full_bw_reached)
        return 0;
    uint64_t most = (uint64_t)bbr_bw(b) * BBR_EXTRA_MOST_US / BBR_BW_UNIT;
    return (uint32_t)MIN(most, MAX(b->extra_acked[0], b->extra_acked[1]));
}

static void
save_cwnd(Bbr *b, const CcWindow *w)
{
    bool is_good = b->prev_ca_state < TCP_CA_RECOVERY && b->mode != BBR_PROBE_RTT;

    b->prior_cwnd = is_good ? w->cwnd : MAX(b->prior_cwnd, w->cwnd);
}

/* Packet conservation in the first round of recovery; the old window after it. */
static bool
recover_or_restore(Bbr *b, CcWindow *w, const CcRateSample *sample, uint32_t *cwnd)
{
    uint8_t before = b->prev_ca_state;

    *cwnd = w->cwnd;
    if (sample->losses > 0)
        *cwnd = *cwnd > sample->losses ? *cwnd - sample->losses : 1;
    if (w->ca_state == TCP_CA_RECOVERY && before != TCP_CA_RECOVERY) {
        b->conserves = true;
        b->round_end = w->delivered;
        *cwnd = w->in_flight + sample->acked_sacked;
    } else if (before >= TCP_CA_RECOVERY && w->ca_state < TCP_CA_RECOVERY) {
        *cwnd = MAX(*cwnd, b->prior_cwnd);
        b->conserves = false;
    }
    b->prev_ca_state = w->ca_state;
    if (b->conserves)
        *cwnd = MAX(*cwnd, w->in_flight + sample->acked_sacked);
    return b->conserves;
}

static void
set_cwnd(Bbr *b, CcWindow *w, const CcRateSample *sample)
{
    uint32_t cwnd = w->cwnd;

    if (sample->acked_sacked > 0 && !recover_or_restore(b, w, sample, &cwnd)) {
        uint32_t target = bdp(b, bbr_bw(b), b->cwnd_gain) + aggregation_room(b);
        target = with_bursts(b, w, target);
        if (b->full_bw_reached)
            cwnd = MIN(cwnd + sample->acked_sacked, target);
        else if (cwnd < target || w->delivered < BBR_FIRST_CWND)
            cwnd += sample->acked_sacked;
        cwnd = MAX(cwnd, BBR_LEAST_CWND);
    }
    w->cwnd = MIN(cwnd, w->cwnd_clamp);
    if (b->mode == BBR_PROBE_RTT)
        w->cwnd = MIN(w->cwnd, BBR_LEAST_CWND);
}

/* ---- modes -------------------------------------------------------------------- */

static void
next_phase(Bbr *b, const CcWindow *w)
{
    b->phase = (b->phase + 1) % BBR_CYCLE;
    b->cycle_us = (uint32_t)(w->delivered_at_ns / (uint64_t)SIM_US);
}

/* Flows that share a queue shall not probe together: the phase is random, only
 * not the one that drains. */
void
bbr_probe_bw_begin(Bbr *b, CcWindow *w)
{
    b->mode = BBR_PROBE_BW;
    b->phase = (uint8_t)(BBR_CYCLE - 1 - sim_rng_below(w->rng, BBR_CYCLE - 1));
    next_phase(b, w);
}

static void
leave_probe_rtt(Bbr *b, CcWindow *w)
{
    if (b->full_bw_reached)
        bbr_probe_bw_begin(b, w);
    else
        b->mode = BBR_STARTUP;
}

static void
update_phase(Bbr *b, CcWindow *w, const CcRateSample *sample)
{
    uint32_t now_us = (uint32_t)(w->delivered_at_ns / (uint64_t)SIM_US);
    bool is_long = now_us - b->cycle_us > b->min_rtt_us;
    uint32_t in_flight = in_net(b, w, sample->prior_in_flight);
    uint32_t bw = bbr_max_bw(b);

    if (b->mode != BBR_PROBE_BW)
        return;
    if (b->pacing_gain > BBR_UNIT)
        is_long =
            is_long && (sample->losses > 0 || in_flight >= inflight_for(b, w, bw, b->pacing_gain));
    else if (b->pacing_gain < BBR_UNIT)
        is_long = is_long || in_flight <= inflight_for(b, w, bw, BBR_UNIT);
    if (is_long)
        next_phase(b, w);
}

static void
check_full_bw(Bbr *b, const CcRateSample *sample)
{
    if (b->full_bw_reached || !b->round_start || sample->is_app_limited)
        return;
    if (bbr_max_bw(b) >= (uint64_t)b->full_bw * BBR_FULL_BW_GROWTH >> 8) {
        b->full_bw = bbr_max_bw(b);
        b->full_bw_count = 0;
        return;
    }
    b->full_bw_reached = ++b->full_bw_count >= BBR_FULL_BW_ROUNDS;
}

static void
check_drain(Bbr *b, CcWindow *w)
{
    if (b->mode == BBR_STARTUP && b->full_bw_reached) {
        b->mode = BBR_DRAIN;
        w->ssthresh = inflight_for(b, w, bbr_max_bw(b), BBR_UNIT);
    }
    if (b->mode == BBR_DRAIN &&
        in_net(b, w, w->in_flight) <= inflight_for(b, w, bbr_max_bw(b), BBR_UNIT))
        bbr_probe_bw_begin(b, w);
}

static void
check_probe_rtt_done(Bbr *b, CcWindow *w)
{
    if (b->probe_rtt_end_ms == 0 || (int32_t)(bbr_ms(w) - b->probe_rtt_end_ms) <= 0)
        return;
    b->min_rtt_ms = bbr_ms(w);
    w->cwnd = MAX(w->cwnd, b->prior_cwnd);
    leave_probe_rtt(b, w);
}

/* At the least window for 200 ms and a round, so that the queue is empty and the
 * RTT shows. What is delivered meanwhile is no measure of the bandwidth. */
static void
probe_rtt(Bbr *b, CcWindow *w)
{
    w->marks_app_limited = true;
    if (b->probe_rtt_end_ms == 0 && w->in_flight <= BBR_LEAST_CWND) {
        b->probe_rtt_end_ms = MAX(bbr_ms(w) + BBR_PROBE_RTT_MS, 1);
        b->probe_rtt_round_done = false;
        b->round_end = w->delivered;
    } else if (b->probe_rtt_end_ms != 0) {
        if (b->round_start)
            b->probe_rtt_round_done = true;
        if (b->probe_rtt_round_done)
            check_probe_rtt_done(b, w);
    }
}

static void
update_min_rtt(Bbr *b, CcWindow *w, const CcRateSample *sample)
{
    bool has_expired = bbr_ms(w) - b->min_rtt_ms > BBR_MIN_RTT_MS;
    uint32_t rtt_us = (uint32_t)(sample->rtt_ns / SIM_US);

    if (sample->rtt_ns >= 0 &&
        (rtt_us < b->min_rtt_us || (has_expired && !sample->is_ack_delayed))) {
        b->min_rtt_us = MAX(rtt_us, 1);
        b->min_rtt_ms = bbr_ms(w);
    }
    if (has_expired && !b->idle_restart && b->mode != BBR_PROBE_RTT) {
        b->mode = BBR_PROBE_RTT;
        save_cwnd(b, w);
        b->probe_rtt_end_ms = 0;
    }
    if (b->mode == BBR_PROBE_RTT)
        probe_rtt(b, w);
    if (sample->delivered > 0)
        b->idle_restart = false;
}

static void
update_gains(Bbr *b)
{
    switch ((BbrMode)b->mode) {
    case BBR_STARTUP:
        b->pacing_gain = b->cwnd_gain = BBR_HIGH_GAIN;
        break;
    case BBR_DRAIN:
        b->pacing_gain = BBR_DRAIN_GAIN;
        b->cwnd_gain = BBR_HIGH_GAIN;
        break;
    case BBR_PROBE_BW:
        b->pacing_gain = b->lt_use_bw ? BBR_UNIT : cycle_gains[b->phase];
        b->cwnd_gain = BBR_CWND_GAIN;
        break;
    case BBR_PROBE_RTT:
        b->pacing_gain = b->cwnd_gain = BBR_UNIT;
        break;
    }
}

/* ---- the interface ------------------------------------------------------------ */

static void
bbr_main(CcWindow *w, const CcRateSample *sample)
{
    Bbr *b = CC_PRIVATE(Bbr, w);

    bbr_model_bw(b, w, sample);
    bbr_model_aggregation(b, w, sample);
    update_phase(b, w, sample);
    check_full_bw(b, sample);
    check_drain(b, w);
    update_min_rtt(b, w, sample);
    update_gains(b);
    set_rate(b, w, bbr_bw(b), b->pacing_gain);
    set_cwnd(b, w, sample);
}

static void
bbr_init(CcWindow *w)
{
    Bbr *b = CC_PRIVATE(Bbr, w);

    *b = (Bbr){
        .min_rtt_us = w->min_rtt > 0 ? (uint32_t)(w->min_rtt / SIM_US) : UINT32_MAX,
        .min_rtt_ms = bbr_ms(w),
        .epoch_us = bbr_us(w),
        .round_end = w->delivered,
        .mode = BBR_STARTUP,
    };
    w->ssthresh = CC_INFINITE_SSTHRESH;
    bbr_model_lt_reset(b, w);
    update_gains(b);
    set_first_rate(b, w);
}

static void
bbr_on_ack(CcWindow *w, const CcAck *ack)
{
    (void)w;
    (void)ack;
}

static uint32_t
bbr_ssthresh(CcWindow *w)
{
    save_cwnd(CC_PRIVATE(Bbr, w), w);
    return w->ssthresh;
}

static uint32_t
bbr_undo_cwnd(CcWindow *w)
{
    Bbr *b = CC_PRIVATE(Bbr, w);

    b->full_bw = 0;
    b->full_bw_count = 0;
    bbr_model_lt_reset(b, w);
    return w->cwnd;
}

static void
bbr_on_state(CcWindow *w, TcpCaState next)
{
    Bbr *b = CC_PRIVATE(Bbr, w);
    const CcRateSample loss = { .losses = 1 };

    if (next != TCP_CA_LOSS)
        return;
    b->prev_ca_state = TCP_CA_LOSS;
    b->full_bw = 0;
    b->round_start = true; /* a timeout ends a round */
    bbr_model_lt(b, w, &loss);
}

static void
bbr_on_event(CcWindow *w, CcEvent event)
{
    Bbr *b = CC_PRIVATE(Bbr, w);

    if (event != CC_EVENT_TX_START || !w->app_limited)
        return;
    b->idle_restart = true;
    b->epoch_us = bbr_us(w);
    b->epoch_acked = 0;
    if (b->mode == BBR_PROBE_BW)
        set_rate(b, w, bbr_bw(b), BBR_UNIT);
    else if (b->mode == BBR_PROBE_RTT)
        check_probe_rtt_done(b, w);
}

static const char *
bbr_describe(const CcWindow *w, char text[128])
{
    const Bbr *b = (const Bbr *)w->private;
    uint64_t bits = (unsigned __int128)bbr_bw(b) * w->mss * 8 * (SIM_SEC / SIM_US) >> BBR_BW_BITS;

    g_snprintf(text, 128, "bbr:(bw:%" G_GUINT64_FORMAT "bps,mrtt:%g,pacing_gain:%g,cwnd_gain:%g)",
               bits, b->min_rtt_us / 1000.0, (double)b->pacing_gain / BBR_UNIT,
               (double)b->cwnd_gain / BBR_UNIT);
    return text;
}

const CcOps cc_bbr = {
    .name = "bbr",
    .draws = true,
    .sndbuf_windows = 3, /* its window is up to two bandwidth-delay products */
    .init = bbr_init,
    .ssthresh = bbr_ssthresh,
    .on_ack = bbr_on_ack,
    .on_state = bbr_on_state,
    .on_event = bbr_on_event,
    .undo_cwnd = bbr_undo_cwnd,
    .main = bbr_main,
    .describe = bbr_describe,
};
