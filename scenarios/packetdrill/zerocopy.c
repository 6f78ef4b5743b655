/* MSG_ZEROCOPY's notifications. Nothing is copied or spared here, so each says
 * what Linux says on such a device: the data were copied after all. What counts
 * is their order: a send that took data has a number, its notification comes
 * when its last byte was acknowledged, and adjacent ones merge into a range.
 */
#include "scenarios/packetdrill/door.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>

typedef struct ZerocopySend {
    uint32_t id;
    uint64_t end; /* of its bytes in the connection's stream */
} ZerocopySend;

struct DoorZerocopy {
    uint64_t sent; /* bytes that the socket took, with the flag or without */
    uint32_t next_id;
    GArray *waiting; /* owns ZerocopySend, in their order */
    bool is_reported;
    uint32_t first, last; /* the range that recvmsg will report */
};

bool
door_zerocopy_enable(DoorFile *file, int on)
{
    if (on != 0 && on != 1)
        return false;
    if (file->zerocopy == NULL && on) {
        file->zerocopy = g_new0(DoorZerocopy, 1);
        file->zerocopy->waiting = g_array_new(FALSE, FALSE, sizeof(ZerocopySend));
    }
    return true;
}

/* An accepted socket inherits the option. */
void
door_zerocopy_inherit(const DoorFile *listener, DoorFile *accepted)
{
    if (listener->zerocopy != NULL)
        door_zerocopy_enable(accepted, 1);
}

void
door_zerocopy_free(DoorFile *file)
{
    if (file->zerocopy == NULL)
        return;
    g_array_unref(file->zerocopy->waiting);
    g_free(file->zerocopy);
}

void
door_zerocopy_note(DoorFile *file, int64_t sent, bool has_flag)
{
    DoorZerocopy *zerocopy = file->zerocopy;

    if (zerocopy == NULL || sent <= 0)
        return;
    zerocopy->sent += (uint64_t)sent;
    if (has_flag) {
        ZerocopySend send = { .id = zerocopy->next_id++, .end = zerocopy->sent };
        g_array_append_val(zerocopy->waiting, send);
    }
}

static bool
zerocopy_collect(DoorFile *file)
{
    DoorZerocopy *zerocopy = file->zerocopy;
    bool is_new = false;

    if (zerocopy == NULL || zerocopy->waiting->len == 0)
        return false;
    uint64_t acked = zerocopy->sent - MIN(zerocopy->sent, tcp_unacked_bytes(sock_tcp(file->sock)));
    while (zerocopy->waiting->len > 0) {
        ZerocopySend *send = &g_array_index(zerocopy->waiting, ZerocopySend, 0);
        if (send->end > acked)
            break;
        if (!zerocopy->is_reported)
            zerocopy->first = send->id;
        zerocopy->last = send->id;
        zerocopy->is_reported = is_new = true;
        g_array_remove_index(zerocopy->waiting, 0);
    }
    return is_new;
}

/* After anything that may have acknowledged data. */
void
door_zerocopy_collect(Door *door)
{
    for (guint i = 0; i < door->files->len; i++) {
        DoorFile *file = g_ptr_array_index(door->files, i);
        if (file != NULL && zerocopy_collect(file))
            door_watches_error(door, file);
    }
}

bool
door_zerocopy_is_reported(const DoorFile *file)
{
    return file->zerocopy != NULL && file->zerocopy->is_reported;
}

int
door_zerocopy_receive(DoorFile *file, struct msghdr *message)
{
    struct {
        struct sock_extended_err error;
        struct sockaddr_in offender; /* nobody */
    } entry = {
        .error = { .ee_origin = SO_EE_ORIGIN_ZEROCOPY, .ee_code = SO_EE_CODE_ZEROCOPY_COPIED },
    };

    if (!door_zerocopy_is_reported(file))
        return -EAGAIN;
    message->msg_flags = MSG_ERRQUEUE;
    message->msg_namelen = 0;
    if (message->msg_controllen < CMSG_LEN(sizeof entry)) {
        message->msg_flags |= MSG_CTRUNC;
        message->msg_controllen = 0;
        return 0;
    }
    entry.error.ee_info = file->zerocopy->first;
    entry.error.ee_data = file->zerocopy->last;
    file->zerocopy->is_reported = false;
    struct cmsghdr *control = message->msg_control;
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_RECVERR;
    control->cmsg_len = CMSG_LEN(sizeof entry);
    memcpy(CMSG_DATA(control), &entry, sizeof entry);
    message->msg_controllen = MIN(message->msg_controllen, CMSG_SPACE(sizeof entry));
    return 0;
}
