/* The state timeline: time runs down; each endpoint is a coloured band that
 * says its state; each packet is an arrow from when and where it was sent to
 * when and where it arrived.
 */
#include <math.h>
#include <string.h>

#include "models/trace/recorder.h"
#include "scenarios/runtime/plot/timeline.h"

/* ---- Drawing -------------------------------------------------------------------------------- */

enum { NAME_ROOM = 8 }; /* pixels from a name's middle to the end of its band */

/* A place for a name near y that no cut goes through. */
static double
beside_cut(const Timeline *t, double y)
{
    for (unsigned i = 0; i < t->cuts->len; i++) {
        double middle = g_array_index(t->cuts, double, i) + TIMELINE_CUT / 2;

        if (fabs(y - middle) < 17)
            return y < middle ? middle - 19 : middle + 19;
    }
    return y;
}

/* The listeners of a host share a column: one says it for all. */
static bool
is_first_listener(const Timeline *t, const Band *band)
{
    for (unsigned i = 0; i < t->bands->len; i++) {
        const Band *other = &g_array_index(t->bands, Band, i);

        if (other->host == band->host && other->is_listener)
            return other == band;
    }
    return false;
}

/* Where a state's name stands in its band: in the middle, or where fewer arrows
 * pass on their way to a host beyond. */
static double
place_of_name(const Timeline *t, const Band *band, const char *state, double y1, double y2)
{
    static const double tries[] = { 0.5, 0.35, 0.65, 0.2, 0.8 };
    double best = beside_cut(t, (y1 + y2) / 2);
    unsigned fewest = G_MAXUINT;

    for (size_t i = 0; i < G_N_ELEMENTS(tries) && fewest > 0; i++) {
        double y = beside_cut(t, y1 + (y2 - y1) * tries[i]);
        unsigned n = timeline_arrows_over(t, (band->x1 + band->x2) / 2, y, state);

        if (y - y1 < NAME_ROOM || y2 - y < NAME_ROOM || n >= fewest)
            continue;
        fewest = n;
        best = y;
    }
    return best;
}

static void
draw_state(Timeline *t, const Band *band, const char *state, double y1, double y2)
{
    double width = band->x2 - band->x1;
    bool fits_across = width > TIMELINE_NARROW && y2 - y1 >= 13;
    bool fits_along = width <= TIMELINE_NARROW && y2 - y1 >= (double)strlen(state) * 7.2 &&
                      (!band->is_listener || is_first_listener(t, band));

    sheet_box(t->sheet, SHEET_BANDS, band->x1 + 1, y1 + 0.5, band->x2 - 1, y2 - 0.5,
              state_color(state));
    if (fits_across || fits_along)
        sheet_text(t->sheet, SHEET_CENTERED, (band->x1 + band->x2) / 2,
                   fits_across ? place_of_name(t, band, state, y1, y2)
                               : beside_cut(t, (y1 + y2) / 2),
                   fits_across ? 0 : 90, state_ink(state), state);
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
                   state_ink("CLOSED"), band->x2 - band->x1 > TIMELINE_NARROW ? "CLOSED" : "·");
}

/* Where time is cut so is the band. */
static void
draw_band_cuts(Timeline *t, const Band *band)
{
    for (unsigned i = 0; i < t->cuts->len; i++) {
        double y = g_array_index(t->cuts, double, i) + TIMELINE_CUT / 2;

        if (y < t->state_y[band->first_state] || y > band->y2)
            continue;
        for (int k = -1; k <= 1; k += 2)
            sheet_box(t->sheet, SHEET_LINES, band->x1 - 4, y + 4 + 3 * k, band->x2 + 4,
                      y - 4 + 3 * k, 0xffffff);
    }
}

/* Where a host sends from in this picture: with the port when that is the only
 * one. An endpoint is the same pointer wherever the run names it. g_free. */
