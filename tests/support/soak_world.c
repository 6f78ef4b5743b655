/* One run of a world, the watch kept over it, and its end. */
#include <math.h>

#include "models/tcp/tcp_internal.h"
#include "tests/support/soak.h"
#include "tests/support/tcp_check.h"

enum {
    CHECK_EVERY = 7,       /* events between two looks into everything */
    MOST_EVENTS = 4000000, /* a run that needs more does not end */
};

#define PATIENCE    (8 * 3600 * SIM_SEC) /* then what still hangs is looked at */
#define STANDSTILL  (2 * 3600 * SIM_SEC) /* nothing moved for so long: it hangs */
#define LAST_TIMERS (30 * 24 * 3600 * SIM_SEC)

void
soak_fail(SoakWorld *world, const char *format, ...)
{
    g_autofree char *text = NULL;
    char at[SIM_TIME_TEXT];
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    soak_tell(world, "FAILURE: %s", text);
    if (world->failure == NULL)
        world->failure =
            g_strdup_printf("at %s: %s", sim_time_format(sim_now(world->sim), at), text);
    sim_stop(world->sim);
}

void
soak_note(SoakWorld *world, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_string_append_vprintf(world->settings, format, args);
    va_end(args);
    g_string_append_c(world->settings, '\n');
}

void
soak_tell(SoakWorld *world, const char *format, ...)
{
    char at[SIM_TIME_TEXT];
    va_list args;

    if (world->verbose == NULL)
        return;
    fprintf(world->verbose, "%s ", sim_time_seconds(sim_now(world->sim), at));
    va_start(args, format);
    vfprintf(world->verbose, format, args);
    va_end(args);
    fputc('\n', world->verbose);
}

uint64_t
soak_spread(SoakWorld *world, uint64_t low, uint64_t high)
{
    double from = log((double)low), to = log((double)high + 1);

    return MIN(high, (uint64_t)exp(from + (to - from) * sim_rng_unit(&world->dice)));
}

/* ---- the hash of all that happens ---------------------------------------------------- */

