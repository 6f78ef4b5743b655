/* Whole numbers as decimal text, without printf: the files of a run hold
 * millions of them. Each function writes at `to`, no final '\0', and returns
 * the end of the number. It may write over DIGITS_ROOM bytes, whatever the number is.
 */
#ifndef HALFOPEN_SIM_DIGITS_H
#define HALFOPEN_SIM_DIGITS_H

#include <stdint.h>

#define DIGITS_MOST 20 /* of a uint64_t */
#define DIGITS_ROOM 32

char *digits_put_long(char *to, uint64_t value); /* 10 and more */

static inline char *
digits_put(char *to, uint64_t value)
{
    if (value >= 10)
        return digits_put_long(to, value);
    *to = (char)('0' + value);
    return to + 1;
}

/* Exactly `n` digits (1 to DIGITS_MOST), zeros before; value < 10^n. */
char *digits_put_padded(char *to, uint64_t value, unsigned n);

#endif
