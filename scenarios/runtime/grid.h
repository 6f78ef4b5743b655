/* A table of texts, row by row: aligned for people, or tab-separated. */
#ifndef HALFOPEN_RUNTIME_GRID_H
#define HALFOPEN_RUNTIME_GRID_H

#include <glib.h>
#include <stdbool.h>

#include "sim/time.h"

typedef struct Grid Grid;

Grid *grid_new(void);
void grid_free(Grid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Grid, grid_free)

/* Add a cell to the row; control characters become spaces. is_exact: nothing may be lost, so that
 * programs can go on with it; else as people read it. */
void grid_text(Grid *grid, const char *text);
void grid_format(Grid *grid, const char *format, ...) G_GNUC_PRINTF(2, 3);
void grid_number(Grid *grid, double number, bool is_exact);
void grid_time(Grid *grid, SimTime time, bool is_exact); /* exact: seconds */
void grid_end_row(Grid *grid);                           /* rows may end early */

/* The first column to the left, the others to the right, two spaces between (g_free). */
char *grid_aligned(const Grid *grid);
char *grid_tsv(const Grid *grid); /* g_free */

#endif
