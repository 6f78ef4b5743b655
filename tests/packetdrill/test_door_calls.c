/* The door call by call: what each does, and how it refuses. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/sockios.h>
#include <linux/errqueue.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tests/support/drill.h"

#define FAILS(error, call)                                                                         \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_assert_cmpint(call, ==, -1);                                                             \
        g_assert_cmpint(errno, ==, error);                                                         \
    }                                                                                              \
    G_STMT_END

static void
acknowledge(Drill *drill, Segment *remote, uint32_t ack)
{
    remote->flags = ACK;
    remote->len = 0;
    remote->ack = ack;
    drill_send(drill, *remote);
}

static void
feed(Drill *drill, Segment *remote, size_t len)
{
    remote->flags = PSH | ACK;
    remote->len = len;
    drill_send(drill, *remote);
    remote->seq += (uint32_t)len;
    drill_expect(drill, ACK, 0);
}

static void
socket_knows_ipv4_tcp_and_udp(void)
{
    Drill drill = drill_open("");

    FAILS(EAFNOSUPPORT, CALL(&drill, socket, AF_UNIX, SOCK_STREAM, 0));
    FAILS(EPROTONOSUPPORT, CALL(&drill, socket, AF_INET, SOCK_STREAM, IPPROTO_UDP));
    FAILS(EPROTONOSUPPORT, CALL(&drill, socket, AF_INET, SOCK_RAW, 0));
    g_assert_cmpint(CALL(&drill, socket, AF_INET, SOCK_STREAM, 0), >=, 0);
    g_assert_cmpint(CALL(&drill, socket, AF_INET, SOCK_DGRAM, 0), >=, 0);
    drill_close(&drill);
}

static void
what_is_no_descriptor_of_ours_is_ebadf(void)
{
    Drill drill = drill_open("");
    struct sockaddr_in addr = drill_address(LOCAL, 80);
    char byte;
    int value;

    FAILS(EBADF, CALL(&drill, bind, 999, (struct sockaddr *)&addr, sizeof addr));
    FAILS(EBADF, CALL(&drill, listen, 999, 1));
    FAILS(EBADF, CALL(&drill, accept, 999, NULL, NULL));
    FAILS(EBADF, CALL(&drill, connect, 999, (struct sockaddr *)&addr, sizeof addr));
    FAILS(EBADF, CALL(&drill, read, 999, &byte, 1));
    FAILS(EBADF, CALL(&drill, write, 999, "x", 1));
    FAILS(EBADF, CALL(&drill, shutdown, 999, SHUT_RD));
    FAILS(EBADF, CALL(&drill, close, 999));
    FAILS(EBADF, CALL(&drill, fcntl, 999, F_GETFL));
    FAILS(EBADF, CALL(&drill, ioctl, 999, SIOCINQ, &value));
    int epoll = CALL(&drill, epoll_create, 1);
    FAILS(ENOTSOCK, CALL(&drill, listen, epoll, 1));
    drill_close(&drill);
}

static void
bind_takes_an_address_once_and_a_port_once(void)
{
    Drill drill = drill_open("");
    struct sockaddr_in here = drill_address(LOCAL, 80), elsewhere = drill_address(REMOTE, 80);
    int fd = CALL(&drill, socket, AF_INET, SOCK_STREAM, 0);
    int other = CALL(&drill, socket, AF_INET, SOCK_STREAM, 0);

    FAILS(EINVAL, CALL(&drill, bind, fd, (struct sockaddr *)&here, 3));
    FAILS(EADDRNOTAVAIL, CALL(&drill, bind, fd, (struct sockaddr *)&elsewhere, sizeof elsewhere));
    g_assert_cmpint(CALL(&drill, bind, fd, (struct sockaddr *)&here, sizeof here), ==, 0);
    FAILS(EINVAL, CALL(&drill, bind, fd, (struct sockaddr *)&here, sizeof here));
    FAILS(EADDRINUSE, CALL(&drill, bind, other, (struct sockaddr *)&here, sizeof here));
    drill_close(&drill);
}

static void
accept_without_a_connection_waits_or_says_eagain(void)
{
    Drill drill = drill_open("");
    int listener = drill_listen(&drill, 8080);

    g_assert_cmpint(CALL(&drill, fcntl, listener, F_SETFL, O_RDWR | O_NONBLOCK), ==, 0);
    FAILS(EAGAIN, CALL(&drill, accept, listener, NULL, NULL));
    int fd = CALL(&drill, socket, AF_INET, SOCK_STREAM, 0);
    FAILS(EINVAL, CALL(&drill, accept, fd, NULL, NULL));
    drill_close(&drill);
}

/* The driving thread moves time itself while it waits. */
static void
a_timeout_ends_a_call_that_blocks(void)
{
    Drill drill = drill_open("");
    int listener = drill_listen(&drill, 8080);
    struct timeval half = { .tv_usec = 500000 }, read_back;
    socklen_t len = sizeof read_back;
    long long began = drill_now(&drill);

    g_assert_cmpint(CALL(&drill, setsockopt, listener, SOL_SOCKET, SO_RCVTIMEO, &half, sizeof half),
                    ==, 0);
    g_assert_cmpint(CALL(&drill, getsockopt, listener, SOL_SOCKET, SO_RCVTIMEO, &read_back, &len),
                    ==, 0);
    g_assert_cmpint(read_back.tv_usec, ==, 500000);
    FAILS(EAGAIN, CALL(&drill, accept, listener, NULL, NULL));
    g_assert_cmpint(drill_now(&drill) - began, >=, 500000);
    g_assert_cmpint(drill_now(&drill) - began, <, 510000);

    struct sockaddr_in remote = drill_address(REMOTE, 80);
    int fd = CALL(&drill, socket, AF_INET, SOCK_STREAM, 0);
    CALL(&drill, setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &half, sizeof half);
    FAILS(EINPROGRESS, CALL(&drill, connect, fd, (struct sockaddr *)&remote, sizeof remote));
    half.tv_usec = 2000000;
    FAILS(EDOM, CALL(&drill, setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &half, sizeof half));
    drill_close(&drill);
}

