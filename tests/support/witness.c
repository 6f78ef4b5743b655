#include "tests/support/witness.h"

#include <string.h>

bool
witness_is_rule(const char *rule)
{
    static const char *const sources[] = { "RFC ", "net.ipv4.", "net.core.",       "Linux: ",
                                           "TCP_", "SO_",       "counterfactual.", "listen() " };

    for (size_t i = 0; rule != NULL && i < G_N_ELEMENTS(sources); i++)
        if (g_str_has_prefix(rule, sources[i]) && strlen(rule) > strlen(sources[i]))
            return true;
    return false;
}

void
witness_note(Witness *witness, const char *kind, const char *what, const char *rule)
{
    const char *named = rule != NULL ? rule : "";

    if (!witness_is_rule(rule) || what == NULL || *what == '\0')
        g_string_append_printf(witness->nameless, "%s \"%s\" by \"%s\"; ", kind,
                               what != NULL ? what : "", named);
    g_ptr_array_add(witness->lines,
                    g_strdup_printf("%s|%s|%s", kind, what != NULL ? what : "", named));
    g_ptr_array_add(witness->rules, g_strdup(named));
}

static void
on_verdict(void *arg, const void *record)
{
    static const char *const kinds[] = { [VERDICT_REPLY] = "reply",
                                         [VERDICT_DROP] = "drop",
                                         [VERDICT_RETRANSMIT] = "retransmit",
                                         [VERDICT_NOTE] = "note" };
    const VerdictRecord *verdict = record;
    Witness *witness = arg;

    witness->drops += verdict->kind == VERDICT_DROP;
    witness_note(witness, kinds[verdict->kind], verdict->what, verdict->rule);
}

static void
on_transition(void *arg, const void *record)
{
    const TcpStateRecord *transition = record;
    Witness *witness = arg;

    witness->transitions++;
    witness_note(witness, "transition", transition->what, transition->rule);
}

Witness *
witness_new(Host *host)
{
    Witness *witness = g_new0(Witness, 1);

    witness->probes = host->probes;
    witness->lines = g_ptr_array_new_with_free_func(g_free);
    witness->rules = g_ptr_array_new_with_free_func(g_free);
    witness->nameless = g_string_new("");
    probe_subscribe(&host->probes->verdict, on_verdict, witness);
    probe_subscribe(&host->probes->tcp_state, on_transition, witness);
    return witness;
}

void
witness_free(Witness *witness)
{
    probe_unsubscribe(&witness->probes->verdict, on_verdict, witness);
    probe_unsubscribe(&witness->probes->tcp_state, on_transition, witness);
    g_ptr_array_unref(witness->lines);
    g_ptr_array_unref(witness->rules);
    g_string_free(witness->nameless, TRUE);
    g_free(witness);
}

static bool
has(GPtrArray *texts, const char *text)
{
    for (guint i = 0; i < texts->len; i++)
        if (strcmp(g_ptr_array_index(texts, i), text) == 0)
            return true;
    return false;
}

bool
witness_has_rule(const Witness *witness, const char *rule)
{
    return has(witness->rules, rule);
}

void
witness_expect(const Witness *witness, const char *kind, const char *what, const char *rule)
{
    g_autofree char *line = g_strdup_printf("%s|%s|%s", kind, what, rule);
    GString *heard;

    g_assert_cmpstr(witness->nameless->str, ==, "");
    if (has(witness->lines, line))
        return;
    heard = g_string_new("");
    for (guint i = 0; i < witness->lines->len; i++)
        g_string_append_printf(heard, "\n  %s", (char *)g_ptr_array_index(witness->lines, i));
    g_error("expected %s, heard%s", line, heard->str);
}
