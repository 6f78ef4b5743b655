#include "scenarios/runtime/packet_rows.h"

#include <string.h>

#include "models/link/link.h"
#include "sim/check.h"

enum { LANES = 256 }; /* a power of two */

enum { CELLS_ROOM = 32 };

/* Some cells as they were written last, for as long as what they tell stays the same. */
typedef struct Cells {
    uint64_t told;
    uint8_t len; /* 0: none were */
    char text[CELLS_ROOM];
} Cells;

/* The cells "from" to "proto" of packets that go one way between two endpoints
 * over one link, and those of the last of them that are likely to come again.
 * Each lane has one place, where it displaces another. */
typedef struct Lane {
    Endpoint src, dst;
    uint16_t from, to, from_if, link;
    uint8_t proto;
    Cells timestamps;  /* "options", of packets with these and no others */
    Cells sizes;       /* "conn" to "ip_len", of what is no copy and no fragment */
    Cells hops;        /* "ttl" to "frag", of the same */
    const char *why;   /* borrows: static text */
    GString *text;     /* owns; NULL: the place is free */
    GString *why_text; /* owns */
} Lane;

struct PacketRows {
    const Recorder *recorder; /* borrows */
    Lane lanes[LANES];
};

PacketRows *
packet_rows_new(const Recorder *recorder)
{
    PacketRows *rows = g_new0(PacketRows, 1);

    rows->recorder = recorder;
    return rows;
}

void
packet_rows_free(PacketRows *rows)
{
    if (rows == NULL)
        return;
    for (unsigned i = 0; i < LANES; i++) {
        if (rows->lanes[i].text == NULL)
            continue;
        g_string_free(rows->lanes[i].text, TRUE);
        g_string_free(rows->lanes[i].why_text, TRUE);
    }
    g_free(rows);
}

/* ---- What is formatted once -------------------------------------------------------- */

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
link_of(const PacketRows *rows, const TracePacket *entry)
{
    const GPtrArray *links = recorder_net(rows->recorder)->links;

    if (entry->from_if == HOST_LOOPBACK)
        return "lo";
    return entry->link > 0 && entry->link <= links->len ? link_name(links->pdata[entry->link - 1])
                                                        : NULL;
}

/* The text as out_text() writes it, and what ends its cell. */
static void
append_cell(GString *row, const char *text, char end)
{
    size_t at = row->len;

    g_string_append(row, text == NULL || *text == '\0' ? "-" : text);
    for (; at < row->len; at++)
        row->str[at] = (char)MAX((unsigned char)row->str[at], ' ');
    g_string_append_c(row, end);
}

static void
append_endpoint(GString *row, Endpoint endpoint)
{
    char text[ENDPOINT_TEXT];

    g_string_append_len(row, text, put_endpoint(text, endpoint) - text);
    g_string_append_c(row, '\t');
}

static bool
lane_is_of(const Lane *lane, const TracePacket *entry)
{
    return lane->text != NULL && endpoint_equal(lane->src, entry->src) &&
           endpoint_equal(lane->dst, entry->dst) && lane->from == entry->from &&
           lane->to == entry->to && lane->from_if == entry->from_if && lane->link == entry->link &&
           lane->proto == entry->proto;
}

static void
lane_become(const PacketRows *rows, Lane *lane, const TracePacket *entry)
{
    GString *text = lane->text ? lane->text : g_string_new(NULL);
    GString *why_text = lane->text ? lane->why_text : g_string_new(NULL);

    *lane = (Lane){ .src = entry->src,
                    .dst = entry->dst,
                    .from = entry->from,
                    .to = entry->to,
                    .from_if = entry->from_if,
                    .link = entry->link,
                    .proto = entry->proto,
                    .text = g_string_truncate(text, 0),
                    .why_text = g_string_assign(why_text, "-\n") };
    append_cell(text, recorder_host_name(rows->recorder, entry->from), '\t');
    append_cell(text, recorder_host_name(rows->recorder, entry->to), '\t');
    append_cell(text, link_of(rows, entry), '\t');
    append_endpoint(text, entry->src);
    append_endpoint(text, entry->dst);
    append_cell(text, proto_name(entry->proto), '\t');
}

