/* What the files of udp/ share.
 *
 *   udp.c     calls of a program;  ports.c  who has which port
 *   input.c   datagrams and ICMP errors that arrive
 */
#ifndef HALFOPEN_MODELS_UDP_UDP_INTERNAL_H
#define HALFOPEN_MODELS_UDP_UDP_INTERNAL_H

#include "models/udp/udp.h"

struct UdpSock {
    Host *host;              /* borrows */
    UdpSock *next;           /* in the chain of its port, last bound first */
    Endpoint local;          /* port 0: not bound */
    Endpoint remote;         /* port 0: not connected */
    bool addr_is_bound;      /* the program chose the local address: connect keeps it */
    Packet *first, *last;    /* owns: datagrams received */
    uint32_t rcvbuf, queued; /* bytes, with administration */
    uint32_t stream;         /* what it sends; 0: nothing yet */
    uint64_t offset;         /* bytes sent */
    uint16_t ip_id;          /* next, while connected */
    PmtuDiscover discover;
    bool no_checksum, reuse_addr;
    int error; /* pending, positive */
    UdpEventFn *on_event;
    void *on_event_arg;
};

struct UdpStack {
    Host *host;        /* borrows */
    GHashTable *ports; /* owns the table, borrows: port -> first UdpSock of its chain */
    uint16_t port_low, port_high;
    SimRng rng;
};

/* ports.c */
int udp_port_take(UdpSock *sock, Endpoint local); /* sets sock->local */
void udp_port_release(UdpSock *sock);
UdpSock *udp_find(const UdpStack *udp, Endpoint local, Endpoint remote);

/* input.c */
extern const IpProtocol udp_protocol;
uint32_t udp_queued_size(const Packet *packet);

#endif
