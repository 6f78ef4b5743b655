/* Units as a person writes them, good and bad, and times as text. */
#include "sim/time.h"

#include <inttypes.h>

#include "sim/digits.h"
#include "sim/rng.h"

static void
times_are_exact_to_the_nanosecond(void)
{
    const struct {
        const char *text;
        SimTime time;
    } good[] = {
        { "20ms", 20 * SIM_MS },
        { "250us", 250 * SIM_US },
        { "1.5s", 1500 * SIM_MS },
        { "3min", 180 * SIM_SEC },
        { "2h", 7200 * SIM_SEC },
        { "1d", 86400 * SIM_SEC },
        { "0", 0 },
        { "60", 60 * SIM_SEC },
        { "0.1", 100 * SIM_MS },
        { ".5ms", 500 * SIM_US },
        { "5 ms", 5 * SIM_MS },
        { "1e-05", 10 * SIM_US },
        { "1e3", 1000 * SIM_SEC },
        { "1.0000000000000s", SIM_SEC },
        { "0.123456789s", 123456789 },
        { "123456789.123456789", 123456789 * SIM_SEC + 123456789 },
        { "9223372036854775806ns", SIM_NEVER - 1 },
        { "never", SIM_NEVER },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        SimTime time = -1;
        char *error = NULL;

        g_test_message("%s", good[i].text);
        g_assert_true(sim_time_parse(good[i].text, &time, &error));
        g_assert_null(error);
        g_assert_cmpint(time, ==, good[i].time);
    }
}

static void
bad_times_say_what_was_found_and_expected(void)
{
    const struct {
        const char *text, *error;
    } bad[] = {
        { "", "found \"\", expected a time such as *" },
        { "ms", "found \"ms\", expected a time such as *" },
        { "-1s", "*expected a time such as *" },
        { "20Mbit", "*unknown unit \"Mbit\"*" },
        { "20MS", "*unknown unit \"MS\"*" },
        { "20ms!", "*unknown unit \"ms!\"*" },
        { "1.2.3s", "*unknown unit \".3s\"*" },
        { "0.5ns", "*a time of whole nanoseconds" },
        { "1e-10", "*a time of whole nanoseconds" },
        { "300y", "*unknown unit \"y\"*" },
        { "300000d", "*up to 9223372036854775806 nanoseconds" },
        { "1e30", "*up to *" },
        { "99999999999999999999999s", "*expected a time*" },
        { "inf", "*expected a time*" },
        { "nan", "*expected a time*" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        SimTime time = -1;
        char *error = NULL;

        g_test_message("%s", bad[i].text);
        g_assert_false(sim_time_parse(bad[i].text, &time, &error));
        g_assert_true(g_pattern_match_simple(bad[i].error, error));
        g_assert_cmpint(time, ==, -1);
        g_free(error);
    }
}

static void
rates_are_bits_a_second(void)
{
    const struct {
        const char *text;
        uint64_t rate;
    } good[] = {
        { "10Mbit", 10000000 },
        { "1.5Gbit", 1500000000 },
        { "64kbit", 64000 },
        { "1MBps", 8000000 },
        { "100", 100 },
        { "0.125Bps", 1 },
        { "1Tbit", UINT64_C(1000000000000) },
    };
    const char *bad[] = { "10mbit", "10Mb", "10Mbit/s", "0.5bit", "fast", "10 MB", "1e20" };

    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        uint64_t rate = 0;
        char *error = NULL;

        g_assert_true(sim_rate_parse(good[i].text, &rate, &error));
        g_assert_cmpuint(rate, ==, good[i].rate);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        uint64_t rate = 0;
        char *error = NULL;

        g_test_message("%s", bad[i]);
        g_assert_false(sim_rate_parse(bad[i], &rate, &error));
        g_assert_nonnull(error);
        g_free(error);
    }
}

