#include "scenarios/runtime/cli.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/runtime/interrupt.h"
#include "scenarios/runtime/suggest.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    { "run", cmd_run, "play a scenario, draw its ladder, write its folder" },
    { "check", cmd_check, "play scenarios and report their expectations as TAP" },
    { "batch", cmd_batch, "play a scenario many times, over all cores, as a table" },
    { "list", cmd_list, "the scenarios that are here, with their parameters" },
    { "plot", cmd_plot, "draw the pictures of a run" },
};

int
cli_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    fprintf(stderr, "halfopen: %s\n", text);
    return EXIT_BAD_INPUT;
}

static void
print_help(void)
{
    printf("halfopen - a TCP laboratory in one deterministic program\n\n"
           "Usage: halfopen COMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-6s  %s\n", commands[i].name, commands[i].help);
    printf("\n  halfopen COMMAND --help   the options of a command\n"
           "  halfopen --version        the version\n\n"
           "Begin with: halfopen run scenarios/handshake.lua\n");
}

/* "; did you mean --seed?" for an option that there is not. g_free. */
static char *
option_hint(const char *message, const GOptionEntry *first, const GOptionEntry *second)
{
    static const char unknown[] = "Unknown option --";
    const GOptionEntry *const lists[] = { first, second };
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *word;

    if (!g_str_has_prefix(message, unknown))
        return g_strdup("");
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (const GOptionEntry *entry = lists[i]; entry && entry->long_name; entry++)
            g_ptr_array_add(names, (void *)entry->long_name);
    word = suggest_word(message + strlen(unknown), (const char *const *)names->pdata, names->len);
    return word == NULL ? g_strdup("") : g_strdup_printf("; did you mean --%s?", word);
}

bool
cli_parse(const char *usage, const char *summary, GOptionEntry *first, GOptionEntry *second,
          int argc, char **argv, char ***files, int *status)
{
    g_autoptr(GOptionContext) context = g_option_context_new(usage);
    g_autoptr(GError) error = NULL;
    char **rest = NULL;
    GOptionEntry remaining[] = {
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL },
        { 0 },
    };

    g_option_context_set_help_enabled(context, false);
    gboolean wants_help = false;
    GOptionEntry help[] = {
        { "help", 'h', 0, G_OPTION_ARG_NONE, &wants_help, "Show these options", NULL },
        { 0 },
    };

    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, help, NULL);
    if (first != NULL)
        g_option_context_add_main_entries(context, first, NULL);
    if (second != NULL)
        g_option_context_add_main_entries(context, second, NULL);
    g_option_context_add_main_entries(context, remaining, NULL);
    *status = EXIT_GOOD;
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_autofree char *hint = option_hint(error->message, first, second);

        *status =
            cli_fail("%s%s (%s --help lists the options)", error->message, hint, g_get_prgname());
        g_strfreev(rest);
        return false;
    }
    if (wants_help) {
        g_autofree char *text = g_option_context_get_help(context, true, NULL);

        fputs(text, stdout);
        g_strfreev(rest);
        return false;
    }
    *files = rest;
    return true;
}

/* ---- options that run and check share ------------------------------------------- */

GOptionEntry *
cli_lab_entries(CliLab *lab)
{
    const GOptionEntry entries[] = {
        { "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &lab->set, "Set a parameter of the scenario",
          "NAME=VALUE" },
        { "seed", 0, 0, G_OPTION_ARG_STRING, &lab->seed, "Seed of the random numbers (default 1)",
          "N" },
        { "profile", 'p', 0, G_OPTION_ARG_STRING, &lab->profile,
          "Whose TCP: linux (default) or rfc", "NAME" },
        { "until", 'u', 0, G_OPTION_ARG_STRING, &lab->until, "Stop at this virtual time", "TIME" },
        { "memory", 0, 0, G_OPTION_ARG_STRING, &lab->memory,
          "Bound of the script's memory (default 1GiB)", "SIZE" },
        { 0 },
    };

    return g_memdup2(entries, sizeof entries);
}

static bool
read_set(const CliLab *lab)
{
    for (char **set = lab->set; set != NULL && *set != NULL; set++) {
        const char *equals = strchr(*set, '=');

        if (equals == NULL || equals == *set) {
            cli_fail("--set: found \"%s\", expected NAME=VALUE", *set);
            return false;
        }
    }
    return true;
}

bool
cli_profile(const char *name, TcpProfile *profile)
{
    *profile = strcmp(name, "rfc") == 0 ? TCP_PROFILE_RFC : TCP_PROFILE_LINUX;
    if (*profile == TCP_PROFILE_RFC || strcmp(name, "linux") == 0)
        return true;
    cli_fail("--profile: found \"%s\", expected linux or rfc", name);
    return false;
}

bool
cli_lab_options(CliLab *lab)
{
    g_autofree char *error = NULL;
    uint64_t memory = 0;

    lab->options = (LabOptions){
        .seed = 1, .until = SIM_NEVER, .set = lab->set, .interrupted_by = interrupt_name
    };
    lab->options.recorder = recorder_options_default();
    if (lab->seed != NULL &&
        !g_ascii_string_to_unsigned(lab->seed, 10, 0, UINT64_MAX, &lab->options.seed, NULL)) {
        cli_fail("--seed: found \"%s\", expected a whole number", lab->seed);
        return false;
    }
    if (lab->profile != NULL) {
        if (!cli_profile(lab->profile, &lab->options.profile))
            return false;
        lab->options.profile_given = true;
    }
    if (lab->until != NULL && !sim_time_parse(lab->until, &lab->options.until, &error)) {
        cli_fail("--until: %s", error);
        return false;
    }
    if (lab->memory != NULL && !sim_size_parse(lab->memory, &memory, &error)) {
        cli_fail("--memory: %s", error);
        return false;
    }
    lab->options.memory_limit = memory;
    return read_set(lab);
}

void
cli_lab_done(CliLab *lab)
{
    g_strfreev(lab->set);
    g_free(lab->seed);
    g_free(lab->profile);
    g_free(lab->until);
    g_free(lab->memory);
}

/* ---- the end ------------------------------------------------------------------------ */

/* What was printed has to have arrived. A reader that has read enough (head) is
 * no error. */
static int
check_output(int status)
{
    struct pollfd out = { .fd = fileno(stdout), .events = POLLOUT };
    bool was_bad = ferror(stdout), is_bad = fflush(stdout) != 0;
    int error = errno;

    if ((!was_bad && !is_bad) || (poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0))
        return status;
    return cli_fail("cannot write to standard output%s%s", is_bad ? ": " : "",
                    is_bad ? g_strerror(error) : "");
}

/* ---- dispatch ---------------------------------------------------------------------- */

static int
dispatch(int argc, char **argv)
{
    const char *names[G_N_ELEMENTS(commands)];

    if (argc < 2) {
        print_help();
        return EXIT_BAD_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return EXIT_GOOD;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("halfopen %s\n", HALFOPEN_VERSION);
        return EXIT_GOOD;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        names[i] = commands[i].name;
        if (strcmp(argv[1], commands[i].name) == 0) {
            g_autofree char *name = g_strdup_printf("halfopen %s", commands[i].name);

            g_set_prgname(name);
            return commands[i].run(argc - 1, argv + 1);
        }
    }

    g_autofree char *hint = suggest_text(argv[1], names, G_N_ELEMENTS(names));

    return cli_fail("found \"%s\", expected a command: run, check, batch, list or plot%s", argv[1],
                    hint);
}

int
cli_main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    interrupt_catch();

    int status = check_output(dispatch(argc, argv));

    interrupt_pass_on();
    return status;
}
