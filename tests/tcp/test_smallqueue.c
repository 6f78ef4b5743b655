/* A host whose own send queue refuses, or is slow: what TCP makes of it. */
#include "models/node/sendqueue.h"
#include "models/tcp/timers.h"
#include "tests/support/sender.h"

#define PLAIN ((SenderParams){ .mss = 1000, .sack = true, .rtt = 20 * SIM_MS })
#define WIDE  ((SenderParams){ .mss = 1000, .sack = true, .rtt = 20 * SIM_MS, .wnd = 262144 })

static void
queue(Sender *s, uint64_t rate, uint32_t packets)
{
    iface_set_send_queue(s->bench->iface,
                         &(SendQueueParams){ .rate = rate, .limit_packets = packets });
}

static void
refuse_all(Sender *s)
{
    queue(s, 0, 0);
}

/* ---- Refused ------------------------------------------------------------------ */

static void
refused_data_is_still_to_be_sent_and_the_window_shrinks(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    refuse_all(s);
    sender_write(s, 100);
    sender_expect_silence(s);
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 0);
    g_assert_cmpuint(tcp_unsent_bytes(s->conn), ==, 100);
    g_assert_cmpint(s->conn->sender->w.ca_state, ==, TCP_CA_CWR);
    g_assert_cmpuint(s->conn->sender->w.ssthresh, ==, 7);
}

static void
it_is_tried_again_every_500_ms_without_back_off(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    refuse_all(s);
    sender_write(s, 100);
    sender_run(s, 220 * SIM_MS); /* the persist timer's first */
    g_assert_cmpuint(s->conn->probes_out, ==, 1);
    sender_run(s, 5 * 500 * SIM_MS);
    g_assert_cmpuint(s->conn->probes_out, ==, 6);
    g_assert_cmpuint(s->conn->rtt.backoff, ==, 0);
    iface_set_send_queue(s->bench->iface, NULL);
    g_assert_cmpint(sender_await(s, 1, 101), ==, 500 * SIM_MS);
}

static void
a_refused_timeout_retransmission_comes_again_after_500_ms(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .rtt = 20 * SIM_MS });

    sender_write(s, 100);
    sender_expect(s, 1, 101);
    refuse_all(s);
    sender_run(s, 220 * SIM_MS); /* RTO */
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPRetransFail), ==, 1);
    g_assert_cmpuint(s->conn->sender->retrans_out, ==, 0);
    g_assert_cmpuint(s->conn->rtt.backoff, ==, 0);
    iface_set_send_queue(s->bench->iface, NULL);
    g_assert_cmpint(sender_await(s, 1, 101), ==, 500 * SIM_MS);
    g_assert_cmpuint(s->conn->sender->retrans_out, ==, 1);
}

static void
a_refused_fast_retransmission_is_not_in_flight(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 5000);
    sender_expect(s, 1, 5001);
    refuse_all(s);
    sender_ack(s, 1, "2001:5001");
    g_assert_cmpint(s->conn->sender->w.ca_state, ==, TCP_CA_RECOVERY);
    g_assert_cmpuint(s->conn->sender->lost_out, ==, 2);
    g_assert_cmpuint(s->conn->sender->retrans_out, ==, 0);
    sender_expect_silence(s);
}

static void
a_refused_tail_loss_probe_is_none(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    sender_write(s, 2000);
    sender_expect(s, 1, 2001);
    refuse_all(s);
    sender_run(s, 42 * SIM_MS); /* 2 * srtt and 2 ms */
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPLossProbes), ==, 0);
    g_assert_cmpuint(s->conn->sender->tlp_high_seq, ==, 0);
    g_assert_cmpint(tcp_timer_pending(s->conn), ==, TCP_TIMER_RTO);
}

static void
a_refused_keepalive_probe_is_not_counted(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    g_assert_cmpint(tcp_set_option(s->conn, TCP_OPT_KEEPALIVE, 1), ==, 0);
    g_assert_cmpint(tcp_set_option(s->conn, TCP_OPT_KEEPIDLE, 10), ==, 0);
    refuse_all(s);
    sender_run(s, 10 * SIM_SEC);
    g_assert_cmpuint(s->conn->probes_out, ==, 0);
    iface_set_send_queue(s->bench->iface, NULL);
    sender_run(s, 500 * SIM_MS);
    g_assert_cmpuint(s->conn->probes_out, ==, 1);
}

