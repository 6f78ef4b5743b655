/* What `ss -tan` lists: listeners, connections from the oldest, then half-open
 * requests and TIME-WAIT entries. */
#include "models/tcp/demux.h"
#include "models/tcp/listen.h"
#include "models/tcp/reassembly.h"
#include "models/tcp/rxqueue.h"
#include "models/tcp/timers.h"
#include "models/tcp/timewait.h"

typedef struct ListWalk {
    TcpStack *stack;
    void (*fn)(void *arg, const TcpSocketRow *row);
    void *arg;
} ListWalk;

static TcpSocketRow
row_of(const ListWalk *walk, const TcpTuple *tuple, TcpState state, uint32_t conn)
{
    (void)walk;
    return (TcpSocketRow){
        .state = state,
        .local = { tuple->local, tuple->lport },
        .remote = { tuple->remote, tuple->rport },
        .conn = conn,
        .timer = "",
    };
}

static void
row_set_timer(const ListWalk *walk, TcpSocketRow *row, const char *name, SimTime deadline)
{
    row->timer = name;
    row->timer_left = deadline - sim_now(walk->stack->sim);
}

static void
list_conn(const ListWalk *walk, const TcpConn *conn)
{
    TcpSocketRow row = row_of(walk, &conn->entry.tuple, conn->state, conn->id);

    row.socket = conn;
    if (conn->state == TCP_LISTEN) {
        row.recv_q = conn->listener->n_accept;
        row.send_q = conn->listener->backlog;
    } else {
        row.recv_q = (uint32_t)tcp_unread_bytes(conn);
        row.send_q = conn->snd.write_seq - conn->snd.una;
    }
    if (sim_timer_is_set(&conn->rtx)) {
        bool is_persist = tcp_timer_pending(conn) == TCP_TIMER_PERSIST;
        row_set_timer(walk, &row, is_persist ? "persist" : "on", conn->rtx.deadline);
        row.retransmits = is_persist ? conn->probes_out : conn->sender->retransmits;
    } else if (sim_timer_is_set(&conn->keep)) {
        row_set_timer(walk, &row, "keepalive", conn->keep.deadline);
        row.retransmits = conn->probes_out;
    }
    walk->fn(walk->arg, &row);
}

static void
list_entry(void *arg, TcpEntry *entry)
{
    const ListWalk *walk = arg;

    if (entry->kind == TCP_ENTRY_REQUEST) {
        const TcpRequest *request = (const TcpRequest *)entry;
        TcpSocketRow row = row_of(walk, &entry->tuple, TCP_SYN_RECEIVED, request->conn);
        if (sim_timer_is_set(&request->timer))
            row_set_timer(walk, &row, "on", request->timer.deadline);
        row.retransmits = request->retransmits;
        walk->fn(walk->arg, &row);
    } else if (entry->kind == TCP_ENTRY_TIMEWAIT) {
        const TcpTimeWait *wait = (const TcpTimeWait *)entry;
        TcpSocketRow row = row_of(walk, &entry->tuple, (TcpState)wait->state, wait->conn);
        row_set_timer(walk, &row, "timewait", wait->deadline);
        walk->fn(walk->arg, &row);
    }
}

void
tcp_list(Host *host, void (*fn)(void *arg, const TcpSocketRow *row), void *arg)
{
    ListWalk walk = { .stack = host->tcp, .fn = fn, .arg = arg };
    const TcpConn *oldest = walk.stack->first;

    for (guint i = 0; i < walk.stack->listeners->len; i++)
        list_conn(&walk, g_ptr_array_index(walk.stack->listeners, i));
    while (oldest != NULL && oldest->next != NULL)
        oldest = oldest->next;
    for (const TcpConn *conn = oldest; conn != NULL; conn = conn->before) {
        if (conn->state != TCP_CLOSED && conn->state != TCP_LISTEN)
            list_conn(&walk, conn);
    }
    tcp_demux_each(walk.stack, list_entry, &walk);
}

typedef struct MemoryWalk {
    const TcpShared *shared; /* borrows */
    uint64_t bytes;
} MemoryWalk;

static uint64_t
conn_memory(const TcpConn *conn)
{
    uint64_t bytes = conn->stack->shared->conns.size + tcp_reassembly_memory(conn);

    if (!conn->sender->is_shared)
        bytes += conn->stack->shared->senders.size;
    for (const TcpRxQueue *chunk = conn->rx; chunk != NULL; chunk = chunk->next)
        bytes += conn->stack->shared->rx_chunks.size;
    return bytes;
}

static void
add_entry_memory(void *arg, TcpEntry *entry)
{
    MemoryWalk *walk = arg;

    if (entry->kind == TCP_ENTRY_REQUEST)
        walk->bytes += walk->shared->requests.size;
    else if (entry->kind == TCP_ENTRY_TIMEWAIT)
        walk->bytes += walk->shared->time_waits.size;
}

uint64_t
tcp_memory(const Host *host)
{
    MemoryWalk walk = { .shared = host->tcp->shared };

    for (const TcpConn *conn = host->tcp->first; conn != NULL; conn = conn->next)
        walk.bytes += conn_memory(conn);
    tcp_demux_each(host->tcp, add_entry_memory, &walk);
    return walk.bytes;
}
