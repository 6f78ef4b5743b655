/* Loss recovery without SACK (RFC 5681 §3.2, RFC 6582), limited transmit (RFC 3042),
 * and proportional rate reduction (RFC 6937) where it shows best. */
#include "models/tcp/output.h"
#include "tests/support/sender.h"

#define PLAIN ((SenderParams){ .mss = 1000, .wnd = 65536 })

static Sender *
sender_with(const char *name, const char *value, bool sack)
{
    const char *const tunables[] = { name, value, NULL };

    return sender_new(
        (SenderParams){ .mss = 1000, .sack = sack, .wnd = 65536, .tunables = tunables });
}

static void
duplicates(Sender *s, uint32_t ack, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        sender_ack(s, ack, NULL);
}

/* ---- what counts as a duplicate (RFC 5681 §2) --------------------------------------- */

static void
an_ack_that_opens_the_window_is_no_duplicate(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 4000);
    sender_expect(s, 1, 4001);
    sender_run(s, 100 * SIM_MS);
    for (unsigned i = 0; i < 5; i++) {
        s->wnd += 128;
        sender_ack(s, 1, NULL);
    }
    sender_expect_silence(s);
    g_assert_cmpuint(s->conn->sender->sacked_out, ==, 0);
}

static void
an_ack_with_data_is_no_duplicate(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 4000);
    sender_expect(s, 1, 4001);
    for (uint32_t i = 0; i < 3; i++)
        tcp_bench_deliver(s->bench, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1 + 10 * i, .ack = 1,
                                        .len = 10, .wnd = 512));
    g_assert_cmpuint(s->conn->sender->sacked_out, ==, 0);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_OPEN);
}

static void
duplicates_without_anything_outstanding_mean_nothing(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    duplicates(s, 1, 5);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_OPEN);
    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
}

/* ---- limited transmit -------------------------------------------------------------- */

static void
without_limited_transmit_duplicates_make_no_room(void)
{
    g_autoptr(Sender) s = sender_with("limited_transmit", "0", false);

    sender_write(s, 15000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    duplicates(s, 1, 2);
    sender_expect_silence(s);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_DISORDER);
    duplicates(s, 1, 1); /* the third works as ever */
    sender_expect(s, 1, 1001);
}

static void
without_limited_transmit_sacks_make_no_room(void)
{
    g_autoptr(Sender) s = sender_with("limited_transmit", "0", true);

    sender_write(s, 15000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:3001");
    sender_expect_silence(s);
}

/* ---- RFC 6582 ---------------------------------------------------------------------- */

/* Ten segments, the first lost, recovery begun. */
static Sender *
in_recovery(void)
{
    Sender *s = sender_new(PLAIN);

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    duplicates(s, 1, 3);
    sender_expect(s, 1, 1001);
    sender_expect_window(s, TCP_CA_RECOVERY, 7, 7);
    return s;
}

static void
the_ack_of_everything_leaves_the_window_at_the_threshold(void)
{
    g_autoptr(Sender) s = in_recovery();

    duplicates(s, 1, 6);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 7);
    g_assert_cmpuint(s->conn->sender->sacked_out, ==, 0);
}

/* RFC 6582 §3.2 step 6: duplicates of exactly the recovery point may be of what was
 * sent before it. */
static void
late_duplicates_of_the_recovery_point_start_no_other(void)
{
    g_autoptr(Sender) s = in_recovery();

    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    sender_write(s, 5000);
    sender_expect(s, 10001, 15001);
    duplicates(s, 10001, 3);
    sender_expect_silence(s);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPRenoRecovery), ==, 1);
}

static void
above_the_recovery_point_duplicates_count_again(void)
{
    g_autoptr(Sender) s = in_recovery();

    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    sender_write(s, 6000);
    sender_expect(s, 10001, 16001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 11001, NULL);
    duplicates(s, 11001, 3);
    sender_expect(s, 11001, 12001);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPRenoRecovery), ==, 2);
}

/* More duplicates than can have been sent: somebody reorders or duplicates. */
static void
too_many_duplicates_raise_the_threshold(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 2000);
    sender_expect(s, 1, 2001);
    sender_run(s, 100 * SIM_MS);
    duplicates(s, 1, 2); /* at least one of two is missing, so one duplicate at most */
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPRenoReorder), ==, 1);
    g_assert_cmpuint(s->conn->sender->sacked_out, ==, 1);
}

/* ---- proportional rate reduction ----------------------------------------------------- */

/* The first repair goes even where the window has no room (RFC 6675 §5 step 4.3). */
static void
without_prr_the_first_repair_goes_and_then_nothing_until_the_window_fits(void)
{
    g_autoptr(Sender) s = sender_with("prr", "0", true);

    sender_write(s, 20000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:2001");
    sender_expect(s, 10001, 11001);
    sender_run(s, 5 * SIM_MS);
    sender_ack(s, 1, "1001:3001");
    sender_expect(s, 11001, 12001);
    sender_run(s, 5 * SIM_MS);
    sender_ack(s, 1, "1001:4001"); /* 12 out, three SACKed, one lost: eight, and the window is 7 */
    sender_expect(s, 1, 1001);
    sender_expect_silence(s);
    sender_ack(s, 1, "1001:5001");
    sender_expect_silence(s);
    sender_ack(s, 1, "1001:6001");
    sender_expect_silence(s);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 7);
    sender_ack(s, 1, "1001:7001");
    sender_expect(s, 12001, 13001);
}

/* Below the threshold it grows as slow start does, if nothing more was lost. */
static void
after_heavy_losses_prr_rebuilds_the_flight(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true, .wnd = 65536 });

    sender_write(s, 40000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "9001:10001"); /* all between is lost, after the reordering window */
    sender_expect(s, 10001, 11001);
    sender_run(s, 40 * SIM_MS);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_RECOVERY);
    g_assert_cmpuint(s->conn->sender->lost_out, ==, 9);
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, 7);
    tcp_bench_skip(s->bench);
    sender_run(s, 60 * SIM_MS);
    uint32_t before = tcp_packets_in_flight(s->conn);
    sender_ack(s, 1001, "9001:11001"); /* delivered two: sends two, and one more */
    g_assert_cmpuint(tcp_packets_in_flight(s->conn), ==, MIN(before - 2 + 3, 7));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(part, claim) g_test_add_func("/" part "/" #claim, claim)
    ADD("newreno", an_ack_that_opens_the_window_is_no_duplicate);
    ADD("newreno", an_ack_with_data_is_no_duplicate);
    ADD("newreno", duplicates_without_anything_outstanding_mean_nothing);
    ADD("limited_transmit", without_limited_transmit_duplicates_make_no_room);
    ADD("limited_transmit", without_limited_transmit_sacks_make_no_room);
    ADD("newreno", the_ack_of_everything_leaves_the_window_at_the_threshold);
    ADD("newreno", late_duplicates_of_the_recovery_point_start_no_other);
    ADD("newreno", above_the_recovery_point_duplicates_count_again);
    ADD("newreno", too_many_duplicates_raise_the_threshold);
    ADD("prr", without_prr_the_first_repair_goes_and_then_nothing_until_the_window_fits);
    ADD("prr", after_heavy_losses_prr_rebuilds_the_flight);
    return g_test_run();
}
