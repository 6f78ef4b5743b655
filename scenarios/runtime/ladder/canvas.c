#include "scenarios/runtime/ladder/internal.h"

#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "models/tcp/tcp.h"

enum {
    WIDTH_LEAST = 60,
    MAX_PACKETS = 60,
};

LadderOptions
ladder_options_for(int fd)
{
    struct winsize size;
    bool is_terminal = isatty(fd);
    LadderOptions options = { .width = CANVAS_WIDTH, .max_packets = MAX_PACKETS };
    const char *no_color = g_getenv("NO_COLOR");

    if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        options.width = CLAMP(size.ws_col, WIDTH_LEAST, CANVAS_WIDTH);
    options.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    options.color = is_terminal && (no_color == NULL || *no_color == '\0');
    return options;
}

void
canvas_clear(Canvas *canvas)
{
    for (int i = 0; i < CANVAS_WIDTH; i++)
        canvas->cells[i] = ' ';
    memset(canvas->inks, INK_PLAIN, sizeof canvas->inks);
}

void
canvas_put(Canvas *canvas, int x, gunichar c, unsigned ink)
{
    if (x < 0 || x >= CANVAS_WIDTH)
        return;
    canvas->cells[x] = c;
    canvas->inks[x] = (uint8_t)ink;
}

int
text_width(const char *text)
{
    return (int)g_utf8_strlen(text, -1);
}

/* How many bytes of a text fit into `room` cells, cut at a space where there is
 * one. */
size_t
text_bytes_that_fit(const char *text, int room)
{
    const char *end = text, *space = NULL;

    for (int n = 0; *end != '\0' && n < room; n++, end = g_utf8_next_char(end))
        space = *end == ' ' ? end : space;
    if (*end == '\0' || *end == ' ' || space == NULL || space == text)
        return (size_t)(end - text);
    return (size_t)(space - text);
}

int
canvas_text(Canvas *canvas, int x, int end, const char *text, unsigned ink)
{
    for (; *text != '\0' && x < end; text = g_utf8_next_char(text))
        canvas_put(canvas, x++, g_utf8_get_char(text), ink);
    return x;
}

int
canvas_text_right(Canvas *canvas, int start, int end, const char *text, unsigned ink)
{
    int width = text_width(text);
    int x = end - width;

    if (x < start)
        x = start;
    canvas_text(canvas, x, end, text, ink);
    return x;
}

/* What stands for a character where only ASCII can be shown. */
static char
ascii_of(gunichar c)
{
    static const struct {
        gunichar c;
        char ascii;
    } table[] = {
        { 0x2500, '-' }, /* ─ */
        { 0x2501, '=' }, /* ━ */
        { 0x254c, '.' }, /* ╌ */
        { 0x2502, '|' }, /* │ */
        { 0x2503, '|' }, /* ┃ */
        { 0x250a, ':' }, /* ┊ */
        { 0x251c, '|' }, /* ├ */
        { 0x2524, '|' }, /* ┤ */
        { 0x253c, '+' }, /* ┼ */
        { 0x252c, '+' }, /* ┬ */
        { 0x2534, '+' }, /* ┴ */
        { 0x25b6, '>' }, /* ▶ */
        { 0x25c0, '<' }, /* ◀ */
        { 0x2717, 'X' }, /* ✗ */
        { 0x2298, '!' }, /* ⊘ */
        { 0x2726, '*' }, /* ✦ */
        { 0x22ef, '~' }, /* ⋯ */
        { 0x22ee, ':' }, /* ⋮ */
        { 0x2570, '`' }, /* ╰ */
        { 0x00a7, 'S' }, /* § */
        { 0x2194, '-' }, /* ↔ */
        { 0x21bb, '@' }, /* ↻ */
        { 0x2192, '>' }, /* → */
        { 0x00b7, '.' }, /* · */
    };

    if (c < 0x80)
        return (char)c;
    if (c >= 0x2460 && c < 0x2469) /* ① to ⑨ */
        return (char)('1' + (c - 0x2460));
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i].c == c)
            return table[i].ascii;
    return '?';
}

/* 256-colour codes that read on dark and on light grounds; the states' are the
 * colours of the pictures. */
static const char *
ink_code(unsigned ink)
{
    static const char *const codes[] = {
        [INK_PLAIN] = "0",
        [INK_DIM] = "38;5;245",
        [INK_BOLD] = "1",
        [INK_SYN] = "1;38;5;35",
        [INK_FIN] = "1;38;5;133",
        [INK_RST] = "1;38;5;160",
        [INK_DATA] = "38;5;32",
        [INK_ACK] = "38;5;245",
        [INK_LOST] = "1;38;5;160",
        [INK_AGAIN] = "38;5;172",
        [INK_INJECTED] = "1;38;5;199",
        [INK_STATE + TCP_CLOSED] = "38;5;245",
        [INK_STATE + TCP_LISTEN] = "38;5;244",
        [INK_STATE + TCP_SYN_SENT] = "1;38;5;178",
        [INK_STATE + TCP_SYN_RECEIVED] = "1;38;5;172",
        [INK_STATE + TCP_ESTABLISHED] = "1;38;5;35",
        [INK_STATE + TCP_FIN_WAIT_1] = "1;38;5;75",
        [INK_STATE + TCP_FIN_WAIT_2] = "1;38;5;68",
        [INK_STATE + TCP_CLOSE_WAIT] = "1;38;5;140",
        [INK_STATE + TCP_CLOSING] = "1;38;5;133",
        [INK_STATE + TCP_LAST_ACK] = "1;38;5;97",
        [INK_STATE + TCP_TIME_WAIT] = "1;38;5;167",
    };

    return codes[ink];
}

void
canvas_emit(const Canvas *canvas, const LadderOptions *options, GString *out)
{
    unsigned ink = INK_PLAIN;
    int end = CANVAS_WIDTH;

    while (end > 0 && canvas->cells[end - 1] == ' ')
        end--;
    for (int x = 0; x < end; x++) {
        if (options->color && canvas->inks[x] != ink && canvas->cells[x] != ' ') {
            ink = canvas->inks[x];
            g_string_append_printf(out, "\033[0;%sm", ink_code(ink));
        }
        if (options->utf8)
            g_string_append_unichar(out, canvas->cells[x]);
        else
            g_string_append_c(out, ascii_of(canvas->cells[x]));
    }
    if (ink != INK_PLAIN)
        g_string_append(out, "\033[0m");
    g_string_append_c(out, '\n');
}
