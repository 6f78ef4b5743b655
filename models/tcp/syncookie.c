/* SYN cookies: a connection remembered by nobody. The sequence number of the
 * SYN-ACK is a keyed hash of the four-tuple and the minute, plus the peer's
 * number, and carries which of four MSS values fits the peer; the timestamp
 * carries the other options (RFC 4987 §3.6 describes the idea, the layout is
 * Linux's).
 */
#include "models/tcp/listen.h"

enum {
    COOKIE_BITS = 24,      /* below: the MSS and its hash; above: the minute */
    COOKIE_MAX_AGE = 2,    /* minutes: the present one and the one before */
    COOKIE_TS_BITS = 6,    /* low bits of the timestamp that hold options */
    COOKIE_NO_WSCALE = 15, /* in the low four of them */
    COOKIE_TS_SACK = 1 << 4,
    COOKIE_TS_ECN = 1 << 5,
};
#define COOKIE_MASK   ((UINT32_C(1) << COOKIE_BITS) - 1)
#define COOKIE_PERIOD (60 * SIM_SEC)

/* Ascending; most peers on Ethernet have the last. */
static const uint16_t cookie_mss[] = { 536, 1300, 1440, 1460 };

static uint32_t
cookie_hash(const TcpStack *stack, const TcpSegment *seg, uint32_t count, uint32_t which)
{
    const Packet *packet = seg->packet;
    struct {
        IpAddr remote, local;
        uint16_t rport, lport;
        uint32_t count;
    } message = {
        .remote = packet->ip.src,
        .local = packet->ip.dst,
        .rport = seg->h->sport,
        .lport = seg->h->dport,
        .count = count,
    };
    uint64_t key[2] = { stack->secret[2] ^ which, stack->secret[3] };

    return (uint32_t)sim_siphash(key, &message, sizeof message);
}

static uint32_t
cookie_minute(const TcpStack *stack)
{
    return (uint32_t)(sim_now(stack->sim) / COOKIE_PERIOD) + 1;
}

uint32_t
tcp_cookie_make(TcpStack *stack, const TcpSegment *syn, uint16_t *mss)
{
    uint32_t minute = cookie_minute(stack), index = G_N_ELEMENTS(cookie_mss) - 1;

    while (index > 0 && *mss < cookie_mss[index])
        index--;
    *mss = cookie_mss[index];
    return cookie_hash(stack, syn, 0, 0) + syn->seq + (minute << COOKIE_BITS) +
           ((cookie_hash(stack, syn, minute, 1) + index) & COOKIE_MASK);
}

uint16_t
tcp_cookie_check(TcpStack *stack, const TcpSegment *ack)
{
    uint32_t minute = cookie_minute(stack);
    uint32_t rest = ack->ack - 1 - cookie_hash(stack, ack, 0, 0) - (ack->seq - 1);
    uint32_t age = (minute - (rest >> COOKIE_BITS)) & (UINT32_MAX >> COOKIE_BITS);

    if (age >= COOKIE_MAX_AGE)
        return 0;
    uint32_t index = (rest - cookie_hash(stack, ack, minute - age, 1)) & COOKIE_MASK;
    return index < G_N_ELEMENTS(cookie_mss) ? cookie_mss[index] : 0;
}

uint32_t
tcp_cookie_ts(const TcpRequest *request, uint32_t now)
{
    uint32_t options = request->wscale_ok ? request->snd_wscale : COOKIE_NO_WSCALE;

    if (request->sack_ok)
        options |= COOKIE_TS_SACK;
    if (request->ecn_ok)
        options |= COOKIE_TS_ECN;
    uint32_t ts = now >> COOKIE_TS_BITS << COOKIE_TS_BITS | options;
    /* Never ahead of the clock, which goes on from here. */
    return (int32_t)(ts - now) > 0 ? ts - (1 << COOKIE_TS_BITS) : ts;
}

bool
tcp_cookie_ts_decode(TcpStack *stack, const TcpSegment *ack, TcpRequest *request)
{
    const TcpParams *params = stack->params;
    uint32_t options = ack->tsecr;

    if ((ack->h->options & TCPOPT_HAS_TS) == 0)
        return true; /* the SYN had none, so the cookie stands for the MSS alone */
    if (params->timestamps == 0)
        return false;
    request->ts_ok = true;
    request->ts_recent = ack->tsval;
    request->sack_ok = (options & COOKIE_TS_SACK) != 0;
    if (request->sack_ok && params->sack == 0)
        return false;
    request->ecn_ok = (options & COOKIE_TS_ECN) != 0 && params->ecn != 0;
    if ((options & 15) == COOKIE_NO_WSCALE)
        return true;
    request->wscale_ok = true;
    request->snd_wscale = options & 15;
    return params->window_scaling != 0;
}
