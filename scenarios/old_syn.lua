-- An old SYN arrives before the new one of the same port. The client refuses
-- the answer with RST because of the number that it acknowledges. What happens
-- when the new SYN reaches the server before that RST does is where Linux and
-- RFC 9293 part.

scenario {
    title = "The old SYN comes first",
    about = "CLAIMS 14, 15: who sends RST, and what the server makes of the second SYN.",
    params = {
        delay = { "20ms", about = "of the link, one way" },
        ahead = { 5000, about = "of the old SYN's number: so far the new one is" },
    },
}

local function build()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = params.delay })
    server:serve { port = 80 }
    return client, server, wire
end

-- 14: the SYN-ACK of the old SYN finds the client in SYN-SENT.
local function refused()
    local client, server, wire = build()
    wire:delay { from = client, match = "syn", nth = 1, by = "500ms" } -- the new SYN is late
    wire:inject { to = server, arrives = "1ms", flags = "syn", sport = 40000, dport = 80, raw_seq = 1000, mss = 1460 }
    local conn, problem = client:connect(server, 80, { port = 40000 })
    expect(conn, problem):succeeds()
    local rst = wire:packets { from = client, match = "rst" }
    expect(rst):count(1)
    expect(rst:first().raw_seq):equals(1001) -- the unacceptable number
    expect(rst:first().flags):equals("RST")
    local syns = {} -- the client's own
    for _, p in ipairs(wire:packets { from = client, match = "syn" }) do
        if not p.is_forged then syns[#syns + 1] = p end
    end
    return syns, now()
end

world("refused, linux", { profile = "linux" }, function()
    local syns, took = refused()
    expect(syns):count(2)
    expect(syns[2].at):below("100ms") -- not after 1 s
    say("Linux: RST, and the SYN again at once: connected after %s.", time_text(took))
end)

world("refused, rfc", { profile = "rfc" }, function()
    local syns, took = refused()
    expect(syns):count(1) -- it waits for its timer, and the delayed SYN comes first
    say("RFC: RST, and the SYN that was on its way did it: connected after %s.", time_text(took))
end)

-- 15: the new SYN is in the window of the half-open connection that the old
-- one made, and arrives before any RST.
local function in_window()
    local client, server, wire = build()
    wire:script({ from = client, match = "syn", nth = 1 }, function(p)
        wire:inject { to = server, arrives = "0s", flags = "syn", sport = 40000, dport = 80, mss = 1460,
            raw_seq = (p.raw_seq - params.ahead) % (1 << 32) }
    end)
    wire:drop { from = server, match = "syn+ack", nth = 1 } -- so no RST of the client's is on the way
    local conn, problem = client:connect(server, 80, { port = 40000 })
    run("100ms")
    return conn, problem, wire:packets { from = server }, server
end

world("in the window, linux", { profile = "linux" }, function()
    local conn, problem, replies = in_window()
    expect(conn, problem):fails("ECONNREFUSED")
    expect(replies:last().flags):equals("RST+ACK")
    expect(replies:last().raw_seq):equals(0)
    say("Linux: the second SYN got RST+ACK, and the honest client reads ECONNREFUSED.")
end)

world("in the window, rfc", { profile = "rfc" }, function()
    local conn, problem, replies, server = in_window()
    expect(conn, problem):succeeds()
    for _, p in ipairs(replies) do expect(p.flags):is_not("RST+ACK") end
    expect(server:counter("OutRsts")):equals(0)
    say("RFC 9293: back to LISTEN in silence; the client's next SYN opened the connection after %s.", time_text(now()))
end)
