/* Headers against bytes that other stacks sent, and back. */
#include "models/wire/wire.h"

#include <glib.h>
#include <string.h>

/* The worked example of RFC 1071 §3. */
static void
checksum_of_the_rfc_example(void)
{
    static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

    g_assert_cmphex(wire_checksum(bytes, sizeof bytes, 0), ==, (uint16_t)~0xddf2);
}

static void
checksum_pads_an_odd_byte_with_zero(void)
{
    static const uint8_t odd[] = { 1, 2, 3 }, even[] = { 1, 2, 3, 0 };

    g_assert_cmphex(wire_checksum(odd, 3, 0), ==, wire_checksum(even, 4, 0));
    for (uint32_t len = 1; len < 9; len++) {
        uint8_t bytes[10] = { 0xff, 0xfe, 0x80, 0x7f, 0x01, 0xaa, 0x55, 0x33 };
        uint32_t padded = (len + 1) & ~1u;
        memset(bytes + len, 0, sizeof bytes - len);
        g_assert_cmphex(wire_checksum(bytes, len, 7), ==, wire_checksum(bytes, padded, 7));
    }
}

/* RFC 1071 §2: what is cut after an even number of bytes adds up. */
static void
checksum_of_parts_is_that_of_the_whole(void)
{
    uint8_t bytes[301];

    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + i / 7);
    for (uint32_t cut = 0; cut <= sizeof bytes; cut += 2)
        g_assert_cmphex(
            wire_checksum(bytes, cut, wire_sum(bytes + cut, (uint32_t)sizeof bytes - cut)), ==,
            wire_checksum(bytes, sizeof bytes, 0));
}

/* A header from a textbook capture: 192.168.0.1 to 192.168.0.199, UDP. */
static const uint8_t ipv4_sample[] = {
    0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
    0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
};

static void
ipv4_header_is_read_and_written_as_on_the_wire(void)
{
    uint8_t packet[0x73] = { 0 }, rendered[IPV4_HEADER_BYTES];
    const char *error = NULL;
    bool is_wrong;
    IpHeader ip;

    memcpy(packet, ipv4_sample, sizeof ipv4_sample);
    g_assert_cmpuint(ipv4_parse(&ip, packet, sizeof packet, &is_wrong, &error), ==, 20);
    g_assert_false(is_wrong);
    g_assert_cmphex(ip_addr_to_v4(ip.src), ==, 0xc0a80001);
    g_assert_cmphex(ip_addr_to_v4(ip.dst), ==, 0xc0a800c7);
    g_assert_true(ip.df);
    g_assert_cmpuint(ip.proto, ==, IP_PROTO_UDP);
    g_assert_cmpuint(ip.total_len, ==, 0x73);
    ipv4_render(&ip, rendered);
    g_assert_cmpmem(rendered, 20, ipv4_sample, 20);
}

static void
ipv4_errors_name_the_place(void)
{
    uint8_t bytes[40] = { 0 };
    const char *error = NULL;
    bool is_wrong;
    IpHeader ip;

    memcpy(bytes, ipv4_sample, sizeof ipv4_sample);
    g_assert_cmpuint(ipv4_parse(&ip, bytes, 19, &is_wrong, &error), ==, 0);
    g_assert_cmpstr(error, ==, "shorter than an IPv4 header");
    g_assert_cmpuint(ipv4_parse(&ip, bytes, 40, &is_wrong, &error), ==, 0);
    g_assert_cmpstr(error, ==, "bytes 2-3: total length does not fit");
    bytes[0] = 0x65;
    g_assert_cmpuint(ipv4_parse(&ip, bytes, 40, &is_wrong, &error), ==, 0);
    bytes[0] = 0x44;
    g_assert_cmpuint(ipv4_parse(&ip, bytes, 40, &is_wrong, &error), ==, 0);
}

