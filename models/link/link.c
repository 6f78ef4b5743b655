/* Links as objects: their making, parameters, state, and the way of a packet
 * through the stages that the other files of models/link/ implement. */
#include "models/link/link_internal.h"

#include <string.h>

LinkParams
link_params_default(void)
{
    return (LinkParams){
        .delay = 10 * SIM_MS,
        .mtu = 1500,
        .queue = {
            .kind = QDISC_FIFO,
            .limit_packets = 1000,
            .red_probability = 0.02,
            .red_weight = 0.002,
            .codel_target = 5 * SIM_MS,
            .codel_interval = 100 * SIM_MS,
            .flows = 1024,
        },
        .loss = { .one_minus_h = 1.0 },
    };
}

static void
link_params_copy(LinkParams *to, const LinkParams *from)
{
    *to = *from;
    to->loss.list = g_memdup2(from->loss.list, from->loss.n_list * sizeof *from->loss.list);
    to->jitter.table =
        g_memdup2(from->jitter.table, from->jitter.n_table * sizeof *from->jitter.table);
    to->trace = g_memdup2(from->trace, from->n_trace * sizeof *from->trace);
}

static void
link_params_clear(LinkParams *params)
{
    g_free((void *)params->loss.list);
    g_free((void *)params->jitter.table);
    g_free((void *)params->trace);
}

static bool
params_need_server(const LinkParams *params)
{
    return params->queue.kind != QDISC_FIFO || params->n_trace > 0;
}

static bool
params_have_dice(const LinkParams *params)
{
    return params->loss.kind != LOSS_NONE || params->jitter.kind != JITTER_NONE ||
           params->duplicate > 0 || params->corrupt > 0 || params->reorder > 0;
}

/* Derives how packets are treated. */
void
link_end_refresh(LinkEnd *end)
{
    const LinkParams *params = &end->params;

    end->rest = 0;
    end->is_plain = end->link->is_up && end->link->fate == NULL && end->server == NULL &&
                    !params_have_dice(params) && end->overtaken == NULL;
}

static void
link_end_init(LinkEnd *end, Link *link, unsigned direction, Iface *from, Iface *to,
              const LinkParams *params)
{
    sim_check(params->mtu > 0 && params->delay >= 0);
    end->link = link;
    end->direction = (uint8_t)direction;
    end->from = from;
    end->to = to;
    end->is_ordered = true;
    end->pipe.event_at = SIM_NEVER;
    link_params_copy(&end->params, params);
    link_traits_update(end);
    if (params_need_server(params))
        end->server = server_new(end);
    from->link = end;
    from->mtu = MIN(from->mtu, params->mtu);
    link_end_refresh(end);
}

Link *
link_new(Net *net, const char *name, Iface *a, Iface *b, const LinkParams params[2])
{
    Link *link = sim_arena_take0(&net->arena, sizeof *link);

    sim_check(a->link == NULL && b->link == NULL && a != b);
    link->net = net;
    link->name = g_strdup(name);
    link->is_up = true;
    g_ptr_array_add(net->links, link);
    link->id = net->links->len;
    link_end_init(&link->ends[0], link, 0, a, b, &params[0]);
    link_end_init(&link->ends[1], link, 1, b, a, &params[1]);
    net->routes_known = false;
    return link;
}

/* What is on the way ends here; recorded where there is a reason. */
static void
link_end_empty(LinkEnd *end, const char *reason)
{
    Packet *packet;

    while ((packet = pipe_take_any(end)) != NULL)
        link_drop(end, packet, reason);
    while (end->server != NULL && (packet = server_take(end)) != NULL)
        link_drop(end, packet, reason);
    end->pipe.event_at = SIM_NEVER;
    end->waiting.count = 0;
    end->waiting.bytes = 0;
    end->busy_until = 0;
    end->last_due = 0;
}

