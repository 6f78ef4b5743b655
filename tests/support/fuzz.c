#include "tests/support/fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "models/wire/wire.h"
#include "tests/support/tcp_bench.h"
#include "tests/support/tcp_check.h"

enum { PEER_ISS = 500000, PEER_PORT = 2000, MOST_BYTES = 1600 };

typedef struct Fuzz {
    SimRng dice;
    TcpBench *bench; /* owns */
} Fuzz;

static uint32_t
below(Fuzz *fuzz, uint32_t bound)
{
    return (uint32_t)sim_rng_below(&fuzz->dice, bound);
}

static bool
chance(Fuzz *fuzz, double probability)
{
    return sim_rng_chance(&fuzz->dice, probability);
}

/* Mostly close to where the connection is. */
static uint32_t
somewhere_near(Fuzz *fuzz, uint32_t place)
{
    static const uint32_t reach[] = { 3, 100, 5000, 100000 };

    if (chance(fuzz, 0.1))
        return sim_rng_u32(&fuzz->dice);
    if (chance(fuzz, 0.4))
        return place;
    uint32_t most = reach[below(fuzz, G_N_ELEMENTS(reach))];
    return place + below(fuzz, 2 * most + 1) - most;
}

static uint16_t
some_flags(Fuzz *fuzz)
{
    static const uint16_t usual[] = { TCP_ACK,           TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN,
                                      TCP_SYN,           TCP_SYN | TCP_ACK, TCP_RST,
                                      TCP_RST | TCP_ACK, TCP_ACK | TCP_URG, TCP_ACK | TCP_ECE };

    return chance(fuzz, 0.8) ? usual[below(fuzz, G_N_ELEMENTS(usual))]
                             : (uint16_t)below(fuzz, 0x200);
}

static Packet *
addressed(Fuzz *fuzz, Packet *packet)
{
    packet->ip.src = ip_addr_v4(chance(fuzz, 0.95) ? 0x0a000002 : sim_rng_u32(&fuzz->dice));
    packet->ip.dst = ip_addr_v4(0x0a000001);
    packet->ip.ttl = (uint8_t)(1 + below(fuzz, 255));
    packet->ip.tos = chance(fuzz, 0.9) ? 0 : (uint8_t)below(fuzz, 256);
    packet->ip.id = (uint16_t)below(fuzz, 4);
    packet->ip.df = chance(fuzz, 0.8);
    return packet;
}

static Packet *
some_segment(Fuzz *fuzz)
{
    TcpBench *bench = fuzz->bench;
    Packet *packet = addressed(fuzz, packet_new_tcp(&bench->net->packets));
    TcpHeader *h = &packet->tcp;

    packet->ip.proto = IP_PROTO_TCP;
    h->sport = chance(fuzz, 0.9) ? PEER_PORT : (uint16_t)below(fuzz, 65536);
    h->dport = bench->local_port;
    h->flags = some_flags(fuzz);
    h->seq = somewhere_near(fuzz, PEER_ISS + (h->flags & TCP_SYN ? 0 : 1));
    h->ack = h->flags & TCP_ACK ? somewhere_near(fuzz, bench->iss + 1) : 0;
    h->wnd = chance(fuzz, 0.2) ? 0 : (uint16_t)below(fuzz, 65536);
    h->urg = h->flags & TCP_URG ? (uint16_t)below(fuzz, 3000) : 0;
    if (chance(fuzz, 0.4))
        h->options = (uint8_t)(below(fuzz, 64) & ~(unsigned)TCPOPT_HAS_FASTOPEN_EXP);
    h->mss = (uint16_t)below(fuzz, 3000);
    h->wscale = (uint8_t)below(fuzz, 20);
    h->tsval = somewhere_near(fuzz, (uint32_t)(sim_now(bench->sim) / SIM_MS));
    h->tsecr = somewhere_near(fuzz, (uint32_t)(sim_now(bench->sim) / SIM_MS));
    h->fastopen_len = (uint8_t)(2 * below(fuzz, 4));
    if (h->options == 0 && chance(fuzz, 0.3)) {
        h->n_sacks = (uint8_t)(1 + below(fuzz, 3));
        for (unsigned i = 0; i < h->n_sacks; i++) {
            h->sacks[i].start = somewhere_near(fuzz, bench->iss + 1);
            h->sacks[i].end = h->sacks[i].start + below(fuzz, 5000);
        }
    }
    if (chance(fuzz, 0.4))
        packet->payload =
            (Payload){ .stream = stream_new_id(bench->net->streams), .len = below(fuzz, 1200) };
    packet_finish_lengths(packet);
    return packet;
}

/* An ICMP error about a segment that the host may have sent. */
static Packet *
some_error(Fuzz *fuzz)
{
    TcpBench *bench = fuzz->bench;
    Packet *packet = addressed(fuzz, packet_new(&bench->net->packets));

    packet->ip.proto = IP_PROTO_ICMP;
    packet->icmp = (IcmpHeader){
        .type = (uint8_t)(chance(fuzz, 0.6) ? ICMP_UNREACHABLE : below(fuzz, 14)),
        .code = (uint8_t)(chance(fuzz, 0.5) ? 4 : below(fuzz, 16)),
        .mtu = (uint16_t)(chance(fuzz, 0.5) ? below(fuzz, 1600) : below(fuzz, 65536)),
        .quoted_len = 28,
        .quoted_ip = { .src = packet->ip.dst,
                       .dst = packet->ip.src,
                       .proto = IP_PROTO_TCP,
                       .ttl = 60,
                       .total_len = 500 },
        .quoted_sport = bench->local_port,
        .quoted_dport = PEER_PORT,
        .quoted_seq = somewhere_near(fuzz, bench->iss + 1),
    };
    packet_finish_lengths(packet);
    return packet;
}

