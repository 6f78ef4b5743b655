#include "sim/digits.h"

#include <glib.h>
#include <string.h>

#define EIGHT       UINT64_C(100000000) /* the first number of nine digits */
#define EIGHT_ZEROS UINT64_C(0x3030303030303030)

/* The eight digits of a number below EIGHT as the bytes of one, the first digit
 * lowest, without a branch: it is split into two halves of four digits side by
 * side, those into four of two, those into eight of one. */
static inline uint64_t
eight_digits(uint64_t value)
{
    uint64_t part = value / 10000 | (value % 10000) << 32;
    uint64_t high = (part * 10486 >> 20) & UINT64_C(0x0000007f0000007f); /* part / 100 */

    part = high | (part - high * 100) << 16;
    high = (part * 103 >> 10) & UINT64_C(0x000f000f000f000f); /* part / 10 */
    return high | (part - high * 10) << 8;
}

static inline void
store(char *to, uint64_t digits)
{
    digits = GUINT64_TO_LE(digits);
    memcpy(to, &digits, sizeof digits);
}

static inline char *
put_eight(char *to, uint64_t value)
{
    store(to, eight_digits(value) + EIGHT_ZEROS);
    return to + 8;
}

/* Below EIGHT, not 0. */
static inline char *
put_short(char *to, uint64_t value)
{
    uint64_t digits = eight_digits(value);
    unsigned zeros = (unsigned)__builtin_ctzll(digits) / 8;

    store(to, (digits + EIGHT_ZEROS) >> 8 * zeros);
    return to + 8 - zeros;
}

char *
digits_put_long(char *to, uint64_t value)
{
    if (value < EIGHT)
        return put_short(to, value);
    return put_eight(digits_put(to, value / EIGHT), value % EIGHT);
}

char *
digits_put_padded(char *to, uint64_t value, unsigned n)
{
    if (n == 9) /* nanoseconds */
        return put_eight(digits_put(to, value / EIGHT), value % EIGHT);
    if (n > 8)
        return put_eight(digits_put_padded(to, value / EIGHT, n - 8), value % EIGHT);
    store(to, (eight_digits(value) + EIGHT_ZEROS) >> 8 * (8 - n));
    return to + n;
}
