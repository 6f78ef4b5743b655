/* Which packets a rule is about: a short word ("syn", "fin+ack", "data"), a
 * table of header fields, a pcap filter expression, or a Lua function.
 */
#ifndef HALFOPEN_RUNTIME_MATCH_H
#define HALFOPEN_RUNTIME_MATCH_H

#include "scenarios/runtime/bind.h"

#define MATCH_MAX_TESTS 16

typedef struct FlowIsns FlowIsns; /* fate.c: initial sequence numbers seen on a link */

typedef struct FieldTest {
    uint8_t field; /* index into the table of match.c */
    int64_t low, high;
} FieldTest;

typedef struct Match {
    uint16_t flags_set, flags_clear; /* of TCP */
    bool is_tcp, is_udp, is_icmp, is_fragment, is_retransmission, is_forged;
    bool has_data, has_no_data;
    bool has_addr[2]; /* source, destination */
    IpAddr addr[2];
    unsigned n_tests;
    FieldTest tests[MATCH_MAX_TESTS];
    struct PcapFilter *filter; /* owns; NULL: none */
    int fn;                    /* registry reference of a Lua function; 0: none */
} Match;

/* Reads the value under key "match" of the table; nil matches everything. Raises. */
void match_read(ConfTable *table, const char *key, Match *match);
void match_done(Match *match, Lab *lab);
/* Relative numbers are those of `isns`; may call Lua (lab_fail() on error). */
bool match_packet(const Match *match, World *world, const LinkBox *link, unsigned direction,
                  const Packet *packet);

/* The same for what the recorder kept: words and fields; filters and functions
 * are the caller's. */
bool match_trace(const Match *match, const TracePacket *entry);
int64_t match_trace_field(unsigned field, const TracePacket *entry);

/* "syn+ack" -> what must be set and clear; false: no such word. */
bool match_read_word(const char *text, Match *match);

#endif
