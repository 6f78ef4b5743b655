/* Scripted fates: the rules that a scenario has laid on a link. Each packet
 * given to the link passes them in the order in which they were made; every
 * rule counts what it matches, the first that acts decides.
 */
#ifndef HALFOPEN_RUNTIME_FATE_H
#define HALFOPEN_RUNTIME_FATE_H

#include "scenarios/runtime/match.h"

typedef enum RuleAction {
    RULE_FATE,   /* rule->fate */
    RULE_SCRIPT, /* a Lua function decides */
    RULE_CALL,   /* a Lua function is spawned as a process; the packet goes on */
    RULE_COPY,   /* a copy is kept; the packet goes on */
} RuleAction;

typedef enum TriggerKind { TRIGGER_NONE, TRIGGER_TIME, TRIGGER_PACKET, TRIGGER_STATE } TriggerKind;

/* From when on, or until when, a rule is alive. */
typedef struct Trigger {
    TriggerKind kind;
    bool is_pulled;
    SimTime time;
    const HostBox *host; /* who sends the packet, or changes state; NULL: anyone */
    Match match;
    uint64_t nth, seen; /* the nth such packet pulls */
    uint8_t state;      /* TcpState */
} Trigger;

typedef struct Rule Rule;

struct Rule {
    Rule *next;
    LinkBox *link; /* borrows */
    int direction; /* -1: both */
    Match match;
    Trigger after, before;
    uint64_t nth_first, nth_last; /* which of the matching packets */
    uint64_t limit;               /* acts at most so often */
    double probability;
    SimRng rng; /* of its own, so that rules do not disturb each other */
    RuleAction action;
    Fate fate;
    int fn;       /* registry reference; 0: none */
    Packet *copy; /* owns: the last packet that RULE_COPY kept */
    unsigned copy_direction;
    uint64_t seen, acted;
    bool is_cancelled;
};

Fates *fates_new(LinkBox *box);
void fates_free(Fates *fates);
void fates_add(Fates *fates, Rule *rule); /* owns the rule from now on */
unsigned fates_count(const Fates *fates);

/* The initial sequence number that the link saw for this direction of a
 * four-tuple; false: none. */
bool fates_isn(const LinkBox *box, Endpoint src, Endpoint dst, uint32_t *isn);
/* The next sequence number that this sender would use, as the link saw it. */
bool fates_next(const LinkBox *box, Endpoint src, Endpoint dst, uint32_t *next);
/* SEQ and ACK as people count them: minus the initial numbers, where known. */
uint32_t packet_relative_seq(const LinkBox *box, const Packet *packet);
uint32_t packet_relative_ack(const LinkBox *box, const Packet *packet);

void rule_push(lua_State *L, Rule *rule);
/* Lua: calls a script (1) with a packet (2) and fills the Fate (3, a light userdata). */
int fate_from_answer(lua_State *L);

#endif
