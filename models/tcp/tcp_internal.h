/* Inside TCP: the TCB, grouped as RFC 9293 §3.3.1 groups it, and what its
 * files call of each other. Nothing outside models/tcp/ and its tests
 * includes this.
 *
 * Life and death. Every way into TCP (a segment, a timer, a user call) holds
 * its connection with tcp_enter() and lets go with tcp_leave(); a connection
 * that ended meanwhile is freed there and nowhere else. It ends for the
 * protocol in tcp_conn_end(), for its user in tcp_close() or tcp_release().
 *
 * Ownership. TcpStack owns its connections, requests and TIME-WAIT entries
 * through the demux table; a connection owns its queues.
 */
#ifndef HALFOPEN_MODELS_TCP_INTERNAL_H
#define HALFOPEN_MODELS_TCP_INTERNAL_H

#include <errno.h>

#include "models/tcp/info.h"
#include "models/tcp/sender.h"
#include "models/tcp/seq.h"
#include "models/tcp/shared.h"
#include "models/tcp/tcp.h"

/* ---- What the demultiplexer finds (demux.c) -------------------------------- */

typedef struct TcpTuple {
    IpAddr local, remote;
    uint16_t lport, rport;
} TcpTuple;

typedef enum TcpEntryKind { TCP_ENTRY_CONN, TCP_ENTRY_REQUEST, TCP_ENTRY_TIMEWAIT } TcpEntryKind;

/* First member of all that can be found by four-tuple. */
typedef struct TcpEntry {
    struct TcpEntry *next; /* in its hash chain */
    uint32_t hash;
    uint8_t kind; /* TcpEntryKind */
    bool is_hashed;
    uint16_t spare; /* free for the owner */
    TcpTuple tuple;
} TcpEntry;

typedef struct TcpListener TcpListener; /* listen.h: SYN queue and accept queue */
typedef struct TcpRequest TcpRequest;   /* listen.h: one half-open connection, <= 128 bytes */
typedef struct TcpTimeWait TcpTimeWait; /* timewait.h: <= 128 bytes */
typedef struct TcpFastOpen TcpFastOpen; /* fastopen.h: only for sockets that use it */
typedef struct TcpTxQueue TcpTxQueue;   /* txqueue.h: segments sent and unacked, and unsent data */
typedef struct TcpRxQueue TcpRxQueue;   /* rxqueue.h: bytes for recv() */
typedef struct TcpReassembly TcpReassembly; /* reassembly.h: what came out of order */
typedef struct TcpBacklog TcpBacklog;       /* backlog.h: what came while a call held the socket */

/* ---- A segment under examination ------------------------------------------- */

typedef struct TcpSegment {
    TcpStack *stack;       /* borrows: whose host received it */
    Packet *packet;        /* borrows: freed by tcp_input when all is done */
    const TcpHeader *h;    /* within packet */
    uint32_t seq, end_seq; /* [seq, end_seq) with SYN and FIN */
    uint32_t ack;
    uint32_t wnd;    /* scaled, once the connection's scale applies */
    uint16_t flags;  /* TCP_SYN ... */
    Payload payload; /* trimmed as checks go on */
    bool has_ts;     /* and timestamps are in use on this connection */
    uint32_t tsval, tsecr;
    uint8_t ecn;             /* the ECN field of the IP header */
    const char *what, *rule; /* why a step refuses it, if not for what the step is named after */
} TcpSegment;

/* What a step of the ordered checks says. */
typedef enum TcpVerdict {
    TCP_PASS,      /* go on to the next step */
    TCP_DROP,      /* silently */
    TCP_DROP_ACK,  /* drop, and send a duplicate ACK (RFC 9293 §3.10.7.4 #1), rate limited */
    TCP_CHALLENGE, /* drop, and send a challenge ACK (RFC 5961), rate limited */
    TCP_RESET,     /* drop, and answer with RST */
    TCP_GONE,      /* the connection has ended: touch it no more */
    TCP_DONE,      /* taken: no further steps */
} TcpVerdict;

/* For a reason of its own: not the one that the step is named after. */
static inline TcpVerdict
tcp_refuse(TcpSegment *seg, TcpVerdict verdict, const char *what, const char *rule)
{
    seg->what = what;
    seg->rule = rule;
    return verdict;
}

