/* Timestamps (RFC 7323): the clock, TS.Recent, protection against wrapped
 * sequence numbers.
 */
#ifndef HALFOPEN_MODELS_TCP_TIMESTAMPS_H
#define HALFOPEN_MODELS_TCP_TIMESTAMPS_H

#include "models/tcp/tcp_internal.h"

/* RFC 7323 §5.5: TS.Recent older than this proves nothing. */
#define TCP_PAWS_VALIDITY (INT64_C(24) * 24 * 3600 * SIM_SEC)

/* TSval for a segment that leaves now. */
uint32_t tcp_ts_value(const TcpConn *conn);
/* TSval is acceptable after TS.Recent (set at `recent_at`), give or take
 * `slack` ticks. */
bool tcp_ts_is_fresh(uint32_t recent, SimTime recent_at, uint32_t tsval, int32_t slack,
                     SimTime now);
/* RFC 7323 §4.3: takes TSval if the segment holds Last.ACK.sent. */
void tcp_ts_update_recent(TcpConn *conn, const TcpSegment *seg);
/* Time since the segment that is echoed left, from its TSecr; < 0: none. The
 * resolution is a tick. */
SimTime tcp_ts_rtt(const TcpConn *conn, const TcpSegment *seg);
TcpVerdict tcp_check_paws(TcpConn *conn, TcpSegment *seg); /* step of the input */

#endif
