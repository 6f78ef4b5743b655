-- A window sent at once arrives at the bottleneck at once, and waits there. Paced,
-- the same window arrives spread over the round trip.

local transfer = require "transfer"

scenario {
    title = "Pacing",
    about = "fq, tcp_pacing_ss_ratio, SO_MAX_PACING_RATE: the same window, without its bursts.",
    params = {
        delay = { "40ms", about = "one way" },
        window = { 40, about = "segments; the path holds 133" },
        pacing = { 0, about = "set by the second world" },
    },
}

-- A window that never changes, so that only the spacing differs. The longest queue
-- in front of the bottleneck, and how long the transfer took.
local function bulk(options)
    options.TCP_CONGESTION = "fixed"
    local longest = 0
    local t = transfer { bytes = "600kB", client = { pacing = params.pacing, fixed_cwnd = params.window },
        server = { tcp_rmem = "4096 1000000 6000000" }, options = options,
        link = { up = { rate = "20Mbit", queue = 200, delay = params.delay }, down = { delay = params.delay } },
        fates = function(t)
            every("200us", function() longest = math.max(longest, (t.wire:queue(t.client))) end, 5000)
        end }
    return longest, t
end

local bursts = world("bursts", { profile = "linux" }, function()
    local longest, t = bulk {}
    expect(longest):near(params.window, 4)
    say("At once: %d packets wait at the bottleneck; all there after %.0f ms.", longest, t.took * 1000)
    return longest
end)

world("paced", { profile = "linux", pacing = 1 }, function()
    local longest, t = bulk {}
    expect(longest):below(0.5 * bursts) -- the first ten are not paced
    say("Paced at twice a window a round trip, as slow start needs: %d; after %.0f ms.", longest, t.took * 1000)
end)

world("SO_MAX_PACING_RATE", { profile = "linux" }, function()
    local longest, t = bulk { SO_MAX_PACING_RATE = 800000 }
    expect(longest):at_most(11)
    expect(t.took):above(600000 * 1.04 / 8e5)
    say("Never above 6.4 Mbit/s: %d; after %.0f ms.", longest, t.took * 1000)
end)
