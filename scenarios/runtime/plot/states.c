/* The states of many connections: time runs to the right, each endpoint is a
 * row, coloured by its state. Of a host with more endpoints than rows can be
 * told apart, it is counted how many are in which state (crowd.c).
 */
#include <math.h>
#include <string.h>

#include "scenarios/runtime/plot/states.h"

enum {
    FEW_CONNS = 4, /* so few endpoints are in the timeline already */
    FEW_PACKETS = 120,
};

static const double RIGHT = 36, TOP = 128, BOTTOM = 56;
static const double ROW = 22, ROW_NAMED = 12, ROWS_HEIGHT = 900, HOST_GAP = 24;
static const double NAME_PX = 8.6, ENDPOINT_PX = 6.6; /* a character's width */

static void
row_free(gpointer data)
{
    g_array_free(((Row *)data)->states, TRUE);
}

static Row *
find_row(Chart *chart, GHashTable *by_conn, const RunState *s)
{
    gpointer at = g_hash_table_lookup(by_conn, GUINT_TO_POINTER(s->conn));
    Row fresh = { .host = s->host,
                  .conn = s->conn,
                  .order = chart->rows->len,
                  .local = s->local,
                  .remote = s->remote };

    if (at != NULL)
        return &g_array_index(chart->rows, Row, GPOINTER_TO_UINT(at) - 1);
    fresh.states = g_array_new(FALSE, FALSE, sizeof(unsigned));
    g_array_append_val(chart->rows, fresh);
    g_hash_table_insert(by_conn, GUINT_TO_POINTER(s->conn), GUINT_TO_POINTER(chart->rows->len));
    return &g_array_index(chart->rows, Row, chart->rows->len - 1);
}

