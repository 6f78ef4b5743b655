/* Every state of TCP meets every kind of segment, for both profiles: the table
 * in tests/tcp/states/, which is also the page docs/state-by-segment.md.
 * One test a profile and a situation; it names every cell that is not so. */
#include "tests/support/state_words.h"
#include "tests/support/witness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PEER_ISS  500000u /* the bench's */
#define TS_RECENT 1000000 /* ms: old is 10 s below, late and new a tenth of a second off */

/* ---- Counters -------------------------------------------------------------------------- */

/* Those that tell cells apart; OutRsts is what the replies say. */
static const MibCounter telling[] = {
    MIB_TcpPassiveOpens,
    MIB_TcpExtTCPAbortOnData,
    MIB_TcpExtTW,
    MIB_TcpExtTCPChallengeACK,
    MIB_TcpExtTCPSYNChallenge,
    MIB_TcpExtEmbryonicRsts,
    MIB_TcpAttemptFails,
    MIB_TcpEstabResets,
    MIB_TcpExtPAWSActive,
    MIB_TcpExtPAWSEstab,
    MIB_TcpExtPAWSOldAck,
    MIB_TcpExtPAWSTimewait,
    MIB_TcpExtTSEcrRejected,
    MIB_TcpExtTCPOFOQueue,
    MIB_TcpExtDelayedACKLost,
    MIB_TcpExtBeyondWindow,
    MIB_TcpExtTCPACKSkippedSynRecv,
    MIB_TcpExtTCPACKSkippedPAWS,
    MIB_TcpExtTCPACKSkippedSeq,
    MIB_TcpExtTCPACKSkippedFinWait2,
    MIB_TcpExtTCPACKSkippedTimeWait,
    MIB_TcpExtTCPACKSkippedChallenge,
    MIB_TcpExtListenDrops,
    MIB_TcpExtListenOverflows,
};

static void
counters_take(const TcpBench *b, uint64_t *values)
{
    for (size_t i = 0; i < G_N_ELEMENTS(telling); i++)
        values[i] = b->host->mib[telling[i]];
}

static char *
counters_since(const TcpBench *b, const uint64_t *before)
{
    GString *text = g_string_new("");

    for (size_t i = 0; i < G_N_ELEMENTS(telling); i++) {
        const char *name = mib_name(telling[i]);
        uint64_t n = b->host->mib[telling[i]] - before[i];

        name += g_str_has_prefix(name, "TcpExt") ? strlen("TcpExt") : strlen("Tcp");
        if (n > 0)
            g_string_append_printf(text, "%s%s%s", text->len > 0 ? " " : "", name,
                                   n > 1 ? " more than once" : "");
    }
    return g_string_free(text, FALSE);
}

/* ---- The situations ---------------------------------------------------------------------- */

static void
accept_now(TcpBench *b)
{
    int error;

    g_assert_nonnull(b->sock = sock_accept(b->listener, &error));
}

/* As the side that closed first, with a listener for who comes next. */
static void
enter_time_wait(TcpBench *b)
{
    tcp_bench_listen(b, 8);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    accept_now(b);
    g_assert_cmpint(sock_close(b->sock), ==, 0);
    b->sock = NULL;
    tcp_bench_run(b, 0);
    tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2));
    tcp_bench_run(b, 10 * SIM_SEC); /* so that a wait begun anew is seen */
}

static void
enter_by_connect(TcpBench *b, Situation situation)
{
    bool shuts_first = situation == AT_FIN_WAIT_1 || situation == AT_FIN_WAIT_2 ||
                       situation == AT_CLOSING || situation == AT_FIN_WAIT_1_CLOSED ||
                       situation == AT_FIN_WAIT_2_CLOSED;
    bool is_closed = situation == AT_FIN_WAIT_1_CLOSED || situation == AT_FIN_WAIT_2_CLOSED;

    tcp_bench_connect(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1));
    if (is_closed) {
        g_assert_cmpint(sock_close(b->sock), ==, 0);
        b->sock = NULL;
    } else if (shuts_first) {
        g_assert_cmpint(sock_shutdown(b->sock, TCP_SHUT_WR), ==, 0);
    }
    tcp_bench_run(b, 0);
    if (situation == AT_FIN_WAIT_2 || situation == AT_FIN_WAIT_2_CLOSED)
        tcp_bench_deliver(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
    if (situation == AT_CLOSE_WAIT || situation == AT_CLOSING || situation == AT_LAST_ACK)
        tcp_bench_deliver(b, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1));
    if (situation == AT_LAST_ACK)
        g_assert_cmpint(sock_shutdown(b->sock, TCP_SHUT_WR), ==, 0);
    if (situation == AT_CLOSE_WAIT)
        tcp_bench_run(b, 250 * SIM_MS); /* its ACK may be delayed */
    tcp_bench_run(b, 0);
}

