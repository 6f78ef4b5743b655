/* Opening: what SYN-SENT and a half-open request make of each kind of segment,
 * simultaneous open, and connect()'s results. */
#include "models/tcp/tcp_internal.h"
#include "tests/support/tcp_bench.h"

#include <errno.h>

#define TS      TCPOPT_HAS_TS
#define SYN_ACK (TCP_SYN | TCP_ACK)

/* ---- SYN-SENT -------------------------------------------------------------------- */

static void
syn_sent_answers_a_wrong_ack_with_rst_and_sends_its_syn_again_at_once(void)
{
    static const uint32_t wrong[] = { 0, 1000, (uint32_t)-5000 };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);

        tcp_bench_deliver(b, SEG(.flags = SYN_ACK, .ack = wrong[i]));
        tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = wrong[i]));
        g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN)), <, 20 * SIM_MS);
        tcp_bench_expect_state(b, TCP_SYN_SENT);
        /* Only the first time. */
        tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .ack = wrong[i]));
        tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = wrong[i]));
        tcp_bench_run(b, 500 * SIM_MS);
        tcp_bench_expect_silence(b);
    }
}

static void
syn_sent_of_the_rfc_waits_for_its_timer(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_RFC, TCP_SYN_SENT);

    tcp_bench_deliver(b, SEG(.flags = SYN_ACK, .ack = 1000));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 1000));
    g_assert_cmpint(tcp_bench_await(b, SEG(.flags = TCP_SYN)), ==, SIM_SEC);
}

static void
syn_sent_ignores_what_is_no_answer(void)
{
    static const Seg segs[] = {
        { .flags = TCP_ACK, .ack = 1 },
        { .flags = TCP_FIN | TCP_ACK, .ack = 1 },
        { .flags = TCP_RST },
        { .flags = 0, .len = 10 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(segs); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);

        tcp_bench_deliver(b, segs[i]);
        tcp_bench_run(b, 100 * SIM_MS);
        tcp_bench_expect_silence(b);
        tcp_bench_expect_state(b, TCP_SYN_SENT);
    }
}

static void
syn_sent_answers_an_impossible_echo_with_rst(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);

    tcp_bench_deliver(b,
                      SEG(.flags = SYN_ACK, .ack = 1, .options = TS, .tsval = 5, .tsecr = 12345));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 1));
    g_assert_cmpuint(b->host->mib[MIB_TcpExtPAWSActive], ==, 1);
    tcp_bench_run(b, 500 * SIM_MS);
    tcp_bench_expect_silence(b); /* the SYN waits for its timer */
}

static void
rst_with_the_right_ack_refuses_the_connection(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);
    Endpoint peer = { ip_addr_v4(0x0a000002), 2000 };

    tcp_bench_deliver(b, SEG(.flags = TCP_RST | TCP_ACK, .ack = 1));
    tcp_bench_expect_state(b, TCP_CLOSED);
    g_assert_cmpint(sock_take_error(b->sock), ==, ECONNREFUSED);
    g_assert_cmpuint(b->host->mib[MIB_TcpAttemptFails], ==, 1);
    g_assert_cmpint(sock_connect(b->sock, peer), ==, -ECONNABORTED); /* once */
    g_assert_cmpint(sock_connect(b->sock, peer), ==, -EINPROGRESS);
}

static void
simultaneous_open_meets_in_syn_received(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_expect(b, SEG(.flags = SYN_ACK, .seq = 0, .ack = 1));
    tcp_bench_expect_state(b, TCP_SYN_RECEIVED);
    tcp_bench_deliver(b, SEG(.flags = SYN_ACK, .ack = 1));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
}

