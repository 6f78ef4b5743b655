#include "models/sock/sock.h"

#include <errno.h>

struct Socket {
    Host *host;   /* borrows */
    TcpConn *tcp; /* owns, as the user of it; NULL for UDP and once closed */
    UdpSock *udp; /* owns; NULL for TCP and once closed */
    SockEventFn *on_event;
    void *event_arg;
    SimTimer event;      /* tell_event(), set for now while it is due */
    bool maybe_readable; /* UDP: an event came since recv last found nothing */
};

/* Runs after the segment that caused the event, at the same virtual time. */
static void
tell_event(void *arg)
{
    Socket *sock = arg;

    if (sock->on_event != NULL)
        sock->on_event(sock->event_arg, sock); /* which may close it */
}

static void
note_event(Socket *sock)
{
    Sim *sim = sock->host->sim;

    if (!sim_timer_is_set(&sock->event))
        sim_timer_set(sim, &sock->event, sim_now(sim), tell_event, sock);
}

static void
on_tcp_event(void *arg, TcpConn *conn, unsigned events)
{
    (void)conn;
    (void)events;
    note_event(arg);
}

static void
on_udp_event(void *arg)
{
    Socket *sock = arg;

    sock->maybe_readable = true;
    note_event(sock);
}

static Socket *
sock_new(Host *host)
{
    Socket *sock = g_new0(Socket, 1);

    sock->host = host;
    sim_timer_init(&sock->event);
    return sock;
}

static Socket *
sock_wrap_tcp(Host *host, TcpConn *conn)
{
    Socket *sock = sock_new(host);

    sock->tcp = conn;
    tcp_on_event(conn, on_tcp_event, sock);
    return sock;
}

/* The protocol side is gone. */
static void
sock_end(Socket *sock)
{
    sim_timer_done(sock->host->sim, &sock->event);
    g_free(sock);
}

Socket *
sock_open(Host *host, SockType type)
{
    if (type == SOCK_TYPE_STREAM)
        return sock_wrap_tcp(host, tcp_open(host));

    Socket *sock = sock_new(host);

    sock->udp = udp_open(host);
    udp_on_event(sock->udp, on_udp_event, sock);
    return sock;
}

void
sock_on_event(Socket *sock, SockEventFn *fn, void *arg)
{
    sock->on_event = fn;
    sock->event_arg = arg;
}

int
sock_bind(Socket *sock, Endpoint local)
{
    return sock->tcp != NULL ? tcp_bind(sock->tcp, local) : udp_bind(sock->udp, local);
}

int
sock_listen(Socket *sock, int backlog)
{
    return sock->tcp != NULL ? tcp_listen(sock->tcp, backlog) : -EOPNOTSUPP;
}

int
sock_connect(Socket *sock, Endpoint remote)
{
    return sock->tcp != NULL ? tcp_connect(sock->tcp, remote) : udp_connect(sock->udp, remote);
}

Socket *
sock_accept(Socket *sock, int *error)
{
    if (sock->tcp == NULL) {
        *error = -EOPNOTSUPP;
        return NULL;
    }

    TcpConn *conn = tcp_accept(sock->tcp, error);

    return conn == NULL ? NULL : sock_wrap_tcp(sock->host, conn);
}

int64_t
sock_send(Socket *sock, const void *bytes, size_t len, unsigned flags)
{
    return sock_sendto(sock, bytes, len, flags, NULL);
}

int64_t
sock_sendto(Socket *sock, const void *bytes, size_t len, unsigned flags, const Endpoint *to)
{
    if (sock->udp != NULL)
        return len > UINT16_MAX ? -EMSGSIZE : udp_send(sock->udp, bytes, (uint32_t)len, to);
    if (to != NULL && (flags & TCP_MSG_FASTOPEN))
        return tcp_sendto_fastopen(sock->tcp, *to, bytes, len, flags);
    return tcp_send(sock->tcp, bytes, len, flags);
}

#define PARTS 32 /* runs of bytes fetched from TCP in one go */

/* Copies what was fetched, and says where it came from. */
static void
take_parts(Socket *sock, const Payload *parts, size_t n_parts, uint8_t *bytes, GArray *sources)
{
    for (size_t i = 0; i < n_parts; i++) {
        if (bytes != NULL) {
            stream_read(sock->host->net->streams, parts[i], bytes);
            bytes += parts[i].len;
        }
        if (sources != NULL)
            g_array_append_val(sources, parts[i]);
    }
}

static int64_t
recv_stream(Socket *sock, uint8_t *bytes, size_t max, unsigned flags, GArray *sources)
{
    int64_t total = 0;

    for (;;) {
        Payload parts[PARTS];
        size_t n_parts = PARTS;
        int64_t got = tcp_recv(sock->tcp, max - (size_t)total, flags, parts, &n_parts);

        if (got <= 0)
            return total > 0 ? total : got;
        take_parts(sock, parts, n_parts, bytes, sources);
        if (bytes != NULL)
            bytes += got;
        total += got;
        /* Only a full array of parts means that TCP may have more to give. */
        if (n_parts < PARTS || (size_t)total >= max || (flags & (TCP_MSG_PEEK | TCP_MSG_OOB)))
            return total;
    }
}

