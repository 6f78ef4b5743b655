/* RTT estimation, the retransmission timeout, its back-off and its end. */
#include "tests/support/sender.h"

/* Without SACK there is no tail loss probe: the RTO is alone. */
#define PLAIN ((SenderParams){ .mss = 1000, .rtt = 20 * SIM_MS })

static void
the_first_rto_is_srtt_plus_200_ms(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    g_assert_cmpint(s->conn->rtt.srtt, ==, 20 * SIM_MS);
    g_assert_cmpint(s->conn->rtt.rto, ==, 220 * SIM_MS);
    sender_write(s, 100);
    sender_expect(s, 1, 101);
    g_assert_cmpint(sender_await(s, 1, 101), ==, 220 * SIM_MS);
}

/* FACTS 2, recording s03_synack_all_lost_real: a timer fires at a tick of the
 * kernel's clock, and a long one at every eighth, counted from when it came up. */
static void
ticks_and_slots_count_from_the_boot(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);
    TcpStack *stack = s->conn->stack;
    TcpParams params = *stack->params;
    SimTime now = tcp_now(s->conn);

    params.kernel_hz = 250;
    for (uint32_t up = 0; up < 32000; up += 500) {
        SimTime boot = -(SimTime)up * SIM_US;
        SimTime short_one, long_one;

        params.kernel_uptime_us = up;
        tcp_set_params(stack->host, &params);
        short_one = tcp_timer_deadline(stack, 40 * SIM_MS);
        long_one = tcp_timer_deadline(stack, SIM_SEC);
        g_assert_cmpint((short_one - boot) % (4 * SIM_MS), ==, 0);
        g_assert_cmpint((long_one - boot) % (32 * SIM_MS), ==, 0);
        g_assert_cmpint(short_one - now, >=, 40 * SIM_MS);
        g_assert_cmpint(short_one - now, <=, 44 * SIM_MS);
        g_assert_cmpint(long_one - now, >=, SIM_SEC);
        g_assert_cmpint(long_one - now, <=, SIM_SEC + 32 * SIM_MS);
    }
}

/* RFC 6298 §2.2, §2.4 */
static void
the_first_rto_of_the_rfc_is_one_second(void)
{
    g_autoptr(Sender) s =
        sender_new((SenderParams){ .mss = 1000, .rtt = 20 * SIM_MS, .profile = TCP_PROFILE_RFC });

    g_assert_cmpint(s->conn->rtt.mdev, ==, 10 * SIM_MS);
    g_assert_cmpint(s->conn->rtt.rto, ==, 1 * SIM_SEC);
}

static void
each_timeout_doubles_the_rto(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);
    SimTime expected = 220 * SIM_MS;

    sender_write(s, 100);
    sender_expect(s, 1, 101);
    for (int i = 0; i < 12; i++) {
        g_assert_cmpint(sender_await(s, 1, 101), ==, expected);
        expected = MIN(2 * expected, 120 * SIM_SEC);
    }
}

static void
a_sample_ends_the_back_off(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 100);
    sender_expect(s, 1, 101);
    sender_await(s, 1, 101);
    sender_await(s, 1, 101);
    sender_ack(s, 101, NULL); /* Karn: no sample, the back-off holds */
    g_assert_cmpint(s->conn->rtt.rto, ==, 880 * SIM_MS);
    sender_write(s, 100);
    sender_expect(s, 101, 201);
    sender_run(s, 20 * SIM_MS);
    sender_ack(s, 201, NULL);
    g_assert_cmpint(s->conn->rtt.rto, ==, 220 * SIM_MS);
}

/* Recording s15_retries2_default: fifteen retransmissions, and the end when
 * the next is due after 924.6 s. */
static void
retries2_ends_the_connection_with_etimedout(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 100);
    sender_expect(s, 1, 101);
    for (int i = 0; i < 15; i++)
        sender_await(s, 1, 101);
    sender_run(s, 130 * SIM_SEC);
    sender_expect_silence(s);
    g_assert_cmpint(sock_take_error(s->bench->sock), ==, ETIMEDOUT);
}

