/* ICMP received (RFC 792, RFC 1122 §3.2.2): echo is answered, an error goes
 * to the transport whose packet it quotes.
 */
#include <errno.h>

#include "models/ip/ip_internal.h"

bool
icmp_is_error_type(uint8_t type)
{
    switch (type) { /* 4: source quench, 5: redirect */
    case ICMP_UNREACHABLE:
    case 4:
    case 5:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER:
        return true;
    default:
        return false;
    }
}

int
icmp_error_errno(const IcmpError *error, bool *is_hard)
{
    static const struct {
        int error;
        bool is_hard;
    } unreachable[16] = {
        { ENETUNREACH, false },  { EHOSTUNREACH, false }, { ENOPROTOOPT, true },
        { ECONNREFUSED, true },  { EMSGSIZE, false },     { EOPNOTSUPP, false },
        { ENETUNREACH, true },   { EHOSTDOWN, true },     { ENONET, true },
        { ENETUNREACH, true },   { EHOSTUNREACH, true },  { ENETUNREACH, false },
        { EHOSTUNREACH, false }, { EHOSTUNREACH, true },  { EHOSTUNREACH, true },
        { EHOSTUNREACH, true },
    };

    *is_hard = false;
    switch (error->type) {
    case ICMP_UNREACHABLE:
        if (error->code >= G_N_ELEMENTS(unreachable))
            return 0;
        *is_hard = unreachable[error->code].is_hard;
        return unreachable[error->code].error;
    case ICMP_TIME_EXCEEDED:
        return EHOSTUNREACH;
    case ICMP_PARAMETER:
        *is_hard = true;
        return EPROTO;
    default: /* source quench is ignored: RFC 6633 */
        return 0;
    }
}

static void
icmp_input_error(Host *host, const Packet *packet)
{
    const IcmpHeader *icmp = &packet->icmp;
    const IpHeader *quoted = &icmp->quoted_ip;
    IcmpError error = { .type = icmp->type,
                        .code = icmp->code,
                        .from = packet->ip.src,
                        .header = icmp,
                        .packet = packet };
    const IpProtocol *protocol = ip_protocol(host->ip, quoted->proto);

    if (icmp->quoted_len < IPV4_HEADER_BYTES + 8) { /* too little to find whose it is */
        host_count(host, MIB_IcmpInErrors);
        return;
    }
    if (icmp->type == ICMP_UNREACHABLE && icmp->code == 4) {
        if (host->ip->params.no_pmtu_disc == 2)
            return;
        error.mtu = icmp->mtu;
    }
    if (protocol != NULL && protocol->error != NULL)
        protocol->error(host, &error);
}

/* RFC 1122 §3.2.2.6. Linux sends the reply from the address that was asked,
 * with the same type of service. */
static void
icmp_reply_echo(Host *host, const Packet *request)
{
    Packet *reply = packet_new(host->packets);

    reply->why = "RFC 1122 §3.2.2.6 echo reply";
    reply->ip.src = request->ip.dst;
    reply->ip.dst = request->ip.src;
    reply->ip.proto = IP_PROTO_ICMP;
    reply->ip.ttl = 0;
    reply->ip.tos = request->ip.tos;
    reply->icmp =
        (IcmpHeader){ .type = ICMP_ECHO_REPLY, .id = request->icmp.id, .seq = request->icmp.seq };
    reply->payload = request->payload;
    packet_finish_lengths(reply);
    host_count(host, MIB_IcmpOutMsgs);
    host_count(host, MIB_IcmpOutEchoReps);
    ip_output(host, reply);
}

static void
icmp_input(Host *host, Packet *packet)
{
    host_count(host, MIB_IcmpInMsgs);
    if (packet->flags & PACKET_BAD_CHECKSUM) {
        host_count(host, MIB_IcmpInCsumErrors);
        host_count(host, MIB_IcmpInErrors);
        ip_refuse(host, NULL, packet, "bad ICMP checksum");
        return;
    }
    if (packet->raw != NULL) {
        host_count(host, MIB_IcmpInErrors);
        ip_refuse(host, NULL, packet, "malformed ICMP message");
        return;
    }
    switch (packet->icmp.type) {
    case ICMP_ECHO:
        host_count(host, MIB_IcmpInEchos);
        icmp_reply_echo(host, packet);
        break;
    case ICMP_ECHO_REPLY:
        host_count(host, MIB_IcmpInEchoReps);
        break;
    case ICMP_UNREACHABLE:
        host_count(host, MIB_IcmpInDestUnreachs);
        icmp_input_error(host, packet);
        break;
    case ICMP_TIME_EXCEEDED:
        host_count(host, MIB_IcmpInTimeExcds);
        icmp_input_error(host, packet);
        break;
    case ICMP_PARAMETER:
        icmp_input_error(host, packet);
        break;
    default: /* RFC 1122 §3.2.2: unknown types are ignored */
        break;
    }
    host_record_packet(host, NULL, PACKET_EVENT_CONSUMED, packet, "ICMP");
    packet_free(host->packets, packet);
}

/* An error about an echo of ours: only the path MTU is of interest. */
static void
icmp_error_about_icmp(Host *host, const IcmpError *error)
{
    if (error->type == ICMP_UNREACHABLE && error->code == 4)
        ip_pmtu_update(host, error->header->quoted_ip.dst, error->mtu);
}

const IpProtocol ip_icmp_protocol = { icmp_input, icmp_error_about_icmp };
