/* A world drawn from a seed: two hosts of any settings, a network with any
 * faults between them, programs that talk over any number of connections; and
 * the watch kept over it. The long random test of TCP (tests/soak/soak_tcp.c)
 * and its short slice run thousands.
 *
 *   soak_world.c   one run: builds, watches every step, ends, looks for leaks
 *   soak_net.c     hosts, links, boxes, faults and what happens to them on the way
 *   soak_script.c  what the programs will do
 *   soak_talk.c    one end of one connection, doing it
 *   soak_judge.c   whose bytes came to it, and which errors
 *
 * Half of the worlds are polite: programs that finish what they began, over
 * networks that lose a little. There every byte must arrive and every call
 * succeed. In the others anything goes, and what arrives must still be the
 * peer's bytes, once, in order, from the first on; or an error comes that the
 * interface promises.
 */
#ifndef HALFOPEN_TESTS_SUPPORT_SOAK_H
#define HALFOPEN_TESTS_SUPPORT_SOAK_H

#include <inttypes.h>
#include <stdio.h>

#include "models/link/link.h"
#include "models/sock/sock.h"

/* ---- what is asked and answered ---------------------------------------------- */

typedef struct SoakResult {
    char *failure;  /* owns; NULL: all is well */
    char *settings; /* owns: what was drawn, a line each */
    uint64_t hash;  /* of all packets and transitions */
    uint64_t events, packets, connections, bytes, errors;
    bool is_polite;
} SoakResult;

/* Runs the world of this seed; tells its story to `verbose` if not NULL. */
SoakResult soak_run(uint64_t seed, FILE *verbose);
void soak_result_done(SoakResult *result);

/* ---- scripts ------------------------------------------------------------------- */

typedef enum TalkEnd {
    TALK_FINISHES,      /* all is sent, shutdown, reads to the end, close */
    TALK_CLOSES,        /* all is sent, close: right where the peer sends nothing */
    TALK_LEAVES,        /* close at some time */
    TALK_ABORTS,        /* RST at some time */
    TALK_STOPS_READING, /* and closes at some time */
} TalkEnd;

enum { SOAK_MAX_OPTIONS = 6 };

typedef struct TalkScript {
    uint64_t bytes; /* to send */
    uint32_t write_size, read_size;
    SimTime write_pause, read_pause, first_read_after, shutdown_after;
    double more, urgent, end_of_record, toggles, peeks; /* chances at each call */
    bool gives_bytes;                                   /* else a pattern */
    bool reads_urgent, fastopen;
    TalkEnd end;
    SimTime end_after; /* since its start: leaves, aborts */
    struct {
        TcpOption option;
        int64_t value;
    } options[SOAK_MAX_OPTIONS];
    unsigned n_options;
    const char *congestion; /* NULL: the host's */
} TalkScript;

typedef enum PlanKind {
    PLAN_SERVED,       /* the server listens */
    PLAN_SIMULTANEOUS, /* both connect at once */
    PLAN_REFUSED,      /* nobody listens */
} PlanKind;

/* Connections to one port, one after the other. */
typedef struct SoakPlan {
    PlanKind kind;
    uint16_t port, client_port; /* client_port 0: any */
    unsigned repeats, attempts; /* left: connections to come, tries to get a port */
    unsigned n_due;             /* connections whose start is scheduled */
    SimTime start, gap, accept_after;
    int backlog;
    unsigned fastopen_queue, defer_accept_s; /* of the listener; 0: off */
    TalkScript scripts[2];                   /* client, server */
    Socket *listener;                        /* owns; NULL: none now */
} SoakPlan;

enum { SOAK_MAX_PLANS = 6 };

/* ---- the world -------------------------------------------------------------------- */

typedef struct SoakWorld SoakWorld;

