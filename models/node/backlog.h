/* The queue between interfaces and stack of a host whose CPU can take only so
 * many packets a second (net.core.netdev_max_backlog); used by node.c alone.
 * One packet is being worked on; at most `max` others wait; more are dropped,
 * so that a flood can exhaust the CPU whatever the protocols above do.
 */
#ifndef HALFOPEN_MODELS_NODE_BACKLOG_H
#define HALFOPEN_MODELS_NODE_BACKLOG_H

#include "models/node/node.h"

typedef struct HostBacklog HostBacklog;

void backlog_free(HostBacklog *backlog, Host *host); /* NULL is fine; drops what waits */
void backlog_receive(HostBacklog *backlog, Iface *iface, Packet *packet); /* consumes the packet */

#endif
