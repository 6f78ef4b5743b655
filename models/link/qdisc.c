#include "models/link/qdisc.h"

static const QdiscOps *
qdisc_ops(QdiscKind kind)
{
    switch (kind) {
    case QDISC_FIFO:
        return &qdisc_fifo;
    case QDISC_RED:
        return &qdisc_red;
    case QDISC_CODEL:
        return &qdisc_codel;
    case QDISC_FQ_CODEL:
        return &qdisc_fq_codel;
    case QDISC_TBF:
        return &qdisc_tbf;
    }
    return NULL;
}

Qdisc *
qdisc_new(LinkEnd *end)
{
    const QdiscOps *ops = qdisc_ops(end->params.queue.kind);
    sim_check(ops != NULL);
    Qdisc *qdisc = ops->create(end);

    qdisc->ops = ops;
    qdisc->end = end;
    qdisc->params = &end->params.queue;
    return qdisc;
}

void
qdisc_free(Qdisc *qdisc)
{
    Packet *packet;

    while ((packet = qdisc->ops->take(qdisc)) != NULL)
        packet_free(qdisc->end->traits->packets, packet);
    qdisc->ops->destroy(qdisc);
}

bool
qdisc_is_full(const Qdisc *qdisc, uint32_t bytes)
{
    const QdiscParams *params = qdisc->params;

    return (params->limit_packets > 0 && qdisc->packets >= params->limit_packets) ||
           (params->limit_bytes > 0 && qdisc->bytes + bytes > params->limit_bytes);
}

void
qdisc_add(Qdisc *qdisc, PacketList *list, Packet *packet)
{
    qdisc->packets++;
    qdisc->bytes += packet->ip.total_len;
    packet_list_append(list, packet);
}

Packet *
qdisc_remove(Qdisc *qdisc, PacketList *list)
{
    Packet *packet = packet_list_take(list);

    if (packet != NULL) {
        qdisc->packets--;
        qdisc->bytes -= packet->ip.total_len;
    }
    return packet;
}

void
qdisc_drop(Qdisc *qdisc, Packet *packet, const char *reason)
{
    link_drop(qdisc->end, packet, reason);
}

bool
qdisc_mark(Qdisc *qdisc, Packet *packet, const char *reason)
{
    if (!qdisc->params->ecn || (packet->ip.tos & ECN_MASK) == ECN_NOT_ECT)
        return false;
    packet->ip.tos |= ECN_CE; /* RFC 3168 §5: instead of a drop */
    link_note(qdisc->end, PACKET_EVENT_MARKED, packet, reason, 0);
    return true;
}
