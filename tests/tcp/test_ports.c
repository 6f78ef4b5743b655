/* Local ports: who may share one, which one bind(0) and connect() take, and
 * what happens when there is none. */
#include "tests/support/tcp_bench.h"

#include <errno.h>

static const Endpoint peer = { { 0, IP_ADDR_V4_PREFIX | 0x0a000002 }, 2000 };
static const Endpoint other_peer = { { 0, IP_ADDR_V4_PREFIX | 0x0a000002 }, 2001 };

static Endpoint
local(uint16_t port)
{
    return (Endpoint){ ip_addr_v4(0x0a000001), port };
}

static Socket *
open_with(TcpBench *b, bool reuse_addr, bool reuse_port)
{
    Socket *sock = tcp_bench_open(b);

    sock_set_option(sock, TCP_OPT_REUSEADDR, reuse_addr);
    sock_set_option(sock, TCP_OPT_REUSEPORT, reuse_port);
    return sock;
}

/* Two sockets on port 80: what bind() says of the second. */
static int
bind_second(bool first_reuse, bool second_reuse, bool port, bool first_listens)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *first = open_with(b, first_reuse && !port, first_reuse && port);
    Socket *second = open_with(b, second_reuse && !port, second_reuse && port);

    g_assert_cmpint(sock_bind(first, local(80)), ==, 0);
    if (first_listens)
        g_assert_cmpint(sock_listen(first, 4), ==, 0);
    return sock_bind(second, local(80));
}

static void
reuseaddr_shares_a_port_that_nobody_listens_on(void)
{
    g_assert_cmpint(bind_second(false, false, false, false), ==, -EADDRINUSE);
    g_assert_cmpint(bind_second(true, false, false, false), ==, -EADDRINUSE);
    g_assert_cmpint(bind_second(false, true, false, false), ==, -EADDRINUSE);
    g_assert_cmpint(bind_second(true, true, false, false), ==, 0);
    g_assert_cmpint(bind_second(true, true, false, true), ==, -EADDRINUSE);
}

static void
reuseport_shares_a_port_even_with_a_listener(void)
{
    g_assert_cmpint(bind_second(true, false, true, true), ==, -EADDRINUSE);
    g_assert_cmpint(bind_second(true, true, true, true), ==, 0);
}

/* Four listeners on one port: each has its quarter of the SYNs. */
static void
reuseport_listeners_share_the_syns_equally(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *listeners[4];
    unsigned taken[4] = { 0 };
    int error;

    for (unsigned i = 0; i < 4; i++) {
        listeners[i] = open_with(b, false, true);
        g_assert_cmpint(sock_bind(listeners[i], local(80)), ==, 0);
        g_assert_cmpint(sock_listen(listeners[i], 4000), ==, 0);
    }
    b->listener = listeners[0];
    b->local_port = 80;
    for (uint32_t port = 10000; port < 12000; port++) {
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .peer_port = port));
        tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .peer_port = port));
        tcp_bench_skip(b);
    }
    for (unsigned i = 0; i < 4; i++) {
        for (Socket *sock; (sock = sock_accept(listeners[i], &error)) != NULL; taken[i]++)
            sock_abort(sock);
        g_assert_cmpuint(taken[i], >, 500 - 5 * 20); /* five standard deviations */
        g_assert_cmpuint(taken[i], <, 500 + 5 * 20);
    }
    b->listener = NULL;
}

static void
second_listen_on_a_shared_port_fails(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *first = open_with(b, true, false), *second = open_with(b, true, false);

    g_assert_cmpint(sock_bind(first, local(80)), ==, 0);
    g_assert_cmpint(sock_bind(second, local(80)), ==, 0);
    g_assert_cmpint(sock_listen(first, 4), ==, 0);
    g_assert_cmpint(sock_listen(second, 4), ==, -EADDRINUSE);
}

static void
different_addresses_do_not_conflict(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *first = open_with(b, false, false), *second = open_with(b, false, false);
    Endpoint loopback = { ip_addr_v4(0x7f000001), 80 };

    g_assert_cmpint(sock_bind(first, local(80)), ==, 0);
    g_assert_cmpint(sock_bind(second, loopback), ==, 0);
}

static void
address_of_another_host_is_not_available(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    g_assert_cmpint(sock_bind(open_with(b, false, false), peer), ==, -EADDRNOTAVAIL);
}

/* ---- TIME-WAIT ---------------------------------------------------------------------- */

