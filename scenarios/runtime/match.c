#include "scenarios/runtime/match.h"

#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/fate.h"
#include "scenarios/runtime/pcap_filter.h"
#include "scenarios/runtime/suggest.h"

/* ---- words ------------------------------------------------------------------------ */

static const struct {
    const char *word;
    uint16_t flag;
} flag_words[] = {
    { "syn", TCP_SYN }, { "ack", TCP_ACK }, { "fin", TCP_FIN }, { "rst", TCP_RST },
    { "psh", TCP_PSH }, { "urg", TCP_URG }, { "ece", TCP_ECE }, { "cwr", TCP_CWR },
};

/* One part between two '+'. */
static bool
read_part(const char *part, Match *match)
{
    for (size_t i = 0; i < G_N_ELEMENTS(flag_words); i++)
        if (strcmp(part, flag_words[i].word) == 0) {
            match->flags_set |= flag_words[i].flag;
            match->is_tcp = true;
            return true;
        }
    if (strcmp(part, "data") == 0)
        return match->has_data = true;
    if (strcmp(part, "tcp") == 0)
        return match->is_tcp = true;
    if (strcmp(part, "udp") == 0)
        return match->is_udp = true;
    if (strcmp(part, "icmp") == 0)
        return match->is_icmp = true;
    if (strcmp(part, "fragment") == 0)
        return match->is_fragment = true;
    if (strcmp(part, "retransmission") == 0)
        return match->is_retransmission = true;
    if (strcmp(part, "forged") == 0)
        return match->is_forged = true;
    return strcmp(part, "any") == 0;
}

/* "syn" is the first segment of a handshake and no SYN-ACK; "ack" is an ACK
 * that carries nothing else; all other words ask for what they name alone. */
bool
match_read_word(const char *text, Match *match)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    g_auto(GStrv) parts = g_strsplit(lower, "+", -1);
    Match found = { 0 };

    if (parts[0] == NULL)
        return false;
    for (char **part = parts; *part != NULL; part++)
        if (!read_part(g_strstrip(*part), &found))
            return false;
    if (found.flags_set == TCP_SYN && parts[1] == NULL)
        found.flags_clear = TCP_ACK;
    if (found.flags_set == TCP_ACK && parts[1] == NULL) {
        found.flags_clear = TCP_SYN | TCP_FIN | TCP_RST;
        found.has_no_data = true;
    }
    *match = found;
    return true;
}

/* ---- fields ----------------------------------------------------------------------- */

typedef enum FieldId {
    FIELD_SEQ,
    FIELD_ACK,
    FIELD_RAW_SEQ,
    FIELD_RAW_ACK,
    FIELD_LEN,
    FIELD_WIN,
    FIELD_SPORT,
    FIELD_DPORT,
    FIELD_TTL,
    FIELD_TOS,
    FIELD_ECN,
    FIELD_IP_ID,
    FIELD_IP_LEN,
    FIELD_FRAG_OFFSET,
    FIELD_DF,
    FIELD_MF,
    FIELD_MSS,
    FIELD_WSCALE,
    FIELD_TSVAL,
    FIELD_TSECR,
    FIELD_ICMP_TYPE,
    FIELD_ICMP_CODE,
    FIELD_COUNT
} FieldId;

static const char *const field_names[FIELD_COUNT] = {
    "seq", "ack",    "raw_seq", "raw_ack", "len",       "win",         "sport", "dport",
    "ttl", "tos",    "ecn",     "ip_id",   "ip_len",    "frag_offset", "df",    "mf",
    "mss", "wscale", "tsval",   "tsecr",   "icmp_type", "icmp_code",
};

static uint16_t
port_of(const Packet *packet, bool is_source)
{
    if (packet->ip.proto == IP_PROTO_TCP)
        return is_source ? packet->tcp.sport : packet->tcp.dport;
    if (packet->ip.proto == IP_PROTO_UDP)
        return is_source ? packet->udp.sport : packet->udp.dport;
    return 0;
}

