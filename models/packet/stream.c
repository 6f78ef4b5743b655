/* A stream that an application gave bytes to keeps them as runs in order of
 * offset; whatever lies between the runs is the pattern. */
#include "models/packet/stream.h"

#include <glib.h>
#include <string.h>

#include "sim/check.h"

typedef struct StreamRun {
    uint64_t offset;
    GByteArray *bytes; /* owns */
} StreamRun;

struct StreamTable {
    uint32_t last_id;
    GHashTable *written; /* owns: id -> GArray of StreamRun; looked up, never walked */
};

static void
stream_run_clear(void *run)
{
    g_byte_array_unref(((StreamRun *)run)->bytes);
}

static void
stream_runs_free(void *runs)
{
    g_array_unref(runs);
}

StreamTable *
stream_table_new(void)
{
    StreamTable *table = g_new0(StreamTable, 1);

    table->written = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, stream_runs_free);
    return table;
}

void
stream_table_free(StreamTable *table)
{
    if (table == NULL)
        return;
    g_hash_table_unref(table->written);
    g_free(table);
}

uint32_t
stream_new_id(StreamTable *table)
{
    sim_check(table->last_id < UINT32_MAX);
    return ++table->last_id;
}

static GArray *
stream_runs(StreamTable *table, uint32_t stream)
{
    GArray *runs = g_hash_table_lookup(table->written, GUINT_TO_POINTER(stream));

    if (runs == NULL) {
        runs = g_array_new(FALSE, FALSE, sizeof(StreamRun));
        g_array_set_clear_func(runs, stream_run_clear);
        g_hash_table_insert(table->written, GUINT_TO_POINTER(stream), runs);
    }
    return runs;
}

void
stream_write(StreamTable *table, uint32_t stream, uint64_t offset, const void *bytes, size_t len)
{
    sim_check(stream != 0 && stream <= table->last_id);
    if (len == 0)
        return;

    GArray *runs = stream_runs(table, stream);
    uint64_t end = 0;
    if (runs->len > 0) {
        StreamRun *last = &g_array_index(runs, StreamRun, runs->len - 1);
        end = last->offset + last->bytes->len;
    }
    sim_check(offset >= end);
    if (runs->len == 0 || offset > end) {
        StreamRun run = { .offset = offset, .bytes = g_byte_array_new() };
        g_array_append_val(runs, run);
    }
    StreamRun *run = &g_array_index(runs, StreamRun, runs->len - 1);
    g_byte_array_append(run->bytes, bytes, (guint)len);
}

/* The pattern is letters, so that a capture can be read: eight bytes from one
 * number, which grows by a constant from block to block, so that recording a
 * bulk transfer stays cheap. */
#define PATTERN_STEP   UINT64_C(0x9e3779b97f4a7c15)
#define PATTERN_STREAM UINT64_C(0xd1b54a32d192ed03)

static inline uint64_t
stream_pattern_letters(uint64_t number)
{
    number ^= number >> 29;
    return GUINT64_TO_LE((number & UINT64_C(0x0f0f0f0f0f0f0f0f)) + UINT64_C(0x6161616161616161));
}

static void
stream_pattern(uint32_t stream, uint64_t offset, uint8_t *bytes, size_t len)
{
    uint64_t number = (offset / 8 + 1) * PATTERN_STEP + stream * PATTERN_STREAM;
    size_t skip = offset % 8;

    if (skip > 0) {
        uint64_t letters = stream_pattern_letters(number);
        size_t part = MIN(8 - skip, len);
        memcpy(bytes, (uint8_t *)&letters + skip, part);
        bytes += part;
        len -= part;
        number += PATTERN_STEP;
    }
    for (; len >= 8; len -= 8, bytes += 8, number += PATTERN_STEP) {
        uint64_t letters = stream_pattern_letters(number);
        memcpy(bytes, &letters, 8);
    }
    uint64_t letters = stream_pattern_letters(number);
    memcpy(bytes, &letters, len);
}

/* The first run that ends after `offset`. */
static guint
stream_find_run(const GArray *runs, uint64_t offset)
{
    guint low = 0, high = runs->len;

    while (low < high) {
        guint middle = (low + high) / 2;
        const StreamRun *run = &g_array_index(runs, StreamRun, middle);
        if (run->offset + run->bytes->len > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void
stream_read(const StreamTable *table, Payload payload, void *bytes)
{
    const GArray *runs = NULL;
    uint8_t *to = bytes;
    uint64_t at = payload.offset, end = payload.offset + payload.len;

    if (payload.stream == 0) {
        memset(bytes, 0, payload.len);
        return;
    }
    if (table != NULL)
        runs = g_hash_table_lookup(table->written, GUINT_TO_POINTER(payload.stream));
    for (guint i = runs != NULL ? stream_find_run(runs, at) : 0; at < end; i++) {
        uint64_t next = end, run_end = end;
        const StreamRun *run = NULL;

        if (runs != NULL && i < runs->len) {
            run = &g_array_index(runs, StreamRun, i);
            next = CLAMP(run->offset, at, end);
            run_end = MIN(end, run->offset + run->bytes->len);
        }
        stream_pattern(payload.stream, at, to, next - at);
        to += next - at;
        at = next;
        if (at < run_end) {
            memcpy(to, run->bytes->data + (at - run->offset), run_end - at);
            to += run_end - at;
            at = run_end;
        }
    }
}
