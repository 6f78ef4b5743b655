/* The log of crossings: what befell every packet on every link. A crossing
 * begins when a stack, or the scenario, gives a packet to a link; it is closed
 * when the packet is lost, or when the stack that received it has said what it
 * did with it, at the latest when time moves on. Closed crossings are told to
 * the sink in order of sending, through a window.
 */
#include "models/trace/recorder_internal.h"

#include <string.h>

#include "models/link/link.h"

/* ---- Entries by serial number --------------------------------------------------- */

void
trace_packets_init(TracePacketLog *log, const RecorderOptions *options)
{
    memset(log, 0, sizeof *log);
    log->chunks = g_ptr_array_new();
    log->spare = g_ptr_array_new();
    log->keep = ((uint64_t)options->packets + TRACE_CHUNK - 1) / TRACE_CHUNK * TRACE_CHUNK;
    log->first_chunk = log->keep / TRACE_CHUNK;
    log->window = MAX(options->window, 1u);
    log->open_size = 256;
    log->open = g_malloc0_n(log->open_size, sizeof *log->open);
    log->arrived = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    log->lanes = g_array_new(FALSE, TRUE, sizeof(TraceLane));
}

void
trace_packets_done(TracePacketLog *log)
{
    for (unsigned i = 0; i < log->chunks->len; i++)
        g_free(log->chunks->pdata[i]);
    for (unsigned i = 0; i < log->spare->len; i++)
        g_free(log->spare->pdata[i]);
    g_ptr_array_free(log->chunks, TRUE);
    g_ptr_array_free(log->spare, TRUE);
    g_free(log->open);
    g_array_free(log->arrived, TRUE);
    g_array_free(log->lanes, TRUE);
}

static TracePacket *
log_entry(const TracePacketLog *log, uint64_t serial)
{
    TracePacket *chunk = log->chunks->pdata[serial / TRACE_CHUNK];

    return chunk ? &chunk[serial % TRACE_CHUNK] : NULL;
}

static TracePacket *
log_append(TracePacketLog *log)
{
    TracePacket *entry;

    if (log->n_entries % TRACE_CHUNK == 0) {
        gpointer chunk = log->spare->len
                             ? g_ptr_array_remove_index_fast(log->spare, log->spare->len - 1)
                             : g_new(TracePacket, TRACE_CHUNK);

        g_ptr_array_add(log->chunks, chunk);
    }
    entry = log_entry(log, log->n_entries++);
    memset(entry, 0, sizeof *entry);
    return entry;
}

/* Chunks past the limit whose entries are all done go back. */
static void
log_forget(TracePacketLog *log)
{
    while (log->first_chunk < log->n_done / TRACE_CHUNK) {
        g_ptr_array_add(log->spare, log->chunks->pdata[log->first_chunk]);
        log->chunks->pdata[log->first_chunk++] = NULL;
    }
}

/* ---- Open entries by packet id ---------------------------------------------------- */

static uint32_t
open_slot(const TracePacketLog *log, uint64_t id)
{
    return (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (log->open_size - 1);
}

static uint32_t
open_find(const TracePacketLog *log, uint64_t id)
{
    uint32_t at = open_slot(log, id);

    while (log->open[at].id != 0 && log->open[at].id != id)
        at = (at + 1) & (log->open_size - 1);
    return at;
}

static void
open_grow(TracePacketLog *log)
{
    uint32_t old_size = log->open_size;
    __typeof__(log->open) old = log->open;

    log->open_size *= 2;
    log->open = g_malloc0_n(log->open_size, sizeof *log->open);
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i].id != 0)
            log->open[open_find(log, old[i].id)] = old[i];
    g_free(old);
}

static void
open_put(TracePacketLog *log, uint64_t id, uint64_t serial)
{
    uint32_t at;

    if (log->open_used * 2 >= log->open_size)
        open_grow(log);
    at = open_find(log, id);
    if (log->open[at].id == 0)
        log->open_used++;
    log->open[at].id = id;
    log->open[at].serial = serial;
}

/* Forgets an id if it still stands for this crossing; later ones in its run of
 * slots move up, so that no tombstones are needed. */