static char *
host_address(const Timeline *t, int index)
{
    const char *one = NULL, *colon;
    bool is_only = true;

    for (unsigned i = 0; i < t->run->packets->len; i++) {
        const RunPacket *p = packet_at(t, i);

        if (!t->is_drawn[i] || p->from != index || strpbrk(p->marks, "if"))
            continue;
        is_only = is_only && (one == NULL || one == p->src);
        one = one ? one : p->src;
    }
    for (unsigned i = 0; i < t->bands->len; i++) {
        const Band *band = &g_array_index(t->bands, Band, i);
        const char *local = state_at(t, band->first_state)->local;

        if (band->host != index || band->is_listener)
            continue;
        is_only = is_only && (one == NULL || one == local);
        one = one ? one : local;
    }
    colon = one && !is_only ? strrchr(one, ':') : NULL;
    return colon ? g_strndup(one, (gsize)(colon - one)) : g_strdup(one ? one : "");
}

static void
draw_host(Timeline *t, int index)
{
    const HostPlace *host = &t->hosts[index];
    double middle = (host->x1 + host->x2) / 2;
    char *addr;

    sheet_text(t->sheet, SHEET_HEADS, middle, TIMELINE_TOP - 36, 0, COLOR_TEXT,
               t->run->hosts->pdata[index]);
    addr = host_address(t, index);
    if (!timeline_is_router(t, index))
        sheet_text(t->sheet, SHEET_CENTERED, middle, TIMELINE_TOP - 18, 0, COLOR_FAINT, addr);
    g_free(addr);
    sheet_box(t->sheet, SHEET_FILLS, host->x1, TIMELINE_TOP - 4, host->x2, t->end_y,
              timeline_is_router(t, index) ? 0xd5dbe3 : 0xf4f6f9);
}

/* Not passed on by a router. */
static bool
is_injected_here(const RunPacket *p)
{
    return strchr(p->marks, 'i') && !strchr(p->marks, 'f');
}

/* Whole, or only what tells it from its neighbours. */
static char *
packet_label(const RunPacket *p, bool is_short)
{
    GString *s = g_string_new(NULL);
    char number[TRACE_NUMBER_TEXT];

    if (strchr(p->marks, 'c'))
        g_string_append(s, "copy: ");
    else if (is_injected_here(p))
        g_string_append(s, "injected: ");
    g_string_append(s, p->flags);
    if (strcmp(p->proto, "tcp") == 0) {
        if (p->len > 0 || strpbrk(p->flags, "SFR"))
            g_string_append_printf(s, " seq %s", trace_number_text(p->seq, number));
        if (strstr(p->flags, "ACK") && (!is_short || p->len == 0))
            g_string_append_printf(s, " ack %s", trace_number_text(p->ack, number));
    }
    if (p->len > 0 && !is_short)
        g_string_append_printf(s, " len %u", p->len);
    if (strchr(p->marks, 'r') && !strchr(p->marks, 'f'))
        g_string_append(s, is_short ? " (again)" : " (retransmission)");
    if (strchr(p->marks, 's') && strcmp(p->flags, "SYN") != 0)
        g_string_append(s, is_short ? " (other SYN)" : " (of the other SYN)");
    return g_string_free(s, FALSE);
}

static void
draw_label(Timeline *t, const RunPacket *p, double x1, double y1, double x2, double y2)
{
    char *whole = packet_label(p, false), *part = packet_label(p, true);
    const char *texts[] = { whole, part, NULL };

    timeline_label(t, texts, x1, y1, x2, y2, 0.5, packet_color(p));
    g_free(part);
    g_free(whole);
}

/* The next column in that direction, or the sheet's edge. */
static double
column_beyond(const Timeline *t, double x, bool to_right)
{
    double edge = to_right ? t->right : TIMELINE_AXIS;

    for (int i = 0; i < t->n_order; i++) {
        const HostPlace *host = &t->hosts[t->order[i]];

        if (to_right && host->x1 > x)
            edge = MIN(edge, host->x1);
        if (!to_right && host->x2 < x)
            edge = MAX(edge, host->x2);
    }
    return edge;
}

/* Beside the end of an arrow that ends too early; where the next column is too
 * near for that, below the arrow. */
static void
text_beside_end(Timeline *t, const char *text, double x, double y, bool goes_right, int color)
{
    double room = fabs(column_beyond(t, x, goes_right) - x) - 14;

    if (timeline_text_px(text) <= room)
        timeline_text(t, goes_right ? SHEET_LEFT : SHEET_RIGHT, x + (goes_right ? 14 : -14), y + 1,
                      color, text);
    else
        timeline_text(t, goes_right ? SHEET_RIGHT : SHEET_LEFT, x + (goes_right ? 6 : -6), y + 15,
                      color, text);
}