static Lane *
lane_of(PacketRows *rows, const TracePacket *entry)
{
    uint64_t hash = (entry->src.addr.lo ^ entry->dst.addr.lo * 3) + entry->src.port * 5u +
                    entry->dst.port * 7u + entry->link * 11u + entry->from * 13u;
    Lane *lane = &rows->lanes[(hash ^ hash >> 8) % LANES];

    if (!lane_is_of(lane, entry))
        lane_become(rows, lane, entry);
    if (lane->why != entry->why) {
        lane->why = entry->why;
        append_cell(g_string_truncate(lane->why_text, 0), entry->why, '\n');
    }
    return lane;
}

/* ---- Cells: each writes at `to` and returns the end of what it wrote --------------- */

static inline char *
cell_u64(char *to, uint64_t value)
{
    to = digits_put(to, value);
    *to = '\t';
    return to + 1;
}

static inline char *
cell_time(char *to, SimTime time)
{
    to = put_time(to, time);
    *to = '\t';
    return to + 1;
}

/* For words of ours: short and printable. */
static inline char *
cell_word(char *to, const char *word)
{
    to = stpcpy(to, word);
    *to = '\t';
    return to + 1;
}

/* A word that is a constant here. */
#define CELL_LITERAL(to, word) ((char *)memcpy(to, word "\t", sizeof word) + sizeof word)

static inline char *
cells_again(char *to, const Cells *cells)
{
    memcpy(to, cells->text, CELLS_ROOM); /* of a fixed size: faster */
    return to + cells->len;
}

static void
cells_keep(Cells *cells, uint64_t told, const char *from, const char *to)
{
    sim_check(to - from <= CELLS_ROOM);
    cells->told = told;
    cells->len = (uint8_t)(to - from);
    memcpy(cells->text, from, cells->len);
}

static inline char *
put_named(char *to, const char *name, uint64_t value)
{
    return digits_put(stpcpy(to, name), value);
}

/* "mss 1460,sackOK,TS 1 0,ws 7,sack 10-20,tfo": each with a comma, the last of
 * which becomes the tab. */
static char *
cell_all_options(char *to, const TracePacket *entry)
{
    const char *began = to;

    if (entry->options & TCPOPT_HAS_MSS) {
        to = put_named(to, "mss ", entry->mss);
        *to++ = ',';
    }
    if (entry->options & TCPOPT_HAS_SACK_OK)
        to = stpcpy(to, "sackOK,");
    if (entry->options & TCPOPT_HAS_TS) {
        to = put_named(to, "TS ", entry->tsval);
        to = put_named(to, " ", entry->tsecr);
        *to++ = ',';
    }
    if (entry->options & TCPOPT_HAS_WSCALE) {
        to = put_named(to, "ws ", entry->wscale);
        *to++ = ',';
    }
    for (unsigned i = 0; i < entry->n_sacks; i++) {
        to = put_named(to, "sack ", entry->sacks[i].start);
        to = put_named(to, "-", entry->sacks[i].end);
        *to++ = ',';
    }
    if (entry->options & (TCPOPT_HAS_FASTOPEN | TCPOPT_HAS_FASTOPEN_EXP))
        to = stpcpy(to, "tfo,");
    if (to == began)
        return cell_word(to, "-");
    to[-1] = '\t';
    return to;
}

/* Timestamps tick once for many packets. */
static inline char *
cell_options(char *to, Cells *timestamps, const TracePacket *entry)
{
    uint64_t both = (uint64_t)entry->tsval << 32 | entry->tsecr;
    char *end;

    if (entry->options != TCPOPT_HAS_TS || entry->n_sacks > 0)
        return cell_all_options(to, entry);
    if (timestamps->len > 0 && timestamps->told == both)
        return cells_again(to, timestamps);
    end = cell_all_options(to, entry);
    cells_keep(timestamps, both, to, end);
    return end;
}

/* One letter for each thing that befell it, for programs: see the manual. */
static char *
cell_marks(char *to, const TracePacket *entry)
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
    const uint32_t unmarked = TRACE_LOST | TRACE_ARRIVED | TRACE_CONSUMED | TRACE_REFUSED |
                              TRACE_CLOSED | TRACE_QUEUED | TRACE_FRAGMENT;
    const char *began = to;

    if (entry->what & ~unmarked)
        for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
            if (entry->what & marks[i].what)
                *to++ = marks[i].mark;
    if (to == began)
        *to++ = '-';
    *to = '\t';
    return to + 1;
}

