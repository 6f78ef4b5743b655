#include "models/app/app.h"

#include <errno.h>

#include "models/app/discard.h"

typedef struct ServerConn {
    AppServer *server; /* borrows */
    TcpConn *conn;     /* owns, as its user; NULL once closed */
    SimTimer timer;    /* of the request under way; in use if there is a timeout */
    uint64_t to_send;  /* of the response under way */
    uint32_t got;      /* of the request under way */
    bool is_due;       /* conn_go() is in the queue */
} ServerConn;

struct AppServer {
    Host *host; /* borrows */
    AppServerParams params;
    AppServerCounts counts;
    GPtrArray *listeners; /* owns TcpConn, as their user */
    SimPool conns;        /* ServerConn */
    SimTime next_accept;
    bool is_due; /* server_go() is in the queue */
};

static void server_wake(AppServer *server, SimTime when);

/* ---- one connection --------------------------------------------------------- */

static void
conn_end(ServerConn *c, bool is_error)
{
    AppServer *server = c->server;
    TcpConn *conn = c->conn;

    server->counts.closed++;
    server->counts.errors += is_error;
    if (server->params.timeout > 0)
        sim_timer_done(server->host->sim, &c->timer);
    if (server->params.workers > 0 && !server->params.never_accepts) /* one is free again */
        server_wake(server, MAX(sim_now(server->host->sim), server->next_accept));
    c->conn = NULL;
    tcp_on_event(conn, NULL, NULL);
    if (tcp_close(conn) == -EWOULDBLOCK)
        tcp_release(conn);
    if (!c->is_due)
        sim_pool_put(&server->conns, c);
}

static void
conn_on_timeout(void *arg)
{
    ServerConn *c = arg;

    c->server->counts.timed_out++;
    conn_end(c, false);
}

/* From now on the peer has its time: to send a request, or to take a response. */
static void
conn_arm(ServerConn *c)
{
    const AppServer *server = c->server;
    Sim *sim = server->host->sim;

    if (server->params.timeout > 0)
        sim_timer_set(sim, &c->timer, sim_now(sim) + server->params.timeout, conn_on_timeout, c);
}

/* 0 when the whole response has been handed to TCP, else what stopped it. */
static int64_t
conn_respond(ServerConn *c)
{
    while (c->to_send > 0) {
        int64_t n = tcp_send(c->conn, NULL, c->to_send, 0);

        if (n < 0)
            return n;
        c->to_send -= (uint64_t)n;
        c->server->counts.bytes_sent += (uint64_t)n;
        if (c->to_send == 0)
            conn_arm(c);
    }
    return 0;
}

/* Reads some of a request; its response is then due if it is complete. 1, 0
 * at the end of the peer's data, or what stopped it. */
static int64_t
conn_read(ServerConn *c)
{
    AppServer *server = c->server;
    const AppServerParams *p = &server->params;
    int64_t n = app_discard(c->conn, p->request_bytes == 0 ? SIZE_MAX : p->request_bytes - c->got);

    if (n <= 0)
        return n;
    server->counts.bytes_read += (uint64_t)n;
    if (p->request_bytes == 0)
        return 1;
    c->got += (uint32_t)n;
    if (c->got == p->request_bytes) {
        c->got = 0;
        c->to_send = p->response_bytes;
        server->counts.requests++;
        conn_arm(c);
    }
    return 1;
}

static void
conn_serve(ServerConn *c)
{
    const AppServerParams *p = &c->server->params;

    for (;;) {
        int64_t result = conn_respond(c);

        if (result == 0) {
            if (p->never_reads)
                return;
            result = conn_read(c);
            if (result > 0 && p->closes_first && p->request_bytes != 0 && c->got == 0 &&
                conn_respond(c) == 0) {
                conn_end(c, false);
                return;
            }
        }
        if (result == -EAGAIN)
            return;
        if (result <= 0) {
            conn_end(c, result < 0);
            return;
        }
    }
}

