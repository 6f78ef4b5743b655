/* DCTCP (RFC 8257): the window shrinks by half the share of bytes that were
 * marked, averaged over round trips. The receiver's side, which echoes each
 * mark, is in ecn.c. */
#include <glib.h>

#include "models/tcp/cc/algorithms.h"
#include "models/tcp/seq.h"

enum {
    DCTCP_ONE = 1024, /* alpha is in units of 1/1024 */
    DCTCP_G = 4,      /* RFC 8257 §4.2: g = 1/16 */
};

typedef struct Dctcp {
    uint32_t alpha;         /* estimate of the marked share */
    uint32_t next_seq;      /* end of the observation window */
    uint64_t acked, marked; /* bytes of this window */
    uint32_t loss_cwnd;
} Dctcp;

static void
dctcp_begin_window(CcWindow *w, Dctcp *d)
{
    d->next_seq = w->snd_nxt;
    d->acked = d->marked = 0;
}

static void
dctcp_init(CcWindow *w)
{
    Dctcp *d = CC_PRIVATE(Dctcp, w);

    d->alpha = DCTCP_ONE; /* cautious: RFC 8257 §4.2 */
    dctcp_begin_window(w, d);
}

static uint32_t
dctcp_ssthresh(CcWindow *w)
{
    Dctcp *d = CC_PRIVATE(Dctcp, w);

    d->loss_cwnd = w->cwnd;
    return MAX(w->cwnd - (w->cwnd * d->alpha >> 11), 2); /* cwnd * (1 - alpha / 2) */
}

static void
dctcp_in_ack_event(CcWindow *w, bool ece, uint32_t acked_bytes, uint32_t ack_seq)
{
    Dctcp *d = CC_PRIVATE(Dctcp, w);

    d->acked += acked_bytes;
    if (ece)
        d->marked += acked_bytes;
    if (seq_before(ack_seq, d->next_seq))
        return;
    uint32_t decay = d->alpha >> DCTCP_G;
    d->alpha -= decay != 0 ? decay : d->alpha; /* down to nothing in the end */
    if (d->marked > 0) {
        uint64_t share = (d->marked << (10 - DCTCP_G)) / MAX(d->acked, 1);
        d->alpha = (uint32_t)MIN(d->alpha + share, DCTCP_ONE);
    }
    dctcp_begin_window(w, d);
}

/* A loss is a loss: RFC 8257 §3.5. */
static void
dctcp_react_to_loss(CcWindow *w)
{
    Dctcp *d = CC_PRIVATE(Dctcp, w);

    d->loss_cwnd = w->cwnd;
    w->ssthresh = MAX(w->cwnd / 2, 2);
}

static void
dctcp_on_state(CcWindow *w, TcpCaState next)
{
    if (next == TCP_CA_RECOVERY && w->ca_state != next)
        dctcp_react_to_loss(w);
}

static void
dctcp_on_event(CcWindow *w, CcEvent event)
{
    if (event == CC_EVENT_LOSS)
        dctcp_react_to_loss(w);
}

static uint32_t
dctcp_undo_cwnd(CcWindow *w)
{
    return MAX(w->cwnd, CC_PRIVATE(Dctcp, w)->loss_cwnd);
}

static const char *
dctcp_describe(const CcWindow *w, char text[128])
{
    const Dctcp *d = (const Dctcp *)w->private;

    g_snprintf(text, 128,
               "dctcp:(ce_state:%u,alpha:%u,ab_ecn:%" G_GUINT64_FORMAT ",ab_tot:%" G_GUINT64_FORMAT
               ")",
               w->ce_state, d->alpha, d->marked, d->acked);
    return text;
}

const CcOps cc_dctcp = {
    .name = "dctcp",
    .needs_ecn = true,
    .init = dctcp_init,
    .ssthresh = dctcp_ssthresh,
    .on_ack = cc_reno_on_ack,
    .in_ack_event = dctcp_in_ack_event,
    .on_state = dctcp_on_state,
    .on_event = dctcp_on_event,
    .undo_cwnd = dctcp_undo_cwnd,
    .describe = dctcp_describe,
};
