#include "models/sock/stack.h"

#include <stddef.h>
#include <string.h>

/* Every tunable of a host in one table, so that one loop finds any of them.
 * TCP's values are written by tcp_params_set(), which knows their rules. */
typedef enum ParamKind { PARAM_U32, PARAM_I32, PARAM_TEXT } ParamKind;
typedef enum ParamOwner { PARAM_OF_TCP, PARAM_OF_IP, PARAM_OF_NODE } ParamOwner;

#define KIND_OF(lvalue)                                                                            \
    _Generic((lvalue), uint32_t : PARAM_U32, int32_t : PARAM_I32, default : PARAM_TEXT)
#define KIND_OF_TYPE(type) KIND_OF(*(type *)NULL)

typedef struct ParamEntry {
    const char *name;
    ParamOwner owner;
    ParamKind kind;
    size_t at; /* offset in StackParams */
    int64_t linux_value, rfc_value, min, max;
    const char *unit;
} ParamEntry;

static const ParamEntry entries[] = {
#define IP_PARAM(field, type, sysctl, linux_value, rfc_value, min, max, unit, doc)                 \
    { sysctl,                                                                                      \
      PARAM_OF_IP,                                                                                 \
      KIND_OF_TYPE(type),                                                                          \
      offsetof(StackParams, ip.field),                                                             \
      linux_value,                                                                                 \
      rfc_value,                                                                                   \
      min,                                                                                         \
      max,                                                                                         \
      unit },
#include "models/ip/params.def"
#undef IP_PARAM
#define TCP_PARAM(field, type, name, linux_value, rfc_value, min, max, unit, doc)                  \
    { name, PARAM_OF_TCP, KIND_OF_TYPE(type), offsetof(StackParams, tcp.field), 0, 0, 0, 0, unit },
#include "models/tcp/params.def"
#undef TCP_PARAM
#define NODE_PARAM(field, type, sysctl, linux_value, rfc_value, min, max, unit, doc)               \
    { sysctl,                                                                                      \
      PARAM_OF_NODE,                                                                               \
      KIND_OF_TYPE(type),                                                                          \
      offsetof(StackParams, field),                                                                \
      linux_value,                                                                                 \
      rfc_value,                                                                                   \
      min,                                                                                         \
      max,                                                                                         \
      unit },
#include "models/node/params.def"
#undef NODE_PARAM
};

/* "net.ipv4.tcp_rmem" is the base of "net.ipv4.tcp_rmem[1]". */
static size_t
base_length(const char *name)
{
    return strcspn(name, "[");
}

static bool
is_named(const ParamEntry *entry, const char *prefix, const char *name)
{
    size_t prefix_len = strlen(prefix);

    if (!g_str_has_prefix(entry->name, prefix))
        return false;

    const char *rest = entry->name + prefix_len;

    return strcmp(rest, name) == 0 ||
           (base_length(rest) == strlen(name) && strncmp(rest, name, strlen(name)) == 0);
}

/* The first entry of that name (a vector's base name finds its first number). */
static const ParamEntry *
find_entry(const char *name)
{
    static const char *const prefixes[] = { "", "net.ipv4.", "net.core." };

    for (size_t p = 0; p < G_N_ELEMENTS(prefixes); p++)
        for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
            if (is_named(&entries[i], prefixes[p], name))
                return &entries[i];
    return NULL;
}

const char *
stack_param_name(unsigned i)
{
    for (size_t e = 0; e < G_N_ELEMENTS(entries); e++) {
        const char *open = strchr(entries[e].name, '[');

        if (open != NULL && strcmp(open, "[0]") != 0)
            continue;
        if (i-- == 0)
            return entries[e].name;
    }
    return NULL;
}

void
stack_params_init(StackParams *params, TcpProfile profile)
{
    memset(params, 0, sizeof *params);
    tcp_params_init(&params->tcp, profile);
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        const ParamEntry *entry = &entries[i];

        if (entry->owner == PARAM_OF_TCP)
            continue;
        *(uint32_t *)((char *)params + entry->at) =
            (uint32_t)(profile == TCP_PROFILE_RFC ? entry->rfc_value : entry->linux_value);
    }
}

static bool
set_number(const ParamEntry *entry, StackParams *params, const char *value, char **error)
{
    gint64 number;

    if (!g_ascii_string_to_signed(value, 10, entry->min, entry->max, &number, NULL)) {
        *error =
            g_strdup_printf("%s: found \"%s\", expected a whole number of %s from %" G_GINT64_FORMAT
                            " to %" G_GINT64_FORMAT,
                            entry->name, value, entry->unit, entry->min, entry->max);
        return false;
    }
    *(uint32_t *)((char *)params + entry->at) = (uint32_t)number;
    return true;
}

