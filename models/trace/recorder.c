/* The recorder: see recorder.h. Here are its subscriptions and the logs of
 * everything but packets.
 */
#include "models/trace/recorder_internal.h"

#include <string.h>

#include "models/tcp/tcp.h"

enum { ENTRIES_KEPT = 200000, WINDOW = 65536 };

RecorderOptions
recorder_options_default(void)
{
    return (RecorderOptions){
        .packets = ENTRIES_KEPT,
        .conns = ENTRIES_KEPT,
        .transitions = ENTRIES_KEPT,
        .verdicts = ENTRIES_KEPT,
        .calls = ENTRIES_KEPT,
        .samples = ENTRIES_KEPT,
        .queues = ENTRIES_KEPT,
        .window = WINDOW,
        .counters_by_time = true,
        .samples_by_time = true,
    };
}

/* ---- Hearing -------------------------------------------------------------------- */

static void
on_packet(void *arg, const void *record)
{
    trace_packets_on_record(arg, record);
}

/* Keeps a record while there is room. */
static void
keep(GArray *log, uint32_t limit, const void *record)
{
    if (log->len < limit)
        g_array_append_vals(log, record, 1);
}

static TraceConn *
conn_lookup(const Recorder *recorder, uint32_t conn)
{
    uint32_t at =
        conn < recorder->conn_by_id->len ? g_array_index(recorder->conn_by_id, uint32_t, conn) : 0;

    return at ? &g_array_index(recorder->conns, TraceConn, at - 1) : NULL;
}

static void
conn_keep(Recorder *recorder, const TraceConn *conn)
{
    if (recorder->conns->len >= recorder->options.conns)
        return;
    g_array_append_vals(recorder->conns, conn, 1);
    if (conn->conn >= recorder->conn_by_id->len)
        g_array_set_size(recorder->conn_by_id, conn->conn + 1);
    g_array_index(recorder->conn_by_id, uint32_t, conn->conn) = recorder->conns->len;
}

static void
on_conn(void *arg, const void *record)
{
    Recorder *recorder = arg;
    const ConnRecord *rec = record;
    TraceConn fresh = { .born_at = rec->at, .host = rec->host, .conn = rec->conn };
    TraceConn *conn = conn_lookup(recorder, rec->conn);

    if (conn == NULL) {
        recorder->totals.conns++;
        conn = &fresh;
    }
    conn->local = rec->local;
    conn->remote = rec->remote;
    conn->is_passive = rec->is_passive;
    if (recorder->sink.on_conn)
        recorder->sink.on_conn(recorder->sink.arg, conn);
    if (conn == &fresh)
        conn_keep(recorder, conn);
}

/* An entry of a SYN queue is first heard of when its state changes. A listener
 * is no connection. */
static TraceConn *
conn_of_transition(Recorder *recorder, const TcpStateRecord *rec)
{
    TraceConn *conn = conn_lookup(recorder, rec->conn);
    TraceConn fresh = { .born_at = rec->at,
                        .host = rec->host,
                        .conn = rec->conn,
                        .local = rec->local,
                        .remote = rec->remote,
                        .is_passive = rec->from == TCP_LISTEN };

    if (conn != NULL || rec->to == TCP_LISTEN || rec->remote.port == 0)
        return conn;
    if (rec->from == TCP_CLOSED || rec->from == TCP_LISTEN)
        recorder->totals.conns++;
    if (recorder->sink.on_conn)
        recorder->sink.on_conn(recorder->sink.arg, &fresh);
    conn_keep(recorder, &fresh);
    return conn_lookup(recorder, rec->conn);
}

static void
on_tcp_state(void *arg, const void *record)
{
    Recorder *recorder = arg;
    const TcpStateRecord *rec = record;
    TraceConn *conn = conn_of_transition(recorder, rec);

    recorder->totals.transitions++;
    keep(recorder->transitions, recorder->options.transitions, rec);
    if (conn != NULL) {
        conn->state = rec->to;
        conn->n_transitions++;
        if (rec->local.port != 0)
            conn->local = rec->local;
        if (rec->remote.port != 0)
            conn->remote = rec->remote;
    }
    if (recorder->sink.on_transition)
        recorder->sink.on_transition(recorder->sink.arg, rec);
}

static void
on_verdict(void *arg, const void *record)
{
    Recorder *recorder = arg;
    const VerdictRecord *rec = record;

    if (rec->kind == VERDICT_DROP && rec->packet != 0)
        trace_packets_refuse(recorder, rec);
    recorder->totals.verdicts++;
    keep(recorder->verdicts, recorder->options.verdicts, record);
    if (recorder->sink.on_verdict)
        recorder->sink.on_verdict(recorder->sink.arg, record);
}

