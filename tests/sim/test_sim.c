/* The order of events: ties, far and near, and any mix of events and timers
 * against a model that simply sorts. */
#include "sim/sim.h"

#include <glib.h>

typedef struct Log {
    Sim *sim;
    GString *text;
} Log;

static void
log_a(void *arg)
{
    g_string_append_c(((Log *)arg)->text, 'a');
}

static void
log_b(void *arg)
{
    g_string_append_c(((Log *)arg)->text, 'b');
}

static void
log_c_and_b_now(void *arg)
{
    Log *log = arg;

    g_string_append_c(log->text, 'c');
    sim_at(log->sim, sim_now(log->sim), log_b, log);
}

static void
log_stop(void *arg)
{
    Log *log = arg;

    g_string_append_c(log->text, 's');
    sim_stop(log->sim);
}

static Log
log_new(void)
{
    return (Log){ .sim = sim_new(1), .text = g_string_new(NULL) };
}

static void
log_expect(Log *log, const char *text)
{
    g_assert_cmpstr(log->text->str, ==, text);
    g_string_truncate(log->text, 0);
}

static void
log_free(Log *log)
{
    sim_free(log->sim);
    g_string_free(log->text, TRUE);
}

static void
events_of_one_time_run_in_order_of_scheduling(void)
{
    Log log = log_new();
    const SimTime times[] = { 0, 5, SIM_MS, 90 * SIM_MS, 3600 * SIM_SEC, SIM_NEVER - 1 };

    for (unsigned i = 0; i < G_N_ELEMENTS(times); i++) {
        sim_at(log.sim, times[i], log_a, &log);
        sim_at(log.sim, times[i], log_b, &log);
        sim_at(log.sim, times[i], log_a, &log);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(times); i++) {
        sim_run(log.sim, times[i]);
        log_expect(&log, "aba");
    }
    log_free(&log);
}

static void
an_event_scheduled_now_runs_after_those_already_due(void)
{
    Log log = log_new();

    sim_at(log.sim, 7, log_c_and_b_now, &log);
    sim_at(log.sim, 7, log_a, &log);
    sim_run(log.sim, SIM_NEVER);
    log_expect(&log, "cab");
    log_free(&log);
}

static void
the_clock_stands_at_until_or_at_the_last_event(void)
{
    Log log = log_new();

    sim_at(log.sim, 3 * SIM_SEC, log_a, &log);
    sim_run(log.sim, SIM_SEC);
    g_assert_cmpint(sim_now(log.sim), ==, SIM_SEC);
    sim_run(log.sim, SIM_NEVER);
    g_assert_cmpint(sim_now(log.sim), ==, 3 * SIM_SEC);
    sim_run(log.sim, 4 * SIM_SEC);
    g_assert_cmpint(sim_now(log.sim), ==, 4 * SIM_SEC);
    g_assert_cmpuint(sim_events_run(log.sim), ==, 1);
    g_assert_false(sim_step(log.sim));
    g_assert_cmpint(sim_next_event(log.sim), ==, SIM_NEVER);
    log_free(&log);
}

static void
stop_ends_the_run_after_the_current_event(void)
{
    Log log = log_new();

    sim_at(log.sim, 1, log_stop, &log);
    sim_at(log.sim, 1, log_a, &log);
    sim_run(log.sim, 10);
    log_expect(&log, "s");
    g_assert_cmpint(sim_now(log.sim), ==, 1);
    sim_run(log.sim, 10);
    log_expect(&log, "a");
    log_free(&log);
}

static void
a_timer_pushed_back_runs_once_at_its_last_deadline(void)
{
    Log log = log_new();
    SimTimer timer;

    sim_timer_init(&timer);
    for (SimTime at = SIM_MS; at <= 500 * SIM_MS; at += SIM_MS)
        sim_timer_set(log.sim, &timer, at, log_a, &log);
    g_assert_true(sim_timer_is_set(&timer));
    sim_run(log.sim, 500 * SIM_MS - 1);
    log_expect(&log, "");
    sim_run(log.sim, 500 * SIM_MS);
    log_expect(&log, "a");
    g_assert_false(sim_timer_is_set(&timer));
    g_assert_cmpuint(sim_events_run(log.sim), ==, 1);
    log_free(&log);
}

static void
a_timer_pushed_back_stands_behind_what_was_scheduled_before_the_push(void)
{
    Log log = log_new();
    SimTimer timer;

    sim_timer_init(&timer);
    sim_timer_set(log.sim, &timer, 10, log_a, &log);
    sim_at(log.sim, 20, log_b, &log);
    sim_timer_set(log.sim, &timer, 20, log_a, &log);
    sim_at(log.sim, 20, log_c_and_b_now, &log);
    sim_run(log.sim, SIM_NEVER);
    log_expect(&log, "bacb");
    log_free(&log);
}