static void
open_remove(TracePacketLog *log, uint64_t id, uint64_t serial)
{
    uint32_t mask = log->open_size - 1, hole = open_find(log, id), at;

    if (log->open[hole].id == 0 || log->open[hole].serial != serial)
        return;
    log->open_used--;
    for (at = (hole + 1) & mask; log->open[at].id != 0; at = (at + 1) & mask) {
        uint32_t home = open_slot(log, log->open[at].id);

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            log->open[hole] = log->open[at];
            hole = at;
        }
    }
    log->open[hole].id = 0;
}

/* ---- Opening ------------------------------------------------------------------------ */

static void
entry_set_tcp(TracePacket *entry, const Packet *packet)
{
    const TcpHeader *h = &packet->tcp;

    entry->src.port = h->sport;
    entry->dst.port = h->dport;
    entry->flags = h->flags;
    entry->options = h->options;
    entry->wscale = h->options & TCPOPT_HAS_WSCALE ? h->wscale : 0;
    entry->mss = h->options & TCPOPT_HAS_MSS ? h->mss : 0;
    entry->wnd = h->wnd;
    entry->urg = h->flags & TCP_URG ? h->urg : 0;
    entry->seq = h->seq;
    entry->ack = h->ack;
    if (h->options & TCPOPT_HAS_TS) {
        entry->tsval = h->tsval;
        entry->tsecr = h->tsecr;
    }
    entry->n_sacks = MIN(h->n_sacks, TCP_MAX_SACK_BLOCKS);
    memcpy(entry->sacks, h->sacks, entry->n_sacks * sizeof entry->sacks[0]);
}

static void
entry_set_headers(TracePacket *entry, const Packet *packet)
{
    entry->id = packet->id;
    entry->copy_of = packet->copy_of;
    entry->why = packet->why;
    entry->conn = packet->conn;
    entry->proto = packet->ip.proto;
    entry->ttl = packet->ip.ttl;
    entry->tos = packet->ip.tos;
    entry->ip_id = packet->ip.id;
    entry->ip_len = packet->ip.total_len;
    entry->frag_offset = packet->ip.frag_offset;
    entry->df = packet->ip.df;
    entry->mf = packet->ip.mf;
    entry->src.addr = packet->ip.src;
    entry->dst.addr = packet->ip.dst;
    entry->len = packet->payload.len;
    entry->stream = packet->payload.len ? packet->payload.stream : 0;
    bool is_forged_fragment = packet->raw != NULL && (packet->ip.mf || packet->ip.frag_offset != 0);
    if (packet->flags & PACKET_FRAGMENT || is_forged_fragment) {
        entry->what |= TRACE_FRAGMENT;
        entry->len = packet_ip_payload_len(packet);
    } else if (packet->raw != NULL) {
        entry->len = packet->raw->len;
    } else if (packet->ip.proto == IP_PROTO_TCP) {
        entry_set_tcp(entry, packet);
    } else if (packet->ip.proto == IP_PROTO_UDP) {
        entry->src.port = packet->udp.sport;
        entry->dst.port = packet->udp.dport;
    } else if (packet->ip.proto == IP_PROTO_ICMP) {
        entry->flags = (uint16_t)(packet->icmp.type << 8 | packet->icmp.code);
        entry->mss = packet->icmp.mtu;
    }
    if (packet->flags & PACKET_DUPLICATE)
        entry->what |= TRACE_COPY;
    if (packet->flags & PACKET_FORGED)
        entry->what |= TRACE_INJECTED;
    if (packet->flags & PACKET_RETRANSMIT)
        entry->what |= TRACE_RETRANSMIT;
}

/* Both ends of a crossing are known once its link is. */
static void
entry_set_link(Recorder *recorder, TracePacket *entry, uint32_t link, unsigned direction)
{
    const GPtrArray *links = recorder->net->links;
    const Iface *from, *to;

    if (link == 0 || entry->link != 0 || links == NULL || link > links->len)
        return;
    entry->link = (uint16_t)link;
    entry->direction = (uint8_t)direction;
    from = link_iface(links->pdata[link - 1], direction);
    to = link_iface(links->pdata[link - 1], !direction);
    if (from == NULL || to == NULL)
        return;
    if (entry->from == 0) {
        entry->from = (uint16_t)from->host->id;
        entry->from_if = (uint16_t)from->index;
    }
    entry->to = (uint16_t)to->host->id;
    entry->to_if = (uint16_t)to->index;
}

