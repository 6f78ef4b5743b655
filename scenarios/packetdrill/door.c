/* The world behind the door, its clock, and packets in and out. */
#include "scenarios/packetdrill/door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/link/link.h"

/* gettimeofday says this at virtual time zero: some plausible date. */
#define DOOR_EPOCH (1500000000 * SIM_SEC)

/* How long packetdrill may wait for a packet: beyond any timer of TCP that a
 * script waits for. Its own limit does not hold for shared objects. */
#define DOOR_PATIENCE (600 * SIM_SEC)

#define DOOR_BREATH_US 2000 /* real time */

typedef struct DoorPacket {
    SimTime at;
    uint32_t len;
    uint8_t bytes[];
} DoorPacket;

typedef struct DoorFlags {
    IpAddr local;
    unsigned prefix_bits;
    unsigned mtu;
    char *settings; /* owns */
    TcpProfile profile;
} DoorFlags;

/* The tap: the fate of every packet that the host puts on the link is to be
 * kept as bytes. */
static Fate
tap_take(void *arg, Link *link, unsigned direction, const Packet *packet)
{
    Door *door = arg;
    DoorPacket *taken = g_malloc(sizeof *taken + UINT16_MAX);

    (void)link;
    (void)direction;
    taken->at = sim_now(door->sim);
    taken->len = packet_render(&door->net->packets, packet, taken->bytes, UINT16_MAX);
    taken = g_realloc(taken, sizeof *taken + taken->len);
    g_queue_push_tail(&door->sent, taken);
    if (door->wants_packet)
        door_interrupt(door);
    return (Fate){ .kind = FATE_DROP, .reason = "taken by the tap" };
}

static void
door_flags_fail(const char *flag)
{
    fprintf(stderr,
            "halfopen: --so_flags: found \"%s\", expected local=ADDRESS/BITS, mtu=BYTES, "
            "sysctls=FOLDER or profile=linux|rfc, separated by commas\n",
            flag);
    exit(EXIT_FAILURE);
}

/* "local=192.168.0.1/16,mtu=1500,sysctls=FOLDER": the defaults are the
 * addresses that packetdrill uses unless told otherwise. */
static DoorFlags
door_flags_parse(const char *text)
{
    const char *folder = g_getenv("HALFOPEN_SYSCTLS");
    DoorFlags flags = {
        .local = ip_addr_v4(0xc0a80001),
        .prefix_bits = 16,
        .mtu = 1500,
        .settings = g_strdup(folder),
        .profile = TCP_PROFILE_LINUX,
    };
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : "", ",", -1);

    for (char **part = parts; *part != NULL; part++) {
        char *value = strchr(*part, '=');

        if (**part == '\0')
            continue;
        if (value == NULL)
            door_flags_fail(*part);
        value++;
        if (g_str_has_prefix(*part, "local=")) {
            if (!ip_prefix_parse(value, &flags.local, &flags.prefix_bits))
                door_flags_fail(*part);
        } else if (g_str_has_prefix(*part, "mtu=")) {
            flags.mtu = (unsigned)strtoul(value, NULL, 10);
            if (flags.mtu < 68 || flags.mtu > UINT16_MAX)
                door_flags_fail(*part);
        } else if (g_str_has_prefix(*part, "sysctls=")) {
            g_free(flags.settings);
            flags.settings = g_strdup(value);
        } else if (strcmp(*part, "profile=rfc") == 0) {
            flags.profile = TCP_PROFILE_RFC;
        } else if (strcmp(*part, "profile=linux") != 0) {
            door_flags_fail(*part);
        }
    }
    return flags;
}

static void
door_build(Door *door, const DoorFlags *flags)
{
    StackParams params;
    LinkParams link_params[2] = { link_params_default(), link_params_default() };

    door->sim = sim_new(1);
    door->net = net_new(door->sim);
    stack_params_init(&params, flags->profile);
    door->host = stack_new(door->net, "host", &params);
    door->iface = host_add_iface(door->host, "tun0", flags->local, flags->prefix_bits, flags->mtu);

    Host *wire = host_new(door->net, "wire");
    IpAddr gateway = ip_addr_v4(ip_addr_to_v4(flags->local) ^ 3);
    Iface *far = host_add_iface(wire, "tap", gateway, flags->prefix_bits, flags->mtu);
    for (unsigned i = 0; i < 2; i++) {
        link_params[i].delay = 0;
        link_params[i].mtu = flags->mtu;
    }
    Link *link = link_new(door->net, "tun", door->iface, far, link_params);
    link_set_fate(link, tap_take, door);
    ip_add_route(door->host, ip_addr_v4(0), 0, gateway, door->iface);
}

static void
door_free(void *arg)
{
    Door *door = arg;

    door_publish(NULL);
    for (guint i = 0; i < door->files->len; i++) {
        DoorFile *file = g_ptr_array_index(door->files, i);
        if (file == NULL)
            continue;
        if (file->sock != NULL)
            sock_forget(file->sock);
        door_file_free(file);
    }
    g_ptr_array_unref(door->files);
    sim_timer_done(door->sim, &door->timeout);
    net_free(door->net);
    sim_free(door->sim);
    g_queue_clear_full(&door->sent, g_free);
    g_hash_table_unref(door->applied);
    g_free(door->settings);
    g_mutex_clear(&door->lock);
    g_cond_clear(&door->wake);
    g_cond_clear(&door->settled);
    g_free(door);
}