static void
a_timer_brought_forward_runs_early_and_once(void)
{
    const SimTime late[] = { 900, 2 * SIM_SEC };

    for (unsigned i = 0; i < G_N_ELEMENTS(late); i++) {
        Log log = log_new();
        SimTimer timer;

        sim_timer_init(&timer);
        sim_timer_set(log.sim, &timer, late[i], log_a, &log);
        sim_timer_set(log.sim, &timer, 100, log_a, &log);
        sim_run(log.sim, 100);
        log_expect(&log, "a");
        sim_run(log.sim, SIM_NEVER);
        log_expect(&log, "");
        log_free(&log);
    }
}

static void
a_stopped_timer_is_silent_and_may_be_set_again(void)
{
    Log log = log_new();
    SimTimer timer;

    sim_timer_init(&timer);
    sim_timer_set(log.sim, &timer, 10, log_a, &log);
    sim_timer_stop(log.sim, &timer);
    sim_run(log.sim, 20);
    log_expect(&log, "");
    sim_timer_set(log.sim, &timer, 30, log_a, &log);
    sim_timer_stop(log.sim, &timer);
    sim_timer_set(log.sim, &timer, 40, log_a, &log);
    sim_run(log.sim, SIM_NEVER);
    log_expect(&log, "a");
    g_assert_cmpint(sim_now(log.sim), ==, 40);
    log_free(&log);
}

static void
a_timer_that_is_done_leaves_nothing_that_looks_at_it(void)
{
    Log log = log_new();
    SimTimer *near = g_new(SimTimer, 1), *far = g_new(SimTimer, 1);

    sim_timer_init(near);
    sim_timer_init(far);
    sim_timer_set(log.sim, near, 10, log_a, &log);
    sim_timer_set(log.sim, far, SIM_SEC, log_a, &log);
    sim_timer_done(log.sim, near);
    sim_timer_done(log.sim, far);
    g_free(near);
    g_free(far);
    sim_run(log.sim, SIM_NEVER);
    log_expect(&log, "");
    log_free(&log);
}

static void
a_stopped_far_timer_does_not_move_the_queue_past_now(void)
{
    Log log = log_new();
    SimTimer timer;

    sim_timer_init(&timer);
    sim_timer_set(log.sim, &timer, 3600 * SIM_SEC, log_a, &log);
    sim_timer_stop(log.sim, &timer);
    sim_run(log.sim, SIM_NEVER);
    g_assert_cmpint(sim_now(log.sim), ==, 0);
    sim_at(log.sim, SIM_SEC, log_b, &log);
    sim_at(log.sim, 1, log_a, &log);
    sim_run(log.sim, SIM_NEVER);
    log_expect(&log, "ab");
    log_free(&log);
}

/* The model: every pending event in one array, the least taken by looking at
 * all of them. */
enum {
    MODEL_TIMERS = 40,
};

typedef struct ModelEvent {
    SimTime when;
    uint64_t order;
    unsigned id; /* timers: below MODEL_TIMERS */
} ModelEvent;

typedef struct Model {
    Sim *sim;
    GRand *random;
    GArray *pending; /* of ModelEvent */
    uint64_t next_order;
    unsigned next_id;
    unsigned fired;
    SimTimer timers[MODEL_TIMERS];
} Model;

typedef struct ModelArg {
    Model *model;
    unsigned id;
} ModelArg;

static void
model_forget(Model *model, unsigned id)
{
    for (guint i = 0; i < model->pending->len; i++) {
        if (g_array_index(model->pending, ModelEvent, i).id == id) {
            g_array_remove_index_fast(model->pending, i);
            return;
        }
    }
}

static void
model_expect(Model *model, unsigned id)
{
    ModelEvent *least = &g_array_index(model->pending, ModelEvent, 0);

    for (guint i = 1; i < model->pending->len; i++) {
        ModelEvent *e = &g_array_index(model->pending, ModelEvent, i);
        if (e->when < least->when || (e->when == least->when && e->order < least->order))
            least = e;
    }
    g_assert_cmpint(least->when, ==, sim_now(model->sim));
    g_assert_cmpuint(least->id, ==, id);
    model_forget(model, id);
    model->fired++;
}

static void model_act(Model *model);

static void
model_fire(void *arg)
{
    ModelArg *fired = arg;
    Model *model = fired->model;

    model_expect(model, fired->id);
    g_free(fired);
    if (model->pending->len < 300)
        model_act(model);
}

static void
model_fire_timer(void *arg)
{
    SimTimer *timer = arg;
    Model *model = (Model *)((char *)(timer - timer->spare) - offsetof(Model, timers));

    model_expect(model, timer->spare);
    if (model->pending->len < 300)
        model_act(model);
}

/* Times at every scale, and often exactly equal ones. */
static SimTime
model_when(Model *model)
{
    SimTime step = SIM_NS << (10 * g_rand_int_range(model->random, 0, 5));

    if (model->pending->len > 0 && g_rand_boolean(model->random)) {
        guint i = (guint)g_rand_int_range(model->random, 0, (gint32)model->pending->len);
        return g_array_index(model->pending, ModelEvent, i).when;
    }
    return sim_now(model->sim) + step * g_rand_int_range(model->random, 0, 1500);
}

