/* What a run too long for a ladder comes to: packets by link, connections by
 * the state they ended in, queues at their longest, counters that tell.
 */
#include "scenarios/runtime/ladder/internal.h"

#include <string.h>

#include "models/link/link.h"
#include "models/tcp/tcp.h"

enum {
    LINES_OF_LINKS = 24,
    LINES_OF_HOSTS = 12,
    LINES_OF_CALLS = 12,
    LINK_COLUMN_MOST = 22,
    WAY_COLUMN_MOST = 30,
    HOST_COLUMN_LEAST = 10,
    HOST_COLUMN_MOST = 24,
};

/* "1,234,567" */
static const char *
number(uint64_t value, char text[32])
{
    char digits[24];
    size_t used = 0;
    int n = g_snprintf(digits, sizeof digits, "%" G_GUINT64_FORMAT, value);

    for (int i = 0; i < n; i++) {
        text[used++] = digits[i];
        if (i + 1 < n && (n - i - 1) % 3 == 0)
            text[used++] = ',';
    }
    text[used] = '\0';
    return text;
}

static void
heading(GString *out, const LadderOptions *options, const char *text)
{
    g_string_append_printf(out, options->color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

void
ladder_append_totals(const Recorder *recorder, GString *out)
{
    const TraceTotals *t = recorder_totals(recorder);
    const struct {
        uint64_t n;
        const char *name;
    } parts[] = {
        { t->lost, "lost" },         { t->retransmits, "retransmitted" },
        { t->injected, "injected" }, { t->copies, "duplicated" },
        { t->refused, "refused" },   { t->corrupted, "corrupted" },
        { t->marked, "marked CE" },
    };
    char text[32];

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i].n > 0)
            g_string_append_printf(out, ", %s %s", number(parts[i].n, text), parts[i].name);
    g_string_append_c(out, '\n');
}

static void
totals_line(const Recorder *recorder, GString *out)
{
    char text[32], span[LADDER_TIME_TEXT];

    g_string_append_printf(out, "%s packets in %s",
                           number(recorder_totals(recorder)->packets, text),
                           ladder_span(sim_now(recorder_net(recorder)->sim), span));
    ladder_append_totals(recorder, out);
}

/* ---- Columns ---------------------------------------------------------------------------- */

/* A cell of a table, filled up with spaces, or cut where it says so. */
static void
cell(GString *out, const LadderOptions *options, const char *text, int width)
{
    int cells = text_width(text);

    if (cells <= width)
        g_string_append_printf(out, "%s%*s", text, width - cells, "");
    else
        g_string_append_printf(out, "%.*s%s",
                               (int)(g_utf8_offset_to_pointer(text, width - 1) - text), text,
                               options->utf8 ? "…" : "~");
}

static void
host_cell(const Recorder *recorder, const LadderOptions *options, GString *out, const char *name)
{
    const GPtrArray *hosts = recorder_net(recorder)->hosts;
    int width = HOST_COLUMN_LEAST;

    for (unsigned i = 0; i < hosts->len; i++)
        width = MAX(width, text_width(((const Host *)hosts->pdata[i])->name));
    width = MIN(width, HOST_COLUMN_MOST);
    g_string_append(out, "  ");
    if (name != NULL)
        cell(out, options, name, width);
    else
        g_string_append_printf(out, "%*s", width, "");
}

/* ---- Links -------------------------------------------------------------------------------- */

typedef struct LinkRow {
    const char *name; /* borrows */
    char *way;        /* owns */
    TraceLane lane;
} LinkRow;

static void
link_row_clear(void *row)
{
    g_free(((LinkRow *)row)->way);
}

static GArray *
link_rows(const Recorder *recorder, const LadderOptions *options)
{
    const GPtrArray *links = recorder_net(recorder)->links;
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(LinkRow));

    g_array_set_clear_func(rows, link_row_clear);
    for (unsigned i = 0; i < links->len; i++) {
        for (unsigned d = 0; d < 2; d++) {
            LinkRow row = { .name = link_name(links->pdata[i]),
                            .lane = recorder_lane(recorder, i + 1, d) };

            if (row.lane.packets == 0)
                continue;
            row.way = g_strdup_printf("%s %s %s", link_iface(links->pdata[i], d)->host->name,
                                      options->utf8 ? "→" : ">",
                                      link_iface(links->pdata[i], !d)->host->name);
            g_array_append_val(rows, row);
        }
    }
    return rows;
}

