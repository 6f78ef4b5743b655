/* The ladder, against ladders drawn by hand. */
#include <errno.h>
#include <string.h>

#include "scenarios/runtime/ladder/ladder.h"
#include "tests/support/story.h"

#define SEG(...) story_segment(s, (StorySegment){ __VA_ARGS__ })

static char *
ladder_of(Story *s, bool utf8)
{
    LadderOptions options = { .width = 100, .max_packets = 60, .utf8 = utf8 };

    return ladder_draw(story_recorder(s), &options);
}

static void
lost_final_ack_is_drawn_as_by_hand(void)
{
    g_autoptr(Story) s = story_new(NULL);
    static const char expected[] =
        "    seconds            client                                                    server\n"
        "                      10.0.0.1                                                  10.0.0.2\n"
        "   0.000000               │                                                listen() │ "
        "LISTEN\n"
        "                 SYN-SENT │━━━━━━━━━━━━━ SYN seq 0 win 64240 mss 1460 ━━━━━━━━━━━━━▶│ "
        "SYN-RECEIVED\n"
        "   0.010000   ESTABLISHED │◀━━━━━━━ SYN+ACK seq 0 ack 1 win 64240 mss 1460 ━━━━━━━━━│\n"
        "   0.020000               │─────────────── ACK seq 1 ack 1 win 64240 ──────────────▶│ "
        "ESTABLISHED\n"
        "   0.050000               │────────── PSH+ACK seq 1 ack 1 len 3 win 64240 ─────────▶│\n"
        "   0.060000               │◀───────── PSH+ACK seq 1 ack 4 len 5 win 64240 ──────────│\n"
        "   0.070000               │─────────────── ACK seq 4 ack 6 win 64240 ──────────────▶│\n"
        "   0.100000    FIN-WAIT-1 │━━━━━━━━━━━━━ FIN+ACK seq 4 ack 6 win 64240 ━━━━━━━━━━━━▶│ "
        "CLOSE-WAIT\n"
        "   0.110000    FIN-WAIT-2 │◀────────────── ACK seq 6 ack 5 win 64240 ───────────────│\n"
        "   0.150000     TIME-WAIT │◀━━━━━━━━━━━━ FIN+ACK seq 6 ack 5 win 64240 ━━━━━━━━━━━━━│ "
        "LAST-ACK\n"
        "   0.160000               │──── ACK seq 5 ack 7 win 64240 ───✗ lost: scripted drop  │\n"
        "   0.370000               │◀━━━ FIN+ACK seq 6 ack 5 win 64240 (retransmission) ━━━━━│\n"
        "   0.380000               │─────────────── ACK seq 5 ack 7 win 64240 ──────────────▶│ "
        "CLOSED\n"
        "          ⋮     TIME-WAIT ┊                       ⋯ 59.99 s ⋯                       ┊\n"
        "  60.380000        CLOSED │ 2MSL                                                    │\n"
        "12 packets, 1 lost, 1 retransmitted\n";
    char *drawn;

    story_tell_lost_final_ack(s);
    story_run(s, 70);
    drawn = ladder_of(s, true);
    g_assert_cmpstr(drawn, ==, expected);
    g_free(drawn);
}

static void
no_line_is_wider_than_100_columns_nor_outside_ascii(void)
{
    g_autoptr(Story) s = story_new(NULL);
    char **lines;
    char *drawn;

    story_tell_lost_final_ack(s);
    story_run(s, 70);
    drawn = ladder_of(s, false);
    lines = g_strsplit(drawn, "\n", -1);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        g_assert_cmpuint(strlen(lines[i]), <=, 100);
        g_assert_true(g_str_is_ascii(lines[i]));
    }
    g_strfreev(lines);
    g_free(drawn);
}

static unsigned
lines_with(const char *text, const char *what)
{
    char **lines = g_strsplit(text, "\n", -1);
    unsigned n = 0;

    for (unsigned i = 0; lines[i] != NULL; i++)
        n += strstr(lines[i], what) != NULL;
    g_strfreev(lines);
    return n;
}

static void
crossing_fins_leave_and_arrive_on_rows_of_their_own(void)
{
    g_autoptr(Story) s = story_new(NULL);
    char *drawn;

    SEG(.at = 0, .flags = TCP_SYN);
    SEG(.at = 0.01, .from = STORY_SERVER, .flags = TCP_SYN | TCP_ACK, .ack = 1);
    SEG(.at = 1, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1);
    SEG(.at = 1.002, .from = STORY_SERVER, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1);
    story_run(s, 2);
    drawn = ladder_of(s, true);
    g_assert_cmpuint(lines_with(drawn, "FIN+ACK"), ==, 3);
    g_assert_cmpuint(lines_with(drawn, "①"), ==, 2);
    g_free(drawn);
}

