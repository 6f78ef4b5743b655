/* TCP (RFC 9293), both ends complete. User calls never block: they return
 * what a non-blocking socket would, and on_event tells when to try again
 * (models/sock and the Lua face make blocking calls of them).
 *
 * Errors are negative errno values, as Linux returns them.
 */
#ifndef HALFOPEN_MODELS_TCP_TCP_H
#define HALFOPEN_MODELS_TCP_TCP_H

#include "models/ip/ip.h"

typedef enum TcpState {
    TCP_CLOSED,
    TCP_LISTEN,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
    TCP_N_STATES
} TcpState;

typedef struct TcpConn TcpConn; /* a socket: listening, connecting or connected */

/* Every tunable of one host, from params.def. */
typedef struct TcpParams {
#define TCP_PARAM(field, type, name, linux_value, rfc_value, min, max, unit, doc) type field;
#include "models/tcp/params.def"
#undef TCP_PARAM
} TcpParams;

typedef enum TcpProfile { TCP_PROFILE_LINUX, TCP_PROFILE_RFC } TcpProfile;
void tcp_params_init(TcpParams *params, TcpProfile profile);

/* Sets one tunable by its name ("net.ipv4.tcp_retries2", "kernel_hz") from
 * text. Vectors ("tcp_rmem") take three numbers. False, with *error
 * (g_free) naming what was found and expected. Defined in params.c. */
bool tcp_params_set(TcpParams *params, const char *name, const char *value, char **error);

TcpStack *tcp_attach(Host *host, const TcpParams *params);
const TcpParams *tcp_params(const Host *host);
void tcp_set_params(Host *host, const TcpParams *params); /* at any time, as a sysctl */

/* The host loses its memory: every socket, request and TIME-WAIT entry ends
 * without a segment; users find ENETRESET. The next ISNs have a new secret. */
void tcp_reboot(Host *host);

/* What happened to a socket, for on_event. */
enum {
    TCP_EVENT_CONNECTED = 0x01,
    TCP_EVENT_READABLE = 0x02, /* data, EOF, or a connection to accept */
    TCP_EVENT_WRITABLE = 0x04,
    TCP_EVENT_ERROR = 0x08,
    TCP_EVENT_CLOSED = 0x10,   /* reached CLOSED or TIME-WAIT (lingering close may return) */
    TCP_EVENT_PRIORITY = 0x20, /* urgent data */
};

/* Called in the middle of protocol processing: must only note the event and
 * schedule (sim_at now), not call back into TCP. */
typedef void TcpEventFn(void *arg, TcpConn *conn, unsigned events);

TcpConn *tcp_open(Host *host);
void tcp_on_event(TcpConn *conn, TcpEventFn *fn, void *arg);
int tcp_bind(TcpConn *conn, Endpoint local);
int tcp_listen(TcpConn *conn, int backlog);      /* again: changes the backlog */
int tcp_connect(TcpConn *conn, Endpoint remote); /* -EINPROGRESS when the SYN is on its way */
TcpConn *tcp_accept(TcpConn *listener, int *error);

enum {
    TCP_MSG_OOB = 1,
    TCP_MSG_MORE = 2,
    TCP_MSG_PEEK = 4,
    TCP_MSG_FASTOPEN = 8,
    TCP_MSG_EOR = 16,
    TCP_MSG_FULL = 32,   /* the segment takes no more, and the rest of the call is to come: what
                           MSG_ZEROCOPY does to a buffer whose fragments are used up */
    TCP_MSG_WAITED = 64, /* the call goes on: it found no room, and has waited for some */
    TCP_MSG_REST = 128   /* and it had taken bytes before that */
};

/* bytes NULL: a pattern of len bytes (no memory). Bytes taken, or an error. */
int64_t tcp_send(TcpConn *conn, const void *bytes, size_t len, unsigned flags);
/* TCP Fast Open: data with the SYN, if there is a cookie. */
int64_t tcp_sendto_fastopen(TcpConn *conn, Endpoint remote, const void *bytes, size_t len,
                            unsigned flags);

/* A user is blocked in send() until the handshake is over (or no more): the ACK
 * of the SYN-ACK waits for that data. */
