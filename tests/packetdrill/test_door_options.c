/* getsockopt and setsockopt by the numbers of Linux, and the stand-ins for
 * sysctl(8), nstat(8), ip(8) and tc(8). */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/packetdrill/tcp_info.h"
#include "tests/support/drill.h"

enum { TCP_LEVEL = IPPROTO_TCP };

static void
expect_int(Drill *drill, int fd, int level, int name, int expected)
{
    int value = -12345;
    socklen_t len = sizeof value;

    g_assert_cmpint(CALL(drill, getsockopt, fd, level, name, &value, &len), ==, 0);
    g_assert_cmpint(value, ==, expected);
    g_assert_cmpuint(len, ==, sizeof value);
}

static void
expect_refused(Drill *drill, int fd, int level, int name, int error)
{
    char value[300];
    socklen_t len = sizeof value;

    g_assert_cmpint(CALL(drill, getsockopt, fd, level, name, value, &len), ==, -1);
    g_assert_cmpint(errno, ==, error);
}

/* 0, or the errno. */
static int
set_int(Drill *drill, int fd, int level, int name, int value)
{
    return CALL(drill, setsockopt, fd, level, name, &value, sizeof value) == 0 ? 0 : errno;
}

static void
a_socket_tells_what_it_is(void)
{
    Drill drill = drill_open("");
    int tcp = CALL(&drill, socket, AF_INET, SOCK_STREAM, 0);
    int udp = CALL(&drill, socket, AF_INET, SOCK_DGRAM, 0);

    expect_int(&drill, tcp, SOL_SOCKET, SO_TYPE, SOCK_STREAM);
    expect_int(&drill, udp, SOL_SOCKET, SO_TYPE, SOCK_DGRAM);
    expect_int(&drill, tcp, SOL_SOCKET, SO_DOMAIN, AF_INET);
    expect_int(&drill, tcp, SOL_SOCKET, SO_PROTOCOL, IPPROTO_TCP);
    expect_int(&drill, udp, SOL_SOCKET, SO_PROTOCOL, IPPROTO_UDP);
    expect_int(&drill, tcp, SOL_SOCKET, SO_ACCEPTCONN, 0);
    expect_int(&drill, drill_listen(&drill, 8080), SOL_SOCKET, SO_ACCEPTCONN, 1);
    expect_int(&drill, tcp, SOL_SOCKET, SO_ERROR, 0);
    expect_int(&drill, tcp, SOL_SOCKET, SO_ZEROCOPY, 0);
    drill_close(&drill);
}

