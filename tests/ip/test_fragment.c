/* Fragmentation and reassembly. */
#include <errno.h>
#include <string.h>

#include "models/ip/ip_internal.h"
#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/ip/fragment/" #claim, claim)

static void
expect_pieces(const NetBench *b, const Host *host, uint8_t proto, const uint16_t payload[3])
{
    uint32_t offset = 0;

    g_assert_cmpuint(net_bench_count(b, host, PACKET_EVENT_SENT, proto), ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        const Packet *piece = &net_bench_nth(b, host, PACKET_EVENT_SENT, proto, i + 1)->packet;

        g_assert_cmpuint(packet_ip_payload_len(piece), ==, payload[i]);
        g_assert_cmpuint(piece->ip.frag_offset, ==, offset);
        g_assert_true(piece->ip.mf == (i < 2));
        g_assert_cmpuint(piece->ip.id, ==,
                         net_bench_nth(b, host, PACKET_EVENT_SENT, proto, 1)->packet.ip.id);
        offset += payload[i];
    }
}

/* Fact 74. */
static void
sender_cuts_4008_bytes_into_1480_1480_1048(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    ip_output(b->a, net_bench_datagram(b, b->b_addr, 4000));
    expect_pieces(b, b->a, IP_PROTO_UDP, (const uint16_t[]){ 1480, 1480, 1048 });
    g_assert_cmpuint(b->a->mib[MIB_IpOutRequests], ==, 1);
    g_assert_cmpuint(b->a->mib[MIB_IpFragOKs], ==, 1);
    g_assert_cmpuint(b->a->mib[MIB_IpFragCreates], ==, 3);
    g_assert_cmpuint(b->a->mib[MIB_IpOutTransmits], ==, 3);
    g_assert_cmpuint(b->a->mib[MIB_IpExtOutOctets], ==, 4068);
}

/* Recording s14_udp1400_router_frag. */
static void
router_cuts_1408_bytes_into_552_552_304(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *sock = net_bench_receiver(b->b);

    net_bench_set_mtu(b, 1, 576);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 1400));
    net_bench_run(b, 1 * SIM_SEC);
    expect_pieces(b, b->routers->pdata[0], IP_PROTO_UDP, (const uint16_t[]){ 552, 552, 304 });
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, 1400);
    g_assert_cmpuint(b->b->mib[MIB_IpReasmReqds], ==, 3);
    g_assert_cmpuint(b->b->mib[MIB_IpReasmOKs], ==, 1);
    g_assert_cmpuint(b->b->mib[MIB_IpInDelivers], ==, 1);
    udp_close(sock);
}

/* Recording s14_tcp_dontdf_ok: 1448 bytes of data with timestamps. */
static void
router_cuts_a_full_tcp_segment_into_552_552_376(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    Packet *packet = packet_new_tcp(&b->net->packets);

    net_bench_set_mtu(b, 1, 576);
    packet->ip.dst = b->b_addr;
    packet->tcp.flags = TCP_ACK;
    packet->tcp.options = TCPOPT_HAS_TS;
    packet->payload = (Payload){ .stream = stream_new_id(b->net->streams), .len = 1448 };
    packet_finish_lengths(packet);
    g_assert_cmpuint(packet->ip.total_len, ==, 1500);
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    expect_pieces(b, b->routers->pdata[0], IP_PROTO_TCP, (const uint16_t[]){ 552, 552, 376 });
}

static void
pieces_are_cut_again_by_a_narrower_router(void)
{
    g_autoptr(NetBench) b = net_bench_chain(2);
    UdpSock *sock = net_bench_receiver(b->b);
    Payload payload;

    net_bench_set_mtu(b, 1, 1000);
    net_bench_set_mtu(b, 2, 300);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 3000));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, &payload, NULL), ==, 3000);
    g_assert_cmpuint(payload.len, ==, 3000);
    udp_close(sock);
}

static Fate
duplicate_all(void *arg, Link *link, unsigned direction, const Packet *packet)
{
    (void)arg, (void)link, (void)direction, (void)packet;
    return (Fate){ .kind = FATE_DUPLICATE, .copies = 1 };
}

