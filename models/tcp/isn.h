/* Numbers that an outsider must not guess: initial sequence numbers (RFC 6528,
 * RFC 9293 §3.4.1), timestamp offsets (RFC 7323 §5.4), port offsets (RFC 6056).
 */
#ifndef HALFOPEN_MODELS_TCP_ISN_H
#define HALFOPEN_MODELS_TCP_ISN_H

#include "models/tcp/tcp_internal.h"

uint32_t tcp_isn_new(TcpStack *stack, const TcpTuple *tuple); /* by the tunable isn */
/* "isn = 3" and the like, for the record; NULL: numbers that nobody can guess. */
const char *tcp_isn_counterfactual(const TcpStack *stack);
uint32_t tcp_ts_offset_new(const TcpStack *stack,
                           const TcpTuple *tuple); /* by net.ipv4.tcp_timestamps */
uint32_t tcp_port_offset(const TcpStack *stack,
                         const TcpTuple *tuple); /* the local port does not count */

#endif
