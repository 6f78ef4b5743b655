/* Counters by host, with the names that nstat prints. One line a counter in
 * mib.def: MIB(group, name, "meaning"). Read all with mib_name().
 */
#ifndef HALFOPEN_MODELS_NODE_MIB_H
#define HALFOPEN_MODELS_NODE_MIB_H

#include <stdint.h>

/* Those of nearly every packet come first, so that they share cache lines: with
 * a thousand hosts each line that a packet touches is a miss. */
typedef enum MibCounter {
#define MIB(group, name, meaning)
#define MIB_HOT(group, name, meaning) MIB_##group##name,
#include "models/node/mib.def"
#undef MIB
#undef MIB_HOT
#define MIB(group, name, meaning) MIB_##group##name,
#define MIB_HOT(group, name, meaning)
#include "models/node/mib.def"
#undef MIB
#undef MIB_HOT
    MIB_COUNT
} MibCounter;

const char *mib_name(MibCounter counter); /* "TcpExtListenOverflows" */
const char *mib_meaning(MibCounter counter);
int mib_find(const char *name); /* with or without its group; -1: no such counter */

#endif
