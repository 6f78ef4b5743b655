#include "models/tcp/reassembly_internal.h"

#include "models/tcp/delack.h"
#include "models/tcp/rcvwindow.h"
#include "models/tcp/rxqueue.h"

typedef union OooCell {
    OooSeg seg;
    OooRun run;
    TcpReassembly ooo;
} OooCell;

#define FIRST_DUP_ACKS 3 /* sent without compression: the sender's threshold */
#define SACKS_AT_ONCE  2 /* blocks that most ACKs can carry, with timestamps and D-SACK */

size_t
tcp_reassembly_cell_bytes(void)
{
    return sizeof(OooCell);
}

uint64_t
tcp_reassembly_memory(const TcpConn *conn)
{
    uint64_t cells = 0;

    if (conn->ooo == NULL)
        return 0;
    for (const OooRun *run = conn->ooo->first; run != NULL; run = run->next) {
        cells++;
        for (const OooSeg *seg = run->first; seg != NULL; seg = seg->next)
            cells++;
    }
    return (cells + 1) * conn->stack->shared->ooo_cells.size;
}

static void *
cell_new(TcpStack *stack)
{
    return sim_pool_get(&stack->shared->ooo_cells);
}

static void
cell_free(TcpConn *conn, void *cell)
{
    sim_pool_put(&conn->stack->shared->ooo_cells, cell);
}

/* ---- SACK blocks ---------------------------------------------------------------- */

static bool
block_extend(SackBlock *block, uint32_t start, uint32_t end)
{
    if (seq_after(start, block->end) || seq_after(block->start, end))
        return false;
    if (seq_before(start, block->start))
        block->start = start;
    if (seq_after(end, block->end))
        block->end = end;
    return true;
}

void
tcp_dsack_set(TcpConn *conn, uint32_t start, uint32_t end)
{
    if (!conn->sack_ok || !conn->stack->params->dsack)
        return;
    host_count(conn->stack->host, seq_before(start, conn->rcv.nxt) ? MIB_TcpExtTCPDSACKOldSent
                                                                   : MIB_TcpExtTCPDSACKOfoSent);
    conn->ack.dsack = (SackBlock){ start, end };
}

void
tcp_dsack_extend(TcpConn *conn, uint32_t start, uint32_t end)
{
    if (conn->ack.dsack.start == conn->ack.dsack.end)
        tcp_dsack_set(conn, start, end);
    else
        block_extend(&conn->ack.dsack, start, end);
}

/* The block grown first may now touch others. */
static void
merge_with_first(TcpConn *conn)
{
    SackBlock *blocks = conn->ack.sacks;
    unsigned n = 1;

    for (unsigned i = 1; i < conn->ack.n_sacks; i++)
        if (!block_extend(&blocks[0], blocks[i].start, blocks[i].end))
            blocks[n++] = blocks[i];
    conn->ack.n_sacks = (uint8_t)n;
}

/* RFC 2018 §4: the first block holds the segment that caused this ACK. */
static void
note_sack(TcpConn *conn, uint32_t start, uint32_t end)
{
    SackBlock *blocks = conn->ack.sacks, block = { start, end };
    unsigned i, n = conn->ack.n_sacks;
    bool is_known = false;

    if (!conn->sack_ok)
        return;
    for (i = 0; i < n; i++) {
        if (block_extend(&blocks[i], start, end)) {
            block = blocks[i];
            is_known = true;
            break;
        }
    }
    /* A block that would be pushed out of the next ACK is told before. */
    if (i >= SACKS_AT_ONCE)
        tcp_reassembly_flush_ack(conn);
    if (!is_known) {
        i = MIN(n, TCP_MAX_SACK_BLOCKS - 1);
        conn->ack.n_sacks = (uint8_t)(i + 1);
    }
    for (; i > 0; i--)
        blocks[i] = blocks[i - 1];
    blocks[0] = block;
    if (is_known && n > 1)
        merge_with_first(conn);
}

