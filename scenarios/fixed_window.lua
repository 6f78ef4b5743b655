-- A window that never changes. Too small, the path idles; just right, it is full; too
-- large, the rest waits in the queue; larger still, it is lost, again and again.

local transfer = require "transfer"

scenario {
    title = "The window and the pipe",
    about = "Throughput is window over round trip, until it is the link's; what a larger window buys.",
    params = {
        rate = "10Mbit",
        delay = { "30ms", about = "one way" },
        queue = { 60, about = "packets in front of the link" },
        bytes = { "1MB", about = "to send" },
    },
}

local pipe = params.rate * 2 * params.delay / 8 / 1500 -- packets that the path holds

local function with(window)
    return world(window .. " segments", { profile = "linux" }, function()
        local t = transfer { bytes = params.bytes, client = { fixed_cwnd = window }, options = { TCP_CONGESTION = "fixed" },
            server = { tcp_rmem = "4096 1000000 6000000" },
            link = { up = { rate = params.rate, queue = params.queue, delay = params.delay }, down = { delay = params.delay } } }
        local wasted = #t.wire:packets { from = t.client, fate = "lost" } / #t.data
        return { speed = size(params.bytes) * 8 / t.took / 1e6, rtt = t.conn:info().rtt, wasted = wasted }
    end)
end

say("The path holds %.0f packets, its queue %d more.", pipe, params.queue)
local last
for _, window in ipairs { 5, 10, 25, 50, 100, 200 } do
    local got = with(window)
    if window < 0.9 * pipe then
        expect(got.speed):near(window * 1448 * 8 / (2 * params.delay) / 1e6, "12%")
    elseif window <= pipe + params.queue then
        expect(got.speed):above(0.85 * params.rate / 1e6)
        expect(got.wasted):equals(0)
        expect(got.rtt):near(window / pipe * 2 * params.delay, "20%") -- the queue is all that grows
    else
        expect(got.wasted):above(0.1)
    end
    say("%4d segments: %4.1f Mbit/s, round trip %3.0f ms, %.0f %% lost.", window, got.speed, got.rtt * 1000,
        100 * got.wasted)
    last = got
end
expect(last.speed):below(params.rate / 1e6)