static void
link_line(const LinkRow *row, const LadderOptions *options, GString *out, int name_width,
          int way_width)
{
    char packets[32], bytes[32], lost[32];

    g_string_append(out, "  ");
    cell(out, options, row->name, name_width);
    g_string_append(out, "  ");
    cell(out, options, row->way, way_width);
    g_string_append_printf(out, "%10s %14s %8s", number(row->lane.packets, packets),
                           number(row->lane.bytes, bytes), number(row->lane.lost, lost));
    if (row->lane.lost > 0)
        g_string_append_printf(out, " %6.2f %%",
                               100.0 * (double)row->lane.lost / (double)row->lane.packets);
    g_string_append_c(out, '\n');
}

static void
link_lines(const Recorder *recorder, const LadderOptions *options, GString *out)
{
    GArray *rows = link_rows(recorder, options);
    unsigned shown = MIN(rows->len, LINES_OF_LINKS);
    int name_width = text_width("on the links"), way_width = text_width("direction");
    char *title;

    for (unsigned i = 0; i < shown; i++) {
        const LinkRow *row = &g_array_index(rows, LinkRow, i);

        name_width = MAX(name_width, text_width(row->name));
        way_width = MAX(way_width, text_width(row->way));
    }
    name_width = MIN(name_width, LINK_COLUMN_MOST);
    way_width = MIN(way_width, WAY_COLUMN_MOST);
    title = g_strdup_printf("%-*s%-*s%10s %14s %8s", name_width + 4, "on the links", way_width,
                            "direction", "packets", "bytes", "lost");
    heading(out, options, title);
    for (unsigned i = 0; i < shown; i++)
        link_line(&g_array_index(rows, LinkRow, i), options, out, name_width, way_width);
    if (rows->len > shown)
        g_string_append_printf(out, "  ... and %u more\n", rows->len - shown);
    g_free(title);
    g_array_free(rows, TRUE);
}

/* ---- Hosts -------------------------------------------------------------------------------- */

static void
state_lines(const Recorder *recorder, const LadderOptions *options, GString *out)
{
    const Net *net = recorder_net(recorder);
    size_t n_hosts = net->hosts->len;
    uint64_t *count = g_new0(uint64_t, (n_hosts + 1) * TCP_N_STATES);
    unsigned lines = 0;
    char text[32];

    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_CONNS); i++) {
        const TraceConn *conn = recorder_conn(recorder, i);

        if (conn->host <= n_hosts && conn->n_transitions > 0)
            count[conn->host * TCP_N_STATES + conn->state]++;
    }
    heading(out, options,
            recorder_is_complete(recorder, TRACE_KIND_CONNS)
                ? "connections by last state"
                : "connections by last state (of the first ones)");
    for (size_t h = 1; h <= n_hosts && lines < LINES_OF_HOSTS; h++) {
        bool has_any = false;

        for (int s = 0; s < TCP_N_STATES; s++) {
            uint64_t n = count[h * TCP_N_STATES + (size_t)s];

            if (n == 0)
                continue;
            if (!has_any)
                host_cell(recorder, options, out, recorder_host_name(recorder, (uint32_t)h));
            g_string_append_printf(out, "  %s %s", number(n, text), tcp_state_name((TcpState)s));
            has_any = true;
        }
        if (has_any) {
            g_string_append_c(out, '\n');
            lines++;
        }
    }
    g_free(count);
}

typedef struct FailedCall {
    uint32_t host;
    const char *call, *error; /* borrow */
    uint64_t n;
} FailedCall;

static void
failed_calls_add(GArray *failed, const CallRecord *call)
{
    FailedCall fresh = {
        .host = call->host, .call = call->call, .error = call_error_name(call), .n = 1
    };

    for (unsigned i = 0; i < failed->len; i++) {
        FailedCall *known = &g_array_index(failed, FailedCall, i);

        if (known->host == fresh.host && strcmp(known->call, fresh.call) == 0 &&
            strcmp(known->error, fresh.error) == 0) {
            known->n++;
            return;
        }
    }
    g_array_append_val(failed, fresh);
}

