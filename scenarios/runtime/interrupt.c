#include "scenarios/runtime/interrupt.h"

#include <glib.h>
#include <signal.h>
#include <stddef.h>

/* The one mutable global of the program: a signal is of the whole process, and
 * its handler can reach nothing else. Atomic: the threads of a batch look at it. */
static gint received;

static const struct {
    int number;
    const char *name;
} signals[] = { { SIGINT, "SIGINT" }, { SIGTERM, "SIGTERM" }, { SIGHUP, "SIGHUP" } };

static void
receive(int number)
{
    g_atomic_int_set(&received, number);
}

void
interrupt_catch(void)
{
    struct sigaction action = { .sa_handler = receive, .sa_flags = (int)SA_RESETHAND };
    struct sigaction was;

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (sigaction(signals[i].number, NULL, &was) == 0 && was.sa_handler != SIG_IGN)
            sigaction(signals[i].number, &action, NULL); /* nohup(1) keeps what it set */
    }
    signal(SIGPIPE, SIG_IGN);
}

const char *
interrupt_name(void)
{
    gint number = g_atomic_int_get(&received);

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (number == signals[i].number)
            return signals[i].name;
    }
    return NULL;
}

void
interrupt_pass_on(void)
{
    gint number = g_atomic_int_get(&received);

    if (number == 0)
        return;
    signal(number, SIG_DFL);
    raise(number);
}
