/* The programs: what each end of each connection does. */
#include <errno.h>
#include <string.h>

#include "models/tcp/rxqueue.h"
#include "tests/support/soak.h"

static void talk_step(void *arg);
static void plan_connect(SoakWorld *world, SoakPlan *plan);

const char *
soak_talk_text(const SoakTalk *talk, char text[64])
{
    g_snprintf(text, 64, "%s of port %u (connection %u)", talk->side == 0 ? "client" : "server",
               talk->plan->port,
               talk->sock && sock_tcp(talk->sock) ? tcp_conn_id(sock_tcp(talk->sock)) : 0);
    return text;
}

/* ---- its end ------------------------------------------------------------------------ */

static void
plan_again(void *arg)
{
    SoakTalk *talk = arg;

    plan_connect(talk->world, talk->plan);
}

static void
talk_over(SoakTalk *talk)
{
    SoakWorld *world = talk->world;
    SoakPlan *plan = talk->plan;

    talk->sock = NULL;
    sim_timer_stop(world->sim, &talk->timer);
    if (talk->side == 0 && plan->kind != PLAN_SIMULTANEOUS && plan->repeats > 0 &&
        world->failure == NULL) {
        plan->repeats--;
        plan->n_due++;
        sim_at(world->sim, sim_now(world->sim) + plan->gap, plan_again, talk);
    }
}

static void
talk_close(SoakTalk *talk)
{
    TcpConn *conn = sock_tcp(talk->sock);
    int64_t linger = conn->opt.linger_s;

    /* RFC 2525 §2.17: with unread bytes, and with linger 0, there is no FIN. */
    if ((tcp_rx_has_data(conn) && conn->stack->params->abort_on_unread) || linger == 0)
        talk->was_cut = true;
    else
        talk->asked_fin = true;
    if (sock_close(talk->sock) == 0) {
        talk_over(talk);
        return;
    }
    talk->is_lingering = true;
    talk->end_at = sim_now(talk->world->sim) + linger * SIM_SEC;
    sim_timer_set(talk->world->sim, &talk->timer, talk->end_at, talk_step, talk);
}

static void
talk_linger(SoakTalk *talk)
{
    TcpState state = tcp_state(sock_tcp(talk->sock));

    if (sim_now(talk->world->sim) < talk->end_at &&
        (state == TCP_FIN_WAIT_1 || state == TCP_CLOSING || state == TCP_LAST_ACK))
        return;
    sock_release(talk->sock);
    talk_over(talk);
}

static void
talk_fail(SoakTalk *talk, int error)
{
    soak_judge_error(talk, error);
    talk_close(talk);
}

void
soak_talk_cut(SoakTalk *talk)
{
    if (talk->sock == NULL)
        return;
    talk->was_cut = true;
    if (talk->is_lingering)
        sock_release(talk->sock);
    else
        sock_abort(talk->sock);
    talk->plan->repeats = 0;
    talk_over(talk);
}

/* ---- what it does ---------------------------------------------------------------------- */

static void
wake_at(SoakTalk *talk, SimTime when)
{
    if (!sim_timer_is_set(&talk->timer) || when < talk->timer.deadline)
        sim_timer_set(talk->world->sim, &talk->timer, when, talk_step, talk);
}

static bool
is_connected(SoakTalk *talk)
{
    TcpState state = tcp_state(sock_tcp(talk->sock));
    int error;

    if (!talk->is_connecting)
        return true;
    if (state == TCP_SYN_SENT || state == TCP_SYN_RECEIVED)
        return false;
    talk->is_connecting = false;
    error = state == TCP_CLOSED ? sock_take_error(talk->sock) : 0;
    if (error != 0) {
        talk_fail(talk, error);
        return false;
    }
    talk->was_connected = true;
    return true;
}

static void
read_urgent(SoakTalk *talk)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Payload));

    if (talk->script->reads_urgent && (sock_poll(talk->sock) & TCP_POLL_PRI) &&
        sock_recv(talk->sock, NULL, 1, TCP_MSG_OOB, parts) == 1)
        soak_judge_urgent(talk, parts);
}

