/* Packets to bytes and back; streams; who owns what. */
#include <string.h>

#include "models/wire/wire.h"
#include "tests/support/packet_bench.h"

static Payload
bench_bytes(Bench *bench, const char *bytes, size_t len)
{
    Payload payload = { .stream = stream_new_id(bench->streams), .len = (uint32_t)len };

    stream_write(bench->streams, payload.stream, 0, bytes, len);
    return payload;
}

static Packet *
bench_tcp(Bench *bench, uint16_t flags, const char *text)
{
    Packet *packet = packet_new_tcp(&bench->pool);

    packet->ip.src = ip_addr_v4(0x0a000001);
    packet->ip.dst = ip_addr_v4(0x0a000002);
    packet->ip.df = true;
    packet->tcp.sport = 40000;
    packet->tcp.dport = 80;
    packet->tcp.seq = 1000;
    packet->tcp.ack = 2000;
    packet->tcp.flags = flags;
    packet->tcp.wnd = 502;
    if (text != NULL)
        packet->payload = bench_bytes(bench, text, strlen(text));
    packet_finish_lengths(packet);
    return packet;
}

static Packet *
bench_reparse(Bench *bench, Packet *packet)
{
    uint8_t bytes[4096];
    const char *error = NULL;
    uint32_t len = packet_render(&bench->pool, packet, bytes, sizeof bytes);

    g_assert_cmpuint(len, ==, packet->ip.total_len);
    Packet *back = packet_parse(&bench->pool, bytes, len, &error);
    g_assert_nonnull(back);

    uint8_t again[4096];
    g_assert_cmpuint(packet_render(&bench->pool, back, again, sizeof again), ==, len);
    g_assert_cmpmem(again, len, bytes, len);
    packet_free(&bench->pool, packet);
    return back;
}

/* tcpdump's view of a GET from 10.0.0.1:40000, made by hand. */
static void
tcp_segment_is_the_bytes_of_the_wire(void)
{
    static const uint8_t expected[] = {
        0x45, 0x00, 0x00, 0x37, 0x00, 0x01, 0x40, 0x00,
        0x40, 0x06, 0x26, 0xbe,                         /* IP */
        0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02, /* addresses */
        0x9c, 0x40, 0x00, 0x50, 0x00, 0x00, 0x03, 0xe8,
        0x00, 0x00, 0x07, 0xd0,                         /* ports, seq, ack */
        0x80, 0x18, 0x01, 0xf6, 0x00, 0x00, 0x00, 0x00, /* offset, PSH ACK, window */
        0x01, 0x01, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x07,
        0x00, 0x00, 0x00, 0x09, /* timestamps */
        'G',  'E',  'T',
    };
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_tcp(bench, TCP_PSH | TCP_ACK, "GET");
    uint8_t bytes[128];

    packet->ip.id = 1;
    packet->tcp.options = TCPOPT_HAS_TS;
    packet->tcp.tsval = 7;
    packet->tcp.tsecr = 9;
    packet_finish_lengths(packet);
    g_assert_cmpuint(packet_render(&bench->pool, packet, bytes, sizeof bytes), ==, sizeof expected);
    g_assert_cmpuint(wire_checksum(bytes + 20, 35, wire_pseudo_sum(&packet->ip, 35)), ==, 0);
    g_assert_cmpuint(wire_checksum(bytes, 20, 0), ==, 0);
    wire_put16(bytes + 36, 0);
    g_assert_cmpmem(bytes, sizeof expected, expected, sizeof expected);
    packet_free(&bench->pool, packet);
}

static void
tcp_survives_the_wire(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_tcp(bench, TCP_SYN, NULL);

    packet->tcp.options = TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK | TCPOPT_HAS_TS | TCPOPT_HAS_WSCALE;
    packet->tcp.mss = 1460;
    packet->tcp.wscale = 10;
    packet->tcp.tsval = 99;
    packet_finish_lengths(packet);
    g_assert_cmpuint(packet->ip.total_len, ==, 60);

    packet = bench_reparse(bench, packet);
    g_assert_cmpuint(packet->tcp.seq, ==, 1000);
    g_assert_cmpuint(packet->tcp.mss, ==, 1460);
    g_assert_cmpuint(packet->tcp.option_bytes, ==, 20);
    g_assert_cmpuint(packet->flags, ==, 0);
    g_assert_null(packet->raw);
    packet_free(&bench->pool, packet);
}

static void
payload_bytes_survive_the_wire(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_reparse(bench, bench_tcp(bench, TCP_ACK, "hello"));
    char text[6] = { 0 };

    g_assert_cmpuint(packet->payload.len, ==, 5);
    stream_read(bench->streams, packet->payload, text);
    g_assert_cmpstr(text, ==, "hello");
    packet_free(&bench->pool, packet);
}

