/* Fixed-size objects carved from blocks of an arena, with a free list:
 * allocation and release are a few instructions, memory stays dense. Objects
 * come uninitialised; those of a cache line or more start at one. What a pool
 * has taken from its arena stays with it.
 *
 * With a thousand hosts it is not instructions that cost time but each line of
 * memory that a packet touches for the first time in a while. So a struct that
 * every packet touches is SIM_LINE_ALIGNED and says which of its members come
 * first, and why.
 */
#ifndef HALFOPEN_SIM_POOL_H
#define HALFOPEN_SIM_POOL_H

#include <stdint.h>

#include "sim/arena.h"

typedef struct SimPool {
    SimArena *arena;  /* borrows */
    size_t size;      /* of one object, rounded up to 8, or to SIM_LINE if it has as much */
    size_t per_block; /* objects in the next block */
    void *free;       /* head of the free list; borrows from the arena */
    uint64_t live;    /* objects handed out and not yet returned */
} SimPool;

void sim_pool_init(SimPool *pool, SimArena *arena, size_t object_size);
void *sim_pool_get(SimPool *pool);
void sim_pool_put(SimPool *pool, void *object);

#endif