static void
sizes_are_bytes_and_binary_prefixes_say_so(void)
{
    const struct {
        const char *text;
        uint64_t size;
    } good[] = {
        { "1500", 1500 },   { "4KiB", 4096 },     { "64kB", 64000 },
        { "1MB", 1000000 }, { "0.5MiB", 524288 }, { "9223372036854775807", INT64_MAX },
    };
    const char *bad[] = { "4K", "4kb", "-1", "1.5B", "18446744073709551616" };

    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        uint64_t size = 0;
        char *error = NULL;

        g_test_message("%s", good[i].text);
        g_assert_true(sim_size_parse(good[i].text, &size, &error));
        g_assert_cmpuint(size, ==, good[i].size);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        uint64_t size = 0;
        char *error = NULL;

        g_test_message("%s", bad[i]);
        g_assert_false(sim_size_parse(bad[i], &size, &error));
        g_assert_nonnull(error);
        g_free(error);
    }
}

static void
times_print_as_a_person_would_write_them(void)
{
    const struct {
        SimTime time;
        const char *text, *seconds;
    } times[] = {
        { 0, "0s", "0.000000000" },
        { 1, "1ns", "0.000000001" },
        { 20 * SIM_MS, "20ms", "0.020000000" },
        { 1500 * SIM_US, "1.5ms", "0.001500000" },
        { 123456789, "123.456789ms", "0.123456789" },
        { 1500 * SIM_MS, "1.5s", "1.500000000" },
        { 60 * SIM_SEC, "60s", "60.000000000" },
        { 90 * SIM_SEC, "90s", "90.000000000" },
        { 180 * SIM_SEC, "3min", "180.000000000" },
        { 7200 * SIM_SEC, "2h", "7200.000000000" },
        { 12 * SIM_SEC + 345, "12.000000345s", "12.000000345" },
        { -20 * SIM_MS, "-20ms", "-0.020000000" },
        { SIM_NEVER, "never", "never" },
        { SIM_NEVER - 1, "9223372036.854775806s", "9223372036.854775806" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(times); i++) {
        char text[SIM_TIME_TEXT];
        SimTime back;
        char *error = NULL;

        g_assert_cmpstr(sim_time_format(times[i].time, text), ==, times[i].text);
        if (times[i].time >= 0) {
            g_assert_true(sim_time_parse(text, &back, &error));
            g_assert_cmpint(back, ==, times[i].time);
        }
        g_assert_cmpstr(sim_time_seconds(times[i].time, text), ==, times[i].seconds);
    }
}

static void
assert_digits(uint64_t value)
{
    char text[DIGITS_ROOM], *expected = g_strdup_printf("%" PRIu64, value);

    *digits_put(text, value) = '\0';
    g_assert_cmpstr(text, ==, expected);
    g_free(expected);
}

static void
digits_are_those_that_printf_writes(void)
{
    SimRng rng;

    sim_rng_init(&rng, 1, "digits");
    assert_digits(0);
    assert_digits(UINT64_MAX);
    for (uint64_t power = 1; power <= UINT64_C(1000000000000000000); power *= 10) {
        assert_digits(power - 1);
        assert_digits(power);
        assert_digits(power * 9 + power / 7);
    }
    for (unsigned i = 0; i < 20000; i++)
        assert_digits(sim_rng_u64(&rng) >> i % 64);
}

static void
padded_digits_have_zeros_before_them(void)
{
    char text[DIGITS_ROOM];

    for (unsigned n = 1; n <= DIGITS_MOST; n++) {
        uint64_t value = n % 3 == 0 ? 0 : 7;
        char *expected = g_strdup_printf("%0*" PRIu64, (int)n, value);

        *digits_put_padded(text, value, n) = '\0';
        g_assert_cmpstr(text, ==, expected);
        g_free(expected);
    }
    *digits_put_padded(text, 123456789, 9) = '\0';
    g_assert_cmpstr(text, ==, "123456789");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/units/" #claim, claim)
    ADD(times_are_exact_to_the_nanosecond);
    ADD(bad_times_say_what_was_found_and_expected);
    ADD(rates_are_bits_a_second);
    ADD(sizes_are_bytes_and_binary_prefixes_say_so);
    ADD(times_print_as_a_person_would_write_them);
    ADD(digits_are_those_that_printf_writes);
    ADD(padded_digits_have_zeros_before_them);
#undef ADD
    return g_test_run();
}
