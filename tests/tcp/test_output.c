/* What leaves when: windows, bursts, PSH, Nagle, cork, MSG_EOR, buffers. */
#include "models/tcp/output.h"
#include "tests/support/sender.h"

static void
ten_segments_leave_at_first(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    sender_write(s, 15000);
    sender_expect(s, 1, 10001);
    sender_expect_silence(s);
}

/* A burst of two: PSH on the second, as Linux does for the sake of GRO. */
static void
the_last_segment_of_a_burst_is_pushed(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    sender_write(s, 3500);
    sender_expect(s, 1, 1001);
    g_assert_cmphex(s->last_flags, ==, TCP_ACK);
    sender_expect(s, 1001, 2001);
    g_assert_cmphex(s->last_flags, ==, TCP_ACK | TCP_PSH);
    sender_expect(s, 2001, 3001);
    g_assert_cmphex(s->last_flags, ==, TCP_ACK);
    sender_expect(s, 3001, 3501);
    g_assert_cmphex(s->last_flags, ==, TCP_ACK | TCP_PSH);
}

static void
the_peers_window_is_kept(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1024, .sack = true, .wnd = 4096 });

    sender_write(s, 8192);
    sender_expect(s, 1, 4097);
    sender_expect_silence(s);
    sender_ack(s, 2049, NULL);
    sender_expect(s, 4097, 6145);
    sender_expect_silence(s);
}

static void
slow_start_doubles_the_window(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true, .wnd = 65536 });

    sender_write(s, 40000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 5001, NULL);
    sender_expect(s, 10001, 20001);
    sender_ack(s, 10001, NULL);
    sender_expect(s, 20001, 30001);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 20);
}

/* Half of the window used: no reason to open it (RFC 7661's concern). */
static void
an_unused_window_does_not_grow(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    sender_write(s, 5000);
    sender_expect(s, 1, 5001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 2001, NULL);
    sender_ack(s, 5001, NULL);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 10);
}

static void
the_window_restarts_after_idle_time(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    g_assert_cmpuint(s->conn->sender->w.cwnd, ==, 20);
    sender_run(s, 3 * SIM_SEC);
    sender_write(s, 30000);
    sender_expect(s, 10001, 20001);
    sender_expect_silence(s);
}

static void
a_second_short_segment_waits_for_the_first(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    sender_write(s, 10);
    sender_expect(s, 1, 11);
    sender_write(s, 10);
    sender_write(s, 10);
    sender_expect_silence(s);
    sender_ack(s, 11, NULL);
    sender_expect(s, 11, 31);
}

/* Minshall: the tail of a large write does not wait, a short write after it does. */
static void
a_short_segment_behind_full_ones_does_not_wait(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    sender_write(s, 1500);
    sender_expect(s, 1, 1501);
    sender_write(s, 500);
    sender_expect_silence(s);
    sender_ack(s, 1501, NULL);
    sender_expect(s, 1501, 2001);
}

static void
nodelay_sends_at_once(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    tcp_set_nodelay(s->conn, true);
    for (unsigned i = 0; i < 3; i++) {
        sender_write(s, 10);
        sender_expect(s, 1 + 10 * i, 11 + 10 * i);
    }
}

static void
a_cork_holds_short_segments_and_lets_full_ones_go(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    tcp_set_cork(s->conn, true);
    sender_write(s, 40);
    sender_run(s, 50 * SIM_MS);
    sender_expect_silence(s);
    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
    sender_expect_silence(s);
    tcp_set_cork(s->conn, false);
    sender_run(s, 0);
    sender_expect(s, 1001, 1041);
}

/* tcp(7): 200 ms is the ceiling on how long a cork holds. */
static void
corked_data_leaves_after_200_ms(void)
{
    g_autoptr(Sender) s =
        sender_new((SenderParams){ .mss = 1000, .sack = true, .rtt = 1 * SIM_MS });
    SimTime took;

    tcp_set_cork(s->conn, true);
    sender_write(s, 40);
    took = sender_await(s, 1, 41);
    g_assert_cmpint(took, >=, 200 * SIM_MS);
    g_assert_cmpint(took, <=, 204 * SIM_MS);
}

static void
msg_more_waits_for_what_follows(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    g_assert_cmpint(sender_send(s, 100, TCP_MSG_MORE), ==, 100);
    sender_run(s, 20 * SIM_MS);
    sender_expect_silence(s);
    sender_write(s, 5);
    sender_expect(s, 1, 106);
}

static void
msg_eor_keeps_the_boundary(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    tcp_set_nodelay(s->conn, true);
    sender_write(s, 10000);
    sender_expect(s, 1, 10001);
    g_assert_cmpint(sender_send(s, 300, TCP_MSG_EOR), ==, 300);
    g_assert_cmpint(sender_send(s, 400, TCP_MSG_EOR), ==, 400);
    sender_expect_silence(s);
    sender_ack(s, 10001, NULL);
    sender_expect(s, 10001, 10301);
    sender_expect(s, 10301, 10701);
}

static void
an_urgent_byte_points_behind_itself(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    g_assert_cmpint(sender_send(s, 1, TCP_MSG_OOB), ==, 1);
    sender_expect(s, 1, 2);
    g_assert_cmphex(s->last_flags, ==, TCP_ACK | TCP_PSH | TCP_URG);
}

/* Two entries of two segments and one of one are out; ten of two wait: each
 * costs 896 bytes besides (recording s15_zero_window_answered: 36200 with
 * segments of 1448). */
static void
the_send_buffer_counts_overhead(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1408, .sack = true, .wnd = 7040 });

    g_assert_cmpuint(s->conn->snd.buf, ==, 46080);
    g_assert_cmpint(sender_send(s, 200000, 0), ==, 35200);
    g_assert_cmpint(sender_send(s, 1, 0), ==, -EAGAIN);
}

