/* The hosts of a world, the network between them and what goes wrong in it. */
#include <string.h>

#include "models/ip/firewall.h"
#include "models/ip/middlebox.h"
#include "models/ip/nat.h"
#include "tests/support/soak.h"

/* ---- tunables ------------------------------------------------------------------------ */

typedef struct Knob {
    const char *name;
    double chance;
    const char *values; /* one of them, by ';' */
    bool is_rough;      /* may end a connection that would have gone well */
} Knob;

static const Knob knobs[] = {
    { "kernel_hz", 0.2, "100;250;1000", false },
    { "ts_clock_hz", 0.1, "10;100;1000000", false },
    { "tcp_sack", 0.25, "0", false },
    { "tcp_dsack", 0.2, "0", false },
    { "tcp_timestamps", 0.3, "0;2", false },
    { "tcp_window_scaling", 0.2, "0", false },
    { "tcp_ecn", 0.4, "0;1;3", false },
    { "tcp_ecn_fallback", 0.1, "0", false },
    { "tcp_congestion_control", 0.7, "reno;cubic;dctcp;bbr;fixed", false },
    { "fixed_cwnd", 0.3, "1;2;4;50", false },
    { "initial_cwnd", 0.2, "1;2;4;100", false },
    { "tcp_fastopen", 0.4, "3;7;519;1539", false },
    { "tcp_syncookies", 0.4, "0;1;2", true },
    { "tcp_max_syn_backlog", 0.2, "1;2;8;128", true },
    { "tcp_rmem", 0.4, "4096 4096 4096;4096 8192 16384;2304 2304 100000;4096 500000 500000",
      false },
    { "tcp_wmem", 0.4, "4096 4096 4096;4096 5000 16384;4096 1000000 1000000", false },
    { "tcp_moderate_rcvbuf", 0.2, "0;1", false },
    { "tcp_recovery", 0.3, "0;1;3;5;7", false },
    { "tcp_early_retrans", 0.2, "0", false },
    { "tcp_frto", 0.2, "0", false },
    { "undo", 0.2, "0", false },
    { "prr", 0.2, "0", false },
    { "limited_transmit", 0.2, "0", false },
    { "nagle", 0.3, "0;2", false },
    { "gso", 0.3, "0;1", false },
    { "pacing", 0.2, "1", false },
    { "tcp_slow_start_after_idle", 0.2, "0", false },
    { "tcp_reordering", 0.2, "1;2;10", false },
    { "tcp_max_reordering", 0.1, "3", false },
    { "tcp_comp_sack_nr", 0.2, "0;1;255", false },
    { "tcp_comp_sack_delay_ns", 0.2, "0;50000000", false },
    { "tcp_thin_linear_timeouts", 0.1, "1", false },
    { "tcp_autocorking", 0.1, "0", false },
    { "tcp_notsent_lowat", 0.2, "1;1000;16384", false },
    { "tcp_limit_output_bytes", 0.2, "1;3000;20000", false },
    { "tcp_mtu_probing", 0.3, "1;2", false },
    { "tcp_base_mss", 0.2, "48;256;512", false },
    { "tcp_probe_interval", 0.2, "1;10", false },
    { "advertise_mss", 0.15, "88;216;536;1220", false },
    /* What is in flight into a window that was taken back makes the RTO double, and an
     * orphan that then has to probe may give up at once, without a word (as Linux's does). */
    { "tcp_shrink_window", 0.15, "1", true },
    { "delack_min", 0.1, "0;200", false },
    { "delack_max", 0.1, "0;10;500", false },
    { "quickack", 0.2, "0", false },
    { "tcp_pingpong_thresh", 0.1, "3", false },
    { "initial_window", 0.2, "536;4000;65535", false },
    { "tcp_rto_min_us", 0.2, "5000;50000;1000000", false },
    { "rto_min_is_floor", 0.2, "0;1", false },
    { "tcp_rto_max_ms", 0.1, "1000;10000", true },
    { "initial_rto", 0.1, "100;3000", true },
    { "tcp_tw_reuse", 0.4, "0;1;2", false },
    { "tcp_tw_reuse_delay", 0.2, "1;100", false },
    { "timewait", 0.2, "1000;5000;20000", false },
    { "tcp_max_tw_buckets", 0.15, "0;1;3", true },
    { "tcp_rfc1337", 0.2, "0;1", false },
    { "tcp_fin_timeout", 0.3, "1;5;60", true },
    { "tcp_app_win", 0.1, "0;1;4", false },
    { "buffer_overhead", 0.2, "0;1", false },
    { "window_clamp", 0.15, "100;1000;5000", false },
    { "tcp_retrans_collapse", 0.1, "0", false },
    { "tcp_syn_linear_timeouts", 0.1, "0;10", false },
    { "accept_syn_data", 0.2, "0;1", false },
    { "synrcvd_syn_to_listen", 0.2, "0;1", false },
    { "synsent_rst_resend_syn", 0.2, "0;1", false },
    { "isn", 0.1, "1", false },
    { "tcp_no_metrics_save", 0.2, "0;1", false },
    { "ip_no_pmtu_disc", 0.1, "1", false },
    { "ip_local_port_range", 0.1, "40000 40003", false },
    { "tcp_challenge_ack_limit", 0.1, "0;10", false },
    { "tcp_invalid_ratelimit", 0.1, "0", false },
    { "tcp_min_rtt_wlen", 0.1, "0;1", false },
    { "tcp_tso_win_divisor", 0.1, "0;1;100", false },
    { "tcp_min_tso_segs", 0.1, "1;10", false },
    { "tcp_tso_rtt_log", 0.1, "0", false },
    { "ipfrag_time", 0.1, "1", false },
    { "route.mtu_expires", 0.2, "1;20", true },
    { "route.min_pmtu", 0.1, "68", false },
    { "somaxconn", 0.1, "1;4", true },
    { "tcp_abort_on_overflow", 0.2, "1", true },
    { "rfc5961", 0.1, "0", true },
    { "tcp_retries1", 0.1, "0;1", true },
    { "tcp_retries2", 0.2, "0;1;3;6", true },
    { "tcp_syn_retries", 0.1, "1;3", true },
    { "tcp_synack_retries", 0.1, "0;1", true },
    { "tcp_orphan_retries", 0.2, "1;3", true },
    { "tcp_max_orphans", 0.1, "0;1", true },
    { "tcp_keepalive_time", 0.2, "1;10;60", true },
    { "tcp_keepalive_intvl", 0.2, "1;5", true },
    { "tcp_keepalive_probes", 0.2, "1;3", true },
    { "keepalive_rst", 0.1, "0;1", true },
    { "abort_on_unread", 0.1, "0", true },
    { "ipfrag_high_thresh", 0.1, "10000", true },
    { "ip_default_ttl", 0.05, "2", true },
    { "halfopen.icmp_errors", 0.1, "0", true },
};

