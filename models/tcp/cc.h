/* Congestion control behind one small interface (one file an algorithm in
 * cc/). The window counts segments, as Linux's does (DIFFERS: RFC 5681 counts
 * bytes). An algorithm sees its CcWindow and nothing else of the connection.
 */
#ifndef HALFOPEN_MODELS_TCP_CC_H
#define HALFOPEN_MODELS_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/rng.h"
#include "sim/time.h"

typedef enum TcpCaState {
    TCP_CA_OPEN,
    TCP_CA_DISORDER,
    TCP_CA_CWR,
    TCP_CA_RECOVERY,
    TCP_CA_LOSS
} TcpCaState;

typedef enum CcHystart { CC_HYSTART_NONE, CC_HYSTART_TRAIN, CC_HYSTART_DELAY } CcHystart;

#define CC_INFINITE_SSTHRESH 0x7fffffffu
#define CC_PRIVATE_BYTES     104

/* A delivery rate sample (draft-cheng-iccrg-delivery-rate-estimation). */
typedef struct CcRateSample {
    uint64_t prior_delivered_at_ns;
    uint32_t prior_delivered, delivered, delivered_ce; /* segments; delivered over interval */
    SimTime interval_ns;                               /* <= 0: no valid sample */
    SimTime rtt_ns;                                    /* of the newest segment acked; < 0: none */
    uint32_t losses, acked_sacked, prior_in_flight;
    uint32_t last_serial; /* of the transmission that the sample is of */
    bool is_app_limited, is_retrans, is_ack_delayed;
} CcRateSample;

typedef struct CcWindow {
    uint32_t cwnd, ssthresh; /* segments */
    uint32_t cwnd_cnt;       /* acked segments that have not yet opened the window */
    uint32_t cwnd_clamp;
    uint32_t mss; /* bytes */
    uint32_t prior_cwnd;
    uint32_t snd_una, snd_nxt; /* sequence numbers, for rounds */
    uint32_t delivered, lost;  /* segments, whole life */
    uint32_t in_flight;
    uint8_t ca_state; /* TcpCaState */
    bool is_cwnd_limited;
    SimTime now, srtt, min_rtt; /* ns; srtt 0: no sample yet */
    uint64_t pacing_rate; /* bytes/s; 0: the default (tcp_pacing_ss_ratio, tcp_pacing_ca_ratio) */
    uint64_t delivered_at_ns;
    bool app_limited;
    bool marks_app_limited; /* main asks: what is in flight now says nothing of the path's rate */
    bool ce_state;          /* of the data received last, for describe */
    uint8_t hystart_exit;   /* CcHystart: set when slow start was left, cleared by who counts it */
    SimTime last_send_at;   /* of data; 0: none yet */
    SimTime departs_at;     /* pacing: the next segment leaves not before */
    SimRng *rng;            /* borrows: the host's stream for congestion control, if it draws */
    const struct TcpParams *params;
    uint64_t private[CC_PRIVATE_BYTES / 8]; /* the algorithm's own, zeroed before init */
} CcWindow;

/* What an ACK did, for on_ack. */
typedef struct CcAck {
    uint32_t acked_segs; /* newly cumulatively acked or sacked in Open/CWR growth */
    SimTime rtt_ns;      /* -1: no sample */
} CcAck;

typedef enum CcEvent {
    CC_EVENT_TX_START,
    CC_EVENT_CWND_RESTART,
    CC_EVENT_COMPLETE_CWR,
    CC_EVENT_LOSS,
    CC_EVENT_ECN_NO_CE,
    CC_EVENT_ECN_IS_CE
} CcEvent;

typedef struct CcOps {
    const char *name;
    uint32_t needs_ecn;      /* negotiates ECN whatever tcp_ecn says */
    bool draws;              /* random numbers, from w->rng */
    bool begins_with_data;   /* until data is sent nothing tells whether init() was called */
    uint32_t sndbuf_windows; /* how many windows the automatic send buffer holds; 0: two */
    void (*init)(CcWindow *w);
    uint32_t (*ssthresh)(CcWindow *w); /* after a loss event: the new slow-start threshold */
    void (*on_ack)(CcWindow *w, const CcAck *ack); /* grow: congestion avoidance or slow start */
    void (*on_rtt)(CcWindow *w,
                   const CcAck *ack); /* pkts_acked: each ACK with an RTT sample; may be NULL */
    void (*on_state)(CcWindow *w,
                     TcpCaState next); /* may be NULL; w->ca_state is still the old one */
    void (*on_event)(CcWindow *w, CcEvent event); /* may be NULL */
    uint32_t (*undo_cwnd)(CcWindow *w);
    void (*in_ack_event)(CcWindow *w, bool ece, uint32_t acked_bytes,
                         uint32_t ack_seq); /* every ACK, before on_ack; DCTCP; may be NULL */
    void (*main)(CcWindow *w, const CcRateSample *sample); /* set: replaces on_ack and PRR (BBR) */
    const char *(*describe)(const CcWindow *w, char text[128]); /* for ss; may be NULL */
} CcOps;

const CcOps *cc_find(const char *name); /* NULL: no such algorithm */
const char *cc_names(void);             /* "cubic reno dctcp bbr fixed" */

/* Shared by the algorithms (Linux: tcp_slow_start, tcp_cong_avoid_ai). */
uint32_t cc_slow_start(CcWindow *w, uint32_t acked_segs); /* what is left over */
void cc_avoidance(CcWindow *w, uint32_t every, uint32_t acked_segs);

#endif
