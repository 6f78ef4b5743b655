/* A stateful firewall on a forwarding host. Only the inside may open a
 * conversation, and only while the firewall remembers it do packets pass,
 * either way. It forgets what has been silent for too long: the other reason
 * for keepalives. Fragments are joined before they are judged.
 */
#ifndef HALFOPEN_MODELS_IP_FIREWALL_H
#define HALFOPEN_MODELS_IP_FIREWALL_H

#include "models/ip/flow.h"
#include "models/ip/ip.h"

typedef struct Firewall Firewall;

typedef struct FirewallParams {
    Iface *inside; /* borrows: who comes in here may open; NULL: from anywhere */
    FlowTimeouts timeouts;
    uint32_t max_flows; /* remembered at once; a new one beyond is refused. 0: no limit */
    bool rejects;       /* answers what it refuses: RST to TCP, ICMP 3/13 to others; else silence */
    bool picks_up;      /* a TCP segment of the inside without SYN opens too (Linux:
                           nf_conntrack_tcp_loose) */
} FirewallParams;

/* Defaults: forgets open connections after 300 s as boxes in the field do
 * (Linux's conntrack: 5 days; RFC 5382 asks for 2 h 4 min), silent, 65536 flows. */
FirewallParams firewall_params_default(void);

Firewall *firewall_attach(Host *host, const FirewallParams *params); /* freed with the host */
void firewall_allow_port(Firewall *firewall, uint8_t proto,
                         uint16_t port); /* the outside may open to it */
uint32_t firewall_flows(
    const Firewall *firewall); /* remembered, the forgotten ones not yet swept included */
void firewall_forget_all(Firewall *firewall); /* it rebooted */

#endif
