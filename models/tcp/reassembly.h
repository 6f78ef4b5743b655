/* Segments that came out of order (RFC 9293 §3.10.7.4 #7), kept as runs
 * without holes, and what is told of them: SACK blocks newest first (RFC 2018
 * §4), D-SACK for what came twice (RFC 2883), and the compression of the ACKs
 * that they cause. Exists only while something is out of order.
 */
#ifndef HALFOPEN_MODELS_TCP_REASSEMBLY_H
#define HALFOPEN_MODELS_TCP_REASSEMBLY_H

#include "models/tcp/tcp_internal.h"

/* Takes a segment that lies right of rcv.nxt within the window. False: its
 * memory could not be had, or all of it was there. `truesize`: what it occupies. */
bool tcp_reassembly_add(TcpConn *conn, const TcpSegment *seg, uint32_t truesize);
/* rcv.nxt has moved: hands on what is in order now. True when that includes
 * the peer's FIN: rcv.nxt is past it. */
bool tcp_reassembly_drain(TcpConn *conn);
/* Makes room by dropping what is furthest right. */
void tcp_reassembly_prune(TcpConn *conn);
void tcp_reassembly_clear(TcpConn *conn);
uint32_t tcp_reassembly_end(const TcpReassembly *ooo); /* right edge of the last run */
/* All that came out of order is one segment with a FIN. */
bool tcp_reassembly_is_lone_fin(const TcpConn *conn);
/* Where the byte of this sequence number is; false: not here. */
bool tcp_reassembly_find(const TcpConn *conn, uint32_t seq, Payload *byte);

/* D-SACK: this range came twice (once for each ACK; extended when adjacent). */
void tcp_dsack_set(TcpConn *conn, uint32_t start, uint32_t end);
void tcp_dsack_extend(TcpConn *conn, uint32_t start, uint32_t end);
/* rcv.nxt has moved past SACK blocks. */
void tcp_sacks_trim(TcpConn *conn);

/* delack.c: acknowledge something out of order: the first ones at once, for
 * the sender counts three, then a few in one (Linux: tcp_comp_sack_nr). */
void tcp_reassembly_ack(TcpConn *conn);
void tcp_reassembly_ack_left(TcpConn *conn);
void tcp_reassembly_flush_ack(TcpConn *conn);

size_t tcp_reassembly_cell_bytes(void);              /* of the objects that its pool holds */
uint64_t tcp_reassembly_memory(const TcpConn *conn); /* bytes that hold what is out of order */

#endif
