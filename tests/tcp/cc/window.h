/* A congestion window on its own, for tests of the algorithms: no connection,
 * no network. */
#ifndef HALFOPEN_TESTS_TCP_CC_WINDOW_H
#define HALFOPEN_TESTS_TCP_CC_WINDOW_H

#include <glib.h>

#include "models/tcp/cc.h"
#include "models/tcp/tcp.h"

typedef struct Lab {
    CcWindow w;
    const CcOps *cc;
    TcpParams params;
    SimRng rng;
} Lab;

/* Always uses all of its window, RTT 100 ms; ssthresh infinite, cwnd 10. */
static inline Lab *
lab_new(const char *name)
{
    Lab *lab = g_new0(Lab, 1);

    tcp_params_init(&lab->params, TCP_PROFILE_LINUX);
    sim_rng_init(&lab->rng, 1, "lab");
    lab->cc = cc_find(name);
    g_assert_nonnull(lab->cc);
    lab->w = (CcWindow){
        .cwnd = 10,
        .ssthresh = CC_INFINITE_SSTHRESH,
        .cwnd_clamp = UINT32_MAX,
        .mss = 1000,
        .is_cwnd_limited = true,
        .now = SIM_SEC,
        .srtt = 100 * SIM_MS,
        .min_rtt = 100 * SIM_MS,
        .rng = &lab->rng,
        .params = &lab->params,
    };
    lab->cc->init(&lab->w);
    return lab;
}

static inline void
lab_free(Lab *lab)
{
    g_free(lab);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lab, lab_free)

/* An ACK of `segs` segments, with an RTT sample (-1: none). */
static inline void
lab_ack(Lab *lab, uint32_t segs, SimTime rtt)
{
    CcAck ack = { .acked_segs = segs, .rtt_ns = rtt };

    lab->w.snd_una += segs * lab->w.mss;
    lab->w.snd_nxt = lab->w.snd_una + lab->w.cwnd * lab->w.mss;
    lab->w.delivered += segs;
    if (lab->cc->on_rtt)
        lab->cc->on_rtt(&lab->w, &ack);
    lab->cc->on_ack(&lab->w, &ack);
}

/* A whole window acknowledged, one segment at a time, in one round trip. */
static inline void
lab_round(Lab *lab)
{
    uint32_t segs = lab->w.cwnd;

    for (uint32_t i = 0; i < segs; i++)
        lab_ack(lab, 1, lab->w.min_rtt);
    lab->w.now += lab->w.min_rtt;
}

/* A loss: the window falls to the new threshold. */
static inline void
lab_lose(Lab *lab)
{
    lab->w.prior_cwnd = lab->w.cwnd;
    lab->w.ssthresh = lab->cc->ssthresh(&lab->w);
    lab->w.cwnd = lab->w.ssthresh;
}

#endif
