/* FQ-CoDel (RFC 8290): flows hashed to queues of their own, served by deficit
 * round robin, new flows first; CoDel on each. */
#include "models/link/codel.h"

enum { FQ_DEFAULT_FLOWS = 1024, FQ_ETHERNET_HEADER = 14, FQ_DROP_BATCH = 64 };

typedef struct FqFlow {
    struct FqFlow *next; /* in the list of new or of old flows */
    PacketList list;
    Codel codel;
    int64_t deficit; /* bytes it may still send in this round */
    bool is_listed;
} FqFlow;

typedef struct FqList {
    FqFlow *head, *tail; /* borrows */
} FqList;

typedef struct FqCodel {
    Qdisc base;
    FqFlow *flows; /* owns */
    uint32_t n_flows, quantum;
    uint64_t key[2]; /* of the hash */
    FqList fresh, old;
    uint32_t take_at;
} FqCodel;

static Qdisc *
fq_create(const LinkEnd *end)
{
    const QdiscParams *params = &end->params.queue;
    FqCodel *fq = g_new0(FqCodel, 1);
    SimRng rng;

    sim_check(params->codel_target > 0 && params->codel_interval > 0);
    fq->n_flows = params->flows > 0 ? params->flows : FQ_DEFAULT_FLOWS;
    fq->quantum = params->quantum > 0 ? params->quantum : end->params.mtu + FQ_ETHERNET_HEADER;
    fq->flows = g_new0(FqFlow, fq->n_flows);

    char *name = g_strdup_printf("link %s %u fq_codel", end->link->name, end->direction);
    sim_rng_named(end->traits->sim, &rng, name);
    g_free(name);
    fq->key[0] = sim_rng_u64(&rng);
    fq->key[1] = sim_rng_u64(&rng);
    return &fq->base;
}

static void
fq_list_append(FqList *list, FqFlow *flow)
{
    flow->next = NULL;
    if (list->head == NULL)
        list->head = flow;
    else
        list->tail->next = flow;
    list->tail = flow;
}

static FqFlow *
fq_list_take(FqList *list)
{
    FqFlow *flow = list->head;

    list->head = flow->next;
    return flow;
}

/* RFC 8290 §4.1.1: the five-tuple; a fragment or raw bytes have no ports. */
static FqFlow *
fq_classify(FqCodel *fq, const Packet *packet)
{
    struct {
        IpAddr src, dst;
        uint32_t ports, proto;
    } tuple = { .src = packet->ip.src, .dst = packet->ip.dst, .proto = packet->ip.proto };

    if (packet->raw == NULL && !(packet->flags & PACKET_FRAGMENT)) {
        if (packet->ip.proto == IP_PROTO_TCP)
            tuple.ports = (uint32_t)packet->tcp.sport << 16 | packet->tcp.dport;
        else if (packet->ip.proto == IP_PROTO_UDP)
            tuple.ports = (uint32_t)packet->udp.sport << 16 | packet->udp.dport;
    }
    return &fq->flows[sim_siphash(fq->key, &tuple, sizeof tuple) % fq->n_flows];
}

/* RFC 8290 §4.1.2: over the limit, the flow with the most bytes loses half of
 * them, but no more than a batch at once. */
static void
fq_drop_from_fattest(FqCodel *fq)
{
    FqFlow *fattest = &fq->flows[0];

    for (uint32_t i = 1; i < fq->n_flows; i++) {
        if (fq->flows[i].list.bytes > fattest->list.bytes)
            fattest = &fq->flows[i];
    }
    uint64_t enough = fattest->list.bytes / 2;
    for (int i = 0; i < FQ_DROP_BATCH && fattest->list.bytes > enough; i++)
        qdisc_drop(&fq->base, qdisc_remove(&fq->base, &fattest->list), "FQ-CoDel overflow");
}

static void
fq_enqueue(Qdisc *qdisc, Packet *packet, SimTime now)
{
    FqCodel *fq = (FqCodel *)qdisc;
    FqFlow *flow = fq_classify(fq, packet);

    (void)now;
    if (!flow->is_listed) {
        flow->is_listed = true;
        flow->deficit = fq->quantum;
        fq_list_append(&fq->fresh, flow);
    }
    qdisc_add(qdisc, &flow->list, packet);
    while ((qdisc->params->limit_packets > 0 && qdisc->packets > qdisc->params->limit_packets) ||
           (qdisc->params->limit_bytes > 0 && qdisc->bytes > qdisc->params->limit_bytes))
        fq_drop_from_fattest(fq);
}

/* RFC 8290 §4.2. */
static Packet *
fq_dequeue(Qdisc *qdisc, SimTime now, SimTime *again)
{
    FqCodel *fq = (FqCodel *)qdisc;

    *again = SIM_NEVER;
    while (fq->fresh.head != NULL || fq->old.head != NULL) {
        FqList *list = fq->fresh.head != NULL ? &fq->fresh : &fq->old;
        FqFlow *flow = list->head;

        if (flow->deficit <= 0) {
            flow->deficit += fq->quantum;
            fq_list_append(&fq->old, fq_list_take(list));
            continue;
        }
        Packet *packet = codel_dequeue(&flow->codel, qdisc, &flow->list, now);
        if (packet != NULL) {
            flow->deficit -= packet->ip.total_len;
            return packet;
        }
        fq_list_take(list);
        if (list == &fq->fresh && fq->old.head != NULL)
            fq_list_append(&fq->old, flow); /* else a flow that comes and goes would starve them */
        else
            flow->is_listed = false;
    }
    return NULL;
}

static Packet *
fq_take(Qdisc *qdisc)
{
    FqCodel *fq = (FqCodel *)qdisc;

    for (; fq->take_at < fq->n_flows; fq->take_at++) {
        Packet *packet = qdisc_remove(qdisc, &fq->flows[fq->take_at].list);
        if (packet != NULL)
            return packet;
    }
    fq->take_at = 0;
    return NULL;
}

static void
fq_destroy(Qdisc *qdisc)
{
    g_free(((FqCodel *)qdisc)->flows);
    g_free(qdisc);
}

const QdiscOps qdisc_fq_codel = {
    .name = "fq_codel",
    .create = fq_create,
    .enqueue = fq_enqueue,
    .dequeue = fq_dequeue,
    .take = fq_take,
    .destroy = fq_destroy,
};
