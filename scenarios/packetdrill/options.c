/* getsockopt and setsockopt. */
#include "scenarios/packetdrill/door.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "scenarios/packetdrill/tcp_info.h"

/* The numbers of linux/tcp.h and asm-generic/socket.h: their names clash with
 * those of our states, and an older header lacks some. */
enum {
    OPTION_SO_MAX_PACING_RATE = 47,
    OPTION_SO_MEMINFO = 55,
    OPTION_TCP_NODELAY = 1,
    OPTION_TCP_MAXSEG = 2,
    OPTION_TCP_CORK = 3,
    OPTION_TCP_KEEPIDLE = 4,
    OPTION_TCP_KEEPINTVL = 5,
    OPTION_TCP_KEEPCNT = 6,
    OPTION_TCP_SYNCNT = 7,
    OPTION_TCP_LINGER2 = 8,
    OPTION_TCP_DEFER_ACCEPT = 9,
    OPTION_TCP_WINDOW_CLAMP = 10,
    OPTION_TCP_INFO = 11,
    OPTION_TCP_QUICKACK = 12,
    OPTION_TCP_CONGESTION = 13,
    OPTION_TCP_THIN_LINEAR_TIMEOUTS = 16,
    OPTION_TCP_USER_TIMEOUT = 18,
    OPTION_TCP_THIN_DUPACK = 17,
    OPTION_TCP_REPAIR = 19,
    OPTION_TCP_REPAIR_QUEUE = 20,
    OPTION_TCP_QUEUE_SEQ = 21,
    OPTION_TCP_REPAIR_OPTIONS = 22,
    OPTION_TCP_FASTOPEN = 23,
    OPTION_TCP_TIMESTAMP = 24,
    OPTION_TCP_NOTSENT_LOWAT = 25,
    OPTION_TCP_CC_INFO = 26,
    OPTION_TCP_SAVE_SYN = 27,
    OPTION_TCP_SAVED_SYN = 28,
    OPTION_TCP_REPAIR_WINDOW = 29,
    OPTION_TCP_FASTOPEN_CONNECT = 30,
    OPTION_TCP_ULP = 31,
    OPTION_TCP_FASTOPEN_KEY = 33,
    OPTION_TCP_FASTOPEN_NO_COOKIE = 34,
    OPTION_TCP_INQ = 36,
    OPTION_TCP_TX_DELAY = 37,
    OPTION_TCP_IS_MPTCP = 43,
    OPTION_TCP_RTO_MAX_MS = 44,
    OPTION_TCP_RTO_MIN_US = 45,
    OPTION_TCP_DELACK_MAX_US = 46,
    MEMINFO_WORDS = 9,
};

