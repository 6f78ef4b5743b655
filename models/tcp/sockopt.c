/* Socket options by the names, units, bounds and results of sockets(7), tcp(7)
 * and ip(7). Those that do something at once belong to their modules; the rest
 * are fields. */
#include <string.h>

#include "models/tcp/delack.h"
#include "models/tcp/fastopen.h"
#include "models/tcp/output.h"
#include "models/tcp/ports.h"
#include "models/tcp/rcvwindow.h"

enum {
    OPT_MIN_SNDBUF = 4608, /* bytes, as accounted: SOCK_MIN_SNDBUF */
    OPT_MIN_MSS = 88,      /* TCP_MAXSEG */
    OPT_MAX_MSS = 32767,
    OPT_MAX_KEEP_S = 32767,
    OPT_MAX_KEEP_COUNT = 127,
    OPT_MAX_SYN_COUNT = 127,
    OPT_MAX_LINGER2_S = 120,
    OPT_MIN_RTO_MAX_MS = 1000,
    OPT_MAX_RTO_MAX_MS = 120000,
    OPT_MIN_TIMEOUT_US = 2000,   /* Linux's TCP_TIMEOUT_MIN, with ticks of a millisecond */
    OPT_MAX_RTO_MIN_US = 200000, /* TCP_RTO_MIN */
    OPT_MAX_DELACK_US = 200000,  /* TCP_DELACK_MAX */
    OPT_TX_DELAY_BITS = 28,
};

static const struct {
    const char *name;
    TcpOption option;
} names[] = {
    { "SO_REUSEADDR", TCP_OPT_REUSEADDR },
    { "SO_REUSEPORT", TCP_OPT_REUSEPORT },
    { "SO_KEEPALIVE", TCP_OPT_KEEPALIVE },
    { "SO_LINGER", TCP_OPT_LINGER },
    { "SO_SNDBUF", TCP_OPT_SNDBUF },
    { "SO_RCVBUF", TCP_OPT_RCVBUF },
    { "SO_OOBINLINE", TCP_OPT_OOBINLINE },
    { "SO_RCVLOWAT", TCP_OPT_RCVLOWAT },
    { "SO_MAX_PACING_RATE", TCP_OPT_MAX_PACING_RATE },
    { "SO_PRIORITY", TCP_OPT_PRIORITY },
    { "TCP_NODELAY", TCP_OPT_NODELAY },
    { "TCP_CORK", TCP_OPT_CORK },
    { "TCP_MAXSEG", TCP_OPT_MAXSEG },
    { "TCP_KEEPIDLE", TCP_OPT_KEEPIDLE },
    { "TCP_KEEPINTVL", TCP_OPT_KEEPINTVL },
    { "TCP_KEEPCNT", TCP_OPT_KEEPCNT },
    { "TCP_SYNCNT", TCP_OPT_SYNCNT },
    { "TCP_LINGER2", TCP_OPT_LINGER2 },
    { "TCP_DEFER_ACCEPT", TCP_OPT_DEFER_ACCEPT },
    { "TCP_WINDOW_CLAMP", TCP_OPT_WINDOW_CLAMP },
    { "TCP_QUICKACK", TCP_OPT_QUICKACK },
    { "TCP_USER_TIMEOUT", TCP_OPT_USER_TIMEOUT },
    { "TCP_FASTOPEN", TCP_OPT_FASTOPEN },
    { "TCP_FASTOPEN_CONNECT", TCP_OPT_FASTOPEN_CONNECT },
    { "TCP_FASTOPEN_NO_COOKIE", TCP_OPT_FASTOPEN_NO_COOKIE },
    { "TCP_NOTSENT_LOWAT", TCP_OPT_NOTSENT_LOWAT },
    { "TCP_SAVE_SYN", TCP_OPT_SAVE_SYN },
    { "TCP_INQ", TCP_OPT_INQ },
    { "TCP_TIMESTAMP", TCP_OPT_TIMESTAMP },
    { "TCP_THIN_LINEAR_TIMEOUTS", TCP_OPT_THIN_LINEAR_TIMEOUTS },
    { "TCP_TX_DELAY", TCP_OPT_TX_DELAY },
    { "TCP_RTO_MAX_MS", TCP_OPT_RTO_MAX_MS },
    { "TCP_RTO_MIN_US", TCP_OPT_RTO_MIN_US },
    { "TCP_DELACK_MAX_US", TCP_OPT_DELACK_MAX_US },
    { "TCP_REPAIR", TCP_OPT_REPAIR },
    { "TCP_REPAIR_QUEUE", TCP_OPT_REPAIR_QUEUE },
    { "TCP_QUEUE_SEQ", TCP_OPT_QUEUE_SEQ },
    { "TCP_REPAIR_OPTIONS", TCP_OPT_REPAIR_OPTIONS },
    { "TCP_REPAIR_WINDOW", TCP_OPT_REPAIR_WINDOW },
    { "TCP_THIN_DUPACK", TCP_OPT_THIN_DUPACK },
    { "TCP_IS_MPTCP", TCP_OPT_IS_MPTCP },
    { "TCP_FASTOPEN_KEY", TCP_OPT_FASTOPEN_KEY },
    { "TCP_SAVED_SYN", TCP_OPT_SAVED_SYN },
    { "TCP_ULP", TCP_OPT_ULP },
    { "SO_SNDBUFFORCE", TCP_OPT_SNDBUFFORCE },
    { "SO_RCVBUFFORCE", TCP_OPT_RCVBUFFORCE },
    { "SO_SNDLOWAT", TCP_OPT_SNDLOWAT },
    { "IP_TOS", TCP_OPT_IP_TOS },
    { "IP_TTL", TCP_OPT_IP_TTL },
    { "IP_MTU_DISCOVER", TCP_OPT_IP_MTU_DISCOVER },
    { "IP_MTU", TCP_OPT_IP_MTU },
    { "IP_BIND_ADDRESS_NO_PORT", TCP_OPT_BIND_ADDRESS_NO_PORT },
};

