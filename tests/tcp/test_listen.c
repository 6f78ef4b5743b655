/* SYN queue, accept queue and cookies: how much they hold, and what becomes of
 * what they don't. Numbers are those of a recorded kernel (Linux 6.18). */
#include "tests/support/tcp_bench.h"

#include <errno.h>

#include "models/tcp/listen.h"

#define FLOOD_PORT 3000

static uint64_t
count(const TcpBench *b, MibCounter counter)
{
    return b->host->mib[counter];
}

static void
flood(TcpBench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .peer_port = FLOOD_PORT + i));
}

typedef struct RowCount {
    TcpState state;
    unsigned n;
} RowCount;

static void
count_row(void *arg, const TcpSocketRow *row)
{
    RowCount *rows = arg;

    rows->n += row->state == rows->state;
}

static unsigned
in_state(const TcpBench *b, TcpState state)
{
    RowCount rows = { .state = state };

    tcp_list(b->host, count_row, &rows);
    return rows.n;
}

static TcpBench *
listening(int backlog, const char *syncookies)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_syncookies", syncookies);
    tcp_bench_listen(b, backlog);
    return b;
}

/* The handshake of one peer, whose number is told by its port. */
static void
complete(TcpBench *b, uint32_t port)
{
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .peer_port = port));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .peer_port = port));
    tcp_bench_skip(b);
}

static void
syn_queue_holds_backlog_plus_one(void)
{
    static const struct {
        int backlog;
        unsigned held;
    } cases[] = { { 0, 1 }, { 1, 2 }, { 4, 5 }, { 128, 129 } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = listening(cases[i].backlog, "0");

        flood(b, 200);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].held);
        g_assert_cmpuint(count(b, MIB_TcpExtTCPReqQFullDrop), ==, 200 - cases[i].held);
        g_assert_cmpuint(count(b, MIB_TcpExtListenDrops), ==, 200 - cases[i].held);
    }
}

static void
memory_counts_what_lives(void)
{
    g_autoptr(TcpBench) b = listening(8, "0");
    uint64_t none = tcp_memory(b->host), half, whole;

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    half = tcp_memory(b->host) - none;
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    whole = tcp_memory(b->host) - none;
    g_assert_cmpuint(half, >, 0);
    g_assert_cmpuint(half, <=, 128); /* the target of a SYN queue's entry */
    g_assert_cmpuint(whole, >, 5 * half);
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 1));
    tcp_bench_run(b, 0);
    g_assert_cmpuint(tcp_memory(b->host), <=, none + whole);
}

static void
somaxconn_bounds_the_backlog(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_syncookies", "0");
    tcp_bench_set(b, "net.core.somaxconn", "8");
    tcp_bench_listen(b, 1000);
    flood(b, 50);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 9);
}

static void
last_quarter_of_max_syn_backlog_is_for_proven_peers(void)
{
    static const struct {
        const char *most;
        unsigned held;
    } cases[] = { { "16", 13 }, { "64", 49 }, { "512", 385 } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

        tcp_bench_set(b, "net.ipv4.tcp_syncookies", "0");
        tcp_bench_set(b, "net.ipv4.tcp_max_syn_backlog", cases[i].most);
        tcp_bench_listen(b, 1000);
        flood(b, 600);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].held);
        g_assert_cmpuint(count(b, MIB_TcpExtTCPReqQFullDrop), ==, 0);
        g_assert_cmpuint(count(b, MIB_TcpExtListenDrops), ==, 600 - cases[i].held);
    }
}

static void
proven_peer_has_the_last_quarter(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    int error;

    tcp_bench_set(b, "net.ipv4.tcp_syncookies", "0");
    tcp_bench_set(b, "net.ipv4.tcp_max_syn_backlog", "16");
    tcp_bench_listen(b, 1000);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_run(b, 10 * SIM_MS);
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_close(b->sock), ==, 0);
    b->sock = NULL;
    tcp_bench_run(b, 0);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    flood(b, 100);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 100);
}

