/* Charts of values over time: congestion windows and round-trip times, the
 * sequence-time graph; queues and counters are in series.c. Each is a set
 * of data files and a list of titles for a gnuplot template of the same name in
 * scripts/plot/.
 */
#include "scenarios/runtime/plot/charts.h"

#include <math.h>
#include <string.h>

enum {
    CONNS_DRAWN = 4,
    SAMPLES_LEAST = 20, /* fewer say nothing that the timeline does not */
    SEGMENTS_LEAST = 20,
};

void
chart_append_row(GString *out, SimTime at, const double *values, unsigned n)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(out, g_ascii_formatd(text, sizeof text, "%.9f", (double)at / 1e9));
    for (unsigned i = 0; i < n; i++) {
        g_string_append_c(out, ' ');
        g_string_append(
            out, isnan(values[i]) ? "NaN" : g_ascii_formatd(text, sizeof text, "%.10g", values[i]));
    }
    g_string_append_c(out, '\n');
}

bool
chart_write(const Charts *charts, const char *name, const char *text, GError **error)
{
    char *path = g_build_filename(charts->data, name, NULL);
    bool is_good = g_file_set_contents(path, text, -1, error);

    g_free(path);
    return is_good;
}

void
chart_append_head(const Charts *charts, GString *out, unsigned n_drawn, unsigned n_all)
{
    char *run_title = g_strdup(charts->run->title ? charts->run->title : "");

    g_strdelimit(run_title, "\"\\", '\'');
    g_string_append_printf(out, "run_title = \"%s\"\n", run_title);
    if (n_all > n_drawn)
        g_string_append_printf(out, "left_out = \"  ·  %u of %u drawn\"\n", n_drawn, n_all);
    else
        g_string_append(out, "left_out = \"\"\n");
    g_free(run_title);
}

/* The titles of a chart's series, as gnuplot reads them, and what to say when
 * there would be `n_all` of them. */
static bool
write_titles(const Charts *charts, const char *picture, unsigned n_all, GPtrArray *titles,
             GError **error)
{
    GString *s = g_string_new(NULL);
    char *file = g_strconcat(picture, "_titles.gp", NULL);
    bool is_good;

    chart_append_head(charts, s, titles->len, n_all);
    g_string_append_printf(s, "n = %u\narray titles[%u]\n", titles->len, MAX(titles->len, 1));
    for (unsigned i = 0; i < titles->len; i++)
        g_string_append_printf(s, "titles[%u] = \"%s\"\n", i + 1, (char *)titles->pdata[i]);
    is_good = chart_write(charts, file, s->str, error);
    g_free(file);
    g_string_free(s, TRUE);
    return is_good;
}

void
chart_add_job(GArray *jobs, const char *template, const char *picture, double height)
{
    ChartJob job = { template, picture, CHART_WIDTH, height };

    g_array_append_val(jobs, job);
}

/* ---- Congestion window and times --------------------------------------------------------- */

typedef struct ConnSamples {
    uint32_t conn;
    unsigned n;
    double first_cwnd;
    bool varies;   /* its window ever changed */
    bool is_first; /* of its host, of those with most samples */
    char *host;    /* owns */
    char *title;   /* owns */
    GString *rows; /* owns */
} ConnSamples;

static void
conn_samples_free(gpointer data)
{
    ConnSamples *c = data;

    g_free(c->host);
    g_free(c->title);
    g_string_free(c->rows, TRUE);
    g_free(c);
}

static const char *const tcp_columns[] = { "time",      "host", "conn", "cwnd", "ssthresh",
                                           "in_flight", "srtt", "rto",  NULL };

static double
value_of(const char *cell)
{
    return strcmp(cell, "-") == 0 ? NAN : g_ascii_strtod(cell, NULL);
}

static void
on_tcp_row(void *arg, char **cells)
{
    GPtrArray *conns = arg;
    uint32_t id = (uint32_t)g_ascii_strtoull(cells[2], NULL, 10);
    ConnSamples *c = NULL;
    double values[] = { value_of(cells[3]), value_of(cells[4]), value_of(cells[5]),
                        value_of(cells[6]) * 1e3, value_of(cells[7]) * 1e3 };

    for (unsigned i = 0; i < conns->len && c == NULL; i++)
        if (((ConnSamples *)conns->pdata[i])->conn == id)
            c = conns->pdata[i];
    if (c == NULL) {
        if (conns->len == 256)
            return;
        c = g_new0(ConnSamples, 1);
        c->conn = id;
        c->first_cwnd = values[0];
        c->host = g_strdup(cells[1]);
        c->title = g_strdup_printf("%s, connection %u", cells[1], id);
        c->rows = g_string_new(NULL);
        g_ptr_array_add(conns, c);
    }
    c->n++;
    c->varies = c->varies || values[0] != c->first_cwnd;
    chart_append_row(c->rows, run_parse_time(cells[0]), values, G_N_ELEMENTS(values));
}

