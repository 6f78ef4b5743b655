/* Mutated bytes into hosts in every state (tests/support/fuzz.h).
 *
 *   soak_fuzz            the seeds of `make soak`, on all cores
 *   soak_fuzz --seed N   one of them
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "sim/batch.h"
#include "tests/support/fuzz.h"

enum { SEEDS = 8000, PACKETS = 300 };

static void
run_one(void *arg, unsigned index)
{
    char **wrong = arg;

    wrong[index] = fuzz_host(index + 1, PACKETS);
}

int
main(int argc, char **argv)
{
    g_autofree char **wrong = g_new0(char *, SEEDS);
    unsigned failed = 0;

    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        g_autofree char *one = fuzz_host(strtoull(argv[2], NULL, 10), PACKETS);

        printf("%s\n", one != NULL ? one : "all is well");
        return one != NULL;
    }
    sim_batch_run(SEEDS, 0, run_one, wrong);
    for (unsigned i = 0; i < SEEDS; i++) {
        if (wrong[i] != NULL && failed++ < 20)
            printf("# seed %u: %s; again: %s --seed %u\n", i + 1, wrong[i], argv[0], i + 1);
        g_free(wrong[i]);
    }
    printf("%s 1 - %d hosts in any state survive %d mutated packets each\n1..1\n",
           failed == 0 ? "ok" : "not ok", SEEDS, PACKETS);
    return failed != 0;
}