void
link_free(Link *link)
{
    for (unsigned i = 0; i < 2; i++) {
        LinkEnd *end = &link->ends[i];
        Packet *packet;

        while ((packet = pipe_take_any(end)) != NULL)
            packet_free(end->traits->packets, packet);
        if (end->server != NULL)
            server_free(end, end->server);
        fate_done(end);
        g_free(end->unordered.items);
        g_free(end->waiting.entries);
        g_free(end->dice);
        link_params_clear(&end->params);
        end->from->link = NULL;
    }
    g_free(link->name);
}

uint32_t
link_id(const Link *link)
{
    return link->id;
}

const char *
link_name(const Link *link)
{
    return link->name;
}

Iface *
link_iface(const Link *link, unsigned end)
{
    sim_check(end < 2);
    return link->ends[end].from;
}

const LinkParams *
link_params(const Link *link, unsigned direction)
{
    sim_check(direction < 2);
    return &link->ends[direction].params;
}

void
link_end_place(const LinkEnd *end, uint32_t *link, uint8_t *direction)
{
    *link = end->link->id;
    *direction = end->direction;
}

static bool
loss_is_same(const LossParams *a, const LossParams *b)
{
    return a->kind == b->kind && a->n_list == b->n_list &&
           (a->n_list == 0 || memcmp(a->list, b->list, a->n_list * sizeof *a->list) == 0);
}

static bool
trace_is_same(const LinkParams *a, const LinkParams *b)
{
    return a->n_trace == b->n_trace &&
           (a->n_trace == 0 || memcmp(a->trace, b->trace, a->n_trace * sizeof *a->trace) == 0);
}

/* What goes on as before is not begun anew: the count of a loss list, the state
 * of a loss model, the place in a trace. */
static void
link_end_carry_on(LinkEnd *end, const LinkParams *old, const LinkServer *old_server)
{
    if (end->dice != NULL && !loss_is_same(&end->params.loss, &old->loss)) {
        end->dice->serial = end->dice->list_at = end->dice->burst_left = 0;
        end->dice->is_bad = false;
    }
    if (end->server != NULL && old_server != NULL && trace_is_same(&end->params, old)) {
        end->server->trace_origin = old_server->trace_origin;
        end->server->trace_next = old_server->trace_next;
    }
}

void
link_change(Link *link, unsigned direction, const LinkParams *params)
{
    LinkEnd *end = &link->ends[direction];
    LinkParams old = end->params;
    LinkServer *old_server = end->server;
    PacketList waiting = { 0 };
    Packet *packet;

    sim_check(direction < 2 && params->mtu > 0 && params->delay >= 0);
    link_params_copy(&end->params, params);
    link_traits_update(end);
    if (params->mtu != old.mtu)
        end->from->mtu = params->mtu;
    while (old_server != NULL && (packet = server_take(end)) != NULL)
        packet_list_append(&waiting, packet);
    end->server = params_need_server(params) ? server_new(end) : NULL;
    link_end_carry_on(end, &old, old_server);
    if (old_server != NULL)
        server_free(end, old_server);
    link_end_refresh(end);
    while ((packet = packet_list_take(&waiting)) != NULL) { /* it keeps its place in the queue */
        if (end->server != NULL)
            server_send(end, packet, link_now(end));
        else
            transmit_fifo(end, packet, link_now(end));
    }
    link_params_clear(&old);
}

void
link_set_up(Link *link, bool is_up)
{
    if (link->is_up == is_up)
        return;
    link->is_up = is_up;
    for (unsigned i = 0; i < 2; i++) {
        if (!is_up)
            link_end_empty(&link->ends[i], "link down");
        link_end_refresh(&link->ends[i]);
    }
}

void
link_set_fate(Link *link, LinkFateFn *fn, void *arg)
{
    link->fate = fn;
    link->fate_arg = arg;
    link_end_refresh(&link->ends[0]);
    link_end_refresh(&link->ends[1]);
}

uint32_t
link_queue_packets(const Link *link, unsigned direction)
{
    uint32_t packets;
    uint64_t bytes;

    link_end_queue(&link->ends[direction], &packets, &bytes);
    return packets;
}

