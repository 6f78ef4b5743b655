#include "models/app/app.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "models/app/discard.h"
#include "models/app/luck.h"

/* Latencies are counted in buckets that are 7 % apart: ten a doubling,
 * finer than any question asked of them. */
#define LATENCY_BUCKETS_PER_DOUBLING 10
#define LATENCY_BUCKETS              640

typedef enum ClientPhase {
    CLIENT_CONNECTING,
    CLIENT_SENDING,
    CLIENT_PAUSING,
    CLIENT_RECEIVING,
    CLIENT_IDLE
} ClientPhase;

/* One cache line: of a million clients that rest there is nothing else. */
typedef struct CrowdClient {
    AppCrowd *crowd; /* borrows */
    TcpConn *conn;   /* owns, as its user; NULL once closed */
    SimTime began;
    SimTimer timer;  /* patience, think time or trickle: whichever comes first */
    SimTime resumes; /* end of a pause; SIM_NEVER: none */
    uint64_t left;   /* of the request, then of the response */
    uint32_t requests_left;
    uint8_t phase; /* ClientPhase */
    bool is_due;   /* client_go() is in the queue */
} CrowdClient;

struct AppCrowd {
    Host *host; /* borrows */
    AppCrowdParams params;
    SimTime *arrivals; /* owns */
    AppCrowdCounts counts;
    SimPool clients; /* CrowdClient */
    SimRng rng;
    uint64_t *latencies; /* owns: LATENCY_BUCKETS counts; NULL until something was served */
};

static void client_go(void *arg);
static void client_on_timer(void *arg);

/* ---- one client ------------------------------------------------------------- */

static void
client_wake(CrowdClient *c)
{
    Sim *sim = c->crowd->host->sim;

    if (c->is_due)
        return;
    c->is_due = true;
    sim_at(sim, sim_now(sim), client_go, c);
}

static void
client_on_event(void *arg, TcpConn *conn, unsigned events)
{
    (void)conn;
    (void)events;
    client_wake(arg);
}

/* SIM_NEVER: never */
static SimTime
client_gives_up(const CrowdClient *c)
{
    SimTime patience = c->crowd->params.patience;

    return patience > 0 ? c->began + patience : SIM_NEVER;
}

static void
client_arm(CrowdClient *c)
{
    SimTime when = MIN(client_gives_up(c), c->resumes);

    if (when != SIM_NEVER)
        sim_timer_set(c->crowd->host->sim, &c->timer, when, client_on_timer, c);
    else
        sim_timer_stop(c->crowd->host->sim, &c->timer);
}

static void
client_end(CrowdClient *c, bool aborts)
{
    AppCrowd *crowd = c->crowd;
    TcpConn *conn = c->conn;

    c->conn = NULL;
    crowd->counts.open--;
    sim_timer_done(crowd->host->sim, &c->timer);
    tcp_on_event(conn, NULL, NULL);
    if (aborts)
        tcp_abort(conn);
    else if (tcp_close(conn) == -EWOULDBLOCK)
        tcp_release(conn);
    if (!c->is_due)
        sim_pool_put(&crowd->clients, c);
}

static void
client_fail(CrowdClient *c, int error)
{
    AppCrowdCounts *counts = &c->crowd->counts;

    counts->failed++;
    switch (error) {
    case ECONNREFUSED:
        counts->refused++;
        break;
    case ECONNRESET:
    case EPIPE:
        counts->reset++;
        break;
    case ETIMEDOUT:
        counts->timed_out++;
        break;
    case EADDRNOTAVAIL:
        counts->no_port++;
        break;
    default:
        break;
    }
    client_end(c, false);
}

static void
crowd_note_latency(AppCrowd *crowd, SimTime latency)
{
    double doublings = latency > 1 ? log2((double)latency) : 0;
    unsigned bucket = (unsigned)(doublings * LATENCY_BUCKETS_PER_DOUBLING);

    if (crowd->latencies == NULL)
        crowd->latencies = g_new0(uint64_t, LATENCY_BUCKETS);
    crowd->latencies[MIN(bucket, LATENCY_BUCKETS - 1u)]++;
    crowd->counts.served_total += latency;
    crowd->counts.served_max = MAX(crowd->counts.served_max, latency);
}

