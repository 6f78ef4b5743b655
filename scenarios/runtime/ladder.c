/* The ladder: one row for each packet, two for one that crosses another or is
 * overtaken; the states beside the arrows; long silences as one row. The
 * measures: time, states of the first host, arrows, states of the last host.
 */
#include "scenarios/runtime/ladder_internal.h"

#include <string.h>

#include "models/tcp/tcp.h"

enum {
    TIME_END = 11,
    DEPARTURE = 60, /* per cent of the way: an arrow that arrives later */
    IDLE_ROW = 500, /* ms: a longer silence gets a row of its own */
};

typedef struct Draw {
    Plan plan;
    const LadderOptions *options;
    GString *out;
    Canvas row;
    SimTime shown_at; /* the time that the last row told; -1: none */
    SimTime last_at;  /* the latest moment that a row stood for */
} Draw;

/* ---- Parts of a row ----------------------------------------------------------------- */

static unsigned
lane_ink(const Draw *draw, const Lane *lane)
{
    return lane->has_state && draw->plan.n_flows <= 1 ? INK_STATE + lane->state : INK_DIM;
}

static void
row_begin(Draw *draw, gunichar line)
{
    canvas_clear(&draw->row);
    for (unsigned i = 0; i < draw->plan.n_lanes; i++) {
        const Lane *lane = &draw->plan.lanes[i];

        canvas_put(&draw->row, lane->x, line, lane_ink(draw, lane));
    }
}

static void
row_time(Draw *draw, SimTime at)
{
    char text[SIM_TIME_TEXT];

    if (at == draw->shown_at)
        return;
    draw->shown_at = at;
    g_snprintf(text, sizeof text, "%.6f", (double)at / 1e9);
    canvas_text_right(&draw->row, 0, TIME_END, text, INK_DIM);
}

static void
row_end(Draw *draw)
{
    canvas_emit(&draw->row, draw->options, draw->out);
}

/* A text beside a host's line, on the side where the arrows are. One too long
 * for the space to the next host goes on over that host's line, and one too
 * long for the row goes on in the next. */
static void
note_row(Draw *draw, int lane, const char *text, unsigned ink)
{
    const Plan *plan = &draw->plan;
    int x = plan->lanes[lane].x;
    bool is_last = lane > 0 && lane == (int)plan->n_lanes - 1;
    int start = is_last ? plan->lanes[0].x + 2 : x + 2;
    int end = is_last ? x - 1 : (int)draw->options->width;

    if (!is_last && plan->n_lanes == 2)
        end = plan->lanes[1].x - 1;
    while (*text != '\0') {
        char *part = g_strndup(text, text_bytes_that_fit(text, end - start));

        row_begin(draw, 0x2502);
        if (is_last)
            canvas_text_right(&draw->row, start, end, part, ink);
        else
            canvas_text(&draw->row, start, end, part, ink);
        row_end(draw);
        text += strlen(part);
        while (*text == ' ')
            text++;
        g_free(part);
    }
}

static void G_GNUC_PRINTF(4, 5) note(Draw *draw, int lane, unsigned ink, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    note_row(draw, lane, text, ink);
    g_free(text);
}

/* Writes a state into its host's gutter. False when the host has none. */
static bool
row_state(Draw *draw, int lane, const char *text, unsigned ink)
{
    const Plan *plan = &draw->plan;

    if (lane == 0)
        canvas_text_right(&draw->row, TIME_END, plan->lanes[0].x - 1, text, ink);
    else if (lane == (int)plan->n_lanes - 1)
        canvas_text(&draw->row, plan->lanes[lane].x + 2, (int)draw->options->width, text, ink);
    else
        return false;
    return true;
}

static char *
state_text(const Draw *draw, const TcpStateRecord *t)
{
    char tag[4];

    return g_strconcat(ladder_tag(&draw->plan, t->local, t->remote, tag),
                       tcp_state_name((TcpState)t->to), NULL);
}

