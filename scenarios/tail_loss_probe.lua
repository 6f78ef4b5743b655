-- What is lost at the end of a transfer has no successor whose ACK could tell
-- of it. A probe after two round trips makes the receiver speak.

local transfer = require "transfer"

scenario {
    title = "Tail loss probe",
    about = "RFC 8985 §7: the end of a transfer is lost; with the probe, and without.",
    params = {
        delay = { "20ms", about = "one way" },
        segments = { 10, about = "in the transfer" },
        lost = { 3, about = "of them, the last ones" },
        probe = { 3, about = "tcp_early_retrans: set by the second world" },
    },
}

local function tail_is_lost()
    local lose = {}
    for i = 1, params.lost do lose[i] = params.segments - params.lost + i end
    return transfer { bytes = params.segments * 1448, lose = lose, link = { rate = "10Mbit", delay = params.delay },
        client = { tcp_early_retrans = params.probe } }
end

world("with", function()
    local t = tail_is_lost()
    local probe = t.repeats:first()
    expect(t.client:counter("TCPLossProbes")):equals(1)
    expect(t.client:counter("TCPTimeouts")):equals(0)
    expect(t.client:counter("TCPSackRecovery")):equals(1) -- its SACK shows the other losses
    expect(t.repeats):count(params.lost)
    expect(probe.seq):equals(1 + (params.segments - 1) * 1448) -- the last segment
    expect(t.conn:info().snd_cwnd):at_least(7)
    say("With: the last segment again after %.0f ms, its SACK tells of the others; all there after %.0f ms, cwnd %d.",
        (probe.at - t.began) * 1000, t.took * 1000, t.conn:info().snd_cwnd)
end)

world("without", { probe = 0 }, function()
    local t = tail_is_lost()
    expect(t.client:counter("TCPTimeouts")):equals(1)
    expect(t.client:counter("TCPLossProbes")):equals(0)
    say("Without: the timeout after %.0f ms; all there after %.0f ms, cwnd %d.",
        (t.repeats:first().at - t.began) * 1000, t.took * 1000, t.conn:info().snd_cwnd)
end)