/* Only what was lost gets a cross: what is held, or on its way when the run
 * ends, has an open end. */
static void
draw_never_arrived(Timeline *t, const RunPacket *p, double x1, double y1, double x2, double y2)
{
    double cx = x1 + (x2 - x1) * 0.6, cy = y1 + (y2 - y1) * 0.6;
    const char *story = strstr(p->story, "lost on"); /* its other words are on the arrow */

    sheet_box(t->sheet, SHEET_LINES, x1, y1, cx, cy, packet_color(p));
    if (packet_is_lost(p))
        sheet_point(t->sheet, SHEET_CROSSES, cx, cy, COLOR_LOST);
    text_beside_end(t, story ? story : p->story, cx, cy, x2 > x1,
                    packet_is_lost(p) ? COLOR_LOST : COLOR_FAINT);
    draw_label(t, p, x1, y1, cx, cy);
}

/* The reason stands in the host's own column, where no arrows are, or else on
 * the last part of the arrow. */
static void
draw_refused(Timeline *t, unsigned i)
{
    const RunPacket *p = packet_at(t, i);
    const HostPlace *host = &t->hosts[p->to];
    const char *colon = strstr(p->story, ": "), *reason = colon ? colon + 2 : p->story;
    const char *texts[] = { reason, NULL };
    double x1, x2, y = t->ended_y[i];

    timeline_arrow_ends(t, p, &x1, &x2);
    sheet_point(t->sheet, SHEET_RINGS, x2 + (x1 < x2 ? -16 : 16), y, COLOR_LOST);
    if (timeline_text_px(reason) <= host->x2 - host->x1)
        sheet_text(t->sheet, SHEET_CENTERED, (host->x1 + host->x2) / 2, y + 9, 0, COLOR_LOST,
                   reason);
    else if (!timeline_label(t, texts, x1, t->sent_y[i], x2, y, 0.78, COLOR_LOST))
        timeline_text(t, x1 < x2 ? SHEET_RIGHT : SHEET_LEFT, x2 + (x1 < x2 ? -26 : 26), y + 12,
                      COLOR_LOST, reason);
}

/* What a host sends to itself: out of its column and back. */
static void
draw_loop(Timeline *t, unsigned i)
{
    const RunPacket *p = packet_at(t, i);
    const HostPlace *host = &t->hosts[p->from];
    bool is_last = t->n_order > 1 && t->order[t->n_order - 1] == p->from;
    double x = is_last ? host->x1 : host->x2, out = x + (is_last ? -34 : 34);
    double y1 = t->sent_y[i], y2 = t->ended_y[i], middle = (y1 + y2) / 2;
    char *label = packet_label(p, false);

    sheet_box(t->sheet, SHEET_LINES, x, y1, out, middle, packet_color(p));
    sheet_box(t->sheet, SHEET_ARROWS, out, middle, x, y2, packet_color(p));
    timeline_text(t, is_last ? SHEET_RIGHT : SHEET_LEFT, out + (is_last ? -8 : 8), middle,
                  packet_color(p), label);
    g_free(label);
}

static void
draw_packet(Timeline *t, unsigned i)
{
    const RunPacket *p = packet_at(t, i);
    double x1, x2, y1 = t->sent_y[i], y2 = t->ended_y[i];
    bool is_copy = strchr(p->marks, 'c') != NULL;

    timeline_arrow_ends(t, p, &x1, &x2);
    if (is_injected_here(p)) {
        x1 += (x2 - x1) * 0.25;
        sheet_point(t->sheet, SHEET_STARS, x1, y1, COLOR_INJECTED);
    }
    if (packet_never_arrived(p)) {
        draw_never_arrived(t, p, x1, y1, x2, y2);
        return;
    }
    sheet_box(t->sheet, is_copy ? SHEET_DASHED_ARROWS : SHEET_ARROWS, x1, y1, x2, y2,
              packet_color(p));
    draw_label(t, p, x1, y1, x2, y2);
}

