/* Fast Open, the server's side (RFC 7413 §4.1.2, §4.2.2): a SYN with a valid
 * cookie becomes a connection at once. It waits in the accept queue like any
 * other, its data can be read and answered, and the final ACK finds it in
 * SYN-RECEIVED.
 */
#include <string.h>

#include "models/tcp/fastopen.h"
#include "models/tcp/handshake.h"

/* How many such connections may wait for their handshake: TCP_FASTOPEN, or the
 * backlog where the sysctl turns every listener into a Fast Open one. */
static uint32_t
most_pending(const TcpListener *listener)
{
    const uint32_t all = TCP_FASTOPEN_ALL_LISTENERS | TCP_FASTOPEN_SERVER;
    const TcpFastOpen *fastopen = listener->conn->fastopen;

    if (fastopen != NULL && fastopen->max_queue > 0)
        return fastopen->max_queue;
    return (listener->conn->stack->params->fastopen & all) == all ? listener->backlog : 0;
}

static bool
has_room(TcpListener *listener)
{
    uint32_t most = most_pending(listener);

    if (most == 0)
        return false;
    if (tcp_fastopen_of(listener->conn)->queue < most)
        return true;
    host_count(listener->conn->stack->host, MIB_TcpExtTCPFastOpenListenOverflow);
    return false;
}

/* `cookie` goes out with the SYN-ACK; NULL: none. */
static void
make_child(TcpListener *listener, TcpRequest *request, const TcpSegment *seg,
           const TcpFastOpenCookie *cookie)
{
    TcpConn *child = tcp_request_promote(request, seg);
    TcpFastOpen *fastopen = tcp_fastopen_of(child);

    tcp_enter(child);
    fastopen->is_child = true;
    fastopen->syn_data_acked = seg->payload.len > 0;
    fastopen->pending = listener;
    tcp_fastopen_of(listener->conn)->queue++;
    child->snd.wnd = child->snd.max_wnd = seg->h->wnd; /* never scaled in a SYN */
    child->segs_in = 1;
    tcp_data_established(child);
    if (seg->payload.len > 0) {
        tcp_rx_append(child, seg->payload);
        child->data_segs_in = 1;
        child->last_data_recv_at = tcp_now(child);
    }
    child->rcv.wup = child->rcv.nxt;
    if (cookie != NULL)
        fastopen->cookie = *cookie;
    tcp_queue_syn(child, TCP_SYN | TCP_ACK);
    tcp_wake(listener->conn, TCP_EVENT_READABLE);
    tcp_leave(child);
}

/* Which key of the listener made this cookie for the request: 0, 1; -1: none.
 * *fresh: the one that it would get now. */
static int
key_of_cookie(const TcpRequest *request, const TcpFastOpenCookie *given, TcpFastOpenCookie *fresh)
{
    const TcpConn *listener = request->listener->conn;
    const TcpTuple *tuple = &request->entry.tuple;
    TcpFastOpenCookie cookie;

    for (unsigned n = 0;
         tcp_fastopen_make_cookie(listener, n, tuple->local, tuple->remote, &cookie); n++) {
        if (n == 0)
            *fresh = cookie;
        if (given->len == cookie.len && memcmp(given->bytes, cookie.bytes, (size_t)cookie.len) == 0)
            return (int)n;
    }
    return -1;
}

bool
tcp_fastopen_listen(TcpListener *listener, TcpRequest *request, const TcpSegment *seg,
                    TcpFastOpenCookie *reply)
{
    TcpStack *stack = listener->conn->stack;
    Host *host = stack->host;
    TcpFastOpenCookie given = tcp_fastopen_cookie_of(seg->h), valid;
    bool no_cookie = (stack->params->fastopen & TCP_FASTOPEN_SERVER_NO_COOKIE) ||
                     (listener->conn->fastopen != NULL && listener->conn->fastopen->no_cookie);

    *reply = (TcpFastOpenCookie){ .len = -1 };
    if (given.len == 0)
        host_count(host, MIB_TcpExtTCPFastOpenCookieReqd);
    if ((stack->params->fastopen & TCP_FASTOPEN_SERVER) == 0 ||
        (seg->payload.len == 0 && given.len < 0) || !has_room(listener))
        return false;
    int key = key_of_cookie(request, &given, &valid);

    valid.is_experimental = given.is_experimental;
    if (no_cookie || key >= 0) {
        host_count(host,
                   key > 0 ? MIB_TcpExtTCPFastOpenPassiveAltKey : MIB_TcpExtTCPFastOpenPassive);
        make_child(listener, request, seg,
                   key > 0 ? &valid : NULL); /* of the key before: renewed */
        return true;
    }
    if (given.len > 0)
        host_count(host, MIB_TcpExtTCPFastOpenPassiveFail);
    if (given.len >= 0)
        *reply = valid;
    return false;
}

void
tcp_fastopen_child_done(TcpConn *conn)
{
    TcpFastOpen *fastopen = conn->fastopen;

    if (fastopen == NULL || fastopen->pending == NULL)
        return;
    if (fastopen->pending->conn->fastopen != NULL && fastopen->pending->conn->fastopen->queue > 0)
        fastopen->pending->conn->fastopen->queue--;
    fastopen->pending = NULL;
}

void
tcp_fastopen_listener_gone(TcpListener *listener)
{
    const TcpConn *conn = listener->conn;

    if (conn->fastopen == NULL || conn->fastopen->queue == 0)
        return;
    for (TcpConn *child = conn->stack->first; child != NULL; child = child->next)
        if (child->fastopen != NULL && child->fastopen->pending == listener)
            tcp_fastopen_child_done(child);
}

bool
tcp_fastopen_is_child(const TcpConn *conn)
{
    return conn->fastopen != NULL && conn->fastopen->is_child;
}
