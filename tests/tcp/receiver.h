/* Shared by the tests of the receive side: a connection whose peer agreed to
 * options, and looks at what it sends. */
#ifndef HALFOPEN_TESTS_TCP_RECEIVER_H
#define HALFOPEN_TESTS_TCP_RECEIVER_H

#include "models/tcp/tcp_internal.h"
#include "tests/support/tcp_bench.h"

/* ESTABLISHED by an active open, with these options in the peer's SYN-ACK (its
 * TSval is 1000); nothing is left to expect. */
static inline void
receiver_establish(TcpBench *b, uint8_t options)
{
    tcp_bench_connect(b);
    tcp_bench_deliver(b,
                      SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .options = options, .tsval = 1000));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    tcp_bench_skip(b);
}

static inline TcpBench *
receiver_new(uint8_t options)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);

    receiver_establish(b, options);
    return b;
}

static inline TcpConn *
receiver_conn(TcpBench *b)
{
    return sock_tcp(b->sock);
}

static inline void
receiver_data(TcpBench *b, uint32_t seq, uint32_t len)
{
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = seq, .ack = 1, .len = len));
}

/* The header of the next segment sent, which stays to be expected. */
static inline const TcpHeader *
receiver_sent(TcpBench *b)
{
    const Packet *packet = g_queue_peek_head(b->sent);

    g_assert_nonnull(packet);
    return &packet->tcp;
}

/* Block i of the next segment sent, relative to the peer's ISN. */
static inline void
receiver_expect_sack(TcpBench *b, unsigned i, uint32_t start, uint32_t end)
{
    const TcpHeader *h = receiver_sent(b);
    uint32_t irs = receiver_conn(b)->rcv.irs;

    g_assert_cmpuint(h->n_sacks, >, i);
    g_assert_cmpuint(h->sacks[i].start - irs, ==, start);
    g_assert_cmpuint(h->sacks[i].end - irs, ==, end);
}

static inline uint64_t
receiver_count(TcpBench *b, MibCounter counter)
{
    return b->host->mib[counter];
}

#endif
