/* The calls that open, name, connect and close sockets. */
#include "scenarios/packetdrill/door.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/ioctl.h>

int
door_call_socket(void *arg, int domain, int type, int protocol)
{
    Door *door = arg;
    int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (domain != AF_INET) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    if ((kind != SOCK_STREAM && kind != SOCK_DGRAM) ||
        (protocol != 0 && protocol != (kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP))) {
        errno = EPROTONOSUPPORT;
        return -1;
    }
    door_enter(door);
    Socket *sock = sock_open(door->host, kind == SOCK_STREAM ? SOCK_TYPE_STREAM : SOCK_TYPE_DGRAM);
    DoorFile *file = door_file_new(door, sock);
    int fd = -1;
    if (file != NULL) {
        file->is_nonblocking = (type & SOCK_NONBLOCK) != 0;
        fd = file->fd;
    } else {
        sock_abort(sock);
    }
    door_leave(door);
    return fd;
}

int
door_call_bind(void *arg, int fd, const struct sockaddr *addr, socklen_t len)
{
    Door *door = arg;
    Endpoint local;
    int result = -1;

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL) {
        int bad = door_endpoint(addr, len, &local);
        result = (int)door_result(bad != 0 ? bad : sock_bind(file->sock, local));
    }
    door_leave(door);
    return result;
}

int
door_call_listen(void *arg, int fd, int backlog)
{
    Door *door = arg;
    int result = -1;

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL)
        result = (int)door_result(sock_listen(file->sock, backlog));
    door_leave(door);
    return result;
}

static int
door_accept(Door *door, DoorFile *file, struct sockaddr *addr, socklen_t *len)
{
    SimTime deadline = door_deadline(door, file->receive_timeout);
    int error = 0;
    Socket *sock;

    while ((sock = sock_accept(file->sock, &error)) == NULL) {
        if (error != -EAGAIN || file->is_nonblocking || !door_wait(door, deadline))
            return (int)door_result(error);
    }
    DoorFile *accepted = door_file_new(door, sock);
    if (accepted == NULL) {
        sock_abort(sock);
        return -1;
    }
    door_zerocopy_inherit(file, accepted);
    door_sockaddr(sock_remote(sock), addr, len);
    return accepted->fd;
}

int
door_call_accept(void *arg, int fd, struct sockaddr *addr, socklen_t *len)
{
    Door *door = arg;
    int result = -1;

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL)
        result = door_accept(door, file, addr, len);
    door_leave(door);
    return result;
}

static int
door_connect(Door *door, DoorFile *file, const struct sockaddr *addr, socklen_t len)
{
    Endpoint remote;

    if (addr != NULL && len >= sizeof addr->sa_family && addr->sa_family == AF_UNSPEC) {
        TcpConn *conn = sock_tcp(file->sock);
        return conn != NULL ? tcp_disconnect(conn) : 0;
    }
    int bad = door_endpoint(addr, len, &remote);
    if (bad != 0)
        return bad;
    int result = sock_connect(file->sock, remote);
    if (result != -EINPROGRESS || file->is_nonblocking)
        return result;
    SimTime deadline = door_deadline(door, file->send_timeout);
    while (!(sock_poll(file->sock) & (POLLOUT | POLLERR | POLLHUP))) {
        if (!door_wait(door, deadline))
            return -EINPROGRESS; /* socket(7), SO_SNDTIMEO */
    }
    return -sock_take_error(file->sock);
}

int
door_call_connect(void *arg, int fd, const struct sockaddr *addr, socklen_t len)
{
    Door *door = arg;
    int result = -1;

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL)
        result = (int)door_result(door_connect(door, file, addr, len));
    door_leave(door);
    return result;
}

/* SO_LINGER with a time: until the last byte and the FIN are acknowledged. */
static void
door_linger(Door *door, DoorFile *file)
{
    int64_t seconds = 0;

    if (!file->is_nonblocking) {
        sock_get_option(file->sock, TCP_OPT_LINGER, &seconds);
        SimTime deadline = sim_now(door->sim) + seconds * SIM_SEC;
        while (tcp_unacked_bytes(sock_tcp(file->sock)) > 0 ||
               tcp_state(sock_tcp(file->sock)) == TCP_FIN_WAIT_1) {
            if (!door_wait(door, deadline))
                break;
        }
    }
    sock_release(file->sock);
}

int
door_call_close(void *arg, int fd)
{
    Door *door = arg;
    int result = -1;

    door_enter(door);
    DoorFile *file = door_file(door, fd);
    if (file != NULL) {
        result = 0;
        if (file->sock != NULL && sock_close(file->sock) == -EWOULDBLOCK)
            door_linger(door, file);
        door_file_free(file);
    }
    door_leave(door);
    return result;
}

int
door_call_shutdown(void *arg, int fd, int how)
{
    Door *door = arg;
    int result = -1;

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL) {
        bool is_known = how == SHUT_RD || how == SHUT_WR || how == SHUT_RDWR;
        result = (int)door_result(is_known ? sock_shutdown(file->sock, how) : -EINVAL);
    }
    door_leave(door);
    return result;
}

int
door_call_fcntl(void *arg, int fd, int command, ...)
{
    Door *door = arg;
    int result = -1;
    va_list rest;

    va_start(rest, command);
    int flags = command == F_SETFL ? va_arg(rest, int) : 0;
    va_end(rest);

    door_enter(door);
    DoorFile *file = door_file(door, fd);
    if (file != NULL && command == F_GETFL) {
        result = O_RDWR | (file->is_nonblocking ? O_NONBLOCK : 0);
    } else if (file != NULL && command == F_SETFL) {
        file->is_nonblocking = (flags & O_NONBLOCK) != 0;
        result = 0;
    } else if (file != NULL) {
        errno = EINVAL;
    }
    door_leave(door);
    return result;
}

int
door_call_ioctl(void *arg, int fd, unsigned long request, ...)
{
    Door *door = arg;
    int result = -1;
    va_list rest;

    va_start(rest, request);
    int *value = va_arg(rest, int *);
    va_end(rest);

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    TcpConn *conn = file != NULL ? sock_tcp(file->sock) : NULL;
    if (file == NULL) {
        /* errno is set */
    } else if (conn == NULL || tcp_state(conn) == TCP_LISTEN) {
        errno = EINVAL;
    } else {
        result = 0;
        if (request == SIOCINQ) {
            *value = (int)tcp_unread_bytes(conn);
        } else if (request == SIOCOUTQ) {
            *value = (int)tcp_unacked_bytes(conn);
        } else if (request == SIOCOUTQNSD) {
            *value = (int)tcp_unsent_bytes(conn);
        } else {
            result = -1;
            errno = ENOTTY;
        }
    }
    door_leave(door);
    return result;
}

int
door_call_pipe(void *arg, int fds[2])
{
    (void)arg;
    (void)fds;
    errno = ENOSYS;
    return -1;
}

int
door_call_splice(void *arg, int from, loff_t *from_at, int to, loff_t *to_at, size_t len,
                 unsigned flags)
{
    (void)arg;
    (void)from;
    (void)from_at;
    (void)to;
    (void)to_at;
    (void)len;
    (void)flags;
    errno = ENOSYS;
    return -1;
}
