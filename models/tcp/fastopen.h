/* TCP Fast Open (RFC 7413): data with the SYN, for clients that have shown an
 * address of theirs before. The server hands out a cookie, a keyed hash of the
 * addresses; a client that knows one sends it back with data.
 *
 *   fastopen.c        cookies, socket options, life of the struct
 *   fastopen_client.c the cache of cookies, SYN with data, the SYN-ACK's answer
 *   fastopen_server.c a SYN with data becomes a connection before the handshake
 *   fastopen_hole.c   paths that don't bear it turn it off for a while
 */
#ifndef HALFOPEN_MODELS_TCP_FASTOPEN_H
#define HALFOPEN_MODELS_TCP_FASTOPEN_H

#include "models/tcp/listen.h"

enum { /* bits of net.ipv4.tcp_fastopen */
       TCP_FASTOPEN_CLIENT = 0x001,
       TCP_FASTOPEN_SERVER = 0x002,
       TCP_FASTOPEN_CLIENT_NO_COOKIE = 0x004,
       TCP_FASTOPEN_SERVER_NO_COOKIE = 0x200,
       TCP_FASTOPEN_ALL_LISTENERS = 0x400,
};

/* tcpi_fastopen_client_fail */
typedef enum TcpFastOpenFail {
    TCP_FASTOPEN_OK,
    TCP_FASTOPEN_COOKIE_UNKNOWN, /* for this server */
    TCP_FASTOPEN_DATA_NOT_ACKED,
    TCP_FASTOPEN_SYN_REPEATED, /* the SYN had to be sent again, without data */
} TcpFastOpenFail;

struct TcpFastOpenCookie {
    int8_t len;           /* -1: no option at all; 0: a request for a cookie */
    bool is_experimental; /* option 254 with the magic number, from before RFC 7413 */
    uint8_t bytes[TCP_FASTOPEN_COOKIE_MAX];
};

struct TcpFastOpen {
    /* Of a listener */
    uint32_t max_queue;  /* TCP_FASTOPEN: children that may still lack their handshake */
    uint32_t queue;      /* how many do */
    uint8_t n_keys;      /* TCP_FASTOPEN_KEY; 0: the host's */
    uint64_t keys[2][2]; /* for cookies; the second is still good in those that come */

    /* Of a client */
    bool connects;      /* TCP_FASTOPEN_CONNECT: connect() waits for the first data ... */
    bool connect_waits; /* ... and was called, for `remote` */
    Endpoint remote;
    bool no_cookie;    /* TCP_FASTOPEN_NO_COOKIE */
    bool is_wanted;    /* the next SYN shall carry the option */
    bool is_sending;   /* tcp_sendto_fastopen() is at work: */
    const void *offer; /* borrows: its bytes; NULL: a pattern */
    size_t offer_len;
    uint32_t taken;                 /* bytes of it that went with the SYN */
    bool asked, asked_experimental; /* our SYN carried the option */
    bool has_syn_data;              /* and data */
    bool syn_data_acked;            /* tcpi_options: TCPI_OPT_SYN_DATA */
    uint8_t fail;                   /* TcpFastOpenFail */
    bool tries_again;               /* the first since a black hole turned Fast Open off */
    TcpFastOpenCookie cookie;       /* what our SYN carries, or (a child) our SYN-ACK */

    /* Of a server's child */
    bool is_child;
    TcpListener *pending; /* borrows: the listener that counts it in its queue; NULL: no more */
};

TcpFastOpen *tcp_fastopen_of(TcpConn *conn); /* made when it is first needed */

static inline bool
tcp_fastopen_is_waiting(const TcpConn *conn)
{
    return __builtin_expect(conn->fastopen != NULL, 0) && conn->fastopen->connect_waits;
}

/* Options: 0 or -errno. */
int tcp_fastopen_set_queue(TcpConn *conn, int64_t value);
int tcp_fastopen_set_connect(TcpConn *conn, int64_t value);
int tcp_fastopen_set_no_cookie(TcpConn *conn, int64_t value);
int64_t tcp_fastopen_get_option(const TcpConn *conn, TcpOption option);

int tcp_fastopen_set_key(TcpConn *conn, const void *bytes, size_t len);
int tcp_fastopen_get_key(const TcpConn *conn, void *bytes, size_t *len);

/* The cookie that this listener gives to `remote`, by its nth key (from 0);
 * false: it has no such key. */
bool tcp_fastopen_make_cookie(const TcpConn *listener, unsigned n, IpAddr local, IpAddr remote,
                              TcpFastOpenCookie *cookie);
TcpFastOpenCookie tcp_fastopen_cookie_of(const TcpHeader *h); /* of a received header */
void tcp_fastopen_put_cookie(TcpHeader *h, const TcpFastOpenCookie *cookie);

/* fastopen_client.c. connect() with TCP_FASTOPEN_CONNECT and a known cookie:
 * true, and *result is what it returns; the SYN waits for the first data. */
bool tcp_fastopen_defers(TcpConn *conn, Endpoint remote, int *result);
/* Sends the SYN of an active open, with the option and data if they are wanted. */
void tcp_fastopen_queue_syn(TcpConn *conn);
/* The connection is established by this SYN-ACK. True: it left data of the SYN
 * unacknowledged, which are sent again, and the ACK with them. */
bool tcp_fastopen_syn_ack(TcpConn *conn, const TcpSegment *seg);
void tcp_fastopen_cache_free(TcpStack *stack);

/* fastopen_hole.c. Asked before a SYN is made: no option, then, and no data. */
bool tcp_fastopen_is_turned_off(TcpConn *conn);
void tcp_fastopen_note_timeout(TcpConn *conn, bool is_last); /* before rec.retransmits counts it */
void tcp_fastopen_note_stray_rst(TcpConn *conn);
void tcp_fastopen_note_end(TcpConn *conn); /* its reassembly queue is still there */

/* fastopen_server.c. The SYN's data may be welcome: true if the request has
 * become a connection. *reply: the cookie for the SYN-ACK otherwise. */
bool tcp_fastopen_listen(TcpListener *listener, TcpRequest *request, const TcpSegment *seg,
                         TcpFastOpenCookie *reply);
void tcp_fastopen_child_done(TcpConn *conn); /* its handshake is complete, or it ended */
/* The listener is about to be freed: accepted children may outlive it. */
void tcp_fastopen_listener_gone(TcpListener *listener);
bool tcp_fastopen_is_child(const TcpConn *conn);

#endif