static void
mix(SoakWorld *world, uint64_t word)
{
    world->hash = (world->hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    world->hash ^= world->hash >> 29;
}

static void
mix_tcp(SoakWorld *world, const TcpHeader *h)
{
    mix(world, (uint64_t)h->seq << 32 | h->ack);
    mix(world, (uint64_t)h->flags << 48 | (uint64_t)h->wnd << 32 | (uint64_t)h->urg << 16 |
                   (uint64_t)h->options << 8 | h->n_sacks);
    if (h->options & TCPOPT_HAS_TS)
        mix(world, (uint64_t)h->tsval << 32 | h->tsecr);
    for (unsigned i = 0; i < h->n_sacks; i++)
        mix(world, (uint64_t)h->sacks[i].start << 32 | h->sacks[i].end);
}

static void
tell_packet(SoakWorld *world, const PacketRecord *record)
{
    static const char *const names[] = { "sent",      "queued",  "delivered", "dropped",
                                         "duplicate", "delayed", "held",      "corrupted",
                                         "injected",  "marked",  "rewritten", "consumed",
                                         "refused" };
    g_autofree char *text = NULL;
    char src[IP_ADDR_TEXT], dst[IP_ADDR_TEXT];

    if (record->event == PACKET_EVENT_QUEUED)
        return;
    text = packet_describe(record->packet, 0, 0);
    soak_tell(world,
              "%-9s host %u %s > %s #%" PRIu64 " conn %u stream %u:%" PRIu64 " %u bytes %s%s%s",
              names[record->event], record->host, ip_addr_format(record->packet->ip.src, src),
              ip_addr_format(record->packet->ip.dst, dst), record->packet->id, record->packet->conn,
              record->packet->payload.stream, record->packet->payload.offset,
              record->packet->ip.total_len, text, record->reason ? ": " : "",
              record->reason ? record->reason : "");
}

static void
on_packet(void *arg, const void *data)
{
    SoakWorld *world = arg;
    const PacketRecord *record = data;
    const Packet *packet = record->packet;

    world->packets += record->event == PACKET_EVENT_SENT;
    mix(world, (uint64_t)record->at);
    mix(world, (uint64_t)record->event << 56 | (uint64_t)record->host << 48 |
                   (uint64_t)record->link << 40 | packet->id);
    mix(world, packet->ip.src.lo ^ (packet->ip.dst.lo << 16));
    mix(world, (uint64_t)packet->ip.id << 32 | (uint64_t)packet->ip.total_len << 16 |
                   (uint64_t)packet->ip.ttl << 8 | packet->ip.tos);
    mix(world,
        packet->payload.offset ^ (uint64_t)packet->payload.stream << 40 ^ packet->payload.len);
    if (packet->ip.proto == IP_PROTO_TCP && packet->raw == NULL &&
        !(packet->flags & PACKET_FRAGMENT))
        mix_tcp(world, &packet->tcp);
    if (world->verbose != NULL)
        tell_packet(world, record);
}

static void
on_state(void *arg, const void *data)
{
    SoakWorld *world = arg;
    const TcpStateRecord *record = data;

    mix(world, (uint64_t)record->at);
    mix(world, (uint64_t)record->conn << 16 | (uint64_t)record->from << 8 | record->to);
    soak_tell(world, "host %u conn %u port %u: %s -> %s by %s %s (%s)", record->host, record->conn,
              record->local.port, tcp_state_name(record->from), tcp_state_name(record->to),
              record->cause, record->what, record->rule);
}

/* ---- the watch --------------------------------------------------------------------------- */

/* What was acknowledged was received, and nothing that was never sent. */
static void
watch_pair(SoakWorld *world, const SoakTalk *talk, const TcpConn *conn)
{
    const TcpConn *peer = talk->peer && talk->peer->sock ? sock_tcp(talk->peer->sock) : NULL;
    char text[64];

    if (peer == NULL || talk->peer->peer != talk || peer->has_ended || conn->has_ended ||
        peer->rcv.irs != conn->snd.iss || conn->rcv.irs != peer->snd.iss ||
        world->hosts[1]->mib[MIB_TcpExtSyncookiesRecv] > 0) /* twins are possible */
        return;
    if (seq_after(conn->snd.una, peer->rcv.nxt) || seq_after(peer->rcv.nxt, conn->snd.nxt))
        soak_fail(world, "%s has una %u nxt %u, and its peer expects %u",
                  soak_talk_text(talk, text), conn->snd.una, conn->snd.nxt, peer->rcv.nxt);
}

static void
watch_talk(SoakWorld *world, SoakTalk *talk)
{
    const TcpConn *conn = talk->sock ? sock_tcp(talk->sock) : NULL;
    const uint64_t *mib;
    uint32_t edge;
    char text[64];

    if (conn == NULL || conn->has_ended || conn->state < TCP_ESTABLISHED)
        return;
    mib = conn->stack->host->mib;
    edge = conn->rcv.wup + conn->rcv.wnd;
    if (talk->is_watched &&
        (seq_before(conn->rcv.nxt, talk->last_nxt) || seq_before(conn->snd.una, talk->last_una)))
        soak_fail(world, "%s went back: rcv.nxt %u to %u, una %u to %u", soak_talk_text(talk, text),
                  talk->last_nxt, conn->rcv.nxt, talk->last_una, conn->snd.una);
    /* A host that is out of buffer takes its offer back, as Linux does. */
    if (talk->is_watched && seq_before(edge, talk->last_edge) &&
        talk->last_pruned == mib[MIB_TcpExtRcvPruned] && !conn->stack->params->shrink_window)
        soak_fail(world, "%s: the right edge of its window went from %u to %u, rcv.nxt %u",
                  soak_talk_text(talk, text), talk->last_edge, edge, conn->rcv.nxt);
    if (!talk->is_watched || conn->rcv.nxt != talk->last_nxt || conn->snd.una != talk->last_una)
        talk->moved_at = sim_now(world->sim);
    talk->is_watched = true;
    talk->last_edge = edge;
    talk->last_pruned = mib[MIB_TcpExtRcvPruned];
    talk->last_nxt = conn->rcv.nxt;
    talk->last_una = conn->snd.una;
    watch_pair(world, talk, conn);
}

static void
watch(SoakWorld *world)
{
    for (unsigned i = 0; i < 2 && world->failure == NULL; i++) {
        g_autofree char *wrong = tcp_check_host(world->hosts[i]);

        if (wrong != NULL)
            soak_fail(world, "%s", wrong);
    }
    for (guint i = 0; i < world->talks->len && world->failure == NULL; i++)
        watch_talk(world, world->talks->pdata[i]);
}

static void
time_is_up(void *arg)
{
    *(bool *)arg = true;
}

static void
run_watched(SoakWorld *world, SimTime until)
{
    bool is_up = false;

    sim_at(world->sim, until, time_is_up, &is_up);
    while (world->failure == NULL && !is_up) {
        sim_step(world->sim);
        if (world->verbose != NULL || sim_events_run(world->sim) % CHECK_EVERY == 0)
            watch(world);
        if (sim_events_run(world->sim) > MOST_EVENTS)
            soak_fail(world, "no end after %u events", MOST_EVENTS);
    }
    if (world->failure == NULL)
        watch(world);
}

/* ---- the end ------------------------------------------------------------------------------ */

static bool
all_are_over(const SoakWorld *world)
{
    for (guint i = 0; i < world->talks->len; i++)
        if (((SoakTalk *)world->talks->pdata[i])->sock != NULL)
            return false;
    for (unsigned i = 0; i < world->n_plans; i++)
        if (world->plans[i].n_due > 0)
            return false;
    return true;
}

/* An orphan that gave up retransmitting ends without a word: nobody is left to
 * hear of it, and its peer in FIN-WAIT-2 waits for its own user. */
static bool
someone_gave_up(const SoakWorld *world)
{
    return world->hosts[0]->mib[MIB_TcpExtTCPAbortOnTimeout] != 0 ||
           world->hosts[1]->mib[MIB_TcpExtTCPAbortOnTimeout] != 0;
}

/* Somebody still waits after so long: may that be? Only for a peer that is
 * gone and could not say so, and only if there is nothing to send to it. */
static void
judge_patience(SoakWorld *world, const SoakTalk *talk)
{
    const TcpConn *conn = sock_tcp(talk->sock);
    uint32_t unacked = conn->snd.write_seq - conn->snd.una;
    const SoakTalk *peer = talk->peer;
    bool peer_is_there = peer != NULL && peer->sock != NULL && !sock_tcp(peer->sock)->has_ended;
    bool is_scripted = talk->script->end == TALK_STOPS_READING ||
                       (peer != NULL && peer->script->end == TALK_STOPS_READING);
    char text[64];

    if (!peer_is_there && (unacked == 0 || conn->has_ended) &&
        (!world->is_polite || someone_gave_up(world)))
        return;
    if (!world->is_polite && sim_now(world->sim) - talk->moved_at < STANDSTILL)
        return;
    if (is_scripted && peer_is_there)
        return;
    soak_fail(world,
              "%s hangs in %s: %u unacknowledged, read %" PRIu64 ", wrote %" PRIu64 " of %" PRIu64
              ", peer %s",
              soak_talk_text(talk, text), tcp_state_name(conn->state), unacked, talk->read_to,
              talk->written, talk->script->bytes, peer_is_there ? "there" : "gone or unknown");
}

static void
judge_polite(SoakWorld *world, const SoakTalk *talk)
{
    bool had_port = talk->was_connected;
    char text[64];

    if (!had_port || talk->was_cut || talk->is_ghost)
        return;
    if (talk->written != talk->script->bytes)
        soak_fail(world, "%s wrote %" PRIu64 " of %" PRIu64 " bytes", soak_talk_text(talk, text),
                  talk->written, talk->script->bytes);
    if (talk->script->end == TALK_FINISHES && !talk->saw_end)
        soak_fail(world, "%s never saw the end", soak_talk_text(talk, text));
}

static void
close_everything(SoakWorld *world)
{
    world->is_over = true;
    for (guint i = 0; i < world->talks->len; i++)
        soak_talk_cut(world->talks->pdata[i]);
    for (unsigned i = 0; i < world->n_plans; i++) {
        SoakPlan *plan = &world->plans[i];

        plan->repeats = 0;
        if (plan->listener != NULL)
            sock_close(plan->listener);
        plan->listener = NULL;
    }
}

static void
look_for_leaks(SoakWorld *world)
{
    for (unsigned i = 0; i < 2 && world->failure == NULL; i++) {
        g_autofree char *wrong = tcp_check_nothing_left(world->hosts[i]);

        if (wrong != NULL)
            soak_fail(world, "left over: %s", wrong);
    }
    if (world->failure == NULL) {
        g_autofree char *wrong = tcp_check_pools_are_empty(world->net);

        if (wrong != NULL)
            soak_fail(world, "left over: %s", wrong);
    }
}

static void
live(SoakWorld *world)
{
    for (unsigned i = 0; i < world->n_plans; i++)
        soak_plan_start(world, &world->plans[i]);
    for (SimTime at = 10 * SIM_SEC; at <= PATIENCE && world->failure == NULL; at *= 2) {
        run_watched(world, MIN(at, PATIENCE));
        if (all_are_over(world))
            break;
    }
    for (guint i = 0; i < world->talks->len && world->failure == NULL; i++) {
        const SoakTalk *talk = world->talks->pdata[i];

        if (talk->sock != NULL)
            judge_patience(world, talk);
        else if (world->is_polite)
            judge_polite(world, talk);
    }
    if (world->failure == NULL)
        close_everything(world);
    run_watched(world, sim_now(world->sim) + LAST_TIMERS);
    if (world->failure == NULL && sim_step(world->sim))
        soak_fail(world, "everything is closed, and still something happens after 30 days");
    look_for_leaks(world);
}

static SoakWorld *
world_new(uint64_t seed, FILE *verbose)
{
    SoakWorld *world = g_new0(SoakWorld, 1);

    world->seed = seed;
    world->verbose = verbose;
    world->settings = g_string_new(NULL);
    world->sim = sim_new(seed);
    world->net = net_new(world->sim);
    world->links = g_ptr_array_new();
    world->routers = g_ptr_array_new();
    world->talks = g_ptr_array_new_with_free_func(soak_talk_free);
    world->streams = g_ptr_array_new();
    sim_rng_init(&world->dice, seed, "soak");
    world->is_polite = soak_chance(world, 0.5);
    soak_note(world, "%s world", world->is_polite ? "polite" : "rough");
    probe_subscribe(&world->net->probes.packet, on_packet, world);
    probe_subscribe(&world->net->probes.tcp_state, on_state, world);
    return world;
}

static void
world_free(SoakWorld *world)
{
    for (unsigned i = 0; i < world->n_plans; i++)
        if (world->plans[i].listener != NULL)
            sock_forget(world->plans[i].listener);
    g_ptr_array_unref(world->talks);
    net_free(world->net);
    sim_free(world->sim);
    g_ptr_array_unref(world->links);
    g_ptr_array_unref(world->routers);
    g_ptr_array_unref(world->streams);
    g_string_free(world->settings, TRUE);
    g_free(world->failure);
    g_free(world);
}

SoakResult
soak_run(uint64_t seed, FILE *verbose)
{
    SoakWorld *world = world_new(seed, verbose);
    SoakResult result;

    soak_build_net(world);
    soak_draw_plans(world);
    soak_plan_faults(world);
    if (verbose != NULL)
        fputs(world->settings->str, verbose);
    live(world);
    result = (SoakResult){
        .failure = g_strdup(world->failure),
        .settings = g_strdup(world->settings->str),
        .hash = world->hash,
        .events = sim_events_run(world->sim),
        .packets = world->packets,
        .connections = world->talks->len,
        .bytes = world->bytes,
        .errors = world->errors,
        .is_polite = world->is_polite,
    };
    world_free(world);
    return result;
}

void
soak_result_done(SoakResult *result)
{
    g_free(result->failure);
    g_free(result->settings);
}
