/* Fast Open, the client's side (RFC 7413 §4.1.3, §4.2.1): cookies remembered by
 * server, the SYN with its data, and what the SYN-ACK says of them.
 *
 * The data stand in the send queue behind the SYN, so that they are acknowledged,
 * or sent again, like any others; only the first packet carries both.
 */
#include <string.h>

#include "models/tcp/ack.h"
#include "models/tcp/fastopen.h"
#include "models/tcp/text.h"

enum {
    SYN_OPTION_ROOM = 40, /* what a SYN's options may take: middleboxes add to them */
};

/* What to ask a server with that gave no cookie so far. */
typedef enum FastOpenTry { TRY_RFC, TRY_EXPERIMENTAL, TRY_RFC_AGAIN } FastOpenTry;

typedef struct FastOpenPeer {
    IpAddr server;
    TcpFastOpenCookie cookie;
    uint16_t mss; /* 0: not known */
    uint8_t try_next;
} FastOpenPeer;

struct TcpFastOpenCache {
    GArray *peers; /* of FastOpenPeer, in the order they were met */
};

static FastOpenPeer *
cache_find(TcpStack *stack, IpAddr server)
{
    GArray *peers = stack->fastopen_cache != NULL ? stack->fastopen_cache->peers : NULL;

    for (guint i = 0; peers != NULL && i < peers->len; i++) {
        FastOpenPeer *peer = &g_array_index(peers, FastOpenPeer, i);
        if (ip_addr_equal(peer->server, server))
            return peer;
    }
    return NULL;
}

static FastOpenPeer *
cache_make(TcpStack *stack, IpAddr server)
{
    FastOpenPeer *known = cache_find(stack, server);
    FastOpenPeer peer = { .server = server };

    if (known != NULL)
        return known;
    if (stack->fastopen_cache == NULL) {
        stack->fastopen_cache = g_new0(struct TcpFastOpenCache, 1);
        stack->fastopen_cache->peers = g_array_new(FALSE, FALSE, sizeof(FastOpenPeer));
    }
    g_array_append_val(stack->fastopen_cache->peers, peer);
    return cache_find(stack, server);
}

void
tcp_fastopen_cache_free(TcpStack *stack)
{
    if (stack->fastopen_cache == NULL)
        return;
    g_array_unref(stack->fastopen_cache->peers);
    g_clear_pointer(&stack->fastopen_cache, g_free);
}

/* Which option a SYN to this server carries, and whether data may go along. */
static bool
choose_cookie(TcpConn *conn, IpAddr server, TcpFastOpenCookie *cookie, uint16_t *mss)
{
    const FastOpenPeer *peer = cache_find(conn->stack, server);

    *cookie = (TcpFastOpenCookie){ .len = 0 };
    *mss = 0;
    if (peer != NULL) {
        *cookie = peer->cookie;
        *mss = peer->mss;
        if (cookie->len == 0 && peer->try_next == TRY_EXPERIMENTAL)
            cookie->is_experimental = true;
    }
    if (tcp_fastopen_is_turned_off(conn)) {
        cookie->len = -1;
        return false;
    }
    if ((conn->stack->params->fastopen & TCP_FASTOPEN_CLIENT_NO_COOKIE) ||
        conn->fastopen->no_cookie) {
        cookie->len = -1;
        return true;
    }
    return cookie->len > 0;
}

/* ---- connect() and send() -------------------------------------------------- */

bool
tcp_fastopen_defers(TcpConn *conn, Endpoint remote, int *result)
{
    TcpFastOpen *fastopen = conn->fastopen;
    TcpFastOpenCookie cookie;
    uint16_t mss;

    if (fastopen == NULL || !fastopen->connects || fastopen->is_sending)
        return false;
    *result = 0;
    if (fastopen->connect_waits) {
        *result = -EISCONN;
        return true;
    }
    if (choose_cookie(conn, remote.addr, &cookie, &mss)) {
        fastopen->connect_waits = true;
        fastopen->remote = remote;
        return true;
    }
    fastopen->is_wanted = true; /* an ordinary connect(), whose SYN asks for a cookie */
    return false;
}

int64_t
tcp_sendto_fastopen(TcpConn *conn, Endpoint remote, const void *bytes, size_t len, unsigned flags)
{
    if ((conn->stack->params->fastopen & TCP_FASTOPEN_CLIENT) == 0)
        return -EOPNOTSUPP;
    TcpFastOpen *fastopen = tcp_fastopen_of(conn);
    fastopen->connect_waits = false;
    fastopen->is_wanted = fastopen->is_sending = true;
    fastopen->offer = bytes;
    fastopen->offer_len = len;
    fastopen->taken = 0;
    int result = tcp_connect(conn, remote);
    fastopen->is_sending = fastopen->is_wanted = false;
    fastopen->offer = NULL;
    fastopen->offer_len = 0;
    if (result == 0) /* it is connected already: as send() */
        return tcp_send(conn, bytes, len, flags & ~(unsigned)TCP_MSG_FASTOPEN);
    return result == -EINPROGRESS && fastopen->taken > 0 ? (int64_t)fastopen->taken : result;
}

