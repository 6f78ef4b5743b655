/* What directions that are made alike share. The first with such parameters
 * makes the traits, later ones find them; a direction that is changed while the
 * simulation runs has its own from then on, so that a scenario may change it as
 * often as it likes. */
#include "models/link/link_internal.h"

static LinkTraits
traits_of(const LinkEnd *end)
{
    const LinkParams *params = &end->params;
    Net *net = end->link->net;

    return (LinkTraits){
        .sim = net->sim,
        .probes = &net->probes,
        .packets = &net->packets,
        .rate = params->rate,
        .delay = params->delay,
        .limit_bytes = params->queue.limit_bytes > 0 ? params->queue.limit_bytes : UINT64_MAX,
        .limit_packets = params->queue.limit_packets > 0 ? params->queue.limit_packets : UINT32_MAX,
        .mtu = params->mtu,
        .overhead = params->overhead,
    };
}

/* But for the memos. */
static gboolean
traits_are_equal(gconstpointer left, gconstpointer right)
{
    const LinkTraits *a = left, *b = right;

    return a->rate == b->rate && a->delay == b->delay && a->limit_bytes == b->limit_bytes &&
           a->limit_packets == b->limit_packets && a->mtu == b->mtu && a->overhead == b->overhead;
}

static guint
traits_hash(gconstpointer data)
{
    const LinkTraits *traits = data;
    uint64_t mixed = traits->rate * 31 + (uint64_t)traits->delay;

    mixed = mixed * 31 + traits->limit_bytes;
    mixed = mixed * 31 + traits->limit_packets;
    mixed = mixed * 31 + traits->mtu;
    return (guint)((mixed * 31 + traits->overhead) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static LinkTraits *
traits_keep(Net *net, const LinkTraits *traits)
{
    LinkTraits *kept = sim_arena_take(&net->arena, sizeof *kept);

    *kept = *traits;
    return kept;
}

static LinkTraits *
traits_shared(Net *net, const LinkTraits *traits)
{
    if (net->traits == NULL)
        net->traits = g_hash_table_new(traits_hash, traits_are_equal);
    LinkTraits *found = g_hash_table_lookup(net->traits, traits);
    if (found == NULL) {
        found = traits_keep(net, traits);
        g_hash_table_add(net->traits, found);
    }
    return found;
}

void
link_traits_update(LinkEnd *end)
{
    LinkTraits now = traits_of(end);
    Net *net = end->link->net;

    if (end->traits == NULL) {
        end->traits = traits_shared(net, &now);
    } else if (!traits_are_equal(end->traits, &now)) {
        if (end->has_own_traits)
            *end->traits = now;
        else
            end->traits = traits_keep(net, &now);
        end->has_own_traits = true;
    }
}
