#include "scenarios/runtime/batch_report.h"

#include <string.h>

#include "scenarios/runtime/grid.h"
#include "scenarios/runtime/results.h"

/* ---- rows -------------------------------------------------------------------- */

void
batch_row_take(BatchRow *row, Lab *lab)
{
    row->n_expectations = lab->expectations->len;
    row->n_failed = lab_failures(lab);
    for (unsigned i = 0; i < lab->expectations->len && row->not_met == NULL; i++) {
        const Expectation *e = lab->expectations->pdata[i];

        if (!e->is_met)
            row->not_met =
                g_strdup_printf("  %s%s%s: %s\n  %s", e->world, e->world[0] == '\0' ? "" : ", ",
                                e->where, e->claim, e->found);
    }
    for (unsigned i = 0; i < lab->worlds->len; i++)
        row->end = MAX(row->end, sim_now(((World *)lab->worlds->pdata[i])->sim));
    row->numbers = results_numbers(lab);
}

void
batch_row_done(BatchRow *row)
{
    g_free(row->error);
    g_free(row->not_met);
    g_clear_pointer(&row->numbers, g_ptr_array_unref);
}

unsigned
batch_report_failed(const BatchReport *report, unsigned *first)
{
    unsigned n = 0;

    for (unsigned i = 0; i < report->list->n_runs; i++)
        if (report->rows[i].n_failed > 0 && n++ == 0)
            *first = i;
    return n;
}

unsigned
batch_report_broken(const BatchReport *report, unsigned *first)
{
    unsigned n = 0;

    for (unsigned i = 0; i < report->list->n_runs; i++)
        if (report->rows[i].error != NULL && n++ == 0)
            *first = i;
    return n;
}

unsigned
batch_report_played(const BatchReport *report)
{
    unsigned n = 0;

    for (unsigned i = 0; i < report->list->n_runs; i++)
        n += report->rows[i].is_played;
    return n;
}

/* ---- the numbers of the scenario ----------------------------------------------- */

/* Names of all numbers, in the order in which the runs of the list gave them. */
static GPtrArray *
number_names(const BatchReport *report)
{
    GPtrArray *names = g_ptr_array_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < report->list->n_runs; i++) {
        const GPtrArray *numbers = report->rows[i].numbers;

        for (unsigned k = 0; numbers != NULL && k < numbers->len; k++) {
            char *name = ((ResultNumber *)numbers->pdata[k])->name;

            if (g_hash_table_add(seen, name))
                g_ptr_array_add(names, name);
        }
    }
    return names;
}

/* `at` is where it is in most runs: they give the same numbers in the same order. */
static const ResultNumber *
number_of(const BatchRow *row, const char *name, unsigned at)
{
    const GPtrArray *numbers = row->numbers;

    if (numbers == NULL)
        return NULL;
    if (at < numbers->len && strcmp(((ResultNumber *)numbers->pdata[at])->name, name) == 0)
        return numbers->pdata[at];
    for (unsigned i = 0; i < numbers->len; i++)
        if (strcmp(((ResultNumber *)numbers->pdata[i])->name, name) == 0)
            return numbers->pdata[i];
    return NULL;
}

/* ---- a line for each run --------------------------------------------------------- */

/* Heads or cells of what varies beside the seed. */
static void
add_axes(const BatchReport *report, Grid *grid, bool is_head, unsigned combination)
{
    const GPtrArray *axes = report->list->axes;

    for (unsigned i = 0; i < axes->len; i++) {
        const BatchAxis *axis = axes->pdata[i];

        if (axis->values->len > 1)
            grid_text(grid, is_head ? axis->name : batch_list_value(report->list, combination, i));
    }
}

static void
add_run(const BatchReport *report, Grid *grid, unsigned run, const GPtrArray *names, bool is_exact)
{
    const BatchRow *row = &report->rows[run];

    grid_format(grid, "%" G_GUINT64_FORMAT, batch_list_seed(report->list, run));
    add_axes(report, grid, false, batch_list_combination(report->list, run));
    if (row->error != NULL) {
        grid_text(grid, "error");
        grid_end_row(grid);
        return;
    }
    grid_format(grid, "%u", row->n_expectations - row->n_failed);
    grid_format(grid, "%u", row->n_expectations);
    grid_time(grid, row->end, is_exact);
    for (unsigned i = 0; i < names->len; i++) {
        const ResultNumber *number = number_of(row, names->pdata[i], i);

        if (number == NULL)
            grid_text(grid, "-");
        else if (number->is_integer)
            grid_format(grid, "%" G_GINT64_FORMAT, number->integer);
        else
            grid_number(grid, number->number, is_exact);
    }
    grid_end_row(grid);
}

static Grid *
runs_grid(const BatchReport *report, bool is_exact)
{
    Grid *grid = grid_new();
    g_autoptr(GPtrArray) names = number_names(report);

    grid_text(grid, "seed");
    add_axes(report, grid, true, 0);
    grid_text(grid, "met");
    grid_text(grid, "of");
    grid_text(grid, "end");
    for (unsigned i = 0; i < names->len; i++)
        grid_text(grid, names->pdata[i]);
    grid_end_row(grid);
    for (unsigned run = 0; run < report->list->n_runs; run++)
        if (report->rows[run].is_played)
            add_run(report, grid, run, names, is_exact);
    return grid;
}