static void
ipv4_flipped_bit_breaks_the_checksum(void)
{
    const char *error = NULL;
    bool is_wrong;
    IpHeader ip;

    for (unsigned bit = 64; bit < 160; bit++) { /* from the TTL on: lengths stay good */
        uint8_t packet[0x73] = { 0 };
        memcpy(packet, ipv4_sample, sizeof ipv4_sample);
        packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
        g_assert_cmpuint(ipv4_parse(&ip, packet, sizeof packet, &is_wrong, &error), ==, 20);
        g_assert_true(is_wrong);
    }
}

static void
ipv4_fragment_fields_round_trip(void)
{
    IpHeader ip = { .src = ip_addr_v4(1),
                    .dst = ip_addr_v4(2),
                    .total_len = 28,
                    .id = 0xbeef,
                    .frag_offset = 65528,
                    .mf = true,
                    .ttl = 3,
                    .proto = 17,
                    .tos = 0xc3 };
    uint8_t bytes[28] = { 0 };
    const char *error = NULL;
    bool is_wrong;
    IpHeader back;

    ipv4_render(&ip, bytes);
    g_assert_cmpuint(ipv4_parse(&back, bytes, 28, &is_wrong, &error), ==, 20);
    g_assert_cmpuint(back.frag_offset, ==, 65528);
    g_assert_true(back.mf);
    g_assert_false(back.df);
    g_assert_cmphex(back.id, ==, 0xbeef);
    g_assert_cmphex(back.tos, ==, 0xc3);
}

static void
expect_options(const TcpHeader *tcp, const uint8_t *expected, uint32_t len)
{
    uint8_t bytes[TCP_OPTIONS_MAX];
    TcpHeader back = { 0 };

    g_assert_cmpuint(tcp_options_bytes(tcp), ==, len);
    g_assert_cmpuint(tcp_options_render(tcp, bytes), ==, len);
    g_assert_cmpmem(bytes, len, expected, len);
    tcp_options_parse(&back, bytes, len);
    g_assert_cmphex(back.options, ==, tcp->options);
    g_assert_cmpuint(back.n_sacks, ==, tcp->n_sacks);
    g_assert_cmpmem(back.sacks, back.n_sacks * sizeof(SackBlock), tcp->sacks,
                    tcp->n_sacks * sizeof(SackBlock));
    g_assert_cmpuint(back.fastopen_len, ==, tcp->fastopen_len);
    g_assert_cmpmem(back.fastopen_cookie, back.fastopen_len, tcp->fastopen_cookie,
                    tcp->fastopen_len);
}

static void
options_of_a_linux_syn(void)
{
    static const uint8_t expected[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0,
                                        1, 2, 0, 0,    0, 0, 1, 3,  3, 10 };
    TcpHeader tcp = { .options =
                          TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK | TCPOPT_HAS_TS | TCPOPT_HAS_WSCALE,
                      .mss = 1460,
                      .wscale = 10,
                      .tsval = 258 };

    expect_options(&tcp, expected, sizeof expected);
}

static void
options_of_a_syn_without_timestamps(void)
{
    static const uint8_t expected[] = { 2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7 };
    TcpHeader tcp = { .options = TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK | TCPOPT_HAS_WSCALE,
                      .mss = 1460,
                      .wscale = 7 };

    expect_options(&tcp, expected, sizeof expected);
}

static void
options_of_a_data_segment_are_two_nops_and_timestamps(void)
{
    static const uint8_t expected[] = { 1, 1, 8, 10, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff };
    TcpHeader tcp = { .options = TCPOPT_HAS_TS, .tsval = 1, .tsecr = UINT32_MAX };

    expect_options(&tcp, expected, sizeof expected);
}

static void
options_with_sack_blocks_after_timestamps(void)
{
    static const uint8_t expected[] = {
        1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 26, 0, 0, 0, 1,
        0, 0, 0, 2,  0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 1, 0,  0, 0, 2, 0,
    };
    TcpHeader tcp = { .options = TCPOPT_HAS_TS,
                      .tsval = 1,
                      .tsecr = 2,
                      .n_sacks = 3,
                      .sacks = { { 1, 2 }, { 5, 9 }, { 256, 512 } } };

    expect_options(&tcp, expected, sizeof expected);
}

