/* Reassembly (RFC 791 §3.2, RFC 1122 §3.3.2), with Linux's defences:
 *
 * - A piece that lies within what has come already is ignored; one that
 *   overlaps partly condemns the whole datagram. (RFC 5722 asks this of IPv6;
 *   Linux does it for IPv4 as well, profile rfc too.)
 * - Incomplete datagrams share ipfrag_high_thresh bytes; above it every piece
 *   is refused, the old ones are kept: a flood starves reassembly for at most
 *   ipfrag_time.
 * - When more than ipfrag_max_dist other pieces of the same source came in
 *   between, ids may have wrapped: what was there is thrown away.
 *
 * Pieces that refer to the same sent packet give that packet back. Anything
 * else, forged or corrupted, is joined byte by byte and parsed.
 */
#include <string.h>

#include "models/ip/ip_internal.h"

typedef struct FragKey {
    IpAddr src, dst;
    uint16_t id;
    uint8_t proto, user;
} FragKey;

/* How many pieces a source has sent; lives while queues of it do. */
typedef struct FragSource {
    IpAddr addr;
    uint32_t pieces, queues;
} FragSource;

typedef struct FragQueue {
    FragKey key;
    Reassembly *parent;   /* borrows */
    FragSource *source;   /* borrows */
    const Iface *in;      /* borrows: where the last piece came in */
    Packet *first, *last; /* owns: by offset, no overlaps */
    uint32_t end;         /* one past the highest byte known to exist */
    uint32_t have;        /* bytes that came */
    uint32_t memory;
    uint32_t seen;    /* source->pieces when the last piece of ours came */
    uint8_t ecn_seen; /* bit n: a piece with ECN field n */
    bool has_last;
    SimTimer timer;
} FragQueue;

struct Reassembly {
    Host *host;          /* borrows */
    GHashTable *queues;  /* owns: FragKey -> FragQueue */
    GHashTable *sources; /* owns: IpAddr -> FragSource */
    uint64_t memory;
};

/* Linux counts the memory of a piece with its administration. */
#define QUEUE_MEMORY 216u

static uint32_t
piece_memory(const Packet *piece)
{
    uint32_t need = piece->ip.total_len + 384u, block = 512;

    while (block < need)
        block *= 2;
    return 256 + block;
}

static guint
hash_key(gconstpointer data)
{
    const FragKey *key = data;

    return ip_addr_hash(key->src) * 31 + ip_addr_hash(key->dst) + key->id * 2654435761u +
           key->proto;
}

static gboolean
equal_keys(gconstpointer left, gconstpointer right)
{
    const FragKey *a = left, *b = right;

    return ip_addr_equal(a->src, b->src) && ip_addr_equal(a->dst, b->dst) && a->id == b->id &&
           a->proto == b->proto && a->user == b->user;
}

static void
record_queue(Reassembly *all)
{
    if (probe_is_heard(&all->host->probes->queue)) {
        QueueRecord rec = { .at = sim_now(all->host->sim),
                            .host = all->host->id,
                            .name = "fragments",
                            .length = g_hash_table_size(all->queues),
                            .bytes = all->memory };
        probe_emit(&all->host->probes->queue, &rec);
    }
}

static void
drop_pieces(FragQueue *queue, const char *reason)
{
    Host *host = queue->parent->host;

    while (queue->first != NULL) {
        Packet *piece = queue->first;

        queue->first = piece->next;
        piece->next = NULL;
        if (reason != NULL)
            ip_refuse(host, queue->in, piece, reason);
        else
            packet_free(host->packets, piece);
    }
    queue->last = NULL;
}

/* The end of a queue, complete or not. */
static void
queue_free(FragQueue *queue, const char *reason)
{
    Reassembly *all = queue->parent;

    drop_pieces(queue, reason);
    all->memory -= queue->memory;
    sim_timer_done(all->host->sim, &queue->timer);
    if (--queue->source->queues == 0)
        g_hash_table_remove(all->sources, &queue->source->addr);
    g_hash_table_remove(all->queues, &queue->key);
    record_queue(all);
    g_free(queue);
}

/* RFC 1122 §3.3.2: time exceeded, code 1, if the first piece has come. */
static void
on_timeout(void *arg)
{
    FragQueue *queue = arg;
    Host *host = queue->parent->host;

    host_count(host, MIB_IpReasmTimeout);
    host_count(host, MIB_IpReasmFails);
    if (queue->first != NULL && queue->first->ip.frag_offset == 0 &&
        queue->key.user == IP_DEFRAG_LOCAL)
        icmp_send_error(host, queue->first, ICMP_TIME_EXCEEDED, 1, 0);
    queue_free(queue, "reassembly timed out");
}