static void
user_timeout_ends_it_earlier(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    s->conn->opt.user_timeout_ms = 3000;
    sender_write(s, 100);
    sender_expect(s, 1, 101);
    sender_run(s, 3300 * SIM_MS);
    g_assert_cmpint(sock_take_error(s->bench->sock), ==, ETIMEDOUT);
}

/* The peer answers, and its window stays shut over what was sent. */
static void
user_timeout_ends_it_though_a_closed_window_is_acknowledged(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    s->conn->opt.user_timeout_ms = 3000;
    sender_write(s, 100);
    sender_expect(s, 1, 101);
    s->wnd = 0;
    sender_ack(s, 1, NULL);
    for (int i = 0; i < 40 && !s->conn->has_ended; i++) {
        sender_run(s, 100 * SIM_MS);
        tcp_bench_skip(s->bench);
        if (!s->conn->has_ended)
            sender_ack(s, 1, NULL);
    }
    g_assert_cmpint(sock_take_error(s->bench->sock), ==, ETIMEDOUT);
    g_assert_cmpuint(sim_events_run(s->bench->sim), <, 1000);
}

/* Linux: the time that retries take is counted from 200 ms. */
static void
a_small_least_rto_does_not_give_up_earlier(void)
{
    static const char *const tunables[] = { "net.ipv4.tcp_rto_min_us", "5000",
                                            "net.ipv4.tcp_retries2", "5", NULL };
    g_autoptr(Sender) s = sender_new((SenderParams){ .rtt = 20 * SIM_MS, .tunables = tunables });

    sender_write(s, 100);
    sender_run(s, 12 * SIM_SEC); /* 63 times 200 ms from the first retransmission */
    g_assert_false(s->conn->has_ended);
    sender_run(s, 12 * SIM_SEC);
    g_assert_cmpint(sock_take_error(s->bench->sock), ==, ETIMEDOUT);
}

/* RFC 6069: ICMP says that the path, not the load, is the trouble. */
static void
host_unreachable_takes_back_off_back(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 100);
    sender_expect(s, 1, 101);
    sender_await(s, 1, 101);
    g_assert_cmpint(s->conn->rtt.rto, ==, 440 * SIM_MS);
    tcp_icmp_unreachable_undo_backoff(s->conn, s->conn->snd.una);
    g_assert_cmpint(s->conn->rtt.rto, ==, 220 * SIM_MS);
    g_assert_cmpint(sender_await(s, 1, 101), ==, 220 * SIM_MS);
}

static void
a_timeout_begins_slow_start_from_one_segment(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_await(s, 1, 1001);
    sender_expect_window(s, TCP_CA_LOSS, 1, 7);
    sender_ack(s, 1001, NULL);
    sender_expect(s, 1001, 3001);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 2);
}

static void
small_segments_are_retransmitted_as_one(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    tcp_set_nodelay(s->conn, true);
    for (int i = 0; i < 5; i++)
        sender_write(s, 100);
    sender_expect(s, 1, 501);
    sender_await(s, 1, 501);
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 1);
}

/* RFC 1122 R1 and R2 as the user may set them, for one socket or for the host. */
static void
the_users_bounds_of_the_rto_are_kept(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);
    Socket *sock = s->bench->sock;
    SimTime rto;

    g_assert_cmpint(sock_set_option(sock, TCP_OPT_RTO_MIN_US, 50000), ==, 0);
    g_assert_cmpint(sock_set_option(sock, TCP_OPT_RTO_MAX_MS, 1000), ==, 0);
    for (unsigned i = 0; i < 20; i++) { /* until the deviation has come down */
        sender_write(s, 100);
        sender_run(s, 20 * SIM_MS);
        sender_ack(s, 101 + 100 * i, NULL);
    }
    tcp_bench_skip(s->bench);
    rto = s->conn->rtt.rto;
    g_assert_cmpint(rto, >=, 70 * SIM_MS);
    g_assert_cmpint(rto, <, 71 * SIM_MS);
    sender_write(s, 100);
    sender_expect(s, 2001, 2101);
    for (unsigned i = 0; i < 4; i++)
        g_assert_cmpint(sender_await(s, 2001, 2101), ==, rto << i);
    g_assert_cmpint(sender_await(s, 2001, 2101), ==, SIM_SEC);
    g_assert_cmpint(sender_await(s, 2001, 2101), ==, SIM_SEC);
}

