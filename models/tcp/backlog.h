/* A call that is at work on a socket holds it (Linux: lock_sock()). Segments
 * that arrive meanwhile wait in the socket's backlog, its timers wait too, and
 * as the call lets go all of it is made up for, with one ACK at the end
 * (net.ipv4.tcp_backlog_ack_defer).
 *
 * Calls take no time here, so nothing ever waits, unless a scenario holds a
 * socket with tcp_lock() to say how long a call took. */
#ifndef HALFOPEN_MODELS_TCP_BACKLOG_H
#define HALFOPEN_MODELS_TCP_BACKLOG_H

#include "models/tcp/tcp_internal.h"

enum {                          /* TcpBacklog.waiting: what came up while the socket was held */
       TCP_WAITING_SEND = 0x01, /* the pacing timer */
       TCP_WAITING_RTX = 0x02,
       TCP_WAITING_DELACK = 0x04,
       TCP_WAITING_ACK = 0x08, /* segments of the backlog that asked for an ACK at once */
};

struct TcpBacklog {
    Packet *first, *last;
    uint32_t truesize; /* counts against the receive buffer */
    uint8_t waiting;
    bool is_emptied; /* its segments are being processed: ACKs wait */
    size_t copied;   /* the call took so many bytes: tcp_ack_after_read() as it lets go */
};

/* A segment for a socket that is held. Takes the packet. */
void tcp_backlog_add(TcpConn *conn, Packet *packet);
/* The same for a timer that came up: true if it has to wait. */
static inline bool
tcp_backlog_defers(TcpConn *conn, uint8_t what)
{
    if (__builtin_expect(!conn->is_busy, 1))
        return false;
    conn->backlog->waiting |= what;
    return true;
}
/* An ACK that a segment asks for at once: true if it waits for the last of the backlog. */
static inline bool
tcp_backlog_defers_ack(TcpConn *conn)
{
    if (__builtin_expect(!conn->is_busy, 1))
        return false;
    if (!conn->backlog->is_emptied || !conn->stack->params->backlog_ack_defer)
        return false;
    conn->backlog->waiting |= TCP_WAITING_ACK;
    return true;
}
/* Processes what waits; the call goes on. */
void tcp_backlog_flush(TcpConn *conn);
void tcp_backlog_free(TcpConn *conn);

/* timers.c, delack.c, pacing.c: what a timer does that had to wait. */
void tcp_rtx_timer(TcpConn *conn);
void tcp_delack_timer(TcpConn *conn);

#endif