static void
on_call(void *arg, const void *record)
{
    Recorder *recorder = arg;

    recorder->totals.calls++;
    keep(recorder->calls, recorder->options.calls, record);
    if (recorder->sink.on_call)
        recorder->sink.on_call(recorder->sink.arg, record);
}

static void
on_sample(void *arg, const void *record)
{
    Recorder *recorder = arg;

    recorder->totals.samples++;
    keep(recorder->samples, recorder->options.samples, record);
    if (recorder->sink.on_sample)
        recorder->sink.on_sample(recorder->sink.arg, record);
}

static bool
peak_is(const TracePeak *peak, const QueueRecord *rec)
{
    return peak->host == rec->host && peak->link == rec->link && peak->port == rec->port &&
           peak->direction == rec->direction && strcmp(peak->name, rec->name) == 0;
}

static void
peaks_raise(Recorder *recorder, const QueueRecord *rec)
{
    GArray *peaks = recorder->peaks;

    for (uint32_t i = 0; i < peaks->len; i++) {
        uint32_t at = (recorder->last_peak + i) % peaks->len;
        TracePeak *peak = &g_array_index(peaks, TracePeak, at);

        if (peak_is(peak, rec)) {
            peak->length = MAX(peak->length, rec->length);
            recorder->last_peak = at;
            return;
        }
    }
    TracePeak fresh = { .name = rec->name,
                        .host = rec->host,
                        .link = rec->link,
                        .port = rec->port,
                        .direction = rec->direction,
                        .length = rec->length };
    recorder->last_peak = peaks->len;
    g_array_append_val(peaks, fresh);
}

static void
on_queue(void *arg, const void *record)
{
    Recorder *recorder = arg;

    recorder->totals.queues++;
    peaks_raise(recorder, record);
    keep(recorder->queues, recorder->options.queues, record);
    if (recorder->sink.on_queue)
        recorder->sink.on_queue(recorder->sink.arg, record);
}

static void
on_counter(void *arg, const void *record)
{
    const Recorder *recorder = arg;

    recorder->sink.on_counter(recorder->sink.arg, record); /* or it would not have subscribed */
}

/* ---- Life ------------------------------------------------------------------------ */

Recorder *
recorder_new(Net *net, const RecorderOptions *options)
{
    Recorder *recorder = g_new0(Recorder, 1);

    recorder->net = net;
    recorder->options = options ? *options : recorder_options_default();
    trace_packets_init(&recorder->packets, &recorder->options);
    trace_flows_init(&recorder->flows);
    recorder->conns = g_array_new(FALSE, FALSE, sizeof(TraceConn));
    recorder->conn_by_id = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    recorder->transitions = g_array_new(FALSE, FALSE, sizeof(TcpStateRecord));
    recorder->verdicts = g_array_new(FALSE, FALSE, sizeof(VerdictRecord));
    recorder->calls = g_array_new(FALSE, FALSE, sizeof(CallRecord));
    recorder->samples = g_array_new(FALSE, FALSE, sizeof(TcpSampleRecord));
    recorder->queues = g_array_new(FALSE, FALSE, sizeof(QueueRecord));
    recorder->peaks = g_array_new(FALSE, FALSE, sizeof(TracePeak));

    probe_subscribe(&net->probes.packet, on_packet, recorder);
    probe_subscribe(&net->probes.conn, on_conn, recorder);
    probe_subscribe(&net->probes.tcp_state, on_tcp_state, recorder);
    probe_subscribe(&net->probes.verdict, on_verdict, recorder);
    probe_subscribe(&net->probes.call, on_call, recorder);
    if (recorder->options.samples_by_time) {
        probe_subscribe(&net->probes.sample, on_sample, recorder);
        probe_subscribe(&net->probes.queue, on_queue, recorder);
    }
    return recorder;
}

void
recorder_free(Recorder *recorder)
{
    NetProbes *probes = &recorder->net->probes;

    probe_unsubscribe(&probes->packet, on_packet, recorder);
    probe_unsubscribe(&probes->conn, on_conn, recorder);
    probe_unsubscribe(&probes->tcp_state, on_tcp_state, recorder);
    probe_unsubscribe(&probes->verdict, on_verdict, recorder);
    probe_unsubscribe(&probes->call, on_call, recorder);
    if (recorder->options.samples_by_time) {
        probe_unsubscribe(&probes->sample, on_sample, recorder);
        probe_unsubscribe(&probes->queue, on_queue, recorder);
    }
    if (recorder->hears_counters)
        probe_unsubscribe(&probes->counter, on_counter, recorder);
    trace_packets_done(&recorder->packets);
    trace_flows_done(&recorder->flows);
    g_array_free(recorder->conns, TRUE);
    g_array_free(recorder->conn_by_id, TRUE);
    g_array_free(recorder->transitions, TRUE);
    g_array_free(recorder->verdicts, TRUE);
    g_array_free(recorder->calls, TRUE);
    g_array_free(recorder->samples, TRUE);
    g_array_free(recorder->queues, TRUE);
    g_array_free(recorder->peaks, TRUE);
    g_free(recorder);
}