/* The network copies a datagram, the router behind cuts both, and one piece of
 * each arrives: the bytes are those that were sent, and are known as such. */
static void
pieces_of_two_copies_still_say_whose_bytes_they_are(void)
{
    g_autoptr(NetBench) b = net_bench_chain(1);
    UdpSock *sock = net_bench_receiver(b->b);
    Packet *packet = net_bench_datagram(b, b->b_addr, 1400);
    uint32_t stream = packet->payload.stream;
    Payload payload;

    net_bench_set_mtu(b, 1, 1000);
    link_set_fate(b->links->pdata[0], duplicate_all, NULL);
    net_bench_lose(b, 1, 0, (const uint32_t[]){ 2, 3 }, 2);
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, &payload, NULL), ==, 1400);
    g_assert_cmpuint(payload.stream, ==, stream);
    udp_close(sock);
}

static void
lost_piece_loses_the_whole(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);

    net_bench_lose(b, 0, 0, (const uint32_t[]){ 2 }, 1);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 4000));
    net_bench_run(b, 40 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, -EAGAIN);
    udp_close(sock);
}

/* Fact 74: 30 s, then time exceeded code 1, as the first piece came. */
static void
waiting_ends_after_30_s_with_time_exceeded(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    net_bench_lose(b, 0, 0, (const uint32_t[]){ 2 }, 1);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 4000));
    net_bench_run(b, 31 * SIM_SEC);
    const NetBenchEvent *error = net_bench_nth(b, b->b, PACKET_EVENT_SENT, IP_PROTO_ICMP, 1);
    g_assert_nonnull(error);
    g_assert_cmpint(error->at, ==, 30 * SIM_SEC + 10 * SIM_MS);
    g_assert_cmpuint(error->packet.icmp.type, ==, ICMP_TIME_EXCEEDED);
    g_assert_cmpuint(error->packet.icmp.code, ==, 1);
    g_assert_cmpuint(error->packet.ip.total_len, ==, 576);
    g_assert_cmpuint(b->b->mib[MIB_IpReasmTimeout], ==, 1);
    g_assert_cmpuint(b->b->mib[MIB_IpReasmFails], ==, 1);
    g_assert_cmpuint(b->b->mib[MIB_IpReasmReqds], ==, 2);
    g_assert_cmpuint(b->a->mib[MIB_IcmpInTimeExcds], ==, 1);
}

static void
nothing_is_said_when_the_first_piece_is_missing(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    net_bench_lose(b, 0, 0, (const uint32_t[]){ 1 }, 1);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 4000));
    net_bench_run(b, 40 * SIM_SEC);
    g_assert_cmpuint(b->b->mib[MIB_IpReasmTimeout], ==, 1);
    g_assert_cmpuint(b->b->mib[MIB_IcmpOutMsgs], ==, 0);
}

/* Fragments as an attacker would make them: real bytes, one piece each. */
static Packet *
forged_piece(NetBench *b, uint16_t id, uint32_t offset, uint32_t len, bool mf)
{
    g_autofree uint8_t *bytes = g_malloc0(len + 1);
    Packet *packet = packet_new(&b->net->packets);

    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(offset + i);
    if (offset == 0 && len >= 8) { /* a UDP header: 1000 to 2000, no checksum */
        const uint8_t udp[8] = { 1000 >> 8, 1000 & 255, 2000 >> 8, 2000 & 255, 0, 48, 0, 0 };

        memcpy(bytes, udp, 8);
    }
    packet->flags |= PACKET_FORGED | PACKET_FRAGMENT;
    packet->ip.src = b->a_addr;
    packet->ip.dst = b->b_addr;
    packet->ip.proto = IP_PROTO_UDP;
    packet->ip.id = id;
    packet->ip.frag_offset = (uint16_t)offset;
    packet->ip.mf = mf;
    packet->ip.total_len = (uint16_t)(IPV4_HEADER_BYTES + len);
    packet->raw = raw_bytes_new(bytes, len);
    return packet;
}

