/* The persist timer and its probes (RFC 9293 §3.8.6.1, RFC 1122 §4.2.2.17), and
 * keepalive (§3.8.4, RFC 1122 §4.2.3.6): segments that ask for an ACK. */
#include "tests/support/sender.h"

static Sender *
sender_with(const char *name, const char *value)
{
    const char *const tunables[] = { name, value, NULL };

    return sender_new(
        (SenderParams){ .mss = 1000, .rtt = 20 * SIM_MS, .tunables = name ? tunables : NULL });
}

/* The window has closed behind the first thousand bytes; a thousand wait. */
static void
close_window(Sender *s)
{
    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
    sender_run(s, 20 * SIM_MS);
    s->wnd = 0;
    sender_ack(s, 1001, NULL);
    sender_write(s, 1000);
    sender_expect_silence(s);
}

/* ---- window probes ---------------------------------------------------------------------- */

static void
a_closed_window_is_probed_below_una(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);
    SimTime expected = 220 * SIM_MS;

    close_window(s);
    for (int i = 0; i < 6; i++) {
        g_assert_cmpint(sender_await(s, 1000, 1000), ==, expected);
        sender_ack(s, 1001, NULL);
        expected *= 2;
    }
    s->wnd = 65536;
    sender_ack(s, 1001, NULL);
    sender_expect(s, 1001, 2001);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPWinProbe), ==, 6);
}

static void
unanswered_probes_end_after_retries2(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_retries2", "6");

    close_window(s);
    for (int i = 0; i < 6; i++)
        sender_await(s, 1000, 1000);
    sender_run(s, 15 * SIM_SEC);
    sender_expect_silence(s);
    g_assert_cmpint(sock_take_error(s->bench->sock), ==, ETIMEDOUT);
}

static void
answered_probes_go_on_for_ever(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_retries2", "5");

    close_window(s);
    for (unsigned i = 0; i < 40; i++) {
        sender_await(s, 1000, 1000);
        sender_ack(s, 1001, NULL);
    }
    g_assert_cmpint(s->conn->state, ==, TCP_ESTABLISHED);
    g_assert_cmpuint(s->conn->probes_out, ==, 0);
}

static void
rto_max_bounds_their_interval(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_rto_max_ms", "5000");
    SimTime took = 0;

    close_window(s);
    for (unsigned i = 0; i < 10; i++) {
        took = sender_await(s, 1000, 1000);
        sender_ack(s, 1001, NULL);
    }
    g_assert_cmpint(took, ==, 5 * SIM_SEC);
}

static void
user_timeout_ends_even_answered_ones(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    close_window(s);
    s->conn->opt.user_timeout_ms = 2000;
    for (unsigned i = 0; i < 3; i++) {
        sender_await(s, 1000, 1000);
        sender_ack(s, 1001, NULL);
    }
    sender_run(s, 3 * SIM_SEC);
    g_assert_cmpint(sock_take_error(s->bench->sock), ==, ETIMEDOUT);
}

/* The override timer of the sender's silly window avoidance (RFC 9293 §3.8.6.2.1). */
static void
a_small_window_is_filled_when_the_timer_comes_up(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    close_window(s);
    s->wnd = 256;
    sender_ack(s, 1001, NULL);
    sender_expect_silence(s); /* not at once: a quarter of a segment */
    sender_await(s, 1001, 1257);
    g_assert_cmpuint(s->last_flags & TCP_PSH, ==, TCP_PSH);
}

static void
an_opened_window_needs_no_probe(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);

    close_window(s);
    s->wnd = 65536;
    sender_ack(s, 1001, NULL);
    sender_expect(s, 1001, 2001);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPWinProbe), ==, 0);
    g_assert_cmpuint(s->conn->rtt.backoff, ==, 0);
}

