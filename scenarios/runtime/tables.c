/* strerrorname_np(): the name of an errno, the same in every locale. */
#define _GNU_SOURCE
#include "scenarios/runtime/tables.h"

#include <string.h>

#include "models/link/link.h"
#include "models/tcp/tcp.h"
#include "scenarios/runtime/outfile.h"

typedef enum TableId { TABLE_PACKETS, TABLE_STATES, TABLE_WHY, TABLE_CALLS, N_TABLES } TableId;

static const struct {
    const char *file, *columns;
} layouts[N_TABLES] = {
    [TABLE_PACKETS] = { "packets.tsv",
                        "packet\tsent\tended\tfrom\tto\tlink\tsrc\tdst\tproto\tflags\tseq\tack\tlen"
                        "\t"
                        "win\toptions\tfate\tstory\tconn\tcopy_of\tip_len\tip_id\tttl\tecn\tfrag\t"
                        "raw_seq\traw_ack\tmarks\twhy\n" },
    [TABLE_STATES] = { "states.tsv",
                       "time\thost\tconn\tlocal\tremote\tfrom\tto\tcause\twhat\trule\t"
                       "packet\tcounterfactual\n" },
    [TABLE_WHY] = { "why.tsv", "time\thost\tconn\tkind\tpacket\twhat\trule\n" },
    [TABLE_CALLS] = { "calls.tsv", "time\thost\tconn\tcall\tevent\tresult\terror\ttook\n" },
};

struct Tables {
    const Recorder *recorder; /* borrows */
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

/* ---- Packets ----------------------------------------------------------------------- */

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

static void
named_number(OutFile *out, const char *name, uint64_t value)
{
    out_literal(out, name);
    out_u64(out, value);
}

/* "mss 1460,sackOK,TS 1 0,ws 7,sack 10-20,tfo" */
static void
cell_options(OutFile *out, const TracePacket *entry)
{
    const char *comma = "";

    if (entry->options & TCPOPT_HAS_MSS) {
        named_number(out, "mss ", entry->mss);
        comma = ",";
    }
    if (entry->options & TCPOPT_HAS_SACK_OK) {
        out_literal(out, comma);
        out_literal(out, "sackOK");
        comma = ",";
    }
    if (entry->options & TCPOPT_HAS_TS) {
        out_literal(out, comma);
        named_number(out, "TS ", entry->tsval);
        named_number(out, " ", entry->tsecr);
        comma = ",";
    }
    if (entry->options & TCPOPT_HAS_WSCALE) {
        out_literal(out, comma);
        named_number(out, "ws ", entry->wscale);
        comma = ",";
    }
    for (unsigned i = 0; i < entry->n_sacks; i++) {
        out_literal(out, comma);
        named_number(out, "sack ", entry->sacks[i].start);
        named_number(out, "-", entry->sacks[i].end);
        comma = ",";
    }
    if (entry->options & (TCPOPT_HAS_FASTOPEN | TCPOPT_HAS_FASTOPEN_EXP)) {
        out_literal(out, comma);
        out_literal(out, "tfo");
        comma = ",";
    }
    if (*comma == '\0')
        out_char(out, '-');
    out_tab(out);
}

/* One letter for each thing that befell it, for programs: see the manual. */
static void
cell_marks(OutFile *out, const TracePacket *entry)
{
    static const struct {
        uint32_t what;
        char mark;
    } marks[] = {
        { TRACE_INJECTED, 'i' },  { TRACE_COPY, 'c' },    { TRACE_RETRANSMIT, 'r' },
        { TRACE_FORWARDED, 'f' }, { TRACE_DELAYED, 'd' }, { TRACE_OVERTAKEN, 'o' },
        { TRACE_CORRUPTED, 'x' }, { TRACE_MARKED, 'e' },  { TRACE_REWRITTEN, 'w' },
        { TRACE_HELD, 'h' },      { TRACE_STRAY, 's' },
    };
    bool is_empty = true;

    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        if (entry->what & marks[i].what) {
            out_char(out, marks[i].mark);
            is_empty = false;
        }
    if (is_empty)
        out_char(out, '-');
    out_tab(out);
}

static const char *
proto_name(unsigned proto)
{
    switch (proto) {
    case IP_PROTO_TCP:
        return "tcp";
    case IP_PROTO_UDP:
        return "udp";
    case IP_PROTO_ICMP:
        return "icmp";
    default:
        return "ip";
    }
}

static const char *
link_of(const Tables *tables, const TracePacket *entry)
{
    const GPtrArray *links = recorder_net(tables->recorder)->links;

    if (entry->from_if == HOST_LOOPBACK)
        return "lo";
    return entry->link > 0 && entry->link <= links->len ? link_name(links->pdata[entry->link - 1])
                                                        : NULL;
}

void
tables_on_packet(Tables *tables, const TracePacket *entry)
{
    OutFile *out = tables_row(tables, TABLE_PACKETS);
    char flags[TRACE_FLAGS_TEXT], story[TRACE_FATE_TEXT];

    if (out == NULL)
        return;
    cell_u64(out, entry->id);
    cell_time(out, entry->sent_at);
    cell_time(out, entry->ended_at);
    cell_text(out, host_name(tables, entry->from));
    cell_text(out, host_name(tables, entry->to));
    cell_text(out, link_of(tables, entry));
    cell_endpoint(out, entry->src);
    cell_endpoint(out, entry->dst);
    cell_text(out, proto_name(entry->proto));
    cell_text(out, trace_packet_flags(entry, flags));
    cell_u64(out, entry->rel_seq);
    cell_u64(out, entry->rel_ack);
    cell_u64(out, entry->len);
    cell_u64(out, entry->wnd);
    cell_options(out, entry);
    cell_text(out, trace_packet_fate(entry));
    cell_text(out, trace_packet_story(tables->recorder, entry, story));
    cell_u64(out, entry->conn);
    cell_u64(out, entry->copy_of);
    cell_u64(out, entry->ip_len);
    cell_u64(out, entry->ip_id);
    cell_u64(out, entry->ttl);
    cell_u64(out, entry->tos & ECN_MASK);
    if (entry->what & TRACE_FRAGMENT || entry->mf) {
        named_number(out, "", entry->frag_offset);
        out_literal(out, entry->mf ? "+\t" : "\t");
    } else {
        out_literal(out, entry->df ? "DF\t" : "-\t");
    }
    cell_u64(out, entry->seq);
    cell_u64(out, entry->ack);
    cell_marks(out, entry);
    out_text(out, entry->why);
    out_char(out, '\n');
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
