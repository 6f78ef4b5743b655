#include "models/tcp/text.h"

#include "models/tcp/delack.h"
#include "models/tcp/ecn.h"
#include "models/tcp/rcvwindow.h"
#include "models/tcp/reassembly.h"
#include "models/tcp/rxqueue.h"

static inline uint32_t
header_bytes(const TcpSegment *seg)
{
    return ip_header_bytes(seg->packet->ip.src) + TCP_HEADER_BYTES + seg->h->option_bytes;
}

/* The memory that a segment occupies: one allocation, or one for each of the
 * fragments that it came in. */
static inline uint32_t
segment_truesize(const TcpConn *conn, const TcpSegment *seg)
{
    if (__builtin_expect(seg->packet->flags & PACKET_REASSEMBLED, 0) &&
        conn->stack->params->buffer_overhead)
        return seg->packet->memory;
    return tcp_truesize_of(conn, header_bytes(seg), seg->payload.len);
}

static void
note_drop(TcpConn *conn, const TcpSegment *seg, const char *what, const char *rule)
{
    tcp_verdict(conn->stack, conn->id, VERDICT_DROP, seg->packet->id, what, rule);
}

/* A D-SACK goes out for [start, end), with the quick ACKs that a sender who
 * retransmits needs. */
static void
answer_duplicate(TcpConn *conn)
{
    tcp_quickack_enter(conn, TCP_MAX_QUICKACKS);
    tcp_ack_schedule(conn);
    if (!conn->stack->params->quickack) /* RFC 9293 §3.10.7.4 #1 does not delay it */
        conn->ack.pending |= TCP_ACK_NOW;
}

/* The rule that answers what was received before. */
static const char *
duplicate_rule(const TcpConn *conn)
{
    return conn->sack_ok && conn->stack->params->dsack ? "RFC 2883 §4" : "RFC 9293 §3.10.7.4 #1";
}

void
tcp_send_dup_ack(TcpConn *conn, const TcpSegment *seg, const char *rule)
{
    if (seg->seq != seg->end_seq && seq_before(seg->seq, conn->rcv.nxt)) {
        uint32_t end = seq_after(seg->end_seq, conn->rcv.nxt) ? conn->rcv.nxt : seg->end_seq;

        host_count(conn->stack->host, MIB_TcpExtDelayedACKLost);
        tcp_quickack_enter(conn, TCP_MAX_QUICKACKS);
        tcp_dsack_set(conn, seg->seq, end);
    }
    tcp_send_ack(conn, rule);
}

/* The buffer overflows: repack, then drop what is out of order. */
static bool
make_room(TcpConn *conn)
{
    if (__builtin_expect(tcp_rx_has_room(conn), 1))
        return true;
    host_count(conn->stack->host, MIB_TcpExtPruneCalled);
    tcp_window_under_pressure(conn);
    if (tcp_rx_has_room(conn))
        return true;
    tcp_rx_collapse(conn);
    if (tcp_rx_has_room(conn))
        return true;
    tcp_reassembly_prune(conn);
    if (tcp_rx_has_room(conn))
        return true;
    host_count(conn->stack->host, MIB_TcpExtRcvPruned);
    return false;
}

/* What every piece of new data teaches; `truesize`: its memory. */
static inline void
note_data(TcpConn *conn, const TcpSegment *seg, uint32_t truesize)
{
    uint32_t len = seg->payload.len;

    tcp_ack_schedule(conn);
    tcp_window_note_segment(conn, len, truesize, seg->flags);
    tcp_window_note_rtt_window(conn);
    tcp_ack_note_data(conn);
    if (__builtin_expect(conn->ecn.flags, 0))
        tcp_ecn_on_data(conn, seg);
    if (len >= 128)
        tcp_window_grow(conn, len, truesize);
}

