/* The recorder's log: one entry a crossing, its fate, relative numbers, limits. */
#include "tests/support/story.h"

#include <string.h>

#define SEG(...) story_segment(s, (StorySegment){ __VA_ARGS__ })

static Story *
story_kept(uint32_t packets, uint32_t window)
{
    RecorderOptions options = recorder_options_default();

    options.packets = packets;
    options.window = window;
    return story_new(&options);
}

static const TracePacket *
entry(Story *s, size_t index)
{
    g_assert_cmpuint(index, <, recorder_count(story_recorder(s), TRACE_KIND_PACKETS));
    return recorder_packet(story_recorder(s), index);
}

static void
lost_packet_is_one_entry_that_says_where(void)
{
    g_autoptr(Story) s = story_kept(100, 100);
    char story[TRACE_FATE_TEXT];

    SEG(.at = 1, .flags = TCP_SYN, .fate = FATE_DROP);
    story_run(s, 2);
    g_assert_cmpuint(recorder_totals(story_recorder(s))->packets, ==, 1);
    g_assert_cmpuint(recorder_totals(story_recorder(s))->lost, ==, 1);
    g_assert_cmpuint(entry(s, 0)->what & (TRACE_LOST | TRACE_ARRIVED | TRACE_CLOSED), ==,
                     TRACE_LOST | TRACE_CLOSED);
    g_assert_cmpint(entry(s, 0)->ended_at, ==, SIM_SEC);
    g_assert_cmpuint(entry(s, 0)->to, ==, 2);
    g_assert_cmpstr(trace_packet_story(story_recorder(s), entry(s, 0), story), ==,
                    "lost on wire: scripted drop");
}

static void
arrival_is_told_with_its_time_and_place(void)
{
    g_autoptr(Story) s = story_kept(100, 100);

    SEG(.at = 1, .flags = TCP_SYN);
    story_run(s, 2);
    g_assert_cmpint(entry(s, 0)->ended_at, ==, SIM_SEC + 10 * SIM_MS);
    g_assert_cmpstr(trace_packet_fate(entry(s, 0)), ==, "arrived");
    g_assert_cmpuint(entry(s, 0)->what & TRACE_CONSUMED, !=, 0);
    g_assert_cmpuint(entry(s, 0)->from, ==, 1);
    g_assert_cmpuint(entry(s, 0)->to, ==, 2);
}

static void
segment_that_a_stack_drops_is_refused_by_its_first_rule(void)
{
    g_autoptr(Story) s = story_kept(100, 100);
    Host *server = story_net(s)->hosts->pdata[STORY_SERVER];
    char story[TRACE_FATE_TEXT];

    server->input = story_refuse;
    SEG(.at = 1, .flags = TCP_RST);
    story_run(s, 2);
    g_assert_cmpuint(recorder_totals(story_recorder(s))->refused, ==, 1);
    g_assert_cmpstr(trace_packet_fate(entry(s, 0)), ==, "refused");
    g_assert_cmpstr(trace_packet_story(story_recorder(s), entry(s, 0), story), ==,
                    "refused by server: RST in TIME-WAIT");
}

static void
numbers_are_relative_to_the_syn_of_their_side(void)
{
    g_autoptr(Story) s = story_kept(100, 100);

    SEG(.at = 0, .flags = TCP_SYN);
    SEG(.at = 0.01, .from = STORY_SERVER, .flags = TCP_SYN | TCP_ACK, .ack = 1);
    SEG(.at = 0.02, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 100);
    story_run(s, 1);
    g_assert_cmpuint(entry(s, 1)->rel_seq, ==, 0);
    g_assert_cmpuint(entry(s, 1)->rel_ack, ==, 1);
    g_assert_cmpuint(entry(s, 2)->rel_seq, ==, 1);
    g_assert_cmpuint(entry(s, 2)->rel_ack, ==, 1);
    g_assert_cmpuint(entry(s, 2)->seq, !=, 1);
}

static void
answer_to_an_old_syn_is_a_stray(void)
{
    g_autoptr(Story) s = story_kept(100, 100);

    SEG(.at = 0, .flags = TCP_SYN, .seq = 0x40000000); /* an earlier incarnation's */
    SEG(.at = 1, .flags = TCP_SYN, .seq = 0);
    SEG(.at = 1.01, .from = STORY_SERVER, .flags = TCP_SYN | TCP_ACK, .ack = 0x40000001);
    SEG(.at = 2, .flags = TCP_ACK, .seq = 1, .ack = 1);
    story_run(s, 3);
    g_assert_cmpuint(entry(s, 2)->what & TRACE_STRAY, !=, 0);
    g_assert_cmpuint(entry(s, 2)->rel_ack, ==, 1);
    g_assert_cmpuint(entry(s, 3)->what & TRACE_STRAY, ==, 0);
    g_assert_cmpuint(entry(s, 3)->rel_seq, ==, 1);
}

