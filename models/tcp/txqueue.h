/* The send queue: what was sent and is not yet acknowledged (RFC 9293 §3.8.1's
 * retransmission queue), and behind it what the user gave and has not left.
 *
 * An entry is what Linux calls a socket buffer: a run of up to 64 KiB that
 * was handed down in one burst and is `pcount` segments of `mss` bytes on the
 * wire. Entries are cut when losses, SACKs or a smaller MSS ask for it. The
 * queue is a ring in sequence order, so finding a sequence number is a binary
 * search; it holds no bytes: those are in the connection's stream.
 *
 * A connection with nothing to send has no queue at all. Pointers to entries
 * live until the next push, cut, merge or pop.
 */
#ifndef HALFOPEN_MODELS_TCP_TXQUEUE_H
#define HALFOPEN_MODELS_TCP_TXQUEUE_H

#include "models/tcp/tcp_internal.h"

/* What became of a sent entry. */
enum {
    TX_SACKED = 0x01,       /* the peer reported it (RFC 2018) */
    TX_RETRANS = 0x02,      /* a retransmission of it is in flight */
    TX_LOST = 0x04,         /* taken for lost */
    TX_EVER_RETRANS = 0x08, /* sent more than once: no RTT sample (Karn) */
    TX_TAGS = TX_SACKED | TX_RETRANS | TX_LOST,
    TX_REPEATED = TX_RETRANS | TX_EVER_RETRANS,
};

typedef struct TcpTxSeg {
    uint32_t seq, end_seq; /* with SYN and FIN */
    SimTime sent_at;       /* last time */
    /* The rate sample's beginning (rate.c): delivered_at 0: none, or used up. */
    SimTime delivered_at, first_tx_at;
    uint32_t delivered;
    uint32_t serial;      /* of its last transmission: tells which of two at one time came later */
    uint16_t pcount, mss; /* segments on the wire, as last cut; pcount 0: not yet counted */
    uint8_t flags;        /* SYN, FIN, PSH */
    uint8_t tags;         /* TX_* */
    bool eor;             /* nothing may be appended or merged behind it (MSG_EOR) */
    bool app_limited;
} TcpTxSeg;

#define TX_INLINE_SEGS 2

struct TcpTxQueue {
    TcpTxSeg *segs;       /* own storage or owns */
    uint32_t head, count; /* ring */
    uint32_t mask;        /* capacity - 1 */
    uint32_t n_sent;      /* the first n_sent entries have left; the rest is unsent */
    TcpTxSeg own[TX_INLINE_SEGS];
};

/* An unsent buffer costs this beside its bytes (Linux: sk_buff, its head and
 * shared info), as far as SO_SNDBUF is concerned. */
#define TX_SEG_OVERHEAD 896

static inline TcpTxSeg *
tcp_tx_at(const TcpConn *conn, uint32_t index)
{
    TcpTxQueue *q = conn->tx;

    return &q->segs[(q->head + index) & q->mask];
}

static inline uint32_t
tcp_tx_count(const TcpConn *conn)
{
    return conn->tx ? conn->tx->count : 0;
}

static inline uint32_t
tcp_tx_n_sent(const TcpConn *conn)
{
    return conn->tx ? conn->tx->n_sent : 0;
}

/* The oldest sent entry; NULL: nothing is outstanding. */
static inline TcpTxSeg *
tcp_tx_first_sent(const TcpConn *conn)
{
    return conn->tx && conn->tx->n_sent ? tcp_tx_at(conn, 0) : NULL;
}

/* The first entry to send; NULL: all has left. */
static inline TcpTxSeg *
tcp_tx_next_unsent(const TcpConn *conn)
{
    return conn->tx && conn->tx->n_sent < conn->tx->count ? tcp_tx_at(conn, conn->tx->n_sent)
                                                          : NULL;
}

static inline TcpTxSeg *
tcp_tx_last_unsent(const TcpConn *conn)
{
    return conn->tx && conn->tx->n_sent < conn->tx->count ? tcp_tx_at(conn, conn->tx->count - 1)
                                                          : NULL;
}

/* Bytes of data in an entry. */
static inline uint32_t
tcp_tx_len(const TcpTxSeg *seg)
{
    return seg->end_seq - seg->seq - !!(seg->flags & TCP_SYN) - !!(seg->flags & TCP_FIN);
}

/* A new last entry [seq, seq), all else zero. */
TcpTxSeg *tcp_tx_push(TcpConn *conn, uint32_t seq);
/* Drops the first entry; the queue itself goes with the last. */
void tcp_tx_pop(TcpConn *conn);
void tcp_tx_remove(TcpConn *conn, uint32_t index);
void tcp_tx_free(TcpConn *conn); /* drops all */

/* Index of the entry that holds `seq`, or of the first one after it;
 * tcp_tx_count() when there is none. */
uint32_t tcp_tx_find(const TcpConn *conn, uint32_t seq);

/* Cuts entry `index` after `len` bytes of data (0 < len < its length); both
 * parts are counted anew with `mss`, and the segment counts of recovery are
 * put right. The second part takes PSH and FIN. */
void tcp_tx_cut(TcpConn *conn, uint32_t index, uint32_t len, uint32_t mss);

/* Drops the first bytes of the first entry, up to `seq`. */
void tcp_tx_trim_head(TcpConn *conn, uint32_t seq);

/* Counts the segments of `mss` bytes that the entry makes. */
void tcp_tx_set_pcount(TcpTxSeg *seg, uint32_t mss);

#endif
