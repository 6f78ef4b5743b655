/* What a run remembers. A Recorder subscribes to the probes of a Net and keeps
 * a compact log in memory: connections, transitions, packets with all that
 * befell them, verdicts, socket calls, samples, queue lengths, counters. The
 * expectations of a scenario and the ladder read the log; the writer of a
 * run's folder hangs a TraceSink on it and gets everything, in order, while
 * the run goes.
 *
 * A packet is logged once for each crossing of a link: a packet that goes
 * through two routers makes three entries. An entry is closed when what became
 * of it is known: lost, or taken or refused by the stack that received it.
 *
 * Memory is bounded. Each kind of entry has a limit; what comes after it is
 * still counted, still given to the sink, and then forgotten. So a flood of
 * millions of packets costs a window of open entries and no more. Whoever
 * judges by the log asks recorder_is_complete() first.
 *
 * Nothing here opens a file; nothing here is called by a protocol.
 */
#ifndef HALFOPEN_MODELS_TRACE_RECORDER_H
#define HALFOPEN_MODELS_TRACE_RECORDER_H

#include "models/node/node.h"

typedef struct Recorder Recorder;

/* What befell a packet on one crossing; several may be true. */
enum {
    TRACE_LOST = 0x0001,     /* gone before it arrived: reason says where and why */
    TRACE_ARRIVED = 0x0002,  /* came out of the link at `to` */
    TRACE_CONSUMED = 0x0004, /* the receiving stack took it */
    TRACE_REFUSED = 0x0008,  /* the receiving stack dropped it: reason says by which rule */
    TRACE_INJECTED = 0x0010, /* forged by the scenario, or put on the link by it */
    TRACE_COPY = 0x0020,     /* a duplicate that the network made */
    TRACE_DELAYED = 0x0040,  /* held back by extra_ns */
    TRACE_HELD = 0x0080,     /* stopped by a fate until released */
    TRACE_CORRUPTED = 0x0100,
    TRACE_MARKED = 0x0200, /* ECN CE */
    TRACE_REWRITTEN = 0x0400,
    TRACE_RETRANSMIT = 0x0800, /* carries bytes that its sender sent before */
    TRACE_OVERTAKEN = 0x2000,  /* one sent after it arrived first */
    TRACE_FORWARDED = 0x4000,  /* `from` is a router, not the source */
    TRACE_CLOSED = 0x8000,     /* nothing more will happen to it */
    TRACE_QUEUED = 0x10000,    /* waited in the link's queue */
    TRACE_FRAGMENT = 0x20000,
    TRACE_STRAY =
        0x40000, /* its numbers are those of another SYN of its four-tuple: forged, or of old */
};

/* One crossing of one link by one packet. Times of what has not happened are -1. */
typedef struct TracePacket {
    SimTime sent_at;  /* given to the link (or made, for an injected one) */
    SimTime ended_at; /* arrived, or was lost */
    SimTime extra_ns; /* by which it was delayed on purpose */
    uint64_t id, copy_of;
    uint64_t tags[2]; /* free for the sink */
    const char
        *reason;     /* of the loss or refusal; NULL: none. Static, or lives as long as the run */
    const char *why; /* the rule that made the packet (Packet.why) */
    uint32_t what;   /* TRACE_* */
    uint32_t conn;   /* of the sender; 0: none */
    uint16_t from,
        to; /* host ids; from 0: nowhere (injected at the receiver's door); to 0: not known */
    uint16_t from_if, to_if;
    uint16_t link;     /* id; 0: none */
    uint8_t direction; /* of the link */
    uint8_t proto;     /* IP_PROTO_* */
    uint8_t ttl, tos;
    uint16_t ip_id, ip_len, frag_offset;
    bool df, mf;
    Endpoint src, dst; /* ports 0 where the protocol has none */

    /* TCP; zero otherwise. Relative numbers are as Wireshark shows them: minus
     * the initial sequence number seen on this four-tuple, 0 if none was seen.
     * TRACE_STRAY: minus that of the other SYN. */
    uint16_t flags;  /* TCP_SYN ... ; for ICMP: type << 8 | code */
    uint8_t options; /* TCPOPT_HAS_* */
    uint8_t wscale, n_sacks;
    uint16_t wnd, mss, urg; /* of ICMP: mss is its MTU */
    uint32_t len;           /* bytes of payload */
    uint32_t seq, ack;      /* as on the wire */
    uint32_t rel_seq, rel_ack;
    uint32_t tsval, tsecr;
    SackBlock sacks[TCP_MAX_SACK_BLOCKS]; /* relative */
    uint32_t stream;                      /* of the first payload byte: which incarnation sent it */
} TracePacket;

/* The log of connections, one an endpoint: a ConnRecord and how it stands. */
typedef struct TraceConn {
    SimTime born_at;
    uint32_t host, conn;
    Endpoint local, remote;
    bool is_passive;
    uint8_t state; /* TcpState now */
    uint32_t n_transitions;
} TraceConn;

/* Numbers that stay exact however much was forgotten. */
typedef struct TraceTotals {
    uint64_t packets; /* crossings begun */
    uint64_t bytes;   /* of IP, of those */
    uint64_t arrived, lost, refused, injected, copies, retransmits, corrupted, marked;
    uint64_t conns, transitions, verdicts, calls, samples, queues;
} TraceTotals;

