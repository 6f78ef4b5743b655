/* What a user may get wrong in the parameters of a link, and the two text
 * formats that they come in: Mahimahi's traces and netem's distributions. */
#include "models/link/link_internal.h"

#include <errno.h>
#include <string.h>

#define LONGEST                                                                                    \
    (365 * 24 * 3600 * SIM_SEC) /* so that sums of times stay far from the end of time */

const char *
link_params_problem(const LinkParams *params, const char **key)
{
    const QdiscParams *queue = &params->queue;

    if (params->mtu < IPV4_HEADER_BYTES + 8) {
        *key = "mtu";
        return "room for an IP header and one block of data: 28 bytes or more";
    }
    *key = params->delay > LONGEST           ? "delay"
           : params->jitter.amount > LONGEST ? "jitter"
                                             : "reorder_by";
    if (params->delay > LONGEST || params->jitter.amount > LONGEST || params->reorder_by > LONGEST)
        return "a time of at most a year";
    if (params->n_trace > 0 && params->trace[params->n_trace - 1] <= 0) {
        *key = "trace";
        return "a last time above 0: it is the length of the trace";
    }
    *key = "queue";
    switch (queue->kind) {
    case QDISC_FIFO:
        return NULL;
    case QDISC_RED:
        if (queue->red_max <= queue->red_min)
            return "max above min, in bytes of average queue";
        return queue->red_weight > 0 ? NULL : "a weight above 0";
    case QDISC_CODEL:
    case QDISC_FQ_CODEL:
        if (queue->codel_target <= 0 || queue->codel_interval <= 0)
            return "a target and an interval above 0";
        return NULL;
    case QDISC_TBF:
        if (queue->tbf_rate == 0)
            return "a rate above 0";
        if (queue->tbf_burst < params->mtu)
            return "a burst of at least one MTU, for a larger packet would never leave";
        return NULL;
    }
    return NULL;
}

/* One number a line or more, '#' to the end of a line is a comment. */
static bool
read_numbers(const char *text, const char *what, GArray *numbers, char **error)
{
    unsigned line = 1;

    for (const char *at = text; *at != '\0';) {
        if (*at == '\n')
            line++;
        if (g_ascii_isspace(*at)) {
            at++;
            continue;
        }
        if (*at == '#') {
            at += strcspn(at, "\n");
            continue;
        }
        char *end;
        errno = 0;
        gint64 number = g_ascii_strtoll(at, &end, 10);
        if (end == at || errno != 0 || (*end != '\0' && *end != '#' && !g_ascii_isspace(*end))) {
            size_t length = strcspn(at, " \t\r\n");
            *error = g_strdup_printf("line %u: found \"%.*s\", expected %s", line,
                                     (int)MIN(length, 20), at, what);
            return false;
        }
        g_array_append_val(numbers, number);
        at = end;
    }
    if (numbers->len == 0) {
        *error = g_strdup_printf("found nothing, expected %s", what);
        return false;
    }
    return true;
}

bool
link_trace_parse(const char *text, SimTime **times, uint32_t *n, char **error)
{
    const gint64 longest = 1000 * 1000 * 1000; /* ms: twelve days */
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));

    if (!read_numbers(text, "a time in milliseconds", numbers, error))
        return false;
    gint64 *ms = (gint64 *)(void *)numbers->data;
    for (guint i = 0; i < numbers->len; i++) {
        if (ms[i] < (i > 0 ? ms[i - 1] : 0) || ms[i] > longest) {
            *error = g_strdup_printf("opportunity %u: found %" G_GINT64_FORMAT
                                     ", expected ascending milliseconds",
                                     i + 1, ms[i]);
            return false;
        }
    }
    *n = numbers->len;
    *times = g_new(SimTime, *n);
    for (uint32_t i = 0; i < *n; i++)
        (*times)[i] = ms[i] * SIM_MS;
    return true;
}

bool
link_table_parse(const char *text, double **values, uint32_t *n, char **error)
{
    const double scale = 8192; /* netem's: one standard deviation */
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));

    if (!read_numbers(text, "a whole number in units of 1/8192", numbers, error))
        return false;
    gint64 *value = (gint64 *)(void *)numbers->data;
    for (guint i = 1; i < numbers->len; i++) {
        if (value[i] < value[i - 1]) {
            *error = g_strdup_printf("value %u: found %" G_GINT64_FORMAT
                                     ", expected no less than the one before",
                                     i + 1, value[i]);
            return false;
        }
    }
    *n = numbers->len;
    *values = g_new(double, *n);
    for (uint32_t i = 0; i < *n; i++)
        (*values)[i] = (double)value[i] / scale;
    return true;
}
