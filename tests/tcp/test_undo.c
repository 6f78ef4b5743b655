/* A timeout or a reduction that was uncalled for: F-RTO (RFC 5682), Eifel (RFC 3522,
 * RFC 4015), D-SACK (RFC 2883, RFC 3708), and what forbids taking it back. */
#include "tests/support/sender.h"

static Sender *
sender_with(SenderParams params, const char *name, const char *value)
{
    const char *const tunables[] = { name, value, NULL };

    params.mss = 1000;
    params.wnd = 65536;
    params.tunables = tunables;
    return sender_new(params);
}

/* Ten segments out, the first sent again by the timeout; more waits. */
static void
time_out(Sender *s)
{
    sender_write(s, 20000);
    sender_expect(s, 1, 10001);
    while (s->conn->sender->w.ca_state != TCP_CA_LOSS)
        sender_run(s, 10 * SIM_MS);
    tcp_bench_skip(s->bench);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 1);
}

/* ---- F-RTO --------------------------------------------------------------------------- */

/* RFC 5682 §2.1 step 3.a: a duplicate behind the new data: the loss was real. */
static void
a_duplicate_after_the_new_data_sends_the_rest_again(void)
{
    g_autoptr(Sender) s = sender_with((SenderParams){ 0 }, "net.ipv4.tcp_frto", "2");

    time_out(s);
    sender_ack(s, 1001, NULL);
    sender_expect(s, 10001, 12001); /* step 2.b */
    sender_ack(s, 1001, NULL);
    sender_expect(s, 1001, 2001);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_LOSS);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPSpuriousRTOs), ==, 0);
}

/* The same told by a SACK: only what was sent after the timeout has come. */
static void
a_sack_of_the_new_data_alone_sends_the_rest_again(void)
{
    g_autoptr(Sender) s = sender_with((SenderParams){ .sack = true }, "net.ipv4.tcp_frto", "2");

    time_out(s); /* a tail loss probe sent a new segment before */
    sender_ack(s, 1001, NULL);
    sender_expect(s, 11001, 13001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1001, "11001:12001");
    sender_expect(s, 1001, 2001);
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_LOSS);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPSpuriousRTOs), ==, 0);
}

/* §3.1: with SACK, an original that is SACKed tells it as well. */
static void
an_original_that_is_sacked_is_proof(void)
{
    g_autoptr(Sender) s = sender_with((SenderParams){ .sack = true }, "net.ipv4.tcp_frto", "2");

    time_out(s);
    sender_ack(s, 1001, "5001:6001"); /* never sent again */
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPSpuriousRTOs), ==, 1);
    g_assert_cmpuint(s->conn->sender->w.ca_state, !=, TCP_CA_LOSS);
}

static void
frto_0_goes_on_from_the_first_loss(void)
{
    g_autoptr(Sender) s = sender_with((SenderParams){ 0 }, "net.ipv4.tcp_frto", "0");

    time_out(s);
    sender_ack(s, 1001, NULL);
    sender_expect(s, 1001, 3001); /* slow start over what was lost */
}

/* With nothing new to send there is no test to be made (§2.1 step 2.b). */
static void
without_new_data_the_old_goes_again(void)
{
    g_autoptr(Sender) s = sender_with((SenderParams){ 0 }, "net.ipv4.tcp_frto", "2");

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_await(s, 1, 1001);
    sender_ack(s, 1001, NULL);
    sender_expect(s, 1001, 3001);
}

/* ---- Eifel ----------------------------------------------------------------------------- */

static void
an_echo_of_the_retransmission_proves_nothing(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1012, .ts = true, .wnd = 65536 });

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_await(s, 1, 1001);
    sender_ack(s, 1001, NULL); /* echoes what was sent last */
    g_assert_cmpuint(s->conn->sender->w.ca_state, ==, TCP_CA_LOSS);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossUndo), ==, 0);
}

