#include "models/node/backlog.h"

typedef struct Waiting {
    Packet *packet; /* owns */
    Iface *iface;   /* borrows */
    SimTime since;
} Waiting;

struct HostBacklog {
    Host *host;                  /* borrows */
    uint64_t packets_per_s;      /* 0: no bound any more */
    uint32_t max;                /* that wait beside the one being worked on */
    bool is_busy;                /* an event will finish the first */
    uint32_t first, count, room; /* ring; room is a power of two */
    Waiting *ring;               /* owns; the first is being worked on */
    uint64_t rest;               /* of the division in backlog_work_time, so that none is lost */
};

static void backlog_finish_one(void *arg);

static SimTime
backlog_work_time(HostBacklog *backlog)
{
    uint64_t whole = (uint64_t)SIM_SEC + backlog->rest;

    backlog->rest = whole % backlog->packets_per_s;
    return (SimTime)(whole / backlog->packets_per_s);
}

static void
backlog_start(HostBacklog *backlog)
{
    Sim *sim = backlog->host->sim;

    backlog->is_busy = true;
    sim_at(sim, sim_now(sim) + backlog_work_time(backlog), backlog_finish_one, backlog);
}

static void
backlog_record(const HostBacklog *backlog, SimTime sojourn)
{
    const Host *host = backlog->host;

    if (probe_is_heard(&host->probes->queue)) {
        QueueRecord record = {
            .at = sim_now(host->sim),
            .host = host->id,
            .name = "backlog",
            .length = backlog->count,
            .sojourn_ns = sojourn,
        };
        probe_emit(&host->probes->queue, &record);
    }
}

static Waiting
backlog_take(HostBacklog *backlog)
{
    Waiting waiting = backlog->ring[backlog->first];

    backlog->first = (backlog->first + 1) & (backlog->room - 1);
    backlog->count--;
    return waiting;
}

static void
backlog_finish_one(void *arg)
{
    HostBacklog *backlog = arg;
    Host *host = backlog->host;

    backlog->is_busy = false;
    if (backlog->count == 0) /* it was emptied when the bound was lifted */
        return;
    Waiting done = backlog_take(backlog);
    if (backlog->count > 0)
        backlog_start(backlog);
    backlog_record(backlog, sim_now(host->sim) - done.since);
    host_count(host, MIB_HostBacklogProcessed);
    host->input(done.iface, done.packet);
}

static void
backlog_grow(HostBacklog *backlog)
{
    uint32_t room = MAX(16, backlog->room * 2);
    Waiting *ring = g_new(Waiting, room);

    for (uint32_t i = 0; i < backlog->count; i++)
        ring[i] = backlog->ring[(backlog->first + i) & (backlog->room - 1)];
    g_free(backlog->ring);
    backlog->ring = ring;
    backlog->room = room;
    backlog->first = 0;
}

void
backlog_receive(HostBacklog *backlog, Iface *iface, Packet *packet)
{
    Host *host = backlog->host;

    if (backlog->packets_per_s == 0) {
        host->input(iface, packet);
        return;
    }
    /* As enqueue_to_backlog() in Linux's net/core/dev.c: a packet is taken while the queue holds
     * no more than the bound, so that one more than the bound fits. DIFFERS: Linux empties that
     * queue in one go and works through what it took, up to as many again; here the packet being
     * worked on counts, and nothing else is out of the queue. */
    if (backlog->count > backlog->max) {
        host_count(host, MIB_HostBacklogDrops);
        host_record_packet(host, iface, PACKET_EVENT_DROPPED, packet, "backlog full");
        packet_free(host->packets, packet);
        return;
    }
    if (backlog->count == backlog->room)
        backlog_grow(backlog);
    backlog->ring[(backlog->first + backlog->count++) & (backlog->room - 1)] =
        (Waiting){ .packet = packet, .iface = iface, .since = sim_now(host->sim) };
    if (!backlog->is_busy)
        backlog_start(backlog);
    backlog_record(backlog, 0);
}

void
backlog_free(HostBacklog *backlog, Host *host)
{
    if (backlog == NULL)
        return;
    while (backlog->count > 0)
        packet_free(host->packets, backlog_take(backlog).packet);
    g_free(backlog->ring);
    g_free(backlog);
}

void
host_set_processing_rate(Host *host, uint64_t packets_per_s, uint32_t max_backlog)
{
    HostBacklog *backlog = host->backlog;

    if (backlog == NULL) {
        if (packets_per_s == 0)
            return;
        backlog = host->backlog = g_new0(HostBacklog, 1);
        backlog->host = host;
    }
    backlog->packets_per_s = packets_per_s;
    backlog->max = max_backlog;
    backlog->rest = 0;
    if (packets_per_s == 0) { /* infinitely fast from now on: it does all that waits */
        while (backlog->count > 0) {
            Waiting waiting = backlog_take(backlog);
            host->input(waiting.iface, waiting.packet);
        }
    }
}
