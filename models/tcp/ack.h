/* Inside the send side: processing of an acknowledgment and loss recovery.
 *
 *   ack.c         the order of things for one ACK; cleaning the queue
 *   sack.c        incoming SACK blocks and D-SACK
 *   scoreboard.c  tags of segments: lost, retransmitted; reordering
 *   recovery.c    the state machine Open, Disorder, CWR, Recovery, Loss
 *   newreno.c     duplicates and losses without SACK (RFC 6582)
 *   rack.c tlp.c  RFC 8985;  prr.c RFC 6937;  frto.c RFC 5682
 *   undo.c        RFC 4015 and D-SACK: a response that was uncalled for
 *   retransmit.c  sending again, the RTO;  rate.c delivery rate
 */
#ifndef HALFOPEN_MODELS_TCP_ACK_H
#define HALFOPEN_MODELS_TCP_ACK_H

#include "models/tcp/output.h"

/* What an ACK was found to be. */
enum {
    ACK_DATA = 0x01, /* it carried data */
    ACK_WIN_UPDATE = 0x02,
    ACK_DATA_ACKED = 0x04,    /* acknowledged new data */
    ACK_RETRANS_ACKED = 0x08, /* of which some was retransmitted */
    ACK_SYN_ACKED = 0x10,
    ACK_DATA_SACKED = 0x20, /* new SACK */
    ACK_ECE = 0x40,
    ACK_LOST_RETRANS = 0x80, /* a retransmission was lost */
    ACK_ORIG_SACKED = 0x100, /* (s)acked something never retransmitted, below high_seq */
    ACK_UNA_ADVANCED = 0x200,
    ACK_DSACKING = 0x400,  /* has a D-SACK */
    ACK_SET_TIMER = 0x800, /* re-arm TLP or RTO */
    ACK_RENEGING = 0x1000, /* the new first segment had been SACKed */
    ACK_MAYBE_DELAYED = 0x2000,
    ACK_TLP_DSACK = 0x4000, /* the D-SACK is of a tail loss probe */

    ACK_ACKED = ACK_DATA_ACKED | ACK_SYN_ACKED,
    ACK_NOT_DUP = ACK_DATA | ACK_WIN_UPDATE | ACK_ACKED,
    ACK_CA_ALERT = ACK_DATA_SACKED | ACK_ECE | ACK_DSACKING,
    ACK_FORWARD = ACK_ACKED | ACK_DATA_SACKED,
};

/* What to send when the ACK has been processed. */
typedef enum Rexmit { REXMIT_NONE, REXMIT_LOST, REXMIT_NEW } Rexmit;

typedef struct AckState {
    const TcpSegment *seg;
    uint32_t seq;   /* SEG.ACK */
    uint32_t flags; /* ACK_* */
    uint32_t prior_una, prior_packets;
    uint32_t prior_fack;                     /* highest sequence number reported before this ACK */
    uint32_t reord;                          /* lowest one that came late; SND.NXT: none */
    SimTime first_sacked_at, last_sacked_at; /* when the newly SACKed had been sent; -1: none */
    uint32_t sack_delivered;
    unsigned dup_acks; /* 1: this is a duplicate ACK */
    Rexmit rexmit;
    CcRateSample rate;
} AckState;

/* The entry was sent after a transmission at `at` with that serial number and
 * end (RFC 8985 §5.1). A host needs no time here, so much leaves at one time;
 * DIFFERS: then the order in which it left decides, where Linux's clock ticks
 * on; within one burst the sequence number does, as there. */
static inline bool
tcp_sent_after(const TcpTxSeg *seg, SimTime at, uint32_t serial, uint32_t end_seq)
{
    if (seg->sent_at != at)
        return seg->sent_at > at;
    if (seg->serial != serial)
        return seq_after(seg->serial, serial);
    return seq_after(seg->end_seq, end_seq);
}

/* ---- ack.c ------------------------------------------------------------------ */
static inline void
tcp_count_delivered(TcpConn *conn, uint32_t segs)
{
    conn->delivered += segs;
}