/* One end of one connection. */
typedef struct SoakTalk {
    SoakWorld *world; /* borrows */
    SoakPlan *plan;
    unsigned side; /* 0 client, 1 server */
    const TalkScript *script;
    struct SoakTalk *peer; /* borrows: whose bytes came, or who got ours; NULL: not known */
    Socket *sock;          /* owns; NULL: it is over */
    SimTimer timer;
    SimTime began, next_read, next_write, end_at;
    uint64_t written, read_to; /* our stream; theirs, an urgent byte left out counts as read */
    uint32_t stream;           /* of our bytes; 0: none yet */
    GArray *urgent;            /* offsets of our urgent bytes */
    bool is_connecting, was_connected, saw_end, asked_fin, is_lingering, is_ghost, had_fastopen;
    bool was_cut;                           /* by itself: aborted, or closed over unread bytes */
    int error;                              /* that ended it */
    uint32_t last_edge, last_nxt, last_una; /* of the watch: must not go back */
    uint64_t last_pruned;
    SimTime moved_at; /* when its numbers last went on */
    bool is_watched;
} SoakTalk;

struct SoakWorld {
    uint64_t seed;
    SimRng dice;
    bool is_polite, had_reboot, is_over;
    GString *settings; /* owns */
    FILE *verbose;     /* borrows; NULL: silent */
    Sim *sim;          /* owns, as net */
    Net *net;
    Host *hosts[2]; /* client, server */
    IpAddr addrs[2];
    GPtrArray *links;   /* borrows Link */
    GPtrArray *routers; /* borrows Host */
    struct Nat *nat;    /* borrows; NULL: none */
    struct Firewall *firewall;
    bool has_box_that_forgets;
    SoakPlan plans[SOAK_MAX_PLANS];
    unsigned n_plans;
    GPtrArray *talks;   /* owns SoakTalk */
    GPtrArray *streams; /* borrows: SoakTalk by stream id */
    char *failure;      /* owns; the first one */
    uint64_t hash, packets, bytes, errors;
    uint32_t fate_left;  /* scripted fates still to be dealt */
    bool fates_corrupt;  /* of one link, whose dice do not: two errors may cancel in a checksum */
    uint32_t corrupting; /* the link, by its place on the way */
    SimTime calm_at;     /* no more faults of the network's own from here on */
};

/* The first failure is kept, and stops the run. */
void soak_fail(SoakWorld *world, const char *format, ...) G_GNUC_PRINTF(2, 3);
void soak_note(SoakWorld *world, const char *format, ...) G_GNUC_PRINTF(2, 3); /* a setting */
void soak_tell(SoakWorld *world, const char *format, ...) G_GNUC_PRINTF(2, 3); /* if verbose */

static inline uint64_t
soak_below(SoakWorld *world, uint64_t bound)
{
    return sim_rng_below(&world->dice, bound);
}

static inline bool
soak_chance(SoakWorld *world, double probability)
{
    return sim_rng_chance(&world->dice, probability);
}

static inline SimTime
soak_time(SoakWorld *world, SimTime most)
{
    return (SimTime)sim_rng_below(&world->dice, (uint64_t)most + 1);
}

/* From low to high, each order of magnitude as likely as another. */
uint64_t soak_spread(SoakWorld *world, uint64_t low, uint64_t high);

/* soak_net.c */
void soak_build_net(SoakWorld *world);
void soak_plan_faults(SoakWorld *world);

/* soak_script.c */
void soak_draw_plans(SoakWorld *world);

/* soak_judge.c: each keeps account of what came, and fails the world if it must not. */
void soak_note_stream(SoakTalk *talk); /* it sent something */
void soak_judge_bytes(SoakTalk *talk, const GArray *parts);
void soak_judge_urgent(SoakTalk *talk, const GArray *parts);
void soak_judge_end(SoakTalk *talk);
void soak_judge_error(SoakTalk *talk, int error);

/* soak_talk.c */
void soak_plan_start(SoakWorld *world, SoakPlan *plan);
void soak_talk_free(gpointer talk);
void soak_talk_cut(SoakTalk *talk); /* the run is over for it */
const char *soak_talk_text(const SoakTalk *talk, char text[64]);

#endif
