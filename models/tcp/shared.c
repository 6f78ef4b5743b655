#include "models/tcp/shared.h"

#include <string.h>

#include "models/tcp/listen.h"
#include "models/tcp/reassembly.h"
#include "models/tcp/rxqueue.h"
#include "models/tcp/timewait.h"
#include "models/tcp/txqueue.h"

/* Nobody wrote to what is shared by those who rest. */
static void
settings_check(gpointer data)
{
    const TcpSettings *settings = data;
    TcpSender untouched;

    tcp_sender_init_shared(&untouched, &settings->params);
    sim_check(memcmp(&untouched, &settings->resting, sizeof untouched) == 0);
}

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
        sim_pool_init(&shared->senders, &net->arena, sizeof(TcpSender));
        shared->settings = g_ptr_array_new_with_free_func(settings_check);
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
    g_ptr_array_unref(shared->settings);
    g_free(shared);
    net->tcp = NULL;
}

TcpSettings *
tcp_shared_settings(Net *net, const TcpParams *params)
{
    TcpShared *shared = net->tcp;
    TcpSettings *settings;

    for (guint i = shared->settings->len; i-- > 0;) {
        settings = shared->settings->pdata[i];
        if (memcmp(&settings->params, params, sizeof *params) == 0)
            return settings;
    }
    settings = sim_arena_take0(&net->arena, sizeof *settings);
    settings->params = *params;
    tcp_sender_init_shared(&settings->resting, params);
    g_ptr_array_add(shared->settings, settings);
    return settings;
}
