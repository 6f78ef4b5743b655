-- SO_LINGER in all its forms, and close() with data unread.

scenario {
    title = "Ways to close",
    about = "CLAIMS 51: SO_LINGER {1, 0} resets; others wait; unread data resets too.",
    params = { delay = "10ms" },
}

-- A connection whose client did what fn says; what the server's calls returned.
local function closing(fn)
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = params.delay })
    local theirs, said = nil, {}
    server:spawn(function() theirs = server:listen(80):accept() end)
    local conn = client:connect(server, 80)
    while not theirs do sleep("1ms") end
    fn(conn, theirs, said, wire)
    run("10s")
    return client, server, wire, said
end

world("SO_LINGER {1, 0}", function()
    local client, _, wire, said = closing(function(conn, theirs, said)
        conn:send(1000)
        conn:option("SO_LINGER", 0)
        conn:close()
        sleep("50ms")
        said[1] = #theirs:recv(4096) -- what came before the reset may be read
        said[2] = select(2, theirs:recv(4096))
        said[3] = select(2, theirs:send("x"))
    end)
    expect(wire:packets { from = client, match = "rst+ack" }):count(1)
    expect(wire:packets { match = "fin" }):none()
    expect(client:count("TIME_WAIT")):equals(0)
    expect(said):equals { 1000, "ECONNRESET", "EPIPE" }
    say("{1, 0}: RST and no TIME-WAIT; the peer reads what it has, then ECONNRESET, then EPIPE.")
end)

world("SO_LINGER {1, 2}, peer alive", function()
    local took
    local _, server, wire = closing(function(conn)
        conn:option("SO_LINGER", 2)
        conn:send(5000)
        local began = now()
        conn:close()
        took = now() - began
    end)
    local delayed = server:sysctl("delack_min") / 1000
    -- Until the FIN is acknowledged: a round trip, and what the peer delays an ACK.
    expect(took):between(2 * params.delay, 2 * params.delay + delayed + 0.02)
    expect(wire:packets { match = "rst" }):none()
    say("{1, 2}: close() waited %s, for the ACK of its FIN.", time_text(took))
end)

world("SO_LINGER {1, 2}, path dead", function()
    local took
    local client = closing(function(conn, _, _, wire)
        conn:option("SO_LINGER", 2)
        wire:drop {}
        conn:send(5000)
        local began = now()
        conn:close()
        took = now() - began
    end)
    expect(took):near("2s", "10ms")
    expect(client:count("FIN_WAIT_1")):equals(1) -- TCP goes on alone
    say("Dead path: close() gave up waiting after %s; the orphan goes on.", time_text(took))
end)

world("unread data", function()
    local _, server, wire, said = closing(function(conn, theirs, said)
        conn:send(100)
        sleep("50ms")
        theirs:close() -- nobody read the 100 bytes
        sleep("50ms")
        said[1] = select(2, conn:send(10))
        said[2] = #conn:recv(10)
    end)
    expect(wire:packets { from = server, match = "rst" }):count(1)
    expect(wire:packets { from = server, match = "fin" }):none()
    expect(said):equals { "ECONNRESET", 0 }
    expect(server:counter("TCPAbortOnClose")):equals(1)
    say("Unread data: close() resets, for a FIN would say that all was received.")
end)