static void
model_add(Model *model, SimTime when, unsigned id)
{
    ModelEvent event = { .when = when, .order = model->next_order++, .id = id };

    g_array_append_val(model->pending, event);
}

static void
model_act(Model *model)
{
    unsigned id = (unsigned)g_rand_int_range(model->random, 0, MODEL_TIMERS);
    SimTimer *timer = &model->timers[id];
    SimTime when = model_when(model);

    switch (g_rand_int_range(model->random, 0, 8)) {
    case 0:
    case 1:
    case 2: {
        ModelArg *arg = g_new(ModelArg, 1);
        *arg = (ModelArg){ .model = model, .id = model->next_id++ };
        model_add(model, when, arg->id);
        sim_at(model->sim, when, model_fire, arg);
        break;
    }
    case 3:
        model_forget(model, id);
        sim_timer_stop(model->sim, timer);
        break;
    case 4:
        model_forget(model, id);
        sim_timer_done(model->sim, timer);
        break;
    default:
        model_forget(model, id);
        model_add(model, when, id);
        sim_timer_set(model->sim, timer, when, model_fire_timer, timer);
        break;
    }
}

static void
any_mix_of_events_and_timers_runs_as_a_sorted_list_would(void)
{
    for (guint32 seed = 0; seed < 40; seed++) {
        Model model = {
            .sim = sim_new(seed),
            .random = g_rand_new_with_seed(seed),
            .pending = g_array_new(FALSE, FALSE, sizeof(ModelEvent)),
            .next_id = MODEL_TIMERS,
        };
        for (unsigned i = 0; i < MODEL_TIMERS; i++) {
            sim_timer_init(&model.timers[i]);
            model.timers[i].spare = i;
        }
        for (unsigned round = 0; round < 200; round++) {
            for (unsigned i = 0; i < 12; i++)
                model_act(&model);
            SimTime until = model_when(&model);
            sim_run(model.sim, until);
            g_assert_cmpint(sim_now(model.sim), ==, until);
        }
        for (unsigned i = 0; i < model.pending->len; i++)
            g_assert_cmpint(g_array_index(model.pending, ModelEvent, i).when, >,
                            sim_now(model.sim));
        while (model.pending->len > 0)
            g_assert_true(sim_step(model.sim));
        g_assert_false(sim_step(model.sim));
        g_assert_cmpuint(model.fired, >, 500);
        g_array_free(model.pending, TRUE);
        g_rand_free(model.random);
        sim_free(model.sim);
    }
}

static void
next_event_is_never_later_than_the_event(void)
{
    Log log = log_new();
    GRand *random = g_rand_new_with_seed(3);

    for (unsigned i = 0; i < 200; i++)
        sim_at(log.sim, (SimTime)g_rand_int(random) * (1 << (i % 8)), log_a, &log);
    for (SimTime bound = sim_next_event(log.sim); sim_step(log.sim);
         bound = sim_next_event(log.sim))
        g_assert_cmpint(bound, <=, sim_now(log.sim));
    g_rand_free(random);
    log_free(&log);
}

static void
an_event_in_the_past_is_a_bug(void)
{
    if (g_test_subprocess()) {
        Log log = log_new();

        sim_run(log.sim, 2 * SIM_SEC);
        sim_at(log.sim, SIM_SEC, log_a, &log);
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*check failed at sim/sim.c:*when >= sim->now*");
}

static void
fail_a_check(void *arg)
{
    sim_check(arg == NULL);
}

static void
a_failed_check_prints_the_virtual_time(void)
{
    if (g_test_subprocess()) {
        Log log = log_new();

        sim_at(log.sim, 1500 * SIM_MS, fail_a_check, &log);
        sim_run(log.sim, SIM_NEVER);
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*virtual time 1.500000000*");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/sim/" #claim, claim)
    ADD(events_of_one_time_run_in_order_of_scheduling);
    ADD(an_event_scheduled_now_runs_after_those_already_due);
    ADD(the_clock_stands_at_until_or_at_the_last_event);
    ADD(stop_ends_the_run_after_the_current_event);
    ADD(a_timer_pushed_back_runs_once_at_its_last_deadline);
    ADD(a_timer_pushed_back_stands_behind_what_was_scheduled_before_the_push);
    ADD(a_timer_brought_forward_runs_early_and_once);
    ADD(a_stopped_timer_is_silent_and_may_be_set_again);
    ADD(a_timer_that_is_done_leaves_nothing_that_looks_at_it);
    ADD(a_stopped_far_timer_does_not_move_the_queue_past_now);
    ADD(any_mix_of_events_and_timers_runs_as_a_sorted_list_would);
    ADD(next_event_is_never_later_than_the_event);
    ADD(an_event_in_the_past_is_a_bug);
    ADD(a_failed_check_prints_the_virtual_time);
#undef ADD
    return g_test_run();
}
