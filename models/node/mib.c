#include "models/node/mib.h"

#include <stddef.h>
#include <string.h>

#include "sim/check.h"

static const struct {
    const char *full, *name, *meaning;
} mib_table[MIB_COUNT] = {
#define MIB(group, name, meaning) [MIB_##group##name] = { #group #name, #name, meaning },
#define MIB_HOT                   MIB
#include "models/node/mib.def"
#undef MIB_HOT
#undef MIB
};

const char *
mib_name(MibCounter counter)
{
    sim_check(counter < MIB_COUNT);
    return mib_table[counter].full;
}

const char *
mib_meaning(MibCounter counter)
{
    sim_check(counter < MIB_COUNT);
    return mib_table[counter].meaning;
}

int
mib_find(const char *name)
{
    for (int i = 0; i < MIB_COUNT; i++) {
        if (strcmp(mib_table[i].full, name) == 0)
            return i;
    }
    for (int i = 0; i < MIB_COUNT; i++) { /* "InErrors" alone: the first group that has it */
        if (strcmp(mib_table[i].name, name) == 0)
            return i;
    }
    return -1;
}
