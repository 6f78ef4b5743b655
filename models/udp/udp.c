/* The calls that a program makes on a UDP socket. */
#include "models/udp/udp.h"

#include <errno.h>

#include "models/udp/udp_internal.h"

static void
udp_free(gpointer data)
{
    UdpStack *udp = data;

    g_hash_table_destroy(udp->ports);
    udp->host->udp = NULL;
    g_free(udp);
}

UdpStack *
udp_attach(Host *host)
{
    UdpStack *udp = g_new0(UdpStack, 1);
    g_autofree char *name = g_strdup_printf("host %s udp", host->name);

    sim_check(host->udp == NULL && host->ip != NULL);
    udp->host = host;
    udp->ports = g_hash_table_new(NULL, NULL);
    udp->port_low = 32768;
    udp->port_high = 60999;
    sim_rng_named(host->sim, &udp->rng, name);
    host->udp = udp;
    ip_register(host, IP_PROTO_UDP, &udp_protocol);
    host_on_free(host, udp_free, udp);
    return udp;
}

void
udp_set_port_range(Host *host, uint16_t low, uint16_t high)
{
    sim_check(low > 0 && low <= high);
    host->udp->port_low = low;
    host->udp->port_high = high;
}

UdpSock *
udp_open(Host *host)
{
    UdpSock *sock = g_new0(UdpSock, 1);

    sock->host = host;
    sock->local.addr = sock->remote.addr = IP_ADDR_ANY;
    sock->rcvbuf = 212992; /* net.core.rmem_default */
    sock->discover =
        host->ip != NULL && ip_params(host)->no_pmtu_disc != 0 ? PMTUDISC_DONT : PMTUDISC_WANT;
    return sock;
}

void
udp_close(UdpSock *sock)
{
    while (sock->first != NULL) {
        Packet *packet = sock->first;

        sock->first = packet->next;
        packet_free(sock->host->packets, packet);
    }
    if (sock->host->udp != NULL)
        udp_port_release(sock);
    g_free(sock);
}

int
udp_bind(UdpSock *sock, Endpoint local)
{
    int error;

    if (sock->local.port != 0)
        return -EINVAL;
    if (!ip_addr_is_any(local.addr) && !ip_addr_is_loopback(local.addr) &&
        host_iface_with_addr(sock->host, local.addr) == NULL)
        return -EADDRNOTAVAIL;
    error = udp_port_take(sock, local);
    sock->addr_is_bound = error == 0 && !ip_addr_is_any(local.addr);
    return error;
}

int
udp_connect(UdpSock *sock, Endpoint remote)
{
    IpAddr src;
    int error;

    if (ip_addr_is_any(remote.addr)) /* as Linux: this host */
        remote.addr = IP_ADDR_LOOPBACK;
    error = ip_source_for(sock->host, remote.addr, &src);
    if (error != 0)
        return error;
    if (sock->local.port == 0) {
        error = udp_port_take(sock, (Endpoint){ sock->local.addr, 0 });
        if (error != 0)
            return error;
    }
    if (!sock->addr_is_bound)
        sock->local.addr = src;
    sock->remote = remote;
    sock->ip_id = (uint16_t)sim_rng_u32(&sock->host->udp->rng);
    return 0;
}

/* RFC 1191 §6.5 with Linux's names. False: larger than this socket may send. */
static bool
choose_df(const UdpSock *sock, IpAddr dst, uint32_t total_len, bool *df)
{
    uint32_t mtu;

    switch (sock->discover) {
    case PMTUDISC_DONT: /* never DF: who must, fragments */
        *df = false;
        return true;
    case PMTUDISC_WANT: /* DF while it fits what the path is known to take, else fragments */
        mtu = ip_path_mtu(sock->host, dst);
        *df = total_len <= mtu && !ip_pmtu_is_locked(sock->host, dst);
        return true;
    case PMTUDISC_DO: /* always DF: the program cuts */
        *df = true;
        return total_len <= ip_path_mtu(sock->host, dst);
    case PMTUDISC_PROBE: /* always DF, and the learned path MTU is not asked */
        *df = true;
        return total_len <= ip_iface_mtu(sock->host, dst);
    }
    return false;
}

static Payload
write_payload(UdpSock *sock, const void *bytes, uint32_t len)
{
    StreamTable *streams = sock->host->packets->streams;
    Payload payload = { 0 };

    if (len == 0)
        return payload;
    if (sock->stream == 0)
        sock->stream = stream_new_id(streams);
    payload = (Payload){ .offset = sock->offset, .stream = sock->stream, .len = len };
    if (bytes != NULL)
        stream_write(streams, sock->stream, sock->offset, bytes, len);
    sock->offset += len;
    return payload;
}