static void
turn(SoakWorld *world, Host *host, const Knob *knob)
{
    g_auto(GStrv) values = g_strsplit(knob->values, ";", -1);
    const char *value = values[soak_below(world, g_strv_length(values))];
    g_autofree char *error = NULL;

    if (!stack_set(host, knob->name, value, &error))
        soak_fail(world, "%s = %s: %s", knob->name, value, error);
    soak_note(world, "%s: %s = %s", host->name, knob->name, value);
}

static Host *
add_host(SoakWorld *world, const char *name, bool forwards)
{
    TcpProfile profile = soak_chance(world, 0.3) ? TCP_PROFILE_RFC : TCP_PROFILE_LINUX;
    double zeal = soak_chance(world, 0.5) ? 1 : 0.3;
    StackParams params;
    Host *host;

    stack_params_init(&params, profile);
    params.forwards = forwards;
    if (params.tcp.fin_timeout_s == 0) /* an orphan that waits for ever would wait for ever */
        params.tcp.fin_timeout_s = 60;
    if (soak_chance(world, 0.05)) {
        params.packets_per_s = soak_spread(world, 100, 100000);
        params.netdev_max_backlog = (uint32_t)soak_spread(world, 5, 1000);
    }
    host = stack_new(world->net, name, &params);
    soak_note(world, "%s: profile %s, %" PRIu64 " packets/s", name,
              profile == TCP_PROFILE_RFC ? "rfc" : "linux", params.packets_per_s);
    for (size_t i = 0; i < G_N_ELEMENTS(knobs); i++)
        if ((!knobs[i].is_rough || !world->is_polite) && soak_chance(world, knobs[i].chance * zeal))
            turn(world, host, &knobs[i]);
    return host;
}