/* RFC 9293 §3.8.5: news of urgent data needs no room in the window. */
static void
probes_announce_urgent_data(void)
{
    g_autoptr(Sender) s = sender_with(NULL, NULL);
    const Packet *first;

    close_window(s);
    g_assert_cmpint(sender_send(s, 1, TCP_MSG_OOB), ==, 1);
    sender_run(s, 250 * SIM_MS);
    first = g_queue_peek_head(s->bench->sent);
    g_assert_nonnull(first);
    g_assert_cmphex(first->tcp.flags & TCP_URG, ==, TCP_URG);
    g_assert_cmpuint(first->tcp.seq + first->tcp.urg, ==, s->conn->snd.up);
    g_assert_cmpuint(first->payload.len, ==, 0);
}

/* The peer took its window back over data in flight (RFC 1122 §4.2.2.16). */
static void
a_window_shrunk_over_data_in_flight_is_probed_by_it(void)
{
    g_autoptr(Sender) s = sender_with("net.ipv4.tcp_retries2", "3");

    sender_write(s, 3000);
    sender_expect(s, 1, 3001);
    sender_run(s, 20 * SIM_MS);
    sender_ack(s, 1001, NULL);
    s->wnd = 0;
    sender_ack(s, 1001, NULL);
    for (unsigned i = 0; i < 12; i++) {
        sender_await(s, 1001, 2001);
        sender_ack(s, 1001, NULL); /* answered: it lives */
    }
    g_assert_cmpint(s->conn->state, ==, TCP_ESTABLISHED);
}

/* A sender whose user has closed, with 1000 bytes that the peer's closed window keeps back. */
static Sender *
orphan_at_closed_window(const char *name, const char *value)
{
    Sender *s = sender_with(name, value);

    close_window(s);
    g_assert_cmpint(sock_close(s->bench->sock), ==, 0);
    s->bench->sock = NULL;
    return s;
}

static void
answered_probes_of_an_orphan_end_two_minutes_apart_on_linux(void)
{
    g_autoptr(Sender) s = orphan_at_closed_window("orphan_probe_limit", "1");

    for (int i = 0; i < 10; i++) { /* 0.22 s, doubled up to 113 s; the next would be 120 s */
        sender_await(s, 1000, 1000);
        sender_ack(s, 1001, NULL);
    }
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPAbortOnTimeout), ==, 0);
    sender_run(s, 121 * SIM_SEC);
    sender_expect_silence(s);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPAbortOnTimeout), ==, 1);
}

/* RFC 9293 §3.8.6.1: as long as they are answered, the connection stays. */
static void
answered_probes_of_an_orphan_go_on_by_the_rfc(void)
{
    g_autoptr(Sender) s = orphan_at_closed_window("orphan_probe_limit", "0");

    for (int i = 0; i < 100; i++) {
        sender_await(s, 1000, 1000);
        sender_ack(s, 1001, NULL);
    }
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPAbortOnTimeout), ==, 0);
}

/* Nobody waits for it any more, so it does not wait for ever either. */
static void
an_orphan_gives_up(void)
{
    g_autoptr(Sender) s = orphan_at_closed_window("net.ipv4.tcp_orphan_retries", "3");

    tcp_bench_run(s->bench, 60 * SIM_SEC);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPAbortOnTimeout), ==, 1);
}

/* ---- keepalive -------------------------------------------------------------------------- */

static Sender *
kept_alive(void)
{
    Sender *s = sender_with(NULL, NULL);
    Socket *sock = s->bench->sock;

    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
    sender_run(s, 20 * SIM_MS);
    sender_ack(s, 1001, NULL);
    g_assert_cmpint(sock_set_option(sock, TCP_OPT_KEEPIDLE, 10), ==, 0);
    g_assert_cmpint(sock_set_option(sock, TCP_OPT_KEEPINTVL, 3), ==, 0);
    g_assert_cmpint(sock_set_option(sock, TCP_OPT_KEEPCNT, 4), ==, 0);
    g_assert_cmpint(sock_set_option(sock, TCP_OPT_KEEPALIVE, 1), ==, 0);
    return s;
}