/* The bench's own connection, local port 1000, in TIME-WAIT. */
static TcpBench *
port_in_time_wait(bool reuse, bool timestamps)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);
    uint8_t options = timestamps ? TCPOPT_HAS_TS : 0;
    Socket *sock = open_with(b, reuse, false);

    g_assert_cmpint(sock_bind(sock, local(1000)), ==, 0);
    g_assert_cmpint(sock_connect(sock, peer), ==, -EINPROGRESS);
    tcp_bench_run(b, 0);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .options = options, .tsval = 9));
    g_assert_cmpint(tcp_bench_close(b, sock), ==, 0);
    tcp_bench_run(b, 0);
    tcp_bench_deliver(
        b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2, .options = options, .tsval = 10));
    tcp_bench_expect_state(b, TCP_TIME_WAIT);
    tcp_bench_run(b, 60 * SIM_MS);
    return b;
}

static void
port_in_time_wait_can_be_bound_only_if_both_reuse(void)
{
    for (unsigned i = 0; i < 4; i++) {
        g_autoptr(TcpBench) b = port_in_time_wait((i & 1) != 0, true);
        Socket *sock = open_with(b, (i & 2) != 0, false);

        g_assert_cmpint(sock_bind(sock, local(1000)), ==, i == 3 ? 0 : -EADDRINUSE);
        if (i == 3) /* and then the same peer can be reached at once */
            g_assert_cmpint(sock_connect(sock, peer), ==, -EINPROGRESS);
    }
}

static void
bound_port_in_time_wait_without_timestamps_is_not_available(void)
{
    g_autoptr(TcpBench) b = port_in_time_wait(true, false);
    Socket *sock = open_with(b, true, false);

    g_assert_cmpint(sock_bind(sock, local(1000)), ==, 0);
    g_assert_cmpint(sock_connect(sock, peer), ==, -EADDRNOTAVAIL);
}

/* One free port, in TIME-WAIT towards the peer. */
static TcpBench *
only_port_in_time_wait(const char *tw_reuse)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *sock = tcp_bench_open(b);

    tcp_bench_set(b, "net.ipv4.tcp_tw_reuse", tw_reuse);
    tcp_bench_set(b, "net.ipv4.ip_local_port_range", "1000 1000");
    g_assert_cmpint(sock_connect(sock, peer), ==, -EINPROGRESS);
    tcp_bench_run(b, 0);
    tcp_bench_deliver(
        b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .options = TCPOPT_HAS_TS, .tsval = 9));
    g_assert_cmpint(tcp_bench_close(b, sock), ==, 0);
    tcp_bench_run(b, 0);
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2,
                             .options = TCPOPT_HAS_TS, .tsval = 10));
    tcp_bench_expect_state(b, TCP_TIME_WAIT);
    tcp_bench_skip(b);
    return b;
}

static void
tw_reuse_takes_a_port_after_a_second(void)
{
    g_autoptr(TcpBench) b = only_port_in_time_wait("1");
    uint32_t old_iss = b->iss;

    tcp_bench_run(b, 1000 * SIM_MS);
    g_assert_cmpint(sock_connect(open_with(b, false, false), peer), ==, -EADDRNOTAVAIL);
    tcp_bench_run(b, 1 * SIM_MS);
    g_assert_cmpint(sock_connect(open_with(b, false, false), peer), ==, -EINPROGRESS);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN));
    g_assert_cmpuint(b->iss - old_iss, ==, 2 + 65537);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTWRecycled], ==, 1);
}

static void
tw_reuse_delay_is_the_age_that_an_entry_must_have(void)
{
    static const struct {
        const char *delay;
        SimTime age;
        int result;
    } cases[] = { { "300", 300 * SIM_MS, -EADDRNOTAVAIL },
                  { "300", 301 * SIM_MS, -EINPROGRESS },
                  { "0", 1 * SIM_MS, -EINPROGRESS },
                  { "5000", 4 * SIM_SEC, -EADDRNOTAVAIL },
                  { "5000", 5001 * SIM_MS, -EINPROGRESS } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = only_port_in_time_wait("1");

        tcp_bench_set(b, "net.ipv4.tcp_tw_reuse_delay", cases[i].delay);
        tcp_bench_run(b, cases[i].age);
        g_assert_cmpint(sock_connect(open_with(b, false, false), peer), ==, cases[i].result);
    }
}

