/* Finding whom a segment is for: one hash table by four-tuple for
 * connections, half-open requests and TIME-WAIT entries, and the listeners.
 */
#ifndef HALFOPEN_MODELS_TCP_DEMUX_H
#define HALFOPEN_MODELS_TCP_DEMUX_H

#include "models/tcp/tcp_internal.h"

void tcp_demux_insert(TcpStack *stack, TcpEntry *entry); /* entry->tuple and kind are set */
void tcp_demux_remove(TcpStack *stack, TcpEntry *entry); /* harmless when not in */
TcpEntry *tcp_demux_find(TcpStack *stack, const TcpTuple *tuple);
/* The listener for a SYN to this address and port: one bound to the address
 * before one bound to any; among SO_REUSEPORT equals, by hash of the tuple. */
TcpConn *tcp_demux_listener(TcpStack *stack, const TcpTuple *tuple);
/* A segment whose connection was busy when it arrived (backlog.c). Takes the packet. */
void tcp_receive_backlog(TcpConn *conn, Packet *packet);
/* Calls fn for every entry, in an order that depends on the history of the
 * stack alone. fn must not change the table. */
void tcp_demux_each(TcpStack *stack, void (*fn)(void *arg, TcpEntry *entry), void *arg);

#endif
