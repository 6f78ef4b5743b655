#include "scenarios/runtime/captures.h"

#include <string.h>

#include "models/packet/image.h"
#include "scenarios/runtime/pcapng.h"
#include "sim/pool.h"

enum {
    CAPTURES_AT_MOST = 256, /* files open at once; further interfaces have none */
    LARGEST_PACKET = 65535,
    COMMENT_INSIDE = 64, /* longer ones are kept outside of the Shot */
    NAME_MOST = 255,     /* of a host: those with a capture, whose name is a file's, are shorter */
};

typedef struct Capture Capture;
typedef struct Shot Shot;

/* A packet's place in one capture. */
typedef struct Block {
    struct Block *next; /* of the capture's, in order of time */
    Capture *capture;   /* borrows */
    SimTime at;
    bool is_outbound;
    uint8_t index; /* in its Shot */
} Block;

/* A packet that waits to be written: where it was sent and, if it came out of the
 * link as it went in, where it arrived. Goes back to the pool with the last block. */
struct Shot {
    SIM_LINE_ALIGNED Block blocks[2]; /* first: shot_of_block() */
    uint64_t id;
    char *long_comment; /* owns; NULL: it is in `comment` */
    uint16_t comment_len;
    uint8_t n_blocks, n_written;
    bool is_ready; /* its fate is known */
    PacketImage image;
    char comment[COMMENT_INSIDE];
};

struct Capture {
    OutFile *out;        /* owns; NULL: this interface has none */
    Block *first, *last; /* those that wait; borrows */
};

typedef struct HostCaptures {
    GPtrArray *ifaces; /* owns Capture, by interface; NULL: not yet */
    char *arrived;     /* owns: " arrived at server after " */
    size_t arrived_len;
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
    SimArena arena;   /* of the shots */
    SimPool shots;    /* Shot */
};

/* ---- Shots -------------------------------------------------------------------------- */

static Shot *
shot_new(Captures *captures, const Packet *packet)
{
    Shot *shot = sim_pool_get(&captures->shots);

    shot->n_blocks = shot->n_written = 0;
    shot->is_ready = false;
    shot->comment_len = 0;
    shot->long_comment = NULL;
    shot->id = packet->id;
    packet_image_take(&shot->image, &recorder_net(captures->recorder)->packets, packet);
    return shot;
}

static void
shot_free(Captures *captures, Shot *shot)
{
    packet_image_done(&shot->image);
    g_free(shot->long_comment);
    sim_pool_put(&captures->shots, shot);
}

static Shot *
shot_of_block(Block *block)
{
    return (Shot *)(block - block->index);
}

static void
shot_add_block(Shot *shot, Capture *capture, SimTime at, bool is_outbound)
{
    Block *block = &shot->blocks[shot->n_blocks++];

    *block = (Block){
        .capture = capture, .at = at, .is_outbound = is_outbound, .index = shot->n_blocks - 1
    };
    if (capture->last != NULL)
        capture->last->next = block;
    else
        capture->first = block;
    capture->last = block;
}

/* The next one was put aside milliseconds ago: its memory may come while this
 * one is being written. */
static Block *
capture_take_first(Capture *capture)
{
    Block *block = capture->first, *next = block->next;

    capture->first = next;
    if (next == NULL)
        capture->last = NULL;
    else
        for (size_t at = 0; at < sizeof(Shot); at += SIM_LINE)
            __builtin_prefetch((char *)next + at);
    return block;
}

static void
block_done(Captures *captures, Block *block)
{
    Shot *shot = shot_of_block(block);

    if (++shot->n_written == shot->n_blocks)
        shot_free(captures, shot);
}

static void
shot_is_ready(Shot *shot, const char *comment, size_t len)
{
    char *to = shot->comment;

    if (len > COMMENT_INSIDE)
        to = shot->long_comment = g_malloc(len);
    memcpy(to, comment, len);
    shot->comment_len = (uint16_t)len;
    shot->is_ready = true;
}

/* ---- Files ---------------------------------------------------------------------------- */

static void
capture_free(gpointer data)
{
    Capture *capture = data;

    if (capture == NULL)
        return;
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
    g_free(of_host->arrived);
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
    sim_arena_init(&captures->arena);
    sim_pool_init(&captures->shots, &captures->arena, sizeof(Shot));
    return captures;
}

/* What waits in a capture is not written. */
static void
capture_forget(Captures *captures, Capture *capture)
{
    while (capture != NULL && capture->first != NULL)
        block_done(captures, capture_take_first(capture));
}

static void
captures_forget(Captures *captures)
{
    for (unsigned i = 0; i < captures->hosts->len; i++) {
        const HostCaptures *of_host = captures->hosts->pdata[i];

        for (unsigned j = 0; of_host != NULL && j < of_host->ifaces->len; j++)
            capture_forget(captures, of_host->ifaces->pdata[j]);
        if (of_host != NULL)
            capture_forget(captures, of_host->loopback);
    }
}