/* Options whose value is one int, the same here and there. */
static const struct {
    int level, name;
    TcpOption option;
} int_options[] = {
    { SOL_SOCKET, SO_REUSEADDR, TCP_OPT_REUSEADDR },
    { SOL_SOCKET, SO_REUSEPORT, TCP_OPT_REUSEPORT },
    { SOL_SOCKET, SO_KEEPALIVE, TCP_OPT_KEEPALIVE },
    { SOL_SOCKET, SO_SNDBUF, TCP_OPT_SNDBUF },
    { SOL_SOCKET, SO_RCVBUF, TCP_OPT_RCVBUF },
    { SOL_SOCKET, SO_OOBINLINE, TCP_OPT_OOBINLINE },
    { SOL_SOCKET, SO_RCVLOWAT, TCP_OPT_RCVLOWAT },
    { SOL_SOCKET, SO_PRIORITY, TCP_OPT_PRIORITY },
    { SOL_SOCKET, SO_SNDBUFFORCE, TCP_OPT_SNDBUFFORCE },
    { SOL_SOCKET, SO_RCVBUFFORCE, TCP_OPT_RCVBUFFORCE },
    { SOL_SOCKET, SO_SNDLOWAT, TCP_OPT_SNDLOWAT },
    { SOL_SOCKET, OPTION_SO_MAX_PACING_RATE, TCP_OPT_MAX_PACING_RATE },
    { IPPROTO_TCP, OPTION_TCP_NODELAY, TCP_OPT_NODELAY },
    { IPPROTO_TCP, OPTION_TCP_CORK, TCP_OPT_CORK },
    { IPPROTO_TCP, OPTION_TCP_MAXSEG, TCP_OPT_MAXSEG },
    { IPPROTO_TCP, OPTION_TCP_KEEPIDLE, TCP_OPT_KEEPIDLE },
    { IPPROTO_TCP, OPTION_TCP_KEEPINTVL, TCP_OPT_KEEPINTVL },
    { IPPROTO_TCP, OPTION_TCP_KEEPCNT, TCP_OPT_KEEPCNT },
    { IPPROTO_TCP, OPTION_TCP_SYNCNT, TCP_OPT_SYNCNT },
    { IPPROTO_TCP, OPTION_TCP_LINGER2, TCP_OPT_LINGER2 },
    { IPPROTO_TCP, OPTION_TCP_DEFER_ACCEPT, TCP_OPT_DEFER_ACCEPT },
    { IPPROTO_TCP, OPTION_TCP_WINDOW_CLAMP, TCP_OPT_WINDOW_CLAMP },
    { IPPROTO_TCP, OPTION_TCP_QUICKACK, TCP_OPT_QUICKACK },
    { IPPROTO_TCP, OPTION_TCP_USER_TIMEOUT, TCP_OPT_USER_TIMEOUT },
    { IPPROTO_TCP, OPTION_TCP_FASTOPEN, TCP_OPT_FASTOPEN },
    { IPPROTO_TCP, OPTION_TCP_FASTOPEN_CONNECT, TCP_OPT_FASTOPEN_CONNECT },
    { IPPROTO_TCP, OPTION_TCP_FASTOPEN_NO_COOKIE, TCP_OPT_FASTOPEN_NO_COOKIE },
    { IPPROTO_TCP, OPTION_TCP_NOTSENT_LOWAT, TCP_OPT_NOTSENT_LOWAT },
    { IPPROTO_TCP, OPTION_TCP_SAVE_SYN, TCP_OPT_SAVE_SYN },
    { IPPROTO_TCP, OPTION_TCP_INQ, TCP_OPT_INQ },
    { IPPROTO_TCP, OPTION_TCP_THIN_LINEAR_TIMEOUTS, TCP_OPT_THIN_LINEAR_TIMEOUTS },
    { IPPROTO_TCP, OPTION_TCP_TX_DELAY, TCP_OPT_TX_DELAY },
    { IPPROTO_TCP, OPTION_TCP_RTO_MAX_MS, TCP_OPT_RTO_MAX_MS },
    { IPPROTO_TCP, OPTION_TCP_RTO_MIN_US, TCP_OPT_RTO_MIN_US },
    { IPPROTO_TCP, OPTION_TCP_DELACK_MAX_US, TCP_OPT_DELACK_MAX_US },
    { IPPROTO_TCP, OPTION_TCP_TIMESTAMP, TCP_OPT_TIMESTAMP },
    { IPPROTO_TCP, OPTION_TCP_THIN_DUPACK, TCP_OPT_THIN_DUPACK },
    { IPPROTO_TCP, OPTION_TCP_IS_MPTCP, TCP_OPT_IS_MPTCP },
    { IPPROTO_TCP, OPTION_TCP_REPAIR, TCP_OPT_REPAIR },
    { IPPROTO_TCP, OPTION_TCP_REPAIR_QUEUE, TCP_OPT_REPAIR_QUEUE },
    { IPPROTO_TCP, OPTION_TCP_QUEUE_SEQ, TCP_OPT_QUEUE_SEQ },
    { IPPROTO_TCP, OPTION_TCP_REPAIR_OPTIONS, TCP_OPT_REPAIR_OPTIONS },
    { IPPROTO_TCP, OPTION_TCP_REPAIR_WINDOW, TCP_OPT_REPAIR_WINDOW },
    { IPPROTO_IP, IP_TOS, TCP_OPT_IP_TOS },
    { IPPROTO_IP, IP_TTL, TCP_OPT_IP_TTL },
    { IPPROTO_IP, IP_MTU_DISCOVER, TCP_OPT_IP_MTU_DISCOVER },
    { IPPROTO_IP, IP_MTU, TCP_OPT_IP_MTU },
    { IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, TCP_OPT_BIND_ADDRESS_NO_PORT },
};

/* Options that may be set and mean nothing to one host on a point-to-point
 * link. */
static const struct {
    int level, name;
} ignored_options[] = {
    { SOL_SOCKET, SO_MARK },        { SOL_SOCKET, SO_DONTROUTE }, { IPPROTO_IP, IP_FREEBIND },
    { IPPROTO_IP, IP_TRANSPARENT }, { IPPROTO_IP, IP_RECVERR },
};

