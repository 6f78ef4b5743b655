/* Fast Open (RFC 7413), both sides: cookies asked for, given, remembered, and
 * data that travel with the SYN. */
#include "tests/support/tcp_bench.h"

#include <errno.h>
#include <string.h>

#define SYN_ACK (TCP_SYN | TCP_ACK)

static const Endpoint peer = { { 0, IP_ADDR_V4_PREFIX | 0x0a000002 }, 2000 };

/* The bench's peer with a Fast Open option: cookie of `len` bytes. */
static void
deliver(TcpBench *b, Seg seg, int len, const uint8_t *cookie)
{
    Packet *packet = packet_new_tcp(&b->net->packets);

    packet->ip.src = peer.addr;
    packet->ip.dst = ip_addr_v4(0x0a000001);
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.df = true;
    packet->tcp.sport = 2000;
    packet->tcp.dport = b->local_port;
    packet->tcp.flags = seg.flags;
    packet->tcp.seq = 500000 + seg.seq;
    packet->tcp.ack = seg.flags & TCP_ACK ? b->iss + seg.ack : 0;
    packet->tcp.wnd = 65535;
    packet->tcp.options = TCPOPT_HAS_MSS | (len >= 0 ? TCPOPT_HAS_FASTOPEN : 0);
    packet->tcp.mss = 1460;
    packet->tcp.fastopen_len = (uint8_t)MAX(len, 0);
    if (len > 0)
        memcpy(packet->tcp.fastopen_cookie, cookie, (size_t)len);
    packet->payload = (Payload){ .len = seg.len };
    if (seg.len > 0)
        packet->payload.stream = stream_new_id(b->net->streams);
    packet_finish_lengths(packet);
    host_receive(b->iface, packet);
    tcp_bench_run(b, 0);
}

/* ---- the client --------------------------------------------------------------------- */

static const uint8_t cookie[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static Socket *
send_with_syn(TcpBench *b, int64_t expected)
{
    Socket *sock = tcp_bench_open(b);
    Endpoint local = { ip_addr_v4(0x0a000001), b->local_port };

    sock_set_option(sock, TCP_OPT_REUSEADDR, 1);
    g_assert_cmpint(sock_bind(sock, local), ==, 0);
    g_assert_cmpint(tcp_sendto_fastopen(sock_tcp(sock), peer, "hello", 5, TCP_MSG_FASTOPEN), ==,
                    expected);
    tcp_bench_run(b, 0);
    return sock;
}

/* A client that learnt the peer's cookie by an earlier connection. */
static TcpBench *
client_with_cookie(void)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);
    Socket *sock = send_with_syn(b, -EINPROGRESS);

    deliver(b, SEG(.flags = SYN_ACK, .ack = 1), 8, cookie);
    sock_abort(sock);
    g_ptr_array_remove(b->others, sock);
    tcp_bench_run(b, 0);
    tcp_bench_skip(b);
    return b;
}

static void
client_without_a_cookie_asks_for_one(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    send_with_syn(b, -EINPROGRESS);
    const Packet *syn = g_queue_peek_head(b->sent);
    g_assert_cmphex(syn->tcp.options & TCPOPT_HAS_FASTOPEN, !=, 0);
    g_assert_cmpuint(syn->tcp.fastopen_len, ==, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN));
}

static void
client_with_a_cookie_sends_data_with_its_syn(void)
{
    g_autoptr(TcpBench) b = client_with_cookie();

    send_with_syn(b, 5);
    const Packet *syn = g_queue_peek_head(b->sent);
    g_assert_cmpmem(syn->tcp.fastopen_cookie, syn->tcp.fastopen_len, cookie, 8);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN, .len = 5));
    deliver(b, SEG(.flags = SYN_ACK, .ack = 6), -1, NULL);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 6, .ack = 1));
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenActive], ==, 1);
}

static void
client_sends_refused_data_again(void)
{
    g_autoptr(TcpBench) b = client_with_cookie();

    send_with_syn(b, 5);
    tcp_bench_skip(b);
    deliver(b, SEG(.flags = SYN_ACK, .ack = 1), -1, NULL);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 1, .len = 5));
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenActiveFail], ==, 1);
}

