/* Parameters of a scenario: typed by the default that the scenario gives,
 * overridden by --set on the command line or by world{}.
 */
#ifndef HALFOPEN_RUNTIME_PARAM_H
#define HALFOPEN_RUNTIME_PARAM_H

#include <glib.h>
#include <lua.h>
#include <stdbool.h>

#include "sim/time.h"

typedef enum ParamType {
    PARAM_TYPE_TIME,    /* "20ms" */
    PARAM_TYPE_RATE,    /* "10Mbit" */
    PARAM_TYPE_SIZE,    /* "64KiB" */
    PARAM_TYPE_CHANCE,  /* "1%" */
    PARAM_TYPE_INTEGER, /* 3 */
    PARAM_TYPE_NUMBER,  /* 0.5 */
    PARAM_TYPE_BOOL,    /* true */
    PARAM_TYPE_TEXT,
} ParamType;

typedef struct Param {
    char *name;     /* owns */
    char *about;    /* owns; NULL: none */
    char *text;     /* owns: the value as a user would write it */
    char *given;    /* owns: the default's text */
    char **choices; /* owns: NULL-terminated; NULL: anything of the type */
    ParamType type;
    union {
        SimTime time;
        uint64_t quantity;
        int64_t integer;
        double number;
        bool truth;
    };
} Param;

Param *param_copy(const Param *param);
void param_free(Param *param);
Param *param_find(const GPtrArray *params, const char *name); /* NULL: none */
const char *param_type_name(ParamType type);                  /* "time", ... */

/* Reads the table of scenario{ params = ... } at `index` into `params`,
 * sorted by name. Raises on what is no parameter. */
void params_read(lua_State *L, int index, GPtrArray *params);
/* False, with *error (g_free): what was found, what was expected. */
bool param_set_text(Param *param, const char *text, char **error);
/* The same from a Lua value; raises. */
void param_set_value(lua_State *L, Param *param, int index, const char *path);
/* Sets one of `params` from "NAME=VALUE" of the command line. NULL, or what is wrong (g_free);
 * `file` is the scenario, for the message. */
char *params_set(const GPtrArray *params, const char *file, const char *set);
void param_push(lua_State *L, const Param *param); /* times in s, rates in bit/s, sizes in bytes */
/* "; did you mean ...?" or a list of the names (g_free). */
char *params_hint(const GPtrArray *params, const char *found);

#endif