/* Numbers of linux/tcp.h with the value of a fresh socket. */
static void
every_number_of_tcp_has_an_answer(void)
{
    static const struct {
        int name, value, refused;
    } cases[] = {
        { 1, 0, 0 },            /* TCP_NODELAY */
        { 2, 524, 0 },          /* TCP_MAXSEG */
        { 3, 0, 0 },            /* TCP_CORK */
        { 4, 7200, 0 },         /* TCP_KEEPIDLE */
        { 5, 75, 0 },           /* TCP_KEEPINTVL */
        { 6, 9, 0 },            /* TCP_KEEPCNT */
        { 7, 6, 0 },            /* TCP_SYNCNT */
        { 8, 60, 0 },           /* TCP_LINGER2 */
        { 9, 0, 0 },            /* TCP_DEFER_ACCEPT */
        { 10, 0, 0 },           /* TCP_WINDOW_CLAMP */
        { 12, 1, 0 },           /* TCP_QUICKACK */
        { 16, 0, 0 },           /* TCP_THIN_LINEAR_TIMEOUTS */
        { 17, 0, 0 },           /* TCP_THIN_DUPACK */
        { 18, 0, 0 },           /* TCP_USER_TIMEOUT */
        { 19, 0, 0 },           /* TCP_REPAIR */
        { 20, 0, EINVAL },      /* TCP_REPAIR_QUEUE */
        { 21, 0, EINVAL },      /* TCP_QUEUE_SEQ */
        { 23, 0, 0 },           /* TCP_FASTOPEN */
        { 25, 0, 0 },           /* TCP_NOTSENT_LOWAT */
        { 27, 0, 0 },           /* TCP_SAVE_SYN */
        { 29, 0, EPERM },       /* TCP_REPAIR_WINDOW */
        { 30, 0, 0 },           /* TCP_FASTOPEN_CONNECT */
        { 34, 0, 0 },           /* TCP_FASTOPEN_NO_COOKIE */
        { 36, 0, 0 },           /* TCP_INQ */
        { 37, 0, 0 },           /* TCP_TX_DELAY */
        { 43, 0, 0 },           /* TCP_IS_MPTCP */
        { 44, 120000, 0 },      /* TCP_RTO_MAX_MS */
        { 45, 200000, 0 },      /* TCP_RTO_MIN_US */
        { 46, 200000, 0 },      /* TCP_DELACK_MAX_US */
        { 14, 0, ENOPROTOOPT }, /* TCP_MD5SIG */
        { 22, 0, ENOPROTOOPT }, /* TCP_REPAIR_OPTIONS */
        { 38, 0, ENOPROTOOPT }, /* TCP_AO_ADD_KEY */
        { 999, 0, ENOPROTOOPT },
    };
    Drill drill = drill_open("");
    int fd = CALL(&drill, socket, AF_INET, SOCK_STREAM, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%d", cases[i].name);
        if (cases[i].refused != 0)
            expect_refused(&drill, fd, TCP_LEVEL, cases[i].name, cases[i].refused);
        else
            expect_int(&drill, fd, TCP_LEVEL, cases[i].name, cases[i].value);
    }
    g_assert_cmpint(set_int(&drill, fd, TCP_LEVEL, 24, 1), ==, EPERM); /* TCP_TIMESTAMP */
    g_assert_cmpint(set_int(&drill, fd, TCP_LEVEL, 999, 1), ==, ENOPROTOOPT);
    g_assert_cmpint(set_int(&drill, fd, 77, 1, 1), ==, ENOPROTOOPT);
    expect_refused(&drill, fd, SOL_SOCKET, SO_TIMESTAMP, ENOPROTOOPT); /* out of scope */
    drill_close(&drill);
}

static void
lengths_and_pointers_are_checked(void)
{
    Drill drill = drill_open("");
    int fd = CALL(&drill, socket, AF_INET, SOCK_STREAM, 0), value = 1;
    uint8_t byte = 0x10;
    socklen_t len = 2;

    g_assert_cmpint(CALL(&drill, setsockopt, fd, TCP_LEVEL, 1, NULL, 4), ==, -1);
    g_assert_cmpint(errno, ==, EFAULT);
    g_assert_cmpint(CALL(&drill, setsockopt, fd, TCP_LEVEL, 1, &value, 2), ==, -1);
    g_assert_cmpint(errno, ==, EINVAL);
    g_assert_cmpint(CALL(&drill, getsockopt, fd, TCP_LEVEL, 1, NULL, &len), ==, -1);
    g_assert_cmpint(errno, ==, EFAULT);
    /* ip(7): a byte will do; a shorter room gets what fits. */
    g_assert_cmpint(CALL(&drill, setsockopt, fd, IPPROTO_IP, IP_TOS, &byte, 1), ==, 0);
    expect_int(&drill, fd, IPPROTO_IP, IP_TOS, 0x10);
    g_assert_cmpint(CALL(&drill, getsockopt, fd, IPPROTO_IP, IP_TOS, &value, &len), ==, 0);
    g_assert_cmpuint(len, ==, 2);
    drill_close(&drill);
}