static TraceLane *
log_lane(TracePacketLog *log, const TracePacket *entry)
{
    unsigned at = entry->link * 2u + entry->direction;

    if (at >= log->lanes->len)
        g_array_set_size(log->lanes, at + 1);
    return &g_array_index(log->lanes, TraceLane, at);
}

TraceLane
recorder_lane(const Recorder *recorder, uint32_t link, unsigned direction)
{
    const GArray *lanes = recorder->packets.lanes;
    unsigned at = link * 2u + direction;

    return at < lanes->len ? g_array_index(lanes, TraceLane, at) : (TraceLane){ 0 };
}

static void log_close(Recorder *recorder, uint64_t serial, TracePacket *entry);
static void log_advance(Recorder *recorder);

/* `first` says that its sender sends it now, so that its numbers teach. */
static TracePacket *
log_open(Recorder *recorder, const PacketRecord *record, uint32_t what, uint64_t *serial)
{
    TracePacketLog *log = &recorder->packets;
    TracePacket *entry;

    if (log->n_entries - log->n_done >= log->window) {
        log_close(recorder, log->n_done, log_entry(log, log->n_done));
        log_advance(recorder);
    }
    *serial = log->n_entries;
    entry = log_append(log);
    entry->what = what;
    entry->sent_at = record->at;
    entry->ended_at = -1;
    entry_set_headers(entry, record->packet);
    /* What never left its host teaches nothing: its bytes are still to be sent. */
    if (entry->proto == IP_PROTO_TCP && record->packet->raw == NULL &&
        record->event != PACKET_EVENT_DROPPED && !(entry->what & TRACE_FRAGMENT) &&
        trace_flows_see(&recorder->flows, entry) && !(entry->what & TRACE_FORWARDED))
        entry->what |= TRACE_RETRANSMIT;
    open_put(log, entry->id, *serial);

    recorder->totals.packets++;
    recorder->totals.bytes += entry->ip_len;
    return entry;
}

static void
entry_tell_sent(Recorder *recorder, TracePacket *entry, const Packet *packet)
{
    recorder->totals.injected +=
        (entry->what & (TRACE_INJECTED | TRACE_FORWARDED)) == TRACE_INJECTED;
    recorder->totals.copies += (entry->what & (TRACE_COPY | TRACE_FORWARDED)) == TRACE_COPY;
    recorder->totals.retransmits +=
        (entry->what & (TRACE_RETRANSMIT | TRACE_FORWARDED | TRACE_COPY)) == TRACE_RETRANSMIT;
    if (recorder->sink.on_sent)
        recorder->sink.on_sent(recorder->sink.arg, entry, packet);
}

/* ---- Closing ------------------------------------------------------------------------ */

static void
log_close(Recorder *recorder, uint64_t serial, TracePacket *entry)
{
    if (entry == NULL || (entry->what & TRACE_CLOSED))
        return;
    entry->what |= TRACE_CLOSED;
    open_remove(&recorder->packets, entry->id, serial);
    recorder->totals.arrived += !!(entry->what & TRACE_ARRIVED);
    recorder->totals.lost += !!(entry->what & TRACE_LOST);
    recorder->totals.refused += !!(entry->what & TRACE_REFUSED);
    recorder->totals.corrupted += !!(entry->what & TRACE_CORRUPTED);
    recorder->totals.marked += !!(entry->what & TRACE_MARKED);
    if (entry->link != 0) {
        TraceLane *lane = log_lane(&recorder->packets, entry);

        lane->packets++;
        lane->bytes += entry->ip_len;
        lane->lost += !!(entry->what & TRACE_LOST);
        lane->arrived += !!(entry->what & TRACE_ARRIVED);
    }
    if (recorder->sink.on_closed)
        recorder->sink.on_closed(recorder->sink.arg, entry);
}

static void
log_advance(Recorder *recorder)
{
    TracePacketLog *log = &recorder->packets;

    while (log->n_done < log->n_entries) {
        const TracePacket *entry = log_entry(log, log->n_done);

        if (!(entry->what & TRACE_CLOSED))
            break;
        if (recorder->sink.on_packet)
            recorder->sink.on_packet(recorder->sink.arg, entry);
        log->n_done++;
    }
    log_forget(log);
}

