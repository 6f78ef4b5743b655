/* Fast Open: cookies, options, the struct that only its users have. */
#include "models/tcp/fastopen.h"

#include <string.h>

enum {
    FASTOPEN_COOKIE_MIN = 4, /* bytes */
};

TcpFastOpen *
tcp_fastopen_of(TcpConn *conn)
{
    if (conn->fastopen == NULL) {
        conn->fastopen = g_new0(TcpFastOpen, 1);
        conn->fastopen->cookie.len = -1;
    }
    return conn->fastopen;
}

void
tcp_fastopen_free(TcpConn *conn)
{
    tcp_fastopen_child_done(conn);
    g_clear_pointer(&conn->fastopen, g_free);
}

/* ---- options --------------------------------------------------------------- */

int
tcp_fastopen_set_queue(TcpConn *conn, int64_t value)
{
    if (value < 0 || (conn->state != TCP_CLOSED && conn->state != TCP_LISTEN))
        return -EINVAL;
    tcp_fastopen_of(conn)->max_queue = (uint32_t)MIN(value, conn->stack->params->somaxconn);
    return 0;
}

int
tcp_fastopen_set_connect(TcpConn *conn, int64_t value)
{
    if (value != 0 && value != 1)
        return -EINVAL;
    if ((conn->stack->params->fastopen & TCP_FASTOPEN_CLIENT) == 0)
        return -EOPNOTSUPP;
    if (conn->state != TCP_CLOSED)
        return -EINVAL;
    tcp_fastopen_of(conn)->connects = value != 0;
    return 0;
}

int
tcp_fastopen_set_no_cookie(TcpConn *conn, int64_t value)
{
    if ((value != 0 && value != 1) || (conn->state != TCP_CLOSED && conn->state != TCP_LISTEN))
        return -EINVAL;
    tcp_fastopen_of(conn)->no_cookie = value != 0;
    return 0;
}

int64_t
tcp_fastopen_get_option(const TcpConn *conn, TcpOption option)
{
    const TcpFastOpen *fastopen = conn->fastopen;

    if (fastopen == NULL)
        return 0;
    if (option == TCP_OPT_FASTOPEN)
        return fastopen->max_queue;
    return option == TCP_OPT_FASTOPEN_CONNECT ? fastopen->connects : fastopen->no_cookie;
}

enum { KEY_BYTES = 16 };

int
tcp_fastopen_set_key(TcpConn *conn, const void *bytes, size_t len)
{
    if (len != KEY_BYTES && len != (size_t)2 * KEY_BYTES)
        return -EINVAL;

    TcpFastOpen *fastopen = tcp_fastopen_of(conn);

    memcpy(fastopen->keys, bytes, len); /* little-endian words, as ours */
    fastopen->n_keys = (uint8_t)(len / KEY_BYTES);
    return 0;
}

/* The host's: the sysctl's, or one of its own. */
static void
host_key(const TcpStack *stack, uint64_t key[2])
{
    const TcpParams *p = stack->params;

    key[0] = p->fastopen_key_0 | (uint64_t)p->fastopen_key_1 << 32;
    key[1] = p->fastopen_key_2 | (uint64_t)p->fastopen_key_3 << 32;
    if ((key[0] | key[1]) == 0)
        memcpy(key, stack->secret, KEY_BYTES);
}

int
tcp_fastopen_get_key(const TcpConn *conn, void *bytes, size_t *len)
{
    uint64_t keys[2][2];
    unsigned n = 1;

    host_key(conn->stack, keys[0]);
    if (conn->fastopen != NULL && conn->fastopen->n_keys > 0) {
        n = conn->fastopen->n_keys;
        memcpy(keys, conn->fastopen->keys, sizeof keys);
    }
    *len = MIN(*len, (size_t)n * KEY_BYTES);
    memcpy(bytes, keys, *len);
    return 0;
}

/* ---- cookies --------------------------------------------------------------- */

/* RFC 7413 §4.1.2 leaves the function to the server; a keyed hash of both
 * addresses, as Linux has it. */
bool
tcp_fastopen_make_cookie(const TcpConn *listener, unsigned n, IpAddr local, IpAddr remote,
                         TcpFastOpenCookie *cookie)
{
    uint8_t addresses[2 * IP_ADDR_BYTES];
    unsigned n_bytes = ip_addr_to_bytes(remote, addresses);
    const TcpFastOpen *own = listener->fastopen;
    bool has_own = own != NULL && own->n_keys > 0;
    uint64_t key[2];

    if (n >= (has_own ? own->n_keys : 1u))
        return false;
    if (has_own)
        memcpy(key, own->keys[n], sizeof key);
    else
        host_key(listener->stack, key);
    n_bytes += ip_addr_to_bytes(local, addresses + n_bytes);
    uint64_t hash = sim_siphash(key, addresses, n_bytes);

    cookie->len = 8;
    for (unsigned i = 0; i < 8; i++)
        cookie->bytes[i] = (uint8_t)(hash >> (8 * i));
    return true;
}

TcpFastOpenCookie
tcp_fastopen_cookie_of(const TcpHeader *h)
{
    TcpFastOpenCookie cookie = { .len = -1 };

    if ((h->options & (TCPOPT_HAS_FASTOPEN | TCPOPT_HAS_FASTOPEN_EXP)) == 0)
        return cookie;
    if (h->fastopen_len % 2 != 0 || h->fastopen_len > TCP_FASTOPEN_COOKIE_MAX ||
        (h->fastopen_len != 0 && h->fastopen_len < FASTOPEN_COOKIE_MIN))
        return cookie; /* RFC 7413 §4.1.1: as if it were not there */
    cookie.is_experimental = (h->options & TCPOPT_HAS_FASTOPEN_EXP) != 0;
    cookie.len = (int8_t)h->fastopen_len;
    memcpy(cookie.bytes, h->fastopen_cookie, (size_t)cookie.len);
    return cookie;
}

void
tcp_fastopen_put_cookie(TcpHeader *h, const TcpFastOpenCookie *cookie)
{
    if (cookie->len < 0)
        return;
    h->options |= cookie->is_experimental ? TCPOPT_HAS_FASTOPEN_EXP : TCPOPT_HAS_FASTOPEN;
    h->fastopen_len = (uint8_t)cookie->len;
    memcpy(h->fastopen_cookie, cookie->bytes, (size_t)cookie->len);
}
