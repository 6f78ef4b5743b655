/* Memory laid out for the processor's cache.
 *
 * Fixed-size objects carved from large blocks, with a free list: allocation
 * and release are a few instructions, memory stays dense. Objects come
 * uninitialised; those of a cache line or more start at one. Freeing the pool
 * frees every object still out.
 *
 * With a thousand hosts it is not instructions that cost time but each line of
 * memory that a packet touches for the first time in a while. So a struct that
 * every packet touches is SIM_LINE_ALIGNED and says which of its members come
 * first, and why.
 */
#ifndef HALFOPEN_SIM_POOL_H
#define HALFOPEN_SIM_POOL_H

#include <stddef.h>
#include <stdint.h>

#define SIM_LINE         64                 /* bytes of a cache line */
#define SIM_LINE_ALIGNED _Alignas(SIM_LINE) /* on the first member of a struct */

typedef struct SimPool {
    size_t size;      /* of one object, rounded up to 8, or to SIM_LINE if it has as much */
    size_t per_block; /* objects in one block */
    void *free;       /* head of the free list; borrows from blocks */
    void *blocks;     /* owns: linked list of blocks */
    uint64_t live;    /* objects handed out and not yet returned */
} SimPool;

void sim_pool_init(SimPool *pool, size_t object_size);
void sim_pool_done(SimPool *pool);
void *sim_pool_get(SimPool *pool);
void sim_pool_put(SimPool *pool, void *object);

/* One zeroed object that starts at a line; NULL may be freed. */
void *sim_line_new0(size_t size);
void sim_line_free(void *object);

#endif
