/* The algorithms, one file each; cc.c finds them by name. */
#ifndef HALFOPEN_MODELS_TCP_CC_ALGORITHMS_H
#define HALFOPEN_MODELS_TCP_CC_ALGORITHMS_H

#include "models/tcp/cc.h"

extern const CcOps cc_reno;
extern const CcOps cc_cubic;
extern const CcOps cc_dctcp;
extern const CcOps cc_bbr;
extern const CcOps cc_fixed;

/* reno.c, shared by those that grow or undo as Reno does. */
void cc_reno_on_ack(CcWindow *w, const CcAck *ack);
uint32_t cc_reno_undo_cwnd(CcWindow *w);

static inline bool
cc_in_slow_start(const CcWindow *w)
{
    return w->cwnd < w->ssthresh;
}

/* An algorithm's own variables, which fit CC_PRIVATE_BYTES. */
#define CC_PRIVATE(type, w)                                                                        \
    (((void)sizeof(char[sizeof(type) <= CC_PRIVATE_BYTES ? 1 : -1])), (type *)(w)->private)

#endif
