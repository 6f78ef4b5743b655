/* What the runs of one scenario share: texts that were read and chunks that
 * were compiled once. Nothing on it changes any more, and any thread may ask.
 */
#ifndef HALFOPEN_RUNTIME_SHELF_H
#define HALFOPEN_RUNTIME_SHELF_H

#include <glib.h>
#include <lua.h>

typedef struct Shelf Shelf;

Shelf *shelf_new(void);
void shelf_free(Shelf *shelf);

/* NULL: not there. The caller owns the reference. A NULL shelf holds nothing and takes nothing. */
GBytes *shelf_get(Shelf *shelf, const char *name);
void shelf_put(Shelf *shelf, const char *name, const void *bytes, gsize len);

/* A chunk that was put there onto L's stack: LUA_OK, or as lua_load() fails. False: not there. */
gboolean shelf_load_chunk(Shelf *shelf, lua_State *L, const char *name, int *status);
void shelf_put_chunk(Shelf *shelf, lua_State *L, const char *name); /* the one on top of L */

#endif
