#include "models/app/luck.h"

void
app_luck_init(Host *host, SimRng *rng, const char *kind)
{
    g_autofree char *name = g_strdup_printf("%s %s %u", kind, host->name, ++host->n_apps);

    sim_rng_named(host->sim, rng, name);
}
