#include "scenarios/runtime/param.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "scenarios/runtime/conf.h"
#include "scenarios/runtime/suggest.h"

static const struct {
    const char *name, *expected;
} types[] = {
    [PARAM_TYPE_TIME] = { "time", "a time such as \"20ms\" (a bare number is seconds)" },
    [PARAM_TYPE_RATE] = { "rate", "a rate such as \"10Mbit\" (a bare number is bit/s)" },
    [PARAM_TYPE_SIZE] = { "size", "a size such as \"64KiB\" (a bare number is bytes)" },
    [PARAM_TYPE_CHANCE] = { "probability", "a probability such as 0.01 or \"1%\"" },
    [PARAM_TYPE_INTEGER] = { "integer", "a whole number" },
    [PARAM_TYPE_NUMBER] = { "number", "a number" },
    [PARAM_TYPE_BOOL] = { "bool", "true or false" },
    [PARAM_TYPE_TEXT] = { "text", "a text" },
};

const char *
param_type_name(ParamType type)
{
    return types[type].name;
}

Param *
param_copy(const Param *param)
{
    Param *copy = g_memdup2(param, sizeof *param);

    copy->name = g_strdup(param->name);
    copy->about = g_strdup(param->about);
    copy->text = g_strdup(param->text);
    copy->given = g_strdup(param->given);
    copy->choices = g_strdupv(param->choices);
    return copy;
}

void
param_free(Param *param)
{
    g_free(param->name);
    g_free(param->about);
    g_free(param->text);
    g_free(param->given);
    g_strfreev(param->choices);
    g_free(param);
}

Param *
param_find(const GPtrArray *params, const char *name)
{
    for (unsigned i = 0; i < params->len; i++) {
        Param *param = params->pdata[i];

        if (strcmp(param->name, name) == 0)
            return param;
    }
    return NULL;
}

char *
params_hint(const GPtrArray *params, const char *found)
{
    if (params->len == 0)
        return g_strdup(": the scenario has no parameters");

    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (unsigned i = 0; i < params->len; i++)
        g_ptr_array_add(names, ((Param *)params->pdata[i])->name);

    const char *word = suggest_word(found, (const char *const *)names->pdata, names->len);

    if (word != NULL)
        return g_strdup_printf("; did you mean \"%s\"?", word);
    g_ptr_array_add(names, NULL);

    g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);

    return g_strdup_printf("; there are: %s", list);
}

/* The type that a default has: a text with a unit is a quantity. Bare numbers
 * in quotes stay text. */
static ParamType
type_of_text(const char *text)
{
    SimTime time;
    uint64_t quantity;
    char *error = NULL;
    char *end;

    g_ascii_strtod(text, &end);
    if (end == text || *end == '\0')
        return PARAM_TYPE_TEXT;
    if (strcmp(end, "%") == 0)
        return PARAM_TYPE_CHANCE;
    if (sim_time_parse(text, &time, &error))
        return PARAM_TYPE_TIME;
    g_clear_pointer(&error, g_free);
    if (sim_rate_parse(text, &quantity, &error))
        return PARAM_TYPE_RATE;
    g_clear_pointer(&error, g_free);
    if (sim_size_parse(text, &quantity, &error))
        return PARAM_TYPE_SIZE;
    g_free(error);
    return PARAM_TYPE_TEXT;
}

static bool
parse_double(const char *text, double *number)
{
    char *end;

    *number = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number);
}

static bool
parse_chance(const char *text, double *chance)
{
    char *end;

    *chance = g_ascii_strtod(text, &end);
    if (strcmp(end, "%") == 0) {
        *chance /= 100;
        end++;
    }
    return end != text && *end == '\0' && *chance >= 0 && *chance <= 1;
}

static bool
parse_bool(const char *text, bool *truth)
{
    *truth = strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcmp(text, "yes") == 0;
    return *truth || strcmp(text, "false") == 0 || strcmp(text, "0") == 0 ||
           strcmp(text, "no") == 0;
}

bool
param_set_text(Param *param, const char *text, char **error)
{
    g_autofree char *ignored = NULL;
    bool is_good = false;

    switch (param->type) {
    case PARAM_TYPE_TIME:
        is_good = sim_time_parse(text, &param->time, &ignored);
        break;
    case PARAM_TYPE_RATE:
        is_good = sim_rate_parse(text, &param->quantity, &ignored);
        break;
    case PARAM_TYPE_SIZE:
        is_good = sim_size_parse(text, &param->quantity, &ignored);
        break;
    case PARAM_TYPE_CHANCE:
        is_good = parse_chance(text, &param->number);
        break;
    case PARAM_TYPE_INTEGER:
        is_good = g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, &param->integer, NULL);
        break;
    case PARAM_TYPE_NUMBER:
        is_good = parse_double(text, &param->number);
        break;
    case PARAM_TYPE_BOOL:
        is_good = parse_bool(text, &param->truth);
        break;
    case PARAM_TYPE_TEXT:
        is_good =
            param->choices == NULL || g_strv_contains((const char *const *)param->choices, text);
        break;
    }
    if (!is_good) {
        g_autofree char *list = param->choices == NULL ? NULL : g_strjoinv(", ", param->choices);

        *error = list == NULL ? g_strdup_printf("%s: found \"%s\", expected %s", param->name, text,
                                                types[param->type].expected)
                              : g_strdup_printf("%s: found \"%s\", expected one of: %s",
                                                param->name, text, list);
        return false;
    }
    g_free(param->text);
    param->text = g_strdup(text);
    return true;
}

