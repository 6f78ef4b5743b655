/* Threads of GLib's pool that draw the next index until none is left: jobs may
 * be as short as one handshake, and a long one holds up nobody else's. */
#include "sim/batch.h"

#include <glib.h>

typedef struct Batch {
    unsigned jobs;
    SimBatchFn *fn;
    void *arg;  /* borrows */
    guint next; /* atomic: the first job nobody has drawn */
} Batch;

static void
batch_work(gpointer unused, gpointer arg)
{
    Batch *batch = arg;

    (void)unused;
    for (;;) {
        guint index = (guint)g_atomic_int_add(&batch->next, 1);
        if (index >= batch->jobs)
            return;
        batch->fn(batch->arg, index);
    }
}

void
sim_batch_run(unsigned jobs, unsigned threads, SimBatchFn *fn, void *arg)
{
    Batch batch = { .jobs = jobs, .fn = fn, .arg = arg };

    if (threads == 0)
        threads = g_get_num_processors();
    threads = MIN(threads, jobs);
    if (threads <= 1) {
        batch_work(NULL, &batch);
        return;
    }
    GThreadPool *pool = g_thread_pool_new(batch_work, &batch, (gint)threads, TRUE, NULL);
    for (unsigned i = 0; i < threads; i++)
        g_thread_pool_push(pool, &batch, NULL);
    g_thread_pool_free(pool, FALSE, TRUE);
}
