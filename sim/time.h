/* Virtual time: signed 64-bit nanoseconds since the start of the simulation
 * (292 years), and the units a user writes: times "20ms", rates "10Mbit",
 * sizes "4KiB". A plain number is in the base unit (s, bit/s, bytes).
 */
#ifndef HALFOPEN_SIM_TIME_H
#define HALFOPEN_SIM_TIME_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef int64_t SimTime;

#define SIM_NS    ((SimTime)1)
#define SIM_US    ((SimTime)1000)
#define SIM_MS    ((SimTime)1000000)
#define SIM_SEC   ((SimTime)1000000000)
#define SIM_NEVER INT64_MAX

/* "250us", "20ms", "1.5s", "3min", "2h", "1d", "never"; a bare number is
 * seconds. Exact to the nanosecond. False, with *error (owned by the caller:
 * g_free) saying what was found and expected, on anything else. */
bool sim_time_parse(const char *text, SimTime *time, char **error);

/* "10Mbit", "1.5Gbit", "64kbit", "1MBps" (bytes a second): bits per second.
 * k, M, G, T are powers of 1000. */
bool sim_rate_parse(const char *text, uint64_t *bits_per_s, char **error);

/* "1500", "4KiB", "1MB", "64kB": bytes. */
bool sim_size_parse(const char *text, uint64_t *bytes, char **error);

#define SIM_TIME_TEXT 32

/* The shortest exact text a person would write: "20ms", "1.5s", "123.456789ms",
 * "3min". */
const char *sim_time_format(SimTime time, char text[SIM_TIME_TEXT]);
/* The same without a final '\0'; returns its end. May write over SIM_TIME_TEXT bytes. */
char *sim_time_put(char *to, SimTime time);

/* Seconds with nine decimals: "12.000000345", as in the files of a run. */
const char *sim_time_seconds(SimTime time, char text[SIM_TIME_TEXT]);

#endif
