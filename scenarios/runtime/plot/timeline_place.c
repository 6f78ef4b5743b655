/* Where things stand in the state timeline.
 *
 * Time is not to scale. A connection lives its handshake in milliseconds and
 * its TIME-WAIT in a minute: between two things that happen the distance grows
 * with the time that passed, slowly, and from a point on it is cut and says
 * how much was cut.
 */
#include <math.h>
#include <string.h>

#include "scenarios/runtime/plot/timeline.h"

enum {
    WIDE_BANDS = 2, /* of one host, else all are narrow */
};

static const double WIDE = 108, ROUTER = 12;          /* pixels: widths of bands */
static const double FIELD = 560, FIELD_OF_MANY = 400; /* between two hosts */
static const double LINE = 17;                        /* between two texts, one below the other */
static const double DELAY_STEP = 52;                  /* for one usual delay of a link */

/* ---- Where: time ---------------------------------------------------------------------- */

static double
distance_of(double delays)
{
    if (delays <= 0)
        return 0;
    if (delays <= 1)
        return 5 + (DELAY_STEP - 5) * pow(delays, 0.6);
    return DELAY_STEP + 24 * log2(delays);
}

/* `left_out` packets are left out here. */
static void
draw_cut(Timeline *t, double y, SimTime span, unsigned left_out)
{
    char time[PLOT_TIME_TEXT];
    char *text = left_out ? g_strdup_printf("⋯  %s, %u packets not drawn  ⋯", plot_time(span, time),
                                            left_out)
                          : g_strdup_printf("⋯  %s  ⋯", plot_time(span, time));
    double middle = (t->hosts[t->order[0]].x2 + t->right) / 2;

    if (t->n_order > 1)
        middle = (t->hosts[t->order[0]].x2 + t->hosts[t->order[1]].x1) / 2;
    g_array_append_val(t->cuts, y);
    sheet_box(t->sheet, SHEET_FILLS, TIMELINE_AXIS - 8, y + 12, t->right, y + TIMELINE_CUT - 12,
              0xf6f7f9);
    sheet_text(t->sheet, SHEET_HEADS, middle, y + TIMELINE_CUT / 2, 0, COLOR_FAINT, text);
    g_free(text);
}

/* How many of the packets left out from the `first`th on were sent before `at`. */
static unsigned
count_left_out(const Timeline *t, unsigned first, SimTime at)
{
    unsigned n = 0;

    while (first + n < t->left_out->len && g_array_index(t->left_out, SimTime, first + n) < at)
        n++;
    return n;
}

/* Each mark below the one before it; things of one kind at one host never on
 * top of each other. */
static void
place_marks(Timeline *t)
{
    double delay = (double)timeline_usual_delay(t);
    double y = TIMELINE_TOP;
    double *last[MARK_END + 1];
    SimTime before = -1;
    SimTime told = -1; /* the time beside the last line */
    double labelled = 0;
    unsigned n_told = 0; /* of the packets left out, by the cuts so far */

    for (int k = 0; k <= MARK_END; k++) {
        last[k] = g_new(double, t->run->hosts->len + 1);
        for (unsigned h = 0; h <= t->run->hosts->len; h++)
            last[k][h] = -1e9;
    }
    for (unsigned i = 0; i < t->marks->len; i++) {
        const Mark *mark = &g_array_index(t->marks, Mark, i);
        double delays = before < 0 ? 0 : (double)(mark->at - before) / delay;
        bool skips =
            n_told < t->left_out->len && mark->kind == MARK_SENT && mark->index == t->first_after;

        if (delays > 6 || skips) {
            unsigned hidden =
                skips ? t->left_out->len - n_told : count_left_out(t, n_told, mark->at);

            draw_cut(t, y, mark->at - before, hidden);
            n_told += hidden;
            y += TIMELINE_CUT;
        } else {
            y += distance_of(delays);
        }
        y = MAX(y, last[mark->kind][mark->host] + LINE);
        last[mark->kind][mark->host] = y;
        if (mark->at != before && y >= labelled + LINE - 2 && mark->kind != MARK_END) {
            char text[PLOT_TIME_TEXT];

            sheet_text(t->sheet, SHEET_RIGHT, TIMELINE_AXIS - 14, y, 0, COLOR_FAINT,
                       plot_time_after(mark->at, told, text));
            sheet_box(t->sheet, SHEET_RULES, TIMELINE_AXIS - 8, y, t->right, y, COLOR_RULE);
            labelled = y;
            told = mark->at;
        }
        before = mark->at;
        if (mark->kind == MARK_STATE)
            t->state_y[mark->index] = y;
        else if (mark->kind == MARK_SENT)
            t->sent_y[mark->index] = y;
        else if (mark->kind == MARK_CALL)
            t->call_y[mark->index] = y;
        else
            t->ended_y[mark->index] = y;
    }
    t->end_y = y + 34;
    for (int k = 0; k <= MARK_END; k++)
        g_free(last[k]);
}

