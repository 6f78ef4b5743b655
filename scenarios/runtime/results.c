#include "scenarios/runtime/results.h"

#include <json-glib/json-glib.h>
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#define MAX_DEPTH 20 /* a table that contains itself has no end */

static JsonNode *value_to_node(lua_State *L, int index, unsigned depth);

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static JsonNode *
list_to_node(lua_State *L, int index, lua_Unsigned n, unsigned depth)
{
    JsonArray *array = json_array_new();
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    for (lua_Unsigned i = 1; i <= n; i++) {
        lua_rawgeti(L, index, (lua_Integer)i);
        json_array_add_element(array, value_to_node(L, lua_gettop(L), depth));
        lua_pop(L, 1);
    }
    json_node_take_array(node, array);
    return node;
}

static JsonNode *
table_to_node(lua_State *L, int index, unsigned depth)
{
    lua_Unsigned n = lua_rawlen(L, index);

    if (n > 0)
        return list_to_node(L, index, n, depth);

    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            g_ptr_array_add(keys, g_strdup(lua_tostring(L, -1)));
    }
    g_ptr_array_sort(keys, by_text);
    for (unsigned i = 0; i < keys->len; i++) {
        lua_pushstring(L, keys->pdata[i]);
        lua_rawget(L, index);
        json_object_set_member(object, keys->pdata[i], value_to_node(L, lua_gettop(L), depth));
        lua_pop(L, 1);
    }
    json_node_take_object(node, object);
    return node;
}

static JsonNode *
value_to_node(lua_State *L, int index, unsigned depth)
{
    JsonNode *node = json_node_new(JSON_NODE_VALUE);

    luaL_checkstack(L, 8, "a result");
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        json_node_set_boolean(node, lua_toboolean(L, index));
        return node;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) {
            json_node_set_int(node, lua_tointeger(L, index));
            return node;
        }
        if (isfinite(lua_tonumber(L, index))) {
            json_node_set_double(node, lua_tonumber(L, index));
            return node;
        }
        break;
    case LUA_TSTRING:
        json_node_set_string(node, lua_tostring(L, index));
        return node;
    case LUA_TTABLE:
        if (depth == MAX_DEPTH)
            break;
        json_node_unref(node);
        return table_to_node(L, index, depth + 1);
    default:
        break;
    }
    json_node_unref(node);
    return json_node_new(JSON_NODE_NULL);
}

/* NULL: nothing was stored. */
static JsonNode *
results_to_node(Lab *lab)
{
    lua_State *L = lab->L;

    /* The scenario has ended; what is asked for now is ours, and nobody would catch an error. */
    lab->options.memory_limit = SIZE_MAX;
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, lab->results);
    lua_pushnil(L);

    bool is_empty = lua_next(L, 1) == 0;

    lua_settop(L, 1);

    JsonNode *node = is_empty ? NULL : table_to_node(L, 1, 0);

    lua_settop(L, 0);
    return node;
}

char *
results_to_json(Lab *lab)
{
    g_autoptr(JsonNode) node = results_to_node(lab);

    return node == NULL ? NULL : json_to_string(node, true);
}

/* ---- the numbers alone --------------------------------------------------------- */

static void
number_free(void *arg)
{
    ResultNumber *number = arg;

    g_free(number->name);
    g_free(number);
}

static void
add_number(GPtrArray *numbers, const char *name, JsonNode *node)
{
    GType type = json_node_get_value_type(node);

    if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
        return;

    ResultNumber *number = g_new0(ResultNumber, 1);

    number->name = g_strdup(name);
    number->is_integer = type == G_TYPE_INT64;
    if (number->is_integer)
        number->integer = json_node_get_int(node);
    number->number = number->is_integer ? (double)number->integer : json_node_get_double(node);
    g_ptr_array_add(numbers, number);
}

static char *
member_name(const char *path, const char *name)
{
    return path[0] == '\0' ? g_strdup(name) : g_strdup_printf("%s.%s", path, name);
}

static void
collect_numbers(GPtrArray *numbers, const char *path, JsonNode *node)
{
    if (JSON_NODE_HOLDS_VALUE(node)) {
        add_number(numbers, path, node);
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray *array = json_node_get_array(node);

        for (guint i = 0; i < json_array_get_length(array); i++) {
            g_autofree char *index = g_strdup_printf("%u", i + 1); /* as Lua counts */
            g_autofree char *name = member_name(path, index);

            collect_numbers(numbers, name, json_array_get_element(array, i));
        }
    } else if (JSON_NODE_HOLDS_OBJECT(node)) {
        JsonObjectIter iter;
        const char *key;
        JsonNode *member;

        json_object_iter_init_ordered(&iter, json_node_get_object(node));
        while (json_object_iter_next_ordered(&iter, &key, &member)) {
            g_autofree char *name = member_name(path, key);

            collect_numbers(numbers, name, member);
        }
    }
}

GPtrArray *
results_numbers(Lab *lab)
{
    GPtrArray *numbers = g_ptr_array_new_with_free_func(number_free);
    g_autoptr(JsonNode) node = results_to_node(lab);

    if (node != NULL)
        collect_numbers(numbers, "", node);
    return numbers;
}
