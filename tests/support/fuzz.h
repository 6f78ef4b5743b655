/* Segments, ICMP errors, fragments and sheer bytes, mutated by chance, into a
 * host whose connection is in any state: nothing may crash, and all that must
 * hold of TCP holds after each (tcp_check.h).
 */
#ifndef HALFOPEN_TESTS_SUPPORT_FUZZ_H
#define HALFOPEN_TESTS_SUPPORT_FUZZ_H

#include <stdint.h>

/* One host, `packets` of them. NULL, or what was wrong (g_free). */
char *fuzz_host(uint64_t seed, unsigned packets);

#endif
