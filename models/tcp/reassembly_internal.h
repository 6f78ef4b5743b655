/* What the reassembly queue is made of: for reassembly.c, and for the tests
 * that check its accounts.
 */
#ifndef HALFOPEN_MODELS_TCP_REASSEMBLY_INTERNAL_H
#define HALFOPEN_MODELS_TCP_REASSEMBLY_INTERNAL_H

#include "models/tcp/reassembly.h"

/* One segment's bytes. */
typedef struct OooSeg {
    struct OooSeg *next; /* owns */
    Payload payload;
    uint32_t seq, truesize;
    bool has_fin;
} OooSeg;

/* Adjacent segments: [start, end) without a hole. */
typedef struct OooRun {
    struct OooRun *next, *prev; /* owns next */
    OooSeg *first, *last;       /* owns */
    uint32_t start, end;
} OooRun;

struct TcpReassembly {
    OooRun *first, *last; /* owns */
    SimTimer timer;       /* compressed ACKs */
    uint32_t dup_nxt;     /* rcv.nxt to which n_dups belongs */
    uint8_t n_dups, n_compressed;
};

#endif
