#include "scenarios/runtime/series.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "models/link/link.h"
#include "scenarios/runtime/outfile.h"
#include "scenarios/runtime/thin.h"

enum {
    SAMPLED_CONNS = 10000,   /* connections with a series of their own */
    SAMPLE_ROWS_FREE = 2000, /* of one connection, before samples are gathered */
    SAMPLE_INTERVALS = 500,  /* while the run's time doubles */
    QUEUE_SERIES = 10000,
    COUNTER_ROWS_FREE = 200, /* of one counter */
};

typedef enum SeriesFile { SERIES_COUNTERS, SERIES_TCP, SERIES_QUEUES, N_SERIES } SeriesFile;

static const struct {
    const char *file, *columns;
} layouts[N_SERIES] = {
    [SERIES_COUNTERS] = { "counters.tsv", "time\thost\tcounter\tvalue\n" },
    [SERIES_TCP] = { "series/tcp.tsv",
                     "time\thost\tconn\tcwnd\tssthresh\tin_flight\tmss\tsnd_wnd\trcv_wnd\tsnd_una\t"
                     "snd_nxt\trcv_nxt\tsrtt\trto\tpacing\tca_state\n" },
    [SERIES_QUEUES] = { "series/queues.tsv", "time\tplace\tqueue\tport\tlength\tbytes\tsojourn\n" },
};

typedef struct SampleSeries {
    uint32_t rows;
    bool has_last; /* `last` waits to be written */
    SimTime until;
    TcpSampleRecord last;
} SampleSeries;

/* A queue or a counter. */
typedef struct ValueSeries {
    Thin thin;
    Series *series; /* borrows */
    const char *name;
    uint32_t host, link;
    uint16_t port, counter;
    uint8_t direction;
} ValueSeries;

struct Series {
    const Recorder *recorder; /* borrows */
    OutFile *out[N_SERIES];   /* owns */
    uint64_t left[N_SERIES];  /* rows that may still be written */
    GPtrArray *samples;       /* owns SampleSeries by connection id; NULL: none yet */
    uint32_t n_sampled;
    GPtrArray *queues;   /* owns ValueSeries */
    uint32_t last_queue; /* usually the next */
    GPtrArray *counters; /* owns ValueSeries[MIB_COUNT], by host id - 1 */
};

/* ---- Life ------------------------------------------------------------------------ */

static bool
series_make_dir(const char *dir, GError **error)
{
    char *path = g_build_filename(dir, "series", NULL);
    bool is_made = g_mkdir(path, 0777) == 0 || errno == EEXIST;

    if (!is_made)
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
    g_free(path);
    return is_made;
}

Series *
series_new(const char *dir, const Recorder *recorder, uint64_t rows, GError **error)
{
    Series *series = g_new0(Series, 1);
    bool is_good = series_make_dir(dir, error);

    series->recorder = recorder;
    series->samples = g_ptr_array_new_with_free_func(g_free);
    series->queues = g_ptr_array_new_with_free_func(g_free);
    series->counters = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; is_good && i < N_SERIES; i++) {
        series->left[i] = rows;
        series->out[i] = out_open(dir, layouts[i].file, error);
        is_good = series->out[i] != NULL;
        if (is_good)
            out_literal(series->out[i], layouts[i].columns);
    }
    if (!is_good) {
        series_discard(series);
        return NULL;
    }
    return series;
}

void
series_discard(Series *series)
{
    if (series == NULL)
        return;
    for (unsigned i = 0; i < series->counters->len; i++)
        host_unwatch(recorder_net(series->recorder)->hosts->pdata[i]);
    for (int i = 0; i < N_SERIES; i++)
        out_discard(series->out[i]);
    g_ptr_array_free(series->samples, TRUE);
    g_ptr_array_free(series->queues, TRUE);
    g_ptr_array_free(series->counters, TRUE);
    g_free(series);
}

static OutFile *
series_row(Series *series, SeriesFile file)
{
    if (series->left[file] == 0)
        return NULL;
    series->left[file]--;
    return series->out[file];
}

static void
cell_u64(OutFile *out, uint64_t value)
{
    out_u64(out, value);
    out_tab(out);
}

static void
cell_text(OutFile *out, const char *text)
{
    out_text(out, text);
    out_tab(out);
}

static void
cell_time(OutFile *out, SimTime time)
{
    out_time(out, time);
    out_tab(out);
}

