/* halfopen batch FILE: plays a scenario once for each seed and combination of
 * values, over all cores. Each run has a Lab of its own; the order in which
 * they end changes nothing that is printed.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scenarios/runtime/batch_report.h"
#include "scenarios/runtime/cli.h"
#include "scenarios/runtime/interrupt.h"
#include "sim/batch.h"

typedef struct Batch {
    CliLab cli;
    char *seeds, *profiles, *jobs; /* owns: as given */
    char *out;                     /* owns: file for the table; NULL: none */
    gboolean is_quiet;
    Shelf *shelf;     /* owns */
    const char *file; /* borrows */
    BatchList list;
    BatchRow *rows; /* owns: one a run, written by whoever plays it */
    Progress progress;
    GMutex drawing; /* guards progress */
    guint n_done;   /* atomic */
} Batch;

/* ---- the runs ---------------------------------------------------------------- */

static void
play_one(void *arg, unsigned run)
{
    Batch *batch = arg;
    BatchRow *row = &batch->rows[run];
    LabOptions options = batch->cli.options;

    if (interrupt_name() != NULL)
        return;

    g_auto(GStrv) set = batch_list_set(&batch->list, run);
    const char *profile = batch_list_profile(&batch->list, run);

    options.seed = batch_list_seed(&batch->list, run);
    options.set = set;
    options.profile_given = profile != NULL && cli_profile(profile, &options.profile);

    Lab *lab = lab_new(&options);

    bool is_good = lab_run_file(lab, batch->file);

    row->is_played = is_good || interrupt_name() == NULL;
    if (is_good)
        batch_row_take(row, lab);
    else if (row->is_played)
        row->error = g_strdup(lab_error(lab));
    lab_free(lab);
    g_atomic_int_inc(&batch->n_done);
    if (g_mutex_trylock(&batch->drawing)) {
        progress_count(&batch->progress, (unsigned)g_atomic_int_get(&batch->n_done),
                       batch->list.n_runs);
        g_mutex_unlock(&batch->drawing);
    }
}

/* ---- the report ---------------------------------------------------------------- */

static bool
write_table(const Batch *batch, const BatchReport *report)
{
    g_autofree char *text = batch_report_tsv(report);
    g_autoptr(GError) error = NULL;

    if (g_file_set_contents_full(batch->out, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0666,
                                 &error))
        return true;
    cli_fail("cannot write the table: %s", error->message);
    return false;
}

static int
complain_of_broken(const BatchReport *report, unsigned n_broken, unsigned first)
{
    g_autofree char *name = batch_list_name(report->list, first);
    g_autofree char *command = batch_report_command(report, first);
    const char *error = report->rows[first].error;

    return cli_fail("%u of %u runs could not be played to the end; the first, %s: %.*s (to see it: "
                    "%s)",
                    n_broken, report->list->n_runs, name, (int)strcspn(error, "\n"), error,
                    command);
}

static int
report_batch(const Batch *batch, const char *title)
{
    BatchReport report = { .list = &batch->list,
                           .rows = batch->rows,
                           .file = batch->file,
                           .until = batch->cli.until,
                           .memory = batch->cli.memory };
    unsigned first = 0, n_broken = batch_report_broken(&report, &first);
    unsigned n_played = batch_report_played(&report);
    g_autofree char *runs = batch->is_quiet ? g_strdup("") : batch_report_runs(&report);
    g_autofree char *summary = batch_report_summary(&report);

    if (title != NULL)
        printf("%s\n\n", title);
    printf("%s%s%s", runs, batch->is_quiet ? "" : "\n", summary);
    fflush(stdout);
    if (n_played < batch->list.n_runs)
        return cli_fail("%s: stopped: %u of %u runs were played%s", interrupt_name(), n_played,
                        batch->list.n_runs, batch->out == NULL ? "" : "; no table was written");
    if (n_broken > 0)
        return complain_of_broken(&report, n_broken, first);
    if (batch->out != NULL && !write_table(batch, &report))
        return EXIT_BAD_INPUT;
    return batch_report_failed(&report, &first) > 0 ? EXIT_NOT_MET : EXIT_GOOD;
}

/* ---- the command --------------------------------------------------------------- */

/* False after a line on stderr: better now than when all has been played. */
static bool
check_out(const char *out)
{
    g_autofree char *folder = g_path_get_dirname(out);
    char begin[5] = "";
    GStatBuf what;

    if (g_access(folder, W_OK) != 0 || !g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        cli_fail("--out: cannot write in the folder %s", folder);
        return false;
    }
    if (g_lstat(out, &what) != 0)
        return true;
    if (!S_ISREG(what.st_mode)) {
        cli_fail("--out: %s is no file", out);
        return false;
    }

    int fd = g_open(out, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, begin, sizeof begin);

    if (fd >= 0)
        g_close(fd, NULL);
    if (n == 0 || (n == sizeof begin && memcmp(begin, "seed\t", sizeof begin) == 0))
        return true;
    cli_fail("--out: %s is there and no batch wrote it: it is left alone", out);
    return false;
}

