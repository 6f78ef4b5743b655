-- Three segments of one window are lost. Duplicate ACKs tell of it long before
-- the timeout; with SACK they also tell which ones.

local transfer = require "transfer"

scenario {
    title = "Fast retransmit: NewReno and SACK",
    about = "RFC 5681, 6582, 6675: three holes in one window, repaired one a round trip, or all at once.",
    params = {
        delay = { "20ms", about = "one way" },
        bytes = { "60kB", about = "to send" },
    },
}

local function three_holes(sysctl)
    return transfer { bytes = params.bytes, client = sysctl, server = sysctl,
        link = { rate = "20Mbit", delay = params.delay }, lose = { 14, 17, 20 } }
end

-- From the first repair to the last, in round trips.
local function round_trips(t)
    return (t.repeats:last().at - t.repeats:first().at) / (2 * params.delay)
end

world("SACK", function()
    local t = three_holes {}
    expect(t.repeats):count(3) -- those that were lost, and no other
    expect(round_trips(t)):below(0.3)
    expect(t.client:counter("TCPSackRecovery")):equals(1)
    expect(t.client:counter("TCPTimeouts")):equals(0)
    say("SACK: three segments again within %.1f round trips; all arrived after %.0f ms.", round_trips(t), t.took * 1000)
end)

world("NewReno", function()
    local t = three_holes { tcp_sack = 0 }
    expect(t.repeats):count(3)
    expect(round_trips(t)):between(1.8, 3) -- a partial ACK shows the next hole: one a round trip
    expect(t.client:counter("TCPRenoRecovery")):equals(1)
    expect(t.client:counter("TCPTimeouts")):equals(0)
    say("NewReno: three again within %.1f round trips; after %.0f ms.", round_trips(t), t.took * 1000)
end)

-- Duplicates that tell nothing: the RTO, and everything after the hole again.
world("timeout alone", function()
    local t = three_holes { tcp_sack = 0, tcp_reordering = 127, tcp_early_retrans = 0 }
    local silence = t.repeats:first().at - t.data[14].at
    expect(t.client:counter("TCPTimeouts")):equals(1)
    expect(silence):above("200ms")
    say("The timeout alone: nothing repaired for %.0f ms, then %d again; after %.0f ms.", silence * 1000, #t.repeats,
        t.took * 1000)
end)
