/* A small network in a few lines, for tests of ip/, udp/ and what is above:
 *
 *     g_autoptr(NetBench) b = net_bench_pair();          // a 10.0.0.1 -- b 10.0.0.2
 *     g_autoptr(NetBench) b = net_bench_chain(2);        // a -- r1 -- r2 -- b
 *     icmp_send_echo(b->a, b->b_addr, 1, 1, 100);
 *     net_bench_run(b, 1 * SIM_SEC);
 *     g_assert_cmpuint(net_bench_count(b, b->a, PACKET_EVENT_DELIVERED, IP_PROTO_ICMP), ==, 1);
 *
 * Hosts have IP and UDP attached, with Linux's defaults. Links have 10 ms,
 * MTU 1500 and no limit of rate unless changed. All that probes say about
 * packets is kept.
 */
#ifndef HALFOPEN_TESTS_SUPPORT_NET_BENCH_H
#define HALFOPEN_TESTS_SUPPORT_NET_BENCH_H

#include "models/link/link.h"
#include "models/udp/udp.h"

/* One packet record, kept: the packet is a copy without its references. */
typedef struct NetBenchEvent {
    SimTime at;
    PacketEvent event;
    const Host *host; /* NULL: on a link */
    uint32_t link;
    uint8_t direction;
    const char *reason;
    Packet packet;
} NetBenchEvent;

typedef struct NetBench {
    Sim *sim;    /* owns */
    Net *net;    /* owns */
    Host *a, *b; /* the two ends of a pair or chain */
    IpAddr a_addr, b_addr;
    GPtrArray *routers; /* Host, from a to b */
    GPtrArray *links;   /* Link, from a to b */
    GArray *events;     /* NetBenchEvent */
} NetBench;

NetBench *net_bench_new(void); /* no hosts yet */
NetBench *net_bench_pair(void);
/* a -- r1 -- ... -- rn -- b. Link i (from 0) is 10.0.i.0/24: .1 is its end
 * towards a, .2 towards b. So a is 10.0.0.1 and b 10.0.n.2. */
NetBench *net_bench_chain(unsigned n_routers);
void net_bench_free(NetBench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetBench, net_bench_free)

IpParams net_bench_ip_params(void); /* Linux's defaults */
Host *net_bench_host(NetBench *bench, const char *name, bool forwards);
/* Joins two hosts; addresses as "10.0.0.1/24". */
Link *net_bench_link(NetBench *bench, Host *a, const char *a_addr, Host *b, const char *b_addr);
void net_bench_set_mtu(NetBench *bench, unsigned link,
                       uint32_t mtu); /* both ends, both directions */
/* Loses the nth packets (from 1, counted from now) of a direction. */
void net_bench_lose(NetBench *bench, unsigned link, unsigned direction, const uint32_t *nth,
                    unsigned n);
void net_bench_run(NetBench *bench, SimTime time); /* from now */

/* A UDP datagram from port 1000 to port 2000 with `len` bytes, DF clear, ready for ip_output. */
Packet *net_bench_datagram(NetBench *bench, IpAddr dst, uint32_t len);
UdpSock *net_bench_receiver(Host *host); /* bound to port 2000; closed by the caller */

IpAddr net_bench_addr(const char *text);
Endpoint net_bench_endpoint(const char *addr, uint16_t port);

/* Events kept: at a host (NULL: any), of a protocol (0: any). */
unsigned net_bench_count(const NetBench *bench, const Host *host, PacketEvent event, uint8_t proto);
const NetBenchEvent *net_bench_nth(const NetBench *bench, const Host *host, PacketEvent event,
                                   uint8_t proto, unsigned nth); /* from 1; NULL: fewer */
unsigned net_bench_count_reason(const NetBench *bench, const char *reason);

#endif
