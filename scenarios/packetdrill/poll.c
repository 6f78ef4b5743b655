/* poll and epoll. An edge-triggered watch reports when an event came since it
 * last did: when poll would say something that it did not say before, or when
 * more bytes or connections wait than before. */
#include "scenarios/packetdrill/door.h"

#include <errno.h>

typedef struct DoorWatch {
    DoorFile *file; /* borrows */
    struct epoll_event event;
    bool is_ready;    /* edge-triggered: something came that was not yet reported */
    bool is_disabled; /* EPOLLONESHOT has reported */
    unsigned seen;    /* what poll said when it was last looked at */
    size_t unread;    /* bytes, likewise */
} DoorWatch;

unsigned
door_file_poll(const DoorFile *file)
{
    return sock_poll(file->sock) | (door_zerocopy_is_reported(file) ? POLLERR : 0);
}

static size_t
unread_bytes(const DoorFile *file)
{
    TcpConn *conn = sock_tcp(file->sock);

    return conn != NULL && tcp_state(conn) != TCP_LISTEN ? tcp_unread_bytes(conn) : 0;
}

static void
watch_look(DoorWatch *watch)
{
    watch->seen = door_file_poll(watch->file);
    watch->unread = unread_bytes(watch->file);
}

void
door_watches_note(Door *door, const DoorFile *file)
{
    for (guint i = 0; i < door->files->len; i++) {
        DoorFile *epoll = g_ptr_array_index(door->files, i);
        for (guint j = 0; epoll != NULL && epoll->watches != NULL && j < epoll->watches->len; j++) {
            DoorWatch *watch = g_ptr_array_index(epoll->watches, j);
            if (watch->file != file)
                continue;
            unsigned now = door_file_poll(file);
            unsigned wanted = watch->event.events | EPOLLERR | EPOLLHUP;
            bool is_more = unread_bytes(file) > watch->unread && (wanted & EPOLLIN);
            if ((now & ~watch->seen & wanted) || is_more)
                watch->is_ready = true;
            watch_look(watch);
        }
    }
}

/* Each new entry of the error queue is an edge, even while an older one is
 * still there. */
void
door_watches_error(Door *door, const DoorFile *file)
{
    for (guint i = 0; i < door->files->len; i++) {
        DoorFile *epoll = g_ptr_array_index(door->files, i);
        for (guint j = 0; epoll != NULL && epoll->watches != NULL && j < epoll->watches->len; j++) {
            DoorWatch *watch = g_ptr_array_index(epoll->watches, j);
            if (watch->file == file)
                watch->is_ready = true;
        }
    }
}

void
door_watches_forget(Door *door, const DoorFile *file)
{
    for (guint i = 0; i < door->files->len; i++) {
        DoorFile *epoll = g_ptr_array_index(door->files, i);
        for (guint j = 0; epoll != NULL && epoll->watches != NULL && j < epoll->watches->len;) {
            DoorWatch *watch = g_ptr_array_index(epoll->watches, j);
            if (watch->file == file)
                g_ptr_array_remove_index(epoll->watches, j);
            else
                j++;
        }
    }
}

static SimTime
deadline_of(const Door *door, int timeout_ms)
{
    return timeout_ms < 0 ? SIM_NEVER : sim_now(door->sim) + timeout_ms * SIM_MS;
}

static int
poll_look(Door *door, struct pollfd *fds, nfds_t n_fds)
{
    int ready = 0;

    for (nfds_t i = 0; i < n_fds; i++) {
        fds[i].revents = 0;
        if (fds[i].fd < 0)
            continue;
        DoorFile *file = door_file(door, fds[i].fd);
        if (file == NULL)
            fds[i].revents = POLLNVAL;
        else if (file->sock != NULL)
            fds[i].revents =
                (short)(door_file_poll(file) & ((unsigned)fds[i].events | POLLERR | POLLHUP));
        ready += fds[i].revents != 0;
    }
    return ready;
}

int
door_call_poll(void *arg, struct pollfd *fds, nfds_t n_fds, int timeout_ms)
{
    Door *door = arg;
    int ready;

    door_enter(door);
    SimTime deadline = deadline_of(door, timeout_ms);
    while ((ready = poll_look(door, fds, n_fds)) == 0) {
        if (!door_wait(door, deadline)) {
            ready = poll_look(door, fds, n_fds);
            break;
        }
    }
    door_leave(door);
    return ready;
}

int
door_call_epoll_create(void *arg, int size)
{
    Door *door = arg;

    if (size <= 0) {
        errno = EINVAL;
        return -1;
    }
    door_enter(door);
    DoorFile *epoll = door_file_new(door, NULL);
    door_leave(door);
    return epoll != NULL ? epoll->fd : -1;
}

static int
epoll_change(DoorFile *epoll, int operation, DoorFile *file, const struct epoll_event *event)
{
    DoorWatch *watch = NULL;

    for (guint i = 0; i < epoll->watches->len; i++) {
        DoorWatch *candidate = g_ptr_array_index(epoll->watches, i);
        if (candidate->file == file)
            watch = candidate;
    }
    if (operation == EPOLL_CTL_ADD) {
        if (watch != NULL)
            return -EEXIST;
        watch = g_new0(DoorWatch, 1);
        watch->file = file;
        g_ptr_array_add(epoll->watches, watch);
    } else if (watch == NULL) {
        return -ENOENT;
    } else if (operation == EPOLL_CTL_DEL) {
        g_ptr_array_remove(epoll->watches, watch);
        return 0;
    } else if (operation != EPOLL_CTL_MOD) {
        return -EINVAL;
    }
    watch->event = *event;
    watch->is_ready = true; /* what is there already counts as new */
    watch->is_disabled = false;
    watch_look(watch);
    return 0;
}

int
door_call_epoll_ctl(void *arg, int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    Door *door = arg;
    int result = -1;

    door_enter(door);
    DoorFile *epoll = door_file(door, epoll_fd);
    DoorFile *file = door_file(door, fd);
    if (epoll != NULL && file != NULL) {
        bool fits = epoll->watches != NULL && file->sock != NULL;
        result = (int)door_result(fits ? epoll_change(epoll, operation, file, event) : -EINVAL);
    }
    door_leave(door);
    return result;
}

static int
epoll_look(DoorFile *epoll, struct epoll_event *events, int max)
{
    int ready = 0;

    for (guint i = 0; i < epoll->watches->len && ready < max; i++) {
        DoorWatch *watch = g_ptr_array_index(epoll->watches, i);
        bool is_edge = (watch->event.events & EPOLLET) != 0;
        unsigned wanted = watch->event.events | EPOLLERR | EPOLLHUP;
        unsigned found = door_file_poll(watch->file) & wanted;

        if (watch->is_disabled || (is_edge && !watch->is_ready) || found == 0)
            continue;
        events[ready++] = (struct epoll_event){ .events = found, .data = watch->event.data };
        watch->is_ready = false;
        watch->is_disabled = (watch->event.events & EPOLLONESHOT) != 0;
        watch_look(watch);
    }
    return ready;
}

int
door_call_epoll_wait(void *arg, int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
    Door *door = arg;
    int ready = -1;

    door_enter(door);
    DoorFile *epoll = door_file(door, epoll_fd);
    if (epoll != NULL && (epoll->watches == NULL || max <= 0)) {
        errno = EINVAL;
    } else if (epoll != NULL) {
        SimTime deadline = deadline_of(door, timeout_ms);
        while ((ready = epoll_look(epoll, events, max)) == 0 && door_wait(door, deadline))
            continue;
    }
    door_leave(door);
    return ready;
}
