/* Packets and Lua tables: what a script sees of a packet, what it forges, and
 * wire:inject{}. */
#include <lauxlib.h>
#include <string.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/fate.h"

static const struct {
    const char *name;
    uint16_t flag;
} flags[] = {
    { "SYN", TCP_SYN }, { "FIN", TCP_FIN }, { "RST", TCP_RST }, { "PSH", TCP_PSH },
    { "ACK", TCP_ACK }, { "URG", TCP_URG }, { "ECE", TCP_ECE }, { "CWR", TCP_CWR },
};

const char *
tcp_flags_text(unsigned set, char text[FLAGS_TEXT])
{
    text[0] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
        if (set & flags[i].flag) {
            if (text[0] != '\0')
                g_strlcat(text, "+", FLAGS_TEXT);
            g_strlcat(text, flags[i].name, FLAGS_TEXT);
        }
    if (text[0] == '\0')
        g_strlcpy(text, "none", FLAGS_TEXT);
    return text;
}

/* ---- a packet as a table ----------------------------------------------------------- */

static void
set_int(lua_State *L, const char *key, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void
set_text(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void
set_bool(lua_State *L, const char *key, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

static void
push_sacks(lua_State *L, const TcpHeader *h, uint32_t base)
{
    lua_createtable(L, h->n_sacks, 0);
    for (unsigned i = 0; i < h->n_sacks; i++) {
        lua_createtable(L, 2, 0);
        lua_pushinteger(L, h->sacks[i].start - base);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, h->sacks[i].end - base);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "sacks");
}

static void
push_tcp(lua_State *L, const LinkBox *link, const Packet *packet)
{
    const TcpHeader *h = &packet->tcp;
    char text[FLAGS_TEXT];

    set_int(L, "sport", h->sport);
    set_int(L, "dport", h->dport);
    set_text(L, "flags", tcp_flags_text(h->flags, text));
    set_int(L, "raw_seq", h->seq);
    set_int(L, "raw_ack", h->ack);
    set_int(L, "seq", link == NULL ? h->seq : packet_relative_seq(link, packet));
    set_int(L, "ack", link == NULL ? h->ack : packet_relative_ack(link, packet));
    set_int(L, "win", h->wnd);
    if (h->options & TCPOPT_HAS_MSS)
        set_int(L, "mss", h->mss);
    if (h->options & TCPOPT_HAS_WSCALE)
        set_int(L, "wscale", h->wscale);
    set_bool(L, "sack_ok", h->options & TCPOPT_HAS_SACK_OK);
    if (h->options & TCPOPT_HAS_TS) {
        set_int(L, "tsval", h->tsval);
        set_int(L, "tsecr", h->tsecr);
    }
    if (h->n_sacks > 0)
        push_sacks(L, h, link == NULL ? 0 : h->ack - packet_relative_ack(link, packet));
    if (h->flags & TCP_URG)
        set_int(L, "urg", h->urg);
}

static const char *
proto_name(uint8_t proto)
{
    return proto == IP_PROTO_TCP    ? "tcp"
           : proto == IP_PROTO_UDP  ? "udp"
           : proto == IP_PROTO_ICMP ? "icmp"
                                    : "other";
}

void
packet_push(lua_State *L, World *world, const LinkBox *link, unsigned direction,
            const Packet *packet)
{
    const IpHeader *ip = &packet->ip;

    luaL_checkstack(L, 10, "a packet");
    lua_createtable(L, 0, 32);
    push_time(L, sim_now(world->sim));
    lua_setfield(L, -2, "at");
    if (link != NULL) {
        set_text(L, "from", link->ends[direction]->host->name);
        set_text(L, "to", link->ends[!direction]->host->name);
        set_text(L, "link", link_name(link->link));
    }
    push_addr(L, ip->src);
    lua_setfield(L, -2, "src");
    push_addr(L, ip->dst);
    lua_setfield(L, -2, "dst");
    set_int(L, "id", (int64_t)packet->id);
    set_text(L, "proto", proto_name(ip->proto));
    set_int(L, "ip_id", ip->id);
    set_int(L, "ip_len", ip->total_len);
    set_int(L, "ttl", ip->ttl);
    set_int(L, "tos", ip->tos);
    set_int(L, "ecn", ip->tos & ECN_MASK);
    set_bool(L, "df", ip->df);
    set_bool(L, "mf", ip->mf);
    set_int(L, "frag_offset", ip->frag_offset);
    set_int(L, "len", packet->payload.len);
    set_int(L, "conn", packet->conn);
    set_bool(L, "is_retransmission", packet->flags & PACKET_RETRANSMIT);
    set_bool(L, "is_forged", packet->flags & PACKET_FORGED);
    if (packet->raw != NULL || (packet->flags & PACKET_FRAGMENT))
        return;
    if (ip->proto == IP_PROTO_TCP) {
        push_tcp(L, link, packet);
    } else if (ip->proto == IP_PROTO_UDP) {
        set_int(L, "sport", packet->udp.sport);
        set_int(L, "dport", packet->udp.dport);
    } else if (ip->proto == IP_PROTO_ICMP) {
        set_int(L, "icmp_type", packet->icmp.type);
        set_int(L, "icmp_code", packet->icmp.code);
        set_int(L, "mtu", packet->icmp.mtu);
    }
}

/* ---- a table as a packet ------------------------------------------------------------- */

typedef struct Forged {
    IpAddr src, dst;
    uint8_t proto, ttl, tos;
    uint16_t ip_id, frag_offset;
    bool df, mf, bad_checksum;
    const char *data; /* in Lua memory; NULL: a pattern */
    size_t len;
    TcpHeader tcp;
    IcmpHeader icmp;
    uint16_t sport, dport;
} Forged;

/* seq = 5 (relative to what the link saw of these endpoints), raw_seq = 123456
 * (as it is), or neither: the next number that the real sender would use;
 * seq_plus is added to any of them. */
static uint32_t
read_number(ConfTable *t, const char *key, const char *raw_key, const char *plus_key, uint32_t isn,
            uint32_t next)
{
    int64_t relative = conf_int(t, key, -1, INT32_MIN, UINT32_MAX);
    int64_t raw = conf_int(t, raw_key, -1, 0, UINT32_MAX);
    int64_t plus = conf_int(t, plus_key, 0, -(int64_t)UINT32_MAX, UINT32_MAX);
    uint32_t number = next;

    if (raw >= 0 && conf_has(t, key))
        conf_fail(t, raw_key, "either this or the relative number");
    if (conf_has(t, key))
        number = isn + (uint32_t)relative;
    else if (raw >= 0)
        number = (uint32_t)raw;
    return number + (uint32_t)plus;
}

static void
read_tcp_options(ConfTable *t, TcpHeader *h)
{
    if (conf_has(t, "mss")) {
        h->options |= TCPOPT_HAS_MSS;
        h->mss = (uint16_t)conf_int(t, "mss", 0, 0, 65535);
    }
    if (conf_has(t, "wscale")) {
        h->options |= TCPOPT_HAS_WSCALE;
        h->wscale = (uint8_t)conf_int(t, "wscale", 0, 0, 255);
    }
    if (conf_bool(t, "sack_ok", false))
        h->options |= TCPOPT_HAS_SACK_OK;
    if (conf_has(t, "tsval") || conf_has(t, "tsecr")) {
        h->options |= TCPOPT_HAS_TS;
        h->tsval = (uint32_t)conf_int(t, "tsval", 0, 0, UINT32_MAX);
        h->tsecr = (uint32_t)conf_int(t, "tsecr", 0, 0, UINT32_MAX);
    }
}

static void
read_sacks(ConfTable *t, TcpHeader *h, uint32_t isn)
{
    lua_State *L = t->L;

    if (conf_push(t, "sacks") != LUA_TNIL) {
        if (!lua_istable(L, -1) || lua_rawlen(L, -1) > TCP_MAX_SACK_BLOCKS)
            conf_fail(t, "sacks", "at most four blocks { { start, end }, ... }");
        h->n_sacks = (uint8_t)lua_rawlen(L, -1);
        for (unsigned i = 0; i < h->n_sacks; i++) {
            if (lua_rawgeti(L, -1, i + 1) != LUA_TTABLE)
                conf_fail(t, "sacks", "blocks { { start, end }, ... }");
            lua_rawgeti(L, -1, 1);
            lua_rawgeti(L, -2, 2);
            h->sacks[i].start = isn + (uint32_t)value_int(L, -2, "sacks: start", 0, UINT32_MAX);
            h->sacks[i].end = isn + (uint32_t)value_int(L, -1, "sacks: end", 0, UINT32_MAX);
            lua_pop(L, 3);
        }
    }
    lua_pop(L, 1);
}

static void
read_tcp(ConfTable *t, const LinkBox *link, Forged *f)
{
    Endpoint src = { f->src, f->sport }, dst = { f->dst, f->dport };
    uint32_t isn = 0, next = 0, peer_isn = 0, peer_next = 0;
    const char *word = conf_text(t, "flags", "ack");
    Match match;

    if (strcmp(word, "none") == 0)
        match = (Match){ 0 };
    else if (!match_read_word(word, &match) || match.has_data || match.is_udp || match.is_icmp)
        conf_fail(t, "flags", "flags such as \"syn\", \"rst+ack\" or \"none\"");
    if (link != NULL) {
        fates_isn(link, src, dst, &isn);
        fates_next(link, src, dst, &next);
        fates_isn(link, dst, src, &peer_isn);
        fates_next(link, dst, src, &peer_next);
    }
    f->tcp.sport = f->sport;
    f->tcp.dport = f->dport;
    f->tcp.flags = match.flags_set;
    f->tcp.seq = read_number(t, "seq", "raw_seq", "seq_plus", isn, next);
    f->tcp.ack = read_number(t, "ack", "raw_ack", "ack_plus", peer_isn, peer_next);
    if (!(f->tcp.flags & TCP_ACK) && !conf_has(t, "ack") && !conf_has(t, "raw_ack"))
        f->tcp.ack = 0;
    f->tcp.wnd = (uint16_t)conf_int(t, "win", 65535, 0, 65535);
    f->tcp.urg = (uint16_t)conf_int(t, "urg", 0, 0, 65535);
    read_tcp_options(t, &f->tcp);
    read_sacks(t, &f->tcp, peer_isn);
}

/* icmp = { type = 3, code = 4, mtu = 1000, about = packet }: an error that quotes a packet. */
static void
read_icmp(ConfTable *t, Forged *f)
{
    ConfTable about;

    f->icmp.type = (uint8_t)conf_int(t, "icmp_type", ICMP_UNREACHABLE, 0, 255);
    f->icmp.code = (uint8_t)conf_int(t, "icmp_code", 0, 0, 255);
    f->icmp.mtu = (uint16_t)conf_int(t, "mtu", 0, 0, 65535);
    f->icmp.id = (uint16_t)conf_int(t, "icmp_id", 0, 0, 65535);
    f->icmp.seq = (uint16_t)conf_int(t, "icmp_seq", 0, 0, 65535);
    conf_sub(t, "about", &about);
    if (about.index == 0)
        return;

    static const char *const protos[] = { "tcp", "udp", "icmp", "other" };
    static const uint8_t numbers[] = { IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMP, 255 };

    /* `about` is a packet as packet_push() made it: other keys are let be. */
    f->icmp.quoted_ip = (IpHeader){
        .src = conf_addr(&about, "src", IP_ADDR_ANY),
        .dst = conf_addr(&about, "dst", IP_ADDR_ANY),
        .proto = numbers[conf_choice(&about, "proto", 0, protos, G_N_ELEMENTS(protos))],
        .total_len = (uint16_t)conf_int(&about, "ip_len", 40, 20, 65535),
        .ttl = (uint8_t)conf_int(&about, "ttl", 64, 0, 255),
        .id = (uint16_t)conf_int(&about, "ip_id", 0, 0, 65535),
        .df = conf_bool(&about, "df", true),
    };
    f->icmp.quoted_sport = (uint16_t)conf_int(&about, "sport", 0, 0, 65535);
    f->icmp.quoted_dport = (uint16_t)conf_int(&about, "dport", 0, 0, 65535);
    f->icmp.quoted_seq = (uint32_t)conf_int(&about, "raw_seq", 0, 0, UINT32_MAX);
    f->icmp.quoted_len = 28;
}

static void
read_payload(ConfTable *t, Forged *f)
{
    f->len = (size_t)conf_int(t, "len", 0, 0, 65495);
    switch (conf_push(t, "data")) {
    case LUA_TNIL:
        break;
    case LUA_TSTRING:
        f->data = lua_tolstring(t->L, -1, &f->len);
        break;
    default:
        conf_fail(t, "data", "a text");
    }
}

/* like = conn: from its address and port to its peer's, so that a forgery fits. */
static void
read_like(ConfTable *t, Forged *f)
{
    if (conf_push(t, "like") != LUA_TNIL) {
        SockBox *conn = conn_test(t->L, -1);

        if (conn == NULL)
            conf_fail(t, "like", "a connection");
        if (conn->sock != NULL)
            sock_check_any(t->L, -1, CONN_META); /* its ends as they are now */
        f->src = conn->local.addr;
        f->dst = conn->remote.addr;
        f->sport = conn->local.port;
        f->dport = conn->remote.port;
    }
    lua_pop(t->L, 1);
}

/* What no real wire could carry is a mistake of the scenario, not a forgery. */
static void
check_sizes(ConfTable *t, const Forged *f)
{
    enum { TCP_OPTIONS_ROOM = 40 };
    size_t header = IPV4_HEADER_BYTES + ICMP_HEADER_BYTES + f->icmp.quoted_len;

    if (f->proto == IP_PROTO_TCP) {
        header = IPV4_HEADER_BYTES + TCP_HEADER_BYTES + tcp_options_bytes(&f->tcp);
        if (tcp_options_bytes(&f->tcp) > TCP_OPTIONS_ROOM)
            conf_fail(t, "sacks", "no more than 40 bytes of options: three blocks beside tsval");
    }
    if (header + f->len > UINT16_MAX)
        conf_fail(t, f->data != NULL ? "data" : "len", "no more than an IP datagram holds");
}

/* A fragment has no header but IP's: its bytes are whatever they are. */
static RawBytes *
make_fragment_bytes(const Forged *f)
{
    g_autofree uint8_t *bytes = g_malloc0(MAX(f->len, 1));

    if (f->data != NULL)
        memcpy(bytes, f->data, f->len);
    return raw_bytes_new(bytes, (uint32_t)f->len);
}

static Packet *
make_packet(World *world, const Forged *f)
{
    bool is_fragment = f->mf || f->frag_offset != 0;
    Packet *packet = f->proto == IP_PROTO_TCP && !is_fragment ? packet_new_tcp(&world->net->packets)
                                                              : packet_new(&world->net->packets);

    packet->flags |= f->bad_checksum ? PACKET_BAD_CHECKSUM : 0;
    packet->ip = (IpHeader){ .src = f->src,
                             .dst = f->dst,
                             .proto = f->proto,
                             .ttl = f->ttl,
                             .tos = f->tos,
                             .id = f->ip_id,
                             .frag_offset = f->frag_offset,
                             .df = f->df,
                             .mf = f->mf };
    packet->payload = (Payload){ 0 };
    packet->why = "the scenario";
    if (is_fragment) {
        packet->raw = make_fragment_bytes(f);
        packet_finish_lengths(packet);
        return packet;
    }
    if (f->proto == IP_PROTO_TCP)
        packet->tcp = f->tcp;
    else if (f->proto == IP_PROTO_UDP)
        packet->udp = (UdpHeader){ .sport = f->sport, .dport = f->dport };
    else
        packet->icmp = f->icmp;
    if (f->len > 0) {
        packet->payload =
            (Payload){ .stream = stream_new_id(world->net->streams), .len = (uint32_t)f->len };
        if (f->data != NULL)
            stream_write(world->net->streams, packet->payload.stream, 0, f->data, f->len);
    }
    packet_finish_lengths(packet);
    return packet;
}

Packet *
packet_from_table(ConfTable *t, World *world, const LinkBox *link, IpAddr src, IpAddr dst)
{
    static const char *const protos[] = { "tcp", "udp", "icmp" };
    static const uint8_t numbers[] = { IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMP };
    Forged f = { .src = src, .dst = dst };

    f.proto = numbers[conf_choice(t, "proto", 0, protos, G_N_ELEMENTS(protos))];
    read_like(t, &f);
    if (conf_push(t, "src") != LUA_TNIL)
        f.src = value_addr_or_host(t->L, -1, "src");
    if (conf_push(t, "dst") != LUA_TNIL)
        f.dst = value_addr_or_host(t->L, -1, "dst");
    f.sport = (uint16_t)conf_int(t, "sport", f.sport, 0, 65535);
    f.dport = (uint16_t)conf_int(t, "dport", f.dport, 0, 65535);
    f.ttl = (uint8_t)conf_int(t, "ttl", 64, 1, 255);
    f.tos = (uint8_t)conf_int(t, "tos", 0, 0, 255);
    f.ip_id = (uint16_t)conf_int(t, "ip_id", 0, 0, 65535);
    f.mf = conf_bool(t, "mf", false);
    f.frag_offset = (uint16_t)conf_int(t, "frag_offset", 0, 0, 65528);
    if (f.frag_offset % 8 != 0)
        conf_fail(t, "frag_offset", "a multiple of 8");
    f.df = conf_bool(t, "df", !f.mf && f.frag_offset == 0);
    f.bad_checksum = conf_bool(t, "bad_checksum", false);
    read_payload(t, &f);
    if (f.proto == IP_PROTO_TCP)
        read_tcp(t, link, &f);
    else if (f.proto == IP_PROTO_ICMP)
        read_icmp(t, &f);
    check_sizes(t, &f);
    conf_close(t);
    return make_packet(world, &f);
}

/* ---- wire:inject{} ---------------------------------------------------------------------- */

/* wire:inject{ to = server, flags = "rst", like = conn, ... }: puts a segment
 * that no stack sent into the link; `bytes` is a whole IP datagram. */
static int
link_inject_packet(lua_State *L)
{
    LinkBox *box = link_check(L, 1);
    World *world = box->world;
    ConfTable t;

    if (!lua_istable(L, 2))
        value_fail(L, 2, "inject", "a table { to = host, flags = \"rst\", ... }");
    conf_open(&t, L, 2, "inject");

    HostBox *to = conf_host(&t, "to", world), *from = conf_host(&t, "from", world);
    SimTime after = conf_span(&t, "after", 0), arrives = conf_span(&t, "arrives", SIM_NEVER);

    if (to == NULL && from == NULL)
        conf_fail(&t, "to", "the host at which it arrives");

    unsigned direction = to != NULL ? !link_direction_from(L, box, to, "inject.to")
                                    : link_direction_from(L, box, from, "inject.from");
    IpAddr src = link_iface(box->link, direction)->addr,
           dst = link_iface(box->link, !direction)->addr;
    Packet *packet;
    const char *error = NULL;

    if (conf_push(&t, "bytes") == LUA_TSTRING) {
        size_t len;
        const char *bytes = lua_tolstring(L, -1, &len);

        conf_close(&t);
        packet = packet_parse(&world->net->packets, (const uint8_t *)bytes, (uint32_t)len, &error);
        if (packet == NULL)
            conf_error(L, "inject.bytes: %s", error);
    } else {
        packet = packet_from_table(&t, world, box, src, dst);
    }
    packet->flags |= PACKET_FORGED;
    if (arrives == SIM_NEVER)
        link_inject(box->link, direction, packet, after);
    else
        link_deliver(box->link, direction, packet, arrives);
    return 0;
}

LinkBox *
link_box_at(World *world, const Iface *iface)
{
    for (unsigned i = 0; i < world->links->len; i++) {
        LinkBox *box = world->links->pdata[i];

        if (link_iface(box->link, 0) == iface || link_iface(box->link, 1) == iface)
            return box;
    }
    return NULL;
}

void
bind_packet(lua_State *L)
{
    static const luaL_Reg methods[] = { { "inject", link_inject_packet }, { NULL, NULL } };

    bind_link_methods(L, methods);
}
