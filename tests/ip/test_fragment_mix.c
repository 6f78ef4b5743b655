/* Many datagrams over a path that cuts, reorders and duplicates their pieces:
 * each arrives, with its own bytes.
 */
#include <errno.h>
#include <string.h>

#include "tests/support/net_bench.h"

enum { DATAGRAMS = 40, LARGEST = 9000 };

static void
make_path(NetBench *b, SimRng *rng)
{
    for (unsigned i = 0; i < b->links->len; i++) {
        LinkParams params = *link_params(b->links->pdata[i], 0);

        net_bench_set_mtu(b, i, i == 0 ? 1500 : 200 + (uint32_t)sim_rng_below(rng, 1300));
        params.mtu = link_iface(b->links->pdata[i], 0)->mtu;
        params.jitter = (JitterParams){ .kind = JITTER_UNIFORM, .amount = 5 * SIM_MS };
        params.duplicate = 0.1;
        link_change(b->links->pdata[i], 0, &params);
    }
}

static void
fill(uint8_t *bytes, unsigned number, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(number * 31 + i * 7 + i / 256);
    bytes[0] = (uint8_t)number;
}

static void
run_seed(uint64_t seed)
{
    g_autoptr(NetBench) b = net_bench_chain(2);
    UdpSock *in = net_bench_receiver(b->b), *out = udp_open(b->a);
    uint8_t sent[LARGEST], got[LARGEST];
    uint32_t lens[DATAGRAMS];
    bool arrived[DATAGRAMS] = { false };
    Payload payload;
    SimRng rng;

    sim_rng_init(&rng, seed, "fragment mix");
    make_path(b, &rng);
    udp_set_rcvbuf(in, UINT32_MAX);
    udp_set_mtu_discover(out, PMTUDISC_DONT);
    ip_params(b->b)->ipfrag_max_dist = 0;
    for (unsigned i = 0; i < DATAGRAMS; i++) {
        lens[i] = 1 + (uint32_t)sim_rng_below(&rng, LARGEST);
        fill(sent, i, lens[i]);
        g_assert_cmpint(udp_send(out, sent, lens[i], &(Endpoint){ b->b_addr, 2000 }), ==, lens[i]);
    }
    net_bench_run(b, 60 * SIM_SEC);
    while (udp_recv(in, &payload, NULL) >= 0) {
        stream_read(b->net->streams, payload, got);
        unsigned number = got[0];
        g_assert_cmpuint(number, <, DATAGRAMS);
        g_assert_cmpuint(payload.len, ==, lens[number]);
        fill(sent, number, lens[number]);
        g_assert_cmpmem(got, payload.len, sent, lens[number]);
        arrived[number] = true;
    }
    for (unsigned i = 0; i < DATAGRAMS; i++)
        g_assert_true(arrived[i]);
    udp_close(in);
    udp_close(out);
}

static void
every_datagram_arrives_with_its_own_bytes(void)
{
    for (uint64_t seed = 1; seed <= 30; seed++)
        run_seed(seed);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/fragment_mix/every_datagram_arrives_with_its_own_bytes",
                    every_datagram_arrives_with_its_own_bytes);
    return g_test_run();
}