/* ---- links ------------------------------------------------------------------------------ */

static LossParams
draw_loss(SoakWorld *world)
{
    double most = world->is_polite ? 0.02 : 0.4;
    LossParams loss = { .kind = LOSS_RANDOM, .p = most * sim_rng_unit(&world->dice) };

    if (soak_chance(world, 0.4))
        return (LossParams){ .kind = LOSS_NONE };
    switch (soak_below(world, 4)) {
    case 0:
        loss = (LossParams){ .kind = LOSS_GILBERT_ELLIOTT,
                             .p = loss.p / 4,
                             .r = 0.6 + 0.4 * sim_rng_unit(&world->dice),
                             .one_minus_h = 1 };
        break;
    case 1:
        loss = (LossParams){ .kind = LOSS_BURST,
                             .p = loss.p / 8,
                             /* A burst may be a whole series of timeouts. */
                             .burst = 1 + (uint32_t)soak_below(world, world->is_polite ? 2 : 6) };
        break;
    case 2:
        loss = (LossParams){ .kind = LOSS_BIT_ERROR, .p = loss.p / 12000 };
        break;
    default:
        break;
    }
    return loss;
}

static QdiscParams
draw_queue(SoakWorld *world, uint64_t rate)
{
    QdiscParams queue = link_params_default().queue;

    queue.ecn = soak_chance(world, 0.5);
    if (soak_chance(world, 0.5))
        queue.limit_packets = (uint32_t)soak_spread(world, world->is_polite ? 4 : 1, 100);
    switch (rate == 0 ? 9 : soak_below(world, 8)) {
    case 0:
        queue.kind = QDISC_RED;
        queue.red_min = 5000;
        queue.red_max = 30000;
        queue.red_probability = 0.1;
        queue.red_weight = 0.02;
        break;
    case 1:
        queue.kind = QDISC_CODEL;
        queue.codel_target = 5 * SIM_MS;
        queue.codel_interval = 100 * SIM_MS;
        break;
    case 2:
        queue.kind = QDISC_FQ_CODEL;
        queue.codel_target = 5 * SIM_MS;
        queue.codel_interval = 100 * SIM_MS;
        queue.flows = 64;
        queue.quantum = 1514;
        break;
    case 3:
        queue.kind = QDISC_TBF;
        queue.tbf_rate = rate;
        queue.tbf_burst = 20000;
        break;
    default:
        break;
    }
    return queue;
}

static LinkParams
draw_link(SoakWorld *world, uint32_t mtu, bool may_corrupt)
{
    LinkParams params = link_params_default();
    double wild = world->is_polite ? 0.05 : 0.3;

    params.mtu = mtu;
    params.rate = soak_chance(world, 0.3) ? 0 : soak_spread(world, 200000, 1000000000);
    params.delay = soak_chance(world, 0.1) ? 0 : (SimTime)soak_spread(world, SIM_US, 300 * SIM_MS);
    params.queue = draw_queue(world, params.rate);
    params.loss = draw_loss(world);
    if (soak_chance(world, 0.3)) {
        params.jitter.kind = (JitterKind)(JITTER_UNIFORM + soak_below(world, 3));
        params.jitter.amount = soak_time(world, params.delay);
        params.jitter.keeps_order = soak_chance(world, 0.5);
    }
    if (soak_chance(world, 0.3))
        params.duplicate = wild * sim_rng_unit(&world->dice);
    if (may_corrupt && soak_chance(world, 0.5))
        params.corrupt = wild / 4 * sim_rng_unit(&world->dice);
    if (soak_chance(world, 0.3)) {
        params.reorder = wild * sim_rng_unit(&world->dice);
        params.reorder_by = soak_chance(world, 0.5) ? 0 : soak_time(world, 200 * SIM_MS);
    }
    return params;
}

