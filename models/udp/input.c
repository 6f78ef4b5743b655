/* What arrives: datagrams (RFC 768, RFC 1122 §4.1.3) and ICMP errors about
 * those that we sent (RFC 1122 §4.1.3.3).
 */
#include <errno.h>

#include "models/udp/udp_internal.h"

static void
tell(UdpSock *sock)
{
    if (sock->on_event != NULL)
        sock->on_event(sock->on_event_arg); /* may close the socket: the last thing done */
}

static void
refuse(Host *host, Packet *packet, const char *reason)
{
    host_record_packet(host, NULL, PACKET_EVENT_REFUSED, packet, reason);
    packet_free(host->packets, packet);
}

/* What a waiting datagram counts against the receive buffer: Linux counts the
 * memory block and its descriptor, not the bytes. */
uint32_t
udp_queued_size(const Packet *packet)
{
    uint32_t need = packet->ip.total_len + 384u, block = 512;

    while (block < need)
        block *= 2;
    return 256 + block;
}

static bool
is_well_formed(const Packet *packet)
{
    return packet->raw == NULL && packet_ip_payload_len(packet) >= UDP_HEADER_BYTES &&
           packet->udp.len >= UDP_HEADER_BYTES && packet->udp.len <= packet_ip_payload_len(packet);
}

static void
udp_input(Host *host, Packet *packet)
{
    Endpoint local = { packet->ip.dst, 0 }, remote = { packet->ip.src, 0 };
    UdpSock *sock;

    if (!is_well_formed(packet)) {
        host_count(host, MIB_UdpInErrors);
        refuse(host, packet, "malformed UDP datagram");
        return;
    }
    if (packet->flags & PACKET_BAD_CHECKSUM && !packet->udp.no_checksum) { /* RFC 1122 §4.1.3.4 */
        host_count(host, MIB_UdpInCsumErrors);
        host_count(host, MIB_UdpInErrors);
        refuse(host, packet, "bad UDP checksum");
        return;
    }
    local.port = packet->udp.dport;
    remote.port = packet->udp.sport;
    sock = udp_find(host->udp, local, remote);
    if (sock == NULL) { /* RFC 1122 §4.1.3.1 */
        host_count(host, MIB_UdpNoPorts);
        icmp_send_error(host, packet, ICMP_UNREACHABLE, 3, 0);
        refuse(host, packet, "no socket on this port");
        return;
    }
    if (sock->queued > sock->rcvbuf) {
        host_count(host, MIB_UdpRcvbufErrors);
        host_count(host, MIB_UdpInErrors);
        refuse(host, packet, "receive buffer full");
        return;
    }
    host_count(host, MIB_UdpInDatagrams);
    host_record_packet(host, NULL, PACKET_EVENT_CONSUMED, packet, "UDP");
    packet->next = NULL;
    if (sock->last != NULL)
        sock->last->next = packet;
    else
        sock->first = packet;
    sock->last = packet;
    sock->queued += udp_queued_size(packet);
    tell(sock);
}

/* An ICMP error ends in the pending error of a connected socket if it is a
 * hard one. A socket without a peer never learns of it, as it could not say
 * which datagram it was about (Linux without IP_RECVERR). */
static void
udp_error(Host *host, const IcmpError *error)
{
    const IcmpHeader *icmp = error->header;
    Endpoint local = { icmp->quoted_ip.src, icmp->quoted_sport };
    Endpoint remote = { icmp->quoted_ip.dst, icmp->quoted_dport };
    UdpSock *sock = udp_find(host->udp, local, remote);
    bool is_hard;
    int reason;

    if (sock == NULL) {
        host_count(host, MIB_IcmpInErrors);
        return;
    }
    reason = icmp_error_errno(error, &is_hard);
    if (error->type == ICMP_UNREACHABLE && error->code == 4) {
        ip_pmtu_update(host, remote.addr, error->mtu);
        if (sock->discover == PMTUDISC_DONT)
            return;
        is_hard = true;
    }
    if (!is_hard || reason == 0 || sock->remote.port == 0)
        return;
    sock->error = reason;
    tell(sock);
}

const IpProtocol udp_protocol = { udp_input, udp_error };
