/* A queueing discipline: what a LinkServer asks which packet may leave next.
 * One file each: qdisc_fifo.c, qdisc_red.c, qdisc_codel.c, qdisc_fq_codel.c,
 * qdisc_tbf.c. While a packet waits, its tx_at is the time it came.
 */
#ifndef HALFOPEN_MODELS_LINK_QDISC_H
#define HALFOPEN_MODELS_LINK_QDISC_H

#include "models/link/link_internal.h"

typedef struct Qdisc Qdisc;

typedef struct QdiscOps {
    const char *name;
    Qdisc *(*create)(const LinkEnd *end); /* parameters: end->params.queue */
    void (*enqueue)(Qdisc *qdisc, Packet *packet,
                    SimTime now); /* keeps it or drops it, or another */
    /* The packet that leaves now, or NULL; then *again says when to ask next
     * (SIM_NEVER: after the next enqueue). */
    Packet *(*dequeue)(Qdisc *qdisc, SimTime now, SimTime *again);
    Packet *(*take)(Qdisc *qdisc); /* any, by no rule: for emptying; NULL: empty */
    void (*destroy)(Qdisc *qdisc); /* of an empty one */
} QdiscOps;

/* Embedded first in each discipline's own struct. */
struct Qdisc {
    const QdiscOps *ops;
    LinkEnd *end;              /* borrows */
    const QdiscParams *params; /* borrows */
    uint32_t packets;          /* that wait, in all */
    uint64_t bytes;
};

extern const QdiscOps qdisc_fifo, qdisc_red, qdisc_codel, qdisc_fq_codel, qdisc_tbf;

Qdisc *qdisc_new(LinkEnd *end);
void qdisc_free(Qdisc *qdisc); /* and all that it holds */

/* For disciplines. */
bool qdisc_is_full(const Qdisc *qdisc, uint32_t bytes); /* by the limits in packets and bytes */
void qdisc_add(Qdisc *qdisc, PacketList *list, Packet *packet); /* counts it */
Packet *qdisc_remove(Qdisc *qdisc, PacketList *list);           /* uncounts it; NULL: empty */
void qdisc_drop(Qdisc *qdisc, Packet *packet,
                const char *reason); /* of one not counted; consumes */
/* Sets CE where the packet is ECN-capable and marking is on; false: it is not. */
bool qdisc_mark(Qdisc *qdisc, Packet *packet, const char *reason);

#endif
