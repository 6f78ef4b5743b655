#include "scenarios/runtime/plot/internal.h"

#include <string.h>

Sheet *
sheet_new(void)
{
    Sheet *sheet = g_new0(Sheet, 1);

    for (int i = 0; i < SHEET_N_LAYERS; i++)
        sheet->layers[i] = g_string_new(NULL);
    return sheet;
}

void
sheet_free(Sheet *sheet)
{
    for (int i = 0; i < SHEET_N_LAYERS; i++)
        g_string_free(sheet->layers[i], TRUE);
    g_free(sheet);
}

/* Off every sheet: gnuplot refuses a file without a row. */
static const char *
nothing(int layer)
{
    if (layer >= SHEET_TITLE)
        return "-1000 -1000 \"\" 0 0\n";
    return layer >= SHEET_CROSSES ? "-1000 -1000 0\n" : "-1000 -1000 -1001 -1001 0\n";
}

bool
sheet_write(const Sheet *sheet, const char *data, GError **error)
{
    static const char *const names[SHEET_N_LAYERS] = {
        [SHEET_FILLS] = "fills",
        [SHEET_RULES] = "rules",
        [SHEET_BANDS] = "bands",
        [SHEET_LINES] = "lines",
        [SHEET_DASHES] = "dashes",
        [SHEET_ARROWS] = "arrows",
        [SHEET_DASHED_ARROWS] = "dashed_arrows",
        [SHEET_CROSSES] = "crosses",
        [SHEET_RINGS] = "rings",
        [SHEET_STARS] = "stars",
        [SHEET_TITLE] = "title",
        [SHEET_SUBTITLE] = "subtitle",
        [SHEET_HEADS] = "heads",
        [SHEET_NAMES] = "names",
        [SHEET_CENTERED] = "centered",
        [SHEET_LEFT] = "left",
        [SHEET_RIGHT] = "right",
    };

    for (int i = 0; i < SHEET_N_LAYERS; i++) {
        char *file = g_strconcat(names[i], ".dat", NULL);
        char *path = g_build_filename(data, file, NULL);
        char *text = g_strconcat(nothing(i), sheet->layers[i]->str, NULL);
        bool is_good = g_file_set_contents(path, text, -1, error);

        g_free(text);
        g_free(path);
        g_free(file);
        if (!is_good)
            return false;
    }
    return true;
}

/* A tenth of a pixel is enough, and the same in every locale. */
static void
add_number(GString *s, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(s, g_ascii_formatd(text, sizeof text, "%.1f", value));
    g_string_append_c(s, ' ');
}

void
sheet_box(Sheet *sheet, SheetLayer layer, double x1, double y1, double x2, double y2, int color)
{
    GString *s = sheet->layers[layer];

    add_number(s, x1);
    add_number(s, y1);
    add_number(s, x2);
    add_number(s, y2);
    g_string_append_printf(s, "%d\n", color);
}

void
sheet_point(Sheet *sheet, SheetLayer layer, double x, double y, int color)
{
    GString *s = sheet->layers[layer];

    add_number(s, x);
    add_number(s, y);
    g_string_append_printf(s, "%d\n", color);
}

void
sheet_text(Sheet *sheet, SheetLayer layer, double x, double y, double angle, int color,
           const char *text)
{
    GString *s = sheet->layers[layer];

    add_number(s, x);
    add_number(s, y);
    g_string_append_c(s, '"');
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            g_string_append_c(s, '\'');
        else if ((unsigned char)*text >= ' ')
            g_string_append_c(s, *text);
    g_string_append(s, "\" ");
    add_number(s, angle);
    g_string_append_printf(s, "%d\n", color);
}

static const struct {
    const char *state;
    int fill, ink;
} state_colors[] = {
    { "CLOSED", 0xeceff3, 0x8b95a5 },      { "LISTEN", 0xd5dbe3, 0x475569 },
    { "SYN-SENT", 0xfbe08d, 0x7a5200 },    { "SYN-RECEIVED", 0xf9c48a, 0x85400a },
    { "ESTABLISHED", 0xa8e0b0, 0x14532d }, { "FIN-WAIT-1", 0xb7dcf7, 0x0c4a6e },
    { "FIN-WAIT-2", 0x8fc2ee, 0x0c3a66 },  { "CLOSE-WAIT", 0xd9ccf5, 0x4c1d95 },
    { "CLOSING", 0xf0bfe6, 0x831843 },     { "LAST-ACK", 0xbda6ea, 0x3b1180 },
    { "TIME-WAIT", 0xf5a9a4, 0x7f1d1d },
};

int
state_color(const char *state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(state_colors); i++)
        if (strcmp(state_colors[i].state, state) == 0)
            return state_colors[i].fill;
    return 0xffffff;
}

int
state_ink(const char *state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(state_colors); i++)
        if (strcmp(state_colors[i].state, state) == 0)
            return state_colors[i].ink;
    return COLOR_TEXT;
}

int
packet_color(const RunPacket *p)
{
    if (strchr(p->marks, 'i'))
        return COLOR_INJECTED;
    if (strstr(p->flags, "RST"))
        return 0xdc2626;
    if (strchr(p->marks, 'r'))
        return COLOR_AGAIN;
    if (strstr(p->flags, "SYN"))
        return 0x15803d;
    if (strstr(p->flags, "FIN"))
        return 0x7e22ce;
    return p->len > 0 ? 0x1d4ed8 : 0x64748b;
}

/* Cut off, not rounded, so that of two times the later one never looks the earlier. */
static void
format_time(SimTime time, SimTime step, char text[PLOT_TIME_TEXT])
{
    bool is_long = time >= SIM_SEC;
    SimTime unit = is_long ? SIM_SEC : SIM_MS, shown = time / step * step;
    char number[PLOT_TIME_TEXT / 2];
    int n;

    n = g_snprintf(number, sizeof number, "%" G_GINT64_FORMAT ".%0*" G_GINT64_FORMAT, shown / unit,
                   is_long ? 9 : 6, shown % unit);
    while (number[n - 1] == '0')
        n--;
    if (number[n - 1] == '.')
        n--;
    g_snprintf(text, PLOT_TIME_TEXT, "%.*s %s", n, number, is_long ? "s" : "ms");
}

/* Three decimals, or as many as it takes to tell it from another time so far away. */
static const char *
plot_time_apart(SimTime time, SimTime distance, char text[PLOT_TIME_TEXT])
{
    SimTime step = time >= SIM_SEC ? SIM_MS : SIM_US;

    while (step > 1 && step > distance / 2)
        step /= 10;
    format_time(time, step, text);
    return text;
}

const char *
plot_time(SimTime time, char text[PLOT_TIME_TEXT])
{
    return plot_time_apart(time, G_MAXINT64, text);
}

const char *
plot_time_after(SimTime time, SimTime before, char text[PLOT_TIME_TEXT])
{
    return plot_time_apart(time, before < 0 ? G_MAXINT64 : time - before, text);
}

void
sheet_headings(Sheet *sheet, const RunFiles *run, const char *about)
{
    char *line = g_strdup_printf("%s%s%s  ·  profile %s  ·  seed %" G_GUINT64_FORMAT, about,
                                 run->scenario ? "  ·  " : "", run->scenario ? run->scenario : "",
                                 run->profile ? run->profile : "?", run->seed);

    sheet_text(sheet, SHEET_TITLE, 24, 30, 0, COLOR_TEXT,
               run->title      ? run->title
               : run->scenario ? run->scenario
                               : "A run");
    sheet_text(sheet, SHEET_SUBTITLE, 24, 54, 0, COLOR_FAINT, line);
    g_free(line);
}
