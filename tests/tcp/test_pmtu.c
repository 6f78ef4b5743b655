/* Segment size and path MTU: what is announced, what an ICMP changes, what
 * probing finds (RFC 1191, RFC 4821). */
#include "tests/support/sender.h"

#include "models/ip/ip.h"

static void
learn(Sender *s, uint32_t mtu)
{
    ip_pmtu_update(s->bench->host, ip_addr_v4(0x0a000002), mtu);
    tcp_path_mtu_reduced(s->conn, mtu);
    sender_run(s, 0);
}

static void
timestamps_take_twelve_bytes_of_each_segment(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .sack = true, .ts = true });

    g_assert_cmpuint(s->conn->snd.mss, ==, 1448);
    sender_write(s, 1448);
    sender_expect(s, 1, 1449);
}

static void
the_peers_mss_option_bounds_segments(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .mss = 560, .sack = true, .ts = true });

    g_assert_cmpuint(s->conn->snd.mss, ==, 548);
}

/* A window never more than twice a segment: half of it at most. */
static void
segments_take_at_most_half_the_largest_window(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .sack = true, .wnd = 2048 });

    g_assert_cmpuint(s->conn->snd.mss, ==, 1024);
}

/* Recording s14_pmtud_1000: all at once, in smaller pieces, no back-off and
 * no congestion response. */
static void
a_smaller_path_mtu_sends_everything_again_at_once(void)
{
    g_autoptr(Sender) s =
        sender_new((SenderParams){ .sack = true, .ts = true, .rtt = 20 * SIM_MS });

    sender_write(s, 20000);
    sender_expect(s, 1, 14481);
    learn(s, 1000);
    g_assert_cmpuint(s->conn->snd.mss, ==, 948);
    sender_expect(s, 1, 949);
    sender_expect(s, 949, 1897);
    sender_expect(s, 1897, 2845);
    sender_expect(s, 2845, 2897); /* a burst of two full segments ended here */
    sender_expect(s, 2897, 7689);
    sender_expect_silence(s);
    sender_expect_window(s, TCP_CA_LOSS, 10, CC_INFINITE_SSTHRESH);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPTimeouts), ==, 0);
}

static void
without_df_a_report_changes_nothing(void)
{
    g_autoptr(Sender) s = sender_new((SenderParams){ .sack = true });

    s->conn->opt.mtu_discover = PMTUDISC_DONT;
    sender_write(s, 2920);
    sender_expect(s, 1, 2921);
    learn(s, 1000);
    sender_expect_silence(s);
    g_assert_cmpuint(s->conn->snd.mss, ==, 1460);
}

/* Recording s14_blackhole_mtup1 */
static void
a_black_hole_is_suspected_at_the_fourth_timeout(void)
{
    static const char *const tunables[] = { "net.ipv4.tcp_mtu_probing", "1", NULL };
    g_autoptr(Sender) s = sender_new(
        (SenderParams){ .sack = false, .ts = true, .rtt = 20 * SIM_MS, .tunables = tunables });

    sender_write(s, 20000);
    sender_expect(s, 1, 14481);
    for (int i = 0; i < 3; i++)
        sender_await(s, 1, 1449);
    sender_await(s, 1, 1025);
    sender_await(s, 1, 513);
}

/* Recording s14_mtup2: 1236 after 1024, half way to 1448. */
static void
probing_sends_one_larger_segment(void)
{
    static const char *const tunables[] = { "net.ipv4.tcp_mtu_probing", "2", "net.ipv4.tcp_wmem[1]",
                                            "200000", NULL };
    g_autoptr(Sender) s = sender_new((SenderParams){
        .sack = true, .ts = true, .wnd = 65536, .rtt = 20 * SIM_MS, .tunables = tunables });

    sender_write(s, 60000);
    sender_expect(s, 1, 10241);
    sender_run(s, 20 * SIM_MS);
    sender_ack(s, 10241, NULL);
    sender_expect(s, 10241, 11477);
    g_assert_cmpuint(s->conn->path.probe_size, ==, 1288);
    sender_expect(s, 11477, 12501);
    tcp_bench_skip(s->bench);
    sender_run(s, 20 * SIM_MS);
    sender_ack(s, 11477, NULL);
    g_assert_cmpuint(s->conn->snd.mss, ==, 1236);
    g_assert_cmpuint(sender_counter(s, MIB_TcpExtTCPMTUPSuccess), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/pmtu/" #claim, claim)
    ADD(timestamps_take_twelve_bytes_of_each_segment);
    ADD(the_peers_mss_option_bounds_segments);
    ADD(segments_take_at_most_half_the_largest_window);
    ADD(a_smaller_path_mtu_sends_everything_again_at_once);
    ADD(without_df_a_report_changes_nothing);
    ADD(a_black_hole_is_suspected_at_the_fourth_timeout);
    ADD(probing_sends_one_larger_segment);
    return g_test_run();
}
