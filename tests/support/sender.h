/* A sender under test: one connection whose peer is played by hand, for tests
 * of what leaves when which ACK comes. Sequence numbers are our own, 0 is our
 * SYN; the peer sends nothing but ACKs.
 *
 *     g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });
 *     sender_write(s, 10000);
 *     sender_expect(s, 1, 10001);
 *     sender_ack(s, 1, "2001:3001");
 */
#ifndef HALFOPEN_TESTS_SUPPORT_SENDER_H
#define HALFOPEN_TESTS_SUPPORT_SENDER_H

#include "models/tcp/tcp_internal.h"
#include "tests/support/tcp_bench.h"

typedef struct SenderParams {
    uint16_t mss;  /* the peer's MSS option; 0: 1460 */
    bool sack, ts; /* the peer agrees to them */
    uint32_t wnd;  /* bytes, a multiple of 128; 0: 64 KiB */
    SimTime rtt;   /* of the handshake; 0: 100 ms */
    TcpProfile profile;
    const char *const *tunables; /* name, value, ..., NULL */
} SenderParams;

typedef struct Sender {
    TcpBench *bench;     /* owns */
    TcpConn *conn;       /* borrows: the connection; gone when it ended */
    uint32_t wnd;        /* what ACKs offer from now on, bytes */
    uint32_t ts_echo;    /* TSval of the last segment that left, for ACKs with timestamps */
    uint16_t last_flags; /* of the last segment expected */
    bool ts;
} Sender;

Sender *sender_new(SenderParams params);
void sender_free(Sender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sender, sender_free)

int64_t sender_send(Sender *sender, size_t len, unsigned flags); /* the call's result */
void sender_write(Sender *sender, size_t len);                   /* all of it is taken */
void sender_ack(Sender *sender, uint32_t ack,
                const char *sacks); /* "2001:3001 4001:5001" or NULL */
/* The same with the timestamp echo of an earlier segment. */
void sender_ack_echo(Sender *sender, uint32_t ack, const char *sacks, uint32_t tsecr);
void sender_run(Sender *sender, SimTime by);

/* Segments that together are [from, to), in order, have left and were not
 * expected before. */
void sender_expect(Sender *sender, uint32_t from, uint32_t to);
void sender_expect_silence(Sender *sender);
/* Runs until something leaves, which is [from, to). Returns how long it took. */
SimTime sender_await(Sender *sender, uint32_t from, uint32_t to);

uint64_t sender_counter(const Sender *sender, MibCounter counter);
void sender_expect_window(const Sender *sender, TcpCaState state, uint32_t cwnd, uint32_t ssthresh);

#endif
