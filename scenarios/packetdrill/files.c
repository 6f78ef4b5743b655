/* The open files of the program under test, and addresses as the sockets
 * interface has them. */
#include "scenarios/packetdrill/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

DoorFile *
door_file_new(Door *door, Socket *sock)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    DoorFile *file = g_new0(DoorFile, 1);
    file->door = door;
    file->fd = fd;
    file->sock = sock;
    if ((guint)fd >= door->files->len)
        g_ptr_array_set_size(door->files, fd + 1);
    g_ptr_array_index(door->files, fd) = file;
    if (sock != NULL)
        sock_on_event(sock, door_file_on_event, file);
    else
        file->watches = g_ptr_array_new_with_free_func(g_free);
    return file;
}

DoorFile *
door_file(Door *door, int fd)
{
    DoorFile *file = NULL;

    if (fd >= 0 && (guint)fd < door->files->len)
        file = g_ptr_array_index(door->files, fd);
    if (file == NULL)
        errno = EBADF;
    return file;
}

DoorFile *
door_socket(Door *door, int fd)
{
    DoorFile *file = door_file(door, fd);

    if (file != NULL && file->sock == NULL) {
        errno = ENOTSOCK;
        return NULL;
    }
    return file;
}

void
door_file_free(DoorFile *file)
{
    Door *door = file->door;

    door_watches_forget(door, file);
    door_zerocopy_free(file);
    if (file->watches != NULL)
        g_ptr_array_unref(file->watches);
    g_ptr_array_index(door->files, file->fd) = NULL;
    close(file->fd);
    g_free(file);
}

ssize_t
door_result(int64_t result)
{
    if (result >= 0)
        return (ssize_t)result;
    errno = (int)-result;
    return -1;
}

int
door_endpoint(const struct sockaddr *addr, socklen_t len, Endpoint *endpoint)
{
    if (addr == NULL)
        return -EFAULT;
    if (addr->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
        endpoint->addr = ip_addr_v4(ntohl(in->sin_addr.s_addr));
        endpoint->port = ntohs(in->sin_port);
        return 0;
    }
    return len < sizeof(struct sockaddr_in) ? -EINVAL : -EAFNOSUPPORT;
}

void
door_sockaddr(Endpoint endpoint, struct sockaddr *addr, socklen_t *len)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET,
        .sin_port = htons(endpoint.port),
        .sin_addr.s_addr = htonl(ip_addr_to_v4(endpoint.addr)),
    };

    if (addr == NULL || len == NULL)
        return;
    memcpy(addr, &in, MIN(*len, sizeof in));
    *len = sizeof in;
}
