/* The queue between IP and a host's own interface: on a machine, a queueing
 * discipline of the pfifo kind and the card behind it. Without one an interface
 * takes whatever it is given and what waits, waits in the link; with one, what
 * waits is still on the host. So the transport learns that a packet was refused,
 * and how much of what it sent has not left yet (TCP small queues).
 *
 * The card takes a packet each time the one before has gone; with no rate of
 * its own that is when the link's transmitter would be free.
 *
 * A burst (PACKET_BURST_REST) is one entry: it is taken whole, or not at all.
 */
#ifndef HALFOPEN_MODELS_NODE_SENDQUEUE_H
#define HALFOPEN_MODELS_NODE_SENDQUEUE_H

#include "models/node/node.h"

typedef struct SendQueueParams {
    uint64_t rate;          /* bit/s of the card; 0: the link's */
    uint32_t limit_packets; /* that wait; 0: every packet is refused */
} SendQueueParams;

/* From now on; what waits already waits on. NULL: none any more, and what waits
 * is lost, as with `tc qdisc del`. */
void iface_set_send_queue(Iface *iface, const SendQueueParams *params);
/* False: the interface has none. */
bool iface_get_send_queue(const Iface *iface, SendQueueParams *params);
uint32_t iface_send_queue_length(const Iface *iface); /* entries that wait */

/* For node.c. Consumes the packet; result as iface_send(). */
int send_queue_offer(SendQueue *queue, Packet *packet);
void send_queue_free(SendQueue *queue); /* NULL is fine; what waits is dropped */

#endif
