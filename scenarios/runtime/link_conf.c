/* { rate = "10Mbit", delay = "5ms", loss = "1%", ... } -> LinkParams. The
 * lists that it points to live as long as the Lua call: link_new() copies. */
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "scenarios/runtime/bind.h"

/* { 1, 5, 7 } under a key -> an array of n numbers in Lua memory, left on the stack. */
static double *
read_list(ConfTable *table, const char *key, uint32_t *n, const char *expected)
{
    lua_State *L = table->L;

    if (conf_push(table, key) != LUA_TTABLE || lua_rawlen(L, -1) == 0)
        conf_fail(table, key, expected);
    *n = (uint32_t)lua_rawlen(L, -1);

    double *values = lua_newuserdatauv(L, *n * sizeof *values, 0);

    for (uint32_t i = 0; i < *n; i++) {
        int is_number;

        lua_rawgeti(L, -2, i + 1);
        values[i] = lua_tonumberx(L, -1, &is_number);
        if (!is_number)
            conf_fail(table, key, expected);
        if (i > 0 && values[i] < values[i - 1])
            conf_fail(table, key, "ascending numbers");
        lua_pop(L, 1);
    }
    return values;
}

/* The text of a file beside the scenario, as a Lua string left on the stack: no
 * way out of the scenario's folder. */
static const char *
push_file(ConfTable *table, const char *key, const char *name)
{
    lua_State *L = table->L;
    g_autofree char *folder = g_path_get_dirname(lab_of(L)->file);
    g_autofree char *file = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;
    bool is_inside = !g_path_is_absolute(name) && strstr(name, "..") == NULL;
    bool is_read = is_inside && g_file_get_contents(file, &text, NULL, NULL);

    if (is_read)
        lua_pushstring(L, text);
    /* Lua raises by longjmp: nothing may be held past here. */
    g_free(g_steal_pointer(&folder));
    g_free(g_steal_pointer(&file));
    g_free(g_steal_pointer(&text));
    if (!is_read)
        conf_fail(table, key, "a readable file in the scenario's folder");
    return lua_tostring(L, -1);
}

/* What a parser made, moved into Lua memory; its error raised. */
static void *
adopt_numbers(ConfTable *table, const char *name, void *parsed, size_t bytes, char *error)
{
    lua_State *L = table->L;

    if (error != NULL) {
        lua_pushstring(L, error);
        g_free(error);
        conf_error(L, "%s: %s: %s", table->path, name, lua_tostring(L, -1));
    }
    void *values = lua_newuserdatauv(L, bytes, 0);
    memcpy(values, parsed, bytes);
    g_free(parsed);
    return values;
}

static void
read_jitter_table(ConfTable *table, JitterParams *jitter)
{
    const char *expected = "a file, or a list of ascending quantiles in units of amount";
    double *values = NULL;
    char *error = NULL;

    if (conf_type(table, "table") != LUA_TSTRING) {
        jitter->table = read_list(table, "table", &jitter->n_table, expected);
        return;
    }
    const char *name = conf_text(table, "table", NULL);
    link_table_parse(push_file(table, "table", name), &values, &jitter->n_table, &error);
    jitter->table = adopt_numbers(table, name, values,
                                  error != NULL ? 0 : jitter->n_table * sizeof *values, error);
}

static void
read_loss_list(ConfTable *table, LossParams *loss)
{
    uint32_t n;
    double *values =
        read_list(table, "packets", &n, "a list of numbers of packets, the first is 1");
    uint32_t *list = lua_newuserdatauv(table->L, n * sizeof *list, 0);

    if (values[0] < 1)
        conf_fail(table, "packets", "a list of numbers of packets, the first is 1");
    for (uint32_t i = 0; i < n; i++)
        list[i] = (uint32_t)values[i];
    loss->list = list;
    loss->n_list = n;
}

