#include "scenarios/runtime/captures.h"

#include <string.h>

#include "scenarios/runtime/pcapng.h"

enum {
    CAPTURES_AT_MOST = 256, /* files open at once; further interfaces have none */
    LARGEST_PACKET = 65535,
};

typedef struct Block {
    SimTime at;
    uint64_t id;
    size_t offset; /* of its bytes in Capture.bytes, counted from the first ever */
    uint32_t captured, original;
    bool is_outbound, is_ready;
    char *comment; /* owns */
} Block;

typedef struct Capture {
    OutFile *out;   /* owns; NULL: this interface has none */
    GArray *blocks; /* owns Block: those waiting, the first at `head` */
    uint32_t head;
    uint64_t first;    /* serial of blocks[0] */
    GByteArray *bytes; /* owns: of the blocks waiting */
    size_t dropped;    /* bytes already given up at the front */
} Capture;

typedef struct HostCaptures {
    GPtrArray *ifaces; /* owns Capture, by interface; NULL: not yet */
    Capture *loopback; /* owns; NULL: nothing went there */
} HostCaptures;

struct Captures {
    char *dir;                /* owns */
    const Recorder *recorder; /* borrows */
    uint32_t snaplen;
    uint64_t left; /* packets that may still be written */
    unsigned n_open;
    GPtrArray *hosts; /* owns HostCaptures, by host id - 1 */
    GError *error;    /* owns: the first */
    uint8_t packet[LARGEST_PACKET];
};

static void
capture_free(gpointer data)
{
    Capture *capture = data;

    if (capture == NULL)
        return;
    for (uint32_t i = capture->head; i < capture->blocks->len; i++)
        g_free(g_array_index(capture->blocks, Block, i).comment);
    g_array_free(capture->blocks, TRUE);
    g_byte_array_free(capture->bytes, TRUE);
    out_discard(capture->out);
    g_free(capture);
}

static void
host_captures_free(gpointer data)
{
    HostCaptures *of_host = data;

    if (of_host == NULL)
        return;
    g_ptr_array_free(of_host->ifaces, TRUE);
    capture_free(of_host->loopback);
    g_free(of_host);
}

Captures *
captures_new(const char *dir, const Recorder *recorder, uint32_t snaplen, uint64_t limit)
{
    Captures *captures = g_new0(Captures, 1);

    captures->dir = g_strdup(dir);
    captures->recorder = recorder;
    captures->snaplen = snaplen;
    captures->left = limit;
    captures->hosts = g_ptr_array_new_with_free_func(host_captures_free);
    return captures;
}

void
captures_discard(Captures *captures)
{
    if (captures == NULL)
        return;
    g_ptr_array_free(captures->hosts, TRUE);
    g_clear_error(&captures->error);
    g_free(captures->dir);
    g_free(captures);
}

/* Names come from scenarios; files stay in their folder. */
static char *
capture_file_name(const char *host, const char *iface)
{
    char *name = g_strdup_printf("%s-%s.pcapng", host, iface);

    g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '_');
    if (name[0] == '.')
        name[0] = '_';
    return name;
}

static Capture *
capture_open(Captures *captures, const char *host, const char *iface)
{
    Capture *capture = g_new0(Capture, 1);

    capture->blocks = g_array_new(FALSE, FALSE, sizeof(Block));
    capture->bytes = g_byte_array_new();
    if (captures->n_open < CAPTURES_AT_MOST) {
        char *name = capture_file_name(host, iface);

        capture->out = out_open(captures->dir, name, captures->error ? NULL : &captures->error);
        g_free(name);
    }
    if (capture->out != NULL) {
        captures->n_open++;
        pcapng_write_header(capture->out, host, iface, captures->snaplen);
    }
    return capture;
}

static HostCaptures *
captures_of_host(Captures *captures, uint32_t host_id)
{
    HostCaptures *of_host;

    if (host_id > captures->hosts->len)
        g_ptr_array_set_size(captures->hosts, (int)host_id);
    of_host = captures->hosts->pdata[host_id - 1];
    if (of_host == NULL) {
        of_host = captures->hosts->pdata[host_id - 1] = g_new0(HostCaptures, 1);
        of_host->ifaces = g_ptr_array_new_with_free_func(capture_free);
    }
    return of_host;
}

