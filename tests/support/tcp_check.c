#include "tests/support/tcp_check.h"

#include <inttypes.h>

#include "models/tcp/delack.h"
#include "models/tcp/demux.h"
#include "models/tcp/listen.h"
#include "models/tcp/ports.h"
#include "models/tcp/reassembly_internal.h"
#include "models/tcp/rxqueue.h"
#include "models/tcp/shared.h"
#include "models/tcp/timers.h"
#include "models/tcp/timewait.h"
#include "models/tcp/txqueue.h"

/* The first broken rule is what is told: returns from the check around it. */
#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return say(#condition, __VA_ARGS__);                                                   \
    } while (0)
#define CHECK_ALL(call)                                                                            \
    do {                                                                                           \
        char *wrong_ = (call);                                                                     \
        if (wrong_ != NULL)                                                                        \
            return wrong_;                                                                         \
    } while (0)

static char *say(const char *rule, const char *format, ...) G_GNUC_PRINTF(2, 3);

static char *
say(const char *rule, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    return g_strdup_printf("%s: %s", rule, text);
}

/* ---- what is sent -------------------------------------------------------------- */

static char *
check_send_queue(const TcpConn *conn)
{
    uint32_t n = tcp_tx_count(conn), n_sent = tcp_tx_n_sent(conn);
    uint32_t una = conn->snd.una, nxt = conn->snd.nxt;

    CHECK(!seq_after(una, nxt) && !seq_after(nxt, conn->snd.write_seq), "una %u nxt %u write %u",
          una, nxt, conn->snd.write_seq);
    CHECK(n_sent <= n, "%u sent of %u", n_sent, n);
    /* A child's SYN-ACK was its request's. */
    CHECK((n_sent == 0) == (una == nxt) || (conn->state == TCP_SYN_RECEIVED && una + 1 == nxt),
          "%u sent, una %u nxt %u", n_sent, una, nxt);
    if (n == 0) {
        CHECK(nxt == conn->snd.write_seq, "no queue, nxt %u write %u", nxt, conn->snd.write_seq);
        return NULL;
    }
    CHECK(!seq_after(tcp_tx_at(conn, 0)->seq, una), "first entry %u, una %u",
          tcp_tx_at(conn, 0)->seq, una);
    for (uint32_t i = 0; i < n; i++) {
        const TcpTxSeg *seg = tcp_tx_at(conn, i);
        uint32_t end = i + 1 < n ? tcp_tx_at(conn, i + 1)->seq : conn->snd.write_seq;

        CHECK(seq_before(seg->seq, seg->end_seq), "entry %u of %u is empty", i, n);
        CHECK(seg->end_seq == end, "entry %u of %u ends at %u, the next begins at %u", i, n,
              seg->end_seq, end);
        CHECK(i >= n_sent || seg->pcount > 0, "entry %u of %u was sent as no segment", i, n);
        CHECK(i < n_sent || seg->tags == 0, "entry %u of %u is unsent, tags %x", i, n, seg->tags);
    }
    CHECK(seq_after(tcp_tx_at(conn, 0)->end_seq, una), "first entry ends at %u, una %u",
          tcp_tx_at(conn, 0)->end_seq, una);
    if (n_sent < n)
        CHECK(tcp_tx_at(conn, n_sent)->seq == nxt, "unsent from %u, nxt %u",
              tcp_tx_at(conn, n_sent)->seq, nxt);
    return NULL;
}