static bool
read_profiles(const char *text)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);
    TcpProfile profile;

    for (char **name = names; *name != NULL; name++)
        if (!cli_profile(*name, &profile))
            return false;
    return names[0] != NULL || cli_profile("", &profile);
}

static bool
read_jobs(const char *text, unsigned *n)
{
    uint64_t number = 0;

    if (text != NULL && !g_ascii_string_to_unsigned(text, 10, 1, 1024, &number, NULL)) {
        cli_fail("--jobs: found \"%s\", expected a whole number from 1 to 1024", text);
        return false;
    }
    *n = (unsigned)number; /* 0: one a core */
    return true;
}

static bool
read_options(Batch *batch, unsigned *n_threads)
{
    g_autofree char *error = NULL;

    if (!cli_lab_options(&batch->cli) || !read_jobs(batch->jobs, n_threads))
        return false;
    if (batch->profiles != NULL && !read_profiles(batch->profiles))
        return false;
    if (batch->out != NULL && !check_out(batch->out))
        return false;
    error = batch_list_read(&batch->list, batch->seeds == NULL ? "1" : batch->seeds, batch->cli.set,
                            batch->profiles);
    if (error != NULL)
        cli_fail("%s", error);
    batch->cli.options.quiet = true;
    batch->cli.options.shelf = batch->shelf;
    return error == NULL;
}

/* What the scenario says of itself; NULL after a line on stderr. It fills the shelf, too. */
static Lab *
describe(Batch *batch)
{
    LabOptions options = batch->cli.options;

    options.set = NULL;

    Lab *lab = lab_new(&options);
    g_autofree char *error = NULL;

    if (!lab_describe_file(lab, batch->file))
        error = g_strdup(lab_error(lab));
    else
        error = batch_list_check(&batch->list, lab->params, batch->file);
    if (error == NULL)
        return lab;
    cli_fail("%s", error);
    lab_free(lab);
    return NULL;
}

static int
play(Batch *batch)
{
    unsigned n_threads;

    batch->shelf = shelf_new();
    if (!read_options(batch, &n_threads))
        return EXIT_BAD_INPUT;

    Lab *lab = describe(batch);

    if (lab == NULL)
        return EXIT_BAD_INPUT;
    batch->rows = g_new0(BatchRow, batch->list.n_runs);
    progress_init(&batch->progress, SIM_NEVER, true);
    sim_batch_run(batch->list.n_runs, n_threads, play_one, batch);
    progress_clear(&batch->progress);

    int status = report_batch(batch, lab->title);

    for (unsigned i = 0; i < batch->list.n_runs; i++)
        batch_row_done(&batch->rows[i]);
    g_free(batch->rows);
    lab_free(lab);
    return status;
}

int
cmd_batch(int argc, char **argv)
{
    Batch batch = { 0 };
    const GOptionEntry entries[] = {
        { "seeds", 0, 0, G_OPTION_ARG_STRING, &batch.seeds,
          "Seeds: ranges and numbers between commas (default 1)", "1-100,200" },
        { "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &batch.cli.set,
          "Values of a parameter; a comma within a value is written \\,", "NAME=V1,V2" },
        { "profile", 'p', 0, G_OPTION_ARG_STRING, &batch.profiles, "Whose TCP: linux, rfc or both",
          "linux,rfc" },
        { "jobs", 'j', 0, G_OPTION_ARG_STRING, &batch.jobs, "Threads (default: one a core)", "N" },
        { "out", 'o', 0, G_OPTION_ARG_FILENAME, &batch.out, "Write the runs as a table",
          "FILE.tsv" },
        { "quiet", 'q', 0, G_OPTION_ARG_NONE, &batch.is_quiet, "Print the summary alone", NULL },
        { "until", 'u', 0, G_OPTION_ARG_STRING, &batch.cli.until, "Stop at this virtual time",
          "TIME" },
        { "memory", 0, 0, G_OPTION_ARG_STRING, &batch.cli.memory,
          "Bound of the script's memory in each run (default 1GiB)", "SIZE" },
        { 0 },
    };
    g_autofree GOptionEntry *own = g_memdup2(entries, sizeof entries);
    g_auto(GStrv) files = NULL;
    int status;

    g_mutex_init(&batch.drawing);
    if (cli_parse("FILE", "Plays a scenario once for each seed and combination of values.", own,
                  NULL, argc, argv, &files, &status)) {
        if (files == NULL || files[1] != NULL) {
            status =
                cli_fail("batch: found %u files, expected one scenario (halfopen batch --help)",
                         files == NULL ? 0 : g_strv_length(files));
        } else {
            batch.file = files[0];
            status = play(&batch);
        }
    }
    g_mutex_clear(&batch.drawing);
    batch_list_done(&batch.list);
    g_clear_pointer(&batch.shelf, shelf_free);
    cli_lab_done(&batch.cli);
    g_free(batch.seeds);
    g_free(batch.profiles);
    g_free(batch.jobs);
    g_free(batch.out);
    return status;
}