/* Ten segments, the first of them sent again for nothing; *echo: the originals' timestamp. */
static Sender *
sent_again_for_nothing(uint32_t *echo)
{
    Sender *s = sender_new((SenderParams){ .mss = 1012, .sack = true, .ts = true, .wnd = 65536 });

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    *echo = s->ts_echo;
    sender_run(s, 100 * SIM_MS);
    sender_ack_echo(s, 1, "1001:4001", *echo);
    sender_expect(s, 1, 1001);
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, 7);
    sender_run(s, 10 * SIM_MS);
    return s;
}

static void
the_echo_of_a_late_original_undoes_recovery(void)
{
    uint32_t echo;
    g_autoptr(Sender) s = sent_again_for_nothing(&echo);

    sender_ack_echo(s, 10001, NULL, echo);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPFullUndo), ==, 1);
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, CC_INFINITE_SSTHRESH);
    g_assert_cmpuint(s->conn->sender->w.cwnd, >=, 10);
}

/* Only part of it is acknowledged so: enough, if nothing else is out twice. */
static void
the_echo_of_a_late_original_undoes_in_the_midst_of_recovery(void)
{
    uint32_t echo;
    g_autoptr(Sender) s = sent_again_for_nothing(&echo);

    sender_ack_echo(s, 4001, NULL, echo);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPPartialUndo), ==, 1);
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, CC_INFINITE_SSTHRESH);
    g_assert_cmpuint(s->conn->sender->w.ca_state, <, TCP_CA_RECOVERY);
}

/* ---- D-SACK ------------------------------------------------------------------------------ */

/* RFC 3708: all of them must have been for nothing. */
static void
of_two_retransmissions_both_must_be_reported(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true, .wnd = 65536 });

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:3001 4001:9001");
    sender_ack(s, 1, "1001:3001 4001:10001");
    tcp_bench_skip(s->bench);
    g_assert_cmpuint(s->conn->sender->total_retrans, ==, 2);
    sender_ack(s, 10001, NULL);
    sender_ack(s, 10001, "1:1001");
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPDSACKUndo), ==, 0);
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, 7);
    sender_ack(s, 10001, "3001:4001");
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPDSACKUndo), ==, 1);
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, CC_INFINITE_SSTHRESH);
}

/* ---- what forbids it ---------------------------------------------------------------------- */

static void
undo_0_keeps_every_reduction(void)
{
    g_autoptr(Sender) s = sender_with((SenderParams){ .sack = true }, "undo", "0");

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:4001");
    sender_expect(s, 1, 1001);
    sender_ack(s, 10001, NULL);
    sender_ack(s, 10001, "1:1001");
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, 7);
}

/* A mark is a mark (RFC 3168 §6.1.2): what it reduced is not given back. */
static void
an_ecn_echo_meanwhile_keeps_the_reduction(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true, .wnd = 65536 });

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "1001:4001");
    sender_expect(s, 1, 1001);
    s->conn->sender->prior_ssthresh = 0; /* as an ACK with ECE leaves it */
    sender_ack(s, 10001, NULL);
    sender_ack(s, 10001, "1:1001");
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, 7);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(part, claim) g_test_add_func("/" part "/" #claim, claim)
    ADD("frto", a_duplicate_after_the_new_data_sends_the_rest_again);
    ADD("frto", a_sack_of_the_new_data_alone_sends_the_rest_again);
    ADD("frto", an_original_that_is_sacked_is_proof);
    ADD("frto", frto_0_goes_on_from_the_first_loss);
    ADD("frto", without_new_data_the_old_goes_again);
    ADD("eifel", an_echo_of_the_retransmission_proves_nothing);
    ADD("eifel", the_echo_of_a_late_original_undoes_recovery);
    ADD("eifel", the_echo_of_a_late_original_undoes_in_the_midst_of_recovery);
    ADD("dsack", of_two_retransmissions_both_must_be_reported);
    ADD("undo", undo_0_keeps_every_reduction);
    ADD("undo", an_ecn_echo_meanwhile_keeps_the_reduction);
    return g_test_run();
}