static void
rfc_keeps_data_that_came_with_a_syn(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_RFC);
    int error;

    tcp_bench_listen(b, 4);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .len = 10));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 11, .ack = 1));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 10);
    tcp_bench_await(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 11));
}

static void
linux_acknowledges_the_syn_alone(void)
{
    g_autoptr(TcpBench) b = listening(4, "1");
    int error;

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .len = 10));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, -EAGAIN);
}

static void
max_syn_backlog_does_not_bind_with_cookies(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_max_syn_backlog", "16");
    tcp_bench_listen(b, 128);
    flood(b, 200);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 129);
    g_assert_cmpuint(count(b, MIB_TcpExtSyncookiesSent), ==, 200 - 129);
}

static void
counterfactual_unlimited_queue_holds_all(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "counterfactual.unlimited_queue", "1");
    tcp_bench_set(b, "net.ipv4.tcp_syncookies", "0");
    tcp_bench_listen(b, 4);
    flood(b, 3000);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 3000);
}

/* ---- how long entries live --------------------------------------------------- */

static void
syn_ack_is_repeated_at_1_3_7_15_31_s_and_given_up_at_63(void)
{
    static const SimTime at[] = { 1, 2, 4, 8, 16 };
    g_autoptr(TcpBench) b = listening(8, "0");

    flood(b, 1);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    for (size_t i = 0; i < G_N_ELEMENTS(at); i++)
        g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1)), ==,
                        at[i] * SIM_SEC);
    tcp_bench_run(b, 32 * SIM_SEC - 1);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 1);
    tcp_bench_run(b, 1);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
    tcp_bench_expect_silence(b); /* no RST */
    g_assert_cmpuint(count(b, MIB_TcpExtTCPTimeouts), ==, 6);
}

static void
old_entries_of_a_crowded_queue_go_at_their_third_timeout(void)
{
    static const struct {
        int backlog;
        unsigned held, left;
    } cases[] = { { 128, 129, 64 }, { 4, 5, 4 }, { 1, 2, 2 } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = listening(cases[i].backlog, "0");

        flood(b, 200);
        tcp_bench_run(b, 6900 * SIM_MS);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].held);
        tcp_bench_run(b, 200 * SIM_MS);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].left);
        tcp_bench_run(b, 54 * SIM_SEC);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, cases[i].left);
        tcp_bench_run(b, 3 * SIM_SEC);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
    }
}

/* ---- cookies ------------------------------------------------------------------- */

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

/* ---- the accept queue --------------------------------------------------------------- */

static void
accept_queue_holds_backlog_plus_one_and_then_drops_syns(void)
{
    for (int backlog = 0; backlog < 3; backlog++) {
        g_autoptr(TcpBench) b = listening(backlog, "1");

        for (unsigned i = 0; i < 6; i++)
            complete(b, FLOOD_PORT + i);
        g_assert_cmpuint(in_state(b, TCP_ESTABLISHED), ==, (unsigned)backlog + 1);
        g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
        g_assert_cmpuint(count(b, MIB_TcpExtListenOverflows), >=, 5 - (unsigned)backlog);
        tcp_bench_skip(b);
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
        tcp_bench_expect_silence(b); /* not even with tcp_abort_on_overflow */
    }
}

/* Two handshakes are under way when the single place goes. */
static TcpBench *
late_third_ack(const char *abort_on_overflow)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_abort_on_overflow", abort_on_overflow);
    tcp_bench_listen(b, 1);
    complete(b, FLOOD_PORT);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .peer_port = FLOOD_PORT + 1));
    uint32_t iss = b->iss;
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    uint32_t late_iss = b->iss;
    b->iss = iss;
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .peer_port = FLOOD_PORT + 1));
    b->iss = late_iss;
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    return b;
}