static void
peek(SoakTalk *talk, uint32_t size)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Payload));
    uint64_t read_to = talk->read_to, bytes = talk->world->bytes;

    if (sock_recv(talk->sock, NULL, size, TCP_MSG_PEEK, parts) > 0)
        soak_judge_bytes(talk, parts);
    talk->read_to = read_to;
    talk->world->bytes = bytes;
}

/* True: it read something, or saw the end. */
static bool
talk_read(SoakTalk *talk)
{
    SimTime now = sim_now(talk->world->sim);
    g_autoptr(GArray) parts = NULL;
    int64_t got;

    if (talk->saw_end || talk->script->end == TALK_STOPS_READING)
        return false;
    if (now < talk->next_read) {
        wake_at(talk, talk->next_read);
        return false;
    }
    read_urgent(talk);
    if (soak_chance(talk->world, talk->script->peeks))
        peek(talk, talk->script->read_size);
    parts = g_array_new(FALSE, FALSE, sizeof(Payload));
    got = sock_recv(talk->sock, NULL, talk->script->read_size, 0, parts);
    if (got == -EAGAIN)
        return false;
    if (got < 0) {
        talk_fail(talk, (int)-got);
        return false;
    }
    soak_judge_bytes(talk, parts);
    if (got == 0 &&
        !sock_tcp(talk->sock)->rcv.has_fin) { /* it ended, and somebody took the error */
        talk_fail(talk, ECONNRESET);
        return false;
    }
    if (got == 0) {
        talk->saw_end = true;
        soak_judge_end(talk);
        return true;
    }
    talk->next_read = now + talk->script->read_pause;
    return true;
}

static void
toggle(SoakTalk *talk)
{
    static const TcpOption options[] = { TCP_OPT_CORK, TCP_OPT_NODELAY, TCP_OPT_QUICKACK,
                                         TCP_OPT_KEEPALIVE };

    sock_set_option(talk->sock, options[soak_below(talk->world, G_N_ELEMENTS(options))],
                    (int64_t)soak_below(talk->world, 2));
}

static int64_t
write_some(SoakTalk *talk, const Endpoint *fastopen_to)
{
    uint64_t
        bytes[256]; /* never the same: a checksum must tell pieces of one packet from another's */
    SoakWorld *world = talk->world;
    const TalkScript *script = talk->script;
    uint64_t len = MIN(script->write_size, script->bytes - talk->written);
    unsigned flags = fastopen_to ? TCP_MSG_FASTOPEN : 0;
    int64_t sent;

    if (script->gives_bytes) {
        len = MIN(len, sizeof bytes);
        for (size_t i = 0; i < G_N_ELEMENTS(bytes); i++)
            bytes[i] = sim_rng_u64(&world->dice);
    }
    if (soak_chance(world, script->more) && talk->written + len < script->bytes)
        flags |= TCP_MSG_MORE;
    if (!fastopen_to && soak_chance(world, script->urgent))
        flags |= TCP_MSG_OOB;
    if (soak_chance(world, script->end_of_record))
        flags |= TCP_MSG_EOR;
    sent = sock_sendto(talk->sock, script->gives_bytes ? bytes : NULL, len, flags, fastopen_to);
    soak_note_stream(talk);
    if (sent <= 0)
        return sent;
    talk->written += (uint64_t)sent;
    if (flags & TCP_MSG_OOB) {
        uint64_t offset = talk->written - 1;
        g_array_append_val(talk->urgent, offset);
    }
    return sent;
}

static bool
talk_write(SoakTalk *talk)
{
    SimTime now = sim_now(talk->world->sim);
    int64_t sent;

    if (talk->asked_fin || talk->written == talk->script->bytes)
        return false;
    if (now < talk->next_write) {
        wake_at(talk, talk->next_write);
        return false;
    }
    if (soak_chance(talk->world, talk->script->toggles))
        toggle(talk);
    sent = write_some(talk, NULL);
    if (sent == -EAGAIN)
        return false;
    if (sent < 0) {
        talk_fail(talk, (int)-sent);
        return false;
    }
    talk->next_write = now + talk->script->write_pause;
    if (talk->written == talk->script->bytes)
        talk->next_write = now + talk->script->shutdown_after;
    return true;
}