static void
client_served(CrowdClient *c)
{
    AppCrowd *crowd = c->crowd;

    crowd->counts.served++;
    crowd_note_latency(crowd, sim_now(crowd->host->sim) - c->began);
    client_end(c, crowd->params.aborts);
}

static void
client_begin_request(CrowdClient *c)
{
    c->phase = CLIENT_SENDING;
    c->left = c->crowd->params.request_bytes;
}

/* One step of the client's life. 0: blocked until an event; 1: go on;
 * negative: an error; the client may have ended (conn NULL). */
static int64_t
client_connect_step(CrowdClient *c)
{
    AppCrowd *crowd = c->crowd;
    int error = tcp_take_error(c->conn);

    if (error != 0)
        return -error;
    if (tcp_state(c->conn) < TCP_ESTABLISHED)
        return tcp_state(c->conn) == TCP_CLOSED ? -ECONNRESET : 0;
    crowd->counts.connected++;
    crowd->counts.connect_total += sim_now(crowd->host->sim) - c->began;
    if (crowd->params.stays_idle) {
        c->phase = CLIENT_IDLE;
        return 0;
    }
    client_begin_request(c);
    return 1;
}

static int64_t
client_send_step(CrowdClient *c)
{
    const AppCrowdParams *p = &c->crowd->params;
    Sim *sim = c->crowd->host->sim;
    int64_t n;

    if (c->left == 0) {
        c->phase = CLIENT_RECEIVING;
        c->left = p->response_bytes;
        return 1;
    }
    n = tcp_send(c->conn, NULL,
                 p->trickle_every > 0 ? MIN(c->left, MAX(p->trickle_bytes, 1u)) : c->left, 0);
    if (n < 0)
        return n == -EAGAIN ? 0 : n;
    c->left -= (uint64_t)n;
    if (p->trickle_every > 0 && c->left > 0) {
        c->phase = CLIENT_PAUSING;
        c->resumes = sim_now(sim) + p->trickle_every;
        client_arm(c);
        return 0;
    }
    return 1;
}

static int64_t
client_receive_step(CrowdClient *c)
{
    AppCrowd *crowd = c->crowd;
    const AppCrowdParams *p = &crowd->params;

    if (c->left > 0) {
        int64_t n = p->never_reads ? -EAGAIN : app_discard(c->conn, c->left);

        if (n <= 0)
            return n == -EAGAIN ? 0 : n == 0 ? -ECONNRESET : n;
        c->left -= (uint64_t)n;
        return 1;
    }
    crowd->counts.requests_done++;
    if (--c->requests_left == 0) {
        client_served(c);
        return 0;
    }
    client_begin_request(c);
    if (p->think > 0) {
        c->phase = CLIENT_PAUSING;
        c->resumes =
            sim_now(crowd->host->sim) + (SimTime)sim_rng_exponential(&crowd->rng, (double)p->think);
        client_arm(c);
        return 0;
    }
    return 1;
}

/* While it waits, a client hears of the end of its connection alone. */
static int64_t
client_wait_step(CrowdClient *c)
{
    int error = tcp_take_error(c->conn);

    if (error != 0)
        return -error;
    return tcp_state(c->conn) == TCP_CLOSED ? -ECONNRESET : 0;
}

static int64_t
client_step(CrowdClient *c)
{
    switch ((ClientPhase)c->phase) {
    case CLIENT_CONNECTING:
        return client_connect_step(c);
    case CLIENT_SENDING:
        return client_send_step(c);
    case CLIENT_RECEIVING:
        return client_receive_step(c);
    case CLIENT_PAUSING:
    case CLIENT_IDLE:
        return client_wait_step(c);
    }
    return 0;
}

static void
client_go(void *arg)
{
    CrowdClient *c = arg;
    int64_t result = 1;

    c->is_due = false;
    if (c->conn == NULL) {
        sim_pool_put(&c->crowd->clients, c);
        return;
    }
    while (result > 0)
        result = client_step(c);
    if (result < 0)
        client_fail(c, (int)-result);
}