/* ---- The connection -------------------------------------------------------- */

/* Why a transition happens: static text. */
typedef struct TcpCause {
    const char *cause;          /* "segment", "call", "timer", "icmp" */
    const char *what;           /* "SYN-ACK", "close()", "2MSL" */
    const char *rule;           /* "RFC 9293 §3.10.7.3" */
    uint64_t packet;            /* id; 0: none */
    const char *counterfactual; /* tunable that made it; NULL: none */
} TcpCause;

/* In the order in which segments need it, for a connection that has rested is
 * not in the cache: first what any segment touches, then what data that arrives
 * touches, then what the sender needs; last what is for opening, closing and
 * settings. Within a group the busy members come first, too. */
struct TcpConn {
    SIM_LINE_ALIGNED TcpEntry entry; /* first */
    TcpStack *stack;                 /* borrows */

    uint8_t state;     /* TcpState: only tcp_set_state() writes it */
    uint8_t held;      /* depth of tcp_enter() */
    uint8_t shut;      /* 1 RD (RCV_SHUTDOWN), 2 WR (SEND_SHUTDOWN) */
    bool has_user;     /* not yet closed or released */
    bool has_ended;    /* freed when held drops to 0 and no user is left */
    bool wscale_ok;    /* both ends sent the window scale option */
    bool sack_ok;      /* the same of SACK-permitted */
    bool writer_waits; /* tcp_writer_waits() */
    bool is_orphan;    /* counted in stack->n_orphans */
    bool is_busy;      /* a call holds the socket: what comes goes to its backlog */
    uint16_t ip_id;    /* IP identification of the next segment */
    uint32_t id;
    TcpTxQueue *tx;     /* owns; NULL when empty */
    TcpSender *sender;  /* owns; while it rests: borrows (sender.h) */
    const CcOps *cc;    /* static: its congestion control */
    TcpRxQueue *rx;     /* owns; NULL when empty */
    TcpReassembly *ooo; /* owns; NULL when empty */
    TcpEventFn *on_event;
    void *event_arg;

    struct {           /* ECN */
        uint8_t flags; /* ecn.h */
        bool ece_demand;
        uint32_t cwr_seq;
    } ecn;

    struct { /* RFC 9293 §3.3.1: send sequence variables */
        uint32_t una, nxt, wnd, wl1;
        uint32_t write_seq;  /* end of what the user gave */
        uint32_t max_wnd;    /* largest window the peer ever offered */
        uint32_t pushed_seq; /* PSH was set up to here */
        uint32_t small_end;  /* end of the last small segment sent (Minshall) */
        uint8_t wscale;
        bool urgent;
        bool has_fin;
        bool no_space;      /* the user was refused for lack of buffer and waits (SOCK_NOSPACE) */
        uint16_t mss;       /* bytes of data in a full segment now, options deducted */
        uint16_t mss_clamp; /* from the peer's MSS option */
        uint64_t
            written;  /* bytes the user gave, whole life: offset of the next one in the stream */
        uint32_t buf; /* SO_SNDBUF as Linux counts (truesize); what is queued: tcp_tx_truesize() */
        uint32_t stream; /* of the bytes that this end sends; 0: none sent yet */
        uint32_t iss;
        uint32_t up;       /* urgent pointer */
        uint32_t fin_seq;  /* of our FIN, once has_fin */
        uint16_t user_mss; /* TCP_MAXSEG; 0: none */
    } snd;

    struct { /* receive sequence variables */
        uint32_t nxt, wnd, wup;
        uint32_t copied_seq; /* next byte for the user */
        uint32_t buf;        /* SO_RCVBUF */
        uint32_t ssthresh;   /* window we dare to offer now */
        uint32_t clamp;
        uint32_t truesize; /* accounted memory of what is queued */
        uint8_t urgent;    /* TCP_URGENT_NONE ...: text.h */
        bool has_fin;      /* the peer's FIN has come, in order */
        uint8_t wscale;
        uint8_t space_ratio;    /* of 256: the part of the buffer that is payload (rcvwindow.h) */
        uint16_t mss;           /* estimate of the peer's segment size */
        uint16_t last_seg_size; /* small segment that may reveal a smaller peer MSS */
        uint16_t adv_mss;       /* the MSS we announce */
        uint32_t irs;
        uint32_t up;
        uint32_t ooo_packets; /* segments that came out of order, whole life */
    } rcv;

