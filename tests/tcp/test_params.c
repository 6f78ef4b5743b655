/* Tunables by name, initial sequence numbers, socket options. */
#include "models/tcp/isn.h"
#include "tests/support/tcp_bench.h"

#include <errno.h>
#include <string.h>

static void
refuses(const char *name, const char *value, const char *part)
{
    TcpParams params;
    g_autofree char *error = NULL;

    tcp_params_init(&params, TCP_PROFILE_LINUX);
    g_assert_false(tcp_params_set(&params, name, value, &error));
    g_assert_nonnull(strstr(error, part));
}

static void
vectors_take_as_many_numbers_as_they_have(void)
{
    TcpParams params;
    char *error = NULL;

    tcp_params_init(&params, TCP_PROFILE_LINUX);
    g_assert_true(tcp_params_set(&params, "net.ipv4.tcp_rmem", "1000 2000\t3000", &error));
    g_assert_cmpuint(params.rmem_min, ==, 1000);
    g_assert_cmpuint(params.rmem_default, ==, 2000);
    g_assert_cmpuint(params.rmem_max, ==, 3000);
    refuses("net.ipv4.tcp_rmem", "1000 2000", "too few");
    refuses("net.ipv4.tcp_rmem", "1 2 3 4", "expected 3");
}

static void
wrong_values_are_refused_with_what_was_expected(void)
{
    refuses("net.ipv4.tcp_syn_retries", "0", "from 1 to 127");
    refuses("net.ipv4.tcp_syn_retries", "six", "\"six\"");
    refuses("net.ipv4.tcp_congestion_control", "vegas", "cubic");
    refuses("net.ipv4.tcp_magic", "1", "no tunable");
}

/* ---- initial sequence numbers ------------------------------------------------------------ */

static uint32_t
isn_at(const char *mode, uint16_t port, SimTime at)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    const TcpTuple tuple = { ip_addr_v4(1), ip_addr_v4(2), port, 80 };

    tcp_bench_set(b, "isn", mode);
    tcp_bench_run(b, at);
    return tcp_isn_new(b->host->tcp, &tuple);
}

static void
isn_is_a_hash_of_the_tuple_and_a_clock(void)
{
    /* Linux: 64 ns a tick; RFC 6528: 4 us. */
    g_assert_cmpuint(isn_at("0", 1, SIM_SEC) - isn_at("0", 1, 0), ==, SIM_SEC / 64);
    g_assert_cmpuint(isn_at("1", 1, SIM_SEC) - isn_at("1", 1, 0), ==, 250000);
    g_assert_cmpuint(isn_at("0", 1, 0), !=, isn_at("0", 2, 0));
}

static void
isn_can_be_predictable(void)
{
    g_assert_cmpuint(isn_at("2", 1, SIM_SEC), ==, 250000);
    g_assert_cmpuint(isn_at("2", 2, SIM_SEC), ==, 250000);
    g_assert_cmpuint(isn_at("3", 7, SIM_SEC), ==, 1);
}

static void
bsd_isn_steps_by_64000_a_connection(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    const TcpTuple tuple = { ip_addr_v4(1), ip_addr_v4(2), 1, 80 };

    tcp_bench_set(b, "isn", "4");
    uint32_t first = tcp_isn_new(b->host->tcp, &tuple);
    g_assert_cmpuint(tcp_isn_new(b->host->tcp, &tuple) - first, ==, 64000);
}

/* ---- socket options ------------------------------------------------------------------------ */

static void
options_are_read_back_as_linux_shows_them(void)
{
    static const struct {
        const char *name;
        int64_t set, get;
    } cases[] = {
        { "SO_REUSEADDR", 5, 1 },      { "SO_KEEPALIVE", 1, 1 },
        { "SO_LINGER", 3, 3 },         { "SO_SNDBUF", 10000, 20000 },
        { "SO_RCVBUF", 10000, 20000 }, { "TCP_NODELAY", 1, 1 },
        { "TCP_KEEPIDLE", 9, 9 },      { "TCP_SYNCNT", 3, 3 },
        { "TCP_LINGER2", 200, 120 },   { "TCP_LINGER2", -5, -1 },
        { "TCP_DEFER_ACCEPT", 4, 7 },  { "TCP_USER_TIMEOUT", 77, 77 },
        { "TCP_MAXSEG", 1000, 1000 },
    };
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *sock = tcp_bench_open(b);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int option = tcp_option_find(cases[i].name);
        int64_t value = -77;

        g_test_message("%s", cases[i].name);
        g_assert_cmpint(option, >=, 0);
        g_assert_cmpint(sock_set_option(sock, (TcpOption)option, cases[i].set), ==, 0);
        g_assert_cmpint(sock_get_option(sock, (TcpOption)option, &value), ==, 0);
        g_assert_cmpint(value, ==, cases[i].get);
    }
    g_assert_cmpint(tcp_option_find("TCP_MAGIC"), ==, -1);
}

static void
options_out_of_bounds_are_einval(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *sock = tcp_bench_open(b);

    g_assert_cmpint(sock_set_option(sock, TCP_OPT_KEEPIDLE, 0), ==, -EINVAL);
    g_assert_cmpint(sock_set_option(sock, TCP_OPT_KEEPCNT, 128), ==, -EINVAL);
    g_assert_cmpint(sock_set_option(sock, TCP_OPT_SYNCNT, 0), ==, -EINVAL);
    g_assert_cmpint(sock_set_option(sock, TCP_OPT_MAXSEG, 40), ==, -EINVAL);
    g_assert_cmpint(tcp_set_congestion(sock_tcp(sock), "vegas"), ==, -ENOENT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/params/" #name, name)
    CLAIM(vectors_take_as_many_numbers_as_they_have);
    CLAIM(wrong_values_are_refused_with_what_was_expected);
    CLAIM(isn_is_a_hash_of_the_tuple_and_a_clock);
    CLAIM(isn_can_be_predictable);
    CLAIM(bsd_isn_steps_by_64000_a_connection);
    CLAIM(options_are_read_back_as_linux_shows_them);
    CLAIM(options_out_of_bounds_are_einval);
    return g_test_run();
}