static void
options_hold_four_sack_blocks_without_timestamps(void)
{
    TcpHeader tcp = { .n_sacks = 4, .sacks = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } } };

    g_assert_cmpuint(tcp_options_bytes(&tcp), ==, 36);
}

static void
options_of_fast_open_are_padded_at_the_end(void)
{
    static const uint8_t request[] = { 34, 2, 1, 1 };
    static const uint8_t cookie[] = { 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1 };
    static const uint8_t experiment[] = { 254, 12, 0xf9, 0x89, 1, 2, 3, 4, 5, 6, 7, 8 };
    TcpHeader tcp = { .options = TCPOPT_HAS_FASTOPEN };

    expect_options(&tcp, request, sizeof request);
    tcp.fastopen_len = 8;
    memcpy(tcp.fastopen_cookie, cookie + 2, 8);
    expect_options(&tcp, cookie, sizeof cookie);
    tcp.options = TCPOPT_HAS_FASTOPEN_EXP;
    expect_options(&tcp, experiment, sizeof experiment);
}

static void
options_bytes_agree_with_rendering_for_every_set(void)
{
    for (unsigned set = 0; set < 64; set++) {
        for (unsigned cookie = 0; cookie <= 8; cookie += 4) {
            TcpHeader tcp = { .options = (uint8_t)set, .fastopen_len = (uint8_t)cookie };
            uint8_t bytes[TCP_OPTIONS_MAX];
            TcpHeader back = { 0 };
            uint32_t len = tcp_options_bytes(&tcp);

            if (len > TCP_OPTIONS_MAX)
                continue;
            g_assert_cmpuint(len % 4, ==, 0);
            g_assert_cmpuint(tcp_options_render(&tcp, bytes), ==, len);
            tcp_options_parse(&back, bytes, len);
            g_assert_cmphex(back.options, ==, set);
        }
    }
}

static void
expect_parsed(const uint8_t *bytes, uint32_t len, unsigned options)
{
    TcpHeader tcp = { 0 };

    tcp_options_parse(&tcp, bytes, len);
    g_assert_cmphex(tcp.options, ==, options);
}

static void
malformed_options_end_the_reading_but_keep_what_came_before(void)
{
    static const uint8_t length_zero[] = { 2, 4, 5, 180, 8, 0, 0, 0 };
    static const uint8_t length_one[] = { 2, 4, 5, 180, 8, 1, 0, 0 };
    static const uint8_t too_long[] = { 2, 4, 5, 180, 8, 10, 0, 0 };
    static const uint8_t kind_at_the_edge[] = { 2, 4, 5, 180, 1, 1, 1, 8 };

    expect_parsed(length_zero, 8, TCPOPT_HAS_MSS | TCPOPT_MALFORMED);
    expect_parsed(length_one, 8, TCPOPT_HAS_MSS | TCPOPT_MALFORMED);
    expect_parsed(too_long, 8, TCPOPT_HAS_MSS | TCPOPT_MALFORMED);
    expect_parsed(kind_at_the_edge, 8, TCPOPT_HAS_MSS | TCPOPT_MALFORMED);
}

static void
a_known_option_of_a_wrong_length_is_passed_over(void)
{
    static const uint8_t bytes[] = { 2, 3, 5, 3, 4, 7, 7, 1, 2, 4, 1, 0 };
    static const uint8_t odd_sack[] = { 5, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    TcpHeader tcp = { 0 };

    expect_parsed(bytes, sizeof bytes, TCPOPT_HAS_MSS);
    tcp_options_parse(&tcp, odd_sack, sizeof odd_sack);
    g_assert_cmpuint(tcp.n_sacks, ==, 0);
}

static void
the_end_of_list_hides_what_follows(void)
{
    static const uint8_t bytes[] = { 1, 0, 2, 4, 5, 180, 0, 0 };

    expect_parsed(bytes, sizeof bytes, 0);
}

static void
random_options_never_read_outside(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);

    for (int i = 0; i < 20000; i++) {
        uint32_t len = (uint32_t)g_rand_int_range(rand, 0, 11) * 4;
        uint8_t *bytes = g_malloc(len + 1); /* exactly as long: the sanitizer watches */
        uint8_t rendered[TCP_OPTIONS_MAX];
        TcpHeader tcp = { .option_bytes = (uint8_t)len };

        for (uint32_t at = 0; at < len; at++)
            bytes[at] = (uint8_t)g_rand_int_range(rand, 0, 3) == 0
                            ? (uint8_t)g_rand_int(rand)
                            : (uint8_t)g_rand_int_range(rand, 0, 12);
        tcp_options_parse(&tcp, bytes, len);
        tcp_options_render(&tcp, rendered);
        g_free(bytes);
    }
}