/* The full name to hand to TCP: what the user wrote may lack its prefix. */
static char *
full_name(const ParamEntry *entry, const char *name)
{
    size_t base = base_length(entry->name);

    return strchr(name, '[') != NULL || strchr(entry->name, '[') == NULL
               ? g_strdup(entry->name)
               : g_strndup(entry->name, base);
}

/* "60s" for a tunable that counts seconds, milliseconds, ...: its number. NULL:
 * the text is no time with a unit, or the tunable counts something else. */
static char *
number_of_time(const ParamEntry *entry, const char *value)
{
    static const struct {
        const char *unit;
        SimTime ns;
    } units[] = { { "s", SIM_SEC }, { "ms", SIM_MS }, { "us", SIM_US }, { "ns", SIM_NS } };
    size_t len = strlen(value);
    SimTime time;
    g_autofree char *ignored = NULL;

    if (len == 0 || !g_ascii_isalpha(value[len - 1]) || !sim_time_parse(value, &time, &ignored))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (strcmp(entry->unit, units[i].unit) == 0 && time % units[i].ns == 0)
            return g_strdup_printf("%" G_GINT64_FORMAT, time / units[i].ns);
    return NULL;
}

bool
stack_params_set(StackParams *params, const char *name, const char *value, char **error)
{
    const ParamEntry *entry = find_entry(name);

    if (entry == NULL) {
        *error = g_strdup_printf("%s: no sysctl or tunable is called so", name);
        return false;
    }

    g_autofree char *number = number_of_time(entry, value);

    if (number != NULL)
        value = number;
    if (entry->owner != PARAM_OF_TCP)
        return set_number(entry, params, value, error);

    g_autofree char *full = full_name(entry, name);

    return tcp_params_set(&params->tcp, full, value, error);
}

static void
append_value(GString *text, const ParamEntry *entry, const StackParams *params)
{
    const char *at = (const char *)params + entry->at;

    if (text->len > 0)
        g_string_append_c(text, ' ');
    switch (entry->kind) {
    case PARAM_U32:
        g_string_append_printf(text, "%" G_GUINT32_FORMAT, *(const uint32_t *)at);
        break;
    case PARAM_I32:
        g_string_append_printf(text, "%" G_GINT32_FORMAT, *(const int32_t *)at);
        break;
    case PARAM_TEXT:
        g_string_append(text, *(const char *const *)at);
        break;
    }
}

bool
stack_params_get(const StackParams *params, const char *name, char **value)
{
    const ParamEntry *entry = find_entry(name);

    if (entry == NULL)
        return false;

    GString *text = g_string_new(NULL);
    size_t base = base_length(entry->name);
    bool is_vector = entry->name[base] == '[' && strchr(name, '[') == NULL;
    const ParamEntry *end = entries + G_N_ELEMENTS(entries);

    do
        append_value(text, entry, params);
    while (is_vector && ++entry < end && strncmp(entry->name, entry[-1].name, base + 1) == 0);
    *value = g_string_free(text, FALSE);
    return true;
}

Host *
stack_new(Net *net, const char *name, const StackParams *params)
{
    Host *host = host_new(net, name);

    host->forwards = params->forwards;
    host->packets_per_s = params->packets_per_s;
    host->netdev_max_backlog = params->netdev_max_backlog;
    if (host->packets_per_s != 0)
        host_set_processing_rate(host, host->packets_per_s, host->netdev_max_backlog);
    ip_attach(host, &params->ip);
    udp_attach(host);
    if (params->tcp.port_first <= params->tcp.port_last)
        udp_set_port_range(host, (uint16_t)params->tcp.port_first, (uint16_t)params->tcp.port_last);
    tcp_attach(host, &params->tcp);
    return host;
}

static StackParams
live_params(Host *host)
{
    return (StackParams){ .tcp = *tcp_params(host),
                          .ip = *ip_params(host),
                          .forwards = host->forwards,
                          .packets_per_s = host->packets_per_s,
                          .netdev_max_backlog = host->netdev_max_backlog };
}

bool
stack_set(Host *host, const char *name, const char *value, char **error)
{
    StackParams params = live_params(host);

    if (!stack_params_set(&params, name, value, error))
        return false;
    tcp_set_params(host, &params.tcp);
    *ip_params(host) = params.ip;
    if (params.tcp.port_first <= params.tcp.port_last)
        udp_set_port_range(host, (uint16_t)params.tcp.port_first, (uint16_t)params.tcp.port_last);
    if (params.netdev_max_backlog != host->netdev_max_backlog) {
        host->netdev_max_backlog = params.netdev_max_backlog;
        host_set_processing_rate(host, host->packets_per_s, host->netdev_max_backlog);
    }
    return true;
}

bool
stack_get(Host *host, const char *name, char **value)
{
    StackParams params = live_params(host);

    return stack_params_get(&params, name, value);
}