/* One port, closed by us and not yet by the peer. */
static TcpBench *
only_port_in_fin_wait_2(bool reuse_addr)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *sock = open_with(b, reuse_addr, false);

    tcp_bench_set(b, "net.ipv4.tcp_tw_reuse", "1");
    tcp_bench_set(b, "net.ipv4.ip_local_port_range", "1000 1000");
    if (reuse_addr)
        g_assert_cmpint(sock_bind(sock, local(1000)), ==, 0);
    g_assert_cmpint(sock_connect(sock, peer), ==, -EINPROGRESS);
    tcp_bench_run(b, 0);
    tcp_bench_deliver(
        b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .options = TCPOPT_HAS_TS, .tsval = 9));
    g_assert_cmpint(tcp_bench_close(b, sock), ==, 0);
    tcp_bench_run(b, 0);
    tcp_bench_deliver(
        b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2, .options = TCPOPT_HAS_TS, .tsval = 10));
    tcp_bench_expect_state(b, TCP_FIN_WAIT_2);
    return b;
}

/* The second counts from the peer's FIN, not from our own. */
static void
tw_reuse_counts_from_the_end_of_fin_wait_2(void)
{
    g_autoptr(TcpBench) b = only_port_in_fin_wait_2(false);

    tcp_bench_run(b, 5 * SIM_SEC);
    g_assert_cmpint(sock_connect(open_with(b, false, false), peer), ==, -EADDRNOTAVAIL);
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2,
                             .options = TCPOPT_HAS_TS, .tsval = 5010));
    tcp_bench_expect_state(b, TCP_TIME_WAIT);
    tcp_bench_run(b, 1000 * SIM_MS);
    g_assert_cmpint(sock_connect(open_with(b, false, false), peer), ==, -EADDRNOTAVAIL);
    tcp_bench_run(b, 1 * SIM_MS);
    g_assert_cmpint(sock_connect(open_with(b, false, false), peer), ==, -EINPROGRESS);
}

/* Whoever bound the port by SO_REUSEADDR has it of an orphan in FIN-WAIT-2 too. */
static void
bound_port_of_an_orphan_in_fin_wait_2_is_taken_over(void)
{
    g_autoptr(TcpBench) b = only_port_in_fin_wait_2(true);
    Socket *sock = open_with(b, true, false);

    g_assert_cmpint(sock_bind(sock, local(1000)), ==, 0);
    g_assert_cmpint(sock_connect(sock, peer), ==, -EINPROGRESS);
}

/* Mode 2, the default: a host that talks to itself. */
static void
tw_reuse_2_takes_a_port_on_the_loopback_after_a_second(void)
{
    static const Endpoint self = { { 0, IP_ADDR_V4_PREFIX | 0x7f000001 }, 80 };
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *listener = tcp_bench_open(b), *sock = tcp_bench_open(b), *server;
    int error;

    tcp_bench_set(b, "net.ipv4.ip_local_port_range", "1000 1000");
    g_assert_cmpint(sock_bind(listener, (Endpoint){ IP_ADDR_ANY, 80 }), ==, 0);
    g_assert_cmpint(sock_listen(listener, 8), ==, 0);
    g_assert_cmpint(sock_connect(sock, self), ==, -EINPROGRESS);
    tcp_bench_run(b, 10 * SIM_MS);
    g_assert_nonnull(server = sock_accept(listener, &error));
    g_assert_cmpint(tcp_bench_close(b, sock), ==, 0);
    tcp_bench_run(b, 10 * SIM_MS);
    g_assert_cmpint(sock_close(server), ==, 0);
    tcp_bench_run(b, 900 * SIM_MS);
    g_assert_cmpint(sock_connect(open_with(b, false, false), self), ==, -EADDRNOTAVAIL);
    tcp_bench_run(b, 200 * SIM_MS);
    g_assert_cmpint(sock_connect(open_with(b, false, false), self), ==, -EINPROGRESS);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTWRecycled], ==, 1);
}

static void
without_tw_reuse_another_destination_has_the_port_but_not_the_same(void)
{
    static const char *const modes[] = { "0", "2" }; /* 2: on loopback only */

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(TcpBench) b = only_port_in_time_wait(modes[i]);

        tcp_bench_run(b, 5 * SIM_SEC);
        g_assert_cmpint(sock_connect(open_with(b, false, false), peer), ==, -EADDRNOTAVAIL);
        g_assert_cmpint(sock_connect(open_with(b, false, false), other_peer), ==, -EINPROGRESS);
    }
}

/* ---- choice and exhaustion ----------------------------------------------------------- */

static void
connect_takes_ports_of_the_first_parity_first(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    unsigned even = 0;

    tcp_bench_set(b, "net.ipv4.ip_local_port_range", "40000 40003");
    for (unsigned i = 0; i < 4; i++) {
        Socket *sock = open_with(b, false, false);

        g_assert_cmpint(sock_connect(sock, peer), ==, -EINPROGRESS);
        even += sock_local(sock).port % 2 == 0;
        g_assert_cmpuint(even, ==, MIN(i + 1, 2));
    }
    g_assert_cmpint(sock_connect(open_with(b, false, false), peer), ==, -EADDRNOTAVAIL);
    g_assert_cmpint(sock_connect(open_with(b, false, false), other_peer), ==, -EINPROGRESS);
    g_assert_cmpint(sock_bind(open_with(b, false, false), local(0)), ==, -EADDRINUSE);
}

