/* Sequence numbers: arithmetic modulo 2^32 (RFC 9293 §3.4). */
#ifndef HALFOPEN_MODELS_TCP_SEQ_H
#define HALFOPEN_MODELS_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool
seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool
seq_after(uint32_t a, uint32_t b)
{
    return seq_before(b, a);
}

static inline bool
seq_at_or_before(uint32_t a, uint32_t b)
{
    return !seq_before(b, a);
}

static inline bool
seq_at_or_after(uint32_t a, uint32_t b)
{
    return !seq_before(a, b);
}

/* low <= seq <= high */
static inline bool
seq_between(uint32_t seq, uint32_t low, uint32_t high)
{
    return high - low >= seq - low;
}

#endif
