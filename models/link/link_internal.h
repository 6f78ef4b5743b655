/* The inside of a link, shared by the files of models/link/.
 *
 * A packet goes through one direction like this:
 *
 *   link_send -> fate -> loss, duplicate, corrupt -> queue -> transmitter -> pipe -> host_receive
 *   link.c      fate.c   impair.c                    transmit.c, qdisc_*.c    pipe.c
 *
 * With a plain FIFO queue nothing can change once a packet has arrived, so
 * transmit.c computes at arrival when its first and last bit will leave, and
 * only notes that time in a ring, from which the length of the queue is read.
 * The packet goes into the pipe at once: no event marks the end of its
 * transmission. A queue that decides at departure (CoDel) or a rate that comes
 * from a trace needs a real transmitter: a LinkServer, with its own event.
 */
#ifndef HALFOPEN_MODELS_LINK_LINK_INTERNAL_H
#define HALFOPEN_MODELS_LINK_LINK_INTERNAL_H

#include "models/link/link.h"

struct Qdisc; /* models/link/qdisc.h */

/* What waits behind a plain FIFO transmitter. */
typedef struct WaitEntry {
    SimTime tx_at;
    uint32_t bytes;
} WaitEntry;

typedef struct WaitRing {
    uint32_t first, count, room; /* room is 0 or a power of two */
    WaitEntry *entries;          /* owns */
    uint64_t bytes;
} WaitRing;

/* Packets by time, ties by order of adding. */
typedef struct HeapItem {
    SimTime due;
    uint64_t order;
    Packet *packet;   /* owns */
    bool is_injected; /* tell the probe when its time comes */
} HeapItem;

typedef struct PacketHeap {
    uint32_t count, room;
    HeapItem *items; /* owns */
    uint64_t last_order;
} PacketHeap;

/* Packets that arrive: most in a list in order of arrival and of due time. One
 * event for the head of it, or of LinkEnd.unordered. */
typedef struct Pipe {
    Packet *head, *tail; /* owns, through Packet.next */
    SimTime event_at;    /* when the earliest event will look; SIM_NEVER: none */
} Pipe;

/* A list of packets that wait for something else than time in the pipe. */
typedef struct PacketList {
    Packet *head, *tail; /* owns */
    uint32_t count;
    uint64_t bytes; /* of IP datagrams */
} PacketList;

void packet_list_append(PacketList *list, Packet *packet);
Packet *packet_list_take(PacketList *list); /* the first; NULL: empty */
void packet_heap_add(PacketHeap *heap, Packet *packet, SimTime due, bool is_injected);
HeapItem packet_heap_take(PacketHeap *heap); /* the earliest, of a heap that holds one */

/* Loss, jitter and the other dice of a direction, made when first needed. */
typedef struct Impairments {
    SimRng loss, jitter, duplicate, corrupt, reorder, queue;
    bool is_bad;         /* Gilbert-Elliott: the state */
    uint32_t burst_left; /* burst: packets yet to be lost */
    uint64_t serial;     /* packets that met the dice, from 1 */
    uint32_t list_at;    /* loss list: next index */
} Impairments;

/* The event-driven transmitter. */
typedef struct LinkServer {
    struct Qdisc *qdisc;  /* owns */
    SimTime event_at;     /* when the earliest event will look; SIM_NEVER: none */
    Packet *in_service;   /* owns: trace: partly delivered */
    uint32_t bytes_left;  /* of it */
    SimTime trace_origin; /* when the trace began */
    uint64_t trace_next;  /* opportunities used up so far */
} LinkServer;

/* FATE_REORDER: waits until `left` others went past. */
typedef struct Overtaken {
    Packet *packet; /* owns */
    uint32_t left;
    SimTime until; /* SIM_NEVER: however long it takes */
} Overtaken;

enum { LINK_MEMOS = 4 };

/* The transmission time of packets of one size. */
typedef struct TransmitMemo {
    uint32_t ip_bytes; /* 0: not used yet */
    SimTime ns;
    uint64_t rest; /* what the division left over, in ns / rate */
} TransmitMemo;

/* What directions that are made alike share, however many there are: one place
 * in the cache for all. Only the memos are ever written. */
typedef struct LinkTraits {
    Sim *sim; /* borrows, as the next two */
    NetProbes *probes;
    PacketPool *packets;
    uint64_t rate; /* bit/s; 0: infinitely fast */
    SimTime delay;
    uint64_t limit_bytes;
    uint32_t limit_packets;
    uint32_t mtu;
    uint32_t overhead;
    TransmitMemo memos[LINK_MEMOS]; /* by size: most packets are of few sizes */
} LinkTraits;

