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

char *
results_to_json(Lab *lab)
{
    lua_State *L = lab->L;

    lua_rawgeti(L, LUA_REGISTRYINDEX, lab->results);
    lua_pushnil(L);

    bool is_empty = lua_next(L, -2) == 0;

    lua_settop(L, is_empty ? -2 : -3);
    if (is_empty)
        return NULL;
    lua_rawgeti(L, LUA_REGISTRYINDEX, lab->results);

    JsonNode *node = table_to_node(L, lua_gettop(L), 0);
    char *text = json_to_string(node, true);

    json_node_unref(node);
    lua_pop(L, 1);
    return text;
}
