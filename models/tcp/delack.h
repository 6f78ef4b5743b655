/* When to acknowledge (RFC 9293 §3.8.6.3, RFC 5681 §4.2): delayed ACKs, the
 * quick ACKs of a connection's first segments, ping-pong mode for replies
 * that carry the ACK along, and compressed SACKs. The names of the flags are
 * Linux's.
 *
 * tcp_transmit() tells what left with tcp_ack_sent() and tcp_data_sent(); the
 * input steps and the user's reads ask tcp_ack_check().
 */
#ifndef HALFOPEN_MODELS_TCP_DELACK_H
#define HALFOPEN_MODELS_TCP_DELACK_H

#include "models/tcp/tcp_internal.h"

enum {                           /* conn->ack.pending */
       TCP_ACK_SCHED = 0x01,     /* something received awaits its ACK */
       TCP_ACK_TIMER = 0x02,     /* the delayed ACK timer runs for it */
       TCP_ACK_PUSHED = 0x04,    /* a short segment came: the end of a write */
       TCP_ACK_PUSHED2 = 0x08,   /* a second one */
       TCP_ACK_NOW = 0x10,       /* once, without delay */
       TCP_ACK_NO_MEMORY = 0x20, /* data was dropped for want of buffer: offer a window of 0 */
};

#define TCP_MAX_QUICKACKS 16

static inline void
tcp_ack_schedule(TcpConn *conn)
{
    conn->ack.pending |= TCP_ACK_SCHED;
}

static inline bool
tcp_ack_is_scheduled(const TcpConn *conn)
{
    return conn->ack.pending & TCP_ACK_SCHED;
}

static inline bool
tcp_pingpong_is_on(const TcpConn *conn)
{
    return conn->ack.pingpong >= conn->stack->params->pingpong_thresh;
}

/* tcp_transmit(): a segment with ACK has left, acknowledging rcv.nxt. Ends
 * whatever waited to acknowledge. */
void tcp_ack_sent(TcpConn *conn);
/* tcp_transmit(): a segment with data has left. A reply within the ACK
 * timeout makes the connection interactive. Sets last_send_at. */
void tcp_data_sent(TcpConn *conn);

void tcp_pingpong_enter(TcpConn *conn);
/* At least `max` (or what fits the window) of the next segments are
 * acknowledged at once; leaves ping-pong mode. */
void tcp_quickack_enter(TcpConn *conn, unsigned max);
void tcp_quickack_raise(TcpConn *conn, unsigned max); /* the budget alone */
/* setsockopt(TCP_QUICKACK); even values last for one ACK (tcp(7)). */
void tcp_quickack_option(TcpConn *conn, int64_t value);
bool tcp_quickack_is_on(const TcpConn *conn);

/* Data has arrived (in order: after rcv.nxt moved): measures the peer's pace. */
void tcp_ack_note_data(TcpConn *conn);
/* End of a segment's processing: acknowledges now, later, or not at all. */
void tcp_ack_check(TcpConn *conn, bool may_be_out_of_order);
/* The ACK of a SYN-ACK, kept back: data will carry it in a moment. */
void tcp_ack_hold(TcpConn *conn);
/* The user took `copied` bytes: an ACK or a window update may be due. */
void tcp_ack_after_read(TcpConn *conn, size_t copied);
/* Sends the ACK that compression held back, if any. */
void tcp_ack_flush_compressed(TcpConn *conn);
/* Where conn->delack stands: for tcp_info and ss. */
SimTime tcp_delack_longest(const TcpConn *conn);

#endif