static void
options_that_are_no_numbers(void)
{
    Drill drill = drill_open("");
    int fd = CALL(&drill, socket, AF_INET, SOCK_STREAM, 0);
    struct linger linger = { .l_onoff = 1, .l_linger = 7 }, read_back = { 0 };
    char text[20] = "", key[16] = "sixteen bytes...";
    socklen_t len = sizeof read_back;

    CALL(&drill, setsockopt, fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    g_assert_cmpint(CALL(&drill, getsockopt, fd, SOL_SOCKET, SO_LINGER, &read_back, &len), ==, 0);
    g_assert_cmpint(read_back.l_linger, ==, 7);

    len = sizeof text;
    g_assert_cmpint(CALL(&drill, getsockopt, fd, TCP_LEVEL, 13, text, &len), ==, 0);
    g_assert_cmpstr(text, ==, "cubic");
    g_assert_cmpint(CALL(&drill, setsockopt, fd, TCP_LEVEL, 13, "reno", 4), ==, 0);
    g_assert_cmpint(CALL(&drill, setsockopt, fd, TCP_LEVEL, 13, "vegas", 5), ==, -1);
    g_assert_cmpint(errno, ==, ENOENT);

    g_assert_cmpint(CALL(&drill, setsockopt, fd, TCP_LEVEL, 33, key, 16), ==, 0);
    g_assert_cmpint(CALL(&drill, setsockopt, fd, TCP_LEVEL, 33, key, 3), ==, -1);
    g_assert_cmpint(errno, ==, EINVAL);
    len = sizeof text;
    g_assert_cmpint(CALL(&drill, getsockopt, fd, TCP_LEVEL, 33, text, &len), ==, 0);
    g_assert_cmpmem(text, len, key, 16);
    len = sizeof text;
    g_assert_cmpint(CALL(&drill, getsockopt, fd, TCP_LEVEL, 28, text, &len), ==, 0);
    g_assert_cmpuint(len, ==, 0); /* TCP_SAVED_SYN */
    g_assert_cmpint(CALL(&drill, setsockopt, fd, TCP_LEVEL, 31, "tls", 3), ==, -1);
    g_assert_cmpint(errno, ==, ENOENT);
    drill_close(&drill);
}

static void
tcp_info_is_that_of_the_connection(void)
{
    Drill drill = drill_open("");
    Segment remote;
    int fd = drill_accept(&drill, &remote);
    LinuxTcpInfo info;
    socklen_t len = sizeof info;

    g_assert_cmpint(CALL(&drill, write, fd, "hello", 5), ==, 5);
    g_assert_cmpint(CALL(&drill, getsockopt, fd, TCP_LEVEL, 11, &info, &len), ==, 0);
    g_assert_cmpuint(len, ==, sizeof info);
    g_assert_cmpuint(info.state, ==, 1);
    g_assert_cmpuint(info.unacked, ==, 1);
    g_assert_cmpuint(info.snd_cwnd, ==, 10);
    g_assert_cmpuint(info.bytes_sent, ==, 5);
    len = 8; /* an older program's struct */
    g_assert_cmpint(CALL(&drill, getsockopt, fd, TCP_LEVEL, 11, &info, &len), ==, 0);
    g_assert_cmpuint(len, ==, 8);
    drill_close(&drill);
}

/* ---- the stand-ins ------------------------------------------------------------------- */

typedef struct Bench {
    char *folder, *flags;
    Drill drill;
} Bench;

static Bench
bench_open(void)
{
    Bench bench = { .folder = g_dir_make_tmp("door-XXXXXX", NULL) };

    bench.flags = g_strdup_printf("sysctls=%s", bench.folder);
    bench.drill = drill_open(bench.flags);
    return bench;
}

static void
bench_close(Bench *bench)
{
    g_autofree char *command = g_strdup_printf("rm -r '%s'", bench->folder);

    drill_close(&bench->drill);
    g_assert_cmpint(system(command), ==, 0);
    g_free(bench->folder);
    g_free(bench->flags);
}

/* What it prints, as a script calls it. */
static char *
run_shim(const Bench *bench, const char *command)
{
    g_autofree char *line =
        g_strdup_printf("HALFOPEN_SYSCTLS='%s' PATH=\"$PWD/scenarios/packetdrill/shims:$PATH\" "
                        "sh -c '%s'",
                        bench->folder, command);
    char *argv[] = { "sh", "-c", line, NULL }, *out = NULL;

    g_assert_true(
        g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, NULL));
    return out;
}

