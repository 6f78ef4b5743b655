/* RACK and the tail loss probe (RFC 8985), the threshold of duplicates (RFC 6675), and
 * what reordering teaches. */
#include "models/tcp/ack.h"
#include "tests/support/sender.h"

/* RTT 100 ms: a quarter of it is 25 ms, and Linux waits 2 ms more. */
static Sender *
sender_with(const char *name, const char *value)
{
    const char *const tunables[] = { name, value, NULL };

    return sender_new((SenderParams){
        .mss = 1000, .sack = true, .wnd = 65536, .tunables = name ? tunables : NULL });
}

static void
ten_sent(Sender *s)
{
    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
}

/* A late original shows that the path reorders. */
static void
see_reordering(Sender *s)
{
    ten_sent(s);
    sender_ack(s, 1, "1001:2001"); /* the first is late, not lost */
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(s->conn->sender->reord_seen, ==, 1);
}

/* Ten more: the first is missing, four behind it have come. */
static void
next_ten_with_a_hole(Sender *s)
{
    sender_write(s, 10000);
    sender_expect(s, 10001, 20001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, "11001:15001");
}

/* ---- the reordering window ------------------------------------------------------------ */

static void
three_sacks_need_no_patience_before_reordering_was_seen(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    ten_sent(s);
    sender_ack(s, 1, "1001:4001");
    sender_expect(s, 1, 1001);
}

/* RFC 8985 §6.2 step 4. */
static void
once_reordering_was_seen_three_sacks_wait_a_quarter_of_the_rtt(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    see_reordering(s);
    next_ten_with_a_hole(s);
    sender_expect_silence(s);
    g_assert_cmpint(sender_await(s, 10001, 11001), ==, 27 * SIM_MS);
}

static void
a_late_original_within_the_window_is_not_sent_again(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    see_reordering(s);
    next_ten_with_a_hole(s);
    sender_run(s, 20 * SIM_MS);
    sender_ack(s, 20001, NULL);
    sender_run(s, 20 * SIM_MS);
    sender_expect_silence(s);
    g_assert_cmpuint(sender_counter(s, MIB_TcpRetransSegs), ==, 0);
}

/* tcp_recovery = 5: RACK alone decides, however many were SACKed. */
static void
without_the_threshold_time_alone_decides(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_recovery", "5");

    ten_sent(s);
    sender_ack(s, 1, "1001:10001");
    sender_expect_silence(s);
    g_assert_cmpint(sender_await(s, 1, 1001), ==, 27 * SIM_MS);
}

/* RFC 8985 §6.2: a round with D-SACKs was a round with too short a window. */
static void
each_round_with_d_sacks_widens_the_window_by_a_step(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    see_reordering(s);
    next_ten_with_a_hole(s);
    sender_await(s, 10001, 11001);
    sender_ack(s, 15001, NULL);
    sender_run(s, 20 * SIM_MS);
    sender_ack(s, 16001, "10001:11001"); /* it was late after all */
    g_assert_cmpuint(s->conn->sender->rack.reo_wnd_steps, ==, 2);
    g_assert_cmpuint(s->conn->sender->rack.reo_wnd_persist, ==, TCP_RACK_PERSIST);
}

static void
the_window_never_passes_the_smoothed_rtt(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    see_reordering(s);
    s->conn->sender->rack.reo_wnd_steps = 200;
    s->conn->sender->rack.reo_wnd_persist = TCP_RACK_PERSIST;
    next_ten_with_a_hole(s);
    g_assert_cmpint(sender_await(s, 10001, 11001), ==, s->conn->rtt.srtt + 2 * SIM_MS);
}

static void
a_static_window_learns_nothing(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_recovery", "3");

    see_reordering(s);
    s->conn->sender->rack.dsack_seen = true;
    sender_write(s, 1000);
    sender_expect(s, 10001, 11001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 11001, NULL);
    g_assert_cmpuint(s->conn->sender->rack.reo_wnd_steps, ==, 1);
}

/* ---- without RACK: RFC 6675 -------------------------------------------------------------- */

static void
lost_is_what_has_three_sacked_above_it(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_recovery", "0");

    ten_sent(s);
    sender_ack(s, 1, "1001:2001 4001:5001");
    sender_expect_silence(s);
    sender_ack(s, 1, "1001:2001 4001:5001 6001:7001");
    g_assert_cmpuint(s->conn->sender->lost_out, ==, 1); /* the others have two or one above */
    sender_expect(s, 1, 1001);
    sender_ack(s, 1, "1001:2001 4001:5001 6001:8001");
    g_assert_cmpuint(s->conn->sender->lost_out, ==, 3);
}

static void
reordering_raises_the_threshold_of_duplicates(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_recovery", "0");

    ten_sent(s);
    sender_ack(s, 1, "9001:10001"); /* nine were overtaken by the last */
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(s->conn->sender->reordering, ==, 10);
    sender_write(s, 13000);
    sender_expect(s, 10001, 23001);
    sender_ack(s, 10001, "11001:20001"); /* nine: not enough any more */
    sender_expect_silence(s);
    sender_ack(s, 10001, "11001:21001");
    sender_expect(s, 10001, 11001);
}