static void
client_on_timer(void *arg)
{
    CrowdClient *c = arg;
    SimTime now = sim_now(c->crowd->host->sim);

    if (now >= client_gives_up(c)) {
        c->crowd->counts.failed++;
        c->crowd->counts.impatient++;
        client_end(c, true);
        return;
    }
    c->resumes = SIM_NEVER;
    c->phase = CLIENT_SENDING;
    client_arm(c);
    client_wake(c);
}

/* ---- arrivals --------------------------------------------------------------- */

static void
crowd_start_client(AppCrowd *crowd)
{
    const AppCrowdParams *p = &crowd->params;
    CrowdClient *c = sim_pool_get(&crowd->clients);
    uint16_t port = (uint16_t)(p->to.port + crowd->counts.started % MAX(p->n_ports, 1u));
    SimTime now = sim_now(crowd->host->sim);
    int result;

    *c = (CrowdClient){ .crowd = crowd, .began = now, .resumes = SIM_NEVER };
    c->requests_left = MAX(p->requests, 1u);
    sim_timer_init(&c->timer);
    c->conn = tcp_open(crowd->host);
    crowd->counts.started++;
    crowd->counts.open++;
    crowd->counts.most_open = MAX(crowd->counts.most_open, crowd->counts.open);
    tcp_on_event(c->conn, client_on_event, c);
    result = tcp_connect(c->conn, (Endpoint){ p->to.addr, port });
    if (result < 0 && result != -EINPROGRESS)
        client_fail(c, -result);
    else
        client_arm(c);
}

static SimTime
crowd_next_arrival(AppCrowd *crowd)
{
    const AppCrowdParams *p = &crowd->params;
    double mean = (double)SIM_SEC / p->rate;

    if (crowd->arrivals != NULL)
        return crowd->counts.started < p->n_arrivals
                   ? p->start + crowd->arrivals[crowd->counts.started]
                   : SIM_NEVER;
    if (p->is_poisson)
        return sim_now(crowd->host->sim) + (SimTime)sim_rng_exponential(&crowd->rng, mean);
    return p->start + (SimTime)((double)crowd->counts.started * mean);
}

static void
crowd_arrive(void *arg)
{
    AppCrowd *crowd = arg;
    const AppCrowdParams *p = &crowd->params;
    SimTime next;

    crowd_start_client(crowd);
    if (p->count != 0 && crowd->counts.started >= p->count)
        return;
    next = crowd_next_arrival(crowd);
    if (next != SIM_NEVER && next < p->stop)
        sim_at(crowd->host->sim, MAX(next, sim_now(crowd->host->sim)), crowd_arrive, crowd);
}

static void
crowd_free(gpointer data)
{
    AppCrowd *crowd = data;

    g_free(crowd->arrivals);
    g_free(crowd->latencies);
    g_free(crowd);
}

AppCrowd *
app_crowd_new(Host *host, const AppCrowdParams *params)
{
    AppCrowd *crowd = g_new0(AppCrowd, 1);
    SimTime first = params->start;

    crowd->host = host;
    crowd->params = *params;
    sim_pool_init(&crowd->clients, &host->net->arena, sizeof(CrowdClient));
    app_luck_init(host, &crowd->rng, "crowd");
    host_on_free(host, crowd_free, crowd);
    if (params->n_arrivals > 0) {
        crowd->arrivals = g_memdup2(params->arrivals, params->n_arrivals * sizeof(SimTime));
        first += crowd->arrivals[0];
    }
    if (first < params->stop)
        sim_at(host->sim, first, crowd_arrive, crowd);
    return crowd;
}

AppCrowdCounts
app_crowd_counts(const AppCrowd *crowd)
{
    return crowd->counts;
}

SimTime
app_crowd_latency(const AppCrowd *crowd, double q)
{
    uint64_t rank = (uint64_t)ceil(q * (double)crowd->counts.served), seen = 0;

    if (crowd->latencies == NULL)
        return 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += crowd->latencies[i];
        if (seen >= MAX(rank, 1u))
            return (SimTime)exp2((i + 0.5) / LATENCY_BUCKETS_PER_DOUBLING);
    }
    return crowd->counts.served_max;
}
