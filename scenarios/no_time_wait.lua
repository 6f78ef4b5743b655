-- Without TIME-WAIT a port comes back at once, and so may a segment of the old
-- connection: it is read as if the new one had sent it, but only if its number
-- lies in the new window and PAWS lets it pass. And a repeated FIN meets nobody.

scenario {
    title = "No TIME-WAIT: foreign bytes in the stream",
    about = "CLAIMS 40, 41: which byte of which incarnation.",
    params = {
        bytes = { 300, about = "that each incarnation sends before the last 100" },
        timestamps = { 0, about = "tcp_timestamps: 1 lets PAWS see the old segment" },
        remembers = { true, about = "set by each world: TIME-WAIT or none" },
        wait = { "60s", about = "set by each world: how long TIME-WAIT is" },
        isn = { 3, about = "3: the same for every connection, so that the old number is in the window" },
    },
}

-- The first incarnation's segment SEQ = bytes + 1 is copied by the network; the
-- copy comes while the second has sent `bytes` bytes of its own.
local function two_lives()
    local sysctl = { tcp_timestamps = params.timestamps, isn = params.isn, timewait = time_text(params.wait),
        ["counterfactual.no_time_wait"] = not params.remembers }
    local client = host("client", "10.0.0.1", { sysctl = sysctl })
    local server = host("server", "10.0.0.2", { sysctl = sysctl })
    local wire = link(client, server, { delay = "10ms" })
    local old = wire:copy { from = client, match = { seq = params.bytes + 1, len = 100 }, count = 1 }
    local listener = server:listen(80)

    local function live()
        local conn, problem = client:connect(server, 80, { port = 40000 })
        if not conn then return nil, problem end
        return conn, listener:accept()
    end
    local conn, peer = live()
    conn:send(params.bytes)
    sleep("100ms")
    conn:send(100)
    sleep("100ms")
    conn:close()
    peer:recv_eof()
    peer:close()
    sleep("1s")

    conn, peer = live()
    if not conn then return { problem = peer } end
    conn:send(params.bytes)
    sleep("100ms")
    old:inject()
    sleep("100ms")
    return { parts = peer:recv_parts(), server = server, own = conn, client = client }
end

local function foreign(parts)
    local mine, theirs = parts[1].stream, nil
    for _, part in ipairs(parts) do
        if part.stream ~= mine then theirs = part end
    end
    return theirs
end

world("as it is", function()
    local life = two_lives()
    expect(life.problem):equals("EADDRINUSE") -- the port rests: no second incarnation to harm
    say("With TIME-WAIT: the port is not to be had, there is no second connection to be harmed.")
end)

world("without", { remembers = false }, function()
    local life = two_lives()
    local part = foreign(life.parts)
    expect(part):exists()
    expect(part and #part.bytes):equals(100)
    expect(part and part.offset):equals(params.bytes) -- its place in the stream that sent it
    say("Without: the new connection read bytes %d to %d of the one before it as its own.",
        part and part.offset + 1 or 0, part and part.offset + #part.bytes or 0)
end)

-- Too short is as bad as none: the old segment comes after its end.
world("half a second of it", { wait = "500ms" }, function()
    local part = foreign(two_lives().parts)
    expect(part and #part.bytes):equals(100)
    expect(part and part.offset):equals(params.bytes)
    say("Half a second of it: the same bytes %d to %d of the other incarnation.", part and part.offset + 1 or 0,
        part and part.offset + #part.bytes or 0)
end)

world("without, but random numbers", { remembers = false, isn = 0 }, function()
    expect(foreign(two_lives().parts)):is_nil() -- most likely out of the window
end)

world("without, but timestamps", { remembers = false, timestamps = 1 }, function()
    local life = two_lives()
    expect(foreign(life.parts)):is_nil()
    expect(life.server:counter("PAWSEstab")):equals(1)
    say("Without, but with timestamps: the number fitted, the timestamp was too old, PAWS refused it.")
end)

-- 41: the last ACK is lost. The server does not stay in LAST-ACK: its FIN gets RST.
world("without, last ACK lost", { remembers = false }, function()
    local client = host("client", "10.0.0.1", { sysctl = { ["counterfactual.no_time_wait"] = true } })
    local server = host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    server:serve { port = 80 }
    wire:drop { from = client, match = "ack", after = "server.FIN", nth = 1 }
    client:connect(server, 80):close()
    run("5s") -- beyond the first retransmission of either profile
    expect(wire:packets { from = server, match = "fin" }):count(2)
    expect(wire:packets { from = client, match = "rst" }):count(1)
    expect(server:connections()[1]):passed("LAST_ACK", "CLOSED")
    expect(server:count("LAST_ACK")):equals(0)
    say("Without, last ACK lost: the server was in LAST-ACK for %s, until RST answered its second FIN.",
        time_text(server:connections()[1]:spent("LAST_ACK")))
end)
