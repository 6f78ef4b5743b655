/* A run's folder: whole or not at all, the same bytes for the same run, and
 * captures in which an outside judge finds nothing wrong.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "scenarios/runtime/folder.h"
#include "tests/support/story.h"

typedef struct Place {
    char *base, *target;
} Place;

static Place
place_new(void)
{
    Place place = { .base = g_dir_make_tmp("halfopen-test-XXXXXX", NULL) };

    g_assert_nonnull(place.base);
    place.target = g_build_filename(place.base, "run", NULL);
    return place;
}

static void
remove_all(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        char *inside = g_build_filename(path, name, NULL);

        remove_all(inside);
        g_free(inside);
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_remove(path);
}

static void
place_done(Place *place)
{
    remove_all(place->base);
    g_free(place->base);
    g_free(place->target);
}

static unsigned
entries_in(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    g_dir_close(dir);
    return n;
}

static const Summary summary = {
    .scenario = "story.lua", .profile = "linux", .version = "1", .seed = 1
};

static void
write_story(const char *target)
{
    g_autoptr(Story) story = story_new(NULL);
    GError *error = NULL;
    Folder *folder = folder_begin(target, story_recorder(story), NULL, &error);

    g_assert_no_error(error);
    story_tell_lost_final_ack(story);
    story_run(story, 70);
    folder_finish(folder, &summary, &error);
    g_assert_no_error(error);
}

static char *
contents(const char *dir, const char *file, size_t *len)
{
    char *path = g_build_filename(dir, file, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, len, NULL));
    g_free(path);
    return text;
}

static void
folder_has_its_name_only_when_it_is_whole(void)
{
    Place place = place_new();
    g_autoptr(Story) story = story_new(NULL);
    GError *error = NULL;
    Folder *folder = folder_begin(place.target, story_recorder(story), NULL, &error);

    g_assert_no_error(error);
    story_tell_lost_final_ack(story);
    story_run(story, 70);
    g_assert_false(g_file_test(place.target, G_FILE_TEST_EXISTS));
    folder_finish(folder, &summary, &error);
    g_assert_no_error(error);
    g_assert_true(folder_is_run(place.target));
    g_assert_cmpuint(entries_in(place.base), ==, 1);
    place_done(&place);
}

static void
abandoned_run_leaves_the_earlier_folder_and_nothing_else(void)
{
    Place place = place_new();
    g_autoptr(Story) story = story_new(NULL);
    GError *error = NULL;
    Folder *folder;
    char *before, *after;
    size_t len;

    write_story(place.target);
    before = contents(place.target, "states.tsv", &len);
    folder = folder_begin(place.target, story_recorder(story), NULL, &error);
    g_assert_no_error(error);
    folder_abandon(folder);
    after = contents(place.target, "states.tsv", &len);
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpuint(entries_in(place.base), ==, 1);
    g_free(before);
    g_free(after);
    place_done(&place);
}

static void
earlier_run_is_replaced_whole(void)
{
    Place place = place_new();
    char *picture;

    write_story(place.target);
    picture = g_build_filename(place.target, "timeline.svg", NULL);
    g_assert_true(g_file_set_contents(picture, "old", -1, NULL));
    write_story(place.target);
    g_assert_false(g_file_test(picture, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(entries_in(place.base), ==, 1);
    g_free(picture);
    place_done(&place);
}

static void
folder_that_is_no_run_is_never_touched(void)
{
    Place place = place_new();
    g_autoptr(Story) story = story_new(NULL);
    GError *error = NULL;
    char *thesis = g_build_filename(place.base, "thesis.txt", NULL);

    g_assert_true(g_file_set_contents(thesis, "years of work", -1, NULL));
    g_assert_null(folder_begin(place.base, story_recorder(story), NULL, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
    g_assert_true(g_file_test(thesis, G_FILE_TEST_EXISTS));
    g_clear_error(&error);
    g_free(thesis);
    place_done(&place);
}

static void
same_run_gives_the_same_bytes(void)
{
    static const char *const files[] = { "summary.json",       "states.tsv",
                                         "packets.tsv",        "why.tsv",
                                         "counters.tsv",       "series/queues.tsv",
                                         "client-eth0.pcapng", "server-eth0.pcapng" };
    Place a = place_new(), b = place_new();

    write_story(a.target);
    write_story(b.target);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        size_t len_a, len_b;
        char *text_a = contents(a.target, files[i], &len_a);
        char *text_b = contents(b.target, files[i], &len_b);

        g_assert_cmpmem(text_a, len_a, text_b, len_b);
        g_free(text_a);
        g_free(text_b);
    }
    place_done(&a);
    place_done(&b);
}

static void
packets_past_the_limit_are_counted(void)
{
    Place place = place_new();
    g_autoptr(Story) story = story_new(NULL);
    FolderOptions options = folder_options_default();
    GError *error = NULL;
    Folder *folder;
    char **lines;
    char *text;
    size_t len;

    options.packets = 3;
    folder = folder_begin(place.target, story_recorder(story), &options, &error);
    g_assert_no_error(error);
    story_tell_lost_final_ack(story);
    story_run(story, 70);
    g_assert_true(folder_finish(folder, &summary, &error));
    text = contents(place.target, "packets.tsv", &len);
    lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 1 + 3 + 1);
    g_strfreev(lines);
    g_free(text);
    text = contents(place.target, "summary.json", &len);
    g_assert_nonnull(strstr(text, "\"rows_left_out\" : 9"));
    g_free(text);
    place_done(&place);
}

/* The least that a reader of pcapng must find: blocks that say their length twice. */
static unsigned
count_blocks(const char *text, size_t len, uint32_t most)
{
    unsigned n = 0;

    for (size_t at = 0; at < len; n++) {
        uint32_t head[6], size, again;

        g_assert_cmpuint(at + sizeof head, <=, len);
        memcpy(head, text + at, sizeof head);
        size = GUINT32_FROM_LE(head[1]);
        g_assert_cmpuint(at + size, <=, len);
        memcpy(&again, text + at + size - 4, 4);
        g_assert_cmpuint(GUINT32_FROM_LE(again), ==, size);
        if (GUINT32_FROM_LE(head[0]) == 6) /* a packet: bytes captured */
            g_assert_cmpuint(GUINT32_FROM_LE(head[5]), <=, most);
        at += size;
    }
    return n;
}

