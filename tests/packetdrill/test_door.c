/* The plug-in for packetdrill, loaded as packetdrill loads it, plays a few
 * exchanges. The driver here writes segments by hand, byte by byte. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "scenarios/packetdrill/interface.h"

enum {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10,
    LOCAL = 0xc0a80001,
    REMOTE = 0xc0000201,
};

typedef struct Segment {
    uint16_t sport, dport, wnd;
    uint8_t flags;
    uint32_t seq, ack;
    size_t len;
    long long at_us;
} Segment;

typedef struct Drill {
    void *object;
    PacketdrillInterface door;
} Drill;

static Drill
drill_open(const char *flags)
{
    const char *build = g_getenv("BUILD");
    g_autofree char *path =
        g_build_filename(build != NULL ? build : "build", "halfopen-packetdrill.so", NULL);
    Drill drill = { .object = dlopen(path, RTLD_NOW | RTLD_LOCAL) };
    void (*init)(const char *, PacketdrillInterface *);

    if (drill.object == NULL)
        g_error("%s", dlerror());
    *(void **)&init = dlsym(drill.object, "packetdrill_interface_init");
    g_assert_nonnull(init);
    init(flags, &drill.door);
    return drill;
}

static void
drill_close(Drill *drill)
{
    drill->door.free(drill->door.userdata);
    dlclose(drill->object);
}

#define CALL(drill, name, ...) ((drill)->door.name((drill)->door.userdata, ##__VA_ARGS__))

static uint16_t
checksum(const uint8_t *bytes, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void
put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void
put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

static uint16_t
get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t
get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* A segment from the remote side, without options; its data are the letter x. */
static void
drill_send(Drill *drill, Segment segment)
{
    uint8_t bytes[2000] = { 0x45 };
    uint8_t *tcp = bytes + 20;
    size_t len = 40 + segment.len;

    put16(bytes + 2, (uint16_t)len);
    bytes[8] = 64;
    bytes[9] = IPPROTO_TCP;
    put32(bytes + 12, REMOTE);
    put32(bytes + 16, LOCAL);
    put16(bytes + 10, checksum(bytes, 20, 0));
    put16(tcp, segment.sport);
    put16(tcp + 2, segment.dport);
    put32(tcp + 4, segment.seq);
    put32(tcp + 8, segment.ack);
    tcp[12] = 5 << 4;
    tcp[13] = segment.flags;
    put16(tcp + 14, segment.wnd);
    memset(tcp + 20, 'x', segment.len);
    uint32_t pseudo = (REMOTE >> 16) + (REMOTE & 0xffff) + (LOCAL >> 16) + (LOCAL & 0xffff) +
                      IPPROTO_TCP + 20 + (uint32_t)segment.len;
    put16(tcp + 16, checksum(tcp, 20 + segment.len, pseudo));
    g_assert_cmpint(CALL(drill, netdev_send, bytes, len), ==, 0);
}

static Segment
drill_expect(Drill *drill, uint8_t flags, size_t len)
{
    uint8_t bytes[4096];
    size_t got = sizeof bytes;
    Segment segment = { 0 };

    g_assert_cmpint(CALL(drill, netdev_receive, bytes, &got, &segment.at_us), ==, 0);
    g_assert_cmpuint(bytes[9], ==, IPPROTO_TCP);
    const uint8_t *tcp = bytes + 20;
    segment.sport = get16(tcp);
    segment.dport = get16(tcp + 2);
    segment.seq = get32(tcp + 4);
    segment.ack = get32(tcp + 8);
    segment.flags = tcp[13];
    segment.wnd = get16(tcp + 14);
    segment.len = got - 20 - (size_t)(tcp[12] >> 4) * 4;
    g_assert_cmphex(segment.flags, ==, flags);
    g_assert_cmpuint(segment.len, ==, len);
    return segment;
}

static struct sockaddr_in
address(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(ip),
    };
}

static long long
drill_now(Drill *drill)
{
    struct timeval time;

    g_assert_cmpint(CALL(drill, gettimeofday, &time, NULL), ==, 0);
    return time.tv_sec * 1000000LL + time.tv_usec;
}