int
tcp_option_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(names[i].name, name) == 0)
            return (int)names[i].option;
    }
    return -1;
}

/* ---- values ---------------------------------------------------------------- */

static int
set_bounded(uint32_t *field, int64_t value, int64_t least, int64_t most)
{
    if (value < least || value > most)
        return -EINVAL;
    *field = (uint32_t)value;
    return 0;
}

static int
set_bounded_byte(uint8_t *field, int64_t value, int64_t least, int64_t most)
{
    if (value < least || value > most)
        return -EINVAL;
    *field = (uint8_t)value;
    return 0;
}

/* Linux doubles what is asked for, for its own bookkeeping: socket(7). `most`
 * is net.core.wmem_max, or none for SO_SNDBUFFORCE. */
static int
set_sndbuf(TcpConn *conn, int64_t value, int64_t most)
{
    int64_t bytes = MIN(MAX(value, 0), most);

    conn->snd.buf = (uint32_t)MAX(bytes * 2, OPT_MIN_SNDBUF);
    conn->opt.sndbuf_locked = true;
    tcp_check_space(conn);
    return 0;
}

static int
set_maxseg(TcpConn *conn, int64_t value)
{
    if (value != 0 && (value < OPT_MIN_MSS || value > OPT_MAX_MSS))
        return -EINVAL;
    conn->snd.user_mss = (uint16_t)value;
    return 0;
}

static int64_t
get_maxseg(const TcpConn *conn)
{
    bool is_before = conn->state == TCP_CLOSED || conn->state == TCP_LISTEN;

    return is_before && conn->snd.user_mss != 0 ? conn->snd.user_mss : conn->snd.mss;
}

static int
set_linger2(TcpConn *conn, int64_t value)
{
    conn->opt.linger2_s = value < 0 ? -1 : (int32_t)MIN(value, OPT_MAX_LINGER2_S);
    return 0;
}

