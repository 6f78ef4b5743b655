/* The typed records that probes carry: all that a run writes or draws comes
 * from these. Text fields are static strings unless said otherwise.
 */
#ifndef HALFOPEN_MODELS_TRACE_RECORDS_H
#define HALFOPEN_MODELS_TRACE_RECORDS_H

#include "models/packet/packet.h"
#include "sim/probe.h"
#include "sim/time.h"

/* What befell a packet at a place. */
typedef enum PacketEvent {
    PACKET_EVENT_SENT,      /* a host's stack gave it to an interface */
    PACKET_EVENT_QUEUED,    /* it waits in a link's queue */
    PACKET_EVENT_DELIVERED, /* it came out of the link at the receiving interface */
    PACKET_EVENT_DROPPED,   /* it is gone: reason says where and why */
    PACKET_EVENT_DUPLICATED,
    PACKET_EVENT_DELAYED, /* a fate or jitter held it back: extra_ns */
    PACKET_EVENT_HELD,
    PACKET_EVENT_CORRUPTED,
    PACKET_EVENT_INJECTED,  /* forged by the scenario, or released from hold */
    PACKET_EVENT_MARKED,    /* ECN CE */
    PACKET_EVENT_REWRITTEN, /* by NAT, MSS clamping or a middlebox */
    PACKET_EVENT_CONSUMED,  /* the receiving stack accepted it: reason says what it did with it, if
                               known */
    PACKET_EVENT_REFUSED,   /* the receiving stack dropped it: reason is the drop rule */
} PacketEvent;

typedef struct PacketRecord {
    SimTime at;
    PacketEvent event;
    const Packet *packet;
    uint32_t link;      /* id; 0: not on a link */
    uint8_t direction;  /* of the link: 0 first end to second, 1 back */
    uint32_t host;      /* id of the host at which it happened; 0: on the link itself */
    uint32_t iface;     /* index within host */
    const char *reason; /* "loss", "queue full", "scripted drop", "TTL exceeded", ... */
    SimTime extra_ns;
} PacketRecord;

/* A connection as files and pictures name it. Emitted once, at its birth
 * (socket connect, SYN accepted into a queue, or TIME-WAIT entry) and again
 * when its remote end becomes known. */
typedef struct ConnRecord {
    SimTime at;
    uint32_t host, conn;
    Endpoint local, remote;
    uint32_t peer_hint; /* unused by stacks; recorders pair ends by endpoints and ISNs */
    bool is_passive;
} ConnRecord;

typedef struct TcpStateRecord {
    SimTime at;
    uint32_t host, conn;
    Endpoint local, remote;
    uint8_t from, to;           /* TcpState */
    const char *cause;          /* "segment", "call", "timer", "icmp" */
    const char *what;           /* "SYN-ACK", "close()", "2MSL", ... */
    const char *rule;           /* "RFC 9293 §3.10.7.3" */
    uint64_t packet;            /* id of the segment that caused it; 0: none */
    const char *counterfactual; /* name of the tunable that made it, or NULL */
} TcpStateRecord;

/* Why a segment was sent, refused, ignored, or retransmitted. */
typedef enum VerdictKind {
    VERDICT_REPLY,
    VERDICT_DROP,
    VERDICT_RETRANSMIT,
    VERDICT_NOTE,
} VerdictKind;

typedef struct VerdictRecord {
    SimTime at;
    uint32_t host, conn; /* conn 0: no connection (closed port, listener) */
    VerdictKind kind;
    uint64_t packet;  /* the segment judged, or sent */
    const char *what; /* "challenge ACK", "RTO retransmission", "accept queue full" */
    const char *rule; /* RFC section or sysctl name */
} VerdictRecord;

/* The congestion and timer variables of one connection, after something
 * changed them. */
typedef struct TcpSampleRecord {
    SimTime at;
    uint32_t host, conn;
    uint32_t cwnd_segs, ssthresh_segs, in_flight_segs, mss;
    uint32_t snd_wnd, rcv_wnd;          /* bytes */
    uint32_t snd_una, snd_nxt, rcv_nxt; /* relative to the ISNs */
    SimTime srtt_ns, rto_ns;
    uint64_t pacing_rate; /* bytes per second; 0: not paced */
    uint8_t ca_state;     /* TcpCaState */
} TcpSampleRecord;

typedef struct QueueRecord {
    SimTime at;
    uint32_t host, link; /* one of the two is 0 */
    uint8_t direction;   /* of the link */
    uint16_t port;       /* of the listener; 0: not of one */
    const char *name; /* "syn_queue", "accept_queue", "time_wait", "link", "backlog", "fragments",
                         "send_queue" */
    uint32_t length;  /* entries or packets */
    uint64_t bytes;
    SimTime sojourn_ns; /* how long the packet that comes or leaves waits in it; -1: not said */
} QueueRecord;

typedef struct CounterRecord {
    SimTime at;
    uint32_t host;
    uint16_t counter; /* MibCounter */
    uint64_t value;   /* after the change */
} CounterRecord;

/* A socket call began or returned. */
typedef struct CallRecord {
    SimTime at;
    uint32_t host, conn;
    const char *call; /* "connect", "accept", ... */
    bool returned;
    int64_t result; /* bytes, or negative errno */
    SimTime began_at;
} CallRecord;

typedef struct NetProbes {
    Probe packet;    /* PacketRecord */
    Probe conn;      /* ConnRecord */
    Probe tcp_state; /* TcpStateRecord */
    Probe verdict;   /* VerdictRecord */
    Probe sample;    /* TcpSampleRecord */
    Probe queue;     /* QueueRecord */
    Probe counter;   /* CounterRecord */
    Probe call;      /* CallRecord */
} NetProbes;

#endif
