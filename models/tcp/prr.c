/* Proportional rate reduction (RFC 6937, with the bound of its successor
 * draft): while a reduction lasts, what leaves is in proportion to what
 * arrived, so that in flight ends at ssthresh. */
#include "models/tcp/ack.h"

void
tcp_prr_update(TcpConn *conn, uint32_t delivered, uint32_t lost, uint32_t flags)
{
    uint32_t in_flight = tcp_packets_in_flight(conn);
    int64_t room = (int64_t)conn->sender->w.ssthresh - in_flight, send;

    if (delivered == 0 || conn->sender->w.prior_cwnd == 0)
        return;
    if (!conn->stack->params->prr) {
        /* RFC 6675 §5: straight to ssthresh (4.2), and the first retransmission goes
         * whatever is in flight (4.3). */
        conn->sender->w.cwnd =
            MAX(conn->sender->w.ssthresh, conn->sender->prr_out ? 1 : in_flight + 1);
        return;
    }
    conn->sender->prr_delivered += delivered;
    if (room < 0) {
        uint64_t share = (uint64_t)conn->sender->w.ssthresh * conn->sender->prr_delivered +
                         conn->sender->w.prior_cwnd - 1;

        send = (int64_t)(share / conn->sender->w.prior_cwnd) - conn->sender->prr_out;
    } else {
        send =
            MAX((int64_t)conn->sender->prr_delivered - conn->sender->prr_out, (int64_t)delivered);
        /* Progress without new losses: grow as slow start does, a segment more. */
        if ((flags & ACK_UNA_ADVANCED) && !lost)
            send++;
        send = MIN(room, send);
    }
    /* The first retransmission goes at once. */
    send = MAX(send, conn->sender->prr_out ? 0 : 1);
    conn->sender->w.cwnd = (uint32_t)(in_flight + send);
}
