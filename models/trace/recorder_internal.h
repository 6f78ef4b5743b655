/* Inside the recorder: its log of packets (packetlog.c), the table of initial
 * sequence numbers (flowtable.c) and the rest (recorder.c). Only models/trace/
 * and its tests include this.
 */
#ifndef HALFOPEN_MODELS_TRACE_RECORDER_INTERNAL_H
#define HALFOPEN_MODELS_TRACE_RECORDER_INTERNAL_H

#include "models/trace/recorder.h"

/* ---- flowtable.c: what relative sequence numbers are relative to ------------ */

/* One four-tuple; direction 0 is from `a` to `b`, a being the smaller. */
typedef struct TraceFlow {
    Endpoint a, b;
    uint32_t isn[2];
    uint32_t other[2]; /* of a SYN that does not belong: forged, or of an earlier incarnation */
    bool has_other[2];
    uint32_t end[2];  /* one past the last sequence number sent, to tell retransmissions ... */
    uint32_t conn[2]; /* ... of the connection whose SYN was seen last; 0: nobody's */
    bool has_isn[2];
    bool has_end[2];
    bool is_used;
    bool is_proven; /* more than a SYN and its answer: a flood can't push it out */
} TraceFlow;

/* Grows up to a fixed number of four-tuples; then half-open ones give way. */
typedef struct TraceFlowTable {
    TraceFlow *flows; /* owns; a power of two */
    uint32_t size, used;
} TraceFlowTable;

void trace_flows_init(TraceFlowTable *table);
void trace_flows_done(TraceFlowTable *table);

/* Learns from a TCP segment as its sender sends it and fills in the relative
 * numbers of `entry`. True when it repeats sequence space sent before. */
bool trace_flows_see(TraceFlowTable *table, TracePacket *entry);

/* ---- packetlog.c: crossings --------------------------------------------------- */

#define TRACE_CHUNK 1024u

/* Entries by serial number, in chunks. Chunks of entries past the limit of what
 * is kept go back to the free list once all before them is closed. */
typedef struct TracePacketLog {
    GPtrArray *chunks;    /* owns: TracePacket[TRACE_CHUNK], or NULL when forgotten */
    GPtrArray *spare;     /* owns */
    uint64_t n_entries;   /* serial of the next */
    uint64_t n_done;      /* all before it are closed and were told */
    uint64_t first_chunk; /* past the kept ones: the first not yet forgotten */
    uint64_t keep;        /* whole chunks' worth of entries kept */
    uint32_t window;

    struct {
        uint64_t id, serial;
    } * open; /* owns: open-addressed map of open entries by packet id; id 0: free */
    uint32_t open_size, open_used;

    GArray *arrived; /* owns: uint64_t serials that arrived at arrived_at and are not closed */
    SimTime arrived_at;
    GArray *lanes; /* owns TraceLane by link * 2 + direction; last_arrival: serial + 1 */
} TracePacketLog;

void trace_packets_init(TracePacketLog *log, const RecorderOptions *options);
void trace_packets_done(TracePacketLog *log);
void trace_packets_on_record(Recorder *recorder, const PacketRecord *record);
void trace_packets_refuse(Recorder *recorder, const VerdictRecord *verdict);
void trace_packets_finish(Recorder *recorder);

/* ---- recorder.c ----------------------------------------------------------------- */

typedef struct TracePeak {
    const char *name;
    uint32_t host, link;
    uint16_t port;
    uint8_t direction;
    uint32_t length;
} TracePeak;

struct Recorder {
    Net *net; /* borrows */
    RecorderOptions options;
    TraceSink sink;
    bool hears_counters;
    bool is_finished;
    TraceTotals totals;
    TracePacketLog packets;
    TraceFlowTable flows;
    GArray *conns;       /* owns TraceConn */
    GArray *conn_by_id;  /* owns uint32_t: index + 1 in conns; 0: not kept */
    GArray *transitions; /* owns TcpStateRecord */
    GArray *verdicts;    /* owns VerdictRecord */
    GArray *calls;       /* owns CallRecord */
    GArray *samples;     /* owns TcpSampleRecord */
    GArray *queues;      /* owns QueueRecord */
    GArray *peaks;       /* owns TracePeak */
    uint32_t last_peak;  /* index of the one last raised: usually the next */
};

#endif