/* ---- Where: hosts ------------------------------------------------------------------------ */

/* Hosts in the order in which they first speak along the links: neighbours
 * side by side. */
static void
order_add(Timeline *t, int host)
{
    for (int i = 0; i < t->n_order; i++)
        if (t->order[i] == host)
            return;
    if (t->n_order == TIMELINE_HOSTS || !t->hosts[host].takes_part)
        return;
    t->order[t->n_order++] = host;
    for (unsigned i = 0; i < t->run->packets->len; i++) {
        const RunPacket *p = packet_at(t, i);

        if (t->is_drawn[i] && p->from == host && p->to >= 0)
            order_add(t, p->to);
    }
}

/* A column may be used again once its connection has ended. */
static int
free_column(const Timeline *t, const Band *band, unsigned before)
{
    for (int column = 0;; column++) {
        bool is_free = true;

        for (unsigned i = 0; i < before && is_free; i++) {
            const Band *other = &g_array_index(t->bands, Band, i);

            is_free = other->host != band->host || other->is_listener || other->column != column ||
                      other->to < band->from;
        }
        if (is_free)
            return column;
    }
}

static void
place_columns(Timeline *t)
{
    for (unsigned i = 0; i < t->bands->len; i++) {
        Band *band = &g_array_index(t->bands, Band, i);
        HostPlace *host = &t->hosts[band->host];

        if (band->is_listener) {
            host->is_listener_column = true;
            continue;
        }
        band->column = free_column(t, band, i);
        host->n_columns = MIN(MAX(host->n_columns, band->column + 1), TIMELINE_BANDS);
    }
}

static double
column_width(const HostPlace *host)
{
    return host->n_columns <= WIDE_BANDS ? WIDE : TIMELINE_NARROW;
}

static void
place_hosts(Timeline *t)
{
    double x = TIMELINE_AXIS;

    for (int i = 0; i < t->n_order; i++) {
        HostPlace *host = &t->hosts[t->order[i]];
        double width =
            host->n_columns * column_width(host) + (host->is_listener_column ? TIMELINE_NARROW : 0);

        host->x1 = x;
        host->x2 = x + MAX(width, ROUTER);
        x = host->x2 + (t->n_order > 2 ? FIELD_OF_MANY : FIELD);
    }
    t->right = t->n_order > 0 ? t->hosts[t->order[t->n_order - 1]].x2 + 8 : TIMELINE_AXIS;
    if (t->n_order == 1) /* for what it sends to itself */
        t->right += FIELD_OF_MANY;
    for (unsigned i = 0; i < t->bands->len; i++) {
        Band *band = &g_array_index(t->bands, Band, i);
        HostPlace *host = &t->hosts[band->host];
        bool is_first = t->n_order > 1 && t->order[0] == band->host;
        double offset = band->is_listener ? host->n_columns * column_width(host)
                                          : band->column * column_width(host);
        double width = band->is_listener ? TIMELINE_NARROW : column_width(host);

        /* the first host's bands grow to the left, all others' to the right */
        band->x1 = is_first ? host->x2 - offset - width : host->x1 + offset;
        band->x2 = band->x1 + width;
    }
}

void
timeline_place(Timeline *t)
{
    for (int routers = 0; routers < 2; routers++)
        for (unsigned h = 0; h < t->run->hosts->len; h++)
            if (timeline_is_router(t, (int)h) == (bool)routers)
                order_add(t, (int)h);
    place_columns(t);
    place_hosts(t);
    if (t->n_order > 0)
        place_marks(t);
}
