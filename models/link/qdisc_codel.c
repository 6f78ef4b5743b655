/* CoDel (RFC 8289) on one queue. */
#include "models/link/codel.h"

typedef struct CodelQueue {
    Qdisc base;
    PacketList list;
    Codel codel;
} CodelQueue;

static Qdisc *
codel_queue_create(const LinkEnd *end)
{
    CodelQueue *queue = g_new0(CodelQueue, 1);

    sim_check(end->params.queue.codel_target > 0 && end->params.queue.codel_interval > 0);
    return &queue->base;
}

static void
codel_queue_enqueue(Qdisc *qdisc, Packet *packet, SimTime now)
{
    (void)now;
    if (qdisc_is_full(qdisc, packet->ip.total_len))
        qdisc_drop(qdisc, packet, "queue full");
    else
        qdisc_add(qdisc, &((CodelQueue *)qdisc)->list, packet);
}

static Packet *
codel_queue_dequeue(Qdisc *qdisc, SimTime now, SimTime *again)
{
    CodelQueue *queue = (CodelQueue *)qdisc;

    *again = SIM_NEVER;
    return codel_dequeue(&queue->codel, qdisc, &queue->list, now);
}

static Packet *
codel_queue_take(Qdisc *qdisc)
{
    return qdisc_remove(qdisc, &((CodelQueue *)qdisc)->list);
}

static void
codel_queue_destroy(Qdisc *qdisc)
{
    g_free(qdisc);
}

const QdiscOps qdisc_codel = {
    .name = "codel",
    .create = codel_queue_create,
    .enqueue = codel_queue_enqueue,
    .dequeue = codel_queue_dequeue,
    .take = codel_queue_take,
    .destroy = codel_queue_destroy,
};