static gint
compare_samples(gconstpointer x, gconstpointer y)
{
    const ConnSamples *a = *(ConnSamples *const *)x, *b = *(ConnSamples *const *)y;

    if (a->varies != b->varies)
        return a->varies ? -1 : 1;
    if (a->is_first != b->is_first)
        return a->is_first ? -1 : 1;
    if (a->n != b->n)
        return a->n > b->n ? -1 : 1;
    return a->conn < b->conn ? -1 : a->conn > b->conn;
}

/* The best of each host before the second of any: what a run compares, it mostly
 * compares between hosts. */
static void
sort_samples(GPtrArray *conns)
{
    g_ptr_array_sort(conns, compare_samples);
    for (unsigned i = 0; i < conns->len; i++) {
        ConnSamples *c = conns->pdata[i];

        c->is_first = true;
        for (unsigned j = 0; j < i && c->is_first; j++)
            c->is_first = strcmp(((ConnSamples *)conns->pdata[j])->host, c->host) != 0;
    }
    g_ptr_array_sort(conns, compare_samples);
}

/* Those with samples enough to be drawn, if there were room for all. */
static unsigned
count_worth_drawing(const GPtrArray *conns)
{
    unsigned n = 0;

    for (unsigned i = 0; i < conns->len; i++) {
        const ConnSamples *c = conns->pdata[i];

        n += c->n >= SAMPLES_LEAST && (i == 0 || c->varies);
    }
    return n;
}

static bool
cwnd_chart(const Charts *charts, GArray *jobs, GError **error)
{
    GPtrArray *conns = g_ptr_array_new_with_free_func(conn_samples_free);
    GPtrArray *titles = g_ptr_array_new();
    bool is_good = run_files_read_table(charts->run->dir, "series/tcp.tsv", tcp_columns, on_tcp_row,
                                        conns, error);

    sort_samples(conns);
    for (unsigned i = 0; is_good && i < conns->len && titles->len < CONNS_DRAWN; i++) {
        const ConnSamples *c = conns->pdata[i];
        char *file;

        if (i > 0 && !c->varies)
            break;
        if (c->n < SAMPLES_LEAST)
            continue;
        g_ptr_array_add(titles, c->title);
        file = g_strdup_printf("cwnd_%u.dat", titles->len);
        is_good = chart_write(charts, file, c->rows->str, error);
        g_free(file);
    }
    if (is_good && titles->len > 0) {
        is_good = write_titles(charts, "cwnd", count_worth_drawing(conns), titles, error);
        chart_add_job(jobs, "cwnd.gp", "cwnd", 760);
    }
    g_ptr_array_free(titles, TRUE);
    g_ptr_array_free(conns, TRUE);
    return is_good;
}

/* ---- The sequence-time graph ------------------------------------------------------------------
 */

typedef struct SeqGraph {
    const char *src, *dst; /* interned by the run's files */
    unsigned wscale;       /* of who receives the data */
    GHashTable *sent_at;   /* packet number -> SimTime *: when the sender sent it */
    GString *sent, *again, *lost, *acks, *window;
} SeqGraph;

/* The direction of the run that carried most bytes. */
static uint64_t
find_bulk(const RunFiles *run, SeqGraph *graph)
{
    GHashTable *bytes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    uint64_t most = 0;

    for (unsigned i = 0; i < run->packets->len; i++) {
        const RunPacket *p = &g_array_index(run->packets, RunPacket, i);
        char *key;
        uint64_t *sum;

        if (p->len == 0 || strcmp(p->proto, "tcp") != 0 || strpbrk(p->marks, "cfi"))
            continue;
        key = g_strconcat(p->src, ">", p->dst, NULL);
        sum = g_hash_table_lookup(bytes, key);
        if (sum == NULL)
            g_hash_table_insert(bytes, g_strdup(key), sum = g_new0(uint64_t, 1));
        sum[0] += 1;
        if (*sum > most) {
            most = *sum;
            graph->src = p->src;
            graph->dst = p->dst;
        }
        g_free(key);
    }
    g_hash_table_destroy(bytes);
    return most;
}

