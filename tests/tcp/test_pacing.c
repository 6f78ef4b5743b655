/* Pacing, the sizes of bursts, and delivery rate samples. */
#include "models/tcp/ack.h"
#include "tests/support/sender.h"

/* RTT 100 ms, segments of 1000 bytes. */
static Sender *
sender_with(const char *a, const char *a_value, const char *b, const char *b_value)
{
    const char *const tunables[] = { a, a_value, b, b_value, NULL };

    return sender_new(
        (SenderParams){ .mss = 1000, .sack = true, .wnd = 256 * 1024, .tunables = tunables });
}

static unsigned
left_by_now(Sender *s)
{
    unsigned n = g_queue_get_length(s->bench->sent);

    tcp_bench_skip(s->bench);
    return n;
}

/* ---- the rate ----------------------------------------------------------------------------- */

static void
without_fq_nothing_is_paced(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL, NULL, NULL);

    sender_write(s, 60000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(left_by_now(s), ==, 20);
}

/* tcp_pacing_ss_ratio: 200 % of a window a round trip; the first ten go at once. */
static void
slow_start_is_paced_at_twice_the_window_a_round_trip(void)
{
    g_autoptr(Sender) s = sender_with("pacing", "1", NULL, NULL);

    sender_write(s, 60000);
    g_assert_cmpuint(left_by_now(s), ==, 10);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(tcp_pacing_rate(s->conn), ==, 2 * 20 * 1000 * 10);
    sender_run(s, 25 * SIM_MS); /* half of twenty in a quarter of the round trip */
    g_assert_cmpuint(left_by_now(s), >=, 8);
    g_assert_cmpuint(s->conn->sender->packets_out, <=, 14);
    sender_run(s, 30 * SIM_MS);
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 20);
}

/* tcp_pacing_ca_ratio, from half of ssthresh on. */
static void
avoidance_is_paced_at_six_fifths(void)
{
    g_autoptr(Sender) s = sender_with("pacing", "1", NULL, NULL);

    tcp_sender_own(s->conn)->w.ssthresh = 20;
    sender_write(s, 10000);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    uint32_t cwnd = s->conn->sender->w.cwnd;
    g_assert_cmpuint(cwnd, >=, 10);
    g_assert_cmpuint(tcp_pacing_rate(s->conn), ==, (uint64_t)cwnd * 1000 * 10 * 120 / 100);
}

static void
the_users_bound_is_kept(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL, NULL, NULL);

    /* SO_MAX_PACING_RATE alone turns pacing on, as on Linux. */
    g_assert_cmpint(sock_set_option(s->bench->sock, TCP_OPT_MAX_PACING_RATE, 50000), ==, 0);
    sender_write(s, 60000);
    sender_run(s, 0);
    left_by_now(s);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    left_by_now(s);
    sender_run(s, 200 * SIM_MS);
    g_assert_cmpuint(left_by_now(s), <=, 11); /* ten segments in 200 ms */
    g_assert_cmpuint(tcp_pacing_rate(s->conn), ==, 50000);
}

/* An algorithm without a rate of its own is paced by its own window. */
static void
a_fixed_window_is_paced_by_that_window(void)
{
    static const char *const tunables[] = {
        "pacing", "1", "fixed_cwnd", "40", "net.ipv4.tcp_congestion_control", "fixed", NULL
    };
    g_autoptr(Sender) s =
        sender_new((SenderParams){ .mss = 1000, .wnd = 256 * 1024, .tunables = tunables });

    sender_write(s, 10000);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(tcp_pacing_rate(s->conn), ==, 2 * 40 * 1000 * 10);
}

static void
retransmissions_are_paced_too(void)
{
    g_autoptr(Sender) s = sender_with("pacing", "1", "gso", "0");

    sender_write(s, 20000);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    sender_write(s, 15000);
    sender_run(s, 100 * SIM_MS);
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 20);
    left_by_now(s);
    sender_ack(s, 10001, "25001:30001"); /* fifteen are missing, five may go */
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_RECOVERY);
    g_assert_cmpuint(s->conn->sender->retrans_out, <, 5);
    sender_run(s, 20 * SIM_MS);
    g_assert_cmpuint(s->conn->sender->retrans_out, ==, 5);
}

/* ---- bursts ------------------------------------------------------------------------------------
 */