static void
bad_checksum_is_bad_on_the_wire(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_tcp(bench, TCP_ACK, "hello");
    uint8_t bytes[128];
    const char *error = NULL;

    packet->flags |= PACKET_BAD_CHECKSUM;
    uint32_t len = packet_render(&bench->pool, packet, bytes, sizeof bytes);
    Packet *back = packet_parse(&bench->pool, bytes, len, &error);
    g_assert_cmphex(back->flags, ==, PACKET_BAD_CHECKSUM);
    packet_free(&bench->pool, back);

    packet->flags = 0;
    packet->ip.bad_checksum = true;
    packet_render(&bench->pool, packet, bytes, sizeof bytes);
    back = packet_parse(&bench->pool, bytes, len, &error);
    g_assert_true(back->ip.bad_checksum);
    packet_free(&bench->pool, back);
    packet_free(&bench->pool, packet);
}

/* Any single flipped bit is caught: by a checksum, or it no longer parses. */
static void
every_flipped_bit_is_noticed(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_tcp(bench, TCP_ACK | TCP_PSH, "some text");
    uint8_t bytes[128];
    const char *error = NULL;
    uint32_t len = packet_render(&bench->pool, packet, bytes, sizeof bytes);

    for (uint32_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        Packet *back = packet_parse(&bench->pool, bytes, len, &error);
        if (back != NULL) {
            g_assert_true(back->ip.bad_checksum || (back->flags & PACKET_BAD_CHECKSUM) != 0);
            packet_free(&bench->pool, back);
        }
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    packet_free(&bench->pool, packet);
}

static void
udp_survives_the_wire_with_and_without_checksum(void)
{
    g_autoptr(Bench) bench = bench_new();

    for (int without = 0; without < 2; without++) {
        Packet *packet = packet_new(&bench->pool);
        packet->ip.src = ip_addr_v4(0x0a000001);
        packet->ip.dst = ip_addr_v4(0x0a000002);
        packet->ip.proto = IP_PROTO_UDP;
        packet->udp = (UdpHeader){ .sport = 53, .dport = 5353, .no_checksum = without == 1 };
        packet->payload = bench_bytes(bench, "query", 5);
        packet_finish_lengths(packet);
        g_assert_cmpuint(packet->udp.len, ==, 13);
        packet = bench_reparse(bench, packet);
        g_assert_cmpuint(packet->udp.dport, ==, 5353);
        g_assert_cmpuint(packet->payload.len, ==, 5);
        g_assert_cmpint(packet->udp.no_checksum, ==, without == 1);
        g_assert_cmphex(packet->flags, ==, 0);
        packet_free(&bench->pool, packet);
    }
}

static void
icmp_echo_survives_the_wire(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = packet_new(&bench->pool);

    packet->ip.src = ip_addr_v4(1);
    packet->ip.dst = ip_addr_v4(2);
    packet->ip.proto = IP_PROTO_ICMP;
    packet->icmp = (IcmpHeader){ .type = ICMP_ECHO, .id = 77, .seq = 3 };
    packet->payload = bench_bytes(bench, "abcdefgh", 8);
    packet_finish_lengths(packet);
    g_assert_cmpuint(packet->ip.total_len, ==, 36);
    packet = bench_reparse(bench, packet);
    g_assert_cmpuint(packet->icmp.id, ==, 77);
    g_assert_cmpuint(packet->icmp.seq, ==, 3);
    g_assert_cmpuint(packet->payload.len, ==, 8);
    packet_free(&bench->pool, packet);
}

static Packet *
bench_icmp_about(Bench *bench, const Packet *about, uint16_t quoted_len, bool keeps_it)
{
    Packet *packet = packet_new(&bench->pool);

    packet->ip.src = ip_addr_v4(0x0a000009);
    packet->ip.dst = about->ip.src;
    packet->ip.proto = IP_PROTO_ICMP;
    packet->icmp = (IcmpHeader){ .type = ICMP_UNREACHABLE,
                                 .code = 4,
                                 .mtu = 1400,
                                 .quoted_len = quoted_len,
                                 .quoted_ip = about->ip,
                                 .quoted_sport = about->tcp.sport,
                                 .quoted_dport = about->tcp.dport,
                                 .quoted_seq = about->tcp.seq };
    if (keeps_it)
        packet->fragment_of = datagram_new(packet_copy(&bench->pool, about));
    packet_finish_lengths(packet);
    return packet;
}

static void
icmp_error_quotes_header_and_eight_bytes(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *about = bench_tcp(bench, TCP_ACK, "too large");
    Packet *error = bench_reparse(bench, bench_icmp_about(bench, about, 28, false));

    g_assert_cmpuint(error->ip.total_len, ==, 56);
    g_assert_cmpuint(error->icmp.mtu, ==, 1400);
    g_assert_cmpuint(error->icmp.quoted_sport, ==, 40000);
    g_assert_cmpuint(error->icmp.quoted_dport, ==, 80);
    g_assert_cmpuint(error->icmp.quoted_seq, ==, 1000);
    g_assert_cmpuint(error->icmp.quoted_ip.total_len, ==, about->ip.total_len);
    g_assert_cmphex(error->flags, ==, 0);
    packet_free(&bench->pool, error);
    packet_free(&bench->pool, about);
}

static void
icmp_error_that_kept_the_packet_quotes_it_byte_by_byte(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *about = bench_tcp(bench, TCP_ACK, "too large");
    Packet *error = bench_icmp_about(bench, about, about->ip.total_len, true);
    uint8_t original[128], bytes[128];
    uint32_t len = packet_render(&bench->pool, about, original, sizeof original);

    packet_render(&bench->pool, error, bytes, sizeof bytes);
    g_assert_cmpmem(bytes + 28, len, original, len);
    error = bench_reparse(bench, error);
    packet_free(&bench->pool, error);
    packet_free(&bench->pool, about);
}

static void
fragments_are_pieces_of_the_rendered_datagram(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *whole = bench_tcp(bench, TCP_ACK, "0123456789abcdefghijklmnopqrstuvwxyz");
    uint8_t original[128], joined[128] = { 0 };
    uint32_t len = packet_render(&bench->pool, whole, original, sizeof original);
    Datagram *datagram = datagram_new(whole);
    uint32_t payload = len - 20;

    for (uint32_t at = 0; at < payload; at += 24) {
        uint8_t bytes[64];
        const char *error = NULL;
        Packet *piece = packet_new(&bench->pool);
        piece->ip = whole->ip;
        piece->ip.df = false;
        piece->ip.frag_offset = (uint16_t)at;
        piece->ip.mf = at + 24 < payload;
        piece->ip.total_len = (uint16_t)(20 + MIN(24, payload - at));
        piece->flags = PACKET_FRAGMENT;
        piece->fragment_of = datagram;
        datagram->refs++;
        g_assert_cmpuint(packet_render(&bench->pool, piece, bytes, sizeof bytes), ==,
                         piece->ip.total_len);
        memcpy(joined + at, bytes + 20, piece->ip.total_len - 20u);

        Packet *back = packet_parse(&bench->pool, bytes, piece->ip.total_len, &error);
        g_assert_cmphex(back->flags, ==, PACKET_FRAGMENT);
        g_assert_cmpmem(back->raw->bytes, back->raw->len, bytes + 20, piece->ip.total_len - 20u);
        packet_free(&bench->pool, back);
        packet_free(&bench->pool, piece);
    }
    g_assert_cmpmem(joined, payload, original + 20, payload);

    Packet *last = packet_new(&bench->pool);
    last->fragment_of = datagram; /* the last reference takes the whole with it */
    packet_free(&bench->pool, last);
}

static void
what_does_not_parse_is_kept_as_bytes(void)
{
    g_autoptr(Bench) bench = bench_new();
    static const uint8_t nonsense[] = { 1, 2, 3, 4, 5 };
    Packet *packet = packet_new(&bench->pool);

    packet->ip.src = ip_addr_v4(1);
    packet->ip.dst = ip_addr_v4(2);
    packet->ip.proto = IP_PROTO_TCP;
    packet->raw = raw_bytes_new(nonsense, sizeof nonsense);
    packet_finish_lengths(packet);
    g_assert_cmpuint(packet->ip.total_len, ==, 25);
    packet = bench_reparse(bench, packet);
    g_assert_nonnull(packet->raw);
    packet_free(&bench->pool, packet);
}

static void
a_short_buffer_gets_the_beginning(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_tcp(bench, TCP_ACK, "hello hello hello");
    uint8_t all[128], some[32];
    uint32_t len = packet_render(&bench->pool, packet, all, sizeof all);

    memset(some, 0xee, sizeof some);
    g_assert_cmpuint(packet_render(&bench->pool, packet, some, 30), ==, len);
    g_assert_cmpmem(some, 30, all, 30);
    g_assert_cmphex(some[30], ==, 0xee);
    packet_free(&bench->pool, packet);
}

static void
a_copy_has_an_id_of_its_own_and_names_its_original(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_tcp(bench, TCP_ACK, "x");
    Packet *copy = packet_copy(&bench->pool, packet);

    g_assert_cmpuint(copy->id, !=, packet->id);
    g_assert_cmpuint(copy->copy_of, ==, packet->id);
    g_assert_cmpuint(copy->payload.stream, ==, packet->payload.stream);
    packet_free(&bench->pool, packet);
    packet_free(&bench->pool, copy);
}

static void
random_bytes_parse_or_say_why(void)
{
    g_autoptr(Bench) bench = bench_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);

    for (int i = 0; i < 20000; i++) {
        uint32_t len = (uint32_t)g_rand_int_range(rand, 0, 120);
        uint8_t *bytes = g_malloc(len + 1);
        uint8_t rendered[512];
        const char *error = NULL;

        for (uint32_t at = 0; at < len; at++)
            bytes[at] = (uint8_t)g_rand_int(rand);
        if (len >= 28) { /* mostly good IP, so that what follows is reached */
            static const uint8_t protos[] = { 1, 6, 6, 17, 99 };
            bytes[0] = 0x45;
            wire_put16(bytes + 2, len);
            wire_put16(bytes + 6, i % 7 == 0 ? 0x2001 : 0);
            bytes[9] = protos[i % 5];
            if (bytes[9] == 1)
                bytes[20] = i % 2 ? 3 : 8;
            if (i % 3 == 0)
                bytes[28] = 0x45;
        }
        Packet *packet = packet_parse(&bench->pool, bytes, len, &error);
        if (packet == NULL)
            g_assert_nonnull(error);
        else {
            g_autofree char *text = packet_describe(packet, 0, 0);
            g_assert_nonnull(text);
            packet_render(&bench->pool, packet, rendered, sizeof rendered);
            packet_free(&bench->pool, packet);
        }
        g_free(bytes);
    }
}