static void
connect_to_nobody_takes_an_address_back(void)
{
    Drill drill = drill_open("");
    Segment remote;
    int fd = drill_accept(&drill, &remote);
    struct sockaddr nobody = { .sa_family = AF_UNSPEC };

    g_assert_cmpint(CALL(&drill, connect, fd, &nobody, sizeof nobody), ==, 0);
    drill_expect(&drill, RST | ACK, 0);
    FAILS(ECONNRESET, CALL(&drill, write, fd, "x", 1));
    FAILS(EPIPE, CALL(&drill, write, fd, "x", 1));
    drill_close(&drill);
}

static void
what_was_read_comes_in_the_parts_of_an_iovec(void)
{
    Drill drill = drill_open("");
    Segment remote;
    int fd = drill_accept(&drill, &remote);
    char a[3], b[10];
    struct iovec parts[] = { { a, 3 }, { NULL, 0 }, { b, 10 } };

    feed(&drill, &remote, 8);
    g_assert_cmpint(CALL(&drill, recv, fd, b, 4, MSG_PEEK), ==, 4);
    g_assert_cmpint(CALL(&drill, readv, fd, parts, 3), ==, 8);
    g_assert_cmpmem(b, 5, "xxxxx", 5);
    FAILS(EAGAIN, CALL(&drill, recv, fd, b, 4, MSG_DONTWAIT));
    feed(&drill, &remote, 8);
    g_assert_cmpint(CALL(&drill, recv, fd, b, 4, MSG_TRUNC), ==, 4); /* thrown away */
    struct sockaddr_in from = { 0 };
    socklen_t len = sizeof from;
    g_assert_cmpint(CALL(&drill, recvfrom, fd, b, 10, 0, (struct sockaddr *)&from, &len), ==, 4);
    feed(&drill, &remote, 8);
    FAILS(EFAULT, CALL(&drill, read, fd, NULL, 10));
    drill_close(&drill);
}

static void
recvmsg_tells_what_is_left_to_read(void)
{
    Drill drill = drill_open("");
    Segment remote;
    int fd = drill_accept(&drill, &remote), on = 1, left = 0;
    char bytes[10];
    _Alignas(struct cmsghdr) char control[100];
    struct iovec part = { bytes, 3 };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };

    g_assert_cmpint(CALL(&drill, setsockopt, fd, IPPROTO_TCP, 36, &on, sizeof on), ==, 0);
    feed(&drill, &remote, 8);
    g_assert_cmpint(CALL(&drill, recvmsg, fd, &message, 0), ==, 3);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    g_assert_nonnull(header);
    memcpy(&left, CMSG_DATA(header), sizeof left);
    g_assert_cmpint(left, ==, 5);
    drill_close(&drill);
}

static void
parts_of_a_write_leave_as_one_segment(void)
{
    Drill drill = drill_open("");
    Segment remote;
    int fd = drill_accept(&drill, &remote);
    struct iovec parts[] = { { "abc", 3 }, { "de", 2 } };
    struct iovec bad = { NULL, 5 };

    g_assert_cmpint(CALL(&drill, writev, fd, parts, 2), ==, 5);
    Segment data = drill_expect(&drill, PSH | ACK, 5);
    acknowledge(&drill, &remote, data.seq + 5);
    FAILS(EFAULT, CALL(&drill, writev, fd, &bad, 1));
    g_assert_cmpint(CALL(&drill, send, fd, "ab", 2, MSG_MORE), ==, 2);
    drill_expect_silence(&drill, 10000);
    g_assert_cmpint(CALL(&drill, send, fd, "c", 1, 0), ==, 1);
    drill_expect(&drill, PSH | ACK, 3);
    drill_close(&drill);
}

