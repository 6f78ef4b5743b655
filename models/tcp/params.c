#include "models/tcp/tcp_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef enum ParamType { PARAM_uint32_t, PARAM_int32_t, PARAM_text } ParamType;

typedef struct ParamRow {
    const char *name, *unit;
    size_t offset;
    ParamType type;
    double min, max;
} ParamRow;

/* Which kind of number a field is, from its C type. */
#define PARAM_TYPE(field)                                                                          \
    _Generic(((TcpParams *)NULL)->field, const char *: PARAM_text, int32_t: PARAM_int32_t, default: PARAM_uint32_t)

static const ParamRow rows[] = {
#define TCP_PARAM(field, type, name, linux_value, rfc_value, min, max, unit, doc)                  \
    { name, unit, offsetof(TcpParams, field), PARAM_TYPE(field), min, max },
#include "models/tcp/params.def"
#undef TCP_PARAM
};

void
tcp_params_init(TcpParams *params, TcpProfile profile)
{
    static const TcpParams of_linux = {
#define TCP_PARAM(field, type, name, linux_value, rfc_value, min, max, unit, doc)                  \
    .field = linux_value,
#include "models/tcp/params.def"
#undef TCP_PARAM
    };
    static const TcpParams of_rfc = {
#define TCP_PARAM(field, type, name, linux_value, rfc_value, min, max, unit, doc)                  \
    .field = rfc_value,
#include "models/tcp/params.def"
#undef TCP_PARAM
    };

    *params = profile == TCP_PROFILE_LINUX ? of_linux : of_rfc;
}

/* ---- setting by name ----------------------------------------------------------- */

static bool
refuse(char **error, const char *name, const char *found, const ParamRow *row)
{
    if (row->max > row->min)
        *error = g_strdup_printf("%s: found \"%s\", expected a number from %.0f to %.0f (%s)", name,
                                 found, row->min, row->max, row->unit);
    else
        *error = g_strdup_printf("%s: found \"%s\", expected a %s", name, found, row->unit);
    return false;
}

static bool
set_row(TcpParams *params, const ParamRow *row, const char *name, const char *value, char **error)
{
    void *at = (char *)params + row->offset;
    char *end;
    long long number;

    if (row->type == PARAM_text) {
        if (cc_find(value) == NULL) {
            *error =
                g_strdup_printf("%s: found \"%s\", expected one of: %s", name, value, cc_names());
            return false;
        }
        *(const char **)at = cc_find(value)->name;
        return true;
    }
    errno = 0;
    number = strtoll(value, &end, 10);
    if (*value == '\0' || *end != '\0' || errno != 0 || (double)number < row->min ||
        (double)number > row->max)
        return refuse(error, name, value, row);
    if (row->type == PARAM_int32_t)
        *(int32_t *)at = (int32_t)number;
    else
        *(uint32_t *)at = (uint32_t)number;
    return true;
}

static const ParamRow *
find_row(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

/* "net.ipv4.tcp_rmem" names name[0], name[1], ...: as many numbers. */
static bool
set_vector(TcpParams *params, const char *name, const char *value, char **error)
{
    g_auto(GStrv) words = g_strsplit_set(value, " \t", -1);
    TcpParams changed = *params;
    unsigned n = 0;

    for (char **word = words; *word != NULL; word++) {
        g_autofree char *indexed = g_strdup_printf("%s[%u]", name, n);
        const ParamRow *row = find_row(indexed);

        if (**word == '\0')
            continue;
        if (row == NULL) {
            *error = g_strdup_printf("%s: found \"%s\", expected %u numbers", name, value, n);
            return false;
        }
        if (!set_row(&changed, row, indexed, *word, error))
            return false;
        n++;
    }
    g_autofree char *next = g_strdup_printf("%s[%u]", name, n);
    if (n == 0 || find_row(next) != NULL) {
        *error = g_strdup_printf("%s: found \"%s\", which are too few numbers", name, value);
        return false;
    }
    *params = changed;
    return true;
}

/* tcp_fastopen_key as its sysctl takes it: four hexadecimal words. */
static bool
set_key(TcpParams *params, const char *value, char **error)
{
    g_auto(GStrv) texts = g_strsplit(value, "-", -1);
    uint32_t word[4];

    for (unsigned i = 0; i < 4; i++) {
        guint64 number = 0;
        if (g_strv_length(texts) != 4 ||
            !g_ascii_string_to_unsigned(texts[i], 16, 0, UINT32_MAX, &number, NULL)) {
            *error = g_strdup_printf("tcp_fastopen_key: found \"%s\", expected four words such as "
                                     "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4",
                                     value);
            return false;
        }
        word[i] = (uint32_t)number;
    }
    params->fastopen_key_0 = word[0];
    params->fastopen_key_1 = word[1];
    params->fastopen_key_2 = word[2];
    params->fastopen_key_3 = word[3];
    return true;
}

bool
tcp_params_set(TcpParams *params, const char *name, const char *value, char **error)
{
    const ParamRow *row = find_row(name);
    g_autofree char *first = g_strdup_printf("%s[0]", name);

    if (strcmp(name, "net.ipv4.tcp_fastopen_key") == 0 && strchr(value, '-') != NULL)
        return set_key(params, value, error);
    if (row != NULL)
        return set_row(params, row, name, value, error);
    if (find_row(first) != NULL)
        return set_vector(params, name, value, error);
    *error = g_strdup_printf("there is no tunable '%s'", name);
    return false;
}
