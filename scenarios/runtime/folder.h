/* A run's folder: the files that a run leaves, complete or not at all. They
 * are written into a folder beside the target while the run goes; only when
 * all of them are whole does it take the target's name. An earlier run's
 * folder of that name is replaced then and not before; a folder that is not a
 * run's is never touched.
 *
 * The bytes depend on the scenario, its parameters, the seed and the version:
 * no wall clock, no host name, no path of this machine.
 *
 * Life: folder_begin() after the Net exists and before the run, folder_finish()
 * or folder_abandon() after it.
 */
#ifndef HALFOPEN_RUNTIME_FOLDER_H
#define HALFOPEN_RUNTIME_FOLDER_H

#include "models/trace/recorder.h"

typedef struct Folder Folder;

typedef struct FolderOptions {
    uint64_t
        packets;   /* lines of packets.tsv and packets in captures; what follows is only counted */
    uint64_t rows; /* the same for each of the other files */
    uint32_t snaplen; /* bytes of each packet in captures; 0: all */
    bool captures;    /* write HOST-IF.pcapng */
} FolderOptions;

FolderOptions
folder_options_default(void); /* 100,000 packets, 1,000,000 rows, whole packets, captures */

/* One expectation and how it ended. */
typedef struct SummaryExpect {
    char *text;    /* owns: "server's connection passed LAST-ACK -> CLOSED" */
    char *message; /* owns: found and expected, when it failed; NULL */
    char *where;   /* owns: "lost_final_ack.lua:31" (no folder names); NULL */
    bool passed;
} SummaryExpect;

typedef struct SummaryParam {
    char *name, *value;  /* own */
    char *default_value; /* owns; NULL: none */
} SummaryParam;

/* What the folder can't know by itself. The caller owns it; strings may be
 * NULL where the scenario gave none. */
typedef struct Summary {
    const char *scenario; /* the file's name without its folder: "lost_final_ack.lua" */
    const char *title, *about;
    const char *profile; /* "linux" or "rfc" */
    const char *version; /* of halfopen */
    uint64_t seed;
    bool stopped_early; /* by a limit: `stopped_by` says which */
    const char *stopped_by;
    const char *said;    /* the scenario's last line in plain words; NULL */
    const char *results; /* a JSON object as text: what result() stored; NULL: nothing */
    GPtrArray *params;   /* SummaryParam*; may be NULL */
    GPtrArray *expects;  /* SummaryExpect*; may be NULL */
} Summary;

void summary_param_free(void *param); /* for g_ptr_array_new_with_free_func */
void summary_expect_free(void *expect);

/* Starts writing for a run of the recorder's net, whose folder will be `path`
 * (its parent is made if missing). Hangs a sink on the recorder. NULL and
 * error (G_FILE_ERROR) when the place can't be written or holds something
 * that is no run's folder. Borrows recorder. */
Folder *folder_begin(const char *path, Recorder *recorder, const FolderOptions *options,
                     GError **error);

/* After the run: ends the recorder, writes what remains and gives the folder
 * its name. Frees folder in any case; false and error: nothing is left. */
bool folder_finish(Folder *folder, const Summary *summary, GError **error);

/* Removes all that was written; an earlier folder stays. */
void folder_abandon(Folder *folder);

/* True when `path` is the folder of a run (has a summary.json of ours). */
bool folder_is_run(const char *path);

#endif