    struct { /* RFC 7323 */
        bool ok;
        uint32_t recent;        /* TS.Recent */
        uint32_t last_ack_sent; /* = rcv.wup */
        uint32_t offset;        /* added to our clock */
        SimTime recent_at;      /* when it was set */
    } ts;

    SimTimer delack;

    struct {             /* acknowledging */
        uint8_t pending; /* ACK_SCHED... see delack.h */
        uint8_t quick, pingpong;
        uint8_t n_sacks;
        bool has_oow_ack;
        SimTime ato;
        SackBlock dsack;         /* to report; start == end: none */
        SimTime last_oow_ack_at; /* rate limit of answers to invalid segments, once has_oow_ack */
        SackBlock sacks[TCP_MAX_SACK_BLOCKS]; /* of the reassembly queue, newest first */
    } ack;

    struct { /* setsockopt */
        uint32_t rcvlowat, notsent_lowat;
        uint8_t tos, ttl, mtu_discover;
        uint8_t nodelay; /* 0 Nagle, else TCP_NODELAY: nagle.h; set by tcp_set_nodelay() */
        bool cork, oob_inline, quick_ack_off;
        bool inq;                        /* TCP_INQ: recvmsg tells what is left to read */
        uint32_t rto_min_us, rto_max_ms; /* TCP_RTO_MIN_US, TCP_RTO_MAX_MS; 0: sysctl */
        uint64_t max_pacing_rate;        /* bytes/s; 0: none */
        bool reuse_addr, reuse_port, keepalive;
        bool sndbuf_locked, rcvbuf_locked, has_local, has_port; /* has_port: bound by the user */
        bool bind_no_port;                                      /* IP_BIND_ADDRESS_NO_PORT */
        bool thin_linear;                                       /* TCP_THIN_LINEAR_TIMEOUTS */
        bool route_quickack;                                    /* the route's metric quickack */
        uint8_t save_syn, priority;                             /* TCP_SAVE_SYN, SO_PRIORITY */
        uint8_t syn_count;                                      /* TCP_SYNCNT; 0: sysctl */
        uint8_t keep_count;
        uint32_t delack_max_us; /* TCP_DELACK_MAX_US; 0: tunable */
        uint32_t tx_delay_us;   /* TCP_TX_DELAY: only told, as where no fq discipline is */
        int32_t linger_s;       /* -1: off */
        int32_t linger2_s;      /* TCP_LINGER2; 0: sysctl, -1: none */
        uint32_t keep_idle_s, keep_intvl_s; /* 0: sysctl */
        uint32_t user_timeout_ms, defer_accept_s;
    } opt;

    struct {          /* path MTU: pmtu.h */
        uint16_t mtu; /* last synced */
        bool probing;
        bool is_locked; /* the path's MTU is below what IP believes: DF is clear */
        bool is_stale;  /* the route has another MTU since segs_out was stale_at */
        uint16_t search_low, search_high, probe_size;
        uint32_t stale_at;
        uint32_t probe_seq_start, probe_seq_end;
        SimTime probe_at;
    } path;

    uint32_t segs_in, segs_out, data_segs_in, data_segs_out;
    uint64_t bytes_received;

    struct {                       /* receive buffer tuning: rcvwindow.c */
        SimTime space_at;          /* when the measurement of `space` began */
        uint32_t space_seq, space; /* bytes the user took in one round trip */
        SimTime rtt_at;
        uint32_t rtt_seq, last_tsecr;
        SimTime rtt8; /* 8 times the receiver's RTT estimate, ns; 0: none */
    } drs;

    struct {               /* still in a send queue of the host: smallqueue.c */
        uint32_t bytes;    /* as accounted in the send buffer */
        bool is_throttled; /* something waits for it to drain */
        SimTime left_at;   /* what came there until then has left */
    } below;

