/* What limits sending, and for how long: the chronographs behind tcp_info's
 * busy_time, rwnd_limited and sndbuf_limited. The strongest reason runs. */
#include "models/tcp/output.h"

#define CHRONO_UNIT (100 * SIM_US)

static void
chrono_switch(TcpConn *conn, TcpChrono to)
{
    SimTime now = tcp_now(conn);

    if (conn->sender->chrono != TCP_CHRONO_NONE)
        conn->sender->chrono_spent[conn->sender->chrono - 1] +=
            (uint32_t)((now - conn->sender->chrono_at) / CHRONO_UNIT);
    conn->sender->chrono_at = now;
    conn->sender->chrono = (uint8_t)to;
}

void
tcp_chrono_start_slow(TcpConn *conn, TcpChrono type)
{
    chrono_switch(conn, type);
}

void
tcp_chrono_stop_slow(TcpConn *conn, TcpChrono type)
{
    /* A limit that is over leaves a connection that is still busy; with the
     * queue empty there is no reason left. */
    if (!conn->tx || conn->tx->count == 0)
        chrono_switch(conn, TCP_CHRONO_NONE);
    else if (type == conn->sender->chrono && type != TCP_CHRONO_BUSY)
        chrono_switch(conn, TCP_CHRONO_BUSY);
}

uint64_t
tcp_chrono_us(const TcpConn *conn, TcpChrono type)
{
    uint64_t spent = 0;

    /* Busy time includes the time in which something else was the limit. */
    for (unsigned i = TCP_CHRONO_BUSY; i <= TCP_CHRONO_SNDBUF; i++) {
        if (i != type && type != TCP_CHRONO_BUSY)
            continue;
        spent += conn->sender->chrono_spent[i - 1];
        if (conn->sender->chrono == i)
            spent += (uint64_t)((tcp_now(conn) - conn->sender->chrono_at) / CHRONO_UNIT);
    }
    return spent * (CHRONO_UNIT / SIM_US);
}