static void
enter(TcpBench *b, Situation situation)
{
    switch (situation) {
    case AT_CLOSED:
        break;
    case AT_LISTEN:
    case AT_SYN_RECEIVED:
        tcp_bench_listen(b, 8);
        if (situation == AT_SYN_RECEIVED)
            tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
        break;
    case AT_SYN_SENT:
    case AT_SYN_RECEIVED_BOTH:
        tcp_bench_connect(b);
        if (situation == AT_SYN_RECEIVED_BOTH)
            tcp_bench_deliver(b, SEG(.flags = TCP_SYN));
        break;
    case AT_TIME_WAIT:
        enter_time_wait(b);
        break;
    case AT_ESTABLISHED:
    case AT_FIN_WAIT_1:
    case AT_FIN_WAIT_2:
    case AT_CLOSE_WAIT:
    case AT_CLOSING:
    case AT_LAST_ACK:
    case AT_FIN_WAIT_1_CLOSED:
    case AT_FIN_WAIT_2_CLOSED:
        enter_by_connect(b, situation);
        break;
    case N_SITUATIONS:
        break;
    }
    g_assert_cmpstr(tcp_state_name(tcp_bench_state(b)), ==, state_situations[situation].state);
    tcp_bench_skip(b);
}

/* ---- The user ---------------------------------------------------------------------------- */

static const char *
error_word(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "ECONNREFUSED";
    case ECONNRESET:
        return "ECONNRESET";
    case EPIPE:
        return "EPIPE";
    }
    return g_strerror(error);
}

static void
add_word(GString *text, const char *word)
{
    g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", word);
}

/* What the user finds now; `had_eof`: that was no news. */
static char *
user_sees(TcpBench *b, Situation situation, bool had_eof)
{
    GString *text = g_string_new("");
    Endpoint peer = { ip_addr_v4(0x0a000002), 2000 };
    int error;
    int64_t got;

    if (b->listener != NULL && situation != AT_TIME_WAIT) {
        b->sock = sock_accept(b->listener, &error);
        if (b->sock != NULL)
            add_word(text, "accepted");
    }
    if (b->sock == NULL)
        return g_string_free(text, FALSE);
    error = sock_take_error(b->sock);
    if (error != 0)
        add_word(text, error_word(error));
    else if ((situation == AT_SYN_SENT || situation == AT_SYN_RECEIVED_BOTH) &&
             sock_connect(b->sock, peer) == 0)
        add_word(text, "connected");
    got = sock_recv(b->sock, NULL, 10000, 0, NULL);
    if (got > 0) {
        g_autofree char *bytes = g_strdup_printf("%" G_GINT64_FORMAT " bytes", got);
        add_word(text, bytes);
        got = sock_recv(b->sock, NULL, 10000, 0, NULL);
    }
    if (got == 0 && error == 0 && !had_eof)
        add_word(text, "EOF");
    return g_string_free(text, FALSE);
}

/* ---- One cell ---------------------------------------------------------------------------- */

typedef struct CellRun {
    TcpBench *bench;
    Situation situation;
    Seg cause;
    uint32_t iss; /* before the segment came */
    Witness *witness;
    GString *wrong;
} CellRun;

static bool
is_reply(const CellRun *run, const Packet *packet, Seg want)
{
    bool is_absolute = want.flags == (TCP_RST | TCP_ACK);

    bool is_first = run->situation == AT_LISTEN && want.flags & TCP_SYN; /* any ISN will do */

    return packet->tcp.flags == want.flags && packet->payload.len == want.len &&
           (is_first || packet->tcp.seq - (is_absolute ? 0 : run->iss) == want.seq) &&
           (!(want.flags & TCP_ACK) || packet->tcp.ack - PEER_ISS == want.ack);
}

static void
check_reply(CellRun *run, const char *text)
{
    Packet *packet = g_queue_pop_head(run->bench->sent);

    if (packet == NULL) {
        g_string_append_printf(run->wrong, "\n#     expected \"%s\", found silence", text);
        return;
    }
    run->witness->replies++;
    witness_note(run->witness, "packet", text, packet->why);
    if (!is_reply(run, packet, state_parse_reply(text, run->situation, &run->cause))) {
        g_autofree char *found = packet_describe(packet, run->iss, PEER_ISS);
        g_string_append_printf(run->wrong, "\n#     expected \"%s\", found %s", text, found);
    }
    packet_free(&run->bench->net->packets, packet);
}