static void
start_timer(FragQueue *queue)
{
    Host *host = queue->parent->host;

    sim_timer_set(host->sim, &queue->timer,
                  sim_now(host->sim) + (SimTime)host->ip->params.ipfrag_time_s * SIM_SEC,
                  on_timeout, queue);
}

static FragQueue *
queue_new(Reassembly *all, const FragKey *key)
{
    FragQueue *queue = g_new0(FragQueue, 1);

    queue->key = *key;
    queue->parent = all;
    queue->source = g_hash_table_lookup(all->sources, &key->src);
    if (queue->source == NULL) {
        queue->source = g_new0(FragSource, 1);
        queue->source->addr = key->src;
        g_hash_table_insert(all->sources, &queue->source->addr, queue->source);
    }
    queue->source->queues++;
    queue->memory = QUEUE_MEMORY;
    all->memory += queue->memory;
    g_hash_table_insert(all->queues, &queue->key, queue);
    sim_timer_init(&queue->timer);
    start_timer(queue);
    return queue;
}

static Reassembly *
reassembly_of(Host *host)
{
    if (host->ip->reassembly == NULL) {
        Reassembly *all = g_new0(Reassembly, 1);

        all->host = host;
        all->queues = g_hash_table_new(hash_key, equal_keys);
        all->sources = g_hash_table_new_full(ip_addr_hash_func, ip_addr_equal_func, NULL, g_free);
        host->ip->reassembly = all;
    }
    return host->ip->reassembly;
}

void
ip_reassembly_free(Reassembly *all)
{
    GList *queues;

    if (all == NULL)
        return;
    queues = g_hash_table_get_values(all->queues); /* the end of the run: the order has no effect */
    for (GList *at = queues; at != NULL; at = at->next) {
        FragQueue *queue = at->data;

        drop_pieces(queue, NULL);
        sim_timer_done(all->host->sim, &queue->timer);
        g_free(queue);
    }
    g_list_free(queues);
    g_hash_table_destroy(all->queues);
    g_hash_table_destroy(all->sources);
    g_free(all);
}

/* ipfrag_max_dist: too many others in between, so this id may be a new
 * datagram's: forget what came, wait anew. */
static void
check_distance(FragQueue *queue, uint32_t max_dist)
{
    uint32_t distance = ++queue->source->pieces - queue->seen;

    queue->seen = queue->source->pieces;
    if (max_dist == 0 || queue->first == NULL || distance <= max_dist)
        return;
    host_count(queue->parent->host, MIB_IpReasmFails);
    drop_pieces(queue, "too many other fragments in between");
    queue->parent->memory -= queue->memory - QUEUE_MEMORY;
    queue->memory = QUEUE_MEMORY;
    queue->end = queue->have = 0;
    queue->has_last = false;
    queue->ecn_seen = 0;
    start_timer(queue);
}

typedef enum InsertResult { INSERTED, IS_DUPLICATE, CONDEMNS } InsertResult;

static uint32_t
piece_end(const Packet *piece)
{
    return piece->ip.frag_offset + packet_ip_payload_len(piece);
}

/* What a piece says about the length of the datagram must fit what others said. */
static InsertResult
check_length(FragQueue *queue, const Packet *piece)
{
    uint32_t end = piece_end(piece);

    if (end == piece->ip.frag_offset)
        return CONDEMNS;
    if (!piece->ip.mf) {
        if (end < queue->end || (queue->has_last && end != queue->end))
            return CONDEMNS;
        queue->has_last = true;
        queue->end = end;
    } else if (end > queue->end) {
        if (queue->has_last)
            return CONDEMNS;
        queue->end = end;
    }
    return INSERTED;
}

/* Whether a piece overlaps what came: wholly within one run of touching
 * pieces it is a duplicate, partly it condemns. */
static InsertResult
check_overlap(const FragQueue *queue, uint32_t start, uint32_t end)
{
    const Packet *piece = queue->first;

    while (piece != NULL && piece->ip.frag_offset < end) {
        uint32_t run_start = piece->ip.frag_offset, run_end = piece_end(piece);

        for (piece = piece->next; piece != NULL && piece->ip.frag_offset == run_end;
             piece = piece->next)
            run_end = piece_end(piece);
        if (start < run_end)
            return start >= run_start && end <= run_end ? IS_DUPLICATE : CONDEMNS;
    }
    return INSERTED;
}

