/* Network address and port translation (RFC 3022, RFC 4787, RFC 5382, RFC
 * 5508) on a forwarding host: what goes out of one interface leaves with that
 * interface's address and a port that stands for the sender behind.
 *
 * Mappings and filtering are endpoint-independent: one inside endpoint has
 * one outside port towards everybody, and whoever writes to that port gets
 * through. Fragments are joined before they are translated.
 */
#ifndef HALFOPEN_MODELS_IP_NAT_H
#define HALFOPEN_MODELS_IP_NAT_H

#include "models/ip/flow.h"
#include "models/ip/ip.h"

typedef struct Nat Nat;

typedef struct NatParams {
    Iface *outside; /* borrows: whose address is shown to the world */
    FlowTimeouts timeouts;
    uint16_t port_low, port_high; /* outside ports to choose from */
    bool keeps_port;              /* the inside port is used outside too while it is free */
} NatParams;

NatParams
nat_params_default(Iface *outside); /* RFC 5382 and 4787 times, ports 1024 to 65535, keeps_port */

Nat *nat_attach(Host *host, const NatParams *params); /* freed with the host */
/* What comes to outside_port is for inside, for ever. False: the port is in use. */
bool nat_forward_port(Nat *nat, uint8_t proto, uint16_t outside_port, Endpoint inside);
uint32_t nat_mappings(const Nat *nat);
void nat_forget_all(Nat *nat); /* it rebooted; forwarded ports stay */

#endif
