/* Parameters that a user wrote: traces, distributions, and what is refused. */
#include "models/link/link.h"

static void
a_trace_is_read_in_milliseconds(void)
{
    SimTime *times = NULL;
    char *error = NULL;
    uint32_t n;

    g_assert_true(link_trace_parse("1\n1\n\n5\n# comment\n1000", &times, &n, &error));
    g_assert_cmpuint(n, ==, 4);
    g_assert_cmpint(times[1], ==, SIM_MS);
    g_assert_cmpint(times[3], ==, SIM_SEC);
    g_free(times);
}

static void
expect_trace_error(const char *text, const char *expected)
{
    SimTime *times = NULL;
    g_autofree char *error = NULL;
    uint32_t n;

    g_assert_false(link_trace_parse(text, &times, &n, &error));
    g_assert_cmpstr(error, ==, expected);
}

static void
a_bad_trace_names_its_line(void)
{
    expect_trace_error("1\n2\nthree\n", "line 3: found \"three\", expected a time in milliseconds");
    expect_trace_error("1\n2.5\n", "line 2: found \"2.5\", expected a time in milliseconds");
    expect_trace_error("5\n4\n", "opportunity 2: found 4, expected ascending milliseconds");
    expect_trace_error("-1\n", "opportunity 1: found -1, expected ascending milliseconds");
    expect_trace_error("# only this\n", "found nothing, expected a time in milliseconds");
}

static void
a_distribution_is_scaled_as_netem_does(void)
{
    double *values = NULL;
    g_autofree char *error = NULL;
    uint32_t n;

    g_assert_true(link_table_parse("# shape\n -8192 0\n 4096 16384\n", &values, &n, &error));
    g_assert_cmpuint(n, ==, 4);
    g_assert_cmpfloat(values[0], ==, -1);
    g_assert_cmpfloat(values[2], ==, 0.5);
    g_assert_cmpfloat(values[3], ==, 2);
    g_free(values);
    g_assert_false(link_table_parse("3 2", &values, &n, &error));
    g_assert_cmpstr(error, ==, "value 2: found 2, expected no less than the one before");
}

static void
defaults_have_no_problem(void)
{
    LinkParams params = link_params_default();
    const char *key;

    g_assert_null(link_params_problem(&params, &key));
}

static void
what_could_never_work_is_refused_with_its_key(void)
{
    LinkParams params = link_params_default();
    static const SimTime nothing[] = { 0 };
    const char *key;

    params.queue.kind = QDISC_TBF;
    params.queue.tbf_rate = 1000;
    params.queue.tbf_burst = 1499;
    g_assert_nonnull(link_params_problem(&params, &key));
    g_assert_cmpstr(key, ==, "queue");
    params.queue.kind = QDISC_RED;
    g_assert_nonnull(link_params_problem(&params, &key));
    params.queue.kind = QDISC_CODEL;
    params.queue.codel_target = 0;
    g_assert_nonnull(link_params_problem(&params, &key));
    params = link_params_default();
    params.mtu = 27;
    g_assert_nonnull(link_params_problem(&params, &key));
    g_assert_cmpstr(key, ==, "mtu");
    params = link_params_default();
    params.delay = SIM_NEVER;
    g_assert_nonnull(link_params_problem(&params, &key));
    g_assert_cmpstr(key, ==, "delay");
    params = link_params_default();
    params.trace = nothing;
    params.n_trace = 1;
    g_assert_nonnull(link_params_problem(&params, &key));
    g_assert_cmpstr(key, ==, "trace");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/link/text/" #claim, claim)
    ADD(a_trace_is_read_in_milliseconds);
    ADD(a_bad_trace_names_its_line);
    ADD(a_distribution_is_scaled_as_netem_does);
    ADD(defaults_have_no_problem);
    ADD(what_could_never_work_is_refused_with_its_key);
    return g_test_run();
}
