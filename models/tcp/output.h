/* Inside the send side: what output.c, transmit.c, gso.c, nagle.c, cwnd.c,
 * chrono.c, pacing.c and pmtu.c call of each other. Sequence of a send:
 *
 *   tcp_output -> tcp_write_xmit: while window, cwnd, Nagle and pacing allow:
 *   cut the burst (gso.c) -> tcp_transmit_seg (transmit.c) -> ip_output
 */
#ifndef HALFOPEN_MODELS_TCP_OUTPUT_H
#define HALFOPEN_MODELS_TCP_OUTPUT_H

#include "models/tcp/timers.h"
#include "models/tcp/txqueue.h"

/* How strict Nagle is for one attempt (Linux's names and values). */
enum { TCP_NAGLE_OFF = 1, TCP_NAGLE_CORK = 2, TCP_NAGLE_PUSH = 4 };

/* How much tcp_write_xmit may send. */
typedef enum TcpPush { TCP_PUSH_ALL, TCP_PUSH_ONE, TCP_PUSH_PROBE } TcpPush;

/* The connection's own, to be written. */
static inline TcpSender *
tcp_sender_own(TcpConn *conn)
{
    return conn->sender->is_shared ? tcp_sender_take(conn) : conn->sender;
}

static inline uint32_t
tcp_packets_in_flight(const TcpConn *conn)
{
    return conn->sender->packets_out - (conn->sender->sacked_out + conn->sender->lost_out) +
           conn->sender->retrans_out;
}

/* The right edge of the peer's window. */
static inline uint32_t
tcp_wnd_end(const TcpConn *conn)
{
    return conn->snd.una + conn->snd.wnd;
}

static inline bool
tcp_in_cwnd_reduction(const TcpConn *conn)
{
    return conn->sender->w.ca_state == TCP_CA_CWR || conn->sender->w.ca_state == TCP_CA_RECOVERY;
}

static inline bool
tcp_is_orphan(const TcpConn *conn)
{
    return !conn->has_user && !conn->parent;
}

/* ---- output.c --------------------------------------------------------------- */

/* Sends what may be sent. True: nothing is outstanding and something waits
 * that no timer and no ACK will send. */
bool tcp_write_xmit(TcpConn *conn, uint32_t mss, unsigned nagle, TcpPush push);
/* The same, and arms the window probe timer where it is needed. */
void tcp_push_pending(TcpConn *conn, uint32_t mss, unsigned nagle);
/* Books entry n_sent as sent: SND.NXT, packets out, timers. */
void tcp_new_data_sent(TcpConn *conn);

/* ---- send.c ----------------------------------------------------------------- */

/* Appends bytes (NULL: a pattern) behind what is queued, as far as the send
 * buffer allows, and sends what fills bursts. Bytes taken. */
uint64_t tcp_tx_append(TcpConn *conn, const void *bytes, uint64_t len, unsigned flags);
void tcp_check_space(TcpConn *conn); /* wakes a user who was refused, once there is room again */
void tcp_sndbuf_expand(TcpConn *conn);

/* ---- transmit.c ------------------------------------------------------------- */

/* Puts entry `index` on the wire, as many segments as it counts. `what` names
 * a retransmission or a probe for the record; NULL for a first transmission.
 * 0; otherwise it did not leave the host: IFACE_REFUSED or -errno. */
int tcp_transmit_seg(TcpConn *conn, uint32_t index, const char *what, const char *rule);
/* A SYN (or SYN-ACK) with the first `data_len` bytes of the stream. */
int tcp_transmit_syn(TcpConn *conn, const TcpTxSeg *seg, uint32_t data_len, const char *what,
                     const char *rule);
/* An ACK with sequence number `seq` that carries nothing. Result as above. */
int tcp_transmit_ack(TcpConn *conn, uint32_t seq, const char *what, const char *rule);

/* ---- smallqueue.c ----------------------------------------------------------- */

/* Enough of this connection is in the host's send queue: the entry has to wait,
 * and is sent when that has drained. A retransmission may take twice as much. */
bool tcp_small_queue_is_full(TcpConn *conn, const TcpTxSeg *seg, bool is_retransmit);
/* The entry's last transmission has not left the host: to send it again would
 * only put a second copy behind the first. */
bool tcp_is_still_below(const TcpConn *conn, const TcpTxSeg *seg);
/* A write that did not fill its entry waits for what is in that queue. */
bool tcp_autocork(TcpConn *conn, const TcpTxSeg *seg, uint32_t goal);
void tcp_on_send_queue(Host *host, const SentPacket *packet, bool is_new);

/* ---- nagle.c ---------------------------------------------------------------- */

unsigned tcp_nagle_mode(const TcpConn *conn);
/* A short entry may leave now. */
bool tcp_nagle_allows(const TcpConn *conn, const TcpTxSeg *seg, uint32_t mss, unsigned nagle);
/* Nagle would hold a partial segment back. */
bool tcp_nagle_holds(const TcpConn *conn, bool is_partial, unsigned nagle);