/* What arrived and was not spoken of since was taken in silence. */
static void
log_close_arrived(Recorder *recorder)
{
    TracePacketLog *log = &recorder->packets;

    for (unsigned i = 0; i < log->arrived->len; i++) {
        uint64_t serial = g_array_index(log->arrived, uint64_t, i);

        if (serial >= log->n_done)
            log_close(recorder, serial, log_entry(log, serial));
    }
    g_array_set_size(log->arrived, 0);
    log_advance(recorder);
}

void
trace_packets_finish(Recorder *recorder)
{
    TracePacketLog *log = &recorder->packets;

    log_close_arrived(recorder);
    for (uint64_t serial = log->n_done; serial < log->n_entries; serial++)
        log_close(recorder, serial, log_entry(log, serial));
    log_advance(recorder);
}

/* ---- What happens to them ------------------------------------------------------------ */

static void
entry_arrives(Recorder *recorder, uint64_t serial, TracePacket *entry, const PacketRecord *record)
{
    TracePacketLog *log = &recorder->packets;
    const Host *host;

    entry->what |= TRACE_ARRIVED;
    entry->ended_at = record->at;
    if (record->host != 0) {
        entry->to = (uint16_t)record->host;
        entry->to_if = (uint16_t)record->iface;
    }
    if (entry->link != 0) {
        TraceLane *lane = log_lane(log, entry);

        if (serial + 1 < lane->last_arrival)
            entry->what |= TRACE_OVERTAKEN;
        else
            lane->last_arrival = serial + 1;
    }
    if (recorder->sink.on_arrived)
        recorder->sink.on_arrived(recorder->sink.arg, entry, record->packet);

    /* A host with a processing rate says later what it did with it. */
    host = entry->to ? recorder->net->hosts->pdata[entry->to - 1] : NULL;
    if (host == NULL || host->backlog == NULL) {
        log->arrived_at = record->at;
        g_array_append_val(log->arrived, serial);
    }
}

static void
entry_ends(Recorder *recorder, uint64_t serial, TracePacket *entry, const PacketRecord *record)
{
    switch (record->event) {
    case PACKET_EVENT_DROPPED:
        if (entry->what & TRACE_ARRIVED) {
            entry->what |= TRACE_REFUSED;
        } else {
            entry->what |= TRACE_LOST;
            entry->ended_at = record->at;
        }
        break;
    case PACKET_EVENT_REFUSED:
        entry->what |= TRACE_REFUSED;
        break;
    case PACKET_EVENT_CONSUMED:
        entry->what |= TRACE_CONSUMED;
        break;
    case PACKET_EVENT_SENT:
    case PACKET_EVENT_QUEUED:
    case PACKET_EVENT_DELIVERED:
    case PACKET_EVENT_DUPLICATED:
    case PACKET_EVENT_DELAYED:
    case PACKET_EVENT_HELD:
    case PACKET_EVENT_CORRUPTED:
    case PACKET_EVENT_INJECTED:
    case PACKET_EVENT_MARKED:
    case PACKET_EVENT_REWRITTEN:
        return;
    }
    if (record->reason != NULL)
        entry->reason = record->reason;
    log_close(recorder, serial, entry);
    log_advance(recorder);
}

/* A crossing that begins: what kind, and from where. */
static void
log_begin(Recorder *recorder, const PacketRecord *record, bool is_forwarded)
{
    TracePacketLog *log = &recorder->packets;
    const TracePacket *original = NULL;
    uint32_t what = 0;
    uint64_t serial;
    TracePacket *entry;

    if (record->event == PACKET_EVENT_INJECTED)
        what |= TRACE_INJECTED;
    if (record->event == PACKET_EVENT_DUPLICATED)
        what |= TRACE_COPY;
    if (is_forwarded)
        what |= TRACE_FORWARDED;
    entry = log_open(recorder, record, what, &serial);
    if ((entry->what & TRACE_COPY) && entry->copy_of != 0) {
        uint32_t at = open_find(log, entry->copy_of);

        if (log->open[at].id != 0)
            original = log_entry(log, log->open[at].serial);
    }
    if (original != NULL) {
        entry->from = original->from;
        entry->from_if = original->from_if;
        entry->what |= original->what & TRACE_FORWARDED;
    } else if (record->host != 0 && record->event != PACKET_EVENT_DELIVERED) {
        entry->from = (uint16_t)record->host;
        entry->from_if = (uint16_t)record->iface;
    }
    entry_set_link(recorder, entry, record->link, record->direction);
    if (record->extra_ns > 0 &&
        (record->event == PACKET_EVENT_DUPLICATED || record->event == PACKET_EVENT_INJECTED)) {
        entry->what |= TRACE_DELAYED;
        entry->extra_ns = record->extra_ns;
    }
    entry_tell_sent(recorder, entry, record->packet);
}

