/* Inside the pictures: a sheet is a picture in pixels, made of layers of
 * rectangles, lines and texts that scripts/plot/sheet.gp draws; charts of
 * values over time have templates of their own.
 */
#ifndef HALFOPEN_RUNTIME_PLOT_INTERNAL_H
#define HALFOPEN_RUNTIME_PLOT_INTERNAL_H

#include "scenarios/runtime/plot/plot.h"
#include "scenarios/runtime/plot/runfiles.h"

/* ---- sheet.c ---------------------------------------------------------------- */

typedef enum SheetLayer {
    SHEET_FILLS, /* x1 y1 x2 y2 colour */
    SHEET_RULES, /* thin lines: x1 y1 x2 y2 colour */
    SHEET_BANDS, /* as fills, above the rules */
    SHEET_LINES,
    SHEET_DASHES,
    SHEET_ARROWS,
    SHEET_DASHED_ARROWS,
    SHEET_CROSSES, /* x y colour */
    SHEET_RINGS,
    SHEET_STARS,
    SHEET_TITLE,    /* x y "text" angle colour: large, from x on */
    SHEET_SUBTITLE, /* from x on */
    SHEET_HEADS,    /* larger, centred */
    SHEET_NAMES,    /* larger, from x on */
    SHEET_CENTERED,
    SHEET_LEFT,  /* from x on */
    SHEET_RIGHT, /* up to x */
    SHEET_N_LAYERS
} SheetLayer;

typedef struct Sheet {
    GString *layers[SHEET_N_LAYERS]; /* own */
    double width, height;            /* pixels */
} Sheet;

Sheet *sheet_new(void);
bool sheet_write(const Sheet *sheet, const char *data,
                 GError **error); /* the layers' files, under data */
void sheet_free(Sheet *sheet);
void sheet_box(Sheet *sheet, SheetLayer layer, double x1, double y1, double x2, double y2,
               int color);
void sheet_point(Sheet *sheet, SheetLayer layer, double x, double y, int color);
void sheet_text(Sheet *sheet, SheetLayer layer, double x, double y, double angle, int color,
                const char *text);

/* The same colour for a state in every picture; and dark enough for text. */
int state_color(const char *state);
int state_ink(const char *state);
int packet_color(const RunPacket *packet);

enum {
    COLOR_TEXT = 0x1f2937,
    COLOR_FAINT = 0x8b95a5,
    COLOR_RULE = 0xe8ecf2,
    COLOR_LOST = 0xdc2626,
    COLOR_AGAIN = 0xc2410c,
    COLOR_INJECTED = 0xbe185d,
};

/* "20 ms", "60.38 s". */
#define PLOT_TIME_TEXT 32
const char *plot_time(SimTime time, char text[PLOT_TIME_TEXT]);
/* With as many digits as tell it from the one that was told before; -1: none was. */
const char *plot_time_after(SimTime time, SimTime before, char text[PLOT_TIME_TEXT]);
/* Title and one line about the run at the top of a sheet. */
void sheet_headings(Sheet *sheet, const RunFiles *run, const char *about);

/* ---- scale.c: time along an axis, idle times cut short -------------------------- */

typedef struct ScaleBreak {
    double start, end; /* along the axis */
    SimTime span;
} ScaleBreak;

typedef struct Scale {
    GArray *knots;  /* owns {SimTime at; double where}: ascending */
    GArray *breaks; /* owns ScaleBreak */
} Scale;

/* A scale for a chart `length` long: linear, but for idle times that would take
 * more than their share. `times` (SimTime) is sorted by it. */
void scale_init_even(Scale *scale, GArray *times, double length);
void scale_done(Scale *scale);
double scale_at(const Scale *scale, SimTime at);

/* ---- the pictures ------------------------------------------------------------------------ */

/* timeline.c. conn: "HOST:N" or "N", or NULL. NULL: nothing to draw. */
Sheet *timeline_sheet(const RunFiles *run, const char *conn);
/* The first row of states.tsv of the connection that is named so; NULL: none. */
const RunState *timeline_find_conn(const RunFiles *run, const char *conn);
Sheet *states_sheet(const RunFiles *run); /* states.c: NULL: too few connections */
char *states_text(const RunFiles *run, const PlotOptions *options); /* text.c */

/* Charts: writes their data under `data` and adds the names of templates to
 * run, "cwnd.gp" and so on. */
typedef struct ChartJob {
    const char *template; /* "cwnd.gp" */
    const char *picture;  /* "cwnd" */
    double width, height;
} ChartJob;
bool charts_prepare(const RunFiles *run, const PlotOptions *options, const char *data, GArray *jobs,
                    GError **error); /* charts.c */

#endif