static void
a_refused_syn_is_waited_for_like_a_lost_one(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    iface_set_send_queue(b->iface, &(SendQueueParams){ .limit_packets = 0 });
    tcp_bench_connect(b);
    tcp_bench_expect_silence(b);
    iface_set_send_queue(b->iface, NULL);
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN)), ==, 1 * SIM_SEC);
}

/* No route: as on Linux the data stays where it is, too, but that is no
 * congestion of this host's. */
static void
data_without_a_route_waits_for_the_persist_timer_with_back_off(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);
    Host *host = s->bench->host;

    ip_add_unreachable(host, ip_addr_v4(0x0a000002), 32);
    sender_write(s, 100);
    g_assert_cmpint(s->conn->sender->w.ca_state, ==, TCP_CA_OPEN);
    g_assert_cmpuint(tcp_unsent_bytes(s->conn), ==, 100);
    sender_run(s, 220 * SIM_MS);
    g_assert_cmpuint(s->conn->rtt.backoff, ==, 1);
    ip_del_route(host, ip_addr_v4(0x0a000002), 32);
    g_assert_cmpint(sender_await(s, 1, 101), ==, 440 * SIM_MS);
}

/* ---- Still in the queue --------------------------------------------------------- */

static void
what_has_not_left_the_host_is_not_sent_again(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .rtt = 20 * SIM_MS });

    queue(s, 10000, 1000); /* 1040 bytes: 832 ms */
    sender_write(s, 1000);
    sender_write(s, 1000);
    sender_run(s, 230 * SIM_MS); /* RTO */
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPSpuriousRtxHostQueues), ==, 1);
    g_assert_cmpuint(sender_counter(s, MIB_TcpRetransSegs), ==, 0);
    g_assert_cmpint(s->conn->sender->w.ca_state, ==, TCP_CA_LOSS);
    g_assert_cmpuint(s->conn->rtt.backoff, ==, 1);
    sender_run(s, 2 * SIM_SEC); /* both have left: now it is */
    g_assert_cmpuint(sender_counter(s, MIB_TcpRetransSegs), >, 0);
}

/* ---- Small queues -------------------------------------------------------------- */

/* 20 segments, on a card that takes 4 ms for one: a millisecond of the pacing
 * rate is less than two bursts, which bound what may be below TCP. */
static void
no_more_is_handed_down_than_two_bursts_or_a_millisecond(void)
{
    const char *tunables[] = { "initial_cwnd", "20", "gso", "0", NULL };
    SenderParams params = WIDE;
    params.tunables = tunables;
    g_autoptr(Sender) s = sender_new(params);

    queue(s, 2000000, 1000);
    sender_write(s, 20000);
    /* What is below may just exceed the limit, so a third goes. */
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 3);
    g_assert_true(s->conn->below.is_throttled);
    sender_run(s, 5 * SIM_MS);
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 4);
    sender_run(s, 100 * SIM_MS);
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 20);
    g_assert_cmpuint(s->conn->below.bytes, ==, 0);
    sender_expect(s, 1, 20001);
}

static void
without_the_limit_all_goes_down_at_once(void)
{
    const char *tunables[] = { "initial_cwnd", "20", "net.ipv4.tcp_limit_output_bytes",
                               "4294967295", NULL };
    SenderParams params = WIDE;
    params.tunables = tunables;
    g_autoptr(Sender) s = sender_new(params);

    queue(s, 2000000, 1000);
    sender_write(s, 20000);
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 20);
}

