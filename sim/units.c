/* Times, rates and sizes as a person writes them, exact: decimal arithmetic on
 * integers, and no text is rounded into a value. */
#include "sim/time.h"

#include <inttypes.h>
#include <string.h>

#include "sim/digits.h"

typedef struct Unit {
    const char *name;
    uint64_t worth; /* in the base unit */
} Unit;

typedef struct UnitKind {
    const char *what;     /* "a time" */
    const char *expected; /* examples for the message */
    const char *base;     /* what results are whole numbers of */
    const Unit *units;    /* ends with a NULL name; the first is that of a bare number */
} UnitKind;

static const Unit time_units[] = {
    { "s", 1000000000 },
    { "ns", 1 },
    { "us", 1000 },
    { "ms", 1000000 },
    { "min", UINT64_C(60000000000) },
    { "h", UINT64_C(3600000000000) },
    { "d", UINT64_C(86400000000000) },
    { NULL, 0 },
};
static const Unit rate_units[] = {
    { "bit", 1 },
    { "kbit", 1000 },
    { "Mbit", 1000000 },
    { "Gbit", 1000000000 },
    { "Tbit", UINT64_C(1000000000000) },
    { "Bps", 8 },
    { "kBps", 8000 },
    { "MBps", 8000000 },
    { "GBps", UINT64_C(8000000000) },
    { "TBps", UINT64_C(8000000000000) },
    { NULL, 0 },
};
static const Unit size_units[] = {
    { "B", 1 },
    { "kB", 1000 },
    { "MB", 1000000 },
    { "GB", 1000000000 },
    { "TB", UINT64_C(1000000000000) },
    { "KiB", UINT64_C(1) << 10 },
    { "MiB", UINT64_C(1) << 20 },
    { "GiB", UINT64_C(1) << 30 },
    { "TiB", UINT64_C(1) << 40 },
    { NULL, 0 },
};
static const UnitKind time_kind = { "a time", "\"250us\", \"20ms\", \"1.5s\", \"3min\" or \"2h\"",
                                    "nanoseconds", time_units };
static const UnitKind rate_kind = { "a rate", "\"64kbit\", \"10Mbit\", \"1.5Gbit\" or \"1MBps\"",
                                    "bits a second", rate_units };
static const UnitKind size_kind = { "a size", "\"1500\", \"4KiB\", \"64kB\" or \"1MB\"", "bytes",
                                    size_units };

typedef struct Decimal {
    uint64_t digits;
    int decimals; /* the value is digits / 10^decimals */
} Decimal;

enum {
    MAX_DIGITS = 19, /* ten to this fits 64 bits */
};

/* Reads digits, a fraction and an exponent ("1e-05" is how Lua prints small
 * numbers); *end is what follows. */
static bool
decimal_read(const char *text, Decimal *decimal, const char **end)
{
    const char *c = text;
    int seen = 0, kept = 0;

    *decimal = (Decimal){ 0 };
    for (bool fraction = false; g_ascii_isdigit(*c) || (*c == '.' && !fraction); c++) {
        if (*c == '.') {
            fraction = true;
            continue;
        }
        seen++;
        kept += kept > 0 || *c != '0';
        if (kept > MAX_DIGITS || seen > 40)
            return false;
        decimal->digits = decimal->digits * 10 + (uint64_t)(*c - '0');
        decimal->decimals += fraction;
    }
    if (seen == 0)
        return false;
    if ((*c == 'e' || *c == 'E') && (g_ascii_isdigit(c[1]) || strchr("+-", c[1]) != NULL)) {
        char *after;
        gint64 exponent = g_ascii_strtoll(c + 1, &after, 10);
        if (after == c + 1 || exponent < -40 || exponent > 40)
            return false;
        decimal->decimals -= (int)exponent;
        c = after;
    }
    *end = c;
    return true;
}

static const Unit *
unit_find(const UnitKind *kind, const char *name)
{
    if (*name == '\0')
        return &kind->units[0];
    for (const Unit *unit = kind->units; unit->name != NULL; unit++) {
        if (strcmp(unit->name, name) == 0)
            return unit;
    }
    return NULL;
}

/* decimal * worth as a whole number up to `most`. */
static bool
decimal_times(Decimal decimal, uint64_t worth, uint64_t most, uint64_t *value, bool *is_whole)
{
    unsigned __int128 product = (unsigned __int128)decimal.digits * worth;

    *is_whole = true;
    for (; decimal.decimals > 0 && product != 0; decimal.decimals--) {
        if (product % 10 != 0) {
            *is_whole = false;
            return false;
        }
        product /= 10;
    }
    for (; decimal.decimals < 0 && product <= most; decimal.decimals++)
        product *= 10;
    *value = (uint64_t)product;
    return product <= most;
}

