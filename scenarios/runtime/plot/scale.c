#include "scenarios/runtime/plot/internal.h"

#include <math.h>

typedef struct Knot {
    SimTime at;
    double where;
} Knot;

static const double CUT_SHARE = 0.05; /* of the axis, for one time that is cut */
static const double CUT_RATIO = 3;    /* a silence so many times all the rest is cut */
enum { CUTS_AT_MOST = 4 };

static SimTime
gap_at(const GArray *times, unsigned i)
{
    return g_array_index(times, SimTime, i + 1) - g_array_index(times, SimTime, i);
}

static gint
compare_times(gconstpointer x, gconstpointer y)
{
    const SimTime *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

/* Marks the silences that would leave nothing for the rest. Returns the time
 * that is left. */
static SimTime
choose_cuts(const GArray *times, bool *is_cut, unsigned *n_cuts)
{
    SimTime active =
        g_array_index(times, SimTime, times->len - 1) - g_array_index(times, SimTime, 0);

    for (*n_cuts = 0; *n_cuts < CUTS_AT_MOST; ++*n_cuts) {
        unsigned longest = 0;

        for (unsigned i = 0; i + 1 < times->len; i++)
            if (is_cut[longest] || (!is_cut[i] && gap_at(times, i) > gap_at(times, longest)))
                longest = i;
        if (is_cut[longest] ||
            (double)gap_at(times, longest) <= CUT_RATIO * (double)(active - gap_at(times, longest)))
            break;
        is_cut[longest] = true;
        active -= gap_at(times, longest);
    }
    return active;
}

void
scale_init_even(Scale *scale, GArray *times, double length)
{
    bool *is_cut;
    unsigned n_cuts = 0;
    SimTime active;
    double where = 0, per_ns;

    g_array_sort(times, compare_times);
    scale->knots = g_array_new(FALSE, FALSE, sizeof(Knot));
    scale->breaks = g_array_new(FALSE, FALSE, sizeof(ScaleBreak));
    if (times->len == 0)
        return;
    is_cut = g_new0(bool, times->len);
    active = times->len > 1 ? choose_cuts(times, is_cut, &n_cuts) : 0;
    per_ns = active > 0 ? length * (1 - CUT_SHARE * n_cuts) / (double)active : 0;
    for (unsigned i = 0; i < times->len; i++) {
        Knot knot = { g_array_index(times, SimTime, i), where };
        SimTime gap;

        g_array_append_val(scale->knots, knot);
        if (i + 1 == times->len)
            break;
        gap = gap_at(times, i);
        if (is_cut[i]) {
            ScaleBreak cut = { where, where + CUT_SHARE * length, gap };

            g_array_append_val(scale->breaks, cut);
            where = cut.end;
        } else {
            where += (double)gap * per_ns;
        }
    }
    g_free(is_cut);
}

void
scale_done(Scale *scale)
{
    g_array_free(scale->knots, TRUE);
    g_array_free(scale->breaks, TRUE);
}

double
scale_at(const Scale *scale, SimTime at)
{
    const GArray *knots = scale->knots;
    unsigned low = 0, high = knots->len;
    const Knot *a, *b;

    while (low + 1 < high) {
        unsigned middle = (low + high) / 2;

        if (g_array_index(knots, Knot, middle).at <= at)
            low = middle;
        else
            high = middle;
    }
    if (knots->len == 0)
        return 0;
    a = &g_array_index(knots, Knot, low);
    if (at <= a->at || low + 1 == knots->len)
        return a->where;
    b = &g_array_index(knots, Knot, low + 1);
    return a->where + (b->where - a->where) * (double)(at - a->at) / (double)(b->at - a->at);
}
