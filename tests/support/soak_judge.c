/* The judgement of what an end of a connection gets: whose bytes, in which
 * order, how many before the end, and which errors. */
#include <errno.h>

#include "models/tcp/tcp_internal.h"
#include "tests/support/soak.h"

/* ---- whose bytes ------------------------------------------------------------------ */

void
soak_note_stream(SoakTalk *talk)
{
    GPtrArray *streams = talk->world->streams;
    uint32_t stream = sock_tcp(talk->sock)->snd.stream;

    if (stream == 0 || stream == talk->stream)
        return;
    talk->stream = stream;
    if (streams->len <= stream)
        g_ptr_array_set_size(streams, (int)stream + 1);
    streams->pdata[stream] = talk;
}

static bool
was_urgent(const SoakTalk *talk, uint64_t offset)
{
    for (guint i = 0; i < talk->urgent->len; i++)
        if (g_array_index(talk->urgent, uint64_t, i) == offset)
            return true;
    return false;
}

/* SYN cookies are forgetful, on Linux as here. One is as good the second time,
 * for as long as it is valid; and it takes a segment of up to three bytes
 * further on for the ACK that was lost, for one of a smaller MSS: their bytes
 * are never missed. */
enum { COOKIE_SLACK = 3 };

static bool
had_cookies(const SoakTalk *talk)
{
    return talk->world->hosts[talk->side]->mib[MIB_TcpExtSyncookiesRecv] > 0;
}

/* Who sent these bytes: the other end of this very connection, or there is
 * something wrong. */
static SoakTalk *
sender_of(SoakTalk *talk, const Payload *part)
{
    SoakWorld *world = talk->world;
    SoakTalk *owner =
        part->stream < world->streams->len ? world->streams->pdata[part->stream] : NULL;
    char text[64];

    if (owner == NULL || owner->plan != talk->plan || owner->side == talk->side) {
        soak_fail(world, "%s got bytes of stream %u at %" PRIu64 ", which nobody sent to it",
                  soak_talk_text(talk, text), part->stream, part->offset);
        return NULL;
    }
    if (talk->peer == NULL)
        talk->peer = owner;
    /* Two connections from one cookie, with the same numbers; or one that read the
     * data of our SYN and was reset, and the one that came of it. */
    if (talk->peer != owner && (had_cookies(owner) || talk->had_fastopen))
        talk->is_ghost = true;
    if (talk->peer != owner && !talk->is_ghost) {
        soak_fail(world, "%s got bytes of stream %u at %" PRIu64 ", its peer's are stream %u",
                  soak_talk_text(talk, text), part->stream, part->offset, talk->peer->stream);
        return NULL;
    }
    if (owner->peer == NULL)
        owner->peer = talk;
    else if (owner->peer != talk)
        /* RFC 7413 §6.1: data on a SYN may come twice, and each time is a connection. */
        talk->is_ghost = owner->had_fastopen || had_cookies(talk);
    if (owner->peer != talk && !talk->is_ghost)
        soak_fail(world, "%s got bytes of stream %u, which another connection got too",
                  soak_talk_text(talk, text), part->stream);
    return owner;
}

void
soak_judge_bytes(SoakTalk *talk, const GArray *parts)
{
    for (guint i = 0; i < parts->len; i++) {
        const Payload *part = &g_array_index(parts, Payload, i);
        SoakTalk *owner = sender_of(talk, part);
        char text[64];

        if (owner == NULL)
            return;
        while (part->offset > talk->read_to && was_urgent(owner, talk->read_to))
            talk->read_to++; /* out of band */
        if (talk->is_ghost)
            continue;
        if (talk->read_to == 0 && part->offset <= COOKIE_SLACK && had_cookies(talk))
            talk->read_to = part->offset;
        if (part->offset != talk->read_to || part->offset + part->len > owner->written)
            soak_fail(talk->world,
                      "%s got %u bytes at %" PRIu64 " of stream %u, was at %" PRIu64
                      ", and %" PRIu64 " were written",
                      soak_talk_text(talk, text), part->len, part->offset, part->stream,
                      talk->read_to, owner->written);
        talk->read_to = part->offset + part->len;
        talk->world->bytes += part->len;
    }
}

void
soak_judge_urgent(SoakTalk *talk, const GArray *parts)
{
    const Payload *part = &g_array_index(parts, Payload, 0);
    SoakTalk *owner = parts->len == 1 ? sender_of(talk, part) : NULL;
    char text[64];

    if (owner != NULL && !was_urgent(owner, part->offset))
        soak_fail(talk->world, "%s got the byte at %" PRIu64 " out of band, which was not urgent",
                  soak_talk_text(talk, text), part->offset);
}

/* A FIN promises that nothing is missing. */
void
soak_judge_end(SoakTalk *talk)
{
    SoakTalk *peer = talk->peer;
    char text[64];

    if (peer == NULL || talk->is_ghost ||
        (talk->read_to == 0 && peer->written <= COOKIE_SLACK && had_cookies(talk)))
        return;
    while (talk->read_to < peer->written && was_urgent(peer, talk->read_to))
        talk->read_to++;
    if (!peer->asked_fin)
        soak_fail(talk->world, "%s saw an end that its peer never asked for",
                  soak_talk_text(talk, text));
    if (talk->read_to != peer->written)
        soak_fail(talk->world, "%s saw the end after %" PRIu64 " of %" PRIu64 " bytes",
                  soak_talk_text(talk, text), talk->read_to, peer->written);
}

/* ---- errors ------------------------------------------------------------------------- */

static bool
error_is_promised(const SoakTalk *talk, int error)
{
    switch (error) {
    case ECONNREFUSED: /* profile rfc calls it so in SYN-RECEIVED, where Fast Open accepts */
        return !talk->was_connected ||
               talk->world->hosts[talk->side]->mib[MIB_TcpExtTCPFastOpenPassive] > 0;
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOPROTOOPT: /* ICMP protocol unreachable, as Linux has it */
    case EMSGSIZE:    /* the path's MTU is below what IP_MTU_DISCOVER allows */
        return true;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case ECONNABORTED:
        return !talk->was_connected;
    case ENETRESET:
    case ENOTCONN:
        return talk->world->had_reboot;
    default:
        return false;
    }
}

/* Fast Open accepts before the client has shown that it is there: an old SYN
 * makes a connection that is reset as the SYN-ACK arrives (RFC 7413 §6.1). */
static bool
is_of_an_old_syn(const SoakTalk *talk)
{
    return talk->side == 1 && talk->sock != NULL && !sock_tcp(talk->sock)->was_established;
}

void
soak_judge_error(SoakTalk *talk, int error)
{
    char text[64];

    talk->error = error;
    talk->world->errors++;
    soak_tell(talk->world, "%s: %s", soak_talk_text(talk, text), g_strerror(error));
    talk->is_ghost = talk->is_ghost || is_of_an_old_syn(talk);
    if ((talk->world->is_polite && !talk->is_ghost) || !error_is_promised(talk, error))
        soak_fail(talk->world, "%s ended with %s%s", soak_talk_text(talk, text), g_strerror(error),
                  talk->world->is_polite ? ", and nobody did anything wrong" : "");
}
