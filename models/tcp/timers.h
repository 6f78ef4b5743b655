/* The retransmission timer and who shares it. As on Linux one timer serves
 * four mutually exclusive ends: which one is in conn->rtx.spare.
 */
#ifndef HALFOPEN_MODELS_TCP_TIMERS_H
#define HALFOPEN_MODELS_TCP_TIMERS_H

#include "models/tcp/tcp_internal.h"

typedef enum TcpTimer {
    TCP_TIMER_NONE,
    TCP_TIMER_RTO,     /* RFC 6298 */
    TCP_TIMER_TLP,     /* RFC 8985 §7: tail loss probe */
    TCP_TIMER_REORDER, /* RFC 8985 §6.3: RACK's reordering window ends */
    TCP_TIMER_PERSIST, /* RFC 9293 §3.8.6.1: window probe */
} TcpTimer;

/* What Linux adds to short timers so that they don't fire too early. */
#define TCP_TIMEOUT_MIN (2 * SIM_MS)
/* Retry when the host itself can't send. */
#define TCP_LOCAL_RETRY (500 * SIM_MS)

void tcp_timer_set(TcpConn *conn, TcpTimer which, SimTime after);
void tcp_timer_clear(TcpConn *conn);

static inline TcpTimer
tcp_timer_pending(const TcpConn *conn)
{
    return (TcpTimer)conn->rtx.spare;
}

SimTime tcp_rto_min(const TcpConn *conn);
SimTime tcp_rto_max(const TcpConn *conn);
SimTime tcp_round_to_tick(const TcpConn *conn, SimTime span); /* up, as jiffies (kernel_hz) */

/* After progress: off when nothing is out, else a whole RTO from now (or what
 * is left of it when another use of the timer was in between). */
void tcp_rearm_rto(TcpConn *conn);
/* The same, or a tail loss probe where that comes first. */
void tcp_set_xmit_timer(TcpConn *conn);
SimTime tcp_rto_left(const TcpConn *conn); /* until the first entry's RTO */

/* tlp.c. False: no probe is due. */
bool tcp_tlp_schedule(TcpConn *conn, bool is_advancing);
void tcp_tlp_send(TcpConn *conn);
/* rack.c */
void tcp_rack_reorder_timer(TcpConn *conn);
/* retransmit.c */
void tcp_rto_timer(TcpConn *conn);
void tcp_fail_timeout(TcpConn *conn, const char *what,
                      const char *rule); /* ETIMEDOUT, or the soft error */
unsigned tcp_orphan_retries(const TcpConn *conn, bool is_alive);
SimTime tcp_clamp_rto_to_user_timeout(const TcpConn *conn);
/* persist.c */
void tcp_persist_timer(TcpConn *conn);
void
tcp_persist_check(TcpConn *conn); /* arms the timer when data waits and nothing else will send it */
void tcp_persist_ack(TcpConn *conn); /* an ACK came while nothing was out */
/* Probes the window, with data if it can; `what` it is for, in the record. */
int tcp_write_wakeup(TcpConn *conn, const char *what, const char *rule);

/* rtt.c */
void tcp_rtt_estimate(TcpConn *conn, SimTime rtt_ns); /* srtt, deviation, RTO; not the minimum */
void tcp_rto_update(TcpConn *conn);                   /* RTO from srtt and rttvar */
SimTime tcp_rto_computed(const TcpConn *conn);
void tcp_rtt_min_update(TcpConn *conn, SimTime rtt, bool maybe_delayed);

#endif
