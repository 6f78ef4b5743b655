/* SYN cookies: what they remember, when they are believed. Numbers are those of
 * a recorded kernel (Linux 6.18). */
#include "tests/tcp/listening.h"

static void
cookie_ack_becomes_a_connection(void)
{
    g_autoptr(TcpBench) b = listening(8, "2");
    int error;

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
    tcp_bench_run(b, 5 * SIM_SEC);
    tcp_bench_expect_silence(b); /* never repeated: nobody remembers */
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(in_state(b, TCP_ESTABLISHED), ==, 1);
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesSent), ==, 1);
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesRecv), ==, 1);
    g_assert_cmpuint(count(b, MIB_TcpExtTCPReqQFullDoCookies), ==, 1);
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
}

static void
of_100_syns_17_are_queued_and_83_get_cookies(void)
{
    g_autoptr(TcpBench) b = listening(16, "1");

    flood(b, 100);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 17);
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesSent), ==, 83);
    g_assert_cmpuint(count(b, MIB_TcpExtTCPReqQFullDoCookies), ==, 83);
    g_assert_cmpuint(count(b, MIB_TcpExtListenDrops), ==, 0);
}

static void
always_means_all_100_by_cookie(void)
{
    g_autoptr(TcpBench) b = listening(16, "2");

    flood(b, 100);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesSent), ==, 100);
    g_assert_cmpuint(count(b, MIB_TcpExtTCPReqQFullDoCookies), ==, 100);
}

/* A cookie has two bits for the MSS: the next smaller of four is what the
 * peer is believed to have asked for. */
static void
cookie_knows_four_mss(void)
{
    static const struct {
        uint16_t asked, kept;
    } cases[] = { { 100, 536 },   { 536, 536 },   { 1299, 536 },  { 1300, 1300 }, { 1439, 1300 },
                  { 1440, 1440 }, { 1459, 1440 }, { 1460, 1460 }, { 8960, 1460 } };
    g_autoptr(TcpBench) b = listening(8, "2");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Packet packet = { .ip = { .src = ip_addr_v4(0x0a000002), .dst = ip_addr_v4(0x0a000001) },
                          .tcp = { .sport = 4000, .dport = 80 } };
        TcpSegment seg = { .packet = &packet, .h = &packet.tcp, .seq = 1000 };
        uint16_t mss = cases[i].asked;
        uint32_t cookie = tcp_cookie_make(b->host->tcp, &seg, &mss);

        g_assert_cmpuint(mss, ==, cases[i].kept);
        seg.seq = 1001;
        seg.ack = cookie + 1;
        g_assert_cmpuint(tcp_cookie_check(b->host->tcp, &seg), ==, cases[i].kept);
        packet.tcp.sport = 4001; /* the same number from another port is worth nothing */
        g_assert_cmpuint(tcp_cookie_check(b->host->tcp, &seg), ==, 0);
    }
}

/* The options come back in the echo of the timestamp. */
static void
cookie_with_timestamps_carries_window_scale_sack_and_ecn(void)
{
    g_autoptr(TcpBench) b = listening(8, "2");

    for (unsigned i = 0; i < 16 * 4; i++) {
        TcpRequest asked = { .ts_ok = true,
                             .wscale_ok = i % 16 != 15,
                             .snd_wscale = i % 16 == 15 ? 0 : i % 16,
                             .sack_ok = (i & 16) != 0,
                             .ecn_ok = (i & 32) != 0 };
        TcpHeader header = { .options = TCPOPT_HAS_TS };
        uint32_t now = 5000000 + i, ts = tcp_cookie_ts(&asked, now);
        TcpSegment ack = { .h = &header, .tsval = 6, .tsecr = ts };
        TcpRequest kept = { 0 };

        g_assert_cmpuint(now - ts, <, 128); /* not ahead of the clock, and little behind */
        g_assert_true(tcp_cookie_ts_decode(b->host->tcp, &ack, &kept));
        g_assert_true(kept.ts_ok && kept.ts_recent == 6);
        g_assert_cmpuint(kept.wscale_ok, ==, asked.wscale_ok);
        g_assert_cmpuint(kept.snd_wscale, ==, asked.snd_wscale);
        g_assert_cmpuint(kept.sack_ok, ==, asked.sack_ok);
        g_assert_cmpuint(kept.ecn_ok, ==, asked.ecn_ok);
    }
}

