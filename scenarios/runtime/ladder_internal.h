/* Inside the ladder: what is drawn (ladder_plan.c decides), on which cells
 * (ladder_canvas.c), and the drawing itself (ladder.c).
 */
#ifndef HALFOPEN_RUNTIME_LADDER_INTERNAL_H
#define HALFOPEN_RUNTIME_LADDER_INTERNAL_H

#include "scenarios/runtime/ladder.h"

/* ---- ladder_canvas.c: one row of character cells ------------------------------ */

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

/* ---- ladder_plan.c: what happens, in order --------------------------------------- */

enum { LADDER_LANES = 6, LADDER_FLOWS = 26 };

typedef enum ItemKind {
    ITEM_ARROW,     /* a packet from end to end (or to where it was lost) */
    ITEM_DEPARTURE, /* a packet that arrives after other things happened */
    ITEM_ARRIVAL,
    ITEM_STATE,
} ItemKind;

typedef struct Item {
    SimTime at;
    uint32_t order; /* of equal times */
    ItemKind kind;
    size_t index;                /* of the packet, or of the transition */
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

/* ---- ladder_text.c: what stands on an arrow ---------------------------------------- */

/* A time span for people: "59.99 s", "210 ms", "40 us". */
#define LADDER_TIME_TEXT 32
const char *ladder_span(SimTime span, char text[LADDER_TIME_TEXT]);
/* The longest description of a packet that takes at most `room` cells. g_free. */
char *ladder_label(const Plan *plan, const TracePacket *p, int room);
Ink ladder_ink(const TracePacket *p);
/* "A " before what belongs to a flow when there are several, "" otherwise. */
const char *ladder_tag(const Plan *plan, Endpoint src, Endpoint dst, char text[4]);

#endif