static int64_t
get_linger2(const TcpConn *conn)
{
    if (conn->opt.linger2_s != 0)
        return conn->opt.linger2_s;
    return conn->stack->params->fin_timeout_s;
}

/* TCP_DEFER_ACCEPT's seconds as a number of SYN-ACK timeouts that cover them,
 * and back. */
static uint32_t
timeouts_of_seconds(const TcpParams *params, int64_t seconds)
{
    SimTime timeout = params->initial_rto_ms * SIM_MS, most = params->rto_max_ms * SIM_MS;
    uint32_t count = 0;

    for (SimTime covered = 0; seconds > 0 && covered < seconds * SIM_SEC && count < 255; count++) {
        covered += timeout;
        timeout = MIN(2 * timeout, most);
    }
    return count;
}

static int64_t
seconds_of_timeouts(const TcpParams *params, uint32_t count)
{
    SimTime timeout = params->initial_rto_ms * SIM_MS, most = params->rto_max_ms * SIM_MS;
    SimTime covered = 0;

    for (; count > 0; count--) {
        covered += timeout;
        timeout = MIN(2 * timeout, most);
    }
    return covered / SIM_SEC;
}

static int
set_tos(TcpConn *conn, int64_t value)
{
    if (value < 0 || value > 255)
        return -EINVAL;
    /* The ECN bits are TCP's. */
    conn->opt.tos = (uint8_t)((value & ~ECN_MASK) | (conn->opt.tos & ECN_MASK));
    return 0;
}

static int
set_keep_idle(TcpConn *conn, int64_t value)
{
    int bad = set_bounded(&conn->opt.keep_idle_s, value, 1, OPT_MAX_KEEP_S);

    if (bad == 0)
        tcp_keepalive_idle_option(conn);
    return bad;
}

static int
set_user_timeout(TcpConn *conn, int64_t value)
{
    return set_bounded(&conn->opt.user_timeout_ms, value, 0, INT32_MAX);
}

static int
set_rcvlowat(TcpConn *conn, int64_t value)
{
    conn->opt.rcvlowat = value > 0 ? (uint32_t)MIN(value, INT32_MAX) : value < 0 ? INT32_MAX : 1;
    return 0;
}

static int
set_notsent_lowat(TcpConn *conn, int64_t value)
{
    conn->opt.notsent_lowat = (uint32_t)value;
    tcp_check_space(conn);
    return 0;
}

/* ---- the calls ------------------------------------------------------------- */

static int
set_socket_option(TcpConn *conn, TcpOption option, int64_t value, bool *is_known)
{
    *is_known = true;
    switch (option) { /* clang-format off */
    case TCP_OPT_REUSEADDR: tcp_port_set_reuse(conn, value != 0, conn->opt.reuse_port); return 0;
    case TCP_OPT_REUSEPORT: tcp_port_set_reuse(conn, conn->opt.reuse_addr, value != 0); return 0;
    case TCP_OPT_KEEPALIVE: tcp_keepalive_option(conn, value != 0); return 0;
    case TCP_OPT_LINGER: conn->opt.linger_s = (int32_t)CLAMP(value, -1, INT32_MAX); return 0;
    case TCP_OPT_SNDBUF: return set_sndbuf(conn, value, conn->stack->params->core_wmem_max);
    case TCP_OPT_SNDBUFFORCE: return set_sndbuf(conn, value, INT32_MAX / 2);
    case TCP_OPT_RCVBUF: tcp_rcvbuf_option(conn, value, conn->stack->params->core_rmem_max); return 0;
    case TCP_OPT_RCVBUFFORCE: tcp_rcvbuf_option(conn, value, INT32_MAX / 2); return 0;
    case TCP_OPT_OOBINLINE: conn->opt.oob_inline = value != 0; return 0;
    case TCP_OPT_RCVLOWAT: return set_rcvlowat(conn, value);
    case TCP_OPT_MAX_PACING_RATE: conn->opt.max_pacing_rate = value > 0 ? (uint64_t)value : 0; return 0;
    case TCP_OPT_PRIORITY: if (value < 0 || value > 6) return -EPERM; conn->opt.priority = (uint8_t)value; return 0;
    case TCP_OPT_IP_TOS: return set_tos(conn, value);
    case TCP_OPT_IP_TTL: return set_bounded_byte(&conn->opt.ttl, value == -1 ? 0 : value, 0, 255);
    case TCP_OPT_IP_MTU_DISCOVER: return set_bounded_byte(&conn->opt.mtu_discover, value, PMTUDISC_DONT, PMTUDISC_PROBE);
    case TCP_OPT_BIND_ADDRESS_NO_PORT: conn->opt.bind_no_port = value != 0; return 0;
    default: *is_known = false; return 0;
    } /* clang-format on */
}

