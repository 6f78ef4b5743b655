-- A request in two small writes. The second waits for the ACK of the first
-- (Nagle); the server has nothing to say yet and delays that ACK: both wait.

scenario {
    title = "Nagle meets the delayed ACK",
    about = "RFC 896, RFC 9293 §3.7.4: write, write, read; and four ways out.",
    params = {
        delay = { "5ms", about = "one way" },
        requests = { 20, about = "one after the other" },
    },
}

-- How long a request took, on average over the last ten (the first segments of
-- a connection are acknowledged at once), and the segments it took in all.
local function ask(options)
    local client = host("client", "10.0.0.1", { profile = options.profile })
    local server = host("server", "10.0.0.2", { profile = options.profile })
    local wire = link(client, server, { delay = params.delay })
    server:spawn(function()
        local theirs = server:listen(80):accept()
        while theirs:skip(200) == 200 do theirs:send(1000) end
    end)
    local conn, took = client:connect(server, 80, { options = options.socket }), {}
    for i = 1, params.requests do
        local began = now()
        options.write(conn)
        conn:skip(1000)
        took[i] = now() - began
    end
    local sum = 0
    for i = params.requests - 9, params.requests do sum = sum + took[i] end
    return sum / 10, wire:packets { from = client, match = "data" }, wire
end

local function twice(conn)
    conn:send(100)
    conn:send(100)
end

local round_trip = 2 * params.delay

world("Nagle, Linux", { profile = "linux" }, function()
    local took, sent = ask { write = twice }
    expect(took):near(0.04 + 2 * round_trip, "2ms") -- the ACK waits 40 ms
    expect(sent):count(2 * params.requests)
    say("Nagle, Linux: a request takes %.0f ms; the second half waits for an ACK that waits 40 ms.", took * 1000)
end)

world("Nagle, RFC", { profile = "rfc" }, function()
    local took = ask { write = twice }
    expect(took):near(0.2 + 2 * round_trip, "2ms") -- 200 ms, as BSD and Windows had it
    say("Nagle and an ACK that waits 200 ms: %.0f ms.", took * 1000)
end)

world("TCP_NODELAY", function()
    local took, sent = ask { write = twice, socket = { TCP_NODELAY = 1 } }
    expect(took):near(round_trip, "1ms")
    expect(sent):count(2 * params.requests)
    say("TCP_NODELAY: %.0f ms, two segments each.", took * 1000)
end)

world("TCP_CORK", function()
    local took, sent = ask { write = function(conn)
        conn:option("TCP_CORK", 1)
        twice(conn)
        conn:option("TCP_CORK", 0)
    end }
    expect(took):near(round_trip, "1ms")
    expect(sent):count(params.requests)
    expect(sent):all { len = 200 }
    say("TCP_CORK: %.0f ms, one segment each.", took * 1000)
end)

world("MSG_MORE", function()
    local took, sent = ask { write = function(conn)
        conn:send(100, { more = true })
        conn:send(100)
    end }
    expect(took):near(round_trip, "1ms")
    expect(sent):count(params.requests)
end)

-- A cork is for a while: what it holds leaves after 200 ms, uncorked or not.
world("a cork forgotten", { profile = "linux" }, function()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = params.delay })
    server:serve { port = 80 }
    local conn = client:connect(server, 80, { options = { TCP_CORK = 1 } })
    local began = now()
    conn:send(100)
    run("1s")
    expect(wire:packets { from = client, match = "data" }:first().at - began):near("210ms", "2ms") -- the RTO
end)
