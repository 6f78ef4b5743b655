/* Shared by the tests of a listener: floods, counts, a peer that completes its
 * handshake. */
#ifndef HALFOPEN_TESTS_TCP_LISTENING_H
#define HALFOPEN_TESTS_TCP_LISTENING_H

#include "models/tcp/listen.h"
#include "tests/support/tcp_bench.h"

#define FLOOD_PORT 3000

static inline uint64_t
count(const TcpBench *b, MibCounter counter)
{
    return b->host->mib[counter];
}

static inline void
flood(TcpBench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .peer_port = FLOOD_PORT + i));
}

typedef struct RowCount {
    TcpState state;
    unsigned n;
} RowCount;

static inline void
count_row(void *arg, const TcpSocketRow *row)
{
    RowCount *rows = arg;

    rows->n += row->state == rows->state;
}

static inline unsigned
in_state(const TcpBench *b, TcpState state)
{
    RowCount rows = { .state = state };

    tcp_list(b->host, count_row, &rows);
    return rows.n;
}

static inline TcpBench *
listening(int backlog, const char *syncookies)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_syncookies", syncookies);
    tcp_bench_listen(b, backlog);
    return b;
}

/* The handshake of one peer, whose number is told by its port. */
static inline void
complete(TcpBench *b, uint32_t port)
{
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .peer_port = port));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .peer_port = port));
    tcp_bench_skip(b);
}

#endif
