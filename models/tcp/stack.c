/* The TCP of one host, and the life of its connections. */
#include <string.h>

#include "models/tcp/backlog.h"
#include "models/tcp/fastopen.h"
#include "models/tcp/demux.h"
#include "models/tcp/listen.h"
#include "models/tcp/metrics.h"
#include "models/tcp/output.h"
#include "models/tcp/ports.h"
#include "models/tcp/timewait.h"

static void
stack_free(gpointer data)
{
    TcpStack *stack = data;

    stack->is_ending = true;
    tcp_stack_drop_all(stack);
    tcp_time_waits_free(stack);
    tcp_ports_free(stack->ports);
    tcp_fastopen_cache_free(stack);
    tcp_metrics_forget(stack);
    g_free(stack->buckets);
    g_ptr_array_unref(stack->listeners);
    tcp_shared_leave(stack->host->net);
}

static void
use_params(TcpStack *stack, const TcpParams *params)
{
    TcpSettings *settings = tcp_shared_settings(stack->host->net, params);

    stack->params = &settings->params;
    stack->resting = &settings->resting;
}

TcpStack *
tcp_attach(Host *host, const TcpParams *params)
{
    static const IpProtocol protocol = { tcp_receive, tcp_icmp_error };
    TcpStack *stack = sim_arena_take0(&host->net->arena, sizeof *stack);
    g_autofree char *name = g_strdup_printf("tcp %s", host->name);

    stack->host = host;
    stack->sim = host->sim;
    stack->shared = tcp_shared_join(host->net);
    use_params(stack, params);
    stack->listeners = g_ptr_array_new();
    stack->ports = tcp_ports_new();
    sim_rng_named(host->sim, &stack->rng, name);
    for (size_t i = 0; i < G_N_ELEMENTS(stack->secret); i++)
        stack->secret[i] = sim_rng_u64(&stack->rng);
    tcp_time_waits_init(stack);
    host->tcp = stack;
    host->on_send_queue = tcp_on_send_queue;
    host_on_free(host, stack_free, stack);
    ip_register(host, IP_PROTO_TCP, &protocol);
    return stack;
}

/* A stream depends on its name alone, so it may begin when it is first asked for:
 * most hosts never do. */
SimRng *
tcp_luck(TcpStack *stack, TcpLuck purpose)
{
    static const char *const names[TCP_N_LUCKS] = {
        [TCP_LUCK_CONGESTION] = "congestion control",
        [TCP_LUCK_CHALLENGE] = "challenge ACKs",
    };

    if (!stack->has_luck[purpose]) {
        g_autofree char *name = g_strdup_printf("tcp %s %s", stack->host->name, names[purpose]);

        sim_rng_named(stack->sim, &stack->luck[purpose], name);
        stack->has_luck[purpose] = true;
    }
    return &stack->luck[purpose];
}

const TcpParams *
tcp_params(const Host *host)
{
    return host->tcp->params;
}

void
tcp_set_params(Host *host, const TcpParams *params)
{
    TcpStack *stack = host->tcp;

    use_params(stack, params);
    for (TcpConn *conn = stack->first; conn != NULL; conn = conn->next)
        if (!conn->sender->is_shared)
            conn->sender->w.params = stack->params;
}

/* ---- connections ------------------------------------------------------------- */

TcpConn *
tcp_conn_new(TcpStack *stack)
{
    TcpConn *conn = sim_pool_get(&stack->shared->conns);

    memset(conn, 0, sizeof *conn);
    conn->stack = stack;
    conn->entry.kind = TCP_ENTRY_CONN;
    conn->id = ++stack->host->net->last_conn_id;
    conn->next = stack->first;
    if (stack->first != NULL)
        stack->first->before = conn;
    stack->first = conn;
    sim_timer_init(&conn->rtx);
    sim_timer_init(&conn->delack);
    sim_timer_init(&conn->keep);
    conn->linger_deadline = SIM_NEVER;
    conn->opt.linger_s = -1;
    tcp_data_init(conn);
    return conn;
}

