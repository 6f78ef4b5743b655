/* What options make of a connection: offered, taken up, and then used on each
 * segment (RFC 9293 §3.7.1, RFC 7323, RFC 2018, RFC 2883). Their order and
 * padding on the wire is in tests/wire/. */
#include "tests/support/sender.h"
#include "tests/tcp/receiver.h"

#define TS     TCPOPT_HAS_TS
#define SACK   TCPOPT_HAS_SACK_OK
#define WSCALE TCPOPT_HAS_WSCALE
#define MSS    TCPOPT_HAS_MSS

/* All sets of the three that are agreed. */
static const uint8_t sets[] = { 0,      TS,          SACK,          TS | SACK,
                                WSCALE, WSCALE | TS, WSCALE | SACK, WSCALE | SACK | TS };

static const char *
on(uint8_t set, uint8_t option)
{
    return set & option ? "1" : "0";
}

static TcpBench *
with_sysctls(uint8_t set)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_timestamps", on(set, TS));
    tcp_bench_set(b, "net.ipv4.tcp_sack", on(set, SACK));
    tcp_bench_set(b, "net.ipv4.tcp_window_scaling", on(set, WSCALE));
    return b;
}

/* ---- the handshake ----------------------------------------------------------------------- */

static void
syn_offers_what_the_host_has_on(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autoptr(TcpBench) b = with_sysctls(sets[i]);

        tcp_bench_connect(b);
        g_assert_cmphex(receiver_sent(b)->options, ==, MSS | sets[i]);
    }
}

static void
syn_ack_takes_up_what_both_have(void)
{
    for (size_t ours = 0; ours < G_N_ELEMENTS(sets); ours++)
        for (size_t theirs = 0; theirs < G_N_ELEMENTS(sets); theirs++) {
            g_autoptr(TcpBench) b = with_sysctls(sets[ours]);

            tcp_bench_listen(b, 4);
            tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .options = sets[theirs], .tsval = 7));
            g_assert_cmphex(receiver_sent(b)->options, ==, MSS | (sets[ours] & sets[theirs]));
            if (sets[ours] & sets[theirs] & TS)
                g_assert_cmpuint(receiver_sent(b)->tsecr, ==, 7);
        }
}

/* Also where the SYN-ACK claims what the SYN did not offer. */
static void
connection_uses_what_both_said(void)
{
    for (size_t ours = 0; ours < G_N_ELEMENTS(sets); ours++)
        for (size_t theirs = 0; theirs < G_N_ELEMENTS(sets); theirs++) {
            g_autoptr(TcpBench) b = with_sysctls(sets[ours]);
            uint8_t agreed = sets[ours] & sets[theirs];

            tcp_bench_connect(b);
            tcp_bench_skip(b);
            tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .options = sets[theirs],
                                     .tsval = 7, .wscale = 3));
            g_assert_cmphex(receiver_sent(b)->options & TS, ==, agreed & TS);
            g_assert_cmpuint(receiver_conn(b)->sack_ok, ==, (agreed & SACK) != 0);
            g_assert_cmpuint(receiver_conn(b)->snd.wscale, ==, agreed & WSCALE ? 3 : 0);
            if (!(agreed & WSCALE))
                g_assert_cmpuint(receiver_conn(b)->rcv.wscale, ==, 0);
        }
}

/* RFC 7323 §2.2: the window of a SYN is as it stands, later ones are shifted. */
static void
window_of_a_syn_is_not_scaled(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_connect(b);
    tcp_bench_deliver(
        b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .options = WSCALE, .wscale = 3, .wnd = 1000));
    g_assert_cmpuint(receiver_conn(b)->snd.wnd, ==, 1000);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .wnd = 1000));
    g_assert_cmpuint(receiver_conn(b)->snd.wnd, ==, 8000);
}

/* RFC 7323 §2.3 */
static void
shift_above_14_counts_as_14(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_connect(b);
    tcp_bench_deliver(b,
                      SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .options = WSCALE, .wscale = 15));
    g_assert_cmpuint(receiver_conn(b)->snd.wscale, ==, 14);
}

/* RFC 9293 §3.7.1 */
static void
peer_without_mss_gets_536_bytes_a_segment(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_RFC);

    tcp_bench_connect(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .no_mss = true));
    tcp_bench_skip(b);
    g_assert_cmpint(sock_send(b->sock, NULL, 2000, 0), ==, 2000);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .len = 536));
}

/* ---- RTTM: RFC 7323 §4 ------------------------------------------------------------------- */