static void
entry_note(TracePacket *entry, const PacketRecord *record)
{
    uint32_t what = 0;

    switch (record->event) {
    case PACKET_EVENT_QUEUED:
        what = TRACE_QUEUED;
        break;
    case PACKET_EVENT_DELAYED:
        entry->extra_ns += record->extra_ns;
        if (record->extra_ns <= 0 || g_strcmp0(record->reason, "jitter") == 0)
            return; /* every packet of such a link has its own: nothing to speak of */
        what = TRACE_DELAYED;
        break;
    case PACKET_EVENT_HELD:
        what = TRACE_HELD;
        break;
    case PACKET_EVENT_CORRUPTED:
        what = TRACE_CORRUPTED;
        break;
    case PACKET_EVENT_INJECTED: /* released from hold */
        what = TRACE_DELAYED;
        entry->what &= ~(uint32_t)TRACE_HELD;
        entry->extra_ns += record->at - entry->sent_at;
        break;
    case PACKET_EVENT_MARKED:
        what = TRACE_MARKED;
        break;
    case PACKET_EVENT_REWRITTEN:
        what = TRACE_REWRITTEN;
        break;
    case PACKET_EVENT_SENT:
    case PACKET_EVENT_DELIVERED:
    case PACKET_EVENT_DROPPED:
    case PACKET_EVENT_DUPLICATED:
    case PACKET_EVENT_CONSUMED:
    case PACKET_EVENT_REFUSED:
        return;
    }
    entry->what |= what;
    if (record->reason != NULL && !(entry->what & TRACE_LOST))
        entry->reason = record->reason;
}

/* SENT again by a host that had received it: a router forwards. */
static bool
record_begins(const PacketRecord *record, const TracePacket *entry)
{
    if (entry == NULL)
        return true;
    return record->event == PACKET_EVENT_SENT && (entry->what & TRACE_ARRIVED);
}

void
trace_packets_on_record(Recorder *recorder, const PacketRecord *record)
{
    TracePacketLog *log = &recorder->packets;
    TracePacket *entry;
    uint64_t serial;
    uint32_t at;
    bool is_new;

    if (log->arrived->len > 0 && record->at > log->arrived_at)
        log_close_arrived(recorder);

    at = open_find(log, record->packet->id);
    serial = log->open[at].serial;
    entry = log->open[at].id != 0 ? log_entry(log, serial) : NULL;
    is_new = record_begins(record, entry);
    if (is_new) {
        bool is_forwarded = entry != NULL;

        if (entry == NULL &&
            (record->event == PACKET_EVENT_CONSUMED || record->event == PACKET_EVENT_REFUSED))
            return; /* over loopback, or closed already */
        if (entry != NULL) {
            entry->what |= TRACE_CONSUMED;
            log_close(recorder, serial, entry);
            log_advance(recorder);
        }
        log_begin(recorder, record, is_forwarded);
        serial = log->n_entries - 1;
        entry = log_entry(log, serial);
    }
    entry_set_link(recorder, entry, record->link, record->direction);
    if (record->event == PACKET_EVENT_DELIVERED)
        entry_arrives(recorder, serial, entry, record);
    else if (!is_new)
        entry_note(entry, record);
    entry_ends(recorder, serial, entry, record);
}

/* A stack says by which rule it drops a segment that has just arrived. The first
 * rule is the reason: what follows is about the answer. */
void
trace_packets_refuse(Recorder *recorder, const VerdictRecord *verdict)
{
    TracePacketLog *log = &recorder->packets;
    uint32_t at = open_find(log, verdict->packet);
    TracePacket *entry = log->open[at].id != 0 ? log_entry(log, log->open[at].serial) : NULL;

    if (entry == NULL || (entry->what & (TRACE_ARRIVED | TRACE_REFUSED)) != TRACE_ARRIVED ||
        entry->to != verdict->host)
        return;
    entry->what |= TRACE_REFUSED;
    entry->reason = verdict->what;
}
