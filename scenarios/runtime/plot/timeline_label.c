/* Where the texts of the state timeline stand: on no other text, in no host's
 * column, and on as few arrows as can be. A text that has no free place in its
 * long version gets its short one, or none: the table has it.
 */
#include <math.h>

#include "scenarios/runtime/plot/timeline.h"

enum { ROOM = 12 }; /* pixels left free along an arrow */

static const double HEIGHT = 11, ABOVE = 8; /* of a text; its middle above its line */

double
timeline_text_px(const char *text)
{
    return (double)g_utf8_strlen(text, -1) * 6.7;
}

/* ---- Rectangles ----------------------------------------------------------------------- */

/* How far a box reaches from its middle along a direction. */
static double
reach(const TextBox *box, double cosine, double sine)
{
    return fabs(box->cosine * cosine + box->sine * sine) * box->width / 2 +
           fabs(box->cosine * sine - box->sine * cosine) * box->height / 2;
}

/* Some line of this direction stands between the two. */
static bool
is_apart(const TextBox *a, const TextBox *b, double cosine, double sine)
{
    double distance = fabs((a->x - b->x) * cosine + (a->y - b->y) * sine);

    return distance >= reach(a, cosine, sine) + reach(b, cosine, sine);
}

static bool
boxes_overlap(const TextBox *a, const TextBox *b)
{
    return !is_apart(a, b, a->cosine, a->sine) && !is_apart(a, b, -a->sine, a->cosine) &&
           !is_apart(a, b, b->cosine, b->sine) && !is_apart(a, b, -b->sine, b->cosine);
}

/* The line as a box without height. */
static bool
line_crosses(const TextBox *box, double x1, double y1, double x2, double y2)
{
    double length = hypot(x2 - x1, y2 - y1);
    TextBox line = { .x = (x1 + x2) / 2,
                     .y = (y1 + y2) / 2,
                     .width = length,
                     .cosine = length > 0 ? (x2 - x1) / length : 1,
                     .sine = length > 0 ? (y2 - y1) / length : 0 };

    return boxes_overlap(box, &line);
}

/* ---- What is in the way ------------------------------------------------------------------ */

static bool
is_on_text(const Timeline *t, const TextBox *box)
{
    for (unsigned i = 0; i < t->texts->len; i++)
        if (boxes_overlap(box, &g_array_index(t->texts, TextBox, i)))
            return true;
    return false;
}

static unsigned
count_arrows_in_the_way(const Timeline *t, const TextBox *box)
{
    unsigned n = 0;

    for (unsigned i = 0; i < t->run->packets->len; i++) {
        const RunPacket *p = packet_at(t, i);
        double x1, x2;

        if (isnan(t->sent_y[i]) || p->from == p->to)
            continue;
        timeline_arrow_ends(t, p, &x1, &x2);
        n += line_crosses(box, x1, t->sent_y[i], x2, t->ended_y[i]);
    }
    return n;
}

unsigned
timeline_arrows_over(const Timeline *t, double x, double y, const char *text)
{
    TextBox box = {
        .x = x, .y = y, .width = timeline_text_px(text), .height = HEIGHT, .cosine = 1
    };

    return count_arrows_in_the_way(t, &box);
}

void
timeline_arrow_ends(const Timeline *t, const RunPacket *p, double *x1, double *x2)
{
    const HostPlace *from = &t->hosts[p->from], *to = &t->hosts[p->to];
    bool goes_right = from->x1 < to->x1;

    *x1 = goes_right ? from->x2 : from->x1;
    *x2 = goes_right ? to->x1 : to->x2;
}

/* ---- Along an arrow -------------------------------------------------------------------- */

typedef struct Line {
    double x1, y1, x2, y2;
} Line;

/* A part of the way that lies in no host's column: from and to, 0 to 1. */
typedef struct Stretch {
    double from, to;
} Stretch;

