-- An ACK that waits may save a segment: the next data, or the reply, carries
-- it. How long it waits, and when Linux does not wait at all.

scenario {
    title = "Delayed and quick ACKs",
    about = "RFC 1122 §4.2.3.2, RFC 5681 §4.2: one ACK for two segments, within 40 or 200 ms, or with the reply.",
    params = { delay = { "5ms", about = "one way" } },
}

local function pair(profile)
    local client = host("client", "10.0.0.1", { profile = profile })
    local server = host("server", "10.0.0.2", { profile = profile })
    local wire = link(client, server, { rate = "10Mbit", delay = params.delay })
    return client, server, wire
end

-- Messages of one segment, far apart; by how much each ACK was late.
local function single_segments(gap, profile, reads)
    local client, server, wire = pair(profile)
    server:spawn(function()
        local theirs = server:listen(80):accept()
        while reads and theirs:recv() ~= "" do end
    end)
    local conn = client:connect(server, 80)
    for _ = 1, 30 do
        conn:send(500)
        sleep(gap)
    end
    local late = {}
    for i, packet in ipairs(wire:packets { from = client, match = "data" }) do
        local ack = wire:packets { from = server, match = function(p) return p.ack > packet.seq end }:first()
        late[i] = ack.at - packet.arrived_at
    end
    return late
end

world("nobody reads, Linux", { profile = "linux" }, function()
    local late = single_segments("100ms")
    expect(late[1]):near(0, "1ms") -- quick ACKs: the sender is in slow start
    expect(late[8]):near(0, "1ms")
    expect(late[30]):near("40ms", "1ms")
    local quick = 0
    for _, wait in ipairs(late) do quick = quick + (wait < 0.001 and 1 or 0) end
    say("Linux, while nobody reads: %d ACKs at once, then after %.0f ms.", quick, late[30] * 1000)
end)

-- Linux: a short write that was read to its end was perhaps the last for now.
world("read at once, Linux", { profile = "linux" }, function()
    local late = single_segments("100ms", nil, true)
    expect(late[30]):near(0, "1ms")
    say("Linux, with a reader that keeps up: each at once.")
end)

world("read at once, RFC", function()
    local late = single_segments("300ms", "rfc", true)
    expect(late[2]):near("200ms", "1ms") -- the first also tells the window, now scaled
    expect(late[30]):near("200ms", "1ms")
    say("RFC profile: each after %.0f ms; the standard allows 500.", late[30] * 1000)
end)

world("bulk, RFC", function()
    local client, server, wire = pair("rfc")
    server:serve { port = 80 }
    client:bulk { to = server, port = 80, bytes = 300000 }
    run("5s")
    local data, acks = wire:packets { from = client, match = "data" }, wire:packets { from = server, match = "ack" }
    expect(#data / #acks):between(1.8, 2.1)
    say("Bulk data: %d segments, %d ACKs.", #data, #acks)
end)

world("a reply in time", { profile = "linux" }, function()
    local client, server, wire = pair()
    server:spawn(function()
        local theirs = server:listen(80):accept()
        while theirs:skip(100) == 100 do
            sleep("10ms") -- thinks
            theirs:send(100)
        end
    end)
    local conn = client:connect(server, 80)
    for _ = 1, 20 do
        conn:send(100)
        conn:skip(100)
        sleep("150ms")
    end
    -- From the second request on the connection is interactive: no ACK travels alone.
    local alone = wire:packets { from = server, match = "ack" }
    expect(alone):count(0, 2)
    say("Question and answer: %d of 20 requests had an ACK of their own.", #alone)
end)
