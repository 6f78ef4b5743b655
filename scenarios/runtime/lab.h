/* One run of one scenario file: the Lua state, what the command line asked
 * for, and the worlds that the scenario built. A world is one simulation; a
 * scenario has one, or several that it compares.
 *
 * The Lab is found from any lua_State of the run: lab_of(L).
 */
#ifndef HALFOPEN_RUNTIME_LAB_H
#define HALFOPEN_RUNTIME_LAB_H

#include <lua.h>

#include "models/sock/sock.h"
#include "models/trace/recorder.h"
#include "scenarios/runtime/conf.h"
#include "scenarios/runtime/param.h"
#include "scenarios/runtime/shelf.h"

typedef struct Lab Lab;
typedef struct World World;
typedef struct Process Process; /* process.h */

/* What `halfopen run` was asked for. */
typedef struct LabOptions {
    uint64_t seed;
    TcpProfile profile;
    bool profile_given;  /* on the command line: beats the scenario's own */
    SimTime until;       /* no world runs past this; SIM_NEVER: no bound */
    char **set;          /* borrows: "key=value" strings, NULL-terminated; NULL: none */
    bool quiet;          /* say() and log() print nothing */
    size_t memory_limit; /* bytes that Lua may hold */
    uint64_t turn_limit; /* Lua instructions without letting time pass */
    RecorderOptions recorder;
    Shelf *shelf; /* borrows: shared with other runs of the same scenario; NULL: none */
    /* Both may be NULL. on_world: a world was made, before its first event;
     * false and *error (g_free) stop the scenario. */
    bool (*on_world)(void *arg, World *world, char **error);
    void (*on_progress)(void *arg, World *world); /* now and then while a world runs */
    /* Why to stop as soon as may be ("SIGINT"); NULL: go on. NULL itself: never. */
    const char *(*interrupted_by)(void);
    void *arg;
} LabOptions;

/* What one expect() found. */
typedef struct Expectation {
    bool is_met;
    char *where; /* owns: "file:line" */
    char *claim; /* owns: the line of the scenario, or the label it gave */
    char *found; /* owns: why it failed, "expected ..., found ..."; empty when met */
    char *world; /* owns: name of the world; empty for the first */
    SimTime at;
} Expectation;

typedef struct Saying {
    SimTime at;
    char *text;  /* owns */
    char *world; /* owns */
    bool is_log; /* log(): a note at a time; else say(): the conclusion */
} Saying;

struct World {
    Lab *lab;           /* borrows */
    char *name;         /* owns; "" for a scenario's only world */
    char *prefix;       /* owns: "" or "NAME: ", for messages */
    Sim *sim;           /* owns */
    Net *net;           /* owns */
    Recorder *recorder; /* owns */
    TcpProfile profile;
    GPtrArray *params;     /* owns Param: as the world sees them */
    GPtrArray *hosts;      /* owns HostBox (bind_host.h) */
    GPtrArray *links;      /* owns LinkBox (bind_link.h) */
    GHashTable *names;     /* owned strings: every name of a host or link, for "used twice" */
    struct SockBox *socks; /* owns: doubly linked (bind_sock.h) */
    Process *processes;    /* owns: doubly linked */
    Process *main;         /* owns: the main script, when it blocks */
    Process *running;      /* borrows: whose turn it is; NULL: the main script or nobody */
    bool is_running;       /* within world_run() */
    bool has_run;
    uint32_t n_spawned;
    SimTime turn_time; /* for the detection of time standing still */
    uint64_t turns;    /* resumes since the clock last moved */
};

struct Lab {
    lua_State *L;        /* owns: the main script */
    lua_State *callback; /* anchored in the registry: runs functions that may not block */
    LabOptions options;
    char *file;              /* owns: as the user named it */
    char *source;            /* owns: text of the scenario */
    char *title, *about;     /* owns; NULL until scenario{} */
    bool is_declared;        /* scenario{} was called */
    GPtrArray *params;       /* owns Param */
    GPtrArray *worlds;       /* owns World */
    World *world;            /* borrows: where host(), link(), ... build now; NULL: none yet */
    GPtrArray *sayings;      /* owns Saying */
    GPtrArray *expectations; /* owns Expectation */
    int results;             /* registry reference of the table that result() fills */
    int at_end;              /* registry reference of the prelude's last look */
    bool describes_only;     /* stop at scenario{} */
    char *error;             /* owns: what stopped a process, told when run() returns */

    /* sandbox.c */
    size_t memory_used;
    uint64_t turn_instructions;
    bool out_of_memory;
};

static inline Lab *
lab_of(lua_State *L)
{
    return *(Lab **)lua_getextraspace(L);
}

/* Runs the file from beginning to end. False, with lab_error() telling why
 * in one line (and a traceback in further lines, where there is one). */
Lab *lab_new(const LabOptions *options);
void lab_free(Lab *lab);
bool lab_run_file(Lab *lab, const char *file);
/* The same up to and including scenario{}: title, about and parameters. */
bool lab_describe_file(Lab *lab, const char *file);
const char *lab_error(const Lab *lab);
unsigned lab_failures(const Lab *lab); /* expectations that were not met */

/* The world that the script builds in: made when first asked for. */
World *lab_world(Lab *lab);
World *world_new(Lab *lab, const char *name);
void world_free(World *world);
/* Until `until` or until nothing more can happen. Raises what a process raised. */
void world_run(lua_State *L, World *world, SimTime until);
/* Now and then while a world runs: shows how far it is. False: it shall go no further. */
bool world_may_go_on(World *world);
#define WORLD_LOOK_EVERY 16384 /* events between two looks */
/* A name for a host or link: raises if it was used before. */
void world_claim_name(lua_State *L, World *world, const char *name, const char *what);
const char *world_prefix(const World *world); /* "" or "NAME: ", for messages */

/* Somebody wants the program to end: true, and lab->error says so. */
bool lab_is_interrupted(Lab *lab);

/* Gives the parameters what the command line set. Raises for what is wrong. */
void lab_set_params(lua_State *L, Lab *lab);

/* Stops the world: a function that it called raised the error on top of L's stack. */
void lab_fail(Lab *lab, lua_State *L, const char *who);

/* Calls the function below nargs arguments on lab->callback; true and nresults
 * values, or false after lab_fail(). */
bool lab_callback(Lab *lab, int nargs, int nresults, const char *who);

#endif