static inline void
push(TcpConn *conn, const TcpSegment *seg, uint32_t skip, uint32_t truesize, bool has_fin)
{
    uint32_t packet_bytes = header_bytes(seg) + seg->payload.len;
    bool joined =
        tcp_rx_push(conn, &(TcpRxEntry){ .offset = seg->payload.offset + skip,
                                         .stream = seg->payload.stream,
                                         .len = seg->payload.len - skip,
                                         .seq = seg->seq + skip,
                                         .truesize = truesize,
                                         .tail_room = tcp_rx_tail_room(truesize, packet_bytes),
                                         .has_fin = has_fin });

    if (joined)
        host_count(conn->stack->host, MIB_TcpExtTCPRcvCoalesce);
    conn->bytes_received += seg->end_seq - conn->rcv.nxt;
    conn->rcv.nxt = seg->end_seq;
}

/* Reading is possible, or the end is in sight. */
static inline void
wake_reader(TcpConn *conn)
{
    uint32_t unread = conn->rcv.nxt - conn->rcv.copied_seq;

    if (unread >= MIN(conn->opt.rcvlowat, conn->rcv.buf / 2) || tcp_is_stuffed(conn) ||
        (conn->shut & 1))
        tcp_wake(conn, TCP_EVENT_READABLE);
}

void
tcp_take_in_order(TcpConn *conn, const TcpSegment *seg)
{
    uint32_t truesize = segment_truesize(conn, seg);

    push(conn, seg, 0, truesize, false);
    note_data(conn, seg, truesize);
}

/* RFC 9293 §3.10.7.4 #8, in its place: behind all data. */
static TcpVerdict
take_fin(TcpConn *conn, const TcpSegment *seg)
{
    tcp_ack_schedule(conn);
    conn->shut |= 1;
    conn->rcv.has_fin = true;
    if (conn->state == TCP_ESTABLISHED || conn->state == TCP_SYN_RECEIVED)
        tcp_pingpong_enter(conn); /* our own FIN may carry the ACK */
    tcp_reassembly_clear(conn);
    return tcp_fin_received(conn, seg);
}

static TcpVerdict
take_from_left_edge(TcpConn *conn, TcpSegment *seg, uint32_t skip)
{
    uint32_t len = seg->payload.len;
    uint32_t truesize = segment_truesize(conn, seg);
    bool has_fin = seg->flags & TCP_FIN;

    if (!make_room(conn)) {
        /* Offer nothing until the user has read. An empty queue must make
         * progress all the same. */
        conn->ack.pending |= TCP_ACK_NO_MEMORY | TCP_ACK_NOW | TCP_ACK_SCHED;
        tcp_wake(conn, TCP_EVENT_READABLE);
        if (conn->rx && len) {
            host_count(conn->stack->host, MIB_TcpExtTCPRcvQDrop);
            note_drop(conn, seg, "receive buffer full", "SO_RCVBUF");
            return TCP_PASS;
        }
    }
    push(conn, seg, skip, truesize, has_fin);
    if (len)
        note_data(conn, seg, truesize);
    if (!has_fin && conn->ooo) {
        has_fin = tcp_reassembly_drain(conn);
        if (!conn->ooo) /* RFC 5681 §4.2: the gap is filled */
            conn->ack.pending |= TCP_ACK_NOW;
    }
    if (conn->ack.n_sacks)
        tcp_sacks_trim(conn);
    if (__builtin_expect(has_fin, 0)) {
        TcpVerdict verdict = take_fin(conn, seg);

        if (verdict == TCP_GONE)
            return verdict;
    }
    wake_reader(conn);
    return TCP_PASS;
}

