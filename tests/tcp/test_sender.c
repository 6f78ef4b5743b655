/* What a sender needs and who rests goes without: who has an object of its own,
 * since when, and that it makes no difference. Whether any of these wrote to the
 * shared one is checked when the bench goes. */
#include "models/tcp/ack.h"
#include "tests/support/sender.h"
#include "tests/tcp/receiver.h"

static bool
has_its_own(const TcpConn *conn)
{
    return !conn->sender->is_shared;
}

static Sender *
sender_of(const char *name, const char *value)
{
    return sender_new((SenderParams){
        .mss = 1000, .sack = true, .tunables = (const char *const[]){ name, value, NULL } });
}

static void
who_connects_gives_it_back_when_established(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_connect(b);
    g_assert_true(has_its_own(sock_tcp(b->sock)));
    tcp_bench_run(b, 30 * SIM_MS);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    g_assert_false(has_its_own(sock_tcp(b->sock)));
    g_assert_cmpuint(b->net->tcp->senders.live, ==, 0);
}

static TcpConn *
accepted(TcpBench *b)
{
    tcp_bench_listen(b, 8);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    return b->host->tcp->first; /* the newest */
}

static void
who_is_accepted_has_none(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    g_assert_false(has_its_own(accepted(b)));
    g_assert_cmpuint(b->net->tcp->senders.live, ==, 0);
}

/* Nothing of its own was acknowledged: what it sends first proves no rate, though
 * the call that sends it waited for room. */
static void
who_was_accepted_is_app_limited_as_before(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    g_assert_cmpuint(tcp_sender_own(accepted(b))->app_limited, ==, UINT32_MAX);
}

static void
established_endpoint_that_rests_takes_less_than_a_kilobyte(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_listen(b, 8);
    uint64_t none = tcp_memory(b->host);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    tcp_bench_expect_state(b, TCP_ESTABLISHED);
    g_assert_cmpuint(tcp_memory(b->host) - none, <=, 900); /* tables and ports need the rest */
}

static void
first_data_takes_one_which_stays(void)
{
    g_autoptr(Sender) s = sender_of("net.ipv4.tcp_congestion_control", "cubic");
    uint64_t at_rest = tcp_memory(s->bench->host);

    g_assert_false(has_its_own(s->conn));
    sender_write(s, 1000);
    g_assert_true(has_its_own(s->conn));
    sender_run(s, 100 * SIM_MS);
    sender_ack(s, 1001, NULL);
    g_assert_true(has_its_own(s->conn));
    g_assert_cmpuint(tcp_memory(s->bench->host), ==, at_rest + s->bench->net->tcp->senders.size);
}

static void
who_only_receives_never_needs_one(void)
{
    g_autoptr(TcpBench) b = receiver_new(TCPOPT_HAS_SACK_OK);

    for (uint32_t i = 0; i < 20; i++)
        receiver_data(b, 1 + i * 1000, 1000);
    receiver_data(b, 30001, 1000); /* with a hole: SACKs leave */
    tcp_bench_run(b, SIM_SEC);
    g_assert_false(has_its_own(receiver_conn(b)));
}

static void
fin_takes_one(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);

    sock_shutdown(b->sock, 2);
    g_assert_true(has_its_own(sock_tcp(b->sock)));
}

/* What resting forgot is there again: the minimum RTT, the time that counts as
 * the window's last use, the place from which retransmission looks. */
static void
what_the_handshake_told_is_there_again(void)
{
    g_autoptr(Sender) s = sender_of("net.ipv4.tcp_congestion_control", "cubic");
    SimTime established = sim_now(s->bench->sim);
    const TcpSender *own;

    sender_run(s, SIM_SEC / 2);
    own = tcp_sender_own(s->conn);
    g_assert_cmpint(own->later_min[0].rtt, ==, 100 * SIM_MS);
    g_assert_cmpint(own->later_min[0].at, ==, established);
    g_assert_cmpint(own->later_min[1].at, ==, established);
    g_assert_cmpint(own->cwnd_stamp, ==, established);
    g_assert_cmpuint(own->app_limited, ==, 0); /* the SYN's ACK ended that: rate.c */
    g_assert_cmpuint(own->rtx_hint, ==, s->conn->snd.una);
    g_assert_cmpuint(own->rtx_high, ==, s->conn->snd.una);
    g_assert_cmpint(own->w.now, ==, established); /* when CUBIC's variables began */
}

static void
lost_syns_are_worth_keeping(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_connect(b);
    tcp_bench_run(b, 2500 * SIM_MS);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    g_assert_true(has_its_own(sock_tcp(b->sock)));
    g_assert_cmpuint(sock_tcp(b->sock)->sender->total_retrans, ==, 2);
}

static void
algorithms_that_begin_before_data_keep_theirs(void)
{
    static const char *const names[] = { "bbr", "dctcp", "fixed" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Sender) s = sender_of("net.ipv4.tcp_congestion_control", names[i]);

        g_assert_true(has_its_own(s->conn));
    }
}

static void
another_algorithm_at_rest_takes_one(void)
{
    g_autoptr(Sender) s = sender_of("net.ipv4.tcp_congestion_control", "cubic");

    g_assert_cmpint(tcp_set_congestion(s->conn, "bbr"), ==, 0);
    g_assert_true(has_its_own(s->conn));
    g_assert_cmpuint(s->conn->sender->w.pacing_rate, >, 0);
}

/* Linux reads these when the connection is opened. */
static void
tunables_of_later_leave_who_rests_as_it_was(void)
{
    g_autoptr(Sender) s = sender_of("initial_cwnd", "7");
    TcpInfo info;

    tcp_bench_set(s->bench, "initial_cwnd", "20");
    tcp_get_info(s->conn, &info);
    g_assert_cmpuint(info.snd_cwnd, ==, 7);
    sender_write(s, 30000);
    sender_expect(s, 1, 7001);
    sender_expect_silence(s);
}

static void
sack_of_what_was_never_sent_is_no_harm(void)
{
    g_autoptr(Sender) s = sender_of("net.ipv4.tcp_congestion_control", "cubic");

    sender_ack(s, 1, "1001:2001");
    sender_ack(s, 1, "1:1");
    sender_ack(s, 1, "0:1");
    sender_write(s, 1000);
    sender_expect(s, 1, 1001);
}

/* connect() anew after it failed: as from the beginning. */
static void
disconnect_gives_it_back(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_SYN_SENT);

    tcp_disconnect(sock_tcp(b->sock));
    g_assert_cmpuint(b->net->tcp->senders.live, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/sender/" #name, name)
    CLAIM(who_connects_gives_it_back_when_established);
    CLAIM(who_is_accepted_has_none);
    CLAIM(who_was_accepted_is_app_limited_as_before);
    CLAIM(established_endpoint_that_rests_takes_less_than_a_kilobyte);
    CLAIM(first_data_takes_one_which_stays);
    CLAIM(who_only_receives_never_needs_one);
    CLAIM(fin_takes_one);
    CLAIM(what_the_handshake_told_is_there_again);
    CLAIM(lost_syns_are_worth_keeping);
    CLAIM(algorithms_that_begin_before_data_keep_theirs);
    CLAIM(another_algorithm_at_rest_takes_one);
    CLAIM(tunables_of_later_leave_who_rests_as_it_was);
    CLAIM(sack_of_what_was_never_sent_is_no_harm);
    CLAIM(disconnect_gives_it_back);
    return g_test_run();
}
