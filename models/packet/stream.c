/* A stream that an application gave bytes to keeps them as runs in order of
 * offset; whatever lies between the runs is the pattern. */
#include "models/packet/stream.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "models/wire/wire.h"
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

/* The pattern is letters, so that a capture can be read: a ring of them, which a
 * stream enters at a place of its own, so that recording a bulk transfer is
 * copying. Its length is even, for the sums, and twice a prime, so that
 * datagrams of the usual sizes do not have equal bytes. */
enum {
    PATTERN_BYTES = 2 * 2053,
    PATTERN_STREAM = 1021, /* from the place of one stream to the next one's */
};

typedef struct Pattern {
    uint8_t bytes[PATTERN_BYTES];
    uint32_t sums[PATTERN_BYTES + 1]; /* of those before, the even ones as high bytes of words */
} Pattern;

static void
pattern_make(Pattern *pattern)
{
    uint64_t number = 0;

    for (size_t i = 0; i < PATTERN_BYTES; i++) {
        number += UINT64_C(0x9e3779b97f4a7c15);
        pattern->bytes[i] = (uint8_t)('a' + ((number ^ number >> 29) >> 20) % 16);
        pattern->sums[i + 1] = pattern->sums[i] + ((uint32_t)pattern->bytes[i] << (i % 2 ? 0 : 8));
    }
}

/* The same for all simulations of the process: made once, and never changed. */
static const Pattern *
pattern_get(void)
{
    static Pattern pattern;
    static gsize is_made;

    if (g_once_init_enter(&is_made)) {
        pattern_make(&pattern);
        g_once_init_leave(&is_made, 1);
    }
    return &pattern;
}

/* Returns the sum of the 16-bit words in network order (RFC 1071). */
static uint16_t
stream_pattern(uint32_t stream, uint64_t offset, uint8_t *bytes, size_t len)
{
    const Pattern *pattern = pattern_get();
    size_t at = (size_t)((offset + (uint64_t)stream * PATTERN_STREAM) % PATTERN_BYTES);
    bool is_odd = at % 2 != 0;
    uint64_t sum = 0;

    while (len > 0) {
        size_t part = MIN(len, PATTERN_BYTES - at);

        memcpy(bytes, pattern->bytes + at, part);
        sum += pattern->sums[at + part] - pattern->sums[at];
        bytes += part;
        len -= part;
        at = 0;
    }
    while (sum > UINT16_MAX)
        sum = (sum & UINT16_MAX) + (sum >> 16);
    return is_odd ? GUINT16_SWAP_LE_BE((uint16_t)sum) : (uint16_t)sum;
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

/* NULL: the whole stream is the pattern. */
static const GArray *
stream_runs_of(const StreamTable *table, uint32_t stream)
{
    if (table == NULL || g_hash_table_size(table->written) == 0)
        return NULL;
    return g_hash_table_lookup(table->written, GUINT_TO_POINTER(stream));
}

/* Runs and what lies between them. */
static void
stream_read_runs(const GArray *runs, Payload payload, uint8_t *to)
{
    uint64_t at = payload.offset, end = payload.offset + payload.len;

    for (guint i = stream_find_run(runs, at); at < end; i++) {
        uint64_t next = end, run_end = end;
        const StreamRun *run = NULL;

        if (i < runs->len) {
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

void
stream_read(const StreamTable *table, Payload payload, void *bytes)
{
    const GArray *runs = stream_runs_of(table, payload.stream);

    if (payload.stream == 0)
        memset(bytes, 0, payload.len);
    else if (runs != NULL)
        stream_read_runs(runs, payload, bytes);
    else
        stream_pattern(payload.stream, payload.offset, bytes, payload.len);
}

uint16_t
stream_read_summed(const StreamTable *table, Payload payload, void *bytes)
{
    if (payload.stream != 0 && stream_runs_of(table, payload.stream) == NULL)
        return stream_pattern(payload.stream, payload.offset, bytes, payload.len);
    stream_read(table, payload, bytes);
    return wire_sum(bytes, payload.len);
}