void tcp_writer_waits(TcpConn *conn, bool waits);

/* Takes up to max bytes: fills parts (one for each run of a stream) up to
 * *n_parts and sets it to how many. Bytes taken, 0 at EOF, or an error. */
int64_t tcp_recv(TcpConn *conn, size_t max, unsigned flags, Payload *parts, size_t *n_parts);

enum { TCP_SHUT_RD, TCP_SHUT_WR, TCP_SHUT_RDWR };
int tcp_shutdown(TcpConn *conn, int how);
/* The socket is gone for its user; TCP goes on as an orphan where it must.
 * -EWOULDBLOCK: SO_LINGER wants to wait: the user waits for TCP_EVENT_CLOSED
 * or the linger time, then calls tcp_release. */
int tcp_close(TcpConn *conn);
void tcp_release(TcpConn *conn);
void tcp_abort(TcpConn *conn); /* RST, as close with SO_LINGER {1, 0} */
/* connect(AF_UNSPEC): back to CLOSED, reusable. */
int tcp_disconnect(TcpConn *conn);

enum {
    TCP_POLL_IN = 1,
    TCP_POLL_OUT = 4,
    TCP_POLL_ERR = 8,
    TCP_POLL_HUP = 16,
    TCP_POLL_PRI = 2,
    TCP_POLL_RDHUP = 0x2000
};
unsigned tcp_poll(const TcpConn *conn); /* the values of Linux's poll */
int tcp_take_error(TcpConn *conn);      /* SO_ERROR: positive errno, cleared */

/* Options, by the names of sockets(7) and tcp(7). Times in the unit of the
 * real option (TCP_KEEPIDLE s, TCP_USER_TIMEOUT ms, SO_LINGER s). */
typedef enum TcpOption {
    TCP_OPT_REUSEADDR,
    TCP_OPT_REUSEPORT,
    TCP_OPT_KEEPALIVE,
    TCP_OPT_LINGER, /* -1: off, else seconds */
    TCP_OPT_SNDBUF,
    TCP_OPT_RCVBUF,
    TCP_OPT_OOBINLINE,
    TCP_OPT_NODELAY,
    TCP_OPT_CORK,
    TCP_OPT_MAXSEG,
    TCP_OPT_KEEPIDLE,
    TCP_OPT_KEEPINTVL,
    TCP_OPT_KEEPCNT,
    TCP_OPT_SYNCNT,
    TCP_OPT_LINGER2,
    TCP_OPT_DEFER_ACCEPT,
    TCP_OPT_WINDOW_CLAMP,
    TCP_OPT_QUICKACK,
    TCP_OPT_USER_TIMEOUT,
    TCP_OPT_FASTOPEN,
    TCP_OPT_FASTOPEN_CONNECT,
    TCP_OPT_FASTOPEN_NO_COOKIE,
    TCP_OPT_NOTSENT_LOWAT,
    TCP_OPT_SAVE_SYN,
    TCP_OPT_INQ,
    TCP_OPT_TIMESTAMP,
    TCP_OPT_THIN_LINEAR_TIMEOUTS,
    TCP_OPT_TX_DELAY,
    TCP_OPT_RCVLOWAT,
    TCP_OPT_MAX_PACING_RATE,
    TCP_OPT_PRIORITY,
    TCP_OPT_IP_TOS,
    TCP_OPT_IP_TTL,
    TCP_OPT_IP_MTU_DISCOVER,
    TCP_OPT_IP_MTU,
    TCP_OPT_BIND_ADDRESS_NO_PORT,
    TCP_OPT_RTO_MAX_MS,
    TCP_OPT_DELACK_MAX_US,
    TCP_OPT_RTO_MIN_US,
    TCP_OPT_REPAIR,
    TCP_OPT_REPAIR_QUEUE,
    TCP_OPT_QUEUE_SEQ,
    TCP_OPT_REPAIR_OPTIONS,
    TCP_OPT_REPAIR_WINDOW,
    TCP_OPT_THIN_DUPACK,
    TCP_OPT_IS_MPTCP,
    TCP_OPT_SNDBUFFORCE,
    TCP_OPT_RCVBUFFORCE,
    TCP_OPT_SNDLOWAT,
    /* Their values are bytes: */
    TCP_OPT_FASTOPEN_KEY, /* 16, or 32 with the one before */
    TCP_OPT_SAVED_SYN,    /* IP and TCP header of the SYN, once */
    TCP_OPT_ULP,          /* a name; there is none */
    TCP_N_OPTIONS
} TcpOption;
int tcp_set_option(TcpConn *conn, TcpOption option, int64_t value); /* 0 or -EINVAL, -ENOPROTOOPT */
int tcp_get_option(const TcpConn *conn, TcpOption option, int64_t *value);
/* The same for options whose value is bytes; *len is the room, then what there is. */
bool tcp_option_is_bytes(TcpOption option);
int tcp_set_option_bytes(TcpConn *conn, TcpOption option, const void *bytes, size_t len);
int tcp_get_option_bytes(TcpConn *conn, TcpOption option, void *bytes, size_t *len);
int tcp_set_congestion(TcpConn *conn, const char *name); /* -ENOENT: no such algorithm */
const char *tcp_get_congestion(const TcpConn *conn);
/* What the algorithm tells of itself, as ss prints it ("bbr:(...)"); "" if nothing. */
const char *tcp_describe_congestion(const TcpConn *conn, char text[128]);
int tcp_option_find(const char *name); /* "TCP_NODELAY", "SO_LINGER", ...; -1: no such */

