#include "models/link/codel.h"

#include <math.h>

/* RFC 8289 §4.3: the gap between drops shrinks with the root of their number. */
static SimTime
codel_control_law(const Qdisc *qdisc, SimTime from, uint32_t count)
{
    return from + (SimTime)((double)qdisc->params->codel_interval / sqrt(count));
}

/* Takes the head, and says whether it waited longer than the target for a
 * whole interval (RFC 8289 §5.6: dodequeue). A queue of one packet is never
 * too long. */
static Packet *
codel_take(Codel *codel, Qdisc *qdisc, PacketList *list, SimTime now, bool *is_too_late)
{
    Packet *packet = qdisc_remove(qdisc, list);

    *is_too_late = false;
    if (packet == NULL) {
        codel->first_above = 0;
        return NULL;
    }
    if (now - packet->tx_at < qdisc->params->codel_target ||
        list->bytes <= qdisc->end->traits->mtu) {
        codel->first_above = 0;
    } else if (codel->first_above == 0) {
        codel->first_above = now + qdisc->params->codel_interval;
    } else {
        *is_too_late = now >= codel->first_above;
    }
    return packet;
}

/* Drops (or marks) `packet`; returns the one that leaves instead. */
static Packet *
codel_punish(Codel *codel, Qdisc *qdisc, PacketList *list, SimTime now, Packet *packet,
             bool *is_too_late)
{
    if (qdisc_mark(qdisc, packet, "CoDel")) {
        *is_too_late = false; /* it leaves: enough for now */
        return packet;
    }
    qdisc_drop(qdisc, packet, "CoDel");
    return codel_take(codel, qdisc, list, now, is_too_late);
}

Packet *
codel_dequeue(Codel *codel, Qdisc *qdisc, PacketList *list, SimTime now)
{
    bool is_too_late;
    Packet *packet = codel_take(codel, qdisc, list, now, &is_too_late);

    if (codel->is_dropping) {
        if (!is_too_late)
            codel->is_dropping = false;
        while (packet != NULL && codel->is_dropping && now >= codel->drop_next) {
            Packet *punished = packet;
            packet = codel_punish(codel, qdisc, list, now, packet, &is_too_late);
            codel->count++;
            codel->drop_next = codel_control_law(qdisc, codel->drop_next, codel->count);
            if (packet == punished)
                break; /* marked, it leaves; the state of dropping goes on */
            if (!is_too_late)
                codel->is_dropping = false;
        }
    } else if (is_too_late) {
        packet = codel_punish(codel, qdisc, list, now, packet, &is_too_late);
        codel->is_dropping = true;
        /* RFC 8289 §4.3: not long after the last time, go on near its rate. */
        uint32_t delta = codel->count - codel->last_count;
        bool is_soon = now - codel->drop_next < 16 * qdisc->params->codel_interval;
        codel->count = delta > 1 && is_soon ? delta : 1;
        codel->drop_next = codel_control_law(qdisc, now, codel->count);
        codel->last_count = codel->count;
    }
    return packet;
}
