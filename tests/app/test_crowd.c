/* Honest crowds and the server that they visit: when they come, what they ask
 * for, how long they think, and what a server with few workers makes of them. */
#include "models/app/app.h"
#include "models/link/link.h"
#include "models/sock/stack.h"
#include "tests/support/net_bench.h"

#define ADD(claim) g_test_add_func("/app/crowd/" #claim, claim)

#define PORT      80
#define REQUEST   100
#define RESPONSE  1000
#define ONE_TRIP  (10 * SIM_MS)
#define MAX_TIMES 64

typedef struct Town {
    Sim *sim; /* owns */
    Net *net; /* owns */
    Host *people, *house;
    AppServer *server;
    SimTime opened[MAX_TIMES]; /* when the SYNs left */
    unsigned n_opened;
    uint64_t asked, answered; /* bytes of data sent by either side */
} Town;

static void
note_packet(void *arg, const void *record)
{
    const PacketRecord *rec = record;
    Town *town = arg;

    if (rec->event != PACKET_EVENT_SENT)
        return;
    if (rec->packet->tcp.flags == TCP_SYN && town->n_opened < MAX_TIMES)
        town->opened[town->n_opened++] = rec->at;
    if (ip_addr_equal(rec->packet->ip.src, ip_addr_v4(0x0a000001)))
        town->asked += rec->packet->payload.len;
    else
        town->answered += rec->packet->payload.len;
}

static Town *
town_new(AppServerParams serve)
{
    Town *town = g_new0(Town, 1);
    LinkParams link = link_params_default();
    StackParams params;
    int error;

    town->sim = sim_new(1);
    town->net = net_new(town->sim);
    stack_params_init(&params, TCP_PROFILE_LINUX);
    town->people = stack_new(town->net, "people", &params);
    town->house = stack_new(town->net, "house", &params);
    link.delay = ONE_TRIP;
    link_new(town->net, "road",
             host_add_iface(town->people, "eth0", ip_addr_v4(0x0a000001), 24, 1500),
             host_add_iface(town->house, "eth0", ip_addr_v4(0x0a000002), 24, 1500),
             (LinkParams[]){ link, link });
    probe_subscribe(&town->net->probes.packet, note_packet, town);
    serve.port = PORT;
    town->server = app_server_new(town->house, &serve, &error);
    g_assert_nonnull(town->server);
    return town;
}

static void
town_free(Town *town)
{
    net_free(town->net);
    sim_free(town->sim);
    g_free(town);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Town, town_free)

static AppServerParams
plain_server(void)
{
    return (
        AppServerParams){ .backlog = 128, .request_bytes = REQUEST, .response_bytes = RESPONSE };
}

static AppCrowdParams
plain_crowd(void)
{
    return (AppCrowdParams){ .to = { ip_addr_v4(0x0a000002), PORT },
                             .rate = 100,
                             .stop = SIM_NEVER,
                             .count = 10,
                             .request_bytes = REQUEST,
                             .response_bytes = RESPONSE };
}

static AppCrowdCounts
visit(Town *town, const AppCrowdParams *params, SimTime time)
{
    AppCrowd *crowd = app_crowd_new(town->people, params);

    sim_run(town->sim, time);
    return app_crowd_counts(crowd);
}

/* ---- when they come ----------------------------------------------------------- */

static void
even_arrivals_are_one_gap_apart(void)
{
    g_autoptr(Town) town = town_new(plain_server());
    AppCrowdParams params = plain_crowd();

    visit(town, &params, 5 * SIM_SEC);
    g_assert_cmpuint(town->n_opened, ==, 10);
    for (unsigned i = 0; i < 10; i++)
        g_assert_cmpint(town->opened[i], ==, i * 10 * SIM_MS);
}

/* The gaps of a Poisson process have the mean 1/rate, and a variance of its square. */
static void
poisson_arrivals_have_the_rate_and_spread_of_their_kind(void)
{
    g_autoptr(Town) town = town_new(plain_server());
    AppCrowdParams params = plain_crowd();
    double mean = 0, square = 0;
    uint64_t started;

    params.is_poisson = true;
    params.count = 0;
    params.rate = 50;
    params.stop = 100 * SIM_SEC;
    started = visit(town, &params, 110 * SIM_SEC).started;
    g_assert_cmpuint(started, >, 5000 - 5 * 71); /* five standard deviations */
    g_assert_cmpuint(started, <, 5000 + 5 * 71);
    for (unsigned i = 1; i < MAX_TIMES; i++) {
        double gap = (double)(town->opened[i] - town->opened[i - 1]) / SIM_SEC;

        mean += gap / (MAX_TIMES - 1);
        square += gap * gap / (MAX_TIMES - 1);
    }
    g_assert_cmpfloat(mean, >, 0.012);
    g_assert_cmpfloat(mean, <, 0.028);
    g_assert_cmpfloat(square / (mean * mean), >, 1.4); /* 2; evenly spaced ones have 1 */
}

