#include "tests/support/story.h"

enum { CLIENT_ISN = 1000000, SERVER_ISN = 3000000000u, CLIENT_PORT = 40000 };

struct Story {
    Sim *sim;
    Net *net;
    Link *link;
    Recorder *recorder;
    GPtrArray *told; /* owns Told */
    Fate next_fate;  /* of the segment being sent */
};

typedef struct Told {
    Story *story;
    StorySegment segment;
    TcpStateRecord state;
    CallRecord call;
    bool is_state, is_call;
} Told;

static void
swallow(Iface *iface, Packet *packet)
{
    host_record_packet(iface->host, iface, PACKET_EVENT_CONSUMED, packet, NULL);
    packet_free(iface->host->packets, packet);
}

static Fate
decide(void *arg, Link *link, unsigned direction, const Packet *packet)
{
    (void)link, (void)direction, (void)packet;
    return ((Story *)arg)->next_fate;
}

static Host *
add_host(Story *story, const char *name, uint32_t addr)
{
    Host *host = host_new(story->net, name);

    host_add_iface(host, "eth0", ip_addr_v4(addr), 24, 1500);
    host->input = swallow;
    return host;
}

Story *
story_new(const RecorderOptions *options)
{
    Story *story = g_new0(Story, 1);
    LinkParams params[2] = { link_params_default(), link_params_default() };
    Host *client, *server;

    story->sim = sim_new(1);
    story->net = net_new(story->sim);
    story->recorder = recorder_new(story->net, options);
    story->told = g_ptr_array_new_with_free_func(g_free);
    client = add_host(story, "client", 0x0a000001);
    server = add_host(story, "server", 0x0a000002);
    story->link =
        link_new(story->net, "wire", client->ifaces->pdata[0], server->ifaces->pdata[0], params);
    link_set_fate(story->link, decide, story);
    return story;
}

void
story_free(Story *story)
{
    recorder_free(story->recorder);
    net_free(story->net);
    sim_free(story->sim);
    g_ptr_array_free(story->told, TRUE);
    g_free(story);
}

Recorder *
story_recorder(Story *story)
{
    return story->recorder;
}

Net *
story_net(Story *story)
{
    return story->net;
}

static SimTime
seconds(double s)
{
    return (SimTime)(s * 1e9 + 0.5);
}

static Endpoint
endpoint_of(int host, uint16_t client_port)
{
    return (Endpoint){ ip_addr_v4(0x0a000001 + (uint32_t)host),
                       host == STORY_CLIENT ? (client_port ? client_port : CLIENT_PORT) : 80 };
}

static void
send_told(const Told *told)
{
    Story *story = told->story;
    const StorySegment *s = &told->segment;
    Endpoint src = endpoint_of(s->from, s->port), dst = endpoint_of(!s->from, s->port);
    Host *host = story->net->hosts->pdata[s->from];
    Packet *packet = packet_new_tcp(&story->net->packets);

    packet->ip.src = src.addr;
    packet->ip.dst = dst.addr;
    packet->ip.proto = IP_PROTO_TCP;
    packet->ip.df = true;
    packet->conn = s->conn ? s->conn : (uint32_t)s->from + 1;
    packet->tcp.sport = src.port;
    packet->tcp.dport = dst.port;
    packet->tcp.flags = s->flags;
    packet->tcp.seq = s->seq + (s->from == STORY_CLIENT ? CLIENT_ISN : SERVER_ISN);
    packet->tcp.ack =
        s->flags & TCP_ACK ? s->ack + (s->from == STORY_CLIENT ? SERVER_ISN : CLIENT_ISN) : 0;
    packet->tcp.wnd = 64240;
    if (s->flags & TCP_SYN) {
        packet->tcp.options = TCPOPT_HAS_MSS;
        packet->tcp.mss = 1460;
    }
    packet->payload =
        (Payload){ .stream = s->len ? (uint32_t)s->from + 1 : 0, .offset = s->seq, .len = s->len };
    packet_finish_lengths(packet);
    story->next_fate = (Fate){ .kind = s->fate, .by = seconds(s->by), .copies = 1 };
    iface_send(host->ifaces->pdata[0], packet);
}

static void
happen_now(void *arg)
{
    Told *told = arg;

    if (told->is_state)
        probe_emit(&told->story->net->probes.tcp_state, &told->state);
    else if (told->is_call)
        probe_emit(&told->story->net->probes.call, &told->call);
    else
        send_told(told);
}

/* After all that was due at this moment already, as a reply is. */
static void
happen(void *arg)
{
    sim_at(((Told *)arg)->story->sim, sim_now(((Told *)arg)->story->sim), happen_now, arg);
}

void
story_segment(Story *story, StorySegment segment)
{
    Told *told = g_new0(Told, 1);

    told->story = story;
    told->segment = segment;
    g_ptr_array_add(story->told, told);
    sim_at(story->sim, seconds(segment.at), happen, told);
}