static void
talk_finish(SoakTalk *talk)
{
    SimTime now = sim_now(talk->world->sim);
    TalkEnd end = talk->script->end;

    if (talk->written == talk->script->bytes && !talk->asked_fin) {
        if (now < talk->next_write) {
            wake_at(talk, talk->next_write);
        } else if (end == TALK_CLOSES) {
            talk_close(talk);
            return;
        } else {
            int error = sock_shutdown(talk->sock, TCP_SHUT_WR);

            if (error != 0 && error != -ENOTCONN)
                soak_fail(talk->world, "shutdown: %s", g_strerror(-error));
            talk->asked_fin = error == 0;
            if (error != 0) { /* it ended before */
                error = sock_take_error(talk->sock);
                talk_fail(talk, error != 0 ? error : ECONNRESET);
                return;
            }
        }
    }
    if (talk->asked_fin && talk->saw_end)
        talk_close(talk);
}

static void
talk_step(void *arg)
{
    SoakTalk *talk = arg;
    bool goes_on = true;

    if (talk->sock == NULL || talk->world->failure != NULL)
        return;
    if (talk->is_lingering) {
        talk_linger(talk);
        return;
    }
    if (sim_now(talk->world->sim) >= talk->end_at) {
        char text[64];

        soak_tell(talk->world, "%s leaves", soak_talk_text(talk, text));
        if (talk->script->end == TALK_ABORTS)
            soak_talk_cut(talk);
        else
            talk_close(talk);
        return;
    }
    if (talk->end_at != SIM_NEVER)
        wake_at(talk, talk->end_at);
    if (!is_connected(talk))
        return;
    while (goes_on && talk->sock != NULL && !talk->is_lingering && !talk->world->failure) {
        goes_on = talk_read(talk);
        if (talk->sock != NULL && !talk->is_lingering)
            goes_on |= talk_write(talk);
    }
    if (talk->sock != NULL && !talk->is_lingering)
        talk_finish(talk);
}

/* ---- its begin --------------------------------------------------------------------------- */

static void
on_sock_event(void *arg, Socket *sock)
{
    (void)sock;
    talk_step(arg);
}

static SoakTalk *
talk_new(SoakWorld *world, SoakPlan *plan, unsigned side, Socket *sock)
{
    SoakTalk *talk = g_new0(SoakTalk, 1);
    const TalkScript *script = &plan->scripts[side];
    SimTime now = sim_now(world->sim);

    talk->world = world;
    talk->plan = plan;
    talk->side = side;
    talk->script = script;
    talk->sock = sock;
    talk->began = now;
    talk->next_read = now + script->first_read_after;
    talk->end_at =
        script->end_after != 0 && script->end >= TALK_LEAVES ? now + script->end_after : SIM_NEVER;
    talk->urgent = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    sim_timer_init(&talk->timer);
    g_ptr_array_add(world->talks, talk);
    for (unsigned i = 0; i < script->n_options; i++)
        sock_set_option(sock, script->options[i].option, script->options[i].value);
    if (script->congestion != NULL)
        tcp_set_congestion(sock_tcp(sock), script->congestion);
    sock_on_event(sock, on_sock_event, talk);
    return talk;
}

void
soak_talk_free(gpointer data)
{
    SoakTalk *talk = data;

    if (talk->sock != NULL)
        sock_forget(talk->sock);
    g_array_unref(talk->urgent);
    g_free(talk);
}

/* Starts one end that connects. A port that can't be had is waited for. */
static void
talk_connect(SoakTalk *talk, uint16_t local_port, Endpoint to)
{
    Endpoint local = { IP_ADDR_ANY, local_port };
    int64_t result = 0;

    if (local_port != 0) {
        sock_set_option(talk->sock, TCP_OPT_REUSEADDR, 1);
        result = sock_bind(talk->sock, local);
    }
    if (result == 0 && talk->script->fastopen && talk->script->bytes > 0) {
        result = write_some(talk, &to);
        talk->had_fastopen = result != -EOPNOTSUPP; /* tcp_fastopen forbids it */
        result = result == -EOPNOTSUPP ? sock_connect(talk->sock, to) : MIN(result, 0);
    } else if (result == 0) {
        result = sock_connect(talk->sock, to);
    }
    if (result == 0 || result == -EINPROGRESS) {
        talk->is_connecting = true;
        talk_step(talk);
        return;
    }
    if (result == -EADDRNOTAVAIL || result == -EADDRINUSE) {
        if (talk->plan->attempts-- > 0)
            talk->plan->repeats++;
        talk->was_cut = true;
        sock_abort(talk->sock);
        talk->plan->gap = MAX(talk->plan->gap, 60 * SIM_SEC);
        talk_over(talk);
        return;
    }
    talk_fail(talk, (int)-result);
}