/* The replies that are due at once, or later. */
static void
check_replies(CellRun *run, const char *replies, bool later)
{
    g_auto(GStrv) texts = g_strsplit(replies, "; ", 0);
    Packet *more;

    for (char **text = texts; *text != NULL; text++)
        if (g_str_has_prefix(*text, "later ") == later)
            check_reply(run, *text + (later ? strlen("later ") : 0));
    more = g_queue_peek_head(run->bench->sent);
    if (more != NULL) {
        g_autofree char *found = packet_describe(more, run->iss, PEER_ISS);
        g_string_append_printf(run->wrong, "\n#     expected no more, found %s %s",
                               later ? "later" : "at once", found);
        witness_note(run->witness, "packet", "unexpected", more->why);
        tcp_bench_skip(run->bench);
    }
}

static void
check_text(CellRun *run, const char *what, const char *found, const char *expected)
{
    if (strcmp(found, expected) != 0)
        g_string_append_printf(run->wrong, "\n#     %s: expected \"%s\", found \"%s\"", what,
                               expected, found);
}

/* As the bench names it: behind TIME-WAIT there is the listener. */
static const char *
bench_state_after(const CellRun *run, const StateOutcome *want)
{
    if (run->situation == AT_TIME_WAIT && want->next == TO_CLOSED)
        return "LISTEN";
    return state_next_name(want->next, run->situation);
}

/* How long TIME-WAIT still lasts. */
static void
check_time_left(CellRun *run, NextState next, SimTime since)
{
    TcpBench *b = run->bench;
    SimTime life = (SimTime)tcp_params(b->host)->timewait_ms * SIM_MS, lasted;

    while (tcp_bench_state(b) == TCP_TIME_WAIT && sim_step(b->sim))
        continue;
    lasted = sim_now(b->sim) - since;
    if (lasted != (next == STAYS_ANEW ? life : life - 10 * SIM_SEC))
        g_string_append_printf(run->wrong, "\n#     2MSL: expected it %s, found %.3f s left",
                               next == STAYS_ANEW ? "anew" : "to go on", (double)lasted / SIM_SEC);
}

static void
check_rule(CellRun *run, const StateOutcome *want)
{
    const Witness *witness = run->witness;
    GString *found;

    if (want->is_taken) {
        if (witness->drops + witness->replies + witness->transitions > 0)
            g_string_append(run->wrong, "\n#     expected no record at all");
        return;
    }
    if (witness_has_rule(witness, want->rule))
        return;
    found = g_string_new("");
    for (guint i = 0; i < witness->rules->len; i++)
        g_string_append_printf(found, " \"%s\"",
                               (const char *)g_ptr_array_index(witness->rules, i));
    g_string_append_printf(run->wrong, "\n#     rule: expected \"%s\", found%s", want->rule,
                           found->len > 0 ? found->str : " none");
    g_string_free(found, TRUE);
}

static void
set_stamp(TcpBench *b, StateSeg *arrives)
{
    static const int32_t off[] = {
        [STAMP_OLD] = -10000, [STAMP_LATE] = -100, [STAMP_NEW] = 100, [STAMP_ECHO] = 0
    };

    b->peer_tsval = 0;
    if (!arrives->has_stamp || arrives->stamp == STAMP_NONE)
        return;
    arrives->seg.options = TCPOPT_HAS_TS;
    arrives->seg.tsval = TS_RECENT + (uint32_t)off[arrives->stamp];
    arrives->seg.tsecr = arrives->stamp == STAMP_ECHO ? 12345 : 0;
}

/* Everything that the cell says of this segment, here, now. */
static void
check_cell(CellRun *run, const StateOutcome *want, StateSeg arrives)
{
    TcpBench *b = run->bench;
    uint64_t before[G_N_ELEMENTS(telling)];
    bool had_eof = false;
    SimTime now = sim_now(b->sim);

    if (b->sock != NULL)
        had_eof = sock_recv(b->sock, NULL, 1, 0, NULL) == 0;
    counters_take(b, before);
    set_stamp(b, &arrives);
    run->cause = arrives.seg;
    run->iss = b->iss;
    tcp_bench_deliver(b, arrives.seg);
    check_replies(run, want->reply, false);
    check_text(run, "state", tcp_state_name(tcp_bench_state(b)), bench_state_after(run, want));
    /* A delayed ACK comes by then, a retransmission of ours does not. */
    tcp_bench_run(b, tcp_params(b->host)->delack_min_ms * SIM_MS + 60 * SIM_MS);
    check_replies(run, want->reply, true);

    g_autofree char *counters = counters_since(b, before);
    check_text(run, "counters", counters, want->counters);
    g_autofree char *user = user_sees(b, run->situation, had_eof);
    check_text(run, "user", user, want->user);
    check_rule(run, want);
    if (run->situation == AT_TIME_WAIT && (want->next == STAYS || want->next == STAYS_ANEW))
        check_time_left(run, want->next, now);
}