static void
tcp_limit_output_bytes_bounds_a_fast_connection(void)
{
    const char *tunables[] = { "initial_cwnd", "60", "gso", "0", "net.ipv4.tcp_limit_output_bytes",
                               "8000",         NULL };
    SenderParams params = WIDE;
    params.tunables = tunables;
    params.rtt = 1 * SIM_MS; /* paces at 120 MB/s: a millisecond of it is 120 kB */
    g_autoptr(Sender) s = sender_new(params);

    queue(s, 2000000, 1000);
    sender_write(s, 60000);
    /* 1896 bytes each: the fifth exceeds 8000. */
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 5);
}

/* ---- Autocorking ----------------------------------------------------------------- */

static Sender *
corking_sender(const char *autocorking)
{
    /* Small queues off: this is about the writes. */
    const char *tunables[] = { "net.ipv4.tcp_autocorking", autocorking,
                               "net.ipv4.tcp_limit_output_bytes", "4294967295", NULL };
    SenderParams params = WIDE;
    params.tunables = tunables;
    Sender *s = sender_new(params);

    g_assert_cmpint(tcp_set_option(s->conn, TCP_OPT_NODELAY, 1), ==, 0);
    queue(s, 100000, 1000); /* 140 bytes: 11 ms */
    for (int i = 0; i < 5; i++)
        sender_write(s, 100);
    return s;
}

static void
small_writes_gather_while_earlier_ones_wait_below(void)
{
    g_autoptr(Sender) s = corking_sender("1");

    g_assert_cmpuint(s->conn->sender->packets_out, ==, 2);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPAutoCorking), ==, 1);
    sender_run(s, 12 * SIM_MS); /* the first has left the host */
    g_assert_cmpuint(s->conn->sender->packets_out, ==, 3);
    sender_run(s, 20 * SIM_MS);
    sender_expect(s, 1, 501); /* 100, 100, and 300 as one */
    g_assert_cmpuint(s->conn->data_segs_out, ==, 3);
}

static void
without_autocorking_each_write_is_a_segment(void)
{
    g_autoptr(Sender) s = corking_sender("0");

    sender_run(s, 1 * SIM_MS);
    g_assert_cmpuint(s->conn->data_segs_out, ==, 5);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPAutoCorking), ==, 0);
}

static void
a_host_without_a_send_queue_never_corks(void)
{
    g_autoptr(Sender) s = sender_new(WIDE);

    g_assert_cmpint(tcp_set_option(s->conn, TCP_OPT_NODELAY, 1), ==, 0);
    for (int i = 0; i < 5; i++)
        sender_write(s, 100);
    g_assert_cmpuint(s->conn->data_segs_out, ==, 5);
}

static void
a_connection_that_ended_leaves_its_bytes_to_nobody(void)
{
    g_autoptr(Sender) s = sender_new(PLAIN);

    queue(s, 100000, 1000);
    sender_write(s, 3000);
    sock_abort(s->bench->sock);
    s->bench->sock = NULL;
    tcp_bench_run(s->bench, 1 * SIM_SEC); /* they leave; nothing looks for their sender */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/tcp/smallqueue/" #claim, claim)
    ADD(refused_data_is_still_to_be_sent_and_the_window_shrinks);
    ADD(it_is_tried_again_every_500_ms_without_back_off);
    ADD(a_refused_timeout_retransmission_comes_again_after_500_ms);
    ADD(a_refused_fast_retransmission_is_not_in_flight);
    ADD(a_refused_tail_loss_probe_is_none);
    ADD(a_refused_keepalive_probe_is_not_counted);
    ADD(a_refused_syn_is_waited_for_like_a_lost_one);
    ADD(data_without_a_route_waits_for_the_persist_timer_with_back_off);
    ADD(what_has_not_left_the_host_is_not_sent_again);
    ADD(no_more_is_handed_down_than_two_bursts_or_a_millisecond);
    ADD(without_the_limit_all_goes_down_at_once);
    ADD(tcp_limit_output_bytes_bounds_a_fast_connection);
    ADD(small_writes_gather_while_earlier_ones_wait_below);
    ADD(without_autocorking_each_write_is_a_segment);
    ADD(a_host_without_a_send_queue_never_corks);
    ADD(a_connection_that_ended_leaves_its_bytes_to_nobody);
#undef ADD
    return g_test_run();
}