void
door_enter(Door *door)
{
    g_mutex_lock(&door->lock);
    door_settings_apply(door);
}

/* What a call set off at this instant happens before the caller goes on, as on
 * a machine that is fast. */
void
door_leave(Door *door)
{
    int kept = errno;

    if (g_thread_self() == door->driver) {
        door_run(door, sim_now(door->sim));
    } else {
        sim_run(door->sim, sim_now(door->sim));
        door_zerocopy_collect(door);
        door->returned_at = sim_now(door->sim);
        door->has_returned = door->has_ended_call = true;
        if (door->is_woken) {
            door->is_woken = false;
            g_cond_signal(&door->settled);
        }
    }
    door_counters_write(door);
    g_mutex_unlock(&door->lock);
    errno = kept;
}

static int
door_netdev_send(void *arg, const void *bytes, size_t len)
{
    Door *door = arg;
    const char *error = NULL;

    door_enter(door);
    Packet *packet = packet_parse(&door->net->packets, bytes, (uint32_t)len, &error);
    if (packet == NULL)
        fprintf(stderr, "halfopen: packet from packetdrill: %s\n", error);
    else
        host_receive(door->iface, packet);
    door_leave(door);
    return packet != NULL ? 0 : -1;
}

static int
door_netdev_receive(void *arg, void *bytes, size_t *len, long long *time_us)
{
    Door *door = arg;

    door_enter(door);
    if (g_queue_is_empty(&door->sent)) {
        door->wants_packet = true;
        door_run(door, sim_now(door->sim) + DOOR_PATIENCE);
        door->wants_packet = false;
    }
    DoorPacket *packet = g_queue_pop_head(&door->sent);
    if (packet == NULL) {
        /* Returning would only have packetdrill ask again, for ever. */
        fprintf(stderr, "halfopen: a packet was expected, but within 10 minutes of virtual time "
                        "the host would send none\n");
        exit(EXIT_FAILURE);
    }
    size_t room = *len;
    *len = MIN(room, packet->len);
    memcpy(bytes, packet->bytes, *len);
    *time_us = (packet->at + DOOR_EPOCH) / SIM_US;
    g_free(packet);
    door_leave(door);
    return 0;
}

static int
door_usleep(void *arg, unsigned us)
{
    Door *door = arg;

    g_mutex_lock(&door->lock);
    if (door->has_ended_call && g_thread_self() == door->driver) {
        /* A blocking call has returned: let its thread put down the result before
         * the next event, as it would have had the (real) time to. */
        door->has_ended_call = false;
        g_mutex_unlock(&door->lock);
        g_usleep(DOOR_BREATH_US);
        g_mutex_lock(&door->lock);
    }
    door_run(door, sim_now(door->sim) + us * SIM_US);
    g_mutex_unlock(&door->lock);
    return 0;
}

static int
door_gettimeofday(void *arg, struct timeval *time, struct timezone *zone)
{
    Door *door = arg;
    SimTime now;

    (void)zone;
    g_mutex_lock(&door->lock);
    if (g_thread_self() != door->driver && door->has_returned) {
        /* When did that call end? Meanwhile the driver may be further on. */
        now = door->returned_at;
        door->has_returned = false;
    } else {
        door_run(door, sim_now(door->sim) + SIM_US);
        now = sim_now(door->sim);
    }
    g_mutex_unlock(&door->lock);
    time->tv_sec = (now + DOOR_EPOCH) / SIM_SEC;
    time->tv_usec = (now + DOOR_EPOCH) % SIM_SEC / SIM_US;
    return 0;
}

void
packetdrill_interface_init(const char *flags_text, PacketdrillInterface *table)
{
    DoorFlags flags = door_flags_parse(flags_text);
    Door *door = g_new0(Door, 1);

    g_mutex_init(&door->lock);
    g_cond_init(&door->wake);
    g_cond_init(&door->settled);
    g_queue_init(&door->sent);
    sim_timer_init(&door->timeout);
    door->driver = g_thread_self();
    door->files = g_ptr_array_new();
    door->applied = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    door_build(door, &flags);
    door_settings_init(door, flags.settings);
    g_free(flags.settings);
    door_publish(door);
    *table = (PacketdrillInterface){
        .userdata = door,
        .free = door_free,
        .socket = door_call_socket,
        .bind = door_call_bind,
        .listen = door_call_listen,
        .accept = door_call_accept,
        .connect = door_call_connect,
        .read = door_call_read,
        .readv = door_call_readv,
        .recv = door_call_recv,
        .recvfrom = door_call_recvfrom,
        .recvmsg = door_call_recvmsg,
        .write = door_call_write,
        .writev = door_call_writev,
        .send = door_call_send,
        .sendto = door_call_sendto,
        .sendmsg = door_call_sendmsg,
        .fcntl = door_call_fcntl,
        .ioctl = door_call_ioctl,
        .close = door_call_close,
        .shutdown = door_call_shutdown,
        .getsockopt = door_call_getsockopt,
        .setsockopt = door_call_setsockopt,
        .poll = door_call_poll,
        .netdev_send = door_netdev_send,
        .netdev_receive = door_netdev_receive,
        .usleep = door_usleep,
        .gettimeofday = door_gettimeofday,
        .epoll_create = door_call_epoll_create,
        .epoll_ctl = door_call_epoll_ctl,
        .epoll_wait = door_call_epoll_wait,
        .pipe = door_call_pipe,
        .splice = door_call_splice,
    };
}
