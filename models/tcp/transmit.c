/* From the queue to the network layer: headers, options, counters. A burst
 * leaves as single segments, cut as a NIC or Linux's GSO would cut it. */
#include "models/tcp/ack.h"
#include "models/tcp/delack.h"
#include "models/tcp/ecn.h"
#include "models/tcp/output.h"
#include "models/tcp/rcvwindow.h"
#include "models/tcp/timestamps.h"

/* The IP side of every segment of this connection. */
static void
fill_ip(TcpConn *conn, Packet *packet)
{
    uint8_t discover = conn->opt.mtu_discover;

    packet->conn = conn->id;
    packet->ip.src = conn->entry.tuple.local;
    packet->ip.dst = conn->entry.tuple.remote;
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.tos = conn->opt.tos;
    packet->ip.ttl = conn->opt.ttl;
    packet->ip.id = conn->ip_id++;
    packet->ip.df =
        discover != PMTUDISC_DONT && (discover != PMTUDISC_WANT || !conn->path.is_locked);
    packet->tcp.sport = conn->entry.tuple.lport;
    packet->tcp.dport = conn->entry.tuple.rport;
}

/* Options of any segment after the SYN: timestamps (RFC 7323 §3.2), then as
 * many SACK blocks as fit, a D-SACK first (RFC 2883 §4). */
static void
fill_options(TcpConn *conn, TcpHeader *h)
{
    uint32_t max = TCP_MAX_SACK_BLOCKS;

    h->options = 0;
    h->n_sacks = 0;
    h->option_bytes = 0;
    if (conn->ts.ok) {
        h->options |= TCPOPT_HAS_TS;
        h->tsval = tcp_ts_value(conn);
        h->tsecr = conn->ts.recent;
        h->option_bytes = 12;
        max = TCP_MAX_SACK_BLOCKS - 1;
    }
    if (__builtin_expect(conn->ack.n_sacks || conn->ack.dsack.start != conn->ack.dsack.end, 0)) {
        if (conn->ack.dsack.start != conn->ack.dsack.end) {
            h->sacks[h->n_sacks++] = conn->ack.dsack;
            conn->ack.dsack.end = conn->ack.dsack.start;
        }
        for (uint32_t i = 0; i < conn->ack.n_sacks && h->n_sacks < max; i++)
            h->sacks[h->n_sacks++] = conn->ack.sacks[i];
        h->option_bytes = tcp_options_bytes(h);
    }
}

/* RFC 9293 §3.8.5: the urgent pointer, as far ahead as 16 bits reach. */
static void
fill_urgent(const TcpConn *conn, TcpHeader *h)
{
    uint32_t ahead = conn->snd.up - h->seq;

    if (!seq_before(h->seq, conn->snd.up))
        return;
    if (ahead < 0x10000) {
        h->urg = (uint16_t)ahead;
        h->flags |= TCP_URG;
    } else if (seq_after(h->seq + 0xffff, conn->snd.nxt)) {
        h->urg = 0xffff;
        h->flags |= TCP_URG;
    }
}

/* Everything but sequence number, flags and payload is as in the TCB now. */
static int
send_packet(TcpConn *conn, Packet *packet, bool is_new_data)
{
    Host *host = conn->stack->host;
    TcpHeader *h = &packet->tcp;

    packet->ip.total_len = (uint16_t)(ip_header_bytes(packet->ip.dst) + TCP_HEADER_BYTES +
                                      h->option_bytes + packet->payload.len);
    if (conn->ecn.flags)
        packet->ip.tos |=
            tcp_ecn_on_transmit(conn, packet->payload.len > 0, is_new_data, &h->flags);
    conn->segs_out++;
    host_count(host, MIB_TcpOutSegs);
    int result = ip_output(host, packet);

    if (__builtin_expect(result == IFACE_REFUSED, 0))
        tcp_enter_cwr(conn); /* Linux: a full queue of the host is congestion */
    return result;
}

/* The window is chosen, and what an outgoing ACK settles is settled. */
static uint16_t
take_window(TcpConn *conn, uint16_t flags)
{
    uint16_t wnd;

    if (flags & TCP_SYN)
        return (uint16_t)MIN(conn->rcv.wnd, 65535u);
    wnd = tcp_window_select(conn);
    if (flags & TCP_ACK)
        tcp_ack_sent(conn);
    return wnd;
}

int
tcp_transmit(TcpConn *conn, Packet *packet, uint32_t seq, uint16_t flags, const char *rule)
{
    TcpHeader *h = &packet->tcp;

    fill_ip(conn, packet);
    packet->why = rule;
    h->seq = seq;
    h->flags = flags;
    h->ack = flags & TCP_ACK ? conn->rcv.nxt : 0;
    h->urg = 0;
    if (__builtin_expect(conn->snd.urgent, 0))
        fill_urgent(conn, h); /* news of it needs no room in the window */
    fill_options(conn, h);
    h->wnd = take_window(conn, flags);
    return send_packet(conn, packet, false);
}

int
tcp_transmit_ack(TcpConn *conn, uint32_t seq, const char *what, const char *rule)
{
    Packet *packet = packet_new_tcp(conn->stack->host->packets);

    packet->payload = (Payload){ 0 };
    if (what)
        tcp_verdict(conn->stack, conn->id, VERDICT_RETRANSMIT, packet->id, what, rule);
    return tcp_transmit(conn, packet, seq, TCP_ACK, rule);
}

/* SND.NXT; but a peer that took its window back would drop that as beyond it,
 * and what it acknowledges too: then the window's end, where Linux puts it. Less
 * than a unit of the window's scale is rounding. */