    /* Timers, as Linux groups them. rtx.spare says which of the mutually
     * exclusive ones it is (timers.h); keep.spare: keepalive, or FIN-WAIT-2. */
    SimTimer rtx;
    uint64_t bytes_acked, bytes_sent, bytes_retrans;

    struct { /* RFC 6298; names and units as in tcp_info: ns */
        SimTime rto;
        SimTime srtt, mdev;       /* as ss shows them (rtt:srtt/mdev); srtt 0: no sample yet */
        SimTime mdev_max, rttvar; /* four times the deviation: the variance term of the RTO */
        uint32_t seq;             /* end of the window that mdev_max covers */
        uint8_t backoff;
        TcpMinRtt min;  /* of a window; the next best: sender->later_min */
        SimTime newest; /* of the segment delivered last: for RACK */
        SimTime paced;  /* srtt when the last ACK had been processed: for the pacing rate */
    } rtt;

    SimTime last_data_recv_at, last_ack_recv_at, last_send_at;
    uint32_t delivered; /* segments, whole life */

    const CcOps *cc_choice; /* TCP_CONGESTION; NULL: the sysctl */
    SimTimer keep;
    SimTime linger_deadline;
    int soft_error, error; /* positive errno: ICMP's hint; what SO_ERROR will say */
    uint8_t probes_out;    /* unanswered window or keepalive probes */
    bool rate_has_begun;   /* rests with app_limited 0, as an acknowledged SYN leaves it */
    bool is_connecting;    /* connect() returned EINPROGRESS and was not called again since */
    bool holds_port;       /* ports.c counts it as a user of its local port */
    bool port_is_listed;   /* as a socket that bound it; else merely counted */
    bool port_by_bind;     /* bind() chose it, its own or its listener's */
    bool shutdown_waits;   /* shutdown() in SYN-RECEIVED: the FIN goes when the handshake is done */
    bool was_established;  /* since it was opened, or disconnected */
    TcpListener *listener; /* owns, in LISTEN */
    TcpListener *parent;   /* borrows: whose accept queue holds it; NULL once accepted */
    TcpConn *accept_next;  /* in the accept queue */
    TcpConn *next, *before; /* in stack->first's list */
    TcpFastOpen *fastopen;  /* owns; NULL: unused */
    GBytes *saved_syn;      /* owns: TCP_SAVED_SYN; NULL: none, or read already */
    TcpBacklog *backlog;    /* owns; NULL: no call holds the socket (backlog.h) */
};

/* What else a host draws random numbers for, each from a stream of its own. */
typedef enum TcpLuck { TCP_LUCK_CONGESTION, TCP_LUCK_CHALLENGE, TCP_N_LUCKS } TcpLuck;

/* The TCP of one host. */
struct TcpStack {
    /* What every segment touches: one cache line. */
    SIM_LINE_ALIGNED Host *host; /* borrows */
    Sim *sim;                    /* borrows */
    TcpEntry **buckets;          /* owns; chained hash table, power of two, grows */
    uint32_t n_buckets, n_entries;
    TcpEntry *last_found;    /* borrows: by the last segment; NULL: none */
    uint32_t last_ports;     /* its tuple_ports(), so that a look at it is seldom in vain */
    bool is_ending;          /* the host is being freed: wake nobody */
    const TcpParams *params; /* borrows: of shared */
    TcpShared *shared;       /* holds */
    TcpSender *resting;      /* borrows: of shared: the sender of who has none (sender.h) */

    uint64_t secret[4]; /* ISN, timestamp offset, cookies, ports: from the host's random stream */
    struct TcpPorts *ports;         /* owns: ports.c */
    struct TcpTimeWaits *timewaits; /* owns: timewait.c */
    GPtrArray *listeners;           /* borrows: TcpConn in LISTEN, in the order of listen() */
    TcpConn *first;                 /* all of them, newest first */
    SimRng rng;
    SimRng luck[TCP_N_LUCKS]; /* tcp_luck() */
    bool has_luck[TCP_N_LUCKS];
    struct {
        SimTime at;     /* when a black hole was seen last ... */
        uint32_t times; /* ... and how often since the last success: fastopen_hole.c */
    } fastopen_hole;
    uint32_t n_orphans;
    uint32_t challenges_left;                /* in this window: RFC 5961 §7 */
    SimTime challenge_window;                /* which one; 0: none yet */
    uint64_t isn_bsd;                        /* isn mode 4 */
    struct TcpMetrics *metrics;              /* owns: by destination; NULL until used */
    struct TcpFastOpenCache *fastopen_cache; /* owns: cookies by destination; NULL until used */
};

