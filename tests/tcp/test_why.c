/* The why-log: what is sent again, given up, refused or left out says by which
 * rule. What each segment meets in each state is in test_states.c. */
#include "tests/support/sender.h"
#include "tests/support/witness.h"

#define WITHOUT_TLP ((const char *const[]){ "net.ipv4.tcp_early_retrans", "0", NULL })

static Sender *
sender_with(bool sack, const char *const *tunables)
{
    return sender_new((SenderParams){ .mss = 1000, .sack = sack, .tunables = tunables });
}

/* Ten segments leave, the first is lost, three behind it arrive. */
static void
lose_the_first(Sender *s)
{
    sender_write(s, 10000);
    tcp_bench_skip(s->bench);
    sender_run(s, 100 * SIM_MS);
    for (uint32_t i = 2; i <= 4; i++) {
        g_autofree char *sacks = g_strdup_printf("1001:%u", i * 1000 + 1);
        sender_ack(s, 1, s->conn->sack_ok ? sacks : NULL);
    }
}

/* ---- retransmissions ------------------------------------------------------------------- */

/* Three segments that nobody acknowledges. */
static void
unanswered_names(const char *const *tunables, SimTime after, const char *what, const char *rule)
{
    g_autoptr(Sender) s = sender_with(true, tunables);
    g_autoptr(Witness) w = witness_new(s->bench->host);

    sender_write(s, 3000);
    sender_run(s, after);
    witness_expect(w, "retransmit", what, rule);
}

static void
timeout_names_rfc_6298(void)
{
    unanswered_names(WITHOUT_TLP, SIM_SEC, "RTO retransmission", "RFC 6298 §5.4");
}

static void
slow_start_after_a_timeout_names_rfc_5681(void)
{
    g_autoptr(Sender) s = sender_with(true, WITHOUT_TLP);
    g_autoptr(Witness) w = witness_new(s->bench->host);

    sender_write(s, 3000);
    sender_run(s, 400 * SIM_MS);
    sender_ack(s, 1001, NULL);
    witness_expect(w, "retransmit", "slow start retransmission", "RFC 5681 §3.1");
}

static void
tail_loss_probe_names_rfc_8985(void)
{
    unanswered_names(NULL, 250 * SIM_MS, "tail loss probe", "RFC 8985 §7.3");
}

static void
fast_retransmission_names_the_algorithm_that_found_the_loss(void)
{
    static const char *const without_rack[] = { "net.ipv4.tcp_recovery", "0", NULL };
    const struct {
        bool sack;
        const char *const *tunables;
        const char *rule;
    } cases[] = {
        { true, NULL, "RFC 8985 §6" },
        { true, without_rack, "RFC 6675 §5" },
        { false, NULL, "RFC 6582 §3.2" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Sender) s = sender_with(cases[i].sack, cases[i].tunables);
        g_autoptr(Witness) w = witness_new(s->bench->host);

        lose_the_first(s);
        witness_expect(w, "retransmit", "fast retransmission", cases[i].rule);
    }
}

static void
smaller_path_mtu_names_rfc_1191(void)
{
    g_autoptr(Sender) s = sender_with(true, NULL);
    g_autoptr(Witness) w = witness_new(s->bench->host);

    sender_write(s, 3000);
    ip_pmtu_update(s->bench->host, ip_addr_v4(0x0a000002), 600);
    tcp_path_mtu_reduced(s->conn, 600);
    witness_expect(w, "retransmit", "too large for the path, cut anew", "RFC 1191 §6.4");
}

static void
window_probe_names_rfc_9293(void)
{
    g_autoptr(Sender) s = sender_with(true, NULL);
    g_autoptr(Witness) w = witness_new(s->bench->host);

    s->wnd = 0;
    sender_ack(s, 1, NULL);
    sender_write(s, 1000);
    sender_run(s, SIM_SEC);
    witness_expect(w, "retransmit", "window probe", "RFC 9293 §3.8.6.1");
}

/* What is sent again from a state, and the end that it comes to. */
static void
retries_name(TcpState state, SimTime after, const char *what, const char *rule, const char *end,
             const char *end_rule)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, state);
    g_autoptr(Witness) w = witness_new(b->host);

    tcp_bench_run(b, after);
    witness_expect(w, "retransmit", what, rule);
    witness_expect(w, "transition", end, end_rule);
}

static void
syns_name_their_sysctl_and_the_one_that_ends_them(void)
{
    retries_name(TCP_SYN_SENT, 200 * SIM_SEC, "SYN retransmission", "net.ipv4.tcp_syn_retries",
                 "retransmission timeout", "net.ipv4.tcp_syn_retries");
}

static void
syn_acks_name_rfc_9293_and_the_sysctl_that_ends_them(void)
{
    retries_name(TCP_SYN_RECEIVED, 100 * SIM_SEC, "SYN-ACK", "RFC 9293 §3.8.1",
                 "SYN-ACK retries used up", "net.ipv4.tcp_synack_retries");
}

/* ---- endings by time ------------------------------------------------------------------- */

static void
data_that_nobody_answers_names_what_gave_up(void)
{
    const struct {
        int64_t user_timeout_ms;
        const char *rule;
    } cases[] = { { 0, "net.ipv4.tcp_retries2" }, { 3000, "TCP_USER_TIMEOUT" } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);
        g_autoptr(Witness) w = witness_new(b->host);

        sock_set_option(b->sock, TCP_OPT_USER_TIMEOUT, cases[i].user_timeout_ms);
        g_assert_cmpint(sock_send(b->sock, "x", 1, 0), ==, 1);
        tcp_bench_run(b, 2000 * SIM_SEC);
        witness_expect(w, "transition", "retransmission timeout", cases[i].rule);
    }
}

