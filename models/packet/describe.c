/* A packet in words, near to what tcpdump prints. */
#include "models/packet/packet.h"

#include <glib.h>

static void
describe_flags(GString *text, uint16_t flags)
{
    static const struct {
        uint16_t bit;
        const char *name;
    } names[] = {
        { TCP_SYN, "SYN" }, { TCP_FIN, "FIN" }, { TCP_RST, "RST" },
        { TCP_PSH, "PSH" }, { TCP_ACK, "ACK" }, { TCP_URG, "URG" },
        { TCP_ECE, "ECE" }, { TCP_CWR, "CWR" }, { TCP_AE, "AE" },
    };
    const char *separator = "";

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (flags & names[i].bit) {
            g_string_append_printf(text, "%s%s", separator, names[i].name);
            separator = "-";
        }
    }
    if (flags == 0)
        g_string_append(text, "no flags");
}

static void
describe_fastopen(GString *text, const TcpHeader *tcp)
{
    g_string_append(text, tcp->options & TCPOPT_HAS_FASTOPEN_EXP ? ",exp-tfo" : ",tfo");
    if (tcp->fastopen_len == 0)
        g_string_append(text, " cookiereq");
    else
        g_string_append(text, " cookie ");
    for (unsigned i = 0; i < tcp->fastopen_len; i++)
        g_string_append_printf(text, "%02x", tcp->fastopen_cookie[i]);
}

static void
describe_options(GString *text, const TcpHeader *tcp, uint32_t ack_base)
{
    g_autoptr(GString) list = g_string_new(NULL);

    if (tcp->options & TCPOPT_HAS_MSS)
        g_string_append_printf(list, ",mss %u", tcp->mss);
    if (tcp->options & TCPOPT_HAS_SACK_OK)
        g_string_append(list, ",sackOK");
    if (tcp->options & TCPOPT_HAS_TS)
        g_string_append_printf(list, ",TS val %u ecr %u", tcp->tsval, tcp->tsecr);
    if (tcp->options & TCPOPT_HAS_WSCALE)
        g_string_append_printf(list, ",wscale %u", tcp->wscale);
    if (tcp->options & (TCPOPT_HAS_FASTOPEN | TCPOPT_HAS_FASTOPEN_EXP))
        describe_fastopen(list, tcp);
    for (unsigned i = 0; i < tcp->n_sacks; i++)
        g_string_append_printf(list, "%s%u:%u", i == 0 ? ",sack " : " ",
                               tcp->sacks[i].start - ack_base, tcp->sacks[i].end - ack_base);
    if (tcp->options & TCPOPT_MALFORMED)
        g_string_append(list, ",malformed");
    if (list->len > 0)
        g_string_append_printf(text, " <%s>", list->str + 1);
}

static void
describe_tcp(GString *text, const Packet *packet, uint32_t seq_base, uint32_t ack_base)
{
    const TcpHeader *tcp = &packet->tcp;
    uint32_t seq = tcp->seq - seq_base;

    describe_flags(text, tcp->flags);
    if (packet->payload.len > 0)
        g_string_append_printf(text, " seq %u:%u", seq, seq + packet->payload.len);
    else
        g_string_append_printf(text, " seq %u", seq);
    if (tcp->flags & TCP_ACK)
        g_string_append_printf(text, " ack %u", tcp->ack - ack_base);
    g_string_append_printf(text, " win %u", tcp->wnd);
    if (tcp->flags & TCP_URG)
        g_string_append_printf(text, " urg %u", tcp->urg);
    describe_options(text, tcp, ack_base);
    if (packet->payload.len > 0)
        g_string_append_printf(text, " len %u", packet->payload.len);
}

static const char *
icmp_unreachable_name(uint8_t code)
{
    static const char *const names[] = {
        [0] = "net unreachable",  [1] = "host unreachable",     [2] = "protocol unreachable",
        [3] = "port unreachable", [4] = "fragmentation needed", [13] = "prohibited",
    };

    if (code < G_N_ELEMENTS(names) && names[code] != NULL)
        return names[code];
    return "unreachable";
}

static void
describe_icmp(GString *text, const Packet *packet)
{
    const IcmpHeader *icmp = &packet->icmp;

    g_string_append(text, "ICMP ");
    switch (icmp->type) {
    case ICMP_ECHO:
    case ICMP_ECHO_REPLY:
        g_string_append_printf(text, "echo %s id %u seq %u len %u",
                               icmp->type == ICMP_ECHO ? "request" : "reply", icmp->id, icmp->seq,
                               packet->payload.len);
        break;
    case ICMP_UNREACHABLE:
        g_string_append(text, icmp_unreachable_name(icmp->code));
        if (icmp->code == 4)
            g_string_append_printf(text, ", mtu %u", icmp->mtu);
        break;
    case ICMP_TIME_EXCEEDED:
        g_string_append(text, icmp->code == 0 ? "TTL exceeded" : "reassembly time exceeded");
        break;
    default:
        g_string_append_printf(text, "type %u code %u", icmp->type, icmp->code);
        break;
    }
}

char *
packet_describe(const Packet *packet, uint32_t seq_base, uint32_t ack_base)
{
    GString *text = g_string_new(NULL);

    if (packet->flags & PACKET_FRAGMENT)
        g_string_append_printf(text, "fragment id %u offset %u len %u%s", packet->ip.id,
                               packet->ip.frag_offset, packet_ip_payload_len(packet),
                               packet->ip.mf ? ", more follow" : ", the last");
    else if (packet->raw != NULL)
        g_string_append_printf(text, "protocol %u, %u raw bytes", packet->ip.proto,
                               packet->raw->len);
    else if (packet->ip.proto == IP_PROTO_TCP)
        describe_tcp(text, packet, seq_base, ack_base);
    else if (packet->ip.proto == IP_PROTO_UDP)
        g_string_append_printf(text, "UDP %u > %u len %u", packet->udp.sport, packet->udp.dport,
                               packet->payload.len);
    else if (packet->ip.proto == IP_PROTO_ICMP)
        describe_icmp(text, packet);
    else
        g_string_append_printf(text, "protocol %u len %u", packet->ip.proto, packet->payload.len);
    if (packet->ip.bad_checksum || (packet->flags & PACKET_BAD_CHECKSUM) != 0)
        g_string_append(text, " (bad checksum)");
    return g_string_free(text, FALSE);
}
