/* One endpoint on a bench: a host whose link ends at a tap, in any state of
 * TCP; deliver a segment, expect a segment or silence.
 *
 * Sequence numbers are relative: 0 is the SYN of whoever sends, in a segment
 * delivered (seq: the peer's, ack: ours) as in one expected (the reverse). The
 * bench's own endpoint is local port 1000 unless it listens, at 80; the peer is
 * 10.0.0.2, with ISN 500000, a window of 65535 and no options but an MSS of
 * 1460.
 */
#ifndef HALFOPEN_TESTS_SUPPORT_TCP_BENCH_H
#define HALFOPEN_TESTS_SUPPORT_TCP_BENCH_H

#include "models/sock/sock.h"

typedef struct Seg {
    uint16_t flags; /* TCP_SYN | ... */
    uint32_t seq, ack;
    uint32_t len; /* bytes of data */
    uint16_t wnd; /* delivered: 0 means 65535; expected: 0 means any */
    bool zero_window;
    uint32_t memory; /* of the fragments that it came in; 0: it came whole */
    uint8_t options; /* delivered: TCPOPT_HAS_TS | ..., beside the MSS of a SYN */
    uint32_t tsval, tsecr;
    uint8_t wscale;     /* delivered, with TCPOPT_HAS_WSCALE */
    bool no_mss;        /* delivered: a SYN without the option */
    uint32_t peer_port; /* delivered: another peer's port; 0: that of the connection */
} Seg;

#define SEG(...) ((Seg){ __VA_ARGS__ })

typedef struct TcpBench {
    Sim *sim; /* owns */
    Net *net; /* owns */
    Host *host;
    Iface *iface;
    Socket *sock;      /* the connection under test, as long as its user has it; else NULL */
    Socket *listener;  /* NULL: it connects */
    GPtrArray *others; /* sockets of tcp_bench_open() that are still open */
    GQueue *sent;      /* owns Packet copies: what the host sent and nobody expected yet */
    uint32_t iss;      /* ours, once a SYN or SYN-ACK was seen */
    uint16_t local_port;
    uint32_t peer_tsval; /* what is delivered without a timestamp has this one; 0: none */
} TcpBench;

TcpBench *tcp_bench_new(TcpProfile profile);
void tcp_bench_free(TcpBench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TcpBench, tcp_bench_free)

/* A tunable of the host, by name. */
void tcp_bench_set(TcpBench *bench, const char *name, const char *value);

/* The connection in a state, reached the usual way: SYN-RECEIVED by a passive
 * open, all others by an active one; nothing sent is left to be expected. */
TcpBench *tcp_bench_in_state(TcpProfile profile, TcpState state);
/* The same for a bench that was made before, and had its tunables set. */
void tcp_bench_enter(TcpBench *bench, TcpState state);

void tcp_bench_listen(TcpBench *bench, int backlog);
void tcp_bench_connect(TcpBench *bench);

/* More sockets; those not closed by tcp_bench_close() go with the bench. */
Socket *tcp_bench_open(TcpBench *bench);
int tcp_bench_close(TcpBench *bench, Socket *sock);

void tcp_bench_deliver(TcpBench *bench, Seg seg);
void tcp_bench_run(TcpBench *bench, SimTime by);

/* The next segment that the host sent: flags, seq, ack, len are compared. */
void tcp_bench_expect(TcpBench *bench, Seg seg);
/* The same, but first runs the simulation until a segment is sent, and returns
 * how long that took; fails after an hour. */
SimTime tcp_bench_await(TcpBench *bench, Seg seg);
void tcp_bench_expect_silence(TcpBench *bench);
void tcp_bench_skip(TcpBench *bench); /* forgets what was sent */

TcpState tcp_bench_state(TcpBench *bench); /* also in TIME-WAIT and SYN-RECEIVED */
void tcp_bench_expect_state(TcpBench *bench, TcpState state);

#endif