Net *
recorder_net(const Recorder *recorder)
{
    return recorder->net;
}

void
recorder_set_sink(Recorder *recorder, const TraceSink *sink)
{
    Probe *counter = &recorder->net->probes.counter;
    bool hear = sink != NULL && sink->on_counter != NULL && recorder->options.counters_by_time;

    recorder->sink = sink ? *sink : (TraceSink){ 0 };
    if (hear && !recorder->hears_counters)
        probe_subscribe(counter, on_counter, recorder);
    if (!hear && recorder->hears_counters)
        probe_unsubscribe(counter, on_counter, recorder);
    recorder->hears_counters = hear;
}

void
recorder_finish(Recorder *recorder)
{
    if (recorder->is_finished)
        return;
    recorder->is_finished = true;
    trace_packets_finish(recorder);
}

/* ---- Asking ----------------------------------------------------------------------- */

size_t
recorder_count(const Recorder *recorder, TraceKind kind)
{
    switch (kind) {
    case TRACE_KIND_PACKETS:
        return MIN(recorder->packets.n_entries, recorder->packets.keep);
    case TRACE_KIND_CONNS:
        return recorder->conns->len;
    case TRACE_KIND_TRANSITIONS:
        return recorder->transitions->len;
    case TRACE_KIND_VERDICTS:
        return recorder->verdicts->len;
    case TRACE_KIND_CALLS:
        return recorder->calls->len;
    case TRACE_KIND_SAMPLES:
        return recorder->samples->len;
    case TRACE_KIND_QUEUES:
        return recorder->queues->len;
    case TRACE_N_KINDS:
        break;
    }
    return 0;
}

static uint64_t
total_of(const Recorder *recorder, TraceKind kind)
{
    const TraceTotals *totals = &recorder->totals;
    const uint64_t of[TRACE_N_KINDS] = {
        totals->packets, totals->conns,   totals->transitions, totals->verdicts,
        totals->calls,   totals->samples, totals->queues,
    };

    return of[kind];
}

bool
recorder_is_complete(const Recorder *recorder, TraceKind kind)
{
    return recorder_count(recorder, kind) == total_of(recorder, kind);
}

const TracePacket *
recorder_packet(const Recorder *recorder, size_t index)
{
    const TracePacket *chunk = recorder->packets.chunks->pdata[index / TRACE_CHUNK];

    return &chunk[index % TRACE_CHUNK];
}

const TraceConn *
recorder_conn(const Recorder *recorder, size_t index)
{
    return &g_array_index(recorder->conns, TraceConn, index);
}

const TcpStateRecord *
recorder_transition(const Recorder *recorder, size_t index)
{
    return &g_array_index(recorder->transitions, TcpStateRecord, index);
}

const VerdictRecord *
recorder_verdict(const Recorder *recorder, size_t index)
{
    return &g_array_index(recorder->verdicts, VerdictRecord, index);
}

const CallRecord *
recorder_call(const Recorder *recorder, size_t index)
{
    return &g_array_index(recorder->calls, CallRecord, index);
}

const TcpSampleRecord *
recorder_sample(const Recorder *recorder, size_t index)
{
    return &g_array_index(recorder->samples, TcpSampleRecord, index);
}

const QueueRecord *
recorder_queue(const Recorder *recorder, size_t index)
{
    return &g_array_index(recorder->queues, QueueRecord, index);
}

const TraceConn *
recorder_find_conn(const Recorder *recorder, uint32_t conn)
{
    return conn_lookup(recorder, conn);
}

const TraceTotals *
recorder_totals(const Recorder *recorder)
{
    return &recorder->totals;
}

uint32_t
recorder_queue_peak(const Recorder *recorder, const char *name, uint32_t host, uint16_t port)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < recorder->peaks->len; i++) {
        const TracePeak *peak = &g_array_index(recorder->peaks, TracePeak, i);

        if ((host == 0 || peak->host == host) && (port == 0 || peak->port == port) &&
            strcmp(peak->name, name) == 0)
            most = MAX(most, peak->length);
    }
    return most;
}