static InsertResult
insert_piece(FragQueue *queue, Packet *piece)
{
    uint32_t start = piece->ip.frag_offset, end = piece_end(piece);
    Packet **link = &queue->first;

    piece->next = NULL;
    if (queue->last != NULL && start >= piece_end(queue->last)) { /* the common case */
        queue->last->next = piece;
        queue->last = piece;
    } else {
        InsertResult result = check_overlap(queue, start, end);

        if (result != INSERTED)
            return result;
        while (*link != NULL && (*link)->ip.frag_offset < start)
            link = &(*link)->next;
        piece->next = *link;
        *link = piece;
        if (piece->next == NULL)
            queue->last = piece;
    }
    queue->have += end - start;
    return INSERTED;
}

/* RFC 3168 §5.3: one marked piece marks the datagram; pieces that were not
 * ECN-capable don't mix with others. False: to be dropped. */
static bool
join_ecn(uint8_t seen, uint8_t *ecn)
{
    bool not_ect = seen & 1 << ECN_NOT_ECT, ce = seen & 1 << ECN_CE;

    if (ce) {
        *ecn = ECN_CE;
        return !not_ect;
    }
    if (seen & 1 << ECN_ECT0)
        *ecn = ECN_ECT0;
    else if (seen & 1 << ECN_ECT1)
        *ecn = ECN_ECT1;
    else
        *ecn = ECN_NOT_ECT;
    return true;
}

/* The same datagram, or two copies of one that were cut apart behind the place
 * that copied it: the bytes are the same, and so is who sent them. */
static bool
is_same_datagram(const Datagram *a, const Datagram *b)
{
    const Packet *one, *other;

    if (a == b || a == NULL || b == NULL)
        return a == b;
    one = a->whole;
    other = b->whole;
    return (one->copy_of ? one->copy_of : one->id) ==
               (other->copy_of ? other->copy_of : other->id) &&
           one->ip.total_len == other->ip.total_len && one->raw == other->raw &&
           one->payload.stream == other->payload.stream &&
           one->payload.offset == other->payload.offset && one->payload.len == other->payload.len &&
           memcmp(&one->tcp, &other->tcp, sizeof one->tcp) == 0;
}

/* The packet from which all pieces were cut, when it was one and the same and
 * nobody touched them. */
static Packet *
join_by_reference(FragQueue *queue)
{
    PacketPool *pool = queue->parent->host->packets;
    Datagram *datagram = queue->first->fragment_of;
    Packet *whole;

    for (const Packet *piece = queue->first; piece != NULL; piece = piece->next) {
        if (!(piece->flags & PACKET_FRAGMENT) || !is_same_datagram(piece->fragment_of, datagram) ||
            piece->raw != NULL)
            return NULL;
    }
    if (datagram == NULL || packet_ip_payload_len(datagram->whole) != queue->end)
        return NULL;
    whole = packet_copy(pool, datagram->whole);
    whole->copy_of = datagram->whole->id;
    return whole;
}

