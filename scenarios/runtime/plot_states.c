/* The states of many connections: time runs to the right, each endpoint is a
 * row, coloured by its state. Hundreds of half-open entries become a texture
 * in which one sees them come, wait and go.
 */
#include "scenarios/runtime/plot_internal.h"

#include <math.h>
#include <string.h>

enum {
    ROWS_AT_MOST = 1500,
    FEW_ROWS = 24, /* of a host: never thin, however many others have */
    FEW_CONNS = 4, /* so few endpoints are in the timeline already */
    FEW_PACKETS = 120,
};

static const double LEFT = 210, WIDTH = 980, RIGHT = 36, TOP = 128, BOTTOM = 56;
static const double ROW = 22, ROW_NAMED = 12, ROWS_HEIGHT = 900, HOST_GAP = 16;

typedef struct Row {
    int host;
    uint32_t conn;
    unsigned order; /* of birth */
    const char *local, *remote;
    GArray *states; /* owns: indices in run->states */
    double height;  /* pixels */
} Row;

typedef struct Chart {
    const RunFiles *run;
    Sheet *sheet;
    Scale scale;
    GArray *rows; /* Row */
    unsigned left_out;
    SimTime end;
} Chart;

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
    if (chart->rows->len == ROWS_AT_MOST) {
        chart->left_out++;
        return NULL;
    }
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

        if (row == NULL)
            continue;
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
    scale_init_even(&chart->scale, times, WIDTH);
    g_array_sort(chart->rows, compare_rows);
    g_array_free(times, TRUE);
    g_hash_table_destroy(by_conn);
}

/* Hosts with few rows show them well; those with many share what is left. */
static void
size_rows(Chart *chart)
{
    unsigned *of_host = g_new0(unsigned, chart->run->hosts->len);
    unsigned many = 0, few = 0;
    double thick, thin;

    for (unsigned i = 0; i < chart->rows->len; i++)
        of_host[g_array_index(chart->rows, Row, i).host]++;
    for (unsigned h = 0; h < chart->run->hosts->len; h++) {
        many += of_host[h] > FEW_ROWS ? of_host[h] : 0;
        few += of_host[h] > FEW_ROWS ? 0 : of_host[h];
    }
    thick = MIN(ROW, ROWS_HEIGHT / MAX(few, 1));
    thin = many ? MIN(ROW, MAX(ROWS_HEIGHT - few * thick, ROWS_HEIGHT / 2) / many) : thick;
    for (unsigned i = 0; i < chart->rows->len; i++) {
        Row *row = &g_array_index(chart->rows, Row, i);

        row->height = of_host[row->host] > FEW_ROWS ? MIN(thin, thick) : thick;
    }
    g_free(of_host);
}

/* ---- Drawing ------------------------------------------------------------------------ */

static void
draw_segment(Chart *chart, const char *state, SimTime from, SimTime to, double y, double height)
{
    double x1 = LEFT + scale_at(&chart->scale, from), x2 = LEFT + scale_at(&chart->scale, to);
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
            draw_segment(chart, state, since, s->at, y, row->height);
        state = s->to;
        since = s->at;
    }
    if (state != NULL)
        draw_segment(chart, state, since, chart->end, y, row->height);
}

static const char *
port_of(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');

    return colon ? colon : endpoint;
}

static void
draw_row_name(Chart *chart, const Row *row, double y)
{
    bool is_listener = strcmp(port_of(row->remote), ":0") == 0;
    char *name = is_listener ? g_strdup(port_of(row->local))
                             : g_strdup_printf("%s ↔ %s", port_of(row->local), row->remote);

    sheet_text(chart->sheet, SHEET_RIGHT, LEFT - 10, y + row->height / 2, 0, COLOR_FAINT, name);
    g_free(name);
}

static double
draw_rows(Chart *chart)
{
    double y = TOP;
    int host = -1;

    for (unsigned i = 0; i < chart->rows->len; i++) {
        const Row *row = &g_array_index(chart->rows, Row, i);

        if (row->host != host) {
            y += i > 0 ? HOST_GAP : 0;
            host = row->host;
            sheet_text(chart->sheet, SHEET_HEADS, 50, y + MAX(row->height / 2, 9), 0, COLOR_TEXT,
                       chart->run->hosts->pdata[host]);
        }
        draw_row(chart, row, y);
        if (row->height >= ROW_NAMED)
            draw_row_name(chart, row, y);
        y += row->height;
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
        double x = LEFT + scale_at(&chart->scale, at);

        if (at < first || x < last + 62 || is_cut(chart, x - LEFT))
            continue;
        last = x;
        sheet_box(chart->sheet, SHEET_RULES, x, TOP - 6, x, bottom + 6, COLOR_RULE);
        sheet_text(chart->sheet, SHEET_CENTERED, x, bottom + 20, 0, COLOR_FAINT,
                   plot_time(at, text));
    }
    for (unsigned i = 0; i < chart->scale.breaks->len; i++) {
        const ScaleBreak *b = &g_array_index(chart->scale.breaks, ScaleBreak, i);
        double x = LEFT + (b->start + b->end) / 2;
        char *label = g_strdup_printf("⋯ %s ⋯", plot_time(b->span, text));

        sheet_box(chart->sheet, SHEET_FILLS, LEFT + b->start + 4, TOP - 6, LEFT + b->end - 4,
                  bottom + 6, 0xf6f7f9);
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
    chart.rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(chart.rows, row_free);
    collect_rows(&chart);
    if (is_worth_it(&chart)) {
        chart.sheet = sheet_new();
        size_rows(&chart);
        about = g_strdup_printf("%u endpoints%s", chart.rows->len,
                                chart.left_out ? " (the first ones)" : "");
        sheet_headings(chart.sheet, run, about);
        draw_legend(&chart);
        bottom = draw_rows(&chart);
        draw_axis(&chart, bottom);
        chart.sheet->width = LEFT + WIDTH + RIGHT;
        chart.sheet->height = bottom + BOTTOM;
        g_free(about);
    }
    scale_done(&chart.scale);
    g_array_free(chart.rows, TRUE);
    return chart.sheet;
}
