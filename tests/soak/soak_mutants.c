/* The scenarios of the tree, each mutated in many ways, played by the program
 * itself: whatever becomes of them, it says so and ends with 0, 1 or 2.
 *
 *   soak_mutants            the seeds of `make soak`, on all cores
 *   soak_mutants --seed N   writes the text of one mutant
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "sim/batch.h"
#include "sim/rng.h"

enum {
    MUTANTS = 600,
    CPU_SECONDS = 10, /* then it is called slow: a mutant may ask for a year of traffic */
    MOST_SLOW = MUTANTS / 20,
};

typedef struct Mutants {
    GPtrArray *texts;    /* owns */
    char *program, *dir; /* owns */
    char **wrong;        /* owns, by index; NULL: it ended as it should */
    bool *slow;
} Mutants;

/* ---- tokens --------------------------------------------------------------------- */

static size_t
token_length(const char *text)
{
    size_t n = 1;

    if (g_ascii_isalnum(*text) || *text == '_') {
        while (g_ascii_isalnum(text[n]) || text[n] == '_' || text[n] == '.')
            n++;
    } else if (*text == '"') {
        while (text[n] != '\0' && text[n] != '"' && text[n] != '\n')
            n++;
        n += text[n] == '"';
    } else if (g_ascii_isspace(*text)) {
        while (g_ascii_isspace(text[n]))
            n++;
    }
    return n;
}

static GPtrArray *
tokens_of(const char *text)
{
    GPtrArray *tokens = g_ptr_array_new_with_free_func(g_free);

    while (*text != '\0') {
        size_t n = token_length(text);

        g_ptr_array_add(tokens, g_strndup(text, n));
        text += n;
    }
    return tokens;
}

/* ---- mutation -------------------------------------------------------------------- */

static const char *
something_else(SimRng *dice, const char *token)
{
    static const char *const numbers[] = { "0",       "-1",  "1",  "0.5",   "65536",  "4294967296",
                                           "(1 / 0)", "nil", "{}", "1e300", "(0 / 0)" };
    static const char *const strings[] = { "\"\"",      "\"x\"",           "\"-3ms\"",
                                           "\"never\"", "\"999Gbit\"",     "\"10.0.0.1\"",
                                           "\"syn\"",   "\"0\"",           "\"%s%n\"",
                                           "\"1ns\"",   "\"300.1.1.1/99\"" };
    static const char *const words[] = { "nil",  "true",  "server", "client", "run",     "expect",
                                         "self", "error", "params", "spawn",  "connect", "not" };

    if (g_ascii_isdigit(*token))
        return numbers[sim_rng_below(dice, G_N_ELEMENTS(numbers))];
    if (*token == '"')
        return strings[sim_rng_below(dice, G_N_ELEMENTS(strings))];
    return words[sim_rng_below(dice, G_N_ELEMENTS(words))];
}

/* Another value where one stands: most of these mutants get past the parser. */
static void
change_value(SimRng *dice, GPtrArray *tokens)
{
    guint start = (guint)sim_rng_below(dice, tokens->len);

    for (guint n = 0; n < tokens->len; n++) {
        char **token = (char **)&tokens->pdata[(start + n) % tokens->len];

        if (g_ascii_isdigit(**token) || **token == '"') {
            const char *other = something_else(dice, *token);

            g_free(*token);
            *token = g_strdup(other);
            return;
        }
    }
}

static void
change_anything(SimRng *dice, GPtrArray *tokens)
{
    guint i = (guint)sim_rng_below(dice, tokens->len), j = (guint)sim_rng_below(dice, tokens->len);

    while (g_ascii_isspace(*(char *)tokens->pdata[i]) && i + 1 < tokens->len)
        i++;
    switch (sim_rng_below(dice, 8)) {
    case 0:
        g_ptr_array_remove_index(tokens, i);
        break;
    case 1:
        g_ptr_array_insert(tokens, (gint)i, g_strdup(tokens->pdata[j]));
        break;
    case 2:
        g_free(tokens->pdata[i]);
        tokens->pdata[i] = g_strdup(i == j ? "nil" : tokens->pdata[j]);
        break;
    case 3:
        if (tokens->len > 10 && sim_rng_chance(dice, 0.2))
            g_ptr_array_set_size(tokens, (gint)i + 1);
        break;
    default: {
        const char *other = something_else(dice, tokens->pdata[i]);

        g_free(tokens->pdata[i]);
        tokens->pdata[i] = g_strdup(other);
        break;
    }
    }
}

