/* The ladder: one row for each packet, two for one that crosses another or is
 * overtaken; the states beside the arrows; long silences as one row. The
 * measures: time, states of the first host, arrows, states of the last host.
 */
#include "scenarios/runtime/ladder/internal.h"

#include <string.h>

#include "models/tcp/tcp.h"

enum {
    IDLE_ROW = 500, /* ms: a longer silence gets a row of its own */
};

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
        row_why(draw, t);
    }
}

/* ---- Rows ---------------------------------------------------------------------------- */

/* A verdict that the row of the refusal tells already. */
static bool
is_refusal(const TracePacket *p, const VerdictRecord *v)
{
    return (p->what & TRACE_REFUSED) && v->kind == VERDICT_DROP && v->packet == p->id &&
           g_strcmp0(v->what, p->reason) == 0;
}

static void
refusal_row(Draw *draw, const TracePacket *p, int to)
{
    const Recorder *recorder = draw->plan.recorder;
    const char *rule = NULL;

    for (size_t i = 0; draw->options->why && i < recorder_count(recorder, TRACE_KIND_VERDICTS); i++)
        if (is_refusal(p, recorder_verdict(recorder, i)))
            rule = recorder_verdict(recorder, i)->rule;
    row_note(draw, to, INK_LOST, "⊘ refused: %s%s%s", p->reason ? p->reason : "?", rule ? ", " : "",
             rule ? rule : "");
}

static void
why_packet(Draw *draw, const TracePacket *p, int from, int to)
{
    const Recorder *recorder = draw->plan.recorder;

    if (!draw->options->why)
        return;
    if (p->why != NULL && from >= 0 && !(p->what & TRACE_FORWARDED))
        row_note(draw, from, INK_DIM, "╰ sent by %s", p->why);
    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_VERDICTS); i++) {
        const VerdictRecord *v = recorder_verdict(recorder, i);
        int lane = plan_lane(&draw->plan, v->host);

        if (v->packet == p->id && !is_refusal(p, v) && lane >= 0 && (lane == from || lane == to))
            row_note(draw, lane, INK_DIM, "╰ %s: %s", v->what, v->rule ? v->rule : "?");
    }
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

        reason_below = arrow_draw(draw, item, p, a < b ? a + 1 : a - 1, a < b ? b - 1 : b + 1);
    }
    if (from >= 0 && from == to)
        arrow_loop(draw, p, from);
    states_into_row(draw, item);
    row_end(draw);
    if (item->kind == ITEM_DEPARTURE && from >= 0 && to >= 0)
        arrow_label_below(draw, item, p, from, to);
    if (from >= 0 && to < 0)
        row_note(draw, from, INK_LOST, "✗ never left: %s", p->reason ? p->reason : "no route");
    if (reason_below && from >= 0)
        row_note(draw, from, INK_LOST, "╰ lost: %s", p->reason);
    if ((p->what & TRACE_REFUSED) && item->kind != ITEM_DEPARTURE && to >= 0)
        refusal_row(draw, p, to);
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
        row_beside(draw, draw->plan.lanes[lane].x, lane == 0 ? CANVAS_WIDTH : 0, t->what, INK_DIM);
    row_end(draw);
    g_free(text);
    row_why(draw, t);
}

/* A call that failed, in the words of the scenario. */
static void
call_row(Draw *draw, const Item *item)
{
    const CallRecord *call = recorder_call(draw->plan.recorder, item->index);
    const TraceConn *conn = recorder_find_conn(draw->plan.recorder, call->conn);
    int lane = plan_lane(&draw->plan, call->host);
    SimTime took = call->at - call->began_at;
    char span[LADDER_TIME_TEXT], tag[4] = "";

    if (conn != NULL)
        ladder_tag(&draw->plan, conn->local, conn->remote, tag);
    row_note_at(draw, item->at, lane, INK_LOST, "✗ %s%s(): %s%s%s", tag, call->call,
                call_error_name(call), took >= IDLE_ROW * SIM_MS ? " after " : "",
                took >= IDLE_ROW * SIM_MS ? ladder_span(took, span) : "");
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
    g_string_append_printf(draw->out, "%" G_GUINT64_FORMAT " packets",
                           recorder_totals(draw->plan.recorder)->packets);
    ladder_append_totals(draw->plan.recorder, draw->out);
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
        else if (item->kind == ITEM_CALL)
            call_row(draw, item);
        else
            packet_rows(draw, item);
        draw->last_at = MAX(draw->last_at, item_end(draw, item));
    }
}

char *
ladder_draw(const Recorder *recorder, const LadderOptions *options)
{
    Draw draw = { .options = options, .shown_at = -1, .last_at = -1 };
    uint64_t events = recorder_totals(recorder)->packets + plan_count_failed_calls(recorder);
    bool is_short = options->max_packets == 0 || events <= options->max_packets;

    if (!is_short || events == 0 || !recorder_is_complete(recorder, TRACE_KIND_PACKETS))
        return ladder_summary(recorder, options);
    if (!plan_make(&draw.plan, recorder, MIN(options->width, CANVAS_WIDTH)) ||
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