static Packet *
make_datagram(UdpSock *sock, const void *bytes, uint32_t len, Endpoint to, bool df)
{
    Packet *packet = packet_new(sock->host->packets);
    bool is_connected = sock->remote.port != 0;

    packet->ip.src = sock->local.addr;
    packet->ip.dst = to.addr;
    packet->ip.proto = IP_PROTO_UDP;
    packet->ip.ttl = 0;
    packet->ip.df = df;
    if (is_connected)
        packet->ip.id = sock->ip_id++;
    packet->udp = (UdpHeader){ .sport = sock->local.port,
                               .dport = to.port,
                               .no_checksum = sock->no_checksum };
    packet->payload = write_payload(sock, bytes, len);
    packet_finish_lengths(packet);
    return packet;
}

int64_t
udp_send(UdpSock *sock, const void *bytes, uint32_t len, const Endpoint *to)
{
    Host *host = sock->host;
    Endpoint dst = to != NULL ? *to : sock->remote;
    Packet *packet;
    bool df;
    int error;

    if (dst.port == 0)
        return to != NULL ? -EINVAL : -EDESTADDRREQ;
    if (ip_addr_is_any(dst.addr))
        dst.addr = IP_ADDR_LOOPBACK;
    uint32_t headers = ip_header_bytes(dst.addr) + UDP_HEADER_BYTES;
    if (headers + len > UINT16_MAX)
        return -EMSGSIZE;
    if (sock->local.port == 0) {
        error = udp_port_take(sock, sock->local);
        if (error != 0)
            return error == -EADDRNOTAVAIL ? -EAGAIN : error;
    }
    error = ip_route_check(host, dst.addr);
    if (error != 0) {
        host_count(host, MIB_IpOutNoRoutes);
        return error;
    }
    if (!choose_df(sock, dst.addr, headers + len, &df))
        return -EMSGSIZE;
    if (sock->error != 0) { /* an earlier datagram's, told now and once */
        host_count(host, MIB_IpOutDiscards);
        return -udp_take_error(sock);
    }
    packet = make_datagram(sock, bytes, len, dst, df);
    error =
        sock->discover == PMTUDISC_PROBE ? ip_output_probe(host, packet) : ip_output(host, packet);
    if (error == IFACE_REFUSED) { /* no error of the call's: ip(7), IP_RECVERR */
        host_count(host, MIB_IpOutDiscards);
        host_count(host, MIB_UdpSndbufErrors);
        return len;
    }
    if (error != 0)
        return error;
    host_count(host, MIB_UdpOutDatagrams);
    return len;
}

int64_t
udp_recv(UdpSock *sock, Payload *payload, Endpoint *from)
{
    Packet *packet = sock->first;

    if (sock->error != 0)
        return -udp_take_error(sock);
    if (packet == NULL)
        return -EAGAIN;
    sock->first = packet->next;
    if (sock->first == NULL)
        sock->last = NULL;
    packet->next = NULL;
    sock->queued -= udp_queued_size(packet);
    if (payload != NULL)
        *payload = packet->payload;
    if (from != NULL)
        *from = (Endpoint){ packet->ip.src, packet->udp.sport };
    int64_t len = packet->payload.len;
    packet_free(sock->host->packets, packet);
    return len;
}

bool
udp_is_readable(const UdpSock *sock)
{
    return sock->first != NULL || sock->error != 0;
}

void
udp_set_mtu_discover(UdpSock *sock, PmtuDiscover mode)
{
    sock->discover = mode;
}

PmtuDiscover
udp_mtu_discover(const UdpSock *sock)
{
    return sock->discover;
}

void
udp_set_reuse_addr(UdpSock *sock, bool on)
{
    sock->reuse_addr = on;
}

bool
udp_reuse_addr(const UdpSock *sock)
{
    return sock->reuse_addr;
}

void
udp_set_no_checksum(UdpSock *sock, bool on)
{
    sock->no_checksum = on;
}

void
udp_set_rcvbuf(UdpSock *sock, uint32_t bytes)
{
    sock->rcvbuf = bytes;
}

int
udp_take_error(UdpSock *sock)
{
    int error = sock->error;

    sock->error = 0;
    return error;
}

void
udp_on_event(UdpSock *sock, UdpEventFn *fn, void *arg)
{
    sock->on_event = fn;
    sock->on_event_arg = arg;
}

Endpoint
udp_local(const UdpSock *sock)
{
    return sock->local;
}

Endpoint
udp_remote(const UdpSock *sock)
{
    return sock->remote;
}
