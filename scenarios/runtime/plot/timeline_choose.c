/* What of a run the state timeline shows: all, or of a long run one connection,
 * and of a long connection its beginning and its end.
 */
#include <math.h>
#include <string.h>

#include "scenarios/runtime/plot/timeline.h"

enum {
    PACKETS_AT_MOST = 120, /* in the picture; a longer run shows one connection */
    PACKETS_FIRST = 60,    /* of a longer one: so many of its beginning, and of its end */
    PACKETS_LAST = 40,
    ENDPOINTS_AT_MOST = 12,
    CALLS_AT_MOST = 40,
};

/* ---- What is drawn ---------------------------------------------------------------- */

static bool
is_of(const Timeline *t, const char *one, const char *other)
{
    return t->a == NULL || (one == t->a && other == t->b) || (one == t->b && other == t->a);
}

static bool
listens(const RunState *s)
{
    return g_str_has_suffix(s->remote, ":0");
}

static bool
has_end_of_connection(const Timeline *t, int host)
{
    for (unsigned i = 0; i < t->run->states->len; i++) {
        const RunState *s = state_at(t, i);

        if (s->host == host && !listens(s) && is_of(t, s->local, s->remote))
            return true;
    }
    return false;
}

/* A listener belongs to every connection made to its port on its host. */
static bool
state_is_drawn(const Timeline *t, const RunState *s)
{
    const char *port = strrchr(s->local, ':');

    if (t->a != NULL && listens(s) && port != NULL)
        return (g_str_has_suffix(t->a, port) || g_str_has_suffix(t->b, port)) &&
               has_end_of_connection(t, s->host);
    return is_of(t, s->local, s->remote);
}

static unsigned
count_endpoints(const RunFiles *run)
{
    GHashTable *seen = g_hash_table_new(NULL, NULL);
    unsigned n;

    for (unsigned i = 0; i < run->states->len; i++)
        g_hash_table_add(seen, GUINT_TO_POINTER(g_array_index(run->states, RunState, i).conn));
    n = g_hash_table_size(seen);
    g_hash_table_destroy(seen);
    return n;
}

/* Of many connections the one with the most transitions, the first of equals. */
static void
choose_connection(Timeline *t)
{
    GHashTable *count = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    unsigned most = 0;
    bool all_fit =
        t->run->packets->len <= PACKETS_AT_MOST && count_endpoints(t->run) <= ENDPOINTS_AT_MOST;

    for (unsigned i = 0; i < t->run->states->len && !all_fit; i++) {
        const RunState *s = state_at(t, i);
        bool is_less = strcmp(s->local, s->remote) < 0;
        char *key;
        unsigned n;

        if (listens(s))
            continue;
        key =
            g_strconcat(is_less ? s->local : s->remote, " ", is_less ? s->remote : s->local, NULL);
        n = GPOINTER_TO_UINT(g_hash_table_lookup(count, key)) + 1;
        g_hash_table_replace(count, key, GUINT_TO_POINTER(n));
        if (n > most) {
            most = n;
            t->a = s->local;
            t->b = s->remote;
        }
    }
    g_hash_table_destroy(count);
}