static void
repeated_syn_has_neither_cookie_nor_data(void)
{
    g_autoptr(TcpBench) b = client_with_cookie();

    send_with_syn(b, 5);
    tcp_bench_skip(b);
    while (g_queue_is_empty(b->sent) && sim_step(b->sim))
        continue;
    const Packet *syn = g_queue_peek_head(b->sent);
    g_assert_cmphex(syn->tcp.options & TCPOPT_HAS_FASTOPEN, ==, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN));
}

static void
client_may_do_without_a_cookie_when_told_so(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_fastopen", "5");
    send_with_syn(b, 5);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN, .len = 5));
}

static void
fastopen_connect_waits_for_the_first_data(void)
{
    g_autoptr(TcpBench) b = client_with_cookie();
    Socket *sock = tcp_bench_open(b);

    g_assert_cmpint(sock_set_option(sock, TCP_OPT_FASTOPEN_CONNECT, 1), ==, 0);
    g_assert_cmpint(sock_connect(sock, peer), ==, 0);
    tcp_bench_run(b, 0);
    tcp_bench_expect_silence(b);
    g_assert_cmpint(sock_send(sock, "hello", 5, 0), ==, 5);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN, .len = 5));
}

static void
fastopen_can_be_turned_off(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_fastopen", "0");
    send_with_syn(b, -EOPNOTSUPP);
}

/* ---- black holes ----------------------------------------------------------------------- */

static bool
next_syn_has_the_option(TcpBench *b)
{
    const Packet *syn = g_queue_peek_tail(b->sent);

    g_assert_nonnull(syn);
    g_assert_cmphex(syn->tcp.flags, ==, TCP_SYN);
    return syn->tcp.options & TCPOPT_HAS_FASTOPEN;
}

/* Another connection to the same server: does it try? */
static bool
tries_fastopen(TcpBench *b)
{
    Socket *sock = tcp_bench_open(b);
    bool tries;

    tcp_bench_skip(b);
    tcp_sendto_fastopen(sock_tcp(sock), peer, "hello", 5, TCP_MSG_FASTOPEN);
    tcp_bench_run(b, 0);
    tries = next_syn_has_the_option(b);
    tcp_bench_close(b, sock);
    return tries;
}

/* A client whose SYN with data timed out three times. */
static TcpBench *
client_in_a_hole(void)
{
    TcpBench *b = client_with_cookie();
    Socket *sock;

    tcp_bench_set(b, "net.ipv4.tcp_fastopen_blackhole_timeout_sec", "100");
    sock = send_with_syn(b, 5);
    tcp_bench_run(b, 2500 * SIM_MS); /* two timeouts */
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenBlackhole], ==, 0);
    tcp_bench_run(b, 1000 * SIM_MS);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenBlackhole], ==, 1);
    tcp_bench_close(b, sock);
    return b;
}

static void
third_timeout_turns_it_off_for_a_while(void)
{
    g_autoptr(TcpBench) b = client_in_a_hole();

    g_assert_false(tries_fastopen(b));
    tcp_bench_run(b, 95 * SIM_SEC);
    g_assert_false(tries_fastopen(b));
    tcp_bench_run(b, 6 * SIM_SEC);
    g_assert_true(tries_fastopen(b));
}

static void
second_hole_lasts_twice_as_long(void)
{
    g_autoptr(TcpBench) b = client_in_a_hole();
    Socket *sock;

    tcp_bench_run(b, 101 * SIM_SEC);
    sock = send_with_syn(b, 5);
    tcp_bench_run(b, 3500 * SIM_MS);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenBlackhole], ==, 2);
    tcp_bench_close(b, sock);
    tcp_bench_run(b, 190 * SIM_SEC);
    g_assert_false(tries_fastopen(b));
    tcp_bench_run(b, 11 * SIM_SEC);
    g_assert_true(tries_fastopen(b));
}

