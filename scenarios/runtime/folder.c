/* renameat2(): two folders change names in one step. */
#define _GNU_SOURCE
#include "scenarios/runtime/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenarios/runtime/captures.h"
#include "scenarios/runtime/outfile.h"
#include "scenarios/runtime/series.h"
#include "scenarios/runtime/summary.h"
#include "scenarios/runtime/tables.h"

struct Folder {
    Recorder *recorder; /* borrows */
    char *target;       /* owns: the name that it will have */
    char *work;         /* owns: where it is being written */
    Tables *tables;     /* own */
    Series *series;
    Captures *captures; /* NULL: none asked for */
};

FolderOptions
folder_options_default(void)
{
    return (FolderOptions){ .packets = 100000, .rows = 1000000, .captures = true };
}

bool
folder_is_run(const char *path)
{
    char *file = g_build_filename(path, SUMMARY_FILE, NULL);
    char *text = NULL;
    bool is_ours =
        g_file_get_contents(file, &text, NULL, NULL) && strstr(text, SUMMARY_FORMAT) != NULL;

    g_free(text);
    g_free(file);
    return is_ours;
}

static bool
folder_is_empty(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    bool is_empty = dir != NULL && g_dir_read_name(dir) == NULL;

    if (dir != NULL)
        g_dir_close(dir);
    return is_empty;
}

static void
set_errno_error(GError **error, const char *path)
{
    int saved = errno;

    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(saved), "%s: %s", path,
                g_strerror(saved));
}

static void
remove_tree(const char *path)
{
    GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        char *inside = g_build_filename(path, name, NULL);

        remove_tree(inside);
        g_free(inside);
    }
    if (dir != NULL)
        g_dir_close(dir);
    (void)g_remove(path);
}

/* ---- From the recorder to the files ------------------------------------------------- */

static void
on_sent(void *arg, TracePacket *entry, const Packet *packet)
{
    const Folder *folder = arg;

    if (folder->captures != NULL)
        captures_on_sent(folder->captures, entry, packet);
}

static void
on_arrived(void *arg, TracePacket *entry, const Packet *packet)
{
    const Folder *folder = arg;

    if (folder->captures != NULL)
        captures_on_arrived(folder->captures, entry, packet);
}

static void
on_closed(void *arg, TracePacket *entry)
{
    const Folder *folder = arg;

    if (folder->captures != NULL)
        captures_on_closed(folder->captures, entry);
}

static void
on_packet(void *arg, const TracePacket *entry)
{
    tables_on_packet(((const Folder *)arg)->tables, entry);
}

static void
on_transition(void *arg, const TcpStateRecord *transition)
{
    tables_on_transition(((const Folder *)arg)->tables, transition);
}

static void
on_verdict(void *arg, const VerdictRecord *verdict)
{
    tables_on_verdict(((const Folder *)arg)->tables, verdict);
}

static void
on_call(void *arg, const CallRecord *call)
{
    tables_on_call(((const Folder *)arg)->tables, call);
}

static void
on_sample(void *arg, const TcpSampleRecord *sample)
{
    series_on_sample(((const Folder *)arg)->series, sample);
}

static void
on_queue(void *arg, const QueueRecord *queue)
{
    series_on_queue(((const Folder *)arg)->series, queue);
}

static void
on_counter(void *arg, const CounterRecord *counter)
{
    series_on_counter(((const Folder *)arg)->series, counter);
}

static void
folder_listen(Folder *folder)
{
    TraceSink sink = {
        .arg = folder,
        .on_sent = on_sent,
        .on_arrived = on_arrived,
        .on_closed = on_closed,
        .on_packet = on_packet,
        .on_transition = on_transition,
        .on_verdict = on_verdict,
        .on_call = on_call,
        .on_sample = on_sample,
        .on_queue = on_queue,
        .on_counter = on_counter,
    };

    recorder_set_sink(folder->recorder, &sink);
}

/* ---- Beginning ------------------------------------------------------------------------- */

/* True when the run may take this name: nothing is there, or an earlier run. */
static bool
target_is_free(const char *target, GError **error)
{
    if (!g_file_test(target, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK))
        return true;
    if (g_file_test(target, G_FILE_TEST_IS_DIR) &&
        (folder_is_run(target) || folder_is_empty(target)))
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                "%s: is there already and is not the folder of a run", target);
    return false;
}

