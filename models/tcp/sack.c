/* Incoming SACK blocks (RFC 2018), D-SACK first (RFC 2883). Blocks are checked
 * against what was sent; entries that a block covers in part are cut at
 * segment boundaries; neighbouring SACKed entries are made one. */
#include "models/tcp/ack.h"

/* How many segments a D-SACK reports; 0: it makes no sense. */
static uint32_t
dsack_segments(TcpConn *conn, AckState *ack, SackBlock block)
{
    uint32_t len = block.end - block.start, segs = 1;

    if (!seq_before(block.start, block.end) || len > conn->snd.max_wnd)
        return 0;
    if (len > conn->snd.mss)
        segs = (len + conn->snd.mss - 1) / conn->snd.mss;
    else if (conn->sender->tlp_high_seq && conn->sender->tlp_high_seq == block.end)
        ack->flags |= ACK_TLP_DSACK;
    conn->sender->dsack_dups += segs;
    if (conn->sender->dsack_dups > conn->sender->total_retrans)
        return 0; /* the network duplicates, not we */
    if (conn->sender->reord_seen && !(ack->flags & ACK_TLP_DSACK))
        conn->sender->rack.dsack_seen = true;
    ack->flags |= ACK_DSACKING;
    ack->sack_delivered += segs;
    return segs;
}

/* RFC 2883 §4: the first block is a D-SACK if it lies below SEG.ACK or within
 * the second block. */
static bool
take_dsack(TcpConn *conn, AckState *ack)
{
    const TcpHeader *h = ack->seg->h;
    SackBlock block = h->sacks[0];
    Host *host = conn->stack->host;
    uint32_t segs;

    if (seq_before(block.start, ack->seq)) {
        host_count(host, MIB_TcpExtTCPDSACKRecv);
    } else if (h->n_sacks > 1 && !seq_after(block.end, h->sacks[1].end) &&
               !seq_before(block.start, h->sacks[1].start)) {
        host_count(host, MIB_TcpExtTCPDSACKOfoRecv);
    } else {
        return false;
    }
    segs = dsack_segments(conn, ack, block);
    if (segs == 0) {
        host_count(host, MIB_TcpExtTCPDSACKIgnoredDubious);
        return false;
    }
    host_count_n(host, MIB_TcpExtTCPDSACKRecvSegs, segs);
    if (conn->sender->undo_marker && conn->sender->undo_retrans > 0 &&
        !seq_after(block.end, ack->prior_una) && seq_after(block.end, conn->sender->undo_marker))
        conn->sender->undo_retrans = MAX(0, conn->sender->undo_retrans - (int32_t)segs);
    return true;
}

static bool
block_is_valid(const TcpConn *conn, SackBlock block, bool is_dsack)
{
    if (seq_after(block.end, conn->snd.nxt) || !seq_before(block.start, block.end) ||
        !seq_before(block.start, conn->snd.nxt))
        return false;
    if (seq_after(block.start, conn->snd.una))
        return true;
    if (!is_dsack || !conn->sender->undo_marker || seq_after(block.end, conn->snd.una))
        return false;
    if (!seq_before(block.start, conn->sender->undo_marker))
        return true;
    if (!seq_after(block.end, conn->sender->undo_marker))
        return false;
    return !seq_before(block.start, block.end - conn->snd.max_wnd);
}

/* Why a block that makes no sense was ignored: only the counters care. */
static void
count_invalid(TcpConn *conn, const AckState *ack, SackBlock block, bool is_dsack)
{
    Host *host = conn->stack->host;

    if (is_dsack)
        host_count(host, conn->sender->undo_marker ? MIB_TcpExtTCPDSACKIgnoredOld
                                                   : MIB_TcpExtTCPDSACKIgnoredNoUndo);
    else if (ack->seq == conn->snd.una || seq_after(block.end, conn->snd.una))
        host_count(host, MIB_TcpExtTCPSACKDiscard);
}

