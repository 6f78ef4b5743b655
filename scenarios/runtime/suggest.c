#include "scenarios/runtime/suggest.h"

#include <glib.h>
#include <string.h>

#include "models/sock/stack.h"
#include "scenarios/runtime/sandbox.h"

#define LONGEST 63

/* Edits (insert, delete, change, swap of neighbours) from one word to the
 * other: the optimal string alignment distance. */
static unsigned
distance(const char *a, const char *b)
{
    unsigned rows[3][LONGEST + 1];
    size_t n = MIN(strlen(a), LONGEST), m = MIN(strlen(b), LONGEST);
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= m; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned cost = g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]);

            row[j] = MIN(MIN(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;

        before = above;
        above = row;
        row = oldest;
    }
    return above[m];
}

const char *
suggest_word(const char *found, const char *const *words, size_t n)
{
    const char *best = NULL;
    unsigned best_distance =
        (unsigned)(strlen(found) + 1) / 3 + 1; /* farther is no typing mistake */

    for (size_t i = 0; i < n; i++) {
        unsigned d = distance(found, words[i]);

        if (d < best_distance) {
            best_distance = d;
            best = words[i];
        }
    }
    return best;
}

char *
suggest_text(const char *found, const char *const *words, size_t n)
{
    const char *word = suggest_word(found, words, n);

    return word == NULL ? g_strdup("") : g_strdup_printf("; did you mean \"%s\"?", word);
}

static gint
compare_names(gconstpointer x, gconstpointer y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

/* The path of the scenario in a folder whose name is nearest; NULL: none is near. */
static char *
nearest_scenario(const char *folder, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *entry, *word;

    while (dir != NULL && (entry = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(entry, ".lua"))
            g_ptr_array_add(names, g_strndup(entry, strlen(entry) - strlen(".lua")));
    if (dir != NULL)
        g_dir_close(dir);
    g_ptr_array_sort(names, compare_names); /* of equally near ones always the same */
    word = suggest_word(name, (const char *const *)names->pdata, names->len);
    if (word == NULL)
        return NULL;

    g_autofree char *file = g_strconcat(word, ".lua", NULL);

    return g_build_filename(strcmp(folder, ".") == 0 ? "" : folder, file, NULL);
}

char *
suggest_scenario(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *lib = sandbox_lib_folder();
    g_autofree char *ours = lib == NULL ? NULL : g_path_get_dirname(lib);
    const char *folders[] = { folder, "scenarios", ours, NULL };

    if (g_str_has_suffix(name, ".lua"))
        name[strlen(name) - strlen(".lua")] = '\0';
    for (unsigned i = 0; folders[i] != NULL; i++) {
        g_autofree char *nearest = nearest_scenario(folders[i], name);

        if (nearest != NULL)
            return g_strdup_printf("; did you mean \"%s\"?", nearest);
    }
    return g_strdup("");
}

/* Only what follows the last dot is compared: the prefix may be left out. */
char *
suggest_sysctl(const char *found)
{
    g_autoptr(GPtrArray) full = g_ptr_array_new();
    g_autoptr(GPtrArray) last = g_ptr_array_new_with_free_func(g_free);
    const char *dot = strrchr(found, '.');
    const char *name;

    for (unsigned i = 0; (name = stack_param_name(i)) != NULL; i++) {
        const char *part = strrchr(name, '.');

        part = part == NULL ? name : part + 1;
        g_ptr_array_add(full, (void *)name);
        g_ptr_array_add(last, g_strndup(part, strcspn(part, "[")));
    }

    const char *word =
        suggest_word(dot == NULL ? found : dot + 1, (const char *const *)last->pdata, last->len);

    for (unsigned i = 0; i < last->len; i++)
        if (word == last->pdata[i])
            return g_strdup_printf("; did you mean \"%.*s\"?", (int)strcspn(full->pdata[i], "["),
                                   (char *)full->pdata[i]);
    return g_strdup("");
}