static int
drill_listen(Drill *drill, uint16_t port)
{
    struct sockaddr_in local = address(LOCAL, port);
    int fd = CALL(drill, socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    int on = 1;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(CALL(drill, setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), ==, 0);
    g_assert_cmpint(CALL(drill, bind, fd, (struct sockaddr *)&local, sizeof local), ==, 0);
    g_assert_cmpint(CALL(drill, listen, fd, 1), ==, 0);
    return fd;
}

/* A connection from port 40000 to `port`, its numbers as the remote sees them. */
static Segment
drill_handshake(Drill *drill, uint16_t port)
{
    Segment out = { .sport = 40000, .dport = port, .flags = SYN, .seq = 1000, .wnd = 32792 };

    drill_send(drill, out);
    Segment syn_ack = drill_expect(drill, SYN | ACK, 0);
    g_assert_cmpuint(syn_ack.ack, ==, 1001);
    out.flags = ACK;
    out.seq = 1001;
    out.ack = syn_ack.seq + 1;
    drill_send(drill, out);
    return out;
}

static void
time_moves_when_it_is_asked_for_and_when_it_is_slept(void)
{
    Drill drill = drill_open("");
    long long first = drill_now(&drill);

    g_assert_cmpint(drill_now(&drill), >, first);
    CALL(&drill, usleep, 250000);
    g_assert_cmpint(drill_now(&drill), >=, first + 250000);
    g_assert_cmpint(drill_now(&drill), <, first + 250010);
    drill_close(&drill);
}

static void
a_passive_open_data_and_a_close(void)
{
    Drill drill = drill_open("");
    int listener = drill_listen(&drill, 8080);
    Segment out = drill_handshake(&drill, 8080);
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    char bytes[100];

    int fd = CALL(&drill, accept, listener, (struct sockaddr *)&peer, &len);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(ntohs(peer.sin_port), ==, 40000);
    g_assert_cmphex(ntohl(peer.sin_addr.s_addr), ==, REMOTE);

    out.flags = PSH | ACK;
    out.len = 10;
    drill_send(&drill, out);
    drill_expect(&drill, ACK, 0);
    int unread = 0;
    g_assert_cmpint(CALL(&drill, ioctl, fd, FIONREAD, &unread), ==, 0);
    g_assert_cmpint(unread, ==, 10);
    g_assert_cmpint(CALL(&drill, read, fd, bytes, sizeof bytes), ==, 10);
    g_assert_cmpmem(bytes, 10, "xxxxxxxxxx", 10);

    g_assert_cmpint(CALL(&drill, write, fd, "hello", 5), ==, 5);
    Segment data = drill_expect(&drill, PSH | ACK, 5);
    g_assert_cmpuint(data.ack, ==, 1011);
    out.flags = ACK;
    out.len = 0;
    out.seq += 10;
    out.ack = data.seq + 5;
    drill_send(&drill, out);

    g_assert_cmpint(CALL(&drill, close, fd), ==, 0);
    g_assert_cmpint(CALL(&drill, close, fd), ==, -1);
    g_assert_cmpint(errno, ==, EBADF);
    drill_expect(&drill, FIN | ACK, 0);
    drill_close(&drill);
}

static void
a_syn_is_retransmitted_a_second_later(void)
{
    Drill drill = drill_open("");
    struct sockaddr_in remote = address(REMOTE, 8080);
    int fd = CALL(&drill, socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);

    g_assert_cmpint(CALL(&drill, fcntl, fd, F_GETFL), ==, O_RDWR | O_NONBLOCK);
    g_assert_cmpint(CALL(&drill, connect, fd, (struct sockaddr *)&remote, sizeof remote), ==, -1);
    g_assert_cmpint(errno, ==, EINPROGRESS);
    Segment first = drill_expect(&drill, SYN, 0);
    Segment second = drill_expect(&drill, SYN, 0);
    g_assert_cmpint(second.at_us - first.at_us, >=, 1000000);
    g_assert_cmpint(second.at_us - first.at_us, <, 1010000);
    g_assert_cmpuint(second.seq, ==, first.seq);

    Segment out = { .sport = 8080, .dport = first.sport, .flags = RST | ACK };
    out.ack = first.seq + 1;
    drill_send(&drill, out);
    int error = 0;
    socklen_t len = sizeof error;
    g_assert_cmpint(CALL(&drill, getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &len), ==, 0);
    g_assert_cmpint(error, ==, ECONNREFUSED);
    drill_close(&drill);
}

typedef struct Blocked {
    Drill *drill;
    int fd, result;
    long long returned_at;
    gint has_begun; /* atomic */
} Blocked;

static gpointer
read_in_another_thread(gpointer arg)
{
    Blocked *blocked = arg;
    char bytes[100];

    g_atomic_int_set(&blocked->has_begun, 1);
    blocked->result = (int)CALL(blocked->drill, read, blocked->fd, bytes, sizeof bytes);
    blocked->returned_at = drill_now(blocked->drill);
    return NULL;
}

static void
a_read_blocked_in_another_thread_returns_when_data_come(void)
{
    Drill drill = drill_open("");
    int listener = drill_listen(&drill, 8080);
    Segment out = drill_handshake(&drill, 8080);
    Blocked blocked = { .drill = &drill };

    blocked.fd = CALL(&drill, accept, listener, NULL, NULL);
    GThread *thread = g_thread_new("blocked", read_in_another_thread, &blocked);
    while (!g_atomic_int_get(&blocked.has_begun))
        g_thread_yield();
    g_usleep(20000); /* real time: lets it reach its wait; if it does not, data are there first */
    CALL(&drill, usleep, 500000);
    long long sent_at = drill_now(&drill);
    out.flags = PSH | ACK;
    out.len = 7;
    drill_send(&drill, out);
    CALL(&drill, usleep, 500000);
    g_thread_join(thread);
    g_assert_cmpint(blocked.result, ==, 7);
    g_assert_cmpint(blocked.returned_at, <=, sent_at + 2);
    drill_close(&drill);
}

static void
epoll_and_poll_see_data_once_at_the_edge(void)
{
    Drill drill = drill_open("");
    int listener = drill_listen(&drill, 8080);
    Segment out = drill_handshake(&drill, 8080);
    int fd = CALL(&drill, accept, listener, NULL, NULL);
    int epoll = CALL(&drill, epoll_create, 1);
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = fd };
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };

    g_assert_cmpint(CALL(&drill, epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event), ==, 0);
    g_assert_cmpint(CALL(&drill, epoll_wait, epoll, &event, 1, 0), ==, 0);
    g_assert_cmpint(CALL(&drill, poll, &pollfd, 1, 0), ==, 0);
    out.flags = PSH | ACK;
    out.len = 7;
    for (unsigned i = 0; i < 2; i++) {
        drill_send(&drill, out);
        g_assert_cmpint(CALL(&drill, epoll_wait, epoll, &event, 1, 0), ==, 1);
        g_assert_cmpint(event.data.fd, ==, fd);
        g_assert_cmpint(CALL(&drill, epoll_wait, epoll, &event, 1, 0), ==, 0);
        g_assert_cmpint(CALL(&drill, poll, &pollfd, 1, 0), ==, 1);
        out.seq += 7;
    }
    drill_close(&drill);
}

