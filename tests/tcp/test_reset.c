/* Segments for nobody, challenge ACKs and their limits, ICMP errors, keepalive:
 * what ends a connection from outside, and what does not. */
#include "tests/support/tcp_bench.h"

#include <errno.h>

#define RST_ACK (TCP_RST | TCP_ACK)

/* ---- no socket, or only a listener --------------------------------------------------- */

typedef struct StrayCase {
    const char *what;
    Seg seg, reply; /* reply.flags 0: silence */
} StrayCase;

static void
check_strays(TcpState state, const StrayCase *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, state);

        g_test_message("%s", cases[i].what);
        tcp_bench_deliver(b, cases[i].seg);
        if (cases[i].reply.flags != 0)
            tcp_bench_expect(b, cases[i].reply);
        tcp_bench_expect_silence(b);
    }
}

static void
closed_port_answers_everything_but_rst(void)
{
    static const StrayCase cases[] = {
        { "SYN", { .flags = TCP_SYN, .seq = 7 }, { .flags = RST_ACK, .ack = 8 } },
        { "SYN with data", { .flags = TCP_SYN, .len = 10 }, { .flags = RST_ACK, .ack = 11 } },
        { "ACK", { .flags = TCP_ACK, .ack = 99 }, { .flags = TCP_RST, .seq = 99 } },
        { "SYN-ACK", { .flags = TCP_SYN | TCP_ACK, .ack = 99 }, { .flags = TCP_RST, .seq = 99 } },
        { "FIN", { .flags = TCP_FIN, .seq = 7 }, { .flags = RST_ACK, .ack = 8 } },
        { "no flags", { .seq = 7, .len = 5 }, { .flags = RST_ACK, .ack = 12 } },
        { "RST", { .flags = TCP_RST, .seq = 7 }, { 0 } },
        { "RST-ACK", { .flags = RST_ACK, .seq = 7, .ack = 9 }, { 0 } },
    };

    check_strays(TCP_CLOSED, cases, G_N_ELEMENTS(cases));
}

static void
listener_answers_what_has_an_ack_and_ignores_the_rest(void)
{
    static const StrayCase cases[] = {
        { "ACK", { .flags = TCP_ACK, .ack = 99 }, { .flags = TCP_RST, .seq = 99 } },
        { "SYN-ACK", { .flags = TCP_SYN | TCP_ACK, .ack = 99 }, { .flags = TCP_RST, .seq = 99 } },
        { "FIN-ACK", { .flags = TCP_FIN | TCP_ACK, .ack = 99 }, { .flags = TCP_RST, .seq = 99 } },
        { "RST", { .flags = TCP_RST }, { 0 } },
        { "FIN", { .flags = TCP_FIN }, { 0 } },
        { "no flags", { .len = 5 }, { 0 } },
        { "SYN and FIN", { .flags = TCP_SYN | TCP_FIN }, { 0 } },
        { "PSH", { .flags = TCP_PSH, .len = 5 }, { 0 } },
        { "SYN with data",
          { .flags = TCP_SYN, .len = 10 },
          { .flags = TCP_SYN | TCP_ACK, .ack = 1 } },
    };

    check_strays(TCP_LISTEN, cases, G_N_ELEMENTS(cases));
}

/* ---- challenge ACKs ---------------------------------------------------------------------- */

static void
challenges_are_limited_to_one_in_500_ms(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);
    GString *answered = g_string_new("");

    for (unsigned i = 1; i <= 12; i++) {
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 10));
        if (!g_queue_is_empty(b->sent))
            g_string_append_printf(answered, "%u ", i);
        tcp_bench_skip(b);
        tcp_bench_run(b, 100 * SIM_MS);
    }
    g_assert_cmpstr(answered->str, ==, "1 6 11 ");
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPACKSkippedChallenge], ==, 9);
    g_string_free(answered, TRUE);
}

static void
host_wide_limit_of_challenges_holds_for_a_second(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_challenge_ack_limit", "2");
    tcp_bench_set(b, "challenge_ack_random", "0");
    tcp_bench_set(b, "net.ipv4.tcp_invalid_ratelimit", "0");
    tcp_bench_enter(b, TCP_ESTABLISHED);
    for (unsigned i = 0; i < 5; i++)
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 10));
    g_assert_cmpuint(g_queue_get_length(b->sent), ==, 2);
    tcp_bench_run(b, SIM_SEC);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 10));
    g_assert_cmpuint(g_queue_get_length(b->sent), ==, 3);
}

static void
syn_at_last_ack_is_challenged_and_the_answer_frees_it(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_LAST_ACK);

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 70000));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 2));
    tcp_bench_expect_state(b, TCP_CLOSED);
}