/* At 60 columns the part that leaves has no room for "FIN+ACK". */
static void
arrow_that_leaves_says_what_it_is_even_without_room(void)
{
    g_autoptr(Story) s = story_new(NULL);
    LadderOptions options = { .width = 60, .max_packets = 60, .utf8 = true };
    char *drawn;

    SEG(.at = 1, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1);
    SEG(.at = 1.002, .from = STORY_SERVER, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1);
    story_run(s, 2);
    drawn = ladder_draw(story_recorder(s), &options);
    g_assert_cmpuint(lines_with(drawn, "│ ① FIN+ACK "), ==, 1);
    g_free(drawn);
}

static void
long_rule_goes_on_in_the_next_row(void)
{
    g_autoptr(Story) s = story_new(NULL);
    LadderOptions options = { .width = 60, .max_packets = 60, .utf8 = true, .why = true };
    char *drawn;

    story_state(s, 0.5, STORY_CLIENT, TCP_ESTABLISHED, TCP_CLOSED, "user", "a user who gave up");
    SEG(.at = 1, .flags = TCP_RST, .seq = 1);
    story_run(s, 2);
    drawn = ladder_draw(story_recorder(s), &options);
    g_assert_cmpuint(lines_with(drawn, "╰ CLOSED by a"), ==, 1);
    g_assert_cmpuint(lines_with(drawn, "│ user who gave "), ==, 1);
    g_assert_cmpuint(lines_with(drawn, "up: RFC 9293 "), ==, 1);
    g_assert_cmpuint(lines_with(drawn, "│ §3.10 "), ==, 1);
    g_free(drawn);
}

static void
delayed_packet_arrives_where_it_arrives(void)
{
    g_autoptr(Story) s = story_new(NULL);
    char *drawn;

    SEG(.at = 0, .flags = TCP_SYN, .fate = FATE_DELAY, .by = 3);
    SEG(.at = 1, .flags = TCP_SYN);
    story_run(s, 5);
    drawn = ladder_of(s, true);
    g_assert_cmpuint(lines_with(drawn, "delayed 3.00 s"), ==, 1);
    g_assert_cmpuint(lines_with(drawn, "3.010000"), ==, 1);
    g_free(drawn);
}

static void
call_that_failed_has_a_row_and_one_that_did_not_has_none(void)
{
    g_autoptr(Story) s = story_new(NULL);
    char *drawn;

    SEG(.at = 1, .flags = TCP_SYN);
    story_call(s, 1.5, STORY_CLIENT, "send", 1.5, 100);
    story_call(s, 2, STORY_CLIENT, "connect", 2, -EADDRNOTAVAIL);
    story_call(s, 4, STORY_SERVER, "recv", 1, -EAGAIN);
    story_run(s, 5);
    drawn = ladder_of(s, true);
    g_assert_cmpuint(lines_with(drawn, "send()"), ==, 0);
    g_assert_cmpuint(lines_with(drawn, "   2.000000               │ ✗ connect(): EADDRNOTAVAIL "),
                     ==, 1);
    g_assert_cmpuint(lines_with(drawn, " ✗ recv(): TIMEOUT after 3.00 s │"), ==, 1);
    g_free(drawn);
}

static void
host_whose_only_call_failed_has_a_ladder(void)
{
    g_autoptr(Story) s = story_new(NULL);
    char *drawn;

    story_call(s, 1, STORY_CLIENT, "connect", 1, -ENETUNREACH);
    story_run(s, 2);
    drawn = ladder_of(s, true);
    g_assert_cmpuint(lines_with(drawn, "✗ connect(): ENETUNREACH"), ==, 1);
    g_assert_cmpuint(lines_with(drawn, "0 packets"), ==, 1);
    g_free(drawn);
}

static void
refusal_names_its_rule_once_when_asked_why(void)
{
    g_autoptr(Story) s = story_new(NULL);
    LadderOptions options = { .width = 100, .max_packets = 60, .utf8 = true, .why = true };
    char *drawn;

    ((Host *)story_net(s)->hosts->pdata[STORY_SERVER])->input = story_refuse;
    SEG(.at = 1, .flags = TCP_RST);
    story_run(s, 2);
    drawn = ladder_draw(story_recorder(s), &options);
    g_assert_cmpuint(lines_with(drawn, "RST in TIME-WAIT"), ==, 1);
    g_assert_cmpuint(lines_with(drawn, "⊘ refused: RST in TIME-WAIT, RFC 1337 §3 │"), ==, 1);
    g_assert_cmpuint(lines_with(drawn, "╰ its answer is rate limited: RFC 1337 §3 │"), ==, 1);
    g_free(drawn);
}