/* What `ss -ti` prints; fields as in linux/tcp.h. Filled by info.c. */
typedef struct TcpInfo TcpInfo;
/* Forgets what the host remembers of its peers: Fast Open cookies. */
void tcp_metrics_flush(Host *host);
void tcp_get_info(const TcpConn *conn, TcpInfo *info); /* models/tcp/info.h */

TcpState tcp_state(const TcpConn *conn);
uint32_t tcp_conn_id(const TcpConn *conn);
Endpoint tcp_local(const TcpConn *conn);
Endpoint tcp_remote(const TcpConn *conn);
Host *tcp_host(const TcpConn *conn);
/* A call of the user takes its time: until tcp_unlock() it holds the socket.
 * Segments wait in its backlog, timers wait too; the user's calls work as ever,
 * but the ACK that a read calls for is sent as the call ends (backlog.h). */
void tcp_lock(TcpConn *conn);
/* The call has begun to process its backlog: what waits is processed, its ACK
 * not sent until the call has finished with all that still arrives. */
void tcp_catch_up(TcpConn *conn);
void tcp_unlock(TcpConn *conn); /* harmless when nobody holds it */
bool tcp_is_locked(const TcpConn *conn);
size_t tcp_unread_bytes(const TcpConn *conn); /* SIOCINQ */
size_t tcp_queued_bytes(
    const TcpConn *conn); /* received and not taken, whatever lies at the urgent mark */
size_t tcp_unsent_bytes(const TcpConn *conn);  /* SIOCOUTQNSD */
size_t tcp_unacked_bytes(const TcpConn *conn); /* SIOCOUTQ */

const char *tcp_state_name(TcpState state);    /* "SYN-SENT" as in RFC 9293 */
const char *tcp_state_sysname(TcpState state); /* "SYN_SENT" as in ss */

/* A closed (TIME-WAIT, queued SYN) socket as `ss -tan` lists it. Calls fn for
 * each socket of the host in a fixed order. */
typedef struct TcpSocketRow {
    TcpState state;
    Endpoint local, remote;
    uint32_t recv_q, send_q;
    uint32_t conn;         /* id */
    const TcpConn *socket; /* NULL for SYN_RECV requests and TIME-WAIT */
    const char *timer;     /* "on", "keepalive", "timewait", "persist", "" */
    SimTime timer_left;
    unsigned retransmits;
} TcpSocketRow;
void tcp_list(Host *host, void (*fn)(void *arg, const TcpSocketRow *row), void *arg);

/* Bytes that connections, half-open requests, TIME-WAIT entries and what
 * connections have received and hold take of this program's memory, without
 * their places in tables and what waits to be sent. */
uint64_t tcp_memory(const Host *host);

#endif