void
tcp_sacks_trim(TcpConn *conn)
{
    unsigned n = 0;

    if (!conn->ooo) {
        conn->ack.n_sacks = 0;
        return;
    }
    for (unsigned i = 0; i < conn->ack.n_sacks; i++)
        if (seq_before(conn->rcv.nxt, conn->ack.sacks[i].start))
            conn->ack.sacks[n++] = conn->ack.sacks[i];
    conn->ack.n_sacks = (uint8_t)n;
}

/* ---- Runs ------------------------------------------------------------------------- */

static void
free_segs(TcpConn *conn, OooSeg *seg)
{
    while (seg) {
        OooSeg *next = seg->next;

        conn->rcv.truesize -= seg->truesize;
        cell_free(conn, seg);
        seg = next;
    }
}

static void
unlink_run(TcpConn *conn, OooRun *run)
{
    TcpReassembly *ooo = conn->ooo;

    *(run->prev ? &run->prev->next : &ooo->first) = run->next;
    *(run->next ? &run->next->prev : &ooo->last) = run->prev;
    cell_free(conn, run);
}

static OooRun *
insert_run_after(TcpConn *conn, OooRun *prev)
{
    TcpReassembly *ooo = conn->ooo;
    OooRun *run = cell_new(conn->stack);

    run->prev = prev;
    run->next = prev ? prev->next : ooo->first;
    *(prev ? &prev->next : &ooo->first) = run;
    *(run->next ? &run->next->prev : &ooo->last) = run;
    run->first = run->last = NULL;
    return run;
}

static void
append_seg(OooRun *run, OooSeg *seg)
{
    if (run->last) {
        run->last->next = seg;
    } else {
        run->first = seg;
        run->start = seg->seq;
    }
    run->last = seg;
    run->end = seg->seq + seg->payload.len + seg->has_fin;
}

static void
join_next(TcpConn *conn, OooRun *run)
{
    OooRun *next = run->next;

    run->last->next = next->first;
    run->last = next->last;
    run->end = next->end;
    unlink_run(conn, next);
}

static void
trim_seg(OooSeg *seg, uint32_t to)
{
    uint32_t skip = MIN(to - seg->seq, seg->payload.len);

    seg->payload = payload_part(seg->payload, skip, seg->payload.len - skip);
    seg->seq += skip;
}

/* Cuts the part of run that lies left of `to`, which is inside it. */
static void
trim_run(TcpConn *conn, OooRun *run, uint32_t to)
{
    while (!seq_after(run->first->seq + run->first->payload.len + run->first->has_fin, to)) {
        OooSeg *seg = run->first;

        run->first = seg->next;
        seg->next = NULL;
        free_segs(conn, seg);
    }
    if (seq_before(run->first->seq, to))
        trim_seg(run->first, to);
    run->start = to;
}

/* What lies right of seg and came before: all that seg covers goes. */
static void
absorb_right(TcpConn *conn, OooRun *run)
{
    OooRun *next;

    while ((next = run->next) && seq_before(next->start, run->end)) {
        if (seq_before(run->end, next->end)) {
            tcp_dsack_extend(conn, next->start, run->end);
            trim_run(conn, next, run->end);
            break;
        }
        tcp_dsack_extend(conn, next->start, next->end);
        host_count(conn->stack->host, MIB_TcpExtTCPOFOMerge);
        free_segs(conn, next->first);
        unlink_run(conn, next);
    }
    if (run->next && run->next->start == run->end && !run->last->has_fin)
        join_next(conn, run);
}

/* The last run that begins at or before seq; NULL: none. The right end is
 * where most segments go, the left end where retransmissions do. */
static OooRun *
find_run(const TcpReassembly *ooo, uint32_t seq)
{
    OooRun *run = ooo->last;

    if (!run || seq_before(seq, ooo->first->start))
        return NULL;
    if (seq - ooo->first->start < run->start - seq) {
        for (run = ooo->first; run->next && !seq_after(run->next->start, seq);)
            run = run->next;
        return run;
    }
    while (run && seq_after(run->start, seq))
        run = run->prev;
    return run;
}