char *
params_set(const GPtrArray *params, const char *file, const char *set)
{
    const char *equals = strchr(set, '=');
    g_autofree char *name = g_strndup(set, (gsize)(equals - set));
    Param *param = param_find(params, name);
    g_autofree char *error = NULL;

    if (param == NULL) {
        g_autofree char *hint = params_hint(params, name);

        return g_strdup_printf("--set %s: %s has no parameter \"%s\"%s", set, file, name, hint);
    }
    if (!param_set_text(param, equals + 1, &error))
        return g_strdup_printf("--set %s", error);
    return NULL;
}

void
param_set_value(lua_State *L, Param *param, int index, const char *path)
{
    char *error = NULL;

    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        if (!param_set_text(param, lua_toboolean(L, index) ? "true" : "false", &error))
            break;
        return;
    case LUA_TNUMBER:
    case LUA_TSTRING:
        lua_pushvalue(L, index); /* tostring would change a number in place */
        if (!param_set_text(param, lua_tostring(L, -1), &error))
            break;
        lua_pop(L, 1);
        return;
    default:
        break;
    }
    g_free(error);
    value_fail(L, index, path, types[param->type].expected);
}

void
param_push(lua_State *L, const Param *param)
{
    switch (param->type) {
    case PARAM_TYPE_TIME:
        push_time(L, param->time);
        break;
    case PARAM_TYPE_RATE:
    case PARAM_TYPE_SIZE:
        lua_pushinteger(L, (lua_Integer)param->quantity);
        break;
    case PARAM_TYPE_INTEGER:
        lua_pushinteger(L, param->integer);
        break;
    case PARAM_TYPE_CHANCE:
    case PARAM_TYPE_NUMBER:
        lua_pushnumber(L, param->number);
        break;
    case PARAM_TYPE_BOOL:
        lua_pushboolean(L, param->truth);
        break;
    case PARAM_TYPE_TEXT:
        lua_pushstring(L, param->text);
        break;
    }
}

static void
read_default(lua_State *L, Param *param, int index, const char *path)
{
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        param->type = PARAM_TYPE_BOOL;
        break;
    case LUA_TNUMBER:
        param->type = lua_isinteger(L, index) ? PARAM_TYPE_INTEGER : PARAM_TYPE_NUMBER;
        break;
    case LUA_TSTRING:
        param->type =
            param->choices == NULL ? type_of_text(lua_tostring(L, index)) : PARAM_TYPE_TEXT;
        break;
    default:
        value_fail(L, index, path, "a default: a number, true, false, or a text such as \"20ms\"");
    }
    param_set_value(L, param, index, path);
    param->given = g_strdup(param->text);
}

static void
read_choices(lua_State *L, Param *param, int index)
{
    lua_Unsigned n = lua_rawlen(L, index);

    param->choices = g_new0(char *, n + 1);
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        param->choices[i] = g_strdup(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?");
        lua_pop(L, 1);
    }
}

/* name = value, or name = { value, about = "...", choices = { ... } }. */
static void
read_param(lua_State *L, int index, Param *param)
{
    const char *path = lua_pushfstring(L, "scenario.params.%s", param->name);

    if (!lua_istable(L, index)) {
        read_default(L, param, index, path);
        lua_pop(L, 1);
        return;
    }
    lua_getfield(L, index, "about");
    param->about = g_strdup(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL);
    lua_getfield(L, index, "choices");
    if (lua_istable(L, -1))
        read_choices(L, param, lua_gettop(L));
    lua_rawgeti(L, index, 1);
    read_default(L, param, lua_gettop(L), path);
    lua_pop(L, 4);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp((*(Param *const *)a)->name, (*(Param *const *)b)->name);
}

void
params_read(lua_State *L, int index, GPtrArray *params)
{
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING)
            value_fail(L, -2, "scenario.params", "names: params = { delay = \"20ms\" }");

        Param *param = g_new0(Param, 1);

        param->name = g_strdup(lua_tostring(L, -2));
        g_ptr_array_add(params, param); /* owned before anything can raise */
        read_param(L, lua_gettop(L), param);
        lua_pop(L, 1);
    }
    g_ptr_array_sort(params, by_name);
}
