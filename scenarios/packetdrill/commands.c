/* What the shims of ip(8) and tc(8) leave in the folder of sysctls, for the door
 * to do before its next call. */
#include "scenarios/packetdrill/door.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "models/ip/metrics.h"
#include "models/node/sendqueue.h"

/* The text of a file that a shim wrote, which is taken away with it; NULL: none. */
static char *
take_file(const Door *door, const char *name)
{
    g_autofree char *path = g_build_filename(door->settings, name, NULL);
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    unlink(path);
    return g_strstrip(text);
}

/* `tc`: the limit of a pfifo, or "none". */
static void
set_send_queue(Door *door, const char *text)
{
    char *end;
    SendQueueParams params = { .limit_packets = (uint32_t)g_ascii_strtoull(text, &end, 10) };
    bool is_limit = end != text && *end == '\0';

    iface_set_send_queue(door->iface, is_limit ? &params : NULL);
}

/* "192.0.2.1 via 192.168.0.2 dev tun0 advmss 600 mtu lock 640" */
static void
set_route(Door *door, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    IpAddr prefix, via = IP_ADDR_ANY;
    unsigned bits;
    IpMetrics metrics = { 0 };

    if (!ip_prefix_parse(words[0], &prefix, &bits)) {
        fprintf(stderr, "halfopen: ip route: found \"%s\", expected a prefix\n", words[0]);
        return;
    }
    for (char **word = words + 1; word[0] != NULL && word[1] != NULL; word += 2) {
        bool is_locked = strcmp(word[1], "lock") == 0 && word[2] != NULL;
        g_autofree char *name = g_strconcat(word[0], is_locked ? " lock" : "", NULL);
        const char *expected;

        word += is_locked;
        if (strcmp(name, "dev") == 0)
            continue;
        if (strcmp(name, "via") == 0) {
            if (!ip_addr_parse(word[1], &via))
                fprintf(stderr, "halfopen: ip route: found via \"%s\", expected an address\n",
                        word[1]);
        } else if (!ip_metrics_set(&metrics, name, word[1], &expected)) {
            fprintf(stderr, "halfopen: ip route: found %s \"%s\", expected %s\n", name, word[1],
                    expected);
        }
    }
    ip_add_route_with(door->host, prefix, bits, via, door->iface, &metrics);
}

void
door_commands_apply(Door *door)
{
    if (door->settings == NULL)
        return;
    g_autofree char *flush = take_file(door, "flush");
    g_autofree char *send_queue = take_file(door, "send_queue");
    g_autofree char *routes = take_file(door, "routes");

    if (flush != NULL)
        tcp_metrics_flush(door->host);
    if (send_queue != NULL)
        set_send_queue(door, send_queue);
    if (routes != NULL) {
        g_auto(GStrv) lines = g_strsplit(routes, "\n", -1);

        for (char **line = lines; *line != NULL; line++)
            set_route(door, *line);
    }
}
