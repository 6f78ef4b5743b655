/* The window we offer (RFC 9293 §3.8.6, RFC 7323 §2): its first value and
 * scale, its growth with what arrives, silly window avoidance, the receive
 * buffer and its tuning to the measured rate.
 *
 * Linux counts the memory that a segment occupies ("truesize") against the
 * buffer, and offers the part of the free buffer that, from the ratio of
 * payload to memory seen, payload could fill.
 */
#ifndef HALFOPEN_MODELS_TCP_RCVWINDOW_H
#define HALFOPEN_MODELS_TCP_RCVWINDOW_H

#include "models/tcp/tcp_internal.h"

/* The window field of a segment about to leave (not a SYN's): the offer is
 * made and remembered (rcv.wnd, rcv.wup, ts.last_ack_sent). Never smaller
 * than what was offered before, unless tcp_shrink_window. */
uint16_t tcp_window_select(TcpConn *conn);
/* The same without making the offer, in bytes. May end the quick ACKs. */
uint32_t tcp_window_would_be(TcpConn *conn);
void tcp_window_established(TcpConn *conn); /* buffer, clamp and first measurements */
/* In order or out of order data of `len` bytes, occupying `truesize`. */
void tcp_window_note_segment(TcpConn *conn, uint32_t len, uint32_t truesize,
                             uint16_t flags); /* peer MSS, ratio */
void tcp_window_grow(TcpConn *conn, uint32_t len, uint32_t truesize);
void tcp_window_note_read(TcpConn *conn);    /* buffer tuning, after the user took bytes */
void tcp_window_note_reorder(TcpConn *conn); /* buffer tuning, after out of order data */
void tcp_window_note_rtt_ts(TcpConn *conn, const TcpSegment *seg);
void tcp_window_note_rtt_window(TcpConn *conn);
void tcp_window_under_pressure(TcpConn *conn); /* the buffer overflows */

void tcp_rcvbuf_option(TcpConn *conn, int64_t value,
                       int64_t most);                      /* SO_RCVBUF: doubled, bounded, locked */
int tcp_window_clamp_option(TcpConn *conn, int64_t value); /* TCP_WINDOW_CLAMP: 0 or -EINVAL */

/* What an IP packet with `payload` bytes occupies in a host's memory. */
uint32_t tcp_truesize_of(const TcpConn *conn, uint32_t header_bytes, uint32_t payload);

/* Little more can come until the user reads, whatever SO_RCVLOWAT waits for
 * (Linux: tcp_epollin_ready). */
static inline bool
tcp_is_stuffed(const TcpConn *conn)
{
    return conn->rcv.truesize > conn->rcv.buf - (conn->rcv.buf >> 3) ||
           tcp_window_now(conn) <= conn->rcv.mss;
}

static inline bool
tcp_rx_has_room(const TcpConn *conn)
{
    return conn->rcv.truesize <= conn->rcv.buf;
}

#endif
