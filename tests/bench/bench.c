/* bench [--json FILE] [--small] [WORKLOAD ...]: runs each workload in a child
 * process and prints one table. `bench --one WORKLOAD [--size N]` runs one in
 * this process, for callgrind and perf; what N counts is the workload's (ms of
 * virtual time, connections, packets, runs).
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct Measure {
    const BenchWorkload *workload;
    BenchResult result;
    double user_s, wall_s;
    long peak_kib;
} Measure;

static double
wall_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool
measure(const BenchWorkload *workload, uint64_t size, Measure *m)
{
    int fds[2], status;
    struct rusage usage;
    double began = wall_clock();
    pid_t child;
    bool ok;

    if (pipe(fds) != 0)
        return false;
    child = fork();
    if (child == 0) {
        BenchResult result = workload->run(size);

        _exit(write(fds[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    close(fds[1]);
    ok = read(fds[0], &m->result, sizeof m->result) == sizeof m->result;
    close(fds[0]);
    if (child < 0 || wait4(child, &status, 0, &usage) < 0)
        return false;
    m->workload = workload;
    m->user_s = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
    m->wall_s = wall_clock() - began;
    m->peak_kib = usage.ru_maxrss;
    return ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static double
per(double seconds, uint64_t n)
{
    return n > 0 ? seconds * 1e9 / (double)n : 0;
}

static void
print_cell(double value)
{
    if (value > 0)
        printf(" %10.1f", value);
    else
        printf(" %10s", "-");
}

static void
print_row(const Measure *m)
{
    const BenchResult *r = &m->result;

    printf("%-16s %8.2f %8.2f %9.1f", m->workload->name, m->user_s, m->wall_s,
           (double)m->peak_kib / 1024);
    print_cell(per(m->user_s, r->segments));
    print_cell(per(m->user_s, r->events));
    print_cell(r->segments > 0 ? 0 : per(m->user_s, r->connections + r->packets));
    printf("  %s\n", m->workload->what);
    fflush(stdout);
}

static void
add_row(JsonBuilder *b, const Measure *m)
{
    const BenchResult *r = &m->result;

    json_builder_begin_object(b);
    json_builder_set_member_name(b, "workload");
    json_builder_add_string_value(b, m->workload->name);
#define NUMBER(key, value)                                                                         \
    json_builder_set_member_name(b, key);                                                          \
    json_builder_add_double_value(b, (double)(value))
    NUMBER("user_s", m->user_s);
    NUMBER("wall_s", m->wall_s);
    NUMBER("peak_kib", m->peak_kib);
    NUMBER("segments", r->segments);
    NUMBER("events", r->events);
    NUMBER("connections", r->connections);
    NUMBER("packets", r->packets);
    NUMBER("runs", r->runs);
    NUMBER("ns_per_segment", per(m->user_s, r->segments));
    NUMBER("ns_per_event", per(m->user_s, r->events));
    NUMBER("ns_per_connection", r->segments > 0 ? 0 : per(m->user_s, r->connections + r->packets));
    NUMBER("checksum", r->checksum);
#undef NUMBER
    json_builder_end_object(b);
}

static bool
is_wanted(const char *name, char **names)
{
    return names == NULL || names[0] == NULL || g_strv_contains((const char *const *)names, name);
}

static int
run_all(const char *json_file, bool small, char **names)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    int failures = 0;

    printf("%-16s %8s %8s %9s %10s %10s %10s\n", "workload", "user s", "wall s", "peak MiB",
           "ns/segment", "ns/event", "ns/conn");
    json_builder_begin_array(builder);
    for (unsigned i = 0; i < bench_n_workloads; i++) {
        const BenchWorkload *workload = &bench_workloads[i];
        Measure m;

        if (!is_wanted(workload->name, names))
            continue;
        if (!measure(workload, small ? workload->small : workload->size, &m)) {
            printf("%-16s failed\n", workload->name);
            failures++;
            continue;
        }
        print_row(&m);
        add_row(builder, &m);
    }
    json_builder_end_array(builder);
    if (json_file != NULL) {
        g_autoptr(JsonGenerator) generator = json_generator_new();
        g_autoptr(JsonNode) root = json_builder_get_root(builder);
        g_autoptr(GError) error = NULL;

        json_generator_set_root(generator, root);
        json_generator_set_pretty(generator, TRUE);
        if (!json_generator_to_file(generator, json_file, &error)) {
            fprintf(stderr, "bench: %s\n", error->message);
            return 2;
        }
    }
    return failures > 0;
}

static int
run_one(const char *name, uint64_t size, bool small)
{
    for (unsigned i = 0; i < bench_n_workloads; i++) {
        const BenchWorkload *workload = &bench_workloads[i];

        if (strcmp(workload->name, name) == 0) {
            BenchResult r = workload->run(size > 0 ? size
                                          : small  ? workload->small
                                                   : workload->size);

            printf("%s segments %" G_GUINT64_FORMAT " events %" G_GUINT64_FORMAT
                   " connections %" G_GUINT64_FORMAT " packets %" G_GUINT64_FORMAT
                   " checksum %.0f\n",
                   name, r.segments, r.events, r.connections, r.packets, r.checksum);
            return 0;
        }
    }
    fprintf(stderr, "bench: no workload is called %s\n", name);
    return 2;
}

int
main(int argc, char **argv)
{
    g_autofree char *json_file = NULL, *one = NULL;
    gboolean small = FALSE;
    gint64 size = 0;
    g_auto(GStrv) names = NULL;
    const GOptionEntry entries[] = {
        { "json", 0, 0, G_OPTION_ARG_FILENAME, &json_file, "write the figures as JSON", "FILE" },
        { "small", 0, 0, G_OPTION_ARG_NONE, &small, "the sizes for counting instructions", NULL },
        { "one", 0, 0, G_OPTION_ARG_STRING, &one, "run one workload in this process", "WORKLOAD" },
        { "size", 0, 0, G_OPTION_ARG_INT64, &size, "of --one, in its own unit", "N" },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &names, NULL, "[WORKLOAD ...]" },
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "bench: %s\n", error->message);
        return 2;
    }
    if (size < 0) {
        fprintf(stderr, "bench: --size %" G_GINT64_FORMAT ": a number above 0 is expected\n", size);
        return 2;
    }
    return one != NULL ? run_one(one, (uint64_t)size, small) : run_all(json_file, small, names);
}