static void
rst_out_of_order_before_any_data_turns_it_off(void)
{
    g_autoptr(TcpBench) b = client_with_cookie();

    tcp_bench_set(b, "net.ipv4.tcp_fastopen_blackhole_timeout_sec", "100");
    send_with_syn(b, 5);
    deliver(b, SEG(.flags = SYN_ACK, .ack = 6), -1, NULL);
    deliver(b, SEG(.flags = TCP_RST, .seq = 1000), -1, NULL);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenBlackhole], ==, 1);
    g_assert_false(tries_fastopen(b));
}

static void
fin_out_of_order_and_nothing_else_turns_it_off(void)
{
    g_autoptr(TcpBench) b = client_with_cookie();
    Socket *sock;

    tcp_bench_set(b, "net.ipv4.tcp_fastopen_blackhole_timeout_sec", "100");
    sock = send_with_syn(b, 5);
    deliver(b, SEG(.flags = SYN_ACK, .ack = 6), -1, NULL);
    deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1000, .ack = 6), -1, NULL);
    sock_abort(sock);
    g_ptr_array_remove(b->others, sock);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenBlackhole], ==, 1);
}

static void
by_default_it_is_never_turned_off(void)
{
    g_autoptr(TcpBench) b = client_with_cookie();
    Socket *sock = send_with_syn(b, 5);

    tcp_bench_run(b, 4 * SIM_SEC);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenBlackhole], ==, 0);
    tcp_bench_close(b, sock);
    g_assert_true(tries_fastopen(b));
}

/* ---- the server -------------------------------------------------------------------------- */

static TcpBench *
server(int queue, uint8_t given[8])
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_fastopen", "3");
    tcp_bench_listen(b, 8);
    g_assert_cmpint(sock_set_option(b->listener, TCP_OPT_FASTOPEN, queue), ==, 0);
    deliver(b, SEG(.flags = TCP_SYN), 0, NULL); /* a request for a cookie */
    const Packet *answer = g_queue_peek_head(b->sent);
    g_assert_cmpuint(answer->tcp.fastopen_len, ==, 8);
    memcpy(given, answer->tcp.fastopen_cookie, 8);
    deliver(b, SEG(.flags = TCP_RST, .seq = 1), -1, NULL);
    tcp_bench_skip(b);
    return b;
}

static void
server_takes_data_with_a_valid_cookie_before_the_handshake_ends(void)
{
    uint8_t given[8];
    g_autoptr(TcpBench) b = server(5, given);
    int error;

    deliver(b, SEG(.flags = TCP_SYN, .len = 100), 8, given);
    tcp_bench_expect(b, SEG(.flags = SYN_ACK, .ack = 101));
    tcp_bench_expect_state(b, TCP_SYN_RECEIVED);
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_recv(b->sock, NULL, 1000, 0, NULL), ==, 100);
    g_assert_cmpint(sock_send(b->sock, "answer", 6, 0), ==, 6);
    tcp_bench_run(b, 0);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 101, .len = 6));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 101, .ack = 7));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenPassive], ==, 1);
}

/* TCP_FASTOPEN_KEY with two keys: the second is the one before. */
static void
a_cookie_of_the_key_before_is_taken_and_renewed(void)
{
    uint8_t given[8], keys[32] = "a new key.......";
    size_t len = 16;
    g_autoptr(TcpBench) b = server(5, given);
    TcpConn *listener = sock_tcp(b->listener);

    tcp_get_option_bytes(listener, TCP_OPT_FASTOPEN_KEY, keys + 16, &len);
    g_assert_cmpint(tcp_set_option_bytes(listener, TCP_OPT_FASTOPEN_KEY, keys, 32), ==, 0);
    deliver(b, SEG(.flags = TCP_SYN, .len = 100), 8, given);
    const Packet *answer = g_queue_peek_head(b->sent);
    g_assert_cmpuint(answer->tcp.fastopen_len, ==, 8);
    g_assert_cmpint(memcmp(answer->tcp.fastopen_cookie, given, 8), !=, 0);
    tcp_bench_expect(b, SEG(.flags = SYN_ACK, .ack = 101));
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenPassiveAltKey], ==, 1);
}