static void
several_connections_are_lettered(void)
{
    g_autoptr(Story) s = story_new(NULL);
    char *drawn;

    SEG(.at = 0, .flags = TCP_SYN, .port = 40000);
    SEG(.at = 0.1, .flags = TCP_SYN, .port = 40001);
    story_run(s, 1);
    drawn = ladder_of(s, true);
    g_assert_cmpuint(lines_with(drawn, "A  10.0.0.1:40000 ↔ 10.0.0.2:80"), ==, 1);
    g_assert_cmpuint(lines_with(drawn, "B SYN seq 0"), ==, 1);
    g_free(drawn);
}

static void
columns_of_the_summary_stand_below_each_other_whatever_the_names(void)
{
    g_autoptr(Story) s = story_new(NULL);
    Host *client = story_net(s)->hosts->pdata[STORY_CLIENT];
    char *drawn, **lines;

    g_free(client->name);
    client->name = g_strdup("a_client_with_a_long_name");
    SEG(.at = 1, .flags = TCP_SYN);
    SEG(.at = 2, .from = STORY_SERVER, .flags = TCP_RST);
    story_run(s, 3);
    drawn = ladder_summary(story_recorder(s), &(LadderOptions){ .width = 100, .utf8 = true });
    lines = g_strsplit(drawn, "\n", -1);
    g_assert_true(g_str_has_prefix(lines[2], "on the links"));
    g_assert_cmpint(g_utf8_strlen(lines[2], -1), <=, 100);
    g_assert_cmpint(g_utf8_strlen(lines[3], -1), ==, g_utf8_strlen(lines[2], -1));
    g_assert_cmpint(g_utf8_strlen(lines[4], -1), ==, g_utf8_strlen(lines[2], -1));
    g_strfreev(lines);
    g_free(drawn);
}

static void
summary_counts_the_calls_that_failed(void)
{
    g_autoptr(Story) s = story_new(NULL);
    char *drawn;

    for (unsigned i = 0; i < 61; i++)
        story_call(s, i, STORY_CLIENT, "connect", i, i < 60 ? -ECONNREFUSED : -EADDRNOTAVAIL);
    story_run(s, 70);
    drawn = ladder_of(s, true);
    g_assert_cmpuint(lines_with(drawn, "client      60 connect(): ECONNREFUSED"), ==, 1);
    g_assert_cmpuint(lines_with(drawn, "client      1 connect(): EADDRNOTAVAIL"), ==, 1);
    g_free(drawn);
}

static void
long_run_gets_a_summary_instead(void)
{
    g_autoptr(Story) s = story_new(NULL);
    char *drawn;

    for (unsigned i = 0; i < 61; i++)
        SEG(.at = i, .flags = TCP_SYN, .port = (uint16_t)(40000 + i));
    story_run(s, 70);
    drawn = ladder_of(s, true);
    g_assert_true(g_str_has_prefix(drawn, "61 packets in 70.00 s\n"));
    g_assert_cmpuint(lines_with(drawn, "client → server"), ==, 1);
    g_free(drawn);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ladder/lost_final_ack_is_drawn_as_by_hand",
                    lost_final_ack_is_drawn_as_by_hand);
    g_test_add_func("/ladder/no_line_is_wider_than_100_columns_nor_outside_ascii",
                    no_line_is_wider_than_100_columns_nor_outside_ascii);
    g_test_add_func("/ladder/crossing_fins_leave_and_arrive_on_rows_of_their_own",
                    crossing_fins_leave_and_arrive_on_rows_of_their_own);
    g_test_add_func("/ladder/arrow_that_leaves_says_what_it_is_even_without_room",
                    arrow_that_leaves_says_what_it_is_even_without_room);
    g_test_add_func("/ladder/long_rule_goes_on_in_the_next_row", long_rule_goes_on_in_the_next_row);
    g_test_add_func("/ladder/delayed_packet_arrives_where_it_arrives",
                    delayed_packet_arrives_where_it_arrives);
    g_test_add_func("/ladder/call_that_failed_has_a_row_and_one_that_did_not_has_none",
                    call_that_failed_has_a_row_and_one_that_did_not_has_none);
    g_test_add_func("/ladder/host_whose_only_call_failed_has_a_ladder",
                    host_whose_only_call_failed_has_a_ladder);
    g_test_add_func("/ladder/refusal_names_its_rule_once_when_asked_why",
                    refusal_names_its_rule_once_when_asked_why);
    g_test_add_func("/ladder/columns_of_the_summary_stand_below_each_other_whatever_the_names",
                    columns_of_the_summary_stand_below_each_other_whatever_the_names);
    g_test_add_func("/ladder/summary_counts_the_calls_that_failed",
                    summary_counts_the_calls_that_failed);
    g_test_add_func("/ladder/several_connections_are_lettered", several_connections_are_lettered);
    g_test_add_func("/ladder/long_run_gets_a_summary_instead", long_run_gets_a_summary_instead);
    return g_test_run();
}
