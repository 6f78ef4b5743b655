#include "scenarios/runtime/summary.h"

#include <json-glib/json-glib.h>

#include "models/link/link.h"
#include "models/tcp/tcp.h"

void
summary_param_free(void *param)
{
    SummaryParam *p = param;

    g_free(p->name);
    g_free(p->value);
    g_free(p->default_value);
    g_free(p);
}

void
summary_expect_free(void *expect)
{
    SummaryExpect *e = expect;

    g_free(e->text);
    g_free(e->message);
    g_free(e->where);
    g_free(e);
}

static void
add_text(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    if (value != NULL)
        json_builder_add_string_value(b, value);
    else
        json_builder_add_null_value(b);
}

static void
add_number(JsonBuilder *b, const char *name, uint64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, (gint64)value);
}

static void
add_bool(JsonBuilder *b, const char *name, bool value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_boolean_value(b, value);
}

static void
add_seconds(JsonBuilder *b, const char *name, SimTime time)
{
    char text[SIM_TIME_TEXT];

    add_text(b, name, sim_time_seconds(time, text));
}

static void
add_params(JsonBuilder *b, const GPtrArray *params)
{
    json_builder_set_member_name(b, "parameters");
    json_builder_begin_object(b);
    for (unsigned i = 0; params != NULL && i < params->len; i++) {
        const SummaryParam *p = params->pdata[i];

        json_builder_set_member_name(b, p->name);
        json_builder_begin_object(b);
        add_text(b, "value", p->value);
        if (p->default_value != NULL)
            add_text(b, "default", p->default_value);
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
}

static void
add_expects(JsonBuilder *b, const GPtrArray *expects)
{
    unsigned failed = 0, n = expects ? expects->len : 0;

    json_builder_set_member_name(b, "expectations");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < n; i++) {
        const SummaryExpect *e = expects->pdata[i];

        failed += !e->passed;
        json_builder_begin_object(b);
        add_text(b, "text", e->text);
        add_bool(b, "passed", e->passed);
        if (e->message != NULL)
            add_text(b, "message", e->message);
        if (e->where != NULL)
            add_text(b, "where", e->where);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    add_number(b, "expectations_failed", failed);
}

/* What the scenario's result() stored: JSON already. */
static void
add_results(JsonBuilder *b, const char *results)
{
    JsonNode *node = results != NULL ? json_from_string(results, NULL) : NULL;

    if (node == NULL)
        return;
    json_builder_set_member_name(b, "results");
    json_builder_add_value(b, node); /* takes it */
}

static void
add_totals(JsonBuilder *b, const TraceTotals *t, uint64_t left_out)
{
    json_builder_set_member_name(b, "totals");
    json_builder_begin_object(b);
    add_number(b, "packets", t->packets);
    add_number(b, "bytes", t->bytes);
    add_number(b, "arrived", t->arrived);
    add_number(b, "lost", t->lost);
    add_number(b, "refused", t->refused);
    add_number(b, "injected", t->injected);
    add_number(b, "copies", t->copies);
    add_number(b, "retransmitted", t->retransmits);
    add_number(b, "corrupted", t->corrupted);
    add_number(b, "marked", t->marked);
    add_number(b, "connections", t->conns);
    add_number(b, "transitions", t->transitions);
    add_number(b, "calls", t->calls);
    add_number(b, "rows_left_out", left_out);
    json_builder_end_object(b);
}

static void
add_final_states(JsonBuilder *b, const Recorder *recorder)
{
    uint64_t in_state[TCP_N_STATES] = { 0 };

    for (size_t i = 0; i < recorder_count(recorder, TRACE_KIND_CONNS); i++)
        in_state[recorder_conn(recorder, i)->state]++;
    json_builder_set_member_name(b, "final_states");
    json_builder_begin_object(b);
    for (int i = 0; i < TCP_N_STATES; i++)
        if (in_state[i] > 0)
            add_number(b, tcp_state_name((TcpState)i), in_state[i]);
    json_builder_end_object(b);
}

static void
add_ifaces(JsonBuilder *b, const Host *host)
{
    json_builder_set_member_name(b, "interfaces");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < host->ifaces->len; i++) {
        const Iface *iface = host->ifaces->pdata[i];
        char text[IP_ADDR_TEXT];

        json_builder_begin_object(b);
        add_text(b, "name", iface->name);
        add_text(b, "address", ip_addr_format(iface->addr, text));
        add_number(b, "mtu", iface->mtu);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void
add_hosts(JsonBuilder *b, const Net *net)
{
    json_builder_set_member_name(b, "hosts");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < net->hosts->len; i++) {
        const Host *host = net->hosts->pdata[i];

        json_builder_begin_object(b);
        add_text(b, "name", host->name);
        add_bool(b, "router", host->forwards);
        add_ifaces(b, host);
        json_builder_set_member_name(b, "counters");
        json_builder_begin_object(b);
        for (unsigned j = 0; j < MIB_COUNT; j++)
            if (host->mib[j] != 0)
                add_number(b, mib_name((MibCounter)j), host->mib[j]);
        json_builder_end_object(b);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void
add_links(JsonBuilder *b, const Net *net)
{
    json_builder_set_member_name(b, "links");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < net->links->len; i++) {
        const Link *link = net->links->pdata[i];

        json_builder_begin_object(b);
        add_text(b, "name", link_name(link));
        for (unsigned d = 0; d < 2; d++) {
            const LinkParams *params = link_params(link, d);

            json_builder_set_member_name(b, d == 0 ? "forth" : "back");
            json_builder_begin_object(b);
            add_text(b, "from", link_iface(link, d)->host->name);
            add_text(b, "to", link_iface(link, !d)->host->name);
            add_number(b, "rate", params->rate);
            add_seconds(b, "delay", params->delay);
            add_number(b, "mtu", params->mtu);
            json_builder_end_object(b);
        }
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

char *
summary_to_json(const Summary *summary, const Recorder *recorder, uint64_t left_out)
{
    const Net *net = recorder_net(recorder);
    JsonBuilder *b = json_builder_new();
    JsonGenerator *generator = json_generator_new();
    JsonNode *root;
    char *text, *whole;

    json_builder_begin_object(b);
    add_text(b, "format", SUMMARY_FORMAT);
    add_text(b, "version", summary->version);
    add_text(b, "scenario", summary->scenario);
    add_text(b, "title", summary->title);
    add_text(b, "about", summary->about);
    add_text(b, "profile", summary->profile);
    add_number(b, "seed", summary->seed);
    add_params(b, summary->params);
    add_seconds(b, "ended_at", sim_now(net->sim));
    add_bool(b, "stopped_early", summary->stopped_early);
    if (summary->stopped_by != NULL)
        add_text(b, "stopped_by", summary->stopped_by);
    add_text(b, "said", summary->said);
    add_expects(b, summary->expects);
    add_results(b, summary->results);
    add_totals(b, recorder_totals(recorder), left_out);
    add_final_states(b, recorder);
    add_hosts(b, net);
    add_links(b, net);
    json_builder_end_object(b);

    root = json_builder_get_root(b);
    json_generator_set_pretty(generator, TRUE);
    json_generator_set_root(generator, root);
    text = json_generator_to_data(generator, NULL);
    whole = g_strconcat(text, "\n", NULL);
    g_free(text);
    json_node_unref(root);
    g_object_unref(generator);
    g_object_unref(b);
    return whole;
}