/* The buffer is full, and the last segment, one burst's size (32896 / 2), too; of
 * that an ACK sets some free: what is left has room up to a burst's size again. */
static Sender *
sender_with_a_cut_tail(void)
{
    Sender *s = sender_new((SenderParams){ .mss = 1000, .sack = true, .wnd = 32896 });

    s->conn->opt.sndbuf_locked = true;
    s->conn->snd.buf = 16000;
    g_assert_cmpint(sender_send(s, 60000, 0), ==, 26000);
    sender_expect(s, 1, 10001);
    g_assert_cmpint(sender_send(s, 34000, 0), ==, -EAGAIN);
    sender_ack(s, 3001, NULL);
    sender_expect(s, 10001, 16001);
    return s;
}

/* As a kernel does (Linux 6.18, measured with SIOCOUTQ: a writer that asks
 * again and again has 55040 of 40000 bytes queued on a dead path, and seven
 * times SO_SNDBUF on one that lives). */
static void
a_new_call_fills_the_last_segment_up_without_asking_for_room(void)
{
    g_autoptr(Sender) s = sender_with_a_cut_tail();

    g_assert_cmpint(sender_send(s, 34000, 0), ==, 6000);
    g_assert_cmpint(sender_send(s, 28000, 0), ==, -EAGAIN);
}

static void
a_call_that_waited_asks_for_room_before_it_fills_the_last_segment_up(void)
{
    g_autoptr(Sender) s = sender_with_a_cut_tail();
    unsigned flags = TCP_MSG_WAITED | TCP_MSG_REST;

    g_assert_cmpint(sender_send(s, 34000, flags), ==, -EAGAIN);
    sender_ack(s, 12001, NULL);
    g_assert_cmpint(sender_send(s, 34000, flags), >, 0);
}

/* What the call pushed as it began to wait stays pushed; a new call takes that back. */
static void
a_call_that_goes_on_does_not_take_its_push_back(void)
{
    for (unsigned rest = 0; rest <= TCP_MSG_REST; rest += TCP_MSG_REST) {
        g_autoptr(Sender) s = sender_with_a_cut_tail();

        s->conn->snd.buf = 1000000;
        g_assert_cmphex(tcp_tx_last_unsent(s->conn)->flags, ==, TCP_PSH);
        g_assert_cmpint(tcp_tx_append(s->conn, NULL, 1, TCP_MSG_WAITED | rest), ==, 1);
        g_assert_cmphex(tcp_tx_last_unsent(s->conn)->flags, ==, rest ? TCP_PSH : 0);
    }
}

static void
notsent_lowat_bounds_what_is_unsent(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true, .wnd = 32896 });

    s->conn->opt.notsent_lowat = 4000;
    g_assert_cmpint(sender_send(s, 59000, 0), ==, 26000);
    g_assert_false(tcp_tx_is_writable(s->conn));
}

static void
a_fin_follows_the_data(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true });

    sender_write(s, 10500);
    sender_expect(s, 1, 10001);
    g_assert_cmpint(tcp_shutdown(s->conn, TCP_SHUT_WR), ==, 0);
    sender_run(s, 0);
    sender_expect_silence(s);
    sender_ack(s, 10001, NULL);
    sender_expect(s, 10001, 10501);
    g_assert_cmphex(s->last_flags, ==, TCP_ACK | TCP_PSH | TCP_FIN);
    g_assert_cmpint(sender_send(s, 1, 0), ==, -EPIPE);
}

/* RFC 9293 §3.10.7.4 #1 at the peer: SND.NXT would lie beyond its window. */
static void
ack_to_a_peer_that_shrank_its_window_is_within_it(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000 });

    sender_write(s, 5000);
    sender_expect(s, 1, 5001);
    s->wnd = 1024;
    sender_ack(s, 1001, NULL);
    tcp_send_ack(s->conn, "test");
    tcp_bench_run(s->bench, 0);
    tcp_bench_expect(s->bench, SEG(.flags = TCP_ACK, .seq = 2025, .ack = 1));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(part, claim) g_test_add_func("/" part "/" #claim, claim)
    ADD("output", ack_to_a_peer_that_shrank_its_window_is_within_it);
    ADD("output", ten_segments_leave_at_first);
    ADD("output", the_last_segment_of_a_burst_is_pushed);
    ADD("output", the_peers_window_is_kept);
    ADD("output", slow_start_doubles_the_window);
    ADD("output", an_unused_window_does_not_grow);
    ADD("output", the_window_restarts_after_idle_time);
    ADD("output", an_urgent_byte_points_behind_itself);
    ADD("output", a_fin_follows_the_data);
    ADD("nagle", a_second_short_segment_waits_for_the_first);
    ADD("nagle", a_short_segment_behind_full_ones_does_not_wait);
    ADD("nagle", nodelay_sends_at_once);
    ADD("nagle", a_cork_holds_short_segments_and_lets_full_ones_go);
    ADD("nagle", corked_data_leaves_after_200_ms);
    ADD("nagle", msg_more_waits_for_what_follows);
    ADD("nagle", msg_eor_keeps_the_boundary);
    ADD("send", the_send_buffer_counts_overhead);
    ADD("send", a_new_call_fills_the_last_segment_up_without_asking_for_room);
    ADD("send", a_call_that_waited_asks_for_room_before_it_fills_the_last_segment_up);
    ADD("send", a_call_that_goes_on_does_not_take_its_push_back);
    ADD("send", notsent_lowat_bounds_what_is_unsent);
    return g_test_run();
}
