/* Sysctls that the scripts set, and counters that they read.
 *
 * The folder looks like /proc/sys: net/ipv4/tcp_sack and so on. At the start
 * the door fills in what is not there yet; later it takes over each file whose
 * text has changed. The shims beside this file, found on PATH as sysctl and
 * nstat, write and read there; and the folder may be mounted over /proc/sys/net
 * for scripts that write there themselves.
 */
#include "scenarios/packetdrill/door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The ith tunable as a sysctl is named: a vector without [n]. NULL: past the last. */
static char *
setting_name(unsigned i)
{
    const char *name = stack_param_name(i);

    return name != NULL ? g_strndup(name, strcspn(name, "[")) : NULL;
}

/* The file of a tunable that is a sysctl; NULL: it is none. */
static char *
setting_path(const Door *door, const char *name)
{
    if (!g_str_has_prefix(name, "net."))
        return NULL;
    char *path = g_strdup_printf("%s/%s", door->settings, name);
    g_strdelimit(path + strlen(door->settings), ".", '/');
    return path;
}

void
door_settings_init(Door *door, const char *folder)
{
    if (folder == NULL)
        return;
    door->settings = g_strdup(folder);
    for (unsigned i = 0; stack_param_name(i) != NULL; i++) {
        g_autofree char *name = setting_name(i);
        g_autofree char *path = setting_path(door, name);
        g_autofree char *value = NULL;

        if (path == NULL || !stack_get(door->host, name, &value))
            continue;
        g_hash_table_insert(door->applied, g_strdup(name), g_strdup(value));
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        g_autofree char *parent = g_path_get_dirname(path);
        g_mkdir_with_parents(parent, 0777);
        if (!g_file_set_contents(path, value, -1, NULL))
            fprintf(stderr, "halfopen: cannot write %s: %s\n", path, g_strerror(errno));
    }
}

/* Numbers may be hexadecimal, as sysctl takes them. */
static char *
setting_value(const char *text)
{
    if (g_str_has_prefix(text, "0x"))
        return g_strdup_printf("%" G_GUINT64_FORMAT, g_ascii_strtoull(text, NULL, 16));
    return g_strdup(text);
}

void
door_settings_apply(Door *door)
{
    door_commands_apply(door);
    for (unsigned i = 0; door->settings != NULL && stack_param_name(i) != NULL; i++) {
        g_autofree char *name = setting_name(i);
        g_autofree char *path = setting_path(door, name);
        g_autofree char *text = NULL;
        g_autofree char *error = NULL;

        if (path == NULL || !g_file_get_contents(path, &text, NULL, NULL))
            continue;
        g_strstrip(text);
        if (g_strcmp0(g_hash_table_lookup(door->applied, name), text) == 0)
            continue;
        g_autofree char *value = setting_value(text);
        if (!stack_set(door->host, name, value, &error))
            fprintf(stderr, "halfopen: %s: %s\n", name, error);
        g_hash_table_insert(door->applied, g_strdup(name), g_strdup(text));
    }
}

void
door_counters_write(Door *door)
{
    if (door->settings == NULL || memcmp(door->mib, door->host->mib, sizeof door->mib) == 0)
        return;
    memcpy(door->mib, door->host->mib, sizeof door->mib);

    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < MIB_COUNT; i++)
        g_string_append_printf(text, "%s %" G_GUINT64_FORMAT "\n", mib_name((MibCounter)i),
                               door->host->mib[i]);
    g_autofree char *path = g_build_filename(door->settings, "counters", NULL);
    g_file_set_contents(path, text->str, (gssize)text->len, NULL);
}