static void
descriptions_read_like_tcpdump(void)
{
    g_autoptr(Bench) bench = bench_new();
    Packet *packet = bench_tcp(bench, TCP_SYN, NULL);

    packet->tcp.options = TCPOPT_HAS_MSS;
    packet->tcp.mss = 1460;
    g_autofree char *syn = packet_describe(packet, 1000, 0);
    g_assert_cmpstr(syn, ==, "SYN seq 0 win 502 <mss 1460>");
    packet_free(&bench->pool, packet);

    packet = bench_tcp(bench, TCP_PSH | TCP_ACK, "0123456789");
    g_autofree char *data = packet_describe(packet, 999, 1999);
    g_assert_cmpstr(data, ==, "PSH-ACK seq 1:11 ack 1 win 502 len 10");
    packet_free(&bench->pool, packet);
}

static void
written_bytes_are_read_back_and_gaps_are_the_pattern(void)
{
    g_autoptr(Bench) bench = bench_new();
    uint32_t stream = stream_new_id(bench->streams), other = stream_new_id(bench->streams);
    char pattern[32], bytes[32], part[32];

    stream_read(bench->streams, (Payload){ 0, stream, 32 }, pattern);
    stream_write(bench->streams, stream, 4, "four", 4);
    stream_write(bench->streams, stream, 8, "eight", 5);
    stream_write(bench->streams, stream, 20, "twenty", 6);
    stream_read(bench->streams, (Payload){ 0, stream, 32 }, bytes);
    memcpy(pattern + 4, "foureight", 9);
    memcpy(pattern + 20, "twenty", 6);
    g_assert_cmpmem(bytes, 32, pattern, 32);
    for (uint32_t at = 0; at < 32; at++) { /* however it is cut */
        stream_read(bench->streams, (Payload){ at, stream, 32 - at }, part);
        g_assert_cmpmem(part, 32 - at, bytes + at, 32 - at);
    }
    stream_read(bench->streams, (Payload){ 0, other, 32 }, part);
    g_assert_cmpint(memcmp(part, pattern, 32), !=, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/packet/" #claim, claim)
    ADD(tcp_segment_is_the_bytes_of_the_wire);
    ADD(tcp_survives_the_wire);
    ADD(payload_bytes_survive_the_wire);
    ADD(bad_checksum_is_bad_on_the_wire);
    ADD(every_flipped_bit_is_noticed);
    ADD(udp_survives_the_wire_with_and_without_checksum);
    ADD(icmp_echo_survives_the_wire);
    ADD(icmp_error_quotes_header_and_eight_bytes);
    ADD(icmp_error_that_kept_the_packet_quotes_it_byte_by_byte);
    ADD(fragments_are_pieces_of_the_rendered_datagram);
    ADD(what_does_not_parse_is_kept_as_bytes);
    ADD(a_short_buffer_gets_the_beginning);
    ADD(a_copy_has_an_id_of_its_own_and_names_its_original);
    ADD(random_bytes_parse_or_say_why);
    ADD(descriptions_read_like_tcpdump);
    ADD(written_bytes_are_read_back_and_gaps_are_the_pattern);
    return g_test_run();
}
