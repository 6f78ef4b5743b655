/* The words of the state table (state_table.h) as segments, and back. */
#ifndef HALFOPEN_TESTS_SUPPORT_STATE_WORDS_H
#define HALFOPEN_TESTS_SUPPORT_STATE_WORDS_H

#include "tests/support/state_table.h"
#include "tests/support/tcp_bench.h"

typedef enum StateStamp { STAMP_NONE, STAMP_OLD, STAMP_LATE, STAMP_NEW, STAMP_ECHO } StateStamp;

typedef struct StateSeg {
    Seg seg;
    bool has_stamp; /* "ts=" was said: the connection uses timestamps */
    StateStamp stamp;
} StateSeg;

/* What arrives: "PSH,ACK seq=NXT ack=OK len=100 ts=old". */
StateSeg state_parse_segment(const char *text, Situation situation);

/* One reply, without "later ". `cause` is what it replies to. The sequence
 * number of an RST with ACK is absolute, 0: nothing to be relative to. */
Seg state_parse_reply(const char *text, Situation situation, const Seg *cause);

#endif