static void
tcp_header_keeps_all_nine_flags(void)
{
    for (unsigned flags = 0; flags < 512; flags++) {
        TcpHeader tcp = { .sport = 1,
                          .dport = 65535,
                          .seq = UINT32_MAX,
                          .ack = 0x01020304,
                          .flags = (uint16_t)flags,
                          .wnd = 4096,
                          .urg = 5 };
        uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
        TcpHeader back;

        g_assert_cmpuint(tcp_render(&tcp, bytes), ==, 20);
        g_assert_cmpuint(tcp_parse(&back, bytes, 20), ==, 20);
        g_assert_cmpmem(&back, sizeof back, &tcp, sizeof tcp);
    }
}

static void
tcp_data_offset_must_fit(void)
{
    uint8_t bytes[40] = { 0 };
    TcpHeader tcp;

    bytes[12] = 4 << 4;
    g_assert_cmpuint(tcp_parse(&tcp, bytes, 40), ==, 0);
    bytes[12] = 11 << 4;
    g_assert_cmpuint(tcp_parse(&tcp, bytes, 40), ==, 0);
    bytes[12] = 10 << 4;
    g_assert_cmpuint(tcp_parse(&tcp, bytes, 40), ==, 40);
    g_assert_cmpuint(tcp_parse(&tcp, bytes, 19), ==, 0);
}

static void
later_addresses_stay_in_their_prefix(void)
{
    char text[IP_ADDR_TEXT];
    IpAddr addr;

    g_assert_true(ip_addr_parse("10.77.255.254", &addr));
    g_assert_cmpstr(ip_addr_format(ip_addr_later_in_prefix(addr, 16, 1), text), ==,
                    "10.77.255.255");
    g_assert_cmpstr(ip_addr_format(ip_addr_later_in_prefix(addr, 16, 3), text), ==, "10.77.0.1");
    g_assert_cmpstr(ip_addr_format(ip_addr_later_in_prefix(addr, 32, 9), text), ==,
                    "10.77.255.254");
    g_assert_true(ip_addr_parse("2001:db8::ffff", &addr));
    g_assert_cmpstr(ip_addr_format(ip_addr_later_in_prefix(addr, 64, 1), text), ==,
                    "2001:db8::1:0");
    g_assert_cmpstr(ip_addr_format(ip_addr_later_in_prefix(addr, 112, 1), text), ==, "2001:db8::");
}

static void
an_address_has_the_bytes_and_the_header_of_its_family(void)
{
    static const uint8_t six[] = { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 4 };
    uint8_t bytes[IP_ADDR_BYTES];
    IpAddr addr;

    g_assert_true(ip_addr_parse("10.1.2.3", &addr));
    g_assert_cmpuint(ip_addr_to_bytes(addr, bytes), ==, 4);
    g_assert_cmpmem(bytes, 4, ((uint8_t[]){ 10, 1, 2, 3 }), 4);
    g_assert_cmpuint(ip_header_bytes(addr), ==, 20);
    g_assert_true(ip_addr_parse("2001:db8::2:304", &addr));
    g_assert_cmpuint(ip_addr_to_bytes(addr, bytes), ==, 16);
    g_assert_cmpmem(bytes, 16, six, 16);
    g_assert_cmpuint(ip_header_bytes(addr), ==, 40);
}