static void
take_out_of_order(TcpConn *conn, TcpSegment *seg)
{
    uint32_t len = seg->payload.len;
    uint32_t truesize = segment_truesize(conn, seg);

    if (conn->ecn.flags)
        tcp_ecn_on_data(conn, seg);
    if (!make_room(conn)) {
        host_count(conn->stack->host, MIB_TcpExtTCPOFODrop);
        tcp_wake(conn, TCP_EVENT_READABLE);
        note_drop(conn, seg, "receive buffer full", "SO_RCVBUF");
        return;
    }
    tcp_window_note_segment(conn, len, truesize, seg->flags);
    tcp_ack_schedule(conn);
    conn->rcv.ooo_packets++;
    host_count(conn->stack->host, MIB_TcpExtTCPOFOQueue);
    if (!tcp_reassembly_add(conn, seg, truesize))
        note_drop(conn, seg, "out of order data that was there", duplicate_rule(conn));
    else if (conn->sack_ok)
        /* Without SACK the duplicate ACKs must not change the window. */
        tcp_window_grow(conn, len, truesize);
    tcp_window_note_reorder(conn);
}

/* A segment in a state that the peer's FIN led to. What ends before that FIN is
 * an old duplicate, answered as any other; what goes past it, nobody sent. */
static TcpVerdict
check_end_of_stream(TcpConn *conn, TcpSegment *seg)
{
    uint32_t nxt = conn->rcv.nxt, text_end = seg->end_seq - !!(seg->flags & TCP_FIN);
    const char *rule = "Linux: data past the FIN";

    if (seq_before(seg->seq, nxt) && !seq_after(text_end, nxt))
        return TCP_PASS;
    if (!seq_before(seg->seq, nxt) || !conn->stack->params->data_past_fin_resets) {
        if (seg->seq != seg->end_seq)
            note_drop(conn, seg, "data past the FIN", "RFC 9293 §3.10.7.4 #7");
        return TCP_DONE;
    }
    host_count(conn->stack->host, MIB_TcpExtTCPAbortOnData);
    tcp_reply_reset(conn->stack, seg, rule);
    tcp_conn_fail(conn, tcp_reset_errno(conn),
                  TCP_CAUSE("segment", "data past the FIN", rule, .packet = seg->packet->id));
    return TCP_GONE;
}

/* What closed the window lies behind a hole: nobody can read it before the
 * hole is filled, so what fills it is taken all the same. DIFFERS: Linux drops
 * it for ever, where tcp_shrink_window let it come to that. */
static bool
is_closed_by_hole(const TcpConn *conn)
{
    return conn->ooo && !conn->rx;
}

/* Data for a socket whose user has closed reading (RFC 1122 §4.2.2.13), or
 * past the peer's FIN. TCP_DONE: take no text. */
static TcpVerdict
check_readers(TcpConn *conn, TcpSegment *seg)
{
    switch ((TcpState)conn->state) {
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
        return check_end_of_stream(conn, seg);
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_ESTABLISHED:
    case TCP_SYN_RECEIVED:
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_TIME_WAIT:
    case TCP_N_STATES:
        break;
    }
    if (conn->state != TCP_ESTABLISHED && conn->state != TCP_SYN_RECEIVED &&
        tcp_data_after_close(conn, seg))
        return TCP_GONE;
    return TCP_PASS;
}

