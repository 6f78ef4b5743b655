/* Fast Open, black holes (RFC 7413 §7.1): boxes on the way that don't bear data on a
 * SYN, at once or some segments later. What looks like one turns Fast Open off on the
 * host for net.ipv4.tcp_fastopen_blackhole_timeout_sec, and each further one for twice
 * as long, up to 64 times. Signs, as Linux takes them, of a connection that used it:
 *
 *   - a third timeout in a row, or the timeout that ends it
 *   - an RST out of order before any data came
 *   - its end, when all that ever came was a FIN out of order
 *
 * Once it is on again, a connection that receives data clears the count. */
#include "models/tcp/fastopen.h"
#include "models/tcp/reassembly.h"

enum {
    HOLE_TIMEOUTS = 3,
    HOLE_MOST_DOUBLINGS = 6,
};

static void
turn_off(TcpConn *conn)
{
    TcpStack *stack = conn->stack;

    if (stack->params->fastopen_blackhole_timeout_s == 0)
        return;
    stack->fastopen_hole.at = tcp_now(conn);
    stack->fastopen_hole.times++;
    host_count(stack->host, MIB_TcpExtTCPFastOpenBlackhole);
}

static bool
used_fastopen(const TcpConn *conn)
{
    const TcpFastOpen *fastopen = conn->fastopen;

    return fastopen != NULL && (fastopen->asked || fastopen->has_syn_data);
}

bool
tcp_fastopen_is_turned_off(TcpConn *conn)
{
    const TcpStack *stack = conn->stack;
    uint32_t times = stack->fastopen_hole.times;

    if (stack->params->fastopen_blackhole_timeout_s == 0 || times == 0)
        return false;
    SimTime timeout = stack->params->fastopen_blackhole_timeout_s * SIM_SEC;
    timeout <<= MIN(times - 1, HOLE_MOST_DOUBLINGS);
    if (tcp_now(conn) < stack->fastopen_hole.at + timeout)
        return true;
    conn->fastopen->tries_again = true;
    return false;
}

void
tcp_fastopen_note_timeout(TcpConn *conn, bool is_last)
{
    unsigned before = conn->sender->retransmits;

    if (used_fastopen(conn) &&
        (before + 1 == HOLE_TIMEOUTS || (before + 1 < HOLE_TIMEOUTS && is_last)))
        turn_off(conn);
}

void
tcp_fastopen_note_stray_rst(TcpConn *conn)
{
    if (used_fastopen(conn) && conn->data_segs_in == 0 && conn->state == TCP_ESTABLISHED)
        turn_off(conn);
}

void
tcp_fastopen_note_end(TcpConn *conn)
{
    if (!used_fastopen(conn))
        return;
    if (conn->data_segs_in == 0) {
        if (tcp_reassembly_is_lone_fin(conn))
            turn_off(conn);
    } else if (conn->fastopen->tries_again) {
        conn->stack->fastopen_hole.times = 0;
    }
}
