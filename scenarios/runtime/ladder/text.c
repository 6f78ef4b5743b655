#include "scenarios/runtime/ladder/internal.h"

#include <string.h>

const char *
ladder_span(SimTime span, char text[LADDER_TIME_TEXT])
{
    if (span >= SIM_SEC)
        g_snprintf(text, LADDER_TIME_TEXT, "%.2f s", (double)span / 1e9);
    else if (span >= SIM_MS)
        g_snprintf(text, LADDER_TIME_TEXT, "%.4g ms", (double)span / 1e6);
    else
        g_snprintf(text, LADDER_TIME_TEXT, "%.4g us", (double)span / 1e3);
    return text;
}

const char *
ladder_tag(const Plan *plan, Endpoint src, Endpoint dst, char text[4])
{
    int flow = plan->n_flows > 1 ? plan_flow(plan, src, dst) : -1;

    g_strlcpy(text, "A ", 4);
    if (flow < 0)
        text[0] = '\0';
    else
        text[0] = (char)('A' + flow);
    return text;
}

Ink
ladder_ink(const TracePacket *p)
{
    if (p->what & TRACE_INJECTED)
        return INK_INJECTED;
    if (p->proto != IP_PROTO_TCP)
        return INK_DATA;
    if (p->flags & TCP_RST)
        return INK_RST;
    if (p->what & TRACE_RETRANSMIT)
        return INK_AGAIN;
    if (p->flags & TCP_SYN)
        return INK_SYN;
    if (p->flags & TCP_FIN)
        return INK_FIN;
    return p->len > 0 ? INK_DATA : INK_ACK;
}

enum { DETAIL_FLAGS, DETAIL_COMPACT, DETAIL_SEQ, DETAIL_NUMBERS, DETAIL_WINDOW, DETAIL_ALL };

static void
add_numbers(GString *s, const TracePacket *p, int detail)
{
    char number[TRACE_NUMBER_TEXT];

    if (detail == DETAIL_COMPACT) { /* first byte and how many */
        if (p->len > 0)
            g_string_append_printf(s, " %u+%u", p->rel_seq, p->len);
        return;
    }

    bool has_seq = p->len > 0 || (p->flags & (TCP_SYN | TCP_FIN | TCP_RST));

    if (has_seq || detail >= DETAIL_WINDOW)
        g_string_append_printf(s, " seq %s", trace_number_text(p->rel_seq, number));
    if (detail >= DETAIL_NUMBERS && (p->flags & TCP_ACK))
        g_string_append_printf(s, " ack %s", trace_number_text(p->rel_ack, number));
    if (p->len > 0)
        g_string_append_printf(s, " len %u", p->len);
    if (detail >= DETAIL_NUMBERS)
        for (unsigned i = 0; i < p->n_sacks; i++)
            g_string_append_printf(s, " sack %u-%u", p->sacks[i].start, p->sacks[i].end);
    if (detail >= DETAIL_WINDOW && (!(p->flags & TCP_RST)))
        g_string_append_printf(s, " win %u", p->wnd);
    if (detail >= DETAIL_ALL) {
        if (p->options & TCPOPT_HAS_MSS)
            g_string_append_printf(s, " mss %u", p->mss);
        if (p->options & TCPOPT_HAS_WSCALE)
            g_string_append_printf(s, " ws %u", p->wscale);
    }
}

static char *
label_at(const Plan *plan, const TracePacket *p, int detail)
{
    char tag[4], flags[TRACE_FLAGS_TEXT];
    GString *s = g_string_new(ladder_tag(plan, p->src, p->dst, tag));

    if (p->what & TRACE_COPY)
        g_string_append(s, "copy: ");
    else if ((p->what & (TRACE_INJECTED | TRACE_FORWARDED)) == TRACE_INJECTED)
        g_string_append(s, "injected: ");
    g_string_append(s, trace_packet_flags(p, flags));
    if (p->proto == IP_PROTO_TCP && !(p->what & TRACE_FRAGMENT) && detail >= DETAIL_COMPACT)
        add_numbers(s, p, detail);
    else if (p->what & TRACE_FRAGMENT)
        g_string_append_printf(s, " at %u len %u%s", p->frag_offset, p->len, p->mf ? " more" : "");
    else if (p->proto == IP_PROTO_UDP && detail >= DETAIL_SEQ)
        g_string_append_printf(s, " len %u", p->len);
    if ((p->what & (TRACE_RETRANSMIT | TRACE_COPY | TRACE_FORWARDED)) == TRACE_RETRANSMIT)
        g_string_append(s, detail >= DETAIL_NUMBERS ? " (retransmission)" : " (again)");
    if ((p->what & TRACE_STRAY) && !(p->flags & TCP_SYN && !(p->flags & TCP_ACK)))
        g_string_append(s, detail >= DETAIL_NUMBERS ? " (of the other SYN)" : " (other SYN)");
    if (p->what & TRACE_CORRUPTED)
        g_string_append(s, " (corrupted)");
    if (p->what & TRACE_MARKED)
        g_string_append(s, " (CE)");
    return g_string_free(s, FALSE);
}

char *
ladder_label(const Plan *plan, const TracePacket *p, int room)
{
    for (int detail = DETAIL_ALL; detail > DETAIL_FLAGS; detail--) {
        char *label = label_at(plan, p, detail);

        if (text_width(label) <= room)
            return label;
        g_free(label);
    }
    char *label = label_at(plan, p, DETAIL_FLAGS);
    const char *word = p->what & TRACE_FRAGMENT    ? "fragment"
                       : p->proto == IP_PROTO_ICMP ? "ICMP"
                                                   : NULL;
    if (word == NULL || text_width(label) <= room)
        return label;
    g_free(label); /* better what it is than nothing */
    return g_strdup(word);
}