static void
lane_set_state(Draw *draw, int lane, const TcpStateRecord *t)
{
    draw->plan.lanes[lane].state = t->to;
    draw->plan.lanes[lane].has_state = true;
    canvas_put(&draw->row, draw->plan.lanes[lane].x, 0x2502,
               lane_ink(draw, &draw->plan.lanes[lane]));
}

static void
why_transition(Draw *draw, const TcpStateRecord *t)
{
    int lane = plan_lane(&draw->plan, t->host);

    if (!draw->options->why || lane < 0)
        return;
    note(draw, lane, INK_DIM, "╰ %s by %s: %s%s%s", tcp_state_name((TcpState)t->to),
         t->what ? t->what : t->cause, t->rule ? t->rule : "?",
         t->counterfactual ? ", counterfactual " : "", t->counterfactual ? t->counterfactual : "");
}

/* ---- States beside a packet --------------------------------------------------------------- */

/* The first transition of each host goes into the row that is being drawn. */
static void
states_into_row(Draw *draw, const Item *item)
{
    bool has[LADDER_LANES] = { false };

    for (int at = item->first_state; at >= 0;) {
        const Item *state = &g_array_index(draw->plan.items, Item, at);
        const TcpStateRecord *t = recorder_transition(draw->plan.recorder, state->index);
        int lane = plan_lane(&draw->plan, t->host);
        char *text = state_text(draw, t);

        if (lane >= 0 && !has[lane] && row_state(draw, lane, text, INK_STATE + t->to)) {
            has[lane] = true;
            lane_set_state(draw, lane, t);
        }
        g_free(text);
        at = state->next_state;
    }
}

/* The others get rows of their own, below. */
static void
states_below_row(Draw *draw, const Item *item)
{
    bool has[LADDER_LANES] = { false };

    for (int at = item->first_state; at >= 0;) {
        const Item *state = &g_array_index(draw->plan.items, Item, at);
        const TcpStateRecord *t = recorder_transition(draw->plan.recorder, state->index);
        int lane = plan_lane(&draw->plan, t->host);
        bool is_outer = lane == 0 || lane == (int)draw->plan.n_lanes - 1;

        at = state->next_state;
        if (lane < 0)
            continue;
        if (!is_outer || has[lane]) {
            char *text = state_text(draw, t);

            row_begin(draw, 0x2502);
            lane_set_state(draw, lane, t);
            if (!row_state(draw, lane, text, INK_STATE + t->to))
                canvas_text(&draw->row, draw->plan.lanes[lane].x + 2, draw->plan.lanes[lane + 1].x,
                            text, INK_STATE + t->to);
            row_end(draw);
            g_free(text);
        }
        has[lane] = true;
        why_transition(draw, t);
    }
}

/* ---- Arrows --------------------------------------------------------------------------------- */

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

static void
fate_beside(Draw *draw, int x, int end, const char *text, unsigned ink)
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
        fate_beside(draw, cross, end, text, INK_LOST);
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
        fate_beside(draw, stop, end, text, INK_AGAIN);
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

static bool
draw_packet(Draw *draw, const Item *item, const TracePacket *p, int start, int end)
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
        fate_beside(draw, stop, end, p->what & TRACE_HELD ? "held" : "on its way", INK_AGAIN);
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
static void
draw_loop(Draw *draw, const TracePacket *p, int lane)
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

/* ---- Rows
 * ---------------------------------------------------------------------------------------- */

static void
why_packet(Draw *draw, const TracePacket *p, int from, int to)
{
    const Recorder *recorder = draw->plan.recorder;

    if (!draw->options->why)
        return;
    if (p->why != NULL && from >= 0 && !(p->what & TRACE_FORWARDED))
        note(draw, from, INK_DIM, "╰ sent by %s", p->why);
    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_VERDICTS); i++) {
        const VerdictRecord *v = recorder_verdict(recorder, i);
        int lane = plan_lane(&draw->plan, v->host);

        if (v->packet == p->id && lane >= 0 && (lane == from || lane == to))
            note(draw, lane, INK_DIM, "╰ %s: %s", v->what, v->rule ? v->rule : "?");
    }
}

