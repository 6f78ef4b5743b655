/* Socket options whose value is no number: tcp(7)'s TCP_FASTOPEN_KEY,
 * TCP_SAVED_SYN, TCP_ULP. */
#include <string.h>

#include "models/tcp/fastopen.h"

bool
tcp_option_is_bytes(TcpOption option)
{
    return option == TCP_OPT_FASTOPEN_KEY || option == TCP_OPT_SAVED_SYN || option == TCP_OPT_ULP;
}

int
tcp_set_option_bytes(TcpConn *conn, TcpOption option, const void *bytes, size_t len)
{
    if (option == TCP_OPT_FASTOPEN_KEY)
        return tcp_fastopen_set_key(conn, bytes, len);
    if (option == TCP_OPT_ULP)
        return len < 1 ? -EINVAL : -ENOENT; /* no upper layer protocol has been loaded */
    return -ENOPROTOOPT;
}

/* As Linux: what does not fit is an error that tells the room needed, and what
 * was read is gone. */
static int
get_saved_syn(TcpConn *conn, void *bytes, size_t *len)
{
    size_t room = *len;

    *len = conn->saved_syn != NULL ? g_bytes_get_size(conn->saved_syn) : 0;
    if (room < *len)
        return -EINVAL;
    if (conn->saved_syn != NULL)
        memcpy(bytes, g_bytes_get_data(conn->saved_syn, NULL), *len);
    g_clear_pointer(&conn->saved_syn, g_bytes_unref);
    return 0;
}

int
tcp_get_option_bytes(TcpConn *conn, TcpOption option, void *bytes, size_t *len)
{
    if (option == TCP_OPT_FASTOPEN_KEY)
        return tcp_fastopen_get_key(conn, bytes, len);
    if (option == TCP_OPT_SAVED_SYN)
        return get_saved_syn(conn, bytes, len);
    if (option != TCP_OPT_ULP)
        return -ENOPROTOOPT;
    *len = 0;
    return 0;
}
