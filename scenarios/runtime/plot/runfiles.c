#include "scenarios/runtime/plot/runfiles.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "scenarios/runtime/folder.h"
#include "scenarios/runtime/summary.h"

enum { COLUMNS_AT_MOST = 24 };

SimTime
run_parse_time(const char *seconds)
{
    char *end;
    int64_t whole = g_ascii_strtoll(seconds, &end, 10);
    int64_t ns = 0;
    int64_t unit = SIM_SEC / 10;

    if (end == seconds)
        return -1;
    if (*end == '.')
        for (end++; g_ascii_isdigit(*end) && unit > 0; end++, unit /= 10)
            ns += unit * (*end - '0');
    return whole * SIM_SEC + ns;
}

/* ---- Tables ------------------------------------------------------------------------ */

/* Cuts a line at its tabs in place. Returns how many cells. */
static int
split_cells(char *line, char **cells, int at_most)
{
    int n = 0;

    while (line != NULL && n < at_most) {
        char *tab = strchr(line, '\t');

        cells[n++] = line;
        if (tab != NULL)
            *tab++ = '\0';
        line = tab;
    }
    return n;
}

static bool
find_columns(char *header, const char *const *columns, int *where, const char *path, GError **error)
{
    char *names[64];
    int n = split_cells(header, names, G_N_ELEMENTS(names));

    for (int i = 0; columns[i] != NULL; i++) {
        where[i] = -1;
        for (int j = 0; j < n; j++)
            if (strcmp(names[j], columns[i]) == 0)
                where[i] = j;
        if (where[i] < 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: no column \"%s\"", path,
                        columns[i]);
            return false;
        }
    }
    return true;
}

static void
read_rows(char *text, const char *const *columns, const int *where, RunRowFn *fn, void *arg)
{
    char *picked[COLUMNS_AT_MOST];
    char *cells[64];

    while (text != NULL && *text != '\0') {
        char *next = strchr(text, '\n');
        bool is_whole = true;
        int n;

        if (next != NULL)
            *next++ = '\0';
        n = split_cells(text, cells, G_N_ELEMENTS(cells));
        for (int i = 0; columns[i] != NULL; i++) {
            is_whole = is_whole && where[i] < n;
            picked[i] = where[i] < n ? cells[where[i]] : NULL;
        }
        if (is_whole)
            fn(arg, picked);
        text = next;
    }
}

bool
run_files_read_table(const char *dir, const char *file, const char *const *columns, RunRowFn *fn,
                     void *arg, GError **error)
{
    char *path = g_build_filename(dir, file, NULL);
    char *text = NULL, *rows;
    int where[COLUMNS_AT_MOST];
    bool is_good = g_file_get_contents(path, &text, NULL, error);

    if (is_good) {
        rows = strchr(text, '\n');
        if (rows != NULL)
            *rows++ = '\0';
        is_good = find_columns(text, columns, where, path, error);
        if (is_good)
            read_rows(rows, columns, where, fn, arg);
    }
    g_free(text);
    g_free(path);
    return is_good;
}

/* ---- The summary ----------------------------------------------------------------------- */

static char *
member_text(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? g_strdup(json_node_get_string(node))
                                                       : NULL;
}

static uint64_t
member_number(JsonObject *object, const char *name)
{
    return object != NULL ? (uint64_t)json_object_get_int_member_with_default(object, name, 0) : 0;
}

static void
read_hosts(RunFiles *run, JsonArray *hosts)
{
    for (unsigned i = 0; hosts != NULL && i < json_array_get_length(hosts); i++) {
        JsonObject *host = json_array_get_object_element(hosts, i);
        bool is_router = json_object_get_boolean_member_with_default(host, "router", FALSE);

        g_ptr_array_add(run->hosts, member_text(host, "name"));
        g_array_append_val(run->is_router, is_router);
    }
}

static bool
read_summary(RunFiles *run, GError **error)
{
    char *path = g_build_filename(run->dir, SUMMARY_FILE, NULL);
    JsonParser *parser = json_parser_new();
    bool is_good = json_parser_load_from_file(parser, path, error);

    if (is_good) {
        JsonObject *root = json_node_get_object(json_parser_get_root(parser));
        JsonObject *totals = json_object_has_member(root, "totals")
                                 ? json_object_get_object_member(root, "totals")
                                 : NULL;
        char *ended_at = member_text(root, "ended_at");

        run->title = member_text(root, "title");
        run->scenario = member_text(root, "scenario");
        run->profile = member_text(root, "profile");
        run->said = member_text(root, "said");
        run->seed = member_number(root, "seed");
        run->ended_at = ended_at ? run_parse_time(ended_at) : 0;
        run->n_packets = member_number(totals, "packets");
        run->lost = member_number(totals, "lost");
        run->retransmitted = member_number(totals, "retransmitted");
        if (json_object_has_member(root, "hosts"))
            read_hosts(run, json_object_get_array_member(root, "hosts"));
        g_free(ended_at);
    }
    g_object_unref(parser);
    g_free(path);
    return is_good;
}

/* ---- Packets and states ------------------------------------------------------------------- */

static int
host_index(const RunFiles *run, const char *name)
{
    for (unsigned i = 0; i < run->hosts->len; i++)
        if (strcmp(run->hosts->pdata[i], name) == 0)
            return (int)i;
    return -1;
}

static const char *
keep_text(RunFiles *run, const char *text)
{
    return g_string_chunk_insert_const(run->texts, text);
}