static void
addresses_are_read_and_written(void)
{
    char text[IP_ADDR_TEXT], with_port[ENDPOINT_TEXT];
    unsigned bits;
    IpAddr addr;

    g_assert_true(ip_addr_parse("10.0.0.1", &addr));
    g_assert_true(ip_addr_is_v4(addr));
    g_assert_cmpstr(ip_addr_format(addr, text), ==, "10.0.0.1");
    g_assert_cmpstr(endpoint_format((Endpoint){ addr, 80 }, with_port), ==, "10.0.0.1:80");
    g_assert_true(ip_addr_parse("2001:db8::1", &addr));
    g_assert_false(ip_addr_is_v4(addr));
    g_assert_cmpstr(endpoint_format((Endpoint){ addr, 80 }, with_port), ==, "[2001:db8::1]:80");
    g_assert_true(ip_addr_parse("::ffff:10.0.0.1", &addr));
    g_assert_true(ip_addr_is_v4(addr));
    g_assert_false(ip_addr_parse("10.0.0", &addr));
    g_assert_false(ip_addr_parse("10.0.0.256", &addr));
    g_assert_false(ip_addr_parse("", &addr));
    g_assert_true(ip_prefix_parse("10.0.0.0/24", &addr, &bits));
    g_assert_cmpuint(bits, ==, 24);
    g_assert_true(ip_prefix_parse("10.0.0.9", &addr, &bits));
    g_assert_cmpuint(bits, ==, 32);
    g_assert_false(ip_prefix_parse("10.0.0.0/33", &addr, &bits));
    g_assert_false(ip_prefix_parse("10.0.0.0/", &addr, &bits));
    g_assert_false(ip_prefix_parse("10.0.0.0/2x", &addr, &bits));
}

static void
a_prefix_holds_its_addresses(void)
{
    IpAddr net = ip_addr_v4(0x0a000000), inside = ip_addr_v4(0x0a0000ff), v6 = { 1, 2 };

    g_assert_true(ip_addr_in_prefix(inside, net, 24));
    g_assert_false(ip_addr_in_prefix(ip_addr_v4(0x0a000100), net, 24));
    g_assert_true(ip_addr_in_prefix(ip_addr_v4(0xffffffff), net, 0));
    g_assert_false(ip_addr_in_prefix(v6, net, 0));
    g_assert_true(ip_addr_in_prefix(net, net, 32));
    g_assert_true(ip_addr_in_prefix((IpAddr){ 1, 7 }, v6, 64));
    g_assert_false(ip_addr_in_prefix((IpAddr){ 1, 7 }, v6, 128));
    g_assert_true(ip_addr_is_loopback(ip_addr_v4(0x7f000001)));
    g_assert_true(ip_addr_is_loopback((IpAddr){ 0, 1 }));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/wire/" #claim, claim)
    ADD(checksum_of_the_rfc_example);
    ADD(checksum_pads_an_odd_byte_with_zero);
    ADD(checksum_of_parts_is_that_of_the_whole);
    ADD(ipv4_header_is_read_and_written_as_on_the_wire);
    ADD(ipv4_errors_name_the_place);
    ADD(ipv4_flipped_bit_breaks_the_checksum);
    ADD(ipv4_fragment_fields_round_trip);
    ADD(options_of_a_linux_syn);
    ADD(options_of_a_syn_without_timestamps);
    ADD(options_of_a_data_segment_are_two_nops_and_timestamps);
    ADD(options_with_sack_blocks_after_timestamps);
    ADD(options_hold_four_sack_blocks_without_timestamps);
    ADD(options_of_fast_open_are_padded_at_the_end);
    ADD(options_bytes_agree_with_rendering_for_every_set);
    ADD(malformed_options_end_the_reading_but_keep_what_came_before);
    ADD(a_known_option_of_a_wrong_length_is_passed_over);
    ADD(the_end_of_list_hides_what_follows);
    ADD(random_options_never_read_outside);
    ADD(tcp_header_keeps_all_nine_flags);
    ADD(tcp_data_offset_must_fit);
    ADD(later_addresses_stay_in_their_prefix);
    ADD(an_address_has_the_bytes_and_the_header_of_its_family);
    ADD(addresses_are_read_and_written);
    ADD(a_prefix_holds_its_addresses);
    return g_test_run();
}
