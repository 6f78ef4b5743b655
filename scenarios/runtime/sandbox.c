#include "scenarios/runtime/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/runtime/suggest.h"

#define HOOK_EVERY 100000 /* Lua instructions between two looks at the bound */

/* ---- bounds ---------------------------------------------------------------- */

static void *
bounded_alloc(void *arg, void *block, size_t old_size, size_t new_size)
{
    Lab *lab = arg;
    size_t held = block == NULL ? 0 : old_size;

    if (new_size == 0) {
        free(block);
        lab->memory_used -= held;
        return NULL;
    }
    if (new_size > held && lab->memory_used - held + new_size > lab->options.memory_limit) {
        lab->out_of_memory = true;
        return NULL;
    }

    void *moved = realloc(block, new_size);

    if (moved != NULL)
        lab->memory_used += new_size - held;
    return moved;
}

/* Once over the bound, or interrupted, every further instruction raises: a
 * pcall() around the loop does not save it. */
static void
count_instructions(lua_State *L, lua_Debug *frame)
{
    Lab *lab = lab_of(L);

    (void)frame;
    if (lab_is_interrupted(lab)) {
        lua_sethook(L, count_instructions, LUA_MASKCOUNT, 1);
        lua_pushstring(L, lab->error);
        lua_error(L);
    }
    lab->turn_instructions += HOOK_EVERY;
    if (lab->turn_instructions <= lab->options.turn_limit)
        return;
    lua_sethook(L, count_instructions, LUA_MASKCOUNT, 1);
    conf_error(L,
               "ran %" G_GUINT64_FORMAT
               " million Lua instructions without letting time pass: an endless loop?",
               lab->options.turn_limit / 1000000);
}

void
sandbox_new_turn(Lab *lab)
{
    lab->turn_instructions = 0;
}

/* ---- what a scenario may call of Lua ---------------------------------------- */

/* load(text [, name]): text only, in the sandbox. */
static int
l_load(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *name = luaL_optstring(L, 2, text);

    if (luaL_loadbufferx(L, text, len, name, "t") == LUA_OK)
        return 1;
    luaL_pushfail(L);
    lua_insert(L, -2);
    return 2;
}

/* print(...): a line for the terminal, as log() without its time. */
static int
l_print(lua_State *L)
{
    int n = lua_gettop(L);
    g_autoptr(GString) line = g_string_new(NULL);

    for (int i = 1; i <= n; i++) {
        if (i > 1)
            g_string_append_c(line, '\t');
        g_string_append(line, luaL_tolstring(L, i, NULL));
        lua_pop(L, 1);
    }
    if (!lab_of(L)->options.quiet)
        printf("%s\n", line->str);
    return 0;
}

/* A table's address would differ from run to run. */
static int
l_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL &&
        (lua_istable(L, 1) || lua_isfunction(L, 1) || lua_isthread(L, 1)))
        lua_pushstring(L, luaL_typename(L, 1));
    else
        luaL_tolstring(L, 1, NULL);
    return 1;
}

static int
unknown_global(lua_State *L)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    const char *words[256];
    size_t n = 0;

    lua_pushnil(L);
    while (n < G_N_ELEMENTS(words) && lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            words[n++] = lua_tostring(L, -1); /* lives as a key of the table */
    }

    char *hint = suggest_text(name, words, n);
    const char *kept = lua_pushstring(L, hint);

    g_free(hint);
    conf_error(L, "the name \"%s\" is not known%s", name, kept);
}

/* ---- modules ----------------------------------------------------------------- */

static bool
has_prelude(const char *folder)
{
    g_autofree char *file = g_build_filename(folder, "prelude.lua", NULL);

    return g_file_test(file, G_FILE_TEST_IS_REGULAR);
}

char *
sandbox_lib_folder(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);

    if (program == NULL)
        return NULL;

    /* Upwards from the program: build/halfopen and build/tests/.../test_x lie
     * in the tree, PREFIX/bin/halfopen beside PREFIX/share. */
    g_autofree char *folder = g_path_get_dirname(program);

    while (strcmp(folder, "/") != 0 && strcmp(folder, ".") != 0) {
        static const char *const places[] = { "scenarios/lib", "share/halfopen/scenarios/lib" };

        for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
            g_autofree char *lib = g_build_filename(folder, places[i], NULL);

            if (has_prelude(lib))
                return g_steal_pointer(&lib);
        }
        char *up = g_path_get_dirname(folder);

        g_free(folder);
        folder = up;
    }
    return NULL;
}

/* The text of NAME.lua in the library, beside the scenario, or one folder above it. *chunk is its
 * name for messages: errors in the library are told at the scenario's line. */
static char *
read_module(const Lab *lab, const char *name, char **chunk)
{
    g_autofree char *lib = sandbox_lib_folder();
    g_autofree char *beside = g_path_get_dirname(lab->file);
    g_autofree char *in_lib = lib == NULL ? NULL : g_strdup_printf("%s/%s.lua", lib, name);
    g_autofree char *in_scenarios = g_strdup_printf("%s/%s.lua", beside, name);
    g_autofree char *in_parent = g_strdup_printf("%s/../%s.lua", beside, name);
    char *text = NULL;

    if (in_lib != NULL && g_file_get_contents(in_lib, &text, NULL, NULL))
        *chunk = g_strdup_printf("=lib/%s.lua", name);
    else if (g_file_get_contents(in_scenarios, &text, NULL, NULL))
        *chunk = g_strdup_printf("@%s", in_scenarios);
    else if (g_file_get_contents(in_parent, &text, NULL, NULL))
        *chunk = g_strdup_printf("@%s", in_parent);
    return text;
}

