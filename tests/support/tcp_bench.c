#include "tests/support/tcp_bench.h"

#include <errno.h>

#include "models/link/link.h"

enum {
    PEER_ISS = 500000,
    PEER_PORT = 2000,
    CLIENT_PORT = 1000,
    LISTEN_PORT = 80,
    PEER_MSS = 1460,
};

static IpAddr
local_addr(void)
{
    return ip_addr_v4(0x0a000001);
}

static IpAddr
peer_addr(void)
{
    return ip_addr_v4(0x0a000002);
}

static Fate
bench_tap(void *arg, Link *link, unsigned direction, const Packet *packet)
{
    TcpBench *bench = arg;

    (void)link;
    (void)direction;
    if (packet->ip.proto == IP_PROTO_TCP) {
        if (packet->tcp.flags & TCP_SYN)
            bench->iss = packet->tcp.seq;
        g_queue_push_tail(bench->sent, packet_copy(&bench->net->packets, packet));
    }
    return (Fate){ .kind = FATE_DROP, .reason = "taken by the bench" };
}

TcpBench *
tcp_bench_new(TcpProfile profile)
{
    TcpBench *bench = g_new0(TcpBench, 1);
    StackParams params;
    LinkParams link_params[2] = { link_params_default(), link_params_default() };

    link_params[0].delay = link_params[1].delay = 0;
    stack_params_init(&params, profile);
    bench->sim = sim_new(1);
    bench->net = net_new(bench->sim);
    bench->host = stack_new(bench->net, "host", &params);
    bench->iface = host_add_iface(bench->host, "eth0", local_addr(), 24, 1500);
    Host *peer = host_new(bench->net, "peer");
    Iface *far = host_add_iface(peer, "eth0", peer_addr(), 24, 1500);
    Link *link = link_new(bench->net, "wire", bench->iface, far, link_params);
    link_set_fate(link, bench_tap, bench);
    bench->sent = g_queue_new();
    bench->local_port = CLIENT_PORT;
    bench->others = g_ptr_array_new();
    return bench;
}

Socket *
tcp_bench_open(TcpBench *bench)
{
    Socket *sock = sock_open(bench->host, SOCK_TYPE_STREAM);

    g_ptr_array_add(bench->others, sock);
    return sock;
}

int
tcp_bench_close(TcpBench *bench, Socket *sock)
{
    g_ptr_array_remove(bench->others, sock);
    return sock_close(sock);
}

void
tcp_bench_free(TcpBench *bench)
{
    if (bench->sock != NULL)
        sock_abort(bench->sock);
    if (bench->listener != NULL)
        sock_abort(bench->listener);
    for (guint i = 0; i < bench->others->len; i++)
        sock_abort(g_ptr_array_index(bench->others, i));
    g_ptr_array_unref(bench->others);
    tcp_bench_run(bench, 0); /* a socket told of at this very time goes with its event */
    tcp_bench_skip(bench);
    g_queue_free(bench->sent);
    net_free(bench->net);
    sim_free(bench->sim);
    g_free(bench);
}

void
tcp_bench_set(TcpBench *bench, const char *name, const char *value)
{
    g_autofree char *error = NULL;

    if (!stack_set(bench->host, name, value, &error))
        g_error("%s = %s: %s", name, value, error);
}

void
tcp_bench_run(TcpBench *bench, SimTime by)
{
    sim_run(bench->sim, sim_now(bench->sim) + by);
}

void
tcp_bench_deliver(TcpBench *bench, Seg seg)
{
    Packet *packet = packet_new_tcp(&bench->net->packets);

    packet->ip.src = peer_addr();
    packet->ip.dst = local_addr();
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.df = true;
    packet->tcp.sport = (uint16_t)(seg.peer_port != 0 ? seg.peer_port : PEER_PORT);
    packet->tcp.dport = bench->local_port;
    packet->tcp.flags = seg.flags;
    packet->tcp.seq = PEER_ISS + seg.seq;
    packet->tcp.ack = seg.flags & TCP_ACK ? bench->iss + seg.ack : 0;
    packet->tcp.wnd = seg.zero_window ? 0 : seg.wnd != 0 ? seg.wnd : 65535;
    packet->tcp.options = seg.options;
    if (seg.flags & TCP_SYN && !seg.no_mss) {
        packet->tcp.options |= TCPOPT_HAS_MSS;
        packet->tcp.mss = PEER_MSS;
    }
    packet->tcp.wscale = seg.wscale;
    packet->tcp.tsval = seg.tsval;
    packet->tcp.tsecr = seg.tsecr;
    if (bench->peer_tsval != 0 && !(seg.options & TCPOPT_HAS_TS)) {
        packet->tcp.options |= TCPOPT_HAS_TS;
        packet->tcp.tsval = bench->peer_tsval;
    }
    packet->payload = (Payload){ .len = seg.len };
    if (seg.len > 0) {
        packet->payload.stream = stream_new_id(bench->net->streams);
        packet->payload.offset = seg.seq;
    }
    packet->flags |= PACKET_FORGED;
    if (seg.memory > 0) {
        packet->flags |= PACKET_REASSEMBLED;
        packet->memory = seg.memory;
    }
    packet_finish_lengths(packet);
    host_receive(bench->iface, packet);
    tcp_bench_run(bench, 0);
}