/* While the flood goes on, a cookie is good for its minute and the next. */
static void
cookie_of_two_minutes_ago_fails_though_the_flood_goes_on(void)
{
    static const struct {
        unsigned minutes;
        bool good;
    } cases[] = { { 1, true }, { 2, false } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = listening(8, "2");

        tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
        tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
        uint32_t iss = b->iss;
        for (unsigned minute = 0; minute < cases[i].minutes; minute++) {
            tcp_bench_run(b, 60 * SIM_SEC);
            flood(b, 1);
            tcp_bench_skip(b);
        }
        b->iss = iss;
        tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
        g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesRecv), ==, cases[i].good);
        g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesFailed), ==, !cases[i].good);
        g_assert_cmpuint(in_state(b, TCP_ESTABLISHED), ==, cases[i].good);
    }
}

/* The accept queue is asked first: cookies are no way around it. */
static void
cookies_do_not_help_while_the_accept_queue_is_full(void)
{
    g_autoptr(TcpBench) b = listening(1, "2");

    complete(b, 4001);
    complete(b, 4002);
    flood(b, 10);
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesSent), ==, 2);
    g_assert_cmpuint(count(b, MIB_TcpExtListenOverflows), ==, 10);
    g_assert_cmpuint(count(b, MIB_TcpExtListenDrops), ==, 10);
}

static void
forged_cookie_gets_rst(void)
{
    g_autoptr(TcpBench) b = listening(8, "2");

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 77));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 77));
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesFailed), ==, 1);
}

static void
cookie_expires_after_two_minutes(void)
{
    g_autoptr(TcpBench) b = listening(8, "2");

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_skip(b);
    tcp_bench_run(b, 190 * SIM_SEC);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 1));
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesFailed), ==, 0); /* not even looked at */
}

static void
cookie_without_timestamps_keeps_only_the_mss(void)
{
    g_autoptr(TcpBench) b = listening(8, "2");

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .options = TCPOPT_HAS_SACK_OK | TCPOPT_HAS_WSCALE));
    Packet *packet = g_queue_peek_head(b->sent);
    g_assert_cmphex(packet->tcp.options, ==, TCPOPT_HAS_MSS);
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .tsval = 5, .peer_port = FLOOD_PORT,
                             .options = TCPOPT_HAS_SACK_OK | TCPOPT_HAS_WSCALE | TCPOPT_HAS_TS));
    packet = g_queue_peek_head(b->sent);
    g_assert_cmphex(packet->tcp.options, ==,
                    TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK | TCPOPT_HAS_WSCALE | TCPOPT_HAS_TS);
}

static void
counterfactual_no_cookies_drops_instead(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "counterfactual.no_cookies", "1");
    tcp_bench_listen(b, 4);
    flood(b, 20);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 5);
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesSent), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/syncookie/" #name, name)
    CLAIM(cookie_ack_becomes_a_connection);
    CLAIM(of_100_syns_17_are_queued_and_83_get_cookies);
    CLAIM(always_means_all_100_by_cookie);
    CLAIM(cookie_knows_four_mss);
    CLAIM(cookie_with_timestamps_carries_window_scale_sack_and_ecn);
    CLAIM(cookie_of_two_minutes_ago_fails_though_the_flood_goes_on);
    CLAIM(cookies_do_not_help_while_the_accept_queue_is_full);
    CLAIM(forged_cookie_gets_rst);
    CLAIM(cookie_expires_after_two_minutes);
    CLAIM(cookie_without_timestamps_keeps_only_the_mss);
    CLAIM(counterfactual_no_cookies_drops_instead);
    return g_test_run();
}
