/* A point-to-point link: two directions, each a queue, a transmitter of some
 * rate and a pipe of some delay. A direction that keeps order has at most one
 * event in the simulation's queue, however many packets are in flight: it
 * computes when a packet will leave as the packet arrives. One that reorders
 * (jitter, fates) keeps its own order and shows its head alone.
 *
 * The names of impairments are those of tc-netem.
 */
#ifndef HALFOPEN_MODELS_LINK_LINK_H
#define HALFOPEN_MODELS_LINK_LINK_H

#include "models/node/node.h"

typedef struct Link Link;

typedef enum LossKind {
    LOSS_NONE,
    LOSS_RANDOM,
    LOSS_GILBERT_ELLIOTT,
    LOSS_BURST,
    LOSS_LIST,
    LOSS_BIT_ERROR,
} LossKind;

/* Loss comes before the queue, as in netem: a lost packet takes no room and no
 * time there. */
typedef struct LossParams {
    LossKind kind;
    /* random: probability a packet; bit error: a bit; Gilbert-Elliott: good to
     * bad; burst: that one begins */
    double p;
    double r;             /* Gilbert-Elliott: bad to good */
    double one_minus_h;   /* Gilbert-Elliott: loss in bad (default 1) */
    double one_minus_k;   /* Gilbert-Elliott: loss in good (default 0) */
    uint32_t burst;       /* packets in a burst */
    const uint32_t *list; /* copied: the first, second, ... packet of this direction, ascending */
    uint32_t n_list;
} LossParams;

typedef enum JitterKind {
    JITTER_NONE,
    JITTER_UNIFORM,
    JITTER_NORMAL,
    JITTER_PARETO,
    JITTER_TABLE,
} JitterKind;

typedef struct JitterParams {
    JitterKind kind;
    /* uniform: plus or minus this; normal, Pareto (of shape 3, mean 0): the
     * standard deviation; table: the unit of its values */
    SimTime amount;
    bool keeps_order;    /* a delayed packet delays those behind it */
    const double *table; /* copied: sorted, equally likely quantiles in units of amount */
    uint32_t n_table;
} JitterParams;

typedef enum QdiscKind { QDISC_FIFO, QDISC_RED, QDISC_CODEL, QDISC_FQ_CODEL, QDISC_TBF } QdiscKind;

typedef struct QdiscParams {
    QdiscKind kind;
    uint32_t limit_packets; /* 0: no limit in packets (fifo default 1000) */
    uint64_t limit_bytes;   /* 0: no limit in bytes */
    bool ecn;               /* mark ECT packets instead of dropping */
    double red_min, red_max, red_probability, red_weight; /* bytes, bytes, 0..1, 0..1 */
    SimTime codel_target, codel_interval;                 /* 5 ms, 100 ms */
    uint32_t flows, quantum;                              /* fq_codel: 1024, mtu + 14 */
    uint64_t tbf_rate, tbf_burst;                         /* bit/s, bytes */
    bool tbf_polices; /* what finds no token is dropped at once (tc police); else it waits */
} QdiscParams;

typedef struct LinkParams { /* of one direction */
    uint64_t rate;          /* bit/s; 0: infinitely fast */
    SimTime delay;          /* propagation, one way */
    uint32_t mtu;      /* bytes of an IP packet; larger never gets in: ip/ fragments or refuses */
    uint32_t overhead; /* bytes that each packet takes beside its IP datagram (Ethernet: 18+20) */
    QdiscParams queue;
    LossParams loss;
    JitterParams jitter;
    double duplicate, corrupt, reorder; /* probabilities */
    /* A reordered packet skips the delay and so overtakes (netem) when this is
     * 0, else it leaves the far end this much later. */
    SimTime reorder_by;
    /* Copied: ascending times of opportunities to deliver 1504 bytes, repeated
     * after the last (Mahimahi); takes the place of the rate. NULL: none. */
    const SimTime *trace;
    uint32_t n_trace;
} LinkParams;

