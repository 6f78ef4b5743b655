#include "sim/arena.h"

#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/check.h"

enum {
    ARENA_FIRST_BLOCK = 8 << 10, /* bytes, as all of these */
    ARENA_HUGE_PAGE = 2 << 20,   /* of x86-64, and of AArch64 with pages of 4 KiB */
    ARENA_LARGEST_BLOCK = 32 << 20,
};

typedef struct ArenaBlock {
    SIM_LINE_ALIGNED struct ArenaBlock *next; /* owns */
} ArenaBlock;

static inline size_t
line_up(size_t bytes)
{
    return (bytes + SIM_LINE - 1) & ~(size_t)(SIM_LINE - 1);
}

void
sim_arena_init(SimArena *arena)
{
    *arena = (SimArena){ .next = ARENA_FIRST_BLOCK };
}

void
sim_arena_done(SimArena *arena)
{
    ArenaBlock *block = arena->blocks;

    while (block != NULL) {
        ArenaBlock *next = block->next;
        free(block);
        block = next;
    }
    sim_arena_init(arena);
}

static SIM_COLD void
arena_grow(SimArena *arena, size_t least)
{
    size_t bytes = MAX(arena->next, sizeof(ArenaBlock) + least);
    bool is_huge = bytes >= ARENA_HUGE_PAGE;

    if (is_huge)
        bytes = (bytes + ARENA_HUGE_PAGE - 1) & ~(size_t)(ARENA_HUGE_PAGE - 1);
    ArenaBlock *block = aligned_alloc(is_huge ? ARENA_HUGE_PAGE : SIM_LINE, bytes);
    if (block == NULL)
        g_error("no memory for %zu bytes more", bytes);
#ifdef MADV_HUGEPAGE
    if (is_huge)
        madvise(block, bytes, MADV_HUGEPAGE); /* it does without where the kernel has none */
#endif
    block->next = arena->blocks;
    arena->blocks = block;
    arena->at = (char *)(block + 1);
    arena->end = (char *)block + bytes;
    arena->next = MIN(2 * bytes, ARENA_LARGEST_BLOCK);
}

void *
sim_arena_take(SimArena *arena, size_t bytes)
{
    bytes = line_up(bytes);
    if (bytes > (size_t)(arena->end - arena->at))
        arena_grow(arena, bytes);
    void *taken = arena->at;
    arena->at += bytes;
    return taken;
}

void *
sim_arena_take0(SimArena *arena, size_t bytes)
{
    return memset(sim_arena_take(arena, bytes), 0, bytes);
}
