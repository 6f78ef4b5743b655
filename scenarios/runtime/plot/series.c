/* Charts of one value over time: the lengths of queues, how long packets waited
 * in them, counters. What is of another kind and size stands in a panel of its
 * own: sixteen entries of an accept queue would be a flat line below a thousand
 * in TIME-WAIT.
 */
#include <math.h>
#include <string.h>

#include "scenarios/runtime/plot/charts.h"

enum {
    SERIES_DRAWN = 10,
    SERIES_OF_PANEL = 6, /* where there are several */
    NAMES_JOINED = 3,    /* of curves that are one */
};

static const double TOP = 84, KEY_ROW = 19, TICKS = 34, BOTTOM = 62; /* pixels */
static const double PANEL = 354, PANEL_OF_MANY = 210, KEY_WIDTH = 1060;
static const double TITLE_PX = 7, KEY_SAMPLE = 52;

typedef struct Kind {
    const char *picture, *template;
    const char *const *units; /* of each group: a panel */
    double least;             /* a curve that never rose above it says nothing */
} Kind;

typedef struct Panel {
    const char *unit;
    unsigned first, last; /* of the curves; from 1 */
    unsigned key_rows, key_columns;
    double most, top, bottom;
} Panel;

typedef struct Reading {
    GPtrArray *series;   /* owns RunSeries */
    GHashTable *by_name; /* borrows them */
} Reading;

/* ---- Reading ---------------------------------------------------------------------------- */

static RunSeries *
series_of(Reading *reading, const char *name, unsigned group)
{
    RunSeries *series = g_hash_table_lookup(reading->by_name, name);

    if (series == NULL) {
        series = run_series_new(name);
        series->group = group;
        g_ptr_array_add(reading->series, series);
        g_hash_table_insert(reading->by_name, series->name, series);
    }
    return series;
}

static const char *const queue_columns[] = { "time", "place", "queue", "port", "length", NULL };
static const char *const queue_units[] = { "connections", "in TIME-WAIT", "packets", "fragments" };

static unsigned
group_of_queue(const char *queue)
{
    if (strcmp(queue, "syn_queue") == 0 || strcmp(queue, "accept_queue") == 0)
        return 0;
    if (strcmp(queue, "time_wait") == 0)
        return 1;
    return strcmp(queue, "fragments") == 0 ? 3 : 2;
}

/* "server:80 accept queue"; of a link "wire, from client". g_free. */
static char *
queue_name(const char *place, const char *queue, const char *port)
{
    const char *colon = strcmp(queue, "link") == 0 ? strrchr(place, ':') : NULL;
    char *words, *name;

    if (colon != NULL)
        return g_strdup_printf("%.*s, from %s", (int)(colon - place), place, colon + 1);
    words = strcmp(queue, "syn_queue") == 0   ? g_strdup("SYN queue")
            : strcmp(queue, "time_wait") == 0 ? g_strdup("TIME-WAIT")
                                              : g_strdelimit(g_strdup(queue), "_", ' ');
    name = strcmp(port, "0") != 0 ? g_strdup_printf("%s:%s %s", place, port, words)
                                  : g_strdup_printf("%s %s", place, words);
    g_free(words);
    return name;
}

static void
on_queue_row(void *arg, char **cells)
{
    char *name = queue_name(cells[1], cells[2], cells[3]);

    run_series_add(series_of(arg, name, group_of_queue(cells[2])), run_parse_time(cells[0]),
                   g_ascii_strtod(cells[4], NULL));
    g_free(name);
}

static const char *const sojourn_columns[] = { "time", "place", "queue", "sojourn", NULL };
static const char *const sojourn_units[] = { "ms" };

/* How long packets waited, in milliseconds, where that is said. */
static void
on_sojourn_row(void *arg, char **cells)
{
    char *name;

    if (strcmp(cells[3], "-") == 0 || strcmp(cells[2], "link") != 0)
        return;
    name = queue_name(cells[1], cells[2], "0");
    run_series_add(series_of(arg, name, 0), run_parse_time(cells[0]),
                   (double)run_parse_time(cells[3]) / 1e6);
    g_free(name);
}

static const char *const counter_columns[] = { "time", "host", "counter", "value", NULL };
static const char *const counter_units[] = { "count" };

/* Counters of mere traffic grow in every run and hide those that tell. */
static bool
counter_tells(const char *name)
{
    static const char *const dull[] = { "Octets",           "InReceives",    "InDelivers",
                                        "OutRequests",      "OutTransmits",  "InSegs",
                                        "OutSegs",          "NoECTPkts",     "HPAcks",
                                        "HPHits",           "PureAcks",      "OrigDataSent",
                                        "Delivered",        "ForwDatagrams", "RcvCoalesce",
                                        "BacklogProcessed", "InDatagrams",   "OutDatagrams" };

    for (size_t i = 0; i < G_N_ELEMENTS(dull); i++)
        if (strstr(name, dull[i]) != NULL)
            return false;
    return true;
}

