#include "scenarios/runtime/grid.h"

#include <stdlib.h>
#include <string.h>

struct Grid {
    GPtrArray *cells; /* owns text; NULL ends a row */
};

Grid *
grid_new(void)
{
    Grid *grid = g_new0(Grid, 1);

    grid->cells = g_ptr_array_new_with_free_func(g_free);
    return grid;
}

void
grid_free(Grid *grid)
{
    g_ptr_array_unref(grid->cells);
    g_free(grid);
}

/* ---- cells ------------------------------------------------------------------- */

void
grid_text(Grid *grid, const char *text)
{
    char *cell = g_strdup(text);

    for (char *c = cell; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    g_ptr_array_add(grid->cells, cell);
}

void
grid_format(Grid *grid, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(grid->cells, g_strdup_vprintf(format, args));
    va_end(args);
}

void
grid_number(Grid *grid, double number, bool is_exact)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd(text, sizeof text, is_exact ? "%.15g" : "%.6g", number);
    if (is_exact && g_ascii_strtod(text, NULL) != number)
        g_ascii_dtostr(text, sizeof text, number);
    grid_text(grid, text);
}

void
grid_time(Grid *grid, SimTime time, bool is_exact)
{
    char text[SIM_TIME_TEXT];

    grid_text(grid, is_exact ? sim_time_seconds(time, text)
                             : sim_time_format(time / SIM_US * SIM_US, text));
}

void
grid_end_row(Grid *grid)
{
    g_ptr_array_add(grid->cells, NULL);
}

/* ---- as text ------------------------------------------------------------------- */

static GArray *
widths_of(const Grid *grid)
{
    GArray *widths = g_array_new(false, true, sizeof(glong));
    unsigned column = 0;

    for (unsigned i = 0; i < grid->cells->len; i++) {
        const char *cell = grid->cells->pdata[i];

        if (cell == NULL) {
            column = 0;
            continue;
        }
        if (column == widths->len)
            g_array_set_size(widths, column + 1);

        glong *width = &g_array_index(widths, glong, column++);

        *width = MAX(*width, g_utf8_strlen(cell, -1));
    }
    return widths;
}

char *
grid_aligned(const Grid *grid)
{
    g_autoptr(GArray) widths = widths_of(grid);
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned column = 0;

    for (unsigned i = 0; i < grid->cells->len; i++) {
        const char *cell = grid->cells->pdata[i];

        if (cell == NULL) {
            g_string_append_c(text, '\n');
            column = 0;
            continue;
        }

        int pad = (int)(g_array_index(widths, glong, column) - g_utf8_strlen(cell, -1));

        if (column > 0)
            g_string_append_printf(text, "  %*s%s", pad, "", cell);
        else if (grid->cells->pdata[i + 1] == NULL)
            g_string_append(text, cell);
        else
            g_string_append_printf(text, "%s%*s", cell, pad, "");
        column++;
    }
    return g_string_free(g_steal_pointer(&text), false);
}

char *
grid_tsv(const Grid *grid)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < grid->cells->len; i++) {
        const char *cell = grid->cells->pdata[i];

        if (cell == NULL)
            g_string_append_c(text, '\n');
        else
            g_string_append_printf(text, "%s%s",
                                   i > 0 && grid->cells->pdata[i - 1] != NULL ? "\t" : "", cell);
    }
    return g_string_free(g_steal_pointer(&text), false);
}