/* Hosts side by side leave a part of an arrow no room for its label. */
static void
departure_label_below(Draw *draw, const Item *item, const TracePacket *p, int from, int to)
{
    int a = draw->plan.lanes[from].x, b = draw->plan.lanes[to].x;
    int room = part_way(0, ABS(b - a) - 2, DEPARTURE) - 3;
    char *label = ladder_label(&draw->plan, p, room);
    char number[6] = "";

    if (text_width(label) > room) {
        g_free(label);
        label = ladder_label(&draw->plan, p, ABS(a - b) - 5);
        g_unichar_to_utf8(0x2460 + (item->number - 1) % 9, number);
        note(draw, from, ladder_ink(p), "%s %s", number, label);
    }
    g_free(label);
}

static void
packet_rows(Draw *draw, const Item *item)
{
    const TracePacket *p = recorder_packet(draw->plan.recorder, item->index);
    int from = plan_lane(&draw->plan, p->from), to = plan_lane(&draw->plan, p->to);
    bool reason_below = false;

    row_begin(draw, 0x2502);
    row_time(draw, item->at);
    if (from >= 0 && to >= 0 && from != to) {
        int a = draw->plan.lanes[from].x, b = draw->plan.lanes[to].x;

        reason_below = draw_packet(draw, item, p, a < b ? a + 1 : a - 1, a < b ? b - 1 : b + 1);
    }
    if (from >= 0 && from == to)
        draw_loop(draw, p, from);
    states_into_row(draw, item);
    row_end(draw);
    if (item->kind == ITEM_DEPARTURE && from >= 0 && to >= 0)
        departure_label_below(draw, item, p, from, to);
    if (from >= 0 && to < 0)
        note(draw, from, INK_LOST, "✗ never left: %s", p->reason ? p->reason : "no route");
    if (reason_below && from >= 0)
        note(draw, from, INK_LOST, "╰ lost: %s", p->reason);
    if ((p->what & TRACE_REFUSED) && item->kind != ITEM_DEPARTURE && to >= 0)
        note(draw, to, INK_LOST, "⊘ refused: %s", p->reason ? p->reason : "?");
    if (item->kind != ITEM_ARRIVAL)
        why_packet(draw, p, from, to);
    states_below_row(draw, item);
}

static void
state_row(Draw *draw, const Item *item)
{
    const TcpStateRecord *t = recorder_transition(draw->plan.recorder, item->index);
    int lane = plan_lane(&draw->plan, t->host);
    char *text;

    if (lane < 0)
        return;
    text = state_text(draw, t);
    row_begin(draw, 0x2502);
    lane_set_state(draw, lane, t);
    row_time(draw, item->at);
    if (!row_state(draw, lane, text, INK_STATE + t->to))
        canvas_text(&draw->row, draw->plan.lanes[lane].x + 2, draw->plan.lanes[lane + 1].x, text,
                    INK_STATE + t->to);
    else if (t->what != NULL && !draw->options->why)
        fate_beside(draw, draw->plan.lanes[lane].x, lane == 0 ? CANVAS_WIDTH : 0, t->what, INK_DIM);
    row_end(draw);
    g_free(text);
    why_transition(draw, t);
}

/* A silence: what passed, and in which states it was passed. */
static void
idle_row(Draw *draw, SimTime span)
{
    char words[LADDER_TIME_TEXT], text[LADDER_TIME_TEXT + 16];
    const Plan *plan = &draw->plan;
    int middle;

    row_begin(draw, 0x250a);
    g_snprintf(text, sizeof text, "⋯ %s ⋯", ladder_span(span, words));
    middle = (plan->lanes[0].x + plan->lanes[plan->n_lanes - 1].x - text_width(text)) / 2 + 1;
    if (plan->n_lanes == 1)
        middle = plan->lanes[0].x + 2;
    canvas_text_right(&draw->row, 0, TIME_END, "⋮", INK_DIM);
    canvas_text(&draw->row, middle, CANVAS_WIDTH, text, INK_BOLD);
    for (unsigned i = 0; plan->n_flows <= 1 && i < plan->n_lanes; i++) {
        const Lane *lane = &plan->lanes[i];

        if (lane->has_state && lane->state != TCP_CLOSED)
            row_state(draw, (int)i, tcp_state_name((TcpState)lane->state), INK_DIM);
    }
    row_end(draw);
}

