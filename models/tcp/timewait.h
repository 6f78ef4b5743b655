/* TIME-WAIT (RFC 9293 §3.6.1): an entry of its own, so that the connection's
 * memory is free. An orphan in FIN-WAIT-2 waits in one too, as on Linux.
 */
#ifndef HALFOPEN_MODELS_TCP_TIMEWAIT_H
#define HALFOPEN_MODELS_TCP_TIMEWAIT_H

#include "models/tcp/tcp_internal.h"

/* All entries wait in order of their deadline: those with the same timeout in
 * a list of their own, whose head alone is in the simulation's queue. */
struct TcpTimeWait {
    TcpEntry entry;             /* first */
    TcpTimeWait *next, *before; /* in the list of its timeout */
    SimTime deadline;
    uint32_t conn; /* id */
    uint32_t snd_nxt, rcv_nxt;
    uint32_t ts_recent, ts_offset;
    uint32_t ts_recent_ms;  /* when ts_recent was set */
    uint32_t began_ms;      /* when TIME-WAIT began: a restart does not change it */
    uint32_t last_reply_ms; /* rate limit; 0: none yet */
    uint16_t wnd;           /* as on the wire */
    uint8_t rcv_wscale;
    uint8_t state;      /* TCP_TIME_WAIT or TCP_FIN_WAIT_2 */
    uint8_t list;       /* which list */
    uint8_t port_flags; /* ports.h */
    bool ts_ok;
};

void tcp_time_waits_init(TcpStack *stack);
void tcp_time_waits_free(TcpStack *stack);
uint32_t tcp_time_waits_count(const TcpStack *stack);
/* 2MSL begin anew, also for what was FIN-WAIT-2. */
void tcp_time_wait_restart(TcpStack *stack, TcpTimeWait *tw);
void tcp_time_wait_drop(TcpStack *stack, TcpTimeWait *tw, TcpCause cause);
/* A connect() wants the four-tuple of this entry: true if it may have it (the
 * entry is gone, conn's ISN and timestamps go on from it). */
bool tcp_time_wait_recycle(TcpTimeWait *tw, TcpConn *conn);

/* The ISN of a connection that follows at once: beyond all that the old one
 * sent (RFC 9293 §3.6.1); Linux adds a window and two. Never 0. */
static inline uint32_t
tcp_time_wait_next_isn(const TcpTimeWait *tw)
{
    uint32_t isn = tw->snd_nxt + 65537;

    return isn != 0 ? isn : 1;
}

#endif
