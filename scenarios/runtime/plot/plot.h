/* Draws the pictures of a run from its folder and from nothing else, with
 * gnuplot and the templates in scripts/plot/ (or the installed share folder).
 */
#ifndef HALFOPEN_RUNTIME_PLOT_H
#define HALFOPEN_RUNTIME_PLOT_H

#include <glib.h>
#include <stdbool.h>

typedef struct PlotOptions {
    const char *format;    /* "svg", "png", "txt", or NULL: svg and png */
    const char *templates; /* folder of the templates; NULL: found by itself */
    const char *conn;      /* "HOST:CONN" or a connection id: only this one; NULL: all */
    bool utf8, color;      /* txt */
    unsigned width;        /* txt: columns */
} PlotOptions;

/* Draws into the folder. `pictures` (may be NULL) gets the paths of the files
 * made (g_free each); `text` (may be NULL) gets what "txt" prints. False and
 * error: not a run's folder, gnuplot missing or failed. */
bool plot_run_dir(const char *dir, const PlotOptions *options, GPtrArray *pictures, char **text,
                  GError **error);

/* The folders of runs in a folder of worlds, by name (g_free each); empty where there are none. */
GPtrArray *plot_worlds(const char *dir);

#endif
