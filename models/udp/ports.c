/* Which socket has which port: binding, the choice of an ephemeral port
 * (RFC 6056 §3.3.1: random), and who gets a datagram.
 */
#include <errno.h>

#include "models/udp/udp_internal.h"

/* socket(7): SO_REUSEADDR shares a UDP port only if both want to. */
static bool
is_taken(const UdpStack *udp, const UdpSock *by, Endpoint local)
{
    const UdpSock *sock = g_hash_table_lookup(udp->ports, GUINT_TO_POINTER(local.port));

    for (; sock != NULL; sock = sock->next) {
        if (sock == by || (sock->reuse_addr && by->reuse_addr))
            continue;
        if (ip_addr_is_any(local.addr) || ip_addr_is_any(sock->local.addr) ||
            ip_addr_equal(local.addr, sock->local.addr))
            return true;
    }
    return false;
}

static uint16_t
choose_port(UdpStack *udp, const UdpSock *sock, IpAddr addr)
{
    uint32_t count = udp->port_high - udp->port_low + 1u;
    uint32_t start = (uint32_t)sim_rng_below(&udp->rng, count);

    for (uint32_t i = 0; i < count; i++) {
        uint16_t port = (uint16_t)(udp->port_low + (start + i) % count);

        if (!is_taken(udp, sock, (Endpoint){ addr, port }))
            return port;
    }
    return 0;
}

int
udp_port_take(UdpSock *sock, Endpoint local)
{
    UdpStack *udp = sock->host->udp;

    if (local.port == 0) {
        local.port = choose_port(udp, sock, local.addr);
        if (local.port == 0)
            return -EADDRNOTAVAIL;
    } else if (is_taken(udp, sock, local)) {
        return -EADDRINUSE;
    }
    sock->local = local;
    sock->next = g_hash_table_lookup(udp->ports, GUINT_TO_POINTER(local.port));
    g_hash_table_insert(udp->ports, GUINT_TO_POINTER(local.port), sock);
    return 0;
}

void
udp_port_release(UdpSock *sock)
{
    UdpStack *udp = sock->host->udp;
    gpointer key = GUINT_TO_POINTER(sock->local.port);
    UdpSock *first = g_hash_table_lookup(udp->ports, key);

    if (sock->local.port == 0)
        return;
    if (first == sock) {
        if (sock->next != NULL)
            g_hash_table_insert(udp->ports, key, sock->next);
        else
            g_hash_table_remove(udp->ports, key);
    } else {
        for (; first != NULL && first->next != sock; first = first->next)
            ;
        if (first != NULL)
            first->next = sock->next;
    }
    sock->next = NULL;
    sock->local.port = 0;
}

/* The most particular socket: connected to the sender before bound to the
 * address before bound to any (as Linux scores them). */
UdpSock *
udp_find(const UdpStack *udp, Endpoint local, Endpoint remote)
{
    UdpSock *sock = g_hash_table_lookup(udp->ports, GUINT_TO_POINTER(local.port)), *best = NULL;
    int best_score = -1;

    for (; sock != NULL; sock = sock->next) {
        int score = 0;

        if (!ip_addr_is_any(sock->local.addr)) {
            if (!ip_addr_equal(sock->local.addr, local.addr))
                continue;
            score += 1;
        }
        if (sock->remote.port != 0) {
            if (!endpoint_equal(sock->remote, remote))
                continue;
            score += 2;
        }
        if (score > best_score) {
            best = sock;
            best_score = score;
        }
    }
    return best;
}
