/* What a connection needs only because it sends: scoreboard, loss recovery,
 * RACK, rate samples, pacing, congestion control. A pool shared by the TCPs of
 * a Net has them (shared.h).
 *
 * A connection that rests has none of its own: it borrows the one that all
 * with the same tunables share, in which everything is as it is before the
 * first segment leaves. So whoever reads needs no second case; whoever may be
 * the first to write calls tcp_sender_own() before. What is queued is always
 * sent by an owner (tcp_tx_push() takes one), therefore whatever works on the
 * queue may write without asking. A write that forgot is found when the Net
 * goes: the shared one must be as it was (shared.c).
 *
 * The SYN takes one too, and so does the child of a listener; once the
 * connection is established and has nothing to send it goes back to the pool if
 * it holds nothing worth keeping (tcp_sender_rest()). Whoever has sent data
 * keeps it until the end.
 */
#ifndef HALFOPEN_MODELS_TCP_SENDER_H
#define HALFOPEN_MODELS_TCP_SENDER_H

#include "models/tcp/cc.h"
#include "models/tcp/tcp.h"
#include "sim/pool.h"

/* A sample of the windowed minimum RTT. */
typedef struct TcpMinRtt {
    SimTime at, rtt; /* rtt 0: none */
} TcpMinRtt;

/* First what every acknowledgment and every segment that leaves touches. */
typedef struct TcpSender {
    SIM_LINE_ALIGNED uint32_t packets_out; /* segments, as the next three */
    uint32_t sacked_out, lost_out, retrans_out;
    bool is_shared;      /* of those who rest: not to be written */
    uint8_t retransmits; /* RTOs of the same segment (icsk_retransmits) */
    bool frto;
    bool sack_reneg;   /* the peer took SACKs back: no rate samples until recovered */
    bool cwnd_limited; /* the last window of sends used all of cwnd (w.is_cwnd_limited is what
                          algorithms see) */
    uint8_t chrono;    /* what limits sending now: chrono.h */
    bool tlp_retrans;
    bool rate_app_limited;
    uint32_t high_seq; /* snd.nxt when recovery began */
    uint32_t tlp_high_seq;
    uint32_t reordering;
    uint32_t tx_serial; /* transmissions so far */
    uint32_t app_limited;
    uint32_t pace_cwnd; /* when the last ACK had been processed: for the pacing rate */
    uint32_t max_packets_out, cwnd_usage_seq, cwnd_used;
    uint32_t undo_marker; /* 0: nothing to undo */

    SimTime first_tx_at; /* rate samples */
    uint32_t rate_delivered;
    uint32_t highest_sack; /* end of the highest SACKed segment, while sacked_out */
    SimTime rate_interval; /* last good sample */
    SimTime cwnd_stamp;
    struct {
        SimTime at; /* when the segment was sent that was delivered last */
        uint32_t serial, end_seq, last_delivered;
        uint8_t reo_wnd_steps, reo_wnd_persist;
        bool advanced, dsack_seen;
    } rack;

    CcWindow w;

    SimTime paced_until;    /* pacing: the next segment leaves not before */
    TcpMinRtt later_min[2]; /* behind rtt.min: second and third best (rtt.c) */

    SimTimer pacing;
    SimTime chrono_at;
    uint32_t chrono_spent[3]; /* busy, rwnd limited, sndbuf limited: in units of 100 us */
    uint32_t rtx_hint;        /* segments before it need no look for retransmission */
    uint32_t rtx_high;        /* end of the highest segment ever retransmitted */
    uint32_t retrans_stamp;   /* ts clock (without offset) of the first retransmission */
    SimTime retrans_at;       /* the same as time, 0: none (also the first SYN) */
    int32_t undo_retrans;
    uint32_t prior_ssthresh;
    uint32_t prr_delivered, prr_out;
    uint32_t dsack_dups;
    uint32_t delivered_ce; /* segments that ACKs with ECE delivered */
    uint32_t total_retrans;
    uint32_t reord_seen; /* reorderings */
    SimTime probes_at;   /* first of them; 0: none */
    uint16_t total_rto, rto_recoveries;
    uint32_t total_rto_ms; /* tcpi_total_rto... */
    SimTime rto_began;
} TcpSender;

/* As it is shared by those who rest with these tunables. */
void tcp_sender_init_shared(TcpSender *sender, const TcpParams *params);

/* Takes one for a connection that rests: tcp_sender_own(). */
TcpSender *tcp_sender_take(TcpConn *conn);
/* The handshake is over: gives it back if it holds nothing worth keeping. False: it is kept. */
bool tcp_sender_rest(TcpConn *conn);
/* The connection begins anew, or its memory goes. */
void tcp_sender_free(TcpConn *conn);

#endif