/* A segment that was sent twice: only its timestamp tells which one came. */
static SimTime
srtt_after_a_repeated_segment(bool ts)
{
    g_autoptr(Sender) s = sender_new((SenderParams){
        .mss = 1012,
        .ts = ts,
        .tunables = (const char *const[]){ "net.ipv4.tcp_early_retrans", "0", NULL } });

    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
    sender_await(s, 1, 1001);
    sender_run(s, 500 * SIM_MS);
    sender_ack(s, 1001, NULL);
    return s->conn->rtt.srtt;
}

static void
repeated_segment_is_measured_by_its_timestamp_alone(void)
{
    /* 7/8 of the handshake's 100 ms and 1/8 of these 500 ms; or no sample. */
    g_assert_cmpint(srtt_after_a_repeated_segment(true), ==, 150 * SIM_MS);
    g_assert_cmpint(srtt_after_a_repeated_segment(false), ==, 100 * SIM_MS);
}

/* §4.1: else the delay of the ACK would not be part of the sample. */
static void
delayed_ack_echoes_the_first_segment_that_it_acknowledges(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_RFC);

    receiver_establish(b, TS);
    for (uint32_t i = 0; i < 2; i++)
        tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1 + i * 100, .ack = 1,
                                 .len = 100, .options = TS, .tsval = 1100 + i * 50));
    tcp_bench_run(b, 250 * SIM_MS);
    g_assert_cmpuint(receiver_sent(b)->tsecr, ==, 1100);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 201));
}

/* §4.3 (2): a retransmission that fills a hole is what is echoed. */
static void
filled_hole_echoes_the_segment_that_filled_it(void)
{
    g_autoptr(TcpBench) b = receiver_new(TS | SACK);

    tcp_bench_deliver(
        b, SEG(.flags = TCP_ACK, .seq = 101, .ack = 1, .len = 100, .options = TS, .tsval = 1100));
    g_assert_cmpuint(receiver_sent(b)->tsecr, ==, 1000);
    tcp_bench_skip(b);
    tcp_bench_deliver(
        b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .len = 100, .options = TS, .tsval = 1200));
    g_assert_cmpuint(receiver_sent(b)->tsecr, ==, 1200);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 201));
}

/* ---- SACK: RFC 2018 §3 -------------------------------------------------------------------- */

static void
expect_blocks(uint8_t options, unsigned most)
{
    g_autoptr(TcpBench) b = receiver_new(options | SACK);
    unsigned blocks = 0;

    for (uint32_t i = 0; i < 6; i++) { /* holes between all of them */
        tcp_bench_skip(b);
        tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 101 + i * 200, .ack = 1, .len = 100,
                                 .options = options, .tsval = 1001));
        if (!g_queue_is_empty(b->sent))
            blocks = receiver_sent(b)->n_sacks;
        g_assert_cmpuint(blocks, ==, MIN(i + 1, most));
        if (!g_queue_is_empty(b->sent))
            receiver_expect_sack(b, 0, 101 + i * 200, 201 + i * 200);
    }
}

static void
three_blocks_fit_beside_timestamps_and_four_without(void)
{
    expect_blocks(TS, 3);
    expect_blocks(0, 4);
}

/* RFC 2883 §4: first, and the blocks of the queue behind it. */
static void
d_sack_comes_before_the_other_blocks(void)
{
    g_autoptr(TcpBench) b = receiver_new(SACK);

    receiver_data(b, 1, 100);
    receiver_data(b, 201, 100);
    tcp_bench_skip(b);
    receiver_data(b, 1, 100); /* once more */
    receiver_expect_sack(b, 0, 1, 101);
    receiver_expect_sack(b, 1, 201, 301);
    g_assert_cmpuint(receiver_count(b, MIB_TcpExtTCPDSACKOldSent), ==, 1);
}

/* Recorded in a simultaneous open: the SYN that comes twice is a duplicate too. */
static void
repeated_syn_of_a_simultaneous_open_gets_a_d_sack(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_connect(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .options = SACK));
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1, .options = SACK));
    receiver_expect_sack(b, 0, 0, 1);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/options/" #name, name)
    CLAIM(syn_offers_what_the_host_has_on);
    CLAIM(syn_ack_takes_up_what_both_have);
    CLAIM(connection_uses_what_both_said);
    CLAIM(window_of_a_syn_is_not_scaled);
    CLAIM(shift_above_14_counts_as_14);
    CLAIM(peer_without_mss_gets_536_bytes_a_segment);
    CLAIM(repeated_segment_is_measured_by_its_timestamp_alone);
    CLAIM(delayed_ack_echoes_the_first_segment_that_it_acknowledges);
    CLAIM(filled_hole_echoes_the_segment_that_filled_it);
    CLAIM(three_blocks_fit_beside_timestamps_and_four_without);
    CLAIM(d_sack_comes_before_the_other_blocks);
    CLAIM(repeated_syn_of_a_simultaneous_open_gets_a_d_sack);
    return g_test_run();
}