static void
shim(const Bench *bench, const char *command)
{
    g_free(run_shim(bench, command));
}

static void
sysctl_reads_and_writes_and_nstat_counts(void)
{
    Bench bench = bench_open();
    g_autofree char *sack = run_shim(&bench, "sysctl net.ipv4.tcp_sack");
    g_autofree char *unknown = run_shim(&bench, "sysctl net.ipv4.tcp_magic 2>&1; echo $?");

    g_assert_cmpstr(sack, ==, "net.ipv4.tcp_sack = 1\n");
    g_assert_nonnull(strstr(unknown, "cannot stat"));
    shim(&bench, "sysctl -q net.ipv4.tcp_syn_retries=2; nstat");
    int fd = drill_listen(&bench.drill, 8080);
    expect_int(&bench.drill, fd, TCP_LEVEL, 7, 2);
    drill_handshake(&bench.drill, 8080);
    g_autofree char *counted = run_shim(&bench, "nstat");
    g_assert_nonnull(strstr(counted, "TcpPassiveOpens 1 0.0"));
    g_autofree char *nothing = run_shim(&bench, "nstat");
    g_assert_null(strstr(nothing, "TcpPassiveOpens"));
    bench_close(&bench);
}

static void
tc_gives_the_host_a_queue_that_refuses(void)
{
    Bench bench = bench_open();
    Drill *drill = &bench.drill;
    Segment remote;
    int fd = drill_accept(drill, &remote);
    LinuxTcpInfo info;
    socklen_t len = sizeof info;

    shim(&bench, "tc qdisc replace dev tun0 root pfifo limit 0");
    g_assert_cmpint(CALL(drill, write, fd, "hello", 5), ==, 5);
    CALL(drill, usleep, 5000000); /* the handshake took no time, so the first RTO is 3 s */
    g_assert_cmpint(CALL(drill, getsockopt, fd, TCP_LEVEL, 11, &info, &len), ==, 0);
    g_assert_cmpuint(info.unacked, ==, 0);
    g_assert_cmpuint(info.probes, >=, 3);
    g_assert_cmpuint(info.backoff, ==, 0);
    shim(&bench, "tc qdisc del dev tun0 root");
    drill_expect(drill, PSH | ACK, 5);
    bench_close(&bench);
}

static void
ip_route_sets_metrics(void)
{
    Bench bench = bench_open();
    Drill *drill = &bench.drill;
    LinuxTcpInfo info;
    socklen_t len = sizeof info;
    Segment remote;

    shim(&bench, "ip route change 192.0.2.1 via 192.168.0.2 dev tun0 initcwnd 4 mtu lock 1000");
    int fd = drill_accept(drill, &remote);
    g_assert_cmpint(CALL(drill, getsockopt, fd, TCP_LEVEL, 11, &info, &len), ==, 0);
    g_assert_cmpuint(info.snd_cwnd, ==, 4);
    g_assert_cmpuint(info.pmtu, ==, 1000);
    bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/packetdrill/options/" #claim, claim)
    ADD(a_socket_tells_what_it_is);
    ADD(every_number_of_tcp_has_an_answer);
    ADD(lengths_and_pointers_are_checked);
    ADD(options_that_are_no_numbers);
    ADD(tcp_info_is_that_of_the_connection);
    ADD(sysctl_reads_and_writes_and_nstat_counts);
    ADD(tc_gives_the_host_a_queue_that_refuses);
    ADD(ip_route_sets_metrics);
#undef ADD
    return g_test_run();
}