int
tcp_set_option(TcpConn *conn, TcpOption option, int64_t value)
{
    bool is_known;
    int result = set_socket_option(conn, option, value, &is_known);

    if (is_known)
        return result;
    switch (option) { /* clang-format off */
    case TCP_OPT_NODELAY: tcp_set_nodelay(conn, value != 0); return 0;
    case TCP_OPT_CORK: tcp_set_cork(conn, value != 0); return 0;
    case TCP_OPT_MAXSEG: return set_maxseg(conn, value);
    case TCP_OPT_KEEPIDLE: return set_keep_idle(conn, value);
    case TCP_OPT_KEEPINTVL: return set_bounded(&conn->opt.keep_intvl_s, value, 1, OPT_MAX_KEEP_S);
    case TCP_OPT_KEEPCNT: return set_bounded_byte(&conn->opt.keep_count, value, 1, OPT_MAX_KEEP_COUNT);
    case TCP_OPT_SYNCNT: return set_bounded_byte(&conn->opt.syn_count, value, 1, OPT_MAX_SYN_COUNT);
    case TCP_OPT_LINGER2: return set_linger2(conn, value);
    case TCP_OPT_DEFER_ACCEPT: conn->opt.defer_accept_s = timeouts_of_seconds(conn->stack->params, value); return 0;
    case TCP_OPT_WINDOW_CLAMP: return tcp_window_clamp_option(conn, value);
    case TCP_OPT_QUICKACK: tcp_quickack_option(conn, value); return 0;
    case TCP_OPT_USER_TIMEOUT: return set_user_timeout(conn, value);
    case TCP_OPT_FASTOPEN: return tcp_fastopen_set_queue(conn, value);
    case TCP_OPT_FASTOPEN_CONNECT: return tcp_fastopen_set_connect(conn, value);
    case TCP_OPT_FASTOPEN_NO_COOKIE: return tcp_fastopen_set_no_cookie(conn, value);
    case TCP_OPT_NOTSENT_LOWAT: return set_notsent_lowat(conn, value);
    case TCP_OPT_SAVE_SYN: return set_bounded_byte(&conn->opt.save_syn, value, 0, 2);
    case TCP_OPT_INQ: if (value != 0 && value != 1) return -EINVAL; conn->opt.inq = value != 0; return 0;
    case TCP_OPT_THIN_LINEAR_TIMEOUTS: if (value != 0 && value != 1) return -EINVAL; conn->opt.thin_linear = value != 0; return 0;
    case TCP_OPT_RTO_MAX_MS: return set_bounded(&conn->opt.rto_max_ms, value, OPT_MIN_RTO_MAX_MS, OPT_MAX_RTO_MAX_MS);
    case TCP_OPT_RTO_MIN_US: return set_bounded(&conn->opt.rto_min_us, value, OPT_MIN_TIMEOUT_US, OPT_MAX_RTO_MIN_US);
    case TCP_OPT_DELACK_MAX_US: return set_bounded(&conn->opt.delack_max_us, value, OPT_MIN_TIMEOUT_US, OPT_MAX_DELACK_US);
    case TCP_OPT_TX_DELAY: return set_bounded(&conn->opt.tx_delay_us, value, 0, (1 << OPT_TX_DELAY_BITS) - 1);
    case TCP_OPT_THIN_DUPACK: return value < 0 || value > 1 ? -EINVAL : 0; /* gone since 4.16, but taken */
    /* Nobody may repair a connection here, so that the rest is refused as where none is. */
    case TCP_OPT_REPAIR: case TCP_OPT_REPAIR_QUEUE: case TCP_OPT_REPAIR_WINDOW: case TCP_OPT_TIMESTAMP: return -EPERM;
    case TCP_OPT_QUEUE_SEQ: return conn->state == TCP_CLOSED ? -EINVAL : -EPERM;
    case TCP_OPT_REPAIR_OPTIONS: return -EINVAL;
    default: return -ENOPROTOOPT;
    } /* clang-format on */
}