static uint32_t
draw_mtu(SoakWorld *world)
{
    static const uint32_t mtus[] = { 296, 576, 1280, 1400, 9000 };

    return soak_chance(world, 0.6) ? 1500 : mtus[soak_below(world, G_N_ELEMENTS(mtus))];
}

static void
note_link(SoakWorld *world, const Link *link)
{
    for (unsigned d = 0; d < 2; d++) {
        const LinkParams *p = link_params(link, d);

        soak_note(world,
                  "link %s %s: rate %" PRIu64 " delay %.6f mtu %u, loss %d p %.6f r %.3f burst %u, "
                  "jitter %d %.6f order %d, duplicate %.3f corrupt %.3f reorder %.3f by %.6f, "
                  "queue %d limit %u ecn %d",
                  link_name(link), d == 0 ? "there" : "back", p->rate, (double)p->delay / 1e9,
                  p->mtu, p->loss.kind, p->loss.p, p->loss.r, p->loss.burst, p->jitter.kind,
                  (double)p->jitter.amount / 1e9, p->jitter.keeps_order, p->duplicate, p->corrupt,
                  p->reorder, (double)p->reorder_by / 1e9, p->queue.kind, p->queue.limit_packets,
                  p->queue.ecn);
    }
}

static void
join(SoakWorld *world, Host *a, Host *b, unsigned index)
{
    uint32_t net = 0x0a000000 + (index << 8), mtu = draw_mtu(world);
    g_autofree char *a_name = g_strdup_printf("eth%u", a->ifaces->len);
    g_autofree char *b_name = g_strdup_printf("eth%u", b->ifaces->len);
    g_autofree char *name = g_strdup_printf("%s-%s", a->name, b->name);
    Iface *left = host_add_iface(a, a_name, ip_addr_v4(net + 1), 24, mtu);
    Iface *right = host_add_iface(b, b_name, ip_addr_v4(net + 2), 24, mtu);
    bool may_corrupt = index == world->corrupting && !world->fates_corrupt;
    LinkParams params[2] = { draw_link(world, mtu, may_corrupt),
                             draw_link(world, mtu, may_corrupt) };
    const char *key;
    Link *link;

    if (soak_chance(world, 0.4))
        params[1] = params[0];
    for (unsigned d = 0; d < 2; d++)
        if (link_params_problem(&params[d], &key) != NULL)
            soak_fail(world, "link %s: %s is wrong", name, key);
    link = link_new(world->net, name, left, right, params);
    g_ptr_array_add(world->links, link);
    note_link(world, link);
}

/* ---- boxes ------------------------------------------------------------------------------- */

static void
add_nat(SoakWorld *world, Host *router)
{
    NatParams params = nat_params_default(router->ifaces->pdata[1]);

    params.keeps_port = soak_chance(world, 0.5);
    world->nat = nat_attach(router, &params);
    soak_note(world, "%s: NAT, keeps port %d", router->name, params.keeps_port);
}

static void
add_firewall(SoakWorld *world, Host *router)
{
    FirewallParams params = firewall_params_default();

    params.inside = router->ifaces->pdata[0];
    params.rejects = soak_chance(world, 0.3);
    params.picks_up = soak_chance(world, 0.5);
    if (world->is_polite)
        params.timeouts.tcp_open = params.timeouts.tcp_opening = params.timeouts.tcp_closing =
            24 * 3600 * SIM_SEC;
    else
        params.timeouts.tcp_open = (SimTime)soak_spread(world, SIM_SEC, 1000 * SIM_SEC);
    world->firewall = firewall_attach(router, &params);
    world->has_box_that_forgets = !world->is_polite;
    soak_note(world, "%s: firewall, rejects %d, picks up %d, open %.3f", router->name,
              params.rejects, params.picks_up, (double)params.timeouts.tcp_open / 1e9);
}

