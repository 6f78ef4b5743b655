#include "scenarios/runtime/batch_list.h"

#include <string.h>

/* ---- seeds ------------------------------------------------------------------- */

static bool
read_number(const char *text, uint64_t *number)
{
    return g_ascii_string_to_unsigned(text, 10, 0, UINT64_MAX, number, NULL);
}

/* "7" or "1-100". */
static char *
read_seed_range(const char *text, GArray *seeds)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);
    uint64_t first, last;

    if (ends[0] == NULL || !read_number(ends[0], &first) ||
        !read_number(ends[1] == NULL ? ends[0] : ends[1], &last))
        return g_strdup_printf("--seeds: found \"%s\", expected a whole number or a range such as "
                               "1-100",
                               text);
    if (last < first)
        return g_strdup_printf("--seeds: found the empty range \"%s\", expected its first seed to "
                               "be the lower one",
                               text);
    if (last - first >= BATCH_MOST_RUNS - seeds->len)
        return g_strdup_printf("--seeds: found more than %d seeds, which is the most that one "
                               "batch plays",
                               BATCH_MOST_RUNS);
    for (uint64_t i = 0; i <= last - first; i++) {
        uint64_t seed = first + i;

        g_array_append_val(seeds, seed);
    }
    return NULL;
}

static int
by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static char *
read_seeds(const char *text, GArray *seeds)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    for (char **part = parts; *part != NULL; part++) {
        char *error = read_seed_range(*part, seeds);

        if (error != NULL)
            return error;
    }

    g_autoptr(GArray) sorted = g_array_copy(seeds);

    g_array_sort(sorted, by_number);
    for (unsigned i = 1; i < sorted->len; i++)
        if (g_array_index(sorted, uint64_t, i) == g_array_index(sorted, uint64_t, i - 1))
            return g_strdup_printf("--seeds: seed %" G_GUINT64_FORMAT " is there twice",
                                   g_array_index(sorted, uint64_t, i));
    return seeds->len > 0 ? NULL : g_strdup("--seeds: found no seed, expected such as 1-100");
}

/* ---- values ------------------------------------------------------------------ */

/* Commas separate; "\," is a comma that belongs to the value. */
static GPtrArray *
split_values(const char *text)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) value = g_string_new(NULL);

    for (const char *c = text; *c != '\0'; c++) {
        if (c[0] == '\\' && c[1] == ',') {
            g_string_append_c(value, *++c);
        } else if (*c == ',') {
            g_ptr_array_add(values, g_strdup(value->str));
            g_string_truncate(value, 0);
        } else {
            g_string_append_c(value, *c);
        }
    }
    g_ptr_array_add(values, g_strdup(value->str));
    return values;
}

static void
axis_free(void *arg)
{
    BatchAxis *axis = arg;

    g_free(axis->name);
    g_ptr_array_unref(axis->values);
    g_free(axis);
}

/* NULL, or what is wrong (g_free). */
static char *
check_axis(const BatchList *list, const BatchAxis *axis)
{
    const char *option = axis->is_profile ? "--profile" : "--set";

    for (unsigned i = 0; i < list->axes->len; i++) {
        const BatchAxis *other = list->axes->pdata[i];

        if (other->is_profile == axis->is_profile && strcmp(other->name, axis->name) == 0)
            return g_strdup_printf("--set: \"%s\" is set twice, expected its values together: "
                                   "%s=VALUE,VALUE",
                                   axis->name, axis->name);
    }
    for (unsigned i = 1; i < axis->values->len; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(axis->values->pdata[i], axis->values->pdata[k]) == 0)
                return g_strdup_printf("%s: the value \"%s\" of %s is there twice", option,
                                       (char *)axis->values->pdata[i], axis->name);
    return NULL;
}

static char *
add_axis(BatchList *list, bool is_profile, const char *name, const char *values)
{
    BatchAxis *axis = g_new0(BatchAxis, 1);

    axis->name = g_strdup(name);
    axis->values = split_values(values);
    axis->is_profile = is_profile;

    char *error = check_axis(list, axis);

    g_ptr_array_add(list->axes, axis);
    return error;
}