static gint
compare_rows(gconstpointer x, gconstpointer y)
{
    const Row *a = x, *b = y;

    if (a->host != b->host)
        return a->host < b->host ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Some endpoint is still in another state than CLOSED when the run ends. */
static bool
something_stands(const Chart *chart)
{
    for (unsigned i = 0; i < chart->rows->len; i++) {
        const GArray *states = g_array_index(chart->rows, Row, i).states;
        unsigned last = g_array_index(states, unsigned, states->len - 1);

        if (strcmp(g_array_index(chart->run->states, RunState, last).to, "CLOSED") != 0)
            return true;
    }
    return false;
}

static void
collect_rows(Chart *chart)
{
    GHashTable *by_conn = g_hash_table_new(NULL, NULL);
    GArray *times = g_array_new(FALSE, FALSE, sizeof(SimTime));

    for (unsigned i = 0; i < chart->run->states->len; i++) {
        const RunState *s = &g_array_index(chart->run->states, RunState, i);
        Row *row = find_row(chart, by_conn, s);

        if (strcmp(s->remote, row->remote) != 0)
            row->remote = s->remote;
        if (strcmp(s->local, row->local) != 0)
            row->local = s->local;
        g_array_append_val(row->states, i);
        g_array_append_val(times, s->at);
        chart->end = MAX(chart->end, s->at);
    }
    for (unsigned i = 0; i < chart->run->packets->len; i++) {
        const RunPacket *p = &g_array_index(chart->run->packets, RunPacket, i);

        g_array_append_val(times, p->sent);
        chart->end = MAX(chart->end, p->sent);
    }
    /* What still stands at the end of the run is seen to stand; the scale cuts
     * the time until then short. */
    if (something_stands(chart))
        chart->end = MAX(chart->end, chart->run->ended_at);
    g_array_append_val(times, chart->end);
    scale_init_even(&chart->scale, times, STATES_WIDTH);
    g_array_sort(chart->rows, compare_rows);
    g_array_free(times, TRUE);
    g_hash_table_destroy(by_conn);
}

static const char *
port_of(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');

    return colon ? colon : endpoint;
}

/* g_free. */
static char *
row_name(const Row *row)
{
    bool is_listener = strcmp(port_of(row->remote), ":0") == 0;

    return is_listener ? g_strdup(port_of(row->local))
                       : g_strdup_printf("%s ↔ %s", port_of(row->local), row->remote);
}

static bool
is_crowd(const Chart *chart, int host)
{
    return chart->n_of_host[host] > CROWD;
}

static bool
is_named(const Chart *chart)
{
    return chart->row_height >= ROW_NAMED;
}

/* The rows that are drawn share the height; names take what they need. */
static void
size_rows(Chart *chart)
{
    unsigned drawn = 0;
    double name_px = 0, endpoint_px = 0;

    for (unsigned i = 0; i < chart->rows->len; i++)
        chart->n_of_host[g_array_index(chart->rows, Row, i).host]++;
    for (unsigned i = 0; i < chart->rows->len; i++)
        drawn += !is_crowd(chart, g_array_index(chart->rows, Row, i).host);
    chart->row_height = MIN(ROW, ROWS_HEIGHT / MAX(drawn, 1));
    for (unsigned i = 0; i < chart->rows->len; i++) {
        const Row *row = &g_array_index(chart->rows, Row, i);
        char *name = row_name(row);
        const char *host = chart->run->hosts->pdata[row->host];

        name_px = MAX(name_px, (double)g_utf8_strlen(host, -1) * NAME_PX);
        if (is_named(chart) && !is_crowd(chart, row->host))
            endpoint_px = MAX(endpoint_px, (double)g_utf8_strlen(name, -1) * ENDPOINT_PX);
        g_free(name);
    }
    chart->left = MAX(24 + name_px + 16 + endpoint_px + 10, LEFT_LEAST);
}

/* ---- Drawing ------------------------------------------------------------------------ */

static void
draw_segment(Chart *chart, const char *state, SimTime from, SimTime to, double y, double height)
{
    double x1 = chart->left + scale_at(&chart->scale, from),
           x2 = chart->left + scale_at(&chart->scale, to);
    double inset = height > 8 ? 2 : 0;

    if (strcmp(state, "CLOSED") == 0)
        return;
    sheet_box(chart->sheet, SHEET_BANDS, x1, y + inset, MAX(x2, x1 + 0.6), y + height - inset,
              state_color(state));
    if (height >= 16 && x2 - x1 > (double)strlen(state) * 7 + 6)
        sheet_text(chart->sheet, SHEET_CENTERED, (x1 + x2) / 2, y + height / 2, 0, state_ink(state),
                   state);
}

static void
draw_row(Chart *chart, const Row *row, double y)
{
    const char *state = NULL;
    SimTime since = 0;

    for (unsigned i = 0; i < row->states->len; i++) {
        const RunState *s =
            &g_array_index(chart->run->states, RunState, g_array_index(row->states, unsigned, i));

        if (state != NULL)
            draw_segment(chart, state, since, s->at, y, chart->row_height);
        state = s->to;
        since = s->at;
    }
    if (state != NULL)
        draw_segment(chart, state, since, chart->end, y, chart->row_height);
}

static void
draw_row_name(Chart *chart, const Row *row, double y)
{
    char *name = row_name(row);

    sheet_text(chart->sheet, SHEET_RIGHT, chart->left - 10, y + chart->row_height / 2, 0,
               COLOR_FAINT, name);
    g_free(name);
}

static void
draw_host_name(Chart *chart, int host, double y)
{
    const char *name = chart->run->hosts->pdata[host];

    sheet_text(chart->sheet, SHEET_NAMES, 24, y, 0, COLOR_TEXT, name);
}

/* All rows of one host, from the `first` on. Returns where they end. */
static double
draw_host_rows(Chart *chart, unsigned first, unsigned n, double y)
{
    draw_host_name(chart, g_array_index(chart->rows, Row, first).host,
                   y + MAX(chart->row_height / 2, 9));
    for (unsigned i = first; i < first + n; i++) {
        const Row *row = &g_array_index(chart->rows, Row, i);

        draw_row(chart, row, y);
        if (is_named(chart))
            draw_row_name(chart, row, y);
        y += chart->row_height;
    }
    return y;
}

static double
draw_hosts(Chart *chart)
{
    double y = TOP;

    for (unsigned i = 0; i < chart->rows->len;) {
        int host = g_array_index(chart->rows, Row, i).host;
        unsigned n = chart->n_of_host[host];

        y += i > 0 ? HOST_GAP : 0;
        if (is_crowd(chart, host)) {
            draw_host_name(chart, host, y + 9);
            y = crowd_draw(chart, i, n, y);
        } else {
            y = draw_host_rows(chart, i, n, y);
        }
        i += n;
    }
    return y;
}

static void
draw_legend(Chart *chart)
{
    static const char *const names[] = { "LISTEN",     "SYN-SENT",   "SYN-RECEIVED", "ESTABLISHED",
                                         "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",   "CLOSING",
                                         "LAST-ACK",   "TIME-WAIT" };
    double x = 24;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        bool is_seen = false;

        for (unsigned j = 0; j < chart->run->states->len && !is_seen; j++)
            is_seen = strcmp(g_array_index(chart->run->states, RunState, j).to, names[i]) == 0;
        if (!is_seen)
            continue;
        sheet_box(chart->sheet, SHEET_BANDS, x, 76, x + 20, 90, state_color(names[i]));
        sheet_text(chart->sheet, SHEET_LEFT, x + 26, 83, 0, COLOR_TEXT, names[i]);
        x += 44 + (double)strlen(names[i]) * 7.4;
    }
}