static void
retransmission_is_known_by_its_numbers(void)
{
    g_autoptr(Story) s = story_kept(100, 100);

    SEG(.at = 0, .flags = TCP_SYN);
    SEG(.at = 0.02, .flags = TCP_ACK, .seq = 1, .len = 100);
    SEG(.at = 0.03, .flags = TCP_ACK, .seq = 101, .len = 100);
    SEG(.at = 0.50, .flags = TCP_ACK, .seq = 1, .len = 100);
    SEG(.at = 0.60, .flags = TCP_ACK, .seq = 201); /* carries nothing: repeats nothing */
    story_run(s, 1);
    g_assert_cmpuint(entry(s, 2)->what & TRACE_RETRANSMIT, ==, 0);
    g_assert_cmpuint(entry(s, 3)->what & TRACE_RETRANSMIT, !=, 0);
    g_assert_cmpuint(entry(s, 4)->what & TRACE_RETRANSMIT, ==, 0);
    g_assert_cmpuint(recorder_totals(story_recorder(s))->retransmits, ==, 1);
}

/* Where every connection has the same ISN, a counterfactual, the second one repeats the numbers of
 * the first, and yet nothing. */
static void
new_incarnation_with_the_same_isn_retransmits_nothing(void)
{
    g_autoptr(Story) s = story_kept(100, 100);

    SEG(.at = 0, .flags = TCP_SYN);
    SEG(.at = 0.01, .from = STORY_SERVER, .flags = TCP_SYN | TCP_ACK, .ack = 1);
    SEG(.at = 0.02, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 100);
    SEG(.at = 1.00, .flags = TCP_SYN, .conn = 3);
    SEG(.at = 1.01, .from = STORY_SERVER, .flags = TCP_SYN | TCP_ACK, .ack = 1, .conn = 4);
    SEG(.at = 1.02, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 100, .conn = 3);
    SEG(.at = 1.50, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 100, .conn = 3);
    story_run(s, 2);
    for (unsigned i = 3; i < 6; i++)
        g_assert_cmpuint(entry(s, i)->what & TRACE_RETRANSMIT, ==, 0);
    g_assert_cmpuint(entry(s, 6)->what & TRACE_RETRANSMIT, !=, 0);
    g_assert_cmpuint(entry(s, 5)->rel_seq, ==, 1);
}

static void
numbers_below_the_syn_are_read_as_negative(void)
{
    char text[TRACE_NUMBER_TEXT];

    g_assert_cmpstr(trace_number_text(0, text), ==, "0");
    g_assert_cmpstr(trace_number_text(UINT32_MAX, text), ==, "-1");
    g_assert_cmpstr(trace_number_text((uint32_t)-999, text), ==, "-999");
    g_assert_cmpstr(trace_number_text(3000000000, text), ==,
                    "3000000000"); /* far into a transfer */
}

static void
delayed_packet_is_overtaken_by_the_next(void)
{
    g_autoptr(Story) s = story_kept(100, 100);

    SEG(.at = 0, .flags = TCP_SYN, .fate = FATE_DELAY, .by = 0.3);
    SEG(.at = 0.1, .flags = TCP_RST);
    story_run(s, 1);
    g_assert_cmpuint(entry(s, 0)->what & TRACE_DELAYED, !=, 0);
    g_assert_cmpuint(entry(s, 0)->what & TRACE_OVERTAKEN, !=, 0);
    g_assert_cmpint(entry(s, 0)->extra_ns, ==, 300 * SIM_MS);
    g_assert_cmpint(entry(s, 0)->ended_at, ==, 310 * SIM_MS);
    g_assert_cmpuint(entry(s, 1)->what & TRACE_OVERTAKEN, ==, 0);
}

static void
duplicate_is_an_entry_of_its_own(void)
{
    g_autoptr(Story) s = story_kept(100, 100);

    SEG(.at = 0, .flags = TCP_SYN, .fate = FATE_DUPLICATE);
    story_run(s, 1);
    g_assert_cmpuint(recorder_totals(story_recorder(s))->packets, ==, 2);
    g_assert_cmpuint(recorder_totals(story_recorder(s))->copies, ==, 1);
    g_assert_cmpuint(entry(s, 1)->what & TRACE_COPY, !=, 0);
    g_assert_cmpuint(entry(s, 1)->copy_of, ==, entry(s, 0)->id);
    g_assert_cmpuint(entry(s, 1)->from, ==, 1);
    g_assert_cmpuint(entry(s, 1)->what & TRACE_RETRANSMIT, ==, 0);
}