static void
mutate(Fuzz *fuzz, uint8_t *bytes, uint32_t *len)
{
    unsigned changes = chance(fuzz, 0.5) ? 0 : 1 + below(fuzz, 6);

    for (unsigned i = 0; i<changes && * len> 0; i++)
        bytes[below(fuzz, *len)] = (uint8_t)below(fuzz, 256);
    if (chance(fuzz, 0.05)) { /* a piece of something */
        bytes[6] = (uint8_t)(below(fuzz, 2) << 5);
        bytes[7] = (uint8_t)below(fuzz, 8);
    }
    if (chance(fuzz, 0.05))
        *len = below(fuzz, *len + 1);
    if (chance(fuzz, 0.05))
        *len = MIN(*len + below(fuzz, 40), MOST_BYTES);
    if (*len >= 20 && chance(fuzz, 0.8)) {
        bytes[0] = (uint8_t)(chance(fuzz, 0.9) ? 0x45 : bytes[0]);
        bytes[2] = (uint8_t)(*len >> 8);
        bytes[3] = (uint8_t)*len;
        wire_fix_checksums(bytes, *len);
    }
}

/* True bytes or changed ones, as a link would hand them over. */
static void
deliver_one(Fuzz *fuzz)
{
    TcpBench *bench = fuzz->bench;
    PacketPool *pool = &bench->net->packets;
    uint8_t bytes[MOST_BYTES + 40] = { 0 };
    uint32_t len;
    const char *error;
    Packet *packet;

    if (chance(fuzz, 0.05)) {
        len = below(fuzz, MOST_BYTES);
        for (uint32_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)below(fuzz, 256);
    } else {
        packet = chance(fuzz, 0.85) ? some_segment(fuzz) : some_error(fuzz);
        len = packet_render(pool, packet, bytes, MOST_BYTES);
        len = MIN(len, MOST_BYTES);
        packet_free(pool, packet);
    }
    mutate(fuzz, bytes, &len);
    packet = packet_parse(pool, bytes, len, &error);
    if (packet != NULL)
        host_receive(bench->iface, packet);
}

/* What the program at the host does meanwhile. */
static void
user_does_something(Fuzz *fuzz)
{
    TcpBench *bench = fuzz->bench;
    Socket *accepted;
    int error;

    if (bench->listener != NULL && chance(fuzz, 0.2) &&
        (accepted = sock_accept(bench->listener, &error)) != NULL)
        g_ptr_array_add(bench->others, accepted);
    if (bench->sock == NULL)
        return;
    if (chance(fuzz, 0.2))
        sock_send(bench->sock, NULL, 1 + below(fuzz, 20000),
                  below(fuzz, 4) & ~(unsigned)TCP_MSG_OOB);
    if (chance(fuzz, 0.2))
        sock_recv(bench->sock, NULL, 1 + below(fuzz, 3000), 0, NULL);
    if (chance(fuzz, 0.01))
        sock_shutdown(bench->sock, (int)below(fuzz, 3));
}

static char *
fuzz_packets(Fuzz *fuzz, unsigned packets)
{
    for (unsigned i = 0; i < packets; i++) {
        char *wrong;

        deliver_one(fuzz);
        user_does_something(fuzz);
        tcp_bench_run(fuzz->bench, chance(fuzz, 0.9) ? 0 : (SimTime)below(fuzz, 2000) * SIM_MS);
        tcp_bench_skip(fuzz->bench);
        wrong = tcp_check_host(fuzz->bench->host);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static void
close_all(TcpBench *bench)
{
    for (guint i = 0; i < bench->others->len; i++)
        sock_abort(bench->others->pdata[i]);
    g_ptr_array_set_size(bench->others, 0);
    if (bench->sock != NULL)
        sock_abort(bench->sock);
    if (bench->listener != NULL)
        sock_abort(bench->listener);
    bench->sock = bench->listener = NULL;
    for (int day = 0; day < 3; day++) {
        tcp_bench_run(bench, 24 * 3600 * SIM_SEC);
        tcp_bench_skip(bench);
    }
}

char *
fuzz_host(uint64_t seed, unsigned packets)
{
    Fuzz fuzz = { .bench = NULL };
    TcpState state = (TcpState)(seed % TCP_N_STATES);
    TcpProfile profile = seed / TCP_N_STATES % 2 == 0 ? TCP_PROFILE_LINUX : TCP_PROFILE_RFC;
    char *wrong;

    sim_rng_init(&fuzz.dice, seed, "fuzz");
    fuzz.bench = tcp_bench_new(profile);
    if (profile == TCP_PROFILE_RFC) /* else an orphan would wait for ever */
        tcp_bench_set(fuzz.bench, "net.ipv4.tcp_fin_timeout", "60");
    tcp_bench_set(fuzz.bench, "net.ipv4.tcp_fastopen", "519");
    tcp_bench_enter(fuzz.bench, state);
    if (chance(&fuzz, 0.3))
        tcp_bench_set(fuzz.bench, "net.ipv4.tcp_syncookies", "2");
    wrong = fuzz_packets(&fuzz, packets);
    if (wrong == NULL) {
        close_all(fuzz.bench);
        wrong = tcp_check_nothing_left(fuzz.bench->host);
    }
    if (wrong == NULL)
        wrong = tcp_check_pools_are_empty(fuzz.bench->net);
    tcp_bench_free(fuzz.bench);
    return wrong;
}
