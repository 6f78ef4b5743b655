-- One segment of forty is lost, so the window shall fall to a half. All at once
-- means a pause, until half a window has been delivered; PRR spreads it out.

local transfer = require "transfer"

scenario {
    title = "Proportional rate reduction",
    about = "RFC 6937: how the window gets from before a loss to after it.",
    params = {
        delay = { "50ms", about = "one way" },
        window = { 40, about = "initial_cwnd" },
        prr = { 1, about = "set by the second world" },
    },
}

local function one_lost()
    return transfer { bytes = "400kB", lose = { 12 }, link = { rate = "5Mbit", delay = params.delay },
        server = { tcp_rmem = "4096 1000000 6000000" }, options = { TCP_CONGESTION = "reno" },
        client = { initial_cwnd = params.window, prr = params.prr, tcp_wmem = "4096 1000000 4000000" } }
end

-- The longest time without a segment in the round trip that begins with the repair.
local function longest_pause(t)
    local from, pause, last = t.repeats:first().at, 0, nil
    for _, packet in ipairs(t.data) do
        if packet.at >= from and packet.at < from + 2 * params.delay then
            if last then pause = math.max(pause, packet.at - last) end
            last = packet.at
        end
    end
    return pause
end

local smooth = world("with", function()
    local t = one_lost()
    expect(t.repeats):count(1)
    local pause = longest_pause(t)
    expect(pause):below("15ms")
    say("With PRR: never more than %.0f ms without a segment.", pause * 1000)
    return pause
end)

world("without", { prr = 0 }, function()
    local t = one_lost()
    expect(t.repeats):count(1)
    local pause = longest_pause(t)
    expect(pause):above(4 * smooth)
    say("Without: a pause of %.0f ms, as long as half a window takes to arrive.", pause * 1000)
end)
