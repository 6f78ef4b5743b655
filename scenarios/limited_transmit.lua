-- A window of three, and its first segment is lost: two duplicates come back,
-- one too few for fast retransmit. Each of them lets one new segment go.

local transfer = require "transfer"

scenario {
    title = "Limited transmit",
    about = "RFC 3042: small windows, and the third duplicate ACK that they would never see.",
    params = {
        delay = { "20ms", about = "one way" },
        window = { 3, about = "initial_cwnd" },
        limited = { 1, about = "limited_transmit: set by the second world" },
    },
}

-- A sender with duplicate ACKs and nothing else: what came later (SACK, RACK,
-- tail loss probes) would repair this in its own way.
local function first_is_lost()
    return transfer { bytes = "8KiB", link = { rate = "10Mbit", delay = params.delay }, lose = { 1 },
        client = { initial_cwnd = params.window, limited_transmit = params.limited, tcp_sack = 0, tcp_recovery = 0,
            tcp_early_retrans = 0 } }
end

world("with", function()
    local t = first_is_lost()
    expect(t.client:counter("TCPTimeouts")):equals(0)
    expect(t.client:counter("TCPRenoRecovery")):equals(1)
    expect(t.repeats):count(1)
    -- Both new segments went before the repair.
    expect(t.data[4].at):below(t.repeats:first().at)
    expect(t.data[5].at):below(t.repeats:first().at)
    say("With: two new segments drew the third duplicate; repaired after %.0f ms.",
        (t.repeats:first().at - t.began) * 1000)
end)

world("without", { limited = 0 }, function()
    local t = first_is_lost()
    expect(t.client:counter("TCPTimeouts")):equals(1)
    expect(t.client:counter("TCPRenoRecovery")):equals(0)
    say("Without: two duplicates, then silence, until the timeout after %.0f ms.",
        (t.repeats:first().at - t.began) * 1000)
end)