static void
zerocopy_parts_fill_a_segment_at_17_and_are_told_when_they_are_acknowledged(void)
{
    Drill drill = drill_open("");
    Segment remote;
    int fd = drill_accept(&drill, &remote), on = 1;
    struct iovec parts[18];
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 18 };
    _Alignas(struct cmsghdr) char control[200];
    struct msghdr errors = { .msg_control = control, .msg_controllen = sizeof control };

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        parts[i] = (struct iovec){ "z", 1 };
    g_assert_cmpint(CALL(&drill, sendmsg, fd, &message, MSG_ZEROCOPY), ==, 18); /* not asked for */
    Segment data = drill_expect(&drill, PSH | ACK, 18);
    acknowledge(&drill, &remote, data.seq + 18);
    g_assert_cmpint(CALL(&drill, setsockopt, fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on), ==, 0);
    g_assert_cmpint(CALL(&drill, sendmsg, fd, &message, MSG_ZEROCOPY), ==, 18);
    data = drill_expect(&drill, PSH | ACK, 17);
    FAILS(EAGAIN, CALL(&drill, recvmsg, fd, &errors, MSG_ERRQUEUE));
    acknowledge(&drill, &remote, data.seq + 17);
    data = drill_expect(&drill, PSH | ACK, 1);
    acknowledge(&drill, &remote, data.seq + 1);
    errors.msg_controllen = sizeof control;
    g_assert_cmpint(CALL(&drill, recvmsg, fd, &errors, MSG_ERRQUEUE), ==, 0);
    struct sock_extended_err told;
    memcpy(&told, CMSG_DATA(CMSG_FIRSTHDR(&errors)), sizeof told);
    g_assert_cmpuint(told.ee_origin, ==, SO_EE_ORIGIN_ZEROCOPY);
    g_assert_cmpuint(told.ee_data, ==, 0);
    drill_close(&drill);
}

static void
ioctl_counts_what_is_unread_unacknowledged_and_unsent(void)
{
    Drill drill = drill_open("");
    Segment remote;
    int fd = drill_accept(&drill, &remote), value = -1;
    int listener = drill_listen(&drill, 8081);

    feed(&drill, &remote, 8);
    g_assert_cmpint(CALL(&drill, ioctl, fd, SIOCINQ, &value), ==, 0);
    g_assert_cmpint(value, ==, 8);
    g_assert_cmpint(CALL(&drill, write, fd, "hello", 5), ==, 5);
    g_assert_cmpint(CALL(&drill, ioctl, fd, SIOCOUTQ, &value), ==, 0);
    g_assert_cmpint(value, ==, 5);
    g_assert_cmpint(CALL(&drill, ioctl, fd, SIOCOUTQNSD, &value), ==, 0);
    g_assert_cmpint(value, ==, 0);
    FAILS(ENOTTY, CALL(&drill, ioctl, fd, 0x1234, &value));
    FAILS(EINVAL, CALL(&drill, ioctl, listener, SIOCINQ, &value));
    drill_close(&drill);
}

static void
fcntl_knows_the_flags_alone(void)
{
    Drill drill = drill_open("");
    int fd = CALL(&drill, socket, AF_INET, SOCK_STREAM, 0);

    g_assert_cmpint(CALL(&drill, fcntl, fd, F_GETFL), ==, O_RDWR);
    g_assert_cmpint(CALL(&drill, fcntl, fd, F_SETFL, O_NONBLOCK), ==, 0);
    g_assert_cmpint(CALL(&drill, fcntl, fd, F_GETFL), ==, O_RDWR | O_NONBLOCK);
    FAILS(EINVAL, CALL(&drill, fcntl, fd, F_DUPFD, 0));
    drill_close(&drill);
}

static void
shutdown_sends_a_fin_and_reads_on(void)
{
    Drill drill = drill_open("");
    Segment remote;
    int fd = drill_accept(&drill, &remote);
    char byte;

    FAILS(EINVAL, CALL(&drill, shutdown, fd, 77));
    g_assert_cmpint(CALL(&drill, shutdown, fd, SHUT_WR), ==, 0);
    drill_expect(&drill, FIN | ACK, 0);
    FAILS(EPIPE, CALL(&drill, write, fd, "x", 1));
    feed(&drill, &remote, 1);
    g_assert_cmpint(CALL(&drill, read, fd, &byte, 1), ==, 1);
    drill_close(&drill);
}