/* ==== Conn life: stack.c, state.c ========================================== */

SimRng *tcp_luck(TcpStack *stack, TcpLuck purpose);
TcpConn *tcp_conn_new(TcpStack *stack);
void tcp_enter(TcpConn *conn);
void tcp_leave(TcpConn *conn);
/* CLOSED: unhashes, releases the port, stops timers, drops queues, wakes the user. */
void tcp_conn_end(TcpConn *conn, TcpCause cause);
/* The same after an error that SO_ERROR and the calls report. */
void tcp_conn_fail(TcpConn *conn, int error, TcpCause cause);
void tcp_set_state(TcpConn *conn, TcpState to, TcpCause cause);
bool tcp_transition_is_legal(TcpState from, TcpState to);
/* For what has a state but no connection: requests and TIME-WAIT entries. */
void tcp_record_transition(TcpStack *stack, uint32_t conn, const TcpTuple *tuple, TcpState from,
                           TcpState to, TcpCause cause);
/* A connection (or a half-open request) is born. */
void tcp_record_conn(TcpStack *stack, uint32_t conn, const TcpTuple *tuple, bool is_passive);
void tcp_wake(TcpConn *conn, unsigned events);
void tcp_verdict(TcpStack *stack, uint32_t conn, VerdictKind kind, uint64_t packet,
                 const char *what, const char *rule);

/* Segments with data or FIN are always answered: their sender may have lost
 * our ACK. Only bare ones, and SYNs, can be part of a loop of ACKs. */
static inline bool
tcp_segment_has_text(const TcpSegment *seg)
{
    return seg->end_seq != seg->seq && (seg->flags & TCP_SYN) == 0;
}

#define TCP_CAUSE(by, word, section, ...)                                                          \
    ((TcpCause){ .cause = by, .what = word, .rule = section, __VA_ARGS__ })

static inline SimTime
tcp_now(const TcpConn *conn)
{
    return sim_now(conn->stack->sim);
}

/* When a timer that is to wait `span` from now comes up: then, or with
 * kernel_hz when a kernel's timer wheel gets to it (timers.c). */
SimTime tcp_timer_deadline(const TcpStack *stack, SimTime span);

/* ==== Segments in: demux.c (input), then by state =========================== */

void tcp_icmp_error(Host *host, const IcmpError *error);   /* from ip: error.c */
void tcp_receive(Host *host, Packet *packet);              /* from ip: checksum, demux */
void tcp_input_listen(TcpConn *listener, TcpSegment *seg); /* listen.c */
void tcp_input_request(TcpRequest *request,
                       TcpSegment *seg); /* handshake.c: SYN-RECEIVED in the SYN queue */
void tcp_input_syn_sent(TcpConn *conn, TcpSegment *seg);    /* handshake.c */
void tcp_input_time_wait(TcpTimeWait *tw, TcpSegment *seg); /* timewait.c */
void tcp_input_closed(TcpStack *stack, TcpSegment *seg);    /* reset.c: no socket */
/* input.c: SYN-RECEIVED (a conn of its own: simultaneous open, Fast Open, new
 * child), ESTABLISHED and later. The ordered steps of RFC 9293 §3.10.7.4. */
void tcp_input_synchronized(TcpConn *conn, TcpSegment *seg);

void tcp_stack_drop_all(TcpStack *stack);                /* stack.c: the host is being freed */
void tcp_icmp_error(Host *host, const IcmpError *error); /* error.c */

/* ==== Opening and closing, for the data path ================================ */

/* handshake.c: the SYN-RECEIVED conn's handshake is complete (called by the
 * ACK step): ESTABLISHED, tcp_data_established, wakes connect() or accept(). */
void tcp_handshake_done(TcpConn *conn, const TcpSegment *seg);
/* options.c: MSS, SACK-permitted, timestamps, window scale, Fast Open into a
 * SYN or (simultaneous open) SYN-ACK of this connection. */
