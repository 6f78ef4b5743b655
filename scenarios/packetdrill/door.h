/* The door through which packetdrill drives an endpoint: a Sim and a Net with
 * one host, whose only link ends at a tap. What the host sends is rendered to
 * bytes and kept for packetdrill; what packetdrill sends is parsed and handed
 * to the host.
 *
 * Virtual time moves only when packetdrill lets it: with usleep, while it waits
 * for a packet, and by a microsecond each time it asks for the time, because
 * just before an event it spins on that.
 *
 * packetdrill makes blocking calls from a second thread: it waits there for the
 * call's time, too, while the first thread stands still; but once the call has
 * begun, the thread that called init drives time alone. A blocking a call waits on a
 * condition variable; when something happened to a socket, the driving thread
 * stops the simulation at that instant, lets the waiting call try again, and
 * goes on when it waits again or has returned. One lock covers all; only one of
 * the threads ever runs inside the door.
 */
#ifndef HALFOPEN_SCENARIOS_PACKETDRILL_DOOR_H
#define HALFOPEN_SCENARIOS_PACKETDRILL_DOOR_H

#include <glib.h>

#include "models/sock/sock.h"
#include "scenarios/packetdrill/interface.h"

typedef struct Door Door;
typedef struct DoorZerocopy DoorZerocopy;

/* An open file of the program under test. Its number is that of a real file
 * (/dev/null), so that no other can have it and packetdrill may close it. */
typedef struct DoorFile {
    Door *door; /* borrows */
    int fd;
    bool is_nonblocking;
    SimTime receive_timeout, send_timeout; /* SO_RCVTIMEO, SO_SNDTIMEO; 0: none */
    Socket *sock;                          /* owns; NULL: an epoll set */
    GPtrArray *watches;                    /* owns DoorWatch; epoll sets only */
    DoorZerocopy *zerocopy;                /* owns; NULL: SO_ZEROCOPY is off */
} DoorFile;

struct Door {
    GMutex lock;
    GThread *driver; /* the thread that moves time */

    Sim *sim;         /* owns */
    Net *net;         /* owns */
    Host *host;       /* borrows: of the net */
    Iface *iface;     /* borrows */
    GQueue sent;      /* owns DoorPacket: what the host sent and packetdrill has not seen */
    GPtrArray *files; /* owns DoorFile, by number; NULL where none */

    /* Of the blocking call, if there is one. */
    GCond wake;      /* its thread may try again */
    GCond settled;   /* its thread waits again, or has returned */
    bool is_waiting; /* a thread waits for `wake` */
    bool is_woken;   /* it was told to go on and has not settled */
    bool timed_out;
    SimTimer timeout;
    bool has_returned;   /* and has not asked for the time since */
    bool has_ended_call; /* and the driver has not slept since */
    SimTime returned_at; /* what that thread's next gettimeofday says */

    bool is_interrupted; /* the simulation was stopped for one of these: */
    bool wants_packet, wants_event;

    char *settings;          /* owns: the folder of sysctl files; NULL: none */
    GHashTable *applied;     /* owns: name -> text of the file as last applied */
    uint64_t mib[MIB_COUNT]; /* as last written for the nstat shim */
};

/* Every call from packetdrill is between these two. */
void door_enter(Door *door);
void door_leave(Door *door);

/* Files. NULL with errno EBADF or ENOTSOCK. */
DoorFile *door_file_new(Door *door, Socket *sock);
DoorFile *door_file(Door *door, int fd);
DoorFile *door_socket(Door *door, int fd);
void door_file_free(DoorFile *file); /* does not close the socket */
void door_file_on_event(void *file, Socket *sock);

/* wait.c: runs the simulation up to `until` (or the packet or event that the
 * door wants), with the blocking call in step. */
void door_run(Door *door, SimTime until);
void door_interrupt(Door *door);
/* Waits until something happened to a socket or the time came: false. */
bool door_wait(Door *door, SimTime deadline);
/* When a call that may last so long (0: for ever) has to end. */
SimTime door_deadline(const Door *door, SimTime timeout);

