/* What the programs of a world will do, drawn from its seed. */
#include "tests/support/soak.h"

/* Few bytes at a time must not make millions of calls. */
enum { MOST_CALLS = 300, MOST_BYTES = 400000 };

static uint64_t
draw_bytes(SoakWorld *world)
{
    if (soak_chance(world, 0.15))
        return 0;
    return soak_spread(world, 1, MOST_BYTES);
}

static void
draw_pace(SoakWorld *world, TalkScript *script, uint64_t incoming)
{
    SimTime most = soak_chance(world, 0.2) ? 3 * SIM_SEC : 50 * SIM_MS;
    /* A peer that has closed does not wait for ever before a window that is:
     * its kernel gives up once probes come as seldom as RTOs may. */
    SimTime longest_closed = world->is_polite ? 5 * SIM_SEC : 100 * SIM_SEC;

    script->write_size = (uint32_t)soak_spread(world, 1, 100000);
    script->write_size = MAX(script->write_size, (uint32_t)(script->bytes / MOST_CALLS) + 1);
    script->read_size = (uint32_t)soak_spread(world, 1, 300000);
    script->read_size = MAX(script->read_size, (uint32_t)(incoming / MOST_CALLS) + 1);
    if (soak_chance(world, 0.4))
        script->write_pause = soak_time(world, most);
    if (soak_chance(world, 0.4))
        script->read_pause = soak_time(world, world->is_polite ? 50 * SIM_MS : most);
    if (soak_chance(world, 0.2)) /* a closed window */
        script->first_read_after = (SimTime)soak_spread(world, SIM_MS, (uint64_t)longest_closed);
    if (soak_chance(world, 0.3))
        script->shutdown_after = (SimTime)soak_spread(world, SIM_MS, 20 * SIM_SEC);
}

static void
draw_flags(SoakWorld *world, TalkScript *script)
{
    if (soak_chance(world, 0.3))
        script->more = 0.5;
    if (soak_chance(world, 0.15))
        script->urgent = 0.1;
    if (soak_chance(world, 0.15))
        script->end_of_record = 0.2;
    if (soak_chance(world, 0.2))
        script->toggles = 0.2;
    if (soak_chance(world, 0.2))
        script->peeks = 0.2;
    script->gives_bytes = soak_chance(world, 0.2);
    script->reads_urgent = soak_chance(world, 0.5);
    script->fastopen = soak_chance(world, 0.25);
    if (soak_chance(world, 0.2)) {
        static const char *const names[] = { "reno", "cubic", "dctcp", "bbr", "fixed" };
        script->congestion = names[soak_below(world, G_N_ELEMENTS(names))];
    }
}

/* Bounds of a value, drawn evenly over the orders of magnitude. */
typedef struct OptionRange {
    TcpOption option;
    int64_t low, high;
    bool is_rough; /* may end a connection that would have gone well */
} OptionRange;

static const OptionRange ranges[] = {
    { TCP_OPT_SNDBUF, 1, 400000, false },
    { TCP_OPT_RCVBUF, 1, 400000, false },
    { TCP_OPT_OOBINLINE, 1, 1, false },
    { TCP_OPT_NODELAY, 1, 1, false },
    { TCP_OPT_CORK, 1, 1, false },
    { TCP_OPT_MAXSEG, 88, 1460, false },
    { TCP_OPT_WINDOW_CLAMP, 1, 100000, false },
    { TCP_OPT_QUICKACK, 1, 2, false },
    { TCP_OPT_NOTSENT_LOWAT, 1, 100000, false },
    { TCP_OPT_RCVLOWAT, 1, 1000, true },
    { TCP_OPT_MAX_PACING_RATE, 20000, 10000000, false },
    { TCP_OPT_IP_MTU_DISCOVER, 1, 3, true }, /* a black hole where the path is below min_pmtu */
    { TCP_OPT_THIN_LINEAR_TIMEOUTS, 1, 1, false },
    { TCP_OPT_LINGER, 1, 10, false },
    { TCP_OPT_RTO_MAX_MS, 1000, 120000, true },
    { TCP_OPT_RTO_MIN_US, 1000, 500000, false },
    { TCP_OPT_KEEPALIVE, 1, 1, false },
    { TCP_OPT_LINGER, 1, 1, true }, /* made 0 below */
    { TCP_OPT_KEEPIDLE, 1, 100, true },
    { TCP_OPT_KEEPINTVL, 1, 20, true },
    { TCP_OPT_KEEPCNT, 1, 5, true },
    { TCP_OPT_USER_TIMEOUT, 1, 60000, true },
    { TCP_OPT_SYNCNT, 1, 3, true },
    { TCP_OPT_LINGER2, 1, 10, true },
};

static void
draw_options(SoakWorld *world, TalkScript *script)
{
    unsigned wanted = (unsigned)soak_below(world, SOAK_MAX_OPTIONS + 1);

    if (soak_chance(world, 0.4))
        return;
    for (unsigned i = 0; i < wanted; i++) {
        const OptionRange *range = &ranges[soak_below(world, G_N_ELEMENTS(ranges))];
        int64_t value;

        if (range->is_rough && world->is_polite)
            continue;
        value = (int64_t)soak_spread(world, (uint64_t)range->low, (uint64_t)range->high);
        if (range->option == TCP_OPT_LINGER && range->is_rough)
            value = 0;
        if (range->option == TCP_OPT_LINGER2 && value > 8)
            value = -1;
        script->options[script->n_options].option = range->option;
        script->options[script->n_options++].value = value;
    }
}