static unsigned
free_stretches(const Timeline *t, const Line *line, Stretch stretches[TIMELINE_HOSTS + 1])
{
    bool goes_right = line->x2 > line->x1;
    unsigned n = 0;
    double from = 0;

    for (int i = 0; i < t->n_order; i++) {
        const HostPlace *host = &t->hosts[t->order[goes_right ? i : t->n_order - 1 - i]];
        double in = ((goes_right ? host->x1 : host->x2) - line->x1) / (line->x2 - line->x1);
        double out = ((goes_right ? host->x2 : host->x1) - line->x1) / (line->x2 - line->x1);

        if (in <= 0.001 || out >= 0.999)
            continue;
        stretches[n++] = (Stretch){ from, in };
        from = out;
    }
    stretches[n++] = (Stretch){ from, 1 };
    return n;
}

static TextBox
box_along(const Line *line, double along, const char *text)
{
    double length = hypot(line->x2 - line->x1, line->y2 - line->y1);
    double sign = line->x2 < line->x1 ? -1 : 1;

    return (TextBox){ .x = line->x1 + (line->x2 - line->x1) * along,
                      .y = line->y1 + (line->y2 - line->y1) * along - ABOVE,
                      .width = timeline_text_px(text),
                      .height = HEIGHT,
                      .cosine = sign * (line->x2 - line->x1) / length,
                      .sine = sign * (line->y2 - line->y1) / length };
}

/* The best place for a text. Returns how many arrows cross it there; -1: there is none. */
static int
find_place(const Timeline *t, const Line *line, const char *text, double first, TextBox *best)
{
    const double tries[] = { first, 0.5, 0.36, 0.64, 0.25, 0.75, 0.16, 0.84 };
    Stretch stretches[TIMELINE_HOSTS + 1];
    unsigned n = free_stretches(t, line, stretches);
    double length = hypot(line->x2 - line->x1, line->y2 - line->y1);
    int fewest = -1;

    for (unsigned i = 0; i < n && fewest != 0; i++) {
        double share = (timeline_text_px(text) / 2 + ROOM / 2) / length;
        double low = stretches[i].from + share, high = stretches[i].to - share;

        for (size_t k = 0; k < G_N_ELEMENTS(tries) && low <= high && fewest != 0; k++) {
            double along = stretches[i].from + (stretches[i].to - stretches[i].from) * tries[k];
            TextBox box = box_along(line, CLAMP(along, low, high), text);
            int n_arrows;

            if (is_on_text(t, &box))
                continue;
            n_arrows = (int)count_arrows_in_the_way(t, &box);
            if (fewest < 0 || n_arrows < fewest) {
                fewest = n_arrows;
                *best = box;
            }
        }
    }
    return fewest;
}

bool
timeline_label(Timeline *t, const char *const *texts, double x1, double y1, double x2, double y2,
               double first, int color)
{
    Line line = { x1, y1, x2, y2 };
    const char *text = NULL;
    TextBox best = { 0 };
    int fewest = -1;

    for (unsigned i = 0; texts[i] != NULL && fewest != 0; i++) {
        TextBox box;
        int n_arrows = find_place(t, &line, texts[i], first, &box);

        if (n_arrows < 0 || (fewest >= 0 && n_arrows >= fewest))
            continue;
        fewest = n_arrows;
        best = box;
        text = texts[i];
    }
    if (text == NULL)
        return false;
    g_array_append_val(t->texts, best);
    sheet_text(t->sheet, SHEET_CENTERED, best.x, best.y, -round(asin(best.sine) * 180 / G_PI),
               color, text);
    return true;
}

void
timeline_text(Timeline *t, SheetLayer layer, double x, double y, int color, const char *text)
{
    double width = timeline_text_px(text);
    TextBox box = { .x = layer == SHEET_LEFT    ? x + width / 2
                         : layer == SHEET_RIGHT ? x - width / 2
                                                : x,
                    .y = y,
                    .width = width,
                    .height = HEIGHT,
                    .cosine = 1 };

    g_array_append_val(t->texts, box);
    sheet_text(t->sheet, layer, x, y, 0, color, text);
}
