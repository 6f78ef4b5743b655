/* The world: a Net of hosts with interfaces, joined by links. A host here is
 * the hardware and its name; ip/, udp/ and tcp/ attach themselves to it (see
 * models/sock/stack.h, which builds a whole one).
 */
#ifndef HALFOPEN_MODELS_NODE_NODE_H
#define HALFOPEN_MODELS_NODE_NODE_H

#include <glib.h>

#include "models/node/mib.h"
#include "models/packet/packet.h"
#include "models/trace/records.h"
#include "sim/sim.h"

typedef struct Net Net;
typedef struct Host Host;
typedef struct Iface Iface;
typedef struct LinkEnd LinkEnd;     /* models/link/link.h */
typedef struct SendQueue SendQueue; /* models/node/sendqueue.h */
typedef struct IpStack IpStack;
typedef struct UdpStack UdpStack;
typedef struct TcpStack TcpStack;

enum { HOST_LOOPBACK = UINT16_MAX };

struct Iface {
    SIM_LINE_ALIGNED Host *host; /* borrows. All of it is one cache line */
    LinkEnd *link; /* borrows: the sending side of the link here; NULL: loopback, or loose */
    char *name;    /* owns: "eth0" */
    IpAddr addr;
    uint8_t prefix_bits;
    uint32_t index; /* within the host; HOST_LOOPBACK: ip's own, to the host itself */
    uint32_t mtu;   /* bytes of an IP packet */
    bool is_up;
    SendQueue *send_queue; /* owns; NULL: none, packets go to the link at once */
};

/* What is remembered of a packet while it is in a host's send queue. */
typedef struct SentPacket {
    IpAddr src, dst;
    uint16_t sport, dport;
    uint8_t proto;
    bool is_burst_rest; /* not the first of its burst */
    uint32_t conn;      /* as in the packet */
    uint32_t payload_len;
    SimTime since; /* when it came into the queue */
} SentPacket;

/* What the listener of NetProbes.counter asked for: a rise before `until` is not
 * told, but kept as the last of those. */
typedef struct CounterWatch {
    SimTime until; /* 0: every rise is told */
    SimTime at;    /* of the last that was not told */
    uint64_t value;
} CounterWatch;

struct Host {
    /* What every packet touches: one line here, and the first counters below. */
    SIM_LINE_ALIGNED Sim *sim; /* borrows: net->sim, here because everyone needs it */
    /* The network layer: set by ip_attach; consumes the packet. */
    void (*input)(Iface *iface, Packet *packet);
    /* A packet has come into a send queue of this host (true), or left it; NULL:
     * nobody asks. */
    void (*on_send_queue)(Host *host, const SentPacket *packet, bool is_new);
    IpStack *ip; /* owned by their modules, released by on_free in order */
    TcpStack *tcp;
    /* Between interface and stack (net.core.netdev_max_backlog): only used
     * when the host was given a processing rate. */
    struct HostBacklog *backlog; /* owns; NULL: infinitely fast */
    NetProbes *probes;           /* borrows */
    PacketPool *packets;         /* borrows */
    CounterWatch *watch;         /* owns, by counter; NULL: every rise is told */
    uint32_t id;                 /* 1, 2, ... in the order of creation */
    bool forwards;               /* a router: passes on what is not for itself */

    SIM_LINE_ALIGNED uint64_t mib[MIB_COUNT];

    /* The rest. */
    Net *net;          /* borrows */
    char *name;        /* owns */
    GPtrArray *ifaces; /* owns Iface */
    UdpStack *udp;
    GPtrArray *on_free;     /* owns: what modules attached, freed last to first */
    uint32_t n_apps;        /* native applications that draw random numbers (models/app/luck.c) */
    uint64_t packets_per_s; /* as last asked for (models/sock/stack.c); 0: infinitely fast */
    uint32_t netdev_max_backlog;
};

struct Net {
    Sim *sim;       /* borrows */
    SimArena arena; /* of what lives as long as the Net, and of its pools */
    PacketPool packets;
    StreamTable *streams; /* owns */
    NetProbes probes;
    GPtrArray *hosts;   /* owns Host */
    GPtrArray *links;   /* owns Link (models/link) */
    GHashTable *traits; /* owns: what links that are alike share (models/link/traits.c); or NULL */
    uint32_t last_conn_id; /* connection ids are unique in the run */
    bool routes_known;     /* static routes computed since the topology last changed */
    struct TcpShared *tcp; /* owned by its users: models/tcp/shared.h; NULL: none yet */
};

Net *net_new(Sim *sim);
void net_free(Net *net);
Host *net_find_host(const Net *net, const char *name); /* NULL: none */

Host *host_new(Net *net, const char *name); /* name is unique: checked by the caller */
Iface *host_add_iface(Host *host, const char *name, IpAddr addr, unsigned prefix_bits,
                      uint32_t mtu);

/* fn(data) when the host is freed: last registered, first called. */
void host_on_free(Host *host, GDestroyNotify fn, void *data);
/* NULL: the address is not this host's. */
Iface *host_iface_with_addr(const Host *host, IpAddr addr);

/* Bounds the host to packets_per_s and queues at most max_backlog packets
 * before the stack (net.core.netdev_max_backlog). 0 packets_per_s: unlimited. */
void host_set_processing_rate(Host *host, uint64_t packets_per_s, uint32_t max_backlog);

/* A packet arrives at an interface: the link calls it. Consumes the packet.
 * Goes to host->input, through the backlog if there is one. */
void host_receive(Iface *iface, Packet *packet);

/* The host's own send queue refused the packet: Linux's NET_XMIT_DROP. */
#define IFACE_REFUSED 1

/* The interface sends: consumes the packet. 0 or IFACE_REFUSED. */
int iface_send(Iface *iface, Packet *packet);
void iface_put(Iface *iface, Packet *packet); /* past the queue. Consumes the packet */

/* For the one listener of NetProbes.counter; all rises are told again after host_unwatch(). */
CounterWatch *host_watch(Host *host, MibCounter counter);
void host_unwatch(Host *host);
void host_count_slow(Host *host, MibCounter counter); /* emits the probe */

/* A counter that somebody hears has risen. */
static inline void
host_count_heard(Host *host, MibCounter counter)
{
    CounterWatch *watch = host->watch != NULL ? &host->watch[counter] : NULL;
    SimTime now = sim_now(host->sim);

    if (watch == NULL || now >= watch->until) {
        host_count_slow(host, counter);
        return;
    }
    watch->at = now;
    watch->value = host->mib[counter];
}

static inline void
host_count_n(Host *host, MibCounter counter, uint64_t n)
{
    host->mib[counter] += n;
    if (probe_is_heard(&host->probes->counter))
        host_count_heard(host, counter);
}

static inline void
host_count(Host *host, MibCounter counter)
{
    host_count_n(host, counter, 1);
}

/* Emits a PacketRecord when somebody listens. */
void host_record_packet_slow(Host *host, const Iface *iface, PacketEvent event,
                             const Packet *packet, const char *reason);

static inline void
host_record_packet(Host *host, const Iface *iface, PacketEvent event, const Packet *packet,
                   const char *reason)
{
    if (probe_is_heard(&host->probes->packet))
        host_record_packet_slow(host, iface, event, packet, reason);
}

#endif
