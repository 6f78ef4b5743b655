/* What a host remembers of its peers after their connections have gone
 * (Linux's tcp_metrics): here, that a peer is real, since a round trip to it
 * was measured. The SYN queue keeps its last places for such peers.
 */
#ifndef HALFOPEN_MODELS_TCP_METRICS_H
#define HALFOPEN_MODELS_TCP_METRICS_H

#include "models/tcp/tcp_internal.h"

/* A connection closed in good order: its peer is proven from now on, unless
 * net.ipv4.tcp_no_metrics_save is set. */
void tcp_metrics_note(TcpConn *conn);
bool tcp_metrics_is_proven(const TcpStack *stack, IpAddr peer);
/* Counterfactual: the last timestamp of an address, whoever it was behind it. */
void tcp_metrics_note_timestamp(TcpConn *conn);
bool tcp_metrics_is_older(const TcpStack *stack, const TcpSegment *syn);
void tcp_metrics_forget(TcpStack *stack);

#endif