/* ---- gso.c ------------------------------------------------------------------ */

/* Most segments in one burst now. */
uint32_t tcp_burst_segs(const TcpConn *conn, uint32_t mss);
/* Bytes of data that an unsent entry is filled up to. */
uint32_t tcp_size_goal(const TcpConn *conn, uint32_t mss);
/* Better wait until a larger burst can go. Sets the flag that says what it waits for. */
bool tcp_burst_should_wait(const TcpConn *conn, const TcpTxSeg *seg, uint32_t max_segs,
                           bool *is_cwnd_limited, bool *is_rwnd_limited);
/* Bytes of the entry that may leave in this burst. */
uint32_t tcp_burst_limit(const TcpConn *conn, const TcpTxSeg *seg, uint32_t mss, uint32_t max_segs,
                         unsigned nagle);

/* ---- cwnd.c ----------------------------------------------------------------- */

uint32_t tcp_cwnd_room(const TcpConn *conn); /* segments that cwnd lets go now */
void tcp_cwnd_validate(TcpConn *conn, bool is_limited);
bool tcp_cwnd_is_limited(const TcpConn *conn);
void tcp_cwnd_check_idle(TcpConn *conn); /* about to send after a pause: RFC 5681 §4.1 */
uint32_t tcp_initial_cwnd(const TcpConn *conn);
uint32_t tcp_current_ssthresh(const TcpConn *conn);
void tcp_cc_refresh(TcpConn *conn); /* before any call of conn->cc */
void tcp_cc_forget(CcWindow *w);    /* what that set, and what the algorithm has of its own */
void tcp_cc_set_rng(const TcpConn *conn, CcWindow *w);
void tcp_cc_begin(TcpConn *conn, SimTime at); /* the algorithm's variables, as they begin `at` */
void tcp_cc_event(TcpConn *conn, CcEvent event);
uint32_t tcp_cc_ssthresh(TcpConn *conn);

/* ---- chrono.c: what limits sending ------------------------------------------- */

typedef enum TcpChrono {
    TCP_CHRONO_NONE,
    TCP_CHRONO_BUSY,
    TCP_CHRONO_RWND,
    TCP_CHRONO_SNDBUF
} TcpChrono;
void tcp_chrono_start_slow(TcpConn *conn, TcpChrono type);
void tcp_chrono_stop_slow(TcpConn *conn, TcpChrono type);
/* Time spent so far, in microseconds (tcpi_busy_time and so on). */
uint64_t tcp_chrono_us(const TcpConn *conn, TcpChrono type);

static inline void
tcp_chrono_start(TcpConn *conn, TcpChrono type)
{
    if (type > conn->sender->chrono)
        tcp_chrono_start_slow(conn, type);
}

static inline void
tcp_chrono_stop(TcpConn *conn, TcpChrono type)
{
    if (type == TCP_CHRONO_BUSY || type == conn->sender->chrono)
        tcp_chrono_stop_slow(conn, type);
}

/* ---- pacing.c --------------------------------------------------------------- */

bool tcp_pacing_waits(TcpConn *conn); /* not yet: a timer will call */
SimTime tcp_pacing_departure(TcpConn *conn,
                             uint32_t bytes); /* of a burst that leaves now; books it */
void tcp_pacing_timer(void *arg);

/* ---- pmtu.c ----------------------------------------------------------------- */

uint32_t tcp_mtu_to_mss(const TcpConn *conn, uint32_t mtu);
uint32_t tcp_mss_to_mtu(const TcpConn *conn, uint32_t mss);
uint32_t tcp_bound_to_half_window(const TcpConn *conn, uint32_t bytes);
void tcp_mtu_probing_init(TcpConn *conn);

/* ---- mtuprobe.c: RFC 4821 ---------------------------------------------------- */

/* 1: a probe was sent; 0: wait for one; -1: send as usual. */
int tcp_mtu_probe(TcpConn *conn);
void tcp_mtu_probe_succeeded(TcpConn *conn);
void tcp_mtu_probe_failed(TcpConn *conn);
void tcp_mtu_black_hole(TcpConn *conn); /* repeated timeouts: search lower */

/* ---- rate.c ----------------------------------------------------------------- */

void tcp_rate_sent(TcpConn *conn, TcpTxSeg *seg);
void tcp_rate_delivered(TcpConn *conn, TcpTxSeg *seg, CcRateSample *sample);
void tcp_rate_finish(TcpConn *conn, uint32_t delivered, uint32_t lost, CcRateSample *sample);
void tcp_rate_check_app_limited(TcpConn *conn);
void tcp_rate_mark_app_limited(TcpConn *conn); /* what is in flight now is no measure of the path */

#endif