/* The SYN of a segment that ends the handshake is old; the FIN behind it is not. */
static void
request_takes_the_fin_of_a_syn_that_acknowledges(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_RECEIVED);
    int error;

    tcp_bench_deliver(b, SEG(.flags = SYN_ACK | TCP_FIN, .ack = 1));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpuint(tcp_queued_bytes(sock_tcp(b->sock)), ==, 1);
    g_assert_cmpint(sock_recv(b->sock, NULL, 1000, 0, NULL), ==, 0);
}

/* RFC 7323 §2.2: the window of a SYN-ACK too is never scaled. */
static void
simultaneous_open_does_not_scale_the_window_of_the_syn_ack(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);
    TcpConn *conn = sock_tcp(b->sock);

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .options = TCPOPT_HAS_WSCALE, .wnd = 1000));
    conn->snd.wscale = 7;
    tcp_bench_deliver(b, SEG(.flags = SYN_ACK, .ack = 1, .wnd = 1000));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    g_assert_cmpuint(conn->snd.wnd, ==, 1000);
}

static void
counterfactual_four_way_handshake_takes_ack_and_syn_apart(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "counterfactual.four_way_handshake", "1");
    tcp_bench_enter(b, TCP_SYN_SENT);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .ack = 1));
    tcp_bench_expect_silence(b);
    tcp_bench_expect_state(b, TCP_SYN_SENT);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
}

static void
counterfactual_four_way_handshake_sends_ack_and_syn_apart(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "counterfactual.four_way_handshake", "1");
    tcp_bench_listen(b, 4);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
}

/* ---- SYN-RECEIVED, in the SYN queue ------------------------------------------------ */

typedef struct RequestCase {
    const char *what;
    Seg seg, reply; /* reply.flags 0: silence */
    TcpState after;
} RequestCase;

static const RequestCase request_cases[] = {
    { "same SYN", { .flags = TCP_SYN }, { .flags = SYN_ACK, .ack = 1 }, TCP_SYN_RECEIVED },
    { "SYN below the window",
      { .flags = TCP_SYN, .seq = (uint32_t)-5000 },
      { .flags = TCP_ACK, .seq = 1, .ack = 1 },
      TCP_SYN_RECEIVED },
    { "SYN beyond the window",
      { .flags = TCP_SYN, .seq = 1000000 },
      { .flags = TCP_ACK, .seq = 1, .ack = 1 },
      TCP_SYN_RECEIVED },
    { "SYN in the window",
      { .flags = TCP_SYN, .seq = 10 },
      { .flags = TCP_RST | TCP_ACK, .ack = 11 },
      TCP_LISTEN },
    { "ACK of what was not sent",
      { .flags = TCP_ACK, .seq = 1, .ack = 1000 },
      { .flags = TCP_RST, .seq = 1000 },
      TCP_SYN_RECEIVED },
    { "ACK of less than the SYN",
      { .flags = TCP_ACK, .seq = 1, .ack = (uint32_t)-7 },
      { .flags = TCP_RST, .seq = (uint32_t)-7 },
      TCP_SYN_RECEIVED },
    { "ACK beyond the window",
      { .flags = TCP_ACK, .seq = 200001, .ack = 1 },
      { .flags = TCP_ACK, .seq = 1, .ack = 1 },
      TCP_SYN_RECEIVED },
    { "SYN-ACK",
      { .flags = SYN_ACK, .seq = 0, .ack = 1 },
      { .flags = TCP_ACK, .seq = 1, .ack = 1 },
      TCP_SYN_RECEIVED },
    { "no flags", { .flags = 0, .seq = 1, .len = 5 }, { 0 }, TCP_SYN_RECEIVED },
    { "RST below the window",
      { .flags = TCP_RST, .seq = (uint32_t)-4999 },
      { 0 },
      TCP_SYN_RECEIVED },
    { "RST in the window",
      { .flags = TCP_RST, .seq = 1001 },
      { .flags = TCP_ACK, .seq = 1, .ack = 1 },
      TCP_SYN_RECEIVED },
    { "exact RST", { .flags = TCP_RST, .seq = 1 }, { 0 }, TCP_LISTEN },
    { "exact RST with a wrong ACK",
      { .flags = TCP_RST | TCP_ACK, .seq = 1, .ack = 999 },
      { 0 },
      TCP_LISTEN },
    { "the final ACK", { .flags = TCP_ACK, .seq = 1, .ack = 1 }, { 0 }, TCP_ESTABLISHED },
    { "the final ACK with a hole before it",
      { .flags = TCP_ACK, .seq = 51, .ack = 1 },
      { 0 },
      TCP_ESTABLISHED },
    { "data with a hole before it",
      { .flags = TCP_ACK | TCP_PSH, .seq = 11, .ack = 1, .len = 10 },
      { .flags = TCP_ACK, .seq = 1, .ack = 1 },
      TCP_ESTABLISHED },
};

