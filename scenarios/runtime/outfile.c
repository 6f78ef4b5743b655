#include "scenarios/runtime/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    OUT_BUFFER = 1 << 16,
    OUT_SMALL = 1 << 10, /* copied in one piece */
    OUT_NUMBER = 24,
};

struct OutFile {
    int fd;
    int error;  /* errno of the first failure */
    char *path; /* owns: for messages */
    size_t used;
    char buffer[OUT_BUFFER];
};

OutFile *
out_open(const char *dir, const char *name, GError **error)
{
    char *path = g_build_filename(dir, name, NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    OutFile *out;

    if (fd < 0) {
        int saved = errno;

        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(saved), "%s: %s", path,
                    g_strerror(saved));
        g_free(path);
        return NULL;
    }
    out = g_new(OutFile, 1);
    out->fd = fd;
    out->error = 0;
    out->path = path;
    out->used = 0;
    return out;
}

static void
out_flush(OutFile *out)
{
    size_t done = 0;

    while (done < out->used && out->error == 0) {
        ssize_t n = write(out->fd, out->buffer + done, out->used - done);

        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            out->error = errno;
    }
    out->used = 0;
}

bool
out_close(OutFile *out, GError **error)
{
    bool is_good;

    if (out == NULL)
        return true;
    out_flush(out);
    if (close(out->fd) != 0 && out->error == 0)
        out->error = errno;
    is_good = out->error == 0;
    if (!is_good && error != NULL && *error == NULL)
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(out->error), "%s: %s", out->path,
                    g_strerror(out->error));
    g_free(out->path);
    g_free(out);
    return is_good;
}

void
out_discard(OutFile *out)
{
    if (out == NULL)
        return;
    close(out->fd);
    g_free(out->path);
    g_free(out);
}

/* Room for n bytes in one piece, n far below the buffer's size. */
static inline char *
out_room(OutFile *out, size_t n)
{
    if (G_UNLIKELY(OUT_BUFFER - out->used < n))
        out_flush(out);
    return out->buffer + out->used;
}

void
out_bytes(OutFile *out, const void *bytes, size_t len)
{
    const char *from = bytes;

    if (G_LIKELY(len < OUT_SMALL)) {
        memcpy(out_room(out, len), bytes, len);
        out->used += len;
        return;
    }
    while (len > 0) {
        size_t part = MIN(len, OUT_BUFFER - out->used);

        memcpy(out->buffer + out->used, from, part);
        out->used += part;
        from += part;
        len -= part;
        if (out->used == OUT_BUFFER)
            out_flush(out);
    }
}

void
out_char(OutFile *out, char c)
{
    *out_room(out, 1) = c;
    out->used++;
}

void
out_literal(OutFile *out, const char *text)
{
    out_bytes(out, text, strlen(text));
}

/* A cell is one line without tabs, whatever a scenario named things. */
void
out_text(OutFile *out, const char *text)
{
    if (text == NULL || *text == '\0') {
        out_char(out, '-');
        return;
    }
    while (*text != '\0') {
        char *to = out_room(out, OUT_SMALL);
        size_t n = 0;

        for (; n < OUT_SMALL && text[n] != '\0'; n++)
            to[n] = (unsigned char)text[n] < ' ' ? ' ' : text[n];
        out->used += n;
        text += n;
    }
}

/* The digits of a number at `to`, at least `least` of them; returns their end. */
static inline char *
put_digits(char *to, uint64_t value, unsigned least)
{
    unsigned n = least;
    uint64_t bound = 1;

    for (unsigned i = 0; i < least; i++)
        bound *= 10;
    for (; n < OUT_NUMBER - 4 && value >= bound; n++)
        bound *= 10;
    for (unsigned i = n; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + n;
}

void
out_u64(OutFile *out, uint64_t value)
{
    char *to = out_room(out, OUT_NUMBER);

    out->used += (size_t)(put_digits(to, value, 1) - to);
}

void
out_i64(OutFile *out, int64_t value)
{
    if (value < 0)
        out_char(out, '-');
    out_u64(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void
out_time(OutFile *out, SimTime time)
{
    char *to, *end;

    if (time < 0) {
        out_char(out, '-');
        return;
    }
    to = out_room(out, 2 * OUT_NUMBER);
    end = put_digits(to, (uint64_t)(time / SIM_SEC), 1);
    *end++ = '.';
    end = put_digits(end, (uint64_t)(time % SIM_SEC), 9);
    out->used += (size_t)(end - to);
}

static void
out_v4(OutFile *out, uint32_t addr)
{
    char *to = out_room(out, OUT_NUMBER), *end = to;

    for (int shift = 24; shift >= 0; shift -= 8) {
        end = put_digits(end, addr >> shift & 0xff, 1);
        *end++ = '.';
    }
    out->used += (size_t)(end - 1 - to);
}

void
out_endpoint(OutFile *out, Endpoint endpoint)
{
    char text[IP_ADDR_TEXT];

    if (endpoint.addr.hi == 0 && endpoint.addr.lo == 0)
        out_literal(out, "*");
    else if (ip_addr_is_v4(endpoint.addr))
        out_v4(out, ip_addr_to_v4(endpoint.addr));
    else
        out_literal(out, ip_addr_format(endpoint.addr, text));
    out_char(out, ':');
    out_u64(out, endpoint.port);
}
