/* The Lua state in which scenarios run. No io, no os, no bytecode; bounds on
 * memory and on instructions; nothing whose order depends on an address
 * (pairs goes through keys in order). `require` finds the modules of
 * scenarios/lib those beside the scenario and one folder above, and
 * nothing else.
 */
#ifndef HALFOPEN_RUNTIME_SANDBOX_H
#define HALFOPEN_RUNTIME_SANDBOX_H

#include "scenarios/runtime/lab.h"

#define SANDBOX_MEMORY_LIMIT ((size_t)1 << 30)
#define SANDBOX_TURN_LIMIT   UINT64_C(200000000)

/* A fresh state with lab->L set; NULL when not even that fits the memory. */
lua_State *sandbox_new(Lab *lab);
void sandbox_free(lua_State *L);

/* Time passed, or another process runs: the count of instructions begins anew. */
void sandbox_new_turn(Lab *lab);

/* Loads NAME.lua and leaves its chunk on the stack; raises. */
void sandbox_load_module(lua_State *L, const char *name);
/* The folder of scenarios/lib, or of the scenarios; g_free. NULL: not found. */
char *sandbox_lib_folder(void);

/* Text for an error value (a message handler's duty): a string in any case. */
const char *sandbox_error_text(lua_State *L, int index);
/* Message handler: adds the scenario's own frames, when there are several. */
int sandbox_traceback(lua_State *L);
/* The same for the error on top of the stack of a coroutine that died. */
void sandbox_push_traceback(lua_State *L);

#endif
