#include "models/tcp/demux.h"

#include "models/tcp/backlog.h"

#define DEMUX_FIRST_BUCKETS 64

static uint32_t
hash_tuple(const TcpStack *stack, const TcpTuple *tuple)
{
    uint64_t h = stack->secret[0];

    h = (h ^ tuple->remote.lo) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ (h >> 29) ^ tuple->remote.hi ^ ((uint64_t)tuple->rport << 16 | tuple->lport)) *
        UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 32) ^ tuple->local.lo ^ tuple->local.hi) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(h >> 32);
}

static inline uint32_t
tuple_ports(const TcpTuple *tuple)
{
    return (uint32_t)tuple->rport << 16 | tuple->lport;
}

static inline bool
tuple_equal(const TcpTuple *a, const TcpTuple *b)
{
    return a->rport == b->rport && a->lport == b->lport && ip_addr_equal(a->remote, b->remote) &&
           ip_addr_equal(a->local, b->local);
}

static void
demux_grow(TcpStack *stack)
{
    uint32_t n = stack->n_buckets == 0 ? DEMUX_FIRST_BUCKETS : stack->n_buckets * 2;
    TcpEntry **buckets = g_new0(TcpEntry *, n);

    for (uint32_t i = 0; i < stack->n_buckets; i++) {
        TcpEntry *entry = stack->buckets[i], *next;

        for (; entry != NULL; entry = next) {
            TcpEntry **bucket = &buckets[entry->hash & (n - 1)];

            next = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    g_free(stack->buckets);
    stack->buckets = buckets;
    stack->n_buckets = n;
}

void
tcp_demux_insert(TcpStack *stack, TcpEntry *entry)
{
    TcpEntry **bucket;

    sim_check(!entry->is_hashed);
    if (stack->n_entries >= stack->n_buckets)
        demux_grow(stack);
    entry->hash = hash_tuple(stack, &entry->tuple);
    bucket = &stack->buckets[entry->hash & (stack->n_buckets - 1)];
    entry->next = *bucket;
    *bucket = entry;
    entry->is_hashed = true;
    stack->n_entries++;
}

void
tcp_demux_remove(TcpStack *stack, TcpEntry *entry)
{
    TcpEntry **at;

    if (!entry->is_hashed)
        return;
    at = &stack->buckets[entry->hash & (stack->n_buckets - 1)];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    if (stack->last_found == entry)
        stack->last_found = NULL;
    entry->is_hashed = false;
    stack->n_entries--;
}

TcpEntry *
tcp_demux_find(TcpStack *stack, const TcpTuple *tuple)
{
    uint32_t hash;

    if (stack->last_found != NULL && stack->last_ports == tuple_ports(tuple) &&
        tuple_equal(&stack->last_found->tuple, tuple))
        return stack->last_found;
    if (stack->n_buckets == 0)
        return NULL;
    hash = hash_tuple(stack, tuple);
    for (TcpEntry *entry = stack->buckets[hash & (stack->n_buckets - 1)]; entry != NULL;
         entry = entry->next) {
        if (entry->hash == hash && tuple_equal(&entry->tuple, tuple)) {
            stack->last_found = entry;
            stack->last_ports = tuple_ports(tuple);
            return entry;
        }
    }
    return NULL;
}

/* How well a listener fits: 2 its own address, 1 any address, 0 not at all. */
static unsigned
listener_score(const TcpConn *listener, const TcpTuple *tuple)
{
    const TcpTuple *own = &listener->entry.tuple;

    if (own->lport != tuple->lport)
        return 0;
    if (ip_addr_is_any(own->local))
        return 1;
    return ip_addr_equal(own->local, tuple->local) ? 2 : 0;
}

/* SO_REUSEPORT: each of those that fit as well has an equal share of the
 * four-tuples, and a four-tuple always the same one, for a cookie's sake. */
static TcpConn *
listener_of_group(TcpStack *stack, const TcpTuple *tuple, unsigned score, unsigned n)
{
    unsigned nth = (unsigned)(((uint64_t)hash_tuple(stack, tuple) * n) >> 32);

    for (guint i = 0; i < stack->listeners->len; i++) {
        TcpConn *listener = g_ptr_array_index(stack->listeners, i);

        if (listener_score(listener, tuple) == score && nth-- == 0)
            return listener;
    }
    return NULL;
}

TcpConn *
tcp_demux_listener(TcpStack *stack, const TcpTuple *tuple)
{
    TcpConn *best = NULL;
    unsigned best_score = 0, equals = 0;

    for (guint i = 0; i < stack->listeners->len; i++) {
        TcpConn *listener = g_ptr_array_index(stack->listeners, i);
        unsigned score = listener_score(listener, tuple);

        if (score > best_score) {
            best = listener;
            best_score = score;
            equals = 1;
        } else if (score != 0 && score == best_score) {
            equals++;
        }
    }
    return equals > 1 ? listener_of_group(stack, tuple, best_score, equals) : best;
}

void
tcp_demux_each(TcpStack *stack, void (*fn)(void *arg, TcpEntry *entry), void *arg)
{
    for (uint32_t i = 0; i < stack->n_buckets; i++) {
        for (TcpEntry *entry = stack->buckets[i]; entry != NULL; entry = entry->next)
            fn(arg, entry);
    }
}

/* ---- segments in ---------------------------------------------------------------- */

static TcpSegment
segment_of(TcpStack *stack, Packet *packet)
{
    const TcpHeader *h = &packet->tcp;

    return (TcpSegment){
        .stack = stack,
        .packet = packet,
        .h = h,
        .seq = h->seq,
        .end_seq = h->seq + packet_tcp_seq_len(packet),
        .ack = h->ack,
        .wnd = h->wnd,
        .flags = h->flags,
        .payload = packet->payload,
        .tsval = h->tsval,
        .tsecr = h->tsecr,
        .ecn = packet->ip.tos & ECN_MASK,
    };
}

static void
receive_conn(TcpConn *conn, TcpSegment *seg)
{
    tcp_enter(conn);
    conn->segs_in++;
    switch ((TcpState)conn->state) {
    case TCP_SYN_SENT:
        tcp_input_syn_sent(conn, seg);
        break;
    case TCP_CLOSED:
    case TCP_LISTEN:
    case TCP_TIME_WAIT:
    case TCP_N_STATES:
        tcp_input_closed(conn->stack, seg);
        break;
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
        seg->wnd = (uint32_t)seg->h->wnd
                   << (seg->flags & TCP_SYN ? 0 : conn->snd.wscale); /* RFC 7323 §2.2 */
        seg->has_ts = conn->ts.ok && (seg->h->options & TCPOPT_HAS_TS) != 0;
        tcp_input_synchronized(conn, seg);
        break;
    }
    tcp_leave(conn);
}

void
tcp_receive_backlog(TcpConn *conn, Packet *packet)
{
    TcpSegment seg = segment_of(conn->stack, packet);

    if (!conn->has_ended)
        receive_conn(conn, &seg);
    packet_free(conn->stack->host->packets, packet);
}

void
tcp_receive(Host *host, Packet *packet)
{
    TcpStack *stack = host->tcp;
    const TcpTuple tuple = { packet->ip.dst, packet->ip.src, packet->tcp.dport, packet->tcp.sport };
    TcpSegment seg;
    TcpEntry *entry;

    host_count(host, MIB_TcpInSegs);
    if (packet->raw != NULL || (packet->flags & PACKET_BAD_CHECKSUM) != 0) {
        host_count(host, MIB_TcpInErrs);
        if ((packet->flags & PACKET_BAD_CHECKSUM) != 0)
            host_count(host, MIB_TcpInCsumErrors);
        host_record_packet(host, NULL, PACKET_EVENT_REFUSED, packet, "bad TCP checksum or header");
        packet_free(host->packets, packet);
        return;
    }
    seg = segment_of(stack, packet);
    entry = tcp_demux_find(stack, &tuple);
    if (entry == NULL) {
        TcpConn *listener = tcp_demux_listener(stack, &tuple);

        if (listener != NULL)
            tcp_input_listen(listener, &seg);
        else
            tcp_input_closed(stack, &seg);
    } else if (entry->kind == TCP_ENTRY_CONN) {
        TcpConn *conn = (TcpConn *)entry;

        if (__builtin_expect(conn->is_busy, 0)) {
            tcp_backlog_add(conn, packet);
            return;
        }
        receive_conn(conn, &seg);
    } else if (entry->kind == TCP_ENTRY_REQUEST) {
        tcp_input_request((TcpRequest *)entry, &seg);
    } else {
        tcp_input_time_wait((TcpTimeWait *)entry, &seg);
    }
    packet_free(host->packets, packet);
}