static void
third_ack_is_ignored_while_the_accept_queue_is_full(void)
{
    g_autoptr(TcpBench) b = late_third_ack("0");
    int error;

    tcp_bench_expect_silence(b);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 1);
    g_assert_cmpuint(count(b, MIB_TcpExtListenOverflows), ==, 1);
    g_assert_cmpuint(count(b, MIB_TcpExtListenDrops), ==, 1);
    /* The SYN-ACK is repeated; its answer finds the place that accept() made. */
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1)), ==, SIM_SEC);
    Socket *first = sock_accept(b->listener, &error);
    g_assert_nonnull(b->sock = first);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    g_assert_cmpuint(in_state(b, TCP_ESTABLISHED), ==, 3);
}

static void
abort_on_overflow_resets_the_third_ack(void)
{
    g_autoptr(TcpBench) b = late_third_ack("1");

    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 1));
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
    g_assert_cmpuint(count(b, MIB_TcpExtEmbryonicRsts), ==, 1);
}

static void
closing_the_listener_resets_what_waits_and_forgets_what_is_half_open(void)
{
    g_autoptr(TcpBench) b = listening(8, "1");

    flood(b, 1);
    complete(b, 2000);
    tcp_bench_skip(b);
    g_assert_cmpint(sock_close(b->listener), ==, 0);
    b->listener = NULL;
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_RST | TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_run(b, 100 * SIM_SEC);
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 0);
}

static void
defer_accept_waits_for_data(void)
{
    g_autoptr(TcpBench) b = listening(8, "1");
    int error = 0;

    g_assert_cmpint(sock_set_option(b->listener, TCP_OPT_DEFER_ACCEPT, 3), ==, 0);
    complete(b, 2000);
    g_assert_cmpuint(in_state(b, TCP_SYN_RECEIVED), ==, 1);
    g_assert_null(sock_accept(b->listener, &error));
    g_assert_cmpint(error, ==, -EAGAIN);
    g_assert_cmpuint(count(b, MIB_TcpExtTCPDeferAcceptDrop), ==, 1);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 1, .len = 10));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, NULL), ==, 10);
}

static void
defer_accept_asks_again_at_its_end(void)
{
    g_autoptr(TcpBench) b = listening(8, "1");
    int error;

    g_assert_cmpint(sock_set_option(b->listener, TCP_OPT_DEFER_ACCEPT, 3), ==, 0);
    complete(b, 2000);
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1)), ==, 3 * SIM_SEC);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
}

static void
counterfactual_two_way_handshake_believes_a_syn(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);
    int error;

    tcp_bench_set(b, "counterfactual.two_way_handshake", "1");
    tcp_bench_listen(b, 4);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_send(b->sock, "x", 1, 0), ==, 1);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 1, .len = 1));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/listen/" #name, name)
    CLAIM(syn_queue_holds_backlog_plus_one);
    CLAIM(memory_counts_what_lives);
    CLAIM(somaxconn_bounds_the_backlog);
    CLAIM(last_quarter_of_max_syn_backlog_is_for_proven_peers);
    CLAIM(proven_peer_has_the_last_quarter);
    CLAIM(rfc_keeps_data_that_came_with_a_syn);
    CLAIM(linux_acknowledges_the_syn_alone);
    CLAIM(max_syn_backlog_does_not_bind_with_cookies);
    CLAIM(counterfactual_unlimited_queue_holds_all);
    CLAIM(syn_ack_is_repeated_at_1_3_7_15_31_s_and_given_up_at_63);
    CLAIM(old_entries_of_a_crowded_queue_go_at_their_third_timeout);
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
    CLAIM(accept_queue_holds_backlog_plus_one_and_then_drops_syns);
    CLAIM(third_ack_is_ignored_while_the_accept_queue_is_full);
    CLAIM(abort_on_overflow_resets_the_third_ack);
    CLAIM(closing_the_listener_resets_what_waits_and_forgets_what_is_half_open);
    CLAIM(defer_accept_waits_for_data);
    CLAIM(defer_accept_asks_again_at_its_end);
    CLAIM(counterfactual_two_way_handshake_believes_a_syn);
    return g_test_run();
}