/* ---- Samples of connections ---------------------------------------------------------- */

static void
sample_write(Series *series, const TcpSampleRecord *rec)
{
    OutFile *out = series_row(series, SERIES_TCP);

    if (out == NULL)
        return;
    cell_time(out, rec->at);
    cell_text(out, recorder_host_name(series->recorder, rec->host));
    cell_u64(out, rec->conn);
    cell_u64(out, rec->cwnd_segs);
    if (rec->ssthresh_segs >= INT32_MAX)
        cell_text(out, NULL); /* not known yet: no loss so far */
    else
        cell_u64(out, rec->ssthresh_segs);
    cell_u64(out, rec->in_flight_segs);
    cell_u64(out, rec->mss);
    cell_u64(out, rec->snd_wnd);
    cell_u64(out, rec->rcv_wnd);
    cell_u64(out, rec->snd_una);
    cell_u64(out, rec->snd_nxt);
    cell_u64(out, rec->rcv_nxt);
    cell_time(out, rec->srtt_ns > 0 ? rec->srtt_ns : -1);
    cell_time(out, rec->rto_ns);
    cell_u64(out, rec->pacing_rate);
    out_u64(out, rec->ca_state);
    out_char(out, '\n');
}

static SampleSeries *
sample_series(Series *series, uint32_t conn)
{
    if (conn < series->samples->len && series->samples->pdata[conn] != NULL)
        return series->samples->pdata[conn];
    if (series->n_sampled == SAMPLED_CONNS)
        return NULL;
    if (conn >= series->samples->len)
        g_ptr_array_set_size(series->samples, (int)conn + 1);
    series->n_sampled++;
    return series->samples->pdata[conn] = g_new0(SampleSeries, 1);
}

static bool
sample_says_the_same(const TcpSampleRecord *a, const TcpSampleRecord *b)
{
    return a->cwnd_segs == b->cwnd_segs && a->ssthresh_segs == b->ssthresh_segs &&
           a->in_flight_segs == b->in_flight_segs && a->snd_wnd == b->snd_wnd &&
           a->rcv_wnd == b->rcv_wnd && a->snd_una == b->snd_una && a->snd_nxt == b->snd_nxt &&
           a->rcv_nxt == b->rcv_nxt && a->srtt_ns == b->srtt_ns && a->rto_ns == b->rto_ns &&
           a->ca_state == b->ca_state;
}

void
series_on_sample(Series *series, const TcpSampleRecord *rec)
{
    SampleSeries *s = sample_series(series, rec->conn);

    if (s == NULL || (s->rows > 0 && sample_says_the_same(&s->last, rec)))
        return;
    if (s->rows < SAMPLE_ROWS_FREE) {
        sample_write(series, rec);
        s->rows++;
        s->last = *rec;
        return;
    }
    if (s->has_last && rec->at >= s->until) {
        sample_write(series, &s->last);
        s->has_last = false;
    }
    if (!s->has_last)
        s->until = rec->at + rec->at / SAMPLE_INTERVALS;
    s->last = *rec;
    s->has_last = true;
}

/* ---- Queues ------------------------------------------------------------------------------ */

static void
queue_write(void *arg, const ThinRow *row)
{
    const ValueSeries *s = arg;
    OutFile *out = series_row(s->series, SERIES_QUEUES);

    if (out == NULL)
        return;
    cell_time(out, row->at);
    if (s->link != 0) {
        const GPtrArray *links = recorder_net(s->series->recorder)->links;
        Link *link = links->pdata[s->link - 1];

        out_text(out, link_name(link));
        out_char(out, ':');
        cell_text(out, link_iface(link, s->direction)->host->name);
    } else {
        cell_text(out, recorder_host_name(s->series->recorder, s->host));
    }
    cell_text(out, s->name);
    cell_u64(out, s->port);
    cell_u64(out, row->v[0]);
    cell_u64(out, row->v[1]);
    out_time(out, (SimTime)row->v[2]);
    out_char(out, '\n');
}

static bool
queue_is(const ValueSeries *s, const QueueRecord *rec)
{
    return s->host == rec->host && s->link == rec->link && s->port == rec->port &&
           s->direction == rec->direction && strcmp(s->name, rec->name) == 0;
}