static unsigned
wscale_in(const char *options)
{
    const char *ws = strstr(options, "ws ");

    return ws ? (unsigned)g_ascii_strtoull(ws + 3, NULL, 10) : 0;
}

/* A loss is marked on the segment's stroke, wherever on its way it happened. */
static void
graph_data(SeqGraph *graph, const RunPacket *p)
{
    double values[] = { p->seq, (double)p->seq + p->len };

    const SimTime *sent_at;

    if (p->len == 0 || strchr(p->marks, 'c'))
        return;
    if (!strchr(p->marks, 'f')) {
        chart_append_row(strchr(p->marks, 'r') ? graph->again : graph->sent, p->sent, values, 2);
        g_hash_table_insert(graph->sent_at, g_memdup2(&p->id, sizeof p->id),
                            g_memdup2(&p->sent, sizeof p->sent));
    }
    sent_at = g_hash_table_lookup(graph->sent_at, &p->id);
    if (strcmp(p->fate, "lost") == 0)
        chart_append_row(graph->lost, sent_at ? *sent_at : p->sent, values, 2);
}

static void
graph_ack(SeqGraph *graph, const RunPacket *p, int sender)
{
    bool is_syn = strstr(p->flags, "SYN") != NULL;
    double ack = p->ack, edge = ack + (double)p->win * (is_syn ? 1 : 1u << MIN(graph->wscale, 14));

    if (p->ended < 0 || p->to != sender || strstr(p->flags, "ACK") == NULL ||
        strcmp(p->fate, "lost") == 0)
        return;
    chart_append_row(graph->acks, p->ended, &ack, 1);
    chart_append_row(graph->window, p->ended, &edge, 1);
}

static void
graph_fill(SeqGraph *graph, const RunFiles *run)
{
    int sender = -1;

    for (unsigned i = 0; i < run->packets->len; i++) {
        const RunPacket *p = &g_array_index(run->packets, RunPacket, i);

        if (p->src == graph->src && p->dst == graph->dst) {
            if (sender < 0)
                sender = p->from;
            graph_data(graph, p);
        } else if (p->src == graph->dst && p->dst == graph->src) {
            if (strstr(p->flags, "SYN"))
                graph->wscale = wscale_in(p->options);
            graph_ack(graph, p, sender);
        }
    }
}

static bool
seq_chart(const Charts *charts, GArray *jobs, GError **error)
{
    SeqGraph graph = { .src = NULL };
    GPtrArray *titles;
    bool is_good;
    const char *none = "NaN NaN NaN\n"; /* gnuplot refuses an empty file */

    if (find_bulk(charts->run, &graph) < SEGMENTS_LEAST)
        return true;
    titles = g_ptr_array_new_with_free_func(g_free);
    graph.sent_at = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    graph.sent = g_string_new(none);
    graph.again = g_string_new(none);
    graph.lost = g_string_new(none);
    graph.acks = g_string_new(none);
    graph.window = g_string_new(none);
    graph_fill(&graph, charts->run);
    g_ptr_array_add(titles, g_strdup_printf("%s → %s", graph.src, graph.dst));
    is_good = chart_write(charts, "seq_sent.dat", graph.sent->str, error) &&
              chart_write(charts, "seq_again.dat", graph.again->str, error) &&
              chart_write(charts, "seq_lost.dat", graph.lost->str, error) &&
              chart_write(charts, "seq_acks.dat", graph.acks->str, error) &&
              chart_write(charts, "seq_window.dat", graph.window->str, error) &&
              write_titles(charts, "seq", 1, titles, error);
    if (is_good)
        chart_add_job(jobs, "seq.gp", "seq", 720);
    g_hash_table_destroy(graph.sent_at);
    g_string_free(graph.sent, TRUE);
    g_string_free(graph.again, TRUE);
    g_string_free(graph.lost, TRUE);
    g_string_free(graph.acks, TRUE);
    g_string_free(graph.window, TRUE);
    g_ptr_array_free(titles, TRUE);
    return is_good;
}

bool
charts_prepare(const RunFiles *run, const PlotOptions *options, const char *data, GArray *jobs,
               GError **error)
{
    Charts charts = { .run = run, .data = data };

    (void)options;
    return cwnd_chart(&charts, jobs, error) && seq_chart(&charts, jobs, error) &&
           series_charts(&charts, jobs, error);
}
