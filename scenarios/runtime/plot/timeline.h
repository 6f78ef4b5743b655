/* Inside the state timeline: what of a run is drawn (timeline_choose.c), where
 * (timeline_place.c), and the drawing (timeline.c).
 */
#ifndef HALFOPEN_RUNTIME_PLOT_TIMELINE_H
#define HALFOPEN_RUNTIME_PLOT_TIMELINE_H

#include "scenarios/runtime/plot/internal.h"

enum {
    TIMELINE_HOSTS = 8,
    TIMELINE_BANDS = 10, /* of one host */
};

#define TIMELINE_AXIS   92.0  /* pixels for times, left */
#define TIMELINE_TOP    124.0 /* for headings */
#define TIMELINE_NARROW 24.0  /* a band without room for names */
#define TIMELINE_CUT    58.0  /* for a time that is cut */

typedef enum MarkKind { MARK_ARRIVED, MARK_STATE, MARK_SENT, MARK_CALL, MARK_END } MarkKind;

/* Something at a moment: gets a place on the time axis. Of one moment first
 * what arrives, each with the states that it makes, then what is sent, each
 * after the state that a call or a timer made. */
typedef struct Mark {
    SimTime at;
    MarkKind kind;
    unsigned index; /* of the packet, the state or the call */
    int host;
    unsigned phase, with, step; /* order within a moment: `with` is a packet's index */
} Mark;

typedef struct Band {
    int host;
    uint32_t conn;
    int column;       /* within its host, 0 next to the arrows */
    bool is_listener; /* never left LISTEN */
    double x1, x2;
    double y2; /* where it ends */
    SimTime from, to;
    unsigned first_state; /* index in run->states */
} Band;

typedef struct HostPlace {
    double x1, x2; /* its bands; arrows end at these edges */
    int n_columns;
    bool takes_part, is_listener_column;
} HostPlace;

typedef struct Timeline {
    const RunFiles *run;
    Sheet *sheet;
    const char *a, *b;    /* the connection shown, by its endpoints; NULL: all */
    bool *is_drawn;       /* of each packet */
    GArray *left_out;     /* SimTime, ascending: when packets between beginning and end were sent */
    unsigned first_after; /* the first packet of the end */
    GArray *marks;        /* Mark */
    GArray *bands;        /* Band */
    HostPlace *hosts;
    int *order; /* hosts from left to right */
    int n_order;
    double *sent_y, *ended_y; /* of each packet; NAN: not drawn */
    double *state_y;          /* of each state */
    double *call_y;           /* of each call that failed; NAN: not drawn */
    unsigned n_calls;         /* drawn */
    GArray *texts;            /* TextBox: where texts stand between the hosts */
    GArray *cuts;             /* double: where time was cut */
    double end_y;
    double right;
} Timeline;

static inline const RunPacket *
packet_at(const Timeline *t, unsigned i)
{
    return &g_array_index(t->run->packets, RunPacket, i);
}

static inline const RunState *
state_at(const Timeline *t, unsigned i)
{
    return &g_array_index(t->run->states, RunState, i);
}

static inline bool
timeline_is_router(const Timeline *t, int host)
{
    return g_array_index(t->run->is_router, bool, host);
}

/* A rectangle that a text takes, turned about its middle. */
typedef struct TextBox {
    double x, y, width, height;
    double cosine, sine;
} TextBox;

/* timeline_label.c: texts that stand on no other one, and on as few arrows as can be. */
double timeline_text_px(const char *text);
/* Along a line, just above it, so far along (0 to 1) as `first` says if there is room; `texts` are
 * ever shorter versions of it, NULL at the end. False: there is no free place, nothing is drawn. */
bool timeline_label(Timeline *t, const char *const *texts, double x1, double y1, double x2,
                    double y2, double first, int color);
/* Upright, from x on or up to x. */
void timeline_text(Timeline *t, SheetLayer layer, double x, double y, int color, const char *text);
/* How many arrows pass over a text that is centred there. */
unsigned timeline_arrows_over(const Timeline *t, double x, double y, const char *text);
/* The ends of a packet's arrow. */
void timeline_arrow_ends(const Timeline *t, const RunPacket *p, double *x1, double *x2);

void timeline_choose(Timeline *t, const char *conn); /* fills is_drawn, marks, bands */
void timeline_place(Timeline *t); /* fills order, hosts, columns, all y; draws times and cuts */
SimTime timeline_usual_delay(const Timeline *t); /* of a packet: the measure of all distances */
bool packet_is_lost(const RunPacket *p);
bool packet_never_arrived(const RunPacket *p); /* lost, held, or still on its way */

#endif
