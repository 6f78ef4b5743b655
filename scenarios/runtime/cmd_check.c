/* halfopen check FILE...: the expectations of scenarios as TAP. */
#include <stdio.h>

#include "scenarios/runtime/cli.h"
#include "scenarios/runtime/interrupt.h"

/* TAP: '#' begins a directive. */
static void
print_claim(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c == '#')
            printf("\\#");
        else if (*c != '\n')
            putchar(*c);
}

static void
print_expectations(const Lab *lab, unsigned *n)
{
    for (unsigned i = 0; i < lab->expectations->len; i++) {
        const Expectation *expectation = lab->expectations->pdata[i];

        printf("%sok %u - %s: ", expectation->is_met ? "" : "not ", ++*n, expectation->where);
        if (expectation->world[0] != '\0')
            printf("[%s] ", expectation->world);
        print_claim(expectation->claim);
        putchar('\n');
        if (!expectation->is_met)
            printf("# %s\n", expectation->found);
    }
}

static int
check_file(const LabOptions *options, const char *file, unsigned *n)
{
    Lab *lab = lab_new(options);
    int status = EXIT_GOOD;

    if (!lab_run_file(lab, file)) {
        g_auto(GStrv) lines = g_strsplit(lab_error(lab), "\n", -1);

        print_expectations(lab, n);
        printf("not ok %u - %s\n", ++*n, file);
        for (char **line = lines; *line != NULL; line++)
            printf("# %s\n", *line);
        status = EXIT_BAD_INPUT;
    } else {
        print_expectations(lab, n);
        if (lab->expectations->len == 0)
            printf("ok %u - %s: ran to its end # no expectations\n", ++*n, file);
        status = lab_failures(lab) > 0 ? EXIT_NOT_MET : EXIT_GOOD;
    }
    fflush(stdout);
    lab_free(lab);
    return status;
}

int
cmd_check(int argc, char **argv)
{
    CliLab cli = { 0 };
    g_autofree GOptionEntry *shared = cli_lab_entries(&cli);
    g_auto(GStrv) files = NULL;
    int status;

    if (cli_parse("FILE...", "Plays scenarios and reports their expectations as TAP.", shared, NULL,
                  argc, argv, &files, &status)) {
        unsigned n = 0;

        if (files == NULL) {
            status = cli_fail("check: found no file, expected scenarios (halfopen check --help)");
        } else if (!cli_lab_options(&cli)) {
            status = EXIT_BAD_INPUT;
        } else {
            cli.options.quiet = true;
            printf("TAP version 13\n");
            for (char **file = files; *file != NULL && interrupt_name() == NULL; file++) {
                int worst = check_file(&cli.options, *file, &n);

                status = MAX(status, worst);
            }
            printf("1..%u\n", n);
        }
    }
    cli_lab_done(&cli);
    return status;
}
