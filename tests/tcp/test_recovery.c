/* Loss recovery: fast retransmit, NewReno, SACK, RACK, PRR, limited transmit,
 * tail loss probe, and the undoing of responses. */
#include "tests/support/sender.h"
#include "tests/support/tcp_check.h"

#define SACK_SENDER ((SenderParams){ .mss = 1000, .sack = true })

static void
three_duplicates_retransmit_without_sack(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000 });

    sender_write(s, 4000);
    sender_expect(s, 1, 4001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, NULL);
    sender_ack(s, 1, NULL);
    sender_expect_silence(s);
    sender_ack(s, 1, NULL);
    sender_expect(s, 1, 1001);
    sender_ack(s, 4001, NULL);
    sender_expect_silence(s);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPRenoRecovery), ==, 1);
}

static void
a_partial_ack_repairs_the_next_hole(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000 });

    sender_write(s, 8000);
    sender_expect(s, 1, 8001);
    sender_run(s, 100 * SIM_MS);
    for (int i = 0; i < 3; i++)
        sender_ack(s, 1, NULL);
    sender_expect(s, 1, 1001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 3001, NULL);
    sender_expect(s, 3001, 4001);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_RECOVERY);
}

/* RFC 3042: the first two duplicates each let a new segment go. */
static void
limited_transmit_sends_new_data(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000 });

    sender_write(s, 15000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, NULL);
    sender_expect(s, 10001, 11001);
    sender_run(s, 5 * SIM_MS);
    sender_ack(s, 1, NULL);
    sender_expect(s, 11001, 12001);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_DISORDER);
}

static void
three_sacked_segments_start_recovery(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:2001");
    sender_ack(s, 1, "1001:3001");
    sender_expect_silence(s);
    sender_ack(s, 1, "1001:4001");
    sender_expect(s, 1, 1001);
    sender_expect_window(s, TCP_CA_RECOVERY, 7, 7); /* cubic: 0.7 of ten */
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPSackRecovery), ==, 1);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPFastRetrans), ==, 1);
}

/* RFC 6937: then one new segment for each that is delivered. */
static void
proportional_reduction_clocks_out_new_data(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);
    static const char *const sacks[] = { "1001:5001", "1001:6001", "1001:7001",
                                         "1001:8001", "1001:9001", "1001:10001" };

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:2001");
    sender_ack(s, 1, "1001:3001");
    sender_ack(s, 1, "1001:4001");
    sender_expect(s, 1, 1001);
    sender_write(s, 7000);
    for (unsigned i = 0; i < G_N_ELEMENTS(sacks); i++) {
        sender_run(s, 5 * SIM_MS);
        sender_ack(s, 1, sacks[i]);
        sender_expect(s, 10001 + 1000 * i, 11001 + 1000 * i);
        sender_expect_silence(s);
    }
    sender_run(s, 50 * SIM_MS);
    sender_ack(s, 10001, NULL);
    sender_expect(s, 16001, 17001);
    sender_expect_window(s, TCP_CA_OPEN, 7, 7);
}

static void
both_holes_are_repaired_in_one_round_trip_with_sack(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:3001 4001:9001");
    sender_expect(s, 1, 1001);
    sender_ack(s, 1, "1001:3001 4001:10001");
    sender_expect(s, 3001, 4001);
}

/* RFC 8985 §6.3: fewer than three: after a quarter of the RTT, and 2 ms more
 * as Linux waits. */
static void
few_sacks_retransmit_after_the_reordering_window(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);
    SimTime took;

    sender_write(s, 4000);
    sender_expect(s, 1, 4001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "3001:4001");
    took = sender_await(s, 1, 1001);
    g_assert_cmpint(took, ==, 27 * SIM_MS);
}