static void
on_counter_row(void *arg, char **cells)
{
    const char *name = cells[2];
    char *title;

    if (!counter_tells(name))
        return;
    if (g_str_has_prefix(name, "TcpExt"))
        name += strlen("TcpExt");
    title = g_strdup_printf("%s %s", cells[1], name);
    run_series_add(series_of(arg, title, 0), run_parse_time(cells[0]),
                   g_ascii_strtod(cells[3], NULL));
    g_free(title);
}

/* ---- Which curves ------------------------------------------------------------------------- */

static gint
compare_series(gconstpointer x, gconstpointer y)
{
    const RunSeries *a = *(RunSeries *const *)x, *b = *(RunSeries *const *)y;

    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->most != b->most)
        return a->most > b->most ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool
is_same_curve(const RunSeries *a, const RunSeries *b)
{
    if (a->group != b->group || a->values->len != b->values->len)
        return false;
    for (unsigned i = 0; i < a->values->len; i++) {
        const RunValue *v = &g_array_index(a->values, RunValue, i);
        const RunValue *w = &g_array_index(b->values, RunValue, i);

        if (v->at != w->at || v->value != w->value)
            return false;
    }
    return true;
}

/* "user TCPTimeouts" and "user TcpRetransSegs" are one curve: it has both names. */
static void
join_name(RunSeries *curve, const char *name)
{
    const char *space = strchr(name, ' ');
    bool same_place = space && strncmp(curve->name, name, (size_t)(space - name) + 1) == 0;
    char *joined;

    curve->n_joined++;
    if (curve->n_joined > NAMES_JOINED - 1)
        return;
    joined = g_strdup_printf("%s = %s", curve->name, same_place ? space + 1 : name);
    g_free(curve->name);
    curve->name = joined;
}

/* Those that say something, each once; in order of panels, the tallest first. */
static void
choose_curves(GPtrArray *series, double least)
{
    unsigned kept = 0;

    g_ptr_array_sort(series, compare_series);
    for (unsigned i = 0; i < series->len; i++) {
        RunSeries *one = series->pdata[i], *same = NULL;

        for (unsigned k = 0; k < kept && one->most > least && same == NULL; k++)
            if (is_same_curve(series->pdata[k], one))
                same = series->pdata[k];
        if (same != NULL)
            join_name(same, one->name);
        if (same != NULL || one->most <= least) {
            run_series_free(one);
            continue;
        }
        series->pdata[kept++] = one;
    }
    for (unsigned i = kept; i < series->len; i++)
        series->pdata[i] = NULL;
    g_ptr_array_set_size(series, (int)kept);
}

/* A panel for each group, and which curves it has; the others of a full panel go. */
static GArray *
make_panels(GPtrArray *series, const Kind *kind)
{
    GArray *panels = g_array_new(FALSE, FALSE, sizeof(Panel));
    const RunSeries *first = series->len > 0 ? series->pdata[0] : NULL;
    const RunSeries *last = series->len > 0 ? series->pdata[series->len - 1] : NULL;
    unsigned limit = first == NULL || first->group == last->group ? SERIES_DRAWN : SERIES_OF_PANEL;
    unsigned kept = 0, in_panel = 0;

    for (unsigned i = 0; i < series->len; i++) {
        RunSeries *one = series->pdata[i];
        Panel fresh = { .unit = kind->units[one->group], .first = kept + 1, .most = one->most };

        series->pdata[i] = NULL;
        if (panels->len == 0 || g_array_index(panels, Panel, panels->len - 1).unit != fresh.unit) {
            g_array_append_val(panels, fresh);
            in_panel = 0;
        }
        if (in_panel++ == limit) {
            in_panel--;
            run_series_free(one);
            continue;
        }
        series->pdata[kept++] = one;
        g_array_index(panels, Panel, panels->len - 1).last = kept;
    }
    g_ptr_array_set_size(series, (int)kept);
    return panels;
}

/* ---- Writing ----------------------------------------------------------------------------- */

static char *
curve_title(const RunSeries *curve)
{
    unsigned n_more = curve->n_joined > NAMES_JOINED - 1 ? curve->n_joined - NAMES_JOINED + 1 : 0;

    return n_more > 0 ? g_strdup_printf("%s = %u more", curve->name, n_more)
                      : g_strdup(curve->name);
}

/* Keys take as many rows as their titles need, and panels stand below each
 * other. Returns the height of it all. */
static double
place_panels(GArray *panels, const GPtrArray *series)
{
    double y = TOP;

    for (unsigned p = 0; p < panels->len; p++) {
        Panel *panel = &g_array_index(panels, Panel, p);
        double widest = 1;

        for (unsigned i = panel->first; i <= panel->last; i++) {
            char *title = curve_title(series->pdata[i - 1]);

            widest = MAX(widest, (double)g_utf8_strlen(title, -1) * TITLE_PX + KEY_SAMPLE);
            g_free(title);
        }
        panel->key_columns = (unsigned)MAX(1, KEY_WIDTH / widest);
        panel->key_rows = (panel->last - panel->first + panel->key_columns) / panel->key_columns;
        y += KEY_ROW * panel->key_rows;
        panel->top = y;
        y += panels->len > 1 ? PANEL_OF_MANY : PANEL;
        panel->bottom = y;
        y += p + 1 < panels->len ? TICKS : BOTTOM;
    }
    return y;
}

