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

void
progress_show(Progress *progress, const World *world)
{
    gint64 now = g_get_monotonic_time();
    char text[SIM_TIME_TEXT];
    SimTime at = sim_now(world->sim), until = progress->until;

    if (!progress->is_on || now - progress->began < FIRST_AFTER_US ||
        now - progress->drawn < REDRAW_AFTER_US)
        return;
    progress->drawn = now;
    progress->is_drawn = true;
    sim_time_format(at / SIM_MS * SIM_MS, text);
    if (until == SIM_NEVER || until == 0) {
        fprintf(stderr, "\r%svirtual time %s, %.1f million events\033[K", world->prefix, text,
                (double)sim_events_run(world->sim) / 1e6);
        return;
    }

    int filled = (int)MIN((double)at / (double)until * BAR_COLUMNS, BAR_COLUMNS);

    fprintf(stderr, "\r%s[%.*s%*s] %s\033[K", world->prefix, filled,
            "##############################", BAR_COLUMNS - filled, "", text);
}

void
progress_clear(Progress *progress)
{
    if (progress->is_drawn)
        fprintf(stderr, "\r\033[K");
    progress->is_drawn = false;
}