/* The capture of an interface, opened if it is not yet. NULL: none. */
static Capture *
captures_get(Captures *captures, uint32_t host_id, uint32_t index)
{
    const GPtrArray *all = recorder_net(captures->recorder)->hosts;
    const Host *host;
    HostCaptures *of_host;
    const Iface *iface;

    if (host_id == 0 || host_id > all->len)
        return NULL;
    host = all->pdata[host_id - 1];
    if (index >= host->ifaces->len && index != HOST_LOOPBACK)
        return NULL;
    of_host = captures_of_host(captures, host_id);
    if (index == HOST_LOOPBACK) {
        if (of_host->loopback == NULL)
            of_host->loopback = capture_open(captures, host->name, "lo");
        return of_host->loopback;
    }
    iface = host->ifaces->pdata[index];
    if (index >= of_host->ifaces->len)
        g_ptr_array_set_size(of_host->ifaces, (int)index + 1);
    if (of_host->ifaces->pdata[index] == NULL)
        of_host->ifaces->pdata[index] = capture_open(captures, host->name, iface->name);
    return of_host->ifaces->pdata[index];
}

/* ---- Blocks ----------------------------------------------------------------------- */

/* The block that an entry's tag names; NULL: there is none, or it is written. */
static Block *
capture_block(const Capture *capture, uint64_t tag)
{
    if (capture == NULL || tag == 0 || tag <= capture->first)
        return NULL;
    return &g_array_index(capture->blocks, Block, tag - 1 - capture->first);
}

static const uint8_t *
block_bytes(const Capture *capture, const Block *block)
{
    return capture->bytes->data + (block->offset - capture->dropped);
}

/* Takes the block's bytes; returns the tag by which the entry finds it again:
 * serial + 1. */
static uint64_t
capture_append(Captures *captures, Capture *capture, Block block, const uint8_t *bytes)
{
    captures->left--;
    block.offset = capture->dropped + capture->bytes->len;
    g_byte_array_append(capture->bytes, bytes, block.captured);
    g_array_append_val(capture->blocks, block);
    return capture->first + capture->blocks->len;
}

static bool
capture_is_open(const Captures *captures, const Capture *capture)
{
    return capture != NULL && capture->out != NULL && captures->left > 0;
}

static uint64_t
capture_add(Captures *captures, Capture *capture, SimTime at, bool is_outbound,
            const Packet *packet)
{
    const Net *net = recorder_net(captures->recorder);
    Block block = { .at = at, .id = packet->id, .is_outbound = is_outbound };

    if (!capture_is_open(captures, capture))
        return 0;
    block.original = packet_render(&net->packets, packet, captures->packet, LARGEST_PACKET);
    block.captured = MIN(block.original, captures->snaplen ? captures->snaplen : LARGEST_PACKET);
    return capture_append(captures, capture, block, captures->packet);
}

/* What came out of the link as it went in has the same bytes. */
static uint64_t
capture_add_same(Captures *captures, Capture *capture, SimTime at, const Capture *from,
                 const Block *sent)
{
    Block block = *sent;

    if (!capture_is_open(captures, capture))
        return 0;
    block.at = at;
    block.is_outbound = false;
    return capture_append(captures, capture, block, block_bytes(from, sent));
}

/* Forgets what was written, once it is more than what waits. */
static void
capture_compact(Capture *capture)
{
    size_t keep_from;

    if (capture->head < 64 || capture->head * 2 < capture->blocks->len)
        return;
    keep_from = capture->head < capture->blocks->len
                    ? g_array_index(capture->blocks, Block, capture->head).offset
                    : capture->dropped + capture->bytes->len;
    g_byte_array_remove_range(capture->bytes, 0, (unsigned)(keep_from - capture->dropped));
    capture->dropped = keep_from;
    g_array_remove_range(capture->blocks, 0, capture->head);
    capture->first += capture->head;
    capture->head = 0;
}

static void
capture_write_ready(Capture *capture, bool is_over)
{
    while (capture->head < capture->blocks->len) {
        Block *block = &g_array_index(capture->blocks, Block, capture->head);
        PcapngPacket packet = {
            .at = block->at,
            .id = block->id,
            .bytes = block_bytes(capture, block),
            .captured = block->captured,
            .original = block->original,
            .is_outbound = block->is_outbound,
            .comment = block->comment,
        };

        if (!block->is_ready && !is_over)
            break;
        pcapng_write_packet(capture->out, &packet);
        g_free(block->comment);
        block->comment = NULL;
        capture->head++;
    }
    capture_compact(capture);
}

