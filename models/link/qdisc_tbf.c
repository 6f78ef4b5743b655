/* A token bucket: packets leave as long as there are tokens, one a byte, which
 * come at tbf_rate and pile up to tbf_burst. Tokens are counted in units of
 * byte x nanosecond x bit/s, so that none is lost to rounding. */
#include "models/link/qdisc.h"

typedef struct Tbf {
    Qdisc base;
    PacketList list;
    unsigned __int128 tokens; /* in 1 / TBF_UNITS_PER_BYTE bytes */
    SimTime counted_at;
} Tbf;

/* rate [bit/s] x time [ns] gives bits x 1e9. */
#define TBF_UNITS_PER_BYTE ((unsigned __int128)8 * SIM_SEC)

static Qdisc *
tbf_create(const LinkEnd *end)
{
    Tbf *tbf = g_new0(Tbf, 1);

    sim_check(end->params.queue.tbf_rate > 0);
    sim_check(end->params.queue.tbf_burst >= end->params.mtu);
    tbf->tokens = end->params.queue.tbf_burst * TBF_UNITS_PER_BYTE;
    tbf->counted_at = sim_now(end->sim);
    return &tbf->base;
}

static void
tbf_enqueue(Qdisc *qdisc, Packet *packet, SimTime now)
{
    (void)now;
    if (qdisc_is_full(qdisc, packet->ip.total_len))
        qdisc_drop(qdisc, packet, "queue full");
    else
        qdisc_add(qdisc, &((Tbf *)qdisc)->list, packet);
}

static Packet *
tbf_take(Qdisc *qdisc)
{
    return qdisc_remove(qdisc, &((Tbf *)qdisc)->list);
}

static Packet *
tbf_dequeue(Qdisc *qdisc, SimTime now, SimTime *again)
{
    Tbf *tbf = (Tbf *)qdisc;
    const QdiscParams *params = qdisc->params;
    unsigned __int128 full = params->tbf_burst * TBF_UNITS_PER_BYTE;

    *again = SIM_NEVER;
    tbf->tokens += (unsigned __int128)(now - tbf->counted_at) * params->tbf_rate;
    tbf->tokens = MIN(tbf->tokens, full);
    tbf->counted_at = now;
    if (tbf->list.head == NULL)
        return NULL;

    unsigned __int128 cost = tbf->list.head->ip.total_len * TBF_UNITS_PER_BYTE;
    if (tbf->tokens < cost) {
        unsigned __int128 missing = cost - tbf->tokens;
        *again = now + (SimTime)((missing + params->tbf_rate - 1) / params->tbf_rate);
        return NULL;
    }
    tbf->tokens -= cost;
    return tbf_take(qdisc);
}

static void
tbf_destroy(Qdisc *qdisc)
{
    g_free(qdisc);
}

const QdiscOps qdisc_tbf = {
    .name = "tbf",
    .create = tbf_create,
    .enqueue = tbf_enqueue,
    .dequeue = tbf_dequeue,
    .take = tbf_take,
    .destroy = tbf_destroy,
};