static char *
count_runs(BatchList *list)
{
    uint64_t n = 1;

    for (unsigned i = 0; i < list->axes->len && n <= BATCH_MOST_RUNS; i++)
        n *= ((BatchAxis *)list->axes->pdata[i])->values->len;
    if (n > BATCH_MOST_RUNS / list->seeds->len)
        return g_strdup_printf("found more than %d runs, which is the most that one batch plays",
                               BATCH_MOST_RUNS);
    list->n_combinations = (unsigned)n;
    list->n_runs = (unsigned)n * list->seeds->len;
    return NULL;
}

char *
batch_list_read(BatchList *list, const char *seeds, char **set, const char *profiles)
{
    char *error;

    *list = (BatchList){ .seeds = g_array_new(false, false, sizeof(uint64_t)),
                         .axes = g_ptr_array_new_with_free_func(axis_free) };
    if ((error = read_seeds(seeds, list->seeds)) != NULL)
        return error;
    if (profiles != NULL && (error = add_axis(list, true, "profile", profiles)) != NULL)
        return error;
    for (; set != NULL && *set != NULL; set++) {
        const char *equals = strchr(*set, '=');
        g_autofree char *name = g_strndup(*set, (gsize)(equals - *set));

        if ((error = add_axis(list, false, name, equals + 1)) != NULL)
            return error;
    }
    return count_runs(list);
}

char *
batch_list_check(const BatchList *list, const GPtrArray *params, const char *file)
{
    for (unsigned i = 0; i < list->axes->len; i++) {
        const BatchAxis *axis = list->axes->pdata[i];

        for (unsigned k = 0; !axis->is_profile && k < axis->values->len; k++) {
            g_autofree char *set = g_strconcat(axis->name, "=", axis->values->pdata[k], NULL);
            char *error = params_set(params, file, set);

            if (error != NULL)
                return error;
        }
    }
    return NULL;
}

void
batch_list_done(BatchList *list)
{
    g_clear_pointer(&list->seeds, g_array_unref);
    g_clear_pointer(&list->axes, g_ptr_array_unref);
}

/* ---- one run ----------------------------------------------------------------- */

uint64_t
batch_list_seed(const BatchList *list, unsigned run)
{
    return g_array_index(list->seeds, uint64_t, run % list->seeds->len);
}

unsigned
batch_list_combination(const BatchList *list, unsigned run)
{
    return run / list->seeds->len;
}

const char *
batch_list_value(const BatchList *list, unsigned combination, unsigned axis)
{
    for (unsigned i = list->axes->len; --i > axis;)
        combination /= ((BatchAxis *)list->axes->pdata[i])->values->len;

    const GPtrArray *values = ((BatchAxis *)list->axes->pdata[axis])->values;

    return values->pdata[combination % values->len];
}

char **
batch_list_set(const BatchList *list, unsigned run)
{
    char **set = g_new0(char *, list->axes->len + 1);
    unsigned n = 0;

    for (unsigned i = 0; i < list->axes->len; i++) {
        const BatchAxis *axis = list->axes->pdata[i];
        const char *value = batch_list_value(list, batch_list_combination(list, run), i);

        if (!axis->is_profile)
            set[n++] = g_strconcat(axis->name, "=", value, NULL);
    }
    return set;
}

const char *
batch_list_profile(const BatchList *list, unsigned run)
{
    for (unsigned i = 0; i < list->axes->len; i++)
        if (((BatchAxis *)list->axes->pdata[i])->is_profile)
            return batch_list_value(list, batch_list_combination(list, run), i);
    return NULL;
}

char *
batch_list_name(const BatchList *list, unsigned run)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "seed %" G_GUINT64_FORMAT, batch_list_seed(list, run));
    for (unsigned i = 0; i < list->axes->len; i++) {
        const BatchAxis *axis = list->axes->pdata[i];

        if (axis->values->len > 1)
            g_string_append_printf(text, ", %s %s", axis->name,
                                   batch_list_value(list, batch_list_combination(list, run), i));
    }
    return g_string_free(g_steal_pointer(&text), false);
}
