/* Processes of a scenario: Lua coroutines that block in virtual time. A call
 * that would block yields; what it waits for wakes the process, and the call
 * tries again. The main script is a process too: when it blocks, the
 * simulation runs until it can go on.
 */
#ifndef HALFOPEN_RUNTIME_PROCESS_H
#define HALFOPEN_RUNTIME_PROCESS_H

#include "scenarios/runtime/lab.h"

/* Who waits for one thing, first come first woken. */
typedef struct WaitList {
    Process *first, *last; /* borrows */
} WaitList;

#define PROCESS_WAIT (-1)

/* One attempt at a blocking call, its arguments on the stack from 1 on:
 * how many results it pushed; or PROCESS_WAIT, after process_wait_for(). */
typedef int ProcessTry(lua_State *L, Process *process);

typedef struct ProcessCall {
    const char *name; /* "recv" */
    ProcessTry *attempt;
} ProcessCall;

struct Process {
    Process *next, *before; /* all of the world */
    World *world;           /* borrows */
    lua_State *L;           /* the coroutine; anchored by `anchor` */
    int anchor;             /* in the registry */
    char *name;             /* owns: "client process 2" */
    bool is_main, is_done;
    WaitList joiners; /* who waits for its end */

    /* the call it is in */
    const ProcessCall *call;
    bool is_waiting;
    bool is_timed_out; /* the deadline passed while it waited */
    WaitList *list;    /* that it waits in; NULL: only for the deadline */
    Process *wait_next;
    SimTimer timer;
    SimTime began;
    SimTime deadline;
    int64_t progress;   /* free for the call: bytes sent so far */
    bool found_no_room; /* send(): it has waited, or will */
    int64_t result;     /* for the record of the call */
    Host *host;         /* of the call's socket; NULL: no record is made */
    uint32_t conn;

    /* the last call, when it returned nil and an error: the reason of a nil that Lua meets later */
    char failed_call[24];
    const char *failed_with; /* static; NULL: it did not fail */
};

/* Starts the function on top of `from`'s stack, above it nargs arguments, at
 * the current time, after all that is due now. Pops them. */
Process *process_spawn(lua_State *from, World *world, int nargs, const char *name);
void process_free(Process *process); /* with the world */

/* Runs the call to its end: the C function's return statement. */
int process_call(lua_State *L, const ProcessCall *call);
/* Pushes nil and the error's name, which must be static; returns 2. */
int process_push_failure(lua_State *L, const char *error);
/* The process whose Lua state this is; NULL: none. */
const Process *process_find(const World *world, const lua_State *L);
/* The process whose Lua state this is; raises when it may not block. */
Process *process_of(lua_State *L, const char *call);
/* In an attempt: wait for this list (NULL: none) and for process->deadline. */
int process_wait_for(Process *process, WaitList *list);
void process_wake_all(WaitList *list);
void process_begin_record(Process *process, Host *host, uint32_t conn);

/* Names of the calls that are open, for the message when nothing can happen any more. */
void processes_describe(const World *world, GString *text);

extern const ProcessCall process_sleep_call; /* sleep(time) */

#endif