static void
request_judges_each_segment_as_the_kernel_does(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(request_cases); i++) {
        const RequestCase *c = &request_cases[i];
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_RECEIVED);

        g_test_message("%s", c->what);
        tcp_bench_deliver(b, c->seg);
        if (c->reply.flags != 0)
            tcp_bench_expect(b, c->reply);
        tcp_bench_expect_silence(b);
        tcp_bench_expect_state(b, c->after);
    }
}

static void
fin_with_the_final_ack_goes_to_close_wait(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_RECEIVED);

    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_state(b, TCP_CLOSE_WAIT);
}

static void
old_timestamps_get_an_ack_and_the_request_stays(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_listen(b, 4);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .options = TS, .tsval = 5000));
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .options = TS, .tsval = 1000));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_state(b, TCP_SYN_RECEIVED);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtPAWSEstab], ==, 1);
    tcp_bench_run(b, SIM_SEC / 2);
    tcp_bench_deliver(
        b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .options = TS, .tsval = 5001, .tsecr = 77));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTSEcrRejected], ==, 1);
}

static void
syn_in_the_window_returns_to_listen_by_the_rfc(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_RFC, TCP_SYN_RECEIVED);

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 10));
    tcp_bench_expect_silence(b);
    tcp_bench_expect_state(b, TCP_LISTEN);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 10));
    tcp_bench_expect(b, SEG(.flags = SYN_ACK, .ack = 11));
}

static void
memory_counts_what_lives(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_listen(b, 8);
    uint64_t none = tcp_memory(b->host), half, whole;
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    half = tcp_memory(b->host) - none;
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    whole = tcp_memory(b->host) - none;
    g_assert_cmpuint(half, >, 0);
    g_assert_cmpuint(half, <=, 128); /* the target of a SYN queue's entry */
    g_assert_cmpuint(whole, >, 5 * half);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/handshake/" #name, name)
    CLAIM(syn_sent_answers_a_wrong_ack_with_rst_and_sends_its_syn_again_at_once);
    CLAIM(syn_sent_of_the_rfc_waits_for_its_timer);
    CLAIM(syn_sent_ignores_what_is_no_answer);
    CLAIM(syn_sent_answers_an_impossible_echo_with_rst);
    CLAIM(rst_with_the_right_ack_refuses_the_connection);
    CLAIM(simultaneous_open_meets_in_syn_received);
    CLAIM(request_takes_the_fin_of_a_syn_that_acknowledges);
    CLAIM(simultaneous_open_does_not_scale_the_window_of_the_syn_ack);
    CLAIM(counterfactual_four_way_handshake_takes_ack_and_syn_apart);
    CLAIM(counterfactual_four_way_handshake_sends_ack_and_syn_apart);
    CLAIM(request_judges_each_segment_as_the_kernel_does);
    CLAIM(fin_with_the_final_ack_goes_to_close_wait);
    CLAIM(old_timestamps_get_an_ack_and_the_request_stays);
    CLAIM(syn_in_the_window_returns_to_listen_by_the_rfc);
    CLAIM(memory_counts_what_lives);
    return g_test_run();
}
