#include "models/ip/middlebox.h"

#include "models/ip/ip_internal.h"

static const char *
reason_to_drop(const MiddleboxParams *box, const Packet *packet)
{
    if (box->drops_fragments && ip_is_fragment(packet))
        return "middlebox drops fragments";
    if (packet->ip.proto != IP_PROTO_ICMP || packet->raw != NULL || packet->ip.frag_offset != 0)
        return NULL;
    if (icmp_is_error_type(packet->icmp.type))
        return box->drops_icmp_errors ? "middlebox drops ICMP errors" : NULL;
    return box->drops_echo ? "middlebox drops echo" : NULL;
}

static bool
strip_options(const MiddleboxParams *box, Packet *packet)
{
    TcpHeader *tcp = &packet->tcp;
    uint8_t strip = box->strips_options;
    bool had_sacks = tcp->n_sacks != 0 && strip & TCPOPT_HAS_SACK_OK;

    if (box->strips_syn_only && !(tcp->flags & TCP_SYN))
        return false;
    if (!(tcp->options & strip) && !had_sacks)
        return false;
    tcp->options &= (uint8_t)~strip;
    if (had_sacks)
        tcp->n_sacks = 0;
    return true;
}

static bool
clamp_mss(const MiddleboxParams *box, Packet *packet, const Iface *in, const Iface *out)
{
    uint32_t most = box->clamps_mss != 0 ? box->clamps_mss : UINT16_MAX;

    if (box->clamps_mss_to_mtu)
        most = MIN(most, MIN(in->mtu, out->mtu) - IPV4_HEADER_BYTES - TCP_HEADER_BYTES);
    if (!(packet->tcp.flags & TCP_SYN) || !(packet->tcp.options & TCPOPT_HAS_MSS) ||
        packet->tcp.mss <= most)
        return false;
    packet->tcp.mss = (uint16_t)most;
    return true;
}

static void
rewritten(Host *host, const Iface *in, Packet *packet, const char *what)
{
    packet_finish_lengths(packet);
    host_record_packet(host, in, PACKET_EVENT_REWRITTEN, packet, what);
}

static bool
meddle(void *arg, Host *host, Packet *packet, Iface *in, Iface *out)
{
    const MiddleboxParams *box = arg;
    const char *reason = reason_to_drop(box, packet);

    if (reason != NULL) {
        ip_drop(host, in, packet, reason);
        return true;
    }
    if (box->clears_df && packet->ip.df) {
        packet->ip.df = false;
        rewritten(host, in, packet, "middlebox clears DF");
    }
    if (box->clears_ecn && packet->ip.tos & ECN_MASK) {
        packet->ip.tos &= (uint8_t)~ECN_MASK;
        rewritten(host, in, packet, "middlebox clears ECN");
    }
    if (packet->ip.proto != IP_PROTO_TCP || packet->raw != NULL || ip_is_fragment(packet))
        return false;
    if (strip_options(box, packet))
        rewritten(host, in, packet, "middlebox strips TCP options");
    if (clamp_mss(box, packet, in, out))
        rewritten(host, in, packet, "middlebox clamps the MSS");
    return false;
}

void
middlebox_attach(Host *host, const MiddleboxParams *params)
{
    MiddleboxParams *box = g_memdup2(params, sizeof *params);

    ip_add_forward_hook(host, meddle, box);
    host_on_free(host, g_free, box);
}
