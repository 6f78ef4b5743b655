/* TCP_INFO: what getsockopt() and ss tell of a connection, and what limits it. */
#include "models/tcp/info.h"
#include "models/tcp/output.h"
#include "tests/support/sender.h"

static TcpInfo
info_of(Sender *s)
{
    TcpInfo info;

    tcp_get_info(s->conn, &info);
    return info;
}

static Sender *
plain(void)
{
    return sender_new((SenderParams){ .mss = 1000, .sack = true, .wnd = 65536 });
}

static void
states_have_linuxs_numbers(void)
{
    static const struct {
        TcpState state;
        unsigned number;
    } cases[] = {
        { TCP_ESTABLISHED, 1 }, { TCP_SYN_SENT, 2 }, { TCP_FIN_WAIT_1, 4 },
        { TCP_CLOSE_WAIT, 8 },  { TCP_CLOSING, 11 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, cases[i].state);
        const TcpConn *conn = b->sock ? sock_tcp(b->sock) : b->host->tcp->first;
        TcpInfo info;

        g_assert_nonnull(conn);
        tcp_get_info(conn, &info);
        g_assert_cmpuint(info.state, ==, cases[i].number);
    }
}

static void
a_listener_tells_little(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    TcpInfo info;

    tcp_bench_listen(b, 8);
    tcp_get_info(sock_tcp(b->listener), &info);
    g_assert_cmpuint(info.state, ==, 10);
    g_assert_cmpuint(info.snd_mss, ==, 0);
    g_assert_cmpuint(info.snd_cwnd, ==, 10);
}

/* bytes_acked counts the SYN, as Linux's does. */
static void
counts_follow_what_was_sent_and_acknowledged(void)
{
    g_autoptr(Sender) s = plain();
    TcpInfo info;

    sender_write(s, 12000);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 4001, NULL);
    info = info_of(s);
    g_assert_cmpuint(info.bytes_acked, ==, 4001);
    g_assert_cmpuint(info.bytes_sent, ==, 12000);
    g_assert_cmpuint(info.unacked, ==, 8);
    g_assert_cmpuint(info.data_segs_out, ==, 12);
    g_assert_cmpuint(info.notsent_bytes, ==, 0);
    g_assert_cmpuint(info.delivered, ==, 5); /* the SYN, too */
    g_assert_cmpuint(info.snd_cwnd, ==, 14);
    g_assert_cmpuint(info.snd_mss, ==, 1000);
    g_assert_cmpuint(info.snd_wnd, ==, 65536);
    g_assert_cmpuint(info.rtt, ==, 100000);
    g_assert_cmpuint(info.min_rtt, ==, 100000);
    g_assert_cmpuint(info.rto, ==, 300000);
    g_assert_cmpuint(info.last_ack_recv, ==, 0);
    g_assert_cmpuint(info.options, ==, 2 | 4); /* SACK, window scale */
}

static void
losses_show_as_lost_sacked_and_sent_again(void)
{
    g_autoptr(Sender) s = plain();
    TcpInfo info;

    sender_write(s, 10000);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1, "2001:6001");
    info = info_of(s);
    g_assert_cmpuint(info.ca_state, ==, TCP_CA_RECOVERY);
    g_assert_cmpuint(info.sacked, ==, 4);
    g_assert_cmpuint(info.lost, ==, 2);
    g_assert_cmpuint(info.retrans, >=, 1);
    g_assert_cmpuint(info.total_retrans, ==, info.retrans);
    g_assert_cmpuint(info.bytes_retrans, ==, 1000 * info.retrans);
    g_assert_cmpuint(info.snd_ssthresh, ==, 7);
}

static void
timeouts_are_counted_and_timed(void)
{
    static const char *const tunables[] = { "net.ipv4.tcp_early_retrans", "0", NULL };
    g_autoptr(Sender) s =
        sender_new((SenderParams){ .mss = 1000, .sack = true, .tunables = tunables });
    TcpInfo info;

    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
    sender_await(s, 1, 1001);
    sender_await(s, 1, 1001);
    info = info_of(s);
    g_assert_cmpuint(info.retransmits, ==, 2);
    g_assert_cmpuint(info.backoff, ==, 2);
    g_assert_cmpuint(info.total_rto, ==, 2);
    g_assert_cmpuint(info.total_rto_recoveries, ==, 1);
    g_assert_cmpuint(info.total_rto_time, ==, 600);
    sender_ack(s, 1001, NULL);
    sender_run(s, SIM_SEC);
    g_assert_cmpuint(info_of(s).total_rto_time, ==, 600); /* the clock has stopped */
}