static bool
unit_parse(const UnitKind *kind, const char *text, uint64_t most, uint64_t *value, char **error)
{
    Decimal decimal;
    const char *rest;
    bool is_whole;

    while (g_ascii_isspace(*text))
        text++;
    if (!decimal_read(text, &decimal, &rest)) {
        *error = g_strdup_printf("found \"%s\", expected %s such as %s", text, kind->what,
                                 kind->expected);
        return false;
    }
    while (*rest == ' ')
        rest++;
    const Unit *unit = unit_find(kind, rest);
    if (unit == NULL) {
        *error =
            g_strdup_printf("found \"%s\" with the unknown unit \"%s\", expected %s such as %s",
                            text, rest, kind->what, kind->expected);
        return false;
    }
    if (decimal_times(decimal, unit->worth, most, value, &is_whole))
        return true;
    *error = is_whole ? g_strdup_printf("found \"%s\", expected %s up to %" PRIu64 " %s", text,
                                        kind->what, most, kind->base)
                      : g_strdup_printf("found \"%s\", expected %s of whole %s", text, kind->what,
                                        kind->base);
    return false;
}

bool
sim_time_parse(const char *text, SimTime *time, char **error)
{
    uint64_t value;

    if (strcmp(text, "never") == 0) {
        *time = SIM_NEVER;
        return true;
    }
    if (!unit_parse(&time_kind, text, INT64_MAX - 1, &value, error))
        return false;
    *time = (SimTime)value;
    return true;
}

bool
sim_rate_parse(const char *text, uint64_t *bits_per_s, char **error)
{
    return unit_parse(&rate_kind, text, UINT64_MAX, bits_per_s, error);
}

bool
sim_size_parse(const char *text, uint64_t *bytes, char **error)
{
    return unit_parse(&size_kind, text, UINT64_MAX, bytes, error);
}

/* The largest unit with a whole part; minutes and up only for whole numbers,
 * and not for a single minute: "60s" is what TCP's world says. */
static const Unit *
unit_for_time(uint64_t time)
{
    static const unsigned by_worth[] = { 6, 5, 4, 0, 3, 2 }; /* d, h, min, s, ms, us */
    enum { MS = 4 };

    for (unsigned i = time < (uint64_t)SIM_SEC ? MS : 0; i < G_N_ELEMENTS(by_worth); i++) {
        const Unit *unit = &time_units[by_worth[i]];
        bool is_long = unit->worth > (uint64_t)SIM_SEC;
        bool fits = is_long ? time % unit->worth == 0 && time != (uint64_t)(60 * SIM_SEC) : true;
        if (time >= unit->worth && fits)
            return unit;
    }
    return &time_units[1];
}

/* ".25" of rest / worth, worth a power of ten: longer units have whole parts only. */
static char *
put_fraction(char *to, uint64_t rest, uint64_t worth)
{
    unsigned n = worth == (uint64_t)SIM_SEC ? 9 : worth == (uint64_t)SIM_MS ? 6 : 3;

    *to = '.';
    to = digits_put_padded(to + 1, rest, n);
    while (to[-1] == '0')
        to--;
    return to;
}

char *
sim_time_put(char *to, SimTime time)
{
    uint64_t size = time < 0 ? -(uint64_t)time : (uint64_t)time;
    const Unit *unit = unit_for_time(size);
    uint64_t rest = size % unit->worth;

    if (time == SIM_NEVER)
        return stpcpy(to, "never");
    if (time == 0)
        return stpcpy(to, "0s");
    if (time < 0)
        *to++ = '-';
    to = digits_put(to, size / unit->worth);
    if (rest != 0)
        to = put_fraction(to, rest, unit->worth);
    return stpcpy(to, unit->name);
}

const char *
sim_time_format(SimTime time, char text[SIM_TIME_TEXT])
{
    *sim_time_put(text, time) = '\0';
    return text;
}

const char *
sim_time_seconds(SimTime time, char text[SIM_TIME_TEXT])
{
    if (time == SIM_NEVER) {
        g_strlcpy(text, "never", SIM_TIME_TEXT);
        return text;
    }
    uint64_t size = time < 0 ? -(uint64_t)time : (uint64_t)time;

    g_snprintf(text, SIM_TIME_TEXT, "%s%" PRIu64 ".%09" PRIu64, time < 0 ? "-" : "",
               size / (uint64_t)SIM_SEC, size % (uint64_t)SIM_SEC);
    return text;
}
