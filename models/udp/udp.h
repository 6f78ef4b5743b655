/* UDP (RFC 768, RFC 1122 §4.1): datagrams, ports, ICMP errors on connected
 * sockets, IP_MTU_DISCOVER. Calls never block; on_event tells when to retry.
 */
#ifndef HALFOPEN_MODELS_UDP_UDP_H
#define HALFOPEN_MODELS_UDP_UDP_H

#include "models/ip/ip.h"

typedef struct UdpSock UdpSock;
typedef void UdpEventFn(void *arg);

UdpStack *udp_attach(Host *host);
UdpSock *udp_open(Host *host);
void udp_close(UdpSock *sock);
int udp_bind(UdpSock *sock, Endpoint local);       /* port 0: ephemeral; -EADDRINUSE, -EADDRNOTAVAIL */
int udp_connect(UdpSock *sock, Endpoint remote);
/* bytes NULL: a pattern. len, or -EMSGSIZE, -EDESTADDRREQ, or the pending error (ICMP), once. */
int64_t udp_send(UdpSock *sock, const void *bytes, uint32_t len, const Endpoint *to);
/* The next datagram: its length, 0 or more, or -EAGAIN or the pending error. */
int64_t udp_recv(UdpSock *sock, Payload *payload, Endpoint *from);
void udp_set_mtu_discover(UdpSock *sock, PmtuDiscover mode);
int udp_take_error(UdpSock *sock);                 /* SO_ERROR: positive errno, cleared */
void udp_on_event(UdpSock *sock, UdpEventFn *fn, void *arg); /* readable or error */
Endpoint udp_local(const UdpSock *sock);
Endpoint udp_remote(const UdpSock *sock);

#endif
