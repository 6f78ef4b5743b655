/* The states of connections for a terminal: a row for each endpoint, time to
 * the right, idle times cut short as in the pictures.
 */
#include "scenarios/runtime/plot/internal.h"

#include <string.h>

enum { NAME_WIDTH = 34, ROWS_AT_MOST = 40, CHAINS_AT_MOST = 6, WIDTH_LEAST = 60, WIDTH_MOST = 100 };

typedef struct TextChart {
    const RunFiles *run;
    const PlotOptions *options;
    Scale scale;
    SimTime end;
    int width; /* of the bars */
} TextChart;

static const char *
state_ansi(const char *state)
{
    static const struct {
        const char *state, *code;
    } codes[] = {
        { "LISTEN", "30;48;5;252" },       { "SYN-SENT", "30;48;5;222" },
        { "SYN-RECEIVED", "30;48;5;215" }, { "ESTABLISHED", "30;48;5;151" },
        { "FIN-WAIT-1", "30;48;5;153" },   { "FIN-WAIT-2", "30;48;5;111" },
        { "CLOSE-WAIT", "30;48;5;183" },   { "CLOSING", "30;48;5;218" },
        { "LAST-ACK", "30;48;5;141" },     { "TIME-WAIT", "30;48;5;217" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if (strcmp(codes[i].state, state) == 0)
            return codes[i].code;
    return "0";
}

/* One state from column a up to b: its name if there is room for it. */
static void
append_segment(const TextChart *chart, GString *out, const char *state, int a, int b)
{
    int width = b - a, used = 0;
    bool is_closed = strcmp(state, "CLOSED") == 0;

    if (width <= 0)
        return;
    if (chart->options->color && !is_closed)
        g_string_append_printf(out, "\033[%sm", state_ansi(state));
    if (!is_closed && !chart->options->color) {
        g_string_append(out, chart->options->utf8 ? "│" : "|");
        used = 1;
    }
    if (!is_closed && (int)strlen(state) <= width - used) {
        g_string_append(out, state);
        used += (int)strlen(state);
    }
    for (; used < width; used++)
        g_string_append(out, is_closed || chart->options->color ? " "
                             : chart->options->utf8             ? "─"
                                                                : "-");
    if (chart->options->color && !is_closed)
        g_string_append(out, "\033[0m");
}

static int
column_of(const TextChart *chart, SimTime at)
{
    return (int)(scale_at(&chart->scale, at) + 0.5);
}

static void
append_row(const TextChart *chart, GString *out, unsigned first)
{
    const RunState *born = &g_array_index(chart->run->states, RunState, first);
    const char *state = "CLOSED", *remote = born->remote, *local = born->local;
    GString *bar = g_string_new(NULL);
    char *name;
    int column = 0;

    for (unsigned i = first; i < chart->run->states->len; i++) {
        const RunState *s = &g_array_index(chart->run->states, RunState, i);
        int next = column_of(chart, s->at);

        if (s->host != born->host || s->conn != born->conn)
            continue;
        remote = s->remote;
        local = s->local;
        append_segment(chart, bar, state, column, next);
        column = MAX(column, next);
        state = s->to;
    }
    append_segment(chart, bar, state, column, chart->width);
    name = strrchr(remote, ':') && strcmp(strrchr(remote, ':'), ":0") != 0
               ? g_strdup_printf("%s%s > %s", (char *)chart->run->hosts->pdata[born->host],
                                 strrchr(local, ':'), remote)
               : g_strdup_printf("%s%s", (char *)chart->run->hosts->pdata[born->host],
                                 strrchr(local, ':') ? strrchr(local, ':') : "");
    g_string_append_printf(out, "%-*.*s%s\n", NAME_WIDTH, NAME_WIDTH - 1, name, bar->str);
    g_free(name);
    g_string_free(bar, TRUE);
}

/* Below its bar each transition in words: "20 ms ESTABLISHED". */
static void
append_chain(const TextChart *chart, GString *out, unsigned first)
{
    const RunState *born = &g_array_index(chart->run->states, RunState, first);
    int column = 0;

    for (unsigned i = first; i < chart->run->states->len; i++) {
        const RunState *s = &g_array_index(chart->run->states, RunState, i);
        char time[PLOT_TIME_TEXT];
        int width;

        if (s->host != born->host || s->conn != born->conn)
            continue;
        width = (int)(strlen(plot_time(s->at, time)) + strlen(s->to)) + 3;
        if (column == 0 || column + width > NAME_WIDTH + chart->width) {
            g_string_append_printf(out, "%s%*s", column ? "\n" : "", NAME_WIDTH, "");
            column = NAME_WIDTH;
        }
        g_string_append_printf(out, "%s %s  ", time, s->to);
        column += width;
    }
    g_string_append(out, "\n\n");
}

static bool
is_first_of_conn(const RunFiles *run, unsigned at)
{
    const RunState *s = &g_array_index(run->states, RunState, at);

    for (unsigned i = 0; i < at; i++) {
        const RunState *other = &g_array_index(run->states, RunState, i);

        if (other->host == s->host && other->conn == s->conn)
            return false;
    }
    return true;
}

static unsigned
count_endpoints(const RunFiles *run)
{
    unsigned n = 0;

    for (unsigned i = 0; i < run->states->len && n <= CHAINS_AT_MOST; i++)
        n += is_first_of_conn(run, i);
    return n;
}

/* Times below the bars: at both ends, and what was cut. */
static void
append_axis(const TextChart *chart, GString *out, SimTime first)
{
    char *line = g_strnfill((gsize)chart->width, ' ');
    char start[PLOT_TIME_TEXT], end[PLOT_TIME_TEXT], span[PLOT_TIME_TEXT];

    plot_time(first, start);
    plot_time(chart->end, end);
    memcpy(line, start, strlen(start));
    memcpy(line + chart->width - (int)strlen(end), end, strlen(end));
    g_string_append_printf(out, "%-*s%s\n", NAME_WIDTH, "", line);
    for (unsigned i = 0; i < chart->scale.breaks->len; i++) {
        const ScaleBreak *b = &g_array_index(chart->scale.breaks, ScaleBreak, i);

        g_string_append_printf(out, "%-*s%*s^ %s cut out\n", NAME_WIDTH, "",
                               (int)((b->start + b->end) / 2), "", plot_time(b->span, span));
    }
    g_free(line);
}

char *
states_text(const RunFiles *run, const PlotOptions *options)
{
    unsigned width = options->width ? CLAMP(options->width, WIDTH_LEAST, WIDTH_MOST) : WIDTH_MOST;
    TextChart chart = { .run = run, .options = options, .width = (int)width - NAME_WIDTH };
    GArray *times = g_array_new(FALSE, FALSE, sizeof(SimTime));
    GString *out = g_string_new(NULL);
    unsigned rows = 0, left_out = 0;

    for (unsigned i = 0; i < run->states->len; i++) {
        SimTime at = g_array_index(run->states, RunState, i).at;

        g_array_append_val(times, at);
        chart.end = MAX(chart.end, at);
    }
    for (unsigned i = 0; i < run->packets->len; i++)
        g_array_append_val(times, g_array_index(run->packets, RunPacket, i).sent);
    g_string_append_printf(out, "%s\n\n",
                           run->title      ? run->title
                           : run->scenario ? run->scenario
                                           : "A run");
    if (times->len == 0)
        g_string_append(out, "no TCP connection changed its state\n");
    scale_init_even(&chart.scale, times, chart.width);
    for (unsigned i = 0; i < run->states->len; i++) {
        if (rows == ROWS_AT_MOST || !is_first_of_conn(run, i)) {
            left_out += rows == ROWS_AT_MOST && is_first_of_conn(run, i);
            continue;
        }
        append_row(&chart, out, i);
        if (count_endpoints(run) <= CHAINS_AT_MOST)
            append_chain(&chart, out, i);
        rows++;
    }
    if (times->len > 0)
        append_axis(&chart, out, g_array_index(times, SimTime, 0));
    if (left_out > 0)
        g_string_append_printf(out, "... and %u more\n", left_out);
    scale_done(&chart.scale);
    g_array_free(times, TRUE);
    return g_string_free(out, FALSE);
}
