/* Parts of a row of the ladder: the hosts' lines, the time, states in the
 * gutters, notes beside a line.
 */
#include "scenarios/runtime/ladder/internal.h"

#include <string.h>

#include "models/tcp/tcp.h"

static unsigned
lane_ink(const Draw *draw, const Lane *lane)
{
    return lane->has_state && draw->plan.n_flows <= 1 ? INK_STATE + lane->state : INK_DIM;
}

void
row_begin(Draw *draw, gunichar line)
{
    canvas_clear(&draw->row);
    for (unsigned i = 0; i < draw->plan.n_lanes; i++) {
        const Lane *lane = &draw->plan.lanes[i];

        canvas_put(&draw->row, lane->x, line, lane_ink(draw, lane));
    }
}

void
row_time(Draw *draw, SimTime at)
{
    char text[SIM_TIME_TEXT];

    if (at == draw->shown_at)
        return;
    draw->shown_at = at;
    g_snprintf(text, sizeof text, "%.6f", (double)at / 1e9);
    canvas_text_right(&draw->row, 0, TIME_END, text, INK_DIM);
}

void
row_end(Draw *draw)
{
    canvas_emit(&draw->row, draw->options, draw->out);
}

/* A text beside a host's line, on the side where the arrows are. One too long
 * for the space to the next host goes on over that host's line, and one too
 * long for the row goes on in the next. */
static void
note_rows(Draw *draw, SimTime at, int lane, const char *text, unsigned ink)
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
        if (at >= 0)
            row_time(draw, at);
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

void
row_note(Draw *draw, int lane, unsigned ink, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    note_rows(draw, -1, lane, text, ink);
    g_free(text);
}

void
row_note_at(Draw *draw, SimTime at, int lane, unsigned ink, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    note_rows(draw, at, lane, text, ink);
    g_free(text);
}

bool
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

char *
state_text(const Draw *draw, const TcpStateRecord *t)
{
    char tag[4];

    return g_strconcat(ladder_tag(&draw->plan, t->local, t->remote, tag),
                       tcp_state_name((TcpState)t->to), NULL);
}

void
lane_set_state(Draw *draw, int lane, const TcpStateRecord *t)
{
    draw->plan.lanes[lane].state = t->to;
    draw->plan.lanes[lane].has_state = true;
    canvas_put(&draw->row, draw->plan.lanes[lane].x, 0x2502,
               lane_ink(draw, &draw->plan.lanes[lane]));
}

void
row_why(Draw *draw, const TcpStateRecord *t)
{
    int lane = plan_lane(&draw->plan, t->host);

    if (!draw->options->why || lane < 0)
        return;
    row_note(draw, lane, INK_DIM, "╰ %s by %s: %s%s%s", tcp_state_name((TcpState)t->to),
             t->what ? t->what : t->cause, t->rule ? t->rule : "?",
             t->counterfactual ? ", counterfactual " : "",
             t->counterfactual ? t->counterfactual : "");
}