/* Tags one entry, all of which a block covers. */
static void
tag_entry(TcpConn *conn, AckState *ack, TcpTxSeg *seg, bool is_dsack)
{
    if (is_dsack && (seg->tags & TX_REPEATED)) {
        if (conn->sender->undo_marker && conn->sender->undo_retrans > 0 &&
            seq_after(seg->end_seq, conn->sender->undo_marker))
            conn->sender->undo_retrans = MAX(0, conn->sender->undo_retrans - (int32_t)seg->pcount);
        if ((seg->tags & TX_SACKED) && seq_before(seg->seq, ack->reord))
            ack->reord = seg->seq;
    }
    if (!seq_after(seg->end_seq, conn->snd.una))
        return;
    if (!(seg->tags & TX_SACKED)) {
        tcp_rack_advance(conn, seg);
        if (seg->tags & TX_RETRANS) {
            /* Not marked lost: the retransmission is taken to be still out. */
            if (seg->tags & TX_LOST) {
                seg->tags &= (uint8_t) ~(TX_LOST | TX_RETRANS);
                conn->sender->lost_out -= seg->pcount;
                conn->sender->retrans_out -= seg->pcount;
            }
        } else {
            if (!(seg->tags & TX_REPEATED)) {
                /* Below the highest SACK and never sent again: it was late. */
                if (seq_before(seg->seq, tcp_highest_sack(conn)) &&
                    seq_before(seg->seq, ack->reord))
                    ack->reord = seg->seq;
                if (!seq_after(seg->end_seq, conn->sender->high_seq))
                    ack->flags |= ACK_ORIG_SACKED;
                if (ack->first_sacked_at < 0)
                    ack->first_sacked_at = seg->sent_at;
                ack->last_sacked_at = seg->sent_at;
            }
            if (seg->tags & TX_LOST) {
                seg->tags &= (uint8_t)~TX_LOST;
                conn->sender->lost_out -= seg->pcount;
            }
        }
        if (!conn->sender->sacked_out || seq_after(seg->end_seq, conn->sender->highest_sack))
            conn->sender->highest_sack = seg->end_seq;
        seg->tags |= TX_SACKED;
        ack->flags |= ACK_DATA_SACKED;
        conn->sender->sacked_out += seg->pcount;
        ack->sack_delivered += seg->pcount;
        tcp_rate_delivered(conn, seg, &ack->rate);
    }
    if (is_dsack && (seg->tags & TX_RETRANS)) {
        seg->tags &= (uint8_t)~TX_RETRANS;
        conn->sender->retrans_out -= seg->pcount;
    }
}

/* Cuts entry `index` so that the block covers whole segments of it. True: it
 * covers all of entry `*index` now (which may be the next one). */
static bool
match_entry(TcpConn *conn, uint32_t *index, SackBlock block)
{
    TcpTxSeg *seg = tcp_tx_at(conn, *index);
    bool starts_in = !seq_after(block.start, seg->seq);
    uint32_t mss = seg->mss, len = tcp_tx_len(seg), cut;

    if (starts_in && !seq_before(block.end, seg->end_seq))
        return true;
    if (seg->pcount <= 1 || !seq_after(seg->end_seq, block.start))
        return false;
    if (starts_in) {
        cut = (block.end - seg->seq) / mss * mss;
        if (cut == 0 || cut >= len)
            return false;
        tcp_tx_cut(conn, *index, cut, mss);
        return true;
    }
    cut = MAX((block.start - seg->seq + mss - 1) / mss * mss, mss);
    if (cut >= len)
        return false;
    tcp_tx_cut(conn, *index, cut, mss);
    ++*index;
    return match_entry(conn, index, block);
}

/* Joins a SACKed entry to a SACKed one before it: what is known about both is
 * the same from now on. True: it is gone into the previous one. */
