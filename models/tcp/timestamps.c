#include "models/tcp/timestamps.h"

#include "models/tcp/timers.h"

/* A second ahead, so that the first value is not 0: some peers take that for
 * an absent timestamp. */
uint32_t
tcp_ts_clock(const TcpStack *stack)
{
    SimTime now = sim_now(stack->sim);
    uint32_t hz = stack->params->ts_clock_hz;

    if (hz == 1000)
        return (uint32_t)(now / SIM_MS) + 1000;
    return (uint32_t)((now / SIM_SEC + 1) * hz + now % SIM_SEC * hz / SIM_SEC);
}

uint32_t
tcp_ts_value(const TcpConn *conn)
{
    return tcp_ts_clock(conn->stack) + conn->ts.offset;
}

bool
tcp_ts_is_fresh(uint32_t recent, SimTime recent_at, uint32_t tsval, int32_t slack, SimTime now)
{
    if ((int32_t)(recent - tsval) <= slack)
        return true;
    /* Nothing to compare with: never set, or so old that the clock may have
     * gone half way round (RFC 7323 §5.5). */
    return recent == 0 || now - recent_at >= TCP_PAWS_VALIDITY;
}

void
tcp_ts_update_recent(TcpConn *conn, const TcpSegment *seg)
{
    SimTime now = tcp_now(conn);

    if (!seg->has_ts || seq_after(seg->seq, conn->rcv.wup))
        return;
    if (!tcp_ts_is_fresh(conn->ts.recent, conn->ts.recent_at, seg->tsval, 0, now))
        return;
    conn->ts.recent = seg->tsval;
    conn->ts.recent_at = now;
}

SimTime
tcp_ts_rtt(const TcpConn *conn, const TcpSegment *seg)
{
    uint32_t hz = conn->stack->params->ts_clock_hz;
    uint32_t ticks = tcp_ts_clock(conn->stack) + conn->ts.offset - seg->tsecr;

    if (!seg->has_ts || !seg->tsecr || ticks > INT32_MAX)
        return -1;
    return (SimTime)MAX(ticks, 1u) * SIM_SEC / hz;
}

/* A pure ACK that the network put behind a later segment is no threat (the
 * exception that RFC 7323 §5.3 leaves to the implementation). DIFFERS: Linux. */
static bool
is_disordered_ack(const TcpConn *conn, const TcpSegment *seg)
{
    uint32_t hz = conn->stack->params->ts_clock_hz;
    int64_t replay = conn->rtt.rto * 6 / 5 / (SIM_SEC / hz); /* ticks in 1.2 RTO */

    return seg->seq == conn->rcv.nxt && seg->ack == conn->snd.una &&
           !(seq_after(seg->seq, conn->snd.wl1) ||
             (seg->seq == conn->snd.wl1 && (seg->wnd > conn->snd.wnd || !seg->wnd))) &&
           (int32_t)(conn->ts.recent - seg->tsval) <= replay;
}

/* RFC 7323 §3.2: once both agreed, a segment without the option is dropped.
 * DIFFERS: Linux takes it. */
static TcpVerdict
check_absence(const TcpConn *conn, TcpSegment *seg)
{
    if (!conn->ts.ok || conn->stack->params->paws_tolerance ||
        (seg->flags & (TCP_RST | TCP_SYN)) != 0)
        return TCP_PASS;
    return tcp_refuse(seg, TCP_DROP, "no timestamp, though they were agreed", "RFC 7323 §3.2");
}

TcpVerdict
tcp_check_paws(TcpConn *conn, TcpSegment *seg)
{
    const TcpParams *params = conn->stack->params;
    bool is_pure_ack = (seg->flags & TCP_ACK) && seg->seq == seg->end_seq;
    bool is_tolerant = params->paws_tolerance;
    Host *host = conn->stack->host;

    if (!seg->has_ts)
        return check_absence(conn, seg);
    if (tcp_ts_is_fresh(conn->ts.recent, conn->ts.recent_at, seg->tsval, is_tolerant,
                        tcp_now(conn)))
        return TCP_PASS;
    if (is_tolerant && is_pure_ack && is_disordered_ack(conn, seg))
        return TCP_PASS;
    if (seg->flags & TCP_RST) /* RFC 7323 §5.2: RSTs are not subject to it */
        return TCP_PASS;
    if ((seg->flags & TCP_SYN) && params->rfc5961)
        return TCP_PASS; /* the SYN check answers it with a challenge */
    if (params->cf_no_paws) {
        tcp_verdict(conn->stack, conn->id, VERDICT_NOTE, seg->packet->id, "old timestamp accepted",
                    "counterfactual.no_paws");
        return TCP_PASS;
    }
    /* Old pure ACKs are common and need no answer. */
    if (is_tolerant && is_pure_ack && seq_before(seg->seq, conn->rcv.nxt)) {
        host_count(host, MIB_TcpExtPAWSOldAck);
        return tcp_refuse(seg, TCP_DROP, "ACK with a timestamp older than TS.Recent",
                          "Linux: old ACKs are not answered");
    }
    host_count(host, MIB_TcpExtPAWSEstab);
    return TCP_DROP_ACK;
}
