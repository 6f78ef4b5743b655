#include "models/tcp/shared.h"

#include <string.h>

#include "models/tcp/listen.h"
#include "models/tcp/reassembly.h"
#include "models/tcp/rxqueue.h"
#include "models/tcp/timewait.h"
#include "models/tcp/txqueue.h"

TcpShared *
tcp_shared_join(Net *net)
{
    TcpShared *shared = net->tcp;

    if (shared == NULL) {
        shared = net->tcp = g_new0(TcpShared, 1);
        sim_pool_init(&shared->conns, &net->arena, sizeof(TcpConn));
        sim_pool_init(&shared->requests, &net->arena, sizeof(TcpRequest));
        sim_pool_init(&shared->time_waits, &net->arena, sizeof(TcpTimeWait));
        sim_pool_init(&shared->tx_queues, &net->arena, sizeof(TcpTxQueue));
        sim_pool_init(&shared->rx_chunks, &net->arena, sizeof(TcpRxQueue));
        sim_pool_init(&shared->ooo_cells, &net->arena, tcp_reassembly_cell_bytes());
        shared->params = g_ptr_array_new_with_free_func(g_free);
    }
    shared->n_stacks++;
    return shared;
}

void
tcp_shared_leave(Net *net)
{
    TcpShared *shared = net->tcp;

    sim_check(shared->n_stacks > 0);
    if (--shared->n_stacks > 0)
        return;
    g_ptr_array_unref(shared->params);
    g_free(shared);
    net->tcp = NULL;
}

const TcpParams *
tcp_shared_params(TcpShared *shared, const TcpParams *params)
{
    for (guint i = shared->params->len; i-- > 0;) {
        if (memcmp(shared->params->pdata[i], params, sizeof *params) == 0)
            return shared->params->pdata[i];
    }
    g_ptr_array_add(shared->params, g_memdup2(params, sizeof *params));
    return shared->params->pdata[shared->params->len - 1];
}