/* A hidden folder beside the target, on the same file system. */
static char *
work_dir_new(const char *target, GError **error)
{
    char *parent = g_path_get_dirname(target);
    char *base = g_path_get_basename(target);
    char *name = g_strdup_printf(".%s.XXXXXX", base);
    char *work = g_build_filename(parent, name, NULL);

    if (g_mkdir_with_parents(parent, 0777) != 0) {
        set_errno_error(error, parent);
        g_clear_pointer(&work, g_free);
    } else if (g_mkdtemp_full(work, 0777) == NULL) {
        set_errno_error(error, parent);
        g_clear_pointer(&work, g_free);
    }
    g_free(name);
    g_free(base);
    g_free(parent);
    return work;
}

/* "runs/x/" and "runs/x" are one name. */
static char *
without_trailing_slash(const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == G_DIR_SEPARATOR)
        len--;
    return g_strndup(path, len);
}

static void
folder_free(Folder *folder)
{
    g_free(folder->target);
    g_free(folder->work);
    g_free(folder);
}

Folder *
folder_begin(const char *path, Recorder *recorder, const FolderOptions *options, GError **error)
{
    FolderOptions opts = options ? *options : folder_options_default();
    Folder *folder = g_new0(Folder, 1);

    folder->recorder = recorder;
    folder->target = without_trailing_slash(path);
    if (!target_is_free(folder->target, error) ||
        (folder->work = work_dir_new(folder->target, error)) == NULL) {
        folder_free(folder);
        return NULL;
    }
    folder->tables = tables_new(folder->work, recorder, opts.packets, opts.rows, error);
    if (folder->tables != NULL)
        folder->series = series_new(folder->work, recorder, opts.rows, error);
    if (folder->series == NULL) {
        folder_abandon(folder);
        return NULL;
    }
    if (opts.captures)
        folder->captures = captures_new(folder->work, recorder, opts.snaplen, opts.packets);
    folder_listen(folder);
    return folder;
}

/* ---- Ending ------------------------------------------------------------------------------ */

static bool
write_summary(const Folder *folder, const Summary *summary, uint64_t left_out, GError **error)
{
    char *text = summary_to_json(summary, folder->recorder, left_out);
    OutFile *out = out_open(folder->work, SUMMARY_FILE, error);

    if (out != NULL)
        out_literal(out, text);
    g_free(text);
    return out != NULL && out_close(out, error);
}

/* Gives the work its name. Where an earlier run has that name the two change
 * places in one step, so that at no time there is none. */
static bool
take_name(const Folder *folder, GError **error)
{
    if (renameat2(AT_FDCWD, folder->work, AT_FDCWD, folder->target, RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EEXIST && target_is_free(folder->target, error)) {
        if (renameat2(AT_FDCWD, folder->work, AT_FDCWD, folder->target, RENAME_EXCHANGE) == 0) {
            remove_tree(folder->work);
            return true;
        }
    }
    if (*error == NULL && (errno == EINVAL || errno == ENOSYS)) { /* a file system without it */
        remove_tree(folder->target);
        if (g_rename(folder->work, folder->target) == 0)
            return true;
    }
    if (*error == NULL)
        set_errno_error(error, folder->target);
    return false;
}

bool
folder_finish(Folder *folder, const Summary *summary, GError **error)
{
    GError *first = NULL;
    uint64_t left_out;
    bool is_good;

    recorder_finish(folder->recorder);
    recorder_set_sink(folder->recorder, NULL);
    left_out = tables_left_out(folder->tables);
    is_good = tables_finish(g_steal_pointer(&folder->tables), &first);
    is_good = series_finish(g_steal_pointer(&folder->series), first ? NULL : &first) && is_good;
    if (folder->captures != NULL)
        is_good =
            captures_finish(g_steal_pointer(&folder->captures), first ? NULL : &first) && is_good;
    is_good = is_good && write_summary(folder, summary, left_out, &first);
    is_good = is_good && take_name(folder, &first);
    if (!is_good)
        remove_tree(folder->work);
    if (first != NULL)
        g_propagate_error(error, first);
    folder_free(folder);
    return is_good;
}

void
folder_abandon(Folder *folder)
{
    recorder_set_sink(folder->recorder, NULL);
    tables_discard(folder->tables);
    series_discard(folder->series);
    captures_discard(folder->captures);
    remove_tree(folder->work);
    folder_free(folder);
}
