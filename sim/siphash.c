/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for short messages.
 * Who does not know the key cannot predict it, which is what RFC 6528 §3 asks
 * of the function behind initial sequence numbers. */
#include "sim/rng.h"

typedef struct SipState {
    uint64_t v0, v1, v2, v3;
} SipState;

static inline uint64_t
rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static inline void
sip_rounds(SipState *s, int rounds)
{
    while (rounds-- > 0) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotl(s->v1, 13) ^ s->v0;
        s->v3 = rotl(s->v3, 16) ^ s->v2;
        s->v0 = rotl(s->v0, 32) + s->v3;
        s->v2 += s->v1;
        s->v3 = rotl(s->v3, 21) ^ s->v0;
        s->v1 = rotl(s->v1, 17) ^ s->v2;
        s->v2 = rotl(s->v2, 32);
    }
}

/* Little-endian on every machine, as the definition has it. */
static inline uint64_t
sip_word(const uint8_t *bytes, uint32_t length)
{
    uint64_t word = 0;

    for (uint32_t i = 0; i < length; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static inline void
sip_absorb(SipState *s, uint64_t word)
{
    s->v3 ^= word;
    sip_rounds(s, 2);
    s->v0 ^= word;
}

uint64_t
sim_siphash(const uint64_t key[2], const void *message, uint32_t length)
{
    const uint8_t *bytes = message;
    SipState s = {
        .v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
        .v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = key[1] ^ UINT64_C(0x7465646279746573),
    };
    uint32_t whole = length & ~UINT32_C(7);

    for (uint32_t i = 0; i < whole; i += 8)
        sip_absorb(&s, sip_word(bytes + i, 8));
    sip_absorb(&s, sip_word(bytes + whole, length - whole) | (uint64_t)length << 56);
    s.v2 ^= 0xff;
    sip_rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
