/* Runs told by hand, for tests of what a run records: real hosts and a real
 * link, but the segments and transitions are those that the test says, at the
 * times it says, so that recorder, files, ladder and pictures are judged
 * without a TCP.
 */
#ifndef HALFOPEN_TESTS_SUPPORT_STORY_H
#define HALFOPEN_TESTS_SUPPORT_STORY_H

#include "models/link/link.h"
#include "models/tcp/tcp.h"
#include "models/trace/recorder.h"

enum { STORY_CLIENT = 0, STORY_SERVER = 1 };

typedef struct Story Story;

typedef struct StorySegment {
    double at; /* seconds */
    int from;  /* STORY_CLIENT or STORY_SERVER */
    uint16_t flags;
    uint32_t seq, ack; /* relative */
    uint32_t len;
    FateKind fate; /* FATE_PASS if not given */
    double by;     /* of the fate: seconds */
    uint16_t port; /* of the client; 0: 40000 */
    uint32_t conn; /* of the sender; 0: 1 for the client, 2 for the server */
} StorySegment;

Story *story_new(const RecorderOptions *options); /* client 10.0.0.1, server 10.0.0.2, 10 ms */
void story_free(Story *story);
Recorder *story_recorder(Story *story);
Net *story_net(Story *story);

void story_segment(Story *story, StorySegment segment);
void story_state(Story *story, double at, int host, TcpState from, TcpState to, const char *cause,
                 const char *what);
/* A call of `host` that began at `began` returns at `at`: bytes, or a negative errno. */
void story_call(Story *story, double at, int host, const char *call, double began, int64_t result);
void story_run(Story *story, double until);

/* For a Host's input: a stack that drops what comes ("RST in TIME-WAIT"), and then says that it
 * does not even answer. */
void story_refuse(Iface *iface, Packet *packet);

/* A whole connection whose final ACK is lost; the server's FIN comes again. */
void story_tell_lost_final_ack(Story *story);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Story, story_free)

#endif
