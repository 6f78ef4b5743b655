/* Native applications: traffic that Lua would be too slow for. Each belongs to
 * one host and is freed with it. They use TCP's user calls and nothing below;
 * attackers, who have no TCP, hand packets to their interface.
 *
 * Rates are per second, sizes in bytes. Counts are read at any time.
 */
#ifndef HALFOPEN_MODELS_APP_APP_H
#define HALFOPEN_MODELS_APP_APP_H

#include "models/tcp/tcp.h"

/* ---- server.c ------------------------------------------------------------- */

typedef struct AppServer AppServer;

typedef struct AppServerParams {
    uint16_t port;    /* the first of n_ports */
    uint16_t n_ports; /* 0 counts as 1 */
    int backlog;
    uint32_t request_bytes;  /* a request is complete after so many; 0: read until the peer's FIN,
                                then close */
    uint64_t response_bytes; /* sent after each request */
    bool closes_first;       /* close() after the first response */
    bool never_reads;        /* accepts, and leaves the data in the receive buffer */
    bool never_accepts;
    double accepts_per_s; /* 0: at once */
    uint32_t workers;     /* connections served at once, the others wait in the accept queue;
                             0: any number */
    SimTime timeout;      /* closes a connection whose peer takes longer to send a request, or to
                             take its response; 0: never */
} AppServerParams;

typedef struct AppServerCounts {
    uint64_t accepted, requests, bytes_read, bytes_sent, closed, errors, timed_out;
    uint32_t most_open; /* served at once */
} AppServerCounts;

/* Listens; NULL with *error (negative errno) when a port can't be had. */
AppServer *app_server_new(Host *host, const AppServerParams *params, int *error);
AppServerCounts app_server_counts(const AppServer *server);

/* ---- bulk.c --------------------------------------------------------------- */

typedef struct AppBulk AppBulk;

/* Connects at `start` and sends `bytes` (0: for ever) as fast as TCP takes
 * them, then closes. congestion: NULL for the host's default. */
AppBulk *app_bulk_new(Host *host, Endpoint to, uint64_t bytes, SimTime start,
                      const char *congestion);
TcpConn *app_bulk_conn(const AppBulk *bulk); /* NULL before the start and after the end */
uint64_t app_bulk_sent(const AppBulk *bulk);
int app_bulk_error(const AppBulk *bulk); /* positive errno that ended it; 0: none */

/* ---- crowd.c -------------------------------------------------------------- */

typedef struct AppCrowd AppCrowd;

typedef struct AppCrowdParams {
    Endpoint to;             /* the first of n_ports server ports, used in turn */
    uint16_t n_ports;        /* 0 counts as 1 */
    double rate;             /* connections a second */
    bool is_poisson;         /* else evenly spaced */
    const SimTime *arrivals; /* copied: start times of a trace, ascending; replaces rate */
    uint32_t n_arrivals;
    uint64_t count;      /* how many connections in all; 0: until `stop` */
    SimTime start, stop; /* stop SIM_NEVER: no end */
    uint32_t request_bytes;
    uint64_t response_bytes; /* expected; 0: none, the client closes when the request is sent */
    uint32_t requests;       /* on one connection (keep-alive); 0 counts as 1 */
    SimTime think;           /* mean of the exponential pause between requests; 0: none */
    SimTime patience;        /* gives up (RST) on a connection after so long; 0: never */
    bool stays_idle;         /* connects and does nothing more */
    bool never_reads;        /* leaves the response in the receive buffer */
    uint32_t trickle_bytes;  /* slowloris: so many bytes of the request at a time ... */
    SimTime trickle_every;   /* ... and so seldom; 0: the whole request at once */
    bool aborts;             /* ends with RST instead of close() */
} AppCrowdParams;

typedef struct AppCrowdCounts {
    uint64_t started, connected, served, requests_done, failed, open, most_open;
    uint64_t refused, reset, timed_out, no_port, impatient; /* parts of failed */
    SimTime connect_total, served_total, served_max;        /* sums of latencies; max */
} AppCrowdCounts;

AppCrowd *app_crowd_new(Host *host, const AppCrowdParams *params);
AppCrowdCounts app_crowd_counts(const AppCrowd *crowd);
/* Time from the start of a connection to the end of its last response, at
 * quantile q (0..1), within 7 %. 0 when nothing was served. */
SimTime app_crowd_latency(const AppCrowd *crowd, double q);

/* ---- flood.c -------------------------------------------------------------- */

typedef struct AppFlood AppFlood;

typedef enum AppFloodKind {
    APP_FLOOD_SYN, /* spoofed sources: half-open connections */
    APP_FLOOD_ACK, /* segments without a connection: each costs a lookup and an RST, or a cookie
                      check */
    APP_FLOOD_RST, /* blind reset: RSTs `step` apart over the sequence space */
    /* One segment for each destination port. An open one answers SYN with SYN-ACK and a closed one
     * with RST; to the other scans an open port is silent, and only a closed one answers. */
    APP_FLOOD_SYN_SCAN,
    APP_FLOOD_FIN_SCAN,
    APP_FLOOD_NULL_SCAN, /* no flag at all */
    APP_FLOOD_XMAS_SCAN, /* FIN, PSH and URG: lit like a Christmas tree */
    APP_FLOOD_ACK_SCAN,  /* any port answers RST, unless a box in between remembers connections */
} AppFloodKind;

typedef enum AppFloodPattern {
    APP_FLOOD_EVEN,
    APP_FLOOD_POISSON,
    APP_FLOOD_BURSTS
} AppFloodPattern;

typedef struct AppFloodParams {
    AppFloodKind kind;
    AppFloodPattern pattern;
    uint32_t burst;   /* packets at once with APP_FLOOD_BURSTS */
    Endpoint to;      /* the first port */
    uint16_t n_ports; /* from there on, used in turn; 0 counts as 1 */
    double rate;      /* packets a second, > 0 */
    uint64_t count;   /* 0: until stop */
    SimTime start, stop;
    IpAddr spoof;        /* prefix of the sources; any: the host's own address */
    unsigned spoof_bits; /* of the prefix; IPv4: 0..32 */
    uint16_t sport;      /* 0: random for each packet */
    bool timestamps;     /* SYNs carry timestamps, SACK-permitted and window scale 7 */
    uint32_t first_seq;  /* APP_FLOOD_RST: where it begins */
    uint32_t step;       /* APP_FLOOD_RST: distance between two */
} AppFloodParams;

AppFlood *app_flood_new(Host *host, const AppFloodParams *params);
uint64_t app_flood_sent(const AppFlood *flood);

#endif