/* How much of the offer may go with the SYN. */
static uint32_t
prepare_syn(TcpConn *conn)
{
    TcpFastOpen *fastopen = conn->fastopen;
    uint16_t mss;

    if (fastopen == NULL || !fastopen->is_wanted)
        return 0;
    fastopen->is_wanted = false;
    bool may_carry = choose_cookie(conn, conn->entry.tuple.remote, &fastopen->cookie, &mss);
    fastopen->asked = fastopen->cookie.len >= 0;
    fastopen->asked_experimental = fastopen->cookie.is_experimental;
    if (!may_carry) {
        fastopen->fail = TCP_FASTOPEN_COOKIE_UNKNOWN;
        return 0;
    }
    /* The MSS that the server named last time, or ours. */
    conn->snd.mss_clamp = mss != 0 ? mss : conn->rcv.adv_mss;
    if (conn->snd.user_mss != 0)
        conn->snd.mss_clamp = MIN(conn->snd.mss_clamp, conn->snd.user_mss);
    uint32_t room = tcp_mtu_to_mss(conn, ip_path_mtu(conn->stack->host, conn->entry.tuple.remote));
    room -= MIN(room, SYN_OPTION_ROOM);
    return (uint32_t)MIN(fastopen->offer_len, room);
}

void
tcp_fastopen_queue_syn(TcpConn *conn)
{
    uint32_t len = prepare_syn(conn);

    if (len == 0) {
        tcp_queue_syn(conn, TCP_SYN);
        return;
    }
    conn->fastopen->taken = len;
    conn->fastopen->has_syn_data = true;
    tcp_queue_syn_data(conn, conn->fastopen->offer, len);
}

/* ---- the SYN-ACK ----------------------------------------------------------- */

static void
cache_store(TcpConn *conn, const TcpSegment *seg, bool had_data)
{
    TcpFastOpen *fastopen = conn->fastopen;
    TcpFastOpenCookie cookie = tcp_fastopen_cookie_of(seg->h);
    FastOpenPeer *peer = cache_make(conn->stack, conn->entry.tuple.remote);

    if (seg->h->options & TCPOPT_HAS_MSS)
        peer->mss = seg->h->mss;
    if (!fastopen->asked)
        return; /* a cookie that nobody asked for */
    if (cookie.len > 0) {
        peer->cookie = cookie;
    } else if (conn->sender->total_retrans == 0 && cookie.len < 0 && !had_data &&
               peer->cookie.len == 0) {
        /* Asked and not answered: next time the other way, then for good the RFC's. */
        uint8_t next = fastopen->asked_experimental ? TRY_RFC_AGAIN : TRY_EXPERIMENTAL;
        peer->try_next = MAX(peer->try_next, next);
    }
}

/* RFC 7413 §4.2.1: data that came with the SYN-ACK are welcome, and its FIN. */
static void
take_syn_ack_text(TcpConn *conn, const TcpSegment *seg)
{
    TcpSegment rest = *seg;

    if (seg->payload.len == 0 && !(seg->flags & TCP_FIN))
        return;
    rest.seq++;
    rest.flags &= (uint16_t)~TCP_SYN;
    tcp_take_text(conn, &rest);
}

bool
tcp_fastopen_syn_ack(TcpConn *conn, const TcpSegment *seg)
{
    TcpFastOpen *fastopen = conn->fastopen;

    if (fastopen == NULL || (!fastopen->asked && !fastopen->has_syn_data))
        return false;
    cache_store(conn, seg, fastopen->has_syn_data);
    if (tcp_tx_first_sent(conn) != NULL) {
        host_count(conn->stack->host, MIB_TcpExtTCPFastOpenActiveFail);
        fastopen->fail = conn->sender->total_retrans > 0 ? TCP_FASTOPEN_SYN_REPEATED
                                                         : TCP_FASTOPEN_DATA_NOT_ACKED;
        tcp_syn_data_refused(conn);
        return true;
    }
    fastopen->syn_data_acked = fastopen->has_syn_data;
    if (fastopen->syn_data_acked) {
        host_count(conn->stack->host, MIB_TcpExtTCPFastOpenActive);
        if (conn->delivered > 1)
            conn->delivered--; /* SYN and data were one packet */
    }
    take_syn_ack_text(conn, seg);
    return false;
}
