/* What a middlebox remembers of a conversation: whether it is opening, open
 * or closing, and how long it may be silent before it is forgotten. For
 * nat.c and firewall.c.
 */
#ifndef HALFOPEN_MODELS_IP_FLOW_H
#define HALFOPEN_MODELS_IP_FLOW_H

#include "models/packet/packet.h"

typedef struct FlowTimeouts { /* SimTime of silence */
    SimTime tcp_opening, tcp_open, tcp_closing;
    SimTime udp, icmp;
} FlowTimeouts;

typedef enum FlowState { FLOW_OPENING, FLOW_OPEN, FLOW_CLOSING } FlowState;

/* A conversation as one of its packets shows it. Echo has its id as both ports. */
typedef struct FlowKey {
    Endpoint from, to;
    uint8_t proto;
} FlowKey;

typedef struct FlowTrack {
    SimTime expires;
    uint8_t state; /* FlowState */
    uint8_t seen;  /* bit 0: packets of the opener, bit 1: of the other side */
    uint8_t fins;  /* the same, of FINs */
} FlowTrack;

/* RFC 5382 §5 and RFC 4787 §4.3: 124 min open, 4 min opening or closing, UDP
 * 5 min, ICMP 60 s. */
FlowTimeouts flow_timeouts_default(void);

/* False: nothing to follow (an ICMP error, raw bytes, another protocol). */
bool flow_key_of(const Packet *packet, FlowKey *key);
FlowKey flow_key_reversed(FlowKey key);
/* The conversation that an ICMP error quotes, as the quoted packet showed it. */
bool flow_key_quoted(const Packet *packet, FlowKey *key);

void flow_track_packet(FlowTrack *track, const Packet *packet, bool is_reply, SimTime now,
                       const FlowTimeouts *timeouts);

unsigned flow_key_hash(const void *key);
int flow_key_equal(const void *a, const void *b);

#endif
