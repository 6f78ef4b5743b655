-- A reader that takes a hundred bytes at a time. If each opened the window by a
-- hundred bytes, each would be a segment of its own: the silly window syndrome.

scenario {
    title = "The silly window syndrome, avoided",
    about = "RFC 9293 §3.8.6.2: the receiver opens its window in large steps, the sender waits for them.",
    params = {
        delay = { "5ms", about = "one way" },
        takes = { 100, about = "bytes that the reader takes at a time" },
        every = { "10ms", about = "and how often" },
    },
}

local function slow_reader(profile)
    local client = host("client", "10.0.0.1", { profile = profile })
    local server = host("server", "10.0.0.2", { profile = profile, sysctl = { tcp_rmem = "4096 8192 8192", tcp_window_scaling = 0 } })
    local wire = link(client, server, { rate = "10Mbit", delay = params.delay })
    local asleep = true
    server:spawn(function()
        local theirs = server:listen(80):accept()
        while asleep do sleep("100ms") end
        while theirs:skip(params.takes) > 0 do sleep(params.every) end
    end)
    local conn = client:connect(server, 80)
    client:spawn(function() conn:send(100000) end)
    sleep("1s") -- the buffer fills
    asleep = false
    local began = now()
    run("8s")
    return wire:packets { from = client, match = "data", after = began },
        wire:packets { from = server, match = "ack", after = began }, wire, client
end

local function check(name, profile)
    world(name, function()
        local data, acks = slow_reader(profile)
        local least, small = math.huge, 0
        for _, packet in ipairs(data) do
            least = math.min(least, packet.len)
            if packet.len < 500 then small = small + 1 end
        end
        -- No window is announced that is neither nothing nor worth a segment.
        local silly = 0
        for _, packet in ipairs(acks) do
            if packet.win > 0 and packet.win < 536 then silly = silly + 1 end
        end
        expect(#data):above(5)
        expect(silly):equals(0)
        expect(small):at_most(2)
        local bytes = data:sum("len")
        say("%s: %d bytes in %d segments of %d on average, the smallest %d; each read took %d.", name, bytes, #data,
            bytes // #data, least, params.takes)
    end)
end

check("Linux")
check("RFC", "rfc")
