/* The memory of one simulation: taken bit by bit, given back all at once.
 *
 * What lives as long as a Net (hosts, links, and the blocks of its pools) comes
 * from one arena, so that it lies close together, and pages that a processor can
 * translate with few entries hold all of it: with a thousand hosts on pages of
 * 4 KiB a segment waits for translations as well as for lines. Blocks begin
 * small, for the simulation of a handshake, and double; from 2 MiB on the kernel
 * is asked for huge pages.
 */
#ifndef HALFOPEN_SIM_ARENA_H
#define HALFOPEN_SIM_ARENA_H

#include <stddef.h>

#define SIM_LINE         64                 /* bytes of a cache line */
#define SIM_LINE_ALIGNED _Alignas(SIM_LINE) /* on the first member of a struct */

typedef struct SimArena {
    char *at, *end; /* what is left of the block in use */
    void *blocks;   /* owns: linked list of blocks */
    size_t next;    /* bytes of the block to come */
} SimArena;

void sim_arena_init(SimArena *arena);
void sim_arena_done(SimArena *arena); /* frees all that was taken */

/* Memory that starts at a cache line: uninitialised, or zero. */
void *sim_arena_take(SimArena *arena, size_t bytes);
void *sim_arena_take0(SimArena *arena, size_t bytes);

#endif
