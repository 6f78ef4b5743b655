/* ICMP errors about our segments (RFC 9293 §3.9.2.2, RFC 5927). Only one that
 * quotes a sequence number in flight is believed. Soft errors say that a path
 * has a problem that may pass, hard ones that nobody is there (RFC 1122
 * §4.2.3.9). By RFC 9293 a soft one never ends a connection and a hard one
 * always does. DIFFERS: Linux ends a connection that opens at any error, so that
 * connect() need not wait, and one that is open at none, for it could be
 * forged. What does not end a connection is kept, and reported should it time
 * out.
 */
#include "models/tcp/demux.h"
#include "models/tcp/listen.h"

static void
error_is_stale(Host *host, uint32_t conn, const IcmpError *error)
{
    host_count(host, MIB_TcpExtOutOfWindowIcmps);
    tcp_verdict(host->tcp, conn, VERDICT_DROP, error->packet->id, "ICMP about data not in flight",
                "RFC 5927 §4.1");
    host_record_packet(host, NULL, PACKET_EVENT_REFUSED, error->packet,
                       "ICMP about data not in flight");
}

/* For a half-open request only what says that the peer cannot be reached. */
static void
error_for_request(Host *host, TcpRequest *request, const IcmpError *error)
{
    bool is_fatal = error->type == ICMP_PARAMETER || error->type == ICMP_TIME_EXCEEDED ||
                    (error->type == ICMP_UNREACHABLE && error->code <= 1);

    if (error->header->quoted_seq != request->iss) {
        error_is_stale(host, request->conn, error);
    } else if (is_fatal) {
        host_count(host, MIB_TcpExtListenDrops);
        tcp_request_drop(request, TCP_CAUSE("icmp", "ICMP error", "RFC 9293 §3.9.2.2",
                                            .packet = error->packet->id));
    }
}

static bool
is_frag_needed(const IcmpError *error)
{
    return error->type == ICMP_UNREACHABLE && error->code == 4;
}

/* Protocol or port unreachable: what RFC 9293 §3.9.2.2 calls hard. */
static bool
nobody_is_there(const IcmpError *error)
{
    return error->type == ICMP_UNREACHABLE && (error->code == 2 || error->code == 3);
}

static void
error_for_conn(TcpConn *conn, const IcmpError *error)
{
    Host *host = conn->stack->host;
    uint32_t seq = error->header->quoted_seq;
    bool is_opening =
        conn->state == TCP_SYN_SENT ||
        (conn->state == TCP_SYN_RECEIVED && (conn->fastopen == NULL || conn->parent != NULL));
    bool is_hard;

    if (conn->state == TCP_CLOSED)
        return;
    if (!seq_between(seq, conn->snd.una, conn->snd.nxt)) {
        error_is_stale(host, conn->id, error);
        return;
    }
    if (is_frag_needed(error)) {
        ip_pmtu_update(host, conn->entry.tuple.remote, error->mtu);
        tcp_path_mtu_reduced(conn, error->mtu);
        return;
    }
    int number = icmp_error_errno(error, &is_hard);
    if (number == 0)
        return;
    bool is_fatal = is_opening ? is_hard || conn->stack->params->icmp_soft_aborts_opening
                               : nobody_is_there(error) && conn->stack->params->icmp_hard_aborts;
    if (error->type == ICMP_UNREACHABLE && error->code <= 1)
        tcp_icmp_unreachable_undo_backoff(conn, seq);
    if (tcp_is_locked(conn))
        host_count(host, MIB_TcpExtLockDroppedIcmps);
    if (is_fatal && !tcp_is_locked(conn)) {
        tcp_conn_fail(
            conn, number,
            TCP_CAUSE("icmp", "ICMP error",
                      is_hard ? "RFC 9293 §3.9.2.2" : "Linux: any ICMP error ends what opens",
                      .packet = error->packet->id));
        return;
    }
    conn->soft_error = number;
    tcp_verdict(conn->stack, conn->id, VERDICT_NOTE, error->packet->id,
                "ICMP error kept, in case it times out", "RFC 1122 §4.2.3.9");
}

void
tcp_icmp_error(Host *host, const IcmpError *error)
{
    const IcmpHeader *h = error->header;
    const TcpTuple tuple = { h->quoted_ip.src, h->quoted_ip.dst, h->quoted_sport, h->quoted_dport };
    TcpEntry *entry = tcp_demux_find(host->tcp, &tuple);

    if (entry == NULL) {
        host_count(host, MIB_IcmpInErrors);
    } else if (entry->kind == TCP_ENTRY_REQUEST) {
        error_for_request(host, (TcpRequest *)entry, error);
    } else if (entry->kind == TCP_ENTRY_CONN) {
        TcpConn *conn = (TcpConn *)entry;
        tcp_enter(conn);
        error_for_conn(conn, error);
        tcp_leave(conn);
    }
}
