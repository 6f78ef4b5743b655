/* halfopen run FILE: plays a scenario, shows it, writes its folder. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scenarios/runtime/cli.h"
#include "scenarios/runtime/folder.h"
#include "scenarios/runtime/ladder/ladder.h"
#include "scenarios/runtime/plot/plot.h"
#include "scenarios/runtime/results.h"

typedef struct Run {
    CliLab cli;
    char *out;  /* owns: --out, or runs/NAME */
    char *made; /* owns: the uppermost folder on the way there that was missing; NULL: none */
    gboolean draws, is_quiet, why, no_folder;
    char *snaplen; /* owns: as given; NULL: whole packets */
    FolderOptions folder;
    GPtrArray *paths;   /* owns char *, beside lab->worlds: the folder of each */
    GPtrArray *folders; /* owns Folder, beside lab->worlds; none when no folder is written */
    Progress progress;
} Run;

/* ---- the folder -------------------------------------------------------------------- */

/* "BBR, 1 % loss" -> "BBR_1_loss": what stands between letters, digits, '-' and '.' is one '_'. */
static char *
name_for_file(const char *name)
{
    GString *s = g_string_new(NULL);

    for (; *name != '\0'; name++) {
        bool is_plain = g_ascii_isalnum(*name) || *name == '-' || (*name == '.' && s->len > 0);

        if (is_plain)
            g_string_append_c(s, *name);
        else if (s->len > 0 && s->str[s->len - 1] != '_')
            g_string_append_c(s, '_');
    }
    if (s->len > 1 && s->str[s->len - 1] == '_')
        g_string_truncate(s, s->len - 1);
    return g_string_free(s->len > 0 ? s : g_string_append_c(s, '_'), FALSE);
}

static bool
has_path(const Run *run, const char *path)
{
    for (unsigned i = 0; i < run->paths->len; i++)
        if (strcmp(run->paths->pdata[i], path) == 0)
            return true;
    return false;
}

/* "normal" -> OUT/normal; a scenario's only world is OUT itself. Worlds whose names differ only in
 * what a file's name can't say are numbered. */
static const char *
folder_path(Run *run, const World *world)
{
    g_autofree char *name = name_for_file(world->name);
    char *path =
        world->name[0] == '\0' ? g_strdup(run->out) : g_build_filename(run->out, name, NULL);

    for (unsigned n = 2; has_path(run, path); n++) {
        g_autofree char *numbered = g_strdup_printf("%s_%u", name, n);

        g_free(path);
        path = g_build_filename(run->out, numbered, NULL);
    }
    g_ptr_array_add(run->paths, path);
    return path;
}

static bool
on_world(void *arg, World *world, char **error)
{
    Run *run = arg;
    g_autoptr(GError) reason = NULL;
    const char *path = folder_path(run, world);
    Folder *folder;

    if (run->no_folder)
        return true;
    folder = folder_begin(path, world->recorder, &run->folder, &reason);

    if (folder == NULL) {
        *error = g_strdup_printf("cannot write the run's folder: %s", reason->message);
        return false;
    }
    g_ptr_array_add(run->folders, folder);
    return true;
}

static void
on_progress(void *arg, World *world)
{
    progress_show(&((Run *)arg)->progress, world);
}

static GPtrArray *
summary_params(const World *world)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(summary_param_free);

    for (unsigned i = 0; i < world->params->len; i++) {
        const Param *param = world->params->pdata[i];
        SummaryParam *entry = g_new0(SummaryParam, 1);

        entry->name = g_strdup(param->name);
        entry->value = g_strdup(param->text);
        entry->default_value = g_strdup(param->given);
        g_ptr_array_add(list, entry);
    }
    return list;
}

/* Those of this world, and those told outside of every world. */
static GPtrArray *
summary_expects(const Lab *lab, const World *world)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(summary_expect_free);

    for (unsigned i = 0; i < lab->expectations->len; i++) {
        const Expectation *expectation = lab->expectations->pdata[i];

        if (expectation->world[0] != '\0' && strcmp(expectation->world, world->name) != 0)
            continue;

        SummaryExpect *entry = g_new0(SummaryExpect, 1);

        entry->text = g_strdup(expectation->claim);
        entry->message = expectation->is_met ? NULL : g_strdup(expectation->found);
        entry->where = g_path_get_basename(expectation->where);
        entry->passed = expectation->is_met;
        g_ptr_array_add(list, entry);
    }
    return list;
}

