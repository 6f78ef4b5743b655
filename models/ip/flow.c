#include "models/ip/flow.h"

FlowTimeouts
flow_timeouts_default(void)
{
    return (FlowTimeouts){ .tcp_opening = 240 * SIM_SEC,
                           .tcp_open = 7440 * SIM_SEC,
                           .tcp_closing = 240 * SIM_SEC,
                           .udp = 300 * SIM_SEC,
                           .icmp = 60 * SIM_SEC };
}

bool
flow_key_of(const Packet *packet, FlowKey *key)
{
    if (packet->raw != NULL)
        return false;
    *key = (FlowKey){ .from.addr = packet->ip.src,
                      .to.addr = packet->ip.dst,
                      .proto = packet->ip.proto };
    switch (packet->ip.proto) {
    case IP_PROTO_TCP:
        key->from.port = packet->tcp.sport;
        key->to.port = packet->tcp.dport;
        return true;
    case IP_PROTO_UDP:
        key->from.port = packet->udp.sport;
        key->to.port = packet->udp.dport;
        return true;
    case IP_PROTO_ICMP:
        key->from.port = key->to.port = packet->icmp.id;
        return packet->icmp.type == ICMP_ECHO || packet->icmp.type == ICMP_ECHO_REPLY;
    default:
        return false;
    }
}

FlowKey
flow_key_reversed(FlowKey key)
{
    return (FlowKey){ .from = key.to, .to = key.from, .proto = key.proto };
}

bool
flow_key_quoted(const Packet *packet, FlowKey *key)
{
    const IcmpHeader *icmp = &packet->icmp;
    bool is_error = icmp->type == ICMP_UNREACHABLE || icmp->type == ICMP_TIME_EXCEEDED ||
                    icmp->type == ICMP_PARAMETER;

    if (packet->raw != NULL || packet->ip.proto != IP_PROTO_ICMP || !is_error)
        return false;
    *key = (FlowKey){ .from = { icmp->quoted_ip.src, icmp->quoted_sport },
                      .to = { icmp->quoted_ip.dst, icmp->quoted_dport },
                      .proto = icmp->quoted_ip.proto };
    return icmp->quoted_ip.proto == IP_PROTO_TCP || icmp->quoted_ip.proto == IP_PROTO_UDP;
}

static void
track_tcp(FlowTrack *track, uint16_t flags, uint8_t side)
{
    if (flags & TCP_RST) {
        track->state = FLOW_CLOSING;
    } else if (flags & TCP_SYN) {
        if (!(flags & TCP_ACK)) { /* a new connection on the same endpoints */
            track->state = FLOW_OPENING;
            track->fins = 0;
        }
    } else {
        if (flags & TCP_FIN)
            track->fins |= side;
        if (track->fins != 0)
            track->state = FLOW_CLOSING;
        else if (track->seen == 3)
            track->state = FLOW_OPEN;
    }
}

void
flow_track_packet(FlowTrack *track, const Packet *packet, bool is_reply, SimTime now,
                  const FlowTimeouts *timeouts)
{
    uint8_t side = is_reply ? 2 : 1;
    SimTime patience = timeouts->icmp;

    track->seen |= side;
    if (packet->ip.proto == IP_PROTO_UDP) {
        patience = timeouts->udp;
    } else if (packet->ip.proto == IP_PROTO_TCP) {
        track_tcp(track, packet->tcp.flags, side);
        switch ((FlowState)track->state) {
        case FLOW_OPENING:
            patience = timeouts->tcp_opening;
            break;
        case FLOW_OPEN:
            patience = timeouts->tcp_open;
            break;
        case FLOW_CLOSING:
            patience = timeouts->tcp_closing;
            break;
        }
    }
    track->expires = now + patience;
}

unsigned
flow_key_hash(const void *data)
{
    const FlowKey *key = data;
    uint64_t ports = (uint64_t)key->from.port << 32 | (uint64_t)key->to.port << 8 | key->proto;
    uint64_t mixed = key->from.addr.lo * UINT64_C(0x9e3779b97f4a7c15) ^
                     key->to.addr.lo * UINT64_C(0xc2b2ae3d27d4eb4f) ^
                     ports * UINT64_C(0x165667b19e3779f9);

    return (unsigned)(mixed >> 32) ^ (unsigned)mixed;
}

int
flow_key_equal(const void *left, const void *right)
{
    const FlowKey *a = left, *b = right;

    return a->proto == b->proto && endpoint_equal(a->from, b->from) && endpoint_equal(a->to, b->to);
}
