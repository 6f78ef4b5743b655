/* recv(): what the user takes from the queue (RFC 9293 §3.9.1 RECEIVE), in
 * the order of Linux: urgent mark, data, FIN, errors, end. */
#include "models/tcp/backlog.h"
#include "models/tcp/delack.h"
#include "models/tcp/fastopen.h"
#include "models/tcp/rcvwindow.h"
#include "models/tcp/reassembly.h"
#include "models/tcp/rxqueue.h"
#include "models/tcp/text.h"

/* One call's progress through the queue. */
typedef struct Reading {
    uint32_t seq;        /* next byte */
    size_t left, copied; /* bytes wanted and taken */
    Payload *parts;
    size_t n_parts, max_parts;
    bool is_peek;
    bool at_end; /* the FIN was reached */
} Reading;

static bool
add_part(Reading *r, Payload part)
{
    if (r->n_parts) {
        Payload *last = &r->parts[r->n_parts - 1];

        if (last->stream == part.stream && last->offset + last->len == part.offset) {
            last->len += part.len;
            return true;
        }
    }
    if (r->n_parts == r->max_parts)
        return false;
    r->parts[r->n_parts++] = part;
    return true;
}

/* Bytes of this entry that may be taken: up to the urgent mark, or, at it,
 * past the urgent byte (which MSG_OOB reads). */
static uint32_t
heed_urgent(const TcpConn *conn, Reading *r, uint32_t *skip, uint32_t used)
{
    uint32_t ahead = conn->rcv.up - r->seq;

    if (ahead >= used)
        return used;
    if (ahead)
        return ahead;
    if (!conn->opt.oob_inline) {
        r->seq++;
        ++*skip;
        used--;
    }
    return used;
}

/* Takes from one entry. False: stop. */
static bool
read_entry(TcpConn *conn, Reading *r, const TcpRxEntry *entry, bool *is_whole)
{
    uint32_t skip = r->seq - entry->seq, used;

    *is_whole = false;
    if (skip < entry->len) {
        used = (uint32_t)MIN(r->left, (size_t)(entry->len - skip));
        if (__builtin_expect(conn->rcv.urgent, 0))
            used = heed_urgent(conn, r, &skip, used);
        if (used && !add_part(r, (Payload){ .offset = entry->offset + skip,
                                            .stream = entry->stream,
                                            .len = used }))
            return false;
        r->seq += used;
        r->copied += used;
        r->left -= used;
        if (!r->is_peek) {
            conn->rcv.copied_seq = r->seq;
            tcp_window_note_read(conn);
            if (conn->rcv.urgent && seq_after(conn->rcv.copied_seq, conn->rcv.up))
                conn->rcv.urgent = TCP_URGENT_NONE;
        }
        if (skip + used < entry->len)
            return r->left > 0;
    }
    *is_whole = true;
    if (entry->has_fin) {
        r->seq++;
        r->at_end = true;
        if (!r->is_peek)
            conn->rcv.copied_seq = r->seq;
        return false;
    }
    return r->left > 0;
}

static bool
stops_at_mark(const TcpConn *conn, const Reading *r)
{
    return __builtin_expect(conn->rcv.urgent, 0) && conn->rcv.up == r->seq && r->copied;
}

static void
read_queue(TcpConn *conn, Reading *r)
{
    TcpRxEntry *entry;
    bool is_whole, goes_on = true;

    while (goes_on && (entry = tcp_rx_first(conn)) && !stops_at_mark(conn, r)) {
        goes_on = read_entry(conn, r, entry, &is_whole);
        if (is_whole)
            tcp_rx_pop(conn);
    }
}

static void
peek_queue(TcpConn *conn, Reading *r)
{
    bool is_whole;

    for (TcpRxQueue *chunk = conn->rx; chunk; chunk = chunk->next) {
        for (uint32_t i = chunk->first; i < chunk->end; i++) {
            if (stops_at_mark(conn, r) || !read_entry(conn, r, &chunk->entries[i], &is_whole))
                return;
        }
    }
}