static char *
cell_fragment(char *to, const TracePacket *entry)
{
    if (!(entry->what & TRACE_FRAGMENT) && !entry->mf)
        return cell_word(to, entry->df ? "DF" : "-");
    to = digits_put(to, entry->frag_offset);
    return cell_word(to, entry->mf ? "+" : "");
}

/* ---- A row -------------------------------------------------------------------------- */

static char *
put_when(char *to, const TracePacket *entry)
{
    to = cell_u64(to, entry->id);
    to = cell_time(to, entry->sent_at);
    return cell_time(to, entry->ended_at);
}

static inline char *
cell_flags(char *to, const TracePacket *entry)
{
    char flags[TRACE_FLAGS_TEXT];

    if (entry->proto == IP_PROTO_TCP && entry->flags == TCP_ACK && !(entry->what & TRACE_FRAGMENT))
        return CELL_LITERAL(to, "ACK"); /* as most */
    return cell_word(to, trace_packet_flags(entry, flags));
}

static inline char *
cell_fate(char *to, const TracePacket *entry)
{
    if ((entry->what & (TRACE_ARRIVED | TRACE_LOST | TRACE_REFUSED)) == TRACE_ARRIVED)
        return CELL_LITERAL(to, "arrived");
    return cell_word(to, trace_packet_fate(entry));
}

static char *
put_segment(char *to, Lane *lane, const TracePacket *entry)
{
    to = cell_flags(to, entry);
    to = cell_u64(to, entry->rel_seq);
    to = cell_u64(to, entry->rel_ack);
    to = cell_u64(to, entry->len);
    to = cell_u64(to, entry->wnd);
    to = cell_options(to, &lane->timestamps, entry);
    return cell_fate(to, entry);
}

static char *
put_sizes(char *to, const TracePacket *entry)
{
    to = cell_u64(to, entry->conn);
    to = cell_u64(to, entry->copy_of);
    return cell_u64(to, entry->ip_len);
}

static char *
put_hops(char *to, const TracePacket *entry)
{
    to = cell_u64(to, entry->ttl);
    to = cell_u64(to, entry->tos & ECN_MASK);
    return cell_fragment(to, entry);
}

/* "conn" to "frag": most packets of a lane differ in "ip_id" alone. */
static char *
put_ip(char *to, Lane *lane, const TracePacket *entry)
{
    uint64_t told = (uint64_t)entry->conn << 32 | (uint64_t)entry->ip_len << 16 |
                    (uint64_t)entry->ttl << 8 | (uint64_t)(entry->tos & ECN_MASK) << 1 | entry->df;
    bool is_plain = entry->copy_of == 0 && !entry->mf && !(entry->what & TRACE_FRAGMENT);
    const char *began = to;

    if (is_plain && lane->hops.len > 0 && lane->hops.told == told) {
        to = cells_again(to, &lane->sizes);
        to = cell_u64(to, entry->ip_id);
        return cells_again(to, &lane->hops);
    }
    to = put_sizes(to, entry);
    if (is_plain)
        cells_keep(&lane->sizes, told, began, to);
    began = to = cell_u64(to, entry->ip_id);
    to = put_hops(to, entry);
    if (is_plain)
        cells_keep(&lane->hops, told, began, to);
    return to;
}

void
packet_rows_write(PacketRows *rows, OutFile *out, const TracePacket *entry)
{
    Lane *lane = lane_of(rows, entry);
    char story[TRACE_FATE_TEXT], *to;

    out_wrote(out, put_when(out_room(out), entry));
    out_bytes(out, lane->text->str, lane->text->len);
    out_wrote(out, put_segment(out_room(out), lane, entry));
    out_text(out, trace_packet_story(rows->recorder, entry, story));
    out_tab(out);
    to = put_ip(out_room(out), lane, entry);
    to = cell_u64(to, entry->seq);
    to = cell_u64(to, entry->ack);
    out_wrote(out, cell_marks(to, entry));
    out_bytes(out, lane->why_text->str, lane->why_text->len);
}
