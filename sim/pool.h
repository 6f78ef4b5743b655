/* Fixed-size objects carved from large blocks, with a free list: allocation
 * and release are a few instructions, memory stays dense. Objects come
 * uninitialised. Freeing the pool frees every object still out.
 */
#ifndef HALFOPEN_SIM_POOL_H
#define HALFOPEN_SIM_POOL_H

#include <stddef.h>
#include <stdint.h>

typedef struct SimPool {
    size_t size;      /* of one object, rounded up to 8 */
    size_t per_block; /* objects in one block */
    void *free;       /* head of the free list; borrows from blocks */
    void *blocks;     /* owns: linked list of blocks */
    uint64_t live;    /* objects handed out and not yet returned */
} SimPool;

void sim_pool_init(SimPool *pool, size_t object_size);
void sim_pool_done(SimPool *pool);
void *sim_pool_get(SimPool *pool);
void sim_pool_put(SimPool *pool, void *object);

#endif
