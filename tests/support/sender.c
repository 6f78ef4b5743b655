#include "tests/support/sender.h"

#include <stdio.h>

#include "models/link/link.h"

enum { PEER_ISS = 500000, PEER_PORT = 2000, CLIENT_PORT = 1000, PEER_WSCALE = 7 };

static Packet *
packet_from_peer(Sender *sender, uint16_t flags, uint32_t seq, uint32_t ack)
{
    TcpBench *bench = sender->bench;
    Packet *packet = packet_new_tcp(&bench->net->packets);

    packet->ip.src = ip_addr_v4(0x0a000002);
    packet->ip.dst = ip_addr_v4(0x0a000001);
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.df = true;
    packet->tcp.sport = PEER_PORT;
    packet->tcp.dport = CLIENT_PORT;
    packet->tcp.flags = flags;
    packet->tcp.seq = PEER_ISS + seq;
    packet->tcp.ack = bench->iss + ack;
    packet->tcp.wnd = (uint16_t)(sender->wnd >> PEER_WSCALE);
    packet->payload = (Payload){ 0 };
    if (sender->ts) {
        packet->tcp.options |= TCPOPT_HAS_TS;
        packet->tcp.tsval = (uint32_t)(sim_now(bench->sim) / SIM_MS) + 1;
        packet->tcp.tsecr = sender->ts_echo;
    }
    return packet;
}

static void
deliver(Sender *sender, Packet *packet)
{
    packet_finish_lengths(packet);
    host_receive(sender->bench->iface, packet);
    tcp_bench_run(sender->bench, 0);
}

static void
note_sent(Sender *sender)
{
    Packet *last = g_queue_peek_tail(sender->bench->sent);

    if (last && (last->tcp.options & TCPOPT_HAS_TS))
        sender->ts_echo = last->tcp.tsval;
}

Sender *
sender_new(SenderParams params)
{
    Sender *sender = g_new0(Sender, 1);
    Packet *syn_ack;

    sender->bench = tcp_bench_new(params.profile);
    for (const char *const *p = params.tunables; p && p[0]; p += 2)
        tcp_bench_set(sender->bench, p[0], p[1]);
    sender->wnd = params.wnd ? params.wnd : 65536;
    tcp_bench_connect(sender->bench);
    note_sent(sender);
    tcp_bench_run(sender->bench, params.rtt ? params.rtt : 100 * SIM_MS);
    sender->ts = params.ts;
    syn_ack = packet_from_peer(sender, TCP_SYN | TCP_ACK, 0, 1);
    syn_ack->tcp.wnd = (uint16_t)MIN(sender->wnd, 65535u);
    syn_ack->tcp.options |= TCPOPT_HAS_MSS | TCPOPT_HAS_WSCALE;
    syn_ack->tcp.mss = params.mss ? params.mss : 1460;
    syn_ack->tcp.wscale = PEER_WSCALE;
    if (params.sack)
        syn_ack->tcp.options |= TCPOPT_HAS_SACK_OK;
    deliver(sender, syn_ack);
    deliver(sender, packet_from_peer(sender, TCP_ACK, 1, 1));
    tcp_bench_skip(sender->bench);
    sender->conn = sock_tcp(sender->bench->sock);
    g_assert_nonnull(sender->conn);
    g_assert_cmpint(sender->conn->state, ==, TCP_ESTABLISHED);
    return sender;
}

void
sender_free(Sender *sender)
{
    tcp_bench_free(sender->bench);
    g_free(sender);
}

int64_t
sender_send(Sender *sender, size_t len, unsigned flags)
{
    int64_t taken = tcp_send(sender->conn, NULL, len, flags);

    tcp_bench_run(sender->bench, 0);
    return taken;
}

void
sender_write(Sender *sender, size_t len)
{
    g_assert_cmpint(sender_send(sender, len, 0), ==, (int64_t)len);
}

void
sender_ack_echo(Sender *sender, uint32_t ack, const char *sacks, uint32_t tsecr)
{
    Packet *packet = packet_from_peer(sender, TCP_ACK, 1, ack);
    unsigned start, end;
    int used;

    packet->tcp.tsecr = tsecr;
    while (sacks && sscanf(sacks, " %u:%u%n", &start, &end, &used) == 2) {
        g_assert_cmpuint(packet->tcp.n_sacks, <, TCP_MAX_SACK_BLOCKS);
        packet->tcp.sacks[packet->tcp.n_sacks++] = (SackBlock){
            .start = sender->bench->iss + start,
            .end = sender->bench->iss + end,
        };
        sacks += used;
    }
    deliver(sender, packet);
}

void
sender_ack(Sender *sender, uint32_t ack, const char *sacks)
{
    sender_ack_echo(sender, ack, sacks, sender->ts_echo);
}

void
sender_run(Sender *sender, SimTime by)
{
    tcp_bench_run(sender->bench, by);
}

void
sender_expect(Sender *sender, uint32_t from, uint32_t to)
{
    uint32_t at = from;

    note_sent(sender);
    do {
        Packet *packet = g_queue_pop_head(sender->bench->sent);
        uint32_t seq, len;

        if (!packet)
            g_error("expected %u:%u, found silence at %u", from, to, at);
        seq = packet->tcp.seq - sender->bench->iss;
        len = packet->payload.len;
        if (seq != at || seq + len > to)
            g_error("expected %u:%u, found %u:%u at %u", from, to, seq, seq + len, at);
        at += len;
        sender->last_flags = packet->tcp.flags;
        packet_free(&sender->bench->net->packets, packet);
    } while (at != to);
}

void
sender_expect_silence(Sender *sender)
{
    Packet *packet = g_queue_peek_head(sender->bench->sent);

    if (packet)
        g_error("expected silence, found %u:%u", packet->tcp.seq - sender->bench->iss,
                packet->tcp.seq - sender->bench->iss + packet->payload.len);
}

SimTime
sender_await(Sender *sender, uint32_t from, uint32_t to)
{
    TcpBench *bench = sender->bench;
    SimTime began = sim_now(bench->sim);

    sender_expect_silence(sender);
    while (g_queue_is_empty(bench->sent) && sim_now(bench->sim) < began + 3600 * SIM_SEC) {
        if (!sim_step(bench->sim))
            break;
    }
    sender_expect(sender, from, to);
    return sim_now(bench->sim) - began;
}

uint64_t
sender_counter(const Sender *sender, MibCounter counter)
{
    return sender->bench->host->mib[counter];
}

void
sender_expect_window(const Sender *sender, TcpCaState state, uint32_t cwnd, uint32_t ssthresh)
{
    g_assert_cmpuint(sender->conn->sender->w.ca_state, ==, state);
    g_assert_cmpuint(sender->conn->sender->w.cwnd, ==, cwnd);
    g_assert_cmpuint(sender->conn->sender->w.ssthresh, ==, ssthresh);
}
