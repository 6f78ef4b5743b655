#include "models/app/app.h"

#include <errno.h>

/* What one call of tcp_send is offered: more than any send buffer. */
#define BULK_CHUNK (UINT64_C(1) << 30)

struct AppBulk {
    Host *host;    /* borrows */
    TcpConn *conn; /* owns, as its user */
    Endpoint to;
    uint64_t bytes, sent;
    const char *congestion; /* interned */
    int error;
    bool is_due; /* bulk_go() is in the queue */
    bool is_connected;
};

static void
bulk_end(AppBulk *bulk, int error)
{
    TcpConn *conn = bulk->conn;

    bulk->conn = NULL;
    bulk->error = error;
    tcp_on_event(conn, NULL, NULL);
    if (tcp_close(conn) == -EWOULDBLOCK)
        tcp_release(conn);
}

/* True when the handshake is over and went well. */
static bool
bulk_is_connected(AppBulk *bulk)
{
    int error;

    if (bulk->is_connected)
        return true;
    error = tcp_take_error(bulk->conn);
    if (error != 0)
        bulk_end(bulk, error);
    else
        bulk->is_connected = tcp_state(bulk->conn) >= TCP_ESTABLISHED;
    return bulk->is_connected;
}

static void
bulk_go(void *arg)
{
    AppBulk *bulk = arg;

    bulk->is_due = false;
    if (bulk->conn == NULL || !bulk_is_connected(bulk))
        return;
    for (;;) {
        uint64_t left = bulk->bytes == 0 ? BULK_CHUNK : bulk->bytes - bulk->sent;
        int64_t n;

        if (left == 0) {
            bulk_end(bulk, 0);
            return;
        }
        n = tcp_send(bulk->conn, NULL, MIN(left, BULK_CHUNK), 0);
        if (n == -EAGAIN)
            return;
        if (n < 0) {
            bulk_end(bulk, (int)-n);
            return;
        }
        bulk->sent += (uint64_t)n;
    }
}

static void
bulk_on_event(void *arg, TcpConn *conn, unsigned events)
{
    AppBulk *bulk = arg;

    (void)conn;
    (void)events;
    if (bulk->is_due)
        return;
    bulk->is_due = true;
    sim_at(bulk->host->sim, sim_now(bulk->host->sim), bulk_go, bulk);
}

static void
bulk_start(void *arg)
{
    AppBulk *bulk = arg;
    int result;

    bulk->conn = tcp_open(bulk->host);
    tcp_on_event(bulk->conn, bulk_on_event, bulk);
    if (bulk->congestion != NULL)
        tcp_set_congestion(bulk->conn, bulk->congestion);
    result = tcp_connect(bulk->conn, bulk->to);
    if (result < 0 && result != -EINPROGRESS)
        bulk_end(bulk, -result);
}

AppBulk *
app_bulk_new(Host *host, Endpoint to, uint64_t bytes, SimTime start, const char *congestion)
{
    AppBulk *bulk = g_new0(AppBulk, 1);

    bulk->host = host;
    bulk->to = to;
    bulk->bytes = bytes;
    bulk->congestion = g_intern_string(congestion);
    host_on_free(host, g_free, bulk);
    sim_at(host->sim, start, bulk_start, bulk);
    return bulk;
}

TcpConn *
app_bulk_conn(const AppBulk *bulk)
{
    return bulk->conn;
}

uint64_t
app_bulk_sent(const AppBulk *bulk)
{
    return bulk->sent;
}

int
app_bulk_error(const AppBulk *bulk)
{
    return bulk->error;
}