static void
held_packet_is_neither_lost_nor_arrived(void)
{
    g_autoptr(Story) s = story_kept(100, 100);

    SEG(.at = 0, .flags = TCP_SYN, .fate = FATE_HOLD);
    story_run(s, 1);
    g_assert_cmpstr(trace_packet_fate(entry(s, 0)), ==, "held");
}

static void
flood_beyond_the_limit_is_counted_and_forgotten(void)
{
    g_autoptr(Story) s = story_kept(1024, 256);

    for (unsigned i = 0; i < 5000; i++)
        SEG(.at = i * 0.0001, .flags = TCP_SYN, .port = (uint16_t)(1024 + i));
    story_run(s, 2);
    g_assert_cmpuint(recorder_totals(story_recorder(s))->packets, ==, 5000);
    g_assert_cmpuint(recorder_totals(story_recorder(s))->arrived, ==, 5000);
    g_assert_cmpuint(recorder_count(story_recorder(s), TRACE_KIND_PACKETS), ==, 1024);
    g_assert_false(recorder_is_complete(story_recorder(s), TRACE_KIND_PACKETS));
    g_assert_cmpuint(entry(s, 1023)->src.port, ==, 1024 + 1023);
}

typedef struct Heard {
    SimTime last;
    unsigned n, n_open;
} Heard;

static void
hear(void *arg, const TracePacket *p)
{
    Heard *heard = arg;

    g_assert_cmpint(p->sent_at, >=, heard->last);
    heard->last = p->sent_at;
    heard->n++;
    heard->n_open += !(p->what & TRACE_CLOSED);
}

static void
sink_hears_closed_packets_in_order_of_sending(void)
{
    g_autoptr(Story) s = story_kept(0, 100);
    Heard heard = { 0 };
    TraceSink sink = { .arg = &heard, .on_packet = hear };

    recorder_set_sink(story_recorder(s), &sink);
    SEG(.at = 0, .flags = TCP_SYN, .fate = FATE_DELAY, .by = 0.5);
    for (unsigned i = 0; i < 20; i++)
        SEG(.at = 0.01 + i * 0.01, .flags = TCP_ACK, .seq = 1 + i * 10, .len = 10);
    story_run(s, 2);
    g_assert_cmpuint(heard.n, ==, 21);
    g_assert_cmpuint(heard.n_open, ==, 0);
}

static void
transitions_make_a_connection_known(void)
{
    g_autoptr(Story) s = story_kept(100, 100);

    story_tell_lost_final_ack(s);
    story_run(s, 70);
    g_assert_cmpuint(recorder_count(story_recorder(s), TRACE_KIND_CONNS), ==, 2);
    g_assert_cmpuint(recorder_find_conn(story_recorder(s), 1)->state, ==, TCP_CLOSED);
    g_assert_cmpuint(recorder_find_conn(story_recorder(s), 1)->local.port, ==, 40000);
    g_assert_null(recorder_find_conn(story_recorder(s), 99));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/lost_packet_is_one_entry_that_says_where",
                    lost_packet_is_one_entry_that_says_where);
    g_test_add_func("/trace/arrival_is_told_with_its_time_and_place",
                    arrival_is_told_with_its_time_and_place);
    g_test_add_func("/trace/segment_that_a_stack_drops_is_refused_by_its_first_rule",
                    segment_that_a_stack_drops_is_refused_by_its_first_rule);
    g_test_add_func("/trace/numbers_are_relative_to_the_syn_of_their_side",
                    numbers_are_relative_to_the_syn_of_their_side);
    g_test_add_func("/trace/answer_to_an_old_syn_is_a_stray", answer_to_an_old_syn_is_a_stray);
    g_test_add_func("/trace/retransmission_is_known_by_its_numbers",
                    retransmission_is_known_by_its_numbers);
    g_test_add_func("/trace/numbers_below_the_syn_are_read_as_negative",
                    numbers_below_the_syn_are_read_as_negative);
    g_test_add_func("/trace/new_incarnation_with_the_same_isn_retransmits_nothing",
                    new_incarnation_with_the_same_isn_retransmits_nothing);
    g_test_add_func("/trace/delayed_packet_is_overtaken_by_the_next",
                    delayed_packet_is_overtaken_by_the_next);
    g_test_add_func("/trace/duplicate_is_an_entry_of_its_own", duplicate_is_an_entry_of_its_own);
    g_test_add_func("/trace/held_packet_is_neither_lost_nor_arrived",
                    held_packet_is_neither_lost_nor_arrived);
    g_test_add_func("/trace/flood_beyond_the_limit_is_counted_and_forgotten",
                    flood_beyond_the_limit_is_counted_and_forgotten);
    g_test_add_func("/trace/sink_hears_closed_packets_in_order_of_sending",
                    sink_hears_closed_packets_in_order_of_sending);
    g_test_add_func("/trace/transitions_make_a_connection_known",
                    transitions_make_a_connection_known);
    return g_test_run();
}
