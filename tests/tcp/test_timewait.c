/* TIME-WAIT, segment by segment, as a recorded kernel judged them; and what
 * bounds or shortens it. */
#include "tests/support/tcp_bench.h"

#include <errno.h>

#define TS TCPOPT_HAS_TS

/* The server's side of a closed connection: it closed first, at local port 80,
 * so that a listener is there for a new incarnation. Relative numbers: ours
 * end at 2 (SYN, FIN), the peer's next is 2. */
static void
put_server_in_time_wait(TcpBench *b, uint8_t options)
{
    int error;

    tcp_bench_listen(b, 8);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .options = options, .tsval = 1000));
    tcp_bench_deliver(b,
                      SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .options = options, .tsval = 1010));
    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
    g_assert_cmpint(sock_close(b->sock), ==, 0);
    b->sock = NULL;
    tcp_bench_run(b, 0);
    tcp_bench_deliver(
        b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2, .options = options, .tsval = 1020));
    tcp_bench_expect_state(b, TCP_TIME_WAIT);
    tcp_bench_skip(b);
    tcp_bench_run(b, 40 * SIM_SEC);
}

static TcpBench *
server_in_time_wait(TcpProfile profile, uint8_t options)
{
    TcpBench *b = tcp_bench_new(profile);

    put_server_in_time_wait(b, options);
    return b;
}

/* How much longer the entry lives. */
static SimTime
time_left(TcpBench *b)
{
    SimTime began = sim_now(b->sim);

    while (tcp_bench_state(b) == TCP_TIME_WAIT && sim_step(b->sim))
        continue;
    return sim_now(b->sim) - began;
}

static void
lasts_60_s_on_linux_and_2_msl_of_the_rfc(void)
{
    g_autoptr(TcpBench) a = server_in_time_wait(TCP_PROFILE_LINUX, 0);
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_RFC, 0);

    g_assert_cmpint(time_left(a), ==, 20 * SIM_SEC);
    g_assert_cmpint(time_left(b), ==, 200 * SIM_SEC);
}

static void
repeated_fin_is_acknowledged_and_restarts_it(void)
{
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);

    for (unsigned i = 0; i < 3; i++) { /* a FIN is no matter for the rate limit */
        tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2));
        tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    }
    g_assert_cmpint(time_left(b), ==, 60 * SIM_SEC);
}

static void
bare_ack_restarts_it_without_an_answer(void)
{
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);

    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    tcp_bench_expect_silence(b);
    g_assert_cmpint(time_left(b), ==, 60 * SIM_SEC);
}

static void
data_and_syn_ack_are_acknowledged_and_restart_it(void)
{
    static const uint16_t flags[] = { TCP_ACK | TCP_PSH, TCP_SYN | TCP_ACK };

    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);

        tcp_bench_deliver(b, SEG(.flags = flags[i], .seq = 2, .ack = 2, .len = i == 0 ? 10 : 0));
        tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
        g_assert_cmpint(time_left(b), ==, 60 * SIM_SEC);
    }
}

static void
exact_rst_assassinates_unless_rfc1337(void)
{
    g_autoptr(TcpBench) a = server_in_time_wait(TCP_PROFILE_LINUX, 0);
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);

    tcp_bench_deliver(a, SEG(.flags = TCP_RST, .seq = 2));
    g_assert_cmpint(time_left(a), ==, 0);
    tcp_bench_set(b, "net.ipv4.tcp_rfc1337", "1");
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 2));
    g_assert_cmpint(time_left(b), ==, 20 * SIM_SEC);
}

static void
other_rsts_change_nothing(void)
{
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);

    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 3));
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 1));
    tcp_bench_expect_silence(b);
    g_assert_cmpint(time_left(b), ==, 20 * SIM_SEC);
}

static void
counterfactual_no_rst_check_takes_any_rst(void)
{
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);

    tcp_bench_set(b, "counterfactual.no_rst_check", "1");
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 12345));
    g_assert_cmpint(time_left(b), ==, 0);
}

/* ---- a SYN for an entry -------------------------------------------------------- */

static void
syn_with_a_higher_number_opens_a_new_incarnation(void)
{
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);
    uint32_t old_iss = b->iss;

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 3));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 4));
    g_assert_cmpuint(b->iss - old_iss, ==, 2 + 65537); /* beyond all of the old one */
    tcp_bench_expect_state(b, TCP_SYN_RECEIVED);
}

static void
syn_without_a_higher_number_is_only_acknowledged(void)
{
    static const uint32_t seqs[] = { 2, 1, (uint32_t)-5000 };

    for (size_t i = 0; i < G_N_ELEMENTS(seqs); i++) {
        g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);

        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = seqs[i]));
        tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
        g_assert_cmpint(time_left(b), ==, 20 * SIM_SEC); /* nor does it live longer */
    }
}

static void
syn_with_a_newer_timestamp_opens_whatever_its_number(void)
{
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, TS);

    tcp_bench_deliver(b,
                      SEG(.flags = TCP_SYN, .seq = (uint32_t)-5000, .options = TS, .tsval = 1021));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = (uint32_t)-4999));
}

static void
syn_with_an_older_timestamp_is_acknowledged_and_restarts_it(void)
{
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, TS);

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 5000, .options = TS, .tsval = 900));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    g_assert_cmpuint(b->host->mib[MIB_TcpExtPAWSTimewait], ==, 1);
    g_assert_cmpint(time_left(b), ==, 60 * SIM_SEC);
}

