/* Scripted fates, and packets that a scenario puts on the link itself. */
#include "models/link/link_internal.h"

static const char *
fate_reason(const Fate *fate, const char *otherwise)
{
    return fate->reason != NULL ? fate->reason : otherwise;
}

static void
fate_duplicate(LinkEnd *end, Packet *packet, const Fate *fate)
{
    uint32_t copies = MAX(1, fate->copies);
    PacketList list = { 0 };
    Packet *copy;

    for (uint32_t i = 0; i < copies; i++) {
        copy = packet_copy(end->traits->packets, packet);
        copy->flags |= PACKET_DUPLICATE;
        packet_list_append(&list, copy);
    }
    link_enter(end, packet);
    for (uint32_t i = 1; (copy = packet_list_take(&list)) != NULL; i++) {
        link_note(end, PACKET_EVENT_DUPLICATED, copy, fate_reason(fate, "scripted duplicate"),
                  i * fate->by);
        if (fate->by > 0)
            fate_defer(end, copy, i * fate->by, false);
        else
            link_enter(end, copy);
    }
}

/* Nobody overtook them in time: they go now. */
static void
fate_overtaken_timeout(void *arg)
{
    LinkEnd *end = arg;
    SimTime now = link_now(end);

    for (guint i = 0; i < end->overtaken->len;) {
        Overtaken waiting = g_array_index(end->overtaken, Overtaken, i);
        if (waiting.until > now) {
            i++;
            continue;
        }
        g_array_remove_index(end->overtaken, i);
        link_enter_overtaken(end, waiting.packet);
    }
}

static void
fate_reorder(LinkEnd *end, Packet *packet, const Fate *fate)
{
    Overtaken waiting = { .packet = packet, .left = MAX(1, fate->past), .until = SIM_NEVER };

    link_note(end, PACKET_EVENT_DELAYED, packet, fate_reason(fate, "scripted reorder"), fate->by);
    if (end->overtaken == NULL) {
        end->overtaken = g_array_new(FALSE, FALSE, sizeof(Overtaken));
        link_end_refresh(end);
    }
    if (fate->by > 0) {
        waiting.until = link_now(end) + fate->by;
        sim_at(end->traits->sim, waiting.until, fate_overtaken_timeout, end);
    }
    g_array_append_val(end->overtaken, waiting);
}

void
fate_passed(LinkEnd *end)
{
    PacketList ready = { 0 };
    Packet *packet;

    for (guint i = 0; i < end->overtaken->len;) {
        Overtaken *waiting = &g_array_index(end->overtaken, Overtaken, i);
        if (--waiting->left > 0) {
            i++;
            continue;
        }
        packet_list_append(&ready, waiting->packet);
        g_array_remove_index(end->overtaken, i);
    }
    while ((packet = packet_list_take(&ready)) != NULL)
        link_enter_overtaken(end, packet);
}

bool
fate_apply(LinkEnd *end, Packet *packet)
{
    Link *link = end->link;
    Fate fate = link->fate(link->fate_arg, link, end->direction, packet);

    switch (fate.kind) {
    case FATE_PASS:
        return false;
    case FATE_DROP:
        link_drop(end, packet, fate_reason(&fate, "scripted drop"));
        return true;
    case FATE_DELAY:
        packet->due = MAX(0, fate.by);
        link_note(end, PACKET_EVENT_DELAYED, packet, fate_reason(&fate, "scripted delay"),
                  packet->due);
        return false;
    case FATE_DUPLICATE:
        fate_duplicate(end, packet, &fate);
        return true;
    case FATE_REORDER:
        fate_reorder(end, packet, &fate);
        return true;
    case FATE_CORRUPT:
        link_note(end, PACKET_EVENT_CORRUPTED, packet, fate_reason(&fate, "scripted corruption"),
                  0);
        link_enter(end, corrupt_packet(end, packet, &fate));
        return true;
    case FATE_HOLD:
        link_note(end, PACKET_EVENT_HELD, packet, fate_reason(&fate, "scripted hold"), 0);
        packet_list_append(&end->held, packet);
        return true;
    }
    return false;
}

/* Puts it on the link now, and says so. */
static void
fate_inject(LinkEnd *end, Packet *packet, bool is_injected)
{
    packet->due = 0;
    if (is_injected)
        link_note(end, PACKET_EVENT_INJECTED, packet,
                  packet->flags & PACKET_FORGED ? "injected" : "released", 0);
    link_enter(end, packet);
}

static void
fate_deferred_due(void *arg)
{
    LinkEnd *end = arg;
    HeapItem item = packet_heap_take(&end->deferred);

    fate_inject(end, item.packet, item.is_injected);
}

void
fate_defer(LinkEnd *end, Packet *packet, SimTime after, bool is_injected)
{
    SimTime due = link_now(end) + after;

    /* As many events as packets, each at its packet's time: each takes the earliest. */
    packet_heap_add(&end->deferred, packet, due, is_injected);
    sim_at(end->traits->sim, due, fate_deferred_due, end);
}

void
fate_done(LinkEnd *end)
{
    Packet *packet;

    while ((packet = packet_list_take(&end->held)) != NULL)
        packet_free(end->traits->packets, packet);
    while (end->deferred.count > 0)
        packet_free(end->traits->packets, packet_heap_take(&end->deferred).packet);
    g_free(end->deferred.items);
    if (end->overtaken == NULL)
        return;
    for (guint i = 0; i < end->overtaken->len; i++)
        packet_free(end->traits->packets, g_array_index(end->overtaken, Overtaken, i).packet);
    g_array_unref(end->overtaken);
}

void
link_inject(Link *link, unsigned direction, Packet *packet, SimTime after)
{
    LinkEnd *end = &link->ends[direction];

    sim_check(direction < 2 && after >= 0);
    if (after == 0)
        fate_inject(end, packet, true);
    else
        fate_defer(end, packet, after, true);
}

void
link_deliver(Link *link, unsigned direction, Packet *packet, SimTime after)
{
    LinkEnd *end = &link->ends[direction];
    SimTime now = link_now(end);

    sim_check(direction < 2 && after >= 0);
    link_note(end, PACKET_EVENT_INJECTED, packet, "delivered by script", after);
    packet->tx_at = now;
    pipe_add_unordered(end, packet, now + after);
}

unsigned
link_release(Link *link, unsigned direction, SimTime after)
{
    LinkEnd *end = &link->ends[direction];
    unsigned count = end->held.count;

    for (unsigned i = 0; i < count; i++)
        link_inject(link, direction, packet_list_take(&end->held), after);
    return count;
}

unsigned
link_held(const Link *link, unsigned direction)
{
    return link->ends[direction].held.count;
}