/* loss = 0.01, "1%", or { kind = "gilbert-elliott", p = ..., r = ... } */
static void
read_loss(ConfTable *table, LossParams *loss)
{
    static const char *const kinds[] = { "none",  "random", "gilbert-elliott",
                                         "burst", "list",   "bit-error" };
    ConfTable t;

    if (conf_type(table, "loss") == LUA_TNIL)
        return;
    if (conf_type(table, "loss") != LUA_TTABLE) {
        double p = conf_probability(table, "loss", 0);

        *loss = (LossParams){ .kind = p > 0 ? LOSS_RANDOM : LOSS_NONE, .p = p };
        return;
    }
    conf_sub(table, "loss", &t);
    *loss = (LossParams){ .kind = (LossKind)conf_choice(&t, "kind", LOSS_RANDOM, kinds,
                                                        G_N_ELEMENTS(kinds)) };
    switch (loss->kind) {
    case LOSS_NONE:
        break;
    case LOSS_RANDOM:
    case LOSS_BIT_ERROR:
        loss->p = conf_probability(&t, "p", 0);
        break;
    case LOSS_GILBERT_ELLIOTT:
        loss->p = conf_probability(&t, "p", 0);
        loss->r = conf_probability(&t, "r", 1 - loss->p);
        loss->one_minus_h = conf_probability(&t, "one_minus_h", 1);
        loss->one_minus_k = conf_probability(&t, "one_minus_k", 0);
        break;
    case LOSS_BURST:
        loss->p = conf_probability(&t, "p", 0);
        loss->burst = (uint32_t)conf_int(&t, "burst", 2, 1, 1000000);
        break;
    case LOSS_LIST:
        read_loss_list(&t, loss);
        break;
    }
    conf_close(&t);
}

/* jitter = "2ms" or { kind = "normal", amount = "2ms", keeps_order = true } */
static void
read_jitter(ConfTable *table, JitterParams *jitter)
{
    static const char *const kinds[] = { "none", "uniform", "normal", "pareto", "table" };
    ConfTable t;

    if (conf_type(table, "jitter") == LUA_TNIL)
        return;
    if (conf_type(table, "jitter") != LUA_TTABLE) {
        SimTime amount = conf_time(table, "jitter", 0);

        *jitter =
            (JitterParams){ .kind = amount > 0 ? JITTER_UNIFORM : JITTER_NONE, .amount = amount };
        return;
    }
    conf_sub(table, "jitter", &t);
    *jitter = (JitterParams){
        .kind = (JitterKind)conf_choice(&t, "kind", JITTER_UNIFORM, kinds, G_N_ELEMENTS(kinds)),
        .amount = conf_time(&t, "amount", 0),
        .keeps_order = conf_bool(&t, "keeps_order", false),
    };
    if (jitter->kind == JITTER_TABLE)
        read_jitter_table(&t, jitter);
    conf_close(&t);
}