static void
snaplen_cuts_packets_and_loses_none(void)
{
    Place whole = place_new(), cut = place_new();
    g_autoptr(Story) story = story_new(NULL);
    FolderOptions options = folder_options_default();
    GError *error = NULL;
    size_t whole_len, cut_len;

    options.snaplen = 30;
    Folder *folder = folder_begin(cut.target, story_recorder(story), &options, &error);
    g_assert_no_error(error);
    story_tell_lost_final_ack(story);
    story_run(story, 70);
    g_assert_true(folder_finish(folder, &summary, &error));
    write_story(whole.target);
    g_autofree char *all = contents(whole.target, "client-eth0.pcapng", &whole_len);
    g_autofree char *some = contents(cut.target, "client-eth0.pcapng", &cut_len);
    g_assert_cmpuint(cut_len, <, whole_len);
    g_assert_cmpuint(count_blocks(some, cut_len, 30), ==, count_blocks(all, whole_len, 65535));
    place_done(&whole);
    place_done(&cut);
}

static char *
tshark(const char *capture, const char *filter)
{
    char *argv[] = { (char *)"tshark",
                     (char *)"-r",
                     (char *)capture,
                     (char *)"-o",
                     (char *)"tcp.check_checksum:TRUE",
                     (char *)"-o",
                     (char *)"ip.check_checksum:TRUE",
                     (char *)"-T",
                     (char *)"fields",
                     (char *)"-e",
                     (char *)"frame.comment",
                     (char *)"-Y",
                     (char *)filter,
                     NULL };
    char *out = NULL;
    int status = 0;

    g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                               NULL, NULL, &out, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    return out;
}

static void
tshark_finds_nothing_wrong_and_reads_the_fates(void)
{
    Place place = place_new();
    char *program = g_find_program_in_path("tshark");
    char *capture, *out;

    if (program == NULL) {
        g_test_skip("tshark is not installed");
        place_done(&place);
        return;
    }
    write_story(place.target);
    capture = g_build_filename(place.target, "client-eth0.pcapng", NULL);
    out = tshark(capture, "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0");
    g_assert_cmpstr(out, ==, "");
    g_free(out);
    out = tshark(capture, "frame.comment contains \"lost\"");
    g_assert_cmpstr(out, ==, "#10 lost on wire: scripted drop\n");
    g_free(out);
    g_free(capture);
    g_free(program);
    place_done(&place);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/folder/has_its_name_only_when_it_is_whole",
                    folder_has_its_name_only_when_it_is_whole);
    g_test_add_func("/folder/abandoned_run_leaves_the_earlier_folder_and_nothing_else",
                    abandoned_run_leaves_the_earlier_folder_and_nothing_else);
    g_test_add_func("/folder/earlier_run_is_replaced_whole", earlier_run_is_replaced_whole);
    g_test_add_func("/folder/that_is_no_run_is_never_touched",
                    folder_that_is_no_run_is_never_touched);
    g_test_add_func("/folder/same_run_gives_the_same_bytes", same_run_gives_the_same_bytes);
    g_test_add_func("/folder/packets_past_the_limit_are_counted",
                    packets_past_the_limit_are_counted);
    g_test_add_func("/folder/snaplen_cuts_packets_and_loses_none",
                    snaplen_cuts_packets_and_loses_none);
    g_test_add_func("/folder/tshark_finds_nothing_wrong_and_reads_the_fates",
                    tshark_finds_nothing_wrong_and_reads_the_fates);
    return g_test_run();
}
