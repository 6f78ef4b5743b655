/* An ACK in state Loss, after an RTO: was the timeout spurious? F-RTO (RFC
 * 5682, SACK-enhanced) finds out by sending new data after the first
 * retransmission: when data that was never sent again is acknowledged, the
 * originals had only been late. */
#include "models/tcp/ack.h"

/* True: the question is settled or open, nothing else to do now. */
static bool
frto_step(TcpConn *conn, AckState *ack, bool is_over)
{
    if ((ack->flags & ACK_ORIG_SACKED) && tcp_undo_loss(conn, ack, true))
        return true; /* step 3.b */
    if (seq_after(conn->snd.nxt, conn->sender->high_seq)) {
        if ((ack->flags & ACK_DATA_SACKED) || ack->dup_acks)
            conn->sender->frto = false; /* step 3.a: the loss was real */
        return false;
    }
    if (!(ack->flags & ACK_UNA_ADVANCED) || is_over)
        return false;
    conn->sender->high_seq = conn->snd.nxt;
    if (tcp_tx_next_unsent(conn) && seq_after(tcp_wnd_end(conn), conn->snd.nxt)) {
        ack->rexmit = REXMIT_NEW; /* step 2.b */
        return true;
    }
    conn->sender->frto = false;
    return false;
}

void
tcp_loss_ack(TcpConn *conn, AckState *ack)
{
    bool is_over = !seq_before(conn->snd.una, conn->sender->high_seq);

    if ((ack->flags & ACK_UNA_ADVANCED) && tcp_undo_loss(conn, ack, false))
        return;
    if (conn->sender->frto && frto_step(conn, ack, is_over))
        return;
    if (is_over) {
        tcp_undo_recovery(conn, ack);
        return;
    }
    if (!conn->sack_ok) {
        /* A duplicate says that new data of step 2.b has arrived. */
        if (seq_after(conn->snd.nxt, conn->sender->high_seq) && ack->dup_acks)
            tcp_reno_add_dups(conn, ack->dup_acks);
        else if (ack->flags & ACK_UNA_ADVANCED)
            tcp_reno_reset(conn);
    }
    ack->rexmit = REXMIT_LOST;
}