static char *
mutant_text(const Mutants *mutants, uint64_t seed)
{
    SimRng dice;
    GString *text = g_string_new(NULL);
    unsigned changes;

    sim_rng_init(&dice, seed, "mutants");
    g_autoptr(GPtrArray) tokens =
        tokens_of(mutants->texts->pdata[sim_rng_below(&dice, mutants->texts->len)]);
    changes = 1 + (unsigned)sim_rng_below(&dice, 4);
    for (unsigned i = 0; i < changes && tokens->len > 1; i++)
        (sim_rng_chance(&dice, 0.8) ? change_value : change_anything)(&dice, tokens);
    for (guint i = 0; i < tokens->len; i++)
        g_string_append(text, tokens->pdata[i]);
    return g_string_free(text, FALSE);
}

/* ---- playing it -------------------------------------------------------------------- */

static void
bound_child(gpointer unused)
{
    struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS + 1 }, core = { 0, 0 };

    (void)unused;
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
}

static void
play(void *arg, unsigned index)
{
    Mutants *mutants = arg;
    g_autofree char *text = mutant_text(mutants, index + 1);
    g_autofree char *file = g_strdup_printf("%s/mutant%u.lua", mutants->dir, index + 1);
    g_autofree char *said = NULL, *complained = NULL;
    char *argv[] = { mutants->program, "run", file, "--no-folder", NULL };
    int status = 0;

    g_file_set_contents(file, text, -1, NULL);
    if (!g_spawn_sync(NULL, argv, NULL, 0, bound_child, NULL, &said, &complained, &status, NULL))
        mutants->wrong[index] = g_strdup("cannot be started");
    else if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
        mutants->slow[index] = true;
    else if (!WIFEXITED(status) || WEXITSTATUS(status) > 2)
        mutants->wrong[index] =
            g_strdup_printf(WIFEXITED(status) ? "exit status %d: %.300s" : "signal %d: %.300s",
                            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), complained);
    remove(file);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
load(Mutants *mutants, const char *dir_name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(dir_name, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".lua"))
            g_ptr_array_add(names, g_strdup_printf("%s/%s", dir_name, name));
    if (dir != NULL)
        g_dir_close(dir);
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++) {
        char *text;

        if (g_file_get_contents(names->pdata[i], &text, NULL, NULL))
            g_ptr_array_add(mutants->texts, text);
    }
}

static int
report(const Mutants *mutants)
{
    unsigned failed = 0, slow = 0;

    for (unsigned i = 0; i < MUTANTS; i++) {
        slow += mutants->slow[i];
        if (mutants->wrong[i] != NULL) {
            failed++;
            printf("# seed %u: %s; its text: soak_mutants --seed %u\n", i + 1, mutants->wrong[i],
                   i + 1);
        }
    }
    printf("%s 1 - %d mutated scenarios end with 0, 1 or 2\n",
           failed == 0 && slow <= MOST_SLOW ? "ok" : "not ok", MUTANTS);
    printf("# %u failed, %u took more than %d s of processor time\n1..1\n", failed, slow,
           CPU_SECONDS);
    return failed != 0 || slow > MOST_SLOW;
}

int
main(int argc, char **argv)
{
    const char *build = g_getenv("BUILD");
    Mutants mutants = { .texts = g_ptr_array_new_with_free_func(g_free),
                        .program = g_build_filename(build ? build : "build", "halfopen", NULL),
                        .dir = g_dir_make_tmp("mutants-XXXXXX", NULL),
                        .wrong = g_new0(char *, MUTANTS),
                        .slow = g_new0(bool, MUTANTS) };
    int status = 0;

    load(&mutants, "scenarios");
    if (mutants.texts->len == 0) {
        fprintf(stderr, "soak_mutants: no scenarios here: run it at the top of the tree\n");
        return 2;
    }
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        g_autofree char *text = mutant_text(&mutants, strtoull(argv[2], NULL, 10));

        fputs(text, stdout);
    } else {
        sim_batch_run(MUTANTS, 0, play, &mutants);
        status = report(&mutants);
    }
    rmdir(mutants.dir);
    g_ptr_array_unref(mutants.texts);
    for (unsigned i = 0; i < MUTANTS; i++)
        g_free(mutants.wrong[i]);
    g_free(mutants.wrong);
    g_free(mutants.slow);
    g_free(mutants.program);
    g_free(mutants.dir);
    return status;
}