/* 1, 2 or 5 times a power of ten of nanoseconds. */
static SimTime
round_step(SimTime about)
{
    SimTime step = 1;

    while (step * 10 <= about)
        step *= 10;
    if (step * 5 <= about)
        return step * 5;
    return step * 2 <= about ? step * 2 : step;
}

/* Within a break, where the axis tells no time. */
static bool
is_cut(const Chart *chart, double where)
{
    for (unsigned i = 0; i < chart->scale.breaks->len; i++) {
        const ScaleBreak *b = &g_array_index(chart->scale.breaks, ScaleBreak, i);

        if (where > b->start && where < b->end)
            return true;
    }
    return false;
}

static void
draw_axis(Chart *chart, double bottom)
{
    SimTime first = chart->end, cut = 0;
    SimTime step;
    double last = -1e9;
    char text[PLOT_TIME_TEXT];

    for (unsigned i = 0; i < chart->run->states->len; i++)
        first = MIN(first, g_array_index(chart->run->states, RunState, i).at);
    for (unsigned i = 0; i < chart->scale.breaks->len; i++)
        cut += g_array_index(chart->scale.breaks, ScaleBreak, i).span;
    step = round_step(MAX((chart->end - first - cut) / 8, 1));
    for (SimTime at = first / step * step; at <= chart->end; at += step) {
        double x = chart->left + scale_at(&chart->scale, at);

        if (at < first || x < last + 62 || is_cut(chart, x - chart->left))
            continue;
        last = x;
        sheet_box(chart->sheet, SHEET_RULES, x, TOP - 6, x, bottom + 6, COLOR_RULE);
        sheet_text(chart->sheet, SHEET_CENTERED, x, bottom + 20, 0, COLOR_FAINT,
                   plot_time(at, text));
    }
    for (unsigned i = 0; i < chart->scale.breaks->len; i++) {
        const ScaleBreak *b = &g_array_index(chart->scale.breaks, ScaleBreak, i);
        double x = chart->left + (b->start + b->end) / 2;
        char *label = g_strdup_printf("⋯ %s ⋯", plot_time(b->span, text));

        sheet_box(chart->sheet, SHEET_FILLS, chart->left + b->start + 4, TOP - 6,
                  chart->left + b->end - 4, bottom + 6, 0xf6f7f9);
        sheet_text(chart->sheet, SHEET_CENTERED, x, TOP - 14, 0, COLOR_FAINT, label);
        for (int k = -1; k <= 1; k += 2)
            sheet_box(chart->sheet, SHEET_LINES, x + 3 * k, TOP - 6, x + 3 * k, bottom + 6,
                      0xffffff);
        g_free(label);
    }
}

static bool
is_worth_it(const Chart *chart)
{
    return chart->rows->len > FEW_CONNS ||
           (chart->rows->len > 1 && chart->run->packets->len > FEW_PACKETS);
}

Sheet *
states_sheet(const RunFiles *run)
{
    Chart chart = { .run = run };
    double bottom;
    char *about;

    if (run->states->len == 0)
        return NULL;
    chart.n_of_host = g_new0(unsigned, run->hosts->len);
    chart.rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(chart.rows, row_free);
    collect_rows(&chart);
    if (is_worth_it(&chart)) {
        chart.sheet = sheet_new();
        size_rows(&chart);
        about = g_strdup_printf("%u endpoints", chart.rows->len);
        sheet_headings(chart.sheet, run, about);
        draw_legend(&chart);
        bottom = draw_hosts(&chart);
        draw_axis(&chart, bottom);
        chart.sheet->width = chart.left + STATES_WIDTH + RIGHT;
        chart.sheet->height = bottom + BOTTOM;
        g_free(about);
    }
    scale_done(&chart.scale);
    g_array_free(chart.rows, TRUE);
    g_free(chart.n_of_host);
    return chart.sheet;
}