/* Where the byte at the urgent mark is. */
static bool
find_urgent_byte(const TcpConn *conn, Payload *byte)
{
    for (TcpRxQueue *chunk = conn->rx; chunk; chunk = chunk->next) {
        for (uint32_t i = chunk->first; i < chunk->end; i++) {
            const TcpRxEntry *entry = &chunk->entries[i];
            uint32_t at = conn->rcv.up - entry->seq;

            if (at < entry->len) {
                *byte =
                    (Payload){ .offset = entry->offset + at, .stream = entry->stream, .len = 1 };
                return true;
            }
        }
    }
    return tcp_reassembly_find(conn, conn->rcv.up, byte);
}

static int64_t
recv_urgent(TcpConn *conn, size_t max, unsigned flags, Payload *parts, size_t *n_parts)
{
    size_t max_parts = *n_parts;

    *n_parts = 0;
    if (conn->opt.oob_inline || conn->rcv.urgent == TCP_URGENT_NONE ||
        conn->rcv.urgent == TCP_URGENT_READ)
        return -EINVAL;
    if (conn->state == TCP_CLOSED && !conn->rcv.has_fin)
        return -ENOTCONN;
    if (conn->rcv.urgent == TCP_URGENT_HERE && max && max_parts &&
        find_urgent_byte(conn, &parts[0])) {
        if (!(flags & TCP_MSG_PEEK))
            conn->rcv.urgent = TCP_URGENT_READ;
        *n_parts = 1;
        return 1;
    }
    if (conn->state == TCP_CLOSED || (conn->shut & 1))
        return 0;
    return -EAGAIN; /* never waits, whatever the socket's mode (BSD) */
}

/* Nothing to read: why. */
static int64_t
why_empty(TcpConn *conn)
{
    int error = conn->error;

    if (conn->rcv.has_fin)
        return 0;
    if (error) {
        conn->error = 0;
        return -error;
    }
    if (conn->shut & 1)
        return 0;
    if (conn->state == TCP_CLOSED && !tcp_fastopen_is_waiting(conn))
        return -ENOTCONN;
    return -EAGAIN;
}

int64_t
tcp_recv(TcpConn *conn, size_t max, unsigned flags, Payload *parts, size_t *n_parts)
{
    Reading r = { .seq = conn->rcv.copied_seq,
                  .left = max,
                  .parts = parts,
                  .max_parts = *n_parts,
                  .is_peek = flags & TCP_MSG_PEEK };

    if (conn->state == TCP_LISTEN) {
        *n_parts = 0;
        return -ENOTCONN;
    }
    if (flags & TCP_MSG_OOB)
        return recv_urgent(conn, max, flags, parts, n_parts);
    *n_parts = 0;
    tcp_enter(conn);
    if (__builtin_expect(conn->is_busy, 0)) /* the call finds what came meanwhile */
        tcp_backlog_flush(conn);
    if (max) {
        if (r.is_peek)
            peek_queue(conn, &r);
        else
            read_queue(conn, &r);
    }
    *n_parts = r.n_parts;
    if (r.copied == 0 && max && !r.at_end) {
        int64_t result = why_empty(conn);

        tcp_leave(conn);
        return result;
    }
    if (__builtin_expect(conn->is_busy, 0) && !r.is_peek)
        conn->backlog->copied += r.copied;
    else if (conn->state != TCP_CLOSED && !r.is_peek)
        tcp_ack_after_read(conn, r.copied);
    tcp_leave(conn);
    return (int64_t)r.copied;
}

size_t
tcp_queued_bytes(const TcpConn *conn)
{
    return conn->rcv.nxt - conn->rcv.copied_seq;
}

size_t
tcp_unread_bytes(const TcpConn *conn)
{
    uint32_t unread;

    if (conn->state == TCP_SYN_SENT || conn->state == TCP_LISTEN ||
        (conn->state == TCP_SYN_RECEIVED && !tcp_fastopen_is_child(conn)))
        return 0;
    if (conn->rcv.urgent && !conn->opt.oob_inline &&
        !seq_before(conn->rcv.up, conn->rcv.copied_seq) && seq_before(conn->rcv.up, conn->rcv.nxt))
        return conn->rcv.up - conn->rcv.copied_seq; /* up to the mark */
    unread = conn->rcv.nxt - conn->rcv.copied_seq;
    if (unread && conn->rcv.has_fin)
        unread--;
    return unread;
}