/* queue = 100 packets, "64KiB", or { kind = "codel", packets = ..., ecn = true } */
static void
read_queue(ConfTable *table, QdiscParams *queue)
{
    static const char *const kinds[] = { "fifo", "red", "codel", "fq_codel", "tbf" };
    ConfTable t;

    switch (conf_type(table, "queue")) {
    case LUA_TNIL:
        return;
    case LUA_TNUMBER:
        queue->limit_packets = (uint32_t)conf_int(table, "queue", 1000, 0, UINT32_MAX);
        return;
    case LUA_TSTRING:
        queue->limit_bytes = conf_size(table, "queue", 0);
        queue->limit_packets = 0;
        return;
    default:
        break;
    }
    conf_sub(table, "queue", &t);
    queue->kind = (QdiscKind)conf_choice(&t, "kind", QDISC_FIFO, kinds, G_N_ELEMENTS(kinds));
    queue->limit_bytes = conf_size(&t, "bytes", 0);
    queue->limit_packets = (uint32_t)conf_int(
        &t, "packets", queue->limit_bytes > 0 ? 0 : queue->limit_packets, 0, UINT32_MAX);
    queue->ecn = conf_bool(&t, "ecn", queue->ecn);
    if (queue->kind == QDISC_RED) {
        queue->red_min = (double)conf_size(&t, "min", 30000);
        queue->red_max = (double)conf_size(&t, "max", 90000);
        queue->red_probability = conf_probability(&t, "probability", 0.02);
        queue->red_weight = conf_number(&t, "weight", 0.002, 0, 1);
    } else if (queue->kind == QDISC_CODEL || queue->kind == QDISC_FQ_CODEL) {
        queue->codel_target = conf_time(&t, "target", 5 * SIM_MS);
        queue->codel_interval = conf_time(&t, "interval", 100 * SIM_MS);
        queue->flows = (uint32_t)conf_int(&t, "flows", 1024, 1, 65536);
        queue->quantum = (uint32_t)conf_size(&t, "quantum", 1514);
    } else if (queue->kind == QDISC_TBF) {
        queue->tbf_rate = conf_rate(&t, "rate", 0);
        queue->tbf_burst = conf_size(&t, "burst", 0);
        queue->tbf_polices = conf_bool(&t, "polices", false);
        if (queue->tbf_rate == 0)
            conf_fail(&t, "rate", "a rate such as \"1Mbit\"");
        if (queue->tbf_burst == 0)
            conf_fail(&t, "burst", "a size such as \"16KiB\"");
    }
    conf_close(&t);
}

static void
read_trace_file(ConfTable *table, LinkParams *params)
{
    const char *name = conf_text(table, "trace", NULL);
    SimTime *times = NULL;
    char *error = NULL;

    link_trace_parse(push_file(table, "trace", name), &times, &params->n_trace, &error);
    params->trace = adopt_numbers(table, name, times,
                                  error != NULL ? 0 : params->n_trace * sizeof *times, error);
}

/* trace = { "1ms", "2ms", ... } or a file of Mahimahi's: opportunities to
 * deliver one packet, repeated. */
static void
read_trace(ConfTable *table, LinkParams *params)
{
    lua_State *L = table->L;

    if (conf_push(table, "trace") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        read_trace_file(table, params);
        return;
    }
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) == 0)
        conf_fail(table, "trace", "a file, or a list of ascending times");
    params->n_trace = (uint32_t)lua_rawlen(L, -1);

    SimTime *trace = lua_newuserdatauv(L, params->n_trace * sizeof *trace, 0);

    for (uint32_t i = 0; i < params->n_trace; i++) {
        lua_rawgeti(L, -2, i + 1);
        trace[i] = value_time(L, -1, "link.trace");
        if (i > 0 && trace[i] < trace[i - 1])
            conf_fail(table, "trace", "a file, or a list of ascending times");
        lua_pop(L, 1);
    }
    params->trace = trace;
}

void
link_conf_read(ConfTable *table, LinkParams *params)
{
    params->rate = conf_rate(table, "rate", params->rate);
    params->delay = conf_time(table, "delay", params->delay);
    params->mtu = (uint32_t)conf_int(table, "mtu", params->mtu, 68, 65535);
    params->overhead = (uint32_t)conf_int(table, "overhead", params->overhead, 0, 1000);
    params->duplicate = conf_probability(table, "duplicate", params->duplicate);
    params->corrupt = conf_probability(table, "corrupt", params->corrupt);
    params->reorder = conf_probability(table, "reorder", params->reorder);
    params->reorder_by = conf_time(table, "reorder_by", params->reorder_by);
    read_loss(table, &params->loss);
    read_jitter(table, &params->jitter);
    read_queue(table, &params->queue);
    read_trace(table, params);

    const char *key, *expected = link_params_problem(params, &key);

    if (expected != NULL)
        conf_fail(table, key, expected);
}