static char *
check_counts(const TcpConn *conn)
{
    uint32_t out = 0, sacked = 0, lost = 0, retrans = 0, highest = conn->snd.una;

    for (uint32_t i = 0; i < tcp_tx_n_sent(conn); i++) {
        const TcpTxSeg *seg = tcp_tx_at(conn, i);

        out += seg->pcount;
        sacked += seg->tags & TX_SACKED ? seg->pcount : 0;
        lost += seg->tags & TX_LOST ? seg->pcount : 0;
        retrans += seg->tags & TX_RETRANS ? seg->pcount : 0;
        if (seg->tags & TX_SACKED)
            highest = seg->end_seq;
        CHECK(!(seg->tags & TX_SACKED) || !(seg->tags & TX_LOST), "entry %u: tags %x", i,
              seg->tags);
        CHECK(!(seg->tags & TX_LOST) || (seg->tags & TX_RETRANS) ||
                  !seq_before(seg->seq, conn->sender->rtx_hint),
              "entry %u at %u is lost, hint %u is behind it", i, seg->seq, conn->sender->rtx_hint);
    }
    CHECK(out == conn->sender->packets_out, "queue %u, count %u", out, conn->sender->packets_out);
    CHECK(lost == conn->sender->lost_out, "queue %u, count %u", lost, conn->sender->lost_out);
    CHECK(retrans == conn->sender->retrans_out, "queue %u, count %u", retrans,
          conn->sender->retrans_out);
    if (conn->sack_ok) {
        CHECK(sacked == conn->sender->sacked_out, "queue %u, count %u", sacked,
              conn->sender->sacked_out);
        CHECK(sacked == 0 || highest == conn->sender->highest_sack, "highest %u, noted %u", highest,
              conn->sender->highest_sack);
    }
    CHECK(conn->sender->sacked_out + conn->sender->lost_out <= conn->sender->packets_out,
          "%u SACKed and %u lost of %u", conn->sender->sacked_out, conn->sender->lost_out,
          conn->sender->packets_out);
    CHECK(conn->sender->w.cwnd > 0 && conn->sender->w.ssthresh > 0, "cwnd %u ssthresh %u",
          conn->sender->w.cwnd, conn->sender->w.ssthresh);
    return NULL;
}

static char *
check_send_timers(const TcpConn *conn)
{
    TcpTimer which = tcp_timer_pending(conn);
    bool may_send = conn->state != TCP_SYN_SENT && conn->state != TCP_SYN_RECEIVED;

    CHECK((which != TCP_TIMER_NONE) == sim_timer_is_set(&conn->rtx), "timer %d, deadline %" PRId64,
          which, conn->rtx.deadline);
    CHECK(which == TCP_TIMER_NONE || conn->rtx.deadline >= tcp_now(conn),
          "timer %d is overdue since %" PRId64, which, conn->rtx.deadline);
    if (conn->sender->packets_out > 0)
        CHECK(which == TCP_TIMER_RTO || which == TCP_TIMER_TLP || which == TCP_TIMER_REORDER,
              "%u segments are out, timer %d", conn->sender->packets_out, which);
    else if (may_send && tcp_tx_next_unsent(conn) != NULL)
        CHECK(which == TCP_TIMER_PERSIST, "%u bytes wait, nothing is out, timer %d",
              conn->snd.write_seq - conn->snd.nxt, which);
    if (conn->rtt.srtt != 0)
        CHECK(conn->rtt.rto > 0 && conn->rtt.rto <= 120 * SIM_SEC && conn->rtt.mdev >= 0,
              "rto %" PRId64 " srtt %" PRId64 " mdev %" PRId64, conn->rtt.rto, conn->rtt.srtt,
              conn->rtt.mdev);
    return NULL;
}

/* ---- what is received ------------------------------------------------------------- */

static char *
check_receive_queue(const TcpConn *conn, uint32_t *truesize)
{
    uint32_t at = conn->rcv.copied_seq;
    bool is_first = true;

    for (const TcpRxQueue *chunk = conn->rx; chunk != NULL; chunk = chunk->next) {
        CHECK(chunk->first < chunk->end, "a chunk is empty: %u to %u", chunk->first, chunk->end);
        for (uint32_t i = chunk->first; i < chunk->end; i++) {
            const TcpRxEntry *entry = &chunk->entries[i];

            if (is_first)
                CHECK(!seq_after(entry->seq, at), "queue from %u, user at %u", entry->seq, at);
            else
                CHECK(entry->seq == at, "entry at %u, expected %u", entry->seq, at);
            is_first = false;
            at = entry->seq + entry->len + entry->has_fin;
            *truesize += entry->truesize;
        }
    }
    CHECK(at == conn->rcv.nxt, "queue to %u, rcv.nxt %u", at, conn->rcv.nxt);
    CHECK(!seq_after(conn->rcv.copied_seq, conn->rcv.nxt), "user at %u, rcv.nxt %u",
          conn->rcv.copied_seq, conn->rcv.nxt);
    return NULL;
}

