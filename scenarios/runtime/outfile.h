/* A file being written: a buffer, and numbers formatted without printf, for
 * the tables of a run have millions of rows. The first error is kept and told
 * when the file is closed.
 */
#ifndef HALFOPEN_RUNTIME_OUTFILE_H
#define HALFOPEN_RUNTIME_OUTFILE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/wire/addr.h"
#include "sim/time.h"

typedef struct OutFile OutFile;

OutFile *out_open(const char *dir, const char *name, GError **error); /* NULL: it can't be made */
bool out_close(OutFile *out,
               GError **error); /* frees out; false: something was not written. NULL out: true */
void out_discard(OutFile *out); /* closes without asking; NULL is fine */

void out_bytes(OutFile *out, const void *bytes, size_t len);
void out_text(OutFile *out, const char *text);    /* NULL or "": "-", the mark of nothing */
void out_literal(OutFile *out, const char *text); /* as it is */
void out_u64(OutFile *out, uint64_t value);
void out_i64(OutFile *out, int64_t value);
void out_time(OutFile *out, SimTime time); /* seconds with nine decimals; negative: "-" */
void out_endpoint(OutFile *out, Endpoint endpoint);
void out_char(OutFile *out, char c);

static inline void
out_tab(OutFile *out)
{
    out_char(out, '\t');
}

#endif