uint64_t
link_queue_bytes(const Link *link, unsigned direction)
{
    uint32_t packets;
    uint64_t bytes;

    link_end_queue(&link->ends[direction], &packets, &bytes);
    return bytes;
}

void
link_record(const LinkEnd *end, PacketEvent event, const Packet *packet, const char *reason,
            SimTime extra)
{
    bool at_receiver = event == PACKET_EVENT_DELIVERED;
    PacketRecord record = {
        .at = link_now(end),
        .event = event,
        .packet = packet,
        .link = end->link->id,
        .direction = end->direction,
        .host = at_receiver ? end->to->host->id : 0,
        .iface = at_receiver ? end->to->index : 0,
        .reason = reason,
        .extra_ns = extra,
    };

    probe_emit(&end->traits->probes->packet, &record);
}

void
link_record_queue(LinkEnd *end, SimTime sojourn)
{
    QueueRecord record = {
        .at = link_now(end),
        .link = end->link->id,
        .direction = end->direction,
        .name = "link",
        .sojourn_ns = sojourn,
    };

    link_end_queue(end, &record.length, &record.bytes);
    end->told_queue = record.length;
    probe_emit(&end->traits->probes->queue, &record);
}

void
link_record_queue_change(LinkEnd *end)
{
    uint32_t packets;
    uint64_t bytes;

    link_end_queue(end, &packets, &bytes);
    if (packets != end->told_queue)
        link_record_queue(end, packets == 0 ? 0 : -1);
}

void
link_drop(LinkEnd *end, Packet *packet, const char *reason)
{
    link_note(end, PACKET_EVENT_DROPPED, packet, reason, 0);
    packet_free(end->traits->packets, packet);
}

/* netem's order of the dice: duplicate, loss (one for both), corrupt. The copy
 * takes the same way, but is not copied again. */
static void
link_enter_rolling(LinkEnd *end, Packet *packet, bool may_duplicate)
{
    static const Fate any_bit = { .kind = FATE_CORRUPT, .corrupt_at = -1 };
    const LinkParams *params = &end->params;
    const char *reason = NULL;
    unsigned count = 1;

    if (may_duplicate && params->duplicate > 0 &&
        sim_rng_chance(&impair_dice(end)->duplicate, params->duplicate))
        count++;
    if (impair_loses(end, packet, &reason) && --count == 0) {
        link_drop(end, packet, reason);
        return;
    }
    Packet *copy = NULL;
    if (count > 1) {
        copy = packet_copy(end->traits->packets, packet);
        copy->flags |= PACKET_DUPLICATE;
    }
    if (params->corrupt > 0 && sim_rng_chance(&impair_dice(end)->corrupt, params->corrupt)) {
        link_note(end, PACKET_EVENT_CORRUPTED, packet, "corrupt", 0);
        packet = corrupt_packet(end, packet, &any_bit);
    }
    if (end->server != NULL)
        server_send(end, packet, link_now(end));
    else
        transmit_fifo(end, packet, link_now(end));
    if (copy != NULL) {
        link_note(end, PACKET_EVENT_DUPLICATED, copy, "duplicate", 0);
        link_enter_rolling(end, copy, false);
    }
}

void
link_enter_overtaken(LinkEnd *end, Packet *packet)
{
    if (!end->link->is_up)
        link_drop(end, packet, "link down");
    else if (packet->ip.total_len > end->traits->mtu)
        link_drop(end, packet, "larger than MTU");
    else
        link_enter_rolling(end, packet, true);
}

void
link_enter(LinkEnd *end, Packet *packet)
{
    link_enter_overtaken(end, packet);
    if (end->overtaken != NULL)
        fate_passed(end);
}

void
link_send(LinkEnd *end, Packet *packet)
{
    if (G_LIKELY(end->is_plain && packet->ip.total_len <= end->traits->mtu)) {
        transmit_fifo(end, packet, link_now(end));
        return;
    }
    packet->due = 0; /* no fate has delayed it */
    if (end->link->fate == NULL || !fate_apply(end, packet))
        link_enter(end, packet);
}