/* tcp_tw_recycle, gone since Linux 4.12: another socket at the same address, maybe
 * another host behind its NAT, whose clock is behind. */
static void
counterfactual_paws_by_address_refuses_a_neighbour_with_an_older_clock(void)
{
    for (int on = 0; on <= 1; on++) {
        g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

        tcp_bench_set(b, "counterfactual.paws_by_address", on ? "1" : "0");
        put_server_in_time_wait(b, TS);
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .options = TS, .tsval = 500, .peer_port = 4000));
        if (on)
            tcp_bench_expect_silence(b);
        else
            tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
        g_assert_cmpuint(b->host->mib[MIB_TcpExtPAWSPassive], ==, on);
        tcp_bench_run(b, 61 * SIM_SEC); /* it is remembered for a minute */
        tcp_bench_skip(b);
        tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .options = TS, .tsval = 500, .peer_port = 4001));
        tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    }
}

static void
syn_is_acknowledged_when_nobody_listens_any_more(void)
{
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);

    g_assert_cmpint(sock_close(b->listener), ==, 0);
    b->listener = NULL;
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 3));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    tcp_bench_expect_state(b, TCP_TIME_WAIT);
}

static void
answers_to_bare_segments_are_rate_limited(void)
{
    g_autoptr(TcpBench) b = server_in_time_wait(TCP_PROFILE_LINUX, 0);

    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 1));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    tcp_bench_run(b, 499 * SIM_MS);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 1));
    tcp_bench_expect_silence(b);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPACKSkippedTimeWait], ==, 1);
    tcp_bench_run(b, 1 * SIM_MS);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 1));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
}

/* ---- how many, and none ------------------------------------------------------------ */

static void
above_max_tw_buckets_connections_close_without(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_max_tw_buckets", "0");
    tcp_bench_enter(b, TCP_FIN_WAIT_1);
    /* Not even an orphan's FIN-WAIT-2: the peer's later FIN meets CLOSED. */
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect_state(b, TCP_CLOSED);
    g_assert_cmpuint(b->host->mib[MIB_TcpExtTCPTimeWaitOverflow], ==, 1);
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 2));
}

static void
counterfactual_no_time_wait_answers_a_repeated_fin_with_rst(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "counterfactual.no_time_wait", "1");
    tcp_bench_enter(b, TCP_FIN_WAIT_2);
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    tcp_bench_expect_state(b, TCP_CLOSED);
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 2));
}

/* ---- an orphan in FIN-WAIT-2 --------------------------------------------------------- */

static void
orphan_fin_wait_2_lasts_fin_timeout(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_fin_timeout", "5");
    tcp_bench_enter(b, TCP_FIN_WAIT_2);
    tcp_bench_run(b, 5 * SIM_SEC - 1);
    tcp_bench_expect_state(b, TCP_FIN_WAIT_2);
    tcp_bench_run(b, 1);
    tcp_bench_expect_state(b, TCP_CLOSED);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 2, .len = 5));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 2));
}

static void
orphan_fin_wait_2_of_the_rfc_waits_for_ever(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_RFC, TCP_FIN_WAIT_2);

    tcp_bench_run(b, 24 * 3600 * SIM_SEC);
    tcp_bench_expect_state(b, TCP_FIN_WAIT_2);
}

static void
fin_for_an_orphan_begins_a_whole_time_wait(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_FIN_WAIT_2);

    tcp_bench_run(b, 10 * SIM_SEC);
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 2, .ack = 2));
    g_assert_cmpint(time_left(b), ==, 60 * SIM_SEC);
}

static void
data_for_an_orphan_gets_rst(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_FIN_WAIT_2);

    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 2, .len = 5));
    tcp_bench_expect(b, SEG(.flags = TCP_RST, .seq = 2));
    tcp_bench_expect_state(b, TCP_CLOSED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/timewait/" #name, name)
    CLAIM(lasts_60_s_on_linux_and_2_msl_of_the_rfc);
    CLAIM(repeated_fin_is_acknowledged_and_restarts_it);
    CLAIM(bare_ack_restarts_it_without_an_answer);
    CLAIM(data_and_syn_ack_are_acknowledged_and_restart_it);
    CLAIM(exact_rst_assassinates_unless_rfc1337);
    CLAIM(other_rsts_change_nothing);
    CLAIM(counterfactual_no_rst_check_takes_any_rst);
    CLAIM(syn_with_a_higher_number_opens_a_new_incarnation);
    CLAIM(syn_without_a_higher_number_is_only_acknowledged);
    CLAIM(syn_with_a_newer_timestamp_opens_whatever_its_number);
    CLAIM(syn_with_an_older_timestamp_is_acknowledged_and_restarts_it);
    CLAIM(counterfactual_paws_by_address_refuses_a_neighbour_with_an_older_clock);
    CLAIM(syn_is_acknowledged_when_nobody_listens_any_more);
    CLAIM(answers_to_bare_segments_are_rate_limited);
    CLAIM(above_max_tw_buckets_connections_close_without);
    CLAIM(counterfactual_no_time_wait_answers_a_repeated_fin_with_rst);
    CLAIM(orphan_fin_wait_2_lasts_fin_timeout);
    CLAIM(orphan_fin_wait_2_of_the_rfc_waits_for_ever);
    CLAIM(fin_for_an_orphan_begins_a_whole_time_wait);
    CLAIM(data_for_an_orphan_gets_rst);
    return g_test_run();
}