static const char *const packet_columns[] = { "packet", "sent",  "ended", "from",  "to",
                                              "src",    "dst",   "proto", "flags", "seq",
                                              "ack",    "len",   "win",   "conn",  "options",
                                              "fate",   "story", "marks", NULL };

static void
on_packet_row(void *arg, char **cells)
{
    RunFiles *run = arg;
    RunPacket p = {
        .id = g_ascii_strtoull(cells[0], NULL, 10),
        .sent = run_parse_time(cells[1]),
        .ended = run_parse_time(cells[2]),
        .from = host_index(run, cells[3]),
        .to = host_index(run, cells[4]),
        .src = keep_text(run, cells[5]),
        .dst = keep_text(run, cells[6]),
        .proto = keep_text(run, cells[7]),
        .flags = keep_text(run, cells[8]),
        .seq = (uint32_t)g_ascii_strtoull(cells[9], NULL, 10),
        .ack = (uint32_t)g_ascii_strtoull(cells[10], NULL, 10),
        .len = (uint32_t)g_ascii_strtoull(cells[11], NULL, 10),
        .win = (uint32_t)g_ascii_strtoull(cells[12], NULL, 10),
        .conn = (uint32_t)g_ascii_strtoull(cells[13], NULL, 10),
        .options = keep_text(run, cells[14]),
        .fate = keep_text(run, cells[15]),
        .story = keep_text(run, cells[16]),
        .marks = keep_text(run, cells[17]),
    };

    g_array_append_val(run->packets, p);
}

static const char *const state_columns[] = { "time", "host", "conn", "local",  "remote",
                                             "from", "to",   "what", "packet", NULL };

static void
on_state_row(void *arg, char **cells)
{
    RunFiles *run = arg;
    RunState s = {
        .at = run_parse_time(cells[0]),
        .host = host_index(run, cells[1]),
        .conn = (uint32_t)g_ascii_strtoull(cells[2], NULL, 10),
        .local = keep_text(run, cells[3]),
        .remote = keep_text(run, cells[4]),
        .from = keep_text(run, cells[5]),
        .to = keep_text(run, cells[6]),
        .what = keep_text(run, cells[7]),
        .packet = g_ascii_strtoull(cells[8], NULL, 10),
    };

    if (s.host >= 0)
        g_array_append_val(run->states, s);
}

static const char *const call_columns[] = { "time", "host", "conn", "call", "error", "took", NULL };

static void
on_call_row(void *arg, char **cells)
{
    RunFiles *run = arg;
    RunCall c = {
        .at = run_parse_time(cells[0]),
        .host = host_index(run, cells[1]),
        .conn = (uint32_t)g_ascii_strtoull(cells[2], NULL, 10),
        .call = keep_text(run, cells[3]),
        .error = keep_text(run, cells[4]),
        .took = run_parse_time(cells[5]),
    };

    if (c.host >= 0 && strcmp(c.error, "-") != 0)
        g_array_append_val(run->failed, c);
}

RunFiles *
run_files_load(const char *dir, GError **error)
{
    RunFiles *run;

    if (!folder_is_run(dir)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s: is not the folder of a run (no " SUMMARY_FILE " of ours in it)", dir);
        return NULL;
    }
    run = g_new0(RunFiles, 1);
    run->dir = g_strdup(dir);
    run->hosts = g_ptr_array_new_with_free_func(g_free);
    run->is_router = g_array_new(FALSE, FALSE, sizeof(bool));
    run->packets = g_array_new(FALSE, FALSE, sizeof(RunPacket));
    run->states = g_array_new(FALSE, FALSE, sizeof(RunState));
    run->failed = g_array_new(FALSE, FALSE, sizeof(RunCall));
    run->texts = g_string_chunk_new(4096);
    if (!read_summary(run, error) ||
        !run_files_read_table(dir, "packets.tsv", packet_columns, on_packet_row, run, error) ||
        !run_files_read_table(dir, "states.tsv", state_columns, on_state_row, run, error) ||
        !run_files_read_table(dir, "calls.tsv", call_columns, on_call_row, run, error)) {
        run_files_free(run);
        return NULL;
    }
    return run;
}

void
run_files_free(RunFiles *run)
{
    g_ptr_array_free(run->hosts, TRUE);
    g_array_free(run->is_router, TRUE);
    g_array_free(run->packets, TRUE);
    g_array_free(run->states, TRUE);
    g_array_free(run->failed, TRUE);
    g_string_chunk_free(run->texts);
    g_free(run->title);
    g_free(run->scenario);
    g_free(run->profile);
    g_free(run->said);
    g_free(run->dir);
    g_free(run);
}

/* ---- Series ------------------------------------------------------------------------------- */

RunSeries *
run_series_new(const char *name)
{
    RunSeries *series = g_new0(RunSeries, 1);

    series->name = g_strdup(name);
    series->values = g_array_new(FALSE, FALSE, sizeof(RunValue));
    return series;
}

void
run_series_free(void *data)
{
    RunSeries *series = data;

    if (series == NULL)
        return;
    g_free(series->name);
    g_array_free(series->values, TRUE);
    g_free(series);
}

void
run_series_add(RunSeries *series, SimTime at, double value)
{
    RunValue v = { at, value };

    if (series->values->len == 0)
        series->first = series->most = value;
    series->last = value;
    series->most = MAX(series->most, value);
    g_array_append_val(series->values, v);
}
