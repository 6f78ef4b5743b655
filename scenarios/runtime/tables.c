/* strerrorname_np(): the name of an errno, the same in every locale. */
#define _GNU_SOURCE
#include "scenarios/runtime/tables.h"

#include <string.h>

#include "models/tcp/tcp.h"
#include "scenarios/runtime/outfile.h"
#include "scenarios/runtime/packet_rows.h"

typedef enum TableId { TABLE_PACKETS, TABLE_STATES, TABLE_WHY, TABLE_CALLS, N_TABLES } TableId;

static const struct {
    const char *file, *columns;
} layouts[N_TABLES] = {
    [TABLE_PACKETS] = { "packets.tsv", PACKET_COLUMNS },
    [TABLE_STATES] = { "states.tsv",
                       "time\thost\tconn\tlocal\tremote\tfrom\tto\tcause\twhat\trule\t"
                       "packet\tcounterfactual\n" },
    [TABLE_WHY] = { "why.tsv", "time\thost\tconn\tkind\tpacket\twhat\trule\n" },
    [TABLE_CALLS] = { "calls.tsv", "time\thost\tconn\tcall\tevent\tresult\terror\ttook\n" },
};

struct Tables {
    const Recorder *recorder; /* borrows */
    PacketRows *packet_rows;  /* owns */
    OutFile *out[N_TABLES];   /* owns */
    uint64_t left[N_TABLES];  /* rows that may still be written */
    uint64_t left_out;
};

/* ---- Life ------------------------------------------------------------------------ */

Tables *
tables_new(const char *dir, const Recorder *recorder, uint64_t packets, uint64_t rows,
           GError **error)
{
    Tables *tables = g_new0(Tables, 1);

    tables->recorder = recorder;
    tables->packet_rows = packet_rows_new(recorder);
    for (int i = 0; i < N_TABLES; i++) {
        tables->left[i] = i == TABLE_PACKETS ? packets : rows;
        tables->out[i] = out_open(dir, layouts[i].file, error);
        if (tables->out[i] == NULL) {
            tables_discard(tables);
            return NULL;
        }
        out_literal(tables->out[i], layouts[i].columns);
    }
    return tables;
}

void
tables_discard(Tables *tables)
{
    if (tables == NULL)
        return;
    for (int i = 0; i < N_TABLES; i++)
        out_discard(tables->out[i]);
    packet_rows_free(tables->packet_rows);
    g_free(tables);
}

bool
tables_finish(Tables *tables, GError **error)
{
    GError *first = NULL;

    for (int i = 0; i < N_TABLES; i++)
        out_close(g_steal_pointer(&tables->out[i]), first ? NULL : &first);
    tables_discard(tables);
    if (first != NULL)
        g_propagate_error(error, first);
    return first == NULL;
}

uint64_t
tables_left_out(const Tables *tables)
{
    return tables->left_out;
}

/* The file of a table if one more row may go into it. */
static OutFile *
tables_row(Tables *tables, TableId id)
{
    if (tables->left[id] == 0) {
        tables->left_out++;
        return NULL;
    }
    tables->left[id]--;
    return tables->out[id];
}

static const char *
host_name(const Tables *tables, uint32_t host)
{
    return recorder_host_name(tables->recorder, host);
}

/* ---- Rows ---------------------------------------------------------------------------- */

static void
cell_u64(OutFile *out, uint64_t value)
{
    out_u64(out, value);
    out_tab(out);
}

static void
cell_text(OutFile *out, const char *text)
{
    out_text(out, text);
    out_tab(out);
}

static void
cell_time(OutFile *out, SimTime time)
{
    out_time(out, time);
    out_tab(out);
}

static void
cell_endpoint(OutFile *out, Endpoint endpoint)
{
    out_endpoint(out, endpoint);
    out_tab(out);
}

void
tables_on_packet(Tables *tables, const TracePacket *entry)
{
    OutFile *out = tables_row(tables, TABLE_PACKETS);

    if (out != NULL)
        packet_rows_write(tables->packet_rows, out, entry);
}

/* ---- Transitions, verdicts, calls ---------------------------------------------------- */

static void
why_row(Tables *tables, SimTime at, uint32_t host, uint32_t conn, const char *kind, uint64_t packet,
        const char *what, const char *rule)
{
    OutFile *out = tables_row(tables, TABLE_WHY);

    if (out == NULL)
        return;
    cell_time(out, at);
    cell_text(out, host_name(tables, host));
    cell_u64(out, conn);
    cell_text(out, kind);
    cell_u64(out, packet);
    cell_text(out, what);
    out_text(out, rule);
    out_char(out, '\n');
}

void
tables_on_transition(Tables *tables, const TcpStateRecord *rec)
{
    OutFile *out = tables_row(tables, TABLE_STATES);
    char *what;

    if (out != NULL) {
        cell_time(out, rec->at);
        cell_text(out, host_name(tables, rec->host));
        cell_u64(out, rec->conn);
        cell_endpoint(out, rec->local);
        cell_endpoint(out, rec->remote);
        cell_text(out, tcp_state_name(rec->from));
        cell_text(out, tcp_state_name(rec->to));
        cell_text(out, rec->cause);
        cell_text(out, rec->what);
        cell_text(out, rec->rule);
        cell_u64(out, rec->packet);
        out_text(out, rec->counterfactual);
        out_char(out, '\n');
    }
    if (tables->left[TABLE_WHY] == 0)
        return;
    what = g_strdup_printf("%s -> %s by %s", tcp_state_name(rec->from), tcp_state_name(rec->to),
                           rec->what ? rec->what : "?");
    why_row(tables, rec->at, rec->host, rec->conn, "transition", rec->packet, what, rec->rule);
    g_free(what);
}

static const char *
verdict_name(VerdictKind kind)
{
    switch (kind) {
    case VERDICT_REPLY:
        return "reply";
    case VERDICT_DROP:
        return "drop";
    case VERDICT_RETRANSMIT:
        return "retransmit";
    case VERDICT_NOTE:
        return "note";
    }
    return "?";
}

void
tables_on_verdict(Tables *tables, const VerdictRecord *rec)
{
    why_row(tables, rec->at, rec->host, rec->conn, verdict_name(rec->kind), rec->packet, rec->what,
            rec->rule);
}

void
tables_on_call(Tables *tables, const CallRecord *rec)
{
    OutFile *out = tables_row(tables, TABLE_CALLS);
    bool failed = rec->returned && rec->result < 0;

    if (out == NULL)
        return;
    cell_time(out, rec->at);
    cell_text(out, host_name(tables, rec->host));
    cell_u64(out, rec->conn);
    cell_text(out, rec->call);
    cell_text(out, rec->returned ? "returned" : "began");
    if (rec->returned)
        out_i64(out, rec->result);
    else
        out_char(out, '-');
    out_tab(out);
    cell_text(out, failed ? strerrorname_np((int)-rec->result) : NULL);
    out_time(out, rec->returned ? rec->at - rec->began_at : -1);
    out_char(out, '\n');
}
