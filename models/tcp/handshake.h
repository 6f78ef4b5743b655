/* The steps of the handshake that several files share. */
#ifndef HALFOPEN_MODELS_TCP_HANDSHAKE_H
#define HALFOPEN_MODELS_TCP_HANDSHAKE_H

#include "models/tcp/listen.h"

/* A SYN for a listener. isn 0: a new one is chosen and the queue's bounds
 * apply; else the SYN reopens a TIME-WAIT entry. */
void tcp_listen_syn(TcpConn *listener, const TcpSegment *seg, uint32_t isn);
void tcp_request_arm(TcpRequest *request);
void tcp_request_resend_synack(TcpRequest *request);
/* The final ACK is acceptable: a connection, or the accept queue is full. The
 * request may be gone. */
void tcp_request_complete(TcpRequest *request, TcpSegment *seg);
/* It becomes a connection, which takes the segment as its first. */
void tcp_request_establish(TcpRequest *request, TcpSegment *seg);

#endif
