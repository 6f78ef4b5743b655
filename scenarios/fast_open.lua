-- Data with the SYN: the answer is here a round trip sooner. The server first gives
-- out a cookie, so that nobody else's address can be used for it.

scenario {
    title = "TCP Fast Open",
    about = "RFC 7413: the cookie, the request in the SYN, boxes that eat it, and a SYN that comes twice.",
    params = {
        delay = { "50ms", about = "one way" },
        eaten = { false, about = "set by each world" },
    },
}

local function serve(server, handled)
    server:spawn(function()
        local listener = server:listen(80, { options = { TCP_FASTOPEN = 16 } })
        while true do
            local theirs = listener:accept()
            server:spawn(function()
                handled[#handled + 1] = { now(), theirs:recv() }
                theirs:send("answer")
                theirs:close()
            end)
        end
    end)
end

local function two_hosts(handled)
    local client = host("client", "10.0.0.1", { sysctl = { tcp_fastopen = 1 } })
    local server = host("server", "10.0.0.2", { sysctl = { tcp_fastopen = 2 } })
    local wire = link(client, server, { delay = params.delay })
    serve(server, handled)
    return client, server, wire
end

-- A request; how many round trips until the answer is there.
local function ask(client, server)
    local began = now()
    local conn = client:connect(server, 80, { data = "request" })
    conn:recv()
    local took, info = now() - began, conn:info()
    conn:close()
    sleep("1s")
    return took / (2 * params.delay), info
end

world("the cookie", function()
    local handled = {}
    local client, server, wire = two_hosts(handled)
    local first, second = ask(client, server), ask(client, server)
    expect(handled[1][2]):equals("request") -- after the handshake, like any other
    expect(first):near(2, 0.05) -- asks for a cookie
    expect(second):near(1, 0.05) -- has one
    local syns = wire:packets { from = client, match = "syn" }
    expect(syns[1].len):equals(0)
    expect(syns[2].len):equals(7)
    expect(server:counter("TCPFastOpenCookieReqd")):equals(1)
    expect(server:counter("TCPFastOpenPassive")):equals(1)
    say("The first request takes %.0f round trips and brings a cookie, the second %.0f.", first, second)
end)

world("a box that eats data on a SYN", function()
    local handled = {}
    local client, server, wire = two_hosts(handled)
    ask(client, server)
    wire:drop { from = client, match = "syn+data" }
    local took, info = ask(client, server)
    expect(handled):count(2) -- it came, only later
    expect(info.fastopen_client_fail):equals(3) -- the SYN had to be sent again
    expect(took * 2 * params.delay):near(1 + 4 * params.delay, "20ms")
    say("A box that eats SYNs with data: the SYN again, without; the answer after %.0f ms.", took * 2000 * params.delay)
end)

-- Worse: everything with the option is eaten, again and again. Three timeouts in a row,
-- and the client does without it, where the sysctl says for how long.
world("a black hole", function()
    local handled = {}
    local client, server, wire = two_hosts(handled)
    client:sysctl("tcp_fastopen_blackhole_timeout_sec", 3600)
    ask(client, server)
    local hole = wire:drop { from = client, match = "syn", count = 3 }
    ask(client, server)
    hole:cancel()
    expect(client:counter("TCPFastOpenBlackhole")):equals(1)
    local began = now()
    local round_trips = ask(client, server)
    expect(round_trips):near(2, 0.05) -- an ordinary handshake, though it has a cookie
    expect(wire:packets { from = client, match = "syn", after = began }):all { len = 0 }
    sleep("1h")
    expect((ask(client, server))):near(1, 0.05)
    say("Three timeouts in a row: no Fast Open for an hour.")
end)

-- RFC 7413 §2.1: what has come with a SYN may come twice. The network makes a copy of
-- the SYN; the first connection has long ended when it arrives.
world("twice", function()
    local handled = {}
    local client, server, wire = two_hosts(handled)
    server:sysctl("timewait", 0)
    ask(client, server)
    wire:duplicate { from = client, match = "syn+data", by = "5s" }
    ask(client, server)
    expect(handled):count(2)
    run("10s")
    expect(handled):count(3)
    expect(handled[3][2]):equals("request")
    say("A duplicate of the SYN, after the connection has gone: the request is handled again. Only what may be done"
        .. " twice belongs there.")
end)
