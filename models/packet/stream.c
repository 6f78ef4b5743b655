/* A stream that an application gave bytes to keeps them as runs in order of
 * offset; whatever lies between the runs is the pattern. */
#include "models/packet/stream.h"

#include <glib.h>
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

/* The pattern is letters, so that a capture can be read: eight bytes from one
 * number, which grows by a constant from block to block, so that recording a
 * bulk transfer stays cheap. */
#define PATTERN_STEP   UINT64_C(0x9e3779b97f4a7c15)
#define PATTERN_STREAM UINT64_C(0xd1b54a32d192ed03)
#define PATTERN_LETTER UINT64_C(0x6161616161616161) /* 'a' */

enum {
    PATTERN_BLOCK = 8,
    PATTERN_ROW = 16, /* blocks whose nibbles add up without a carry out of 64 bits */
};

/* Two blocks side by side, for the compiler's vector instructions. */
typedef uint64_t PatternPair __attribute__((vector_size(2 * PATTERN_BLOCK)));

/* Which letter after 'a' each byte is: 0 to 15. A macro, since it is asked of both types. */
#define PATTERN_NIBBLES(number) (((number) ^ (number) >> 29) & UINT64_C(0x0f0f0f0f0f0f0f0f))

/* Sums of 16-bit words stay equal, as one's complement numbers, when what is
 * above is added below. */
static inline uint64_t
halves(uint64_t sum)
{
    return (sum & UINT32_MAX) + (sum >> 32);
}

/* Bytes [skip, skip + len) of one block; their sum as that of pattern_pairs(). */
static uint64_t
pattern_part(uint64_t number, size_t skip, uint8_t *bytes, size_t len)
{
    uint64_t letters = (PATTERN_NIBBLES(number) + PATTERN_LETTER) >> 8 * skip, stored;

    if (len < PATTERN_BLOCK)
        letters &= (UINT64_C(1) << 8 * len) - 1;
    stored = GUINT64_TO_LE(letters);
    memcpy(bytes, &stored, len);
    return halves(letters);
}

static inline void
pattern_put_pair(PatternPair letters, uint8_t *bytes)
{
    letters[0] = GUINT64_TO_LE(letters[0]);
    letters[1] = GUINT64_TO_LE(letters[1]);
    memcpy(bytes, &letters, sizeof letters);
}

/* At most PATTERN_ROW / 2 pairs; their sum without the letter 'a'. */
static inline uint64_t
pattern_row(PatternPair numbers, uint8_t *bytes, size_t pairs)
{
    PatternPair sum = { 0 };

    for (size_t i = 0; i < pairs; i++) {
        PatternPair nibbles = PATTERN_NIBBLES(numbers);

        sum += nibbles;
        pattern_put_pair(nibbles + PATTERN_LETTER, bytes + i * sizeof nibbles);
        numbers += 2 * PATTERN_STEP;
    }
    return halves(sum[0]) + halves(sum[1]);
}

/* Pairs of blocks, the first from `number`; the sum of their 16-bit words, the
 * low byte of each first, not yet folded into 16 bits (RFC 1071 §2 (B), (C)). */
static uint64_t
pattern_pairs(uint64_t number, uint8_t *bytes, size_t pairs)
{
    PatternPair numbers = { number, number + PATTERN_STEP };
    uint64_t sum = 2 * pairs * halves(PATTERN_LETTER);

    for (; pairs >= PATTERN_ROW / 2; pairs -= PATTERN_ROW / 2) {
        sum += pattern_row(numbers, bytes, PATTERN_ROW / 2);
        numbers += PATTERN_ROW * PATTERN_STEP;
        bytes += PATTERN_ROW * PATTERN_BLOCK;
    }
    return sum + pattern_row(numbers, bytes, pairs);
}

static uint64_t
pattern_fold(uint64_t sum)
{
    while (sum > UINT16_MAX)
        sum = (sum & UINT16_MAX) + (sum >> 16);
    return sum;
}

/* Returns the sum of the 16-bit words in network order. */
static uint16_t
stream_pattern(uint32_t stream, uint64_t offset, uint8_t *bytes, size_t len)
{
    uint64_t number = (offset / PATTERN_BLOCK + 1) * PATTERN_STEP + stream * PATTERN_STREAM;
    size_t skip = offset % PATTERN_BLOCK, first = 0;
    uint64_t sum = 0, rest;

    if (skip > 0) {
        first = MIN(PATTERN_BLOCK - skip, len);
        sum = pattern_part(number, skip, bytes, first);
        number += PATTERN_STEP;
        bytes += first;
        len -= first;
    }
    size_t pairs = len / (2 * PATTERN_BLOCK);
    rest = pattern_pairs(number, bytes, pairs);
    number += 2 * pairs * PATTERN_STEP;
    bytes += 2 * pairs * PATTERN_BLOCK;
    len -= 2 * pairs * PATTERN_BLOCK;
    if (len >= PATTERN_BLOCK) {
        rest += pattern_part(number, 0, bytes, PATTERN_BLOCK);
        number += PATTERN_STEP;
        bytes += PATTERN_BLOCK;
        len -= PATTERN_BLOCK;
    }
    rest += pattern_part(number, 0, bytes, len);
    /* After an odd number of bytes the others stand in the other halves of their words. */
    sum += first % 2 == 0 ? rest : pattern_fold(rest) << 8;
    return GUINT16_SWAP_LE_BE((uint16_t)pattern_fold(sum));
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
