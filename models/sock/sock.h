/* Sockets as programs see them: one type over TCP and UDP, for the Lua face,
 * native applications and packetdrill. Every call is non-blocking; a caller
 * that would block waits for sock_on_event and calls again. Results are
 * values >= 0 or negative errno, as the Linux system calls.
 *
 * Events are told after the segment that caused them has been processed, at
 * the same virtual time: as a woken process runs after the softirq.
 */
#ifndef HALFOPEN_MODELS_SOCK_SOCK_H
#define HALFOPEN_MODELS_SOCK_SOCK_H

#include "models/sock/stack.h"

typedef struct Socket Socket;
typedef enum SockType { SOCK_TYPE_STREAM, SOCK_TYPE_DGRAM } SockType;

/* Told after anything that may let a blocked call go on: poll to see what. */
typedef void SockEventFn(void *arg, Socket *sock);

Socket *sock_open(Host *host, SockType type);
void sock_on_event(Socket *sock, SockEventFn *fn, void *arg);
int sock_bind(Socket *sock, Endpoint local);
int sock_listen(Socket *sock, int backlog);
int sock_connect(Socket *sock,
                 Endpoint remote); /* 0; -EINPROGRESS then SO_ERROR; -EISCONN; -EALREADY; errors */
Socket *sock_accept(Socket *sock, int *error); /* NULL and -EAGAIN, ... */
int64_t sock_send(Socket *sock, const void *bytes, size_t len, unsigned flags);
int64_t sock_sendto(Socket *sock, const void *bytes, size_t len, unsigned flags,
                    const Endpoint *to);
/* Copies the bytes if `bytes` is not NULL; `sources` (GArray of Payload, may be NULL) gets where
 * each run came from. */
int64_t sock_recv(Socket *sock, void *bytes, size_t max, unsigned flags, GArray *sources);
int64_t sock_recvfrom(Socket *sock, void *bytes, size_t max, unsigned flags, Endpoint *from);
int sock_shutdown(Socket *sock, int how);
/* 0: closed, sock is freed. -EWOULDBLOCK (SO_LINGER with time): wait for the
 * event or the linger time, then sock_release. */
int sock_close(Socket *sock);
void sock_release(Socket *sock);
void sock_abort(Socket *sock); /* RST; sock is freed */
/* The net is about to be freed: frees the socket's own memory, tells nobody. */
void sock_forget(Socket *sock);
unsigned sock_poll(Socket *sock); /* POLLIN... as Linux's values */
int sock_take_error(Socket *sock);
int sock_set_option(Socket *sock, TcpOption option, int64_t value);
int sock_get_option(Socket *sock, TcpOption option, int64_t *value);
TcpConn *sock_tcp(Socket *sock); /* NULL for UDP */
UdpSock *sock_udp(Socket *sock);
Host *sock_host(Socket *sock);
Endpoint sock_local(Socket *sock);
Endpoint sock_remote(Socket *sock);

#endif
