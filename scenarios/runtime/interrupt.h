/* Ctrl-C and its like end a run in order: what it was writing is taken away, and
 * then the program ends by that signal, as a shell expects. A second one ends it
 * at once. A reader that goes away (`halfopen run x | head`) ends nothing.
 */
#ifndef HALFOPEN_RUNTIME_INTERRUPT_H
#define HALFOPEN_RUNTIME_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);
/* "SIGINT", once one has come; NULL before. */
const char *interrupt_name(void);
/* Ends the program by the signal that came; returns if none did. */
void interrupt_pass_on(void);

#endif
