/* Images render later to what the packet rendered to; the sum of a payload that
 * is computed while it is written is that of its bytes. */
#include <string.h>

#include "models/packet/image.h"
#include "tests/support/packet_bench.h"

static Packet *
bench_packet(Bench *bench, uint8_t proto, uint32_t len)
{
    Packet *packet = packet_new_tcp(&bench->pool);

    packet->ip.src = ip_addr_v4(0x0a000001);
    packet->ip.dst = ip_addr_v4(0x0a000002);
    packet->ip.proto = proto;
    packet->payload = (Payload){ .stream = stream_new_id(bench->streams), .len = len };
    return packet;
}

static Packet *
bench_tcp(Bench *bench, uint32_t len)
{
    Packet *packet = bench_packet(bench, IP_PROTO_TCP, len);

    packet->tcp.sport = 40000;
    packet->tcp.dport = 80;
    packet->tcp.flags = TCP_ACK;
    packet->tcp.options = TCPOPT_HAS_TS;
    packet->tcp.tsval = 0x01020304;
    packet_finish_lengths(packet);
    return packet;
}

/* In part, whole, and whole again. Consumes the packet before the image is rendered. */
static void
expect_same_bytes(Bench *bench, Packet *packet)
{
    uint8_t expected[4096], bytes[4096];
    uint32_t len = packet_render(&bench->pool, packet, expected, sizeof expected);
    PacketImage image;

    packet_image_take(&image, &bench->pool, packet);
    packet_free(&bench->pool, packet);
    g_assert_cmpuint(image.len, ==, len);
    for (uint32_t part = len / 2; part <= len; part += (len + 3) / 4) {
        memset(bytes, 0xee, sizeof bytes);
        packet_image_render(&image, bench->streams, bytes, part);
        g_assert_cmpmem(bytes, part, expected, part);
        g_assert_cmpuint(bytes[part], ==, 0xee);
    }
    packet_image_render(&image, bench->streams, bytes, len);
    packet_image_render(&image, bench->streams, bytes, len);
    g_assert_cmpmem(bytes, len, expected, len);
    packet_image_done(&image);
}

static void
an_image_outlives_its_packet(void)
{
    static const uint32_t lengths[] = { 0, 1, 2, 7, 8, 9, 535, 536, 1447, 1448, 1460 };
    g_autoptr(Bench) bench = bench_new();

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++)
        for (unsigned offset = 0; offset < 17; offset++) {
            Packet *packet = bench_tcp(bench, lengths[i]);

            packet->payload.offset = offset;
            expect_same_bytes(bench, packet);
        }
}

static void
an_image_of_bytes_that_an_application_gave(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_tcp(bench, 40);

    stream_write(bench->streams, packet->payload.stream, 3, "from the third on", 17);
    expect_same_bytes(bench, packet);
}

static void
an_image_keeps_what_a_fault_broke(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_tcp(bench, 100);

    packet->flags |= PACKET_BAD_CHECKSUM;
    expect_same_bytes(bench, packet);
    packet = bench_tcp(bench, 100);
    packet->ip.bad_checksum = true;
    expect_same_bytes(bench, packet);
}

static void
images_of_udp_and_icmp(void)
{
    g_autoptr(Bench) bench = bench_new();

    for (int without = 0; without < 2; without++) {
        Packet *udp = bench_packet(bench, IP_PROTO_UDP, 33);

        udp->udp = (UdpHeader){ .sport = 53, .dport = 5353, .no_checksum = without == 1 };
        packet_finish_lengths(udp);
        expect_same_bytes(bench, udp);
    }
    Packet *echo = bench_packet(bench, IP_PROTO_ICMP, 57);
    echo->icmp = (IcmpHeader){ .type = ICMP_ECHO, .id = 7, .seq = 1 };
    packet_finish_lengths(echo);
    expect_same_bytes(bench, echo);

    Packet *about = bench_tcp(bench, 600), *error = bench_packet(bench, IP_PROTO_ICMP, 0);
    error->icmp =
        (IcmpHeader){ .type = ICMP_UNREACHABLE, .quoted_len = 548, .quoted_ip = about->ip };
    error->fragment_of = datagram_new(about);
    packet_finish_lengths(error);
    expect_same_bytes(bench, error);
}

static void
images_of_pieces_and_of_bytes(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *piece = bench_packet(bench, IP_PROTO_TCP, 0), *raw;

    piece->ip.frag_offset = 24;
    piece->ip.mf = true;
    piece->ip.total_len = IPV4_HEADER_BYTES + 48;
    piece->flags = PACKET_FRAGMENT;
    piece->fragment_of = datagram_new(bench_tcp(bench, 100));
    expect_same_bytes(bench, piece);

    raw = bench_packet(bench, 99, 0);
    raw->raw = raw_bytes_new((const uint8_t *)"nothing that anybody knows", 26);
    packet_finish_lengths(raw);
    raw->ip.total_len++; /* a lie stays one */
    expect_same_bytes(bench, raw);
}

static void
the_sum_of_a_payload_is_that_of_its_bytes(void)
{
    g_autoptr(Bench) bench = bench_new();
    uint32_t bulk = stream_new_id(bench->streams), mixed = stream_new_id(bench->streams);
    uint8_t bytes[700], again[700];

    stream_write(bench->streams, mixed, 5, "written", 7);
    for (uint64_t offset = 0; offset < 9000; offset += 37) /* twice around the ring of letters */
        for (uint32_t len = 0; len < sizeof bytes; len += len < 80 ? 1 : 41) {
            for (unsigned i = 0; i < 3; i++) {
                const Payload payload = { offset, i == 0 ? bulk : i == 1 ? mixed : 0, len };
                uint16_t sum = stream_read_summed(bench->streams, payload, bytes);

                stream_read(bench->streams, payload, again);
                g_assert_cmpmem(bytes, len, again, len);
                g_assert_cmphex(sum, ==, wire_sum(bytes, len));
            }
        }
}

/* One byte at a time and all at once: the same pattern, and nothing past its end. */
static void
a_pattern_is_the_same_however_it_is_cut(void)
{
    g_autoptr(Bench) bench = bench_new();
    uint32_t stream = stream_new_id(bench->streams);
    uint8_t whole[512], part[512];

    for (uint32_t at = 0; at < sizeof whole; at++)
        stream_read(bench->streams, (Payload){ 2900 + at, stream, 1 }, whole + at);
    for (uint32_t at = 0; at < 40; at++)
        for (uint32_t len = 0; len < sizeof whole - at; len++) {
            part[len] = '!';
            stream_read(bench->streams, (Payload){ 2900 + at, stream, len }, part);
            g_assert_cmpmem(part, len, whole + at, len);
            g_assert_cmpint(part[len], ==, '!');
        }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/image/" #claim, claim)
    ADD(an_image_outlives_its_packet);
    ADD(an_image_of_bytes_that_an_application_gave);
    ADD(an_image_keeps_what_a_fault_broke);
    ADD(images_of_udp_and_icmp);
    ADD(images_of_pieces_and_of_bytes);
    ADD(the_sum_of_a_payload_is_that_of_its_bytes);
    ADD(a_pattern_is_the_same_however_it_is_cut);
#undef ADD
    return g_test_run();
}