uint32_t
tcp_acceptable_seq(const TcpConn *conn)
{
    uint32_t end = tcp_wnd_end(conn), nxt = conn->snd.nxt;

    if (!seq_before(end, nxt) || (conn->wscale_ok && nxt - end < 1u << conn->rcv.wscale))
        return nxt;
    return end;
}

void
tcp_send_ack(TcpConn *conn, const char *rule)
{
    if (conn->state != TCP_CLOSED)
        tcp_transmit_ack(conn, tcp_acceptable_seq(conn), NULL, rule);
}

int
tcp_transmit_syn(TcpConn *conn, const TcpTxSeg *seg, uint32_t data_len, const char *what,
                 const char *rule)
{
    Packet *packet = packet_new_tcp(conn->stack->host->packets);
    TcpHeader *h = &packet->tcp;
    bool is_synack = seg->flags & TCP_ACK;

    fill_ip(conn, packet);
    packet->payload = (Payload){ 0 };
    if (data_len)
        packet->payload = (Payload){ .stream = conn->snd.stream, .len = data_len };
    packet->why = rule;
    if (what) {
        packet->flags |= PACKET_RETRANSMIT;
        tcp_verdict(conn->stack, conn->id, VERDICT_RETRANSMIT, packet->id, what, rule);
    }
    h->seq = seg->seq;
    h->flags = seg->flags;
    h->ack = is_synack ? conn->rcv.nxt : 0;
    h->urg = 0;
    tcp_fill_syn_options(conn, h, is_synack);
    h->option_bytes = tcp_options_bytes(h);
    h->wnd = take_window(conn, TCP_SYN);
    packet->ip.total_len =
        (uint16_t)(ip_header_bytes(packet->ip.dst) + TCP_HEADER_BYTES + h->option_bytes + data_len);
    conn->segs_out++;
    host_count(conn->stack->host, MIB_TcpOutSegs);
    return ip_output(conn->stack->host, packet);
}

/* One of the segments of a burst. */
static Packet *
new_data_packet(TcpConn *conn, uint32_t seq, uint32_t len, const TcpHeader *pattern)
{
    Packet *packet = packet_new_tcp(conn->stack->host->packets);
    uint32_t data_end = conn->snd.write_seq - conn->snd.has_fin;

    fill_ip(conn, packet);
    packet->tcp.seq = seq;
    packet->tcp.ack = conn->rcv.nxt;
    packet->tcp.flags = TCP_ACK;
    packet->tcp.wnd = pattern->wnd;
    packet->tcp.urg = 0;
    packet->tcp.options = pattern->options;
    packet->tcp.option_bytes = pattern->option_bytes;
    packet->tcp.tsval = pattern->tsval;
    packet->tcp.tsecr = pattern->tsecr;
    packet->tcp.n_sacks = pattern->n_sacks;
    for (uint32_t i = 0; i < pattern->n_sacks; i++)
        packet->tcp.sacks[i] = pattern->sacks[i];
    packet->payload = (Payload){ .offset = conn->snd.written - (data_end - seq),
                                 .stream = len ? conn->snd.stream : 0,
                                 .len = len };
    return packet;
}

static int
transmit_data(TcpConn *conn, TcpTxSeg *seg, const char *what, const char *rule)
{
    uint32_t seq = seg->seq, left = tcp_tx_len(seg);
    uint32_t pieces = seg->pcount;
    bool is_new = what == NULL;
    int result = 0;
    TcpHeader pattern;

    fill_options(conn, &pattern);
    pattern.wnd = take_window(conn, TCP_ACK);
    for (uint32_t i = 0; i < pieces; i++) {
        uint32_t len = i + 1 < pieces ? seg->mss : left;
        Packet *packet = new_data_packet(conn, seq, len, &pattern);

        packet->why = rule;
        if (i > 0)
            packet->flags |= PACKET_BURST_REST;
        if (i + 1 == pieces) {
            packet->tcp.flags |= seg->flags & (TCP_PSH | TCP_FIN);
            /* The last segment of a burst is pushed, so that a receiver that
             * gathers segments (GRO) hands them on (Linux). */
            if (pieces > 1) {
                packet->tcp.flags |= TCP_PSH;
                packet->flags |= PACKET_GSO_TAIL;
            }
        }
        if (!is_new) {
            packet->flags |= PACKET_RETRANSMIT;
            tcp_verdict(conn->stack, conn->id, VERDICT_RETRANSMIT, packet->id, what, rule);
        }
        if (conn->snd.urgent)
            fill_urgent(conn, &packet->tcp);
        result |= send_packet(conn, packet, is_new);
        seq += len;
        left -= len;
    }
    return result;
}

int
tcp_transmit_seg(TcpConn *conn, uint32_t index, const char *what, const char *rule)
{
    TcpTxSeg *seg = tcp_tx_at(conn, index);
    uint32_t len = tcp_tx_len(seg);
    SimTime paced_until = conn->sender->paced_until;
    int result;

    seg->sent_at = tcp_pacing_departure(conn, len);
    seg->serial = ++conn->sender->tx_serial;
    if (seg->flags & TCP_SYN)
        return tcp_transmit_syn(conn, seg, 0, what, rule);
    if (len) {
        tcp_rate_sent(conn, seg);
        conn->data_segs_out += seg->pcount;
        conn->bytes_sent += len;
        if (tcp_packets_in_flight(conn) == 0)
            tcp_cc_event(conn, CC_EVENT_TX_START);
        tcp_data_sent(conn);
    }
    result = transmit_data(conn, seg, what, rule);
    if (__builtin_expect(result != 0, 0))
        conn->sender->paced_until = paced_until; /* nothing left that would take time */
    return result;
}