/* The field's value; -1 where the packet has none. */
static int64_t
field_of_tcp(FieldId field, const LinkBox *link, const Packet *packet)
{
    const TcpHeader *h = &packet->tcp;

    switch (field) {
    case FIELD_SEQ:
        return link == NULL ? (int64_t)h->seq : (int64_t)packet_relative_seq(link, packet);
    case FIELD_ACK:
        return link == NULL ? (int64_t)h->ack : (int64_t)packet_relative_ack(link, packet);
    case FIELD_RAW_SEQ:
        return h->seq;
    case FIELD_RAW_ACK:
        return h->ack;
    case FIELD_WIN:
        return h->wnd;
    case FIELD_MSS:
        return h->options & TCPOPT_HAS_MSS ? (int64_t)h->mss : -1;
    case FIELD_WSCALE:
        return h->options & TCPOPT_HAS_WSCALE ? (int64_t)h->wscale : -1;
    case FIELD_TSVAL:
        return h->options & TCPOPT_HAS_TS ? (int64_t)h->tsval : -1;
    case FIELD_TSECR:
        return h->options & TCPOPT_HAS_TS ? (int64_t)h->tsecr : -1;
    default:
        return -1;
    }
}

static int64_t
field_of(FieldId field, const LinkBox *link, const Packet *packet)
{
    const IpHeader *ip = &packet->ip;

    switch (field) {
    case FIELD_LEN:
        return packet->payload.len;
    case FIELD_SPORT:
        return port_of(packet, true);
    case FIELD_DPORT:
        return port_of(packet, false);
    case FIELD_TTL:
        return ip->ttl;
    case FIELD_TOS:
        return ip->tos;
    case FIELD_ECN:
        return ip->tos & ECN_MASK;
    case FIELD_IP_ID:
        return ip->id;
    case FIELD_IP_LEN:
        return ip->total_len;
    case FIELD_FRAG_OFFSET:
        return ip->frag_offset;
    case FIELD_DF:
        return ip->df;
    case FIELD_MF:
        return ip->mf;
    case FIELD_ICMP_TYPE:
        return ip->proto == IP_PROTO_ICMP ? packet->icmp.type : -1;
    case FIELD_ICMP_CODE:
        return ip->proto == IP_PROTO_ICMP ? packet->icmp.code : -1;
    default:
        return ip->proto == IP_PROTO_TCP && packet->raw == NULL ? field_of_tcp(field, link, packet)
                                                                : -1;
    }
}

int64_t
match_trace_field(unsigned field, const TracePacket *entry)
{
    bool is_tcp = entry->proto == IP_PROTO_TCP;

    switch ((FieldId)field) {
    case FIELD_SEQ:
        return is_tcp ? (int64_t)entry->rel_seq : -1;
    case FIELD_ACK:
        return is_tcp ? (int64_t)entry->rel_ack : -1;
    case FIELD_RAW_SEQ:
        return is_tcp ? (int64_t)entry->seq : -1;
    case FIELD_RAW_ACK:
        return is_tcp ? (int64_t)entry->ack : -1;
    case FIELD_LEN:
        return entry->len;
    case FIELD_WIN:
        return is_tcp ? (int64_t)entry->wnd : -1;
    case FIELD_SPORT:
        return entry->src.port;
    case FIELD_DPORT:
        return entry->dst.port;
    case FIELD_TTL:
        return entry->ttl;
    case FIELD_TOS:
        return entry->tos;
    case FIELD_ECN:
        return entry->tos & ECN_MASK;
    case FIELD_IP_ID:
        return entry->ip_id;
    case FIELD_IP_LEN:
        return entry->ip_len;
    case FIELD_FRAG_OFFSET:
        return entry->frag_offset;
    case FIELD_DF:
        return entry->df;
    case FIELD_MF:
        return entry->mf;
    case FIELD_MSS:
        return entry->options & TCPOPT_HAS_MSS ? entry->mss : -1;
    case FIELD_WSCALE:
        return entry->options & TCPOPT_HAS_WSCALE ? entry->wscale : -1;
    case FIELD_TSVAL:
        return entry->options & TCPOPT_HAS_TS ? (int64_t)entry->tsval : -1;
    case FIELD_TSECR:
        return entry->options & TCPOPT_HAS_TS ? (int64_t)entry->tsecr : -1;
    case FIELD_ICMP_TYPE:
        return entry->proto == IP_PROTO_ICMP ? entry->flags >> 8 : -1;
    case FIELD_ICMP_CODE:
        return entry->proto == IP_PROTO_ICMP ? entry->flags & 0xff : -1;
    case FIELD_COUNT:
        break;
    }
    return -1;
}

