#include "scenarios/runtime/ss_info.h"

#include "models/tcp/info.h"

/* tcpi_options, as linux/tcp.h numbers them. */
static const struct {
    uint8_t bit;
    const char *word;
} option_words[] = {
    { 1, "ts" }, { 2, "sack" }, { 8, "ecn" }, { 16, "ecnseen" }, { 32, "fastopen" }
};

#define HAS_WSCALE 4
/* iproute2 hides what is "infinite", unknown, or the default. */
#define SSTHRESH_SHOWN_BELOW 0xffff
#define DEFAULT_REORDERING   3
#define DEFAULT_RTO_US       3000000
#define MIN_RTT_UNKNOWN      UINT32_MAX

typedef struct Field {
    const char *name;
    uint64_t value;
} Field;

static void
add_fields(GString *text, const Field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fields[i].value != 0)
            g_string_append_printf(text, " %s:%" G_GUINT64_FORMAT, fields[i].name, fields[i].value);
    }
}

static void
add_rate(GString *text, const char *name, uint64_t bytes_per_s)
{
    if (bytes_per_s != 0)
        g_string_append_printf(text, " %s %" G_GUINT64_FORMAT "bps", name, bytes_per_s * 8);
}

static void
add_ms(GString *text, const char *name, uint32_t us)
{
    if (us != 0)
        g_string_append_printf(text, " %s:%g", name, us / 1000.0);
}

/* How long sending was limited by something: "rwnd_limited:20ms(40.0%)". */
static void
add_limited(GString *text, const char *name, uint64_t us, uint64_t busy_us)
{
    if (us != 0 && busy_us != 0)
        g_string_append_printf(text, " %s:%" G_GUINT64_FORMAT "ms(%.1f%%)", name, us / 1000,
                               100.0 * (double)us / (double)busy_us);
}

static void
add_window(GString *text, const TcpInfo *i)
{
    const Field fields[] = {
        { "mss", i->snd_mss },
        { "pmtu", i->pmtu },
        { "rcvmss", i->rcv_mss },
        { "advmss", i->advmss },
        { "cwnd", i->snd_cwnd },
        { "ssthresh", i->snd_ssthresh < SSTHRESH_SHOWN_BELOW ? i->snd_ssthresh : 0 },
        { "bytes_sent", i->bytes_sent },
        { "bytes_retrans", i->bytes_retrans },
        { "bytes_acked", i->bytes_acked },
        { "bytes_received", i->bytes_received },
        { "segs_out", i->segs_out },
        { "segs_in", i->segs_in },
        { "data_segs_out", i->data_segs_out },
        { "data_segs_in", i->data_segs_in },
    };

    add_fields(text, fields, G_N_ELEMENTS(fields));
}

static void
add_rates(GString *text, const TcpInfo *i)
{
    const Field last[] = { { "lastsnd", i->last_data_sent },
                           { "lastrcv", i->last_data_recv },
                           { "lastack", i->last_ack_recv } };

    if (i->rtt != 0)
        add_rate(text, "send", (uint64_t)i->snd_mss * i->snd_cwnd * 1000000 / i->rtt);
    add_fields(text, last, G_N_ELEMENTS(last));
    if (i->pacing_rate != UINT64_MAX && i->pacing_rate != 0) {
        add_rate(text, "pacing_rate", i->pacing_rate);
        if (i->max_pacing_rate != UINT64_MAX)
            g_string_append_printf(text, "/%" G_GUINT64_FORMAT "bps", i->max_pacing_rate * 8);
    }
    add_rate(text, "delivery_rate", i->delivery_rate);
}

static void
add_recovery(GString *text, const TcpInfo *i)
{
    const Field before[] = { { "delivered", i->delivered }, { "delivered_ce", i->delivered_ce } };
    const Field flight[] = { { "unacked", i->unacked } };
    const Field after[] = {
        { "lost", i->lost },
        { "sacked", i->sacked },
        { "dsack_dups", i->dsack_dups },
        { "reordering", i->reordering != DEFAULT_REORDERING ? i->reordering : 0 },
        { "reord_seen", i->reord_seen },
    };
    const Field receiver[] = {
        { "rcv_space", i->rcv_space },
        { "rcv_ssthresh", i->rcv_ssthresh },
        { "notsent", i->notsent_bytes },
    };
    const Field end[] = { { "rcv_ooopack", i->rcv_ooopack },
                          { "snd_wnd", i->snd_wnd },
                          { "rcv_wnd", i->rcv_wnd },
                          { "rehash", i->rehash } };

    add_fields(text, before, G_N_ELEMENTS(before));
    if (i->delivery_rate_app_limited)
        g_string_append(text, " app_limited");
    if (i->busy_time != 0)
        g_string_append_printf(text, " busy:%" G_GUINT64_FORMAT "ms", i->busy_time / 1000);
    add_limited(text, "rwnd_limited", i->rwnd_limited, i->busy_time);
    add_limited(text, "sndbuf_limited", i->sndbuf_limited, i->busy_time);
    add_fields(text, flight, G_N_ELEMENTS(flight));
    if (i->retrans != 0 || i->total_retrans != 0)
        g_string_append_printf(text, " retrans:%u/%u", i->retrans, i->total_retrans);
    add_fields(text, after, G_N_ELEMENTS(after));
    add_ms(text, "rcv_rtt", i->rcv_rtt);
    add_fields(text, receiver, G_N_ELEMENTS(receiver));
    if (i->min_rtt != MIN_RTT_UNKNOWN)
        add_ms(text, "minrtt", i->min_rtt);
    add_fields(text, end, G_N_ELEMENTS(end));
}

void
ss_append_info(GString *text, const TcpConn *conn)
{
    TcpInfo i;
    char algorithm[128];
    const char *tells = tcp_describe_congestion(conn, algorithm);

    tcp_get_info(conn, &i);
    g_string_append(text, "\t");
    for (size_t n = 0; n < G_N_ELEMENTS(option_words); n++) {
        if (i.options & option_words[n].bit)
            g_string_append_printf(text, " %s", option_words[n].word);
    }
    g_string_append_printf(text, " %s", tcp_get_congestion(conn));
    if (i.options & HAS_WSCALE)
        g_string_append_printf(text, " wscale:%u,%u", i.snd_wscale, i.rcv_wscale);
    if (i.rto != DEFAULT_RTO_US)
        add_ms(text, "rto", i.rto);
    if (i.backoff != 0)
        g_string_append_printf(text, " backoff:%u", i.backoff);
    if (i.rtt != 0)
        g_string_append_printf(text, " rtt:%g/%g", i.rtt / 1000.0, i.rttvar / 1000.0);
    add_ms(text, "ato", i.ato);
    add_window(text, &i);
    if (tells[0] != '\0')
        g_string_append_printf(text, " %s", tells);
    add_rates(text, &i);
    add_recovery(text, &i);
    g_string_append_c(text, '\n');
}