/* What a fate does to one packet. */
typedef enum FateKind {
    FATE_PASS,
    FATE_DROP,
    FATE_DELAY,
    FATE_DUPLICATE,
    FATE_REORDER,
    FATE_CORRUPT,
    FATE_HOLD,
} FateKind;

typedef struct Fate {
    FateKind kind;
    SimTime by;      /* delay; gap before each duplicate; reorder: waits no longer (0: for ever) */
    uint32_t copies; /* duplicate */
    uint32_t past;   /* reorder: lets this many later packets overtake */
    int32_t corrupt_at;  /* offset in the IP datagram; -1: any byte */
    uint8_t corrupt_xor; /* 0: a random bit */
    /* Above 0: instead the 16-bit words at corrupt_at and here change places,
     * which no Internet checksum notices. */
    int32_t corrupt_swap;
    bool fix_checksum;  /* corruption that the checksum does not catch */
    const char *reason; /* static or interned for the run; what records show */
} Fate;

/* Decides about each packet as it is given to the link, before queue and loss.
 * May keep the packet's copy, not the packet. */
typedef Fate LinkFateFn(void *arg, Link *link, unsigned direction, const Packet *packet);

/* 10 ms, MTU 1500, infinitely fast, fifo of 1000 packets, no faults. */
LinkParams link_params_default(void);

/* What is wrong with them, as what was expected of *key (static text); NULL:
 * link_new() and link_change() take them. */
const char *link_params_problem(const LinkParams *params, const char **key);

/* A trace in Mahimahi's format: a line for each opportunity, its time in whole
 * milliseconds, ascending. *times: g_free. False, with *error (g_free). */
bool link_trace_parse(const char *text, SimTime **times, uint32_t *n, char **error);
/* A distribution as netem has them: whole numbers, ascending, 8192 for one unit
 * of JitterParams.amount, '#' begins a comment. *values: g_free. */
bool link_table_parse(const char *text, double **values, uint32_t *n, char **error);

/* Joins two interfaces; direction 0 is from a to b. Owned by the net. An
 * interface's MTU is lowered to that of its direction, and follows it when
 * link_change() sets another. */
Link *link_new(Net *net, const char *name, Iface *a, Iface *b, const LinkParams params[2]);
void link_free(Link *link); /* called by net_free */

uint32_t link_id(const Link *link);
const char *link_name(const Link *link);
Iface *link_iface(const Link *link, unsigned end);
const LinkParams *link_params(const Link *link, unsigned direction);
/* From now on. Packets on the way keep their time, and so do those that wait
 * in a plain FIFO queue. */
void link_change(Link *link, unsigned direction, const LinkParams *params);
void link_set_up(Link *link, bool is_up); /* down: all in queue and pipe is lost, with a reason */
void link_set_fate(Link *link, LinkFateFn *fn, void *arg); /* one at a time; NULL: none */

/* Puts a packet into the pipe at this end as if a stack had sent it (forged
 * segments, released packets): through dice and queue, but no fate. Consumes it. */
void link_inject(Link *link, unsigned direction, Packet *packet, SimTime after);
/* Hands the packet straight to the receiving interface, now + after. Consumes it. */
void link_deliver(Link *link, unsigned direction, Packet *packet, SimTime after);

/* Packets that FATE_HOLD keeps: released in order of arrival. Returns how many. */
unsigned link_release(Link *link, unsigned direction, SimTime after);
unsigned link_held(const Link *link, unsigned direction);

uint32_t link_queue_packets(const Link *link, unsigned direction);
uint64_t link_queue_bytes(const Link *link, unsigned direction);

/* Which link this is the sending side of, and its direction, for records. */
void link_end_place(const LinkEnd *end, uint32_t *link, uint8_t *direction);

/* How long a packet of so many bytes keeps the transmitter busy, rounded up; 0:
 * no time, or none that can be told beforehand (a trace). */
SimTime link_end_transmit_time(const LinkEnd *end, uint32_t ip_bytes);

/* Called by iface_put. Consumes the packet. */
void link_send(LinkEnd *end, Packet *packet);

#endif
