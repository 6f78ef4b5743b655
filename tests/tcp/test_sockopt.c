/* Every option that Linux offers for TCP has an answer: a value, or the errno
 * of socket(7), tcp(7) and ip(7). */
#include <errno.h>
#include <string.h>

#include "models/tcp/fastopen.h"
#include "tests/support/tcp_bench.h"

enum { NO = -1000000 /* more than any errno: the call is not made */ };

/* As a fresh socket answers: what it says first, what becomes of a value that is
 * set and what is read then, and how a bad value is refused. */
static const struct {
    const char *name;
    int64_t first; /* value, or -errno */
    int64_t set, result, then;
    int64_t bad, refused;
} options[] = {
    /* clang-format off */
    { "SO_REUSEADDR", 0, 5, 0, 1, NO, 0 },
    { "SO_REUSEPORT", 0, 1, 0, 1, NO, 0 },
    { "SO_KEEPALIVE", 0, 1, 0, 1, NO, 0 },
    { "SO_LINGER", -1, 3, 0, 3, NO, 0 },
    { "SO_SNDBUF", 16384, 10000, 0, 20000, NO, 0 },
    { "SO_RCVBUF", 131072, 10000, 0, 20000, NO, 0 },
    { "SO_SNDBUFFORCE", NO, 1000000, 0, NO, NO, 0 },
    { "SO_RCVBUFFORCE", NO, 1000000, 0, NO, NO, 0 },
    { "SO_OOBINLINE", 0, 1, 0, 1, NO, 0 },
    { "SO_RCVLOWAT", 1, 100, 0, 100, NO, 0 },
    { "SO_SNDLOWAT", 1, 2, -ENOPROTOOPT, 1, NO, 0 },
    { "SO_MAX_PACING_RATE", -1, 5000, 0, 5000, NO, 0 },
    { "SO_PRIORITY", 0, 6, 0, 6, 7, -EPERM },
    { "TCP_NODELAY", 0, 1, 0, 1, NO, 0 },
    { "TCP_CORK", 0, 1, 0, 1, NO, 0 },
    { "TCP_MAXSEG", 524, 1000, 0, 1000, 87, -EINVAL },
    { "TCP_KEEPIDLE", 7200, 9, 0, 9, 32768, -EINVAL },
    { "TCP_KEEPINTVL", 75, 9, 0, 9, 0, -EINVAL },
    { "TCP_KEEPCNT", 9, 3, 0, 3, 128, -EINVAL },
    { "TCP_SYNCNT", 6, 3, 0, 3, 128, -EINVAL },
    { "TCP_LINGER2", 60, 200, 0, 120, NO, 0 },
    { "TCP_DEFER_ACCEPT", 0, 4, 0, 7, NO, 0 },
    { "TCP_WINDOW_CLAMP", 0, 10000, 0, 10000, -1, -EINVAL },
    { "TCP_QUICKACK", 1, 0, 0, 0, NO, 0 },
    { "TCP_USER_TIMEOUT", 0, 77, 0, 77, -1, -EINVAL },
    { "TCP_FASTOPEN", 0, 5, 0, 5, -1, -EINVAL },
    { "TCP_FASTOPEN_CONNECT", 0, 1, 0, 1, 2, -EINVAL },
    { "TCP_FASTOPEN_NO_COOKIE", 0, 1, 0, 1, 2, -EINVAL },
    { "TCP_NOTSENT_LOWAT", 0, 100, 0, 100, NO, 0 },
    { "TCP_SAVE_SYN", 0, 2, 0, 2, 3, -EINVAL },
    { "TCP_INQ", 0, 1, 0, 1, 2, -EINVAL },
    { "TCP_TIMESTAMP", NO, 1, -EPERM, NO, NO, 0 },
    { "TCP_THIN_LINEAR_TIMEOUTS", 0, 1, 0, 1, 2, -EINVAL },
    { "TCP_THIN_DUPACK", 0, 1, 0, 0, 2, -EINVAL },
    { "TCP_TX_DELAY", 0, 500, 0, 500, 1 << 28, -EINVAL },
    { "TCP_RTO_MAX_MS", 120000, 5000, 0, 5000, 999, -EINVAL },
    { "TCP_RTO_MIN_US", 200000, 5000, 0, 5000, 200001, -EINVAL },
    { "TCP_DELACK_MAX_US", 200000, 5000, 0, 5000, 1999, -EINVAL },
    { "TCP_REPAIR", 0, 1, -EPERM, 0, NO, 0 },
    { "TCP_REPAIR_QUEUE", -EINVAL, 1, -EPERM, -EINVAL, NO, 0 },
    { "TCP_QUEUE_SEQ", -EINVAL, 1, -EINVAL, -EINVAL, NO, 0 },
    { "TCP_REPAIR_OPTIONS", -ENOPROTOOPT, 1, -EINVAL, -ENOPROTOOPT, NO, 0 },
    { "TCP_REPAIR_WINDOW", -EPERM, 1, -EPERM, -EPERM, NO, 0 },
    { "TCP_IS_MPTCP", 0, 1, -ENOPROTOOPT, 0, NO, 0 },
    { "IP_TOS", 0, 0x10, 0, 0x10, 256, -EINVAL },
    { "IP_TTL", 64, 5, 0, 5, 256, -EINVAL },
    { "IP_MTU_DISCOVER", 1, 2, 0, 2, 9, -EINVAL },
    { "IP_MTU", -ENOTCONN, 1, -ENOPROTOOPT, -ENOTCONN, NO, 0 },
    { "IP_BIND_ADDRESS_NO_PORT", 0, 1, 0, 1, NO, 0 },
}; /* clang-format on */

