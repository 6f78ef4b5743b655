/* BBR version 1 (Cardwell and others, 2016; draft-cardwell-iccrg-bbr-00), as
 * Linux ships it: the window and the pacing rate follow a model of the path,
 * its bottleneck bandwidth and its round-trip time, and not single losses.
 *
 *   bbr.c        the modes: start up, drain, probe for bandwidth, for the RTT
 *   bbr_model.c  what is measured: bandwidth, policers, aggregation of ACKs
 */
#ifndef HALFOPEN_MODELS_TCP_CC_BBR_H
#define HALFOPEN_MODELS_TCP_CC_BBR_H

#include "models/tcp/cc/algorithms.h"

enum {
    BBR_UNIT = 256,                /* gains and ratios are in units of 1/256 */
    BBR_BW_BITS = 24,              /* bandwidth is in segments a microsecond, times 2^24 */
    BBR_CYCLE = 8,                 /* phases of the gain cycle */
    BBR_BW_ROUNDS = BBR_CYCLE + 2, /* window of the bandwidth filter, rounds */
    BBR_LEAST_CWND = 4,
};
#define BBR_BW_UNIT (UINT64_C(1) << BBR_BW_BITS)

typedef enum BbrMode { BBR_STARTUP, BBR_DRAIN, BBR_PROBE_BW, BBR_PROBE_RTT } BbrMode;

typedef struct Bbr {
    struct {
        uint32_t round, bw;
    } best[3];                 /* windowed maximum: the best, second best, third best */
    uint32_t rounds;           /* so far */
    uint32_t round_end;        /* delivered count that ends this one */
    uint32_t min_rtt_us;       /* UINT32_MAX: none known */
    uint32_t min_rtt_ms;       /* when it was seen */
    uint32_t probe_rtt_end_ms; /* 0: not yet down to the least window */
    uint32_t prior_cwnd;
    uint32_t full_bw; /* best bandwidth when it last grew by a quarter */
    uint32_t lt_bw, lt_delivered, lt_lost, lt_ms; /* long-term sampling: a policer's rate */
    uint32_t cycle_us;                            /* when this phase began */
    uint32_t epoch_us, epoch_acked;               /* ACK aggregation */
    uint32_t extra_acked[2];
    uint16_t pacing_gain, cwnd_gain;
    uint8_t mode, prev_ca_state, phase, full_bw_count, lt_rounds, extra_rounds, extra_index;
    bool conserves : 1, round_start : 1, idle_restart : 1, probe_rtt_round_done : 1;
    bool lt_is_sampling : 1, lt_use_bw : 1, full_bw_reached : 1, has_seen_rtt : 1;
} Bbr;

static inline uint32_t
bbr_ms(const CcWindow *w)
{
    return (uint32_t)(w->now / SIM_MS);
}

static inline uint32_t
bbr_us(const CcWindow *w)
{
    return (uint32_t)(w->now / SIM_US);
}

static inline uint32_t
bbr_max_bw(const Bbr *b)
{
    return b->best[0].bw;
}

static inline uint32_t
bbr_bw(const Bbr *b)
{
    return b->lt_use_bw ? b->lt_bw : bbr_max_bw(b);
}

uint64_t bbr_bytes_per_s(const CcWindow *w, uint32_t bw, uint32_t gain); /* a little less than bw */
void bbr_model_bw(Bbr *b, CcWindow *w, const CcRateSample *sample);
void bbr_model_aggregation(Bbr *b, const CcWindow *w, const CcRateSample *sample);
void bbr_model_lt(Bbr *b, CcWindow *w, const CcRateSample *sample);
void bbr_model_lt_reset(Bbr *b, const CcWindow *w);
void bbr_probe_bw_begin(Bbr *b, CcWindow *w); /* bbr.c */

#endif
