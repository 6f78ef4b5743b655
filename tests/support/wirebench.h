/* Two hosts without a stack, "a" and "b", and one link between: what a test
 * sends at one end, and what came out at the other, when and in which order.
 */
#ifndef HALFOPEN_TESTS_SUPPORT_WIREBENCH_H
#define HALFOPEN_TESTS_SUPPORT_WIREBENCH_H

#include "models/link/link.h"

enum { WIRE_BENCH_EVENTS = PACKET_EVENT_REFUSED + 1 };

typedef struct WireArrival {
    SimTime at;
    uint64_t id, copy_of;
    IpHeader ip;
    uint16_t flags;
} WireArrival;

typedef struct WireBench {
    Sim *sim; /* owns, as net */
    Net *net;
    Link *link; /* borrows, as the interfaces */
    Iface *a, *b;
    WireArrival *arrived; /* owns */
    uint32_t n_arrived, room;
    uint64_t events[WIRE_BENCH_EVENTS]; /* packet records by event */
    GHashTable *dropped;                /* owns: reason -> count */
    uint32_t max_queue;                 /* of what the queue probe said */
    SimTime max_sojourn;
} WireBench;

WireBench *wire_bench_new(const LinkParams *both);
WireBench *wire_bench_new_seeded(const LinkParams params[2], uint64_t seed);
WireBench *wire_bench_new_asymmetric(const LinkParams params[2]);
void wire_bench_free(WireBench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WireBench, wire_bench_free)

/* Sends a UDP datagram of so many IP bytes; returns its packet's id. */
uint64_t wire_bench_send(WireBench *bench, uint32_t ip_bytes);
uint64_t wire_bench_send_back(WireBench *bench, uint32_t ip_bytes);
/* One every `gap` from now on, `count` in all; runs until all have arrived. */
void wire_bench_stream(WireBench *bench, uint32_t count, uint32_t ip_bytes, SimTime gap);
Packet *wire_bench_packet(WireBench *bench, uint32_t ip_bytes);
void wire_bench_run(WireBench *bench); /* until nothing happens any more */

void wire_bench_expect_order(const WireBench *bench, const char *ids); /* "1 3 2" */
void wire_bench_expect_dropped(const WireBench *bench, const char *reason, uint32_t count);

#endif