/* A thin stream has too little out for fast retransmit: its first six timeouts come at
 * even intervals (TCP_THIN_LINEAR_TIMEOUTS). */
static void
thin_streams_do_not_back_off_at_first(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    g_assert_cmpint(sock_set_option(s->bench->sock, TCP_OPT_THIN_LINEAR_TIMEOUTS, 1), ==, 0);
    sender_write(s, 3000);
    sender_expect(s, 1, 3001);
    for (unsigned i = 0; i < 7; i++)
        g_assert_cmpint(sender_await(s, 1, 1001), ==, 220 * SIM_MS);
    g_assert_cmpint(sender_await(s, 1, 1001), ==, 440 * SIM_MS);
    g_assert_cmpint(sender_await(s, 1, 1001), ==, 880 * SIM_MS);
}

static void
a_stream_of_four_segments_is_not_thin(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    g_assert_cmpint(sock_set_option(s->bench->sock, TCP_OPT_THIN_LINEAR_TIMEOUTS, 1), ==, 0);
    sender_write(s, 4000);
    sender_expect(s, 1, 4001);
    g_assert_cmpint(sender_await(s, 1, 1001), ==, 220 * SIM_MS);
    g_assert_cmpint(sender_await(s, 1, 1001), ==, 440 * SIM_MS);
}

static void
syncnt_bounds_the_tries_of_one_socket(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_RFC); /* no linear ones */

    tcp_bench_connect(b);
    sock_set_option(b->sock, TCP_OPT_SYNCNT, 2);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN));
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN)), ==, SIM_SEC);
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN)), ==, 2 * SIM_SEC);
    tcp_bench_run(b, 4 * SIM_SEC);
    tcp_bench_expect_silence(b);
    g_assert_cmpint(sock_take_error(b->sock), ==, ETIMEDOUT);
}

static void
user_timeout_bounds_connect(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_connect(b);
    sock_set_option(b->sock, TCP_OPT_USER_TIMEOUT, 2500);
    tcp_bench_run(b, 5 * SIM_SEC);
    g_assert_cmpint(sock_take_error(b->sock), ==, ETIMEDOUT);
}

/* RFC 6298 §5.3: an ACK of new data starts the timer anew, whole. */
static void
progress_restarts_the_timer(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 2000);
    sender_expect(s, 1, 2001);
    sender_run(s, 200 * SIM_MS);
    sender_ack(s, 1001, NULL);
    SimTime rto = s->conn->rtt.rto;
    g_assert_cmpint(sender_await(s, 1001, 2001), ==, rto);
}

/* RFC 7323 §4.1, RFC 6298 §3: with timestamps a retransmission gives a sample too. */
static void
with_timestamps_the_ack_of_a_retransmission_is_a_sample(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1012, .rtt = 20 * SIM_MS, .ts = true });

    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
    sender_await(s, 1, 1001);
    sender_run(s, 20 * SIM_MS);
    sender_ack(s, 1001, NULL); /* echoes the retransmission */
    g_assert_cmpint(s->conn->rtt.srtt, ==, 20 * SIM_MS);
    g_assert_cmpuint(s->conn->rtt.backoff, ==, 0);
}