/* What is wrong with the cell: "" if nothing. `nameless` gets what named no rule. */
static char *
run_cell(Situation situation, unsigned segment, int profile, GString *nameless)
{
    const StateOutcome *want = state_outcome(situation, segment, profile);
    StateSeg arrives = state_parse_segment(state_segments[segment].text, situation);
    g_autoptr(TcpBench) b =
        tcp_bench_new(profile == STATE_LINUX ? TCP_PROFILE_LINUX : TCP_PROFILE_RFC);
    CellRun run = { .bench = b, .situation = situation, .wrong = g_string_new("") };

    tcp_bench_set(b, "net.ipv4.tcp_early_retrans", "0"); /* no probe within the time watched */
    b->peer_tsval = arrives.has_stamp && arrives.stamp != STAMP_ECHO ? TS_RECENT : 0;
    enter(b, situation);
    g_autoptr(Witness) witness = witness_new(b->host);
    run.witness = witness;
    check_cell(&run, want, arrives);
    g_string_append(nameless, witness->nameless->str);
    return g_string_free(run.wrong, FALSE);
}

/* ---- The tests ----------------------------------------------------------------------------- */

static void
situation_answers_each_segment_as_the_table_says(gconstpointer data)
{
    g_autoptr(GString) nameless = g_string_new("");
    unsigned which = GPOINTER_TO_UINT(data), wrong = 0, cells = 0;
    Situation situation = which / 2;
    int profile = (int)(which % 2);

    for (unsigned i = 0; i < state_n_segments; i++) {
        if (state_outcome(situation, i, profile) == NULL)
            continue;
        g_autofree char *text = run_cell(situation, i, profile, nameless);
        cells++;
        if (*text != '\0') {
            fprintf(stderr, "#   %s, %s (%s):%s\n", state_situations[situation].state,
                    state_segments[i].words, state_segments[i].text, text);
            wrong++;
        }
    }
    g_assert_cmpuint(cells, >, 0);
    if (wrong > 0)
        g_test_fail();
}

/* The why-log: over the whole table, whatever is sent, dropped or changes its
 * state says by which rule. */
static void
every_reply_drop_and_transition_names_its_rule(void)
{
    g_autoptr(GString) nameless = g_string_new("");

    for (unsigned at = 0; at < 2 * N_SITUATIONS; at++)
        for (unsigned i = 0; i < state_n_segments; i++)
            if (state_outcome(at / 2, i, at % 2) != NULL)
                g_free(run_cell(at / 2, i, at % 2, nameless));
    g_assert_cmpstr(nameless->str, ==, "");
}

/* A cell may be left out only where the segment has no meaning of its own: the
 * table names those, and all of its situations are there. */
static void
table_has_no_cell_twice_and_no_situation_without_a_kind(void)
{
    static const char *const kinds[] = { "SYN ", "SYN,ACK", "ACK ", "PSH,ACK", "FIN", "RST" };

    for (size_t i = 0; i < state_n_cells; i++)
        for (size_t k = i + 1; k < state_n_cells; k++)
            if (state_cells[i].segment == state_cells[k].segment)
                g_assert_cmphex(state_cells[i].where & state_cells[k].where, ==, 0);
    for (Situation at = AT_CLOSED; at <= AT_TIME_WAIT; at++)
        for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
            unsigned n = 0;

            for (unsigned i = 0; i < state_n_segments; i++)
                n += state_outcome(at, i, STATE_LINUX) != NULL &&
                     g_str_has_prefix(state_segments[i].text, kinds[kind]);
            if (n == 0)
                g_error("%s meets no \"%s\"", state_situations[at].state, kinds[kind]);
        }
}

int
main(int argc, char **argv)
{
    static const char *const profiles[] = { "linux", "rfc" };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < 2 * N_SITUATIONS; i++) {
        const StateSituation *at = &state_situations[i / 2];
        g_autofree char *path = g_strdup_printf("/tcp/states/%s/%s%s", profiles[i % 2], at->state,
                                                i / 2 == AT_SYN_RECEIVED_BOTH   ? " by both"
                                                : i / 2 >= AT_FIN_WAIT_1_CLOSED ? " closed"
                                                                                : "");

        g_test_add_data_func(path, GUINT_TO_POINTER(i),
                             situation_answers_each_segment_as_the_table_says);
    }
    g_test_add_func("/tcp/states/every_reply_drop_and_transition_names_its_rule",
                    every_reply_drop_and_transition_names_its_rule);
    g_test_add_func("/tcp/states/table_has_no_cell_twice_and_no_situation_without_a_kind",
                    table_has_no_cell_twice_and_no_situation_without_a_kind);
    return g_test_run();
}
