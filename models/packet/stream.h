/* The bytes that applications send, by reference. Every sender's stream has
 * an id that is never used again, so each byte delivered says which
 * connection, in which incarnation, sent it. Bytes that an application gave
 * are kept here for the life of the run; all others are a pattern computed
 * from (stream, offset), so bulk data costs no memory.
 */
#ifndef HALFOPEN_MODELS_PACKET_STREAM_H
#define HALFOPEN_MODELS_PACKET_STREAM_H

#include <stddef.h>
#include <stdint.h>

typedef struct StreamTable StreamTable;

/* A run of bytes of one stream. */
typedef struct Payload {
    uint64_t offset; /* of the first byte within the stream */
    uint32_t stream; /* 0: no bytes */
    uint32_t len;
} Payload;

StreamTable *stream_table_new(void);
void stream_table_free(StreamTable *table);
uint32_t stream_new_id(StreamTable *table);

/* Keeps a copy. Offsets only rise within a stream: a byte is written once. */
void stream_write(StreamTable *table, uint32_t stream, uint64_t offset, const void *bytes,
                  size_t len);

/* Writes payload.len bytes; stream 0 reads as zeros. */
void stream_read(const StreamTable *table, Payload payload, void *bytes);
/* The same; returns what wire_sum() of the bytes would, of bulk data at no cost. */
uint16_t stream_read_summed(const StreamTable *table, Payload payload, void *bytes);

static inline Payload
payload_part(Payload whole, uint32_t skip, uint32_t len)
{
    return (Payload){ .offset = whole.offset + skip, .stream = whole.stream, .len = len };
}

#endif