static void
echoed_marks_count_what_they_delivered(void)
{
    g_autoptr(Sender) s = plain();

    s->conn->ecn.flags = 1; /* TCP_ECN_OK */
    sender_write(s, 10000);
    sender_run(s, 100 * SIM_MS);
    tcp_bench_deliver(s->bench, SEG(.flags = TCP_ACK | TCP_ECE, .seq = 1, .ack = 3001, .wnd = 512));
    g_assert_cmpuint(info_of(s).delivered_ce, ==, 3);
}

/* ---- what limits sending: busy, receive window, send buffer ------------------------------------
 */

static void
busy_while_something_is_unacknowledged(void)
{
    g_autoptr(Sender) s = plain();
    TcpInfo info;

    sender_run(s, 500 * SIM_MS);
    sender_write(s, 1000);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1001, NULL);
    sender_run(s, 500 * SIM_MS);
    info = info_of(s);
    g_assert_cmpuint(info.busy_time, ==, 100000);
    g_assert_cmpuint(info.rwnd_limited, ==, 0);
    g_assert_cmpuint(info.sndbuf_limited, ==, 0);
}

static void
rwnd_limited_while_only_the_peers_window_holds_it_back(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 1000, .sack = true, .wnd = 4096 });
    TcpInfo info;

    sender_write(s, 8000);
    sender_run(s, 100 * SIM_MS);
    s->wnd = 65536;
    sender_ack(s, 4001, NULL);
    sender_run(s, 100 * SIM_MS);
    info = info_of(s);
    g_assert_cmpuint(info.rwnd_limited, ==, 100000);
    g_assert_cmpuint(info.busy_time, ==, 200000);
}

static void
sndbuf_limited_while_the_window_has_room_that_the_buffer_has_not(void)
{
    g_autoptr(Sender) s = plain();

    g_assert_cmpint(sock_set_option(s->bench->sock, TCP_OPT_SNDBUF, 2304), ==, 0);
    int64_t taken = sender_send(s, 100000, 0); /* what one buffer holds, and the first window */
    g_assert_cmpint(taken, <, 50000);
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 10001, NULL);
    sender_run(s, 100 * SIM_MS);
    g_assert_cmpuint(info_of(s).sndbuf_limited, ==, 0); /* there is still something to send */
    sender_ack(s, 30001, NULL);
    g_assert_cmpuint(tcp_unsent_bytes(s->conn), ==, 0);
    sender_run(s, 100 * SIM_MS);
    g_assert_cmpuint(info_of(s).sndbuf_limited, ==, 100000);
}

/* ---- the algorithm's own line
 * -------------------------------------------------------------------- */

static void
algorithms_tell_of_themselves_as_ss_prints_it(void)
{
    g_autoptr(Sender) s = plain();
    char text[128];

    g_assert_cmpstr(tcp_describe_congestion(s->conn, text), ==, "");
    g_assert_cmpint(tcp_set_congestion(s->conn, "dctcp"), ==, 0);
    g_assert_cmpstr(tcp_describe_congestion(s->conn, text), ==,
                    "dctcp:(ce_state:0,alpha:1024,ab_ecn:0,ab_tot:0)");
    g_assert_cmpint(tcp_set_congestion(s->conn, "bbr"), ==, 0);
    g_assert_true(
        g_str_has_prefix(tcp_describe_congestion(s->conn, text), "bbr:(bw:0bps,mrtt:100,"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/info/" #name, name)
    ADD(states_have_linuxs_numbers);
    ADD(a_listener_tells_little);
    ADD(counts_follow_what_was_sent_and_acknowledged);
    ADD(losses_show_as_lost_sacked_and_sent_again);
    ADD(timeouts_are_counted_and_timed);
    ADD(echoed_marks_count_what_they_delivered);
    ADD(busy_while_something_is_unacknowledged);
    ADD(rwnd_limited_while_only_the_peers_window_holds_it_back);
    ADD(sndbuf_limited_while_the_window_has_room_that_the_buffer_has_not);
    ADD(algorithms_tell_of_themselves_as_ss_prints_it);
    return g_test_run();
}
