/* halfopen plot: reads a folder, lays the pictures out, lets gnuplot draw. */
#include "scenarios/runtime/plot/plot.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "scenarios/runtime/folder.h"
#include "scenarios/runtime/interrupt.h"
#include "scenarios/runtime/plot/internal.h"

/* A PNG has two pixels for one of the SVG, for screens that have; a picture
 * larger than this would take seconds then, and fit no screen. */
#define PIXELS_TWOFOLD 3.0e6

typedef struct Plot {
    const PlotOptions *options; /* borrows */
    const RunFiles *run;        /* borrows */
    char *templates;            /* owns */
    char *data;                 /* owns: a temporary folder of layers and series */
    GPtrArray *pictures;        /* borrows; may be NULL */
} Plot;

/* ---- Places --------------------------------------------------------------------------- */

/* Beside the program in a source tree or an installation, or the one asked for. */
static char *
find_templates(const char *asked)
{
    static const char *const beside[] = { "../scripts/plot", "../share/halfopen/plot",
                                          "../share/halfopen/scripts/plot", "../../scripts/plot" };
    char *program = asked ? NULL : g_file_read_link("/proc/self/exe", NULL);
    char *bin = program ? g_path_get_dirname(program) : NULL;
    char *found = asked ? g_strdup(asked) : NULL;

    for (size_t i = 0; bin != NULL && found == NULL && i < G_N_ELEMENTS(beside); i++) {
        char *dir = g_build_filename(bin, beside[i], NULL);
        char *file = g_build_filename(dir, "sheet.gp", NULL);

        if (g_file_test(file, G_FILE_TEST_EXISTS))
            found = g_strdup(dir);
        g_free(file);
        g_free(dir);
    }
    g_free(bin);
    g_free(program);
    return found ? found : g_strdup("scripts/plot");
}

static void
remove_files_in(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        char *file = g_build_filename(path, name, NULL);

        (void)g_remove(file);
        g_free(file);
    }
    if (dir != NULL)
        g_dir_close(dir);
    (void)g_rmdir(path);
}

/* ---- gnuplot ---------------------------------------------------------------------------- */

/* A text in gnuplot's single quotes. */
static char *
quoted(const char *text)
{
    char **parts = g_strsplit(text, "'", -1);
    char *inside = g_strjoinv("''", parts);
    char *whole = g_strdup_printf("'%s'", inside);

    g_strfreev(parts);
    g_free(inside);
    return whole;
}

static char *
gnuplot_script(const Plot *plot, const char *template, const char *output, bool is_png,
               double width, double height)
{
    char *file = g_build_filename(plot->templates, template, NULL);
    char *q_file = quoted(file), *q_output = quoted(output), *q_data = quoted(plot->data);
    char *q_templates = quoted(plot->templates);
    GString *s = g_string_new("set encoding utf8\n");
    int scale = width * height > PIXELS_TWOFOLD ? 1 : 2;

    if (is_png)
        g_string_append_printf(s,
                               "set terminal pngcairo noenhanced size %d,%d background '#ffffff' "
                               "font 'DejaVu Sans,12' fontscale %s linewidth %d pointscale %d\n",
                               (int)width * scale, (int)height * scale, scale == 2 ? "1.5" : "0.75",
                               scale, scale);
    else
        g_string_append_printf(s,
                               "set terminal svg noenhanced size %d,%d background '#ffffff' "
                               "font 'DejaVu Sans,Verdana,Helvetica,sans-serif,12'\n",
                               (int)width, (int)height);
    g_string_append_printf(
        s, "set output %s\ndata = %s\ntemplates = %s\nW = %d\nH = %d\nload %s\nset output\n",
        q_output, q_data, q_templates, (int)width, (int)height, q_file);
    g_free(q_templates);
    g_free(q_file);
    g_free(q_output);
    g_free(q_data);
    g_free(file);
    return g_string_free(s, FALSE);
}

/* Draws one picture beside its name and then gives it the name, so that a
 * failure leaves no half of one. */