static void
conn_free(TcpConn *conn)
{
    TcpStack *stack = conn->stack;

    tcp_listener_free(conn);
    tcp_fastopen_free(conn);
    g_clear_pointer(&conn->saved_syn, g_bytes_unref);
    tcp_backlog_free(conn);
    tcp_data_free(conn);
    tcp_port_release(conn);
    if (conn->before != NULL)
        conn->before->next = conn->next;
    else
        stack->first = conn->next;
    if (conn->next != NULL)
        conn->next->before = conn->before;
    sim_pool_put(&stack->shared->conns, conn);
}

void
tcp_enter(TcpConn *conn)
{
    conn->held++;
}

void
tcp_leave(TcpConn *conn)
{
    sim_check(conn->held > 0);
    if (--conn->held == 0 && conn->has_ended && !conn->has_user)
        conn_free(conn);
}

/* RFC 4022: tcpEstabResets and tcpAttemptFails are told from the state that a
 * connection ends in. close() of one that still opens is no failure. */
static void
count_end(TcpConn *conn, TcpCause cause)
{
    Host *host = conn->stack->host;

    if (conn->state == TCP_ESTABLISHED || conn->state == TCP_CLOSE_WAIT)
        host_count(host, MIB_TcpEstabResets);
    else if ((conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED) &&
             cause.cause[0] != 'c')
        host_count(host, MIB_TcpAttemptFails);
}

void
tcp_conn_end(TcpConn *conn, TcpCause cause)
{
    TcpStack *stack = conn->stack;

    if (conn->has_ended)
        return;
    if (conn->state != TCP_CLOSED) {
        count_end(conn, cause);
        if (conn->state == TCP_LAST_ACK && conn->error == 0)
            tcp_metrics_note(conn);
        tcp_set_state(conn, TCP_CLOSED, cause);
    }
    conn->has_ended = true;
    conn->shut = 3;
    if (__builtin_expect(conn->fastopen != NULL, 0))
        tcp_fastopen_note_end(conn);
    tcp_data_done(conn);
    tcp_fastopen_child_done(conn);
    sim_timer_done(stack->sim, &conn->keep);
    tcp_demux_remove(stack, &conn->entry);
    if (!conn->has_user ||
        !conn->opt.has_port) /* a port of the user's own lasts as long as its socket */
        tcp_port_release(conn);
    if (conn->is_orphan) {
        conn->is_orphan = false;
        stack->n_orphans--;
    }
    tcp_wake(conn, TCP_EVENT_CLOSED | TCP_EVENT_READABLE | TCP_EVENT_WRITABLE);
}

void
tcp_conn_fail(TcpConn *conn, int error, TcpCause cause)
{
    conn->error = error;
    tcp_wake(conn, TCP_EVENT_ERROR);
    tcp_conn_end(conn, cause);
}

void
tcp_wake(TcpConn *conn, unsigned events)
{
    if (conn->on_event != NULL && !conn->stack->is_ending)
        conn->on_event(conn->event_arg, conn, events);
}

void
tcp_verdict(TcpStack *stack, uint32_t conn, VerdictKind kind, uint64_t packet, const char *what,
            const char *rule)
{
    const Probe *probe = &stack->host->probes->verdict;

    if (probe_is_heard(probe)) {
        VerdictRecord record = {
            .at = sim_now(stack->sim),
            .host = stack->host->id,
            .conn = conn,
            .kind = kind,
            .packet = packet,
            .what = what,
            .rule = rule,
        };
        probe_emit(probe, &record);
    }
}

/* The host goes: everything that is left is freed, nobody is told. */
void
tcp_stack_drop_all(TcpStack *stack)
{
    while (stack->first != NULL) {
        TcpConn *conn = stack->first;

        tcp_data_done(conn);
        sim_timer_done(stack->sim, &conn->keep);
        tcp_demux_remove(stack, &conn->entry);
        conn_free(conn);
    }
}
