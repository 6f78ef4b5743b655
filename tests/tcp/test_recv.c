/* recv(): order, ends, errors, urgent data. */
#include "tests/tcp/receiver.h"

static int64_t
read_up_to(TcpBench *b, size_t max, unsigned flags)
{
    return sock_recv(b->sock, NULL, max, flags, NULL);
}

static void
reading_takes_what_there_is_and_then_waits(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    g_assert_cmpint(read_up_to(b, 100, 0), ==, -EAGAIN);
    receiver_data(b, 1, 30);
    receiver_data(b, 31, 30);
    g_assert_cmpint(read_up_to(b, 20, 0), ==, 20);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 40);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, -EAGAIN);
}

static void
peeking_leaves_the_bytes(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    receiver_data(b, 1, 30);
    receiver_data(b, 31, 30);
    g_assert_cmpint(read_up_to(b, 100, TCP_MSG_PEEK), ==, 60);
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 60);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 60);
}

static void
each_byte_says_which_stream_it_came_from(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);
    g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(Payload));

    receiver_data(b, 1, 30);
    receiver_data(b, 31, 30); /* the bench gives each segment its own stream */
    g_assert_cmpint(sock_recv(b->sock, NULL, 100, 0, sources), ==, 60);
    g_assert_cmpuint(sources->len, ==, 2);
    g_assert_cmpuint(g_array_index(sources, Payload, 0).len, ==, 30);
}

static void
data_before_a_reset_can_still_be_read(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    receiver_data(b, 1, 30);
    tcp_bench_deliver(b, SEG(.flags = TCP_RST, .seq = 31));
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 30);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, -ECONNRESET);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 0);
}

static void
end_of_stream_stays(void)
{
    g_autoptr(TcpBench) b = tcp_bench_in_state(TCP_PROFILE_LINUX, TCP_CLOSE_WAIT);

    g_assert_cmpint(read_up_to(b, 100, 0), ==, 0);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 0);
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 0);
}

/* ---- Urgent data: fact 93 ------------------------------------------------------- */

static void
deliver_urgent(TcpBench *b, uint32_t seq, uint32_t len, uint16_t urg)
{
    Packet *packet = packet_new_tcp(&b->net->packets);
    const TcpConn *conn = receiver_conn(b);

    packet->ip.src = conn->entry.tuple.remote;
    packet->ip.dst = conn->entry.tuple.local;
    packet->ip.proto = IP_PROTO_TCP;
    packet->tcp.sport = conn->entry.tuple.rport;
    packet->tcp.dport = conn->entry.tuple.lport;
    packet->tcp.flags = TCP_ACK | TCP_PSH | TCP_URG;
    packet->tcp.seq = conn->rcv.irs + seq;
    packet->tcp.ack = conn->snd.nxt;
    packet->tcp.wnd = 65535;
    packet->tcp.urg = urg;
    packet->payload =
        (Payload){ .stream = stream_new_id(b->net->streams), .offset = 0, .len = len };
    packet_finish_lengths(packet);
    host_receive(b->iface, packet);
    tcp_bench_run(b, 0);
}

/* recv() stops before the byte, MSG_OOB gives it, recv() goes on behind it. */
static void
urgent_byte_is_out_of_band(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    receiver_data(b, 1, 3);
    deliver_urgent(b, 4, 1, 1);
    receiver_data(b, 5, 3);
    g_assert_cmpuint(tcp_unread_bytes(receiver_conn(b)), ==, 3);
    g_assert_true(sock_poll(b->sock) & TCP_POLL_PRI);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 3);
    g_assert_cmpint(read_up_to(b, 1, TCP_MSG_OOB), ==, 1);
    g_assert_cmpint(read_up_to(b, 1, TCP_MSG_OOB), ==, -EINVAL);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 3);
}

static void
urgent_byte_unread_is_stepped_over(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    deliver_urgent(b, 1, 10, 5); /* the fifth byte */
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 4);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 5);
    g_assert_cmpint(read_up_to(b, 1, TCP_MSG_OOB), ==, -EINVAL);
}

static void
urgent_byte_may_be_read_inline(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    sock_set_option(b->sock, TCP_OPT_OOBINLINE, 1);
    deliver_urgent(b, 1, 10, 5);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 4);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 6);
}

static void
urgent_byte_may_be_announced_before_it_comes(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);

    deliver_urgent(b, 1, 2, 5);
    g_assert_cmpint(read_up_to(b, 1, TCP_MSG_OOB), ==, -EAGAIN);
    receiver_data(b, 3, 10);
    g_assert_cmpint(read_up_to(b, 1, TCP_MSG_OOB), ==, 1);
}

static void
stdurg_points_at_the_byte_itself(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_stdurg", "1");
    receiver_establish(b, 0);
    deliver_urgent(b, 1, 10, 5);
    g_assert_cmpint(read_up_to(b, 100, 0), ==, 5);
}