static void
add_middlebox(SoakWorld *world, Host *router)
{
    static const uint8_t stripped[] = { 0, TCPOPT_HAS_TS, TCPOPT_HAS_SACK_OK, TCPOPT_HAS_WSCALE,
                                        TCPOPT_HAS_FASTOPEN | TCPOPT_HAS_FASTOPEN_EXP };
    MiddleboxParams params = {
        .strips_options = stripped[soak_below(world, G_N_ELEMENTS(stripped))],
        .strips_syn_only = true,
        .clamps_mss = soak_chance(world, 0.3) ? (uint16_t)soak_spread(world, 200, 1400) : 0,
        .clamps_mss_to_mtu = soak_chance(world, 0.3),
        .drops_icmp_errors = !world->is_polite && soak_chance(world, 0.3),
        .drops_fragments = !world->is_polite && soak_chance(world, 0.2),
        .clears_df = soak_chance(world, 0.3),
        .clears_ecn = soak_chance(world, 0.3),
    };

    middlebox_attach(router, &params);
    soak_note(world, "%s: box, strips %x, clamps %u %d, icmp %d, fragments %d, df %d, ecn %d",
              router->name, params.strips_options, params.clamps_mss, params.clamps_mss_to_mtu,
              params.drops_icmp_errors, params.drops_fragments, params.clears_df,
              params.clears_ecn);
}

void
soak_build_net(SoakWorld *world)
{
    unsigned n_routers = soak_chance(world, 0.5) ? 0 : 1 + (unsigned)soak_below(world, 2);
    Host *last = world->hosts[0] = add_host(world, "client", false);

    world->corrupting = (uint32_t)soak_below(world, n_routers + 1);
    world->fates_corrupt = soak_chance(world, 0.5);
    world->hosts[1] = add_host(world, "server", false);
    for (unsigned i = 0; i <= n_routers; i++) {
        g_autofree char *name = g_strdup_printf("r%u", i + 1);
        Host *next = i < n_routers ? add_host(world, name, true) : world->hosts[1];

        join(world, last, next, i);
        if (i < n_routers)
            g_ptr_array_add(world->routers, next);
        last = next;
    }
    world->addrs[0] = ip_addr_v4(0x0a000001);
    world->addrs[1] = ip_addr_v4(0x0a000002 + (n_routers << 8));
    if (n_routers > 0 && soak_chance(world, 0.4)) {
        Host *router = world->routers->pdata[0];

        switch (soak_below(world, 3)) {
        case 0:
            add_nat(world, router);
            break;
        case 1:
            add_firewall(world, router);
            break;
        default:
            add_middlebox(world, router);
            break;
        }
    }
}

/* ---- fates of single packets ---------------------------------------------------------------- */

/* So old may a packet get: the tests' MSL. */
#define OLDEST (20 * SIM_SEC)

static Fate
deal_fate(void *arg, Link *link, unsigned direction, const Packet *packet)
{
    SoakWorld *world = arg;
    Fate fate = { .kind = FATE_PASS, .copies = 1, .corrupt_at = -1 };

    (void)direction, (void)packet;
    if (world->fate_left == 0 || sim_now(world->sim) > world->calm_at / 2 ||
        !soak_chance(world, 0.02))
        return fate;
    world->fate_left--;
    fate.by = (SimTime)soak_spread(world, SIM_US, (uint64_t)OLDEST);
    fate.copies = 1 + (uint32_t)soak_below(world, 3);
    fate.past = 1 + (uint32_t)soak_below(world, 6);
    switch (soak_below(world, 6)) {
    case 0:
        fate.kind = FATE_DROP;
        break;
    case 1:
        fate.kind = FATE_DELAY;
        break;
    case 2:
        fate.kind = FATE_DUPLICATE;
        fate.by /= fate.copies;
        break;
    case 3:
        fate.kind = FATE_REORDER;
        break;
    case 4:
        if (world->fates_corrupt && link == world->links->pdata[world->corrupting])
            fate.kind = FATE_CORRUPT;
        break;
    default:
        fate.kind = FATE_HOLD;
        break;
    }
    return fate;
}

/* ---- what happens on the way ------------------------------------------------------------------
 */

typedef struct SoakFault {
    SoakWorld *world; /* borrows */
    Link *link;       /* borrows */
    unsigned kind, direction;
    uint32_t mtu;
    SimTime length;
} SoakFault;

