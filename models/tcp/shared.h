/* What the TCPs of one Net share, so that a packet which goes from host to host
 * finds it in the cache: the pools, whose free object was just now in use at
 * another host, and the tunables, of which a thousand hosts mostly have the
 * same. Stacks hold it through tcp_shared_join() and _leave(); it goes with
 * the last.
 */
#ifndef HALFOPEN_MODELS_TCP_SHARED_H
#define HALFOPEN_MODELS_TCP_SHARED_H

#include "models/tcp/tcp.h"

typedef struct TcpShared {
    uint32_t n_stacks;
    SimPool conns, requests, time_waits; /* stack.c, synqueue.c, timewait.c */
    SimPool tx_queues;                   /* txqueue.c */
    SimPool rx_chunks, ooo_cells;        /* rxqueue.c, reassembly.c */
    GPtrArray *params;                   /* owns TcpParams: the sets in use, no two the same */
} TcpShared;

TcpShared *tcp_shared_join(Net *net);
void tcp_shared_leave(Net *net);

/* The set with these values, which stays as it is as long as the Net lives. */
const TcpParams *tcp_shared_params(TcpShared *shared, const TcpParams *params);

#endif
