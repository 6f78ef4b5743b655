-- A path that lets every twentieth segment be overtaken by five others. Nothing is
-- ever lost. Three duplicate ACKs say otherwise; RACK looks at the clock.

local transfer = require "transfer"

scenario {
    title = "Reordering is not loss",
    about = "RFC 8985 §6: a fixed duplicate threshold, a threshold that learns, and RACK.",
    params = {
        delay = { "20ms", about = "one way" },
        late = { "6ms", about = "how late one segment in twenty is" },
        bytes = { "3MB", about = "to send" },
    },
}

local function reordered(sysctl)
    return transfer { bytes = params.bytes, client = sysctl, link = { rate = "10Mbit", delay = params.delay },
        fates = function(t)
            local n = 0
            t.wire:script({ from = t.client, match = "data" }, function(packet)
                n = n + 1
                if n % 20 == 0 and not packet.is_retransmission then return { "delay", by = params.late } end
            end)
        end }
end

local function rate(t) return size(params.bytes) * 8 / t.took / 1e6 end

local fixed = world("three duplicates", function()
    local t = reordered { tcp_recovery = 0, tcp_max_reordering = 3, undo = 0 }
    expect(t.repeats):count(20, 200)
    expect(t.server:counter("TCPDSACKOldSent")):at_least(20) -- all of them needless
    say("Threshold of three: %d segments again, none was lost; %.1f Mbit/s.", #t.repeats, rate(t))
    return rate(t)
end)

world("a threshold that learns", function()
    local t = reordered { tcp_recovery = 0 }
    expect(t.repeats):count(1, 20)
    expect(t.conn:info().reordering):above(3)
    say("A threshold that learnt %d: %d again; %.1f Mbit/s.", t.conn:info().reordering, #t.repeats, rate(t))
end)

world("RACK", function()
    local t = reordered {}
    expect(t.repeats):count(0, 10)
    expect(t.client:counter("TCPTimeouts")):equals(0)
    expect(rate(t)):above(1.2 * fixed)
    say("RACK waits a quarter of a round trip: %d again; %.1f Mbit/s.", #t.repeats, rate(t))
end)