/* settings.c: takes over what the shim wrote since, and writes counters. */
void door_settings_init(Door *door, const char *folder);
void door_settings_apply(Door *door);
void door_counters_write(Door *door);

/* commands.c: what the shims of ip and tc asked for since. */
void door_commands_apply(Door *door);

/* poll.c */
unsigned door_file_poll(const DoorFile *file);
void door_watches_error(Door *door, const DoorFile *file); /* something new in its error queue */
void door_watches_note(Door *door, const DoorFile *file);
void door_watches_forget(Door *door, const DoorFile *file);

/* zerocopy.c */
bool door_zerocopy_enable(DoorFile *file, int on);
void door_zerocopy_inherit(const DoorFile *listener, DoorFile *accepted);
void door_zerocopy_free(DoorFile *file);
void door_zerocopy_note(DoorFile *file, int64_t sent, bool has_flag);
void door_zerocopy_collect(Door *door);
bool door_zerocopy_is_reported(const DoorFile *file);
int door_zerocopy_receive(DoorFile *file, struct msghdr *message); /* 0; -EAGAIN: nothing there */

/* A result of halfopen (>= 0 or negative errno) as a system call's. */
ssize_t door_result(int64_t result);

int door_endpoint(const struct sockaddr *addr, socklen_t len, Endpoint *endpoint); /* 0, -errno */
void door_sockaddr(Endpoint endpoint, struct sockaddr *addr, socklen_t *len);

/* The calls, by file. */
int door_call_socket(void *door, int domain, int type, int protocol);
int door_call_bind(void *door, int fd, const struct sockaddr *addr, socklen_t len);
int door_call_listen(void *door, int fd, int backlog);
int door_call_accept(void *door, int fd, struct sockaddr *addr, socklen_t *len);
int door_call_connect(void *door, int fd, const struct sockaddr *addr, socklen_t len);
int door_call_close(void *door, int fd);
int door_call_shutdown(void *door, int fd, int how);
int door_call_fcntl(void *door, int fd, int command, ...);
int door_call_ioctl(void *door, int fd, unsigned long request, ...);
int door_call_pipe(void *door, int fds[2]);
int door_call_splice(void *door, int from, loff_t *from_at, int to, loff_t *to_at, size_t len,
                     unsigned flags);

ssize_t door_call_read(void *door, int fd, void *bytes, size_t len);
ssize_t door_call_readv(void *door, int fd, const struct iovec *parts, int n_parts);
ssize_t door_call_recv(void *door, int fd, void *bytes, size_t len, int flags);
ssize_t door_call_recvfrom(void *door, int fd, void *bytes, size_t len, int flags,
                           struct sockaddr *addr, socklen_t *addr_len);
ssize_t door_call_recvmsg(void *door, int fd, struct msghdr *message, int flags);
ssize_t door_call_write(void *door, int fd, const void *bytes, size_t len);
ssize_t door_call_writev(void *door, int fd, const struct iovec *parts, int n_parts);
ssize_t door_call_send(void *door, int fd, const void *bytes, size_t len, int flags);
ssize_t door_call_sendto(void *door, int fd, const void *bytes, size_t len, int flags,
                         const struct sockaddr *addr, socklen_t addr_len);
ssize_t door_call_sendmsg(void *door, int fd, const struct msghdr *message, int flags);

int door_call_getsockopt(void *door, int fd, int level, int name, void *value, socklen_t *len);
int door_call_setsockopt(void *door, int fd, int level, int name, const void *value, socklen_t len);

int door_call_poll(void *door, struct pollfd *fds, nfds_t n_fds, int timeout_ms);
int door_call_epoll_create(void *door, int size);
int door_call_epoll_ctl(void *door, int epoll, int operation, int fd, struct epoll_event *event);
int door_call_epoll_wait(void *door, int epoll, struct epoll_event *events, int max,
                         int timeout_ms);

/* preload.c: the door that getsockopt of this process looks into first. */
void door_publish(Door *door);

#endif
