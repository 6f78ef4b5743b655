/* The captures of a run: one pcapng file for each interface, written while
 * the run goes. A block waits until its packet's fate is known, because the
 * fate is the packet's comment, and until those before it are written, because
 * a capture is in order of time.
 */
#ifndef HALFOPEN_RUNTIME_CAPTURES_H
#define HALFOPEN_RUNTIME_CAPTURES_H

#include "models/trace/recorder.h"

typedef struct Captures Captures;

/* Borrows all. snaplen 0: whole packets. limit: packets in all files together. */
Captures *captures_new(const char *dir, const Recorder *recorder, uint32_t snaplen, uint64_t limit);
bool captures_finish(Captures *captures, GError **error); /* writes the rest; frees */
void captures_discard(Captures *captures);

/* From the recorder's sink. tags[0] and tags[1] of an entry are theirs. */
void captures_on_sent(Captures *captures, TracePacket *entry, const Packet *packet);
void captures_on_arrived(Captures *captures, TracePacket *entry, const Packet *packet);
void captures_on_closed(Captures *captures, const TracePacket *entry);

#endif