static void
sysctls_come_from_files_and_counters_go_there(void)
{
    g_autofree char *folder = g_dir_make_tmp("door-XXXXXX", NULL);
    g_autofree char *flags = g_strdup_printf("sysctls=%s", folder);
    g_autofree char *path = g_build_filename(folder, "net", "ipv4", "tcp_sack", NULL);
    g_autofree char *counters = g_build_filename(folder, "counters", NULL);
    g_autofree char *text = NULL;
    g_autofree char *command = g_strdup_printf("rm -r '%s'", folder);

    Drill drill = drill_open(flags);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "1");
    g_assert_true(g_file_set_contents(path, "0x0\n", -1, NULL));
    drill_listen(&drill, 8080);
    drill_handshake(&drill, 8080);
    g_clear_pointer(&text, g_free);
    g_assert_true(g_file_get_contents(counters, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "TcpPassiveOpens 1\n"));
    drill_close(&drill);
    g_assert_cmpint(system(command), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/packetdrill/" #claim, claim)
    ADD(time_moves_when_it_is_asked_for_and_when_it_is_slept);
    ADD(a_passive_open_data_and_a_close);
    ADD(a_syn_is_retransmitted_a_second_later);
    ADD(a_read_blocked_in_another_thread_returns_when_data_come);
    ADD(epoll_and_poll_see_data_once_at_the_edge);
    ADD(sysctls_come_from_files_and_counters_go_there);
#undef ADD
    return g_test_run();
}
