/* The endpoints of a crowded host, counted: areas one on top of the other, one
 * a state, as high as there are endpoints in it.
 */
#include <math.h>
#include <string.h>

#include "scenarios/runtime/plot/states.h"

enum { COLUMN = 2, COLUMNS = (int)STATES_WIDTH / COLUMN, LINES = 4 };

static const double HEIGHT = 300;
static const double SEAM = 0.4; /* each box goes a little below the next: no light between them */

/* From the bottom up, in the order of a connection's life. */
static const char *const layers[] = { "LISTEN",     "SYN-SENT",   "SYN-RECEIVED", "ESTABLISHED",
                                      "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",   "CLOSING",
                                      "LAST-ACK",   "TIME-WAIT" };

/* Endpoints in a state, as an average over each column's time: a state that
 * lasts a tenth of a column counts a tenth. */
typedef struct Crowd {
    double count[G_N_ELEMENTS(layers)][COLUMNS];
    double more[G_N_ELEMENTS(layers)][COLUMNS + 1]; /* than in the column before, for all of it */
    double most;
} Crowd;

static int
layer_of(const char *state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
        if (strcmp(layers[i], state) == 0)
            return (int)i;
    return -1; /* CLOSED */
}

static void
count_stay(const Chart *chart, Crowd *crowd, const char *state, SimTime from, SimTime to)
{
    double x1 = scale_at(&chart->scale, from) / COLUMN, x2 = scale_at(&chart->scale, to) / COLUMN;
    int first = MIN((int)x1, COLUMNS - 1), last = MIN((int)x2, COLUMNS - 1);
    int layer = layer_of(state);

    if (layer < 0)
        return;
    if (first == last) {
        crowd->count[layer][first] += x2 - x1;
        return;
    }
    crowd->count[layer][first] += first + 1 - x1;
    crowd->count[layer][last] += x2 - last;
    crowd->more[layer][first + 1]++;
    crowd->more[layer][last]--;
}

static void
count_whole_columns(Crowd *crowd)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++) {
        double n = 0;

        for (int c = 0; c < COLUMNS; c++) {
            n += crowd->more[i][c];
            crowd->count[i][c] += n;
        }
    }
}

static void
count_row(Chart *chart, Crowd *crowd, const Row *row)
{
    const char *state = "CLOSED";
    SimTime since = 0;

    for (unsigned i = 0; i < row->states->len; i++) {
        const RunState *s =
            &g_array_index(chart->run->states, RunState, g_array_index(row->states, unsigned, i));

        count_stay(chart, crowd, state, since, s->at);
        state = s->to;
        since = s->at;
    }
    count_stay(chart, crowd, state, since, chart->end);
}

static double
count_all(const Crowd *crowd, int column)
{
    double n = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
        n += crowd->count[i][column];
    return n;
}

static bool
is_same(const Crowd *crowd, int a, int b)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
        if (fabs(crowd->count[i][a] - crowd->count[i][b]) > 1e-6)
            return false;
    return true;
}

/* Columns that are alike are one box. */
static void
draw_areas(Chart *chart, const Crowd *crowd, double bottom)
{
    double per_one = HEIGHT / crowd->most;

    for (int from = 0, to; from < COLUMNS; from = to) {
        double y = bottom;

        for (to = from + 1; to < COLUMNS && is_same(crowd, from, to);)
            to++;
        for (size_t i = 0; i < G_N_ELEMENTS(layers); i++) {
            double height = crowd->count[i][from] * per_one;

            if (height > 0.05)
                sheet_box(chart->sheet, SHEET_BANDS, chart->left + from * COLUMN, y - height,
                          chart->left + to * COLUMN + SEAM, y, state_color(layers[i]));
            y -= height;
        }
    }
}

/* 1, 2 or 5 times a power of ten: at most LINES lines. */
static unsigned
step_of(double most)
{
    static const unsigned factors[] = { 2, 5, 10 };
    unsigned power = 1, step = 1;

    for (unsigned i = 0; most / step > LINES; i = (i + 1) % 3) {
        step = power * factors[i];
        power *= i == 2 ? 10 : 1;
    }
    return step;
}

static void
draw_counts(Chart *chart, double most, double bottom)
{
    unsigned step = step_of(most);

    for (unsigned n = 0; n <= most; n += step) {
        double y = bottom - HEIGHT * n / most;
        char text[16];

        g_snprintf(text, sizeof text, "%u", n);
        sheet_text(chart->sheet, SHEET_RIGHT, chart->left - 10, y, 0, COLOR_FAINT, text);
        sheet_box(chart->sheet, SHEET_RULES, chart->left - 5, y, chart->left + STATES_WIDTH, y,
                  COLOR_RULE);
    }
}

double
crowd_draw(Chart *chart, unsigned first, unsigned n, double y)
{
    Crowd *crowd = g_new0(Crowd, 1);
    double bottom = y + HEIGHT;

    for (unsigned i = first; i < first + n; i++)
        count_row(chart, crowd, &g_array_index(chart->rows, Row, i));
    count_whole_columns(crowd);
    for (int c = 0; c < COLUMNS; c++)
        crowd->most = MAX(crowd->most, count_all(crowd, c));
    if (crowd->most > 0) {
        draw_counts(chart, crowd->most, bottom);
        draw_areas(chart, crowd, bottom);
    }
    g_free(crowd);
    return bottom;
}
