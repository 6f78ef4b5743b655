#include "models/tcp/ports.h"

#include "models/tcp/demux.h"
#include "models/tcp/isn.h"
#include "models/tcp/timewait.h"

/* One port in use. Sockets that bound it themselves are listed; connections
 * that only hold it (accepted, connected without bind, TIME-WAIT) are counted:
 * what matters of them is whether they would share it. */
typedef struct PortUse {
    GPtrArray *bound; /* borrows TcpConn */
    uint32_t holders, sharing_holders;
    bool by_connect; /* only connect() without bind has taken it: any number may */
} PortUse;

struct TcpPorts {
    GHashTable *uses;         /* port -> owns PortUse; looked up, never iterated */
    uint32_t *next_by_secret; /* owns: RFC 6056 §3.3.4's table of offsets; NULL until used */
};

#define OFFSET_TABLE 256

static void
port_use_free(gpointer data)
{
    PortUse *use = data;

    g_ptr_array_unref(use->bound);
    g_free(use);
}

TcpPorts *
tcp_ports_new(void)
{
    TcpPorts *ports = g_new0(TcpPorts, 1);

    ports->uses = g_hash_table_new_full(NULL, NULL, NULL, port_use_free);
    return ports;
}

void
tcp_ports_free(TcpPorts *ports)
{
    g_hash_table_unref(ports->uses);
    g_free(ports->next_by_secret);
    g_free(ports);
}

static PortUse *
use_find(TcpStack *stack, uint16_t port)
{
    return g_hash_table_lookup(stack->ports->uses, GUINT_TO_POINTER(port));
}

static PortUse *
use_get(TcpStack *stack, uint16_t port)
{
    PortUse *use = use_find(stack, port);

    if (use == NULL) {
        use = g_new0(PortUse, 1);
        use->bound = g_ptr_array_new();
        use->by_connect = true;
        g_hash_table_insert(stack->ports->uses, GUINT_TO_POINTER(port), use);
    }
    return use;
}

static void
use_drop_if_empty(TcpStack *stack, uint16_t port, PortUse *use)
{
    if (use->bound->len == 0 && use->holders == 0)
        g_hash_table_remove(stack->ports->uses, GUINT_TO_POINTER(port));
}

void
tcp_port_hold(TcpStack *stack, uint16_t port, bool reuse)
{
    PortUse *use = use_get(stack, port);

    use->holders++;
    use->sharing_holders += reuse;
}

void
tcp_port_drop(TcpStack *stack, uint16_t port, bool reuse)
{
    PortUse *use = use_find(stack, port);

    sim_check(use != NULL && use->holders > 0);
    use->holders--;
    use->sharing_holders -= reuse;
    use_drop_if_empty(stack, port, use);
}

void
tcp_port_release(TcpConn *conn)
{
    uint16_t port = conn->entry.tuple.lport;
    PortUse *use;

    if (!conn->holds_port)
        return;
    conn->holds_port = false;
    use = use_find(conn->stack, port);
    sim_check(use != NULL);
    if (g_ptr_array_remove(use->bound, conn))
        use_drop_if_empty(conn->stack, port, use);
    else
        tcp_port_drop(conn->stack, port, conn->opt.reuse_addr);
}

/* Two sockets on one port conflict unless their addresses differ, or both set
 * SO_REUSEADDR and none listens, or both set SO_REUSEPORT. */
static bool
bind_conflicts(const TcpConn *conn, IpAddr local, const PortUse *use)
{
    for (guint i = 0; i < use->bound->len; i++) {
        const TcpConn *other = g_ptr_array_index(use->bound, i);
        IpAddr theirs = other->entry.tuple.local;
        bool same = ip_addr_is_any(local) || ip_addr_is_any(theirs) || ip_addr_equal(local, theirs);

        if (!same || other == conn)
            continue;
        if (conn->opt.reuse_addr && other->opt.reuse_addr && other->state != TCP_LISTEN)
            continue;
        if (conn->opt.reuse_port && other->opt.reuse_port)
            continue;
        return true;
    }
    return use->holders > (conn->opt.reuse_addr ? use->sharing_holders : 0);
}

static void
port_take(TcpConn *conn, uint16_t port, bool by_bind)
{
    PortUse *use = use_get(conn->stack, port);

    conn->entry.tuple.lport = port;
    conn->holds_port = true;
    if (by_bind) {
        g_ptr_array_add(use->bound, conn);
        use->by_connect = false;
    } else {
        use->holders++;
        use->sharing_holders += conn->opt.reuse_addr;
    }
}

