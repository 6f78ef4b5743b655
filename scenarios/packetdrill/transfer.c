/* The calls that send and receive. */
#include "scenarios/packetdrill/door.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
    CONTROL_TCP_INQ = 36, /* TCP_CM_INQ of linux/tcp.h: the number of the option */
    MOST_FRAGMENTS = 17,  /* Linux's MAX_SKB_FRAGS: pages that one buffer may refer to */
    PAGE_BYTES = 4096,
};

/* A flag of our own beside those of send(): TCP_MSG_FULL. */
#define MSG_FULL 0x00800000

#define PART(bytes, len) ((struct iovec){ .iov_base = (void *)(bytes), .iov_len = (len) })

static unsigned
flags_of(int flags)
{
    unsigned result = 0;

    if (flags & MSG_OOB)
        result |= TCP_MSG_OOB;
    if (flags & MSG_MORE)
        result |= TCP_MSG_MORE;
    if (flags & MSG_PEEK)
        result |= TCP_MSG_PEEK;
    if (flags & MSG_FASTOPEN)
        result |= TCP_MSG_FASTOPEN;
    if (flags & MSG_EOR)
        result |= TCP_MSG_EOR;
    if (flags & MSG_FULL)
        result |= TCP_MSG_FULL;
    return result;
}

static bool
may_wait(const DoorFile *file, int flags)
{
    return !file->is_nonblocking && !(flags & MSG_DONTWAIT);
}

static bool
is_closed(const DoorFile *file)
{
    return sock_tcp(file->sock) != NULL && tcp_state(sock_tcp(file->sock)) == TCP_CLOSED;
}

/* Data have gone with a SYN (`sent` of len bytes, or EINPROGRESS for none): waits
 * for the end of the handshake. */
static int64_t
door_wait_open(Door *door, DoorFile *file, int64_t sent, size_t len)
{
    if (sent < 0 && sent != -EINPROGRESS)
        return sent;
    SimTime deadline = door_deadline(door, file->send_timeout);

    sent = MAX(sent, 0);
    tcp_writer_waits(sock_tcp(file->sock), (size_t)sent < len);
    while (!(sock_poll(file->sock) & (POLLOUT | POLLERR | POLLHUP))) {
        if (!door_wait(door, deadline))
            break;
    }
    tcp_writer_waits(sock_tcp(file->sock), false);
    int error = sock_take_error(file->sock);
    return error != 0 ? -error : sent;
}

/* Fast Open: data with the SYN; then, for a blocking socket, as connect and the
 * rest of the data as send. */
static int64_t
door_send_fastopen(Door *door, DoorFile *file, const uint8_t *bytes, size_t len, int flags,
                   const Endpoint *to)
{
    int64_t sent = sock_sendto(file->sock, bytes, len, flags_of(flags), to);

    return may_wait(file, flags) ? door_wait_open(door, file, sent, len) : sent;
}

/* A blocking socket takes everything, however long that lasts. */
static int64_t
door_send(Door *door, DoorFile *file, const uint8_t *bytes, size_t len, int flags,
          const Endpoint *to)
{
    SimTime deadline = door_deadline(door, file->send_timeout);
    int64_t sent = 0;
    unsigned goes_on = 0;

    if (bytes == NULL && len > 0)
        return -EFAULT;
    if (to != NULL && (flags & MSG_FASTOPEN)) {
        sent = door_send_fastopen(door, file, bytes, len, flags, to);
        if (sent < 0)
            return sent;
    }
    for (;;) {
        bool was_closed = is_closed(file);
        int64_t more = sock_sendto(file->sock, bytes + sent, len - (size_t)sent,
                                   goes_on | (flags_of(flags) & ~(unsigned)TCP_MSG_FASTOPEN), to);
        if (was_closed && more != -EOPNOTSUPP && may_wait(file, flags)) {
            more = door_wait_open(door, file, more,
                                  len - (size_t)sent); /* connect() had waited for data */
            if (more < 0)
                return more;
            sent += more;
            if ((size_t)sent < len)
                continue;
            return sent;
        }
        if (more >= 0)
            sent += more;
        if (more < 0 && more != -EAGAIN)
            return sent > 0 ? sent : more;
        if ((size_t)sent >= len)
            return sent;
        if (!may_wait(file, flags))
            return sent > 0 ? sent : -EAGAIN;
        if (!door_wait(door, deadline))
            return sent > 0 ? sent : -EAGAIN;
        goes_on = TCP_MSG_WAITED | (sent > 0 ? TCP_MSG_REST : 0);
    }
}

