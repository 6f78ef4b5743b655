#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "scenarios/runtime/cli.h"

#define FIRST_AFTER_US  2000000 /* shorter runs show nothing */
#define REDRAW_AFTER_US 200000
#define BAR_COLUMNS     30

void
progress_init(Progress *progress, SimTime until, bool is_wanted)
{
    *progress = (Progress){ .is_on = is_wanted && isatty(STDERR_FILENO),
                            .began = g_get_monotonic_time(),
                            .until = until };
}

static bool
is_due(Progress *progress)
{
    gint64 now = g_get_monotonic_time();

    if (!progress->is_on || now - progress->began < FIRST_AFTER_US ||
        now - progress->drawn < REDRAW_AFTER_US)
        return false;
    progress->drawn = now;
    progress->is_drawn = true;
    return true;
}

static void
draw_bar(const char *prefix, double share, const char *text)
{
    int filled = (int)MIN(share * BAR_COLUMNS, BAR_COLUMNS);

    fprintf(stderr, "\r%s[%.*s%*s] %s\033[K", prefix, filled, "##############################",
            BAR_COLUMNS - filled, "", text);
}

void
progress_show(Progress *progress, const World *world)
{
    char text[SIM_TIME_TEXT];
    SimTime at = sim_now(world->sim), until = progress->until;

    if (!is_due(progress))
        return;
    sim_time_format(at / SIM_MS * SIM_MS, text);
    if (until == SIM_NEVER || until == 0)
        fprintf(stderr, "\r%svirtual time %s, %.1f million events\033[K", world->prefix, text,
                (double)sim_events_run(world->sim) / 1e6);
    else
        draw_bar(world->prefix, (double)at / (double)until, text);
}

void
progress_count(Progress *progress, unsigned done, unsigned of)
{
    if (!is_due(progress))
        return;

    g_autofree char *text = g_strdup_printf("%u of %u runs", done, of);

    draw_bar("", (double)done / (double)of, text);
}

void
progress_clear(Progress *progress)
{
    if (progress->is_drawn)
        fprintf(stderr, "\r\033[K");
    progress->is_drawn = false;
}
