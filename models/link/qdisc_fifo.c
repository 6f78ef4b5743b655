/* First in, first out, dropping at the tail: the queue in front of a rate that
 * comes from a trace. (With a constant rate transmit.c needs no queue at all.) */
#include "models/link/qdisc.h"

typedef struct Fifo {
    Qdisc base;
    PacketList list;
} Fifo;

static Qdisc *
fifo_create(const LinkEnd *end)
{
    Fifo *fifo = g_new0(Fifo, 1);

    (void)end;
    return &fifo->base;
}

static void
fifo_enqueue(Qdisc *qdisc, Packet *packet, SimTime now)
{
    Fifo *fifo = (Fifo *)qdisc;

    (void)now;
    if (qdisc_is_full(qdisc, packet->ip.total_len))
        qdisc_drop(qdisc, packet, "queue full");
    else
        qdisc_add(qdisc, &fifo->list, packet);
}

static Packet *
fifo_take(Qdisc *qdisc)
{
    return qdisc_remove(qdisc, &((Fifo *)qdisc)->list);
}

static Packet *
fifo_dequeue(Qdisc *qdisc, SimTime now, SimTime *again)
{
    (void)now;
    *again = SIM_NEVER;
    return fifo_take(qdisc);
}

static void
fifo_destroy(Qdisc *qdisc)
{
    g_free(qdisc);
}

const QdiscOps qdisc_fifo = {
    .name = "fifo",
    .create = fifo_create,
    .enqueue = fifo_enqueue,
    .dequeue = fifo_dequeue,
    .take = fifo_take,
    .destroy = fifo_destroy,
};
