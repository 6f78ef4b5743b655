/* The text of segments (RFC 9293 §3.10.7.4 #7 and #8): in order to the user's
 * queue, out of order to reassembly, duplicates to D-SACK. Urgent data.
 */
#ifndef HALFOPEN_MODELS_TCP_TEXT_H
#define HALFOPEN_MODELS_TCP_TEXT_H

#include "models/tcp/tcp_internal.h"

enum { /* conn->rcv.urgent; rcv.up is the sequence number of the urgent byte */
       TCP_URGENT_NONE,
       TCP_URGENT_AWAITED, /* announced, its byte not yet received */
       TCP_URGENT_HERE,    /* received, not yet read with MSG_OOB */
       TCP_URGENT_READ,    /* read with MSG_OOB; the mark still lies ahead */
};

/* Steps of the input. */
TcpVerdict tcp_take_urgent(TcpConn *conn, TcpSegment *seg);
TcpVerdict tcp_take_text(TcpConn *conn, TcpSegment *seg);

/* In-order data without FIN, URG or anything out of order: the fast path. The
 * caller has checked that it fits the window and the buffer. */
void tcp_take_in_order(TcpConn *conn, const TcpSegment *seg);

/* PAWS, sequence and duplicate checks failed: an ACK that says what we have,
 * with D-SACK for old data (RFC 9293 §3.10.7.4 #1). */
void tcp_send_dup_ack(TcpConn *conn, const TcpSegment *seg, const char *rule);

#endif
