#include "models/tcp/isn.h"

/* Linux's clock: 64 ns a tick, 274 s a wrap. RFC 6528 §3 and RFC 9293 §3.4.1: 4 us. */
#define LINUX_TICK_NS 64
#define RFC_TICK_NS   4000
/* 4.2BSD: 64,000 a connection and 128,000 a second. */
#define BSD_PER_CONN   64000
#define BSD_PER_SECOND 128000

static uint64_t
keyed_hash(const TcpStack *stack, const TcpTuple *tuple, unsigned which)
{
    const struct {
        IpAddr local, remote;
        uint32_t ports, which;
    } message = { tuple->local, tuple->remote, (uint32_t)tuple->lport << 16 | tuple->rport, which };

    return sim_siphash(stack->secret, &message, sizeof message);
}

uint32_t
tcp_isn_new(TcpStack *stack, const TcpTuple *tuple)
{
    SimTime now = sim_now(stack->sim);

    switch (stack->params->isn_mode) {
    case 0:
        return (uint32_t)keyed_hash(stack, tuple, 0) + (uint32_t)(now / LINUX_TICK_NS);
    case 1:
        return (uint32_t)keyed_hash(stack, tuple, 0) + (uint32_t)(now / RFC_TICK_NS);
    case 2:
        return (uint32_t)(now / RFC_TICK_NS);
    case 3:
        return stack->params->isn_fixed;
    default:
        stack->isn_bsd += BSD_PER_CONN;
        return (uint32_t)(stack->isn_bsd + (uint64_t)(now / SIM_SEC) * BSD_PER_SECOND);
    }
}

const char *
tcp_isn_counterfactual(const TcpStack *stack)
{
    static const char *const guessable[] = { NULL, NULL, "isn = 2", "isn = 3", "isn = 4" };

    return guessable[stack->params->isn_mode];
}

uint32_t
tcp_ts_offset_new(const TcpStack *stack, const TcpTuple *tuple)
{
    return stack->params->timestamps == 1 ? (uint32_t)keyed_hash(stack, tuple, 1) : 0;
}

uint32_t
tcp_port_offset(const TcpStack *stack, const TcpTuple *tuple)
{
    TcpTuple without = *tuple;

    without.lport = 0;
    return (uint32_t)keyed_hash(stack, &without, 2);
}