/* field = 5, field = { 5, 10 } or field = true */
static void
read_test(ConfTable *table, FieldId field, Match *match)
{
    lua_State *L = table->L;
    FieldTest test = { .field = (uint8_t)field };
    const char *expected = "a number, or { least, most }";

    if (conf_push(table, field_names[field]) == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (lua_isboolean(L, -1)) {
        test.low = test.high = lua_toboolean(L, -1);
    } else if (lua_isinteger(L, -1)) {
        test.low = test.high = lua_tointeger(L, -1);
    } else if (lua_istable(L, -1) && lua_rawlen(L, -1) == 2) {
        int is_low, is_high;

        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        test.low = lua_tointegerx(L, -2, &is_low);
        test.high = lua_tonumber(L, -1) >= 9e18 ? INT64_MAX : lua_tointegerx(L, -1, &is_high);
        lua_pop(L, 2);
        if (!is_low || test.low > test.high)
            conf_fail(table, field_names[field], expected);
    } else {
        conf_fail(table, field_names[field], expected);
    }
    lua_pop(L, 1);
    if (match->n_tests == MATCH_MAX_TESTS)
        conf_error(L, "%s: more than %d fields", table->path, MATCH_MAX_TESTS);
    match->tests[match->n_tests++] = test;
}

static void
read_addr(ConfTable *table, const char *key, Match *match, unsigned which)
{
    if (conf_push(table, key) != LUA_TNIL) {
        match->addr[which] = value_addr_or_host(table->L, -1, key);
        match->has_addr[which] = true;
    }
    lua_pop(table->L, 1);
}

/* match = { flags = "syn", seq = 1, len = { 1, 1460 }, src = client } */
static void
read_table(ConfTable *table, const char *key, Match *match)
{
    ConfTable t;

    conf_sub(table, key, &t);

    const char *flags = conf_text(&t, "flags", NULL);

    if (flags != NULL && !match_read_word(flags, match))
        conf_fail(&t, "flags", "words such as \"syn\", \"fin+ack\" or \"data\"");
    read_addr(&t, "src", match, 0);
    read_addr(&t, "dst", match, 1);
    for (FieldId field = 0; field < FIELD_COUNT; field++)
        read_test(&t, field, match);
    conf_close(&t);
}

static void
read_text(ConfTable *table, const char *key, const char *text, Match *match)
{
    static const char *const words[] = {
        "syn", "syn+ack", "ack", "fin",      "fin+ack",        "rst", "data", "any",
        "udp", "icmp",    "tcp", "fragment", "retransmission", "psh", "urg"
    };
    char *error = NULL;

    if (match_read_word(text, match))
        return;
    match->filter = pcap_filter_new(text, &error);
    if (match->filter != NULL)
        return;

    char *hint = suggest_text(text, words, G_N_ELEMENTS(words));
    const char *kept =
        lua_pushfstring(table->L,
                        "%s.%s: found \"%s\", expected a word such as \"syn+ack\" or a pcap "
                        "filter (%s)%s",
                        table->path, key, text, error, hint);

    g_free(hint);
    g_free(error);
    conf_error(table->L, "%s", kept);
}

void
match_read(ConfTable *table, const char *key, Match *match)
{
    lua_State *L = table->L;

    *match = (Match){ 0 };
    switch (conf_push(table, key)) {
    case LUA_TNIL:
        break;
    case LUA_TSTRING:
        read_text(table, key, lua_tostring(L, -1), match);
        break;
    case LUA_TTABLE:
        read_table(table, key, match);
        break;
    case LUA_TFUNCTION:
        lua_pushvalue(L, -1);
        match->fn = luaL_ref(L, LUA_REGISTRYINDEX);
        break;
    default:
        conf_fail(table, key,
                  "a word such as \"syn\", a table of header fields, a pcap filter or a function");
    }
    /* The value stays on the stack: a sub-table's path lives there. */
}

void
match_done(Match *match, Lab *lab)
{
    (void)lab; /* references die with the Lua state, which is closed first */
    g_clear_pointer(&match->filter, pcap_filter_free);
}

/* ---- matching --------------------------------------------------------------------- */

static bool
kind_matches(const Match *match, const Packet *packet)
{
    uint8_t proto = packet->ip.proto;

    if (match->is_tcp) {
        if (proto != IP_PROTO_TCP || packet->raw != NULL || (packet->flags & PACKET_FRAGMENT))
            return false;
        if ((packet->tcp.flags & match->flags_set) != match->flags_set ||
            (packet->tcp.flags & match->flags_clear) != 0)
            return false;
    }
    return !(match->is_udp && proto != IP_PROTO_UDP) &&
           !(match->is_icmp && proto != IP_PROTO_ICMP) &&
           !(match->is_fragment && !(packet->flags & PACKET_FRAGMENT)) &&
           !(match->is_retransmission && !(packet->flags & PACKET_RETRANSMIT)) &&
           !(match->is_forged && !(packet->flags & PACKET_FORGED)) &&
           !(match->has_data && packet->payload.len == 0) &&
           !(match->has_no_data && packet->payload.len != 0);
}

static bool
function_matches(const Match *match, World *world, const LinkBox *link, unsigned direction,
                 const Packet *packet)
{
    lua_State *L = world->lab->callback;

    lua_rawgeti(L, LUA_REGISTRYINDEX, match->fn);
    packet_push(L, world, link, direction, packet);
    if (!lab_callback(world->lab, 1, 1, "a match function"))
        return false;

    bool is_match = lua_toboolean(L, -1);

    lua_pop(L, 1);
    return is_match;
}

bool
match_packet(const Match *match, World *world, const LinkBox *link, unsigned direction,
             const Packet *packet)
{
    if (!kind_matches(match, packet))
        return false;
    if (match->has_addr[0] && !ip_addr_equal(match->addr[0], packet->ip.src))
        return false;
    if (match->has_addr[1] && !ip_addr_equal(match->addr[1], packet->ip.dst))
        return false;
    for (unsigned i = 0; i < match->n_tests; i++) {
        const FieldTest *test = &match->tests[i];
        int64_t value = field_of((FieldId)test->field, link, packet);

        if (value < test->low || value > test->high)
            return false;
    }
    if (match->filter != NULL && !pcap_filter_matches(match->filter, &world->net->packets, packet))
        return false;
    return match->fn == 0 || function_matches(match, world, link, direction, packet);
}

bool
match_trace(const Match *match, const TracePacket *entry)
{
    bool is_tcp = entry->proto == IP_PROTO_TCP && !(entry->what & TRACE_FRAGMENT);

    if (match->is_tcp && (!is_tcp || (entry->flags & match->flags_set) != match->flags_set ||
                          (entry->flags & match->flags_clear) != 0))
        return false;
    if ((match->is_udp && entry->proto != IP_PROTO_UDP) ||
        (match->is_icmp && entry->proto != IP_PROTO_ICMP) ||
        (match->is_fragment && !(entry->what & TRACE_FRAGMENT)) ||
        (match->is_retransmission && !(entry->what & TRACE_RETRANSMIT)) ||
        (match->is_forged && !(entry->what & TRACE_INJECTED)) ||
        (match->has_data && entry->len == 0) || (match->has_no_data && entry->len != 0))
        return false;
    if ((match->has_addr[0] && !ip_addr_equal(match->addr[0], entry->src.addr)) ||
        (match->has_addr[1] && !ip_addr_equal(match->addr[1], entry->dst.addr)))
        return false;
    for (unsigned i = 0; i < match->n_tests; i++) {
        int64_t value = match_trace_field(match->tests[i].field, entry);

        if (value < match->tests[i].low || value > match->tests[i].high)
            return false;
    }
    return true;
}
