/* An outside judge: tshark joins our fragments and finds nothing wrong with
 * them. Skipped where tshark is not installed.
 */
#include <string.h>
#include <unistd.h>

#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/ip/tshark/" #claim, claim)

/* What one interface's host sent, as a capture of LINKTYPE_RAW. */
typedef struct Capture {
    NetBench *bench;
    const Host *host;
    GByteArray *bytes;
} Capture;

static void
append_u32(GByteArray *bytes, uint32_t value)
{
    g_byte_array_append(bytes, (const guint8 *)&value, sizeof value);
}

static void
capture_packet(void *arg, const void *record)
{
    Capture *capture = arg;
    const PacketRecord *rec = record;
    static const unsigned max = 65535;
    g_autofree uint8_t *wire = g_malloc(max);

    if (rec->event != PACKET_EVENT_SENT || rec->host != capture->host->id)
        return;
    uint32_t len = packet_render(&capture->bench->net->packets, rec->packet, wire, max);
    append_u32(capture->bytes, (uint32_t)(rec->at / SIM_SEC));
    append_u32(capture->bytes, (uint32_t)(rec->at % SIM_SEC));
    append_u32(capture->bytes, len);
    append_u32(capture->bytes, len);
    g_byte_array_append(capture->bytes, wire, len);
}

static void
capture_begin(Capture *capture, NetBench *bench, const Host *host)
{
    *capture = (Capture){ bench, host, g_byte_array_new() };
    append_u32(capture->bytes, 0xa1b23c4d); /* nanoseconds, our byte order */
    append_u32(capture->bytes, 2 | 4 << 16);
    append_u32(capture->bytes, 0);
    append_u32(capture->bytes, 0);
    append_u32(capture->bytes, 65535);
    append_u32(capture->bytes, 101); /* LINKTYPE_RAW */
    probe_subscribe(&bench->net->probes.packet, capture_packet, capture);
}

/* The fields of each frame as tshark sees them, all checksums verified. */
static char *
capture_judge(Capture *capture, const char *const fields[])
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *path = NULL;
    char *out = NULL;
    int status, fd = g_file_open_tmp("halfopen-XXXXXX.pcap", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, capture->bytes->data, capture->bytes->len), ==,
                    (ssize_t)capture->bytes->len);
    close(fd);
    g_byte_array_free(capture->bytes, TRUE);
    static const char *const fixed[] = { "tshark", "-n",
                                         "-o",     "ip.check_checksum:TRUE",
                                         "-o",     "udp.check_checksum:TRUE",
                                         "-o",     "tcp.check_checksum:TRUE",
                                         "-T",     "fields",
                                         "-r" };
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
        g_ptr_array_add(argv, (char *)fixed[i]);
    g_ptr_array_add(argv, path);
    for (unsigned i = 0; fields[i] != NULL; i++) {
        g_ptr_array_add(argv, (char *)"-e");
        g_ptr_array_add(argv, (char *)fields[i]);
    }
    g_ptr_array_add(argv, NULL);
    g_assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL,
                               G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out,
                               NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    unlink(path);
    return out;
}

static bool
skip_without_tshark(void)
{
    g_autofree char *path = g_find_program_in_path("tshark");

    if (path == NULL)
        g_test_skip("tshark is not installed");
    return path == NULL;
}

/* ip.checksum.status, udp.checksum.status, reassembled length, any fragment error, any malformed */
static const char *const judged[] = {
    "ip.checksum.status",        "udp.checksum.status", "ip.reassembled.length",
    "ip.fragment.error",         "ip.fragment.overlap", "ip.fragment.toolongfragment",
    "ip.fragment.multipletails", "_ws.malformed",       NULL
};