/* False: no such module. Holds nothing when it returns, for Lua raises by longjmp. */
static bool
load_module(lua_State *L, const char *name, int *status)
{
    Lab *lab = lab_of(L);
    g_autofree char *shelved = g_strdup_printf("=%s", name);
    g_autofree char *chunk = NULL;

    if (name[0] == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
        return false;
    if (shelf_load_chunk(lab->options.shelf, L, shelved, status))
        return true;

    g_autofree char *text = read_module(lab, name, &chunk);

    if (text == NULL)
        return false;
    *status = luaL_loadbufferx(L, text, strlen(text), chunk, "t");
    if (*status == LUA_OK)
        shelf_put_chunk(lab->options.shelf, L, shelved);
    return true;
}

void
sandbox_load_module(lua_State *L, const char *name)
{
    int status;

    if (!load_module(L, name, &status))
        conf_error(L,
                   "require: found \"%s\", expected the name of a module in scenarios/lib or "
                   "beside the scenario",
                   name);
    if (status != LUA_OK)
        lua_error(L);
}

static int
l_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, name) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    sandbox_load_module(L, name);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
    return 1;
}

/* ---- errors ------------------------------------------------------------------ */

const char *
sandbox_error_text(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TSTRING)
        return lua_tostring(L, index);
    lua_pushfstring(L, "the scenario raised a %s, expected a text", luaL_typename(L, index));
    return lua_tostring(L, -1);
}

void
sandbox_push_traceback(lua_State *L)
{
    g_autoptr(GString) text = g_string_new(sandbox_error_text(L, lua_gettop(L)));
    lua_Debug frame;
    unsigned n = 0;

    for (int level = 0; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (frame.currentline <= 0 || frame.source[0] != '@')
            continue;
        /* The innermost frame is in the message already. */
        if (n++ > 0)
            g_string_append_printf(text, "\n    called from %s:%d", frame.short_src,
                                   frame.currentline);
    }
    lua_pushstring(L, text->str);
}

int
sandbox_traceback(lua_State *L)
{
    lua_settop(L, 1);
    sandbox_push_traceback(L);
    return 1;
}

/* ---- the state ----------------------------------------------------------------- */

static void
keep_only(lua_State *L, const char *const *words, size_t n)
{
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);

        const char *key = lua_tostring(L, -1);
        bool is_kept = false;

        for (size_t i = 0; i < n && !is_kept; i++)
            is_kept = strcmp(words[i], key) == 0;
        if (!is_kept) { /* clearing a field while going through is allowed */
            lua_pushvalue(L, -1);
            lua_pushnil(L);
            lua_rawset(L, -4);
        }
    }
    lua_pop(L, 1);
}

static void
clear_field(lua_State *L, const char *table, const char *key)
{
    lua_getglobal(L, table);
    lua_pushnil(L);
    lua_setfield(L, -2, key);
    lua_pop(L, 1);
}

static int
open_sandbox(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        { LUA_GNAME, luaopen_base },        { LUA_TABLIBNAME, luaopen_table },
        { LUA_STRLIBNAME, luaopen_string }, { LUA_MATHLIBNAME, luaopen_math },
        { LUA_UTF8LIBNAME, luaopen_utf8 },  { LUA_COLIBNAME, luaopen_coroutine },
    };
    static const char *const kept[] = {
        "_G",           "_VERSION",     "assert",       "error",    "getmetatable", "ipairs",
        "next",         "pairs",        "pcall",        "rawequal", "rawget",       "rawlen",
        "rawset",       "select",       "tonumber",     "type",     "xpcall",       "tostring",
        "setmetatable", LUA_TABLIBNAME, LUA_STRLIBNAME, "math",     "utf8",         "coroutine",
    };
    static const luaL_Reg ours[] = {
        { "load", l_load },         { "print", l_print }, { "require", l_require },
        { "tostring", l_tostring }, { NULL, NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(libraries); i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    keep_only(L, kept, G_N_ELEMENTS(kept));
    clear_field(L, "string", "dump");
    clear_field(L, "math", "randomseed");
    lua_pushglobaltable(L);
    luaL_setfuncs(L, ours, 0);
    /* The metatable of strings is shared by all: not to be reached. */
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
    lua_newtable(L);
    lua_pushcfunction(L, unknown_global);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "globals");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    return 0;
}

static int
on_panic(lua_State *L)
{
    g_error("Lua raised outside of any protection: %s", sandbox_error_text(L, -1));
    return 0;
}

lua_State *
sandbox_new(Lab *lab)
{
    lua_State *L = lua_newstate(bounded_alloc, lab);

    if (L == NULL)
        return NULL;
    *(Lab **)lua_getextraspace(L) = lab;
    lab->L = L;
    lua_atpanic(L, on_panic);
    lua_sethook(L, count_instructions, LUA_MASKCOUNT, HOOK_EVERY);
    lua_pushcfunction(L, open_sandbox);
    lua_call(L, 0, 0);
    return L;
}

void
sandbox_free(lua_State *L)
{
    lua_close(L);
}