static int
get_mtu(const TcpConn *conn, int64_t *value)
{
    if (conn->state == TCP_CLOSED || conn->state == TCP_LISTEN)
        return -ENOTCONN;
    *value = ip_path_mtu(conn->stack->host, conn->entry.tuple.remote);
    return 0;
}

static bool
get_socket_option(const TcpConn *conn, TcpOption option, int64_t *value)
{
    switch (option) { /* clang-format off */
    case TCP_OPT_REUSEADDR: *value = conn->opt.reuse_addr; return true;
    case TCP_OPT_REUSEPORT: *value = conn->opt.reuse_port; return true;
    case TCP_OPT_KEEPALIVE: *value = conn->opt.keepalive; return true;
    case TCP_OPT_LINGER: *value = conn->opt.linger_s; return true;
    case TCP_OPT_SNDBUF: *value = conn->snd.buf; return true;
    case TCP_OPT_RCVBUF: *value = conn->rcv.buf; return true;
    case TCP_OPT_OOBINLINE: *value = conn->opt.oob_inline; return true;
    case TCP_OPT_RCVLOWAT: *value = MAX(conn->opt.rcvlowat, 1); return true;
    case TCP_OPT_MAX_PACING_RATE: *value = conn->opt.max_pacing_rate != 0 ? (int64_t)conn->opt.max_pacing_rate : -1; return true;
    case TCP_OPT_PRIORITY: *value = conn->opt.priority; return true;
    case TCP_OPT_SNDLOWAT: *value = 1; return true;
    case TCP_OPT_IP_TOS: *value = conn->opt.tos; return true;
    case TCP_OPT_IP_TTL: *value = conn->opt.ttl != 0 ? conn->opt.ttl : ip_params(conn->stack->host)->default_ttl; return true;
    case TCP_OPT_IP_MTU_DISCOVER: *value = conn->opt.mtu_discover; return true;
    case TCP_OPT_BIND_ADDRESS_NO_PORT: *value = conn->opt.bind_no_port; return true;
    default: return false;
    } /* clang-format on */
}