/* Puts seg into the right run. False: all of it was there. */
static bool
place_seg(TcpConn *conn, OooSeg *seg)
{
    uint32_t end = seg->seq + seg->payload.len + seg->has_fin;
    OooRun *run = find_run(conn->ooo, seg->seq);

    if (run && seq_before(seg->seq, run->end)) {
        if (!seq_after(end, run->end)) {
            host_count(conn->stack->host, MIB_TcpExtTCPOFOMerge);
            tcp_dsack_set(conn, seg->seq, end);
            return false;
        }
        if (seq_after(seg->seq, run->start))
            tcp_dsack_set(conn, seg->seq, run->end);
        else
            tcp_dsack_extend(conn, run->start, run->end);
        trim_seg(seg, run->end);
    }
    if (!run || run->end != seg->seq || run->last->has_fin)
        run = insert_run_after(conn, run);
    append_seg(run, seg);
    absorb_right(conn, run);
    return true;
}

bool
tcp_reassembly_add(TcpConn *conn, const TcpSegment *in, uint32_t truesize)
{
    OooSeg *seg;

    if (!conn->ooo) {
        conn->ooo = cell_new(conn->stack);
        *conn->ooo = (TcpReassembly){ .dup_nxt = conn->rcv.nxt - 1 };
        sim_timer_init(&conn->ooo->timer);
    }
    seg = cell_new(conn->stack);
    *seg = (OooSeg){
        .payload = in->payload, .seq = in->seq, .truesize = truesize, .has_fin = in->flags & TCP_FIN
    };
    if (!place_seg(conn, seg)) {
        cell_free(conn, seg);
        note_sack(conn, in->seq, in->end_seq);
        return false;
    }
    conn->rcv.truesize += truesize;
    note_sack(conn, in->seq, in->end_seq);
    return true;
}

uint32_t
tcp_reassembly_end(const TcpReassembly *ooo)
{
    return ooo->last->end;
}

bool
tcp_reassembly_is_lone_fin(const TcpConn *conn)
{
    const OooRun *run = conn->ooo ? conn->ooo->first : NULL;

    return run && !run->next && run->first == run->last && run->first->has_fin;
}

bool
tcp_reassembly_find(const TcpConn *conn, uint32_t seq, Payload *byte)
{
    for (OooRun *run = conn->ooo ? conn->ooo->first : NULL; run; run = run->next) {
        for (OooSeg *seg = run->first; seg; seg = seg->next) {
            if (seq - seg->seq < seg->payload.len) {
                *byte = payload_part(seg->payload, seq - seg->seq, 1);
                return true;
            }
        }
    }
    return false;
}

/* ---- In order at last -------------------------------------------------------------- */

/* True: the FIN too. */
static bool
drain_run(TcpConn *conn, OooRun *run)
{
    OooSeg *seg;

    while ((seg = run->first)) {
        uint32_t end = seg->seq + seg->payload.len + seg->has_fin;
        bool has_fin = seg->has_fin;

        run->first = seg->next;
        conn->rcv.truesize -= seg->truesize;
        if (seq_after(end, conn->rcv.nxt)) {
            if (seq_before(seg->seq, conn->rcv.nxt))
                trim_seg(seg, conn->rcv.nxt);
            tcp_rx_push(conn, &(TcpRxEntry){ .offset = seg->payload.offset,
                                             .stream = seg->payload.stream,
                                             .len = seg->payload.len,
                                             .seq = seg->seq,
                                             .truesize = seg->truesize,
                                             .has_fin = has_fin });
            conn->bytes_received += end - conn->rcv.nxt;
            conn->rcv.nxt = end;
        } else {
            has_fin = false;
        }
        cell_free(conn, seg);
        if (has_fin) {
            free_segs(conn, run->first);
            return true;
        }
    }
    return false;
}