static bool
merge_into_previous(TcpConn *conn, uint32_t index)
{
    TcpTxSeg *seg = tcp_tx_at(conn, index), *previous;

    if (index == 0)
        return false;
    previous = tcp_tx_at(conn, index - 1);
    if ((previous->tags & TX_TAGS) != TX_SACKED || (seg->tags & TX_TAGS) != TX_SACKED ||
        previous->eor || (seg->flags & TCP_FIN) || previous->mss != seg->mss ||
        tcp_tx_len(previous) % previous->mss || previous->pcount + seg->pcount > UINT16_MAX)
        return false;
    previous->end_seq = seg->end_seq;
    previous->pcount += seg->pcount;
    previous->flags |= seg->flags;
    previous->tags |= seg->tags & TX_EVER_RETRANS;
    previous->eor = seg->eor;
    previous->sent_at = MAX(previous->sent_at, seg->sent_at);
    previous->serial = MAX(previous->serial, seg->serial);
    tcp_tx_remove(conn, index);
    host_count(conn->stack->host, MIB_TcpExtTCPSackMerged);
    return true;
}

static void
tag_block(TcpConn *conn, AckState *ack, SackBlock block, const SackBlock *dsack)
{
    uint32_t i = tcp_tx_find(conn, block.start);

    while (i < tcp_tx_n_sent(conn)) {
        TcpTxSeg *seg = tcp_tx_at(conn, i);
        bool is_dup = false, covers = false;

        if (!seq_before(seg->seq, block.end))
            break;
        if ((seg->tags & TX_SACKED) && !dsack) { /* nothing new here */
            i++;
            continue;
        }
        if (dsack && seq_before(seg->seq, dsack->end)) {
            covers = match_entry(conn, &i, *dsack);
            is_dup = covers;
        }
        if (!covers)
            covers = match_entry(conn, &i, block);
        if (covers) {
            tag_entry(conn, ack, tcp_tx_at(conn, i), is_dup);
            if (merge_into_previous(conn, i))
                continue;
        }
        i++;
    }
}

void
tcp_sack_tag(TcpConn *conn, AckState *ack)
{
    const TcpHeader *h = ack->seg->h;
    SackBlock blocks[TCP_MAX_SACK_BLOCKS], dsack = { 0 };
    bool has_dsack, dsack_used = false;
    unsigned n = 0;

    tcp_sender_own(conn);
    ack->reord = conn->snd.nxt;
    has_dsack = take_dsack(conn, ack);
    if (has_dsack)
        dsack = h->sacks[0];
    if (seq_before(ack->seq, ack->prior_una - conn->snd.max_wnd) || conn->sender->packets_out == 0)
        goto out;
    for (unsigned i = 0; i < h->n_sacks; i++) {
        bool is_dsack = i == 0 && has_dsack;

        if (!block_is_valid(conn, h->sacks[i], is_dsack)) {
            count_invalid(conn, ack, h->sacks[i], is_dsack);
            continue;
        }
        if (!seq_after(h->sacks[i].end, ack->prior_una))
            continue;
        dsack_used |= is_dsack;
        blocks[n] = h->sacks[i]; /* in sequence order */
        for (unsigned j = n++; j > 0 && seq_before(blocks[j].start, blocks[j - 1].start); j--) {
            SackBlock swap = blocks[j];

            blocks[j] = blocks[j - 1];
            blocks[j - 1] = swap;
        }
    }
    for (unsigned i = 0; i < n; i++)
        tag_block(conn, ack, blocks[i],
                  dsack_used && seq_before(dsack.start, blocks[i].end) &&
                          seq_after(dsack.end, blocks[i].start)
                      ? &dsack
                      : NULL);
    if (conn->sender->w.ca_state != TCP_CA_LOSS || conn->sender->undo_marker)
        tcp_check_reordering(conn, ack->reord, false);
out:
    tcp_count_delivered(conn, ack->sack_delivered);
}
