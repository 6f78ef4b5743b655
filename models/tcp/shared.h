/* What the TCPs of one Net share, so that a packet which goes from host to host
 * finds it in the cache: the pools, whose free object was just now in use at
 * another host, and the tunables, of which a thousand hosts mostly have the
 * same. Stacks hold it through tcp_shared_join() and _leave(); it goes with
 * the last.
 */
#ifndef HALFOPEN_MODELS_TCP_SHARED_H
#define HALFOPEN_MODELS_TCP_SHARED_H

#include "models/tcp/sender.h"
#include "models/tcp/tcp.h"

/* A set of tunables, and what those who rest with them borrow (sender.h). */
typedef struct TcpSettings {
    TcpParams params;
    TcpSender resting;
} TcpSettings;

typedef struct TcpShared {
    uint32_t n_stacks;
    SimPool conns, requests, time_waits; /* stack.c, synqueue.c, timewait.c */
    SimPool tx_queues;                   /* txqueue.c */
    SimPool rx_chunks, ooo_cells;        /* rxqueue.c, reassembly.c */
    SimPool senders;                     /* sender.c */
    GPtrArray *settings;                 /* borrows TcpSettings of the arena, no two the same */
} TcpShared;

TcpShared *tcp_shared_join(Net *net);
void tcp_shared_leave(Net *net);

/* The one with these values, which stays as it is as long as the Net lives. */
TcpSettings *tcp_shared_settings(Net *net, const TcpParams *params);

#endif
