/* What the files of a run are written with: text and numbers, rows of packets,
 * thinned series. */
#include <glib/gstdio.h>
#include <string.h>

#include "models/link/link.h"
#include "scenarios/runtime/packet_rows.h"
#include "scenarios/runtime/thin.h"
#include "sim/rng.h"
#include "tests/support/story.h"

typedef struct Sheet {
    char *dir, *path;
    OutFile *out; /* owns until sheet_text() */
} Sheet;

static Sheet
sheet_new(void)
{
    Sheet sheet = { .dir = g_dir_make_tmp("halfopen-test-XXXXXX", NULL) };

    g_assert_nonnull(sheet.dir);
    sheet.path = g_build_filename(sheet.dir, "sheet", NULL);
    sheet.out = out_open(sheet.dir, "sheet", NULL);
    g_assert_nonnull(sheet.out);
    return sheet;
}

/* What was written; the sheet is gone. Owned by the caller. */
static char *
sheet_text(Sheet *sheet, size_t *len)
{
    char *text = NULL;

    g_assert_true(out_close(sheet->out, NULL));
    g_assert_true(g_file_get_contents(sheet->path, &text, len, NULL));
    g_remove(sheet->path);
    g_rmdir(sheet->dir);
    g_free(sheet->path);
    g_free(sheet->dir);
    return text;
}

static void
numbers_times_and_endpoints_are_text(void)
{
    Sheet sheet = sheet_new();
    IpAddr v6;

    g_assert_true(ip_addr_parse("2001:db8::1", &v6));
    out_u64(sheet.out, 1234567890123);
    out_tab(sheet.out);
    out_i64(sheet.out, INT64_MIN);
    out_tab(sheet.out);
    out_time(sheet.out, 12 * SIM_SEC + 34);
    out_tab(sheet.out);
    out_time(sheet.out, -1);
    out_tab(sheet.out);
    out_endpoint(sheet.out, (Endpoint){ ip_addr_v4(0x0aff0001), 80 });
    out_tab(sheet.out);
    out_endpoint(sheet.out, (Endpoint){ v6, 65535 });
    out_tab(sheet.out);
    out_endpoint(sheet.out, (Endpoint){ { 0, 0 }, 0 });
    g_autofree char *text = sheet_text(&sheet, NULL);
    g_assert_cmpstr(text, ==,
                    "1234567890123\t-9223372036854775808\t12.000000034\t-\t10.255.0.1:80\t"
                    "2001:db8::1:65535\t*:0");
}

static void
a_cell_of_text_is_one_line_without_tabs(void)
{
    Sheet sheet = sheet_new();

    out_text(sheet.out, "a\tb\nc \xc2\xa7");
    out_text(sheet.out, NULL);
    out_text(sheet.out, "");
    g_autofree char *text = sheet_text(&sheet, NULL);
    g_assert_cmpstr(text, ==, "a b c \xc2\xa7--");
}

/* Pieces of all sizes, over many buffers' length. */
static void
nothing_is_lost_where_a_buffer_ends(void)
{
    static const size_t sizes[] = {
        1, 100, OUT_BUFFER - 1, OUT_ROOM_MOST, OUT_ROOM_MOST + 1, 3 * OUT_ROOM_MOST + 7, 5, 0, 70000
    };
    Sheet sheet = sheet_new();
    g_autoptr(GString) expected = g_string_new(NULL);
    size_t len;

    for (unsigned i = 0; i < 4 * G_N_ELEMENTS(sizes); i++) {
        size_t size = sizes[i % G_N_ELEMENTS(sizes)];
        g_autofree char *piece = g_strnfill(size, (char)('a' + i % 26));

        if (i % 2 == 0 || size == 0)
            out_bytes(sheet.out, piece, size);
        else
            out_text(sheet.out, piece);
        g_string_append(expected, piece);
    }
    g_autofree char *text = sheet_text(&sheet, &len);
    g_assert_cmpmem(text, len, expected->str, expected->len);
}

static TracePacket
packet_between(uint16_t client_port, bool is_back)
{
    Endpoint client = { ip_addr_v4(0x0a000001), client_port },
             server = { ip_addr_v4(0x0a000002), 80 };

    return (TracePacket){
        .id = client_port,
        .sent_at = SIM_MS,
        .ended_at = 2 * SIM_MS,
        .from = is_back ? 2 : 1,
        .to = is_back ? 1 : 2,
        .link = 1,
        .proto = IP_PROTO_TCP,
        .src = is_back ? server : client,
        .dst = is_back ? client : server,
        .flags = TCP_ACK,
        .what = TRACE_ARRIVED | TRACE_CLOSED,
        .why = client_port % 2 == 0 ? "RFC 9293 §3.8" : NULL,
    };
}

