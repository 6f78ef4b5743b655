/* Loss recovery without SACK (RFC 6582): each duplicate ACK stands for one
 * segment that has left the network, whichever it was. */
#include "models/tcp/ack.h"

/* There is at least one hole, so not everything out can have been received.
 * True: the count had to be cut, which is a sign of reordering. */
bool
tcp_reno_limit(TcpConn *conn)
{
    uint32_t holes = MIN(MAX(conn->sender->lost_out, 1u), conn->sender->packets_out);

    if (conn->sender->sacked_out + holes <= conn->sender->packets_out)
        return false;
    conn->sender->sacked_out = conn->sender->packets_out - holes;
    return true;
}

static void
check_reordering(TcpConn *conn, uint32_t addend)
{
    if (!tcp_reno_limit(conn))
        return;
    conn->sender->reordering =
        MIN(conn->sender->packets_out + addend, conn->stack->params->max_reordering);
    conn->sender->reord_seen++;
    host_count(conn->stack->host, MIB_TcpExtTCPRenoReorder);
}

void
tcp_reno_add_dups(TcpConn *conn, unsigned dups)
{
    uint32_t before = conn->sender->sacked_out;

    if (!dups)
        return;
    conn->sender->sacked_out += dups;
    check_reordering(conn, 0);
    if (conn->sender->sacked_out > before)
        tcp_count_delivered(conn, conn->sender->sacked_out - before);
}

void
tcp_reno_acked(TcpConn *conn, uint32_t segs)
{
    if (segs == 0)
        return;
    /* One filled the hole; the others were counted by duplicates before. */
    tcp_count_delivered(conn,
                        segs > conn->sender->sacked_out + 1 ? segs - conn->sender->sacked_out : 1);
    if (segs - 1 >= conn->sender->sacked_out)
        conn->sender->sacked_out = 0;
    else
        conn->sender->sacked_out -= segs - 1;
    check_reordering(conn, segs);
}

void
tcp_reno_reset(TcpConn *conn)
{
    conn->sender->sacked_out = 0;
}

void
tcp_reno_mark_lost(TcpConn *conn, bool una_advanced)
{
    TcpTxSeg *head = tcp_tx_first_sent(conn);
    uint8_t state = conn->sender->w.ca_state;

    /* Three duplicates (RFC 5681 §3.2), or a partial ACK (RFC 6582 §3.2). */
    if (!((state < TCP_CA_RECOVERY && conn->sender->sacked_out >= conn->sender->reordering) ||
          (state == TCP_CA_RECOVERY && una_advanced)) ||
        head->tags & TX_LOST)
        return;
    if (head->pcount > 1 && tcp_tx_len(head) > head->mss) {
        tcp_tx_cut(conn, 0, head->mss, head->mss);
        head = tcp_tx_at(conn, 0);
    }
    tcp_mark_lost(conn, head);
}
