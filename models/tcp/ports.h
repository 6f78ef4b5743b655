/* Local ports (RFC 6056, Linux's inet_csk_get_port and
 * __inet_hash_connect): who uses which, who may share, and which one a
 * connect() or bind(0) takes.
 */
#ifndef HALFOPEN_MODELS_TCP_PORTS_H
#define HALFOPEN_MODELS_TCP_PORTS_H

#include "models/tcp/tcp_internal.h"

typedef struct TcpPorts {
    GHashTable *uses;         /* port -> owns PortUse (ports.c); looked up, never iterated */
    uint32_t *next_by_secret; /* owns: RFC 6056 §3.3.4's table of offsets; NULL until used */
} TcpPorts;

TcpPorts *tcp_ports_new(void);
void tcp_ports_free(TcpPorts *ports);

/* bind(): 0, or -EADDRINUSE. Port 0 takes one of the range, odd ones of the
 * range's own parity last, at random. Sets the tuple's local end. */
int tcp_port_bind(TcpConn *conn, Endpoint local);
/* connect() of a socket without a port: parity of the range's start first, in
 * steps from a secret offset of the destination. 0 or -EADDRNOTAVAIL. May
 * recycle a TIME-WAIT entry (tcp_tw_reuse). */
int tcp_port_for_connect(TcpConn *conn);
/* connect() of a bound socket: is the four-tuple free? 0 or -EADDRNOTAVAIL. */
int tcp_port_check_connect(TcpConn *conn);
/* listen(): may several listen? 0 or -EADDRINUSE. */
int tcp_port_check_listen(TcpConn *conn);

/* What a user of a port would share, and how it came by it. */
enum { TCP_PORT_REUSEADDR = 1, TCP_PORT_REUSEPORT = 2, TCP_PORT_BY_BIND = 4 };

/* Users that did not bind the port themselves: children of a listener,
 * TIME-WAIT entries. */
void tcp_port_hold(TcpStack *stack, uint16_t port, IpAddr local, uint8_t flags);
void tcp_port_drop(TcpStack *stack, uint16_t port, uint8_t flags);
void tcp_port_hold_child(TcpConn *child); /* of a listener */
uint8_t tcp_port_flags(const TcpConn *conn);
/* SO_REUSEADDR and SO_REUSEPORT; may change while the port is held. */
void tcp_port_set_reuse(TcpConn *conn, bool reuse_addr, bool reuse_port);
/* The socket lets its port go (if it has one). */
void tcp_port_release(TcpConn *conn);

#endif
