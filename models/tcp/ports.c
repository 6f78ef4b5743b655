#include "models/tcp/ports.h"

#include "models/tcp/demux.h"
#include "models/tcp/isn.h"
#include "models/tcp/timewait.h"

/* One port in use. Sockets that bound it themselves are listed; connections
 * that only hold it (accepted, connected without bind, TIME-WAIT) are counted:
 * what matters of them is whether they would share it. */
typedef struct PortUse {
    GPtrArray *bound; /* borrows TcpConn; NULL: none */
    uint32_t holders;
    uint32_t with[3];     /* of those, by TCP_PORT_ flag: SO_REUSEADDR, SO_REUSEPORT, by bind() */
    IpAddr holders_local; /* their local address ... */
    bool is_mixed;        /* ... unless they have several */
} PortUse;

#define OFFSET_TABLE 256

static void
port_use_free(gpointer data)
{
    PortUse *use = data;

    if (use->bound != NULL)
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
        g_hash_table_insert(stack->ports->uses, GUINT_TO_POINTER(port), use);
    }
    return use;
}

static guint
n_bound(const PortUse *use)
{
    return use->bound != NULL ? use->bound->len : 0;
}

static void
use_drop_if_empty(TcpStack *stack, uint16_t port, PortUse *use)
{
    if (n_bound(use) == 0 && use->holders == 0)
        g_hash_table_remove(stack->ports->uses, GUINT_TO_POINTER(port));
}

static void
count_flags(PortUse *use, uint8_t flags, uint32_t step)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(use->with); i++)
        use->with[i] += (flags >> i & 1) * step;
}

void
tcp_port_hold(TcpStack *stack, uint16_t port, IpAddr local, uint8_t flags)
{
    PortUse *use = use_get(stack, port);

    if (use->holders++ == 0) {
        use->holders_local = local;
        use->is_mixed = false;
    } else if (!ip_addr_equal(use->holders_local, local)) {
        use->is_mixed = true;
    }
    count_flags(use, flags, 1);
}

void
tcp_port_drop(TcpStack *stack, uint16_t port, uint8_t flags)
{
    PortUse *use = use_find(stack, port);

    sim_check(use != NULL && use->holders > 0);
    use->holders--;
    count_flags(use, flags, UINT32_MAX);
    use_drop_if_empty(stack, port, use);
}

uint8_t
tcp_port_flags(const TcpConn *conn)
{
    return (uint8_t)((conn->opt.reuse_addr ? TCP_PORT_REUSEADDR : 0) |
                     (conn->opt.reuse_port ? TCP_PORT_REUSEPORT : 0) |
                     (conn->port_by_bind ? TCP_PORT_BY_BIND : 0));
}

void
tcp_port_set_reuse(TcpConn *conn, bool reuse_addr, bool reuse_port)
{
    bool is_counted = conn->holds_port && !conn->port_is_listed;
    PortUse *use = is_counted ? use_find(conn->stack, conn->entry.tuple.lport) : NULL;

    if (is_counted)
        count_flags(use, tcp_port_flags(conn), UINT32_MAX);
    conn->opt.reuse_addr = reuse_addr;
    conn->opt.reuse_port = reuse_port;
    if (is_counted)
        count_flags(use, tcp_port_flags(conn), 1);
}

void
tcp_port_release(TcpConn *conn)
{
    uint16_t port = conn->entry.tuple.lport;

    if (!conn->holds_port)
        return;
    if (conn->port_is_listed) {
        PortUse *use = use_find(conn->stack, port);

        sim_check(use != NULL && use->bound != NULL);
        g_ptr_array_remove(use->bound, conn);
        use_drop_if_empty(conn->stack, port, use);
    } else {
        tcp_port_drop(conn->stack, port, tcp_port_flags(conn));
    }
    conn->holds_port = conn->port_is_listed = conn->port_by_bind = false;
}

static bool
addresses_overlap(IpAddr a, IpAddr b)
{
    return ip_addr_is_any(a) || ip_addr_is_any(b) || ip_addr_equal(a, b);
}

/* Those that only hold the port share it if all of them set SO_REUSEADDR, or
 * all set SO_REUSEPORT, as the newcomer does. */
static bool
holders_conflict(const TcpConn *conn, IpAddr local, const PortUse *use, bool may_share)
{
    if (use->holders == 0 || (!use->is_mixed && !addresses_overlap(local, use->holders_local)))
        return false;
    if (may_share && conn->opt.reuse_addr && use->with[0] == use->holders)
        return false;
    return !(conn->opt.reuse_port && use->with[1] == use->holders);
}

/* Two sockets on one port conflict unless their addresses differ, or both set
 * SO_REUSEADDR and the other does not listen, or both set SO_REUSEPORT. A
 * bind() that may choose (port 0) does not share by SO_REUSEADDR. */
static bool
bind_conflicts(const TcpConn *conn, IpAddr local, const PortUse *use, bool may_share)
{
    for (guint i = 0; i < n_bound(use); i++) {
        const TcpConn *other = g_ptr_array_index(use->bound, i);

        if (other == conn || !addresses_overlap(local, other->entry.tuple.local))
            continue;
        if (may_share && conn->opt.reuse_addr && other->opt.reuse_addr &&
            other->state != TCP_LISTEN)
            continue;
        if (conn->opt.reuse_port && other->opt.reuse_port)
            continue;
        return true;
    }
    return holders_conflict(conn, local, use, may_share);
}

