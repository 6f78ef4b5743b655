/* Packetization-layer path MTU discovery (RFC 4821), tcp_mtu_probing: finds a
 * path's MTU without ICMP, by sending now and then one larger segment. Mode 1
 * begins after repeated timeouts of full segments, mode 2 at once. */
#include "models/tcp/ack.h"

/* The largest that the peer takes: where every search ends. */
static uint16_t
clamp_mtu(const TcpConn *conn)
{
    uint32_t headers = ip_header_bytes(conn->entry.tuple.remote) + TCP_HEADER_BYTES;

    return (uint16_t)(conn->snd.mss_clamp + headers);
}

void
tcp_mtu_probing_init(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;

    conn->path.probing = params->mtu_probing > 1;
    conn->path.search_high = clamp_mtu(conn);
    conn->path.search_low = (uint16_t)tcp_mss_to_mtu(conn, params->base_mss);
    conn->path.probe_size = 0;
    if (conn->path.probing)
        conn->path.probe_at = tcp_now(conn);
}

void
tcp_mtu_black_hole(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;

    if (!params->mtu_probing)
        return;
    if (!conn->path.probing) {
        conn->path.probing = true;
        conn->path.probe_at = tcp_now(conn);
    } else {
        uint32_t mss = tcp_mtu_to_mss(conn, conn->path.search_low) / 2;

        mss = MAX(MAX(mss, params->mtu_probe_floor), params->min_snd_mss);
        conn->path.search_low = (uint16_t)tcp_mss_to_mtu(conn, mss);
    }
    tcp_sync_mss(conn, conn->path.mtu);
}

/* The search ended long ago: the path may have changed. */
static void
check_reprobe(TcpConn *conn)
{
    const TcpParams *params = conn->stack->params;
    SimTime now = tcp_now(conn);

    if (now - conn->path.probe_at < params->probe_interval_s * SIM_SEC)
        return;
    conn->path.probe_size = 0;
    conn->path.search_high = clamp_mtu(conn);
    conn->path.search_low = (uint16_t)tcp_mss_to_mtu(conn, tcp_current_mss(conn));
    conn->path.probe_at = now;
}

/* Makes the first unsent entry exactly `size` bytes, of the ones that follow.
 * False: a boundary that must be kept is in the way. */
static bool
gather_probe(TcpConn *conn, uint32_t size)
{
    uint32_t index = conn->tx->n_sent, have = 0;

    for (uint32_t i = index; i < conn->tx->count && have < size; i++) {
        const TcpTxSeg *seg = tcp_tx_at(conn, i);

        have += tcp_tx_len(seg);
        if (have < size && seg->eor)
            return false;
    }
    if (have < size)
        return false;
    for (;;) {
        TcpTxSeg *seg = tcp_tx_at(conn, index), *next;
        uint32_t len = tcp_tx_len(seg), moved;

        if (len > size)
            tcp_tx_cut(conn, index, size, size);
        if (len >= size)
            break;
        next = tcp_tx_at(conn, index + 1);
        moved = MIN(size - len, tcp_tx_len(next));
        seg->end_seq += moved;
        next->seq += moved;
        if (tcp_tx_len(next) == 0) {
            seg->flags |= next->flags;
            seg->end_seq = next->end_seq;
            seg->eor = next->eor;
            tcp_tx_remove(conn, index + 1);
        }
    }
    return true;
}

/* False: it did not leave the host. */
static bool
send_mtu_probe(TcpConn *conn, uint32_t size)
{
    TcpTxSeg *seg = tcp_tx_next_unsent(conn);

    tcp_tx_set_pcount(seg, size);
    if (tcp_transmit_seg(conn, conn->tx->n_sent, NULL, "RFC 4821 §7.2"))
        return false;
    conn->sender->w.cwnd--; /* it is worth two */
    seg = tcp_tx_next_unsent(conn);
    conn->path.probe_size = (uint16_t)tcp_mss_to_mtu(conn, size);
    conn->path.probe_seq_start = seg->seq;
    conn->path.probe_seq_end = seg->end_seq;
    tcp_new_data_sent(conn);
    return true;
}

int
tcp_mtu_probe(TcpConn *conn)
{
    uint32_t size, needed, in_flight, cwnd = conn->sender->w.cwnd;

    if (conn->path.probe_size || conn->sender->w.ca_state != TCP_CA_OPEN || cwnd < 11 ||
        conn->ack.n_sacks || conn->ack.dsack.start != conn->ack.dsack.end)
        return -1;
    size = tcp_mtu_to_mss(conn, ((uint32_t)conn->path.search_high + conn->path.search_low) / 2);
    if (size > tcp_mtu_to_mss(conn, conn->path.search_high) ||
        conn->path.search_high - conn->path.search_low <
            (int)conn->stack->params->probe_threshold) {
        check_reprobe(conn);
        return -1;
    }
    /* Enough behind it, so that its loss shows by duplicates. */
    needed = size + (conn->sender->reordering + 1) * conn->snd.mss;
    if (conn->snd.write_seq - conn->snd.nxt < needed || conn->snd.wnd < needed)
        return -1;
    if (seq_after(conn->snd.nxt + needed, tcp_wnd_end(conn)))
        return 0;
    in_flight = tcp_packets_in_flight(conn);
    if (in_flight + 2 > cwnd)
        return in_flight ? 0 : -1;
    if (!tcp_tx_next_unsent(conn) || !gather_probe(conn, size))
        return -1;
    return send_mtu_probe(conn, size) ? 1 : -1;
}

void
tcp_mtu_probe_succeeded(TcpConn *conn)
{
    uint64_t cwnd = (uint64_t)conn->sender->w.cwnd * tcp_mss_to_mtu(conn, conn->snd.mss);

    /* As many bytes as before, in larger segments. */
    conn->sender->w.cwnd = (uint32_t)MAX(cwnd / conn->path.probe_size, 1u);
    conn->sender->w.cwnd_cnt = 0;
    conn->sender->cwnd_stamp = tcp_now(conn);
    conn->path.search_low = conn->path.probe_size;
    conn->path.probe_size = 0;
    tcp_sync_mss(conn, conn->path.mtu);
    host_count(conn->stack->host, MIB_TcpExtTCPMTUPSuccess);
}

void
tcp_mtu_probe_failed(TcpConn *conn)
{
    conn->path.search_high = conn->path.probe_size - 1;
    conn->path.probe_size = 0;
    host_count(conn->stack->host, MIB_TcpExtTCPMTUPFail);
}