void
story_state(Story *story, double at, int host, TcpState from, TcpState to, const char *cause,
            const char *what)
{
    Told *told = g_new0(Told, 1);

    told->story = story;
    told->is_state = true;
    told->state = (TcpStateRecord){
        .at = seconds(at),
        .host = (uint32_t)host + 1,
        .conn = (uint32_t)host + 1,
        .local = endpoint_of(host, 0),
        .remote = endpoint_of(!host, 0),
        .from = from,
        .to = to,
        .cause = cause,
        .what = what,
        .rule = "RFC 9293 §3.10",
    };
    g_ptr_array_add(story->told, told);
    sim_at(story->sim, told->state.at, happen, told);
}

void
story_call(Story *story, double at, int host, const char *call, double began, int64_t result)
{
    Told *told = g_new0(Told, 1);

    told->story = story;
    told->is_call = true;
    told->call = (CallRecord){
        .at = seconds(at),
        .host = (uint32_t)host + 1,
        .call = call,
        .returned = true,
        .result = result,
        .began_at = seconds(began),
    };
    g_ptr_array_add(story->told, told);
    sim_at(story->sim, told->call.at, happen, told);
}

void
story_run(Story *story, double until)
{
    sim_run(story->sim, seconds(until));
    recorder_finish(story->recorder);
}

void
story_refuse(Iface *iface, Packet *packet)
{
    VerdictRecord verdict = { .at = sim_now(iface->host->net->sim),
                              .host = iface->host->id,
                              .kind = VERDICT_DROP,
                              .packet = packet->id,
                              .what = "RST in TIME-WAIT",
                              .rule = "RFC 1337 §3" };

    probe_emit(&iface->host->probes->verdict, &verdict);
    verdict.what = "its answer is rate limited";
    probe_emit(&iface->host->probes->verdict, &verdict);
    packet_free(iface->host->packets, packet);
}

#define SEG(...) story_segment(s, (StorySegment){ __VA_ARGS__ })

void
story_tell_lost_final_ack(Story *s)
{
    story_state(s, 0, STORY_SERVER, TCP_CLOSED, TCP_LISTEN, "call", "listen()");
    story_state(s, 0, STORY_CLIENT, TCP_CLOSED, TCP_SYN_SENT, "call", "connect()");
    SEG(.at = 0, .from = STORY_CLIENT, .flags = TCP_SYN);
    story_state(s, 0.01, STORY_SERVER, TCP_LISTEN, TCP_SYN_RECEIVED, "segment", "SYN");
    SEG(.at = 0.01, .from = STORY_SERVER, .flags = TCP_SYN | TCP_ACK, .ack = 1);
    story_state(s, 0.02, STORY_CLIENT, TCP_SYN_SENT, TCP_ESTABLISHED, "segment", "SYN-ACK");
    SEG(.at = 0.02, .from = STORY_CLIENT, .flags = TCP_ACK, .seq = 1, .ack = 1);
    story_state(s, 0.03, STORY_SERVER, TCP_SYN_RECEIVED, TCP_ESTABLISHED, "segment", "ACK");
    SEG(.at = 0.05, .from = STORY_CLIENT, .flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 1, .len = 3);
    SEG(.at = 0.06, .from = STORY_SERVER, .flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 4, .len = 5);
    SEG(.at = 0.07, .from = STORY_CLIENT, .flags = TCP_ACK, .seq = 4, .ack = 6);
    story_state(s, 0.1, STORY_CLIENT, TCP_ESTABLISHED, TCP_FIN_WAIT_1, "call", "close()");
    SEG(.at = 0.1, .from = STORY_CLIENT, .flags = TCP_FIN | TCP_ACK, .seq = 4, .ack = 6);
    story_state(s, 0.11, STORY_SERVER, TCP_ESTABLISHED, TCP_CLOSE_WAIT, "segment", "FIN");
    SEG(.at = 0.11, .from = STORY_SERVER, .flags = TCP_ACK, .seq = 6, .ack = 5);
    story_state(s, 0.12, STORY_CLIENT, TCP_FIN_WAIT_1, TCP_FIN_WAIT_2, "segment", "ACK");
    story_state(s, 0.15, STORY_SERVER, TCP_CLOSE_WAIT, TCP_LAST_ACK, "call", "close()");
    SEG(.at = 0.15, .from = STORY_SERVER, .flags = TCP_FIN | TCP_ACK, .seq = 6, .ack = 5);
    story_state(s, 0.16, STORY_CLIENT, TCP_FIN_WAIT_2, TCP_TIME_WAIT, "segment", "FIN");
    SEG(.at = 0.16, .from = STORY_CLIENT, .flags = TCP_ACK, .seq = 5, .ack = 7, .fate = FATE_DROP);
    SEG(.at = 0.37, .from = STORY_SERVER, .flags = TCP_FIN | TCP_ACK, .seq = 6, .ack = 5);
    SEG(.at = 0.38, .from = STORY_CLIENT, .flags = TCP_ACK, .seq = 5, .ack = 7);
    story_state(s, 0.39, STORY_SERVER, TCP_LAST_ACK, TCP_CLOSED, "segment", "ACK");
    story_state(s, 60.38, STORY_CLIENT, TCP_TIME_WAIT, TCP_CLOSED, "timer", "2MSL");
}