bool
tcp_reassembly_drain(TcpConn *conn)
{
    uint32_t high = conn->rcv.nxt;
    OooRun *run;

    while ((run = conn->ooo->first) && !seq_after(run->start, conn->rcv.nxt)) {
        bool has_fin;

        if (seq_before(run->start, high))
            tcp_dsack_extend(conn, run->start, seq_before(run->end, high) ? run->end : high);
        has_fin = drain_run(conn, run);
        unlink_run(conn, run);
        if (has_fin) {
            tcp_reassembly_clear(conn);
            return true;
        }
    }
    if (!conn->ooo->first)
        tcp_reassembly_clear(conn);
    return false;
}

void
tcp_reassembly_clear(TcpConn *conn)
{
    TcpReassembly *ooo = conn->ooo;

    if (!ooo)
        return;
    while (ooo->first) {
        free_segs(conn, ooo->first->first);
        unlink_run(conn, ooo->first);
    }
    sim_timer_done(conn->stack->sim, &ooo->timer);
    conn->ooo = NULL;
    cell_free(conn, ooo);
    conn->ack.n_sacks = 0;
}

void
tcp_reassembly_prune(TcpConn *conn)
{
    TcpReassembly *ooo = conn->ooo;

    if (!ooo)
        return;
    host_count(conn->stack->host, MIB_TcpExtOfoPruned);
    tcp_verdict(conn->stack, conn->id, VERDICT_DROP, 0, "what came out of order, to make room",
                "RFC 2018 §8: reneging");
    while (ooo->last && !tcp_rx_has_room(conn)) {
        free_segs(conn, ooo->last->first);
        unlink_run(conn, ooo->last);
    }
    conn->ack.n_sacks = 0; /* RFC 2018 §8: we renege; the sender will find out */
    if (!ooo->first)
        tcp_reassembly_clear(conn);
}

/* ---- Compressed ACKs ------------------------------------------------------------------ */

static void
compressed_timer(void *arg)
{
    TcpConn *conn = arg;

    tcp_enter(conn);
    if (conn->ooo && conn->ooo->n_compressed)
        tcp_reassembly_flush_ack(conn);
    tcp_leave(conn);
}

static SimTime
compression_delay(const TcpConn *conn)
{
    SimTime rtt = conn->drs.rtt8 / 8;

    if (conn->rtt.srtt && conn->rtt.srtt < rtt)
        rtt = conn->rtt.srtt;
    return MIN((SimTime)conn->stack->params->comp_sack_delay_ns, rtt / 20);
}

void
tcp_reassembly_ack(TcpConn *conn)
{
    TcpReassembly *ooo = conn->ooo;

    if (!conn->sack_ok || ooo->n_compressed >= conn->stack->params->comp_sack_nr) {
        tcp_send_ack(conn, "RFC 5681 §4.2: out of order");
        return;
    }
    if (ooo->dup_nxt != conn->rcv.nxt) {
        ooo->dup_nxt = conn->rcv.nxt;
        ooo->n_dups = 0;
    }
    if (ooo->n_dups < FIRST_DUP_ACKS) {
        ooo->n_dups++;
        tcp_send_ack(conn, "RFC 5681 §4.2: out of order");
        return;
    }
    if (!ooo->n_compressed++)
        sim_timer_set(conn->stack->sim, &ooo->timer, tcp_now(conn) + compression_delay(conn),
                      compressed_timer, conn);
}

void
tcp_reassembly_ack_left(TcpConn *conn)
{
    TcpReassembly *ooo = conn->ooo;

    if (!ooo->n_compressed)
        return;
    host_count_n(conn->stack->host, MIB_TcpExtTCPAckCompressed, ooo->n_compressed);
    ooo->n_compressed = 0;
    sim_timer_stop(conn->stack->sim, &ooo->timer);
}

void
tcp_reassembly_flush_ack(TcpConn *conn)
{
    TcpReassembly *ooo = conn->ooo;

    if (!ooo || !ooo->n_compressed)
        return;
    ooo->n_compressed--; /* one of them is sent after all */
    sim_timer_stop(conn->stack->sim, &ooo->timer);
    tcp_send_ack(conn, "net.ipv4.tcp_comp_sack_delay_ns");
}
