#include "tests/support/state_words.h"

#include <stdlib.h>
#include <string.h>

/* "NXT+10" where NXT has a value; a plain number. */
typedef struct Name {
    const char *name;
    uint32_t value;
} Name;

static uint32_t
number_of(const char *text, const Name *names, size_t n, const char *all)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(names[i].name);

        if (strncmp(text, names[i].name, len) == 0 && strchr("+-", text[len]) != NULL)
            return names[i].value + (uint32_t)strtol(text + len, NULL, 10);
    }
    if (!g_ascii_isdigit(*text))
        g_error("\"%s\": \"%s\" names no number", all, text);
    return (uint32_t)strtoul(text, NULL, 10);
}

static uint16_t
flags_of(const char *text, const char *all)
{
    static const struct {
        const char *name;
        uint16_t flag;
    } known[] = { { "SYN", TCP_SYN }, { "ACK", TCP_ACK }, { "FIN", TCP_FIN },
                  { "RST", TCP_RST }, { "PSH", TCP_PSH }, { "none", 0 } };
    g_auto(GStrv) names = g_strsplit(text, ",", 0);
    uint16_t flags = 0;

    for (char **name = names; *name != NULL; name++) {
        size_t i = 0;

        while (i < G_N_ELEMENTS(known) && strcmp(known[i].name, *name) != 0)
            i++;
        if (i == G_N_ELEMENTS(known))
            g_error("\"%s\": no flag is called \"%s\"", all, *name);
        flags |= known[i].flag;
    }
    return flags;
}

static StateStamp
stamp_of(const char *text, const char *all)
{
    static const char *const names[] = { "none", "old", "late", "new", "echo" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(text, names[i]) == 0)
            return (StateStamp)i;
    g_error("\"%s\": no timestamp is called \"%s\"", all, text);
}

StateSeg
state_parse_segment(const char *text, Situation situation)
{
    const StateSituation *at = &state_situations[situation];
    bool opens = situation == AT_SYN_RECEIVED || situation == AT_SYN_RECEIVED_BOTH;
    const Name seqs[] = { { "NXT", at->rcv_nxt }, { "IRS", 0 } };
    const Name acks[] = { { "NXT", at->snd_nxt },
                          { "UNA", at->snd_una },
                          { "ISS", 0 },
                          { "OK", opens ? at->snd_nxt : at->snd_una } };
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    StateSeg result = { .seg.flags = flags_of(words[0], text) };

    for (char **word = words + 1; *word != NULL; word++) {
        if (g_str_has_prefix(*word, "seq="))
            result.seg.seq = number_of(*word + 4, seqs, G_N_ELEMENTS(seqs), text);
        else if (g_str_has_prefix(*word, "ack="))
            result.seg.ack = number_of(*word + 4, acks, G_N_ELEMENTS(acks), text);
        else if (g_str_has_prefix(*word, "len="))
            result.seg.len = (uint32_t)strtoul(*word + 4, NULL, 10);
        else if (g_str_has_prefix(*word, "ts="))
            result.stamp = stamp_of(*word + 3, text), result.has_stamp = true;
        else
            g_error("\"%s\": \"%s\" is not understood", text, *word);
    }
    return result;
}

Seg
state_parse_reply(const char *text, Situation situation, const Seg *cause)
{
    const StateSituation *at = &state_situations[situation];
    uint32_t end =
        cause->seq + cause->len + !!(cause->flags & TCP_SYN) + !!(cause->flags & TCP_FIN);
    const Name seqs[] = {
        { "NXT", at->snd_nxt }, { "UNA", at->snd_una }, { "ISS", 0 }, { "SEG.ACK", cause->ack }
    };
    const Name acks[] = { { "NXT", at->rcv_nxt }, { "IRS", 0 }, { "SEG.END", end } };
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    Seg reply = { .flags = flags_of(words[0], text) };

    for (char **word = words + 1; *word != NULL; word++) {
        if (g_str_has_prefix(*word, "seq="))
            reply.seq = number_of(*word + 4, seqs, G_N_ELEMENTS(seqs), text);
        else if (g_str_has_prefix(*word, "ack="))
            reply.ack = number_of(*word + 4, acks, G_N_ELEMENTS(acks), text);
        else
            g_error("\"%s\": \"%s\" is not understood", text, *word);
    }
    return reply;
}
