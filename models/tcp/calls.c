/* The smaller calls of the user: open, bind, poll, errors, getters. */
#include "models/tcp/fastopen.h"
#include "models/tcp/listen.h"
#include "models/tcp/metrics.h"
#include "models/tcp/ports.h"
#include "models/tcp/rcvwindow.h"

TcpConn *
tcp_open(Host *host)
{
    TcpConn *conn = tcp_conn_new(host->tcp);

    conn->has_user = true;
    return conn;
}

void
tcp_on_event(TcpConn *conn, TcpEventFn *fn, void *arg)
{
    conn->on_event = fn;
    conn->event_arg = arg;
}

int
tcp_bind(TcpConn *conn, Endpoint local)
{
    int error;

    if (conn->state != TCP_CLOSED || conn->holds_port || conn->has_ended)
        return -EINVAL;
    if (!ip_addr_is_any(local.addr) && !ip_addr_is_loopback(local.addr) &&
        host_iface_with_addr(conn->stack->host, local.addr) == NULL)
        return -EADDRNOTAVAIL;
    /* IP_BIND_ADDRESS_NO_PORT: connect() will choose it, knowing the peer. */
    error = local.port == 0 && conn->opt.bind_no_port ? 0 : tcp_port_bind(conn, local);
    if (error != 0)
        return error;
    conn->entry.tuple.local = local.addr;
    conn->opt.has_local = !ip_addr_is_any(local.addr);
    conn->opt.has_port = local.port != 0;
    return 0;
}

void
tcp_writer_waits(TcpConn *conn, bool waits)
{
    conn->writer_waits = waits;
}

void
tcp_metrics_flush(Host *host)
{
    tcp_fastopen_cache_free(host->tcp);
    tcp_metrics_forget(host->tcp);
}

unsigned
tcp_poll(const TcpConn *conn)
{
    unsigned events = 0;

    if (conn->state == TCP_LISTEN)
        return conn->listener->accept_first != NULL ? TCP_POLL_IN : 0;
    if (tcp_fastopen_is_waiting(conn))
        return TCP_POLL_OUT;
    if (conn->shut == 3 || (conn->state == TCP_CLOSED && conn->has_ended))
        events |= TCP_POLL_HUP;
    if ((conn->shut & 1) != 0)
        events |= TCP_POLL_IN | TCP_POLL_RDHUP;
    if (conn->state != TCP_SYN_SENT &&
        (conn->state != TCP_SYN_RECEIVED || tcp_fastopen_is_child(conn))) {
        size_t unread = tcp_unread_bytes(conn);

        if (unread > 0 && (unread >= conn->opt.rcvlowat || tcp_is_stuffed(conn)))
            events |= TCP_POLL_IN;
        if ((conn->shut & 2) != 0 || (conn->state != TCP_CLOSED && tcp_tx_is_writable(conn)))
            events |= TCP_POLL_OUT;
        if (conn->state == TCP_CLOSED)
            events |= TCP_POLL_OUT | TCP_POLL_HUP;
        if (conn->rcv.urgent != 0)
            events |= TCP_POLL_PRI;
    }
    if (conn->error != 0)
        events |= TCP_POLL_ERR;
    return events;
}

int
tcp_take_error(TcpConn *conn)
{
    int error = conn->error;

    conn->error = 0;
    if (error == 0) { /* an ICMP hint is told once, and then forgotten */
        error = conn->soft_error;
        conn->soft_error = 0;
    }
    return error;
}

TcpState
tcp_state(const TcpConn *conn)
{
    return conn->state;
}

uint32_t
tcp_conn_id(const TcpConn *conn)
{
    return conn->id;
}

Endpoint
tcp_local(const TcpConn *conn)
{
    return (Endpoint){ conn->entry.tuple.local, conn->entry.tuple.lport };
}

Endpoint
tcp_remote(const TcpConn *conn)
{
    return (Endpoint){ conn->entry.tuple.remote, conn->entry.tuple.rport };
}

Host *
tcp_host(const TcpConn *conn)
{
    return conn->stack->host;
}
