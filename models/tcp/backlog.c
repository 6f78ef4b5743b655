#include "models/tcp/backlog.h"

#include "models/tcp/delack.h"
#include "models/tcp/demux.h"
#include "models/tcp/output.h"
#include "models/tcp/rcvwindow.h"

void
tcp_lock(TcpConn *conn)
{
    if (conn->is_busy)
        return;
    conn->backlog = g_new0(TcpBacklog, 1);
    conn->is_busy = true;
}

bool
tcp_is_locked(const TcpConn *conn)
{
    return conn->is_busy;
}

static uint32_t
truesize_of(const TcpConn *conn, const Packet *packet)
{
    uint32_t headers =
        ip_header_bytes(packet->ip.src) + TCP_HEADER_BYTES + packet->tcp.option_bytes;

    return tcp_truesize_of(conn, headers, packet->payload.len);
}

/* Linux joins small segments of the backlog where the first one's memory has
 * room. DIFFERS: here each stays by itself. */
void
tcp_backlog_add(TcpConn *conn, Packet *packet)
{
    TcpBacklog *backlog = conn->backlog;
    uint64_t most = 2 * (uint64_t)conn->rcv.buf + conn->snd.buf / 2 + 64 * 1024;

    if ((uint64_t)backlog->truesize + conn->rcv.truesize > most) {
        host_count(conn->stack->host, MIB_TcpExtTCPBacklogDrop);
        tcp_verdict(conn->stack, conn->id, VERDICT_DROP, packet->id, "the backlog is full",
                    "Linux: sk_add_backlog()");
        packet_free(conn->stack->host->packets, packet);
        return;
    }
    packet->next = NULL;
    if (backlog->first == NULL)
        backlog->first = packet;
    else
        backlog->last->next = packet;
    backlog->last = packet;
    backlog->truesize += truesize_of(conn, packet);
}

/* What a held socket's timers and segments left to do, in Linux's order. */
static void
make_up(TcpConn *conn, uint8_t waiting)
{
    if (waiting & TCP_WAITING_SEND)
        tcp_pacing_timer(conn);
    if ((waiting & TCP_WAITING_RTX) && !conn->has_ended)
        tcp_rtx_timer(conn);
    if ((waiting & TCP_WAITING_DELACK) && !conn->has_ended)
        tcp_delack_timer(conn);
    if ((waiting & TCP_WAITING_ACK) && !conn->has_ended && tcp_ack_is_scheduled(conn))
        tcp_send_ack(conn, "net.ipv4.tcp_backlog_ack_defer: one ACK for the backlog");
}

void
tcp_catch_up(TcpConn *conn)
{
    TcpBacklog *backlog = conn->backlog;
    Packet *packet;

    if (backlog == NULL)
        return;
    tcp_enter(conn);
    backlog->is_emptied = true;
    while ((packet = backlog->first) != NULL) {
        backlog->first = packet->next;
        packet->next = NULL;
        tcp_receive_backlog(conn, packet);
    }
    backlog->is_emptied = false;
    tcp_leave(conn);
}

void
tcp_backlog_flush(TcpConn *conn)
{
    TcpBacklog *backlog = conn->backlog;
    uint8_t waiting;

    tcp_enter(conn);
    tcp_catch_up(conn);
    backlog->truesize = 0; /* only now: Linux counts them twice meanwhile */
    waiting = backlog->waiting;
    backlog->waiting = 0;
    conn->is_busy = false; /* what is made up for now does not wait again */
    make_up(conn, waiting);
    conn->is_busy = true;
    tcp_leave(conn);
}

void
tcp_unlock(TcpConn *conn)
{
    size_t copied;

    if (conn->backlog == NULL)
        return;
    tcp_enter(conn);
    copied = conn->backlog->copied;
    conn->backlog->copied = 0;
    if (copied && conn->state != TCP_CLOSED)
        tcp_ack_after_read(conn, copied);
    tcp_backlog_flush(conn);
    tcp_backlog_free(conn);
    tcp_leave(conn);
}

void
tcp_backlog_free(TcpConn *conn)
{
    TcpBacklog *backlog = conn->backlog;

    if (backlog == NULL)
        return;
    while (backlog->first != NULL) {
        Packet *packet = backlog->first;

        backlog->first = packet->next;
        packet_free(conn->stack->host->packets, packet);
    }
    g_free(backlog);
    conn->backlog = NULL;
    conn->is_busy = false;
}
