/* The controlled-delay law (RFC 8289), for a queue of its own (qdisc_codel.c)
 * and for each flow's queue (qdisc_fq_codel.c). */
#ifndef HALFOPEN_MODELS_LINK_CODEL_H
#define HALFOPEN_MODELS_LINK_CODEL_H

#include "models/link/qdisc.h"

typedef struct Codel {
    SimTime first_above; /* when the delay will have been too long for an interval; 0: it is not */
    SimTime drop_next;
    uint32_t count;      /* drops since dropping began */
    uint32_t last_count; /* count when it began the time before */
    bool is_dropping;
} Codel;

/* The next packet of `list` by the law; drops or marks on the way. NULL: empty. */
Packet *codel_dequeue(Codel *codel, Qdisc *qdisc, PacketList *list, SimTime now);

#endif
