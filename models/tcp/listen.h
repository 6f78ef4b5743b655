/* The listening side: a queue of half-open requests (SYN-RECEIVED) and a queue
 * of connections that wait for accept(), with the bounds that Linux has had
 * since 4.10. Both bounds are the backlog plus one.
 */
#ifndef HALFOPEN_MODELS_TCP_LISTEN_H
#define HALFOPEN_MODELS_TCP_LISTEN_H

#include "models/tcp/tcp_internal.h"

struct TcpListener {
    TcpConn *conn;       /* borrows: the listening socket that owns this */
    uint32_t backlog;    /* min(listen()'s argument, net.core.somaxconn) */
    uint32_t n_requests; /* in the SYN queue */
    uint32_t n_young;    /* of those, never retransmitted */
    uint32_t n_accept;   /* in the accept queue */
    TcpRequest *first;   /* SYN queue, newest first */
    TcpConn *accept_first, *accept_last;
    SimTime last_overflow_at; /* when a SYN last got a cookie, once has_overflowed */
    bool has_overflowed;
    GHashTable
        *syn_data; /* request -> owns Payload that came with its SYN; looked up only; NULL: none */
    GHashTable *syns; /* request -> owns GBytes: TCP_SAVE_SYN; looked up only; NULL: none */
};

/* One half-open connection: what Linux calls a request minisocket. It becomes
 * a TcpConn when the final ACK arrives and there is room for it. Millions of
 * them wait in a flood, hence the frugality: entry.spare is the peer's MSS,
 * timer.spare when it last answered an invalid segment (ms, 0: never). */
struct TcpRequest {
    TcpEntry entry;            /* first */
    TcpListener *listener;     /* borrows */
    TcpRequest *next, *before; /* in the listener's list */
    SimTimer timer;
    uint32_t conn; /* the id that its connection will have */
    uint32_t irs, iss;
    uint32_t ts_recent, ts_offset;
    uint32_t ts_first;   /* the TSval of our first SYN-ACK: no echo is older */
    uint16_t wnd;        /* as our SYN-ACK says */
    uint16_t late_us;    /* by how much kernel_hz puts off its timer */
    uint8_t timeouts;    /* of its timer */
    uint8_t retransmits; /* of its SYN-ACK */
    uint8_t snd_wscale : 4, rcv_wscale : 4;
    bool ts_ok : 1, sack_ok : 1, wscale_ok : 1, ecn_ok : 1, acked : 1, is_cookie : 1, has_data : 1;
    bool has_syn : 1; /* TCP_SAVE_SYN */
};

static inline uint16_t
tcp_request_mss(const TcpRequest *request) /* the peer's, or what TCP_MAXSEG makes of it */
{
    return request->entry.spare;
}

static inline bool
tcp_accept_queue_is_full(const TcpListener *listener)
{
    return listener->n_accept > listener->backlog &&
           !listener->conn->stack->params->cf_unlimited_queue;
}

static inline bool
tcp_syn_queue_is_full(const TcpListener *listener)
{
    return listener->n_requests > listener->backlog &&
           !listener->conn->stack->params->cf_unlimited_queue;
}

void tcp_listener_free(TcpConn *conn); /* with its requests, silently; harmless without */
/* The SYN-ACK of a request, first or again; `rule` is why. */
void tcp_request_send_synack(TcpStack *stack, TcpRequest *request, const char *rule);
typedef struct TcpFastOpenCookie TcpFastOpenCookie;
/* The same, with a Fast Open cookie for the client (fastopen.h; NULL: none). */
void tcp_request_send_synack_with(TcpStack *stack, TcpRequest *request,
                                  const TcpFastOpenCookie *cookie, const char *rule);
/* An answer from a request: flags ACK or RST, at its own sequence numbers. */
void tcp_request_reply(TcpStack *stack, TcpRequest *request, const TcpSegment *seg,
                       const char *rule);
void tcp_request_drop(TcpRequest *request, TcpCause cause);
void tcp_request_forget(
    TcpRequest *request); /* out of the queue, without a transition: a connection goes on */
/* Data that came with the SYN, for after the handshake (RFC 9293 §3.10.7.2). */
void tcp_request_keep_data(TcpRequest *request, Payload payload);
Payload tcp_request_take_data(TcpRequest *request); /* len 0: there is none */
/* TCP_SAVE_SYN: the headers of the SYN, for its connection. */
void tcp_request_keep_syn(TcpRequest *request, const Packet *packet);
GBytes *tcp_request_take_syn(TcpRequest *request); /* NULL: there is none */
void tcp_accept_enqueue(TcpListener *listener, TcpConn *child);
/* The connection that a request becomes: in the accept queue and in the demux
 * table, SYN-RECEIVED. The request is gone. */
TcpConn *tcp_request_promote(TcpRequest *request, const TcpSegment *seg);
/* Counts and reports a SYN (or final ACK) that the listener did not take. */
void tcp_listen_drop(TcpListener *listener, const TcpSegment *seg, const char *what,
                     const char *rule);
void tcp_listener_note(TcpListener *listener); /* emits the lengths of both queues */

/* syncookie.c */
uint32_t tcp_cookie_make(TcpStack *stack, const TcpSegment *syn, uint16_t *mss);
/* 0: the ACK carries no valid cookie of ours; else the MSS it stands for. */
uint16_t tcp_cookie_check(TcpStack *stack, const TcpSegment *ack);
/* Options that a cookie's timestamp carries (window scale, SACK, ECN). */
uint32_t tcp_cookie_ts(const TcpRequest *request, uint32_t now);
bool tcp_cookie_ts_decode(TcpStack *stack, const TcpSegment *ack, TcpRequest *request);

#endif