static void
poll_and_epoll_wait_as_long_as_they_were_told(void)
{
    Drill drill = drill_open("");
    Segment remote;
    int fd = drill_accept(&drill, &remote);
    int epoll = CALL(&drill, epoll_create, 1);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    long long began = drill_now(&drill);

    g_assert_cmpint(CALL(&drill, poll, &pollfd, 1, 100), ==, 0);
    g_assert_cmpint(drill_now(&drill) - began, >=, 100000);
    FAILS(ENOENT, CALL(&drill, epoll_ctl, epoll, EPOLL_CTL_MOD, fd, &event));
    g_assert_cmpint(CALL(&drill, epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event), ==, 0);
    FAILS(EEXIST, CALL(&drill, epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event));
    began = drill_now(&drill);
    g_assert_cmpint(CALL(&drill, epoll_wait, epoll, &event, 1, 100), ==, 0);
    g_assert_cmpint(drill_now(&drill) - began, >=, 100000);
    event.events = EPOLLOUT;
    g_assert_cmpint(CALL(&drill, epoll_ctl, epoll, EPOLL_CTL_MOD, fd, &event), ==, 0);
    g_assert_cmpint(CALL(&drill, epoll_wait, epoll, &event, 1, 0), ==, 1);
    g_assert_cmpint(CALL(&drill, epoll_ctl, epoll, EPOLL_CTL_DEL, fd, NULL), ==, 0);
    FAILS(ENOENT, CALL(&drill, epoll_ctl, epoll, EPOLL_CTL_DEL, fd, NULL));
    g_assert_cmpint(CALL(&drill, close, epoll), ==, 0);
    drill_close(&drill);
}

static void
pipe_and_splice_are_not_there(void)
{
    Drill drill = drill_open("");
    int fds[2];

    FAILS(ENOSYS, CALL(&drill, pipe, fds));
    FAILS(ENOSYS, CALL(&drill, splice, 0, NULL, 1, NULL, 1, 0));
    drill_close(&drill);
}

static void
bytes_that_are_no_packet_are_refused(void)
{
    Drill drill = drill_open("");
    const uint8_t nonsense[20] = { 0x91 };

    g_assert_cmpint(CALL(&drill, netdev_send, nonsense, sizeof nonsense), ==, -1);
    drill_close(&drill);
}

static void
a_udp_socket_sends_and_names_its_sender(void)
{
    Drill drill = drill_open("");
    struct sockaddr_in local = drill_address(LOCAL, 53), remote = drill_address(REMOTE, 53);
    int fd = CALL(&drill, socket, AF_INET, SOCK_DGRAM, 0);
    uint8_t bytes[200];
    size_t len = sizeof bytes;
    long long at_us;

    g_assert_cmpint(CALL(&drill, bind, fd, (struct sockaddr *)&local, sizeof local), ==, 0);
    g_assert_cmpint(
        CALL(&drill, sendto, fd, "query", 5, 0, (struct sockaddr *)&remote, sizeof remote), ==, 5);
    g_assert_cmpint(CALL(&drill, netdev_receive, bytes, &len, &at_us), ==, 0);
    g_assert_cmpuint(len, ==, 33);
    g_assert_cmpint(bytes[9], ==, IPPROTO_UDP);
    g_assert_cmpmem(bytes + 28, 5, "query", 5);
    drill_close(&drill);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/packetdrill/calls/" #claim, claim)
    ADD(socket_knows_ipv4_tcp_and_udp);
    ADD(what_is_no_descriptor_of_ours_is_ebadf);
    ADD(bind_takes_an_address_once_and_a_port_once);
    ADD(accept_without_a_connection_waits_or_says_eagain);
    ADD(a_timeout_ends_a_call_that_blocks);
    ADD(connect_to_nobody_takes_an_address_back);
    ADD(what_was_read_comes_in_the_parts_of_an_iovec);
    ADD(recvmsg_tells_what_is_left_to_read);
    ADD(parts_of_a_write_leave_as_one_segment);
    ADD(zerocopy_parts_fill_a_segment_at_17_and_are_told_when_they_are_acknowledged);
    ADD(ioctl_counts_what_is_unread_unacknowledged_and_unsent);
    ADD(fcntl_knows_the_flags_alone);
    ADD(shutdown_sends_a_fin_and_reads_on);
    ADD(poll_and_epoll_wait_as_long_as_they_were_told);
    ADD(pipe_and_splice_are_not_there);
    ADD(bytes_that_are_no_packet_are_refused);
    ADD(a_udp_socket_sends_and_names_its_sender);
#undef ADD
    return g_test_run();
}
