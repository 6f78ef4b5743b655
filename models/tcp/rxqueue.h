/* Bytes that came in order and wait for the user. One entry a segment, for
 * Linux frees a segment's memory when all of it has been read, and the window
 * follows that memory; short segments join the one before, as far as its
 * buffer has room.
 *
 * The queue is a list of chunks of a fixed size from the stack's pool. It
 * exists only while it holds something: conn->rx is its first chunk.
 */
#ifndef HALFOPEN_MODELS_TCP_RXQUEUE_H
#define HALFOPEN_MODELS_TCP_RXQUEUE_H

#include "models/tcp/tcp_internal.h"

typedef struct TcpRxEntry {
    uint64_t offset; /* of the first byte in the sender's stream */
    uint32_t stream, len;
    uint32_t seq; /* of the first byte */
    uint32_t truesize;
    uint16_t tail_room; /* bytes that its buffer could still take */
    bool has_fin;       /* the peer's FIN follows the last byte */
} TcpRxEntry;

#define TCP_RX_CHUNK 14

struct TcpRxQueue {
    TcpRxQueue *next;    /* owns */
    TcpRxQueue *last;    /* in the first chunk: the last one */
    uint16_t first, end; /* entries [first, end) */
    TcpRxEntry entries[TCP_RX_CHUNK];
};

/* Appends a segment's bytes, of sequence number seq, that occupy truesize
 * (charged to rcv.truesize). True if it joined the entry before. */
bool tcp_rx_push(TcpConn *conn, const TcpRxEntry *entry);
void tcp_rx_pop(TcpConn *conn); /* forgets the first entry, returns its memory */
void tcp_rx_clear(TcpConn *conn);
void tcp_rx_collapse(TcpConn *conn); /* repacks wasteful entries */

static inline TcpRxEntry *
tcp_rx_first(const TcpConn *conn)
{
    return conn->rx ? &conn->rx->entries[conn->rx->first] : NULL;
}

/* Bytes wait, whatever the state: in SYN-RECEIVED with Fast Open too. */
static inline bool
tcp_rx_has_data(const TcpConn *conn)
{
    const TcpRxQueue *rx = conn->rx;

    return rx && rx->entries[rx->first].len > 0;
}

/* What an allocation for a packet leaves behind the packet. */
static inline uint16_t
tcp_rx_tail_room(uint32_t truesize, uint32_t packet_bytes)
{
    int32_t room = (int32_t)truesize - 256 - 320 - 64 - (int32_t)packet_bytes;

    return (uint16_t)(room > 0 ? MIN(room, UINT16_MAX) : 0);
}

#endif
