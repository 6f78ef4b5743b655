/* UDP (RFC 768, RFC 1122 §4.1): datagrams, ports, ICMP errors on connected
 * sockets, IP_MTU_DISCOVER. Calls never block; on_event tells when to retry.
 */
#ifndef HALFOPEN_MODELS_UDP_UDP_H
#define HALFOPEN_MODELS_UDP_UDP_H

#include "models/ip/ip.h"

typedef struct UdpSock UdpSock;
typedef void UdpEventFn(void *arg);

UdpStack *udp_attach(Host *host);
void udp_set_port_range(Host *host, uint16_t low,
                        uint16_t high); /* ephemeral ports; 32768 to 60999 */

UdpSock *udp_open(Host *host);
void udp_close(UdpSock *sock);
/* Port 0: ephemeral. 0, -EADDRINUSE, -EADDRNOTAVAIL (not this host's address,
 * or no port is free), -EINVAL (bound already). */
int udp_bind(UdpSock *sock, Endpoint local);
/* From now on only this peer: sends without an address go there, others'
 * datagrams are not received, its ICMP errors are. May be called again.
 * 0, -ENETUNREACH, -EHOSTUNREACH, -EADDRNOTAVAIL. */
int udp_connect(UdpSock *sock, Endpoint remote);
/* bytes NULL: a pattern; to NULL: the connected peer. len, or -EMSGSIZE,
 * -EDESTADDRREQ, -EINVAL (port 0), no route, or the pending error (ICMP), once. */
int64_t udp_send(UdpSock *sock, const void *bytes, uint32_t len, const Endpoint *to);
/* The next datagram: its length, 0 or more, or -EAGAIN or the pending error, once. */
int64_t udp_recv(UdpSock *sock, Payload *payload, Endpoint *from);
bool udp_is_readable(const UdpSock *sock); /* a datagram or an error waits */
void udp_set_mtu_discover(UdpSock *sock, PmtuDiscover mode);
PmtuDiscover udp_mtu_discover(const UdpSock *sock);
/* SO_REUSEADDR: sockets that all have it on may be bound to one endpoint. The
 * one that was bound last hears what comes (a datagram is never copied). */
void udp_set_reuse_addr(UdpSock *sock, bool on);
bool udp_reuse_addr(const UdpSock *sock);
void udp_set_no_checksum(UdpSock *sock, bool on);   /* SO_NO_CHECK */
void udp_set_rcvbuf(UdpSock *sock, uint32_t bytes); /* SO_RCVBUF as getsockopt shows it; 212992 */
int udp_take_error(UdpSock *sock);                  /* SO_ERROR: positive errno, cleared */
void udp_on_event(UdpSock *sock, UdpEventFn *fn,
                  void *arg); /* readable or error; may close the socket */
Endpoint udp_local(const UdpSock *sock);
Endpoint udp_remote(const UdpSock *sock);

#endif