TcpVerdict
tcp_take_text(TcpConn *conn, TcpSegment *seg)
{
    uint32_t nxt = conn->rcv.nxt, wnd;
    TcpVerdict verdict;

    conn->ack.dsack.end = conn->ack.dsack.start;
    if (conn->state != TCP_ESTABLISHED) {
        verdict = check_readers(conn, seg);
        if (verdict != TCP_PASS)
            return verdict == TCP_DONE ? TCP_PASS : verdict;
    }
    if (seg->seq == seg->end_seq)
        return TCP_PASS;
    if (conn->ecn.flags)
        tcp_ecn_take_cwr(conn, seg);
    wnd = tcp_window_now(conn);
    if (seg->seq == nxt) {
        if (wnd || (!seg->payload.len && (seg->flags & TCP_FIN)) || is_closed_by_hole(conn))
            return take_from_left_edge(conn, seg, 0);
        host_count(conn->stack->host, MIB_TcpExtTCPZeroWindowDrop);
        note_drop(conn, seg, "data into a closed window", "RFC 9293 §3.10.7.4 #1");
        answer_duplicate(conn);
    } else if (!seq_after(seg->end_seq, nxt)) {
        host_count(conn->stack->host, MIB_TcpExtDelayedACKLost);
        tcp_dsack_set(conn, seg->seq, seg->end_seq);
        note_drop(conn, seg, "all of it was received before", duplicate_rule(conn));
        answer_duplicate(conn);
    } else if (!seq_before(seg->seq, nxt + wnd)) {
        note_drop(conn, seg, "data beyond the window", "RFC 9293 §3.10.7.4 #1");
        answer_duplicate(conn);
    } else if (seq_before(seg->seq, nxt)) {
        tcp_dsack_set(conn, seg->seq, nxt);
        if (wnd || is_closed_by_hole(conn))
            return take_from_left_edge(conn, seg, nxt - seg->seq);
        host_count(conn->stack->host, MIB_TcpExtTCPZeroWindowDrop);
        note_drop(conn, seg, "data into a closed window", "RFC 9293 §3.10.7.4 #1");
        answer_duplicate(conn);
    } else {
        take_out_of_order(conn, seg);
    }
    return TCP_PASS;
}

/* Data that came with a SYN (RFC 7413): rcv.nxt is its first byte. */
void
tcp_rx_append(TcpConn *conn, Payload payload)
{
    uint32_t headers = ip_header_bytes(conn->entry.tuple.remote) + TCP_HEADER_BYTES;
    uint32_t truesize = tcp_truesize_of(conn, headers, payload.len);

    tcp_rx_push(conn, &(TcpRxEntry){ .offset = payload.offset,
                                     .stream = payload.stream,
                                     .len = payload.len,
                                     .seq = conn->rcv.nxt,
                                     .truesize = truesize });
    conn->rcv.copied_seq = conn->rcv.nxt;
    conn->rcv.nxt += payload.len;
    conn->bytes_received += payload.len;
}

/* ---- Urgent data (RFC 9293 §3.8.5, RFC 6093) ---------------------------------------- */

static void
announce(TcpConn *conn, const TcpSegment *seg)
{
    /* To the byte after the last urgent one, as BSD had it and RFC 6093 §4 made
     * it the rule; RFC 1122 §4.2.2.4 had meant the byte itself. */
    uint32_t ptr = seg->h->urg;

    if (ptr && !conn->stack->params->stdurg)
        ptr--;
    ptr += seg->seq + !!(seg->flags & TCP_SYN);
    if (seq_after(conn->rcv.copied_seq, ptr) || seq_before(ptr, conn->rcv.nxt))
        return; /* seen before */
    if (conn->rcv.urgent && !seq_after(ptr, conn->rcv.up))
        return;
    /* The byte at an earlier mark was read out of band: step over it before
     * the mark moves on. */
    if (conn->rcv.urgent && conn->rcv.up == conn->rcv.copied_seq && !conn->opt.oob_inline &&
        conn->rcv.copied_seq != conn->rcv.nxt) {
        TcpRxEntry *first = tcp_rx_first(conn);

        conn->rcv.copied_seq++;
        if (first && !seq_before(conn->rcv.copied_seq, first->seq + first->len) && !first->has_fin)
            tcp_rx_pop(conn);
    }
    conn->rcv.urgent = TCP_URGENT_AWAITED;
    conn->rcv.up = ptr;
    tcp_wake(conn, TCP_EVENT_PRIORITY);
}

TcpVerdict
tcp_take_urgent(TcpConn *conn, TcpSegment *seg)
{
    if (seg->flags & TCP_URG)
        announce(conn, seg);
    if (__builtin_expect(conn->rcv.urgent == TCP_URGENT_AWAITED, 0) &&
        conn->rcv.up - seg->seq < seg->payload.len) {
        conn->rcv.urgent = TCP_URGENT_HERE;
        tcp_wake(conn, TCP_EVENT_PRIORITY | TCP_EVENT_READABLE);
    }
    return TCP_PASS;
}
