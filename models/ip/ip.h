/* IPv4 (RFC 791, RFC 1122 §3.2) on one host: routing, TTL, fragmentation and
 * reassembly, ICMP (RFC 792, RFC 1812), path MTU cache (RFC 1191). Transport
 * protocols register a handler; below are links, above no one asks for the
 * family of an address.
 */
#ifndef HALFOPEN_MODELS_IP_IP_H
#define HALFOPEN_MODELS_IP_IP_H

#include "models/node/node.h"

/* A received ICMP error, for the transport whose packet it quotes. */
typedef struct IcmpError {
    uint8_t type, code;
    uint32_t mtu; /* type 3 code 4: as reported; hand it to ip_pmtu_update() */
    IpAddr from;  /* who reported it */
    const IcmpHeader *header;
    const Packet *packet;
} IcmpError;

typedef struct IpProtocol {
    void (*input)(Host *host, Packet *packet); /* whole datagram for this host; consumes it */
    void (*error)(Host *host, const IcmpError *error);
} IpProtocol;

/* How to treat IP_MTU_DISCOVER (Linux names). */
typedef enum PmtuDiscover {
    PMTUDISC_DONT,
    PMTUDISC_WANT,
    PMTUDISC_DO,
    PMTUDISC_PROBE
} PmtuDiscover;

typedef struct IpParams { /* of one host; from models/ip/params.def */
#define IP_PARAM(field, type, sysctl, linux_value, rfc_value, min, max, unit, doc) type field;
#include "models/ip/params.def"
#undef IP_PARAM
} IpParams;

IpStack *ip_attach(Host *host, const IpParams *params);
IpParams *ip_params(Host *host); /* may be changed at any time */
void ip_register(Host *host, uint8_t proto, const IpProtocol *protocol);

/* Sends a packet with ip.src (or any: chosen by route), dst, proto, tos, ttl
 * (0: default), df set and lengths finished. Chooses the id (df clear and id
 * 0; else the sender's is kept: TCP counts one up for each connection, RST and
 * SYN-ACK of a request leave 0), routes, fragments
 * if df is clear, loops back to this host if dst is its own. Consumes the
 * packet. 0; IFACE_REFUSED, where the host's own send queue has no room; or
 * -ENETUNREACH, -EHOSTUNREACH, -EMSGSIZE (df, too large). */
int ip_output(Host *host, Packet *packet);

/* The same for a probe that may exceed the cached path MTU (IP_PMTUDISC_PROBE):
 * only the interface's MTU bounds it. */
int ip_output_probe(Host *host, Packet *packet);

/* The source address a packet to dst would have; 0 or -ENETUNREACH. */
int ip_source_for(Host *host, IpAddr dst, IpAddr *src);
int ip_route_check(Host *host, IpAddr dst);     /* 0, -ENETUNREACH, -EHOSTUNREACH */
uint32_t ip_path_mtu(Host *host, IpAddr dst);   /* cached PMTU (ip_pmtu.c) or the interface's MTU */
uint32_t ip_iface_mtu(Host *host, IpAddr dst);  /* of the outgoing interface */
bool ip_pmtu_is_locked(Host *host, IpAddr dst); /* below min_pmtu: DF is cleared */

/* A transport believes a "fragmentation needed" about a packet to dst (it has
 * checked that it sent the packet). Never raises the MTU; below min_pmtu the
 * MTU becomes min_pmtu and is locked. Lasts mtu_expires_s. */
void ip_pmtu_update(Host *host, IpAddr dst, uint32_t mtu);

/* What an ICMP error means to a socket, as Linux maps it: a positive errno,
 * and whether it is hard (RFC 1122 §4.2.3.9). 0: none (source quench). */
int icmp_error_errno(const IcmpError *error, bool *is_hard);

void ip_add_route(Host *host, IpAddr prefix, unsigned prefix_bits, IpAddr gateway, Iface *out);
void ip_add_unreachable(Host *host, IpAddr prefix, unsigned prefix_bits);
/* Deletes routes to exactly this prefix, the computed one too, which then
 * stays away. ip_del_route(host, any, 0): no default route. */
void ip_del_route(Host *host, IpAddr prefix, unsigned prefix_bits);
void net_compute_routes(
    Net *net); /* shortest paths, ties by creation; run by itself before the first packet */

/* An ICMP error about `about` (not consumed), subject to RFC 1122 §3.2.2 and rate limit. */
void icmp_send_error(Host *host, const Packet *about, uint8_t type, uint8_t code, uint32_t mtu);
void icmp_send_echo(Host *host, IpAddr dst, uint16_t id, uint16_t seq, uint32_t len);

/* Hooks of a middlebox on a forwarding host, in order of adding: may rewrite
 * the packet, or take it (return true: consumed). */
typedef bool IpForwardFn(void *arg, Host *host, Packet *packet, Iface *in, Iface *out);
void ip_add_forward_hook(Host *host, IpForwardFn *fn, void *arg);
/* The same on every packet that arrives from a link, before it is decided
 * whether it is for this host (netfilter's PREROUTING); out is NULL. */
void ip_add_input_hook(Host *host, IpForwardFn *fn, void *arg);
/* The same on every ICMP error that the host itself is about to send
 * (netfilter's OUTPUT); in is NULL. */
void ip_add_error_hook(Host *host, IpForwardFn *fn, void *arg);

#endif