/* More four-tuples than there are remembered lanes, in an order that makes each displace others. */
static void
every_row_names_its_own_ends_and_rule(void)
{
    g_autoptr(Story) story = story_new(NULL);
    PacketRows *rows = packet_rows_new(story_recorder(story));
    Sheet sheet = sheet_new();
    g_autoptr(GString) expected = g_string_new(NULL);

    for (unsigned i = 0; i < 2000; i++) {
        uint16_t port = (uint16_t)(1000 + i * 7919 % 600);
        bool is_back = i / 3 % 2 == 1;
        TracePacket entry = packet_between(port, is_back);

        packet_rows_write(rows, sheet.out, &entry);
        g_string_append_printf(expected, "%u\t0.001000000\t0.002000000\t", port);
        g_string_append_printf(expected,
                               is_back ? "server\tclient\twire\t10.0.0.2:80\t10.0.0.1:%u"
                                       : "client\tserver\twire\t10.0.0.1:%u\t10.0.0.2:80",
                               port);
        g_string_append_printf(expected,
                               "\ttcp\tACK\t0\t0\t0\t0\t-\tarrived\t-\t0\t0\t0\t0\t0\t0\t-\t"
                               "0\t0\t-\t%s\n",
                               port % 2 == 0 ? "RFC 9293 §3.8" : "-");
    }
    packet_rows_free(rows);
    g_autofree char *text = sheet_text(&sheet, NULL);
    g_assert_cmpstr(text, ==, expected->str);
}

static void
options_and_marks_stand_in_one_cell_each(void)
{
    g_autoptr(Story) story = story_new(NULL);
    PacketRows *rows = packet_rows_new(story_recorder(story));
    Sheet sheet = sheet_new();
    TracePacket entry = packet_between(2, false);

    entry.options = TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK | TCPOPT_HAS_TS | TCPOPT_HAS_WSCALE |
                    TCPOPT_HAS_FASTOPEN;
    entry.mss = 1460;
    entry.tsval = 4294967295;
    entry.wscale = 7;
    entry.n_sacks = 1;
    entry.sacks[0] = (SackBlock){ 10, 20 };
    entry.what |= TRACE_RETRANSMIT | TRACE_DELAYED | TRACE_OVERTAKEN;
    entry.extra_ns = 5 * SIM_MS;
    packet_rows_write(rows, sheet.out, &entry);
    packet_rows_free(rows);
    g_autofree char *text = sheet_text(&sheet, NULL);
    g_auto(GStrv) cells = g_strsplit(text, "\t", -1);
    g_assert_cmpuint(g_strv_length(cells), ==, 28);
    g_assert_cmpstr(cells[14], ==, "mss 1460,sackOK,TS 4294967295 0,ws 7,sack 10-20,tfo");
    g_assert_cmpstr(cells[16], ==, "retransmission; delayed by 5ms; overtaken");
    g_assert_cmpstr(cells[26], ==, "rdo");
}

/* ---- Thinned series ------------------------------------------------------------------- */

static void
keep_row(void *arg, const ThinRow *row)
{
    g_array_append_vals(arg, row, 1);
}

static GArray *
thinned(const ThinRow *rows, unsigned n, bool with_shortcut)
{
    GArray *kept = g_array_new(FALSE, FALSE, sizeof(ThinRow));
    Thin thin = { .free_rows = 10 };

    for (unsigned i = 0; i < n; i++) {
        if (with_shortcut && rows[i].at < thin.until)
            thin_rose(&thin, rows[i].at, rows[i].v[0]);
        else
            thin_add(&thin, &rows[i], keep_row, kept);
    }
    thin_finish(&thin, keep_row, kept);
    return kept;
}

static const ThinRow *
row_of(const GArray *kept, unsigned i)
{
    return &g_array_index(kept, ThinRow, i);
}

static void
a_thinned_series_keeps_its_beginning_its_peaks_and_its_end(void)
{
    ThinRow rows[400] = { 0 };
    uint64_t most = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        rows[i] = (ThinRow){ .at = SIM_SEC + i * SIM_MS, .v = { i == 333 ? 1000 : i % 7 } };
    g_autoptr(GArray) kept = thinned(rows, G_N_ELEMENTS(rows), false);
    g_assert_cmpuint(kept->len, <, 250);
    for (unsigned i = 0; i < 10; i++)
        g_assert_cmpmem(row_of(kept, i), sizeof(ThinRow), &rows[i], sizeof(ThinRow));
    for (unsigned i = 0; i < kept->len; i++) {
        most = MAX(most, row_of(kept, i)->v[0]);
        g_assert_true(i == 0 || row_of(kept, i)->at > row_of(kept, i - 1)->at);
    }
    g_assert_cmpuint(most, ==, 1000);
    g_assert_cmpmem(row_of(kept, kept->len - 1), sizeof(ThinRow), &rows[399], sizeof(ThinRow));
}

static void
the_shortcut_for_what_rises_changes_nothing(void)
{
    SimRng rng;
    ThinRow rows[3000];
    uint64_t value = 0;

    sim_rng_init(&rng, 1, "thin");
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        value += 1 + sim_rng_below(&rng, 20);
        rows[i] = (ThinRow){ .at = (SimTime)i * SIM_US, .v = { value } };
    }
    g_autoptr(GArray) plain = thinned(rows, G_N_ELEMENTS(rows), false);
    g_autoptr(GArray) quick = thinned(rows, G_N_ELEMENTS(rows), true);
    g_assert_cmpmem(plain->data, plain->len * sizeof(ThinRow), quick->data,
                    quick->len * sizeof(ThinRow));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/outfile/" #claim, claim)
    ADD(numbers_times_and_endpoints_are_text);
    ADD(a_cell_of_text_is_one_line_without_tabs);
    ADD(nothing_is_lost_where_a_buffer_ends);
    ADD(every_row_names_its_own_ends_and_rule);
    ADD(options_and_marks_stand_in_one_cell_each);
    ADD(a_thinned_series_keeps_its_beginning_its_peaks_and_its_end);
    ADD(the_shortcut_for_what_rises_changes_nothing);
#undef ADD
    return g_test_run();
}