static void
deliver(NetBench *b, Packet *packet)
{
    link_deliver(b->links->pdata[0], 0, packet, 0);
    net_bench_run(b, 1 * SIM_MS);
}

static void
forged_bytes_are_joined_in_any_order(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);
    Payload payload;
    uint8_t bytes[40];

    deliver(b, forged_piece(b, 5, 24, 24, false));
    deliver(b, forged_piece(b, 5, 0, 16, true));
    deliver(b, forged_piece(b, 5, 16, 8, true));
    g_assert_cmpint(udp_recv(sock, &payload, NULL), ==, 40);
    stream_read(b->net->streams, payload, bytes);
    for (unsigned i = 0; i < 40; i++)
        g_assert_cmpuint(bytes[i], ==, 8 + i);
    udp_close(sock);
}

static void
pieces_with_other_ids_are_not_mixed(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);

    deliver(b, forged_piece(b, 5, 0, 24, true));
    deliver(b, forged_piece(b, 6, 24, 24, false));
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, -EAGAIN);
    udp_close(sock);
}

static void
repeated_piece_is_ignored(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);

    deliver(b, forged_piece(b, 5, 0, 24, true));
    deliver(b, forged_piece(b, 5, 0, 24, true));
    deliver(b, forged_piece(b, 5, 8, 8, true));
    deliver(b, forged_piece(b, 5, 24, 24, false));
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, 40);
    g_assert_cmpuint(net_bench_count_reason(b, "fragment came before"), ==, 2);
    g_assert_cmpuint(b->b->mib[MIB_IpExtReasmOverlaps], ==, 0);
    udp_close(sock);
}

/* The rule of RFC 5722, as Linux has it for IPv4: the teardrop attack. */
static void
overlap_condemns_the_datagram(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);

    deliver(b, forged_piece(b, 5, 0, 24, true));
    deliver(b, forged_piece(b, 5, 16, 16, true));
    deliver(b, forged_piece(b, 5, 24, 24, false));
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, -EAGAIN);
    g_assert_cmpuint(b->b->mib[MIB_IpExtReasmOverlaps], ==, 1);
    g_assert_cmpuint(net_bench_count_reason(b, "fragments that contradict each other"), ==, 2);
    udp_close(sock);
}

static void
two_different_ends_condemn_the_datagram(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    deliver(b, forged_piece(b, 5, 24, 24, false));
    deliver(b, forged_piece(b, 5, 48, 8, false));
    g_assert_cmpuint(net_bench_count_reason(b, "fragments that contradict each other"), ==, 2);
}

/* The ping of death. */
static void
more_than_65535_bytes_are_refused(void)
{
    g_autoptr(NetBench) b = net_bench_pair();

    for (uint32_t offset = 0; offset < 65120; offset += 1480)
        deliver(b, forged_piece(b, 5, offset, 1480, true));
    deliver(b, forged_piece(b, 5, 65120, 1480, false));
    g_assert_cmpuint(net_bench_count_reason(b, "larger than 65535 bytes when joined"), ==, 45);
    g_assert_cmpuint(b->b->mib[MIB_IpReasmOKs], ==, 0);
}

/* net.ipv4.ipfrag_high_thresh: new pieces are refused, what is there stays. */
static void
flood_fills_the_memory_and_no_more(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);

    ip_params(b->b)->ipfrag_high_thresh = 100000;
    for (unsigned id = 1; id <= 1000; id++)
        link_deliver(b->links->pdata[0], 0, forged_piece(b, (uint16_t)id, 0, 1480, true), 0);
    net_bench_run(b, 1 * SIM_SEC);
    /* each counts 256 + 2048 + 216 */
    g_assert_cmpuint(net_bench_count_reason(b, "no memory for fragments (ipfrag_high_thresh)"), ==,
                     1000 - 40);
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 4000)); /* an honest one finds no room */
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, -EAGAIN);
    net_bench_run(b, 30 * SIM_SEC); /* the flood's have gone by now */
    ip_output(b->a, net_bench_datagram(b, b->b_addr, 4000));
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, 4000);
    udp_close(sock);
}