/* RFC 7413 §4.2.2, RFC 6928: the whole first window, for the SYN-ACK takes none of it. */
static void
server_sends_ten_segments_before_the_handshake_ends(void)
{
    uint8_t given[8];
    g_autoptr(TcpBench) b = server(5, given);
    int error;

    deliver(b, SEG(.flags = TCP_SYN, .len = 100), 8, given);
    tcp_bench_skip(b);
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_send(b->sock, NULL, 40000, 0), >=, 14600);
    tcp_bench_run(b, 0);
    for (uint32_t seq = 1; seq < 14601; seq += 1460) {
        const Packet *packet = g_queue_peek_head(b->sent);

        g_assert_nonnull(packet);
        tcp_bench_expect(b, SEG(.flags = packet->tcp.flags, .seq = seq, .ack = 101, .len = 1460));
    }
    tcp_bench_expect_silence(b);
}

static void
server_refuses_data_with_a_forged_cookie_and_gives_the_right_one(void)
{
    uint8_t given[8];
    g_autoptr(TcpBench) b = server(5, given);

    deliver(b, SEG(.flags = TCP_SYN, .len = 100), 8, cookie);
    const Packet *answer = g_queue_peek_head(b->sent);
    g_assert_cmpmem(answer->tcp.fastopen_cookie, answer->tcp.fastopen_len, given, 8);
    tcp_bench_expect(b, SEG(.flags = SYN_ACK, .ack = 1));
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPFastOpenPassiveFail], ==, 1);
}

/* Accepted before its handshake is over, it outlives the listener that counts it. */
static void
child_outlives_its_listener(void)
{
    uint8_t given[8];
    g_autoptr(TcpBench) b = server(5, given);
    int error;

    deliver(b, SEG(.flags = TCP_SYN, .len = 100), 8, given);
    tcp_bench_expect(b, SEG(.flags = SYN_ACK, .ack = 101));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_close(b->listener), ==, 0);
    b->listener = NULL;
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 101, .ack = 1));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
}

static void
server_falls_back_when_its_queue_is_full(void)
{
    uint8_t given[8];
    g_autoptr(TcpBench) b = server(1, given);

    deliver(b, SEG(.flags = TCP_SYN, .len = 100), 8, given);
    tcp_bench_expect(b, SEG(.flags = SYN_ACK, .ack = 101));
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .peer_port = 2001));
    tcp_bench_expect(b, SEG(.flags = SYN_ACK, .ack = 1)); /* an ordinary handshake goes on */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/fastopen/" #name, name)
    CLAIM(client_without_a_cookie_asks_for_one);
    CLAIM(client_with_a_cookie_sends_data_with_its_syn);
    CLAIM(client_sends_refused_data_again);
    CLAIM(repeated_syn_has_neither_cookie_nor_data);
    CLAIM(client_may_do_without_a_cookie_when_told_so);
    CLAIM(fastopen_connect_waits_for_the_first_data);
    CLAIM(fastopen_can_be_turned_off);
    CLAIM(third_timeout_turns_it_off_for_a_while);
    CLAIM(second_hole_lasts_twice_as_long);
    CLAIM(rst_out_of_order_before_any_data_turns_it_off);
    CLAIM(fin_out_of_order_and_nothing_else_turns_it_off);
    CLAIM(by_default_it_is_never_turned_off);
    CLAIM(server_takes_data_with_a_valid_cookie_before_the_handshake_ends);
    CLAIM(a_cookie_of_the_key_before_is_taken_and_renewed);
    CLAIM(server_sends_ten_segments_before_the_handshake_ends);
    CLAIM(server_refuses_data_with_a_forged_cookie_and_gives_the_right_one);
    CLAIM(child_outlives_its_listener);
    CLAIM(server_falls_back_when_its_queue_is_full);
    return g_test_run();
}