/* SO_RCVLOWAT waits for more than the window lets in. */
static void
full_window_wakes_a_reader_below_rcvlowat(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);
    TcpConn *conn = receiver_conn(b);

    sock_set_option(b->sock, TCP_OPT_RCVLOWAT, 100000);
    receiver_data(b, 1, 500);
    g_assert_cmpuint(sock_poll(b->sock) & TCP_POLL_IN, ==, 0);
    conn->rcv.wnd = 0;
    conn->rcv.wup = conn->rcv.nxt;
    g_assert_cmpuint(sock_poll(b->sock) & TCP_POLL_IN, !=, 0);
}

/* What one end sends as urgent is what the other takes for it: in both profiles
 * the pointer is that of RFC 9293 §3.1. */
static void
urgent_pointer_means_the_same_in_both_profiles(void)
{
    for (TcpProfile profile = TCP_PROFILE_LINUX; profile <= TCP_PROFILE_RFC; profile++) {
        g_autoptr(TcpBench) b = tcp_bench_new(profile);

        receiver_establish(b, 0);
        g_assert_cmpint(sock_send(b->sock, NULL, 5, TCP_MSG_OOB), ==, 5);
        g_assert_cmpuint(receiver_sent(b)->urg, ==, 5);
        deliver_urgent(b, 1, 10, 5);
        g_assert_cmpint(read_up_to(b, 100, 0), ==, 4);
    }
}

/* Recording s15_fastrexmit_sack: after a hole was filled the user takes many
 * segments in one call. The rate is measured as the first of them is taken,
 * when the rest still waits, and so shows nothing. */
static void
the_buffer_is_tuned_by_what_was_taken_before_the_queue_grew(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);
    TcpConn *conn = receiver_conn(b);
    uint32_t buf = conn->rcv.buf, seq = 1;

    conn->drs.rtt8 = 8 * 20 * SIM_MS;
    for (unsigned i = 0; i < 4; i++, seq += 1460) {
        receiver_data(b, seq, 1460);
        sock_recv(b->sock, NULL, 65536, 0, NULL);
    }
    tcp_bench_run(b, 25 * SIM_MS);
    for (unsigned i = 0; i < 20; i++, seq += 1460)
        receiver_data(b, seq, 1460);
    g_assert_cmpint(sock_recv(b->sock, NULL, 65536, 0, NULL), ==, 20 * 1460);
    g_assert_cmpuint(conn->rcv.buf, ==, buf);
    g_assert_cmpuint(conn->drs.space_seq - conn->rcv.irs, ==, 1 + 5 * 1460);
}

/* The time of that measurement is the last segment's, however late the user reads. */
static void
a_late_read_is_measured_by_the_clock_of_the_last_segment(void)
{
    g_autoptr(TcpBench) b = receiver_new(0);
    TcpConn *conn = receiver_conn(b);
    SimTime began = conn->drs.space_at;

    conn->drs.rtt8 = 8 * 20 * SIM_MS;
    receiver_data(b, 1, 1460);
    tcp_bench_run(b, 100 * SIM_MS);
    g_assert_cmpint(sock_recv(b->sock, NULL, 65536, 0, NULL), ==, 1460);
    g_assert_cmpint(conn->drs.space_at, ==, began);
}

/* Recording s14_tcp_dontdf_ok: the pieces' allocations count, not one of the whole. */
static void
a_segment_that_came_in_fragments_occupies_what_they_do(void)
{
    g_autoptr(TcpBench) whole = receiver_new(0), pieces = receiver_new(0);

    tcp_bench_deliver(whole, SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .len = 1448));
    g_assert_cmpuint(receiver_conn(whole)->rcv.truesize, ==, 2304);
    tcp_bench_deliver(pieces,
                      SEG(.flags = TCP_ACK, .seq = 1, .ack = 1, .len = 1448, .memory = 3 * 1280));
    g_assert_cmpuint(receiver_conn(pieces)->rcv.truesize, ==, 3 * 1280);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/recv/" #name, name)
    ADD(reading_takes_what_there_is_and_then_waits);
    ADD(peeking_leaves_the_bytes);
    ADD(each_byte_says_which_stream_it_came_from);
    ADD(data_before_a_reset_can_still_be_read);
    ADD(end_of_stream_stays);
    ADD(urgent_byte_is_out_of_band);
    ADD(urgent_byte_unread_is_stepped_over);
    ADD(urgent_byte_may_be_read_inline);
    ADD(urgent_byte_may_be_announced_before_it_comes);
    ADD(full_window_wakes_a_reader_below_rcvlowat);
    ADD(urgent_pointer_means_the_same_in_both_profiles);
    ADD(stdurg_points_at_the_byte_itself);
    ADD(the_buffer_is_tuned_by_what_was_taken_before_the_queue_grew);
    ADD(a_late_read_is_measured_by_the_clock_of_the_last_segment);
    ADD(a_segment_that_came_in_fragments_occupies_what_they_do);
#undef ADD
    return g_test_run();
}