void tcp_fill_syn_options(TcpConn *conn, TcpHeader *h, bool is_synack);
/* options.c: what the peer's SYN or SYN-ACK agreed to. */
void tcp_take_syn_options(TcpConn *conn, const TcpHeader *h);
/* close.c: a FIN has been received in order, rcv.nxt is past it. Moves the
 * state; may end the connection or turn it into TIME-WAIT: TCP_GONE. */
TcpVerdict tcp_fin_received(TcpConn *conn, const TcpSegment *seg);
/* close.c: our FIN has been acknowledged: FIN-WAIT-1 -> 2, CLOSING ->
 * TIME-WAIT, LAST-ACK -> CLOSED. TCP_PASS or TCP_GONE. */
TcpVerdict tcp_fin_acked(TcpConn *conn, const TcpSegment *seg);
/* close.c: the FIN that a user call asks for, in a state that allows one. */
void tcp_fin_from(TcpConn *conn, const char *call);
/* close.c: new data for a socket that nobody will read (orphan past FIN): RST. */
bool tcp_data_after_close(TcpConn *conn, const TcpSegment *seg);
/* reset.c */
/* An acceptable RST, by this rule. */
void tcp_reset_received(TcpConn *conn, const TcpSegment *seg, const char *rule,
                        const char *counterfactual);
int tcp_reset_errno(const TcpConn *conn); /* what an RST would tell the user now; 0: nothing */
void tcp_send_reset(TcpConn *conn, const char *rule); /* active: <SEQ=SND.NXT><CTL=RST,ACK> */
void tcp_reply_reset(TcpStack *stack, const TcpSegment *seg,
                     const char *rule); /* to a segment, no connection needed */
void tcp_challenge_ack(TcpConn *conn, const TcpSegment *seg, const char *rule);
bool tcp_reply_is_limited(TcpConn *conn, const TcpSegment *seg,
                          MibCounter skipped); /* tcp_invalid_ratelimit */
/* keepalive.c */
void
tcp_keepalive_start(TcpConn *conn); /* ESTABLISHED with SO_KEEPALIVE, or the option set later */
void tcp_keepalive_option(TcpConn *conn, bool on);
void tcp_keepalive_idle_option(TcpConn *conn); /* TCP_KEEPIDLE was changed */
/* Its timer bounds FIN-WAIT-2 without a user too; close.c says what then comes. */
void tcp_orphan_timer_set(TcpConn *conn, SimTime after);
void tcp_orphan_timer(TcpConn *conn);
/* timewait.c: conn becomes a TIME-WAIT (or orphan FIN-WAIT-2) entry and ends. */
void tcp_time_wait(TcpConn *conn, TcpState substate, SimTime timeout, TcpCause cause);
/* fastopen.c hooks of the data path */
void tcp_fastopen_syn_acked(TcpConn *conn, const TcpSegment *seg);
void tcp_fastopen_free(TcpConn *conn); /* harmless for sockets that never used it */

/* ==== The data path, for opening and closing ================================ */

void tcp_data_init(TcpConn *conn); /* init.c: defaults of a new socket */
void
tcp_data_inherit(TcpConn *child,
                 const TcpConn *listener); /* init.c: options a child takes from its listener */
void tcp_data_established(TcpConn *conn);  /* init.c: first window, buffers, congestion control */
void tcp_data_done(
    TcpConn *conn); /* init.c: timers off, queues dropped, but for what the user may still read */
void tcp_data_free(TcpConn *conn);  /* init.c: that too */
void tcp_data_reset(TcpConn *conn); /* init.c: as new, but for buffers and options (disconnect) */
void tcp_output(TcpConn *conn);     /* output.c: sends what may be sent now */
void tcp_send_ack(TcpConn *conn, const char *rule); /* transmit.c: at once */
uint32_t tcp_acceptable_seq(const TcpConn *conn);   /* transmit.c: of a segment without text */
/* output.c: fills an outgoing packet's header from the TCB (ports, seq, ack,
 * window, established-state options), counts it, hands it to ip. Consumes.
 * Result: ip_output()'s. */