static bool
draw(const Plot *plot, const char *template, const char *picture, const char *format, double width,
     double height, GError **error)
{
    char *name = g_strdup_printf("%s.%s", picture, format);
    char *target = g_build_filename(plot->run->dir, name, NULL);
    char *drawn = g_build_filename(plot->data, name, NULL);
    char *script = gnuplot_script(plot, template, drawn, strcmp(format, "png") == 0, width, height);
    char *script_file = g_build_filename(plot->data, "script.gp", NULL);
    char *argv[] = { (char *)"gnuplot", script_file, NULL };
    char *complaint = NULL, *bytes = NULL;
    gsize len = 0;
    int status = 0;
    bool is_good = g_file_set_contents(script_file, script, -1, error) &&
                   g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                                NULL, NULL, NULL, &complaint, &status, error);

    if (is_good && interrupt_name() != NULL) { /* gnuplot may have had the signal too, or not */
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "%s: stopped while drawing %s",
                    interrupt_name(), name);
        is_good = false;
    }
    if (is_good && !g_spawn_check_wait_status(status, NULL)) {
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "gnuplot failed to draw %s: %s",
                    name, complaint ? g_strstrip(complaint) : "");
        is_good = false;
    }
    is_good = is_good && g_file_get_contents(drawn, &bytes, &len, error) &&
              g_file_set_contents(target, bytes, (gssize)len, error);
    if (is_good && plot->pictures != NULL)
        g_ptr_array_add(plot->pictures, g_strdup(target));
    g_free(bytes);
    g_free(complaint);
    g_free(script_file);
    g_free(script);
    g_free(drawn);
    g_free(target);
    g_free(name);
    return is_good;
}

static bool
draw_formats(const Plot *plot, const char *template, const char *picture, double width,
             double height, GError **error)
{
    static const char *const formats[] = { "svg", "png" };

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if ((plot->options->format == NULL || strcmp(plot->options->format, formats[i]) == 0) &&
            !draw(plot, template, picture, formats[i], width, height, error))
            return false;
    return true;
}

/* Takes the sheet; NULL is no picture, and no error. */
static bool
draw_sheet(const Plot *plot, Sheet *sheet, const char *picture, GError **error)
{
    bool is_good = sheet == NULL ||
                   (sheet_write(sheet, plot->data, error) &&
                    draw_formats(plot, "sheet.gp", picture, sheet->width, sheet->height, error));

    if (sheet != NULL)
        sheet_free(sheet);
    return is_good;
}

static bool
draw_charts(const Plot *plot, GError **error)
{
    GArray *jobs = g_array_new(FALSE, FALSE, sizeof(ChartJob));
    bool is_good = charts_prepare(plot->run, plot->options, plot->data, jobs, error);

    for (unsigned i = 0; is_good && i < jobs->len; i++) {
        const ChartJob *job = &g_array_index(jobs, ChartJob, i);

        is_good = draw_formats(plot, job->template, job->picture, job->width, job->height, error);
    }
    g_array_free(jobs, TRUE);
    return is_good;
}

static bool
draw_pictures(const RunFiles *run, const PlotOptions *options, GPtrArray *pictures, GError **error)
{
    Plot plot = { .options = options, .run = run, .pictures = pictures };
    bool is_good;

    plot.data = g_dir_make_tmp("halfopen-plot-XXXXXX", error);
    if (plot.data == NULL)
        return false;
    plot.templates = find_templates(options->templates);
    is_good = draw_sheet(&plot, timeline_sheet(run, options->conn), "timeline", error) &&
              draw_sheet(&plot, states_sheet(run), "states", error) && draw_charts(&plot, error);
    remove_files_in(plot.data);
    g_free(plot.data);
    g_free(plot.templates);
    return is_good;
}

static bool
draw_run(const RunFiles *run, const PlotOptions *options, GPtrArray *pictures, char **text,
         GError **error)
{
    if (options->conn != NULL && timeline_find_conn(run, options->conn) == NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "no such connection: \"%s\" (a number from states.tsv, or HOST:NUMBER)",
                    options->conn);
        return false;
    }
    if (g_strcmp0(options->format, "txt") == 0) {
        char *drawn = states_text(run, options);

        if (text != NULL)
            *text = drawn;
        else
            g_free(drawn);
        return true;
    }
    return draw_pictures(run, options, pictures, error);
}

static gint
compare_paths(gconstpointer x, gconstpointer y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

GPtrArray *
plot_worlds(const char *dir)
{
    GPtrArray *worlds = g_ptr_array_new_with_free_func(g_free);
    GDir *entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        char *path = g_build_filename(dir, name, NULL);

        if (name[0] != '.' && folder_is_run(path))
            g_ptr_array_add(worlds, path);
        else
            g_free(path);
    }
    if (entries != NULL)
        g_dir_close(entries);
    g_ptr_array_sort(worlds, compare_paths);
    return worlds;
}

bool
plot_run_dir(const char *dir, const PlotOptions *options, GPtrArray *pictures, char **text,
             GError **error)
{
    const char *format = options->format;
    RunFiles *run;
    bool is_good;

    if (format != NULL && strcmp(format, "svg") != 0 && strcmp(format, "png") != 0 &&
        strcmp(format, "txt") != 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "no such format: \"%s\" (svg, png or txt)", format);
        return false;
    }
    run = run_files_load(dir, error);
    if (run == NULL)
        return false;
    is_good = draw_run(run, options, pictures, text, error);
    run_files_free(run);
    return is_good;
}