static void
conn_go(void *arg)
{
    ServerConn *c = arg;

    c->is_due = false;
    if (c->conn == NULL)
        sim_pool_put(&c->server->conns, c);
    else
        conn_serve(c);
}

static void
conn_on_event(void *arg, TcpConn *conn, unsigned events)
{
    ServerConn *c = arg;

    (void)conn;
    (void)events;
    if (c->is_due)
        return;
    c->is_due = true;
    sim_at(c->server->host->sim, sim_now(c->server->host->sim), conn_go, c);
}

/* ---- the listeners ---------------------------------------------------------- */

static uint32_t
server_open(const AppServer *server)
{
    return (uint32_t)(server->counts.accepted - server->counts.closed);
}

static bool
server_is_busy(const AppServer *server)
{
    return server->params.workers > 0 && server_open(server) >= server->params.workers;
}

static void
server_take(AppServer *server, TcpConn *conn)
{
    ServerConn *c = sim_pool_get(&server->conns);

    *c = (ServerConn){ .server = server, .conn = conn };
    sim_timer_init(&c->timer);
    conn_arm(c);
    server->counts.accepted++;
    server->counts.most_open = MAX(server->counts.most_open, server_open(server));
    tcp_on_event(conn, conn_on_event, c);
    conn_on_event(c, conn, TCP_EVENT_READABLE); /* data may have come with the handshake */
}

static void
server_go(void *arg)
{
    AppServer *server = arg;
    double rate = server->params.accepts_per_s;
    int error;

    server->is_due = false;
    if (server_is_busy(server))
        return;
    for (guint i = 0; i < server->listeners->len; i++) {
        TcpConn *conn;

        while ((conn = tcp_accept(g_ptr_array_index(server->listeners, i), &error)) != NULL) {
            server_take(server, conn);
            if (rate > 0) {
                server->next_accept =
                    sim_now(server->host->sim) + (SimTime)((double)SIM_SEC / rate);
                server_wake(server, server->next_accept);
                return;
            }
            if (server_is_busy(server)) /* conn_end() goes on */
                return;
        }
    }
}

static void
server_wake(AppServer *server, SimTime when)
{
    if (server->is_due)
        return;
    server->is_due = true;
    sim_at(server->host->sim, when, server_go, server);
}

static void
server_on_event(void *arg, TcpConn *conn, unsigned events)
{
    AppServer *server = arg;

    (void)conn;
    (void)events;
    if (!server->params.never_accepts)
        server_wake(server, MAX(sim_now(server->host->sim), server->next_accept));
}

static void
server_free(gpointer data)
{
    AppServer *server = data;

    g_ptr_array_unref(server->listeners);
    g_free(server);
}

static int
server_listen(AppServer *server, uint16_t port)
{
    TcpConn *listener = tcp_open(server->host);
    int error;

    tcp_set_option(listener, TCP_OPT_REUSEADDR, 1);
    error = tcp_bind(listener, (Endpoint){ IP_ADDR_ANY, port });
    if (error == 0)
        error = tcp_listen(listener, server->params.backlog);
    if (error != 0) {
        tcp_close(listener);
        return error;
    }
    tcp_on_event(listener, server_on_event, server);
    g_ptr_array_add(server->listeners, listener);
    return 0;
}

AppServer *
app_server_new(Host *host, const AppServerParams *params, int *error)
{
    AppServer *server = g_new0(AppServer, 1);

    server->host = host;
    server->params = *params;
    server->listeners = g_ptr_array_new();
    sim_pool_init(&server->conns, &host->net->arena, sizeof(ServerConn));
    host_on_free(host, server_free, server);
    for (unsigned i = 0; i < MAX(params->n_ports, 1u); i++) {
        *error = server_listen(server, (uint16_t)(params->port + i));
        if (*error != 0)
            return NULL;
    }
    return server;
}

AppServerCounts
app_server_counts(const AppServer *server)
{
    return server->counts;
}