/* Options whose value is bytes. */
static int
bytes_option(int level, int name)
{
    if (level != IPPROTO_TCP)
        return -1;
    switch (name) {
    case OPTION_TCP_FASTOPEN_KEY:
        return TCP_OPT_FASTOPEN_KEY;
    case OPTION_TCP_SAVED_SYN:
        return TCP_OPT_SAVED_SYN;
    case OPTION_TCP_ULP:
        return TCP_OPT_ULP;
    default:
        return -1;
    }
}

static int
int_option(int level, int name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(int_options); i++) {
        if (int_options[i].level == level && int_options[i].name == name)
            return (int)int_options[i].option;
    }
    return -1;
}

/* A value of any length into room of any length. */
static int
give(void *value, socklen_t *len, const void *from, size_t from_len)
{
    *len = (socklen_t)MIN(*len, from_len);
    memcpy(value, from, *len);
    return 0;
}

static int
get_linger(Socket *sock, void *value, socklen_t *len)
{
    int64_t seconds = -1;
    int bad = sock_get_option(sock, TCP_OPT_LINGER, &seconds);
    struct linger linger = { .l_onoff = seconds >= 0, .l_linger = seconds >= 0 ? (int)seconds : 0 };

    return bad != 0 ? bad : give(value, len, &linger, sizeof linger);
}

/* Buffer sizes and how full they are; what has no meaning here is 0. */
static int
get_meminfo(Socket *sock, void *value, socklen_t *len)
{
    uint32_t words[MEMINFO_WORDS] = { 0 };
    int64_t receive = 0, send = 0;

    sock_get_option(sock, TCP_OPT_RCVBUF, &receive);
    sock_get_option(sock, TCP_OPT_SNDBUF, &send);
    words[0] = (uint32_t)tcp_unread_bytes(sock_tcp(sock));
    words[1] = (uint32_t)receive;
    words[3] = (uint32_t)send;
    words[5] = (uint32_t)tcp_unacked_bytes(sock_tcp(sock));
    return give(value, len, words, sizeof words);
}

static int
get_timeout(SimTime timeout, void *value, socklen_t *len)
{
    struct timeval time = { .tv_sec = timeout / SIM_SEC, .tv_usec = timeout % SIM_SEC / SIM_US };

    return give(value, len, &time, sizeof time);
}

static int
get_socket_option(DoorFile *file, int name, void *value, socklen_t *len)
{
    bool is_tcp = sock_tcp(file->sock) != NULL;
    int number;

    switch (name) {
    case SO_ERROR:
        number = sock_take_error(file->sock);
        return give(value, len, &number, sizeof number);
    case SO_TYPE:
        number = is_tcp ? SOCK_STREAM : SOCK_DGRAM;
        return give(value, len, &number, sizeof number);
    case SO_DOMAIN:
        number = AF_INET;
        return give(value, len, &number, sizeof number);
    case SO_PROTOCOL:
        number = is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
        return give(value, len, &number, sizeof number);
    case SO_ACCEPTCONN:
        number = is_tcp && tcp_state(sock_tcp(file->sock)) == TCP_LISTEN;
        return give(value, len, &number, sizeof number);
    case SO_RCVTIMEO:
        return get_timeout(file->receive_timeout, value, len);
    case SO_SNDTIMEO:
        return get_timeout(file->send_timeout, value, len);
    case SO_LINGER:
        return get_linger(file->sock, value, len);
    case SO_ZEROCOPY:
        number = file->zerocopy != NULL;
        return give(value, len, &number, sizeof number);
    case OPTION_SO_MEMINFO:
        return is_tcp ? get_meminfo(file->sock, value, len) : -ENOPROTOOPT;
    default:
        return -ENOPROTOOPT;
    }
}

static int
get_tcp_option(TcpConn *conn, int name, void *value, socklen_t *len)
{
    TcpInfo info = { 0 };
    LinuxTcpInfo linux_info;
    char text[16] = { 0 };

    switch (name) {
    case OPTION_TCP_INFO:
        tcp_get_info(conn, &info);
        door_tcp_info(&info, &linux_info);
        return give(value, len, &linux_info, sizeof linux_info);
    case OPTION_TCP_CC_INFO:
        *len = 0;
        return 0;
    case OPTION_TCP_CONGESTION:
        g_strlcpy(text, tcp_get_congestion(conn), sizeof text);
        return give(value, len, text, sizeof text);
    default:
        return -ENOPROTOOPT;
    }
}