/* One direction: the sending side at `from`. */
struct LinkEnd {
    /* What every packet touches: one cache line, and a second where packets wait. */
    SIM_LINE_ALIGNED LinkTraits *traits; /* borrows: of the Net's arena */
    Iface *to;                           /* borrows */
    SimTime busy_until;                  /* the transmitter */
    uint64_t rest;                       /* carried over from the packets before, in ns / rate */
    Pipe pipe;
    bool is_plain;   /* up, no dice, no fate, plain FIFO: the short way */
    bool is_ordered; /* nothing in `unordered` */
    uint8_t direction;
    bool has_own_traits; /* they were changed since: nobody shares them */

    SIM_LINE_ALIGNED WaitRing waiting;

    /* The rest. */
    PacketHeap unordered; /* in the pipe: held back or overtaking */
    Link *link;           /* borrows */
    Iface *from;          /* borrows */
    LinkParams params;    /* owns its list and tables */
    Impairments *dice;    /* owns; NULL: never needed */
    LinkServer *server;   /* owns; NULL: plain FIFO */
    SimTime last_due;     /* jitter that keeps order */
    uint32_t told_queue;  /* the length that the queue probe heard last */
    PacketList held;      /* FATE_HOLD */
    PacketHeap deferred;  /* to be sent later: injected, duplicates */
    GArray *overtaken;    /* owns Overtaken; NULL: none ever */
};

struct Link {
    Net *net;    /* borrows */
    char *name;  /* owns */
    uint32_t id; /* 1, 2, ... in the order of creation */
    bool is_up;
    LinkFateFn *fate;
    void *fate_arg;
    LinkEnd ends[2];
};

/* link.c */
void link_record(const LinkEnd *end, PacketEvent event, const Packet *packet, const char *reason,
                 SimTime extra);
void link_drop(LinkEnd *end, Packet *packet, const char *reason); /* records; consumes */
void link_enter(LinkEnd *end, Packet *packet); /* past the fate: dice, queue, pipe. Consumes */
void link_enter_overtaken(LinkEnd *end, Packet *packet); /* the same for one that let others pass */
void link_record_queue(LinkEnd *end, SimTime sojourn);
void link_record_queue_change(LinkEnd *end); /* only if its length is another than was told */
void link_end_refresh(LinkEnd *end);         /* params, fate or state changed */

static inline SimTime
link_now(const LinkEnd *end)
{
    return sim_now(end->traits->sim);
}

static inline void
link_note(const LinkEnd *end, PacketEvent event, const Packet *packet, const char *reason,
          SimTime extra)
{
    if (probe_is_heard(&end->traits->probes->packet))
        link_record(end, event, packet, reason, extra);
}

/* traits.c: sets them from params */
void link_traits_update(LinkEnd *end);

/* transmit.c: consume the packet */
void transmit_fifo(LinkEnd *end, Packet *packet, SimTime now);
SimTime transmit_time(LinkEnd *end, uint32_t ip_bytes);
/* Last bit left at `sent`: adds delay, jitter and reordering, and into the pipe. */
void transmit_done(LinkEnd *end, Packet *packet, SimTime sent);
void link_end_queue(const LinkEnd *end, uint32_t *packets, uint64_t *bytes); /* that wait now */

/* server.c */
LinkServer *server_new(LinkEnd *end);
void server_free(LinkEnd *end, LinkServer *server); /* frees what it holds */
void server_send(LinkEnd *end, Packet *packet, SimTime now);
Packet *server_take(LinkEnd *end); /* whatever waits, without transmitting it; NULL: nothing */
void server_queue(const LinkEnd *end, uint32_t *packets, uint64_t *bytes);

/* pipe.c */
void pipe_add(LinkEnd *end, Packet *packet,
              SimTime due); /* by packet->tx_at, in order if it can be */
void pipe_add_unordered(LinkEnd *end, Packet *packet, SimTime due); /* held back or overtaking */
Packet *pipe_take_any(LinkEnd *end);                                /* for emptying; NULL: empty */

/* impair.c */
Impairments *impair_dice(LinkEnd *end);
bool impair_loses(LinkEnd *end, const Packet *packet, const char **reason);
SimTime impair_jitter(LinkEnd *end); /* to be added to the delay; may be negative */

/* fate.c */
bool fate_apply(LinkEnd *end, Packet *packet); /* true: consumed */
void fate_passed(LinkEnd *end);                /* a packet went past those in `overtaken` */
void fate_defer(LinkEnd *end, Packet *packet, SimTime after, bool is_injected);
void fate_done(LinkEnd *end);

/* corrupt.c: changes the datagram as on the wire, as a FATE_CORRUPT says;
 * returns the packet that a receiver makes of it. Consumes packet. */
Packet *corrupt_packet(LinkEnd *end, Packet *packet, const Fate *how);

#endif
