/* The state timeline: time runs down; each endpoint is a coloured band that
 * says its state; each packet is an arrow from when and where it was sent to
 * when and where it arrived.
 *
 * Time is not to scale. A connection lives its handshake in milliseconds and
 * its TIME-WAIT in a minute: between two things that happen the distance grows
 * with the time that passed, slowly, and from a point on it is cut and says
 * how much was cut.
 */
#include "scenarios/runtime/plot_internal.h"

#include <math.h>
#include <string.h>

enum {
    PACKETS_AT_MOST = 120,
    PACKETS_FIRST = 60, /* of a longer run: so many of its beginning, and of its end */
    PACKETS_LAST = 40,
    BANDS_AT_MOST = 10, /* of one host */
    WIDE_BANDS = 2,     /* of one host, else all are narrow */
    HOSTS_AT_MOST = 8,
};

static const double AXIS = 92; /* room for times, left */
static const double TOP = 124; /* headings */
static const double WIDE = 108, NARROW = 24, ROUTER = 12;
static const double FIELD = 560, FIELD_OF_MANY = 400; /* between two hosts */
static const double LINE = 17;                        /* between two texts, one below the other */
static const double DELAY_STEP = 52;                  /* for one usual delay of a link */
static const double CUT = 58;                         /* for a time that is cut */

typedef enum MarkKind { MARK_ARRIVED, MARK_STATE, MARK_SENT, MARK_END } MarkKind;

/* Something at a moment: gets a place on the time axis. */
typedef struct Mark {
    SimTime at;
    MarkKind kind;
    unsigned index; /* of the packet or state */
    int host;
} Mark;

typedef struct Band {
    int host;
    uint32_t conn;
    int column;       /* within its host, 0 next to the arrows */
    bool is_listener; /* never left LISTEN */
    double x1, x2;
    double y2; /* where it ends */
    SimTime from, to;
    unsigned first_state; /* index in run->states */
} Band;

typedef struct HostPlace {
    double x1, x2; /* its bands; arrows end at these edges */
    int n_columns;
    bool takes_part, is_listener_column;
} HostPlace;

typedef struct Timeline {
    const RunFiles *run;
    Sheet *sheet;
    GArray *marks; /* Mark */
    GArray *bands; /* Band */
    HostPlace *hosts;
    int *order; /* hosts from left to right */
    int n_order;
    double *sent_y, *ended_y; /* of each packet; NAN: not drawn */
    double *state_y;          /* of each state */
    GArray *cuts;             /* double: where time was cut */
    double end_y;
    double right;
} Timeline;

/* ---- What is drawn ---------------------------------------------------------------- */

static const RunPacket *
packet_at(const Timeline *t, unsigned i)
{
    return &g_array_index(t->run->packets, RunPacket, i);
}

static const RunState *
state_at(const Timeline *t, unsigned i)
{
    return &g_array_index(t->run->states, RunState, i);
}

/* Of a long run only its beginning and its end. */
static bool
packet_is_drawn(const Timeline *t, unsigned i)
{
    unsigned n = t->run->packets->len;

    return n <= PACKETS_AT_MOST || i < PACKETS_FIRST || i >= n - PACKETS_LAST;
}

static void
add_mark(Timeline *t, SimTime at, MarkKind kind, unsigned index, int host)
{
    Mark mark = { at, kind, index, host };

    g_array_append_val(t->marks, mark);
}

