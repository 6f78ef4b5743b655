/* packetdrill's Python assertions read TCP_INFO with the C library's getsockopt,
 * not through the table of calls. With this object in LD_PRELOAD as well, that
 * call finds the door's files first.
 *
 * The one pointer here is the only mutable global in the tree: a function of the
 * C library gets no userdata.
 */
#include "scenarios/packetdrill/door.h"

#include <sys/syscall.h>
#include <unistd.h>

static Door *published;

void
door_publish(Door *door)
{
    published = door;
}

__attribute__((visibility("default"))) int
getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    Door *door = published;
    bool is_ours = false;

    if (door != NULL) {
        g_mutex_lock(&door->lock);
        is_ours = (guint)fd < door->files->len && g_ptr_array_index(door->files, fd) != NULL;
        g_mutex_unlock(&door->lock);
    }
    if (is_ours)
        return door_call_getsockopt(door, fd, level, name, value, len);
    return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
}
