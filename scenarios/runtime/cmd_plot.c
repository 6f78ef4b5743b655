/* halfopen plot RUN_DIR: the pictures of a run, from its files alone. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scenarios/runtime/cli.h"
#include "scenarios/runtime/folder.h"
#include "scenarios/runtime/ladder/ladder.h"
#include "scenarios/runtime/plot/plot.h"

static int
plot(const char *dir, const PlotOptions *options)
{
    g_autoptr(GPtrArray) pictures = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    if (!plot_run_dir(dir, options, pictures, &text, &error))
        return cli_fail("%s", error->message);
    if (text != NULL)
        fputs(text, stdout);
    else if (pictures->len == 0)
        printf("nothing to draw in %s\n", dir);
    for (unsigned i = 0; i < pictures->len; i++)
        printf("%s\n", (char *)pictures->pdata[i]);
    fflush(stdout);
    return EXIT_GOOD;
}

/* A run's folder, or that of a scenario with several worlds: each of them. */
static int
plot_all(const char *dir, const PlotOptions *options)
{
    g_autoptr(GPtrArray) worlds = plot_worlds(dir);
    int status = EXIT_GOOD;

    if (folder_is_run(dir) || worlds->len == 0)
        return plot(dir, options);
    if (options->conn != NULL)
        return cli_fail(
            "--conn: %s holds %u worlds, expected the folder of one of them, such as %s", dir,
            worlds->len, (char *)worlds->pdata[0]);
    for (unsigned i = 0; i < worlds->len && status == EXIT_GOOD; i++) {
        if (g_strcmp0(options->format, "txt") == 0)
            printf("--- %s ---\n\n", (char *)worlds->pdata[i]);
        status = plot(worlds->pdata[i], options);
    }
    return status;
}

int
cmd_plot(int argc, char **argv)
{
    g_autofree char *format = NULL;
    g_autofree char *conn = NULL;
    GOptionEntry own[] = {
        { "format", 'f', 0, G_OPTION_ARG_STRING, &format, "svg, png or txt (default: svg and png)",
          "NAME" },
        { "conn", 'c', 0, G_OPTION_ARG_STRING, &conn,
          "Only this connection: its number, or HOST:NUMBER", "CONN" },
        { 0 },
    };
    g_auto(GStrv) dirs = NULL;
    LadderOptions terminal = ladder_options_for(STDOUT_FILENO);
    int status;

    if (!cli_parse("RUN_DIR",
                   "Draws the pictures of a run, or of each of its worlds, from its folder.", own,
                   NULL, argc, argv, &dirs, &status))
        return status;
    if (dirs == NULL || dirs[1] != NULL)
        return cli_fail("plot: found %u folders, expected one (halfopen plot --help)",
                        dirs == NULL ? 0 : g_strv_length(dirs));
    if (format != NULL && strcmp(format, "svg") != 0 && strcmp(format, "png") != 0 &&
        strcmp(format, "txt") != 0)
        return cli_fail("--format: found \"%s\", expected svg, png or txt", format);

    PlotOptions options = {
        .format = format,
        .conn = conn,
        .utf8 = terminal.utf8,
        .color = terminal.color,
        .width = terminal.width,
    };

    return plot_all(dirs[0], &options);
}
