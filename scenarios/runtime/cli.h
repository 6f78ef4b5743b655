/* The command line: `halfopen COMMAND ...`. Each command returns the exit
 * status: 0 good, 1 an expectation was not met, 2 bad input (after one clear
 * line on stderr).
 */
#ifndef HALFOPEN_RUNTIME_CLI_H
#define HALFOPEN_RUNTIME_CLI_H

#include "scenarios/runtime/lab.h"

#define HALFOPEN_VERSION "0.1.0"

enum { EXIT_GOOD = 0, EXIT_NOT_MET = 1, EXIT_BAD_INPUT = 2 };

int cli_main(int argc, char **argv);

int cmd_run(int argc, char **argv);   /* cmd_run.c */
int cmd_check(int argc, char **argv); /* cmd_check.c */
int cmd_list(int argc, char **argv);  /* cmd_list.c */
int cmd_plot(int argc, char **argv);  /* cmd_plot.c */
int cmd_batch(int argc, char **argv); /* cmd_batch.c */

/* Options of run and check: seed, profile, set, until, and the sandbox's bounds. */
typedef struct CliLab {
    char **set;
    char *seed, *profile, *until, *memory;
    LabOptions options; /* filled by cli_lab_options() */
} CliLab;

/* GLib entries that fill `lab`; the caller owns the array (g_free). */
GOptionEntry *cli_lab_entries(CliLab *lab);
/* Checks and reads what was given. False after a line on stderr. */
bool cli_lab_options(CliLab *lab);
bool cli_profile(const char *name, TcpProfile *profile); /* the same for one profile's name */
void cli_lab_done(CliLab *lab);

/* Parses argv by these entries, which may be NULL; *files gets what remains.
 * False: a line was printed and *status says how to exit (--help: 0). */
bool cli_parse(const char *usage, const char *summary, GOptionEntry *first, GOptionEntry *second,
               int argc, char **argv, char ***files, int *status);

/* "halfopen: ..." on stderr, in one line. Returns EXIT_BAD_INPUT. */
int cli_fail(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* A bar on stderr for runs of more than two seconds, if that is a terminal. */
typedef struct Progress {
    bool is_on, is_drawn;
    gint64 began, drawn; /* us of the wall clock */
    SimTime until;
} Progress;
void progress_init(Progress *progress, SimTime until, bool is_wanted);
void progress_show(Progress *progress, const World *world);
void progress_count(Progress *progress, unsigned done, unsigned of); /* of a batch's runs */
void progress_clear(Progress *progress);

#endif
