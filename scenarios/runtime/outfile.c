#include "scenarios/runtime/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

void
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

void
out_bytes(OutFile *out, const void *bytes, size_t len)
{
    const char *from = bytes;

    do {
        char *to = out_room(out);
        size_t part = MIN(len, (size_t)OUT_ROOM_MOST);

        memcpy(to, from, part);
        out_wrote(out, to + part);
        from += part;
        len -= part;
    } while (len > 0);
}

void
out_char(OutFile *out, char c)
{
    char *to = out_room(out);

    *to = c;
    out_wrote(out, to + 1);
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
    size_t len = text != NULL ? strlen(text) : 0;

    if (len == 0)
        out_char(out, '-');
    while (len > 0) {
        char *to = out_room(out);
        size_t part = MIN(len, (size_t)OUT_ROOM_MOST);

        for (size_t i = 0; i < part; i++)
            to[i] = (char)MAX((unsigned char)text[i], ' ');
        out_wrote(out, to + part);
        text += part;
        len -= part;
    }
}

void
out_u64(OutFile *out, uint64_t value)
{
    out_wrote(out, digits_put(out_room(out), value));
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
    out_wrote(out, put_time(out_room(out), time));
}

void
out_endpoint(OutFile *out, Endpoint endpoint)
{
    out_wrote(out, put_endpoint(out_room(out), endpoint));
}

/* ---- Writing in place --------------------------------------------------------------- */

char *
put_time(char *to, SimTime time)
{
    if (time < 0) {
        *to = '-';
        return to + 1;
    }
    to = digits_put(to, (uint64_t)(time / SIM_SEC));
    *to = '.';
    return digits_put_padded(to + 1, (uint64_t)(time % SIM_SEC), 9);
}

static char *
put_v4(char *to, uint32_t addr)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        to = digits_put(to, addr >> shift & 0xff);
        *to++ = '.';
    }
    return to - 1;
}

char *
put_endpoint(char *to, Endpoint endpoint)
{
    if (endpoint.addr.hi == 0 && endpoint.addr.lo == 0) {
        *to++ = '*';
    } else if (ip_addr_is_v4(endpoint.addr)) {
        to = put_v4(to, ip_addr_to_v4(endpoint.addr));
    } else {
        ip_addr_format(endpoint.addr, to);
        to += strlen(to);
    }
    *to = ':';
    return digits_put(to + 1, endpoint.port);
}