static char *
check_run(const OooRun *run, uint32_t *truesize)
{
    uint32_t at = run->start;
    const OooSeg *last = NULL;

    for (const OooSeg *seg = run->first; seg != NULL; seg = seg->next) {
        CHECK(seg->seq == at, "segment at %u, expected %u", seg->seq, at);
        CHECK(seg->payload.len > 0 || seg->has_fin, "empty segment at %u", at);
        at = seg->seq + seg->payload.len + seg->has_fin;
        *truesize += seg->truesize;
        last = seg;
    }
    CHECK(at == run->end && last == run->last, "run to %u, segments to %u", run->end, at);
    return NULL;
}

static bool
is_in_a_run(const TcpReassembly *ooo, SackBlock block)
{
    const OooRun *run = ooo->first;

    while (run != NULL) {
        uint32_t start = run->start, end = run->end;

        for (run = run->next; run != NULL && run->start == end; run = run->next)
            end = run->end; /* behind a FIN */
        if (!seq_before(block.start, start) && !seq_after(block.end, end))
            return true;
    }
    return false;
}

static char *
check_reassembly(const TcpConn *conn, uint32_t *truesize)
{
    const TcpReassembly *ooo = conn->ooo;
    uint32_t at = conn->rcv.nxt;

    if (ooo == NULL) {
        CHECK(conn->ack.n_sacks == 0, "%u blocks, nothing is out of order", conn->ack.n_sacks);
        return NULL;
    }
    CHECK(ooo->first != NULL, "the queue is empty and was not freed");
    for (const OooRun *run = ooo->first; run != NULL; run = run->next) {
        /* Behind a FIN nothing is joined: it was not sent by who sent the FIN. */
        CHECK(seq_after(run->start, at) ||
                  (run->prev != NULL && run->prev->last->has_fin && run->start == at),
              "run at %u, what is before ends at %u", run->start, at);
        CHECK(run->next != NULL || run == ooo->last, "the last run is not the last");
        CHECK_ALL(check_run(run, truesize));
        at = run->end;
    }
    for (unsigned i = 0; i < conn->ack.n_sacks; i++)
        CHECK(is_in_a_run(ooo, conn->ack.sacks[i]), "block %u is %u:%u, rcv.nxt %u", i,
              conn->ack.sacks[i].start, conn->ack.sacks[i].end, conn->rcv.nxt);
    return NULL;
}

static char *
check_receiving(const TcpConn *conn)
{
    uint32_t truesize = 0;

    CHECK_ALL(check_receive_queue(conn, &truesize));
    CHECK_ALL(check_reassembly(conn, &truesize));
    CHECK(truesize == conn->rcv.truesize, "queued %u, accounted %u", truesize, conn->rcv.truesize);
    CHECK(!(conn->ack.pending & TCP_ACK_TIMER) || sim_timer_is_set(&conn->delack),
          "a delayed ACK waits for no timer");
    return NULL;
}

/* ---- a connection --------------------------------------------------------------------- */

static char *
check_ended(const TcpConn *conn)
{
    CHECK(conn->has_user, "it ended, has no user, and was not freed");
    CHECK(conn->state == TCP_CLOSED, "state %d", conn->state);
    CHECK(!conn->entry.is_hashed && !conn->is_orphan, "it ended and can still be found");
    CHECK(conn->tx == NULL && conn->ooo == NULL, "it ended and still has queues");
    CHECK(!sim_timer_is_set(&conn->rtx) && !sim_timer_is_set(&conn->delack) &&
              !sim_timer_is_set(&conn->keep) && !sim_timer_is_set(&conn->sender->pacing),
          "it ended and a timer runs");
    return NULL;
}

static char *
check_open(const TcpConn *conn)
{
    bool is_waiting = conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED;

    CHECK(conn->entry.is_hashed, "state %s, but nobody finds it", tcp_state_name(conn->state));
    CHECK_ALL(check_send_queue(conn));
    CHECK_ALL(check_counts(conn));
    CHECK_ALL(check_send_timers(conn));
    if (conn->state == TCP_SYN_SENT)
        return NULL;
    CHECK_ALL(check_receiving(conn));
    CHECK(conn->is_orphan == (!conn->has_user && conn->parent == NULL), "orphan %d, user %d",
          conn->is_orphan, conn->has_user);
    /* It starts as the connection is established, which one that is closed in SYN-RECEIVED never
     * is. */
    CHECK(!conn->opt.keepalive || is_waiting || !conn->has_user || !conn->was_established ||
              sim_timer_is_set(&conn->keep),
          "SO_KEEPALIVE in %s without a timer", tcp_state_name(conn->state));
    return NULL;
}

