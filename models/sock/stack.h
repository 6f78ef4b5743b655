/* A whole host: interfaces, IP, UDP and TCP attached, in one call. */
#ifndef HALFOPEN_MODELS_SOCK_STACK_H
#define HALFOPEN_MODELS_SOCK_STACK_H

#include "models/tcp/tcp.h"
#include "models/udp/udp.h"

typedef struct StackParams {
    TcpParams tcp;
    IpParams ip;
    bool forwards;               /* a router */
    uint64_t packets_per_s;      /* 0: infinitely fast */
    uint32_t netdev_max_backlog; /* net.core.netdev_max_backlog */
} StackParams;

/* All tunables in the order of their definition, vectors once without [n]:
 * for lists, suggestions and generated pages. NULL past the last. */
const char *stack_param_name(unsigned i);

void stack_params_init(StackParams *params, TcpProfile profile);
/* A sysctl of TCP, IP or net.core by its full name, or without the leading
 * "net.ipv4." or "net.core.". A value may be a time with its unit where the
 * tunable counts time ("60s"). False and *error (g_free). */
bool stack_params_set(StackParams *params, const char *name, const char *value, char **error);
bool stack_params_get(const StackParams *params, const char *name,
                      char **value); /* g_free; false: no such */
Host *stack_new(Net *net, const char *name, const StackParams *params);
/* The same on a live host. */
bool stack_set(Host *host, const char *name, const char *value, char **error);
bool stack_get(Host *host, const char *name, char **value);

#endif