/* ---- ICMP ------------------------------------------------------------------------------- */

static void
icmp(TcpBench *b, uint8_t type, uint8_t code, uint32_t seq)
{
    Packet *packet = packet_new(&b->net->packets);

    packet->ip.src = ip_addr_v4(0x0a000002);
    packet->ip.dst = ip_addr_v4(0x0a000001);
    packet->ip.proto = IP_PROTO_ICMP;
    packet->payload = (Payload){ 0 };
    packet->icmp = (IcmpHeader){
        .type = type,
        .code = code,
        .quoted_len = 28,
        .quoted_ip = { .src = packet->ip.dst,
                       .dst = packet->ip.src,
                       .proto = IP_PROTO_TCP,
                       .ttl = 60,
                       .total_len = 60 },
        .quoted_sport = b->local_port,
        .quoted_dport = 2000,
        .quoted_seq = b->iss + seq,
    };
    packet_finish_lengths(packet);
    host_receive(b->iface, packet);
    tcp_bench_run(b, 0);
}

static void
icmp_ends_a_connection_that_is_opening(void)
{
    static const struct {
        uint8_t type, code;
        int error;
    } cases[] = {
        { 3, 0, ENETUNREACH },  { 3, 1, EHOSTUNREACH },  { 3, 2, ENOPROTOOPT },
        { 3, 3, ECONNREFUSED }, { 3, 13, EHOSTUNREACH }, { 11, 0, EHOSTUNREACH },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);

        icmp(b, cases[i].type, cases[i].code, 0);
        tcp_bench_expect_state(b, TCP_CLOSED);
        g_assert_cmpint(sock_take_error(b->sock), ==, cases[i].error);
    }
}

/* RFC 9293 §3.9.2.2 MUST-56, SHLD-25. */
static void
by_the_rfc_only_a_hard_icmp_ends_an_opening(void)
{
    static const struct {
        uint8_t type, code;
        TcpState state;
    } cases[] = {
        { 3, 0, TCP_SYN_SENT }, { 3, 1, TCP_SYN_SENT }, { 3, 5, TCP_SYN_SENT },
        { 3, 2, TCP_CLOSED },   { 3, 3, TCP_CLOSED },   { 11, 0, TCP_SYN_SENT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_RFC, TCP_SYN_SENT);

        icmp(b, cases[i].type, cases[i].code, 0);
        tcp_bench_expect_state(b, cases[i].state);
    }
}

static void
by_the_rfc_a_hard_icmp_ends_an_open_connection(void)
{
    static const struct {
        uint8_t type, code;
        TcpState state;
    } cases[] = {
        { 3, 0, TCP_ESTABLISHED }, { 3, 1, TCP_ESTABLISHED },  { 3, 2, TCP_CLOSED },
        { 3, 3, TCP_CLOSED },      { 3, 13, TCP_ESTABLISHED }, { 11, 1, TCP_ESTABLISHED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_RFC, TCP_ESTABLISHED);

        g_assert_cmpint(sock_send(b->sock, "x", 1, 0), ==, 1);
        tcp_bench_run(b, 0);
        icmp(b, cases[i].type, cases[i].code, 1);
        tcp_bench_expect_state(b, cases[i].state);
    }
}

static void
icmp_about_other_data_is_ignored(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);

    icmp(b, 3, 1, 1000);
    tcp_bench_expect_state(b, TCP_SYN_SENT);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtOutOfWindowIcmps], ==, 1);
}

static void
icmp_is_only_a_hint_to_an_established_connection(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    g_assert_cmpint(sock_send(b->sock, "x", 1, 0), ==, 1);
    tcp_bench_run(b, 0);
    icmp(b, 3, 3, 1);
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    g_assert_cmpint(sock_take_error(b->sock), ==, ECONNREFUSED); /* SO_ERROR tells, once */
    g_assert_cmpint(sock_take_error(b->sock), ==, 0);
}

static void
icmp_hint_becomes_the_error_of_the_timeout(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    sock_set_option(b->sock, TCP_OPT_USER_TIMEOUT, 3000);
    g_assert_cmpint(sock_send(b->sock, "x", 1, 0), ==, 1);
    tcp_bench_run(b, 0);
    icmp(b, 3, 3, 1);
    tcp_bench_run(b, 10 * SIM_SEC);
    tcp_bench_expect_state(b, TCP_CLOSED);
    g_assert_cmpint(sock_take_error(b->sock), ==, ECONNREFUSED);
}