static gint
compare_times(gconstpointer x, gconstpointer y)
{
    const SimTime *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

/* Of a long connection only its beginning and its end. */
static void
choose_packets(Timeline *t)
{
    unsigned n = 0, at = 0;

    for (unsigned i = 0; i < t->run->packets->len; i++)
        n += t->is_drawn[i] = is_of(t, packet_at(t, i)->src, packet_at(t, i)->dst);
    if (n <= PACKETS_AT_MOST)
        return;
    for (unsigned i = 0; i < t->run->packets->len; i++) {
        if (!t->is_drawn[i])
            continue;
        if (at >= PACKETS_FIRST && at < n - PACKETS_LAST) {
            t->is_drawn[i] = false;
            g_array_append_val(t->left_out, packet_at(t, i)->sent);
        } else if (at == n - PACKETS_LAST) {
            t->first_after = i;
        }
        at++;
    }
    g_array_sort(t->left_out, compare_times);
}

enum { PHASE_ARRIVING, PHASE_SENDING };

static void
add_mark(Timeline *t, Mark mark)
{
    g_array_append_val(t->marks, mark);
}

static gint
compare_marks(gconstpointer x, gconstpointer y)
{
    const Mark *a = x, *b = y;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (a->phase != b->phase)
        return a->phase < b->phase ? -1 : 1;
    if (a->with != b->with)
        return a->with < b->with ? -1 : 1;
    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static bool
is_control(const RunPacket *p)
{
    return strstr(p->flags, "SYN") || strstr(p->flags, "FIN") || strstr(p->flags, "RST");
}

/* A transition stands where the packet arrived that made it, or where the one
 * leaves that it sends. */
static void
add_state_mark(Timeline *t, unsigned index)
{
    const RunState *s = state_at(t, index);
    Mark mark = { .at = s->at,
                  .kind = MARK_STATE,
                  .index = index,
                  .host = s->host,
                  .phase = s->packet ? PHASE_ARRIVING : PHASE_SENDING };

    for (unsigned i = 0; i < t->run->packets->len; i++) {
        const RunPacket *p = packet_at(t, i);
        bool made_it =
            s->packet != 0 && p->id == s->packet && p->to == s->host && p->ended == s->at;
        bool sent_by_it = s->packet == 0 && p->from == s->host && p->sent == s->at && is_control(p);

        if (p->sent > s->at)
            break;
        if (!made_it && !sent_by_it)
            continue;
        mark.with = i;
        mark.step = made_it ? 1 : 0;
        break;
    }
    add_mark(t, mark);
}

static Band *
find_band(const Timeline *t, int host, uint32_t conn)
{
    for (unsigned i = 0; i < t->bands->len; i++) {
        Band *band = &g_array_index(t->bands, Band, i);

        if (band->host == host && band->conn == conn)
            return band;
    }
    return NULL;
}

static void
collect_states(Timeline *t)
{
    for (unsigned i = 0; i < t->run->states->len; i++) {
        const RunState *s = state_at(t, i);
        Band *band;

        if (!state_is_drawn(t, s))
            continue;
        band = find_band(t, s->host, s->conn);
        if (band == NULL) {
            Band fresh = { .host = s->host,
                           .conn = s->conn,
                           .from = s->at,
                           .is_listener = true,
                           .first_state = i };

            if (t->bands->len >= TIMELINE_BANDS * TIMELINE_HOSTS)
                continue;
            g_array_append_val(t->bands, fresh);
            band = &g_array_index(t->bands, Band, t->bands->len - 1);
        }
        if (strcmp(s->to, "LISTEN") != 0 && strcmp(s->to, "CLOSED") != 0)
            band->is_listener = false;
        band->to = strcmp(s->to, "CLOSED") == 0 ? s->at : SIM_NEVER;
        t->hosts[s->host].takes_part = true;
        add_state_mark(t, i);
    }
}

/* What a packet usually takes: the measure of all distances. */
SimTime
timeline_usual_delay(const Timeline *t)
{
    GArray *delays = g_array_new(FALSE, FALSE, sizeof(SimTime));
    SimTime middle = SIM_MS;

    for (unsigned i = 0; i < t->run->packets->len; i++) {
        SimTime delay = packet_at(t, i)->ended - packet_at(t, i)->sent;

        if (packet_at(t, i)->ended >= 0 && delay > 0)
            g_array_append_val(delays, delay);
    }
    g_array_sort(delays, compare_times);
    if (delays->len > 0)
        middle = g_array_index(delays, SimTime, delays->len / 2);
    g_array_free(delays, TRUE);
    return middle;
}

bool
packet_is_lost(const RunPacket *p)
{
    return strcmp(p->fate, "lost") == 0;
}

bool
packet_never_arrived(const RunPacket *p)
{
    return packet_is_lost(p) || p->ended < 0;
}

/* A packet that never arrived ends where it would have. */
static void
collect_packets(Timeline *t)
{
    SimTime delay = timeline_usual_delay(t);

    for (unsigned i = 0; i < t->run->packets->len; i++) {
        const RunPacket *p = packet_at(t, i);

        t->sent_y[i] = t->ended_y[i] = NAN;
        if (!t->is_drawn[i] || p->from < 0 || p->to < 0)
            continue;
        t->hosts[p->from].takes_part = t->hosts[p->to].takes_part = true;
        add_mark(t, (Mark){ .at = p->sent,
                            .kind = MARK_SENT,
                            .index = i,
                            .host = p->from,
                            .phase = PHASE_SENDING,
                            .with = i,
                            .step = 1 });
        if (packet_never_arrived(p))
            add_mark(t, (Mark){ .at = p->sent + delay,
                                .kind = MARK_END,
                                .index = i,
                                .host = p->to,
                                .with = i });
        else
            add_mark(t, (Mark){ .at = p->ended,
                                .kind = MARK_ARRIVED,
                                .index = i,
                                .host = p->to,
                                .phase = p->ended == p->sent ? PHASE_SENDING : PHASE_ARRIVING,
                                .with = i,
                                .step = p->ended == p->sent ? 2 : 0 });
    }
}

/* Calls that failed, after all else of their moment. */
static void
collect_calls(Timeline *t)
{
    for (unsigned i = 0; i < t->run->failed->len && t->n_calls < CALLS_AT_MOST; i++) {
        const RunCall *call = &g_array_index(t->run->failed, RunCall, i);

        if (t->a != NULL && find_band(t, call->host, call->conn) == NULL)
            continue;
        t->hosts[call->host].takes_part = true;
        t->n_calls++;
        add_mark(t, (Mark){ .at = call->at,
                            .kind = MARK_CALL,
                            .index = i,
                            .host = call->host,
                            .phase = PHASE_SENDING,
                            .with = G_MAXUINT });
    }
}

const RunState *
timeline_find_conn(const RunFiles *run, const char *conn)
{
    const char *colon = strrchr(conn, ':');
    uint64_t number = g_ascii_strtoull(colon ? colon + 1 : conn, NULL, 10);

    for (unsigned i = 0; i < run->states->len; i++) {
        const RunState *s = &g_array_index(run->states, RunState, i);
        const char *host = run->hosts->pdata[s->host];

        if (s->conn == number && !listens(s) &&
            (colon == NULL || (strlen(host) == (size_t)(colon - conn) &&
                               strncmp(host, conn, (size_t)(colon - conn)) == 0)))
            return s;
    }
    return NULL;
}

void
timeline_choose(Timeline *t, const char *conn)
{
    const RunState *asked = conn ? timeline_find_conn(t->run, conn) : NULL;

    if (asked != NULL) {
        t->a = asked->local;
        t->b = asked->remote;
    } else {
        choose_connection(t);
    }
    choose_packets(t);
    collect_states(t);
    collect_packets(t);
    collect_calls(t);
    g_array_sort(t->marks, compare_marks);
}