/* net.ipv4.ipfrag_max_dist. */
static void
piece_that_comes_too_late_finds_its_fellows_gone(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);

    deliver(b, forged_piece(b, 5, 0, 24, true));
    for (uint16_t id = 100; id < 164; id++)
        deliver(b, forged_piece(b, id, 0, 24, true));
    deliver(b, forged_piece(b, 5, 24, 24, false));
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, -EAGAIN);
    g_assert_cmpuint(net_bench_count_reason(b, "too many other fragments in between"), ==, 1);
    deliver(b, forged_piece(b, 6, 0, 24, true));
    for (uint16_t id = 200; id < 263; id++)
        deliver(b, forged_piece(b, id, 0, 24, true));
    deliver(b, forged_piece(b, 6, 24, 24, false));
    g_assert_cmpint(udp_recv(sock, NULL, NULL), ==, 40);
    udp_close(sock);
}

/* RFC 3168 §5.3. */
static void
one_marked_piece_marks_the_datagram(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);
    const uint8_t ecn[2] = { ECN_ECT0, ECN_CE };

    for (unsigned i = 0; i < 2; i++) {
        Packet *piece = forged_piece(b, 5, i * 24, 24, i == 0);

        piece->ip.tos = ecn[i];
        deliver(b, piece);
    }
    g_assert_cmpuint(net_bench_nth(b, b->b, PACKET_EVENT_CONSUMED, 0, 1)->packet.ip.tos, ==,
                     ECN_CE);
    udp_close(sock);
}

static void
marked_piece_among_unmarkable_ones_is_dropped(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    const uint8_t ecn[2] = { ECN_NOT_ECT, ECN_CE };

    for (unsigned i = 0; i < 2; i++) {
        Packet *piece = forged_piece(b, 5, i * 24, 24, i == 0);

        piece->ip.tos = ecn[i];
        deliver(b, piece);
    }
    g_assert_cmpuint(net_bench_count_reason(b, "ECN fields that don't fit together"), ==, 2);
}

static void
broken_piece_breaks_the_checksum_of_the_whole(void)
{
    g_autoptr(NetBench) b = net_bench_pair();
    UdpSock *sock = net_bench_receiver(b->b);
    Packet *packet = net_bench_datagram(b, b->b_addr, 4000);

    packet->flags |= PACKET_BAD_CHECKSUM;
    ip_output(b->a, packet);
    net_bench_run(b, 1 * SIM_SEC);
    g_assert_cmpuint(b->b->mib[MIB_IpReasmOKs], ==, 1);
    g_assert_cmpuint(b->b->mib[MIB_UdpInCsumErrors], ==, 1);
    udp_close(sock);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(sender_cuts_4008_bytes_into_1480_1480_1048);
    ADD(router_cuts_1408_bytes_into_552_552_304);
    ADD(router_cuts_a_full_tcp_segment_into_552_552_376);
    ADD(pieces_are_cut_again_by_a_narrower_router);
    ADD(pieces_of_two_copies_still_say_whose_bytes_they_are);
    ADD(lost_piece_loses_the_whole);
    ADD(waiting_ends_after_30_s_with_time_exceeded);
    ADD(nothing_is_said_when_the_first_piece_is_missing);
    ADD(forged_bytes_are_joined_in_any_order);
    ADD(pieces_with_other_ids_are_not_mixed);
    ADD(repeated_piece_is_ignored);
    ADD(overlap_condemns_the_datagram);
    ADD(two_different_ends_condemn_the_datagram);
    ADD(more_than_65535_bytes_are_refused);
    ADD(flood_fills_the_memory_and_no_more);
    ADD(piece_that_comes_too_late_finds_its_fellows_gone);
    ADD(one_marked_piece_marks_the_datagram);
    ADD(marked_piece_among_unmarkable_ones_is_dropped);
    ADD(broken_piece_breaks_the_checksum_of_the_whole);
    return g_test_run();
}