static void
arrivals_of_a_trace_come_when_it_says(void)
{
    static const SimTime times[] = { 5 * SIM_MS, 5 * SIM_MS, 70 * SIM_MS, 1 * SIM_SEC };
    g_autoptr(Town) town = town_new(plain_server());
    AppCrowdParams params = plain_crowd();

    params.rate = 0;
    params.count = 0;
    params.start = 1 * SIM_SEC;
    params.arrivals = times;
    params.n_arrivals = G_N_ELEMENTS(times);
    g_assert_cmpuint(visit(town, &params, 5 * SIM_SEC).served, ==, 4);
    g_assert_cmpuint(town->n_opened, ==, 4);
    for (unsigned i = 0; i < 4; i++)
        g_assert_cmpint(town->opened[i], ==, 1 * SIM_SEC + times[i]);
}

static void
two_crowds_of_one_host_do_not_come_together(void)
{
    g_autoptr(Town) town = town_new(plain_server());
    AppCrowdParams params = plain_crowd();

    params.is_poisson = true;
    params.count = 5;
    app_crowd_new(town->people, &params);
    visit(town, &params, 5 * SIM_SEC);
    g_assert_cmpuint(town->n_opened, ==, 10);
    for (unsigned i = 3; i < 10; i++) /* both begin at once, then each for itself */
        g_assert_cmpint(town->opened[i], !=, town->opened[i - 1]);
}

/* ---- what they do ------------------------------------------------------------- */

static void
requests_and_responses_have_their_sizes(void)
{
    g_autoptr(Town) town = town_new(plain_server());
    AppCrowdParams params = plain_crowd();
    AppCrowdCounts counts = visit(town, &params, 5 * SIM_SEC);

    g_assert_cmpuint(counts.served, ==, 10);
    g_assert_cmpuint(town->asked, ==, 10 * REQUEST);
    g_assert_cmpuint(town->answered, ==, 10 * RESPONSE);
    g_assert_cmpint(counts.served_max, ==, 4 * ONE_TRIP); /* one round trip to open, one to ask */
}

/* One connection for five requests: four handshakes less. */
static void
keep_alive_asks_again_on_the_same_connection(void)
{
    g_autoptr(Town) town = town_new(plain_server());
    AppCrowdParams params = plain_crowd();
    AppCrowdCounts counts;

    params.count = 1;
    params.requests = 5;
    counts = visit(town, &params, 5 * SIM_SEC);
    g_assert_cmpuint(counts.served, ==, 1);
    g_assert_cmpuint(counts.requests_done, ==, 5);
    g_assert_cmpuint(town->n_opened, ==, 1);
    g_assert_cmpuint(town->asked, ==, 5 * REQUEST);
    g_assert_cmpint(counts.served_max, ==, (2 + 5 * 2) * ONE_TRIP);
}

static void
thinking_takes_its_mean_between_two_requests(void)
{
    g_autoptr(Town) town = town_new(plain_server());
    AppCrowdParams params = plain_crowd();
    AppCrowdCounts counts;
    double thought;

    params.count = 20;
    params.requests = 51;
    params.think = 100 * SIM_MS;
    counts = visit(town, &params, 100 * SIM_SEC);
    g_assert_cmpuint(counts.served, ==, 20);
    thought = (double)(counts.served_total - 20 * (2 + 51 * 2) * ONE_TRIP) / (20 * 50) / SIM_MS;
    g_assert_cmpfloat(thought, >,
                      100 - 5 * 3.2); /* a thousand pauses: five deviations of the mean */
    g_assert_cmpfloat(thought, <, 100 + 5 * 3.2);
}

static void
impatient_clients_reset_and_are_counted(void)
{
    AppServerParams never = { .backlog = 128, .never_accepts = true };
    g_autoptr(Town) town = town_new(never);
    AppCrowdParams params = plain_crowd();
    AppCrowdCounts counts;

    params.patience = 300 * SIM_MS;
    counts = visit(town, &params, 5 * SIM_SEC);
    g_assert_cmpuint(counts.impatient, ==, 10);
    g_assert_cmpuint(counts.failed, ==, 10);
    g_assert_cmpuint(counts.open, ==, 0);
}

