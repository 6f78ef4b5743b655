/* A pool of packets and their streams, without a network. */
#ifndef HALFOPEN_TESTS_SUPPORT_PACKET_BENCH_H
#define HALFOPEN_TESTS_SUPPORT_PACKET_BENCH_H

#include <glib.h>

#include "models/packet/packet.h"

typedef struct Bench {
    StreamTable *streams; /* owns */
    SimArena arena;
    PacketPool pool;
} Bench;

static inline Bench *
bench_new(void)
{
    Bench *bench = g_new0(Bench, 1);

    bench->streams = stream_table_new();
    sim_arena_init(&bench->arena);
    packet_pool_init(&bench->pool, &bench->arena, bench->streams);
    return bench;
}

/* Every test ends with every packet back in the pool. */
static inline void
bench_free(Bench *bench)
{
    g_assert_cmpuint(bench->pool.pool.live, ==, 0);
    sim_arena_done(&bench->arena);
    stream_table_free(bench->streams);
    g_free(bench);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, bench_free)

#endif
