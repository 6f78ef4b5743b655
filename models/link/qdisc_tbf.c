/* A token bucket: packets leave as long as there are tokens, one a byte, which
 * come at tbf_rate and pile up to tbf_burst. A shaper (tc-tbf) lets a packet
 * wait for its tokens; a policer (tc-police) takes them as it comes, or drops
 * it. Tokens are counted in units of byte x nanosecond x bit/s, so that none is
 * lost to rounding. */
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
    tbf->counted_at = link_now(end);
    return &tbf->base;
}

static void
tbf_fill(Tbf *tbf, SimTime now)
{
    const QdiscParams *params = tbf->base.params;
    unsigned __int128 full = params->tbf_burst * TBF_UNITS_PER_BYTE;

    tbf->tokens += (unsigned __int128)(now - tbf->counted_at) * params->tbf_rate;
    tbf->tokens = MIN(tbf->tokens, full);
    tbf->counted_at = now;
}

static bool
tbf_take_tokens(Tbf *tbf, const Packet *packet, SimTime now)
{
    unsigned __int128 cost = packet->ip.total_len * TBF_UNITS_PER_BYTE;

    tbf_fill(tbf, now);
    if (tbf->tokens < cost)
        return false;
    tbf->tokens -= cost;
    return true;
}

static void
tbf_enqueue(Qdisc *qdisc, Packet *packet, SimTime now)
{
    Tbf *tbf = (Tbf *)qdisc;

    if (qdisc_is_full(qdisc, packet->ip.total_len))
        qdisc_drop(qdisc, packet, "queue full");
    else if (qdisc->params->tbf_polices && !tbf_take_tokens(tbf, packet, now))
        qdisc_drop(qdisc, packet, "policed: no tokens");
    else
        qdisc_add(qdisc, &tbf->list, packet);
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
    const Packet *head = tbf->list.head;
    uint64_t rate = qdisc->params->tbf_rate;

    *again = SIM_NEVER;
    if (head == NULL)
        return NULL;
    if (!qdisc->params->tbf_polices && !tbf_take_tokens(tbf, head, now)) {
        unsigned __int128 missing = head->ip.total_len * TBF_UNITS_PER_BYTE - tbf->tokens;
        *again = now + (SimTime)((missing + rate - 1) / rate);
        return NULL;
    }
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
