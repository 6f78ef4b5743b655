/* Random early detection (Floyd and Jacobson, 1993): the average length of the
 * queue, not its present one, decides how likely an arriving packet is dropped
 * or marked, so that bursts pass and standing queues do not. */
#include "models/link/qdisc.h"

#include <math.h>

typedef struct Red {
    Qdisc base;
    PacketList list;
    double average;     /* bytes */
    int since_last;     /* packets since the last was dropped or marked; -1: below red_min */
    SimTime idle_since; /* SIM_NEVER: not idle */
} Red;

static Qdisc *
red_create(const LinkEnd *end)
{
    Red *red = g_new0(Red, 1);

    sim_check(end->params.queue.red_max > end->params.queue.red_min);
    red->since_last = -1;
    red->idle_since = 0;
    return &red->base;
}

/* While the queue was idle, small packets might have passed: the average decays
 * as if so many had come to an empty queue. */
static void
red_update_average(Red *red, SimTime now)
{
    const QdiscParams *params = red->base.params;

    if (red->base.packets == 0 && red->idle_since != SIM_NEVER && red->base.end->traits->rate > 0) {
        SimTime idle = MAX(0, now - MAX(red->idle_since, red->base.end->busy_until));
        double typical = 1000.0 * 8 * (double)SIM_SEC / (double)red->base.end->traits->rate;
        red->average *= pow(1 - params->red_weight, (double)idle / typical);
    }
    red->idle_since = SIM_NEVER;
    red->average += params->red_weight * ((double)red->base.bytes - red->average);
}

/* The marks are spread evenly: the chance grows with each packet let through. */
static bool
red_picks(Red *red)
{
    const QdiscParams *params = red->base.params;
    SimRng *rng = &impair_dice(red->base.end)->queue;

    if (red->average < params->red_min) {
        red->since_last = -1;
        return false;
    }
    red->since_last++;
    double base = params->red_probability * (red->average - params->red_min) /
                  (params->red_max - params->red_min);
    double left = 1 - red->since_last * base;
    if (left > 0 && !sim_rng_chance(rng, base / left))
        return false;
    red->since_last = 0;
    return true;
}

static void
red_enqueue(Qdisc *qdisc, Packet *packet, SimTime now)
{
    Red *red = (Red *)qdisc;

    red_update_average(red, now);
    if (qdisc_is_full(qdisc, packet->ip.total_len)) {
        qdisc_drop(qdisc, packet, "queue full");
        return;
    }
    if (red->average >= qdisc->params->red_max) {
        red->since_last = 0;
        if (!qdisc_mark(qdisc, packet, "RED above maximum")) {
            qdisc_drop(qdisc, packet, "RED above maximum");
            return;
        }
    } else if (red_picks(red) && !qdisc_mark(qdisc, packet, "RED early")) {
        qdisc_drop(qdisc, packet, "RED early");
        return;
    }
    qdisc_add(qdisc, &red->list, packet);
}

static Packet *
red_take(Qdisc *qdisc)
{
    return qdisc_remove(qdisc, &((Red *)qdisc)->list);
}

static Packet *
red_dequeue(Qdisc *qdisc, SimTime now, SimTime *again)
{
    Packet *packet = red_take(qdisc);

    *again = SIM_NEVER;
    if (qdisc->packets == 0)
        ((Red *)qdisc)->idle_since = now;
    return packet;
}

static void
red_destroy(Qdisc *qdisc)
{
    g_free(qdisc);
}

const QdiscOps qdisc_red = {
    .name = "red",
    .create = red_create,
    .enqueue = red_enqueue,
    .dequeue = red_dequeue,
    .take = red_take,
    .destroy = red_destroy,
};