static void
tshark_joins_the_fragments_of_a_sender(void)
{
    if (skip_without_tshark())
        return;
    g_autoptr(NetBench) b = net_bench_pair();
    Capture capture;

    capture_begin(&capture, b, b->a);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 4000));
    g_autofree char *seen = capture_judge(&capture, judged);
    g_assert_cmpstr(seen, ==, "1\t\t\t\t\t\t\t\n1\t\t\t\t\t\t\t\n1\t1\t4008\t\t\t\t\t\n");
}

static void
tshark_joins_fragments_that_were_cut_twice(void)
{
    if (skip_without_tshark())
        return;
    g_autoptr(NetBench) b = net_bench_chain(2);
    Capture capture;

    net_bench_set_mtu(b, 1, 1000);
    net_bench_set_mtu(b, 2, 300);
    capture_begin(&capture, b, b->routers->pdata[1]);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 3000));
    net_bench_run(b, 15 * SIM_MS + 10 * SIM_MS);
    g_autofree char *seen = capture_judge(&capture, judged);
    g_auto(GStrv) lines = g_strsplit(seen, "\n", -1);
    unsigned n = g_strv_length(lines) - 1; /* a newline ends each */
    g_assert_cmpuint(n, >, 10);
    for (unsigned i = 0; i + 1 < n; i++)
        g_assert_cmpstr(lines[i], ==, "1\t\t\t\t\t\t\t");
    g_assert_cmpstr(lines[n - 1], ==, "1\t1\t3008\t\t\t\t\t");
}

static void
tshark_joins_a_tcp_segment_cut_by_a_router(void)
{
    if (skip_without_tshark())
        return;
    g_autoptr(NetBench) b = net_bench_chain(1);
    Packet *packet = packet_new_tcp(&b->net->packets);
    static const char *const fields[] = { "ip.reassembled.length", "tcp.len",
                                          "tcp.checksum.status",   "tcp.options.timestamp.tsval",
                                          "_ws.malformed",         NULL };
    Capture capture;

    net_bench_set_mtu(b, 1, 576);
    capture_begin(&capture, b, b->routers->pdata[0]);
    packet->ip.dst = b->b_addr;
    packet->tcp.sport = 1000;
    packet->tcp.dport = 2000;
    packet->tcp.flags = TCP_ACK;
    packet->tcp.options = TCPOPT_HAS_TS;
    packet->tcp.tsval = 77;
    packet->payload = (Payload){ .stream = stream_new_id(b->net->streams), .len = 1448 };
    packet_finish_lengths(packet);
    ip_output(b->a, packet);
    net_bench_run(b, 15 * SIM_MS);
    g_autofree char *seen = capture_judge(&capture, fields);
    g_assert_cmpstr(seen, ==, "\t\t\t\t\n\t\t\t\t\n1480\t1448\t1\t77\t\n");
}

/* The quote of an ICMP error parses as what was sent. */
static void
tshark_reads_the_quote_of_an_error(void)
{
    if (skip_without_tshark())
        return;
    g_autoptr(NetBench) b = net_bench_chain(1);
    static const char *const fields[] = { "icmp.type",   "icmp.code",
                                          "icmp.mtu",    "icmp.checksum.status",
                                          "ip.len",      "ip.checksum.status",
                                          "udp.dstport", "_ws.malformed",
                                          NULL };
    Packet *packet = net_bench_datagram(b, b->b_addr, 1400);
    Capture capture;

    net_bench_set_mtu(b, 1, 1000);
    capture_begin(&capture, b, b->routers->pdata[0]);
    packet->ip.df = true;
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    g_autofree char *seen = capture_judge(&capture, fields);
    g_assert_cmpstr(seen, ==, "3\t4\t1000\t1\t576,1428\t1,1\t2000\t\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(tshark_joins_the_fragments_of_a_sender);
    ADD(tshark_joins_fragments_that_were_cut_twice);
    ADD(tshark_joins_a_tcp_segment_cut_by_a_router);
    ADD(tshark_reads_the_quote_of_an_error);
    return g_test_run();
}
