/* Random numbers of native applications. */
#ifndef HALFOPEN_MODELS_APP_LUCK_H
#define HALFOPEN_MODELS_APP_LUCK_H

#include "models/node/node.h"

/* A stream of the application's own, named for its host, its kind and its
 * turn on that host: two alike on one host do not do the same at the same
 * time, and what else a host is made of changes nobody's luck. */
void app_luck_init(Host *host, SimRng *rng, const char *kind);

#endif
