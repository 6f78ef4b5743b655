/* Inside the ladder: what is drawn (plan.c decides), on which cells
 * (canvas.c), the parts of a row (row.c), the arrows
 * (arrow.c), and the rows in their order (ladder.c).
 */
#ifndef HALFOPEN_RUNTIME_LADDER_INTERNAL_H
#define HALFOPEN_RUNTIME_LADDER_INTERNAL_H

#include "scenarios/runtime/ladder/ladder.h"

/* ---- canvas.c: one row of character cells ------------------------------ */

enum { CANVAS_WIDTH = 100 };

typedef enum Ink {
    INK_PLAIN,
    INK_DIM,
    INK_BOLD,
    INK_SYN,
    INK_FIN,
    INK_RST,
    INK_DATA,
    INK_ACK,
    INK_LOST,
    INK_AGAIN, /* retransmitted */
    INK_INJECTED,
    INK_STATE, /* and up: one for each TcpState */
} Ink;

typedef struct Canvas {
    gunichar cells[CANVAS_WIDTH];
    uint8_t inks[CANVAS_WIDTH];
} Canvas;

void canvas_clear(Canvas *canvas);
void canvas_put(Canvas *canvas, int x, gunichar c, unsigned ink);
/* Writes text from x on, clipped to [x, end). Returns where it ended. */
int canvas_text(Canvas *canvas, int x, int end, const char *text, unsigned ink);
/* The same, ending before `end`. Returns where it began. */
int canvas_text_right(Canvas *canvas, int start, int end, const char *text, unsigned ink);
void canvas_emit(const Canvas *canvas, const LadderOptions *options, GString *out);
int text_width(const char *text);                       /* in cells: all our characters take one */
size_t text_bytes_that_fit(const char *text, int room); /* cut at a space where there is one */

/* ---- plan.c: what happens, in order --------------------------------------- */

enum { LADDER_LANES = 6, LADDER_FLOWS = 26 };

typedef enum ItemKind {
    ITEM_ARROW,     /* a packet from end to end (or to where it was lost) */
    ITEM_DEPARTURE, /* a packet that arrives after other things happened */
    ITEM_ARRIVAL,
    ITEM_STATE,
    ITEM_CALL, /* one that failed */
} ItemKind;

typedef struct Item {
    SimTime at;
    uint32_t order; /* of equal times */
    ItemKind kind;
    size_t index;                /* of the packet, the transition or the call */
    uint32_t number;             /* of the departure and arrival of one packet; from 1 */
    bool is_attached;            /* a transition that is shown beside a packet */
    int first_state, last_state; /* a packet: its transitions, linked by next_state; -1: none */
    int next_state;              /* a transition: the next beside the same packet; -1 */
} Item;

typedef struct Lane {
    uint32_t host;
    int x;         /* column of its line */
    uint8_t state; /* TcpState now: of the connection last spoken of */
    bool has_state;
} Lane;

typedef struct Plan {
    const Recorder *recorder; /* borrows */
    Lane lanes[LADDER_LANES];
    unsigned n_lanes;
    struct {
        Endpoint a, b; /* a: who sent first */
    } flows[LADDER_FLOWS];
    unsigned n_flows; /* four-tuples seen, at most LADDER_FLOWS */
    GArray *items;    /* owns Item, in order */
} Plan;

/* False when there are more hosts than lanes. */
bool plan_make(Plan *plan, const Recorder *recorder, unsigned width);
void plan_done(Plan *plan);
int plan_lane(const Plan *plan, uint32_t host);              /* -1: none */
int plan_flow(const Plan *plan, Endpoint src, Endpoint dst); /* -1: none */

/* Calls that returned an error: those are shown. */
uint64_t plan_count_failed_calls(const Recorder *recorder);
bool call_has_failed(const CallRecord *call);
const char *call_error_name(const CallRecord *call); /* "ECONNREFUSED", "TIMEOUT" */

/* ---- text.c: what stands on an arrow ---------------------------------------- */

/* A time span for people: "59.99 s", "210 ms", "40 us". */
#define LADDER_TIME_TEXT 32
const char *ladder_span(SimTime span, char text[LADDER_TIME_TEXT]);
/* The longest description of a packet that takes at most `room` cells. g_free. */
char *ladder_label(const Plan *plan, const TracePacket *p, int room);
Ink ladder_ink(const TracePacket *p);
/* "A " before what belongs to a flow when there are several, "" otherwise. */
const char *ladder_tag(const Plan *plan, Endpoint src, Endpoint dst, char text[4]);

/* ---- summary.c ------------------------------------------------------------------------ */

/* ", 2 lost, 1 retransmitted" and so on, to the end of the line: what is not 0. */
void ladder_append_totals(const Recorder *recorder, GString *out);

/* ---- row.c: a row is begun, filled, and ended -------------------------------- */

enum { TIME_END = 11 }; /* the column where times end */

typedef struct Draw {
    Plan plan;
    const LadderOptions *options;
    GString *out;
    Canvas row;
    SimTime shown_at; /* the time that the last row told; -1: none */
    SimTime last_at;  /* the latest moment that a row stood for */
} Draw;

void row_begin(Draw *draw, gunichar line); /* with every host's line */
void row_time(Draw *draw, SimTime at);     /* unless the last row told it */
void row_end(Draw *draw);
/* Writes a state into its host's gutter. False when the host has none. */
bool row_state(Draw *draw, int lane, const char *text, unsigned ink);
/* A text in the row from x towards `end`, whichever side that is. */
void row_beside(Draw *draw, int x, int end, const char *text, unsigned ink);
/* A text on rows of its own, beside a host's line. */
void row_note(Draw *draw, int lane, unsigned ink, const char *format, ...) G_GNUC_PRINTF(4, 5);
void row_note_at(Draw *draw, SimTime at, int lane, unsigned ink, const char *format, ...)
    G_GNUC_PRINTF(5, 6);
void row_why(Draw *draw, const TcpStateRecord *t); /* the rule behind a transition, if asked for */
char *state_text(const Draw *draw, const TcpStateRecord *t); /* g_free */
void lane_set_state(Draw *draw, int lane, const TcpStateRecord *t);

/* ---- arrow.c: from column to column ------------------------------------------- */

/* True when the reason of a loss did not fit beside its cross. */
bool arrow_draw(Draw *draw, const Item *item, const TracePacket *p, int start, int end);
/* To itself: no way to draw an arrow over, so a word beside the host's line. */
void arrow_loop(Draw *draw, const TracePacket *p, int lane);
/* What leaves, where its part of an arrow has no room to say it. */
void arrow_label_below(Draw *draw, const Item *item, const TracePacket *p, int from, int to);

#endif
