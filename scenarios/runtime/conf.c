#include "scenarios/runtime/conf.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "scenarios/runtime/suggest.h"

void
conf_where(lua_State *L)
{
    lua_Debug frame;

    for (int level = 0; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        /* Modules of the library are loaded with '=' names: errors are told
         * at the line of the scenario that called them. */
        if (frame.currentline > 0 && frame.source[0] == '@') {
            lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

void
conf_error(lua_State *L, const char *format, ...)
{
    va_list args;

    conf_where(L);
    va_start(args, format);
    /* Through GLib: lua_pushvfstring does not know every format. */
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    lua_pushstring(L, text);
    g_free(text);
    lua_concat(L, 2);
    lua_error(L);
    g_assert_not_reached();
}

/* What was found, as the user would write it. Pushes one string. */
static const char *
describe_value(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
        return lua_pushliteral(L, "nothing");
    case LUA_TSTRING:
        return lua_pushfstring(L, "\"%s\"", lua_tostring(L, index));
    case LUA_TNUMBER:
        lua_pushvalue(L, index);
        return lua_tostring(L, -1);
    case LUA_TBOOLEAN:
        return lua_toboolean(L, index) ? lua_pushliteral(L, "true") : lua_pushliteral(L, "false");
    case LUA_TUSERDATA:
        return luaL_tolstring(L, index, NULL);
    default:
        return lua_pushfstring(L, "a %s", luaL_typename(L, index));
    }
}

void
value_fail(lua_State *L, int index, const char *what, const char *expected)
{
    const char *found = describe_value(L, index);

    conf_error(L, "%s: found %s, expected %s", what, found, expected);
}

/* ---- values ---------------------------------------------------------------- */

SimTime
value_time(lua_State *L, int index, const char *what)
{
    static const char expected[] =
        "a time such as \"20ms\", \"1.5s\" or \"2min\" (a number is seconds)";

    if (lua_type(L, index) == LUA_TNUMBER) {
        double seconds = lua_tonumber(L, index);

        if (seconds == HUGE_VAL)
            return SIM_NEVER;
        if (seconds < 0)
            value_fail(L, index, what,
                       "a time that is not negative, such as \"20ms\" or 2 (seconds)");
        if (!(seconds >= 0 && seconds < 9.2e9))
            value_fail(L, index, what, expected);
        return (SimTime)llround(seconds * 1e9);
    }
    if (lua_type(L, index) == LUA_TSTRING) {
        SimTime time;
        char *error = NULL;

        if (sim_time_parse(lua_tostring(L, index), &time, &error))
            return time;
        g_free(error);
    }
    value_fail(L, index, what, expected);
}

SimTime
value_opt_time(lua_State *L, int index, const char *what, SimTime otherwise)
{
    return lua_isnoneornil(L, index) ? otherwise : value_time(L, index, what);
}

static uint64_t
value_quantity(lua_State *L, int index, const char *what, const char *expected,
               bool (*parse)(const char *text, uint64_t *quantity, char **error))
{
    if (lua_type(L, index) == LUA_TNUMBER) {
        double quantity = lua_tonumber(L, index);

        if (!(quantity >= 0 && quantity < 1.8e19))
            value_fail(L, index, what, expected);
        return lua_isinteger(L, index) ? (uint64_t)lua_tointeger(L, index)
                                       : (uint64_t)llround(quantity);
    }
    if (lua_type(L, index) == LUA_TSTRING) {
        uint64_t quantity;
        char *error = NULL;

        if (parse(lua_tostring(L, index), &quantity, &error))
            return quantity;
        g_free(error);
    }
    value_fail(L, index, what, expected);
}

uint64_t
value_rate(lua_State *L, int index, const char *what)
{
    return value_quantity(L, index, what, "a rate such as \"10Mbit\" (a number is bit/s)",
                          sim_rate_parse);
}

uint64_t
value_size(lua_State *L, int index, const char *what)
{
    return value_quantity(L, index, what, "a size such as \"64KiB\" or \"1MB\" (a number is bytes)",
                          sim_size_parse);
}

int64_t
value_int(lua_State *L, int index, const char *what, int64_t min, int64_t max)
{
    int is_int = 0;

    index = lua_absindex(L, index); /* more is pushed before it is looked at again */
    lua_Integer value = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &is_int) : 0;

    if (!is_int || value < min || value > max) {
        bool is_bound_by_type = min == INT32_MIN && max == INT32_MAX;
        const char *expected =
            !is_int && is_bound_by_type ? lua_pushliteral(L, "a whole number")
            : max == INT64_MAX ? lua_pushfstring(L, "a whole number, at least %I", (LUAI_UACINT)min)
                               : lua_pushfstring(L, "a whole number from %I to %I",
                                                 (LUAI_UACINT)min, (LUAI_UACINT)max);

        value_fail(L, index, what, expected);
    }
    return value;
}

IpAddr
value_addr(lua_State *L, int index, const char *what)
{
    IpAddr addr;

    if (lua_type(L, index) != LUA_TSTRING || !ip_addr_parse(lua_tostring(L, index), &addr))
        value_fail(L, index, what, "an address such as \"10.0.0.1\"");
    return addr;
}

void
push_time(lua_State *L, SimTime time)
{
    lua_pushnumber(L, time == SIM_NEVER ? HUGE_VAL : (double)time / 1e9);
}

void
push_addr(lua_State *L, IpAddr addr)
{
    char text[IP_ADDR_TEXT];

    lua_pushstring(L, ip_addr_format(addr, text));
}

/* ---- tables ---------------------------------------------------------------- */

void
conf_open(ConfTable *table, lua_State *L, int index, const char *path)
{
    *table = (ConfTable){ .L = L, .path = path };
    luaL_checkstack(L, 20, "reading a table");
    if (lua_isnoneornil(L, index))
        return;
    if (!lua_istable(L, index))
        value_fail(L, index, path, "a table { ... }");
    table->index = lua_absindex(L, index);
}

static void
know(ConfTable *table, const char *key)
{
    for (unsigned i = 0; i < table->n_known; i++)
        if (table->known[i] == key || strcmp(table->known[i], key) == 0)
            return;
    g_assert(table->n_known < CONF_MAX_KEYS);
    table->known[table->n_known++] = key;
}

int
conf_push(ConfTable *table, const char *key)
{
    know(table, key);
    if (table->index == 0) {
        lua_pushnil(table->L);
        return LUA_TNIL;
    }
    return lua_getfield(table->L, table->index, key);
}

int
conf_type(ConfTable *table, const char *key)
{
    int type = conf_push(table, key);

    lua_pop(table->L, 1);
    return type;
}

bool
conf_has(ConfTable *table, const char *key)
{
    return conf_type(table, key) != LUA_TNIL;
}

void
conf_close(ConfTable *table)
{
    lua_State *L = table->L;

    if (table->index == 0)
        return;
    /* The first unknown key in alphabetical order, so that the message does
     * not depend on the order of a hash table. */
    const char *worst = NULL;

    lua_pushnil(L);
    while (lua_next(L, table->index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING) {
            const char *found = describe_value(L, -1);

            conf_error(L, "%s: found the key [%s], expected named keys only", table->path, found);
        }
        const char *key = lua_tostring(L, -1);
        bool is_known = false;

        for (unsigned i = 0; i < table->n_known && !is_known; i++)
            is_known = strcmp(table->known[i], key) == 0;
        if (!is_known && (worst == NULL || strcmp(key, worst) < 0))
            worst = key; /* lives in the table */
    }
    if (worst == NULL)
        return;

    char *hint = suggest_text(worst, table->known, table->n_known);
    const char *kept = lua_pushstring(L, hint);

    g_free(hint);
    conf_error(L, "%s: the key \"%s\" is not known%s", table->path, worst, kept);
}

/* Pushes the value and its path ("link.delay") above it: the value is then at
 * -2. The caller pops two. */
static const char *
push_with_path(ConfTable *table, const char *key)
{
    conf_push(table, key);
    return lua_pushfstring(table->L, "%s.%s", table->path, key);
}

void
conf_sub(ConfTable *table, const char *key, ConfTable *sub)
{
    lua_State *L = table->L;
    const char *path = push_with_path(table, key);

    lua_insert(L, -2); /* the path stays below its table, so that it lives as long */
    conf_open(sub, L, -1, path);
    sub->parent = table;
}

void
conf_fail(ConfTable *table, const char *key, const char *expected)
{
    const char *path = push_with_path(table, key);

    value_fail(table->L, -2, path, expected);
}

/* The shape of every reader: default when absent, else the value's own reader. */
#define CONF_READ(type, reader, ...)                                                               \
    lua_State *L = table->L;                                                                       \
    const char *path = push_with_path(table, key);                                                 \
    type value = lua_isnil(L, -2) ? otherwise : reader(L, -2, path, ##__VA_ARGS__);                \
    lua_pop(L, 2);                                                                                 \
    return value

SimTime
conf_time(ConfTable *table, const char *key, SimTime otherwise)
{
    CONF_READ(SimTime, value_time);
}

SimTime
conf_span(ConfTable *table, const char *key, SimTime otherwise)
{
    SimTime span = conf_time(table, key, otherwise);

    if (span != otherwise && span > 365 * 24 * 3600 * SIM_SEC)
        conf_fail(table, key, "a time of at most a year");
    return span;
}

uint64_t
conf_rate(ConfTable *table, const char *key, uint64_t otherwise)
{
    CONF_READ(uint64_t, value_rate);
}

uint64_t
conf_size(ConfTable *table, const char *key, uint64_t otherwise)
{
    CONF_READ(uint64_t, value_size);
}

int64_t
conf_int(ConfTable *table, const char *key, int64_t otherwise, int64_t min, int64_t max)
{
    CONF_READ(int64_t, value_int, min, max);
}

IpAddr
conf_addr(ConfTable *table, const char *key, IpAddr otherwise)
{
    CONF_READ(IpAddr, value_addr);
}

static double
value_number(lua_State *L, int index, const char *path, double min, double max)
{
    index = lua_absindex(L, index);

    double value = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : NAN;

    if (!(value >= min && value <= max))
        value_fail(L, index, path,
                   max == HUGE_VAL ? lua_pushfstring(L, "a number, at least %f", min)
                                   : lua_pushfstring(L, "a number from %f to %f", min, max));
    return value;
}

double
conf_number(ConfTable *table, const char *key, double otherwise, double min, double max)
{
    CONF_READ(double, value_number, min, max);
}

static double
value_probability(lua_State *L, int index, const char *path)
{
    double value = NAN;

    if (lua_type(L, index) == LUA_TNUMBER) {
        value = lua_tonumber(L, index);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        char *end;

        value = g_ascii_strtod(lua_tostring(L, index), &end) / 100;
        if (strcmp(end, "%") != 0)
            value = NAN;
    }
    if (!(value >= 0 && value <= 1))
        value_fail(L, index, path, "a probability such as 0.01 or \"1%\"");
    return value;
}

double
conf_probability(ConfTable *table, const char *key, double otherwise)
{
    CONF_READ(double, value_probability);
}

static bool
value_bool(lua_State *L, int index, const char *path)
{
    if (!lua_isboolean(L, index))
        value_fail(L, index, path, "true or false");
    return lua_toboolean(L, index);
}

bool
conf_bool(ConfTable *table, const char *key, bool otherwise)
{
    CONF_READ(bool, value_bool);
}

static const char *
value_text(lua_State *L, int index, const char *path)
{
    if (lua_type(L, index) != LUA_TSTRING)
        value_fail(L, index, path, "a text");
    return lua_tostring(L, index);
}

const char *
conf_text(ConfTable *table, const char *key, const char *otherwise)
{
    CONF_READ(const char *, value_text);
}

int
conf_choice(ConfTable *table, const char *key, int otherwise, const char *const *names, size_t n)
{
    const char *found = conf_text(table, key, NULL);

    if (found == NULL)
        return otherwise;
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], found) == 0)
            return (int)i;
    lua_pushliteral(table->L, "");
    for (size_t i = 0; i < n; i++) {
        lua_pushfstring(table->L, "%s\"%s\"", i == 0 ? "" : i + 1 == n ? " or " : ", ", names[i]);
        lua_concat(table->L, 2);
    }
    conf_fail(table, key, lua_tostring(table->L, -1));
}