static void
plan_connect(SoakWorld *world, SoakPlan *plan)
{
    Endpoint server = { world->addrs[1], plan->port };
    Endpoint client = { world->addrs[0], plan->client_port };
    SoakTalk *talk;

    plan->n_due--;
    if (world->failure != NULL)
        return;
    talk = talk_new(world, plan, 0, sock_open(world->hosts[0], SOCK_TYPE_STREAM));
    if (plan->kind == PLAN_SIMULTANEOUS) {
        SoakTalk *other = talk_new(world, plan, 1, sock_open(world->hosts[1], SOCK_TYPE_STREAM));

        plan->attempts = 0;
        talk_connect(talk, client.port, server);
        talk_connect(other, server.port, client);
    } else {
        talk_connect(talk, plan->client_port, server);
    }
}

/* ---- the listener -------------------------------------------------------------------------- */

typedef struct SoakListener {
    SoakWorld *world; /* borrows */
    SoakPlan *plan;   /* borrows */
    bool is_due;
} SoakListener;

static void plan_listen(SoakListener *listener);

static void
listener_again(void *arg)
{
    plan_listen(arg);
}

static void
listener_accept(void *arg)
{
    SoakListener *listener = arg;
    SoakWorld *world = listener->world;
    SoakPlan *plan = listener->plan;
    Socket *sock;
    int error = 0;

    listener->is_due = false;
    if (plan->listener == NULL || world->failure != NULL)
        return;
    while ((sock = sock_accept(plan->listener, &error)) != NULL) {
        SoakTalk *talk = talk_new(world, plan, 1, sock);

        talk->was_connected = true;
        talk_step(talk);
        if (plan->listener == NULL)
            return;
    }
    if (error != -EAGAIN) { /* its host was restarted */
        sock_close(plan->listener);
        plan->listener = NULL;
        sim_at(world->sim, sim_now(world->sim) + SIM_SEC, listener_again, listener);
    }
}

static void
on_listener_event(void *arg, Socket *sock)
{
    SoakListener *listener = arg;
    Sim *sim = listener->world->sim;

    (void)sock;
    if (listener->is_due)
        return;
    listener->is_due = true;
    sim_at(sim, sim_now(sim) + listener->plan->accept_after, listener_accept, listener);
}

static void
plan_listen(SoakListener *listener)
{
    SoakPlan *plan = listener->plan;
    Socket *sock;
    int error;

    if (listener->world->failure != NULL || listener->world->is_over || plan->listener != NULL)
        return;
    sock = sock_open(listener->world->hosts[1], SOCK_TYPE_STREAM);
    sock_set_option(sock, TCP_OPT_REUSEADDR, 1);
    if (plan->fastopen_queue > 0)
        sock_set_option(sock, TCP_OPT_FASTOPEN, plan->fastopen_queue);
    if (plan->defer_accept_s > 0)
        sock_set_option(sock, TCP_OPT_DEFER_ACCEPT, plan->defer_accept_s);
    error = sock_bind(sock, (Endpoint){ IP_ADDR_ANY, plan->port });
    if (error == 0)
        error = sock_listen(sock, plan->backlog);
    if (error != 0)
        soak_fail(listener->world, "listen on %u: %s", plan->port, g_strerror(-error));
    plan->listener = sock;
    sock_on_event(sock, on_listener_event, listener);
}

static void
plan_first(void *arg)
{
    SoakListener *listener = arg;

    plan_connect(listener->world, listener->plan);
}

void
soak_plan_start(SoakWorld *world, SoakPlan *plan)
{
    SoakListener *listener = g_new0(SoakListener, 1);

    *listener = (SoakListener){ .world = world, .plan = plan };
    host_on_free(world->hosts[1], g_free, listener);
    if (plan->kind == PLAN_SERVED)
        plan_listen(listener);
    plan->n_due++;
    sim_at(world->sim, plan->start, plan_first, listener);
}
