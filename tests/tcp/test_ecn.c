/* Explicit congestion notification: RFC 3168. */
#include "models/tcp/ecn.h"
#include "tests/tcp/receiver.h"

#define ECN_SETUP (TCP_ECE | TCP_CWR)

/* ESTABLISHED by an active open of a host with tcp_ecn = 1, whose peer agreed. */
static TcpBench *
with_ecn(void)
{
    TcpBench *b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_ecn", "1");
    tcp_bench_connect(b);
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | ECN_SETUP));
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK | TCP_ECE, .ack = 1));
    tcp_bench_skip(b);
    return b;
}

static void
deliver_marked(TcpBench *b, uint8_t field, uint16_t flags, uint32_t seq, uint32_t len)
{
    Packet *packet = packet_new_tcp(&b->net->packets);
    const TcpConn *conn = receiver_conn(b);

    packet->ip.src = conn->entry.tuple.remote;
    packet->ip.dst = conn->entry.tuple.local;
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.tos = field;
    packet->tcp.sport = conn->entry.tuple.rport;
    packet->tcp.dport = conn->entry.tuple.lport;
    packet->tcp.flags = flags;
    packet->tcp.seq = conn->rcv.irs + seq;
    packet->tcp.ack = conn->snd.nxt;
    packet->tcp.wnd = 65535;
    packet->payload = (Payload){ .stream = stream_new_id(b->net->streams), .len = len };
    packet_finish_lengths(packet);
    host_receive(b->iface, packet);
    tcp_bench_run(b, 0);
}

static void
linux_default_accepts_but_does_not_ask(void)
{
    g_autoptr(TcpBench) asks = tcp_bench_new(TCP_PROFILE_LINUX);
    g_autoptr(TcpBench) accepts = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_connect(asks);
    tcp_bench_expect(asks, SEG(.flags = TCP_SYN));
    tcp_bench_listen(accepts, 1);
    tcp_bench_deliver(accepts, SEG(.flags = TCP_SYN | ECN_SETUP));
    tcp_bench_expect(accepts, SEG(.flags = TCP_SYN | TCP_ACK | TCP_ECE, .ack = 1));
}

static void
tcp_ecn_0_refuses(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_ecn", "0");
    tcp_bench_listen(b, 1);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | ECN_SETUP));
    tcp_bench_expect(b, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
}

static void
a_syn_ack_without_ece_refuses(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_ecn", "1");
    receiver_establish(b, 0);
    g_assert_false(tcp_ecn_is_on(receiver_conn(b)));
}

/* A SYN-ACK that repeats both flags comes from a box that mirrors them. */
static void
a_mirrored_syn_ack_refuses(void)
{
    g_autoptr(TcpBench) b = tcp_bench_new(TCP_PROFILE_LINUX);

    tcp_bench_set(b, "net.ipv4.tcp_ecn", "1");
    tcp_bench_connect(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_SYN | TCP_ACK | ECN_SETUP, .ack = 1));
    g_assert_false(tcp_ecn_is_on(receiver_conn(b)));
}

/* RFC 3168 §6.1.3: until CWR comes. */
static void
congestion_is_echoed_until_cwr(void)
{
    g_autoptr(TcpBench) b = with_ecn();

    deliver_marked(b, ECN_CE, TCP_ACK, 1, 100);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK | TCP_ECE, .seq = 1, .ack = 101));
    deliver_marked(b, ECN_ECT0, TCP_ACK, 101, 100);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK | TCP_ECE, .seq = 1, .ack = 201));
    deliver_marked(b, ECN_ECT0, TCP_ACK | TCP_CWR, 201, 100);
    tcp_bench_expect(b, SEG(.flags = TCP_ACK, .seq = 1, .ack = 301));
}

static void
new_data_is_ect_and_acks_are_not(void)
{
    g_autoptr(TcpBench) b = with_ecn();
    const Packet *packet;

    sock_send(b->sock, NULL, 100, 0);
    tcp_bench_run(b, 0);
    packet = g_queue_peek_head(b->sent);
    g_assert_cmpuint(packet->ip.tos & ECN_MASK, ==, ECN_ECT0);
    tcp_bench_skip(b);
    receiver_data(b, 1, 100);
    packet = g_queue_peek_head(b->sent);
    g_assert_cmpuint(packet->ip.tos & ECN_MASK, ==, ECN_NOT_ECT);
}

/* RFC 3168 §6.1.2: the window shrinks once a round, and CWR says so. */
static void
an_echo_reduces_the_window_and_is_answered_with_cwr(void)
{
    g_autoptr(TcpBench) b = with_ecn();
    uint32_t cwnd;

    sock_send(b->sock, NULL, 50000, 0);
    tcp_bench_run(b, 10 * SIM_MS);
    tcp_bench_skip(b);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_ECE, .seq = 1, .ack = 1461));
    cwnd = receiver_conn(b)->sender->w.ssthresh;
    g_assert_cmpuint(cwnd, ==, 7); /* 0.7 of 10 */
    g_assert_cmpuint(receiver_conn(b)->sender->w.ca_state, ==, TCP_CA_CWR);
    tcp_bench_deliver(b, SEG(.flags = TCP_ACK | TCP_ECE, .seq = 1, .ack = 1461 + 2920));
    g_assert_cmpuint(receiver_conn(b)->sender->w.ssthresh, ==, cwnd);
    g_assert_true(receiver_sent(b)->flags & TCP_CWR);
}

static void
each_field_has_its_counter(void)
{
    g_autoptr(TcpBench) b = with_ecn();
    uint64_t before = receiver_count(b, MIB_IpExtInNoECTPkts);

    deliver_marked(b, ECN_NOT_ECT, TCP_ACK, 1, 100);
    deliver_marked(b, ECN_ECT1, TCP_ACK, 101, 100);
    deliver_marked(b, ECN_ECT0, TCP_ACK, 201, 100);
    deliver_marked(b, ECN_ECT0, TCP_ACK, 301, 100);
    deliver_marked(b, ECN_CE, TCP_ACK, 401, 100);
    g_assert_cmpuint(receiver_count(b, MIB_IpExtInNoECTPkts), ==, before + 1);
    g_assert_cmpuint(receiver_count(b, MIB_IpExtInECT1Pkts), ==, 1);
    g_assert_cmpuint(receiver_count(b, MIB_IpExtInECT0Pkts), ==, 2);
    g_assert_cmpuint(receiver_count(b, MIB_IpExtInCEPkts), ==, 1);
    g_assert_cmpuint(receiver_count(b, MIB_IpInAddrErrors), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/tcp/ecn/" #name, name)
    ADD(linux_default_accepts_but_does_not_ask);
    ADD(tcp_ecn_0_refuses);
    ADD(a_syn_ack_without_ece_refuses);
    ADD(a_mirrored_syn_ack_refuses);
    ADD(congestion_is_echoed_until_cwr);
    ADD(new_data_is_ect_and_acks_are_not);
    ADD(an_echo_reduces_the_window_and_is_answered_with_cwr);
    ADD(each_field_has_its_counter);
#undef ADD
    return g_test_run();
}