static const char *
last_word(const Lab *lab, const World *world)
{
    const char *said = NULL;

    for (unsigned i = 0; i < lab->sayings->len; i++) {
        const Saying *saying = lab->sayings->pdata[i];

        if (!saying->is_log &&
            (saying->world[0] == '\0' || strcmp(saying->world, world->name) == 0))
            said = saying->text;
    }
    return said;
}

/* What stands over the pictures: of several worlds each says which it is. Owned by the caller. */
static char *
world_title(const Lab *lab, const World *world)
{
    if (world->name[0] == '\0' || lab->title == NULL)
        return g_strdup(lab->title);
    return g_strdup_printf("%s: %s", lab->title, world->name);
}

static bool
finish_folder(const Lab *lab, const World *world, Folder *folder, const char *results,
              GError **error)
{
    g_autofree char *file = g_path_get_basename(lab->file);
    g_autoptr(GPtrArray) params = summary_params(world);
    g_autoptr(GPtrArray) expects = summary_expects(lab, world);
    g_autofree char *title = world_title(lab, world);
    Summary summary = {
        .scenario = file,
        .title = title,
        .about = lab->about,
        .profile = world->profile == TCP_PROFILE_RFC ? "rfc" : "linux",
        .version = HALFOPEN_VERSION,
        .seed = lab->options.seed,
        .stopped_early = sim_now(world->sim) >= lab->options.until,
        .stopped_by = sim_now(world->sim) >= lab->options.until ? "--until" : NULL,
        .said = last_word(lab, world),
        .results = results,
        .params = params,
        .expects = expects,
    };

    return folder_finish(folder, &summary, error);
}

/* All folders or none: the first that fails takes those after it along. */
static bool
finish_folders(Run *run, Lab *lab)
{
    g_autofree char *results = results_to_json(lab);
    bool is_good = true;

    for (unsigned i = 0; i < run->folders->len; i++) {
        g_autoptr(GError) error = NULL;
        Folder *folder = g_steal_pointer(&run->folders->pdata[i]);

        if (!is_good) {
            folder_abandon(folder);
        } else if (!finish_folder(lab, lab->worlds->pdata[i], folder, results, &error)) {
            cli_fail("cannot write the run's folder: %s", error->message);
            is_good = false;
        }
    }
    return is_good;
}

/* The first folder on the way to --out that is not there yet; NULL: all are. */
static char *
first_missing(const char *out)
{
    char *missing = NULL;

    for (g_autofree char *path = g_strdup(out); !g_file_test(path, G_FILE_TEST_EXISTS);) {
        char *parent = g_path_get_dirname(path);

        g_free(missing);
        missing = g_steal_pointer(&path);
        path = parent;
    }
    return missing;
}

/* What was made on the way there goes again, while it is empty. */
static void
remove_made(const Run *run)
{
    g_autofree char *path = g_strdup(run->out);

    while (run->made != NULL && strlen(path) >= strlen(run->made)) {
        char *parent = g_path_get_dirname(path);

        (void)g_rmdir(path);
        g_free(path);
        path = parent;
    }
}

static void
abandon_folders(Run *run)
{
    for (unsigned i = 0; i < run->folders->len; i++)
        if (run->folders->pdata[i] != NULL)
            folder_abandon(run->folders->pdata[i]);
    remove_made(run);
}

/* ---- the terminal -------------------------------------------------------------------- */

/* More worlds than this are a table that the scenario makes, not stories to be read one by one. */
#define MOST_LADDERS 16

