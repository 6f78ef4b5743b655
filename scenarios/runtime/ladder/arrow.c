/* The arrows of the ladder, from one host's line to another's: whole ones, those
 * that leave on one row and arrive on another, those that never arrive.
 */
#include "scenarios/runtime/ladder/internal.h"

enum { DEPARTURE = 60 }; /* per cent of the way: an arrow that arrives later */

/* A line of cells between two columns, from `start` to `end`, both included,
 * in either direction. */
static void
line_cells(Draw *draw, int start, int end, gunichar c, unsigned ink)
{
    int step = start <= end ? 1 : -1;

    for (int x = start; x != end + step; x += step) {
        bool is_lane = draw->row.cells[x] == 0x2502;

        canvas_put(&draw->row, x, is_lane ? 0x253c : c, ink);
    }
}

static void
label_on_line(Draw *draw, const TracePacket *p, int start, int end, unsigned ink)
{
    int low = MIN(start, end), room = ABS(end - start) - 3;
    char *label = ladder_label(&draw->plan, p, room);
    int width = text_width(label);
    int x = low + 1 + MAX(0, (ABS(end - start) - 1 - width - 2) / 2);

    if (width <= room) {
        canvas_put(&draw->row, x, ' ', INK_PLAIN);
        canvas_text(&draw->row, x + 1, x + 1 + width, label, ink);
        canvas_put(&draw->row, x + 1 + width, ' ', INK_PLAIN);
    }
    g_free(label);
}

static gunichar
line_of(const TracePacket *p)
{
    if (p->what & TRACE_COPY)
        return 0x254c; /* ╌ */
    return p->flags & (TCP_SYN | TCP_FIN | TCP_RST) && p->proto == IP_PROTO_TCP ? 0x2501 : 0x2500;
}

/* Where on the way from `start` to `end`, in per cent. */
static int
part_way(int start, int end, int percent)
{
    return start + (end - start) * percent / 100;
}

void
row_beside(Draw *draw, int x, int end, const char *text, unsigned ink)
{
    if (end > x)
        canvas_text(&draw->row, x + 2, end, text, ink);
    else
        canvas_text_right(&draw->row, end + 1, x - 1, text, ink);
}

/* True when the reason did not fit beside the cross. */
static bool
draw_lost(Draw *draw, const TracePacket *p, int start, int end)
{
    unsigned ink = ladder_ink(p);
    char text[TRACE_FATE_TEXT];
    int cross;
    bool fits;

    g_snprintf(text, sizeof text, "lost%s%s", p->reason ? ": " : "", p->reason ? p->reason : "");
    cross = part_way(start, end, 64);
    if (ABS(end - cross) < text_width(text) + 3)
        cross = end > start ? MAX(part_way(start, end, 50), end - text_width(text) - 3)
                            : MIN(part_way(start, end, 50), end + text_width(text) + 3);
    fits = ABS(end - cross) >= text_width(text) + 2;
    line_cells(draw, start, cross, line_of(p), ink);
    label_on_line(draw, p, start, cross, ink);
    canvas_put(&draw->row, cross, 0x2717, INK_LOST);
    if (fits)
        row_beside(draw, cross, end, text, INK_LOST);
    return !fits;
}

static void
draw_departure(Draw *draw, const Item *item, const TracePacket *p, int start, int end)
{
    unsigned ink = ladder_ink(p);
    int stop = part_way(start, end, DEPARTURE);
    char text[TRACE_FATE_TEXT], span[LADDER_TIME_TEXT];

    line_cells(draw, start, stop, line_of(p), ink);
    label_on_line(draw, p, start, stop, ink);
    canvas_put(&draw->row, stop, 0x2460 + (item->number - 1) % 9, INK_BOLD);
    if (p->what & TRACE_DELAYED) {
        g_snprintf(text, sizeof text, "delayed %s", ladder_span(p->extra_ns, span));
        row_beside(draw, stop, end, text, INK_AGAIN);
    }
}

static void
draw_arrival(Draw *draw, const Item *item, const TracePacket *p, int start, int end)
{
    unsigned ink = ladder_ink(p);
    int from = part_way(start, end, 40);

    line_cells(draw, from, end, line_of(p), ink);
    label_on_line(draw, p, from, end, ink);
    canvas_put(&draw->row, from, 0x2460 + (item->number - 1) % 9, INK_BOLD);
    canvas_put(&draw->row, end, end > start ? 0x25b6 : 0x25c0, ink);
}

bool
arrow_draw(Draw *draw, const Item *item, const TracePacket *p, int start, int end)
{
    unsigned ink = ladder_ink(p);

    if (item->kind == ITEM_DEPARTURE) {
        draw_departure(draw, item, p, start, end);
        return false;
    }
    if (item->kind == ITEM_ARRIVAL) {
        draw_arrival(draw, item, p, start, end);
        return false;
    }
    if ((p->what & (TRACE_INJECTED | TRACE_FORWARDED)) == TRACE_INJECTED)
        start = part_way(start, end, 25);
    if (p->what & TRACE_LOST)
        return draw_lost(draw, p, start, end);
    if (!(p->what & TRACE_ARRIVED)) {
        int stop = part_way(start, end, 70);

        line_cells(draw, start, stop, line_of(p), ink);
        label_on_line(draw, p, start, stop, ink);
        row_beside(draw, stop, end, p->what & TRACE_HELD ? "held" : "on its way", INK_AGAIN);
        return false;
    }
    line_cells(draw, start, end, line_of(p), ink);
    label_on_line(draw, p, start, end, ink);
    canvas_put(&draw->row, end, end > start ? 0x25b6 : 0x25c0, ink);
    if ((p->what & (TRACE_INJECTED | TRACE_FORWARDED)) == TRACE_INJECTED)
        canvas_put(&draw->row, start, 0x2726, INK_INJECTED);
    return false;
}

/* To itself: no way to draw an arrow over, so a word beside the host's line. */
void
arrow_loop(Draw *draw, const TracePacket *p, int lane)
{
    const Plan *plan = &draw->plan;
    bool is_last = lane > 0 && lane == (int)plan->n_lanes - 1;
    int x = plan->lanes[lane].x;
    int left = is_last ? plan->lanes[lane - 1].x + 2 : x + 2;
    int right = is_last                         ? x - 1
                : lane + 1 < (int)plan->n_lanes ? plan->lanes[lane + 1].x - 1
                                                : (int)draw->options->width;
    char *label = ladder_label(plan, p, right - left - 3);

    if (is_last)
        left = MAX(left, right - text_width(label) - 2);
    canvas_put(&draw->row, left, 0x21bb, ladder_ink(p));
    canvas_text(&draw->row, left + 2, right, label, ladder_ink(p));
    g_free(label);
}
/* Hosts side by side leave a part of an arrow no room for its label. */
void
arrow_label_below(Draw *draw, const Item *item, const TracePacket *p, int from, int to)
{
    int a = draw->plan.lanes[from].x, b = draw->plan.lanes[to].x;
    int room = part_way(0, ABS(b - a) - 2, DEPARTURE) - 3;
    char *label = ladder_label(&draw->plan, p, room);
    char number[6] = "";

    if (text_width(label) > room) {
        g_free(label);
        label = ladder_label(&draw->plan, p, ABS(a - b) - 5);
        g_unichar_to_utf8(0x2460 + (item->number - 1) % 9, number);
        row_note(draw, from, ladder_ink(p), "%s %s", number, label);
    }
    g_free(label);
}
