/* The host loses its memory: every socket, half-open request and TIME-WAIT
 * entry is gone without a segment, as after a power cut (RFC 9293 §3.5.1,
 * half-open connections). Its peers find out by themselves.
 */
#include "models/tcp/demux.h"
#include "models/tcp/listen.h"
#include "models/tcp/timewait.h"

static const TcpCause reboot = { .cause = "call", .what = "reboot", .rule = "RFC 9293 §3.5.1" };

/* What can be found by four-tuple and is no connection. */
static void
collect(void *arg, TcpEntry *entry)
{
    if (entry->kind != TCP_ENTRY_CONN)
        g_ptr_array_add(arg, entry);
}

static void
drop_entries(TcpStack *stack)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new();

    tcp_demux_each(stack, collect, entries);
    for (guint i = 0; i < entries->len; i++) {
        TcpEntry *entry = entries->pdata[i];

        if (entry->kind == TCP_ENTRY_REQUEST)
            tcp_request_drop((TcpRequest *)entry, reboot);
        else
            tcp_time_wait_drop(stack, (TcpTimeWait *)entry, reboot);
    }
}

static void
end(TcpConn *conn)
{
    tcp_enter(conn);
    conn->error = ENETRESET;
    tcp_conn_end(conn, reboot);
    tcp_leave(conn);
}

/* Nobody will accept what waits: no user is left to free it. */
static void
end_listener(TcpConn *conn)
{
    TcpConn *child;
    int error;

    while ((child = tcp_accept(conn, &error)) != NULL) {
        child->has_user = false;
        end(child);
    }
    g_ptr_array_remove(conn->stack->listeners, conn);
    tcp_listener_free(conn);
    end(conn);
}

void
tcp_reboot(Host *host)
{
    TcpStack *stack = host->tcp;

    drop_entries(stack);
    while (stack->listeners->len > 0)
        end_listener(stack->listeners->pdata[0]);
    for (TcpConn *conn = stack->first, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (!conn->has_ended)
            end(conn);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(stack->secret); i++)
        stack->secret[i] = sim_rng_u64(&stack->rng);
}