void
tcp_bench_expect(TcpBench *bench, Seg seg)
{
    Packet *packet = g_queue_pop_head(bench->sent);

    if (packet == NULL)
        g_error("expected a segment with flags 0x%x seq %u ack %u len %u, found silence", seg.flags,
                seg.seq, seg.ack, seg.len);
    g_assert_cmphex(packet->tcp.flags, ==, seg.flags);
    if (!(seg.flags & TCP_RST) || seg.seq != 0)
        g_assert_cmpuint(packet->tcp.seq - bench->iss, ==, seg.seq);
    if (seg.flags & TCP_ACK)
        g_assert_cmpuint(packet->tcp.ack - PEER_ISS, ==, seg.ack);
    g_assert_cmpuint(packet->payload.len, ==, seg.len);
    if (seg.wnd != 0)
        g_assert_cmpuint(packet->tcp.wnd, ==, seg.wnd);
    packet_free(&bench->net->packets, packet);
}

SimTime
tcp_bench_await(TcpBench *bench, Seg seg)
{
    SimTime began = sim_now(bench->sim);

    while (g_queue_is_empty(bench->sent) && sim_now(bench->sim) < began + 3600 * SIM_SEC) {
        if (!sim_step(bench->sim))
            break;
    }
    tcp_bench_expect(bench, seg);
    return sim_now(bench->sim) - began;
}

void
tcp_bench_expect_silence(TcpBench *bench)
{
    Packet *packet = g_queue_peek_head(bench->sent);

    if (packet != NULL) {
        g_autofree char *text = packet_describe(packet, bench->iss, PEER_ISS);
        g_error("expected silence, found %s", text);
    }
}

void
tcp_bench_skip(TcpBench *bench)
{
    Packet *packet;

    while ((packet = g_queue_pop_head(bench->sent)) != NULL)
        packet_free(&bench->net->packets, packet);
}

typedef struct StateSearch {
    uint16_t local_port;
    TcpState state;
} StateSearch;

static void
state_look(void *arg, const TcpSocketRow *row)
{
    StateSearch *search = arg;

    if (row->local.port != search->local_port)
        return;
    if (row->state == TCP_LISTEN && search->state != TCP_CLOSED)
        return; /* the listener beside its connection */
    search->state = row->state;
}

TcpState
tcp_bench_state(TcpBench *bench)
{
    StateSearch search = { .local_port = bench->local_port, .state = TCP_CLOSED };

    tcp_list(bench->host, state_look, &search);
    return search.state;
}

void
tcp_bench_expect_state(TcpBench *bench, TcpState state)
{
    g_assert_cmpstr(tcp_state_name(tcp_bench_state(bench)), ==, tcp_state_name(state));
}

void
tcp_bench_listen(TcpBench *bench, int backlog)
{
    bench->listener = sock_open(bench->host, SOCK_TYPE_STREAM);
    bench->local_port = LISTEN_PORT;
    Endpoint local = { .addr = local_addr(), .port = LISTEN_PORT };
    g_assert_cmpint(sock_bind(bench->listener, local), ==, 0);
    g_assert_cmpint(sock_listen(bench->listener, backlog), ==, 0);
}

void
tcp_bench_connect(TcpBench *bench)
{
    Endpoint local = { .addr = local_addr(), .port = CLIENT_PORT };
    Endpoint peer = { .addr = peer_addr(), .port = PEER_PORT };

    bench->sock = sock_open(bench->host, SOCK_TYPE_STREAM);
    g_assert_cmpint(sock_bind(bench->sock, local), ==, 0);
    g_assert_cmpint(sock_connect(bench->sock, peer), ==, -EINPROGRESS);
    tcp_bench_run(bench, 0);
}

static void
bench_close(TcpBench *bench)
{
    g_assert_cmpint(sock_close(bench->sock), ==, 0);
    bench->sock = NULL;
    tcp_bench_run(bench, 0);
}

/* From ESTABLISHED; nothing was sent either way but the SYNs. */
static void
bench_close_towards(TcpBench *bench, TcpState state)
{
    switch (state) {
    case TCP_FIN_WAIT_1:
        bench_close(bench);
        break;
    case TCP_FIN_WAIT_2:
        bench_close(bench);
        tcp_bench_deliver(bench, SEG(.flags = TCP_ACK, .seq = 1, .ack = 2));
        break;
    case TCP_CLOSING:
        bench_close(bench);
        tcp_bench_deliver(bench, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1));
        break;
    case TCP_TIME_WAIT:
        bench_close(bench);
        tcp_bench_deliver(bench, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2));
        break;
    case TCP_CLOSE_WAIT:
        tcp_bench_deliver(bench, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1));
        break;
    case TCP_LAST_ACK:
        tcp_bench_deliver(bench, SEG(.flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1));
        bench_close(bench);
        break;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_N_STATES:
        break;
    }
}

void
tcp_bench_enter(TcpBench *bench, TcpState state)
{
    if (state == TCP_LISTEN || state == TCP_SYN_RECEIVED) {
        tcp_bench_listen(bench, 8);
        if (state == TCP_SYN_RECEIVED)
            tcp_bench_deliver(bench, SEG(.flags = TCP_SYN));
    } else if (state != TCP_CLOSED) {
        tcp_bench_connect(bench);
        if (state != TCP_SYN_SENT)
            tcp_bench_deliver(bench, SEG(.flags = TCP_SYN | TCP_ACK, .ack = 1));
        bench_close_towards(bench, state);
    }
    tcp_bench_expect_state(bench, state);
    tcp_bench_skip(bench);
}

TcpBench *
tcp_bench_in_state(TcpProfile profile, TcpState state)
{
    TcpBench *bench = tcp_bench_new(profile);

    tcp_bench_enter(bench, state);
    return bench;
}
