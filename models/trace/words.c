/* The words that logs, captures and pictures use for packets and their fates. */
#include "models/trace/recorder.h"

#include <string.h>

#include "models/link/link.h"

const char *
trace_packet_fate(const TracePacket *entry)
{
    if (entry->what & TRACE_LOST)
        return "lost";
    if (entry->what & TRACE_REFUSED)
        return "refused";
    if (entry->what & TRACE_ARRIVED)
        return "arrived";
    if (entry->what & TRACE_HELD)
        return "held";
    return "in flight";
}

static const char *
icmp_name(unsigned type, unsigned code)
{
    switch (type) {
    case ICMP_ECHO_REPLY:
        return "ICMP echo reply";
    case ICMP_ECHO:
        return "ICMP echo";
    case ICMP_TIME_EXCEEDED:
        return code == 1 ? "ICMP reassembly timed out" : "ICMP TTL exceeded";
    case ICMP_UNREACHABLE:
        break;
    default:
        return "ICMP";
    }
    switch (code) {
    case 0:
        return "ICMP net unreachable";
    case 1:
        return "ICMP host unreachable";
    case 2:
        return "ICMP protocol unreachable";
    case 3:
        return "ICMP port unreachable";
    case 4:
        return "ICMP fragmentation needed";
    default:
        return "ICMP prohibited";
    }
}

static const char *
tcp_flags_name(unsigned flags, char text[TRACE_FLAGS_TEXT])
{
    static const struct {
        uint16_t bit;
        const char *name;
    } names[] = {
        { TCP_SYN, "SYN" }, { TCP_FIN, "FIN" }, { TCP_RST, "RST" },
        { TCP_PSH, "PSH" }, { TCP_ACK, "ACK" }, { TCP_URG, "URG" },
        { TCP_ECE, "ECE" }, { TCP_CWR, "CWR" }, { TCP_AE, "AE" },
    };
    size_t used = 0;

    if (flags == TCP_ACK) /* as most are */
        return "ACK";
    text[0] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!(flags & names[i].bit))
            continue;
        if (used > 0)
            text[used++] = '+';
        memcpy(text + used, names[i].name, strlen(names[i].name) + 1);
        used += strlen(names[i].name);
    }
    return used ? text : "none";
}

const char *
trace_packet_flags(const TracePacket *entry, char text[TRACE_FLAGS_TEXT])
{
    if (entry->what & TRACE_FRAGMENT)
        return "fragment";
    switch (entry->proto) {
    case IP_PROTO_TCP:
        return tcp_flags_name(entry->flags, text);
    case IP_PROTO_UDP:
        return "UDP";
    case IP_PROTO_ICMP:
        return icmp_name(entry->flags >> 8, entry->flags & 0xff);
    default:
        return "IP";
    }
}

const char *
recorder_host_name(const Recorder *recorder, uint32_t host)
{
    const GPtrArray *hosts = recorder_net(recorder)->hosts;

    return host > 0 && host <= hosts->len ? ((const Host *)hosts->pdata[host - 1])->name : "";
}

static const char *
link_of(const Recorder *recorder, const TracePacket *entry)
{
    const GPtrArray *links = recorder_net(recorder)->links;

    return entry->link > 0 && entry->link <= links->len ? link_name(links->pdata[entry->link - 1])
                                                        : NULL;
}

static void story_add(char *text, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
story_add(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;

    if (used > 0 && used + 3 < TRACE_FATE_TEXT) {
        memcpy(text + used, "; ", 3);
        used += 2;
    }
    va_start(args, format);
    g_vsnprintf(text + used, TRACE_FATE_TEXT - used, format, args);
    va_end(args);
}

static void
story_end(const Recorder *recorder, const TracePacket *entry, char *text)
{
    const char *link = link_of(recorder, entry);
    const char *reason = entry->reason ? entry->reason : "";
    const char *colon = entry->reason ? ": " : "";

    if (entry->what & TRACE_LOST)
        story_add(text, "lost%s%s%s%s", link ? " on " : "", link ? link : "", colon, reason);
    else if (entry->what & TRACE_REFUSED)
        story_add(text, "refused by %s%s%s", recorder_host_name(recorder, entry->to), colon,
                  reason);
    else if (entry->what & TRACE_HELD)
        story_add(text, "held%s%s", colon, reason);
    else if (!(entry->what & TRACE_ARRIVED))
        story_add(text, "still on its way");
    else if (entry->reason != NULL)
        story_add(text, "%s", reason);
}

const char *
trace_number_text(uint32_t number, char text[TRACE_NUMBER_TEXT])
{
    bool is_below = number > UINT32_MAX - (1u << 20);

    g_snprintf(text, TRACE_NUMBER_TEXT, "%s%u", is_below ? "-" : "", is_below ? -number : number);
    return text;
}

const char *
trace_packet_story(const Recorder *recorder, const TracePacket *entry, char text[TRACE_FATE_TEXT])
{
    const uint32_t silent = TRACE_ARRIVED | TRACE_CONSUMED | TRACE_FORWARDED | TRACE_CLOSED |
                            TRACE_QUEUED | TRACE_FRAGMENT | TRACE_STRAY;
    char time[SIM_TIME_TEXT];

    text[0] = '\0';
    if ((entry->what & ~silent) == 0 && (entry->what & TRACE_ARRIVED) && entry->reason == NULL)
        return text; /* as most: it came, and there is no more to say */
    if (entry->what & TRACE_INJECTED)
        story_add(text, "injected");
    if (entry->what & TRACE_COPY)
        story_add(text, "copy made by the network");
    if ((entry->what & TRACE_RETRANSMIT) && !(entry->what & TRACE_COPY))
        story_add(text, "retransmission");
    if (entry->what & TRACE_DELAYED)
        story_add(text, "delayed by %s", sim_time_format(entry->extra_ns, time));
    if (entry->what & TRACE_OVERTAKEN)
        story_add(text, "overtaken");
    if (entry->what & TRACE_CORRUPTED)
        story_add(text, "corrupted");
    if (entry->what & TRACE_MARKED)
        story_add(text, "marked CE");
    if (entry->what & TRACE_REWRITTEN)
        story_add(text, "rewritten");
    story_end(recorder, entry, text);
    return text;
}