static int64_t
door_recv(Door *door, DoorFile *file, void *bytes, size_t len, int flags, Endpoint *from)
{
    SimTime deadline = door_deadline(door, file->receive_timeout);
    g_autofree uint8_t *dropped = NULL;

    if ((flags & MSG_TRUNC) && sock_tcp(file->sock) != NULL)
        bytes = dropped = g_malloc(MAX(len, 1)); /* tcp(7): the bytes are thrown away */
    for (;;) {
        int64_t got;
        if (bytes == NULL && len > 0 && tcp_unread_bytes(sock_tcp(file->sock)) > 0)
            got = -EFAULT;
        else
            got = sock_recvfrom(file->sock, bytes, len, flags_of(flags), from);
        if (got != -EAGAIN || !may_wait(file, flags) || !door_wait(door, deadline))
            return got;
    }
}

/* The parts of an iovec as one run of bytes, NULL when a part has no place. */
static uint8_t *
gather(const struct iovec *parts, size_t n_parts, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < n_parts; i++)
        *len += parts[i].iov_len;
    uint8_t *bytes = g_malloc(MAX(*len, 1));
    uint8_t *at = bytes;
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].iov_base == NULL && parts[i].iov_len > 0) {
            g_free(bytes);
            return NULL;
        }
        if (parts[i].iov_len > 0)
            memcpy(at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    return bytes;
}

/* How many of these parts fit into one buffer when it refers to their pages
 * instead of copying them (MSG_ZEROCOPY). */
static size_t
parts_of_one_buffer(const struct iovec *parts, size_t n_parts)
{
    size_t fragments = 0;

    for (size_t i = 0; i < n_parts; i++) {
        fragments += (parts[i].iov_len + PAGE_BYTES - 1) / PAGE_BYTES;
        if (fragments > MOST_FRAGMENTS)
            return MAX(i, 1);
    }
    return n_parts;
}

/* The parts of one call, copied as one run, or buffer by buffer. */
static int64_t
send_parts(Door *door, DoorFile *file, const struct iovec *parts, size_t n_parts, int flags,
           const Endpoint *to)
{
    bool refers = file->zerocopy != NULL && (flags & MSG_ZEROCOPY);
    int64_t sent = 0;

    do {
        size_t n = refers ? parts_of_one_buffer(parts, n_parts) : n_parts, len;
        g_autofree uint8_t *bytes = gather(parts, n, &len);
        int64_t more =
            door_send(door, file, bytes, len, n < n_parts ? flags | MSG_FULL : flags, to);

        if (more < 0)
            return sent > 0 ? sent : more;
        sent += more;
        if ((size_t)more < len)
            break;
        parts += n;
        n_parts -= n;
        to = NULL;
    } while (n_parts > 0);
    return sent;
}

static ssize_t
call_send(Door *door, int fd, const struct iovec *parts, size_t n_parts, int flags,
          const struct sockaddr *addr, socklen_t addr_len)
{
    ssize_t result = -1;

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL) {
        Endpoint to = { 0 };
        bool has_to = addr != NULL && addr_len > 0;
        int bad = has_to ? door_endpoint(addr, addr_len, &to) : 0;
        if (has_to && addr->sa_family == AF_UNSPEC && (flags & MSG_FASTOPEN))
            bad = -EOPNOTSUPP;
        int64_t sent =
            bad != 0 ? bad : send_parts(door, file, parts, n_parts, flags, has_to ? &to : NULL);
        door_zerocopy_note(file, sent, (flags & MSG_ZEROCOPY) != 0);
        result = door_result(sent);
    }
    door_leave(door);
    return result;
}

static ssize_t
call_recv(Door *door, int fd, void *bytes, size_t len, int flags, struct sockaddr *addr,
          socklen_t *addr_len)
{
    ssize_t result = -1;

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL) {
        Endpoint from = { 0 };
        result = door_result(door_recv(door, file, bytes, len, flags, &from));
        if (result >= 0 && addr != NULL)
            door_sockaddr(from, addr, addr_len);
    }
    door_leave(door);
    return result;
}

