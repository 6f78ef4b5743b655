/* The state timeline: time runs down; each endpoint is a coloured band that
 * says its state; each packet is an arrow from when and where it was sent to
 * when and where it arrived.
 */
#include <math.h>
#include <string.h>

#include "models/trace/recorder.h"
#include "scenarios/runtime/timeline_internal.h"

/* ---- Drawing -------------------------------------------------------------------------------- */

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

static void
draw_state(Timeline *t, const Band *band, const char *state, double y1, double y2)
{
    double width = band->x2 - band->x1;
    bool fits_across = width > TIMELINE_NARROW && y2 - y1 >= 13;
    bool fits_along = width <= TIMELINE_NARROW && y2 - y1 >= (double)strlen(state) * 7.2;

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

static char *
packet_label(const RunPacket *p)
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
        if (strstr(p->flags, "ACK"))
            g_string_append_printf(s, " ack %s", trace_number_text(p->ack, number));
    }
    if (p->len > 0)
        g_string_append_printf(s, " len %u", p->len);
    if (strchr(p->marks, 'r') && !strchr(p->marks, 'f'))
        g_string_append(s, " (retransmission)");
    if (strchr(p->marks, 's') && strcmp(p->flags, "SYN") != 0)
        g_string_append(s, " (of the other SYN)");
    return g_string_free(s, FALSE);
}

static double
text_px(const char *text)
{
    return (double)g_utf8_strlen(text, -1) * 6.7;
}

/* Two packets on their way at once, in opposite directions. */
static bool
crosses_another(const Timeline *t, unsigned i)
{
    const RunPacket *p = packet_at(t, i);

    for (unsigned j = 0; j < t->run->packets->len; j++) {
        const RunPacket *q = packet_at(t, j);

        if (!isnan(t->sent_y[j]) && q->from == p->to && q->to == p->from &&
            t->sent_y[j] < t->ended_y[i] - 1 && t->sent_y[i] < t->ended_y[j] - 1)
            return true;
    }
    return false;
}

/* A text along a line, just above it, its middle so far along. */
static void
draw_label_at(Timeline *t, const char *text, double x1, double y1, double x2, double y2, int color,
              double along)
{
    double angle = atan2(y2 - y1, x2 - x1) * 180 / G_PI;
    double cx = x1 + (x2 - x1) * along, cy = y1 + (y2 - y1) * along;

    if (x2 < x1)
        angle = angle > 0 ? angle - 180 : angle + 180;
    if (text_px(text) < hypot(x2 - x1, y2 - y1) - 12)
        sheet_text(t->sheet, SHEET_CENTERED, cx, cy - 8, -round(angle), color, text);
}

static void
draw_label(Timeline *t, const char *text, double x1, double y1, double x2, double y2, int color)
{
    draw_label_at(t, text, x1, y1, x2, y2, color, 0.5);
}

/* Only what was lost gets a cross: what is held, or on its way when the run
 * ends, has an open end. */
static void
draw_never_arrived(Timeline *t, const RunPacket *p, const char *label, double x1, double y1,
                   double x2, double y2, int color)
{
    double cx = x1 + (x2 - x1) * 0.6, cy = y1 + (y2 - y1) * 0.6;

    sheet_box(t->sheet, SHEET_LINES, x1, y1, cx, cy, color);
    if (packet_is_lost(p))
        sheet_point(t->sheet, SHEET_CROSSES, cx, cy, COLOR_LOST);
    draw_label(t, label, x1, y1, cx, cy, color);
    sheet_text(t->sheet, x2 > x1 ? SHEET_LEFT : SHEET_RIGHT, cx + (x2 > x1 ? 14 : -14), cy + 1, 0,
               packet_is_lost(p) ? COLOR_LOST : COLOR_FAINT, p->story);
}

/* The reason stands in the host's own column, where no arrows are. */
static void
draw_refused(Timeline *t, const RunPacket *p, double x, double y, bool from_left)
{
    const HostPlace *host = &t->hosts[p->to];
    const char *reason = strstr(p->story, ": ");
    bool is_wide = host->x2 - host->x1 > 60;

    sheet_point(t->sheet, SHEET_RINGS, x + (from_left ? -16 : 16), y, COLOR_LOST);
    if (is_wide && reason != NULL)
        sheet_text(t->sheet, SHEET_CENTERED, (host->x1 + host->x2) / 2, y + 9, 0, COLOR_LOST,
                   reason + 2);
    else
        sheet_text(t->sheet, from_left ? SHEET_RIGHT : SHEET_LEFT, x + (from_left ? -26 : 26),
                   y + 12, 0, COLOR_LOST, p->story);
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
    if (is_injected_here(p)) {
        x1 += (x2 - x1) * 0.25;
        sheet_point(t->sheet, SHEET_STARS, x1, y1, COLOR_INJECTED);
    }
    if (packet_never_arrived(p)) {
        draw_never_arrived(t, p, label, x1, y1, x2, y2, color);
    } else {
        sheet_box(t->sheet, is_copy ? SHEET_DASHED_ARROWS : SHEET_ARROWS, x1, y1, x2, y2, color);
        draw_label_at(t, label, x1, y1, x2, y2, color, crosses_another(t, i) ? 0.27 : 0.5);
        if (strcmp(p->fate, "refused") == 0)
            draw_refused(t, p, x2, y2, goes_right);
    }
    g_free(label);
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
    for (unsigned i = 0; i < t->run->packets->len; i++)
        draw_packet(t, i);
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
    t.hosts = g_new0(HostPlace, n_hosts + 1);
    t.order = g_new0(int, TIMELINE_HOSTS);
    t.sent_y = g_new(double, n_packets + 1);
    t.ended_y = g_new(double, n_packets + 1);
    t.state_y = g_new0(double, run->states->len + 1);

    t.is_drawn = g_new0(bool, n_packets + 1);

    timeline_choose(&t, conn);
    timeline_place(&t);
    if (t.n_order >= 2 && n_packets > 0) {
        draw_all(&t);
    } else {
        g_clear_pointer(&t.sheet, sheet_free);
    }
    g_array_free(t.marks, TRUE);
    g_array_free(t.bands, TRUE);
    g_array_free(t.cuts, TRUE);
    g_array_free(t.left_out, TRUE);
    g_free(t.hosts);
    g_free(t.is_drawn);
    g_free(t.order);
    g_free(t.sent_y);
    g_free(t.ended_y);
    g_free(t.state_y);
    return t.sheet;
}
