/* A file being written: a buffer, and numbers formatted without printf, for
 * the tables of a run have millions of rows. The first error is kept and told
 * when the file is closed.
 *
 * What is written for each packet asks once for room and writes there itself:
 *
 *     char *to = out_room(out);
 *     to = digits_put(to, entry->id);
 *     ...
 *     out_wrote(out, to);
 */
#ifndef HALFOPEN_RUNTIME_OUTFILE_H
#define HALFOPEN_RUNTIME_OUTFILE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "models/wire/addr.h"
#include "sim/digits.h"
#include "sim/time.h"

enum {
    OUT_BUFFER = 64 << 10,    /* so much is written at once */
    OUT_ROOM_MOST = 68 << 10, /* the largest packet, and what a capture says of it */
};

typedef struct OutFile {
    int fd;
    int error;  /* errno of the first failure */
    char *path; /* owns: for messages */
    size_t used;
    char buffer[OUT_BUFFER + OUT_ROOM_MOST];
} OutFile;

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

/* ---- Writing in place --------------------------------------------------------------- */

void out_flush(OutFile *out);

/* Room for OUT_ROOM_MOST bytes in one piece. */
static inline char *
out_room(OutFile *out)
{
    if (G_UNLIKELY(out->used >= OUT_BUFFER))
        out_flush(out);
    return out->buffer + out->used;
}

/* `end` of what was written where out_room() said. */
static inline void
out_wrote(OutFile *out, const char *end)
{
    out->used = (size_t)(end - out->buffer);
}

/* Each writes at `to` and returns the end of what it wrote, as digits_put()
 * does, and is what the function of a similar name above writes. */
char *put_time(char *to, SimTime time);
char *put_endpoint(char *to, Endpoint endpoint); /* at most ENDPOINT_TEXT */

#endif
