#include "scenarios/runtime/shelf.h"

#include <lauxlib.h>

struct Shelf {
    GMutex lock;
    GHashTable *things; /* owns: name -> GBytes; only looked up, never gone through */
};

Shelf *
shelf_new(void)
{
    Shelf *shelf = g_new0(Shelf, 1);

    g_mutex_init(&shelf->lock);
    shelf->things =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    return shelf;
}

void
shelf_free(Shelf *shelf)
{
    g_hash_table_unref(shelf->things);
    g_mutex_clear(&shelf->lock);
    g_free(shelf);
}

GBytes *
shelf_get(Shelf *shelf, const char *name)
{
    if (shelf == NULL)
        return NULL;
    g_mutex_lock(&shelf->lock);

    GBytes *bytes = g_hash_table_lookup(shelf->things, name);

    if (bytes != NULL)
        g_bytes_ref(bytes);
    g_mutex_unlock(&shelf->lock);
    return bytes;
}

/* Two threads may have made the same thing: the first stays. */
void
shelf_put(Shelf *shelf, const char *name, const void *bytes, gsize len)
{
    if (shelf == NULL)
        return;
    g_mutex_lock(&shelf->lock);
    if (!g_hash_table_contains(shelf->things, name))
        g_hash_table_insert(shelf->things, g_strdup(name), g_bytes_new(bytes, len));
    g_mutex_unlock(&shelf->lock);
}

gboolean
shelf_load_chunk(Shelf *shelf, lua_State *L, const char *name, int *status)
{
    GBytes *chunk = shelf_get(shelf, name);

    if (chunk == NULL)
        return FALSE;

    gsize len;
    const char *bytes = g_bytes_get_data(chunk, &len);

    *status = luaL_loadbufferx(L, bytes, len, name, "b"); /* its own name is in it */
    g_bytes_unref(chunk);
    return TRUE;
}

static int
append(lua_State *L, const void *bytes, size_t len, void *all)
{
    (void)L;
    g_byte_array_append(all, bytes, (guint)len);
    return 0;
}

void
shelf_put_chunk(Shelf *shelf, lua_State *L, const char *name)
{
    if (shelf == NULL)
        return;

    g_autoptr(GByteArray) all = g_byte_array_new();

    lua_dump(L, append, all, 0); /* with lines and names, for messages */
    shelf_put(shelf, name, all->data, all->len);
}