static int64_t
read_option(TcpConn *conn, TcpOption option)
{
    int64_t value = 0;
    int bad = tcp_get_option(conn, option, &value);

    return bad != 0 ? bad : value;
}

static void
every_option_of_linux_has_its_answer(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
        TcpConn *conn = sock_tcp(tcp_bench_open(b));
        int found = tcp_option_find(options[i].name);

        g_test_message("%s", options[i].name);
        g_assert_cmpint(found, >=, 0);
        TcpOption option = (TcpOption)found;

        if (options[i].first != NO)
            g_assert_cmpint(read_option(conn, option), ==, options[i].first);
        g_assert_cmpint(tcp_set_option(conn, option, options[i].set), ==, options[i].result);
        if (options[i].then != NO)
            g_assert_cmpint(read_option(conn, option), ==, options[i].then);
        if (options[i].bad != NO)
            g_assert_cmpint(tcp_set_option(conn, option, options[i].bad), ==, options[i].refused);
    }
}

/* Every name that can be found is in the table above, but for those of bytes. */
static void
no_option_is_missing_from_the_table(void)
{
    unsigned n_bytes = 0;

    for (int option = 0; option < TCP_N_OPTIONS; option++)
        n_bytes += tcp_option_is_bytes((TcpOption)option);
    g_assert_cmpuint(n_bytes, ==, 3);
    g_assert_cmpuint(G_N_ELEMENTS(options) + n_bytes, ==, TCP_N_OPTIONS);
    g_assert_cmpint(tcp_option_find("TCP_MAGIC"), ==, -1);
}

static void
force_goes_beyond_the_sysctl(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    TcpConn *conn = sock_tcp(tcp_bench_open(b));

    tcp_set_option(conn, TCP_OPT_SNDBUF, 1000000);
    g_assert_cmpint(read_option(conn, TCP_OPT_SNDBUF), ==, 2 * 212992);
    tcp_set_option(conn, TCP_OPT_SNDBUFFORCE, 1000000);
    g_assert_cmpint(read_option(conn, TCP_OPT_SNDBUF), ==, 2000000);
    tcp_set_option(conn, TCP_OPT_RCVBUF, 1000000);
    g_assert_cmpint(read_option(conn, TCP_OPT_RCVBUF), ==, 2 * 212992);
    tcp_set_option(conn, TCP_OPT_RCVBUFFORCE, 1000000);
    g_assert_cmpint(read_option(conn, TCP_OPT_RCVBUF), ==, 2000000);
}

static void
delack_max_bounds_the_delay(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);
    TcpConn *conn = sock_tcp(b->sock);

    tcp_set_option(conn, TCP_OPT_DELACK_MAX_US, 5000);
    tcp_set_option(conn, TCP_OPT_QUICKACK, 0);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .len = 10));
    tcp_bench_expect_silence(b);
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 11)), ==, 5 * SIM_MS);
}

/* ---- options of bytes ---------------------------------------------------------------------- */

static void
there_is_no_upper_layer_protocol(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    TcpConn *conn = sock_tcp(tcp_bench_open(b));
    char name[16];
    size_t len = sizeof name;

    g_assert_cmpint(tcp_set_option_bytes(conn, TCP_OPT_ULP, "tls", 3), ==, -ENOENT);
    g_assert_cmpint(tcp_get_option_bytes(conn, TCP_OPT_ULP, name, &len), ==, 0);
    g_assert_cmpuint(len, ==, 0);
}

static TcpConn *
accepted(TcpBench *b, int64_t save_syn)
{
    int error;

    tcp_bench_listen(b, 10);
    tcp_set_option(sock_tcp(b->listener), TCP_OPT_SAVE_SYN, save_syn);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    b->sock = sock_accept(b->listener, &error);
    g_assert_nonnull(b->sock);
    return sock_tcp(b->sock);
}

