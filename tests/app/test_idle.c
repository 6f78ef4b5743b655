/* What a connection that rests costs, everything included: connection, places
 * in tables, port, what either application keeps of it, what the allocators
 * waste. A process of its own, so that it is its memory. */
#include <sys/resource.h>

#include "models/app/app.h"
#include "models/link/link.h"
#include "models/sock/stack.h"

#define COUNT 50000
#define PORTS 16

static size_t
peak_bytes(void)
{
    struct rusage usage;

    g_assert_cmpint(getrusage(RUSAGE_SELF, &usage), ==, 0);
    return (size_t)usage.ru_maxrss * 1024;
}

static void
idle_endpoint_takes_at_most_a_kilobyte_everything_included(void)
{
    Sim *sim = sim_new(1);
    Net *net = net_new(sim);
    LinkParams link = link_params_default();
    StackParams params;
    AppServerParams serve = { .port = 80, .n_ports = PORTS, .backlog = 4096 };
    AppCrowdParams crowd = { .to = { ip_addr_v4(0x0a000002), 80 },
                             .n_ports = PORTS,
                             .rate = 50000,
                             .count = COUNT,
                             .stop = SIM_NEVER,
                             .stays_idle = true };
    size_t before = peak_bytes(), each;
    int error;

    stack_params_init(&params, TCP_PROFILE_LINUX);
    Host *people = stack_new(net, "people", &params), *house = stack_new(net, "house", &params);
    link.delay = 5 * SIM_MS;
    link_new(net, "road", host_add_iface(people, "eth0", ip_addr_v4(0x0a000001), 24, 1500),
             host_add_iface(house, "eth0", ip_addr_v4(0x0a000002), 24, 1500),
             (LinkParams[]){ link, link });
    AppServer *server = app_server_new(house, &serve, &error);
    AppCrowd *clients = app_crowd_new(people, &crowd);
    sim_run(sim, 2 * SIM_SEC);
    each = (peak_bytes() - before) / (2 * COUNT);

    g_assert_cmpuint(app_crowd_counts(clients).open, ==, COUNT);
    g_assert_cmpuint(app_server_counts(server).accepted, ==, COUNT);
    g_test_message("%zu bytes", each);
    g_assert_cmpuint(each, >, 832); /* a TcpConn: it is they who are measured */
#ifndef __SANITIZE_ADDRESS__        /* whose allocator and shadow take more */
    g_assert_cmpuint(each, <=, 1024);
#endif
    net_free(net);
    sim_free(sim);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/app/idle/idle_endpoint_takes_at_most_a_kilobyte_everything_included",
                    idle_endpoint_takes_at_most_a_kilobyte_everything_included);
    return g_test_run();
}