static void
connect_steps_upwards_by_small_even_steps(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    uint16_t last = 0;

    for (unsigned i = 0; i < 20; i++) {
        Socket *sock = open_with(b, false, false);

        g_assert_cmpint(sock_connect(sock, peer), ==, -EINPROGRESS);
        uint16_t port = sock_local(sock).port;
        g_assert_cmpuint(port % 2, ==, 0);
        if (last != 0 && port > last)
            g_assert_cmpuint(port - last, <=, 16);
        last = port;
    }
}

static void
bind_to_any_port_takes_odd_ones(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    for (unsigned i = 0; i < 20; i++) {
        Socket *sock = open_with(b, false, false);

        g_assert_cmpint(sock_bind(sock, local(0)), ==, 0);
        g_assert_cmpuint(sock_local(sock).port % 2, ==, 1);
        g_assert_cmpuint(sock_local(sock).port, >=, 32768);
    }
}

static void
bind_address_no_port_leaves_the_choice_to_connect(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *sock = open_with(b, false, false);

    g_assert_cmpint(sock_set_option(sock, TCP_OPT_BIND_ADDRESS_NO_PORT, 1), ==, 0);
    g_assert_cmpint(sock_bind(sock, local(0)), ==, 0);
    g_assert_cmpuint(sock_local(sock).port, ==, 0);
    g_assert_cmpint(sock_connect(sock, peer), ==, -EINPROGRESS);
    g_assert_cmpuint(sock_local(sock).port % 2, ==, 0);
}

static void
reuse_may_be_set_and_cleared_while_a_port_is_held(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *sock = open_with(b, false, false), *second = open_with(b, true, false);

    g_assert_cmpint(sock_connect(sock, peer), ==, -EINPROGRESS);
    uint16_t port = sock_local(sock).port;
    g_assert_cmpint(sock_bind(second, local(port)), ==, -EADDRINUSE);
    sock_set_option(sock, TCP_OPT_REUSEADDR, 1);
    g_assert_cmpint(sock_bind(second, local(port)), ==, 0);
    sock_set_option(sock, TCP_OPT_REUSEADDR, 0);
    g_assert_cmpint(tcp_bench_close(b, sock), ==, 0);
}

static void
user_keeps_the_port_it_bound_after_the_connection_ended(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);
    Socket *second = open_with(b, false, false);

    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 1));
    g_assert_cmpint(sock_bind(second, local(1000)), ==, -EADDRINUSE);
    g_assert_cmpint(sock_close(b->sock), ==, 0);
    b->sock = NULL;
    g_assert_cmpint(sock_bind(second, local(1000)), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/ports/" #name, name)
    CLAIM(reuseaddr_shares_a_port_that_nobody_listens_on);
    CLAIM(reuseport_shares_a_port_even_with_a_listener);
    CLAIM(reuseport_listeners_share_the_syns_equally);
    CLAIM(second_listen_on_a_shared_port_fails);
    CLAIM(different_addresses_do_not_conflict);
    CLAIM(address_of_another_host_is_not_available);
    CLAIM(port_in_time_wait_can_be_bound_only_if_both_reuse);
    CLAIM(bound_port_in_time_wait_without_timestamps_is_not_available);
    CLAIM(tw_reuse_takes_a_port_after_a_second);
    CLAIM(tw_reuse_delay_is_the_age_that_an_entry_must_have);
    CLAIM(tw_reuse_counts_from_the_end_of_fin_wait_2);
    CLAIM(bound_port_of_an_orphan_in_fin_wait_2_is_taken_over);
    CLAIM(tw_reuse_2_takes_a_port_on_the_loopback_after_a_second);
    CLAIM(without_tw_reuse_another_destination_has_the_port_but_not_the_same);
    CLAIM(connect_takes_ports_of_the_first_parity_first);
    CLAIM(connect_steps_upwards_by_small_even_steps);
    CLAIM(bind_to_any_port_takes_odd_ones);
    CLAIM(bind_address_no_port_leaves_the_choice_to_connect);
    CLAIM(reuse_may_be_set_and_cleared_while_a_port_is_held);
    CLAIM(user_keeps_the_port_it_bound_after_the_connection_ended);
    return g_test_run();
}