static gint
compare_marks(gconstpointer x, gconstpointer y)
{
    const Mark *a = x, *b = y;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static Band *
find_band(const Timeline *t, int host, uint32_t conn)
{
    for (unsigned i = 0; i < t->bands->len; i++) {
        Band *band = &g_array_index(t->bands, Band, i);

        if (band->host == host && band->conn == conn)
            return band;
    }
    return NULL;
}

static void
collect_states(Timeline *t)
{
    for (unsigned i = 0; i < t->run->states->len; i++) {
        const RunState *s = state_at(t, i);
        Band *band = find_band(t, s->host, s->conn);

        if (band == NULL) {
            Band fresh = { .host = s->host,
                           .conn = s->conn,
                           .from = s->at,
                           .is_listener = true,
                           .first_state = i };

            if (t->bands->len >= BANDS_AT_MOST * HOSTS_AT_MOST)
                continue;
            g_array_append_val(t->bands, fresh);
            band = &g_array_index(t->bands, Band, t->bands->len - 1);
        }
        if (strcmp(s->to, "LISTEN") != 0 && strcmp(s->to, "CLOSED") != 0)
            band->is_listener = false;
        band->to = strcmp(s->to, "CLOSED") == 0 ? s->at : SIM_NEVER;
        t->hosts[s->host].takes_part = true;
        add_mark(t, s->at, MARK_STATE, i, s->host);
    }
}

static gint
compare_times(gconstpointer x, gconstpointer y)
{
    const SimTime *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

/* What a packet usually takes: the measure of all distances. */
static SimTime
usual_delay(const Timeline *t)
{
    GArray *delays = g_array_new(FALSE, FALSE, sizeof(SimTime));
    SimTime middle = SIM_MS;

    for (unsigned i = 0; i < t->run->packets->len; i++) {
        SimTime delay = packet_at(t, i)->ended - packet_at(t, i)->sent;

        if (packet_at(t, i)->ended >= 0 && delay > 0)
            g_array_append_val(delays, delay);
    }
    g_array_sort(delays, compare_times);
    if (delays->len > 0)
        middle = g_array_index(delays, SimTime, delays->len / 2);
    g_array_free(delays, TRUE);
    return middle;
}

static bool
is_lost(const RunPacket *p)
{
    return strcmp(p->fate, "lost") == 0 || p->ended < 0;
}

/* A packet that never arrived ends where it would have. */
static void
collect_packets(Timeline *t)
{
    SimTime delay = usual_delay(t);

    for (unsigned i = 0; i < t->run->packets->len; i++) {
        const RunPacket *p = packet_at(t, i);

        t->sent_y[i] = t->ended_y[i] = NAN;
        if (!packet_is_drawn(t, i) || p->from < 0 || p->to < 0 || p->from == p->to)
            continue;
        t->hosts[p->from].takes_part = t->hosts[p->to].takes_part = true;
        add_mark(t, p->sent, MARK_SENT, i, p->from);
        if (is_lost(p))
            add_mark(t, p->sent + delay, MARK_END, i, p->to);
        else
            add_mark(t, p->ended, MARK_ARRIVED, i, p->to);
    }
}

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

static void
draw_cut(Timeline *t, double y, SimTime span)
{
    char time[PLOT_TIME_TEXT];
    char *text = g_strdup_printf("⋯  %s  ⋯", plot_time(span, time));
    double middle = (t->hosts[t->order[0]].x2 + t->right) / 2;

    if (t->n_order > 1)
        middle = (t->hosts[t->order[0]].x2 + t->hosts[t->order[t->n_order - 1]].x1) / 2;
    g_array_append_val(t->cuts, y);
    sheet_box(t->sheet, SHEET_FILLS, AXIS - 8, y + 12, t->right, y + CUT - 12, 0xf6f7f9);
    sheet_text(t->sheet, SHEET_HEADS, middle, y + CUT / 2, 0, COLOR_FAINT, text);
    g_free(text);
}

/* Each mark below the one before it; things of one kind at one host never on
 * top of each other. */
static void
place_marks(Timeline *t)
{
    double delay = (double)usual_delay(t);
    double y = TOP;
    double *last[MARK_END + 1];
    SimTime before = -1;
    double labelled = 0;

    for (int k = 0; k <= MARK_END; k++) {
        last[k] = g_new(double, t->run->hosts->len + 1);
        for (unsigned h = 0; h <= t->run->hosts->len; h++)
            last[k][h] = -1e9;
    }
    for (unsigned i = 0; i < t->marks->len; i++) {
        const Mark *mark = &g_array_index(t->marks, Mark, i);
        double delays = before < 0 ? 0 : (double)(mark->at - before) / delay;
        char text[PLOT_TIME_TEXT];

        if (delays > 6) {
            draw_cut(t, y, mark->at - before);
            y += CUT;
        } else {
            y += distance_of(delays);
        }
        y = MAX(y, last[mark->kind][mark->host] + LINE);
        last[mark->kind][mark->host] = y;
        if (mark->at != before && y >= labelled + LINE - 2 && mark->kind != MARK_END) {
            sheet_text(t->sheet, SHEET_RIGHT, AXIS - 14, y, 0, COLOR_FAINT,
                       plot_time(mark->at, text));
            sheet_box(t->sheet, SHEET_RULES, AXIS - 8, y, t->right, y, COLOR_RULE);
            labelled = y;
        }
        before = mark->at;
        if (mark->kind == MARK_STATE)
            t->state_y[mark->index] = y;
        else if (mark->kind == MARK_SENT)
            t->sent_y[mark->index] = y;
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
    if (t->n_order == HOSTS_AT_MOST || !t->hosts[host].takes_part)
        return;
    t->order[t->n_order++] = host;
    for (unsigned i = 0; i < t->run->packets->len; i++) {
        const RunPacket *p = packet_at(t, i);

        if (p->from == host && p->to >= 0)
            order_add(t, p->to);
    }
}

static bool
is_router(const Timeline *t, int host)
{
    return g_array_index(t->run->is_router, bool, host);
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
        host->n_columns = MIN(MAX(host->n_columns, band->column + 1), BANDS_AT_MOST);
    }
}

static double
column_width(const HostPlace *host)
{
    return host->n_columns <= WIDE_BANDS ? WIDE : NARROW;
}

static void
place_hosts(Timeline *t)
{
    double x = AXIS;

    for (int i = 0; i < t->n_order; i++) {
        HostPlace *host = &t->hosts[t->order[i]];
        double width =
            host->n_columns * column_width(host) + (host->is_listener_column ? NARROW : 0);

        host->x1 = x;
        host->x2 = x + MAX(width, ROUTER);
        x = host->x2 + (t->n_order > 2 ? FIELD_OF_MANY : FIELD);
    }
    t->right = t->n_order > 0 ? t->hosts[t->order[t->n_order - 1]].x2 + 8 : AXIS;
    for (unsigned i = 0; i < t->bands->len; i++) {
        Band *band = &g_array_index(t->bands, Band, i);
        HostPlace *host = &t->hosts[band->host];
        bool is_first = t->n_order > 1 && t->order[0] == band->host;
        double offset = band->is_listener ? host->n_columns * column_width(host)
                                          : band->column * column_width(host);
        double width = band->is_listener ? NARROW : column_width(host);

        /* the first host's bands grow to the left, all others' to the right */
        band->x1 = is_first ? host->x2 - offset - width : host->x1 + offset;
        band->x2 = band->x1 + width;
    }
}

/* ---- Drawing -------------------------------------------------------------------------------- */

/* A place for a name near y that no cut goes through. */
static double
beside_cut(const Timeline *t, double y)
{
    for (unsigned i = 0; i < t->cuts->len; i++) {
        double middle = g_array_index(t->cuts, double, i) + CUT / 2;

        if (fabs(y - middle) < 17)
            return y < middle ? middle - 19 : middle + 19;
    }
    return y;
}

static void
draw_state(Timeline *t, const Band *band, const char *state, double y1, double y2)
{
    double width = band->x2 - band->x1;
    bool fits_across = width > NARROW && y2 - y1 >= 13;
    bool fits_along = width <= NARROW && y2 - y1 >= (double)strlen(state) * 7.2;

    sheet_box(t->sheet, SHEET_BANDS, band->x1 + 1, y1 + 0.5, band->x2 - 1, y2 - 0.5,
              state_color(state));
    if (fits_across || fits_along)
        sheet_text(t->sheet, SHEET_CENTERED, (band->x1 + band->x2) / 2,
                   beside_cut(t, (y1 + y2) / 2), fits_across ? 0 : 90, state_ink(state), state);
}

static void
draw_band(Timeline *t, Band *band)
{
    double y = NAN;
    const char *state = NULL;

    for (unsigned i = band->first_state; i < t->run->states->len; i++) {
        const RunState *s = state_at(t, i);

        if (s->host != band->host || s->conn != band->conn)
            continue;
        if (state != NULL && strcmp(state, "CLOSED") != 0)
            draw_state(t, band, state, y, t->state_y[i]);
        y = t->state_y[i];
        state = s->to;
    }
    band->y2 = y;
    if (state != NULL && strcmp(state, "CLOSED") != 0)
        draw_state(t, band, state, y, band->y2 = t->end_y);
    else if (state != NULL)
        sheet_text(t->sheet, SHEET_CENTERED, (band->x1 + band->x2) / 2, y + 10, 0,
                   state_ink("CLOSED"), band->x2 - band->x1 > NARROW ? "CLOSED" : "·");
}

/* Where time is cut so is the band. */
static void
draw_band_cuts(Timeline *t, const Band *band)
{
    for (unsigned i = 0; i < t->cuts->len; i++) {
        double y = g_array_index(t->cuts, double, i) + CUT / 2;

        if (y < t->state_y[band->first_state] || y > band->y2)
            continue;
        for (int k = -1; k <= 1; k += 2)
            sheet_box(t->sheet, SHEET_LINES, band->x1 - 4, y + 4 + 3 * k, band->x2 + 4,
                      y - 4 + 3 * k, 0xffffff);
    }
}

static void
draw_host(Timeline *t, int index)
{
    const HostPlace *host = &t->hosts[index];
    double middle = (host->x1 + host->x2) / 2;
    const char *addr = "";

    sheet_text(t->sheet, SHEET_HEADS, middle, TOP - 36, 0, COLOR_TEXT, t->run->hosts->pdata[index]);
    for (unsigned i = 0; i < t->run->packets->len && *addr == '\0'; i++)
        if (packet_at(t, i)->from == index && !strpbrk(packet_at(t, i)->marks, "if"))
            addr = packet_at(t, i)->src;
    if (!is_router(t, index))
        sheet_text(t->sheet, SHEET_CENTERED, middle, TOP - 18, 0, COLOR_FAINT, addr);
    sheet_box(t->sheet, SHEET_FILLS, host->x1, TOP - 4, host->x2, t->end_y,
              is_router(t, index) ? 0xd5dbe3 : 0xf4f6f9);
}

static char *
packet_label(const RunPacket *p)
{
    GString *s = g_string_new(NULL);

    if (strchr(p->marks, 'c'))
        g_string_append(s, "copy: ");
    else if (strchr(p->marks, 'i'))
        g_string_append(s, "injected: ");
    g_string_append(s, p->flags);
    if (strcmp(p->proto, "tcp") == 0) {
        if (p->len > 0 || strpbrk(p->flags, "SFR"))
            g_string_append_printf(s, " seq %u", p->seq);
        if (strstr(p->flags, "ACK"))
            g_string_append_printf(s, " ack %u", p->ack);
    }
    if (p->len > 0)
        g_string_append_printf(s, " len %u", p->len);
    if (strchr(p->marks, 'r') && !strchr(p->marks, 'f'))
        g_string_append(s, " (retransmission)");
    return g_string_free(s, FALSE);
}

static double
text_px(const char *text)
{
    return (double)g_utf8_strlen(text, -1) * 6.7;
}

/* A text along a line, just above it. */
static void
draw_label(Timeline *t, const char *text, double x1, double y1, double x2, double y2, int color)
{
    double angle = atan2(y2 - y1, x2 - x1) * 180 / G_PI;
    double cx = (x1 + x2) / 2, cy = (y1 + y2) / 2;

    if (x2 < x1)
        angle = angle > 0 ? angle - 180 : angle + 180;
    if (text_px(text) < hypot(x2 - x1, y2 - y1) - 12)
        sheet_text(t->sheet, SHEET_CENTERED, cx, cy - 8, -round(angle), color, text);
}

static void
draw_lost(Timeline *t, const RunPacket *p, const char *label, double x1, double y1, double x2,
          double y2, int color)
{
    double cx = x1 + (x2 - x1) * 0.6, cy = y1 + (y2 - y1) * 0.6;

    sheet_box(t->sheet, SHEET_LINES, x1, y1, cx, cy, color);
    sheet_point(t->sheet, SHEET_CROSSES, cx, cy, COLOR_LOST);
    draw_label(t, label, x1, y1, cx, cy, color);
    sheet_text(t->sheet, x2 > x1 ? SHEET_LEFT : SHEET_RIGHT, cx + (x2 > x1 ? 14 : -14), cy + 1, 0,
               COLOR_LOST, p->story);
}

static void
draw_packet(Timeline *t, unsigned i)
{
    const RunPacket *p = packet_at(t, i);
    const HostPlace *from = &t->hosts[p->from], *to = &t->hosts[p->to];
    bool goes_right = from->x1 < to->x1;
    double x1 = goes_right ? from->x2 : from->x1, x2 = goes_right ? to->x1 : to->x2;
    double y1 = t->sent_y[i], y2 = t->ended_y[i];
    int color = packet_color(p);
    bool is_copy = strchr(p->marks, 'c') != NULL;
    char *label;

    if (isnan(y1) || x1 == x2)
        return;
    label = packet_label(p);
    if (strchr(p->marks, 'i')) {
        x1 += (x2 - x1) * 0.25;
        sheet_point(t->sheet, SHEET_STARS, x1, y1, COLOR_INJECTED);
    }
    if (is_lost(p)) {
        draw_lost(t, p, label, x1, y1, x2, y2, color);
    } else {
        sheet_box(t->sheet, is_copy ? SHEET_DASHED_ARROWS : SHEET_ARROWS, x1, y1, x2, y2, color);
        draw_label(t, label, x1, y1, x2, y2, color);
        if (strcmp(p->fate, "refused") == 0) {
            sheet_point(t->sheet, SHEET_RINGS, x2 + (goes_right ? -16 : 16), y2, COLOR_LOST);
            sheet_text(t->sheet, goes_right ? SHEET_RIGHT : SHEET_LEFT,
                       x2 + (goes_right ? -26 : 26), y2 + 11, 0, COLOR_LOST, p->story);
        }
    }
    g_free(label);
}

static void
draw_left_out(Timeline *t)
{
    unsigned n = t->run->packets->len;
    double y = n > PACKETS_AT_MOST ? t->sent_y[n - PACKETS_LAST] : NAN;
    char *text;

    if (isnan(y))
        return;
    text =
        g_strdup_printf("⋯  %u packets between are not drawn  ⋯", n - PACKETS_FIRST - PACKETS_LAST);
    sheet_text(t->sheet, SHEET_HEADS, (AXIS + t->right) / 2, y - 26, 0, COLOR_FAINT, text);
    g_free(text);
}

static void
draw_all(Timeline *t)
{
    char *about = g_strdup_printf("%" G_GUINT64_FORMAT " packets, %" G_GUINT64_FORMAT
                                  " lost, %" G_GUINT64_FORMAT " retransmitted",
                                  t->run->n_packets, t->run->lost, t->run->retransmitted);

    sheet_headings(t->sheet, t->run, about);
    g_free(about);
    for (int i = 0; i < t->n_order; i++)
        draw_host(t, t->order[i]);
    for (unsigned i = 0; i < t->bands->len; i++) {
        Band *band = &g_array_index(t->bands, Band, i);

        if (band->column < BANDS_AT_MOST)
            draw_band(t, band);
        draw_band_cuts(t, band);
    }
    for (unsigned i = 0; i < t->run->packets->len; i++)
        draw_packet(t, i);
    draw_left_out(t);
    t->sheet->width = t->right + 32;
    t->sheet->height = t->end_y + 24;
}

Sheet *
timeline_sheet(const RunFiles *run)
{
    Timeline t = { .run = run, .sheet = sheet_new() };
    unsigned n_packets = run->packets->len, n_hosts = run->hosts->len;

    t.marks = g_array_new(FALSE, FALSE, sizeof(Mark));
    t.bands = g_array_new(FALSE, FALSE, sizeof(Band));
    t.cuts = g_array_new(FALSE, FALSE, sizeof(double));
    t.hosts = g_new0(HostPlace, n_hosts + 1);
    t.order = g_new0(int, HOSTS_AT_MOST);
    t.sent_y = g_new(double, n_packets + 1);
    t.ended_y = g_new(double, n_packets + 1);
    t.state_y = g_new0(double, run->states->len + 1);

    collect_states(&t);
    collect_packets(&t);
    g_array_sort(t.marks, compare_marks);
    for (int routers = 0; routers < 2; routers++)
        for (unsigned h = 0; h < n_hosts; h++)
            if (is_router(&t, (int)h) == (bool)routers)
                order_add(&t, (int)h);
    place_columns(&t);
    place_hosts(&t);
    if (t.n_order >= 2 && n_packets > 0) {
        place_marks(&t);
        draw_all(&t);
    } else {
        g_clear_pointer(&t.sheet, sheet_free);
    }
    g_array_free(t.marks, TRUE);
    g_array_free(t.bands, TRUE);
    g_array_free(t.cuts, TRUE);
    g_free(t.hosts);
    g_free(t.order);
    g_free(t.sent_y);
    g_free(t.ended_y);
    g_free(t.state_y);
    return t.sheet;
}
