/* Counters by host, with the names that nstat prints. One line a counter in
 * mib.def: MIB(group, name, "meaning"). Read all with mib_name().
 */
#ifndef HALFOPEN_MODELS_NODE_MIB_H
#define HALFOPEN_MODELS_NODE_MIB_H

#include <stdint.h>

typedef enum MibCounter {
#define MIB(group, name, meaning) MIB_##group##name,
#include "models/node/mib.def"
#undef MIB
    MIB_COUNT
} MibCounter;

const char *mib_name(MibCounter counter); /* "TcpExtListenOverflows" */
const char *mib_meaning(MibCounter counter);
int mib_find(const char *name); /* with or without its group; -1: no such counter */

#endif