static int
door_getsockopt(DoorFile *file, int level, int name, void *value, socklen_t *len)
{
    int option = int_option(level, name);

    if (value == NULL || len == NULL)
        return -EFAULT;
    if (option >= 0) {
        int64_t wide = 0;
        int bad = sock_get_option(file->sock, (TcpOption)option, &wide);
        int number = (int)wide;
        return bad != 0 ? bad : give(value, len, &number, sizeof number);
    }
    if (bytes_option(level, name) >= 0 && sock_tcp(file->sock) != NULL) {
        size_t room = *len;
        int bad = tcp_get_option_bytes(sock_tcp(file->sock), (TcpOption)bytes_option(level, name),
                                       value, &room);
        *len = (socklen_t)room;
        return bad;
    }
    if (level == SOL_SOCKET)
        return get_socket_option(file, name, value, len);
    if (level == IPPROTO_TCP && sock_tcp(file->sock) != NULL)
        return get_tcp_option(sock_tcp(file->sock), name, value, len);
    return -ENOPROTOOPT;
}

/* SO_RCVTIMEO, SO_SNDTIMEO: zero waits for ever. */
static int
set_timeout(SimTime *timeout, const void *value, socklen_t len)
{
    struct timeval time;

    if (len < sizeof time)
        return -EINVAL;
    memcpy(&time, value, sizeof time);
    if (time.tv_usec < 0 || time.tv_usec >= 1000000)
        return -EDOM;
    *timeout = time.tv_sec < 0 ? SIM_US : time.tv_sec * SIM_SEC + time.tv_usec * SIM_US;
    return 0;
}

static int
set_linger(Socket *sock, const void *value, socklen_t len)
{
    struct linger linger;

    if (len < sizeof linger)
        return -EINVAL;
    memcpy(&linger, value, sizeof linger);
    return sock_set_option(sock, TCP_OPT_LINGER, linger.l_onoff ? linger.l_linger : -1);
}

static int
set_text_option(TcpConn *conn, int name, const void *value, socklen_t len)
{
    g_autofree char *text = g_strndup(value, len);

    return name == OPTION_TCP_CONGESTION ? tcp_set_congestion(conn, text) : -ENOPROTOOPT;
}

static int
door_setsockopt(DoorFile *file, int level, int name, const void *value, socklen_t len)
{
    int option = int_option(level, name);
    int number;

    if (value == NULL)
        return -EFAULT;
    if (option >= 0) {
        if (level == IPPROTO_IP && len > 0 && len < sizeof number) {
            number = *(const uint8_t *)value; /* ip(7): a byte will do */
        } else {
            if (len < sizeof number)
                return -EINVAL;
            memcpy(&number, value, sizeof number);
        }
        return sock_set_option(file->sock, (TcpOption)option, number);
    }
    if (bytes_option(level, name) >= 0 && sock_tcp(file->sock) != NULL)
        return tcp_set_option_bytes(sock_tcp(file->sock), (TcpOption)bytes_option(level, name),
                                    value, len);
    if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO))
        return set_timeout(name == SO_RCVTIMEO ? &file->receive_timeout : &file->send_timeout,
                           value, len);
    if (level == SOL_SOCKET && name == SO_LINGER)
        return set_linger(file->sock, value, len);
    if (level == SOL_SOCKET && name == SO_ZEROCOPY && len >= sizeof number) {
        memcpy(&number, value, sizeof number);
        return door_zerocopy_enable(file, number) ? 0 : -EINVAL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(ignored_options); i++) {
        if (ignored_options[i].level == level && ignored_options[i].name == name)
            return 0;
    }
    if (level == IPPROTO_TCP && sock_tcp(file->sock) != NULL)
        return set_text_option(sock_tcp(file->sock), name, value, len);
    return -ENOPROTOOPT;
}

int
door_call_getsockopt(void *arg, int fd, int level, int name, void *value, socklen_t *len)
{
    Door *door = arg;
    int result = -1;

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL)
        result = (int)door_result(door_getsockopt(file, level, name, value, len));
    door_leave(door);
    return result;
}

int
door_call_setsockopt(void *arg, int fd, int level, int name, const void *value, socklen_t len)
{
    Door *door = arg;
    int result = -1;

    door_enter(door);
    DoorFile *file = door_socket(door, fd);
    if (file != NULL)
        result = (int)door_result(door_setsockopt(file, level, name, value, len));
    door_leave(door);
    return result;
}