/* RFC 9293 §3.8.4: SEG.SEQ = SND.NXT - 1, without data. */
static void
a_probe_names_the_last_byte_that_was_acknowledged(void)
{
    g_autoptr(Sender) s = kept_alive();

    g_assert_cmpint(sender_await(s, 1000, 1000), ==, 10 * SIM_SEC);
    g_assert_cmphex(s->last_flags, ==, TCP_ACK);
    g_assert_cmpint(sender_await(s, 1000, 1000), ==, 3 * SIM_SEC);
}

static void
a_peer_that_is_back_again_starts_the_count_anew(void)
{
    g_autoptr(Sender) s = kept_alive();

    for (unsigned i = 0; i < 3; i++)
        sender_await(s, 1000, 1000);
    sender_ack(s, 1001, NULL);
    g_assert_cmpuint(s->conn->probes_out, ==, 0);
    g_assert_cmpint(sender_await(s, 1000, 1000), ==, 10 * SIM_SEC);
    for (unsigned i = 0; i < 3; i++)
        sender_await(s, 1000, 1000);
    g_assert_cmpint(s->conn->state, ==, TCP_ESTABLISHED);
    sender_run(s, 3 * SIM_SEC);
    g_assert_cmpint(sock_take_error(s->bench->sock), ==, ETIMEDOUT);
}

/* Data on the way asks by itself. */
static void
with_data_outstanding_there_is_no_probe(void)
{
    g_autoptr(Sender) s = kept_alive();

    sender_run(s, 9 * SIM_SEC);
    sender_write(s, 1000);
    sender_expect(s, 1001, 2001);
    sender_run(s, 5 * SIM_SEC);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPKeepAlive), ==, 0);
}

static void
turned_off_it_asks_no_more(void)
{
    g_autoptr(Sender) s = kept_alive();

    sender_run(s, 5 * SIM_SEC);
    g_assert_cmpint(sock_set_option(s->bench->sock, TCP_OPT_KEEPALIVE, 0), ==, 0);
    sender_run(s, 100 * SIM_SEC);
    sender_expect_silence(s);
}

static void
a_shorter_idle_time_counts_from_the_last_segment_on(void)
{
    g_autoptr(Sender) s = kept_alive();

    sender_run(s, 4 * SIM_SEC);
    g_assert_cmpint(sock_set_option(s->bench->sock, TCP_OPT_KEEPIDLE, 6), ==, 0);
    g_assert_cmpint(sender_await(s, 1000, 1000), ==, 2 * SIM_SEC);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(part, claim) g_test_add_func("/" part "/" #claim, claim)
    ADD("persist", a_closed_window_is_probed_below_una);
    ADD("persist", unanswered_probes_end_after_retries2);
    ADD("persist", answered_probes_go_on_for_ever);
    ADD("persist", rto_max_bounds_their_interval);
    ADD("persist", user_timeout_ends_even_answered_ones);
    ADD("persist", a_small_window_is_filled_when_the_timer_comes_up);
    ADD("persist", an_opened_window_needs_no_probe);
    ADD("persist", probes_announce_urgent_data);
    ADD("persist", a_window_shrunk_over_data_in_flight_is_probed_by_it);
    ADD("persist", answered_probes_of_an_orphan_end_two_minutes_apart_on_linux);
    ADD("persist", answered_probes_of_an_orphan_go_on_by_the_rfc);
    ADD("persist", an_orphan_gives_up);
    ADD("keepalive", a_probe_names_the_last_byte_that_was_acknowledged);
    ADD("keepalive", a_peer_that_is_back_again_starts_the_count_anew);
    ADD("keepalive", with_data_outstanding_there_is_no_probe);
    ADD("keepalive", turned_off_it_asks_no_more);
    ADD("keepalive", a_shorter_idle_time_counts_from_the_last_segment_on);
    return g_test_run();
}