ssize_t
door_call_read(void *door, int fd, void *bytes, size_t len)
{
    return call_recv(door, fd, bytes, len, 0, NULL, NULL);
}

ssize_t
door_call_recv(void *door, int fd, void *bytes, size_t len, int flags)
{
    return call_recv(door, fd, bytes, len, flags, NULL, NULL);
}

ssize_t
door_call_recvfrom(void *door, int fd, void *bytes, size_t len, int flags, struct sockaddr *addr,
                   socklen_t *addr_len)
{
    return call_recv(door, fd, bytes, len, flags, addr, addr_len);
}

ssize_t
door_call_write(void *door, int fd, const void *bytes, size_t len)
{
    return call_send(door, fd, &PART(bytes, len), 1, 0, NULL, 0);
}

ssize_t
door_call_send(void *door, int fd, const void *bytes, size_t len, int flags)
{
    return call_send(door, fd, &PART(bytes, len), 1, flags, NULL, 0);
}

ssize_t
door_call_sendto(void *door, int fd, const void *bytes, size_t len, int flags,
                 const struct sockaddr *addr, socklen_t addr_len)
{
    return call_send(door, fd, &PART(bytes, len), 1, flags, addr, addr_len);
}

static void
scatter(const struct iovec *parts, size_t n_parts, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < n_parts && len > 0; i++) {
        size_t part = MIN(len, parts[i].iov_len);
        if (part > 0)
            memcpy(parts[i].iov_base, bytes, part);
        bytes += part;
        len -= part;
    }
}

ssize_t
door_call_sendmsg(void *door, int fd, const struct msghdr *message, int flags)
{
    return call_send(door, fd, message->msg_iov, message->msg_iovlen, flags, message->msg_name,
                     message->msg_namelen);
}

ssize_t
door_call_writev(void *door, int fd, const struct iovec *parts, int n_parts)
{
    return call_send(door, fd, parts, (size_t)n_parts, 0, NULL, 0);
}

ssize_t
door_call_readv(void *door, int fd, const struct iovec *parts, int n_parts)
{
    size_t len = 0;

    for (int i = 0; i < n_parts; i++)
        len += parts[i].iov_len;
    g_autofree uint8_t *bytes = g_malloc(MAX(len, 1));
    ssize_t got = call_recv(door, fd, bytes, len, 0, NULL, NULL);
    if (got > 0)
        scatter(parts, (size_t)n_parts, bytes, (size_t)got);
    return got;
}

/* TCP_INQ: how much is left to read, and one more at the end of the stream. */
static void
add_inq(DoorFile *file, struct msghdr *message)
{
    int64_t wanted = 0;
    TcpConn *conn = sock_tcp(file->sock);
    size_t room = message->msg_control != NULL ? message->msg_controllen : 0;

    message->msg_controllen = 0;
    if (conn == NULL || sock_get_option(file->sock, TCP_OPT_INQ, &wanted) != 0 || wanted == 0)
        return;
    if (room < CMSG_LEN(sizeof(int))) {
        message->msg_flags |= MSG_CTRUNC;
        return;
    }
    int left = (int)tcp_unread_bytes(conn);
    if (left == 0 && (sock_poll(file->sock) & TCP_POLL_RDHUP))
        left = 1;
    struct cmsghdr *control = message->msg_control;
    control->cmsg_level = IPPROTO_TCP;
    control->cmsg_type = CONTROL_TCP_INQ;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(control), &left, sizeof left);
    message->msg_controllen = MIN(room, CMSG_SPACE(sizeof(int)));
}

ssize_t
door_call_recvmsg(void *arg, int fd, struct msghdr *message, int flags)
{
    Door *door = arg;
    ssize_t result = -1;
    size_t len = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++)
        len += message->msg_iov[i].iov_len;
    g_autofree uint8_t *bytes = g_malloc(MAX(len, 1));

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL && (flags & MSG_ERRQUEUE)) {
        result = door_result(door_zerocopy_receive(file, message));
    } else if (file != NULL) {
        Endpoint from = { 0 };
        result = door_result(door_recv(door, file, bytes, len, flags, &from));
        message->msg_flags = 0;
        if (result >= 0) {
            if (!(flags & MSG_TRUNC))
                scatter(message->msg_iov, message->msg_iovlen, bytes, (size_t)result);
            message->msg_namelen = 0;
            add_inq(file, message);
        }
    }
    door_leave(door);
    return result;
}