static ValueSeries *
queue_series(Series *series, const QueueRecord *rec)
{
    GPtrArray *queues = series->queues;
    ValueSeries *s;

    for (uint32_t i = 0; i < queues->len; i++) {
        uint32_t at = (series->last_queue + i) % queues->len;

        if (queue_is(queues->pdata[at], rec)) {
            series->last_queue = at;
            return queues->pdata[at];
        }
    }
    if (queues->len == QUEUE_SERIES)
        return NULL;
    s = g_new0(ValueSeries, 1);
    s->series = series;
    s->name = rec->name;
    s->host = rec->host;
    s->link = rec->link;
    s->port = rec->port;
    s->direction = rec->direction;
    series->last_queue = queues->len;
    g_ptr_array_add(queues, s);
    return s;
}

void
series_on_queue(Series *series, const QueueRecord *rec)
{
    ValueSeries *s = queue_series(series, rec);
    ThinRow row = { .at = rec->at, .v = { rec->length, rec->bytes, (uint64_t)rec->sojourn_ns } };

    if (s != NULL)
        thin_add(&s->thin, &row, queue_write, s);
}

/* ---- Counters ------------------------------------------------------------------------------ */

static void
counter_write(void *arg, const ThinRow *row)
{
    const ValueSeries *s = arg;
    OutFile *out = series_row(s->series, SERIES_COUNTERS);

    if (out == NULL)
        return;
    cell_time(out, row->at);
    cell_text(out, recorder_host_name(s->series->recorder, s->host));
    cell_text(out, mib_name((MibCounter)s->counter));
    out_u64(out, row->v[0]);
    out_char(out, '\n');
}

static ValueSeries *
counters_of(Series *series, uint32_t host)
{
    ValueSeries *all;

    if (host > series->counters->len)
        g_ptr_array_set_size(series->counters, (int)host);
    all = series->counters->pdata[host - 1];
    if (all != NULL)
        return all;
    all = series->counters->pdata[host - 1] = g_new0(ValueSeries, MIB_COUNT);
    for (unsigned i = 0; i < MIB_COUNT; i++) {
        all[i].series = series;
        all[i].host = host;
        all[i].counter = (uint16_t)i;
        all[i].thin.free_rows = COUNTER_ROWS_FREE;
    }
    return all;
}

/* What the counter rose to since an interval began, unheard. */
static CounterWatch *
counter_catch_up(ValueSeries *s)
{
    Host *host = recorder_net(s->series->recorder)->hosts->pdata[s->host - 1];
    CounterWatch *watch = host_watch(host, (MibCounter)s->counter);

    if (watch->value > s->thin.last.v[0])
        thin_rose(&s->thin, watch->at, watch->value);
    return watch;
}

/* Of an interval only the last value is of interest: until it ends the counter
 * keeps that by itself, at a few instructions a rise. */
void
series_on_counter(Series *series, const CounterRecord *rec)
{
    ThinRow row = { .at = rec->at, .v = { rec->value } };
    ValueSeries *s;
    CounterWatch *watch;

    if (rec->host == 0 || rec->counter >= MIB_COUNT)
        return;
    s = &counters_of(series, rec->host)[rec->counter];
    watch = counter_catch_up(s);
    thin_add(&s->thin, &row, counter_write, s);
    watch->until = s->thin.until;
}

/* ---- The end ----------------------------------------------------------------------------------
 */

static void
series_write_rest(Series *series)
{
    for (unsigned i = 0; i < series->samples->len; i++) {
        const SampleSeries *s = series->samples->pdata[i];

        if (s != NULL && s->has_last)
            sample_write(series, &s->last);
    }
    for (unsigned i = 0; i < series->queues->len; i++) {
        ValueSeries *s = series->queues->pdata[i];

        thin_finish(&s->thin, queue_write, s);
    }
    for (unsigned i = 0; i < series->counters->len; i++) {
        ValueSeries *all = series->counters->pdata[i];

        for (unsigned j = 0; all != NULL && j < MIB_COUNT; j++) {
            counter_catch_up(&all[j]);
            thin_finish(&all[j].thin, counter_write, &all[j]);
        }
    }
}

bool
series_finish(Series *series, GError **error)
{
    GError *first = NULL;

    series_write_rest(series);
    for (int i = 0; i < N_SERIES; i++)
        out_close(g_steal_pointer(&series->out[i]), first ? NULL : &first);
    series_discard(series);
    if (first != NULL)
        g_propagate_error(error, first);
    return first == NULL;
}