static void
draw_end(SoakWorld *world, TalkScript *script, bool peer_is_silent)
{
    script->end = peer_is_silent && soak_chance(world, 0.5) ? TALK_CLOSES : TALK_FINISHES;
    if (world->is_polite || soak_chance(world, 0.4))
        return;
    script->end = (TalkEnd)soak_below(world, TALK_STOPS_READING + 1);
    script->end_after = (SimTime)soak_spread(world, SIM_MS, 60 * SIM_SEC);
}

static void
note_script(SoakWorld *world, const char *who, const TalkScript *s)
{
    static const char *const ends[] = { "finishes", "closes", "leaves", "aborts", "stops reading" };
    GString *line = g_string_new(NULL);

    g_string_printf(line,
                    "  %s: %" PRIu64 " bytes by %u, pause %.6f; reads %u, pause %.6f, from %.6f; "
                    "shutdown after %.6f; more %.1f urgent %.1f eor %.1f toggles %.1f peeks %.1f",
                    who, s->bytes, s->write_size, (double)s->write_pause / 1e9, s->read_size,
                    (double)s->read_pause / 1e9, (double)s->first_read_after / 1e9,
                    (double)s->shutdown_after / 1e9, s->more, s->urgent, s->end_of_record,
                    s->toggles, s->peeks);
    g_string_append_printf(line, "; %s%s%s; %s after %.6f", s->congestion ? s->congestion : "-",
                           s->fastopen ? " fastopen" : "", s->gives_bytes ? " bytes" : "",
                           ends[s->end], (double)s->end_after / 1e9);
    for (unsigned i = 0; i < s->n_options; i++)
        g_string_append_printf(line, "; option %d = %" PRId64, s->options[i].option,
                               s->options[i].value);
    soak_note(world, "%s", line->str);
    g_string_free(line, TRUE);
}

static void
draw_plan(SoakWorld *world, SoakPlan *plan, unsigned index)
{
    static const char *const kinds[] = { "served", "simultaneous", "refused" };

    plan->port = (uint16_t)(1000 + index);
    plan->kind = PLAN_SERVED;
    if (world->nat == NULL && world->firewall == NULL && soak_chance(world, 0.12))
        plan->kind = PLAN_SIMULTANEOUS;
    else if (!world->is_polite && soak_chance(world, 0.08))
        plan->kind = PLAN_REFUSED;
    plan->repeats = soak_chance(world, 0.3) ? 1 + (unsigned)soak_below(world, 4) : 0;
    plan->attempts = 40;
    /* The same port again and again may meet the peer's TIME-WAIT for minutes. */
    if (plan->kind == PLAN_SIMULTANEOUS ||
        (soak_chance(world, 0.2) && (plan->repeats == 0 || !world->is_polite)))
        plan->client_port = (uint16_t)(20000 + index);
    plan->start = soak_chance(world, 0.5) ? 0 : soak_time(world, 3 * SIM_SEC);
    plan->gap = soak_chance(world, 0.5) ? 0 : soak_time(world, 2 * SIM_SEC);
    plan->accept_after = soak_chance(world, 0.2) ? soak_time(world, 2 * SIM_SEC) : 0;
    /* A SYN queue that overflows makes cookies, and a segment that overtakes a
     * cookie's ACK is answered with RST. */
    plan->backlog = !world->is_polite && soak_chance(world, 0.5) ? (int)soak_below(world, 3) : 16;
    plan->fastopen_queue = soak_chance(world, 0.4) ? 1 + (unsigned)soak_below(world, 5) : 0;
    plan->defer_accept_s = soak_chance(world, 0.1) ? 1 + (unsigned)soak_below(world, 4) : 0;
    soak_note(world,
              "plan %u: %s, %u more, start %.6f gap %.6f, port %u, backlog %d, accept %.6f, "
              "fastopen %u, defer %u",
              plan->port, kinds[plan->kind], plan->repeats, (double)plan->start / 1e9,
              (double)plan->gap / 1e9, plan->client_port, plan->backlog,
              (double)plan->accept_after / 1e9, plan->fastopen_queue, plan->defer_accept_s);
    for (unsigned side = 0; side < 2; side++)
        plan->scripts[side].bytes = draw_bytes(world);
    for (unsigned side = 0; side < 2; side++) {
        TalkScript *script = &plan->scripts[side];
        uint64_t incoming = plan->scripts[!side].bytes;

        draw_pace(world, script, incoming);
        draw_flags(world, script);
        draw_options(world, script);
        draw_end(world, script, incoming == 0);
        note_script(world, side == 0 ? "client" : "server", script);
    }
}

void
soak_draw_plans(SoakWorld *world)
{
    world->n_plans = 1 + (unsigned)soak_below(world, SOAK_MAX_PLANS);
    if (soak_chance(world, 0.4))
        world->n_plans = 1;
    for (unsigned i = 0; i < world->n_plans; i++)
        draw_plan(world, &world->plans[i], i);
}