static void
link_up(void *arg)
{
    SoakFault *fault = arg;

    soak_tell(fault->world, "link %s up", link_name(fault->link));
    link_set_up(fault->link, true);
}

static void
change_mtu(SoakFault *fault)
{
    for (unsigned d = 0; d < 2; d++) {
        LinkParams params = *link_params(fault->link, d);

        params.mtu = fault->mtu;
        link_change(fault->link, d, &params);
    }
}

static void
fault_happens(void *arg)
{
    SoakFault *fault = arg;
    SoakWorld *world = fault->world;
    LinkParams params = *link_params(fault->link, fault->direction);

    if (world->failure != NULL)
        return;
    soak_tell(world, "fault %u on %s", fault->kind, link_name(fault->link));
    switch (fault->kind) {
    case 0:
        link_set_up(fault->link, false);
        sim_at(world->sim, sim_now(world->sim) + fault->length, link_up, fault);
        break;
    case 1:
        change_mtu(fault);
        break;
    case 2:
        params.delay = fault->length / 4;
        link_change(fault->link, fault->direction, &params);
        break;
    case 3:
        link_release(fault->link, fault->direction, 0);
        break;
    case 4: /* a tunable of a live host */
        for (;;) {
            const Knob *knob = &knobs[soak_below(world, G_N_ELEMENTS(knobs))];

            if (knob->is_rough && world->is_polite)
                continue;
            if (strcmp(knob->name, "ts_clock_hz") == 0)
                continue; /* a clock that jumps makes timestamps lie */
            if (world->is_polite && strcmp(knob->name, "tcp_timestamps") == 0)
                continue; /* between SYN and SYN-ACK: a strict peer refuses all (RFC 7323 §3.2) */
            turn(world, world->hosts[fault->direction], knob);
            break;
        }
        break;
    case 5:
        world->had_reboot = true;
        tcp_reboot(world->hosts[fault->direction]);
        break;
    default:
        if (world->nat != NULL)
            nat_forget_all(world->nat);
        if (world->firewall != NULL)
            firewall_forget_all(world->firewall);
        break;
    }
}

/* What was held goes before it is too old. */
static void
release_held(void *arg)
{
    SoakWorld *world = arg;

    for (guint i = 0; i < world->links->len; i++)
        for (unsigned d = 0; d < 2; d++)
            link_release(world->links->pdata[i], d, 0);
    if (sim_now(world->sim) < world->calm_at)
        sim_at(world->sim, sim_now(world->sim) + OLDEST / 2, release_held, world);
}

void
soak_plan_faults(SoakWorld *world)
{
    unsigned n = soak_chance(world, 0.5) ? 0 : 1 + (unsigned)soak_below(world, 6);

    if (soak_chance(world, 0.5)) {
        world->fate_left = (uint32_t)soak_spread(world, 1, world->is_polite ? 30 : 300);
        for (guint i = 0; i < world->links->len; i++)
            link_set_fate(world->links->pdata[i], deal_fate, world);
        soak_note(world, "%u scripted fates", world->fate_left);
    }
    for (unsigned i = 0; i < n; i++) {
        SoakFault *fault = g_new0(SoakFault, 1);
        SimTime at = (SimTime)soak_spread(world, SIM_MS, 30 * SIM_SEC);

        *fault =
            (SoakFault){ .world = world,
                         .link = world->links->pdata[soak_below(world, world->links->len)],
                         .kind = (unsigned)soak_below(world, world->is_polite ? 5 : 7),
                         .direction = (unsigned)soak_below(world, 2),
                         .mtu = draw_mtu(world),
                         .length = soak_time(world, world->is_polite ? SIM_SEC : 40 * SIM_SEC) };
        host_on_free(world->hosts[0], g_free, fault);
        sim_at(world->sim, at, fault_happens, fault);
        soak_note(world, "at %.6f: fault %u on %s, direction %u, mtu %u, length %.6f",
                  (double)at / 1e9, fault->kind, link_name(fault->link), fault->direction,
                  fault->mtu, (double)fault->length / 1e9);
    }
    world->calm_at = 120 * SIM_SEC;
    release_held(world);
}
