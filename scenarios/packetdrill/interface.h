/* What packetdrill asks of a shared object that it tests with --so_filename: a
 * function packetdrill_interface_init that fills in a table of calls. The first
 * argument of each is `userdata`; the rest, results and errno are those of the
 * system call of that name.
 *
 * This is our own declaration of that interface; the order of the members is
 * the binary interface and may not change.
 */
#ifndef HALFOPEN_SCENARIOS_PACKETDRILL_INTERFACE_H
#define HALFOPEN_SCENARIOS_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef struct PacketdrillInterface {
    void *userdata;
    void (*free)(void *door);

    int (*socket)(void *door, int domain, int type, int protocol);
    int (*bind)(void *door, int fd, const struct sockaddr *addr, socklen_t len);
    int (*listen)(void *door, int fd, int backlog);
    int (*accept)(void *door, int fd, struct sockaddr *addr, socklen_t *len);
    int (*connect)(void *door, int fd, const struct sockaddr *addr, socklen_t len);

    ssize_t (*read)(void *door, int fd, void *bytes, size_t len);
    ssize_t (*readv)(void *door, int fd, const struct iovec *parts, int n_parts);
    ssize_t (*recv)(void *door, int fd, void *bytes, size_t len, int flags);
    ssize_t (*recvfrom)(void *door, int fd, void *bytes, size_t len, int flags,
                        struct sockaddr *addr, socklen_t *addr_len);
    ssize_t (*recvmsg)(void *door, int fd, struct msghdr *message, int flags);

    ssize_t (*write)(void *door, int fd, const void *bytes, size_t len);
    ssize_t (*writev)(void *door, int fd, const struct iovec *parts, int n_parts);
    ssize_t (*send)(void *door, int fd, const void *bytes, size_t len, int flags);
    ssize_t (*sendto)(void *door, int fd, const void *bytes, size_t len, int flags,
                      const struct sockaddr *addr, socklen_t addr_len);
    ssize_t (*sendmsg)(void *door, int fd, const struct msghdr *message, int flags);

    int (*fcntl)(void *door, int fd, int command, ...);
    int (*ioctl)(void *door, int fd, unsigned long request, ...);
    int (*close)(void *door, int fd);
    int (*shutdown)(void *door, int fd, int how);
    int (*getsockopt)(void *door, int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(void *door, int fd, int level, int name, const void *value, socklen_t len);
    int (*poll)(void *door, struct pollfd *fds, nfds_t n_fds, int timeout_ms);

    /* An IP datagram for the stack under test: 0 or -1. */
    int (*netdev_send)(void *door, const void *bytes, size_t len);
    /* The next IP datagram that the stack sends; *len is the room, then the
     * length; *time_us on the clock of gettimeofday. Called again at once when
     * it fails. */
    int (*netdev_receive)(void *door, void *bytes, size_t *len, long long *time_us);

    int (*usleep)(void *door, unsigned us);
    int (*gettimeofday)(void *door, struct timeval *time, struct timezone *zone);

    int (*epoll_create)(void *door, int size);
    int (*epoll_ctl)(void *door, int epoll, int operation, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *door, int epoll, struct epoll_event *events, int max, int timeout_ms);
    int (*pipe)(void *door, int fds[2]);
    int (*splice)(void *door, int from, loff_t *from_at, int to, loff_t *to_at, size_t len,
                  unsigned flags);
} PacketdrillInterface;

__attribute__((visibility("default"))) void packetdrill_interface_init(const char *flags,
                                                                       PacketdrillInterface *table);

#endif