static void
the_syn_that_was_saved_is_read_once(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    TcpConn *conn = accepted(b, 1);
    uint8_t bytes[100];
    size_t len = 10;

    g_assert_cmpint(tcp_get_option_bytes(conn, TCP_OPT_SAVED_SYN, bytes, &len), ==, -EINVAL);
    g_assert_cmpuint(len, ==, 44); /* IP, TCP, and the bench's MSS option */
    g_assert_cmpint(tcp_get_option_bytes(conn, TCP_OPT_SAVED_SYN, bytes, &len), ==, 0);
    g_assert_cmphex(bytes[0], ==, 0x45);
    g_assert_cmphex(bytes[9], ==, IP_PROTO_TCP);
    g_assert_cmphex(bytes[33], ==, TCP_SYN);
    len = sizeof bytes;
    g_assert_cmpint(tcp_get_option_bytes(conn, TCP_OPT_SAVED_SYN, bytes, &len), ==, 0);
    g_assert_cmpuint(len, ==, 0);
}

static void
without_save_syn_there_is_none(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    TcpConn *conn = accepted(b, 0);
    uint8_t bytes[100];
    size_t len = sizeof bytes;

    g_assert_cmpint(tcp_get_option_bytes(conn, TCP_OPT_SAVED_SYN, bytes, &len), ==, 0);
    g_assert_cmpuint(len, ==, 0);
}

/* ---- TCP_FASTOPEN_KEY ------------------------------------------------------------------------ */

static const uint8_t keys[48] = "the first key....a second one...and the third..";

static TcpFastOpenCookie
cookie_of(const TcpConn *listener, unsigned n)
{
    TcpFastOpenCookie cookie = { .len = -1 };

    tcp_fastopen_make_cookie(listener, n, ip_addr_v4(1), ip_addr_v4(2), &cookie);
    return cookie;
}

static void
a_key_has_16_bytes_or_two_have_32(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    TcpConn *conn = sock_tcp(tcp_bench_open(b));
    uint8_t bytes[48];
    size_t len = sizeof bytes;

    g_assert_cmpint(tcp_set_option_bytes(conn, TCP_OPT_FASTOPEN_KEY, keys, 0), ==, -EINVAL);
    g_assert_cmpint(tcp_set_option_bytes(conn, TCP_OPT_FASTOPEN_KEY, keys, 17), ==, -EINVAL);
    g_assert_cmpint(tcp_get_option_bytes(conn, TCP_OPT_FASTOPEN_KEY, bytes, &len), ==, 0);
    g_assert_cmpuint(len, ==, 16); /* the host's */
    g_assert_cmpint(tcp_set_option_bytes(conn, TCP_OPT_FASTOPEN_KEY, keys, 32), ==, 0);
    len = sizeof bytes;
    g_assert_cmpint(tcp_get_option_bytes(conn, TCP_OPT_FASTOPEN_KEY, bytes, &len), ==, 0);
    g_assert_cmpmem(bytes, len, keys, 32);
}

static void
a_listener_makes_cookies_with_its_own_key(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    TcpConn *own = sock_tcp(tcp_bench_open(b)), *plain = sock_tcp(tcp_bench_open(b));
    uint32_t words[4];

    tcp_set_option_bytes(own, TCP_OPT_FASTOPEN_KEY, keys, 16);
    TcpFastOpenCookie first = cookie_of(own, 0), host = cookie_of(plain, 0);
    g_assert_cmpint(memcmp(first.bytes, host.bytes, 8), !=, 0);
    g_assert_cmpint(cookie_of(own, 1).len, ==, -1);

    /* The sysctl's words are those of the bytes, little-endian. */
    memcpy(words, keys, sizeof words);
    g_autofree char *text =
        g_strdup_printf("%08x-%08x-%08x-%08x", words[0], words[1], words[2], words[3]);
    tcp_bench_set(b, "net.ipv4.tcp_fastopen_key", text);
    g_assert_cmpmem(cookie_of(plain, 0).bytes, 8, first.bytes, 8);
}

static void
the_key_before_is_the_second(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    TcpConn *conn = sock_tcp(tcp_bench_open(b));

    tcp_set_option_bytes(conn, TCP_OPT_FASTOPEN_KEY, keys, 16);
    TcpFastOpenCookie old = cookie_of(conn, 0);
    uint8_t rotated[32];
    memcpy(rotated, keys + 16, 16);
    memcpy(rotated + 16, keys, 16);
    tcp_set_option_bytes(conn, TCP_OPT_FASTOPEN_KEY, rotated, 32);
    g_assert_cmpmem(cookie_of(conn, 1).bytes, 8, old.bytes, 8);
    g_assert_cmpint(memcmp(cookie_of(conn, 0).bytes, old.bytes, 8), !=, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/tcp/sockopt/" #claim, claim)
    ADD(every_option_of_linux_has_its_answer);
    ADD(no_option_is_missing_from_the_table);
    ADD(force_goes_beyond_the_sysctl);
    ADD(delack_max_bounds_the_delay);
    ADD(there_is_no_upper_layer_protocol);
    ADD(the_syn_that_was_saved_is_read_once);
    ADD(without_save_syn_there_is_none);
    ADD(a_key_has_16_bytes_or_two_have_32);
    ADD(a_listener_makes_cookies_with_its_own_key);
    ADD(the_key_before_is_the_second);
#undef ADD
    return g_test_run();
}