int tcp_transmit(TcpConn *conn, Packet *packet, uint32_t seq, uint16_t flags, const char *rule);
void
tcp_queue_syn(TcpConn *conn,
              uint16_t flags); /* output.c: SYN (or SYN|ACK) into the tx queue, sent, timer armed */
/* output.c: the same with data (RFC 7413), queued as an entry of its own behind the SYN. Bytes
 * taken: all. */
uint32_t tcp_queue_syn_data(TcpConn *conn, const void *bytes, uint32_t len);
void tcp_syn_data_refused(
    TcpConn *conn); /* retransmit.c: the SYN-ACK left the data out: send it again at once */
void
tcp_resend_syn(TcpConn *conn,
               SimTime after); /* retransmit.c: earlier than the timer (bad SYN-ACK in SYN-SENT) */
void tcp_queue_fin(TcpConn *conn); /* output.c: FIN behind the data; sends */
/* ack.c: processes seg's acknowledgment (SND.UNA < SEG.ACK =< SND.NXT or
 * duplicates): queue, RTT, recovery, congestion control, window. TCP_PASS, or
 * a verdict for old and unsent ACKs. */
TcpVerdict tcp_ack(TcpConn *conn, TcpSegment *seg, bool is_syn_ack);
uint32_t
tcp_initial_window(const TcpConn *conn, IpAddr peer, uint32_t space, uint32_t mss, bool wants_scale,
                   uint8_t *wscale,
                   uint32_t *clamp); /* rcvwindow.c: window and scale for a SYN or SYN-ACK */
uint32_t tcp_receive_space(const TcpConn *conn); /* rcvwindow.c: bytes the buffer takes */
uint32_t tcp_window_now(const TcpConn *conn);    /* rcvwindow.c: SND.WND as the peer knows it */
uint16_t tcp_advertised_mss(
    const TcpConn *conn); /* pmtu.c: for our SYN; also for a request: by listener and peer */
uint16_t tcp_mss_for(TcpStack *stack, IpAddr peer, uint16_t user_mss); /* pmtu.c */
void tcp_sync_mss(TcpConn *conn, uint32_t path_mtu);                   /* pmtu.c */
void tcp_path_mtu_reduced(TcpConn *conn,
                          uint32_t mtu); /* pmtu.c: ICMP frag needed for data in flight */
void tcp_icmp_unreachable_undo_backoff(TcpConn *conn,
                                       uint32_t quoted_seq); /* retransmit.c: RFC 6069 */
uint32_t tcp_ts_clock(const TcpStack *stack); /* timestamps.c: before the connection's offset */
void tcp_rtt_sample(TcpConn *conn, SimTime rtt_ns); /* rtt.c */
void tcp_rto_set_initial(TcpConn *conn);            /* rtt.c */
void tcp_rx_append(TcpConn *conn, Payload payload); /* recv.c: Fast Open data */
void tcp_sample(TcpConn *conn);                     /* info.c: emits TcpSampleRecord when heard */
bool tcp_orphan_out_of_resources(TcpConn *conn);    /* close.c */

/* ==== The send side, for user calls ========================================= */

void tcp_set_nodelay(TcpConn *conn, bool on);  /* nagle.c: TCP_NODELAY, sends what may go */
void tcp_set_cork(TcpConn *conn, bool on);     /* nagle.c: TCP_CORK */
uint32_t tcp_tx_truesize(const TcpConn *conn); /* send.c: what the send queue takes of snd.buf */
bool tcp_tx_is_writable(const TcpConn *conn);  /* send.c: POLLOUT */
uint32_t tcp_current_mss(TcpConn *conn); /* pmtu.c: data that fits now, SACK blocks deducted */
void tcp_send_init(TcpConn *conn); /* send.c: ESTABLISHED: cwnd, sndbuf, MSS, MTU probing (called by
                                      tcp_data_established) */
void tcp_send_done(
    TcpConn *conn); /* send.c: rtx and pacing timers off, queue dropped (called by tcp_data_done) */
uint64_t tcp_pacing_rate(const TcpConn *conn); /* pacing.c: bytes/s, UINT64_MAX: unlimited */
SimTime tcp_rtt_min(const TcpConn *conn);      /* rtt.c: 0: no sample yet */

#endif
