#include "models/tcp/rxqueue.h"

static TcpRxQueue *
chunk_new(TcpStack *stack)
{
    TcpRxQueue *chunk = sim_pool_get(&stack->shared->rx_chunks);

    chunk->next = NULL;
    chunk->last = chunk;
    chunk->first = chunk->end = 0;
    return chunk;
}

/* Short data is copied behind the last segment's, where its buffer has room. */
static bool
joins(TcpRxEntry *last, const TcpRxEntry *entry)
{
    if (last->has_fin || last->seq + last->len != entry->seq || entry->len > last->tail_room)
        return false;
    if (entry->len && (last->stream != entry->stream || last->offset + last->len != entry->offset))
        return false;
    last->len += entry->len;
    last->tail_room -= (uint16_t)entry->len;
    last->has_fin = entry->has_fin;
    return true;
}

bool
tcp_rx_push(TcpConn *conn, const TcpRxEntry *entry)
{
    TcpRxQueue *chunk;

    if (!conn->rx) {
        conn->rx = chunk_new(conn->stack);
    } else {
        chunk = conn->rx->last;
        if (joins(&chunk->entries[chunk->end - 1], entry))
            return true;
        if (chunk->end == TCP_RX_CHUNK) {
            chunk->next = chunk_new(conn->stack);
            conn->rx->last = chunk->next;
        }
    }
    chunk = conn->rx->last;
    chunk->entries[chunk->end++] = *entry;
    conn->rcv.truesize += entry->truesize;
    return false;
}

void
tcp_rx_pop(TcpConn *conn)
{
    TcpRxQueue *chunk = conn->rx;

    conn->rcv.truesize -= chunk->entries[chunk->first++].truesize;
    if (chunk->first < chunk->end)
        return;
    conn->rx = chunk->next;
    if (conn->rx)
        conn->rx->last = chunk->last;
    sim_pool_put(&conn->stack->shared->rx_chunks, chunk);
}

void
tcp_rx_clear(TcpConn *conn)
{
    while (conn->rx)
        tcp_rx_pop(conn);
}

/* Linux copies the bytes of wasteful segments into whole pages: 3776 bytes in
 * 4352 of memory. */
void
tcp_rx_collapse(TcpConn *conn)
{
    for (TcpRxQueue *chunk = conn->rx; chunk; chunk = chunk->next) {
        for (uint32_t i = chunk->first; i < chunk->end; i++) {
            TcpRxEntry *entry = &chunk->entries[i];
            uint32_t packed = entry->len * 4352 / 3776 + 1;

            if (((uint64_t)entry->truesize * conn->rcv.space_ratio >> 8) <= entry->len ||
                packed >= entry->truesize)
                continue;
            conn->rcv.truesize -= entry->truesize - packed;
            entry->truesize = packed;
            entry->tail_room = 0;
            host_count(conn->stack->host, MIB_TcpExtTCPRcvCollapsed);
        }
    }
}