/* The same for one direction of one link. */
typedef struct TraceLane {
    uint64_t packets, bytes; /* given to the link */
    uint64_t lost, arrived;
    uint64_t last_arrival; /* the recorder's own */
} TraceLane;

/* How much of each kind is kept in memory: the first so many. 0 keeps none. */
typedef struct RecorderOptions {
    uint32_t packets, conns, transitions, verdicts, calls, samples, queues;
    uint32_t window;       /* entries of packets that may be open at once */
    bool counters_by_time; /* hear counters rise (for the sink) */
    bool samples_by_time;  /* hear samples and queue lengths */
} RecorderOptions;

RecorderOptions recorder_options_default(void); /* 200,000 of each, all heard */

/* Told everything while the run goes. Any function may be NULL. Entries may be
 * looked at during the call only. */
typedef struct TraceSink {
    void *arg;
    void (*on_sent)(void *arg, TracePacket *entry,
                    const Packet *packet); /* the packet as sent: may be rendered */
    void (*on_arrived)(void *arg, TracePacket *entry, const Packet *packet); /* as received */
    void (*on_closed)(void *arg, TracePacket *entry);                        /* its fate is known */
    void (*on_packet)(
        void *arg,
        const TracePacket *entry); /* closed, and all sent before it too: in order of sending */
    void (*on_conn)(void *arg, const TraceConn *conn);
    void (*on_transition)(void *arg, const TcpStateRecord *transition);
    void (*on_verdict)(void *arg, const VerdictRecord *verdict);
    void (*on_call)(void *arg, const CallRecord *call);
    void (*on_sample)(void *arg, const TcpSampleRecord *sample);
    void (*on_queue)(void *arg, const QueueRecord *queue);
    void (*on_counter)(void *arg, const CounterRecord *counter);
} TraceSink;

/* Borrows net, which must outlive it. */
Recorder *recorder_new(Net *net, const RecorderOptions *options);
void recorder_free(Recorder *recorder);
Net *recorder_net(const Recorder *recorder);

/* One sink at most; copied. NULL takes it off. Set it before the run. */
void recorder_set_sink(Recorder *recorder, const TraceSink *sink);

/* The run is over: closes every open entry (those still on their way keep
 * neither TRACE_ARRIVED nor TRACE_LOST). Idempotent. */
void recorder_finish(Recorder *recorder);

/* False when something of the kind was forgotten. */
typedef enum TraceKind {
    TRACE_KIND_PACKETS,
    TRACE_KIND_CONNS,
    TRACE_KIND_TRANSITIONS,
    TRACE_KIND_VERDICTS,
    TRACE_KIND_CALLS,
    TRACE_KIND_SAMPLES,
    TRACE_KIND_QUEUES,
    TRACE_N_KINDS
} TraceKind;
bool recorder_is_complete(const Recorder *recorder, TraceKind kind);

/* The kept entries, in order of happening; index < count. */
size_t recorder_count(const Recorder *recorder, TraceKind kind);
const TracePacket *recorder_packet(const Recorder *recorder,
                                   size_t index); /* in order of sending */
const TraceConn *recorder_conn(const Recorder *recorder, size_t index);
const TcpStateRecord *recorder_transition(const Recorder *recorder, size_t index);
const VerdictRecord *recorder_verdict(const Recorder *recorder, size_t index);
const CallRecord *recorder_call(const Recorder *recorder, size_t index);
const TcpSampleRecord *recorder_sample(const Recorder *recorder, size_t index);
const QueueRecord *recorder_queue(const Recorder *recorder, size_t index);

const TraceConn *recorder_find_conn(const Recorder *recorder,
                                    uint32_t conn); /* by id; NULL: not kept */
const TraceTotals *recorder_totals(const Recorder *recorder);

/* Zeros for a link that carried nothing. link is its id. */
TraceLane recorder_lane(const Recorder *recorder, uint32_t link, unsigned direction);

/* The largest length a queue ever had: name as in QueueRecord; host, link or
 * port 0 matches any. 0 when never heard of. Exact whatever was forgotten. */
uint32_t recorder_queue_peak(const Recorder *recorder, const char *name, uint32_t host,
                             uint16_t port);

/* "lost", "arrived", "refused", "held", "in flight": one word for the fate. */
const char *trace_packet_fate(const TracePacket *entry);
/* "SYN", "SYN+ACK", "FIN+ACK", "ACK", "RST", "PSH+ACK", "ICMP", "UDP"... */
#define TRACE_FLAGS_TEXT 40
const char *trace_packet_flags(const TracePacket *entry, char text[TRACE_FLAGS_TEXT]);
/* The fate in words, for comments and lists: "lost on wire: scripted drop". */
/* A relative number as people read it: "-999" is a little below the SYN's. */
#define TRACE_NUMBER_TEXT 12
const char *trace_number_text(uint32_t number, char text[TRACE_NUMBER_TEXT]);

#define TRACE_FATE_TEXT 160
const char *trace_packet_story(const Recorder *recorder, const TracePacket *entry,
                               char text[TRACE_FATE_TEXT]);
const char *recorder_host_name(const Recorder *recorder, uint32_t host); /* "" for 0 */

#endif
