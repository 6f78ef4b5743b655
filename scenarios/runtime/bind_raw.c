/* A host that the script plays itself: host(name, address, { raw = true }).
 * Its interface works, its stack hears nothing: what arrives waits for
 * raw:recv(), what raw:send{} says goes out. */
#include <lauxlib.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/match.h"

#define MAX_WAITING 100000 /* packets that nobody reads */

struct Tap {
    HostBox *box;   /* borrows */
    GQueue packets; /* owns Packet */
    WaitList waiters;
};

/* The script goes on after the packet has been processed, not in its midst. */
static void
tap_tell(void *arg)
{
    process_wake_all(&((Tap *)arg)->waiters);
}

static bool
tap_input(void *arg, Host *host, Packet *packet, Iface *in, Iface *out)
{
    Tap *tap = arg;

    (void)out;
    host_record_packet(host, in, PACKET_EVENT_CONSUMED, packet, "raw host");
    if (tap->packets.length >= MAX_WAITING) {
        packet_free(host->packets, packet);
        return true;
    }
    g_queue_push_tail(&tap->packets, packet);
    if (tap->waiters.first != NULL)
        sim_at(host->sim, sim_now(host->sim), tap_tell, tap);
    return true;
}

Tap *
tap_new(HostBox *box)
{
    Tap *tap = g_new0(Tap, 1);

    tap->box = box;
    g_queue_init(&tap->packets);
    ip_add_input_hook(box->host, tap_input, tap);
    return tap;
}

void
tap_free(Tap *tap)
{
    Packet *packet;

    while ((packet = g_queue_pop_head(&tap->packets)) != NULL)
        packet_free(tap->box->host->packets, packet);
    g_free(tap);
}

static Tap *
tap_check(lua_State *L, const char *call)
{
    HostBox *box = host_check(L, 1);

    if (box->tap == NULL)
        conf_error(L,
                   "%s: \"%s\" has a stack of its own; only a host made with { raw = true } is "
                   "played by the script",
                   call, box->host->name);
    return box->tap;
}

/* raw:recv([{ match =, timeout = }]) -> packet; nil, "TIMEOUT". What does not match is thrown away.
 */
static int
try_raw_recv(lua_State *L, Process *process)
{
    Tap *tap = tap_check(L, "recv");
    World *world = tap->box->world;
    const Iface *iface = tap->box->host->ifaces->pdata[0];
    LinkBox *link = link_box_at(world, iface);
    unsigned direction = link != NULL && link_iface(link->link, 0) == iface; /* towards us */
    ConfTable t;
    Match match;
    Packet *packet;

    conf_open(&t, L, 2, "recv");

    SimTime timeout = conf_time(&t, "timeout", SIM_NEVER);

    match_read(&t, "match", &match);
    conf_close(&t);
    if (process->host == NULL) {
        SimTime now = process->began;

        process->deadline = timeout > SIM_NEVER - now ? SIM_NEVER : now + timeout;
        process_begin_record(process, tap->box->host, 0);
    }
    while ((packet = g_queue_pop_head(&tap->packets)) != NULL) {
        bool is_match = match_packet(&match, world, link, direction, packet);

        if (is_match)
            packet_push(L, world, link, direction, packet);
        packet_free(tap->box->host->packets, packet);
        if (is_match)
            break;
    }
    match_done(&match, world->lab);
    if (packet != NULL)
        return 1;
    if (process->is_timed_out)
        return process_push_failure(L, "TIMEOUT");
    lua_settop(L, 2);
    return process_wait_for(process, &tap->waiters);
}

static int
host_raw_recv(lua_State *L)
{
    static const ProcessCall call = { "recv", try_raw_recv };

    return process_call(L, &call);
}

/* host:send_raw{ dst =, flags =, ... }: a segment past the host's own stack. */
static int
host_send_raw(lua_State *L)
{
    HostBox *box = host_check(L, 1);
    ConfTable t;

    if (!lua_istable(L, 2))
        value_fail(L, 2, "send_raw", "a table { dst = host, flags = \"syn\", ... }");
    conf_open(&t, L, 2, "send_raw");

    unsigned n = (unsigned)conf_int(&t, "iface", 0, 0, 1000);

    if (n >= box->host->ifaces->len)
        conf_error(L, "send_raw: the host \"%s\" has no such interface", box->host->name);

    Iface *iface = box->host->ifaces->pdata[n];
    LinkBox *link = link_box_at(box->world, iface);

    if (link == NULL)
        conf_error(L, "send_raw: the host \"%s\" has no link there", box->host->name);

    unsigned direction = link_iface(link->link, 1) == iface;
    IpAddr dst = link_iface(link->link, !direction)->addr;
    Packet *packet = packet_from_table(&t, box->world, link, iface->addr, dst);

    /* Not its own stack's, or in another's name: learn nothing from it. */
    if (box->tap == NULL || !ip_addr_equal(packet->ip.src, iface->addr))
        packet->flags |= PACKET_FORGED;
    iface_send(iface, packet);
    return 0;
}

void
bind_raw(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "recv_raw", host_raw_recv },
        { "send_raw", host_send_raw },
        { NULL, NULL },
    };

    bind_host_methods(L, methods);
}