static int
bind_any_port(TcpConn *conn, IpAddr local)
{
    TcpStack *stack = conn->stack;
    uint32_t low = stack->params.port_first, n = stack->params.port_last - low + 1;
    uint32_t offset = (uint32_t)sim_rng_below(&stack->rng, n) & ~1u;

    /* The half that connect() likes less first, as Linux does. */
    for (unsigned parity = 0; parity < 2; parity++) {
        for (uint32_t i = 0; i < n; i += 2) {
            uint32_t at = (offset + i) % (n + (n & 1)) + (parity == 0);
            uint16_t port;
            PortUse *use;

            if (at >= n)
                continue;
            port = (uint16_t)(low + at);
            use = use_find(stack, port);
            if (use != NULL && bind_conflicts(conn, local, use))
                continue;
            port_take(conn, port, true);
            return 0;
        }
    }
    return -EADDRINUSE;
}

int
tcp_port_bind(TcpConn *conn, Endpoint local)
{
    PortUse *use;

    if (local.port == 0)
        return bind_any_port(conn, local.addr);
    use = use_find(conn->stack, local.port);
    if (use != NULL && bind_conflicts(conn, local.addr, use))
        return -EADDRINUSE;
    port_take(conn, local.port, true);
    return 0;
}

int
tcp_port_check_listen(TcpConn *conn)
{
    PortUse *use = use_find(conn->stack, conn->entry.tuple.lport);

    for (guint i = 0; i < use->bound->len; i++) {
        const TcpConn *other = g_ptr_array_index(use->bound, i);
        IpAddr ours = conn->entry.tuple.local, theirs = other->entry.tuple.local;

        if (other == conn || other->state != TCP_LISTEN ||
            (conn->opt.reuse_port && other->opt.reuse_port))
            continue;
        if (ip_addr_is_any(ours) || ip_addr_is_any(theirs) || ip_addr_equal(ours, theirs))
            return -EADDRINUSE;
    }
    return 0;
}

int
tcp_port_check_connect(TcpConn *conn)
{
    TcpEntry *entry = tcp_demux_find(conn->stack, &conn->entry.tuple);

    if (entry == NULL)
        return 0;
    if (entry->kind == TCP_ENTRY_TIMEWAIT && tcp_time_wait_recycle((TcpTimeWait *)entry, conn))
        return 0;
    return -EADDRNOTAVAIL;
}

/* The next port to try for a destination: RFC 6056 §3.3.4, double-hash. */
static uint32_t *
offset_of(TcpStack *stack, uint32_t secret)
{
    if (stack->ports->next_by_secret == NULL) {
        stack->ports->next_by_secret = g_new(uint32_t, OFFSET_TABLE);
        for (unsigned i = 0; i < OFFSET_TABLE; i++)
            stack->ports->next_by_secret[i] = sim_rng_u32(&stack->rng) & ~1u;
    }
    return &stack->ports->next_by_secret[secret % OFFSET_TABLE];
}

static bool
connect_may_use(TcpConn *conn, uint16_t port)
{
    PortUse *use = use_find(conn->stack, port);

    if (use != NULL && use->bound->len > 0)
        return false; /* somebody bound it: not for connect() */
    conn->entry.tuple.lport = port;
    return tcp_port_check_connect(conn) == 0;
}

int
tcp_port_for_connect(TcpConn *conn)
{
    TcpStack *stack = conn->stack;
    uint32_t low = stack->params.port_first, n = stack->params.port_last - low + 1;
    uint32_t secret = tcp_port_offset(stack, &conn->entry.tuple);
    uint32_t *next = offset_of(stack, secret);
    uint32_t even = n & ~1u;
    uint32_t offset = even > 0 ? (*next + secret) % even & ~1u : 0;

    for (unsigned parity = 0; parity < 2; parity++) {
        for (uint32_t i = 0; i < n; i += 2) {
            uint32_t at = offset + parity + i;
            uint16_t port;

            if (at >= n + (n & 1))
                at -= n + (n & 1);
            if (at >= n)
                continue;
            port = (uint16_t)(low + at);
            if (!connect_may_use(conn, port))
                continue;
            /* Linux steps on by one to eight pairs of ports. */
            *next += (at - offset) + 2 + 2 * (uint32_t)sim_rng_below(&stack->rng, 8);
            port_take(conn, port, false);
            return 0;
        }
    }
    conn->entry.tuple.lport = 0;
    return -EADDRNOTAVAIL;
}
