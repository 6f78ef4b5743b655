/* The dice of a direction: loss and jitter, as tc-netem knows them. Each
 * purpose has a random stream of its own, and draws only where the outcome is
 * open, so that switching one impairment on leaves the others' luck alone. */
#include "models/link/link_internal.h"

#include <math.h>

Impairments *
impair_dice(LinkEnd *end)
{
    static const struct {
        const char *purpose;
        size_t offset;
    } streams[] = {
        { "loss", offsetof(Impairments, loss) },
        { "jitter", offsetof(Impairments, jitter) },
        { "duplicate", offsetof(Impairments, duplicate) },
        { "corrupt", offsetof(Impairments, corrupt) },
        { "reorder", offsetof(Impairments, reorder) },
        { "queue", offsetof(Impairments, queue) },
    };

    if (end->dice != NULL)
        return end->dice;
    end->dice = g_new0(Impairments, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(streams); i++) {
        char *name = g_strdup_printf("link %s %s>%s %s", end->link->name, end->from->host->name,
                                     end->to->host->name, streams[i].purpose);
        sim_rng_named(end->traits->sim, (SimRng *)((char *)end->dice + streams[i].offset), name);
        g_free(name);
    }
    return end->dice;
}

/* Two states with a loss of their own (Gilbert 1960, Elliott 1963). The state
 * in which the packet finds the link decides its fate; then the state may turn. */
static bool
loss_gilbert_elliott(Impairments *dice, const LossParams *loss)
{
    bool was_bad = dice->is_bad;

    if (sim_rng_chance(&dice->loss, was_bad ? loss->r : loss->p))
        dice->is_bad = !was_bad;
    return sim_rng_chance(&dice->loss, was_bad ? loss->one_minus_h : loss->one_minus_k);
}

static bool
loss_burst(Impairments *dice, const LossParams *loss)
{
    if (dice->burst_left == 0 && sim_rng_chance(&dice->loss, loss->p))
        dice->burst_left = MAX(1, loss->burst);
    if (dice->burst_left == 0)
        return false;
    dice->burst_left--;
    return true;
}

static bool
loss_list(Impairments *dice, const LossParams *loss)
{
    while (dice->list_at < loss->n_list && loss->list[dice->list_at] < dice->serial)
        dice->list_at++;
    return dice->list_at < loss->n_list && loss->list[dice->list_at] == dice->serial;
}

/* A packet survives when each of its bits does. */
static bool
loss_bit_error(Impairments *dice, const LossParams *loss, uint32_t bytes)
{
    if (loss->p <= 0)
        return false;
    return sim_rng_chance(&dice->loss, -expm1(8.0 * bytes * log1p(-loss->p)));
}

bool
impair_loses(LinkEnd *end, const Packet *packet, const char **reason)
{
    const LossParams *loss = &end->params.loss;

    if (loss->kind == LOSS_NONE)
        return false;

    Impairments *dice = impair_dice(end);
    dice->serial++;
    *reason = "loss";
    switch (loss->kind) {
    case LOSS_NONE:
        break;
    case LOSS_RANDOM:
        return sim_rng_chance(&dice->loss, loss->p);
    case LOSS_GILBERT_ELLIOTT:
        *reason = dice->is_bad ? "loss (bad state)" : "loss (good state)";
        return loss_gilbert_elliott(dice, loss);
    case LOSS_BURST:
        *reason = "loss (burst)";
        return loss_burst(dice, loss);
    case LOSS_LIST:
        *reason = "loss (list)";
        return loss_list(dice, loss);
    case LOSS_BIT_ERROR:
        *reason = "bit error";
        return loss_bit_error(dice, loss, packet->ip.total_len + end->traits->overhead);
    }
    return false;
}

/* Linear between the sorted quantiles. */
static double
jitter_from_table(SimRng *rng, const JitterParams *jitter)
{
    if (jitter->n_table < 2)
        return jitter->n_table == 1 ? jitter->table[0] : 0;

    double at = sim_rng_unit(rng) * (jitter->n_table - 1);
    uint32_t index = (uint32_t)at;
    double low = jitter->table[index], high = jitter->table[index + 1];
    return low + (high - low) * (at - index);
}

SimTime
impair_jitter(LinkEnd *end)
{
    /* Pareto of minimum 1 and shape 3, as netem's table: mean 3/2, variance 3/4. */
    enum { PARETO_SHAPE = 3 };
    const double pareto_mean = 1.5, pareto_deviation = 0.8660254037844386;
    const JitterParams *jitter = &end->params.jitter;
    double amount = (double)jitter->amount;

    if (jitter->kind == JITTER_NONE || jitter->amount == 0)
        return 0;

    SimRng *rng = &impair_dice(end)->jitter;
    switch (jitter->kind) {
    case JITTER_NONE:
        break;
    case JITTER_UNIFORM:
        return (SimTime)sim_rng_below(rng, 2 * (uint64_t)jitter->amount + 1) - jitter->amount;
    case JITTER_NORMAL:
        return llround(sim_rng_normal(rng, 0, amount));
    case JITTER_PARETO:
        return llround(amount * (sim_rng_pareto(rng, 1, PARETO_SHAPE) - pareto_mean) /
                       pareto_deviation);
    case JITTER_TABLE:
        return llround(amount * jitter_from_table(rng, jitter));
    }
    return 0;
}
