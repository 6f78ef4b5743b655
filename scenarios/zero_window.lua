-- The reader stops, its buffer is full, the window closes. When it reads again
-- one ACK says so. Were that lost, both would wait for ever, but for the probes.

scenario {
    title = "Zero window",
    about = "RFC 9293 §3.8.6.1, RFC 1122 §4.2.2.17: the persist timer, and the window update that is lost.",
    params = {
        delay = { "10ms", about = "one way" },
        pause = { "10s", about = "how long nobody reads" },
        update_is_lost = { false, about = "set by the second world" },
    },
}

local function stalled(what_happens)
    local client = host("client", "10.0.0.1", { sysctl = { tcp_retries2 = 6 } })
    local server = host("server", "10.0.0.2", { sysctl = { tcp_rmem = "4096 16384 16384" } })
    local wire = link(client, server, { rate = "10Mbit", delay = params.delay })
    local theirs
    server:spawn(function()
        theirs = server:listen(80):accept()
        sleep(params.pause)
        if what_happens then what_happens(wire, server) end
        theirs:recv_eof()
    end)
    local conn = client:connect(server, 80)
    local t = { client = client, server = server, wire = wire, conn = conn, began = now() }
    client:spawn(function()
        conn:send(30000)
        conn:shutdown()
        t.problem = select(2, conn:recv())
    end)
    run(4 * params.pause)
    t.closed = wire:packets { from = server, match = function(p) return p.win == 0 and p.flags == "ACK" end }
    t.probes = wire:packets { from = client, after = t.closed:first().arrived_at,
        before = t.began + params.pause, match = function(p) return p.len == 0 and p.flags == "ACK" end }
    return t
end

-- When data moved again, after the reader woke up.
local function resumed(t)
    return t.wire:packets { from = t.client, match = "data", after = t.began + params.pause }:first().at
        - t.began - params.pause
end

world("the update arrives", { profile = "linux" }, function()
    local t = stalled()
    expect(t.server:counter("TCPToZeroWindowAdv")):at_least(1)
    expect(#t.probes):at_least(5)
    for i = 3, #t.probes do -- answered, and yet each waits twice as long
        expect((t.probes[i].at - t.probes[i - 1].at) / (t.probes[i - 1].at - t.probes[i - 2].at)):near(2, 0.1)
    end
    local past = t.closed:first().ack - 1 -- a byte that the peer has
    expect(t.probes):all { seq = past }
    expect(t.client:counter("TCPWinProbe")):equals(#t.probes + 1) -- the first filled what was left
    expect(resumed(t)):near(2 * params.delay, "5ms")
    expect(t.conn:error()):is_nil()
    say("%d probes in %s; data %.0f ms after the reader woke.", #t.probes, time_text(params.pause), resumed(t) * 1000)
end)

world("the update is lost", function()
    local t = stalled(function(wire, server)
        wire:drop { from = server, match = "ack", before = now() + 0.5 } -- whatever it says for half a second
    end)
    expect(resumed(t)):between("0.5s", "10s") -- the next probe draws another
    expect(t.conn:unacked()):equals(0)
    say("The window update lost: data after %.1f s, drawn by the next probe.", resumed(t))
end)

world("nobody answers", function()
    local t = stalled(function(wire) wire:drop {} end)
    run("10min")
    expect(t.problem):equals("ETIMEDOUT") -- answered probes go on for ever, unanswered ones do not
    say("Probes that nobody answers: ETIMEDOUT after tcp_retries2 of them.")
end)
