/* The page docs/state-by-segment.md, from the table that the tests hold
 * halfopen to. */
#ifndef HALFOPEN_DOCS_STATES_PAGE_H
#define HALFOPEN_DOCS_STATES_PAGE_H

void write_states_page(void);

#endif