/* First what has one place only; the labels of arrows then find theirs. */
static void
draw_packets(Timeline *t)
{
    for (unsigned i = 0; i < t->run->packets->len; i++) {
        const RunPacket *p = packet_at(t, i);

        if (isnan(t->sent_y[i]))
            continue;
        if (p->from == p->to)
            draw_loop(t, i);
        else if (strcmp(p->fate, "refused") == 0)
            draw_refused(t, i);
    }
    for (unsigned i = 0; i < t->run->packets->len; i++)
        if (!isnan(t->sent_y[i]) && packet_at(t, i)->from != packet_at(t, i)->to)
            draw_packet(t, i);
}

/* What a call told its host, beside the host's column. */
static void
draw_calls(Timeline *t)
{
    for (unsigned i = 0; i < t->run->failed->len; i++) {
        const RunCall *call = &g_array_index(t->run->failed, RunCall, i);
        const HostPlace *host = &t->hosts[call->host];
        bool is_last = t->n_order > 1 && t->order[t->n_order - 1] == call->host;
        char *text;

        if (isnan(t->call_y[i]))
            continue;
        text = g_strdup_printf("✗ %s(): %s", call->call,
                               strcmp(call->error, "EAGAIN") == 0 ? "TIMEOUT" : call->error);
        timeline_text(t, is_last ? SHEET_RIGHT : SHEET_LEFT,
                      is_last ? host->x1 - 10 : host->x2 + 10, t->call_y[i], COLOR_LOST, text);
        g_free(text);
    }
}

static void
draw_all(Timeline *t)
{
    char *about = t->a ? g_strdup_printf("one connection of the run, %s ↔ %s", t->a, t->b)
                       : g_strdup_printf("%" G_GUINT64_FORMAT " packets, %" G_GUINT64_FORMAT
                                         " lost, %" G_GUINT64_FORMAT " retransmitted",
                                         t->run->n_packets, t->run->lost, t->run->retransmitted);

    sheet_headings(t->sheet, t->run, about);
    g_free(about);
    for (int i = 0; i < t->n_order; i++)
        draw_host(t, t->order[i]);
    for (unsigned i = 0; i < t->bands->len; i++) {
        Band *band = &g_array_index(t->bands, Band, i);

        if (band->column < TIMELINE_BANDS)
            draw_band(t, band);
        draw_band_cuts(t, band);
    }
    draw_calls(t);
    draw_packets(t);
    t->sheet->width = t->right + 32;
    t->sheet->height = t->end_y + 24;
}

Sheet *
timeline_sheet(const RunFiles *run, const char *conn)
{
    Timeline t = { .run = run, .sheet = sheet_new() };
    unsigned n_packets = run->packets->len, n_hosts = run->hosts->len;

    t.marks = g_array_new(FALSE, FALSE, sizeof(Mark));
    t.bands = g_array_new(FALSE, FALSE, sizeof(Band));
    t.cuts = g_array_new(FALSE, FALSE, sizeof(double));
    t.left_out = g_array_new(FALSE, FALSE, sizeof(SimTime));
    t.texts = g_array_new(FALSE, FALSE, sizeof(TextBox));
    t.hosts = g_new0(HostPlace, n_hosts + 1);
    t.order = g_new0(int, TIMELINE_HOSTS);
    t.sent_y = g_new(double, n_packets + 1);
    t.ended_y = g_new(double, n_packets + 1);
    t.state_y = g_new0(double, run->states->len + 1);
    t.call_y = g_new(double, run->failed->len + 1);
    for (unsigned i = 0; i < run->failed->len; i++)
        t.call_y[i] = NAN;
    t.is_drawn = g_new0(bool, n_packets + 1);

    timeline_choose(&t, conn);
    timeline_place(&t);
    if (t.n_order > 0 && (n_packets > 0 || t.n_calls > 0)) {
        draw_all(&t);
    } else {
        g_clear_pointer(&t.sheet, sheet_free);
    }
    g_array_free(t.marks, TRUE);
    g_array_free(t.bands, TRUE);
    g_array_free(t.cuts, TRUE);
    g_array_free(t.left_out, TRUE);
    g_array_free(t.texts, TRUE);
    g_free(t.hosts);
    g_free(t.is_drawn);
    g_free(t.order);
    g_free(t.sent_y);
    g_free(t.ended_y);
    g_free(t.state_y);
    g_free(t.call_y);
    return t.sheet;
}