static void
port_take(TcpConn *conn, uint16_t port, bool by_bind)
{
    conn->entry.tuple.lport = port;
    conn->holds_port = true;
    conn->port_by_bind = conn->port_is_listed = by_bind;
    if (by_bind) {
        PortUse *use = use_get(conn->stack, port);

        if (use->bound == NULL)
            use->bound = g_ptr_array_new();
        g_ptr_array_add(use->bound, conn);
    } else {
        tcp_port_hold(conn->stack, port, conn->entry.tuple.local, tcp_port_flags(conn));
    }
}

void
tcp_port_hold_child(TcpConn *child)
{
    child->holds_port = child->port_by_bind = true;
    tcp_port_hold(child->stack, child->entry.tuple.lport, child->entry.tuple.local,
                  tcp_port_flags(child));
}

/* ---- bind() -------------------------------------------------------------------- */

/* One scan over ports first..end-1: those of the parity that connect() likes
 * less, then the others, from a random place. */
static bool
scan_for_bind(TcpConn *conn, IpAddr local, uint32_t first, uint32_t end)
{
    uint32_t n = end - first > 1 ? (end - first) & ~1u : end - first;
    uint32_t offset = (uint32_t)sim_rng_below(&conn->stack->rng, n) | 1;

    for (unsigned pass = 0; pass < 2; pass++, offset--) {
        uint32_t port = first + offset;

        for (uint32_t i = 0; i < n; i += 2, port += 2) {
            PortUse *use;

            if (port >= end)
                port -= n;
            use = use_find(conn->stack, (uint16_t)port);
            if (use != NULL && bind_conflicts(conn, local, use, false))
                continue;
            port_take(conn, (uint16_t)port, true);
            return true;
        }
    }
    return false;
}

static int
bind_any_port(TcpConn *conn, IpAddr local)
{
    const TcpParams *p = conn->stack->params;
    uint32_t low = p->port_first, end = p->port_last + 1;

    if (end <= low)
        return -EADDRINUSE;
    /* With SO_REUSEADDR the lower half of the range first, as Linux does. */
    if (conn->opt.reuse_addr && end - low >= 4) {
        uint32_t half = low + ((end - low) >> 2 << 1);

        if (scan_for_bind(conn, local, low, half))
            return 0;
        low = half;
    }
    return scan_for_bind(conn, local, low, end) ? 0 : -EADDRINUSE;
}

int
tcp_port_bind(TcpConn *conn, Endpoint local)
{
    PortUse *use;

    if (local.port == 0)
        return bind_any_port(conn, local.addr);
    use = use_find(conn->stack, local.port);
    if (use != NULL && bind_conflicts(conn, local.addr, use, true))
        return -EADDRINUSE;
    port_take(conn, local.port, true);
    return 0;
}

int
tcp_port_check_listen(TcpConn *conn)
{
    PortUse *use = use_find(conn->stack, conn->entry.tuple.lport);

    for (guint i = 0; i < n_bound(use); i++) {
        const TcpConn *other = g_ptr_array_index(use->bound, i);

        if (other == conn || other->state != TCP_LISTEN ||
            (conn->opt.reuse_port && other->opt.reuse_port))
            continue;
        if (addresses_overlap(conn->entry.tuple.local, other->entry.tuple.local))
            return -EADDRINUSE;
    }
    return 0;
}

/* ---- connect() ----------------------------------------------------------------- */

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

    if (use != NULL && (n_bound(use) > 0 || use->with[2] > 0))
        return false; /* somebody bound it: not for connect() */
    conn->entry.tuple.lport = port;
    return tcp_port_check_connect(conn) == 0;
}

int
tcp_port_for_connect(TcpConn *conn)
{
    TcpStack *stack = conn->stack;
    uint32_t low = stack->params->port_first, end = stack->params->port_last + 1;
    uint32_t n = end - low > 1 ? (end - low) & ~1u : end - low;
    uint32_t secret = tcp_port_offset(stack, &conn->entry.tuple);
    uint32_t *next = offset_of(stack, secret);

    if (end <= low)
        return -EADDRNOTAVAIL;
    uint32_t offset = (uint32_t)(((uint64_t)*next + secret) % n) & ~1u;
    for (unsigned parity = 0; parity < MIN(n, 2u); parity++) {
        uint32_t port = low + offset + parity;

        for (uint32_t i = 0; i < n; i += 2, port += 2) {
            if (port >= end)
                port -= n;
            if (!connect_may_use(conn, (uint16_t)port))
                continue;
            /* Linux steps on by one to eight pairs, or beyond what it tried. */
            *next += MAX(i, 2 * (uint32_t)sim_rng_below(&stack->rng, 8)) + 2;
            port_take(conn, (uint16_t)port, false);
            return 0;
        }
    }
    conn->entry.tuple.lport = 0;
    return -EADDRNOTAVAIL;
}