int64_t
sock_recv(Socket *sock, void *bytes, size_t max, unsigned flags, GArray *sources)
{
    if (sock->tcp != NULL)
        return recv_stream(sock, bytes, max, flags, sources);

    Payload payload = { 0 };
    Endpoint from;
    int64_t got = udp_recv(sock->udp, &payload, &from);

    if (got == -EAGAIN)
        sock->maybe_readable = false;
    if (got <= 0)
        return got;
    payload = payload_part(payload, 0, (uint32_t)MIN((size_t)got, max)); /* the rest is lost */
    if (payload.len > 0)
        take_parts(sock, &payload, 1, bytes, sources);
    return payload.len;
}

int64_t
sock_recvfrom(Socket *sock, void *bytes, size_t max, unsigned flags, Endpoint *from)
{
    if (sock->tcp != NULL) {
        *from = tcp_remote(sock->tcp);
        return recv_stream(sock, bytes, max, flags, NULL);
    }

    Payload payload = { 0 };
    int64_t got = udp_recv(sock->udp, &payload, from);

    if (got == -EAGAIN)
        sock->maybe_readable = false;
    if (got <= 0)
        return got;
    payload = payload_part(payload, 0, (uint32_t)MIN((size_t)got, max));
    if (payload.len > 0)
        take_parts(sock, &payload, 1, bytes, NULL);
    return payload.len;
}

int
sock_shutdown(Socket *sock, int how)
{
    return sock->tcp != NULL ? tcp_shutdown(sock->tcp, how) : -EOPNOTSUPP;
}

int
sock_close(Socket *sock)
{
    if (sock->udp != NULL) {
        udp_close(sock->udp);
    } else {
        if (tcp_close(sock->tcp) == -EWOULDBLOCK)
            return -EWOULDBLOCK;
    }
    sock_end(sock);
    return 0;
}

void
sock_release(Socket *sock)
{
    if (sock->udp != NULL)
        udp_close(sock->udp);
    else
        tcp_release(sock->tcp);
    sock_end(sock);
}

void
sock_abort(Socket *sock)
{
    if (sock->udp != NULL)
        udp_close(sock->udp);
    else
        tcp_abort(sock->tcp);
    sock_end(sock);
}

void
sock_forget(Socket *sock)
{
    if (sock->udp != NULL)
        udp_close(sock->udp); /* UDP keeps no list of its own to free them by */
    sock_end(sock);
}

unsigned
sock_poll(Socket *sock)
{
    if (sock->tcp != NULL)
        return tcp_poll(sock->tcp);
    return TCP_POLL_OUT | (sock->maybe_readable ? TCP_POLL_IN : 0);
}

int
sock_take_error(Socket *sock)
{
    return sock->tcp != NULL ? tcp_take_error(sock->tcp) : udp_take_error(sock->udp);
}

int
sock_set_option(Socket *sock, TcpOption option, int64_t value)
{
    if (sock->tcp != NULL)
        return tcp_set_option(sock->tcp, option, value);
    if (option == TCP_OPT_REUSEADDR) {
        udp_set_reuse_addr(sock->udp, value != 0);
        return 0;
    }
    if (option != TCP_OPT_IP_MTU_DISCOVER)
        return -ENOPROTOOPT;
    if (value < PMTUDISC_DONT || value > PMTUDISC_PROBE)
        return -EINVAL;
    udp_set_mtu_discover(sock->udp, (PmtuDiscover)value);
    return 0;
}

int
sock_get_option(Socket *sock, TcpOption option, int64_t *value)
{
    if (sock->tcp != NULL)
        return tcp_get_option(sock->tcp, option, value);
    if (option == TCP_OPT_REUSEADDR) {
        *value = udp_reuse_addr(sock->udp);
        return 0;
    }
    if (option != TCP_OPT_IP_MTU_DISCOVER)
        return -ENOPROTOOPT;
    *value = udp_mtu_discover(sock->udp);
    return 0;
}

TcpConn *
sock_tcp(Socket *sock)
{
    return sock->tcp;
}

UdpSock *
sock_udp(Socket *sock)
{
    return sock->udp;
}

Host *
sock_host(Socket *sock)
{
    return sock->host;
}

Endpoint
sock_local(Socket *sock)
{
    return sock->tcp != NULL ? tcp_local(sock->tcp) : udp_local(sock->udp);
}

Endpoint
sock_remote(Socket *sock)
{
    return sock->tcp != NULL ? tcp_remote(sock->tcp) : udp_remote(sock->udp);
}