static void
append_panels(GString *s, const GArray *panels)
{
    g_string_append_printf(s, "n_panels = %u\n", panels->len);
    for (unsigned i = 0; i < 7; i++)
        g_string_append_printf(
            s, "array %s[%u]\n",
            ((const char *[]){ "first", "last", "unit", "top", "bottom", "columns", "step" })[i],
            panels->len);
    for (unsigned p = 0; p < panels->len; p++) {
        const Panel *panel = &g_array_index(panels, Panel, p);

        g_string_append_printf(s,
                               "first[%u] = %u\nlast[%u] = %u\nunit[%u] = \"%s\"\ntop[%u] = %d\n"
                               "bottom[%u] = %d\ncolumns[%u] = %u\nstep[%u] = %d\n",
                               p + 1, panel->first, p + 1, panel->last, p + 1, panel->unit, p + 1,
                               (int)panel->top, p + 1, (int)panel->bottom, p + 1,
                               panel->key_columns, p + 1, panel->most <= 8 ? 1 : 0);
    }
}

static bool
write_curve(const Charts *charts, const Kind *kind, const RunSeries *curve, unsigned number,
            GError **error)
{
    GString *rows = g_string_new(NULL);
    char *file = g_strdup_printf("%s_%u.dat", kind->picture, number);
    bool is_good;

    chart_append_row(rows, 0, (double[]){ 0 }, 1);
    for (unsigned j = 0; j < curve->values->len; j++) {
        const RunValue *v = &g_array_index(curve->values, RunValue, j);

        chart_append_row(rows, v->at, &v->value, 1);
    }
    chart_append_row(rows, charts->run->ended_at, &curve->last, 1);
    is_good = chart_write(charts, file, rows->str, error);
    g_free(file);
    g_string_free(rows, TRUE);
    return is_good;
}

static bool
write_head(const Charts *charts, const Kind *kind, const GPtrArray *series, const GArray *panels,
           unsigned n_all, GError **error)
{
    GString *s = g_string_new(NULL);
    char *file = g_strconcat(kind->picture, "_titles.gp", NULL);
    bool is_good;

    chart_append_head(charts, s, series->len, n_all);
    g_string_append_printf(s, "array titles[%u]\n", MAX(series->len, 1));
    for (unsigned i = 0; i < series->len; i++) {
        char *title = curve_title(series->pdata[i]);

        g_string_append_printf(s, "titles[%u] = \"%s\"\n", i + 1, title);
        g_free(title);
    }
    append_panels(s, panels);
    is_good = chart_write(charts, file, s->str, error);
    g_free(file);
    g_string_free(s, TRUE);
    return is_good;
}

static bool
series_chart(const Charts *charts, const Kind *kind, GPtrArray *series, GArray *jobs,
             GError **error)
{
    unsigned n_all;
    GArray *panels;
    double height;
    bool is_good = true;

    choose_curves(series, kind->least);
    n_all = series->len;
    panels = make_panels(series, kind);
    height = place_panels(panels, series);
    for (unsigned i = 0; is_good && i < series->len; i++)
        is_good = write_curve(charts, kind, series->pdata[i], i + 1, error);
    if (is_good && series->len > 0) {
        is_good = write_head(charts, kind, series, panels, n_all, error);
        chart_add_job(jobs, kind->template, kind->picture, height);
    }
    g_array_free(panels, TRUE);
    return is_good;
}

static bool
read_and_draw(const Charts *charts, const char *file, const char *const *columns, RunRowFn *on_row,
              const Kind *kind, GArray *jobs, GError **error)
{
    Reading reading = { g_ptr_array_new_with_free_func(run_series_free),
                        g_hash_table_new(g_str_hash, g_str_equal) };
    bool is_good = run_files_read_table(charts->run->dir, file, columns, on_row, &reading, error);

    g_hash_table_destroy(reading.by_name);
    is_good = is_good && series_chart(charts, kind, reading.series, jobs, error);
    g_ptr_array_free(reading.series, TRUE);
    return is_good;
}

bool
series_charts(const Charts *charts, GArray *jobs, GError **error)
{
    static const Kind queues = { "queues", "queues.gp", queue_units, 2 };
    static const Kind sojourn = { "sojourn", "sojourn.gp", sojourn_units, 2 };
    static const Kind counters = { "counters", "counters.gp", counter_units, 2 };

    return read_and_draw(charts, "series/queues.tsv", queue_columns, on_queue_row, &queues, jobs,
                         error) &&
           read_and_draw(charts, "series/queues.tsv", sojourn_columns, on_sojourn_row, &sojourn,
                         jobs, error) &&
           read_and_draw(charts, "counters.tsv", counter_columns, on_counter_row, &counters, jobs,
                         error);
}