static void
keepalive_names_its_probes_and_its_end(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);
    g_autoptr(Witness) w = witness_new(b->host);

    sock_set_option(b->sock, TCP_OPT_KEEPIDLE, 2);
    sock_set_option(b->sock, TCP_OPT_KEEPINTVL, 1);
    sock_set_option(b->sock, TCP_OPT_KEEPCNT, 3);
    sock_set_option(b->sock, TCP_OPT_KEEPALIVE, 1);
    tcp_bench_run(b, 60 * SIM_SEC);
    witness_expect(w, "retransmit", "keepalive probe", "RFC 9293 §3.8.4");
    witness_expect(w, "transition", "keepalive probes", "net.ipv4.tcp_keepalive_probes");
}

static void
orphans_name_their_sysctl_and_time_wait_its_2msl(void)
{
    g_autoptr(TcpBench) a = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_FIN_WAIT_2);
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_TIME_WAIT);
    g_autoptr(Witness) of_a = witness_new(a->host);
    g_autoptr(Witness) of_b = witness_new(b->host);

    tcp_bench_run(a, 61 * SIM_SEC);
    witness_expect(of_a, "transition", "FIN-WAIT-2 of an orphan", "net.ipv4.tcp_fin_timeout");
    tcp_bench_run(b, 61 * SIM_SEC);
    witness_expect(of_b, "transition", "2MSL", "RFC 9293 §3.10.8");
}

static void
negative_linger2_is_named_as_what_ends_it(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_ESTABLISHED);
    g_autoptr(Witness) w = witness_new(b->host);

    sock_set_option(b->sock, TCP_OPT_LINGER2, -1);
    g_assert_cmpint(sock_close(b->sock), ==, 0);
    b->sock = NULL;
    tcp_bench_run(b, 0);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    witness_expect(w, "reply", "RST", "TCP_LINGER2");
    witness_expect(w, "transition", "ACK of FIN", "TCP_LINGER2");
}

/* ---- what a limit swallows ----------------------------------------------------------------- */

/* In each of the states that limit by themselves: a segment twice. */
static void
answers_that_a_rate_limit_swallows_are_drops_by_its_name(void)
{
    const struct {
        TcpState state;
        Seg seg;
        const char *what;
    } cases[] = {
        { TCP_SYN_RECEIVED,
          { .flags = TCP_ACK, .seq = 100000, .ack = 1 },
          "answer is rate limited" },
        { TCP_ESTABLISHED,
          { .flags = TCP_ACK, .seq = 100000, .ack = 1 },
          "its answer is rate limited" },
        { TCP_ESTABLISHED, { .flags = TCP_SYN, .seq = 10 }, "challenge ACK is rate limited" },
        { TCP_FIN_WAIT_2,
          { .flags = TCP_ACK, .seq = 100000, .ack = 1 },
          "its answer is rate limited" },
        { TCP_TIME_WAIT,
          { .flags = TCP_ACK, .seq = 100000, .ack = 1 },
          "its answer is rate limited" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, cases[i].state);
        g_autoptr(Witness) w = witness_new(b->host);

        tcp_bench_deliver(b, cases[i].seg);
        g_assert_cmpuint(g_queue_get_length(b->sent), ==, 1);
        tcp_bench_deliver(b, cases[i].seg);
        g_assert_cmpuint(g_queue_get_length(b->sent), ==, 1);
        witness_expect(w, "drop", cases[i].what, "net.ipv4.tcp_invalid_ratelimit");
    }
}

static void
host_wide_limit_of_challenges_is_named_too(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_challenge_ack_limit", "1");
    tcp_bench_set(b, "net.ipv4.tcp_invalid_ratelimit", "0");
    tcp_bench_enter(b, TCP_ESTABLISHED);
    g_autoptr(Witness) w = witness_new(b->host);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 10));
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN, .seq = 10));
    witness_expect(w, "drop", "challenge ACK is rate limited", "net.ipv4.tcp_challenge_ack_limit");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CLAIM(name) g_test_add_func("/tcp/why/" #name, name)
    CLAIM(timeout_names_rfc_6298);
    CLAIM(slow_start_after_a_timeout_names_rfc_5681);
    CLAIM(tail_loss_probe_names_rfc_8985);
    CLAIM(fast_retransmission_names_the_algorithm_that_found_the_loss);
    CLAIM(smaller_path_mtu_names_rfc_1191);
    CLAIM(window_probe_names_rfc_9293);
    CLAIM(syns_name_their_sysctl_and_the_one_that_ends_them);
    CLAIM(syn_acks_name_rfc_9293_and_the_sysctl_that_ends_them);
    CLAIM(data_that_nobody_answers_names_what_gave_up);
    CLAIM(keepalive_names_its_probes_and_its_end);
    CLAIM(orphans_name_their_sysctl_and_time_wait_its_2msl);
    CLAIM(negative_linger2_is_named_as_what_ends_it);
    CLAIM(answers_that_a_rate_limit_swallows_are_drops_by_its_name);
    CLAIM(host_wide_limit_of_challenges_is_named_too);
    return g_test_run();
}
