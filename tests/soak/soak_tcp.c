/* The long random test of TCP: a world for each seed (tests/support/soak.h),
 * each twice, for the same seed must tell the same story.
 *
 *   soak_tcp                      the seeds of `make soak`, on all cores
 *   soak_tcp --from 1 --seeds N   others
 *   soak_tcp --seed N [--verbose] one of them, with its settings
 *
 * Exit 0: all is well; 1: a seed failed, and was named.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/batch.h"
#include "tests/support/soak.h"

typedef struct Soak {
    uint64_t from;
    SoakResult *results; /* owns, by index */
    bool *repeats;       /* owns: told the same twice */
} Soak;

/* Which seed this thread is at, for when it ends here. */
static _Thread_local uint64_t seed_now;

static void
on_crash(int signal_number)
{
    char text[64];
    int len = g_snprintf(text, sizeof text, "# seed %" PRIu64 " crashed\n", seed_now);

    if (write(STDERR_FILENO, text, (size_t)len) == len)
        signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void
run_one(void *arg, unsigned index)
{
    Soak *soak = arg;
    SoakResult again;

    seed_now = soak->from + index;
    soak->results[index] = soak_run(soak->from + index, NULL);
    again = soak_run(soak->from + index, NULL);
    soak->repeats[index] =
        again.hash == soak->results[index].hash && again.events == soak->results[index].events;
    soak_result_done(&again);
}

static void
print_failure(const Soak *soak, unsigned index, const char *program)
{
    const SoakResult *result = &soak->results[index];
    g_auto(GStrv) lines = g_strsplit(result->settings, "\n", -1);

    printf("# seed %" PRIu64 ": %s\n", soak->from + index,
           result->failure ? result->failure : "the same seed told another story");
    for (char **line = lines; *line != NULL && **line != '\0'; line++)
        printf("#   %s\n", *line);
    printf("#   again: %s --seed %" PRIu64 " --verbose\n", program, soak->from + index);
}

static int
run_many(uint64_t from, unsigned seeds, unsigned threads, const char *program)
{
    Soak soak = { .from = from,
                  .results = g_new0(SoakResult, seeds),
                  .repeats = g_new0(bool, seeds) };
    uint64_t events = 0, packets = 0, connections = 0, bytes = 0, errors = 0;
    unsigned failed = 0, polite = 0;

    sim_batch_run(seeds, threads, run_one, &soak);
    for (unsigned i = 0; i < seeds; i++) {
        SoakResult *result = &soak.results[i];

        if (result->failure != NULL || !soak.repeats[i]) {
            failed++;
            print_failure(&soak, i, program);
        }
        events += result->events;
        packets += result->packets;
        connections += result->connections;
        bytes += result->bytes;
        errors += result->errors;
        polite += result->is_polite;
        soak_result_done(result);
    }
    printf("%s 1 - every byte arrives once and in order, or an error says why not\n",
           failed == 0 ? "ok" : "not ok");
    printf("# seeds %" PRIu64 " to %" PRIu64 " (%u polite), each twice: %" PRIu64
           " ends of connections, %" PRIu64 " bytes read, %" PRIu64 " packets, %" PRIu64
           " events, %" PRIu64 " promised errors, %u failures\n",
           from, from + seeds - 1, polite, connections, bytes, packets, events, errors, failed);
    printf("1..1\n");
    g_free(soak.results);
    g_free(soak.repeats);
    return failed == 0 ? 0 : 1;
}

static int
run_single(uint64_t seed, bool verbose)
{
    SoakResult result = soak_run(seed, verbose ? stdout : NULL);
    int status = result.failure == NULL ? 0 : 1;

    if (!verbose)
        fputs(result.settings, stdout);
    printf("seed %" PRIu64 ", hash %016" PRIx64 ", %" PRIu64 " events: %s\n", seed, result.hash,
           result.events, result.failure ? result.failure : "all is well");
    soak_result_done(&result);
    return status;
}

int
main(int argc, char **argv)
{
    uint64_t from = 1, single = 0;
    unsigned seeds = 20000, threads = 0;
    bool verbose = false;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--verbose") == 0)
            verbose = true;
        else if (strcmp(argv[i], "--tap") == 0)
            continue;
        else if (strcmp(argv[i], "--seed") == 0 && ++i)
            single = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--from") == 0 && ++i)
            from = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--seeds") == 0 && ++i)
            seeds = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--threads") == 0 && ++i)
            threads = (unsigned)strtoul(value, NULL, 10);
        else {
            fprintf(
                stderr,
                "usage: soak_tcp [--from N] [--seeds N] [--threads N] | --seed N [--verbose]\n");
            return 2;
        }
    }
    signal(SIGABRT, on_crash);
    signal(SIGSEGV, on_crash);
    return single != 0 ? run_single(single, verbose) : run_many(from, seeds, threads, argv[0]);
}