/* About a millisecond's worth, and at least tcp_min_tso_segs. */
static void
a_burst_is_a_millisecond_of_the_rate(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_tso_rtt_log", "0", NULL, NULL);

    g_assert_cmpuint(tcp_burst_segs(s->conn, 1000), ==, 2); /* 200 kB/s: far below two */
    tcp_sender_own(s->conn)->w.pacing_rate = 10 * 1024 * 1000;
    g_assert_cmpuint(tcp_burst_segs(s->conn, 1000), ==, 10);
    s->conn->sender->w.pacing_rate = 1000000000;
    g_assert_cmpuint(tcp_burst_segs(s->conn, 1000), ==, 65); /* 64 KiB */
}

static void
short_round_trips_make_long_bursts(void)
{
    g_autoptr(Sender) s =
        sender_new((SenderParams){ .mss = 1000, .rtt = 400 * SIM_US, .wnd = 65536 });

    g_assert_cmpuint(tcp_burst_segs(s->conn, 1000), ==, 65); /* below 512 us */
}

static void
without_gso_a_burst_is_a_segment(void)
{
    g_autoptr(Sender) s = sender_with("gso", "0", NULL, NULL);

    g_assert_cmpuint(tcp_burst_segs(s->conn, 1000), ==, 1);
}

/* ---- delivery rate (draft-cheng-iccrg-delivery-rate-estimation) --------------------------------
 */

static void
the_rate_is_what_was_delivered_in_a_round_trip(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL, NULL, NULL);

    sender_write(s, 60000);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(s->conn->sender->rate_delivered, ==, 10);
    g_assert_cmpint(s->conn->sender->rate_interval, ==, 100 * SIM_MS);
    g_assert_true(s->conn->sender->rate_app_limited); /* before it was asked it had nothing */
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 30001, NULL);
    g_assert_cmpuint(s->conn->sender->rate_delivered, ==, 20);
    g_assert_false(s->conn->sender->rate_app_limited);
}

static void
a_window_that_the_application_left_empty_is_marked(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL, NULL, NULL);

    sender_write(s, 3000);
    sender_run(s, 10 * SIM_MS);
    sender_write(s, 1000); /* less than a window waited, when it was asked for more */
    sender_run(s, 90 * SIM_MS);
    sender_ack(s, 3001, NULL);
    sender_run(s, 10 * SIM_MS);
    sender_ack(s, 4001, NULL);
    g_assert_true(s->conn->sender->rate_app_limited);
}

/* Shorter than any round trip was: the ACKs were bunched on their way. */
static void
an_interval_below_the_least_rtt_is_no_sample(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL, NULL, NULL);

    sender_write(s, 10000);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    uint32_t before = s->conn->sender->rate_delivered;
    s->conn->rtt.min.rtt = 500 * SIM_MS;
    sender_write(s, 20000);
    sender_run(s, 100 * SIM_MS);
    s->conn->sender->rate_delivered = before;
    CcRateSample sample = { .prior_delivered_at_ns = 1, .interval_ns = 100 * SIM_MS };
    sample.prior_delivered_at_ns = (uint64_t)sim_now(s->bench->sim) - 100 * SIM_MS;
    tcp_rate_finish(s->conn, 1, 0, &sample);
    g_assert_cmpint(sample.interval_ns, <, 0);
    g_assert_cmpuint(s->conn->sender->rate_delivered, ==, before);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(part, claim) g_test_add_func("/" part "/" #claim, claim)
    ADD("pacing", without_fq_nothing_is_paced);
    ADD("pacing", slow_start_is_paced_at_twice_the_window_a_round_trip);
    ADD("pacing", avoidance_is_paced_at_six_fifths);
    ADD("pacing", the_users_bound_is_kept);
    ADD("pacing", a_fixed_window_is_paced_by_that_window);
    ADD("pacing", retransmissions_are_paced_too);
    ADD("gso", a_burst_is_a_millisecond_of_the_rate);
    ADD("gso", short_round_trips_make_long_bursts);
    ADD("gso", without_gso_a_burst_is_a_segment);
    ADD("rate", the_rate_is_what_was_delivered_in_a_round_trip);
    ADD("rate", a_window_that_the_application_left_empty_is_marked);
    ADD("rate", an_interval_below_the_least_rtt_is_no_sample);
    return g_test_run();
}