static void
max_reordering_bounds_what_is_learnt(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_max_reordering", "4");

    ten_sent(s);
    sender_ack(s, 1, "9001:10001");
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(s->conn->sender->reordering, ==, 4);
}

/* ---- D-SACK -------------------------------------------------------------------------------- */

/* RFC 2883 §4: of what was never sent twice it says that the network duplicates. */
static void
d_sacks_of_what_went_once_are_dubious(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    ten_sent(s);
    sender_ack(s, 10001, "1:1001");
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPDSACKRecv), ==, 1);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPDSACKIgnoredDubious), ==, 1);
    g_assert_false(s->conn->sender->rack.dsack_seen);
}

/* ---- tail loss probe (RFC 8985 §7) ----------------------------------------------------------- */

/* Its ACK may be delayed: the least RTO comes on top of two round trips, but never
 * does it come later than the RTO. */
static void
a_lone_segment_is_probed_when_its_rto_is_due(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
    g_assert_cmpint(sender_await(s, 1, 1001), ==, 300 * SIM_MS);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossProbes), ==, 1);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPTimeouts), ==, 0);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 10);
}

static void
a_long_rtt_leaves_time_for_the_delayed_ack(void)
{
    static const char *const tunables[] = { "net.ipv4.tcp_rto_min_us", "20000", NULL };
    g_autoptr(Sender) s = sender_new(
        (SenderParams){ .mss = 1000, .sack = true, .rtt = 100 * SIM_MS, .tunables = tunables });

    s->conn->rtt.rto = SIM_SEC;
    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
    g_assert_cmpint(sender_await(s, 1, 1001), ==, 220 * SIM_MS); /* 2 srtt and the least RTO */
}

static void
only_one_probe_goes_before_the_timeout(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    sender_write(s, 3000);
    sender_expect(s, 1, 3001);
    sender_await(s, 2001, 3001);
    sender_await(s, 1, 1001);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossProbes), ==, 1);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPTimeouts), ==, 1);
}

static void
an_ack_puts_the_probe_off(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    sender_write(s, 4000);
    sender_expect(s, 1, 4001);
    sender_run(s, 150 * SIM_MS);
    sender_ack(s, 2001, NULL);
    sender_run(s, 150 * SIM_MS);
    sender_expect_silence(s);
}

static void
without_sack_there_is_no_probe(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000 });

    sender_write(s, 3000);
    sender_expect(s, 1, 3001);
    g_assert_cmpint(sender_await(s, 1, 1001), ==, 300 * SIM_MS);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossProbes), ==, 0);
}

static void
early_retrans_0_turns_it_off(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_early_retrans", "0");

    sender_write(s, 3000);
    sender_expect(s, 1, 3001);
    g_assert_cmpint(sender_await(s, 1, 1001), ==, 300 * SIM_MS);
}

static void
in_recovery_there_is_no_probe(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    ten_sent(s);
    sender_ack(s, 1, "1001:4001");
    sender_expect(s, 1, 1001);
    sender_run(s, 250 * SIM_MS);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossProbes), ==, 0);
}

/* The last segment may be one of a burst, and is cut off it. */
static void
the_probe_is_one_segment_and_its_sack_shows_the_rest(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_await(s, 9001, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 7001, "9001:10001"); /* 7 arrived; 8 and 9 were lost as well */
    sender_expect_silence(s);
    /* RACK's RTT is that of the originals just acknowledged, so it waits for theirs. */
    g_assert_cmpint(sender_await(s, 7001, 8001), ==, 27 * SIM_MS);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_RECOVERY);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPTimeouts), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(part, claim) g_test_add_func("/" part "/" #claim, claim)
    ADD("rack", three_sacks_need_no_patience_before_reordering_was_seen);
    ADD("rack", once_reordering_was_seen_three_sacks_wait_a_quarter_of_the_rtt);
    ADD("rack", a_late_original_within_the_window_is_not_sent_again);
    ADD("rack", without_the_threshold_time_alone_decides);
    ADD("rack", each_round_with_d_sacks_widens_the_window_by_a_step);
    ADD("rack", the_window_never_passes_the_smoothed_rtt);
    ADD("rack", a_static_window_learns_nothing);
    ADD("rfc6675", lost_is_what_has_three_sacked_above_it);
    ADD("rfc6675", reordering_raises_the_threshold_of_duplicates);
    ADD("rfc6675", max_reordering_bounds_what_is_learnt);
    ADD("dsack", d_sacks_of_what_went_once_are_dubious);
    ADD("tlp", a_lone_segment_is_probed_when_its_rto_is_due);
    ADD("tlp", a_long_rtt_leaves_time_for_the_delayed_ack);
    ADD("tlp", only_one_probe_goes_before_the_timeout);
    ADD("tlp", an_ack_puts_the_probe_off);
    ADD("tlp", without_sack_there_is_no_probe);
    ADD("tlp", early_retrans_0_turns_it_off);
    ADD("tlp", in_recovery_there_is_no_probe);
    ADD("tlp", the_probe_is_one_segment_and_its_sack_shows_the_rest);
    return g_test_run();
}