static SimTime
item_end(const Draw *draw, const Item *item)
{
    SimTime end = item->at;

    if (item->kind == ITEM_ARROW)
        end = MAX(end, recorder_packet(draw->plan.recorder, item->index)->ended_at);
    return end;
}

static void
header_rows(Draw *draw)
{
    const Plan *plan = &draw->plan;
    const Net *net = recorder_net(plan->recorder);

    for (int line = 0; line < 2; line++) {
        canvas_clear(&draw->row);
        for (unsigned i = 0; i < plan->n_lanes; i++) {
            const Host *host = net->hosts->pdata[plan->lanes[i].host - 1];
            const Iface *iface = host->ifaces->len ? host->ifaces->pdata[0] : NULL;
            char addr[IP_ADDR_TEXT] = "";
            const char *text = host->name;

            if (line == 1)
                text = iface && !host->forwards ? ip_addr_format(iface->addr, addr) : "";
            canvas_text(&draw->row, MAX(0, plan->lanes[i].x - text_width(text) / 2), CANVAS_WIDTH,
                        text, line == 0 ? INK_BOLD : INK_DIM);
        }
        if (line == 0)
            canvas_text_right(&draw->row, 0, TIME_END, "seconds", INK_DIM);
        row_end(draw);
    }
    for (unsigned i = 0; plan->n_flows > 1 && i < plan->n_flows; i++) {
        char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];

        g_string_append_printf(
            draw->out, "%24c  %s %s %s\n", 'A' + (int)i, endpoint_format(plan->flows[i].a, a),
            draw->options->utf8 ? "↔" : "<->", endpoint_format(plan->flows[i].b, b));
    }
}

static void
footer_row(Draw *draw)
{
    const TraceTotals *t = recorder_totals(draw->plan.recorder);
    const struct {
        uint64_t n;
        const char *name;
    } parts[] = {
        { t->lost, "lost" },         { t->retransmits, "retransmitted" },
        { t->injected, "injected" }, { t->copies, "duplicated" },
        { t->refused, "refused" },   { t->corrupted, "corrupted" },
    };

    g_string_append_printf(draw->out, "%" G_GUINT64_FORMAT " packets", t->packets);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i].n > 0)
            g_string_append_printf(draw->out, ", %" G_GUINT64_FORMAT " %s", parts[i].n,
                                   parts[i].name);
    g_string_append_c(draw->out, '\n');
}

static void
draw_items(Draw *draw)
{
    for (unsigned i = 0; i < draw->plan.items->len; i++) {
        const Item *item = &g_array_index(draw->plan.items, Item, i);

        if (item->kind == ITEM_STATE && item->is_attached)
            continue;
        if (draw->last_at >= 0 && item->at - draw->last_at >= IDLE_ROW * SIM_MS)
            idle_row(draw, item->at - draw->last_at);
        if (item->kind == ITEM_STATE)
            state_row(draw, item);
        else
            packet_rows(draw, item);
        draw->last_at = MAX(draw->last_at, item_end(draw, item));
    }
}

char *
ladder_draw(const Recorder *recorder, const LadderOptions *options)
{
    Draw draw = { .options = options, .shown_at = -1, .last_at = -1 };
    uint64_t packets = recorder_totals(recorder)->packets;
    bool is_short = options->max_packets == 0 || packets <= options->max_packets;

    if (!is_short || !recorder_is_complete(recorder, TRACE_KIND_PACKETS))
        return ladder_summary(recorder, options);
    if (!plan_make(&draw.plan, recorder, MIN(options->width, CANVAS_WIDTH)) || packets == 0 ||
        draw.plan.n_lanes < 1) {
        plan_done(&draw.plan);
        return ladder_summary(recorder, options);
    }
    draw.out = g_string_new(NULL);
    header_rows(&draw);
    draw_items(&draw);
    footer_row(&draw);
    plan_done(&draw.plan);
    return g_string_free(draw.out, FALSE);
}