static void
a_lost_retransmission_is_sent_again_without_a_timeout(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 14000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:4001");
    sender_expect(s, 1, 1001);
    sender_ack(s, 1, "1001:9001");
    sender_expect(s, 10001, 14001);
    sender_run(s, 101 * SIM_MS);
    sender_ack(s, 1, "1001:14001"); /* sent after the retransmission, which has not come */
    sender_expect(s, 1, 1001);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLostRetransmit), ==, 1);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPTimeouts), ==, 0);
}

static void
a_sack_of_part_of_a_burst_cuts_it(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_ack(s, 1, "2001:3001 6001:7001");
    g_assert_cmpuint(s->conn->sender->sacked_out, ==, 2);
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 10);
    sender_ack(s, 1, "2001:2501"); /* half a segment says nothing */
    g_assert_cmpuint(s->conn->sender->sacked_out, ==, 2);
}

static void
sacks_out_of_the_window_are_ignored(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 5000);
    sender_expect(s, 1, 5001);
    sender_ack(s, 1, "4001:6001");
    sender_ack(s, 1, "3001:2001");
    g_assert_cmpuint(s->conn->sender->sacked_out, ==, 0);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPSACKDiscard), ==, 2);
}

/* RFC 8985 §7: two or more out: 2 srtt, and 2 ms. */
static void
a_tail_loss_probe_repeats_the_last_segment(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);
    SimTime took;

    sender_write(s, 3000);
    sender_expect(s, 1, 3001);
    took = sender_await(s, 2001, 3001);
    g_assert_cmpint(took, ==, 202 * SIM_MS);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossProbes), ==, 1);
    /* Then the RTO, whole: srtt + 200 ms. */
    took = sender_await(s, 1, 1001);
    g_assert_cmpint(took, ==, 300 * SIM_MS);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_LOSS);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 1);
}

static void
a_tail_loss_probe_prefers_new_data(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true, .wnd = 65536 });

    sender_write(s, 11000);
    sender_expect(s, 1, 10001);
    sender_await(s, 10001, 11001);
}

/* The probe repaired a loss: one arrived where two were sent. */
static void
a_probe_that_repairs_a_loss_reduces_the_window(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 2000);
    sender_expect(s, 1, 2001);
    sender_await(s, 1001, 2001);
    sender_ack(s, 2001, NULL);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 10);
    sender_write(s, 1000);
    sender_expect(s, 2001, 3001);
    sender_ack(s, 3001, NULL);
    sender_expect_window(s, TCP_CA_OPEN, 7, 7);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossProbeRecovery), ==, 1);
}

static void
a_probe_whose_both_copies_arrived_does_not(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 2000);
    sender_expect(s, 1, 2001);
    sender_await(s, 1001, 2001);
    sender_ack(s, 2001, NULL);
    sender_ack(s, 2001, "1001:2001"); /* D-SACK */
    sender_write(s, 1000);
    sender_expect(s, 2001, 3001);
    sender_ack(s, 3001, NULL);
    g_assert_cmpuint(s->conn->sender->w.cwnd, >=, 10);
}

/* RFC 5682: after the RTO's retransmission, new data; the originals' ACKs
 * show that nothing was lost. */
static void
frto_finds_a_spurious_timeout(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .wnd = 65536 });

    sender_write(s, 20000);
    sender_expect(s, 1, 10001);
    sender_await(s, 1, 1001); /* RTO */
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 1);
    sender_ack(s, 1001, NULL);
    sender_expect(s, 10001, 12001); /* two new segments */
    sender_ack(s, 2001, NULL);      /* never retransmitted */
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_OPEN);
    g_assert_cmpuint(s->conn->sender->w.cwnd, >=, 10);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPSpuriousRTOs), ==, 1);
}

/* RFC 4015: the first ACK after the RTO echoes the original's timestamp. */
static void
timestamps_undo_a_spurious_timeout(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1012, .ts = true, .wnd = 65536 });
    uint32_t echo;

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    echo = s->ts_echo;
    sender_await(s, 1, 1001); /* RTO */
    sender_ack_echo(s, 1001, NULL, echo);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossUndo), ==, 1);
    g_assert_cmpuint(s->conn->sender->w.cwnd, >=, 10);
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, CC_INFINITE_SSTHRESH);
}

