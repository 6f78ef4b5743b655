/* HyStart (Ha and Rhee, 2011; the ideas of RFC 9406): leave slow start before
 * the queue overflows, when a round's train of ACKs has become as long as half
 * the path's delay, or when the delay has grown by an eighth. */
#ifndef HALFOPEN_MODELS_TCP_CC_HYSTART_H
#define HALFOPEN_MODELS_TCP_CC_HYSTART_H

#include "models/tcp/cc.h"

typedef struct Hystart {
    SimTime round_at;    /* when the round began */
    SimTime last_ack_at; /* of the train */
    uint32_t end_seq;    /* of the round */
    uint32_t least_us;   /* smallest RTT of the round */
    uint8_t samples;     /* of it, up to 8 */
    bool has_found;      /* slow start was left: nothing more to do */
} Hystart;

void hystart_begin_round(Hystart *h, const CcWindow *w);

/* An RTT sample in slow start; delay_min_us: of the path. Sets ssthresh, and
 * says in w->hystart_exit why. */
void hystart_update(Hystart *h, CcWindow *w, uint32_t rtt_us, uint32_t delay_min_us);

#endif
