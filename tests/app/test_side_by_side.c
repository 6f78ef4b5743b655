/* Simulations live side by side in one process: no mutable global anywhere. */
#include <glib.h>

#include "models/app/app.h"
#include "models/link/link.h"
#include "models/sock/stack.h"
#include "sim/batch.h"

#define JOBS 8

typedef struct Watch {
    Net *net;         /* borrows */
    GByteArray *seen; /* borrows */
} Watch;

/* Every packet as it is on a wire, with its time. */
static void
keep_bytes(void *arg, const void *record)
{
    const PacketRecord *rec = record;
    Watch *watch = arg;
    uint8_t bytes[2048];
    uint32_t len;

    if (rec->event != PACKET_EVENT_SENT)
        return;
    len = packet_render(&watch->net->packets, rec->packet, bytes, sizeof bytes);
    g_byte_array_append(watch->seen, (const uint8_t *)&rec->at, sizeof rec->at);
    g_byte_array_append(watch->seen, bytes, len);
}

static GByteArray *
play(uint64_t seed)
{
    Sim *sim = sim_new(seed);
    Net *net = net_new(sim);
    GByteArray *seen = g_byte_array_new();
    Watch watch = { net, seen };
    StackParams params;
    LinkParams link = link_params_default();
    AppServerParams serve = { .port = 80, .backlog = 16 };
    Host *client, *server;
    int error;

    stack_params_init(&params, TCP_PROFILE_LINUX);
    client = stack_new(net, "client", &params);
    server = stack_new(net, "server", &params);
    link.loss = (LossParams){ .kind = LOSS_RANDOM, .p = 0.02 };
    link_new(net, "wire", host_add_iface(client, "eth0", ip_addr_v4(0x0a000001), 24, 1500),
             host_add_iface(server, "eth0", ip_addr_v4(0x0a000002), 24, 1500),
             (LinkParams[]){ link, link });
    probe_subscribe(&net->probes.packet, keep_bytes, &watch);
    app_server_new(server, &serve, &error);
    app_bulk_new(client, (Endpoint){ ip_addr_v4(0x0a000002), 80 }, 300000, 0, NULL);
    sim_run(sim, 20 * SIM_SEC);
    probe_unsubscribe(&net->probes.packet, keep_bytes, &watch);
    net_free(net);
    sim_free(sim);
    return seen;
}

static void
play_job(void *arg, unsigned index)
{
    GByteArray **seen = arg;

    seen[index] = play(1 + index % 2);
}

static void
two_threads_see_the_bytes_that_one_sees(void)
{
    GByteArray *alone[JOBS], *together[JOBS];

    sim_batch_run(JOBS, 1, play_job, alone);
    sim_batch_run(JOBS, 2, play_job, together);
    for (unsigned i = 0; i < JOBS; i++) {
        g_assert_cmpmem(alone[i]->data, alone[i]->len, together[i]->data, together[i]->len);
        g_assert_cmpmem(alone[i]->data, alone[i]->len, alone[i % 2]->data, alone[i % 2]->len);
    }
    g_assert_cmpuint(alone[0]->len, >, 0);
    g_assert_false(alone[0]->len == alone[1]->len &&
                   memcmp(alone[0]->data, alone[1]->data, alone[0]->len) == 0);
    for (unsigned i = 0; i < JOBS; i++) {
        g_byte_array_unref(alone[i]);
        g_byte_array_unref(together[i]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/side_by_side/two_threads_see_the_bytes_that_one_sees",
                    two_threads_see_the_bytes_that_one_sees);
    return g_test_run();
}