/* Slowloris: ten bytes a second of a request of a hundred. */
static void
a_request_can_trickle(void)
{
    g_autoptr(Town) town = town_new(plain_server());
    AppCrowdParams params = plain_crowd();
    AppCrowdCounts counts;

    params.count = 1;
    params.trickle_bytes = 10;
    params.trickle_every = 1 * SIM_SEC;
    counts = visit(town, &params, 60 * SIM_SEC);
    g_assert_cmpuint(counts.served, ==, 1);
    g_assert_cmpint(counts.served_max, ==, 9 * SIM_SEC + 4 * ONE_TRIP);
}

/* ---- a server with few workers -------------------------------------------------- */

static void
workers_bound_what_is_served_at_once(void)
{
    AppServerParams serve = plain_server();
    AppCrowdParams params = plain_crowd();
    AppCrowdCounts counts;

    serve.workers = 2;
    g_autoptr(Town) town = town_new(serve);
    params.rate = 10000; /* all ten within one round trip */
    counts = visit(town, &params, 10 * SIM_SEC);
    g_assert_cmpuint(app_server_counts(town->server).most_open, ==, 2);
    g_assert_cmpuint(counts.served, ==, 10);
    /* Five pairs, one after the other: from accept() to the FIN there are two round trips. */
    g_assert_cmpint(counts.served_max, >=, 5 * 2 * ONE_TRIP);
}

static void
a_slow_request_is_closed_at_its_timeout(void)
{
    AppServerParams serve = plain_server();
    AppCrowdParams params = plain_crowd();
    AppServerCounts house;

    serve.timeout = 2 * SIM_SEC;
    g_autoptr(Town) town = town_new(serve);
    params.count = 1;
    params.trickle_bytes = 10;
    params.trickle_every = 1 * SIM_SEC;
    g_assert_cmpuint(visit(town, &params, 10 * SIM_SEC).reset, ==, 1);
    house = app_server_counts(town->server);
    g_assert_cmpuint(house.timed_out, ==, 1);
    g_assert_cmpuint(house.closed, ==, 1);
    g_assert_cmpuint(house.bytes_read, ==, 20); /* at 0 and 1 s; at 2 s it had closed */
}

/* Each request begins the time anew, however long the connection lives. */
static void
a_steady_client_is_never_timed_out(void)
{
    AppServerParams serve = plain_server();
    AppCrowdParams params = plain_crowd();

    serve.timeout = 200 * SIM_MS;
    g_autoptr(Town) town = town_new(serve);
    params.count = 1;
    params.requests = 100;
    g_assert_cmpuint(visit(town, &params, 10 * SIM_SEC).served, ==, 1);
    g_assert_cmpuint(app_server_counts(town->server).timed_out, ==, 0);
}

/* The response does not fit the send buffer, and the peer's window is closed. */
static void
a_client_that_never_reads_is_closed_at_the_timeout(void)
{
    AppServerParams serve = plain_server();
    AppCrowdParams params = plain_crowd();

    serve.response_bytes = 100000000;
    serve.timeout = 5 * SIM_SEC;
    g_autoptr(Town) town = town_new(serve);
    params.count = 1;
    params.response_bytes = serve.response_bytes;
    params.never_reads = true;
    visit(town, &params, 20 * SIM_SEC);
    g_assert_cmpuint(app_server_counts(town->server).timed_out, ==, 1);
    g_assert_cmpuint(app_server_counts(town->server).bytes_sent, <, serve.response_bytes);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(even_arrivals_are_one_gap_apart);
    ADD(poisson_arrivals_have_the_rate_and_spread_of_their_kind);
    ADD(arrivals_of_a_trace_come_when_it_says);
    ADD(two_crowds_of_one_host_do_not_come_together);
    ADD(requests_and_responses_have_their_sizes);
    ADD(keep_alive_asks_again_on_the_same_connection);
    ADD(thinking_takes_its_mean_between_two_requests);
    ADD(impatient_clients_reset_and_are_counted);
    ADD(a_request_can_trickle);
    ADD(workers_bound_what_is_served_at_once);
    ADD(a_slow_request_is_closed_at_its_timeout);
    ADD(a_steady_client_is_never_timed_out);
    ADD(a_client_that_never_reads_is_closed_at_the_timeout);
    return g_test_run();
}