void
captures_discard(Captures *captures)
{
    if (captures == NULL)
        return;
    captures_forget(captures);
    g_ptr_array_free(captures->hosts, TRUE);
    sim_arena_done(&captures->arena);
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
host_captures_new(Captures *captures, uint32_t host_id)
{
    HostCaptures *of_host = g_new0(HostCaptures, 1);

    of_host->ifaces = g_ptr_array_new_with_free_func(capture_free);
    of_host->arrived = g_strdup_printf(" arrived at %.*s after ", NAME_MOST,
                                       recorder_host_name(captures->recorder, host_id));
    of_host->arrived_len = strlen(of_host->arrived);
    if (host_id >= captures->hosts->len)
        g_ptr_array_set_size(captures->hosts, (int)host_id + 1);
    captures->hosts->pdata[host_id] = of_host;
    return of_host;
}

static HostCaptures *
captures_of_host(Captures *captures, uint32_t host_id)
{
    if (host_id < captures->hosts->len && captures->hosts->pdata[host_id] != NULL)
        return captures->hosts->pdata[host_id];
    return host_captures_new(captures, host_id);
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

static void
block_write(Captures *captures, Block *block)
{
    Shot *shot = shot_of_block(block);
    const StreamTable *streams = recorder_net(captures->recorder)->packets.streams;
    uint32_t len = shot->image.len;
    PcapngPacket packet = {
        .at = block->at,
        .id = shot->id,
        .captured = MIN(len, captures->snaplen ? captures->snaplen : LARGEST_PACKET),
        .original = len,
        .is_outbound = block->is_outbound,
        .comment = shot->long_comment ? shot->long_comment : shot->comment,
        .comment_len = shot->comment_len,
    };
    uint8_t *to = pcapng_begin_packet(block->capture->out, &packet);

    packet_image_render(&shot->image, streams, to, packet.captured);
    pcapng_end_packet(block->capture->out, &packet);
}

static void
capture_write_ready(Captures *captures, Capture *capture, bool is_over)
{
    while (capture->first != NULL && (shot_of_block(capture->first)->is_ready || is_over)) {
        Block *block = capture_take_first(capture);

        block_write(captures, block);
        block_done(captures, block);
    }
}

/* ---- What the recorder tells -------------------------------------------------------- */

static bool
capture_takes(Captures *captures, const Capture *capture)
{
    if (capture == NULL || capture->out == NULL || captures->left == 0)
        return false;
    captures->left--;
    return true;
}

static uint64_t
captures_add(Captures *captures, Capture *capture, SimTime at, bool is_outbound,
             const Packet *packet)
{
    Shot *shot;

    if (!capture_takes(captures, capture))
        return 0;
    shot = shot_new(captures, packet);
    shot_add_block(shot, capture, at, is_outbound);
    return (uintptr_t)shot;
}

/* The shot that an entry's tag names; NULL: none. */
static Shot *
shot_of(uint64_t tag)
{
    return (Shot *)(uintptr_t)tag;
}

void
captures_on_sent(Captures *captures, TracePacket *entry, const Packet *packet)
{
    /* A copy that the network made never left the sender. */
    if (!(entry->what & TRACE_COPY))
        entry->tags[0] = captures_add(captures, captures_get(captures, entry->from, entry->from_if),
                                      entry->sent_at, true, packet);
}

void
captures_on_arrived(Captures *captures, TracePacket *entry, const Packet *packet)
{
    const uint32_t changed = TRACE_CORRUPTED | TRACE_MARKED | TRACE_REWRITTEN;
    Capture *there = captures_get(captures, entry->to, entry->to_if);
    Shot *sent = entry->what & changed ? NULL : shot_of(entry->tags[0]);

    if (entry->to_if == HOST_LOOPBACK) /* as on Linux, what goes over "lo" is captured once */
        return;
    if (sent == NULL || sent->n_blocks == G_N_ELEMENTS(sent->blocks))
        entry->tags[1] = captures_add(captures, there, entry->ended_at, false, packet);
    else if (capture_takes(captures, there))
        shot_add_block(sent, there, entry->ended_at, false);
}

/* "#12 arrived at server after 20ms; ...". For each packet: not worth a printf.
 * Returns the length. */
static size_t
write_comment(Captures *captures, const TracePacket *entry, char text[PCAPNG_COMMENT_MOST])
{
    char story[TRACE_FATE_TEXT], *to = text;
    bool has_arrived = (entry->what & TRACE_ARRIVED) != 0;

    trace_packet_story(captures->recorder, entry, story);
    *to++ = '#';
    to = digits_put(to, entry->id);
    if (has_arrived) {
        const HostCaptures *there = captures_of_host(captures, entry->to);

        memcpy(to, there->arrived, there->arrived_len);
        to += there->arrived_len;
        to = sim_time_put(to, entry->ended_at - entry->sent_at);
    }
    if (*story != '\0')
        to = stpcpy(stpcpy(to, has_arrived ? "; " : " "), story);
    return (size_t)(to - text);
}

static void
shot_close(Captures *captures, Shot *shot, const char *comment, size_t len)
{
    Capture *in[2] = { NULL };

    for (unsigned i = 0; i < shot->n_blocks; i++)
        in[i] = shot->blocks[i].capture;
    shot_is_ready(shot, comment, len);
    for (unsigned i = 0; i < G_N_ELEMENTS(in) && in[i] != NULL;
         i++) /* the shot may go with the first */
        capture_write_ready(captures, in[i], false);
}

void
captures_on_closed(Captures *captures, const TracePacket *entry)
{
    Shot *sent = shot_of(entry->tags[0]), *arrived = shot_of(entry->tags[1]);
    char comment[PCAPNG_COMMENT_MOST];
    size_t len;

    if (sent == NULL && arrived == NULL)
        return;
    len = write_comment(captures, entry, comment);
    if (sent != NULL)
        shot_close(captures, sent, comment, len);
    if (arrived != NULL)
        shot_close(captures, arrived, comment, len);
}

/* ---- The end -------------------------------------------------------------------------- */

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
capture_finish(Captures *captures, Capture *capture, GError **first)
{
    if (capture == NULL || capture->out == NULL)
        return;
    capture_write_ready(captures, capture, true);
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
            capture_finish(captures, of_host->ifaces->pdata[j], &first);
        if (of_host != NULL)
            capture_finish(captures, of_host->loopback, &first);
    }
    captures_discard(captures);
    if (first != NULL) {
        g_propagate_error(error, first);
        return false;
    }
    return true;
}