/* The retransmission of what the undo left unacknowledged is lost with it: sent
 * once more, it is out once. */
static void
a_timeout_after_an_undo_counts_a_retransmission_once(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1012, .ts = true, .wnd = 65536 });
    uint32_t echo;

    tcp_set_nodelay(s->conn, true);
    sender_write(s, 100);
    sender_write(s, 100);
    sender_expect(s, 1, 201);
    echo = s->ts_echo;
    sender_await(s, 1, 201); /* RTO: both as one segment */
    sender_ack_echo(s, 101, NULL, echo);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossUndo), ==, 1);
    sender_await(s, 101, 201);
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 1);
    g_assert_cmpuint(s->conn->sender->retrans_out, ==, 1);
    g_assert_null(tcp_check_conn(s->conn));
}

static void
a_dsack_of_the_only_retransmission_undoes_recovery(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:4001");
    sender_expect(s, 1, 1001);
    sender_ack(s, 4001, NULL); /* the original had been late */
    sender_ack(s, 4001, "1:1001");
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPDSACKUndo), ==, 1);
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, CC_INFINITE_SSTHRESH);
    g_assert_cmpuint(s->conn->sender->w.cwnd, >=, 10);
}

static void
late_originals_teach_reordering(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 20 * SIM_MS);
    sender_ack(s, 1, "9001:10001");
    sender_ack(s, 1, "3001:4001 9001:10001");
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(s->conn->sender->reordering, ==, 10);
    g_assert_cmpuint(s->conn->sender->reord_seen, ==, 2);
}

/* RFC 2018 §8: an ACK up to a SACKed segment: the peer forgot it. */
static void
reneging_sends_everything_again(void)
{
    g_autoptr(Sender) s = sender_new(SACK_SENDER);

    sender_write(s, 4000);
    sender_expect(s, 1, 4001);
    sender_run(s, 50 * SIM_MS);
    sender_ack(s, 1, "1001:4001");
    sender_expect(s, 1, 1001);
    sender_run(s, 50 * SIM_MS);
    sender_ack(s, 1001, NULL);
    sender_await(s, 1001, 2001);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPSACKReneging), ==, 1);
    g_assert_cmpuint(s->conn->sender->sacked_out, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(part, claim) g_test_add_func("/" part "/" #claim, claim)
    ADD("newreno", three_duplicates_retransmit_without_sack);
    ADD("newreno", a_partial_ack_repairs_the_next_hole);
    ADD("recovery", limited_transmit_sends_new_data);
    ADD("recovery", three_sacked_segments_start_recovery);
    ADD("prr", proportional_reduction_clocks_out_new_data);
    ADD("sack", both_holes_are_repaired_in_one_round_trip_with_sack);
    ADD("sack", a_sack_of_part_of_a_burst_cuts_it);
    ADD("sack", sacks_out_of_the_window_are_ignored);
    ADD("sack", reneging_sends_everything_again);
    ADD("rack", few_sacks_retransmit_after_the_reordering_window);
    ADD("rack", a_lost_retransmission_is_sent_again_without_a_timeout);
    ADD("rack", late_originals_teach_reordering);
    ADD("tlp", a_tail_loss_probe_repeats_the_last_segment);
    ADD("tlp", a_tail_loss_probe_prefers_new_data);
    ADD("tlp", a_probe_that_repairs_a_loss_reduces_the_window);
    ADD("tlp", a_probe_whose_both_copies_arrived_does_not);
    ADD("frto", frto_finds_a_spurious_timeout);
    ADD("undo", timestamps_undo_a_spurious_timeout);
    ADD("undo", a_timeout_after_an_undo_counts_a_retransmission_once);
    ADD("undo", a_dsack_of_the_only_retransmission_undoes_recovery);
    return g_test_run();
}