int
tcp_get_option(const TcpConn *conn, TcpOption option, int64_t *value)
{
    const TcpParams *params = conn->stack->params;

    if (get_socket_option(conn, option, value))
        return 0;
    switch (option) { /* clang-format off */
    case TCP_OPT_IP_MTU: return get_mtu(conn, value);
    case TCP_OPT_NODELAY: *value = conn->opt.nodelay != 0; return 0;
    case TCP_OPT_CORK: *value = conn->opt.cork; return 0;
    case TCP_OPT_MAXSEG: *value = get_maxseg(conn); return 0;
    case TCP_OPT_KEEPIDLE: *value = conn->opt.keep_idle_s != 0 ? conn->opt.keep_idle_s : params->keepalive_time_s; return 0;
    case TCP_OPT_KEEPINTVL: *value = conn->opt.keep_intvl_s != 0 ? conn->opt.keep_intvl_s : params->keepalive_intvl_s; return 0;
    case TCP_OPT_KEEPCNT: *value = conn->opt.keep_count != 0 ? conn->opt.keep_count : params->keepalive_probes; return 0;
    case TCP_OPT_SYNCNT: *value = conn->opt.syn_count != 0 ? conn->opt.syn_count : params->syn_retries; return 0;
    case TCP_OPT_LINGER2: *value = get_linger2(conn); return 0;
    case TCP_OPT_DEFER_ACCEPT: *value = seconds_of_timeouts(params, conn->opt.defer_accept_s); return 0;
    case TCP_OPT_WINDOW_CLAMP: *value = conn->rcv.clamp; return 0;
    case TCP_OPT_QUICKACK: *value = !tcp_pingpong_is_on(conn); return 0;
    case TCP_OPT_USER_TIMEOUT: *value = conn->opt.user_timeout_ms; return 0;
    case TCP_OPT_FASTOPEN: case TCP_OPT_FASTOPEN_CONNECT: case TCP_OPT_FASTOPEN_NO_COOKIE:
        *value = tcp_fastopen_get_option(conn, option); return 0;
    case TCP_OPT_NOTSENT_LOWAT: *value = (int32_t)conn->opt.notsent_lowat; return 0;
    case TCP_OPT_SAVE_SYN: *value = conn->opt.save_syn; return 0;
    case TCP_OPT_INQ: *value = conn->opt.inq; return 0;
    case TCP_OPT_TIMESTAMP: *value = tcp_ts_clock(conn->stack) + conn->ts.offset; return 0;
    case TCP_OPT_THIN_LINEAR_TIMEOUTS: *value = conn->opt.thin_linear; return 0;
    case TCP_OPT_RTO_MAX_MS: *value = conn->opt.rto_max_ms != 0 ? conn->opt.rto_max_ms : params->rto_max_ms; return 0;
    case TCP_OPT_DELACK_MAX_US: *value = conn->opt.delack_max_us != 0 ? (int64_t)conn->opt.delack_max_us : params->delack_max_ms * 1000ll; return 0;
    case TCP_OPT_TX_DELAY: *value = conn->opt.tx_delay_us; return 0;
    case TCP_OPT_THIN_DUPACK: case TCP_OPT_REPAIR: case TCP_OPT_IS_MPTCP: *value = 0; return 0;
    case TCP_OPT_REPAIR_QUEUE: case TCP_OPT_QUEUE_SEQ: return -EINVAL;
    case TCP_OPT_REPAIR_WINDOW: return -EPERM;
    case TCP_OPT_RTO_MIN_US: *value = conn->opt.rto_min_us != 0 ? conn->opt.rto_min_us : params->rto_min_us; return 0;
    default: return -ENOPROTOOPT;
    } /* clang-format on */
}

int
tcp_set_congestion(TcpConn *conn, const char *name)
{
    const CcOps *ops = cc_find(name);

    if (ops == NULL)
        return -ENOENT;
    conn->cc_choice = ops;
    if (conn->cc != NULL) { /* it runs already: the window stays */
        tcp_sender_own(conn);
        conn->cc = ops;
        tcp_cc_set_rng(conn, &conn->sender->w);
        memset(conn->sender->w.private, 0, sizeof conn->sender->w.private);
        conn->sender->w.pacing_rate = 0;
        tcp_cc_refresh(conn);
        ops->init(&conn->sender->w);
    }
    return 0;
}

const char *
tcp_get_congestion(const TcpConn *conn)
{
    const CcOps *ops = conn->cc != NULL ? conn->cc : conn->cc_choice;

    return ops != NULL ? ops->name : conn->stack->params->congestion_control;
}

const char *
tcp_describe_congestion(const TcpConn *conn, char text[128])
{
    CcWindow w = conn->sender->w;

    if (conn->cc == NULL || conn->cc->describe == NULL)
        return "";
    w.ce_state = conn->ecn.ece_demand;
    conn->cc->describe(&w, text);
    return text;
}
