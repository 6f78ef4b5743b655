-- Slow start doubles until it loses, and then it loses a window. HyStart leaves when
-- round trips grow, or when the ACKs of one round have filled the round trip.

local transfer = require "transfer"

scenario {
    title = "HyStart",
    about = "RFC 9406's forebear in Linux's CUBIC: how slow start ends, with a loss and without.",
    params = {
        rate = "40Mbit",
        delay = { "25ms", about = "one way" },
        queue = { 600, about = "packets; the path itself holds 166" },
        hystart = { 3, about = "1 trains of ACKs, 2 growing delay; set by each world" },
    },
}

local function start()
    local t = transfer { bytes = "4MB", client = { hystart = params.hystart },
        server = { tcp_rmem = "4096 4000000 16000000" },
        link = { up = { rate = params.rate, queue = params.queue, delay = params.delay }, down = { delay = params.delay } } }
    return t, t.wire:packets { from = t.client, fate = "lost" }, t.client:counters()
end

world("never", { profile = "linux", hystart = 0 }, function()
    local t, lost = start()
    expect(lost):count(50, 2000) -- half of the last round did not fit
    say("Never: slow start ended with %d losses; all there after %.2f s.", #lost, t.took)
end)

world("by delay", { profile = "linux", hystart = 2 }, function()
    local t, lost = start()
    expect(t.client:counter("TCPHystartDelayDetect")):equals(1)
    expect(lost):none()
    say("By delay: left at a window of %d, no loss; after %.2f s.", t.client:counter("TCPHystartDelayCwnd"), t.took)
end)

world("by trains", { profile = "linux", hystart = 1 }, function()
    local t, lost = start()
    expect(t.client:counter("TCPHystartTrainDetect")):equals(1)
    expect(lost):none()
    say("By trains: left at a window of %d, no loss; after %.2f s.", t.client:counter("TCPHystartTrainCwnd"), t.took)
end)