static void
show_ladders(const Run *run, const Lab *lab)
{
    LadderOptions options = ladder_options_for(STDOUT_FILENO);

    options.why = run->why;
    if (lab->title != NULL)
        printf("%s\n\n", lab->title);
    if (lab->worlds->len > MOST_LADDERS) {
        printf("%u worlds, too many to show one by one%s.\n\n", lab->worlds->len,
               run->no_folder ? "" : ": each has its folder");
        return;
    }
    for (unsigned i = 0; i < lab->worlds->len; i++) {
        const World *world = lab->worlds->pdata[i];

        recorder_finish(world->recorder);
        if (world->name[0] != '\0')
            printf("--- %s ---\n\n", world->name);

        g_autofree char *text = ladder_draw(world->recorder, &options);

        printf("%s\n", text);
    }
}

static void
show_sayings(const Lab *lab)
{
    for (unsigned i = 0; i < lab->sayings->len; i++) {
        const Saying *saying = lab->sayings->pdata[i];
        char at[SIM_TIME_TEXT];

        if (saying->is_log)
            printf("%s%s%s: %s\n", saying->world, saying->world[0] == '\0' ? "" : ", ",
                   sim_time_format(saying->at / SIM_US * SIM_US, at), saying->text);
    }
    for (unsigned i = 0; i < lab->sayings->len; i++) {
        const Saying *saying = lab->sayings->pdata[i];

        if (!saying->is_log)
            printf("%s\n", saying->text);
    }
}

/* What was cut off may be what the scenario wanted to show. */
static void
show_stop(const Lab *lab)
{
    char at[SIM_TIME_TEXT];

    for (unsigned i = 0; i < lab->worlds->len; i++) {
        const World *world = lab->worlds->pdata[i];

        if (sim_now(world->sim) >= lab->options.until) {
            printf("Stopped at %s by --until.\n", sim_time_format(lab->options.until, at));
            return;
        }
    }
}

static void
show_expectations(const Lab *lab, FILE *out)
{
    unsigned failures = lab_failures(lab), n = lab->expectations->len;

    for (unsigned i = 0; i < n; i++) {
        const Expectation *expectation = lab->expectations->pdata[i];

        if (!expectation->is_met)
            fprintf(out, "\nNot met, %s%s%s: %s\n  %s\n", expectation->world,
                    expectation->world[0] == '\0' ? "" : ", ", expectation->where,
                    expectation->claim, expectation->found);
    }
    if (failures > 0)
        fprintf(out, "\n%u of %u expectations not met.\n", failures, n);
}

/* ---- the pictures ------------------------------------------------------------------------ */

/* The next world's pictures are not begun past so many: they take as long again as the run. */
#define MOST_PICTURES 24

static bool
draw_pictures(const Run *run)
{
    PlotOptions options = { 0 };
    unsigned n_drawn = 0, i = 0;

    for (; i < run->paths->len && n_drawn < MOST_PICTURES; i++) {
        g_autoptr(GPtrArray) pictures = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        const char *path = run->paths->pdata[i];

        if (!plot_run_dir(path, &options, pictures, NULL, &error)) {
            cli_fail("%s", error->message);
            return false;
        }
        for (unsigned k = 0; k < pictures->len && !run->is_quiet; k++)
            printf("Picture: %s\n", (char *)pictures->pdata[k]);
        if (pictures->len == 0 && !run->is_quiet)
            printf("No picture: nothing to draw in %s\n", path);
        fflush(stdout);
        n_drawn += pictures->len;
    }
    if (i < run->paths->len && !run->is_quiet)
        printf("Drawn: %u of %u worlds. halfopen plot %s draws all, halfopen plot %s that one.\n",
               i, run->paths->len, run->out, (char *)run->paths->pdata[i]);
    return true;
}

/* ---- the command ------------------------------------------------------------------------- */

/* From the headers of a SYN with the options that it has as a rule (60 bytes) up to
 * the longest IP packet. */
#define SNAPLEN_LEAST 64
#define SNAPLEN_MOST  65535

static bool
read_snaplen(Run *run)
{
    g_autofree char *error = NULL;
    uint64_t bytes;

    if (run->snaplen == NULL)
        return true;
    if (!sim_size_parse(run->snaplen, &bytes, &error)) {
        cli_fail("--snaplen: %s", error);
        return false;
    }
    if (bytes < SNAPLEN_LEAST || bytes > SNAPLEN_MOST) {
        cli_fail("--snaplen: found %" G_GUINT64_FORMAT " bytes, expected %d to %d", bytes,
                 SNAPLEN_LEAST, SNAPLEN_MOST);
        return false;
    }
    run->folder.snaplen = (uint32_t)bytes;
    return true;
}

