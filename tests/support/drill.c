#include "tests/support/drill.h"

#include <dlfcn.h>
#include <glib.h>
#include <string.h>

Drill
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

void
drill_close(Drill *drill)
{
    drill->door.free(drill->door.userdata);
    dlclose(drill->object);
}

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

void
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

Segment
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

struct sockaddr_in
drill_address(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(ip),
    };
}

long long
drill_now(Drill *drill)
{
    struct timeval time;

    g_assert_cmpint(CALL(drill, gettimeofday, &time, NULL), ==, 0);
    return time.tv_sec * 1000000LL + time.tv_usec;
}

int
drill_listen(Drill *drill, uint16_t port)
{
    struct sockaddr_in local = drill_address(LOCAL, port);
    int fd = CALL(drill, socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    int on = 1;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(CALL(drill, setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), ==, 0);
    g_assert_cmpint(CALL(drill, bind, fd, (struct sockaddr *)&local, sizeof local), ==, 0);
    g_assert_cmpint(CALL(drill, listen, fd, 1), ==, 0);
    return fd;
}

Segment
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

int
drill_accept(Drill *drill, Segment *remote)
{
    int listener = drill_listen(drill, 8080);

    *remote = drill_handshake(drill, 8080);
    int fd = CALL(drill, accept, listener, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* netdev_receive would end the program: so the remote pings with an old segment,
 * whose answer has to be the next thing that comes. */
void
drill_expect_silence(Drill *drill, unsigned us)
{
    uint8_t bytes[4096];
    size_t got = sizeof bytes;
    long long at_us, began = drill_now(drill);

    CALL(drill, usleep, us);
    drill_send(drill, (Segment){ .sport = 1, .dport = 1, .flags = ACK, .ack = 1 });
    g_assert_cmpint(CALL(drill, netdev_receive, bytes, &got, &at_us), ==, 0);
    g_assert_cmpint(at_us, >=, began + us);
    g_assert_cmphex(bytes[20 + 13], ==, RST);
}