/* The bytes of all pieces, joined and parsed. */
static Packet *
join_by_bytes(FragQueue *queue)
{
    PacketPool *pool = queue->parent->host->packets;
    uint32_t total = IPV4_HEADER_BYTES + queue->end;
    g_autofree uint8_t *bytes = g_malloc0(total);
    g_autofree uint8_t *part = g_malloc(65536);
    const char *error;

    for (const Packet *piece = queue->first; piece != NULL; piece = piece->next) {
        uint32_t len = packet_render(pool, piece, part, 65536);

        if (piece == queue->first)
            memcpy(bytes, part, IPV4_HEADER_BYTES);
        memcpy(bytes + IPV4_HEADER_BYTES + piece->ip.frag_offset, part + IPV4_HEADER_BYTES,
               len - IPV4_HEADER_BYTES);
    }
    bytes[2] = (uint8_t)(total >> 8);
    bytes[3] = (uint8_t)total;
    bytes[6] = bytes[7] = 0; /* no longer a piece */
    bytes[10] = bytes[11] = 0;
    uint32_t sum = 0;
    for (unsigned i = 0; i < IPV4_HEADER_BYTES; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    bytes[10] = (uint8_t)(~sum >> 8);
    bytes[11] = (uint8_t)~sum;
    return packet_parse(pool, bytes, total, &error);
}

static Packet *
complete(FragQueue *queue)
{
    Host *host = queue->parent->host;
    const Packet *first = queue->first;
    uint16_t flags = 0;
    uint8_t ecn;

    if (queue->end + IPV4_HEADER_BYTES > 65535 || !join_ecn(queue->ecn_seen, &ecn)) {
        host_count(host, MIB_IpReasmFails);
        queue_free(queue, queue->end + IPV4_HEADER_BYTES > 65535
                              ? "larger than 65535 bytes when joined"
                              : "ECN fields that don't fit together");
        return NULL;
    }
    for (const Packet *piece = first; piece != NULL; piece = piece->next)
        flags |= piece->flags & (PACKET_BAD_CHECKSUM | PACKET_FORGED);
    Packet *whole = join_by_reference(queue);
    if (whole == NULL)
        whole = join_by_bytes(queue);
    if (whole == NULL) {
        host_count(host, MIB_IpReasmFails);
        queue_free(queue, "joined bytes are no datagram");
        return NULL;
    }
    uint32_t total_len = whole->ip.total_len;
    whole->ip = first->ip;
    whole->ip.total_len = (uint16_t)total_len;
    whole->ip.mf = false;
    whole->ip.tos = (uint8_t)((first->ip.tos & ~ECN_MASK) | ecn);
    whole->flags |= flags | PACKET_REASSEMBLED;
    whole->memory = queue->memory - QUEUE_MEMORY;
    host_count(host, MIB_IpReasmOKs);
    queue_free(queue, NULL);
    return whole;
}

static Packet *
queue_add(FragQueue *queue, Packet *piece)
{
    Host *host = queue->parent->host;
    uint32_t memory = piece_memory(piece);
    uint8_t ecn = piece->ip.tos & ECN_MASK;
    InsertResult result;

    check_distance(queue, host->ip->params.ipfrag_max_dist);
    result = check_length(queue, piece);
    if (result == INSERTED) {
        result = insert_piece(queue, piece);
        if (result == CONDEMNS)
            host_count(host, MIB_IpExtReasmOverlaps);
    }
    switch (result) {
    case IS_DUPLICATE:
        ip_refuse(host, queue->in, piece, "fragment came before");
        return NULL;
    case CONDEMNS:
        host_count(host, MIB_IpReasmFails);
        ip_refuse(host, queue->in, piece, "fragments that contradict each other");
        queue_free(queue, "fragments that contradict each other");
        return NULL;
    case INSERTED:
        break;
    }
    queue->memory += memory;
    queue->parent->memory += memory;
    queue->ecn_seen |= (uint8_t)(1 << ecn);
    if (queue->has_last && queue->have == queue->end)
        return complete(queue);
    record_queue(queue->parent);
    return NULL;
}

Packet *
ip_reassemble(Host *host, Packet *fragment, const Iface *in, uint8_t user)
{
    Reassembly *all = reassembly_of(host);
    FragKey key = { fragment->ip.src, fragment->ip.dst, fragment->ip.id, fragment->ip.proto, user };
    FragQueue *queue;

    host_count(host, MIB_IpReasmReqds);
    if (all->memory > host->ip->params.ipfrag_high_thresh ||
        host->ip->params.ipfrag_high_thresh == 0) {
        host_count(host, MIB_IpReasmFails);
        ip_refuse(host, in, fragment, "no memory for fragments (ipfrag_high_thresh)");
        return NULL;
    }
    if (fragment->ip.mf && (packet_ip_payload_len(fragment) & 7) != 0) {
        /* RFC 791: all pieces but the last are multiples of 8. DIFFERS: Linux cuts the odd bytes
         * off. */
        host_count(host, MIB_IpReasmFails);
        ip_refuse(host, in, fragment, "fragment length not a multiple of 8");
        return NULL;
    }
    queue = g_hash_table_lookup(all->queues, &key);
    if (queue == NULL)
        queue = queue_new(all, &key);
    queue->in = in;
    return queue_add(queue, fragment);
}

static bool
defrag(void *arg, Host *host, Packet *packet, Iface *in, Iface *out)
{
    (void)arg;
    (void)out;
    if (!ip_is_fragment(packet))
        return false;
    packet = ip_reassemble(host, packet, in, IP_DEFRAG_MIDDLEBOX);
    if (packet != NULL)
        ip_input_counted(in, packet);
    return true;
}

void
ip_defrag_on_input(Host *host)
{
    for (guint i = 0; host->ip->input_hooks != NULL && i < host->ip->input_hooks->len; i++) {
        if (g_array_index(host->ip->input_hooks, IpHook, i).fn == defrag)
            return;
    }
    ip_add_input_hook(host, defrag, NULL);
}