/* Facts 8 and 10: one second apart four times, then doubling. */
static void
syns_follow_the_linear_schedule(void)
{
    TcpBench *bench = tcp_bench_new(TCP_PROFILE_LINUX);
    static const int gaps_s[] = { 1, 1, 1, 1, 1, 2, 4, 8, 16, 32 };

    tcp_bench_connect(bench);
    tcp_bench_expect(bench, SEG(.flags = TCP_SYN));
    for (unsigned i = 0; i < G_N_ELEMENTS(gaps_s); i++)
        g_assert_cmpint(tcp_bench_await(bench, SEG(.flags = TCP_SYN)), ==, gaps_s[i] * SIM_SEC);
    tcp_bench_run(bench, 64 * SIM_SEC);
    g_assert_cmpint(sock_take_error(bench->sock), ==, ETIMEDOUT);
    tcp_bench_free(bench);
}

/* RFC 1122 §4.2.3.5: a SYN is sent again for three minutes at least. */
static void
syns_of_the_rfc_are_tried_for_three_minutes(void)
{
    g_autoptr(TcpBench) bench = tcp_bench_new(TCP_PROFILE_RFC);
    static const int gaps_s[] = { 1, 2, 4, 8, 16, 32, 60 };

    tcp_bench_connect(bench);
    tcp_bench_expect(bench, SEG(.flags = TCP_SYN));
    for (unsigned i = 0; i < G_N_ELEMENTS(gaps_s); i++)
        g_assert_cmpint(tcp_bench_await(bench, SEG(.flags = TCP_SYN)), ==, gaps_s[i] * SIM_SEC);
    tcp_bench_run(bench, 60 * SIM_SEC); /* 183 s in all */
    tcp_bench_expect_silence(bench);
    g_assert_cmpint(sock_take_error(bench->sock), ==, ETIMEDOUT);
}

static void
two_lost_syns_leave_a_window_of_one(void)
{
    TcpBench *bench = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_connect(bench);
    tcp_bench_run(bench, 2500 * SIM_MS);
    tcp_bench_deliver(bench, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    g_assert_cmpuint(sock_tcp(bench->sock)->sender->w.cwnd, ==, 1);
    g_assert_cmpuint(sock_tcp(bench->sock)->sender->w.ssthresh, ==, CC_INFINITE_SSTHRESH);
    g_assert_cmpint(sock_tcp(bench->sock)->rtt.rto, ==, 3 * SIM_SEC);
    tcp_bench_free(bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(part, claim) g_test_add_func("/" part "/" #claim, claim)
    ADD("rtt", the_first_rto_is_srtt_plus_200_ms);
    ADD("rtt", the_first_rto_of_the_rfc_is_one_second);
    ADD("rtt", a_sample_ends_the_back_off);
    ADD("rto", ticks_and_slots_count_from_the_boot);
    ADD("rto", each_timeout_doubles_the_rto);
    ADD("rto", retries2_ends_the_connection_with_etimedout);
    ADD("rto", user_timeout_ends_it_earlier);
    ADD("rto", user_timeout_ends_it_though_a_closed_window_is_acknowledged);
    ADD("rto", a_small_least_rto_does_not_give_up_earlier);
    ADD("rto", host_unreachable_takes_back_off_back);
    ADD("rto", a_timeout_begins_slow_start_from_one_segment);
    ADD("rto", small_segments_are_retransmitted_as_one);
    ADD("rto", syns_follow_the_linear_schedule);
    ADD("rto", syns_of_the_rfc_are_tried_for_three_minutes);
    ADD("rto", two_lost_syns_leave_a_window_of_one);
    ADD("rto", the_users_bounds_of_the_rto_are_kept);
    ADD("rto", thin_streams_do_not_back_off_at_first);
    ADD("rto", a_stream_of_four_segments_is_not_thin);
    ADD("rto", syncnt_bounds_the_tries_of_one_socket);
    ADD("rto", user_timeout_bounds_connect);
    ADD("rto", progress_restarts_the_timer);
    ADD("rtt", with_timestamps_the_ack_of_a_retransmission_is_a_sample);
    return g_test_run();
}