static void
icmp_unreachable_drops_a_half_open_request(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_RECEIVED);

    icmp(b, 3, 3, 0); /* a port: says nothing of the path */
    tcp_bench_expect_state(b, TCP_SYN_RECEIVED);
    icmp(b, 3, 1, 0);
    tcp_bench_expect_state(b, TCP_LISTEN);
}

/* ---- keepalive ---------------------------------------------------------------------------- */

static TcpBench *
kept_alive(void)
{
    TcpBench *b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    sock_set_option(b->sock, TCP_OPT_KEEPIDLE, 2);
    sock_set_option(b->sock, TCP_OPT_KEEPINTVL, 1);
    sock_set_option(b->sock, TCP_OPT_KEEPCNT, 3);
    sock_set_option(b->sock, TCP_OPT_KEEPALIVE, 1);
    return b;
}

static const Seg probe = { .flags = TCP_ACK, .seq = 0, .ack = 1 };

static void
keepalive_of_a_living_peer_starts_over(void)
{
    g_autoptr(TcpBench) b = kept_alive();

    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmpint(tcp_bench_await(b, probe), ==, 2 * SIM_SEC);
        tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    }
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
}

static void
keepalive_of_a_silent_peer_gives_up_with_rst(void)
{
    g_autoptr(TcpBench) b = kept_alive();

    g_assert_cmpint(tcp_bench_await(b, probe), ==, 2 * SIM_SEC);
    g_assert_cmpint(tcp_bench_await(b, probe), ==, 1 * SIM_SEC);
    g_assert_cmpint(tcp_bench_await(b, probe), ==, 1 * SIM_SEC);
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = RST_ACK, .seq = 1, .ack = 1)), ==, 1 * SIM_SEC);
    g_assert_cmpint(sock_take_error(b->sock), ==, ETIMEDOUT);
    g_assert_cmpint(sock_send(b->sock, "x", 1, 0), ==, -EPIPE);
}

static void
keepalive_of_a_rebooted_peer_resets_at_once(void)
{
    g_autoptr(TcpBench) b = kept_alive();

    tcp_bench_await(b, probe);
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 1));
    tcp_bench_expect_state(b, TCP_CLOSED);
    g_assert_cmpint(sock_take_error(b->sock), ==, ECONNRESET);
}

static void
keepalive_by_default_takes_two_hours_eleven_minutes_fifteen_seconds(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);
    SimTime began = sim_now(b->sim);

    sock_set_option(b->sock, TCP_OPT_KEEPALIVE, 1);
    while (tcp_bench_state(b) == TCP_ESTABLISHED && sim_step(b->sim))
        continue;
    g_assert_cmpint(sim_now(b->sim) - began, ==, (7200 + 9 * 75) * SIM_SEC);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPKeepAlive], ==, 9);
}

static void
user_timeout_takes_the_place_of_the_count(void)
{
    g_autoptr(TcpBench) b = kept_alive();
    SimTime began = sim_now(b->sim);

    sock_set_option(b->sock, TCP_OPT_KEEPCNT, 10);
    sock_set_option(b->sock, TCP_OPT_USER_TIMEOUT, 4500);
    while (tcp_bench_state(b) == TCP_ESTABLISHED && sim_step(b->sim))
        continue;
    g_assert_cmpint(sim_now(b->sim) - began, ==, 5 * SIM_SEC);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/reset/" #name, name)
    CLAIM(closed_port_answers_everything_but_rst);
    CLAIM(listener_answers_what_has_an_ack_and_ignores_the_rest);
    CLAIM(challenges_are_limited_to_one_in_500_ms);
    CLAIM(host_wide_limit_of_challenges_holds_for_a_second);
    CLAIM(syn_at_last_ack_is_challenged_and_the_answer_frees_it);
    CLAIM(icmp_ends_a_connection_that_is_opening);
    CLAIM(by_the_rfc_only_a_hard_icmp_ends_an_opening);
    CLAIM(by_the_rfc_a_hard_icmp_ends_an_open_connection);
    CLAIM(icmp_about_other_data_is_ignored);
    CLAIM(icmp_is_only_a_hint_to_an_established_connection);
    CLAIM(icmp_hint_becomes_the_error_of_the_timeout);
    CLAIM(icmp_unreachable_drops_a_half_open_request);
    CLAIM(keepalive_of_a_living_peer_starts_over);
    CLAIM(keepalive_of_a_silent_peer_gives_up_with_rst);
    CLAIM(keepalive_of_a_rebooted_peer_resets_at_once);
    CLAIM(keepalive_by_default_takes_two_hours_eleven_minutes_fifteen_seconds);
    CLAIM(user_timeout_takes_the_place_of_the_count);
    return g_test_run();
}