char *
batch_report_runs(const BatchReport *report)
{
    g_autoptr(Grid) grid = runs_grid(report, false);

    return grid_aligned(grid);
}

char *
batch_report_tsv(const BatchReport *report)
{
    g_autoptr(Grid) grid = runs_grid(report, true);

    return grid_tsv(grid);
}

/* ---- the summary --------------------------------------------------------------- */

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* One number over the seeds of one combination. */
static void
add_spread(const BatchReport *report, Grid *grid, unsigned combination, const char *name,
           unsigned at)
{
    g_autoptr(GArray) values = g_array_new(false, false, sizeof(double));
    unsigned n_seeds = report->list->seeds->len;

    for (unsigned i = 0; i < n_seeds; i++) {
        const BatchRow *row = &report->rows[combination * n_seeds + i];
        const ResultNumber *number = number_of(row, name, at);

        if (number != NULL)
            g_array_append_val(values, number->number);
    }
    if (values->len == 0)
        return;
    g_array_sort(values, by_value);

    const double *v = (const double *)(void *)values->data;

    grid_text(grid, name);
    add_axes(report, grid, false, combination);
    grid_format(grid, "%u", values->len);
    grid_number(grid, v[0], false);
    grid_number(grid, (v[(values->len - 1) / 2] + v[values->len / 2]) / 2, false);
    grid_number(grid, v[values->len - 1], false);
    grid_end_row(grid);
}

static char *
spreads(const BatchReport *report)
{
    static const char *const heads[] = { "runs", "min", "median", "max" };
    g_autoptr(Grid) grid = grid_new();
    g_autoptr(GPtrArray) names = number_names(report);

    if (names->len == 0)
        return g_strdup("");
    grid_text(grid, "result");
    add_axes(report, grid, true, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++)
        grid_text(grid, heads[i]);
    grid_end_row(grid);
    for (unsigned i = 0; i < names->len; i++)
        for (unsigned c = 0; c < report->list->n_combinations; c++)
            add_spread(report, grid, c, names->pdata[i], i);

    g_autofree char *text = grid_aligned(grid);

    return g_strconcat(text, "\n", NULL);
}

static void
append_argument(GString *text, const char *option, const char *value)
{
    g_autofree char *quoted = g_shell_quote(value);
    bool is_plain = value[0] != '\0';

    for (const char *c = value; *c != '\0'; c++)
        is_plain = is_plain && (g_ascii_isalnum(*c) || strchr("_-+=.,:/%@", *c) != NULL);
    g_string_append_printf(text, " %s%s%s", option, option[0] == '\0' ? "" : " ",
                           is_plain ? value : quoted);
}

char *
batch_report_command(const BatchReport *report, unsigned run)
{
    g_autoptr(GString) text = g_string_new("halfopen run");
    g_auto(GStrv) set = batch_list_set(report->list, run);
    const char *profile = batch_list_profile(report->list, run);

    append_argument(text, "", report->file);
    g_string_append_printf(text, " --seed %" G_GUINT64_FORMAT, batch_list_seed(report->list, run));
    for (char **one = set; *one != NULL; one++)
        append_argument(text, "--set", *one);
    if (profile != NULL)
        append_argument(text, "--profile", profile);
    if (report->until != NULL)
        append_argument(text, "--until", report->until);
    if (report->memory != NULL)
        append_argument(text, "--memory", report->memory);
    return g_string_free(g_steal_pointer(&text), false);
}

static void
append_failures(const BatchReport *report, GString *text)
{
    uint64_t n_expectations = 0, n_failed = 0;
    unsigned first = 0, n_runs = batch_report_failed(report, &first);
    unsigned n_played = batch_report_played(report);

    for (unsigned i = 0; i < report->list->n_runs; i++) {
        n_expectations += report->rows[i].n_expectations;
        n_failed += report->rows[i].n_failed;
    }
    g_string_append_printf(text, n_played == 1 ? "%u run" : "%u runs", n_played);
    if (n_runs > 0) {
        g_autofree char *name = batch_list_name(report->list, first);
        g_autofree char *command = batch_report_command(report, first);

        g_string_append_printf(text,
                               "; %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                               " expectations not met, in %u of the runs. The first, %s:\n"
                               "%s\nTo see it: %s\n",
                               n_failed, n_expectations, n_runs, name, report->rows[first].not_met,
                               command);
    } else if (n_expectations > 0) {
        g_string_append_printf(text,
                               n_expectations == 1
                                   ? "; the %" G_GUINT64_FORMAT " expectation is met.\n"
                                   : "; all %" G_GUINT64_FORMAT " expectations met.\n",
                               n_expectations);
    } else {
        g_string_append(text, "; the scenario expects nothing.\n");
    }
}

char *
batch_report_summary(const BatchReport *report)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *numbers = spreads(report);

    g_string_append(text, numbers);
    append_failures(report, text);
    return g_string_free(g_steal_pointer(&text), false);
}
