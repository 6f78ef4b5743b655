/* Blocks start small, for the simulation of one handshake, and double up to a
 * bound, for that of a million. Under the address sanitizer an object that was
 * put back is poisoned, so that its late use is caught. */
#include "sim/pool.h"

#include <glib.h>

#include "sim/check.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define pool_poison(object, size)   ASAN_POISON_MEMORY_REGION(object, size)
#define pool_unpoison(object, size) ASAN_UNPOISON_MEMORY_REGION(object, size)
#else
#define pool_poison(object, size)   ((void)0)
#define pool_unpoison(object, size) ((void)0)
#endif

enum {
    POOL_FIRST_BLOCK = 2048,     /* bytes */
    POOL_LARGEST_BLOCK = 131072, /* bytes */
};

typedef struct PoolFree {
    struct PoolFree *next;
} PoolFree;

void
sim_pool_init(SimPool *pool, SimArena *arena, size_t object_size)
{
    size_t unit = object_size < SIM_LINE ? sizeof(PoolFree) : SIM_LINE;
    size_t size = (MAX(object_size, sizeof(PoolFree)) + unit - 1) & ~(unit - 1);

    *pool = (SimPool){ .arena = arena, .size = size, .per_block = MAX(1, POOL_FIRST_BLOCK / size) };
}

static SIM_COLD void
pool_grow(SimPool *pool)
{
    size_t bytes = pool->size * pool->per_block;
    char *objects = sim_arena_take(pool->arena, bytes);
    PoolFree *head = NULL;

    for (size_t i = pool->per_block; i-- > 0;) {
        PoolFree *object = (PoolFree *)(objects + i * pool->size);
        object->next = head;
        head = object;
    }
    pool_poison(objects, bytes);
    pool->free = head;
    if (2 * bytes <= POOL_LARGEST_BLOCK)
        pool->per_block *= 2;
}

void *
sim_pool_get(SimPool *pool)
{
    if (pool->free == NULL)
        pool_grow(pool);
    PoolFree *object = pool->free;
    pool_unpoison(object, pool->size);
    pool->free = object->next;
    pool->live++;
    return object;
}

void
sim_pool_put(SimPool *pool, void *object)
{
    PoolFree *head = object;

    sim_check(pool->live > 0);
    pool->live--;
    head->next = pool->free;
    pool->free = head;
    pool_poison(object, pool->size);
}