static int
report(Run *run, Lab *lab)
{
    unsigned failures = lab_failures(lab), n = lab->expectations->len;

    if (!run->is_quiet) {
        show_ladders(run, lab);
        show_sayings(lab);
        show_stop(lab);
        if (n > 0 && failures == 0)
            printf(n == 1 ? "The %u expectation is met.\n" : "All %u expectations met.\n", n);
    }
    fflush(stdout);
    show_expectations(lab, run->is_quiet ? stderr : stdout);
    if (!finish_folders(run, lab))
        return EXIT_BAD_INPUT;
    if (!run->no_folder && !run->is_quiet && lab->worlds->len > 0)
        printf("Folder: %s\n", run->out);
    if (run->draws && !run->no_folder && !draw_pictures(run))
        return EXIT_BAD_INPUT;
    return failures > 0 ? EXIT_NOT_MET : EXIT_GOOD;
}

static int
play(Run *run, const char *file)
{
    LabOptions *options = &run->cli.options;

    if (run->out == NULL) {
        g_autofree char *base = g_path_get_basename(file);
        char *dot = strrchr(base, '.');

        if (dot != NULL && dot != base)
            *dot = '\0';
        run->out = g_build_filename("runs", base, NULL);
    }
    run->made = first_missing(run->out);
    options->quiet = run->is_quiet;
    options->on_world = on_world;
    options->on_progress = on_progress;
    options->arg = run;
    progress_init(&run->progress, options->until, !run->is_quiet);

    Lab *lab = lab_new(options);
    bool is_good = lab_run_file(lab, file);
    int status = EXIT_BAD_INPUT;

    progress_clear(&run->progress);
    if (is_good)
        status = report(run, lab);
    else
        cli_fail("%s", lab_error(lab));
    abandon_folders(run);
    lab_free(lab);
    return status;
}

int
cmd_run(int argc, char **argv)
{
    Run run = { .paths = g_ptr_array_new_with_free_func(g_free),
                .folders = g_ptr_array_new(),
                .folder = folder_options_default() };
    g_autofree GOptionEntry *shared = cli_lab_entries(&run.cli);
    GOptionEntry own[] = {
        { "out", 'o', 0, G_OPTION_ARG_FILENAME, &run.out,
          "The run's folder (default runs/SCENARIO)", "DIR" },
        { "plot", 0, 0, G_OPTION_ARG_NONE, &run.draws, "Draw the pictures too", NULL },
        { "quiet", 'q', 0, G_OPTION_ARG_NONE, &run.is_quiet, "Print only what is wrong", NULL },
        { "why", 'w', 0, G_OPTION_ARG_NONE, &run.why,
          "Say the rule behind each segment and transition", NULL },
        { "no-folder", 0, 0, G_OPTION_ARG_NONE, &run.no_folder, "Write no files", NULL },
        { "snaplen", 0, 0, G_OPTION_ARG_STRING, &run.snaplen,
          "Capture at most so much of each packet, 64 to 65535 (default: all)", "BYTES" },
        { 0 },
    };
    g_auto(GStrv) files = NULL;
    int status;

    if (cli_parse("FILE", "Plays a scenario, draws its ladder and writes its folder.", shared, own,
                  argc, argv, &files, &status)) {
        if (files == NULL || files[1] != NULL)
            status = cli_fail("run: found %u files, expected one scenario (halfopen run --help)",
                              files == NULL ? 0 : g_strv_length(files));
        else if (!cli_lab_options(&run.cli) || !read_snaplen(&run))
            status = EXIT_BAD_INPUT;
        else
            status = play(&run, files[0]);
    }
    g_ptr_array_unref(run.paths);
    g_ptr_array_unref(run.folders);
    g_free(run.out);
    g_free(run.made);
    g_free(run.snaplen);
    cli_lab_done(&run.cli);
    return status;
}
