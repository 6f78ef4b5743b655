/* Explicit congestion notification (RFC 3168): negotiation, the echo by the
 * receiver, the answer by the sender. DCTCP's receiver (RFC 8257 §3.2) too.
 */
#ifndef HALFOPEN_MODELS_TCP_ECN_H
#define HALFOPEN_MODELS_TCP_ECN_H

#include "models/tcp/tcp_internal.h"

enum {                            /* conn->ecn.flags */
       TCP_ECN_OK = 0x01,         /* both ends agreed */
       TCP_ECN_QUEUE_CWR = 0x02,  /* the next new data segment says CWR */
       TCP_ECN_DEMAND_CWR = 0x04, /* ECE goes out until the peer says CWR */
       TCP_ECN_SEEN = 0x08,       /* an ECT or CE packet has come from this peer */
       TCP_ECN_LOW = 0x10,        /* agreed in this direction only because the algorithm needs it */
};

/* Opening. The flags to add to our SYN (ECE|CWR or none); sets OK meanwhile. */
uint16_t tcp_ecn_syn_flags(TcpConn *conn);
/* The SYN is sent again: whether to drop ECE|CWR from it (tcp_ecn_fallback). */
bool tcp_ecn_syn_falls_back(const TcpConn *conn);
/* The passive side: whether a SYN from `peer` with these flags and IP ECN field
 * asks for ECN and this host grants it (by sysctl or route, or because `cc`
 * needs it). */
bool tcp_ecn_accepts(const TcpStack *stack, const CcOps *cc, IpAddr peer, uint16_t syn_flags,
                     uint8_t ip_ecn);
void tcp_ecn_take_syn_ack(TcpConn *conn, uint16_t flags); /* the peer's answer */
void tcp_ecn_take_syn(TcpConn *conn, uint16_t flags);     /* simultaneous open */

/* tcp_transmit(), for any segment but SYNs: the ECN field of its IP header;
 * may add ECE and CWR to *flags. `is_new_data`: data not sent before. */
uint8_t tcp_ecn_on_transmit(TcpConn *conn, bool has_data, bool is_new_data, uint16_t *flags);
void tcp_ecn_queue_cwr(TcpConn *conn);    /* the window was reduced */
void tcp_ecn_withdraw_cwr(TcpConn *conn); /* the reduction was undone */

static inline bool
tcp_ecn_is_on(const TcpConn *conn)
{
    return conn->ecn.flags & TCP_ECN_OK;
}

/* tcp_ack(): does this segment echo congestion? */
static inline bool
tcp_ecn_is_echo(const TcpConn *conn, uint16_t flags)
{
    return (flags & (TCP_ECE | TCP_SYN)) == TCP_ECE && tcp_ecn_is_on(conn);
}

/* Input. */
void tcp_ecn_on_data(TcpConn *conn,
                     const TcpSegment *seg); /* CE, ECT or neither in the IP header */
void tcp_ecn_take_cwr(TcpConn *conn, const TcpSegment *seg);

#endif
