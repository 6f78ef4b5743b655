/* RFC 5961: an attacker off the path knows the four-tuple and sees nothing. He
 * sends one segment for each window's width of the number space, so that one of
 * them is in the window. With the rules it is answered at most with an ACK to
 * the real peer; without them (rfc5961 = 0) it does what he wants. */
#include "tests/tcp/receiver.h"

/* So that a sweep takes 64 segments; none is exact. */
#define STEP        (1u << 26)
#define WIDE_WINDOW "134217728" /* bytes: a buffer that offers more than a step */
#define OFFSET      12345u

static TcpBench *
victim(const char *rfc5961)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_RFC);

    tcp_bench_set(b, "rfc5961", rfc5961);
    tcp_bench_set(b, "net.ipv4.tcp_rmem[2]", WIDE_WINDOW);
    tcp_bench_set(b, "net.ipv4.tcp_rmem[1]", WIDE_WINDOW);
    receiver_establish(b, TCPOPT_HAS_WSCALE);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 1, .len = 1));
    tcp_bench_run(b, SIM_SEC); /* its ACK offers the whole window */
    tcp_bench_skip(b);
    g_assert_cmpuint(tcp_window_now(receiver_conn(b)), >, STEP);
    return b;
}

/* True: the connection is still there. */
static bool
survives(TcpBench *b, Seg seg)
{
    for (uint32_t i = 0; i < 64; i++) {
        seg.seq = OFFSET + i * STEP;
        tcp_bench_deliver(b, seg);
    }
    return tcp_bench_state(b) == TCP_ESTABLISHED;
}

static void
swept_rst_ends_it_only_without_the_rules(void)
{
    g_autoptr(TcpBench) with = victim("1");
    g_autoptr(TcpBench) without = victim("0");

    g_assert_true(survives(with, SEG(.flags = TCP_RST)));
    g_assert_cmpuint(receiver_count(with, MIB_TcpExtTCPChallengeACK), ==, 1);
    g_assert_false(survives(without, SEG(.flags = TCP_RST)));
    g_assert_cmpint(sock_take_error(without->sock), ==, ECONNRESET);
}

static void
swept_syn_ends_it_only_without_the_rules(void)
{
    g_autoptr(TcpBench) with = victim("1");
    g_autoptr(TcpBench) without = victim("0");

    g_assert_true(survives(with, SEG(.flags = TCP_SYN)));
    g_assert_cmpuint(receiver_count(with, MIB_TcpExtTCPSYNChallenge), ==, 64);
    g_assert_cmpuint(receiver_count(with, MIB_TcpExtTCPChallengeACK), ==, 1);
    g_assert_false(survives(without, SEG(.flags = TCP_SYN)));
    g_assert_cmpint(sock_take_error(without->sock), ==, ECONNRESET);
}

/* Without the rules a SYN left or right of the window is only acknowledged
 * (RFC 9293 §3.10.7.4 #1); one in it is answered with RST. */
static void
without_the_rules_a_syn_out_of_the_window_is_harmless(void)
{
    g_autoptr(TcpBench) b = victim("0");

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 1u << 30));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 12));
    tcp_bench_expect(b, SEG(.flags = TCP_RST | TCP_ACK, .seq = 0, .ack = 13));
    tcp_bench_expect_state(b, TCP_CLOSED);
}

/* Of eight ACK numbers all round the space, RFC 793 takes those that are not
 * ahead of SND.NXT: half of them. RFC 5961 §5.2 leaves MAX.SND.WND of 2^32. */
static unsigned
guesses_that_inject(const char *rfc5961)
{
    unsigned taken = 0;

    for (uint32_t guess = 0; guess < 8; guess++) {
        g_autoptr(TcpBench) b = victim(rfc5961);

        tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 2,
                                 .ack = 1 + (1u << 20) + guess * (1u << 29), .len = 100));
        taken += tcp_unread_bytes(receiver_conn(b)) > 1;
    }
    return taken;
}

static void
any_old_ack_number_injects_data_only_without_the_rules(void)
{
    g_assert_cmpuint(guesses_that_inject("1"), ==, 0);
    g_assert_cmpuint(guesses_that_inject("0"), ==, 4);
}

/* RFC 5961 §7: ten in any five seconds, however many connections are attacked. */
static void
challenges_of_the_rfc_are_ten_in_five_seconds(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_RFC);

    tcp_bench_set(b, "net.ipv4.tcp_invalid_ratelimit", "0");
    tcp_bench_enter(b, TCP_ESTABLISHED);
    tcp_bench_run(b, 10 * SIM_SEC); /* on a boundary */
    for (unsigned i = 0; i < 40; i++) {
        tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 10));
        tcp_bench_run(b, 100 * SIM_MS);
    }
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPChallengeACK), ==, 10);
    tcp_bench_run(b, SIM_SEC);
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 10));
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPChallengeACK), ==, 11);
}

static void
challenge_limit_of_linux_is_by_the_second(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_challenge_ack_limit", "3");
    tcp_bench_set(b, "challenge_ack_random", "0");
    tcp_bench_set(b, "net.ipv4.tcp_invalid_ratelimit", "0");
    tcp_bench_enter(b, TCP_ESTABLISHED);
    tcp_bench_run(b, SIM_SEC);
    for (unsigned i = 0; i < 20; i++) {
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 10));
        tcp_bench_run(b, 100 * SIM_MS);
    }
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPChallengeACK), ==, 6);
}

/* CVE-2016-5696: who could count on a number would learn from what is missing in
 * it. Linux draws it each second, from half of it to one and a half. */
static void
limit_of_linux_is_another_each_second(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    uint64_t least = UINT64_MAX, most = 0, before;

    tcp_bench_set(b, "net.ipv4.tcp_challenge_ack_limit", "20");
    tcp_bench_set(b, "net.ipv4.tcp_invalid_ratelimit", "0");
    tcp_bench_enter(b, TCP_ESTABLISHED);
    for (unsigned second = 1; second <= 40; second++) {
        tcp_bench_run(b, second * SIM_SEC - sim_now(b->sim));
        before = receiver_count(b, MIB_TcpExtTCPChallengeACK);
        for (unsigned i = 0; i < 40; i++)
            tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 10));
        least = MIN(least, receiver_count(b, MIB_TcpExtTCPChallengeACK) - before);
        most = MAX(most, receiver_count(b, MIB_TcpExtTCPChallengeACK) - before);
    }
    g_assert_cmpuint(least, >=, 10);
    g_assert_cmpuint(most, <=, 29);
    g_assert_cmpuint(least, <, 15); /* of 40 draws */
    g_assert_cmpuint(most, >, 24);
}

/* An RST of a reboot is exact in the end: the challenge tells the real peer the
 * number, and its RST for a connection it does not know carries it (§3.2). */
static void
answer_to_a_challenge_is_exact(void)
{
    g_autoptr(TcpBench) b = victim("1");

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 1u << 20));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 2));
    tcp_bench_expect_state(b, TCP_CLOSED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/blind/" #name, name)
    CLAIM(swept_rst_ends_it_only_without_the_rules);
    CLAIM(swept_syn_ends_it_only_without_the_rules);
    CLAIM(without_the_rules_a_syn_out_of_the_window_is_harmless);
    CLAIM(any_old_ack_number_injects_data_only_without_the_rules);
    CLAIM(challenges_of_the_rfc_are_ten_in_five_seconds);
    CLAIM(challenge_limit_of_linux_is_by_the_second);
    CLAIM(limit_of_linux_is_another_each_second);
    CLAIM(answer_to_a_challenge_is_exact);
    return g_test_run();
}
