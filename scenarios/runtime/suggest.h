/* "did you mean": the known word nearest to what was found. */
#ifndef HALFOPEN_RUNTIME_SUGGEST_H
#define HALFOPEN_RUNTIME_SUGGEST_H

#include <stddef.h>

/* The nearest of n words, if it is near enough to be meant; else NULL. */
const char *suggest_word(const char *found, const char *const *words, size_t n);

/* "; did you mean \"delay\"?" or "" (g_free). */
char *suggest_text(const char *found, const char *const *words, size_t n);

/* As suggest_text, for a scenario's file that is not there: the nearest in its folder or among
 * those that came with the program. */
char *suggest_scenario(const char *path);

/* As suggest_text, for a tunable of a host (models/sock/stack.h). */
char *suggest_sysctl(const char *found);

#endif