static void
capture_close_block(Capture *capture, uint64_t tag, const char *comment)
{
    Block *block = capture_block(capture, tag);

    if (block == NULL)
        return;
    block->comment = g_strdup(comment);
    block->is_ready = true;
    capture_write_ready(capture, false);
}

/* ---- What the recorder tells -------------------------------------------------------- */

void
captures_on_sent(Captures *captures, TracePacket *entry, const Packet *packet)
{
    /* A copy that the network made never left the sender. */
    if (!(entry->what & TRACE_COPY))
        entry->tags[0] = capture_add(captures, captures_get(captures, entry->from, entry->from_if),
                                     entry->sent_at, true, packet);
}

void
captures_on_arrived(Captures *captures, TracePacket *entry, const Packet *packet)
{
    const uint32_t changed = TRACE_CORRUPTED | TRACE_MARKED | TRACE_REWRITTEN;
    Capture *there = captures_get(captures, entry->to, entry->to_if);
    Capture *here = captures_get(captures, entry->from, entry->from_if);
    const Block *sent = entry->what & changed ? NULL : capture_block(here, entry->tags[0]);

    if (entry->to_if == HOST_LOOPBACK) /* as on Linux, what goes over "lo" is captured once */
        return;
    if (sent != NULL)
        entry->tags[1] = capture_add_same(captures, there, entry->ended_at, here, sent);
    else
        entry->tags[1] = capture_add(captures, there, entry->ended_at, false, packet);
}

/* "#12 arrived at server after 20ms; ...". For each packet: not worth a printf. Owned by the
 * caller. */
static char *
comment_of(const Captures *captures, const TracePacket *entry)
{
    const char *there = recorder_host_name(captures->recorder, entry->to);
    char story[TRACE_FATE_TEXT], after[SIM_TIME_TEXT], digits[24], *number = digits + sizeof digits;

    trace_packet_story(captures->recorder, entry, story);
    *--number = '\0';
    for (uint64_t id = entry->id; id > 0 || *number == '\0'; id /= 10)
        *--number = (char)('0' + id % 10);
    if (!(entry->what & TRACE_ARRIVED))
        return g_strconcat("#", number, " ", story, NULL);
    sim_time_format(entry->ended_at - entry->sent_at, after);
    return g_strconcat("#", number, " arrived at ", there, " after ", after,
                       *story != '\0' ? "; " : "", story, NULL);
}

void
captures_on_closed(Captures *captures, const TracePacket *entry)
{
    char *comment;

    if (entry->tags[0] == 0 && entry->tags[1] == 0)
        return;
    comment = comment_of(captures, entry);
    if (entry->tags[0] != 0)
        capture_close_block(captures_get(captures, entry->from, entry->from_if), entry->tags[0],
                            comment);
    if (entry->tags[1] != 0)
        capture_close_block(captures_get(captures, entry->to, entry->to_if), entry->tags[1],
                            comment);
    g_free(comment);
}

static void
captures_open_silent(Captures *captures)
{
    const GPtrArray *hosts = recorder_net(captures->recorder)->hosts;

    for (unsigned i = 0; i < hosts->len; i++) {
        const Host *host = hosts->pdata[i];

        for (unsigned j = 0; j < host->ifaces->len; j++)
            if (((const Iface *)host->ifaces->pdata[j])->link != NULL)
                captures_get(captures, i + 1, j);
    }
}

static void
capture_finish(Capture *capture, GError **first)
{
    if (capture == NULL || capture->out == NULL)
        return;
    capture_write_ready(capture, true);
    out_close(g_steal_pointer(&capture->out), *first ? NULL : first);
}

bool
captures_finish(Captures *captures, GError **error)
{
    GError *first;

    captures_open_silent(captures);
    first = g_steal_pointer(&captures->error);
    for (unsigned i = 0; i < captures->hosts->len; i++) {
        const HostCaptures *of_host = captures->hosts->pdata[i];

        for (unsigned j = 0; of_host != NULL && j < of_host->ifaces->len; j++)
            capture_finish(of_host->ifaces->pdata[j], &first);
        if (of_host != NULL)
            capture_finish(of_host->loopback, &first);
    }
    captures_discard(captures);
    if (first != NULL) {
        g_propagate_error(error, first);
        return false;
    }
    return true;
}