static void
call_lines(const Recorder *recorder, const LadderOptions *options, GString *out)
{
    GArray *failed = g_array_new(FALSE, FALSE, sizeof(FailedCall));
    char text[32];

    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_CALLS); i++)
        if (call_has_failed(recorder_call(recorder, i)))
            failed_calls_add(failed, recorder_call(recorder, i));
    if (failed->len > 0)
        heading(out, options, "calls that failed");
    for (unsigned i = 0; i < MIN(failed->len, LINES_OF_CALLS); i++) {
        const FailedCall *call = &g_array_index(failed, FailedCall, i);

        host_cell(recorder, options, out, recorder_host_name(recorder, call->host));
        g_string_append_printf(out, "  %s %s(): %s\n", number(call->n, text), call->call,
                               call->error);
    }
    if (failed->len > LINES_OF_CALLS)
        g_string_append_printf(out, "  ... and %u more\n", failed->len - LINES_OF_CALLS);
    g_array_free(failed, TRUE);
}

static void
queue_lines(const Recorder *recorder, const LadderOptions *options, GString *out)
{
    static const struct {
        const char *name, *words;
    } queues[] = {
        { "syn_queue", "SYN queue" },   { "accept_queue", "accept queue" },
        { "time_wait", "TIME-WAIT" },   { "backlog", "interface backlog" },
        { "fragments", "fragments" },   { "link", "link queue" },
        { "send_queue", "send queue" },
    };
    char text[32];
    const char *comma = "  ";

    heading(out, options, "queues at their longest");
    for (size_t i = 0; i < G_N_ELEMENTS(queues); i++) {
        uint32_t peak = recorder_queue_peak(recorder, queues[i].name, 0, 0);

        if (peak == 0)
            continue;
        g_string_append_printf(out, "%s%s %s", comma, queues[i].words, number(peak, text));
        comma = ", ";
    }
    g_string_append(out, *comma == ',' ? "\n" : "  all stayed empty\n");
}

/* Counters that say what happened, not how much. */
static void
counter_lines(const Recorder *recorder, const LadderOptions *options, GString *out)
{
    static const MibCounter telling[] = {
        MIB_TcpActiveOpens,
        MIB_TcpPassiveOpens,
        MIB_TcpAttemptFails,
        MIB_TcpEstabResets,
        MIB_TcpOutRsts,
        MIB_TcpRetransSegs,
        MIB_TcpExtListenOverflows,
        MIB_TcpExtListenDrops,
        MIB_TcpExtTCPReqQFullDrop,
        MIB_TcpExtTCPReqQFullDoCookies,
        MIB_TcpExtSyncookiesSent,
        MIB_TcpExtSyncookiesRecv,
        MIB_TcpExtSyncookiesFailed,
        MIB_TcpExtEmbryonicRsts,
        MIB_TcpExtTW,
        MIB_TcpExtTWRecycled,
        MIB_TcpExtTCPTimeWaitOverflow,
        MIB_TcpExtTCPChallengeACK,
        MIB_TcpExtTCPTimeouts,
        MIB_TcpExtTCPFastRetrans,
        MIB_TcpExtTCPLossProbes,
        MIB_TcpExtTCPSpuriousRTOs,
        MIB_TcpExtPAWSEstab,
        MIB_TcpExtPAWSPassive,
        MIB_TcpExtTCPAbortOnTimeout,
        MIB_TcpExtTCPAbortOnMemory,
        MIB_IpReasmFails,
        MIB_IpFragCreates,
        MIB_HostBacklogDrops,
    };
    const GPtrArray *hosts = recorder_net(recorder)->hosts;
    char text[32];

    heading(out, options, "counters");
    for (unsigned h = 0; h < hosts->len && h < LINES_OF_HOSTS; h++) {
        const Host *host = hosts->pdata[h];
        int column = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(telling); i++) {
            char *part;

            if (host->mib[telling[i]] == 0)
                continue;
            part = g_strdup_printf("  %s %s", mib_name(telling[i]),
                                   number(host->mib[telling[i]], text));
            if (column == 0 || column + (int)strlen(part) > (int)options->width) {
                size_t before;

                if (column > 0)
                    g_string_append_c(out, '\n');
                before = out->len;
                host_cell(recorder, options, out, column ? NULL : host->name);
                column = (int)(out->len - before);
            }
            g_string_append(out, part);
            column += (int)strlen(part);
            g_free(part);
        }
        if (column > 0)
            g_string_append_c(out, '\n');
    }
}

char *
ladder_summary(const Recorder *recorder, const LadderOptions *options)
{
    GString *out = g_string_new(NULL);

    totals_line(recorder, out);
    link_lines(recorder, options, out);
    if (recorder_count(recorder, TRACE_KIND_CONNS) > 0)
        state_lines(recorder, options, out);
    call_lines(recorder, options, out);
    queue_lines(recorder, options, out);
    counter_lines(recorder, options, out);
    return g_string_free(out, FALSE);
}
