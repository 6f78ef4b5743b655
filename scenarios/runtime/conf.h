/* Typed reading of what a scenario writes: Lua tables and arguments become C
 * values with units. A wrong value raises a Lua error that names the place in
 * the scenario, the path of the key, what was found and what was expected:
 *
 *   lost.lua:12: link.delay: found "20sm", expected a time such as "20ms"
 *
 * Every function here may longjmp: read all first, allocate after.
 */
#ifndef HALFOPEN_RUNTIME_CONF_H
#define HALFOPEN_RUNTIME_CONF_H

#include <lua.h>
#include <stdbool.h>

#include "models/wire/addr.h"
#include "sim/time.h"

#define CONF_MAX_KEYS 64

typedef struct ConfTable {
    lua_State *L;
    int index; /* absolute stack index of the table; 0: there is none, every key has its default */
    const char *path;               /* "link", "link.up": borrows */
    const struct ConfTable *parent; /* borrows; NULL: outermost */
    unsigned n_known;
    const char *known[CONF_MAX_KEYS]; /* every key that was asked for */
} ConfTable;

/* Opens the table at `index`; none and nil are an empty table. */
void conf_open(ConfTable *table, lua_State *L, int index, const char *path);
/* Raises for the first key nobody asked for. */
void conf_close(ConfTable *table);
/* The table under `key`, or an empty one; leaves it on the stack. Close it too. */
void conf_sub(ConfTable *table, const char *key, ConfTable *sub);

bool conf_has(ConfTable *table, const char *key); /* and marks the key as known */
int conf_type(ConfTable *table, const char *key); /* a LUA_T constant; marks as known */
/* Pushes the value of `key` (nil if there is none) and marks it as known. */
int conf_push(ConfTable *table, const char *key);

SimTime conf_time(ConfTable *table, const char *key, SimTime otherwise);
SimTime conf_span(ConfTable *table, const char *key, SimTime otherwise); /* at most a year */
uint64_t conf_rate(ConfTable *table, const char *key, uint64_t otherwise);
uint64_t conf_size(ConfTable *table, const char *key, uint64_t otherwise);
int64_t conf_int(ConfTable *table, const char *key, int64_t otherwise, int64_t min, int64_t max);
double conf_number(ConfTable *table, const char *key, double otherwise, double min, double max);
double conf_probability(ConfTable *table, const char *key, double otherwise); /* 0.01 or "1%" */
bool conf_bool(ConfTable *table, const char *key, bool otherwise);
/* Borrowed: lives as long as the table. */
const char *conf_text(ConfTable *table, const char *key, const char *otherwise);
/* Index into the n names. */
int conf_choice(ConfTable *table, const char *key, int otherwise, const char *const *names,
                size_t n);
IpAddr conf_addr(ConfTable *table, const char *key, IpAddr otherwise);
_Noreturn void conf_fail(ConfTable *table, const char *key, const char *expected);

/* The same for a value on the stack; `what` is its path ("run: time"). */
SimTime value_time(lua_State *L, int index, const char *what);
uint64_t value_rate(lua_State *L, int index, const char *what);
uint64_t value_size(lua_State *L, int index, const char *what);
int64_t value_int(lua_State *L, int index, const char *what, int64_t min, int64_t max);
IpAddr value_addr(lua_State *L, int index, const char *what);
SimTime value_opt_time(lua_State *L, int index, const char *what, SimTime otherwise);
_Noreturn void value_fail(lua_State *L, int index, const char *what, const char *expected);

/* Raises with the place in the scenario (not in a library) before the text. */
_Noreturn void conf_error(lua_State *L, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Pushes "file:line: " of the innermost frame that is the scenario's own. */
void conf_where(lua_State *L);

/* Times leave as Lua numbers in seconds. */
void push_time(lua_State *L, SimTime time);
void push_addr(lua_State *L, IpAddr addr);

#endif