/* ---- sack.c ----------------------------------------------------------------- */
void tcp_sack_tag(TcpConn *conn, AckState *ack);

/* ---- scoreboard.c ----------------------------------------------------------- */
uint32_t tcp_highest_sack(const TcpConn *conn); /* end of what was SACKed, or SND.UNA */
void tcp_mark_lost(TcpConn *conn, TcpTxSeg *seg);
/* The echoed timestamp is from before the entry was sent again. */
bool tcp_repeat_was_needless(const TcpConn *conn, const TcpSegment *in, const TcpTxSeg *seg);
void tcp_check_reordering(TcpConn *conn, uint32_t low_seq, bool by_timestamp);
bool tcp_any_retransmitted(const TcpConn *conn);
void tcp_retrans_stamp_clean(TcpConn *conn);
void tcp_mark_all_lost(TcpConn *conn);      /* at an RTO */
void tcp_scoreboard_rfc6675(TcpConn *conn); /* without RACK: duplicate threshold */

/* ---- rack.c ----------------------------------------------------------------- */
void tcp_rack_advance(TcpConn *conn, const TcpTxSeg *seg);
bool tcp_rack_mark_lost(TcpConn *conn); /* true: it armed the reordering timer */
void tcp_rack_update_window(TcpConn *conn, const CcRateSample *sample);
SimTime tcp_rack_time_left(const TcpConn *conn, const TcpTxSeg *seg, SimTime window);
bool tcp_rack_is_on(const TcpConn *conn);
#define TCP_RACK_PERSIST 16 /* recoveries for which a grown window holds */

/* ---- tlp.c, prr.c, newreno.c, frto.c, undo.c --------------------------------- */
void tcp_tlp_ack(TcpConn *conn, AckState *ack);
void tcp_prr_update(TcpConn *conn, uint32_t delivered, uint32_t lost, uint32_t flags);
void tcp_reno_add_dups(TcpConn *conn, unsigned dups);
void tcp_reno_reset(TcpConn *conn);
void tcp_reno_acked(TcpConn *conn, uint32_t segs);
bool tcp_reno_limit(TcpConn *conn);
void tcp_reno_mark_lost(TcpConn *conn, bool una_advanced);
void tcp_loss_ack(TcpConn *conn, AckState *ack); /* frto.c: an ACK in state Loss */
void tcp_undo_init(TcpConn *conn);
bool tcp_undo_recovery(TcpConn *conn, const AckState *ack); /* true: stay in the state */
void tcp_undo_partial(TcpConn *conn, AckState *ack, bool *holds);
bool tcp_undo_dsack(TcpConn *conn);
bool tcp_undo_loss(TcpConn *conn, const AckState *ack, bool is_frto);

/* ---- recovery.c -------------------------------------------------------------- */
void tcp_set_ca_state(TcpConn *conn, TcpCaState state);
void tcp_recovery_ack(TcpConn *conn, AckState *ack); /* Linux: fastretrans_alert */
void tcp_enter_recovery(TcpConn *conn, bool is_ece);
void tcp_enter_loss(TcpConn *conn);
void tcp_enter_cwr(TcpConn *conn);
void tcp_try_keep_open(TcpConn *conn);
void tcp_cwnd_reduction_start(TcpConn *conn);
void tcp_cwnd_reduction_end(TcpConn *conn);
void tcp_recovery_send(TcpConn *conn, Rexmit rexmit);

/* ---- retransmit.c ------------------------------------------------------------ */
/* Sends entry `index` again, at most `segs` segments of it (the rest is cut
 * off). False: the window or the path does not let it. Does not count it as
 * in flight: tcp_retransmit_lost does. */
int tcp_retransmit_entry(TcpConn *conn, uint32_t index, uint32_t segs, const char *what,
                         const char *rule);
int tcp_retransmit_lost(TcpConn *conn, uint32_t index, uint32_t segs, const char *what,
                        const char *rule);
void tcp_retransmit_queue(TcpConn *conn); /* what is marked lost, as cwnd allows */
void
tcp_retransmit_simple(TcpConn *conn); /* the MSS fell: what no longer fits, without congestion */

#endif