char *
tcp_check_conn(const TcpConn *conn)
{
    CHECK(conn->held == 0, "held %u times, at rest", conn->held);
    if (conn->has_ended)
        return check_ended(conn);
    if (conn->state == TCP_CLOSED || conn->state == TCP_LISTEN)
        return NULL;
    return check_open(conn);
}

/* ---- a host ------------------------------------------------------------------------------ */

static char *
check_listener(const TcpConn *conn)
{
    const TcpListener *listener = conn->listener;
    uint32_t requests = 0, young = 0, waiting = 0;

    for (const TcpRequest *r = listener->first; r != NULL; r = r->next) {
        requests++;
        young += r->retransmits == 0;
        CHECK(r->listener == listener && r->entry.is_hashed, "a request is not this listener's");
        CHECK(sim_timer_is_set(&r->timer), "a request has no timer");
    }
    for (const TcpConn *c = listener->accept_first; c != NULL; c = c->accept_next) {
        waiting++;
        CHECK(c->parent == listener, "a waiting connection is not this listener's");
        CHECK(c->accept_next != NULL || c == listener->accept_last, "the last is not the last");
    }
    CHECK(requests == listener->n_requests, "list %u, count %u", requests, listener->n_requests);
    CHECK(listener->n_young <= requests, "%u young of %u (%u)", listener->n_young, requests, young);
    CHECK(waiting == listener->n_accept, "list %u, count %u", waiting, listener->n_accept);
    return NULL;
}

static void
count_entry(void *arg, TcpEntry *entry)
{
    ((uint32_t *)arg)[entry->kind]++;
}

char *
tcp_check_host(const Host *host)
{
    TcpStack *stack = host->tcp;
    uint32_t orphans = 0, hashed[3] = { 0 };

    for (const TcpConn *conn = stack->first; conn != NULL; conn = conn->next) {
        g_autofree char *wrong = tcp_check_conn(conn);

        orphans += conn->is_orphan;
        if (wrong == NULL && conn->state == TCP_LISTEN)
            wrong = check_listener(conn);
        if (wrong != NULL)
            return g_strdup_printf("%s, connection %u, %s: %s", host->name, conn->id,
                                   tcp_state_name(conn->state), wrong);
    }
    CHECK(orphans == stack->n_orphans, "listed %u, counted %u", orphans, stack->n_orphans);
    tcp_demux_each(stack, count_entry, hashed);
    CHECK(hashed[0] + hashed[1] + hashed[2] == stack->n_entries, "table %u, counted %u",
          hashed[0] + hashed[1] + hashed[2], stack->n_entries);
    CHECK(stack->last_found == NULL || stack->last_found->is_hashed, "found last, and gone");
    return NULL;
}

char *
tcp_check_nothing_left(const Host *host)
{
    const TcpStack *stack = host->tcp;

    CHECK(stack->first == NULL, "%s: a connection in %s", host->name,
          tcp_state_name(stack->first->state));
    CHECK(stack->n_entries == 0 && stack->n_orphans == 0, "%s: %u entries, %u orphans", host->name,
          stack->n_entries, stack->n_orphans);
    CHECK(g_hash_table_size(stack->ports->uses) == 0, "%s: %u ports in use", host->name,
          g_hash_table_size(stack->ports->uses));
    return NULL;
}

char *
tcp_check_pools_are_empty(const Net *net)
{
    const TcpShared *shared = ((Host *)net->hosts->pdata[0])->tcp->shared;

    CHECK(shared->conns.live == 0, "%" PRIu64 " connections", shared->conns.live);
    CHECK(shared->requests.live == 0, "%" PRIu64 " requests", shared->requests.live);
    CHECK(shared->time_waits.live == 0, "%" PRIu64 " TIME-WAIT entries", shared->time_waits.live);
    CHECK(shared->rx_chunks.live == 0 && shared->ooo_cells.live == 0,
          "%" PRIu64 " and %" PRIu64 " pieces of data", shared->rx_chunks.live,
          shared->ooo_cells.live);
    CHECK(net->packets.pool.live == 0, "%" PRIu64 " packets", net->packets.pool.live);
    return NULL;
}
